// Image classifiers by name.

import {
  EfficientNet,
  type EfficientNetOptions,
  LeNet,
  MobileNetV1,
  type MobileNetV1Options,
  MobileNetV2,
  type MobileNetV2Options,
  ResNet,
  SmallResNet,
  VisionTransformer,
  visionTransformers,
} from '../models/index.js';
import type { Layer } from '../nn/index.js';
import type { Random } from '../tensor/index.js';
import { LSNet, type LSNetOptions, lsNets } from './lsnet/index.js';
import { VanillaNet, type VanillaNetOptions, vanillaNets } from './vanillanet.js';

/** Image size, classes and width of the classifier to create. */
export interface ImageShape {
  /** 1 for greyscale, 3 for RGB. */
  readonly channels: number;
  /** Number of classes, the width of the logits. */
  readonly classes: number;
  /** Height and width of the images in pixels. */
  readonly size: number;
  /** Width multiplier of MobileNets and EfficientNets. Default: 1. */
  readonly width?: number;
}

/** Creates a network with random weights. */
type Make = (shape: ImageShape, random: Random) => Layer;

/** Constructors of presets by name. */
const named = <Options>(
  presets: Readonly<Record<string, Options>>,
  make: (options: Options, ...rest: Parameters<Make>) => Layer,
) =>
  Object.fromEntries(
    Object.entries(presets).map(([name, options]): [string, Make] => [
      name,
      (shape, random) => make(options, shape, random),
    ]),
  );

/** Height and width of the last feature map of an LSNet, whose stages after the first halve it. */
function lastMap(size: number, { stem = [2, 2, 2], depths }: LSNetOptions): number {
  const strides = [...stem, ...depths.slice(1).map(() => 2)];
  return strides.reduce((side, stride) => Math.ceil(side / stride), size);
}

/** MobileNetV1 presets for images of 28 to 64 pixels. */
const smallMobileNets = {
  'mobilenet-v1-nano': {
    stem: [16, 2],
    blocks: [
      [32, 1],
      [32, 2],
      [64, 1],
      [64, 2],
      [64, 1],
    ],
  },
  'mobilenet-v1-small': {
    stem: [32, 1],
    blocks: [
      [64, 1],
      [128, 2],
      [128, 1],
      [256, 2],
      [256, 1],
    ],
  },
} as const satisfies Record<string, MobileNetV1Options>;

/** MobileNetV2 presets: `cache-aware` for larger images, the others for 28 to 64 pixels. */
const mobileNetsV2 = {
  // No pointwise layer reads more than 512 channels, so that its tile stays in the L1 cache; the
  // saved parameters pay for three more blocks.
  'mobilenet-v2-cache-aware': {
    groups: [
      [1, 16, 1, 1],
      [6, 24, 2, 2],
      [6, 32, 3, 2],
      [6, 64, 4, 2],
      [6, 96, 3, 1],
      [6, 160, 6, 2],
      [6, 320, 1, 1],
    ],
    largestExpansion: 512,
  },
  'mobilenet-v2-nano': {
    stem: [16, 2],
    groups: [
      [1, 8, 1, 1],
      [6, 12, 2, 1],
      [6, 16, 2, 2],
      [6, 32, 2, 2],
    ],
    final: 64,
  },
  'mobilenet-v2-small': {
    stem: [16, 1],
    groups: [
      [1, 16, 1, 1],
      [6, 24, 2, 2],
      [6, 40, 3, 2],
      [6, 64, 1, 1],
    ],
    final: 256,
  },
} as const satisfies Record<string, MobileNetV2Options>;

/** EfficientNets for images of 28 to 64 pixels. */
const smallEfficientNets = {
  'efficientnet-small': {
    stem: [16, 1],
    stages: [
      [1, 3, 1, 16, 1],
      [6, 3, 2, 24, 2],
      [6, 5, 2, 40, 3],
      [6, 3, 1, 64, 1],
    ],
    final: 256,
  },
} as const satisfies Record<string, EfficientNetOptions>;

const makers: Readonly<Record<string, Make>> = {
  lenet: ({ channels, classes }, random) => new LeNet(random, { channels, classes }),
  ...Object.fromEntries(
    [8, 20, 32, 44, 56, 110].map((depth): [string, Make] => [
      `resnet${depth}`,
      ({ channels, classes }, random) => new SmallResNet(depth, random, { channels, classes }),
    ]),
  ),
  ...Object.fromEntries(
    ([18, 34, 50] as const).map((depth): [string, Make] => [
      `resnet${depth}`,
      ({ channels, classes }, random) => new ResNet(depth, random, { channels, classes }),
    ]),
  ),
  'mobilenet-v1': (shape, random) => new MobileNetV1(random, shape),
  'mobilenet-v2': (shape, random) => new MobileNetV2(random, shape),
  ...named<MobileNetV1Options>(
    smallMobileNets,
    (options, shape, random) => new MobileNetV1(random, { ...options, ...shape }),
  ),
  ...named<MobileNetV2Options>(
    mobileNetsV2,
    (options, shape, random) => new MobileNetV2(random, { ...options, ...shape }),
  ),
  ...named<EfficientNetOptions>(
    smallEfficientNets,
    (options, shape, random) => new EfficientNet('b0', random, { ...options, ...shape }),
  ),
  'efficientnet-b0': (shape, random) => new EfficientNet('b0', random, shape),
  'efficientnet-b1': (shape, random) => new EfficientNet('b1', random, shape),
  ...named(
    visionTransformers,
    (options, { size, ...shape }, random) => new VisionTransformer(random, { ...options, ...shape, imageSize: size }),
  ),
  ...named<VanillaNetOptions>(
    vanillaNets,
    (options, shape, random) => new VanillaNet({ ...options, ...shape }, random),
  ),
  ...named<LSNetOptions>(
    lsNets,
    (options, shape, random) =>
      new LSNet({ ...options, ...shape, attentionSize: lastMap(shape.size, options) }, random),
  ),
};

/** Names accepted by `imageModel`. */
export const imageModelNames: readonly string[] = Object.keys(makers);

/**
 * Creates an image classifier with random weights: [n, channels, size, size] → logits [n, classes].
 *
 * @throws Error for an unknown name, listing the known ones
 */
export function imageModel(name: string, shape: ImageShape, random: Random): Layer {
  const make = makers[name];
  if (!make) throw new Error(`model "${name}" is not known; there are ${imageModelNames.join(', ')}`);
  return make(shape, random);
}
