// Presets of EMOv2 and of EMO, with their published figures.

import type { ImageTrainingOptions } from '../../models/index.js';
import { Clipped, warmUpCosine } from '../../nn/index.js';
import type { EMOv2Options } from './network.js';

/** What the sizes share between EMOv2 and EMO. */
const sizes = {
  '1m': {
    ...{ depths: [2, 2, 8, 3], dims: [32, 48, 80, 180], expansions: [2, 2.5, 3, 3.5] },
    ...{ headChannels: [16, 16, 20, 20], dropPath: 0.04036 },
  },
  '2m': {
    ...{ depths: [3, 3, 9, 3], dims: [32, 48, 120, 200], expansions: [2, 2.5, 3, 3.5] },
    ...{ headChannels: [16, 16, 20, 20], dropPath: 0.05 },
  },
  '5m': {
    ...{ depths: [3, 3, 9, 3], dims: [48, 72, 160, 288], expansions: [2, 3, 4, 4] },
    ...{ headChannels: [16, 24, 32, 32], dropPath: 0.05 },
  },
  '20m': {
    ...{ depths: [3, 3, 13, 3], dims: [64, 128, 320, 448], expansions: [2, 3, 4, 4] },
    ...{ headChannels: [16, 32, 32, 32], dropPath: 0.1 },
  },
  '50m': {
    ...{ depths: [5, 8, 20, 7], dims: [64, 128, 384, 512], expansions: [2, 3, 4, 4] },
    ...{ headChannels: [16, 32, 32, 32], dropPath: 0.2 },
  },
} as const satisfies Record<string, EMOv2Options>;

/** What makes EMO of EMOv2: smaller kernels in the first stages, and remote windows alone. */
export const firstVersion = {
  kernels: [3, 3, 5, 5],
  attention: [[], [], ['remote'], ['remote']],
} as const satisfies Partial<EMOv2Options>;

/** Ours, for images of 28 to 64 pixels. */
const nano = {
  ...{ depths: [2, 2, 3, 2], dims: [16, 24, 32, 48], expansions: [2, 2.5, 3, 3.5], headChannels: [16, 16, 16, 16] },
  ...{ stem: 1, strides: [2, 2, 1, 2], window: 4, layerScale: 0 },
} as const satisfies EMOv2Options;

/**
 * Presets by name: the paper's `emov2-1m` to `emov2-50m`, those of the network before it (`emo-…`,
 * in the form of EMOv2's code), and `nano`, ours, for images of 28 to 64 pixels.
 */
export const emov2s: Readonly<Record<string, EMOv2Options>> = {
  'emov2-nano': nano,
  ...Object.fromEntries(Object.entries(sizes).map(([size, options]) => [`emov2-${size}`, options])),
  'emo-nano': { ...nano, ...firstVersion },
  ...Object.fromEntries(
    (['1m', '2m', '5m', '20m'] as const).map((size) => [`emo-${size}`, { ...sizes[size], ...firstVersion }]),
  ),
};

/** Published figures of a preset. */
export interface EMOv2Figures {
  /** Parameters, exact by the authors' code. */
  readonly parameters: number;
  /** Floating-point operations at 224², as published; they count norms too. */
  readonly operations?: number;
  /** ImageNet top-1 in %: plain, with distillation, and with distillation at 512². */
  readonly accuracy?: { readonly plain: number; readonly distilled?: number; readonly distilled512?: number };
  /** Mean average precision on COCO with RetinaNet, in %. */
  readonly retinaNet?: number;
}

/** Published figures by preset (EMOv2's code and README; EMO's README). */
export const emov2Figures: Readonly<Record<string, EMOv2Figures>> = {
  'emov2-1m': {
    ...{ parameters: 1_460_844, operations: 285e6, retinaNet: 36.9 },
    accuracy: { plain: 72.3, distilled: 73.5 },
  },
  'emov2-2m': {
    ...{ parameters: 2_384_312, operations: 487e6, retinaNet: 39.3 },
    accuracy: { plain: 75.8, distilled: 76.7 },
  },
  'emov2-5m': {
    ...{ parameters: 5_126_440, operations: 1035e6, retinaNet: 41.5 },
    accuracy: { plain: 79.4, distilled: 80.9, distilled512: 82.9 },
  },
  'emov2-20m': { parameters: 20_195_208, retinaNet: 43.8 },
  'emov2-50m': { parameters: 49_815_560 },
  'emo-1m': { parameters: 1_454_316, operations: 261e6, accuracy: { plain: 71.5 }, retinaNet: 34.4 },
  'emo-2m': { parameters: 2_374_840, operations: 439e6, accuracy: { plain: 75.1 }, retinaNet: 36.2 },
  'emo-5m': { parameters: 5_110_312, operations: 903e6, accuracy: { plain: 78.4 }, retinaNet: 38.9 },
};

/** Epochs of the authors' training, and of its warm-up. */
const [EPOCHS, WARM_UP] = [300, 20];

/**
 * The authors' training on ImageNet, for `trainOnImages`, as far as it has the same augmentation:
 * theirs are RandAugment and colour jitter. γ and other weights of one axis are not decayed.
 */
export const emov2Training = {
  ...{ epochs: EPOCHS, batchSize: 1024, learningRate: 1.5e-3, weightDecay: 0.05, labelSmoothing: 0.1 },
  ...{ average: 0.9998, augmentation: { flip: true } },
  schedule: (steps) => warmUpCosine(steps, WARM_UP / EPOCHS),
  wrapOptimizer: (optimizer) => new Clipped(optimizer, 5),
} as const satisfies ImageTrainingOptions;
