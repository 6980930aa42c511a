// Writing responses, within the time that clients have for reading them.

import type { ServerResponse } from 'node:http';
import { RequestError } from './errors.js';

/** Sends a whole response: text, or an object as JSON. */
export function send(response: ServerResponse, status: number, body: object | string, timeout: number): void {
  const isText = typeof body === 'string';
  sendText(response, status, isText ? body : JSON.stringify(body), isText ? 'text/plain' : 'application/json', timeout);
}

/** Sends a response of a media type. */
export function sendText(response: ServerResponse, status: number, body: string, type: string, timeout: number): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { 'Content-Type': `${type}; charset=utf-8`, 'Content-Length': bytes.length });
  finish(response, bytes, timeout);
}

/** Writes the end of a response; its connection is cut when nothing is read for `timeout` ms. */
export function finish(response: ServerResponse, end: Buffer | string, timeout: number): void {
  response.end(end);
  // When all is written, Node sets the time that it keeps the connection alive instead.
  response.socket?.setTimeout(timeout);
}

/**
 * Writes a part of a response and waits until the client has room for more. A client that reads
 * nothing for `timeout` ms is disconnected.
 */
export async function write(response: ServerResponse, text: string, timeout: number): Promise<void> {
  if (response.destroyed || response.write(text)) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      response.off('drain', end).off('close', end);
      resolve();
    };
    const timer = setTimeout(() => response.destroy(), timeout);
    response.on('drain', end).on('close', end);
  });
}

/** Answers with an error: with its status, or as an event of a stream that has begun. */
export function fail(response: ServerResponse, error: unknown, timeout: number): void {
  if (response.destroyed || (error as Error).name === 'AbortError') {
    response.destroy();
    return;
  }
  const known = error instanceof RequestError ? error : new RequestError(500, (error as Error).message);
  if (response.headersSent) {
    finish(response, `data: ${JSON.stringify(known.body)}\n\ndata: [DONE]\n\n`, timeout);
    return;
  }
  if (known.status === 503) response.setHeader('Retry-After', '1');
  // The rest of the request body is not read.
  if (known.status === 413) response.setHeader('Connection', 'close');
  send(response, known.status, known.body, timeout);
}
