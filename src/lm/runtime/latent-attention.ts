// Multi-head latent attention (DeepSeek-V2, 2024; the MLA of BlockFFN's checkpoints):
//   q = W_qB·norm(W_qA x), each head [q_nope, q_rope]
//   [c, k_rope] = W_kvA x, c ← norm(c); [k_nope, v] = W_kvB c for each head
//   scores (q_nope·k_nope + rope(q_rope)·rope(k_rope))/√(nope + rope)
// k_nope and v are linear in c, so that W_kvB moves to the queries and behind the sum over tokens:
// the cache holds [c, rope(k_rope)] alone, which all heads share.

import { joinHeads, splitHeads } from '../../nn/index.js';
import {
  concatenate,
  keep,
  matmul,
  type RotaryTables,
  reshape,
  rmsNorm,
  rotary,
  slice,
  type Tensor,
} from '../../tensor/index.js';
import type { LanguageModelConfig, LatentConfig } from './config.js';
import { attendByRun, type Run, type RuntimeAttention } from './head-attention.js';
import type { Loader } from './loader.js';
import type { WeightMatrix } from './matrix.js';

/** Size of what the cache holds for a token, and of c alone. */
interface Sizes extends LatentConfig {
  readonly heads: number;
  readonly cached: number;
  readonly rank: number;
}

/** Latent attention of one layer, up to the output projection. */
class LatentAttention implements RuntimeAttention {
  /** W_kvB by head: for keys [heads, nope, rank], for values [heads, value, rank]. */
  #absorbed: { readonly keys: Tensor; readonly values: Tensor } | undefined;

  constructor(
    readonly weights: {
      readonly qA: WeightMatrix;
      readonly qANorm: Tensor;
      readonly qB: WeightMatrix;
      readonly kvA: WeightMatrix;
      readonly kvANorm: Tensor;
      readonly kvB: WeightMatrix;
    },
    readonly sizes: Sizes,
    readonly interleaved: boolean,
  ) {}

  get matrices(): WeightMatrix[] {
    const { qA, qB, kvA, kvB } = this.weights;
    return [qA, qB, kvA, kvB];
  }

  forward(x: Tensor, layer: number, runs: readonly Run[]): Tensor {
    const { qA, qANorm, qB, kvA, kvANorm } = this.weights;
    const { rank, cached, epsilon } = this.sizes;
    const q = qB.multiply(rmsNorm(qA.multiply(x), qANorm, epsilon));
    const latent = kvA.multiply(x);
    const c = rmsNorm(slice(latent, null, [0, rank]), kvANorm, epsilon);
    const keys = slice(latent, null, [rank, cached]);
    return attendByRun(runs, [q, c, keys] as const, (own, run) => this.#attend(layer, ...own, run));
  }

  #attend(layer: number, q: Tensor, c: Tensor, ropeKeys: Tensor, { cache, tables }: Run): Tensor {
    const { heads, nopeDim, ropeDim, valueDim, rank, cached } = this.sizes;
    const tokens = q.shape[0] as number;
    const { keys, values } = this.#matrices();
    const split = reshape(splitHeads(reshape(q, [1, tokens, -1]), heads), [heads, tokens, nopeDim + ropeDim]);
    const absorbed = matmul(slice(split, null, null, [0, nopeDim]), keys); // [heads, tokens, rank]
    const rotated = this.#rotary(slice(split, null, null, [nopeDim, nopeDim + ropeDim]), tables);
    const queries = reshape(concatenate([absorbed, rotated], 2), [1, heads, tokens, cached]);
    const ownKeys = concatenate(
      [c, reshape(this.#rotary(reshape(ropeKeys, [1, tokens, ropeDim]), tables), [tokens, ropeDim])],
      1,
    );
    const seen = cache.attend(layer, queries, reshape(ownKeys, [1, 1, tokens, cached]));
    const mixed = slice(reshape(seen, [heads, tokens, cached]), null, null, [0, rank]);
    const y = matmul(mixed, values, { transposeB: true }); // [heads, tokens, value]
    return reshape(joinHeads(reshape(y, [1, heads, tokens, valueDim])), [tokens, heads * valueDim]);
  }

  #rotary(y: Tensor, tables: RotaryTables): Tensor {
    return rotary(y, tables, this.interleaved);
  }

  /** W_kvB as float32, made at the first use and kept. */
  #matrices(): { readonly keys: Tensor; readonly values: Tensor } {
    if (this.#absorbed) return this.#absorbed;
    const { heads, nopeDim, valueDim, rank } = this.sizes;
    const { kvB } = this.weights;
    const all = kvB.rowsAt(Int32Array.from({ length: kvB.rows }, (_, row) => row));
    const byHead = reshape(all, [heads, nopeDim + valueDim, rank]);
    this.#absorbed = {
      keys: keep(slice(byHead, null, [0, nopeDim])),
      values: keep(slice(byHead, null, [nopeDim, nopeDim + valueDim])),
    };
    return this.#absorbed;
  }
}

/** Loads the latent attention of a layer. @throws Error naming a missing weight. */
export function loadLatentAttention(
  loader: Loader,
  config: LanguageModelConfig,
  latent: LatentConfig,
  layer: number,
): RuntimeAttention {
  const { features, heads, headDim: cached, interleaved } = config;
  const { queryRank, nopeDim, ropeDim, valueDim } = latent;
  const rank = cached - ropeDim;
  return new LatentAttention(
    {
      qA: loader.matrix('qA', layer, [queryRank, features]),
      qANorm: loader.vector('qANorm', layer, queryRank),
      qB: loader.matrix('qB', layer, [heads * (nopeDim + ropeDim), queryRank]),
      kvA: loader.matrix('kvA', layer, [cached, features]),
      kvANorm: loader.vector('kvANorm', layer, rank),
      kvB: loader.matrix('kvB', layer, [heads * (nopeDim + valueDim), rank]),
    },
    { ...latent, heads, cached, rank },
    interleaved,
  );
}
