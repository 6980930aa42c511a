// Binary matrices of −1 and 1, one bit each: products by XNOR and popcount, and sums of bit planes.

import { cpu } from '../engine/index.js';
import { emptyTensor, formatShape, keep, requireDType, type Tensor, tensor } from '../tensor/index.js';

const VECTOR = 128;

/** The signs of a matrix [rows, columns], 128 in a vector: bit 1 for −1 (x < 0), bit 0 for 1. */
export class BitMatrix {
  /** Packed signs; each row is padded to whole vectors of 128 bits. */
  readonly bits: Tensor;

  private constructor(
    readonly rows: number,
    readonly columns: number,
    bits: Tensor,
  ) {
    this.bits = bits;
  }

  /** The signs of a matrix [rows, columns]. */
  static fromSigns(x: Tensor): BitMatrix {
    requireDType('BitMatrix', 'f32', x);
    if (x.rank !== 2) throw new Error(`BitMatrix: expected a matrix, got ${formatShape(x.shape)}`);
    const [rows, columns] = x.shape as [number, number];
    const bits = emptyTensor([rows, Math.ceil(columns / VECTOR) * 4], 'i32');
    cpu.run('packSigns', { x, bits, rows, k: columns });
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
    cpu.run('matmulBits', { a: this.bits, b: other.bits, y, m: this.rows, n: other.rows, k: this.columns });
    return y;
  }
}

/** Largest number of planes that one sum may take. */
const MAXIMUM_PLANES = 4095;
/** Planes that the kernel adds at a time, and bits of their count. */
const GROUP = 16;
const GROUP_BITS = 4;

/** A plane of bits in a sum, with its sign. */
export interface SignedPlane {
  /** Index of the bit plane. */
  readonly plane: number;
  /** Whether the plane is subtracted. */
  readonly negative: boolean;
}

/**
 * Signed sums of bit planes, y[f, p] = Σ ±plane[i][p]: the channels of a binary convolution are
 * planes of pixels, and a filter sums some of them with its signs. The cost is proportional to the
 * number of planes summed.
 */
export class PlaneSums {
  readonly #indptr: Tensor;
  readonly #offsets: Tensor;
  readonly #totals: Tensor;
  readonly #stored: number;
  readonly #planes: number;
  readonly #count: number;
  readonly #slices: number;

  /** @param filters for each filter the planes that it takes, and whether each is negated. */
  constructor(filters: readonly (readonly SignedPlane[])[]) {
    this.#count = filters.length;
    const largest = filters.reduce((most, { length }) => Math.max(most, length), 0);
    if (largest > MAXIMUM_PLANES)
      throw new RangeError(`PlaneSums: a filter takes ${largest} planes, at most ${MAXIMUM_PLANES} fit`);
    this.#slices = Math.max(0, Math.ceil(Math.log2(largest + 1)) - GROUP_BITS);
    const all = filters.flat();
    const outside = all.find(({ plane }) => !(Number.isInteger(plane) && plane >= 0));
    if (outside) throw new RangeError(`PlaneSums: plane ${outside.plane} is no row number`);
    this.#planes = all.reduce((highest, { plane }) => Math.max(highest, plane), -1) + 1;
    const lists = filters.flatMap((filter) =>
      [false, true].map((negative) =>
        fillUp(
          filter.filter((plane) => plane.negative === negative).map(({ plane }) => plane),
          this.#planes,
        ),
      ),
    );
    const starts = [0];
    for (const list of lists) starts.push((starts.at(-1) as number) + list.length);
    this.#stored = starts.at(-1) as number;
    this.#indptr = keep(tensor(Int32Array.from(starts)));
    this.#offsets = keep(tensor(Int32Array.from(lists.flat(), (plane) => plane * 16)));
    this.#totals = keep(
      tensor(
        Int32Array.from(filters.flatMap((filter) => [filter.length, filter.filter(({ negative }) => negative).length])),
      ),
    );
  }

  /**
   * The sum of every filter.
   *
   * @param planes the signs of a matrix [planes, pixels]
   * @returns f32 [filters, pixels]
   * @throws RangeError when a filter takes a plane that is not there.
   */
  sum(planes: BitMatrix): Tensor {
    if (this.#planes > planes.rows)
      throw new RangeError(`PlaneSums: plane ${this.#planes - 1} is outside 0…${planes.rows - 1}`);
    const y = emptyTensor([this.#count, planes.columns], 'f32');
    cpu.run('sumPlanes', {
      bits: planes.bits,
      indptr: this.#indptr,
      offsets: this.#offsets,
      totals: this.#totals,
      y,
      planes: this.#planes,
      filters: this.#count,
      pixels: planes.columns,
      stored: this.#stored,
      slices: this.#slices,
    });
    return y;
  }
}

/** A list padded to a multiple of the group by a plane of zeros. */
function fillUp(list: readonly number[], zeros: number): number[] {
  return [...list, ...new Array<number>((GROUP - (list.length % GROUP)) % GROUP).fill(zeros)];
}
