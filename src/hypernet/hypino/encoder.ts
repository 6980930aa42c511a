// The encoder: from the grids and the coefficients of a problem to tokens at several resolutions.
//
//   masks, values and source → convolutional stems → map b₁ + b₂⊙b_c beside s → Swin stages, each
//   followed by FiLM, y = γ(c)⊙x + β(c), with c from the coefficients and statistics of the grids

import { Conv2d, GroupNorm, Linear, PatchMerging, SwinBlock } from '../../nn/index.js';
import {
  abs,
  add,
  concatenate,
  cos,
  gelu,
  log,
  max,
  mean,
  min,
  multiply,
  permute,
  type Random,
  reshape,
  sign,
  sin,
  slice,
  sqrt,
  square,
  stopGradient,
  subtract,
  type Tensor,
  tanh,
  tensor,
} from '../../tensor/index.js';
import { LOWEST } from './target.js';

/** Sizes of the encoder; the defaults are the paper's. */
export interface EncoderSizes {
  /** n, pixels a side: four times a multiple of the windows of every stage. Default: 224. */
  readonly grid?: number;
  /** Channels of each stem; tokens have twice as many. Default: 64. */
  readonly stem?: number;
  /** Blocks of each stage. Default: [2, 2, 10, 2]. */
  readonly depths?: readonly number[];
  /** Attention heads of each stage, of the blocks and of the pooling. Default: [4, 8, 8, 16]. */
  readonly heads?: readonly number[];
  /** Side of a window. Default: 7. */
  readonly window?: number;
}

/** Frequencies of Fourier features, as in the target network. */
const FREQUENCIES = 5;

/** s ← sign(s)·log(1 + |s|). */
export function compressed(source: Tensor): Tensor {
  return multiply(sign(source), log(add(abs(source), 1)));
}

/** [sin(2π·0.1·2ʲ·v), cos(…), v] along an axis; without v where `raw` is false. */
export function fourierFeatures(v: Tensor, axis: number, raw = true): Tensor {
  const angles = Array.from({ length: FREQUENCIES }, (_, j) => multiply(v, 2 * Math.PI * LOWEST * 2 ** j));
  return concatenate([...angles.map(sin), ...angles.map(cos), ...(raw ? [v] : [])], axis);
}

/** Two 3 × 3 convolutions of stride 2, each followed by an activation. */
class Stem {
  readonly first: Conv2d;
  readonly second: Conv2d;

  constructor(
    inputs: number,
    outputs: number,
    readonly last: 'gelu' | 'tanh',
    random: Random,
  ) {
    const options = { stride: 2, padding: 1 };
    this.first = new Conv2d(inputs, outputs, 3, random, options);
    this.second = new Conv2d(outputs, outputs, 3, random, options);
  }

  forward(x: Tensor): Tensor {
    return (this.last === 'tanh' ? tanh : gelu)(this.second.forward(gelu(this.first.forward(x))));
  }
}

/** γ(c) and β(c) for the channels of a stage; at first γ is near 1 and β near 0. */
class Modulation {
  readonly scale: Linear;
  readonly shift: Linear;

  constructor(condition: number, channels: number, random: Random) {
    this.scale = new Linear(condition, channels, random);
    this.shift = new Linear(condition, channels, random);
  }

  /** x [b, h, w, c], condition [b, d]. */
  forward(x: Tensor, condition: Tensor): Tensor {
    const across = (y: Tensor) => reshape(y, [y.shape[0] as number, 1, 1, -1]);
    return add(multiply(x, add(across(this.scale.forward(condition)), 1)), across(this.shift.forward(condition)));
  }
}

interface Stage {
  readonly merge: PatchMerging | undefined;
  readonly blocks: readonly SwinBlock[];
  readonly modulation: Modulation;
}

/** Width of the embeddings of coefficients and of statistics. */
const [COEFFICIENTS, STATISTICS] = [96, 32] as const;

/** Grids and coefficients → tokens of each stage. */
export class ProblemEncoder {
  /** b₁, of the masks. */
  readonly masks: Stem;
  /** b₂, of the masks. */
  readonly gates: Stem;
  /** b_c, of the boundary values. */
  readonly values: Stem;
  /** s, of the source. */
  readonly source: Stem;
  /** 1 × 1 convolution of the map. */
  readonly mix: Conv2d;
  /** Norm of the map. */
  readonly norm: GroupNorm;
  /** Embedding of the coefficients. */
  readonly coefficients: Linear;
  /** Embedding of the statistics. */
  readonly statistics: Linear;
  /** Merging, blocks and FiLM of each stage. */
  readonly stages: readonly Stage[];
  /** n, pixels a side. */
  readonly grid: number;
  /** Channels, heads and side of each stage. */
  readonly widths: readonly { readonly channels: number; readonly heads: number; readonly side: number }[];
  readonly #positions: Float32Array;

  /** @throws RangeError when the grid does not divide into four, windows and stages */
  constructor(
    random: Random,
    { grid = 224, stem = 64, depths = [2, 2, 10, 2], heads = [4, 8, 8, 16], window = 7 }: EncoderSizes = {},
  ) {
    const side = grid / 4;
    if (!Number.isInteger(side / 2 ** (depths.length - 1)))
      throw new RangeError(`ProblemEncoder: a grid of ${grid} does not halve through ${depths.length} stages after 4`);
    if (depths.length !== heads.length) throw new RangeError('ProblemEncoder: depths and heads differ in number');
    this.grid = grid;
    const features = 2 * FREQUENCIES + 1;
    this.masks = new Stem(2, stem, 'gelu', random);
    this.gates = new Stem(2, stem, 'tanh', random);
    this.values = new Stem(2 * features, stem, 'gelu', random);
    this.source = new Stem(features, stem, 'gelu', random);
    this.mix = new Conv2d(2 * stem, 2 * stem, 1, random);
    this.norm = new GroupNorm(4, 2 * stem);
    this.coefficients = new Linear(5 * features, COEFFICIENTS, random);
    this.statistics = new Linear(12 * 2 * FREQUENCIES, STATISTICS, random);
    this.widths = depths.map((_, i) => ({
      channels: 2 * stem * 2 ** i,
      heads: heads[i] as number,
      side: side / 2 ** i,
    }));
    this.stages = this.widths.map(({ channels, heads: own }, i) => ({
      merge: i > 0 ? new PatchMerging(channels / 2, random) : undefined,
      blocks: Array.from({ length: depths[i] as number }, (_, b) => {
        return new SwinBlock(channels, side / 2 ** i, random, { heads: own, window, shifted: b % 2 === 1, ratio: 2 });
      }),
      modulation: new Modulation(COEFFICIENTS + STATISTICS, channels, random),
    }));
    this.#positions = sinusoids(side, 2 * stem);
  }

  /**
   * @param grids [b, 5, n, n], as `channels` names them
   * @param operators [b, 5]
   * @returns tokens [b, h, w, c] of each stage
   * @throws Error for grids of another size
   */
  forward(grids: Tensor, operators: Tensor): readonly Tensor[] {
    const { grid } = this;
    if (grids.rank !== 4 || grids.shape[1] !== 5 || grids.shape[2] !== grid || grids.shape[3] !== grid)
      throw new Error(`ProblemEncoder: expected grids [b, 5, ${grid}, ${grid}], got ${grids}`);
    const masks = slice(grids, null, [0, 2]);
    const values = slice(grids, null, [2, 4]);
    const source = compressed(slice(grids, null, [4, 5]));
    const gated = multiply(this.gates.forward(masks), this.values.forward(fourierFeatures(values, 1)));
    const map = concatenate(
      [add(this.masks.forward(masks), gated), this.source.forward(fourierFeatures(source, 1))],
      1,
    );
    const [, channels, height, width] = map.shape as [number, number, number, number];
    const placed = add(map, tensor(this.#positions).reshape([1, channels, height, width]));
    let x = permute(this.norm.forward(this.mix.forward(placed)), [0, 2, 3, 1]);
    const condition = this.#condition(operators, concatenate([values, source], 1));
    return this.stages.map(({ merge, blocks, modulation }) => {
      x = blocks.reduce((y, block) => block.forward(y), merge ? merge.forward(x) : x);
      x = modulation.forward(x, condition);
      return x;
    });
  }

  /** Embedding of the coefficients beside that of mean, max, min and deviation of three grids. */
  #condition(operators: Tensor, grids: Tensor): Tensor {
    const flat = reshape(grids, [grids.shape[0] as number, 3, -1]);
    const average = mean(flat, -1);
    const deviation = sqrt(add(mean(square(subtract(flat, reshape(average, [-1, 3, 1]))), -1), 1e-12));
    const statistics = stopGradient(concatenate([average, max(flat, -1), min(flat, -1), deviation], 1));
    return concatenate(
      [
        gelu(this.coefficients.forward(fourierFeatures(operators, 1))),
        gelu(this.statistics.forward(fourierFeatures(statistics, 1, false))),
      ],
      1,
    );
  }
}

/**
 * Sinusoidal code of rows in the first half of the channels, of columns in the second: [c, s, s].
 */
function sinusoids(side: number, channels: number): Float32Array {
  const code = new Float32Array(channels * side * side);
  const half = channels / 2;
  for (let c = 0; c < channels; c++)
    for (let row = 0; row < side; row++)
      for (let column = 0; column < side; column++) {
        const place = c < half ? row : column;
        const angle = place / 10_000 ** ((2 * Math.floor((c % half) / 2)) / half);
        code[(c * side + row) * side + column] = c % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
      }
  return code;
}
