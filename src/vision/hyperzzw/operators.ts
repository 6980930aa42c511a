// The HyperZ·Z·W operators and the layers that interact by them.

import { type Conv2d, kaimingNormal, kaimingUniform, type Mode, parameter } from '../../nn/index.js';
import {
  add,
  conv2d,
  globalAveragePool,
  keep,
  matmul,
  mean,
  multiply,
  type Random,
  reshape,
  sigmoid,
  subtract,
  type Tensor,
  tensor,
  zeros,
} from '../../tensor/index.js';
import {
  ContextMAGNet,
  type ContextSlowNetOptions,
  type Grid,
  MAGNet,
  pointwise,
  type SlowNetOptions,
} from './magnet.js';
import { BatchStandardize, instanceStandardize, type StatisticsSource } from './statistics.js';

/** He's uniform weights with the gain of PyTorch's `kaiming_uniform_`, √2. */
const uniform = (random: Random, shape: readonly number[]) => kaimingUniform(random, shape, Math.SQRT2);

/** The product of weights and activations over all positions. */
export type GlobalOperator = 'matrix' | 'circular' | 'elementwise';

/**
 * The global operator y = Ŵ·z of context weights Ŵ and activations z, both [n, C, h, w].
 *
 * `matrix`, for square maps: the matrix product over the last two axes, for each image and channel.
 * `circular`, for sequences [n, C, 1, L]: y_t = Σ_s Ŵ_{(t−s) mod L}·z_s. `elementwise`: Ŵ ⊙ z.
 *
 * @throws RangeError for a matrix product of maps that are not square, or a circular convolution of
 * maps with a height
 */
export function globalProduct(operator: GlobalOperator, weights: Tensor, z: Tensor): Tensor {
  const [height, width] = z.shape.slice(-2) as [number, number];
  if (operator === 'elementwise') return multiply(weights, z);
  if (operator === 'circular') {
    if (height !== 1)
      throw new RangeError(`HyperZZW: a circular convolution is of sequences, with a height of 1, got ${z}`);
    return circularConvolution(weights, z);
  }
  if (height !== width) throw new RangeError(`HyperZZW: the matrix product needs square maps, got ${height}×${width}`);
  return matmul(weights, z);
}

/** Cosines and sines of 2π·jk/L [L, L], by L. */
const waves = new Map<number, { readonly cosines: Tensor; readonly sines: Tensor }>();

function wavesOf(length: number) {
  const known = waves.get(length);
  if (known) return known;
  const table = (wave: (angle: number) => number) =>
    keep(
      tensor(
        Float32Array.from({ length: length ** 2 }, (_, i) =>
          wave((2 * Math.PI * ((Math.floor(i / length) * (i % length)) % length)) / length),
        ),
        [length, length],
      ),
    );
  const made = { cosines: table(Math.cos), sines: table(Math.sin) };
  waves.set(length, made);
  return made;
}

/**
 * y_t = Σ_s a_{(t−s) mod L}·b_s along the last axis. With c = a + ib the imaginary part of c∗c is
 * 2·a∗b. Fourier transforms are products with cosines and sines, which plans and ONNX files take.
 */
export function circularConvolution(a: Tensor, b: Tensor): Tensor {
  const length = a.shape.at(-1) as number;
  const rows = (x: Tensor) => reshape(x, [-1, length]);
  const { cosines, sines } = wavesOf(length);
  const [x, y] = [rows(a), rows(b)];
  const re = add(matmul(x, cosines), matmul(y, sines));
  const im = subtract(matmul(y, cosines), matmul(x, sines));
  const squaredRe = multiply(add(re, im), subtract(re, im));
  const squaredIm = multiply(multiply(re, im), 2);
  const twice = add(matmul(squaredRe, sines), matmul(squaredIm, cosines));
  return reshape(multiply(twice, 0.5 / length), a.shape);
}

/** The operator 2E: (k ⊙ x) ⊙ x, with shapes that broadcast. */
export function squaredProduct(kernel: Tensor, x: Tensor): Tensor {
  return multiply(multiply(kernel, x), x);
}

/**
 * The local operator: z convolved depthwise with a kernel that a slow network writes for x, then
 * GELU(BS(M·y)) with a 1×1 mixer M, plus a number.
 */
export class LocalHyperZZW {
  /** Writes the kernel. */
  readonly slow: ContextMAGNet;
  /** M. */
  readonly mixer: Conv2d;
  /** The norm after M. */
  readonly norm: BatchStandardize;
  /** The number that is added, [1]. */
  shift: Tensor;

  constructor(
    readonly channels: number,
    kernel: Grid,
    options: ContextSlowNetOptions,
    source: StatisticsSource,
    random: Random,
  ) {
    this.slow = new ContextMAGNet(channels, kernel, options, source, random.split('slow'));
    this.mixer = pointwise(channels, channels, random.split('mixer'), kaimingNormal);
    this.norm = new BatchStandardize(channels, source);
    this.shift = parameter(zeros([1]));
  }

  /** x, that the kernel is for, and z, that is convolved: [n, channels, h, w] → the same shape. */
  forward(x: Tensor, z: Tensor, mode: Mode): Tensor {
    const [height, width] = this.slow.grid;
    const padding = [(height - 1) >> 1, (width - 1) >> 1] as const;
    const kernel = this.slow.kernel(x, mode);
    const y = conv2d(z, kernel, undefined, { padding, groups: this.channels });
    return add(this.norm.forward(this.mixer.forward(y), mode).gelu(), this.shift);
  }
}

/** Recurrent gated unit: W_Y·(GELU(IS((W_K·x) ⊙ (W_Q·W_V·x))) + P), with 1×1 convolutions. */
export class RecurrentGatedUnit {
  /** W_K. */
  readonly key: Conv2d;
  /** W_Q. */
  readonly query: Conv2d;
  /** W_V. */
  readonly value: Conv2d;
  /** W_Y. */
  readonly output: Conv2d;
  /** P, a number for each position [1, 1, h, w]. */
  positions: Tensor;

  constructor(channels: number, [height, width]: Grid, random: Random) {
    const layer = (name: string) => pointwise(channels, channels, random.split(name), uniform);
    this.key = layer('key');
    this.query = layer('query');
    this.value = layer('value');
    this.output = layer('output');
    this.positions = parameter(zeros([1, 1, height, width]));
  }

  /** x [n, channels, h, w] → the same shape. */
  forward(x: Tensor): Tensor {
    const gated = multiply(this.key.forward(x), this.query.forward(this.value.forward(x)));
    return this.output.forward(add(instanceStandardize(gated).gelu(), this.positions));
  }
}

/** ȳ, the mean of each map as [n, channels, 1, 1]. */
const pooledMaps = (x: Tensor) => reshape(globalAveragePool(x), [...x.shape.slice(0, 2), 1, 1]);

/** The kernel of a slow network over channels as [1, channels, 1, 1]. */
const channelKernel = (slow: MAGNet) => reshape(slow.kernel(), [1, -1, 1, 1]);

/** Hyper-channel interaction: x ⊙ σ(k ⊙ x̄ ⊙ x̄), with a kernel k over channels. */
export class HyperChannelInteraction {
  /** Writes k. */
  readonly slow: MAGNet;

  constructor(channels: number, options: SlowNetOptions, random: Random) {
    this.slow = new MAGNet([1, channels], 1, options, random);
  }

  /** x [n, channels, h, w] → the same shape. */
  forward(x: Tensor): Tensor {
    return multiply(x, sigmoid(squaredProduct(channelKernel(this.slow), pooledMaps(x))));
  }
}

/**
 * Hyper interaction: x ⊙ σ((k ⊙ ȳ ⊙ ȳ) ⊙ (K ⊙ m ⊙ m)), with the means ȳ of the maps of y and m of
 * its channels, a kernel k over channels and K over positions.
 */
export class HyperInteraction {
  /** Writes k. */
  readonly channel: MAGNet;
  /** Writes K. */
  readonly spatial: MAGNet;

  constructor(channels: number, grid: Grid, along: SlowNetOptions, across: SlowNetOptions, random: Random) {
    this.channel = new MAGNet([1, channels], 1, along, random.split('channel'));
    this.spatial = new MAGNet(grid, 1, across, random.split('spatial'));
  }

  /** y and x [n, channels, h, w] → the shape of x. */
  forward(y: Tensor, x: Tensor): Tensor {
    const channels = squaredProduct(channelKernel(this.channel), pooledMaps(y));
    const positions = squaredProduct(this.spatial.kernel(), mean(y, 1, { keepAxes: true }));
    return multiply(x, sigmoid(multiply(channels, positions)));
  }
}
