// Binary networks of convolutions: weights and activations of −1 and 1 but for the first
// convolution and the classifier (Courbariaux et al. 2016; Rastegari et al. 2016).
//
// Every binary block is batch norm → sign → binary convolution, so that between two of them there
// are bits alone. For inference the whole chain stays in planes of bits: norms and signs become
// thresholds of integers, and a channel is computed from another one where the layer has a tree.

import {
  BatchNorm2d,
  BinaryConv2d,
  type Conv2d,
  clipBinaryWeights,
  type FollowsSteps,
  Linear,
  type Mergeable,
  type Mode,
  parameter,
  signThresholds,
} from '../nn/index.js';
import { PlaneConvolution, PlaneGrid, type PlaneMap, type PlaneSchedule, signPlanes } from '../quantized/index.js';
import { globalAveragePool, type Random, signs, type Tensor } from '../tensor/index.js';
import { heConv } from './conv-norm.js';
import { roundChannels } from './mobilenet.js';

/** Options of `BinaryNet`. */
export interface BinaryNetOptions {
  /** Channels of the images. Default: 1. */
  readonly channels?: number;
  /** Number of classes. Default: 10. */
  readonly classes?: number;
  /** Channels after the first convolution. Default: 32. */
  readonly stem?: number;
  /** Channels and stride of each binary convolution. Default: 64, 64 with stride 2, 128. */
  readonly layers?: readonly (readonly [channels: number, stride: number])[];
  /** Width multiplier of all layers. Default: 1. */
  readonly width?: number;
}

/** Channels and stride of the binary layers of small images. */
const SMALL: NonNullable<BinaryNetOptions['layers']> = [
  [64, 1],
  [64, 2],
  [128, 1],
];

/**
 * A binary network: a real 3×3 convolution of stride 2, binary 3×3 ones, the mean of the last map,
 * a linear classifier.
 */
export class BinaryNet implements Mergeable, FollowsSteps {
  /** Real 3×3 convolution of stride 2. */
  readonly stem: Conv2d;
  /** The norm before the sign of each binary layer, and the one behind the last. */
  readonly norms: readonly BatchNorm2d[];
  /** Binary 3×3 convolutions. */
  readonly layers: readonly BinaryConv2d[];
  /** The classifier. */
  readonly fc: Linear;

  /** @throws RangeError without a binary layer */
  constructor(
    random: Random,
    { channels = 1, classes = 10, stem = 32, layers = SMALL, width = 1 }: BinaryNetOptions = {},
  ) {
    if (layers.length === 0) throw new RangeError('BinaryNet: needs at least one binary layer');
    const scaled = (count: number) => (width === 1 ? count : roundChannels(width * count));
    const widths = [stem, ...layers.map(([count]) => count)].map(scaled);
    this.stem = heConv(channels, widths[0] as number, 3, random, { stride: 2, padding: 1 });
    this.norms = widths.map((count) => new BatchNorm2d(count));
    this.layers = layers.map(
      ([, stride], at) => new BinaryConv2d(widths[at] as number, widths[at + 1] as number, 3, random, { stride }),
    );
    this.fc = new Linear(widths.at(-1) as number, classes, random);
  }

  /** Images [n, channels, h, w] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    const maps = this.layers.reduce(
      (map, layer, at) => layer.forward((this.norms[at] as BatchNorm2d).forward(map, mode), mode),
      this.stem.forward(x),
    );
    return this.fc.forward(globalAveragePool((this.norms.at(-1) as BatchNorm2d).forward(maps, mode, 'relu')));
  }

  /** Keeps the real weights behind the signs in [−1, 1]. */
  followStep(): void {
    clipBinaryWeights(this);
  }

  /** The form that runs on planes of bits, by the trees of the layers that have them. */
  merged(): BinaryPlanes {
    return new BinaryPlanes(this);
  }
}

/** A binary layer as planes are convolved: its signs, the parents of its channels, its stride. */
interface SignLayer {
  readonly weight: Tensor;
  readonly codes: Float32Array;
  readonly stride: number;
}

/**
 * A trained `BinaryNet` on planes of bits. Its answers are those of the network: every sum is the
 * same integer, and every comparison that of the norm.
 */
export class BinaryPlanes {
  /** Real 3×3 convolution of stride 2. */
  readonly stem: Conv2d;
  /** The norms before the first sign and behind the last layer. */
  readonly norms: readonly [first: BatchNorm2d, last: BatchNorm2d];
  /** The binary layers, with their signs as weights. */
  readonly layers: readonly SignLayer[];
  /** The classifier. */
  readonly fc: Linear;
  readonly #thresholds: readonly ReturnType<typeof signThresholds>[];
  readonly #schedule: PlaneSchedule;
  /** Convolutions by the number and size of the images. */
  readonly #made = new Map<string, { readonly grid: PlaneGrid; readonly convolutions: readonly PlaneConvolution[] }>();

  /** @param schedule how threads share the work. Default: `pixels` */
  constructor({ stem, norms, layers, fc }: BinaryNet, schedule: PlaneSchedule = 'pixels') {
    this.stem = stem;
    this.fc = fc;
    this.norms = [norms[0] as BatchNorm2d, norms.at(-1) as BatchNorm2d];
    this.layers = layers.map(({ weight, parents, stride }) => ({
      weight: parameter(signs(weight)),
      codes: parents.dataSync<Float32Array>(),
      stride,
    }));
    this.#thresholds = layers
      .slice(0, -1)
      .map(({ inChannels, kernelSize }, at) =>
        signThresholds(norms[at + 1] as BatchNorm2d, inChannels * kernelSize ** 2),
      );
    this.#schedule = schedule;
  }

  /** Images [n, channels, h, w] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    const first = this.norms[0].forward(this.stem.forward(x), mode);
    const { grid, convolutions } = this.#convolutionsFor(first);
    const planes = signPlanes(first, grid, this.#phases(0));
    const sums = convolutions.reduce((bits, convolution) => convolution.forward(bits), planes);
    return this.fc.forward(globalAveragePool(this.norms[1].forward(sums, mode, 'relu')));
  }

  /** Product of the strides from a layer on. */
  #phases(from: number): number {
    return this.layers.slice(from).reduce((product, { stride }) => product * stride, 1);
  }

  #convolutionsFor({ shape }: Tensor) {
    const [images = 0, , height = 0, width = 0] = shape;
    const key = [images, height, width].join();
    const known = this.#made.get(key);
    if (known) return known;
    let map: PlaneMap = { size: [height, width], phases: this.#phases(0) };
    const kernel = Math.max(...this.layers.map(({ weight }) => weight.shape[2] as number));
    const grid = new PlaneGrid(images, map, kernel);
    const convolutions = this.layers.map(({ weight, codes, stride }, at) => {
      const thresholds = this.#thresholds[at];
      const own = { weight, parents: codes, stride, map, grid, schedule: this.#schedule };
      const convolution = new PlaneConvolution({ ...own, ...(thresholds && { thresholds }) });
      map = convolution.map;
      return convolution;
    });
    const made = { grid, convolutions };
    this.#made.set(key, made);
    return made;
  }
}

/**
 * Named binary networks. With one channel, 28×28 pixels and 10 classes `binary-net` has 131,178
 * parameters and 9,089,408 multiply-adds, 9,031,680 of them binary; with three channels and 32×32
 * pixels `binary-net-deep` has 279,466, 21,456,128 and 21,233,664.
 */
export const binaryNets: Readonly<Record<string, BinaryNetOptions>> = {
  'binary-net': { layers: SMALL },
  'binary-net-deep': { layers: [...SMALL, [128, 1]] },
};
