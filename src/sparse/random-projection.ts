// Very sparse random projections (Achlioptas 2003; Li, Hastie, Church 2006).

import { keep, type Random, tensor } from '../tensor/index.js';
import { SparseMatrix } from './matrix.js';
import { SparsePattern } from './pattern.js';

/** Density and entries of the projection. */
export interface ProjectionOptions {
  /**
   * s: one in s entries is non-zero; 1 is dense. Default: √n, 1 below 9 rows and for `gaussian`.
   */
  readonly sparsity?: number;
  /** Entries that are not 0: signs times √s, or Gaussian ones times √s. Default: 'signs'. */
  readonly entries?: 'signs' | 'gaussian';
}

/**
 * R [n, d] with independent entries: +√s and −√s with probability 1/(2s) each, else 0. E[R·Rᵀ] =
 * d·I, so inner products are preserved in expectation. Row i depends on the stream and on i alone.
 * With Gaussian entries the sign is a standard normal number instead.
 *
 * @throws RangeError unless 1 ≤ s ≤ max(n, 1)
 */
export function sparseProjection(
  n: number,
  d: number,
  random: Random,
  { sparsity, entries = 'signs' }: ProjectionOptions = {},
): SparseMatrix {
  const s = sparsity ?? (n < 9 || entries === 'gaussian' ? 1 : Math.sqrt(n));
  if (!(s >= 1 && s <= Math.max(n, 1)))
    throw new RangeError(`sparseProjection: the sparsity must lie in 1…${n}, got ${s}`);
  const scale = Math.sqrt(s);
  const indptr = new Int32Array(n + 1);
  const chunks = new Growing((n * d) / s + 4 * Math.sqrt((n * d) / s) + d);
  const [key0, key1] = random.next();
  // Gaps between non-zeros are geometric: a row costs time in its non-zeros, not in its width.
  const logMiss = Math.log1p(-1 / s);
  for (let i = 0; i < n; i++) {
    seed(key0, key1, i);
    for (let column = s === 1 ? 0 : gap(logMiss); column < d; column += s === 1 ? 1 : 1 + gap(logMiss))
      chunks.push(column, entries === 'gaussian' ? scale * gaussian() : word() & 1 ? scale : -scale);
    indptr[i + 1] = chunks.length;
  }
  const { columns, values } = chunks.finish();
  return new SparseMatrix(new SparsePattern(n, d, indptr, columns), keep(tensor(values)));
}

/** Number of zeros before the next non-zero. */
function gap(logMiss: number): number {
  return Math.floor(Math.log1p(-word() / 2 ** 32) / logMiss);
}

/** A standard normal number (Box–Muller). */
function gaussian(): number {
  const radius = Math.sqrt(-2 * Math.log((word() + 1) / 2 ** 32));
  return radius * Math.cos((2 * Math.PI * word()) / 2 ** 32);
}

/** Growable arrays of column indices and values. */
class Growing {
  length = 0;
  #columns: Int32Array;
  #values: Float32Array;

  constructor(expected: number) {
    this.#columns = new Int32Array(Math.ceil(expected));
    this.#values = new Float32Array(Math.ceil(expected));
  }

  push(column: number, value: number): void {
    if (this.length === this.#columns.length) {
      const size = Math.ceil(this.length * 1.5) + 16;
      const [columns, values] = [new Int32Array(size), new Float32Array(size)];
      columns.set(this.#columns);
      values.set(this.#values);
      this.#columns = columns;
      this.#values = values;
    }
    this.#columns[this.length] = column;
    this.#values[this.length++] = value;
  }

  finish(): { columns: Int32Array; values: Float32Array } {
    return { columns: this.#columns.slice(0, this.length), values: this.#values.slice(0, this.length) };
  }
}

// The sfc32 generator (Doty-Humphrey), seeded for each row.
let a = 0;
let b = 0;
let c = 0;
let counter = 0;

function seed(key0: number, key1: number, row: number): void {
  a = key0 | 0;
  b = key1 | 0;
  c = Math.imul(row, 0x9e3779b9) ^ (row >>> 15);
  counter = 1;
  for (let i = 0; i < 12; i++) word();
}

/** A uniform 32-bit unsigned integer. */
function word(): number {
  const t = (((a + b) | 0) + counter) | 0;
  counter = (counter + 1) | 0;
  a = b ^ (b >>> 9);
  b = (c + (c << 3)) | 0;
  c = ((c << 21) | (c >>> 11)) + t;
  return t >>> 0;
}
