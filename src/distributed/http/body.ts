// Reading the bodies of requests.

import type { IncomingMessage } from 'node:http';
import { RequestError } from './errors.js';

/**
 * The bytes of a body.
 *
 * @param onPart called with each part that arrives
 * @throws RequestError 413 when the body is larger than `limit` bytes
 */
export async function readBody(request: IncomingMessage, limit: number, onPart?: () => void): Promise<Buffer> {
  const tooLarge = () => new RequestError(413, `the body is larger than ${limit} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge();
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > limit) throw tooLarge();
    parts.push(part);
    onPart?.();
  }
  return Buffer.concat(parts);
}
