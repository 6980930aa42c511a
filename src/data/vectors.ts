// Vectors of named nodes in files: .npy with names beside it, .csv, .parquet, .safetensors.

import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { Tensor } from '../tensor/index.js';
import { writeFileAtomic } from './files.js';
import { writeNpy, writeSafetensors } from './formats/index.js';

export interface NamedVectors {
  /** [nodes, dim]. */
  readonly vectors: Tensor;
  readonly nameOf: (node: number) => string;
  /** What made them. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const writers: Readonly<Record<string, (path: string, data: NamedVectors) => Promise<void> | void>> = {
  '.npy': (path, { vectors, nameOf }) => {
    writeFileAtomic(path, writeNpy({ shape: [...vectors.shape], values: vectors.view() }));
    writeFileAtomic(
      path.replace(/\.npy$/, '.ids.txt'),
      names(vectors, nameOf)
        .map((name) => `${name}\n`)
        .join(''),
    );
  },
  '.csv': writeRows,
  '.parquet': writeParquet,
  '.safetensors': (path, { vectors, nameOf, metadata }) =>
    writeFileAtomic(path, writeSafetensors({ vectors }, { ...metadata, ids: JSON.stringify(names(vectors, nameOf)) })),
};

/** Suffixes that `writeVectors` knows. */
export const vectorFormats: readonly string[] = Object.keys(writers);

export function vectorFormatOf(path: string): string {
  const format = vectorFormats.find((suffix) => path.endsWith(suffix));
  if (!format) throw new Error(`"${path}": vectors can be written as ${vectorFormats.join(', ')}`);
  return format;
}

/** Writes vectors in the format of the path's suffix; .npy puts the nodes' names, a line each, into .ids.txt beside it. */
export async function writeVectors(path: string, data: NamedVectors): Promise<void> {
  await writers[vectorFormatOf(path)]?.(path, data);
}

function names(vectors: Tensor, nameOf: (node: number) => string): string[] {
  return Array.from({ length: vectors.shape[0] as number }, (_, node) => nameOf(node));
}

/** A line a node, written as it is made: the text may be larger than a string can be. */
function writeRows(path: string, { vectors, nameOf }: NamedVectors): void {
  const [n, d] = vectors.shape as [number, number];
  const values = vectors.view();
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, 'w');
  try {
    let text = `node,${Array.from({ length: d }, (_, j) => `v${j}`).join(',')}\n`;
    for (let node = 0; node < n; node++) {
      const name = nameOf(node);
      text += /[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
      for (let j = 0; j < d; j++) text += `,${(values[node * d + j] as number).toPrecision(7)}`;
      text += '\n';
      if (text.length > 1 << 20 || node === n - 1) {
        writeSync(file, text);
        text = '';
      }
    }
    closeSync(file);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
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
