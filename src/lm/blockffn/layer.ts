// BlockFFN: a feed-forward layer of many narrow blocks, of which each token uses as many as its
// router leaves above zero (Song et al., "BlockFFN: Towards End-Side Acceleration-Friendly
// Mixture-of-Experts with Chunk-Level Activation Sparsity", COLM 2025).
//
// r = W_r x, a = ReLU(r), A⁰ = a/√(mean_E(a²) + ε), A = w ⊙ A⁰
// y = W_down(SiLU(W_up x) ⊙ repeat(A, e)) = Σᵢ Aᵢ·W_down,ᵢ SiLU(W_up,ᵢ x)
//
// Block i is inactive where aᵢ = 0. No top-k, no softmax, no capacity: every factor is
// differentiable, and training computes all blocks.

import type { BlockGates, ExpertContext, FeedForward } from '../../nn/experts/index.js';
import { Linear, RMSNorm } from '../../nn/index.js';
import { multiply, ones, type Random, relu, reshape, rmsNorm, silu, type Tensor } from '../../tensor/index.js';

/** Sizes of a layer of blocks. */
export interface BlockSizes {
  /** Blocks E. */
  readonly count: number;
  /** Width e of a block. */
  readonly width: number;
}

/** ε of the router's norm. */
export const ROUTER_EPSILON = 1e-5;

/**
 * W_down(SiLU(W_up x) ⊙ repeat(A, e)), all blocks computed: tokens x [T, d], gates A [T, E] →
 * [T, d].
 *
 * @param up x → W_up x [T, E·e]
 * @param down h [T, E·e] → W_down h
 */
export function gatedBlocks(x: Tensor, gates: Tensor, up: (x: Tensor) => Tensor, down: (h: Tensor) => Tensor): Tensor {
  const [tokens, count] = gates.shape as [number, number];
  const inner = reshape(silu(up(x)), [tokens, count, -1]);
  return down(reshape(multiply(inner, reshape(gates, [tokens, count, 1])), [tokens, -1]));
}

/** `gatedBlocks` by linear layers W_up [E·e, d] and W_down [d, E·e]. */
export function linearBlocks(x: Tensor, gates: Tensor, up: Linear, down: Linear): Tensor {
  return gatedBlocks(
    x,
    gates,
    (input) => up.forward(input),
    (hidden) => down.forward(hidden),
  );
}

/**
 * The gates of router logits r [T, E]: A⁰ = ReLU(r)/√(mean ReLU(r)² + ε) and A = w ⊙ A⁰. A token
 * whose logits are all ≤ 0 uses no block.
 */
export function reluGates(logits: Tensor, { weight, epsilon }: Pick<RMSNorm, 'weight' | 'epsilon'>): BlockGates {
  const normalised = rmsNorm(relu(logits), ones([weight.size]), epsilon);
  return { logits, normalised, gates: multiply(normalised, weight) };
}

/** The same gates with the leading axes of the input. */
export function gatesLike(x: Tensor, { logits, normalised, gates }: BlockGates): BlockGates {
  const shaped = (values: Tensor) => reshape(values, [...x.shape.slice(0, -1), values.shape.at(-1) as number]);
  return { logits: shaped(logits), normalised: shaped(normalised), gates: shaped(gates) };
}

/**
 * A layer of blocks in place of a transformer's feed-forward layer: x […, d] → […, d]. Field names
 * are those of the authors' checkpoints in camelCase.
 */
export class BlockFFN implements FeedForward {
  /** W_r [E, d], without bias. */
  readonly routerProj: Linear;
  /** w [E], initially 1. */
  readonly routerNorm: RMSNorm;
  /** W_up [E·e, d]. */
  readonly upProj: Linear;
  /** W_down [d, E·e]. */
  readonly downProj: Linear;

  /** @throws RangeError unless there is a block, of a positive width. */
  constructor(
    readonly features: number,
    readonly sizes: BlockSizes,
    random: Random,
    { epsilon = ROUTER_EPSILON }: { readonly epsilon?: number | undefined } = {},
  ) {
    const { count, width } = sizes;
    if (!(Number.isInteger(count) && count > 0 && Number.isInteger(width) && width > 0))
      throw new RangeError(`BlockFFN: ${count} blocks of width ${width}; both must be positive integers`);
    this.routerProj = new Linear(features, count, random, { bias: false });
    this.routerNorm = new RMSNorm(count, { epsilon });
    this.upProj = new Linear(features, count * width, random, { bias: false });
    this.downProj = new Linear(count * width, features, random, { bias: false });
  }

  forward(x: Tensor, context?: ExpertContext): Tensor {
    const tokens = reshape(x, [-1, this.features]);
    const routed = reluGates(this.routerProj.forward(tokens), this.routerNorm);
    context?.onGates?.(gatesLike(x, routed));
    return reshape(linearBlocks(tokens, routed.gates, this.upProj, this.downProj), x.shape);
  }
}
