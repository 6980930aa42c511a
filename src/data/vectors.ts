// Embeddings of named nodes in files: .npy with a file of names beside it, .csv, .parquet,
// .safetensors, and the text (.txt) and binary (.bin) forms of word2vec.

import { tensor } from '../tensor/index.js';
import { csvField, npyHeader, writeSafetensors } from './formats/index.js';
import { writeFileAtomic } from './write.js';

/** Rows of f32 values: a tensor, or an array outside tensor memory. */
export interface VectorTable {
  readonly shape: readonly number[];
  view(): Float32Array;
  /**
   * The rows a block at a time, where they are not in memory together. Default: those of `view`.
   */
  blocks?(): Iterable<Float32Array>;
}

/** Embeddings with the names of their nodes. */
export interface NamedVectors {
  /** [nodes, dimensions] */
  readonly vectors: VectorTable;
  /** The name of a node. */
  readonly nameOf: (node: number) => string;
  /** How they were made; only .safetensors stores it. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Vectors of nodes as contexts, [nodes, dimensions]; only .safetensors stores them. */
  readonly contexts?: VectorTable;
}

const writers: Readonly<Record<string, (path: string, data: NamedVectors) => Promise<void> | void>> = {
  '.npy': (path, { vectors, nameOf }) => {
    const pieces = function* () {
      yield npyHeader({ shape: [...vectors.shape], values: new Float32Array(0) });
      for (const block of blocksOf(vectors)) yield new Uint8Array(block.buffer, block.byteOffset, block.byteLength);
    };
    writeFileAtomic(path, pieces());
    const lines = function* () {
      for (let node = 0; node < (vectors.shape[0] as number); node++) yield `${nameOf(node)}\n`;
    };
    writeFileAtomic(path.replace(/\.npy$/, '.ids.txt'), batched(lines()));
  },
  '.csv': writeRows,
  '.parquet': writeParquet,
  '.safetensors': (path, { vectors, nameOf, metadata, contexts }) =>
    writeFileAtomic(
      path,
      writeSafetensors(
        {
          vectors: tensor(vectors.view(), vectors.shape),
          ...(contexts && { contexts: tensor(contexts.view(), contexts.shape) }),
        },
        { ...metadata, ids: JSON.stringify(names(vectors, nameOf)) },
      ),
    ),
  '.txt': (path, data) =>
    writeWord2vec(path, data, (row) => ` ${Array.from(row, (x) => x.toPrecision(9)).join(' ')}\n`),
  '.bin': (path, data) =>
    writeWord2vec(path, data, (row) =>
      Buffer.concat([Buffer.from(' '), new Uint8Array(row.buffer, row.byteOffset, row.byteLength), Buffer.from('\n')]),
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

/** Rows of `view` written at a time. */
const BLOCK = 4096;

/** Whole rows, a block at a time. */
function* blocksOf(vectors: VectorTable): Generator<Float32Array> {
  if (vectors.blocks) {
    yield* vectors.blocks();
    return;
  }
  const values = vectors.view();
  const size = BLOCK * (vectors.shape[1] as number);
  for (let at = 0; at < values.length; at += size) yield values.subarray(at, at + size);
}

/**
 * To be asked before vectors are computed.
 *
 * @throws Error for a name with white space where the file is to have the form of word2vec
 */
export function requireVectorNames(path: string, count: number, nameOf: (node: number) => string): void {
  if (!/\.(txt|bin)$/.test(path)) return;
  for (let node = 0; node < count; node++)
    if (/\s/.test(nameOf(node)))
      throw new Error(
        `"${path}": node "${nameOf(node)}" has white space in its name, which the form of word2vec cannot hold; write .npy, .csv or .parquet`,
      );
}

/**
 * The form of word2vec: `<nodes> <dimensions>`, then each name and its values, as text or as f32 in
 * little-endian order.
 *
 * @throws Error for a name with white space, which ends a name there
 */
function writeWord2vec(
  path: string,
  { vectors, nameOf }: NamedVectors,
  line: (row: Float32Array) => string | Buffer,
): void {
  const [n, d] = vectors.shape as [number, number];
  requireVectorNames(path, n, nameOf);
  const lines = function* () {
    yield `${n} ${d}\n`;
    let node = 0;
    for (const block of blocksOf(vectors)) {
      const pieces: Buffer[] = [];
      for (let at = 0; at < block.length; at += d) {
        pieces.push(Buffer.from(nameOf(node++)));
        const row = line(block.subarray(at, at + d));
        pieces.push(typeof row === 'string' ? Buffer.from(row) : row);
      }
      yield Buffer.concat(pieces);
    }
  };
  writeFileAtomic(path, lines());
}

/** CSV, one node a line. */
function writeRows(path: string, { vectors, nameOf }: NamedVectors): void {
  const d = vectors.shape[1] as number;
  const lines = function* () {
    yield `node,${Array.from({ length: d }, (_, j) => `v${j}`).join(',')}\n`;
    let node = 0;
    for (const block of blocksOf(vectors))
      for (let at = 0; at < block.length; at += d) {
        let line = csvField(nameOf(node++));
        for (let j = 0; j < d; j++) line += `,${(block[at + j] as number).toPrecision(7)}`;
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
