// The slow networks: multiplicative sinusoidal MLPs of coordinates that write convolution kernels
// (MAGNet of Romero et al.: FlexConv, ICLR 2022, with HyperZZW's map of positions).

import { Conv2d, kaimingUniform, Linear, type Mode, parameter } from '../../nn/index.js';
import {
  adaptiveAveragePool2d,
  add,
  divide,
  keep,
  mean,
  multiply,
  ones,
  type Random,
  reshape,
  scope,
  sin,
  sqrt,
  square,
  stopGradient,
  sum,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from '../../tensor/index.js';
import { BatchAverage, type StatisticsSource } from './statistics.js';

/** Height and width of a grid; a height of 1 makes it one-dimensional. */
export type Grid = readonly [height: number, width: number];

/** Configuration of a slow network. */
export interface SlowNetOptions {
  /** Hidden features. */
  readonly hidden: number;
  /** L, layers after the first filter. */
  readonly layers: number;
  /** ω₀, the factor of all frequencies. */
  readonly frequency: number;
}

/** Shape α and rate β of the Gamma distribution of frequencies. */
const [ALPHA, BETA] = [6, 1];

/** −1 … 1 in equal steps; 0 where there is one. */
const steps = (count: number) =>
  Array.from({ length: count }, (_, i) => (count === 1 ? 0 : -1 + (2 * i) / (count - 1)));

/** Coordinates of a grid, [h·w, 2] in the order row, column, or [w, 1] where the height is 1. */
export function coordinates([height, width]: Grid): Tensor {
  const columns = steps(width);
  if (height === 1) return tensor(Float32Array.from(columns), [width, 1]);
  const rows = steps(height).flatMap((row) => columns.flatMap((column) => [row, column]));
  return tensor(Float32Array.from(rows), [height * width, 2]);
}

/** A layer whose weights are drawn alike to PyTorch's `kaiming_uniform_`, with an equal bias. */
function linearOf(inFeatures: number, outFeatures: number, random: Random, bias: number, gain = 1): Linear {
  const layer = new Linear(inFeatures, outFeatures, random);
  scope(() => {
    layer.weight.assign(kaimingUniform(random.split('weight'), layer.weight.shape, gain));
    layer.bias?.assign(bias === 0 ? zeros([outFeatures]) : multiply(ones([outFeatures]), bias));
  });
  return layer;
}

/**
 * Draws of γ ~ Gamma(shape/(index + 1), rate), of mean shape/((index + 1)·rate), for the filter of
 * an index. Defaults: shape 6, rate 1.
 */
export function frequencyFactors(
  count: number,
  index: number,
  random: Random,
  { shape = ALPHA, rate = BETA }: { readonly shape?: number; readonly rate?: number } = {},
): number[] {
  return Array.from({ length: count }, () => random.gamma(shape / (index + 1)) / rate);
}

/**
 * A sinusoidal filter g(c) = sin(U·c + v): U starts as PyTorch's linear layers times 2π·ω₀·γ, with
 * γ ~ Gamma(α/(index + 1), rate β) for each hidden unit and axis, v at 0.
 */
function filterOf(axes: number, { hidden, frequency }: SlowNetOptions, index: number, random: Random): Linear {
  const filter = linearOf(axes, hidden, random, 0, 1 / Math.sqrt(3));
  const values = filter.weight.view<Float32Array>();
  const gammas = frequencyFactors(values.length, index, random.split('gamma'));
  for (let i = 0; i < values.length; i++)
    values[i] = (values[i] as number) * 2 * Math.PI * frequency * (gammas[i] as number);
  return filter;
}

/** The layers that both kinds of slow network have, with rows h·w of the grid. */
abstract class SlowNet {
  /** U₀ … U_L with v, [hidden, axes] each. */
  readonly filters: readonly Linear[];
  /** W₁ … W_L with b, [hidden, hidden] each. */
  readonly mixers: readonly Linear[];
  /** W_o, [out, hidden]. */
  readonly output: Linear;
  /** P, a number for each position of the grid [h·w, 1], added after every product. */
  positions: Tensor;
  protected readonly coordinates: Tensor;

  constructor(
    readonly grid: Grid,
    out: number,
    readonly options: SlowNetOptions,
    random: Random,
  ) {
    const { hidden, layers } = options;
    this.coordinates = keep(coordinates(grid));
    const [points, axes] = this.coordinates.shape as [number, number];
    this.filters = Array.from({ length: layers + 1 }, (_, i) =>
      filterOf(axes, options, i, random.split(`filter ${i}`)),
    );
    this.mixers = Array.from({ length: layers }, (_, i) => linearOf(hidden, hidden, random.split(`mixer ${i}`), 1));
    this.output = linearOf(hidden, out, random.split('output'), 0);
    // The initial variance of kernels of Chang et al. (2020), once: fan-in is the number of points.
    scope(() => this.output.weight.assign(multiply(this.output.weight, Math.sqrt(1 / points))));
    this.positions = parameter(zeros([points, 1]));
  }

  /** gᵢ(c), [h·w, hidden]. */
  protected filtered(i: number): Tensor {
    return sin((this.filters[i] as Linear).forward(this.coordinates));
  }

  /** gᵢ(c) ⊙ (Wᵢ·h + bᵢ) + P, for i from 1. */
  protected layer(i: number, h: Tensor): Tensor {
    const product = multiply(this.filtered(i), (this.mixers[i - 1] as Linear).forward(h));
    return add(product, this.positions);
  }

  /** W_o·h + b_o as a kernel [1, out, h, w]. */
  protected written(h: Tensor): Tensor {
    return reshape(transpose(this.output.forward(h)), [1, this.output.outFeatures, ...this.grid]);
  }
}

/**
 * Slow network of a kernel that is the same for all inputs: h₀ = g₀(c), hᵢ = gᵢ(c) ⊙ (Wᵢ·hᵢ₋₁ + bᵢ)
 * + P, kernel = W_o·h_L + b_o, with gᵢ(c) = sin(Uᵢ·c + vᵢ) on a grid c over [−1, 1].
 */
export class MAGNet extends SlowNet {
  /** The kernel [1, out, h, w]. */
  kernel(): Tensor {
    let h = this.filtered(0);
    for (let i = 1; i <= this.options.layers; i++) h = this.layer(i, h);
    return this.written(h);
  }
}

/** Options of `ContextMAGNet`. */
export interface ContextSlowNetOptions extends SlowNetOptions {
  /** Whether the factors a and b of the renormalisation are trained. Default: false. */
  readonly learnRenorm?: boolean;
}

/** Initial a and b of the renormalisation. */
const [KEPT, NORMED] = [1, 0.1];

/**
 * a·stopGradient(h) + b·h/‖h‖ over the rows of h [points, hidden]: nearly h itself, with the
 * gradient of the normalised h. a and b [1, hidden] or numbers.
 */
export function renormalize(h: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
  const norm = sqrt(add(sum(square(h), 0, { keepAxes: true }), 1e-24));
  return add(multiply(stopGradient(h), a), multiply(divide(h, norm), b));
}

/**
 * Slow network of a small depthwise kernel that depends on the batch: z = GELU(S·R·pool(x)) of the
 * mean over the batch, then hᵢ = gᵢ(c) ⊙ (Wᵢ·hᵢ₋₁ + bᵢ) + P, renormalised per hidden feature, times
 * Xᵢ·z. At inference the pooled mean is a stored average.
 */
export class ContextMAGNet extends SlowNet {
  /** R, [hidden, channels]. */
  readonly reduce: Linear;
  /** S, [hidden, hidden]. */
  readonly mix: Linear;
  /** X₁ … X_L, [hidden, hidden] each. */
  readonly contexts: readonly Linear[];
  /** The mean of pooled maps, [kernel positions, channels]. */
  readonly pooled: BatchAverage;
  /** a of the renormalisation [1, hidden]; none where it is not trained. */
  renormKept: Tensor | undefined;
  /** b of the renormalisation [1, hidden]; none where it is not trained. */
  renormScale: Tensor | undefined;

  constructor(
    readonly channels: number,
    grid: Grid,
    options: ContextSlowNetOptions,
    source: StatisticsSource,
    random: Random,
  ) {
    super(grid, channels, options, random);
    const { hidden, layers, learnRenorm = false } = options;
    this.reduce = linearOf(channels, hidden, random.split('reduce'), 0);
    this.mix = linearOf(hidden, hidden, random.split('mix'), 0);
    this.contexts = Array.from({ length: layers }, (_, i) => linearOf(hidden, hidden, random.split(`context ${i}`), 1));
    this.pooled = new BatchAverage([grid[0] * grid[1], channels], source);
    if (learnRenorm) {
      this.renormKept = parameter(multiply(ones([1, hidden]), KEPT));
      this.renormScale = parameter(multiply(ones([1, hidden]), NORMED));
    }
  }

  /** x [n, channels, H, W] → depthwise kernel [channels, 1, h, w]. */
  kernel(x: Tensor, mode: Mode): Tensor {
    const z = this.mix.forward(this.reduce.forward(this.#context(x, mode))).gelu();
    let h = this.filtered(0);
    for (let i = 1; i <= this.options.layers; i++) {
      h = renormalize(this.layer(i, h), this.renormKept ?? KEPT, this.renormScale ?? NORMED);
      h = multiply(h, (this.contexts[i - 1] as Linear).forward(z));
    }
    return reshape(this.written(h), [this.channels, 1, ...this.grid]);
  }

  /** Means over the batch of maps pooled to the kernel's size, [h·w, channels]. */
  #context(x: Tensor, mode: Mode): Tensor {
    if (BatchAverage.isStored(this.pooled.source, mode)) return this.pooled.value;
    const pooled = mean(adaptiveAveragePool2d(x, this.grid), 0);
    const rows = transpose(reshape(pooled, [this.channels, -1]));
    this.pooled.follow(rows, mode);
    return rows;
  }
}

/** How a 1×1 convolution starts; its bias is 0. */
export type PointwiseInit = (random: Random, shape: readonly number[]) => Tensor;

/** A 1×1 convolution [n, inChannels, h, w] → [n, outChannels, h, w]. */
export function pointwise(inChannels: number, outChannels: number, random: Random, init: PointwiseInit): Conv2d {
  const conv = new Conv2d(inChannels, outChannels, 1, random);
  scope(() => {
    conv.weight.assign(init(random.split('weight'), conv.weight.shape));
    conv.bias?.assign(zeros([outChannels]));
  });
  return conv;
}
