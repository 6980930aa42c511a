// Vision transformer (Dosovitskiy et al. 2021) with DeiT's dimensions (Touvron et al. 2021): patch
// embedding, class token, pre-norm blocks. Field names as in timm.

import {
  Conv2d,
  inference,
  type Layer,
  LayerNorm,
  Linear,
  type Mode,
  MultiHeadAttention,
  type Participation,
  parameter,
  SoftHGNN,
  truncatedNormal,
} from '../nn/index.js';
import {
  add,
  broadcastTo,
  concatenate,
  mean,
  type Random,
  reshape,
  type Shape,
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

  constructor(features: number, heads: number, hidden: number, random: Random) {
    this.norm1 = new LayerNorm(features, { epsilon: EPSILON });
    this.attn = new MultiHeadAttention(features, heads, random);
    this.norm2 = new LayerNorm(features, { epsilon: EPSILON });
    this.mlp = new Mlp(features, hidden, random);
  }

  forward(x: Tensor): Tensor {
    const attended = add(x, this.attn.forward(this.norm1.forward(x)));
    return add(attended, this.mlp.forward(this.norm2.forward(attended)));
  }
}

/** Hyperparameters of a vision transformer. The defaults are DeiT-Tiny's. */
export interface VisionTransformerOptions {
  /** Height and width of the images in pixels. Default: 224. */
  readonly imageSize?: number;
  /** Side of a patch in pixels, a divisor of `imageSize`. Default: 16. */
  readonly patchSize?: number;
  /** Channels of the input images. Default: 3. */
  readonly channels?: number;
  /** Number of classes. Default: 1000. */
  readonly classes?: number;
  /** Embedding dimension. Default: 192. */
  readonly features?: number;
  /** Number of transformer blocks. Default: 12. */
  readonly depth?: number;
  /** Number of attention heads, a divisor of `features`. Default: 3. */
  readonly heads?: number;
  /** Hidden dimension of the feed-forward layers. Default: 4·features. */
  readonly hidden?: number;
  /** `class`: a class token is classified; `mean`: the mean of all patches. Default: `class`. */
  readonly pooling?: 'class' | 'mean';
  /**
   * Makes a layer [n, tokens, features] → the same shape that all tokens, the class token among
   * them, pass after the last block and before the final norm. Default: none.
   */
  readonly context?: (features: number, random: Random) => Layer;
}

/**
 * Vision transformer that classifies by the class token, or by the mean of its patches.
 *
 * @throws RangeError when the image does not divide into patches.
 */
export class VisionTransformer {
  /** Class token [1, 1, features]; none with mean pooling. */
  clsToken: Tensor | undefined;
  /** Learned position embeddings of class token, if any, and patches: [1, tokens, features]. */
  posEmbed: Tensor;
  /** Patch embedding, a convolution with stride `patchSize`. */
  readonly patchEmbed: { readonly proj: Conv2d };
  /** Transformer blocks. */
  readonly blocks: readonly TransformerBlock[];
  /** Layer on all tokens after the last block, if any. */
  readonly context: Layer | undefined;
  /** Final norm. */
  readonly norm: LayerNorm;
  /** Classifier. */
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
      hidden = 4 * features,
      pooling = 'class',
    } = options;
    if (imageSize % patchSize !== 0)
      throw new RangeError(
        `VisionTransformer: an image of ${imageSize} pixels does not divide into patches of ${patchSize}`,
      );
    const tokens = (imageSize / patchSize) ** 2 + (pooling === 'class' ? 1 : 0);
    if (pooling === 'class') this.clsToken = parameter(zeros([1, 1, features]));
    this.posEmbed = parameter(truncatedNormal(random, [1, tokens, features]));
    this.patchEmbed = { proj: new Conv2d(channels, features, patchSize, random, { stride: patchSize }) };
    this.blocks = Array.from({ length: depth }, () => new TransformerBlock(features, heads, hidden, random));
    // On a stream of its own: with and without it a seed gives the same backbone.
    this.context = options.context?.(features, random.split('context'));
    this.norm = new LayerNorm(features, { epsilon: EPSILON });
    this.head = new Linear(features, classes, random);
  }

  /** The normed tokens of images: [n, tokens, features], a class token first. */
  tokens(x: Tensor, mode: Mode = inference): Tensor {
    const attended = this.#attended(x);
    return this.norm.forward(this.context ? this.context.forward(attended, mode) : attended);
  }

  /** What the last block gives. */
  #attended(x: Tensor): Tensor {
    const n = x.shape[0] as number;
    const features = this.norm.features;
    const patches = transpose(reshape(this.patchEmbed.proj.forward(x), [n, features, -1])); // [n, patches, features]
    const classed = this.clsToken && broadcastTo(this.clsToken, [n, 1, features]);
    const tokens = add(classed ? concatenate([classed, patches], 1) : patches, this.posEmbed);
    return this.blocks.reduce((value, block) => block.forward(value), tokens);
  }

  /**
   * Who takes part in which soft hyperedge of the context: weights [n, m, rows, columns] of the
   * patches, without the class token's.
   *
   * @throws Error without such a context
   */
  participation(x: Tensor): Participation {
    if (!(this.context instanceof SoftHGNN))
      throw new Error('VisionTransformer: there are no soft hyperedges without a context of SoftHGNN');
    const { weights, hyperedges } = this.context.participation(this.#attended(x));
    const [n, used, count] = weights.shape as [number, number, number];
    const patches = this.clsToken ? slice(weights, null, null, [1, count]) : weights;
    const side = Math.sqrt(patches.shape[2] as number);
    return { weights: reshape(patches, [n, used, side, side]), hyperedges };
  }

  /** The patches of images as a map [n, features, rows, columns], for dense prediction. */
  maps(x: Tensor, mode: Mode = inference): Tensor[] {
    const tokens = this.tokens(x, mode);
    const [n, count, features] = tokens.shape as [number, number, number];
    const patches = this.clsToken ? slice(tokens, null, [1, count]) : tokens;
    const side = Math.sqrt(patches.shape[1] as number);
    return [reshape(transpose(patches), [n, features, side, side])];
  }

  /** Images [n, channels, imageSize, imageSize] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    const tokens = this.tokens(x, mode);
    const [n, , features] = tokens.shape as [number, number, number];
    return this.head.forward(this.clsToken ? reshape(slice(tokens, null, [0, 1]), [n, features]) : mean(tokens, 1));
  }
}

/** Shapes of the parameters of a vision transformer by name, without making it. */
export function visionTransformerShapes(options: VisionTransformerOptions = {}): Record<string, Shape> {
  const { imageSize = 224, patchSize = 16, channels = 3, classes = 1000, features: d = 192, depth = 12 } = options;
  const { hidden = 4 * d, pooling = 'class' } = options;
  const tokens = (imageSize / patchSize) ** 2 + (pooling === 'class' ? 1 : 0);
  const affine = (name: string, shape: Shape) => ({ [`${name}.weight`]: shape, [`${name}.bias`]: shape.slice(0, 1) });
  const blocks = Array.from({ length: depth }, (_, i) => ({
    ...affine(`blocks.${i}.norm1`, [d]),
    ...affine(`blocks.${i}.attn.qkv`, [3 * d, d]),
    ...affine(`blocks.${i}.attn.proj`, [d, d]),
    ...affine(`blocks.${i}.norm2`, [d]),
    ...affine(`blocks.${i}.mlp.fc1`, [hidden, d]),
    ...affine(`blocks.${i}.mlp.fc2`, [d, hidden]),
  }));
  return Object.assign(
    pooling === 'class' ? { clsToken: [1, 1, d] } : {},
    { posEmbed: [1, tokens, d] },
    affine('patchEmbed.proj', [d, channels, patchSize, patchSize]),
    ...blocks,
    affine('norm', [d]),
    affine('head', [classes, d]),
  );
}

/**
 * DeiT's configurations without distillation (ImageNet top-1 72.2 and 79.9 %, paper), and
 * `vit-nano`
 * for images of 28 to 64 pixels.
 */
export const visionTransformers = {
  'deit-tiny': { features: 192, heads: 3 },
  'deit-small': { features: 384, heads: 6 },
  'vit-nano': { features: 48, heads: 3, depth: 4, patchSize: 4, pooling: 'mean' },
} as const satisfies Record<string, VisionTransformerOptions>;
