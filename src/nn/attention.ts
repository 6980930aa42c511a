// Multi-head self-attention.

import {
  type AttentionOptions,
  attention,
  permute,
  type Random,
  reshape,
  slice,
  type Tensor,
} from '../tensor/index.js';
import { Linear } from './linear.js';

/** [batch, length, heads·depth] → [batch, heads, length, depth]. */
export function splitHeads(x: Tensor, heads: number): Tensor {
  const [batch, length, width] = x.shape as [number, number, number];
  return permute(reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3]);
}

/** [batch, heads, length, depth] → [batch, length, heads·depth]. */
export function joinHeads(x: Tensor): Tensor {
  const [batch, heads, length, depth] = x.shape as [number, number, number, number];
  return reshape(permute(x, [0, 2, 1, 3]), [batch, length, heads * depth]);
}

/**
 * Multi-head self-attention (Vaswani et al. 2017): y = concat(headᵢ)·Wₒ,
 * headᵢ = softmax(QᵢKᵢᵀ/√depth)·Vᵢ, with depth = features / heads.
 *
 * `options` are those of `attention` and `bias`, whether both projections have biases.
 * Default: true.
 *
 * @throws RangeError when `features` is not a multiple of `heads`.
 */
export class MultiHeadAttention {
  /** Projection to queries, keys and values at once: weight [3·features, features]. */
  readonly qkv: Linear;
  /** Output projection Wₒ: weight [features, features]. */
  readonly proj: Linear;

  constructor(
    readonly features: number,
    readonly heads: number,
    random: Random,
    readonly options: AttentionOptions & { readonly bias?: boolean } = {},
  ) {
    if (features % heads !== 0)
      throw new RangeError(`MultiHeadAttention: ${features} features do not divide among ${heads} heads`);
    this.qkv = new Linear(features, 3 * features, random, { bias: options.bias ?? true });
    this.proj = new Linear(features, features, random, { bias: options.bias ?? true });
  }

  /** x [batch, length, features] → [batch, length, features]. */
  forward(x: Tensor): Tensor {
    const projected = this.qkv.forward(x);
    const part = (i: number) =>
      splitHeads(slice(projected, null, null, [i * this.features, (i + 1) * this.features]), this.heads);
    return this.proj.forward(joinHeads(attention(part(0), part(1), part(2), this.options)));
  }
}
