// Exact selection of the largest or smallest of millions of numbers, without sorting them: of equal
// ones the first are taken.

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/**
 * The k-th largest of numbers ≥ 0, by counting their upper, then their lower 16 bits.
 *
 * @param count how many of the numbers there are, from the front
 * @throws Error for a number that is negative or NaN
 */
function kthLargest(values: Float32Array, k: number, count: number): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const counts = new Uint32Array(2 ** 16);
  for (let at = 0; at < count; at++) {
    // −0 counts as 0; other negative numbers and NaN lie above infinity.
    const own = bits[at] === 0x80000000 ? 0 : (bits[at] as number);
    if (own > 0x7f800000)
      throw new Error(`a number to select by is ${values[at]}: the training has diverged, try a smaller rate`);
    counts[own >>> 16] = (counts[own >>> 16] as number) + 1;
  }
  let left = k;
  let upper = counts.length - 1;
  for (; (counts[upper] as number) < left; upper--) left -= counts[upper] as number;
  counts.fill(0);
  for (let at = 0; at < count; at++) {
    const own = bits[at] === 0x80000000 ? 0 : (bits[at] as number);
    if (own >>> 16 === upper) counts[own & 0xffff] = (counts[own & 0xffff] as number) + 1;
  }
  let lower = counts.length - 1;
  for (; (counts[lower] as number) < left; lower--) left -= counts[lower] as number;
  word[0] = upper * 2 ** 16 + lower;
  return float[0] as number;
}

/**
 * Marks the k largest of some numbers ≥ 0, of equal ones the first.
 *
 * @returns 1 for each of the k
 * @throws RangeError when there are fewer than k; Error for a number that is negative or NaN
 */
export function largest(values: Float32Array, k: number): Uint8Array {
  if (!(k >= 0 && k <= values.length)) throw new RangeError(`cannot take ${k} of ${values.length} numbers`);
  const taken = new Uint8Array(values.length);
  if (k === 0) return taken;
  const threshold = kthLargest(values, k, values.length);
  let left = k;
  for (let at = 0; at < values.length; at++)
    if ((values[at] as number) > threshold) {
      taken[at] = 1;
      left -= 1;
    }
  for (let at = 0; left > 0; at++)
    if (values[at] === threshold) {
      taken[at] = 1;
      left -= 1;
    }
  return taken;
}

/** Marks the k smallest of some numbers ≥ 0, of equal ones the first. @throws as `largest` */
export function smallest(values: Float32Array, k: number): Uint8Array {
  // The n − k largest stay; of equal ones the last, which are the first from behind.
  const backwards = Float32Array.from(values).reverse();
  const stay = largest(backwards, values.length - k).reverse();
  return stay.map((own) => 1 - own);
}

/** The n largest of a stream of scores ≥ 0, of equal ones the first, in memory for 2n. */
export class Top {
  readonly #scores: Float32Array;
  readonly #places: Float64Array;
  #count = 0;
  /** Least score that a further one must exceed. */
  #threshold = -1;

  constructor(readonly n: number) {
    this.#scores = new Float32Array(Math.max(1, 2 * n));
    this.#places = new Float64Array(Math.max(1, 2 * n));
  }

  /** Takes in a score with its place; places come in ascending order. */
  push(score: number, place: number): void {
    if (this.n === 0 || score <= this.#threshold) return;
    // NaN is not above anything: it would vanish here.
    if (Number.isNaN(score)) throw new Error('a gradient is NaN: the training has diverged, try a smaller rate');
    this.#scores[this.#count] = score;
    this.#places[this.#count] = place;
    this.#count += 1;
    if (this.#count === this.#scores.length) this.#compact();
  }

  /** The places of the largest, ascending. */
  places(): Float64Array {
    if (this.#count > this.n) this.#compact();
    return this.#places.slice(0, this.#count);
  }

  #compact(): void {
    const kept = largest(this.#scores.subarray(0, this.#count), this.n);
    this.#threshold = kthLargest(this.#scores, this.n, this.#count);
    let front = 0;
    for (let at = 0; at < this.#count; at++) {
      if (!kept[at]) continue;
      this.#scores[front] = this.#scores[at] as number;
      this.#places[front] = this.#places[at] as number;
      front += 1;
    }
    this.#count = front;
  }
}
