// Dense prediction on the maps of a backbone: a top-down pyramid (Lin et al., "Feature Pyramid
// Networks", 2017; for segmentation Kirillov et al., "Panoptic Feature Pyramid Networks", 2019).

import { Conv2d, inference, isMergeable, type Layer, type Mergeable, type Mode } from '../nn/index.js';
import { add, concatenate, type Random, relu, resize, scope, type Tensor, zeros } from '../tensor/index.js';
import { ConvNorm } from './blocks/conv-norm.js';

/** A network whose maps at several resolutions can be read. */
export interface MapBackbone extends Layer {
  /** Images [n, channels, h, w] → maps, the finest first. */
  maps(x: Tensor, mode: Mode): Tensor[];
}

/** Maps projected to one width, each with the coarser ones resized and added, the finest first. */
export function topDown(lateral: readonly ConvNorm[], maps: readonly Tensor[], mode: Mode): Tensor[] {
  const sums: Tensor[] = [];
  for (let i = lateral.length - 1; i >= 0; i--) {
    const own = (lateral[i] as ConvNorm).forward(maps[i] as Tensor, mode);
    const coarser = sums[0];
    sums.unshift(coarser ? add(own, resize(coarser, own.shape.slice(2) as [number, number])) : own);
  }
  return sums;
}

/** A backbone of which the maps at some strides are read; maps of one stride are joined. */
export class AtStrides implements MapBackbone, Mergeable {
  constructor(
    readonly backbone: MapBackbone,
    readonly strides: readonly number[],
  ) {}

  /** Logits, as those of the backbone. */
  forward(x: Tensor, mode: Mode): Tensor {
    return this.backbone.forward(x, mode);
  }

  /**
   * Images [n, channels, h, w] → a map of height ⌈h/stride⌉ for each stride.
   *
   * @throws Error where the backbone has none of a stride
   */
  maps(x: Tensor, mode: Mode): Tensor[] {
    const height = x.shape[2] as number;
    const all = this.backbone.maps(x, mode);
    return this.strides.map((stride) => {
      const own = all.filter((map) => map.shape[2] === Math.ceil(height / stride));
      if (own.length === 0) throw new Error(`AtStrides: the backbone has no map at stride ${stride} of ${x}`);
      return own.length === 1 ? (own[0] as Tensor) : concatenate(own, 1);
    });
  }

  /** With the backbone's own merged form, if it has one. */
  merged(): AtStrides {
    const { backbone, strides } = this;
    return isMergeable(backbone) ? new AtStrides(backbone.merged() as MapBackbone, strides) : this;
  }
}

/** Options of `PyramidHead`. */
export interface PyramidOptions {
  /** Channels of the pyramid. Default: 32. */
  readonly width?: number;
}

/**
 * Maps [n, cᵢ, hᵢ, wᵢ], the finest first → logits of each pixel [n, classes, h, w]: each map is
 * projected to one width by a 1×1 convolution, coarser ones are resized and added from the top
 * down,
 * then 3×3 convolution, ReLU, 1×1 convolution, and bilinear interpolation to the size of the image.
 */
export class PyramidHead {
  /** 1×1 convolutions of the maps. */
  readonly lateral: readonly ConvNorm[];
  /** 3×3 convolution of the finest sum. */
  readonly smooth: ConvNorm;
  /** 1×1 convolution to the classes. */
  readonly classify: Conv2d;

  constructor(channels: readonly number[], classes: number, random: Random, { width = 32 }: PyramidOptions = {}) {
    this.lateral = channels.map((own) => new ConvNorm(own, width, random));
    this.smooth = new ConvNorm(width, width, random, { kernel: 3 });
    this.classify = new Conv2d(width, classes, 1, random);
  }

  /** Logits for images of height and width `size`. */
  forward(maps: readonly Tensor[], size: readonly [number, number], mode: Mode): Tensor {
    const [finest] = topDown(this.lateral, maps, mode) as [Tensor];
    return resize(this.classify.forward(relu(this.smooth.forward(finest, mode))), size);
  }
}

/** A backbone with a pyramid: images [n, c, h, w] → logits of each pixel [n, classes, h, w]. */
export class Segmenter implements Mergeable {
  constructor(
    readonly backbone: MapBackbone,
    readonly head: PyramidHead,
  ) {}

  /**
   * A segmenter with a pyramid that fits the backbone's maps.
   *
   * @param shape channels and side of the images
   */
  static on(
    backbone: MapBackbone,
    classes: number,
    shape: { readonly channels: number; readonly size: number },
    random: Random,
  ): Segmenter {
    const widths = scope(() =>
      backbone
        .maps(zeros([1, shape.channels, shape.size, shape.size]), inference)
        .map(({ shape: map }) => map[1] as number),
    );
    return new Segmenter(backbone, new PyramidHead(widths, classes, random));
  }

  /** Logits of each pixel. */
  forward(x: Tensor, mode: Mode): Tensor {
    return this.head.forward(this.backbone.maps(x, mode), x.shape.slice(2) as [number, number], mode);
  }

  /** The inference form: the backbone in its own, if it has one. */
  merged(): Segmenter {
    const { backbone, head } = this;
    return isMergeable(backbone) ? new Segmenter(backbone.merged() as MapBackbone, head) : this;
  }
}
