// SimpleNet: a plain classifier of thirteen convolutions, without shortcuts, attention or depthwise
// layers (Hasanpour, Rouhani, Fayyaz, Sabokrou: Lets keep it simple, Using simple architectures to
// outperform deeper and more complex architectures, 2016).

import type { ImageTrainingOptions } from '../models/index.js';
import { Dropout2d, Linear, type Mergeable, type Mode, milestones, xavierUniform } from '../nn/index.js';
import { adaptiveMaxPool2d, maxPool2d, Random, reshape, scope, type Tensor } from '../tensor/index.js';
import { ConvNorm } from './blocks/conv-norm.js';

/** A 3×3 convolution by its channels, one of another kernel, or a 2×2 max pooling of stride 2. */
export type SimpleNetLayer = number | readonly [channels: number, kernel: number] | 'pool';

/** Configuration of `SimpleNet`. */
export interface SimpleNetOptions {
  /** Convolutions and poolings, the first one first. */
  readonly layers: readonly SimpleNetLayer[];
  /** Strides of the first layers, poolings counted among them. Default: 1 for every convolution. */
  readonly strides?: readonly number[];
  /** Width multiplier; channels are rounded, halves to even. Default: 1. */
  readonly width?: number;
  /** Channels of the images. Default: 3. */
  readonly channels?: number;
  /** Number of classes. Default: 1000. */
  readonly classes?: number;
  /**
   * Probability of dropping a channel, by the number of the layer it follows; as many as there are
   * layers stands for the global pooling. Default: none is dropped.
   */
  readonly dropout?: Readonly<Record<number, number>>;
  /**
   * Whether the last three convolutions have batch norm; the first release had none. Default: true.
   */
  readonly tailNorm?: boolean;
  /** Whether 1×1 convolutions have a border of zeros, as in early weights. Default: false. */
  readonly padPointwise?: boolean;
  /** `trained`: with batch norm. `merged`: without, for inference. Default: `trained`. */
  readonly form?: 'trained' | 'merged';
}

/** Weight of a batch in the running statistics. */
const MOMENTUM = 0.05;
/** Convolutions at the end that `tailNorm` is about. */
const TAIL = 3;

/** The nearest integer, halves to even, and at least 1. */
function roundedChannels(value: number): number {
  const below = Math.floor(value);
  const up = value - below > 0.5 || (value - below === 0.5 && below % 2 === 1);
  return Math.max(1, up ? below + 1 : below);
}

/** Channels and kernel of a convolution. */
const shapeOf = (layer: Exclude<SimpleNetLayer, 'pool'>): readonly [number, number] =>
  typeof layer === 'number' ? [layer, 3] : layer;

/**
 * SimpleNet: images [n, channels, h, w] → logits [n, classes]. Each convolution is conv → batch
 * norm → ReLU, maps are halved by max pooling, and the last ones are reduced to their largest value
 * each. Weights start from U(−b, b) with b = √2·√(6/(fan-in + fan-out)).
 */
export class SimpleNet implements Mergeable {
  /** The convolutions, with their norms. */
  readonly convs: readonly ConvNorm[];
  /** Linear layer over the largest value of each map. */
  readonly classifier: Linear;
  readonly #drops: ReadonlyMap<number, Dropout2d>;

  /**
   * @throws Error unless the last layer is a convolution; RangeError for a width that is not
   * positive
   */
  constructor(
    readonly options: SimpleNetOptions,
    random: Random,
  ) {
    const { layers, strides = [], width = 1, channels = 3, classes = 1000, dropout = {} } = options;
    const { tailNorm = true, padPointwise = false, form = 'trained' } = options;
    if (!(width > 0)) throw new RangeError(`SimpleNet: the width multiplier must be positive, got ${width}`);
    if (layers.length === 0 || layers.at(-1) === 'pool')
      throw new Error('SimpleNet: the last layer must be a convolution');
    const count = layers.filter((layer) => layer !== 'pool').length;
    const convs: ConvNorm[] = [];
    let last = channels;
    layers.forEach((layer, at) => {
      if (layer === 'pool') return;
      const [wanted, kernel] = shapeOf(layer);
      const out = roundedChannels(width * wanted);
      const normed = form === 'trained' && (tailNorm || convs.length < count - TAIL);
      const conv = new ConvNorm(last, out, random.split(at), {
        ...{ kernel, stride: strides[at] ?? 1, bias: true, momentum: MOMENTUM },
        padding: kernel === 1 && padPointwise ? 1 : (kernel - 1) >> 1,
        norm: normed ? 'batch' : 'none',
      });
      const { weight } = conv.conv;
      scope(() => weight.assign(xavierUniform(random.split(`weight ${at}`), weight.shape, Math.SQRT2)));
      convs.push(conv);
      last = out;
    });
    this.convs = convs;
    this.classifier = new Linear(last, classes, random.split('classifier'));
    this.#drops = new Map(Object.entries(dropout).map(([at, p]) => [Number(at), new Dropout2d(p)]));
  }

  /**
   * Images [n, channels, h, w] → logits [n, classes].
   *
   * @throws RangeError for images too small for the poolings, naming the layer and the size
   */
  forward(x: Tensor, mode: Mode): Tensor {
    const { layers } = this.options;
    const dropped = (y: Tensor, at: number) => this.#drops.get(at)?.forward(y, mode) ?? y;
    let [y, conv] = [x, 0];
    layers.forEach((layer, at) => {
      if (layer === 'pool') y = this.#pooled(y, at);
      else y = (this.convs[conv++] as ConvNorm).forward(y, mode, 'relu');
      y = dropped(y, at);
    });
    y = dropped(adaptiveMaxPool2d(y, 1), layers.length);
    return this.classifier.forward(reshape(y, y.shape.slice(0, 2)));
  }

  #pooled(y: Tensor, at: number): Tensor {
    const [, , height, width] = y.shape as [number, number, number, number];
    if (Math.min(height, width) < 2)
      throw new RangeError(
        `SimpleNet: layer ${at} pools maps of ${height}×${width}; images of at least ${leastSize(this.options)} pixels a side are needed`,
      );
    return maxPool2d(y, 2);
  }

  /** The inference form, the same function: batch norms folded into the convolutions. */
  merged(): SimpleNet {
    if (this.options.form === 'merged') return this;
    const target = new SimpleNet({ ...this.options, form: 'merged' }, new Random(0));
    scope(() => {
      this.convs.forEach((conv, i) => {
        conv.mergeInto(target.convs[i] as ConvNorm);
      });
      for (const field of ['weight', 'bias'] as const)
        target.classifier[field]?.assign(this.classifier[field] as Tensor);
    });
    return target;
  }
}

/** Side in pixels of the smallest images that a network takes. */
export function leastSize({ layers, strides = [], padPointwise = false }: SimpleNetOptions): number {
  const fits = (size: number) => {
    let side = size;
    for (const [at, layer] of layers.entries()) {
      if (layer === 'pool') side = Math.floor(side / 2);
      else {
        const [, kernel] = shapeOf(layer);
        side = Math.ceil((side + (kernel === 1 && padPointwise ? 2 : 0)) / (strides[at] ?? 1));
      }
      if (side < 1) return false;
    }
    return true;
  };
  let least = 1;
  while (!fits(least)) least += 1;
  return least;
}

/** One of the paper's principles that an architecture breaks. */
export interface BrokenPrinciple {
  /** The principle by its name in the paper. */
  readonly principle: 'gradual expansion' | 'correlation preservation' | 'maximum information utilisation';
  /** What breaks it. */
  readonly text: string;
}

/** Widths of neighbouring 3×3 convolutions differ by less than this. */
const LARGEST_JUMP = 4;
/** Convolutions before the first pooling, and poolings in all. */
const [FIRST_POOL, MOST_POOLS] = [2, 4];

/**
 * Checks layers against the paper's designing principles, as far as they can be read off: widths
 * that grow gradually, 1×1 kernels at the end alone, late and few poolings. The bounds are ours.
 */
export function checkPrinciples({ layers }: Pick<SimpleNetOptions, 'layers'>): BrokenPrinciple[] {
  const broken: BrokenPrinciple[] = [];
  const convs = layers.flatMap((layer, at) => (layer === 'pool' ? [] : [{ at, shape: shapeOf(layer) }]));
  const wide = convs.filter(({ shape: [, kernel] }) => kernel > 1);
  wide.slice(1).forEach(({ at, shape: [channels] }, i) => {
    const [before] = (wide[i] as (typeof wide)[number]).shape;
    if (Math.max(channels / before, before / channels) > LARGEST_JUMP)
      broken.push({
        principle: 'gradual expansion',
        text: `layer ${at} has ${channels} channels, the spatial convolution before it ${before}`,
      });
  });
  convs.slice(0, Math.floor(convs.length / 3)).forEach(({ at, shape: [, kernel] }) => {
    if (kernel === 1)
      broken.push({
        principle: 'correlation preservation',
        text: `layer ${at}, in the first third, is a 1×1 convolution`,
      });
  });
  const pools = layers.flatMap((layer, at) => (layer === 'pool' ? [at] : []));
  const [first = Number.POSITIVE_INFINITY] = pools;
  if (first < FIRST_POOL)
    broken.push({
      principle: 'maximum information utilisation',
      text: `layer ${first} pools before the third convolution`,
    });
  if (pools.length > MOST_POOLS)
    broken.push({
      principle: 'maximum information utilisation',
      text: `there are ${pools.length} poolings, more than ${MOST_POOLS}`,
    });
  return broken;
}

const pointwise = (channels: number): SimpleNetLayer => [channels, 1];
const P = 'pool';

const in5m: readonly SimpleNetLayer[] = [
  ...[64, 128, 128, 128, 128, 128],
  ...[P, 256, 256, 256, 512, P, pointwise(2048), pointwise(256), 256],
] as const;
const in9m: readonly SimpleNetLayer[] = [
  ...[128, 192, 192, 192, 192, 192],
  ...[P, 320, 320, 320, 640, P, pointwise(2560), pointwise(320), 320],
] as const;
const cifar5m = (...extra: readonly SimpleNetLayer[]): readonly SimpleNetLayer[] =>
  [
    ...[64, 128, 128, 128, P, 128, 128, 256, P, 256, 256, P],
    ...[512, ...extra, pointwise(2048), pointwise(256), P, 256],
  ] as const;

/** Strides of the first layers by mode: the larger the mode, the later maps shrink. */
const strideModes = {
  m0: [],
  m1: [2, 2, 2],
  m2: [2, 2, 1, 2],
  m3: [2, 2, 1, 1, 2],
  m4: [2, 1, 2, 1, 2, 1],
} as const;

const modes = (name: string, options: SimpleNetOptions): Record<string, SimpleNetOptions> =>
  Object.fromEntries(
    Object.entries(strideModes).map(([mode, strides]) => [`${name}-${mode}`, { ...options, strides }]),
  );

/**
 * Presets: `nano` for 28×28 images, ours; the paper's for 32×32 with CIFAR-10 accuracies of 91.98,
 * 92.33 and 95.51 % (310k, 460k, 5m); those for 224×224 in five stride modes, with ImageNet top-1
 * in mode m2 of 61.67 % (`in1.5m`), 68.51 % (`in3m`), 72.03 % (`in5m`) and 74.23 % (`in9m`).
 */
export const simpleNets: Readonly<Record<string, SimpleNetOptions>> = {
  'simplenet-nano': {
    layers: [8, 16, 16, 16, 16, 16, P, 32, 32, 32, 64, P, pointwise(256), pointwise(32), 32],
    strides: [2],
  },
  'simplenet-310k': {
    layers: [64, 32, 32, 32, P, 32, 32, 64, P, 64, 64, P, 128, pointwise(256), pointwise(64), P, 64],
  },
  'simplenet-460k': {
    layers: [32, 32, 32, 64, P, 64, 64, 64, P, 64, 64, P, 96, pointwise(96), pointwise(96), P, 100],
  },
  'simplenet-5m': { layers: cifar5m() },
  ...modes('simplenet-in1.5m', { layers: in5m, width: 0.5 }),
  ...modes('simplenet-in3m', { layers: in5m, width: 0.75 }),
  ...modes('simplenet-in5m', { layers: in5m }),
  ...modes('simplenet-in9m', { layers: in9m }),
};

/**
 * `simplenet-5m` with a fifth pooling, by a mistake of the authors: the network behind the
 * published 95.51 % on CIFAR-10 and 78.37 % on CIFAR-100, which dropped a tenth of the channels
 * after each pooling. For old weights.
 */
export const simpleNetExtraPool: SimpleNetOptions = { layers: cifar5m(P) };

/**
 * The authors' training on CIFAR, for `trainOnImages`: AdaDelta for 540 epochs, with a tenth of the
 * learning rate after 100, 190, 306, 390 and 440.
 */
export const simpleNetTraining = {
  ...{ epochs: 540, batchSize: 100, optimizer: 'adadelta', learningRate: 0.1, weightDecay: 1e-3 },
  schedule: (steps) => milestones([100, 190, 306, 390, 440].map((epoch) => (steps * epoch) / 540)),
  augmentation: { crop: 4, flip: true },
} as const satisfies ImageTrainingOptions;
