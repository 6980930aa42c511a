// Adam's moments of all entries of a sparse matrix, stored or not, where they are asked for.

import { type Tensor, tensor } from '../../tensor/index.js';
import type { Weight } from '../weights.js';
import type { DenseRows } from './grow.js';

const [BETA1, BETA2] = [0.9, 0.999];
const EPSILON = 1e-8;

/** m ← 0.9m + 0.1g and v ← 0.999v + 0.001g² of every entry. */
export class DenseMoments {
  readonly #first: Float32Array;
  readonly #second: Float32Array;

  /** @param size entries of the matrix */
  constructor(size: number) {
    this.#first = new Float32Array(size);
    this.#second = new Float32Array(size);
  }

  get bytes(): number {
    return this.#first.byteLength + this.#second.byteLength;
  }

  /** Takes in the gradient of a step. */
  update(rows: number, columns: number, gradient: DenseRows): void {
    const height = Math.max(1, Math.floor(2 ** 17 / columns));
    for (let begin = 0; begin < rows; begin += height) {
      const start = begin * columns;
      gradient(begin, Math.min(rows, begin + height)).forEach((g, i) => {
        this.#first[start + i] = BETA1 * (this.#first[start + i] as number) + (1 - BETA1) * g;
        this.#second[start + i] = BETA2 * (this.#second[start + i] as number) + (1 - BETA2) * g * g;
      });
    }
  }

  /** |m|/(√v + 1e-8) by rows. */
  readonly scores =
    (columns: number): DenseRows =>
    (begin, end) =>
      this.#first
        .slice(begin * columns, end * columns)
        .map((m, i) => Math.abs(m) / (Math.sqrt(this.#second[begin * columns + i] as number) + EPSILON));

  /** Writes the moments of some places into those of an optimiser, [nnz] each. */
  give({ pattern }: Weight, places: Int32Array, [first, second]: readonly Tensor[]): void {
    if (!pattern || !first || !second) return;
    const [m, v] = [first.view(), second.view()];
    const stored = pattern.places();
    let e = 0;
    for (const place of places) {
      while ((stored[e] as number) < place) e += 1;
      m[e] = this.#first[place] as number;
      v[e] = this.#second[place] as number;
    }
  }

  state(): Record<string, Tensor> {
    return { denseFirst: tensor(this.#first), denseSecond: tensor(this.#second) };
  }

  restore(name: string, state: Readonly<Record<string, Tensor>>): void {
    this.#first.set((state[`denseFirst.${name}`] as Tensor).view());
    this.#second.set((state[`denseSecond.${name}`] as Tensor).view());
  }
}
