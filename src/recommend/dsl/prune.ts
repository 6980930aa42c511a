// Which stored weights an exploration removes.

import type { Tensor } from '../../tensor/index.js';
import type { Weight } from '../weights.js';
import type { PruneRule } from './options.js';
import { smallest } from './select.js';

/** A matrix with the gradient of its stored entries, [nnz], before the step. */
export interface Pruned {
  /** The matrix; all entries of a dense one count as stored. */
  readonly weight: Weight;
  /** ∂L/∂w of the stored entries. */
  readonly gradient: Tensor;
}

/** Which weights go; see `DSLOptions`. */
export interface PruneOptions {
  /** The rule. */
  readonly prune: PruneRule;
  /** Magnitude of the rule `threshold`. */
  readonly threshold: number;
  /** Whether each row keeps a weight. */
  readonly protectRows: boolean;
}

/**
 * Marks the stored weights of some matrices that go: ⌈ratio · nnz⌉ of all together, by one rule; of
 * several matrices magnitudes are divided by the norm of each. Of equal ones the first go.
 *
 * @returns 1 for each element that goes, by matrix
 */
export function removals(matrices: readonly Pruned[], ratio: number, options: PruneOptions): Uint8Array[] {
  const values = matrices.map(({ weight }) => weight.values.view());
  const starts = [0];
  for (const own of values) starts.push((starts.at(-1) as number) + own.length);
  const total = starts.at(-1) as number;
  const signed = new Float32Array(total);
  const scores = new Float32Array(total);
  matrices.forEach(({ gradient }, matrix) => {
    const own = values[matrix] as Float32Array;
    const slopes = options.prune === 'taylor' ? gradient.view() : undefined;
    const norm = matrices.length > 1 ? norm2(own) || 1 : 1;
    for (let e = 0; e < own.length; e++) {
      const value = own[e] as number;
      const at = (starts[matrix] as number) + e;
      signed[at] = value;
      scores[at] = slopes ? (value * (slopes[e] as number)) ** 2 : Math.abs(value) / norm;
    }
  });
  const removed = chosen(signed, scores, Math.ceil(ratio * total), options);
  const parts = values.map((_, matrix) => removed.subarray(starts[matrix], starts[matrix + 1]));
  if (options.protectRows)
    matrices.forEach(({ weight }, matrix) => {
      protect(weight, parts[matrix] as Uint8Array);
    });
  return parts;
}

function norm2(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

function chosen(signed: Float32Array, scores: Float32Array, count: number, { prune, threshold }: PruneOptions) {
  if (prune === 'threshold') return Uint8Array.from(signed, (value) => Number(Math.abs(value) < threshold));
  return prune === 'set' ? bySign(signed, scores, count) : smallest(scores, count);
}

/**
 * Half of the count from the smallest that are not negative, half from the negative ones closest to
 * 0; where one side has too few, the other gives the rest.
 */
function bySign(signed: Float32Array, scores: Float32Array, count: number): Uint8Array {
  const sides = [false, true].map((negative) =>
    Int32Array.from(Array.from(signed.keys()).filter((at) => (signed[at] as number) < 0 === negative)),
  ) as [Int32Array, Int32Array];
  const first = Math.max(Math.min(Math.ceil(count / 2), sides[0].length), count - sides[1].length);
  const removed = new Uint8Array(signed.length);
  sides.forEach((side, at) => {
    const marks = smallest(
      Float32Array.from(side, (element) => scores[element] as number),
      at === 0 ? first : count - first,
    );
    side.forEach((element, i) => {
      removed[element] = marks[i] as number;
    });
  });
  return removed;
}

/** Lets rows that would lose all of their weights keep the one of the largest magnitude. */
function protect({ pattern, values, rows }: Weight, removed: Uint8Array): void {
  if (!pattern) return;
  const { offsets } = pattern;
  const own = values.view();
  for (let row = 0; row < rows; row++) {
    let largest = -1;
    for (let e = offsets[row] as number; e < (offsets[row + 1] as number); e++) {
      if (!removed[e]) {
        largest = -1;
        break;
      }
      if (largest < 0 || Math.abs(own[e] as number) > Math.abs(own[largest] as number)) largest = e;
    }
    if (largest >= 0) removed[largest] = 0;
  }
}
