// The compression of merged experts: W = L·R + S, of which S loses rows while the model is trained
// (LoSparse: Li et al., ICML 2023).

import { truncatedSvd } from '../../linalg/index.js';
import type { Decoder } from '../../models/index.js';
import { loadState, type Optimizer, type OptimizerState, stateOf, type Weights } from '../../nn/index.js';
import {
  abs,
  add,
  keep,
  mean,
  multiply,
  type Random,
  reshape,
  scope,
  slice,
  sqrt,
  subtract,
  type Tensor,
  tensor,
  zeros,
} from '../../tensor/index.js';
import { decoderOf } from '../decoder.js';
import type { LanguageModelConfig } from '../runtime/config.js';

/** L [rows, r], R [r, columns] and S [rows, columns] of a matrix. */
export interface LowRankParts {
  /** L [rows, r]. */
  readonly left: Tensor;
  /** R [r, columns]. */
  readonly right: Tensor;
  /** S [rows, columns]. */
  readonly sparse: Tensor;
}

/** L = U_r·Σ_r^½, R = Σ_r^½·V_rᵀ, S = W − L·R of a matrix W [rows, columns]. */
export function decompose(matrix: Tensor, rank: number, random: Random): LowRankParts {
  const { u, s, v } = truncatedSvd(matrix, rank, random);
  const roots = reshape(sqrt(s), [1, rank]);
  const [left, right] = [multiply(u, roots), multiply(v, roots).transpose()];
  return { left, right, sparse: subtract(matrix, left.matmul(right)) };
}

/**
 * r = ⌈ρ·rows·columns/(rows + columns)⌉: the rank at which L and R hold the share ρ of a matrix.
 */
export function rankOfShare(share: number, rows: number, columns: number): number {
  return Math.ceil((share * rows * columns) / (rows + columns));
}

/** Frobenius norm over spectral norm, squared: ‖W‖_F²/‖W‖₂², the stable rank of a matrix. */
export function stableRank(matrix: Tensor, random: Random): number {
  return scope(() => {
    const [largest = 0] = truncatedSvd(matrix, 1, random).s.view<Float32Array>();
    const total = matrix.view<Float32Array>().reduce((sum, value) => sum + value * value, 0);
    return largest > 0 ? total / largest ** 2 : 0;
  });
}

/**
 * A decoder whose merged experts are decomposed; it computes what `model` computes.
 *
 * @param config configuration of `model`, whose experts are merged
 * @param rank r of every matrix
 * @throws RangeError unless the rank is from 1 to the smaller side of the matrices.
 */
export function decomposeExperts(
  model: Decoder,
  config: LanguageModelConfig,
  rank: number,
  random: Random,
): { readonly model: Decoder; readonly config: LanguageModelConfig } {
  const { experts, hidden } = config;
  if (!experts?.groups) throw new Error('decomposeExperts: merge the experts first');
  const low = { ...config, experts: { ...experts, rank } };
  const result = decoderOf(low, random.split('model'));
  const state = stateOf(model);
  const weights: Record<string, Tensor> = { ...state };
  for (const [name, stack] of Object.entries(state)) {
    const [, path, role] = /^(.*\.mlp\.experts\.)(up|down)$/.exec(name) ?? [];
    if (path === undefined) continue;
    const [count, rows, columns] = stack.shape as [number, number, number];
    const parts: readonly (readonly [string, number, number])[] =
      role === 'up' && rows > hidden
        ? [
            ['gate', 0, hidden],
            ['up', hidden, rows],
          ]
        : [[role as string, 0, rows]];
    for (const [part, from, to] of parts)
      for (const [key, values] of Object.entries(decomposed(stack, count, from, to, columns, rank, random.split(name))))
        weights[path + part + key] = values;
    delete weights[name];
  }
  loadState(result, weights);
  return { model: result, config: low };
}

/** The parts of rows [from, to) of each matrix of a stack, stacked again. */
function decomposed(
  stack: Tensor,
  count: number,
  from: number,
  to: number,
  columns: number,
  rank: number,
  random: Random,
): Record<'Left' | 'Right' | 'Sparse', Tensor> {
  const rows = to - from;
  const [left, right, sparse] = [
    [rows, rank],
    [rank, columns],
    [rows, columns],
  ].map(([m = 0, n = 0]) => new Float32Array(count * m * n)) as [Float32Array, Float32Array, Float32Array];
  for (let part = 0; part < count; part++)
    scope(() => {
      const matrix = reshape(slice(stack, [part, part + 1], [from, to]), [rows, columns]);
      const parts = decompose(matrix, rank, random.split(part));
      for (const [values, all] of [
        [parts.left, left],
        [parts.right, right],
        [parts.sparse, sparse],
      ] as const)
        all.set(values.view<Float32Array>(), part * values.size);
    });
  return {
    Left: tensor(left, [count, rows, rank]),
    Right: tensor(right, [count, rank, columns]),
    Sparse: tensor(sparse, [count, rows, columns]),
  };
}

/** Names of the sparse parts in the state of a decoder. */
const isSparsePart = (name: string): boolean => name.endsWith('Sparse');

/** When rows of S are pruned. */
export interface RowSchedule {
  /** Optimiser steps of the whole run. */
  readonly steps: number;
  /** Share of the rows of S that is left in the end. Default: 0.1. */
  readonly rows?: number;
  /**
   * Steps before the first row goes; the last 4·warm steps keep the final share. Default: 50, and a
   * tenth of fewer than 500 steps.
   */
  readonly warm?: number;
}

/**
 * The share of S that is kept at a step: 1 for the first `warm` steps, then
 * rows + (1 − rows)·(1 − progress)³, and `rows` for the last 4·warm steps.
 *
 * @throws RangeError when the steps are fewer than 5·warm.
 */
export function keptShare(
  step: number,
  { steps, rows = 0.1, warm = Math.min(50, Math.floor(steps / 10)) }: RowSchedule,
): number {
  if (steps < 5 * warm)
    throw new RangeError(`pruning rows: ${steps} steps are fewer than five times the ${warm} of the warm-up`);
  if (step < warm) return 1;
  if (step >= steps - 4 * warm) return rows;
  const progress = (step - warm) / (steps - 5 * warm);
  return rows + (1 - rows) * (1 - progress) ** 3;
}

/** Rows of a matrix with their score, each counting for its `entries`. */
export interface ScoredRow {
  /** Importance of the row. */
  readonly score: number;
  /** Entries of the row. */
  readonly entries: number;
}

/**
 * The score below which rows go: the (1 − kept) quantile over the entries of all rows, of which
 * each has the score of its row; −∞ when all are kept.
 */
export function pruningThreshold(rows: readonly ScoredRow[], kept: number): number {
  const total = rows.reduce((sum, { entries }) => sum + entries, 0);
  const place = Math.floor(total * (1 - kept));
  if (place < 1) return Number.NEGATIVE_INFINITY;
  let passed = 0;
  for (const { score, entries } of [...rows].sort((a, b) => a.score - b.score)) {
    passed += entries;
    if (passed >= place) return score;
  }
  return Number.POSITIVE_INFINITY;
}

/** Decay β₁ of the mean of the importance. */
const DECAY = 0.85;

/**
 * Prunes rows of the sparse parts after each step of an optimiser. The importance of an entry is a
 * moving mean of |s·∂L/∂s|, that of a row the mean over its entries; rows below the threshold over
 * all layers become 0, and may grow again until the last steps.
 */
export class RowPruned implements Optimizer {
  readonly #importance = new Map<string, Tensor>();
  #step = 0;

  constructor(
    readonly inner: Optimizer,
    readonly schedule: RowSchedule,
  ) {
    keptShare(0, schedule);
  }

  update(parameters: Weights, gradients: Weights, rateFactor?: number): void {
    const parts = Object.entries(parameters).filter(([name]) => isSparsePart(name));
    for (const [name, values] of parts) this.#observe(name, values, gradients[name] as Tensor);
    this.inner.update(parameters, gradients, rateFactor);
    this.#prune(parts, keptShare(this.#step, this.schedule));
    this.#step += 1;
  }

  #observe(name: string, values: Tensor, gradient: Tensor): void {
    const before = this.#importance.get(name) ?? this.#kept(name, zeros(values.shape));
    scope(() => {
      const now = multiply(abs(multiply(values, gradient)), 1 - DECAY);
      before.assign(add(multiply(before, DECAY), now));
    });
  }

  #kept(name: string, values: Tensor): Tensor {
    this.#importance.set(name, keep(values));
    return values;
  }

  #prune(parts: readonly (readonly [string, Tensor])[], share: number): void {
    scope(() => {
      const scores = parts.map(([name]) => mean(this.#importance.get(name) as Tensor, 2).view<Float32Array>());
      const rows = parts.flatMap(([, { shape }], i) =>
        Array.from(scores[i] as Float32Array, (score) => ({ score, entries: shape[2] as number })),
      );
      const threshold = pruningThreshold(rows, share);
      if (threshold === Number.NEGATIVE_INFINITY) return;
      parts.forEach(([, values], i) => {
        const mask = (scores[i] as Float32Array).map((score) => Number(score >= threshold));
        const [count = 0, height = 0] = values.shape;
        values.assign(multiply(values, tensor(mask, [count, height, 1])));
      });
    });
  }

  state(): OptimizerState {
    const { step, tensors } = this.inner.state();
    const own = [...this.#importance].map(([name, values]) => [`importance.${name}`, values] as const);
    return { step, tensors: { ...tensors, ...Object.fromEntries(own) } };
  }

  restore({ step, tensors }: OptimizerState): void {
    const entries = Object.entries(tensors);
    const isOwn = ([key]: [string, Tensor]) => key.startsWith('importance.');
    this.inner.restore({ step, tensors: Object.fromEntries(entries.filter((entry) => !isOwn(entry))) });
    for (const values of this.#importance.values()) values.dispose();
    this.#importance.clear();
    for (const [key, values] of entries.filter(isOwn))
      this.#kept(key.slice('importance.'.length), zeros(values.shape)).assign(values);
    this.#step = step;
  }
}

/**
 * The state of a decoder of low-rank experts as it is saved: in place of each S its rows that are
 * not 0, as `…Values` [kept, columns] and their places over all experts as `…Rows` i32 [kept].
 */
export function compactState(model: Decoder): Weights {
  const entries = Object.entries(stateOf(model)).flatMap(([name, values]): (readonly [string, Tensor])[] => {
    if (!isSparsePart(name)) return [[name, values]];
    const width = values.shape[2] as number;
    const all = values.view<Float32Array>();
    const rows = Int32Array.from(
      Array.from({ length: all.length / width }, (_, row) => row).filter((row) =>
        all.subarray(row * width, (row + 1) * width).some((value) => value !== 0),
      ),
    );
    const kept = new Float32Array(rows.length * width);
    rows.forEach((row, i) => {
      kept.set(all.subarray(row * width, (row + 1) * width), i * width);
    });
    const stem = name.slice(0, -'Sparse'.length);
    return [
      [`${stem}Values`, tensor(kept, [rows.length, width])],
      [`${stem}Rows`, tensor(rows)],
    ];
  });
  return Object.fromEntries(entries);
}
