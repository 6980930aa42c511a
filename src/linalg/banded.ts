// Systems of linear equations with a banded matrix, in double precision.

/**
 * A square matrix whose elements are 0 further than `lower` below and `upper` above the diagonal.
 */
export class BandedMatrix {
  /** Row i holds columns i − lower … i + upper + lower; the last `lower` take fill-in of pivots. */
  readonly #rows: Float64Array;
  readonly #width: number;

  /** @throws RangeError when a size is not a whole number, or the matrix has no rows */
  constructor(
    readonly size: number,
    readonly lower: number,
    readonly upper: number,
  ) {
    if (![size, lower, upper].every((n) => Number.isInteger(n) && n >= 0) || size === 0)
      throw new RangeError(`BandedMatrix: sizes must be whole numbers, got ${size}, ${lower} and ${upper}`);
    this.#width = 2 * lower + upper + 1;
    this.#rows = new Float64Array(size * this.#width);
  }

  /** Adds to an element. @throws RangeError outside of the band */
  add(row: number, column: number, value: number): void {
    const offset = column - row;
    if (
      !(row >= 0 && row < this.size && column >= 0 && column < this.size) ||
      offset < -this.lower ||
      offset > this.upper
    )
      throw new RangeError(
        `BandedMatrix: (${row}, ${column}) lies outside of the band of ${this.lower}, ${this.upper}`,
      );
    const at = row * this.#width + offset + this.lower;
    this.#rows[at] = (this.#rows[at] as number) + value;
  }

  /**
   * Solves A·x = b by elimination with row pivots, in O(n·lower·(lower + upper)); the matrix is
   * used up.
   *
   * @throws Error when the matrix is singular to working precision
   */
  solve(b: Float64Array): Float64Array {
    const { size, lower, upper } = this;
    const [rows, width] = [this.#rows, this.#width];
    const x = b.slice();
    const at = (row: number, column: number) => row * width + column - row + lower;
    const largest = rows.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (let k = 0; k < size; k++) {
      const last = Math.min(size - 1, k + lower);
      const right = Math.min(size - 1, k + upper + lower);
      let pivot = k;
      for (let i = k + 1; i <= last; i++)
        if (Math.abs(rows[at(i, k)] as number) > Math.abs(rows[at(pivot, k)] as number)) pivot = i;
      const head = rows[at(pivot, k)] as number;
      if (!(Math.abs(head) > 1e-14 * largest)) throw new Error('BandedMatrix: the system is singular');
      if (pivot !== k) {
        swap(x, k, pivot);
        for (let j = k; j <= right; j++) swap(rows, at(k, j), at(pivot, j));
      }
      for (let i = k + 1; i <= last; i++) {
        const factor = (rows[at(i, k)] as number) / head;
        if (factor === 0) continue;
        const [to, from] = [at(i, 0), at(k, 0)];
        for (let j = k + 1; j <= right; j++)
          rows[to + j] = (rows[to + j] as number) - factor * (rows[from + j] as number);
        x[i] = (x[i] as number) - factor * (x[k] as number);
      }
    }
    for (let i = size - 1; i >= 0; i--) {
      let sum = x[i] as number;
      const right = Math.min(size - 1, i + upper + lower);
      for (let j = i + 1; j <= right; j++) sum -= (rows[at(i, j)] as number) * (x[j] as number);
      x[i] = sum / (rows[at(i, i)] as number);
    }
    return x;
  }
}

function swap(values: Float64Array, i: number, j: number): void {
  const held = values[i] as number;
  values[i] = values[j] as number;
  values[j] = held;
}
