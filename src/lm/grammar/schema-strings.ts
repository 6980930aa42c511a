// Strings of JSON Schema: lengths, patterns and formats.

import { type Expression, GrammarError, repeat } from './expression.js';
import { character, quoted } from './json.js';
import { readPattern } from './pattern.js';

const DAYS = '(?:0[1-9]|1\\d|2[0-8])';
const DATE = `\\d{4}-(?:(?:0[1-9]|1[0-2])-${DAYS}|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)`;
const TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,6})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)';
const BYTE = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?';
const HOST = `${LABEL}(?:\\.${LABEL}){1,4}`;

/** Formats as patterns of texts that have them; not of all such texts. */
const FORMATS: Readonly<Record<string, string>> = {
  date: DATE,
  time: TIME,
  'date-time': `${DATE}T${TIME}`,
  uuid: '[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}',
  ipv4: `${BYTE}(?:\\.${BYTE}){3}`,
  hostname: HOST,
  email: `[a-z0-9](?:[a-z0-9._+-]{0,30}[a-z0-9])?@${HOST}`,
  uri: `https?://${HOST}(?:/[A-Za-z0-9._~-]{0,60}){0,8}`,
};

/**
 * A string.
 *
 * @throws GrammarError for a format that is not known, a pattern that cannot be read, or lengths
 * beside either.
 */
export function stringOf(schema: Readonly<Record<string, unknown>>, at: string): Expression {
  const { pattern, format } = schema;
  const min = countOf(schema, 'minLength', at) ?? 0;
  const max = countOf(schema, 'maxLength', at) ?? Number.POSITIVE_INFINITY;
  if (min > max) throw new GrammarError(`schema, ${at}: a string has no ${min} to ${max} characters`);
  if (pattern === undefined && format === undefined) return quoted(repeat(character, min, max));
  const hasLength = 'minLength' in schema || 'maxLength' in schema;
  if (hasLength || (pattern !== undefined && format !== undefined))
    throw new GrammarError(`schema, ${at}: of "pattern", "format" and lengths one is supported at a time`);
  if (pattern !== undefined) {
    if (typeof pattern !== 'string') throw new GrammarError(`schema, ${at}/pattern: expected a text`);
    return quoted(readPattern(pattern, `schema, ${at}/pattern`));
  }
  const known = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (known === undefined)
    throw new GrammarError(
      `schema, ${at}/format: ${JSON.stringify(format)} is not supported; ${Object.keys(FORMATS).join(', ')} are`,
    );
  return quoted(readPattern(`^(?:${known})$`, format as string));
}

/** Most characters or elements that a schema may ask for. */
const MOST = 10_000;

/** A count of a schema. @throws GrammarError when it is none. */
export function countOf(schema: Readonly<Record<string, unknown>>, key: string, at: string): number | undefined {
  const value = schema[key];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > MOST)
    throw new GrammarError(`schema, ${at}/${key}: expected an integer from 0 to ${MOST}`);
  return value;
}
