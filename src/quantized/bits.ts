// Matrices of −1 and 1, one bit each: products by XNOR and counting, and sums of bit planes.

import { cpu } from '../engine/index.js';
import { emptyTensor, formatShape, keep, requireDType, type Tensor, tensor } from '../tensor/index.js';

const VECTOR = 128;

/** The signs of a matrix [rows, columns], packed 128 a vector: bit 1 for −1 (x < 0), bit 0 for 1. */
export class BitMatrix {
  readonly bits: Tensor;

  private constructor(
    readonly rows: number,
    readonly columns: number,
    bits: Tensor,
  ) {
    this.bits = bits;
  }

  static fromSigns(x: Tensor): BitMatrix {
    requireDType('BitMatrix', 'f32', x);
    if (x.rank !== 2) throw new Error(`BitMatrix: expected a matrix, got ${formatShape(x.shape)}`);
    const [rows, columns] = x.shape as [number, number];
    const bits = emptyTensor([rows, Math.ceil(columns / VECTOR) * 4], 'i32');
    cpu.run('packSigns', [x, bits, rows, columns]);
    return new BitMatrix(rows, columns, bits);
  }

  /** Lets the bits outlive the scope. */
  keep(): this {
    keep(this.bits);
    return this;
  }

  /** A·Bᵀ for matrices of signs: f32 [rows of this, rows of other], whole numbers. */
  multiplyTransposed(other: BitMatrix): Tensor {
    if (other.columns !== this.columns)
      throw new Error(
        `BitMatrix: inner sizes differ: [${this.rows}, ${this.columns}] × [${other.rows}, ${other.columns}]ᵀ`,
      );
    const y = emptyTensor([this.rows, other.rows], 'f32');
    cpu.run('matmulBits', [this.bits, other.bits, y, this.rows, other.rows, this.columns]);
    return y;
  }
}

/** Largest number of planes that one sum may take. */
const MAXIMUM_PLANES = 4095;

/**
 * Signed sums of bit planes, y[f, p] = Σ ±plane[i][p]: a binary convolution's channels are planes of pixels, and a filter takes some of them with its signs. The cost follows the number of planes taken.
 */
export class PlaneSums {
  readonly #indptr: Tensor;
  readonly #indices: Tensor;
  readonly #signs: Tensor;
  readonly #stored: number;
  readonly #highest: number;
  readonly #count: number;

  /** @param filters for each filter the planes that it takes, and whether each is negated. */
  constructor(filters: readonly (readonly { readonly plane: number; readonly negative: boolean }[])[]) {
    this.#count = filters.length;
    const starts = [0];
    for (const filter of filters) {
      if (filter.length > MAXIMUM_PLANES)
        throw new RangeError(`PlaneSums: a filter takes ${filter.length} planes, at most ${MAXIMUM_PLANES} fit`);
      starts.push((starts.at(-1) as number) + filter.length);
    }
    const all = filters.flat();
    this.#stored = all.length;
    this.#highest = all.reduce((highest, { plane }) => Math.max(highest, plane), -1);
    const negative = all.find(({ plane }) => !(Number.isInteger(plane) && plane >= 0));
    if (negative) throw new RangeError(`PlaneSums: plane ${negative.plane} is no row number`);
    this.#indptr = keep(tensor(Int32Array.from(starts)));
    this.#indices = keep(tensor(Int32Array.from(all, ({ plane }) => plane)));
    this.#signs = keep(tensor(Int32Array.from(all, ({ negative }) => (negative ? -1 : 0))));
  }

  /** planes: the signs of [planes, pixels]. @returns f32 [filters, pixels]. */
  sum(planes: BitMatrix): Tensor {
    if (this.#highest >= planes.rows)
      throw new RangeError(`PlaneSums: plane ${this.#highest} is outside 0…${planes.rows - 1}`);
    const y = emptyTensor([this.#count, planes.columns], 'f32');
    const tables = [this.#indptr, this.#indices, this.#signs];
    cpu.run('sumPlanes', [planes.bits, ...tables, y, this.#count, planes.columns, Math.max(1, this.#stored)]);
    return y;
  }
}
