// Validation of the fields of JSON bodies. Every error names the field.

import { RequestError, wrong } from '../../distributed/http/errors.js';

/** The fields of a JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** Most texts or token lists of one request, OpenAI's limit for embeddings. */
const MOST_INPUTS = 2048;

/** @throws RequestError 400 unless the body is a JSON object. */
export function jsonObject(body: unknown): Fields {
  if (!isObject(body)) throw new RequestError(400, 'the body must be a JSON object');
  return body;
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a field is left out; null stands for that too. */
export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

/**
 * Refuses fields that are not known.
 *
 * @param at what the fields belong to, as "messages[2]."; empty for the body itself
 * @throws RequestError 400 naming the first such field.
 */
export function requireKnown(fields: Fields, known: ReadonlySet<string>, at = ''): void {
  for (const [name, value] of Object.entries(fields))
    if (!known.has(name) && !isAbsent(value)) throw unsupported(`${at}${name.slice(0, 100)}`);
}

export function unsupported(param: string): RequestError {
  return new RequestError(400, `"${param}" is not supported`, param);
}

export function numberIn(
  fields: Fields,
  param: string,
  low: number,
  high: number,
  kind: 'number' | 'integer' = 'number',
): number | undefined {
  const value = fields[param];
  if (isAbsent(value)) return undefined;
  const isWhole = kind === 'number' || Number.isInteger(value);
  if (typeof value !== 'number' || !(value >= low && value <= high) || !isWhole)
    return wrong(
      param,
      low === high ? String(low) : `${kind === 'integer' ? 'an' : 'a'} ${kind} from ${low} to ${high}`,
    );
  return value;
}

export function flag(fields: Fields, param: string): boolean {
  const value = fields[param] ?? false;
  return typeof value === 'boolean' ? value : wrong(param, 'true or false');
}

/** Whether a value is a text; half a surrogate pair is no character, so a text with one is none. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && !LONE_SURROGATE.test(value);
}

const LONE_SURROGATE = /\p{Surrogate}/u;

const isTokens = (value: unknown, count: number): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every((one) => Number.isInteger(one) && one >= 0 && one < count);

/**
 * A text, a list of texts, a list of token ids below `count`, or a list of such lists.
 *
 * @throws RequestError 400 otherwise.
 */
export function inputsIn(fields: Fields, param: string, count: number): (string | readonly number[])[] {
  const value = fields[param];
  const inputs = typeof value === 'string' || (Array.isArray(value) && typeof value[0] === 'number') ? [value] : value;
  if (!Array.isArray(inputs) || inputs.length === 0 || !inputs.every((one) => isText(one) || isTokens(one, count)))
    return wrong(param, `a text, a list of texts, or token ids from 0 to ${count - 1} (one list, or a list of lists)`);
  if (inputs.length > MOST_INPUTS) return wrong(param, `at most ${MOST_INPUTS} texts or lists of token ids`);
  return inputs;
}

/** A text. @throws RequestError 400 otherwise. */
export function textIn(fields: Fields, param: string): string {
  const value = fields[param];
  return isText(value) ? value : wrong(param, 'a text');
}

/** A list of token ids below `count`, perhaps empty. @throws RequestError 400 otherwise. */
export function tokensIn(fields: Fields, param: string, count: number): number[] {
  const list = fields[param];
  const isEmpty = Array.isArray(list) && list.length === 0;
  return isEmpty || isTokens(list, count) ? list : wrong(param, `a list of integers from 0 to ${count - 1}`);
}
