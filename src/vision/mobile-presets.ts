// MobileNets and EfficientNets for small images.

import type { EfficientNetOptions, MobileNetV1Options, MobileNetV2Options } from '../models/index.js';

/** MobileNetV1 presets for images of 28 to 64 pixels. */
export const smallMobileNets = {
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
export const mobileNetsV2 = {
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
export const smallEfficientNets = {
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
