// Vision transformer (Dosovitskiy et al. 2021) with DeiT's dimensions (Touvron et al. 2021): patch
// embedding, class token, pre-norm blocks. Field names as in timm.

import {
  Conv2d,
  inference,
  type Layer,
  LayerNorm,
  Linear,
  type Mode,
  type Participation,
  parameter,
  SoftHGNN,
  type SpatialOperator,
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
import { EPSILON, normalLinears, TransformerBlock } from './transformer-block.js';

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
   * Spatial operator of an `EffLayer` in the place of attention in every other block, from the
   * second one on. Needs mean pooling. Default: attention in all blocks.
   */
  readonly operator?: SpatialOperator;
  /** Stochastic depth of the last block; it rises linearly from 0 over all blocks. Default: 0. */
  readonly dropPath?: number;
  /**
   * Initial weights of linear layers. `fan-in`: PyTorch's; `truncated-normal`: of deviation 0.02,
   * with biases of 0. Default: `fan-in`.
   */
  readonly init?: 'fan-in' | 'truncated-normal';
  /**
   * Makes a layer [n, tokens, features] → the same shape that all tokens, the class token among
   * them, pass after the last block and before the final norm. Default: none.
   */
  readonly context?: (features: number, random: Random) => Layer;
}

/** The operator of a block's `EffLayer`; undefined where a block has attention. */
const operatorOf = (operator: SpatialOperator | undefined, block: number) => (block % 2 === 1 ? operator : undefined);

/**
 * Vision transformer that classifies by the class token, or by the mean of its patches.
 *
 * @throws RangeError when the image does not divide into patches; Error for an operator beside a
 * class token, which has no place on the map
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
      operator,
      dropPath = 0,
      init = 'fan-in',
    } = options;
    if (operator && pooling === 'class')
      throw new Error('VisionTransformer: a class token has no place on the map of an operator; take mean pooling');
    if (imageSize % patchSize !== 0)
      throw new RangeError(
        `VisionTransformer: an image of ${imageSize} pixels does not divide into patches of ${patchSize}`,
      );
    const tokens = (imageSize / patchSize) ** 2 + (pooling === 'class' ? 1 : 0);
    if (pooling === 'class') this.clsToken = parameter(zeros([1, 1, features]));
    this.posEmbed = parameter(truncatedNormal(random, [1, tokens, features]));
    this.patchEmbed = { proj: new Conv2d(channels, features, patchSize, random, { stride: patchSize }) };
    this.blocks = Array.from(
      { length: depth },
      (_, i) =>
        new TransformerBlock(features, heads, hidden, random, {
          operator: operatorOf(operator, i),
          dropPath: depth > 1 ? (dropPath * i) / (depth - 1) : 0,
        }),
    );
    // On a stream of its own: with and without it a seed gives the same backbone.
    this.context = options.context?.(features, random.split('context'));
    this.norm = new LayerNorm(features, { epsilon: EPSILON });
    this.head = new Linear(features, classes, random);
    if (init === 'truncated-normal') normalLinears(this, random.split('linears'));
  }

  /** The normed tokens of images: [n, tokens, features], a class token first. */
  tokens(x: Tensor, mode: Mode = inference): Tensor {
    const attended = this.#attended(x, mode);
    return this.norm.forward(this.context ? this.context.forward(attended, mode) : attended);
  }

  /** What the last block gives. */
  #attended(x: Tensor, mode: Mode): Tensor {
    const n = x.shape[0] as number;
    const features = this.norm.features;
    const patches = transpose(reshape(this.patchEmbed.proj.forward(x), [n, features, -1])); // [n, patches, features]
    const classed = this.clsToken && broadcastTo(this.clsToken, [n, 1, features]);
    const tokens = add(classed ? concatenate([classed, patches], 1) : patches, this.posEmbed);
    return this.blocks.reduce((value, block) => block.forward(value, mode), tokens);
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
    const { weights, hyperedges } = this.context.participation(this.#attended(x, inference));
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
  const { hidden = 4 * d, pooling = 'class', operator } = options;
  const tokens = (imageSize / patchSize) ** 2 + (pooling === 'class' ? 1 : 0);
  const affine = (name: string, shape: Shape) => ({ [`${name}.weight`]: shape, [`${name}.bias`]: shape.slice(0, 1) });
  const blocks = Array.from({ length: depth }, (_, i) => ({
    ...affine(`blocks.${i}.norm1`, [d]),
    ...(operatorOf(operator, i)
      ? { ...affine(`blocks.${i}.attn.fc1`, [3 * d, d]), ...affine(`blocks.${i}.attn.fc2`, [d, 3 * d]) }
      : { ...affine(`blocks.${i}.attn.qkv`, [3 * d, d]), ...affine(`blocks.${i}.attn.proj`, [d, d]) }),
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
