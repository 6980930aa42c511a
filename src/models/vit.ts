// Vision transformer (Dosovitskiy et al. 2021) as DeiT trains it (Touvron et al. 2021): patches as tokens, a class token, pre-norm blocks. Field names as in timm.

import { Conv2d, LayerNorm, Linear, type Mode, MultiHeadAttention, parameter, truncatedNormal } from '../nn/index.js';
import {
  add,
  broadcastTo,
  concatenate,
  type Random,
  reshape,
  slice,
  type Tensor,
  transpose,
  zeros,
} from '../tensor/index.js';

const EPSILON = 1e-6;

class Mlp {
  readonly fc1: Linear;
  readonly fc2: Linear;

  constructor(features: number, hidden: number, random: Random) {
    this.fc1 = new Linear(features, hidden, random);
    this.fc2 = new Linear(hidden, features, random);
  }

  forward(x: Tensor): Tensor {
    return this.fc2.forward(this.fc1.forward(x).gelu());
  }
}

class TransformerBlock {
  readonly norm1: LayerNorm;
  readonly attn: MultiHeadAttention;
  readonly norm2: LayerNorm;
  readonly mlp: Mlp;

  constructor(features: number, heads: number, random: Random) {
    this.norm1 = new LayerNorm(features, { epsilon: EPSILON });
    this.attn = new MultiHeadAttention(features, heads, random);
    this.norm2 = new LayerNorm(features, { epsilon: EPSILON });
    this.mlp = new Mlp(features, 4 * features, random);
  }

  forward(x: Tensor): Tensor {
    const attended = add(x, this.attn.forward(this.norm1.forward(x)));
    return add(attended, this.mlp.forward(this.norm2.forward(attended)));
  }
}

export interface VisionTransformerOptions {
  readonly imageSize?: number;
  readonly patchSize?: number;
  readonly channels?: number;
  readonly classes?: number;
  readonly features?: number;
  readonly depth?: number;
  readonly heads?: number;
}

/** Images [n, channels, imageSize, imageSize] → logits [n, classes], read from the class token. Defaults are DeiT-Tiny. */
export class VisionTransformer {
  clsToken: Tensor;
  posEmbed: Tensor;
  readonly patchEmbed: { readonly proj: Conv2d };
  readonly blocks: readonly TransformerBlock[];
  readonly norm: LayerNorm;
  readonly head: Linear;

  constructor(random: Random, options: VisionTransformerOptions = {}) {
    const {
      imageSize = 224,
      patchSize = 16,
      channels = 3,
      classes = 1000,
      features = 192,
      depth = 12,
      heads = 3,
    } = options;
    if (imageSize % patchSize !== 0)
      throw new RangeError(
        `VisionTransformer: an image of ${imageSize} pixels does not divide into patches of ${patchSize}`,
      );
    const tokens = (imageSize / patchSize) ** 2 + 1;
    this.clsToken = parameter(zeros([1, 1, features]));
    this.posEmbed = parameter(truncatedNormal(random, [1, tokens, features]));
    this.patchEmbed = { proj: new Conv2d(channels, features, patchSize, random, { stride: patchSize }) };
    this.blocks = Array.from({ length: depth }, () => new TransformerBlock(features, heads, random));
    this.norm = new LayerNorm(features, { epsilon: EPSILON });
    this.head = new Linear(features, classes, random);
  }

  forward(x: Tensor, _mode: Mode): Tensor {
    const n = x.shape[0] as number;
    const features = this.norm.features;
    const patches = transpose(reshape(this.patchEmbed.proj.forward(x), [n, features, -1])); // [n, patches, features]
    const tokens = add(concatenate([broadcastTo(this.clsToken, [n, 1, features]), patches], 1), this.posEmbed);
    const seen = this.norm.forward(this.blocks.reduce((value, block) => block.forward(value), tokens));
    return this.head.forward(reshape(slice(seen, null, [0, 1]), [n, features]));
  }
}

/** DeiT without distillation; ImageNet top-1 72.2 and 79.9. */
export const visionTransformers = {
  'deit-tiny': { features: 192, heads: 3 },
  'deit-small': { features: 384, heads: 6 },
} as const satisfies Record<string, VisionTransformerOptions>;
