// Reading JSON bodies.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { readBody } from '../../distributed/http/body.js';
import { RequestError } from '../../distributed/http/errors.js';
import { type Fields, jsonObject } from './fields.js';

/** Bodies from this size on are parsed in a turn of their own. */
const LARGE = 2 ** 16;

/** Types that pages can send to other origins without asking, and what scripts send by default. */
const PLAIN = ['', 'text/plain'];

/**
 * Requires a JSON body: `application/json`, or a type that ends in "+json". Requests without a type
 * or of `text/plain`, which is what `fetch` calls a string, are JSON too where no browser sent
 * them.
 *
 * @throws RequestError 415 otherwise.
 */
export function requireJson(headers: IncomingHttpHeaders): void {
  const [type = '', ...parameters] = (headers['content-type'] ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const isBrowser = headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
  if (!/^application\/(.+\+)?json$/.test(type) && (isBrowser || !PLAIN.includes(type)))
    throw new RequestError(
      415,
      `the body must be JSON: send "Content-Type: application/json", not "${type.slice(0, 100)}"`,
    );
  const charset = parameters
    .find((one) => one.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '');
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')
    throw new RequestError(415, `the body must be UTF-8, not "${charset.slice(0, 100)}"`);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    throw new RequestError(415, `bodies of Content-Encoding "${encoding.slice(0, 100)}" are not supported`);
}

/**
 * The fields of a JSON body.
 *
 * @param turn awaited before a large body is parsed
 * @throws RequestError 413 when the body is larger than `limit` bytes, 400 when it is no JSON
 * object in UTF-8.
 */
export async function readFields(request: IncomingMessage, limit: number, turn: () => Promise<void>): Promise<Fields> {
  const body = await readBody(request, limit);
  if (body.length >= LARGE) await turn();
  return jsonObject(parse(body));
}

function parse(bytes: Buffer): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new RequestError(400, 'the body is not UTF-8');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new RequestError(400, 'the body is not JSON');
  }
}
