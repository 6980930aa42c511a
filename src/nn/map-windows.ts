// Windows of a map, of neighbouring pixels or of pixels far apart, and attention within them.

import { add, attention, multiply, pad, permute, type Random, reshape, slice, type Tensor } from '../tensor/index.js';
import { type ActivationName, activate } from './activation.js';
import { Conv2d } from './convolution.js';
import type { Layer } from './layer.js';

/**
 * Which pixels share a window of s₁×s₂ in a map of h×w, with n₁ = h/s₁ and n₂ = w/s₂ windows each
 * way: `close`, neighbours (i·s₁ + r, j·s₂ + c); `remote`, pixels that lie n₁ rows and n₂ columns
 * apart and span the map, (r·n₁ + i, c·n₂ + j).
 */
export type WindowPattern = 'close' | 'remote';

/** Height and width. */
export type MapSize = readonly [height: number, width: number];

/** Order of the axes [batch, heads, depth, …rows, …columns] in which tokens are laid out. */
const tokenOrder = { close: [0, 3, 5, 1, 4, 6, 2], remote: [0, 4, 6, 1, 3, 5, 2] } as const;
/** Order of the axes [batch, n₁, n₂, heads, s₁, s₂, depth] in which maps are laid out. */
const mapOrder = { close: [0, 3, 6, 1, 4, 2, 5], remote: [0, 3, 6, 4, 1, 5, 2] } as const;

/**
 * Splits a map into windows, a token for each pixel.
 *
 * **Shapes**: [b, heads·d, h, w] → [b·n₁·n₂, heads, s₁·s₂, d].
 *
 * @throws RangeError unless windows divide the map and heads its channels
 */
export function windowTokens(x: Tensor, heads: number, [s1, s2]: MapSize, pattern: WindowPattern): Tensor {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [n1, n2, depth] = [height / s1, width / s2, channels / heads];
  if (![n1, n2, depth].every(Number.isInteger))
    throw new RangeError(
      `windowTokens: windows of ${s1}×${s2} must divide the map and ${heads} heads its channels, got ${x}`,
    );
  const sides = pattern === 'close' ? [n1, s1, n2, s2] : [s1, n1, s2, n2];
  const split = reshape(x, [batch, heads, depth, ...sides]);
  return reshape(permute(split, tokenOrder[pattern]), [batch * n1 * n2, heads, s1 * s2, depth]);
}

/**
 * The inverse of `windowTokens`, for a map of a size.
 *
 * **Shapes**: [b·n₁·n₂, heads, s₁·s₂, d] → [b, heads·d, h, w].
 */
export function fromWindowTokens(
  tokens: Tensor,
  [height, width]: MapSize,
  [s1, s2]: MapSize,
  pattern: WindowPattern,
): Tensor {
  const [count, heads, , depth] = tokens.shape as [number, number, number, number];
  const [n1, n2] = [height / s1, width / s2];
  const batch = count / (n1 * n2);
  const split = reshape(tokens, [batch, n1, n2, heads, s1, s2, depth]);
  return reshape(permute(split, mapOrder[pattern]), [batch, heads * depth, height, width]);
}

/** Rows and columns of zeros that make a map a multiple of a window. */
export function windowPadding([height, width]: MapSize, [s1, s2]: MapSize): MapSize {
  return [(s1 - (height % s1)) % s1, (s2 - (width % s2)) % s2];
}

/** Options of `WindowAttention`. */
export interface WindowAttentionOptions {
  /** Number of heads, a divisor of the channels and of `outChannels`. */
  readonly heads: number;
  /** Channels of the values and of the output. Default: those of the input. */
  readonly outChannels?: number;
  /** Side of a window; 0 for the whole map. Default: 7. */
  readonly window?: number;
  /** Patterns whose results are summed. Default: `close`. */
  readonly patterns?: readonly WindowPattern[];
  /** Activation of the values. Default: `none`. */
  readonly activation?: ActivationName;
}

/**
 * Multi-head attention within windows, whose queries, keys and values are computed once and used by
 * every pattern:
 *
 * [q, k] = W_qk·x + b_qk, v = act(W_v·x + b_v), y = Σ over patterns of softmax(q·kᵀ/√d)·v
 *
 * Maps are padded with zeros at the bottom and on the right to a multiple of the window; padded
 * pixels take part, with q and k = b and v = act(b).
 *
 * **Shapes**: x [n, channels, h, w] → [n, outChannels, h, w].
 *
 * @see Zhang et al., "Rethinking Mobile Block for Efficient Attention-based Models", ICCV 2023
 */
export class WindowAttention implements Layer {
  /** Queries, then keys: 1×1, channels → 2·channels. */
  readonly qk: Conv2d;
  /** Values: 1×1, channels → outChannels. */
  readonly v: Conv2d;
  readonly #options: Required<Omit<WindowAttentionOptions, 'outChannels'>>;

  /** @throws RangeError when heads do not divide the channels, naming both numbers */
  constructor(
    channels: number,
    { heads, outChannels = channels, window = 7, patterns = ['close'], activation = 'none' }: WindowAttentionOptions,
    random: Random,
  ) {
    for (const [what, count] of [
      ['channels', channels],
      ['channels of the values', outChannels],
    ] as const)
      if (!Number.isInteger(count / heads))
        throw new RangeError(`WindowAttention: ${heads} heads do not divide ${count} ${what}`);
    this.#options = { heads, window, patterns, activation };
    this.qk = new Conv2d(channels, 2 * channels, 1, random);
    this.v = new Conv2d(channels, outChannels, 1, random);
  }

  /** x [n, channels, h, w] → [n, outChannels, h, w]. */
  forward(x: Tensor): Tensor {
    const { window: side, patterns, activation } = this.#options;
    const [, , height, width] = x.shape as [number, number, number, number];
    const window: MapSize = side > 0 ? [side, side] : [height, width];
    const [down, right] = windowPadding([height, width], window);
    const padded =
      down + right > 0
        ? pad(x, [
            [0, 0],
            [0, 0],
            [0, down],
            [0, right],
          ])
        : x;
    const qk = this.qk.forward(padded);
    const v = activate(this.v.forward(padded), activation);
    const isOne = height + down === window[0] && width + right === window[1];
    // With one window all patterns are the same.
    const sum = isOne
      ? times(this.#attended(qk, v, window, 'close'), patterns.length)
      : patterns.map((pattern) => this.#attended(qk, v, window, pattern)).reduce((a, b) => add(a, b));
    return down + right > 0 ? slice(sum, null, null, [0, height], [0, width]) : sum;
  }

  #attended(qk: Tensor, v: Tensor, window: MapSize, pattern: WindowPattern): Tensor {
    const { heads } = this.#options;
    const tokens = windowTokens(qk, 2 * heads, window, pattern);
    const part = (first: number) => slice(tokens, null, [first, first + heads]);
    const y = attention(part(0), part(heads), windowTokens(v, heads, window, pattern));
    return fromWindowTokens(y, v.shape.slice(2) as unknown as MapSize, window, pattern);
  }
}

const times = (x: Tensor, factor: number) => (factor === 1 ? x : multiply(x, factor));
