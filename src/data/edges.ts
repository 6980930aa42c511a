// Edge lists in files: delimited text (also gzipped) and Parquet.

import { createReadStream, statSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { openBytes, readBytes } from './files.js';
import { type EdgeList, edgesFromRows, readEdgeList } from './formats/edge-list.js';
import { type InflateOptions, isGzip, requireInflated } from './formats/inflate.js';
import { readParquet } from './formats/parquet.js';

/** Options of `loadEdges`. */
export interface EdgeFileOptions extends InflateOptions {
  /** Called with the bytes read so far and the size of the file, both as stored. */
  readonly onProgress?: (read: number, total: number) => void;
}

/**
 * Reads an edge list from delimited text (.csv, .tsv, .txt, also .gz; see `readEdgeList`) or
 * .parquet.
 *
 * @throws Error naming the file and what is wrong with it.
 */
export async function loadEdges(path: string, options: EdgeFileOptions = {}): Promise<EdgeList> {
  const total = sizeOf(path);
  if (path.endsWith('.parquet')) {
    const { columns, rows } = await readParquet(readBytes(path), path, options);
    return edgesFromRows(columns, rows, path);
  }
  return readEdgeList(() => pieces(path, total, options), path);
}

function sizeOf(path: string): number {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) throw new Error(`"${path}" is a folder; expected a file of edges`);
    return stats.size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new Error(`file "${path}" does not exist`);
    throw error;
  }
}

async function* pieces(
  path: string,
  total: number,
  { onProgress, ...limit }: EdgeFileOptions,
): AsyncGenerator<Uint8Array> {
  const gunzip = startsAsGzip(path) ? createGunzip({ chunkSize: 1 << 18 }) : undefined;
  const file = createReadStream(path, { highWaterMark: gunzip ? 1 << 16 : 1 << 20 });
  const stream = gunzip ? file.pipe(gunzip) : file;
  // `pipe` does not forward errors of the file to the stream that decompresses it.
  file.on('error', (error) => stream.destroy(error));
  let inflated = 0;
  try {
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      inflated += piece.length;
      if (gunzip) requireText(inflated, gunzip.bytesWritten, limit);
      onProgress?.(file.bytesRead, total);
      yield piece;
    }
  } catch (error) {
    throw new Error(`file "${path}" cannot be read: ${(error as Error).message}`);
  } finally {
    file.destroy();
  }
}

function startsAsGzip(path: string): boolean {
  const file = openBytes(path);
  try {
    const start = new Uint8Array(Math.min(2, file.size));
    file.read(start, 0);
    return isGzip(start);
  } finally {
    file.close();
  }
}

/** Inflated bytes a stored one, which text of edges never reaches, and how many are let through. */
const [TEXT_RATIO, UNCHECKED] = [200, 2 ** 23];

/** The text is not kept, so that only what no text of edges does is refused. */
function requireText(inflated: number, stored: number, { maxBytes }: InflateOptions): void {
  if (maxBytes === undefined && inflated < UNCHECKED + TEXT_RATIO * stored) return;
  if (maxBytes !== undefined) requireInflated(inflated, stored, { maxBytes });
  else throw new Error(`inflates to more than ${TEXT_RATIO} times its ${stored} bytes; maxBytes allows more`);
}
