// The pooling-based vision transformer (Heo, Yun, Han, Chun, Choe, Oh, "Rethinking Spatial
// Dimensions of Vision Transformers", ICCV 2021) whose every other block has a spatial operator in
// the place of attention.

import { TransformerBlock } from '../../models/index.js';
import {
  Conv2d,
  type Layer,
  LayerNorm,
  Linear,
  type Mode,
  parameter,
  type SpatialOperator,
  truncatedNormal,
} from '../../nn/index.js';
import { add, mean, type Random, reshape, type Tensor, transpose } from '../../tensor/index.js';
import type { MapBackbone } from '../pyramid.js';

/** Configuration of `PoolingTransformer`; lists have an entry for each stage. */
export interface PoolingTransformerOptions {
  /** Height and width of the images in pixels. Default: 224. */
  readonly imageSize?: number;
  /** Side of a patch, and the distance from one to the next, in pixels. */
  readonly patch: readonly [side: number, stride: number];
  /** Features of a head. */
  readonly headFeatures: number;
  /** Heads; their features together are the width of a stage. */
  readonly heads: readonly number[];
  /** Number of blocks. */
  readonly depths: readonly number[];
  /**
   * Operator in the place of attention in every other block of a stage, from its second one on.
   * Default: attention everywhere.
   */
  readonly operator?: SpatialOperator;
  /** Stochastic depth: block i of all has i/blocks of this. Default: 0. */
  readonly dropPath?: number;
  /** Channels of the images. Default: 3. */
  readonly channels?: number;
  /** Number of classes. Default: 1000. */
  readonly classes?: number;
}

/** Hidden features of an MLP over its features. */
const RATIO = 4;

/** Blocks on the tokens of a square map: [n, features, s, s] → the same. */
class Stage {
  readonly blocks: readonly TransformerBlock[];

  constructor(blocks: readonly TransformerBlock[]) {
    this.blocks = blocks;
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const [n, features, height, width] = x.shape as [number, number, number, number];
    const tokens = transpose(reshape(x, [n, features, height * width]));
    const mixed = this.blocks.reduce((value, block) => block.forward(value, mode), tokens);
    return reshape(transpose(mixed), [n, features, height, width]);
  }
}

/**
 * PiT without a class token: overlapping patches, position embeddings on the map, three stages of
 * blocks with a 3×3 convolution of stride 2 between them, which doubles the features of each
 * channel by itself, a norm, the mean of all tokens, a linear layer. Images [n, channels, s, s] →
 * logits [n, classes].
 */
export class PoolingTransformer implements Layer, MapBackbone {
  /** Patch embedding. */
  readonly patchEmbed: Conv2d;
  /** Position embeddings [1, features, s, s], for images of one size. */
  posEmbed: Tensor;
  /** Stages of blocks. */
  readonly stages: readonly Stage[];
  /** Convolutions between stages, of as many groups as features. */
  readonly pools: readonly Conv2d[];
  /** Norm of the last tokens. */
  readonly norm: LayerNorm;
  /** Classifier. */
  readonly head: Linear;

  /** @throws RangeError for images smaller than a patch */
  constructor(options: PoolingTransformerOptions, random: Random) {
    const { patch, headFeatures, heads, depths, operator, channels = 3, classes = 1000 } = options;
    const { imageSize = 224, dropPath = 0 } = options;
    const [side, stride] = patch;
    if (imageSize < side)
      throw new RangeError(`PoolingTransformer: images of ${imageSize} pixels are smaller than a patch of ${side}`);
    const widths = heads.map((count) => count * headFeatures);
    const [first = 0] = widths;
    const map = Math.floor((imageSize - side) / stride) + 1;
    this.patchEmbed = new Conv2d(channels, first, side, random, { stride });
    this.posEmbed = parameter(truncatedNormal(random, [1, first, map, map]));
    const total = depths.reduce((a, b) => a + b, 0);
    let at = 0;
    this.stages = widths.map(
      (width, stage) =>
        new Stage(
          Array.from(
            { length: depths[stage] as number },
            (_, i) =>
              new TransformerBlock(width, heads[stage] as number, RATIO * width, random, {
                operator: i % 2 === 1 ? operator : undefined,
                dropPath: (dropPath * at++) / total,
              }),
          ),
        ),
    );
    this.pools = widths.slice(1).map((width, before) => {
      const inner = widths[before] as number;
      return new Conv2d(inner, width, 3, random, { stride: 2, padding: 1, groups: inner });
    });
    const last = widths.at(-1) as number;
    this.norm = new LayerNorm(last, { epsilon: 1e-6 });
    this.head = new Linear(last, classes, random);
  }

  /** The map after each stage, the finest first. */
  maps(x: Tensor, mode: Mode): Tensor[] {
    let y = add(this.patchEmbed.forward(x), this.posEmbed);
    return this.stages.map((stage, at) => {
      const pool = this.pools[at - 1];
      y = stage.forward(pool ? pool.forward(y) : y, mode);
      return y;
    });
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const last = this.maps(x, mode).at(-1) as Tensor;
    const [n, features, height, width] = last.shape as [number, number, number, number];
    const tokens = transpose(reshape(last, [n, features, height * width]));
    return this.head.forward(mean(this.norm.forward(tokens), 1));
  }
}
