// Downloading one file: resumed where it broke off, and checked by its digest.

import type { HubFile } from './repository.js';
import { Attempts, ask, type HubAccess, TransientError } from './requests.js';

/** Where a file is written, from its beginning to its end. */
export interface Sink {
  /** Bytes that are there. */
  readonly size: number;
  /** Appends bytes. @throws Error when they cannot be written. */
  write(bytes: Uint8Array): void | Promise<void>;
  /** Drops everything. */
  restart(): void;
}

/** Options of `transfer`. */
export interface TransferOptions extends HubAccess {
  /** Most bytes of one request. Default: all in one. */
  readonly slice?: number | undefined;
  /** Called with the bytes that are there. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * Appends to a sink what it lacks of a file. A connection that breaks is resumed by a range
 * request; where the file has changed meanwhile (`If-Range`), or the server knows no ranges, it
 * begins anew.
 *
 * @throws Error when the server does not give the file, or the sink does not take it.
 */
export async function transfer(
  url: string,
  { path, size }: Pick<HubFile, 'path' | 'size'>,
  sink: Sink,
  { slice = Number.POSITIVE_INFINITY, onBytes, ...access }: TransferOptions,
): Promise<void> {
  const attempts = new Attempts(path, access);
  let etag: string | undefined;
  /** A server that breaks off at the same place each time makes no progress. */
  let furthest = sink.size;
  if (sink.size > size) sink.restart();
  onBytes?.(sink.size);
  while (sink.size < size) {
    const from = sink.size;
    const to = Math.min(size, from + slice);
    const isPart = from > 0 || to < size;
    const headers = {
      ...(isPart && { Range: `bytes=${from}-${to < size ? to - 1 : ''}` }),
      // In pages this field would ask the content network for permission first.
      ...(isPart && etag !== undefined && slice === Number.POSITIVE_INFINITY && { 'If-Range': etag }),
      // Digests and sizes are of the file itself.
      'Accept-Encoding': 'identity',
    };
    try {
      const response = await ask(url, path, access, headers);
      etag = strongEtag(response.headers);
      if (response.status !== 206) sink.restart();
      else if (!isRange(response.headers, from, size)) {
        sink.restart();
        await response.body?.cancel();
        throw new TransientError('it sent another part than was asked for');
      }
      await pour(response, sink, size, access, () => {
        if (sink.size > furthest) attempts.progress();
        furthest = Math.max(furthest, sink.size);
        onBytes?.(sink.size);
      });
      if (sink.size < Math.min(to, size)) throw new TransientError('the connection broke');
    } catch (error) {
      await attempts.failed(error);
    }
  }
}

/** The entity tag, where it promises equal bytes. */
function strongEtag(headers: Headers): string | undefined {
  const etag = headers.get('ETag') ?? '';
  return etag.startsWith('"') ? etag : undefined;
}

/**
 * Whether `Content-Range: bytes a-b/total` begins at `from` and names the size of the file; pages
 * may not be allowed to read it.
 */
function isRange(headers: Headers, from: number, size: number): boolean {
  const range = headers.get('Content-Range');
  if (range === null) return true;
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range) ?? [];
  return Number(start) === from && (total === '*' || Number(total) === size);
}

/** Writes the body of a response. @throws TransientError when it breaks or goes on too long. */
async function pour(
  response: Response,
  sink: Sink,
  size: number,
  { signal, patience = 30_000 }: HubAccess,
  written: () => void,
): Promise<void> {
  const reader = response.body?.getReader();
  if (!reader) return;
  const stop = () => void reader.cancel().catch(() => {});
  signal?.addEventListener('abort', stop, { once: true });
  try {
    for (;;) {
      const { value, done } = await next(reader, patience);
      signal?.throwIfAborted();
      if (done) return;
      if (sink.size + value.length > size) {
        sink.restart();
        throw new TransientError(`it sent more than the ${size} bytes of the listing`);
      }
      await sink.write(value);
      written();
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
  }
}

async function next(reader: ReadableStreamDefaultReader<Uint8Array>, patience: number) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TransientError(`nothing came for ${patience / 1000} s`)), patience);
  });
  try {
    return await Promise.race([reader.read(), silence]);
  } catch (error) {
    throw error instanceof TransientError ? error : new TransientError('the connection broke');
  } finally {
    clearTimeout(timer);
  }
}
