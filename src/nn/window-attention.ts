// Attention within windows that shift from block to block (Liu, Lin, Cao, Hu, Wei, Zhang, Lin, Guo,
// "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows", ICCV 2021).

import {
  add,
  concatenate,
  gatherRows,
  gelu,
  matmul,
  multiply,
  permute,
  type Random,
  reshape,
  slice,
  softmax,
  type Tensor,
  tensor,
} from '../tensor/index.js';
import { truncatedNormal } from './initializers.js';
import { Linear } from './linear.js';
import { parameter } from './module.js';
import { LayerNorm } from './normalization.js';

/** [b, h, w, c] → windows [b·(h/s)·(w/s), s², c]. */
export function windowsOf(x: Tensor, side: number): Tensor {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const split = reshape(x, [batch, height / side, side, width / side, side, channels]);
  return reshape(permute(split, [0, 1, 3, 2, 4, 5]), [-1, side * side, channels]);
}

/** The inverse of `windowsOf`. */
export function fromWindows(windows: Tensor, side: number, height: number, width: number): Tensor {
  const channels = windows.shape.at(-1) as number;
  const split = reshape(windows, [-1, height / side, width / side, side, side, channels]);
  return reshape(permute(split, [0, 1, 3, 2, 4, 5]), [-1, height, width, channels]);
}

/**
 * x [b, h, w, c] turned by a number of rows and columns, what leaves at one end enters at the
 * other.
 */
function rolled(x: Tensor, by: number): Tensor {
  const [, height, width] = x.shape as [number, number, number, number];
  const [down, right] = [((by % height) + height) % height, ((by % width) + width) % width];
  const rows = concatenate([slice(x, null, [height - down, height]), slice(x, null, [0, height - down])], 1);
  return concatenate([slice(rows, null, null, [width - right, width]), slice(rows, null, null, [0, width - right])], 2);
}

/** Options of a `SwinBlock`. */
export interface SwinBlockOptions {
  /** Number of heads. Default: 4. */
  readonly heads?: number;
  /** Side of a window; the grid's where that is smaller. Default: 7. */
  readonly window?: number;
  /**
   * Whether windows are shifted by half their side; never where one covers the grid. Default:
   * false.
   */
  readonly shifted?: boolean;
  /** Width of the MLP by that of the tokens. Default: 4. */
  readonly ratio?: number;
}

/**
 * x ← x + attention(norm x) within windows, x ← x + MLP(norm x), with a learned bias for each
 * relative position in a window.
 *
 * **Shapes**: x [b, h, w, c] → the same.
 */
export class SwinBlock {
  /** Before the attention. */
  readonly norm1: LayerNorm;
  /** Projection to queries, keys and values. */
  readonly qkv: Linear;
  /** Projection of the attended values. */
  readonly proj: Linear;
  /** Biases of relative positions [(2s − 1)², heads]. */
  relativeBias: Tensor;
  /** Before the MLP. */
  readonly norm2: LayerNorm;
  /** First layer of the MLP. */
  readonly up: Linear;
  /** Second layer of the MLP. */
  readonly down: Linear;
  /** Number of heads. */
  readonly heads: number;
  readonly #side: number;
  readonly #shift: number;
  readonly #places: Int32Array;
  readonly #mask: Float32Array | undefined;

  /** @throws RangeError when heads do not divide the channels, or windows the grid */
  constructor(
    readonly channels: number,
    readonly grid: number,
    random: Random,
    { heads = 4, window = 7, shifted = false, ratio = 4 }: SwinBlockOptions = {},
  ) {
    this.heads = heads;
    this.#side = Math.min(window, grid);
    if (channels % heads !== 0 || grid % this.#side !== 0)
      throw new RangeError(
        `SwinBlock: ${heads} heads must divide ${channels} channels, and windows of ${this.#side} a grid of ${grid}`,
      );
    this.#shift = shifted && this.#side < grid ? Math.floor(this.#side / 2) : 0;
    this.norm1 = new LayerNorm(channels);
    this.qkv = new Linear(channels, 3 * channels, random);
    this.proj = new Linear(channels, channels, random);
    this.relativeBias = parameter(truncatedNormal(random, [(2 * this.#side - 1) ** 2, heads], 0.02));
    this.norm2 = new LayerNorm(channels);
    this.up = new Linear(channels, ratio * channels, random);
    this.down = new Linear(ratio * channels, channels, random);
    this.#places = relativePlaces(this.#side);
    this.#mask = this.#shift > 0 ? shiftMask(grid, this.#side, this.#shift) : undefined;
  }

  /** x [b, h, w, c] → the same. */
  forward(x: Tensor): Tensor {
    const attended = add(x, this.#attend(this.norm1.forward(x)));
    return add(attended, this.down.forward(gelu(this.up.forward(this.norm2.forward(attended)))));
  }

  #attend(x: Tensor): Tensor {
    const [, height, width] = x.shape as [number, number, number, number];
    const shift = this.#shift;
    const windows = windowsOf(shift > 0 ? rolled(x, -shift) : x, this.#side);
    const y = fromWindows(this.proj.forward(this.#within(windows)), this.#side, height, width);
    return shift > 0 ? rolled(y, shift) : y;
  }

  /** Attention of the tokens of each window: [n, s², c] → [n, s², c]. */
  #within(windows: Tensor): Tensor {
    const { channels, heads } = this;
    const [count, tokens] = windows.shape as [number, number, number];
    const depth = channels / heads;
    const split = permute(reshape(this.qkv.forward(windows), [count, tokens, 3, heads, depth]), [2, 0, 3, 1, 4]);
    const part = (i: number) => reshape(slice(split, [i, i + 1]), [count, heads, tokens, depth]);
    const bias = permute(
      reshape(gatherRows(this.relativeBias, tensor(this.#places)), [tokens, tokens, heads]),
      [2, 0, 1],
    );
    const scores = add(multiply(matmul(part(0), part(1), { transposeB: true }), depth ** -0.5), bias);
    const weights = softmax(this.#mask ? this.#masked(scores, this.#mask) : scores);
    return reshape(permute(matmul(weights, part(2)), [0, 2, 1, 3]), [count, tokens, channels]);
  }

  #masked(scores: Tensor, mask: Float32Array): Tensor {
    const [, heads, tokens] = scores.shape as [number, number, number, number];
    const windows = mask.length / (tokens * tokens);
    const split = reshape(scores, [-1, windows, heads, tokens, tokens]);
    return reshape(add(split, tensor(mask).reshape([1, windows, 1, tokens, tokens])), scores.shape);
  }
}

/** Row of the table of biases for each pair of tokens of a window. */
function relativePlaces(side: number): Int32Array {
  const tokens = side * side;
  return Int32Array.from({ length: tokens * tokens }, (_, at) => {
    const [i, j] = [Math.floor(at / tokens), at % tokens];
    const down = Math.floor(i / side) - Math.floor(j / side) + side - 1;
    const right = (i % side) - (j % side) + side - 1;
    return down * (2 * side - 1) + right;
  });
}

/** −100 for pairs of tokens of a shifted window that are no neighbours in the picture. */
function shiftMask(grid: number, side: number, shift: number): Float32Array {
  const region = (at: number) => (at < grid - side ? 0 : at < grid - shift ? 1 : 2);
  const across = grid / side;
  const tokens = side * side;
  const mask = new Float32Array(across * across * tokens * tokens);
  const regionOf = (window: number, token: number) => {
    const row = Math.floor(window / across) * side + Math.floor(token / side);
    const column = (window % across) * side + (token % side);
    return 3 * region(row) + region(column);
  };
  for (let window = 0; window < across * across; window++)
    for (let i = 0; i < tokens; i++)
      for (let j = 0; j < tokens; j++)
        if (regionOf(window, i) !== regionOf(window, j)) mask[(window * tokens + i) * tokens + j] = -100;
  return mask;
}

/**
 * Joins 2 × 2 tokens: normalisation and a linear map of 4c channels to 2c, without a bias.
 *
 * **Shapes**: x [b, h, w, c] → [b, h/2, w/2, 2c].
 */
export class PatchMerging {
  /** Over the four joined tokens. */
  readonly norm: LayerNorm;
  /** 4c channels to 2c. */
  readonly reduction: Linear;

  constructor(
    readonly channels: number,
    random: Random,
  ) {
    this.norm = new LayerNorm(4 * channels);
    this.reduction = new Linear(4 * channels, 2 * channels, random, { bias: false });
  }

  /** x [b, h, w, c] → [b, h/2, w/2, 2c]. @throws RangeError when a side is odd */
  forward(x: Tensor): Tensor {
    const [batch, height, width, channels] = x.shape as [number, number, number, number];
    if (height % 2 !== 0 || width % 2 !== 0) throw new RangeError(`PatchMerging: sides must be even, got ${x}`);
    const split = reshape(x, [batch, height / 2, 2, width / 2, 2, channels]);
    // In timm's order: right neighbours after those below.
    const joined = reshape(permute(split, [0, 1, 3, 4, 2, 5]), [batch, height / 2, width / 2, 4 * channels]);
    return this.reduction.forward(this.norm.forward(joined));
  }
}
