// Networks of parameter-free layers by name, with the published figures of each.

import type { ResNetOptions, VisionTransformerOptions } from '../../models/index.js';
import type { BlockOperator } from '../../nn/index.js';
import type { PoolingTransformerOptions } from './pit.js';

/** The spatial operator of a ResNet-50 by the name of the network. */
export const pfResNets = {
  'resnet50-max': 'max-pool',
  'resnet50-hybrid': 'hybrid',
  'resnet50-average': 'average-pool',
  'resnet50-depthwise': 'depthwise',
} as const satisfies Record<string, NonNullable<ResNetOptions['operator']>>;

/** Without a class token, with max pooling in the place of attention in every other block. */
const pooled = { pooling: 'mean', operator: 'max-pool', init: 'truncated-normal' } as const;

/** Vision transformers. */
export const pfTransformers = {
  'vit-ti-max': { ...pooled, features: 192, heads: 3 },
  'vit-s-max': { ...pooled, features: 384, heads: 6 },
  'vit-b-max': { ...pooled, features: 768, heads: 12 },
  'vit-nano-max': { ...pooled, features: 48, heads: 3, depth: 4, patchSize: 4 },
} as const satisfies Record<string, VisionTransformerOptions>;

/** Pooling-based vision transformers. */
export const pits = {
  'pit-ti-max': { patch: [16, 8], headFeatures: 32, heads: [2, 4, 8], depths: [2, 6, 4], operator: 'max-pool' },
  'pit-s-max': { patch: [16, 8], headFeatures: 48, heads: [3, 6, 12], depths: [2, 6, 4], operator: 'max-pool' },
  'pit-b-max': { patch: [14, 7], headFeatures: 64, heads: [4, 8, 16], depths: [3, 6, 4], operator: 'max-pool' },
} as const satisfies Record<string, PoolingTransformerOptions>;

/** The operator of nano networks by name; they are ours, for images of 28 to 64 pixels. */
export const pfNanos = {
  'pf-nano': 'max-pool',
  'pf-nano-hybrid': 'hybrid',
  'pf-nano-conv': 'convolution',
  'pf-nano-depthwise': 'depthwise',
} as const satisfies Record<string, BlockOperator>;

/** Figures of a network at 224² and 1000 classes. */
export interface PfFigures {
  /** Parameters, exact by the authors' code. */
  readonly parameters: number;
  /** Multiply-adds of convolutions, linear layers and attention, exact by the authors' code. */
  readonly multiplyAdds: number;
  /** ImageNet top-1 in %, as the authors' README has it. */
  readonly accuracy?: {
    /** With their usual training: of ResNets 90 epochs, of transformers without extras. */
    readonly plain: number;
    /** ResNets: with a longer training. */
    readonly longer?: number;
    /** Transformers: with CutMix. */
    readonly cutmix?: number;
    /** Transformers: with the recipe of DeiT. */
    readonly deit?: number;
  };
  /** ImageNet top-5 in %, with the usual and with a longer training. */
  readonly top5?: { readonly plain: number; readonly longer?: number };
  /** Milliseconds on the authors' GPU. */
  readonly gpuMilliseconds?: number;
  /** Images a second on the authors' GPU. */
  readonly gpuThroughput?: number;
}

/** Published figures by name (github.com/naver-ai/PfLayer). */
export const pfFigures: Readonly<Record<string, PfFigures>> = {
  resnet50: {
    ...{ parameters: 25_557_032, multiplyAdds: 4_089_184_256 },
    ...{ accuracy: { plain: 76.2 }, top5: { plain: 93.8 }, gpuMilliseconds: 8.7 },
  },
  'resnet50-max': {
    ...{ parameters: 14_232_232, multiplyAdds: 2_239_496_192 },
    ...{ accuracy: { plain: 74.3, longer: 75.5 }, top5: { plain: 92.0, longer: 92.1 }, gpuMilliseconds: 6.8 },
  },
  'resnet50-hybrid': {
    ...{ parameters: 17_330_600, multiplyAdds: 2_586_312_704 },
    ...{ accuracy: { plain: 77.1, longer: 78.0 }, top5: { plain: 93.1, longer: 93.5 }, gpuMilliseconds: 7.3 },
  },
  'vit-ti-max': { parameters: 6_159_400, multiplyAdds: 1_244_757_504 },
  'vit-s-max': {
    ...{ parameters: 23_819_368, multiplyAdds: 4_743_822_336 },
    ...{ accuracy: { plain: 74.2, cutmix: 77.3, deit: 80.0 }, gpuThroughput: 763 },
  },
  'vit-b-max': { parameters: 93_644_008, multiplyAdds: 18_504_873_984 },
  'pit-ti-max': { parameters: 5_174_504, multiplyAdds: 631_512_960 },
  'pit-s-max': {
    ...{ parameters: 25_119_784, multiplyAdds: 2_813_372_640 },
    ...{ accuracy: { plain: 75.7, cutmix: 78.1, deit: 80.8 }, gpuThroughput: 1000 },
  },
  'pit-b-max': { parameters: 79_005_928, multiplyAdds: 12_428_636_160 },
};
