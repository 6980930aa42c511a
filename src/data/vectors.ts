// Embeddings of named nodes in files: .npy with a file of names beside it, .csv, .parquet,
// .safetensors.

import { tensor } from '../tensor/index.js';
import { csvField, npyHeader, writeSafetensors } from './formats/index.js';
import { writeFileAtomic } from './write.js';

/** Rows of f32 values: a tensor, or an array outside tensor memory. */
export interface VectorTable {
  readonly shape: readonly number[];
  view(): Float32Array;
}

/** Embeddings with the names of their nodes. */
export interface NamedVectors {
  /** [nodes, dimensions] */
  readonly vectors: VectorTable;
  /** The name of a node. */
  readonly nameOf: (node: number) => string;
  /** How they were made; only .safetensors stores it. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const writers: Readonly<Record<string, (path: string, data: NamedVectors) => Promise<void> | void>> = {
  '.npy': (path, { vectors, nameOf }) => {
    const values = vectors.view();
    const pieces = function* () {
      yield npyHeader({ shape: [...vectors.shape], values });
      for (let at = 0; at < values.length; at += PIECE) {
        const piece = values.subarray(at, at + PIECE);
        yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
      }
    };
    writeFileAtomic(path, pieces());
    const lines = function* () {
      for (let node = 0; node < (vectors.shape[0] as number); node++) yield `${nameOf(node)}\n`;
    };
    writeFileAtomic(path.replace(/\.npy$/, '.ids.txt'), batched(lines()));
  },
  '.csv': writeRows,
  '.parquet': writeParquet,
  '.safetensors': (path, { vectors, nameOf, metadata }) =>
    writeFileAtomic(
      path,
      writeSafetensors(
        { vectors: tensor(vectors.view(), vectors.shape) },
        { ...metadata, ids: JSON.stringify(names(vectors, nameOf)) },
      ),
    ),
};

/** Suffixes that `writeVectors` knows. */
export const vectorFormats: readonly string[] = Object.keys(writers);

/** The suffix of a path that `writeVectors` can write. @throws Error listing the known suffixes. */
export function vectorFormatOf(path: string): string {
  const format = vectorFormats.find((suffix) => path.endsWith(suffix));
  if (!format) throw new Error(`"${path}": vectors can be written as ${vectorFormats.join(', ')}`);
  return format;
}

/**
 * Writes embeddings in the format of the path's suffix; .npy is accompanied by .ids.txt with one
 * node name a line.
 *
 * @throws Error for another suffix.
 */
export async function writeVectors(path: string, data: NamedVectors): Promise<void> {
  await writers[vectorFormatOf(path)]?.(path, data);
}

function names(vectors: VectorTable, nameOf: (node: number) => string): string[] {
  return Array.from({ length: vectors.shape[0] as number }, (_, node) => nameOf(node));
}

/** Values written at a time. */
const PIECE = 1 << 22;

/** CSV, one node a line. */
function writeRows(path: string, { vectors, nameOf }: NamedVectors): void {
  const [n, d] = vectors.shape as [number, number];
  const values = vectors.view();
  const lines = function* () {
    yield `node,${Array.from({ length: d }, (_, j) => `v${j}`).join(',')}\n`;
    for (let node = 0; node < n; node++) {
      let line = csvField(nameOf(node));
      for (let j = 0; j < d; j++) line += `,${(values[node * d + j] as number).toPrecision(7)}`;
      yield `${line}\n`;
    }
  };
  writeFileAtomic(path, batched(lines()));
}

/** Lines joined to pieces of about a megabyte. */
function* batched(lines: Iterable<string>): Generator<string> {
  let text = '';
  for (const line of lines) {
    text += line;
    if (text.length < 1 << 20) continue;
    yield text;
    text = '';
  }
  yield text;
}

async function writeParquet(path: string, { vectors, nameOf }: NamedVectors): Promise<void> {
  const { parquetWriteBuffer } = await import('hyparquet-writer').catch(() => {
    throw new Error('writing Parquet needs the package "hyparquet-writer": npm install hyparquet-writer');
  });
  const [n, d] = vectors.shape as [number, number];
  const values = vectors.view();
  const columns = Array.from({ length: d }, (_, j) => ({
    name: `v${j}`,
    data: Array.from({ length: n }, (_, node) => values[node * d + j] as number),
    type: 'FLOAT' as const,
  }));
  const bytes = parquetWriteBuffer({
    columnData: [{ name: 'node', data: names(vectors, nameOf), type: 'STRING' as const }, ...columns],
  });
  writeFileAtomic(path, new Uint8Array(bytes));
}
