// Attention with keys and values of its own for each key head: that of Llama, Qwen and the like.

import { joinHeads, splitHeads } from '../../nn/index.js';
import { add, concatenate, type RotaryTables, rmsNorm, rotary, slice, type Tensor } from '../../tensor/index.js';
import type { KeyValueCache } from './cache.js';
import type { LanguageModelConfig } from './config.js';
import type { Loader } from './loader.js';
import { multiplyAll, type WeightMatrix } from './matrix.js';

/** The rows [from, to) of a pass that belong to one sequence. */
export interface Run {
  readonly from: number;
  readonly to: number;
  readonly cache: KeyValueCache;
  readonly tables: RotaryTables;
}

/** The attention of each run on its rows of the inputs, one below the other. */
export function attendByRun<Inputs extends readonly Tensor[]>(
  runs: readonly Run[],
  inputs: Inputs,
  attend: (own: Inputs, run: Run) => Tensor,
): Tensor {
  const [only] = runs;
  if (only && runs.length === 1) return attend(inputs, only);
  const rowsOf = ({ from, to }: Run) => inputs.map((y) => slice(y, [from, to])) as unknown as Inputs;
  return concatenate(runs.map((run) => attend(rowsOf(run), run)));
}

/** The attention of a layer, up to its output projection. */
export interface RuntimeAttention {
  /** Weight matrices in the order of their use. */
  readonly matrices: readonly WeightMatrix[];
  /** x [tokens, features] → [tokens, heads·values]. Appends to the caches of the runs. */
  forward(x: Tensor, layer: number, runs: readonly Run[]): Tensor;
}

interface HeadWeights {
  readonly q: WeightMatrix;
  readonly k: WeightMatrix;
  readonly v: WeightMatrix;
  readonly biases: readonly [q: Tensor | undefined, k: Tensor | undefined, v: Tensor | undefined];
  readonly qNorm: Tensor | undefined;
  readonly kNorm: Tensor | undefined;
}

class HeadAttention implements RuntimeAttention {
  constructor(
    readonly weights: HeadWeights,
    readonly config: LanguageModelConfig,
  ) {}

  get matrices(): WeightMatrix[] {
    const { q, k, v } = this.weights;
    return [q, k, v];
  }

  forward(x: Tensor, layer: number, runs: readonly Run[]): Tensor {
    const { biases } = this.weights;
    const inputs = multiplyAll(this.matrices, x).map((y, i) => {
      const bias = biases[i];
      return bias ? add(y, bias) : y;
    }) as [q: Tensor, k: Tensor, v: Tensor];
    return attendByRun(runs, inputs, (own, run) => this.#attendRun(layer, ...own, run));
  }

  /** Attention of one sequence: q, k, v [tokens, heads·headDim] → [tokens, heads·headDim]. */
  #attendRun(layer: number, q: Tensor, k: Tensor, v: Tensor, { cache, tables }: Run): Tensor {
    const { heads, keyHeads, headDim, epsilon, interleaved, nopeLayers } = this.config;
    const tokens = q.shape[0] as number;
    // For one token, [1, heads·headDim] is [heads, 1, headDim] in memory.
    const split = (y: Tensor, count: number) =>
      tokens === 1 ? y.reshape([1, count, 1, headDim]) : splitHeads(y.reshape([1, ...y.shape]), count);
    const rotated = (y: Tensor, norm: Tensor | undefined) => {
      const normed = norm ? rmsNorm(y, norm, epsilon) : y;
      return nopeLayers?.includes(layer) ? normed : rotary(normed, tables, interleaved);
    };
    const queries = rotated(split(q, heads), this.weights.qNorm);
    const keys = rotated(split(k, keyHeads), this.weights.kNorm);
    const seen = cache.attend(layer, queries, keys, split(v, keyHeads));
    return (tokens === 1 ? seen : joinHeads(seen)).reshape(q.shape);
  }
}

/** Loads the attention of a layer. @throws Error naming a missing weight. */
export function loadHeadAttention(loader: Loader, config: LanguageModelConfig, layer: number): RuntimeAttention {
  const { features, heads, keyHeads, headDim } = config;
  const [queries, keys] = [heads * headDim, keyHeads * headDim];
  const weights = {
    q: loader.matrix('q', layer, [queries, features]),
    k: loader.matrix('k', layer, [keys, features]),
    v: loader.matrix('v', layer, [keys, features]),
    biases: [
      loader.optional('qBias', layer, queries),
      loader.optional('kBias', layer, keys),
      loader.optional('vBias', layer, keys),
    ],
    qNorm: loader.optional('qNorm', layer, headDim),
    kNorm: loader.optional('kNorm', layer, headDim),
  } as const;
  return new HeadAttention(weights, config);
}
