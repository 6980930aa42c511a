// Parameterized hypercomplex layers (Grassucci, Zhang, Comminiello: PHNNs: Lightweight Neural
// Networks via Parameterized Hypercomplex Convolutions, 2021). The weight of a linear layer or a
// convolution is H = Σₘ Aₘ ⊗ Fₘ with n small matrices A, the algebra, and n banks of filters F, so
// that it has 1/n of the parameters, and n³ for the algebra; both are learnt. The inputs are n
// components, one behind the other: component j is channels j·d/n to (j + 1)·d/n − 1. Every output
// reads every input, unlike in n groups.

import {
  type Convolution1dOptions,
  type Convolution3dOptions,
  type ConvolutionOptions,
  conv1d,
  conv2d,
  conv3d,
  linear,
  type Pair,
  pair,
  type Random,
  requireChoice,
  type Tensor,
  type Triple,
  triple,
} from '../../tensor/index.js';
import { fans, xavierUniform } from '../initializers.js';
import { buffer, parameter, parameterOwners } from '../module.js';
import { kroneckerSum, presetAlgebra } from './kronecker.js';

/** Options that all hypercomplex layers have. */
export interface HypercomplexOptions {
  /** Whether to add a bias. Default: true. */
  readonly bias?: boolean;
  /**
   * `learned`: A is trained. `frozen`: it stays as it was drawn. `preset`: that of the real,
   * complex or quaternion product, see `presetAlgebra`. Only a learned A counts as parameters; the
   * others are saved beside them. Default: `learned`.
   */
  readonly algebra?: 'learned' | 'frozen' | 'preset';
  /**
   * `xavier`: F as the authors draw it, from U(−b, b) with b = √(6/((s/n + n)·d/n·k)), k the size
   * of the kernel, which batch norm has to scale. `he`: such that H has variance 2/(d·k). A is
   * drawn with variance 1/n² either way. Default: `xavier`.
   */
  readonly init?: 'xavier' | 'he';
}

/** Sizes of a layer's weight. */
interface WeightShape {
  /** Name of the layer, for errors. */
  readonly layer: string;
  readonly n: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: readonly number[];
}

/** The multiples of n next to a size that is none. */
function nearest(size: number, n: number): string {
  const below = Math.floor(size / n) * n;
  return below > 0 ? `${below} and ${below + n}` : `${n}`;
}

/** @throws RangeError unless n is positive and divides both sizes, naming the nearest that fit */
export function requireDomain(layer: string, n: number, inputs: number, outputs: number): void {
  if (!Number.isInteger(n) || n < 1) throw new RangeError(`${layer}: n must be a positive integer, got ${n}`);
  for (const [size, what] of [
    [inputs, 'inputs'],
    [outputs, 'outputs'],
  ] as const)
    if (size % n !== 0)
      throw new RangeError(`${layer}: n = ${n} does not divide ${size} ${what}; the nearest are ${nearest(size, n)}`);
}

/** A layer whose weight is a sum of Kronecker products. */
export abstract class HypercomplexLayer {
  /** A [n, n, n]: how the filters of the components are shared. */
  algebra: Tensor;
  /** F [n, outputs / n, inputs / n, …kernel]. */
  filters: Tensor;
  /** [outputs] */
  bias: Tensor | undefined;

  constructor(
    { layer, n, inputs, outputs, kernel }: WeightShape,
    random: Random,
    { bias = true, algebra = 'learned', init = 'xavier' }: HypercomplexOptions = {},
  ) {
    requireDomain(layer, n, inputs, outputs);
    requireChoice(layer, 'algebra', algebra, ['learned', 'frozen', 'preset']);
    requireChoice(layer, 'init', init, ['xavier', 'he']);
    const isPreset = algebra === 'preset';
    const largest = Math.sqrt(3) / n;
    this.algebra = (algebra === 'learned' ? parameter : buffer)(
      isPreset ? presetAlgebra(n) : random.split('algebra').uniform([n, n, n], -largest, largest),
    );
    const shape = [n, outputs / n, inputs / n, ...kernel];
    const { fanIn, fanOut } = fans([outputs, inputs, ...kernel]);
    // A preset has one ±1 in each block, so that H varies as F; drawn ones sum n terms of 1/n².
    const gain = isPreset ? 1 : n;
    const variance = init === 'he' ? (2 * gain) / fanIn : 2 / (fanIn + fanOut);
    const bound = Math.sqrt(3 * variance);
    const own = random.split('filters');
    const drawn = init === 'xavier' && !isPreset;
    this.filters = parameter(drawn ? xavierUniform(own, shape) : own.uniform(shape, -bound, bound));
    const shift = 1 / Math.sqrt(inputs);
    if (bias) this.bias = parameter(random.split('bias').uniform([outputs], -shift, shift));
  }

  /** Size n of the domain. */
  get n(): number {
    return this.algebra.shape[0] as number;
  }

  /** H [outputs, inputs, …kernel], built anew by each read; plans hold it as a constant. */
  get weight(): Tensor {
    return kroneckerSum(this.algebra, this.filters);
  }
}

/** Hypercomplex 1-D convolution, see `conv1d`: x [n, in, length] → [n, out, length′]. */
export class PHConv1d extends HypercomplexLayer {
  /** @throws RangeError when n does not divide the channels; Error for groups */
  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernelSize: number,
    n: number,
    random: Random,
    readonly options: Convolution1dOptions & HypercomplexOptions = {},
  ) {
    requireNoGroups('PHConv1d', options);
    const shape = { layer: 'PHConv1d', n, inputs: inChannels, outputs: outChannels, kernel: [kernelSize] };
    super(shape, random, options);
  }

  /** x [n, inChannels, length] → [n, outChannels, length′]. */
  forward(x: Tensor): Tensor {
    return conv1d(x, this.weight, this.bias, this.options);
  }
}

/** Hypercomplex 2-D convolution, see `conv2d`: images [n, in, h, w] → [n, out, h′, w′]. */
export class PHConv2d extends HypercomplexLayer {
  /** @throws RangeError when n does not divide the channels; Error for groups */
  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernelSize: Pair,
    n: number,
    random: Random,
    readonly options: ConvolutionOptions & HypercomplexOptions = {},
  ) {
    requireNoGroups('PHConv2d', options);
    const shape = { layer: 'PHConv2d', n, inputs: inChannels, outputs: outChannels, kernel: pair(kernelSize) };
    super(shape, random, options);
  }

  /** x [n, inChannels, h, w] → [n, outChannels, h′, w′]. */
  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.options);
  }
}

/** Hypercomplex 3-D convolution, see `conv3d`. */
export class PHConv3d extends HypercomplexLayer {
  /** @throws RangeError when n does not divide the channels */
  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernelSize: Triple,
    n: number,
    random: Random,
    readonly options: Convolution3dOptions & HypercomplexOptions = {},
  ) {
    const shape = { layer: 'PHConv3d', n, inputs: inChannels, outputs: outChannels, kernel: triple(kernelSize) };
    super(shape, random, options);
  }

  /** x [n, inChannels, d, h, w] → [n, outChannels, d′, h′, w′]. */
  forward(x: Tensor): Tensor {
    return conv3d(x, this.weight, this.bias, this.options);
  }
}

/**
 * Hypercomplex linear layer y = x·Hᵀ + b (Zhang et al., "Beyond Fully-Connected Layers with
 * Quaternions: Parameterization of Hypercomplex Multiplications with 1/n Parameters", 2021).
 */
export class PHLinear extends HypercomplexLayer {
  /** @throws RangeError when n does not divide the features */
  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    n: number,
    random: Random,
    options: HypercomplexOptions = {},
  ) {
    super({ layer: 'PHLinear', n, inputs: inFeatures, outputs: outFeatures, kernel: [] }, random, options);
  }

  /** x […, in] → […, out], then ReLU if asked for. */
  forward(x: Tensor, activation: 'none' | 'relu' = 'none'): Tensor {
    return linear(x, this.weight, this.bias, activation);
  }
}

function requireNoGroups(layer: string, { groups = 1 }: { readonly groups?: number }): void {
  if (groups !== 1) throw new Error(`${layer}: every output reads every input; leave groups out, got ${groups}`);
}

/**
 * Names of the learnt algebras of a module. Weight decay would pull them to 0 while the filters
 * grow against it, as c·A and F/c are the same layer.
 */
export function algebraNames(module: object): ReadonlySet<string> {
  const own = parameterOwners(module).filter(
    ({ owner, tensor }) => owner instanceof HypercomplexLayer && owner.algebra === tensor,
  );
  return new Set(own.map(({ name }) => name));
}
