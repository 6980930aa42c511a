// A head that computes the logits of some rows of the vocabulary: those that a product of low rank
// predicts to be large.

import { type RowFormat, RowMatrix } from '../../quantized/index.js';
import { linear, type Tensor, tensor } from '../../tensor/index.js';
import { rowsOf } from './neurons.js';
import type { WeightSource } from './weights.js';

/** Options of a sparse head. */
export interface SparseHeadOptions {
  /** Rows that are computed at least: those of the largest predictions. Default: 64. */
  readonly least?: number;
  /**
   * Logit of rows that are not computed. Default: −∞, so that none is drawn; the authors' engine
   * has 0, which may outrank a logit that is below 0.
   */
  readonly skippedLogit?: number;
}

/** Logits of the rows with s = W₂(W₁ h) > 0, for one token at a time. */
export class SparseHead {
  /** Tokens so far, and rows that were computed for them. */
  readonly counts = { tokens: 0, rows: 0 };
  readonly #down: RowMatrix;
  readonly #up: RowMatrix;
  readonly #options: Required<SparseHeadOptions>;

  /**
   * @param head rows of the vocabulary [V, d]
   * @param predictor the rows of W₁ [p, d], then those of W₂ [V, p], as `lm_head_profiler.weight`
   * @throws Error when the predictor is of no rank for the head.
   */
  constructor(
    readonly head: () => RowMatrix,
    { rows, columns }: { readonly rows: number; readonly columns: number },
    predictor: Tensor,
    { least = 64, skippedLogit = Number.NEGATIVE_INFINITY }: SparseHeadOptions = {},
  ) {
    const rank = predictor.size / (rows + columns);
    if (!(Number.isInteger(rank) && rank > 0))
      throw new Error(
        `the predictor of the head has ${predictor.size} numbers, no multiple of ${rows} rows and ${columns} columns together`,
      );
    this.#options = { least: Math.min(least, rows), skippedLogit };
    const values = predictor.view<Float32Array>();
    this.#down = RowMatrix.from(tensor(values.slice(0, rank * columns), [rank, columns]), 'F32');
    // Its second matrix is as long as the vocabulary: in 8 bits it is a quarter to read.
    const format: RowFormat = rank % 32 === 0 ? 'Q8_0' : 'F32';
    this.#up = RowMatrix.from(tensor(values.slice(rank * columns), [rows, rank]), format);
  }

  /** Bytes of the predictor. */
  get bytes(): number {
    return this.#down.bytes + this.#up.bytes;
  }

  /** Share of the rows that were computed so far. */
  get share(): number {
    return this.counts.rows / (this.counts.tokens * this.#up.rows);
  }

  /** h [1, d] → [1, V] */
  multiply(h: Tensor): Tensor {
    const scores = this.#up.multiply(linear(h, this.#down.values)).view<Float32Array>();
    const rows = chosenRows(scores, this.#options.least);
    const logits = this.head().multiplyRows(h, tensor(rows)).view<Float32Array>();
    this.counts.tokens += 1;
    this.counts.rows += rows.length;
    const all = new Float32Array(scores.length).fill(this.#options.skippedLogit);
    for (let i = 0; i < rows.length; i++) all[rows[i] as number] = logits[i] as number;
    return tensor(all, [1, all.length]);
  }

  /** Frees the predictor. */
  dispose(): void {
    this.#down.dispose();
    this.#up.dispose();
  }
}

/** Rows with a score above 0, or the `least` of the largest scores where those are fewer. */
export function chosenRows(scores: Float32Array, least: number): Int32Array {
  const positive = new Int32Array(scores.length);
  let count = 0;
  for (let row = 0; row < scores.length; row++) {
    if (!((scores[row] as number) > 0)) continue;
    positive[count] = row;
    count += 1;
  }
  if (count >= least) return positive.slice(0, count);
  const order = Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
  return Int32Array.from(order.slice(0, least)).sort();
}

/**
 * The sparse head of a model of [rows, columns] whose file has a predictor.
 *
 * @throws Error when it has none, or its head has no form of which single rows can be used.
 */
export function sparseHeadOf(
  source: WeightSource,
  [rows, columns]: readonly [number, number],
  options: SparseHeadOptions,
): SparseHead {
  const predictor = source.vector('headPredictor');
  const head = source.rows('head') ?? source.rows('embedding');
  if (!predictor || !head)
    throw new Error('the model has no predictor of its head ("lm_head_profiler.weight"): leave the sparse head out');
  return new SparseHead(() => rowsOf(head) as RowMatrix, { rows, columns }, predictor, options);
}
