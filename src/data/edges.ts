// Edges in files: delimited text (also gzipped), Parquet, sparse matrices of SciPy, and graphs in
// the formats of other programs.

import { createReadStream, statSync } from 'node:fs';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { openBytes, readBytes, readUnpacked } from './files.js';
import { type EdgeList, edgesFromRows, readEdgeList } from './formats/edge-list.js';
import { edgesOfDocument, type GraphDocument, isGraphDocument, readGraph } from './formats/graphs/index.js';
import { edgesFromSparse, isSparseArchive } from './formats/graphs/scipy.js';
import { type InflateOptions, isGzip, requireInflated } from './formats/inflate.js';
import { readNpz } from './formats/npy.js';
import { readParquet } from './formats/parquet.js';

/** Bytes by which a format is recognised. */
const START = 4096;

/** Options of `loadEdges`. */
export interface EdgeFileOptions extends InflateOptions {
  /** Called with the bytes read so far and the size of the file, both as stored. */
  readonly onProgress?: (read: number, total: number) => void;
}

/**
 * Reads edges from delimited text (.csv, .tsv, .txt, also .gz; see `readEdgeList`), .parquet, a
 * graph as `readGraph` knows it, or a sparse matrix that SciPy saved (.npz).
 *
 * @throws Error naming the file and what is wrong with it.
 */
export async function loadEdges(path: string, options: EdgeFileOptions = {}): Promise<EdgeList> {
  const total = sizeOf(path);
  if (path.endsWith('.parquet')) {
    const { columns, rows } = await readParquet(readBytes(path), path, options);
    return edgesFromRows(columns, rows, path);
  }
  if (path.endsWith('.npz')) {
    const arrays = readNpz(readBytes(path), path, options);
    if (isSparseArchive(arrays)) return edgesFromSparse(arrays, path);
    throw new Error(`"${path}" holds no sparse matrix; scipy.sparse.save_npz writes one`);
  }
  if (isGraphFile(path)) return edgesOfDocument(loadGraphDocument(path, options));
  return readEdgeList(() => pieces(path, total, options), path);
}

/** Whether a file, by its name or its first bytes, is a graph as `readGraph` knows it. */
export function isGraphFile(path: string): boolean {
  const start = startOf(path, START);
  return isGraphDocument(isGzip(start) ? startOfGzip(start) : start, path);
}

/**
 * What the first bytes of a gzip stream hold; nothing of a broken one, which its reader refuses.
 */
function startOfGzip(start: Uint8Array): Uint8Array {
  try {
    return gunzipSync(start, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return new Uint8Array(0);
  }
}

/**
 * Reads a graph as `readGraph` does, gzipped or not. @throws Error naming the file and what is
 * wrong
 */
export function loadGraphDocument(path: string, options: InflateOptions = {}): GraphDocument {
  return readGraph(readUnpacked(path, options), path);
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
  const gunzip = isGzip(startOf(path, 2)) ? createGunzip({ chunkSize: 1 << 18 }) : undefined;
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

function startOf(path: string, bytes: number): Uint8Array {
  const file = openBytes(path);
  try {
    const start = new Uint8Array(Math.min(bytes, file.size));
    file.read(start, 0);
    return start;
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
