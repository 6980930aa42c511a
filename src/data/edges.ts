// Edge lists in files: delimited text (also gzipped) and Parquet.

import { createReadStream, statSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { type EdgeList, readEdgeList } from './formats/edge-list.js';

/** Options of `loadEdges`. */
export interface EdgeFileOptions {
  /** Called with the bytes read so far and the size of the file, both as stored. */
  readonly onProgress?: (read: number, total: number) => void;
}

/**
 * Reads an edge list from delimited text (.csv, .tsv, .txt, also .gz; see `readEdgeList`) or
 * .parquet.
 *
 * @throws Error naming the file and what is wrong with it.
 */
export async function loadEdges(path: string, { onProgress }: EdgeFileOptions = {}): Promise<EdgeList> {
  const total = sizeOf(path);
  if (path.endsWith('.parquet')) return readParquetEdges(path);
  return readEdgeList(() => pieces(path, total, onProgress), path);
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
  onProgress: EdgeFileOptions['onProgress'],
): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  const stream = path.endsWith('.gz') ? file.pipe(createGunzip({ chunkSize: 1 << 20 })) : file;
  // `pipe` does not forward errors of the file to the stream that decompresses it.
  file.on('error', (error) => stream.destroy(error));
  try {
    for await (const piece of stream) {
      onProgress?.(file.bytesRead, total);
      yield piece as Uint8Array;
    }
  } catch (error) {
    throw new Error(`file "${path}" cannot be read: ${(error as Error).message}`);
  }
}

/** The columns named source, target and weight, or the first two and an optional third. */
async function readParquetEdges(path: string): Promise<EdgeList> {
  const { asyncBufferFromFile, parquetReadObjects } = await import('hyparquet').catch(() => {
    throw new Error('reading Parquet needs the package "hyparquet": npm install hyparquet');
  });
  const rows = (await parquetReadObjects({ file: await asyncBufferFromFile(path) })) as Record<string, unknown>[];
  const [first] = rows;
  if (!first) throw new Error(`"${path}" holds no edges`);
  const columns = Object.keys(first);
  // Via text, so that headers, names and weights are handled in one place, by readEdgeList.
  const text = [
    columns.join('\t'),
    ...rows.map((row) => columns.map((column) => String(row[column] ?? '').replaceAll('\t', ' ')).join('\t')),
  ];
  return readEdgeList(() => [new TextEncoder().encode(text.join('\n'))], path);
}
