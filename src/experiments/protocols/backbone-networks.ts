// All backbones for small images, and the usual networks beside them: each with the settings that
// its own experiment chooses from.

import { SmallResNet, VisionTransformer, visionTransformers } from '../../models/index.js';
import type { FreezesStatistics, Layer, Mode } from '../../nn/index.js';
import { averagePool2d, pad, type Random, type Tensor } from '../../tensor/index.js';
import {
  type ImageShape,
  imageModel,
  PHResNet,
  Terminator,
  type TerminatorPreset,
  terminators,
} from '../../vision/index.js';
import type { ImageMethod, ImageSetting, SlowFastSetting } from './images.js';

export const SIMPLENET = 'SimpleNet';
export const VANILLANET = 'VanillaNet';
export const LSNET = 'LSNet';
export const EMOV2 = 'EMOv2';
export const PHNN = 'PHC-ResNet-8, n = 3';
export const PFLAYER = 'PfLayer, max pooling';
export const PF_HYBRID = 'PfLayer, hybrid, padded';
export const TERMINATOR = 'Terminator, at half the size';
export const RESNET8 = 'ResNet-8';
export const NARROW8 = 'ResNet-8, half as wide';
export const NARROW20 = 'ResNet-20, half as wide';
export const MOBILE1 = 'MobileNetV1';
export const MOBILE2 = 'MobileNetV2';
export const VIT = 'ViT';
export const LONG_VIT = 'ViT, three times the epochs';

const rates = (...learningRates: readonly number[]): readonly ImageSetting[] =>
  learningRates.map((learningRate) => ({ learningRate, weightDecay: 0.02 }));

/** What most networks choose from, what transformers do, and what Terminators do. */
const [usual, lower] = [rates(3e-3, 1e-3, 6e-3), rates(1e-3, 5e-4, 3e-4)];
const slowFast: readonly SlowFastSetting[] = [
  { learningRate: 1e-3, weightDecay: 0.02, frequency: 10 },
  { learningRate: 1e-3, weightDecay: 0.02, frequency: 1 },
  { learningRate: 2e-3, weightDecay: 0.02, frequency: 10 },
];

/** A Terminator on images whose blocks of 2×2 pixels are averaged, for which it is made. */
export class HalvedTerminator implements FreezesStatistics {
  constructor(readonly network: Terminator) {}

  forward(x: Tensor, mode: Mode): Tensor {
    return this.network.forward(averagePool2d(x, 2), mode);
  }

  freezeStatistics(batches: Iterable<Tensor>): void {
    this.network.freezeStatistics(
      (function* halved() {
        for (const batch of batches) yield averagePool2d(batch, 2);
      })(),
    );
  }
}

/** A network on images with zeros around them, so that their sides are multiples of a number. */
export class Padded implements Layer {
  constructor(
    readonly network: Layer,
    readonly multiple: number,
  ) {}

  forward(x: Tensor, mode: Mode): Tensor {
    const around = (side: number): [number, number] => {
      const missing = Math.ceil(side / this.multiple) * this.multiple - side;
      return [missing >> 1, missing - (missing >> 1)];
    };
    const [, , height, width] = x.shape as [number, number, number, number];
    return this.network.forward(pad(x, [[0, 0], [0, 0], around(height), around(width)]), mode);
  }
}

/** A hybrid halves maps three times, and wants them even. */
const HALVED = 8;

const resNet =
  (depth: 8 | 20, first: number): ImageMethod['network'] =>
  ({ channels, classes }, random) =>
    new SmallResNet(depth, random, { channels, classes, widths: [first, 2 * first, 4 * first] });

const vit: ImageMethod['network'] = ({ size, channels, classes }, random) =>
  new VisionTransformer(random, { ...visionTransformers['vit-nano'], channels, classes, imageSize: size });

function terminator({ channels, classes, size }: ImageShape, random: Random, setting?: ImageSetting) {
  const preset = terminators['terminator-nano'] as TerminatorPreset;
  const { frequency = 10 } = (setting ?? {}) as Partial<SlowFastSetting>;
  return new HalvedTerminator(new Terminator({ ...preset, channels, classes, size: size >> 1, frequency }, random));
}

/** The backbones of the family. */
export const backbones: readonly ImageMethod[] = [
  { title: SIMPLENET, network: 'simplenet-nano', settings: usual },
  { title: VANILLANET, network: 'vanillanet-nano' },
  { title: LSNET, network: 'lsnet-nano' },
  { title: EMOV2, network: 'emov2-nano', settings: usual },
  { title: PFLAYER, network: 'pf-nano', settings: usual },
  {
    title: PF_HYBRID,
    network: (shape, random) =>
      new Padded(
        imageModel('pf-nano-hybrid', { ...shape, size: HALVED * Math.ceil(shape.size / HALVED) }, random),
        HALVED,
      ),
    settings: usual,
  },
  {
    title: PHNN,
    network: ({ channels, classes }, random) =>
      new PHResNet({ blocks: [1, 1, 1], widths: [12, 24, 48], channels, classes, n: 3 }, random),
    settings: usual,
  },
  {
    title: TERMINATOR,
    network: terminator,
    settings: slowFast,
    training: () => ({ optimizer: 'kar3', labelSmoothing: 0.09 }),
  },
];

/** The usual networks of their size. */
export const usualNetworks: readonly ImageMethod[] = [
  { title: NARROW8, network: resNet(8, 8) },
  { title: RESNET8, network: resNet(8, 16) },
  { title: NARROW20, network: resNet(20, 8) },
  { title: MOBILE1, network: 'mobilenet-v1-nano' },
  { title: MOBILE2, network: 'mobilenet-v2-nano' },
  { title: VIT, network: vit, settings: lower },
  { title: LONG_VIT, network: vit, settings: lower, longer: 3 },
];

/** All networks of the comparison. */
export const backboneMethods: readonly ImageMethod[] = [...backbones, ...usualNetworks];
