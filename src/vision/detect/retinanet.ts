// RetinaNet: a pyramid on a backbone's maps, and for each of its pixels and anchors the classes and
// the box (Lin, Goyal, Girshick, He, Dollár, "Focal Loss for Dense Object Detection", ICCV 2017).

import { Conv2d, inference, isMergeable, type Mergeable, type Mode } from '../../nn/index.js';
import {
  concatenate,
  full,
  permute,
  type Random,
  relu,
  reshape,
  scope,
  type Tensor,
  zeros,
} from '../../tensor/index.js';
import { ConvNorm } from '../blocks/conv-norm.js';
import { AtStrides, type MapBackbone, topDown } from '../pyramid.js';

/** Numbers that place a box. */
const BOX = 4;

/** Configuration of `RetinaNet`. */
export interface RetinaNetOptions {
  /** Number of classes. */
  readonly classes: number;
  /** Strides of the maps that are read. Default: 8, 16, 32. */
  readonly strides?: readonly number[];
  /** Sides of the square anchors of every map in pixels. Default: 32, 64, 128. */
  readonly sides?: readonly number[];
  /** Channels of the pyramid. Default: 32. */
  readonly width?: number;
  /** Probability of a class before training. Default: 0.01. */
  readonly prior?: number;
}

/** Two 3×3 convolutions with ReLU between them, the same for all maps. */
class Tower {
  readonly hidden: Conv2d;
  readonly last: Conv2d;

  constructor(width: number, out: number, random: Random) {
    this.hidden = new Conv2d(width, width, 3, random, { padding: 1 });
    this.last = new Conv2d(width, out, 3, random, { padding: 1 });
  }

  /** [n, width, h, w] → [n, h·w·anchors, per], `per` numbers for each anchor. */
  forward(x: Tensor, anchors: number): Tensor {
    const y = this.last.forward(relu(this.hidden.forward(x)));
    const [n, channels, height, width] = y.shape as [number, number, number, number];
    const per = channels / anchors;
    const apart = permute(reshape(y, [n, anchors, per, height, width]), [0, 3, 4, 1, 2]);
    return reshape(apart, [n, height * width * anchors, per]);
  }
}

/**
 * A detector on a backbone.
 *
 * **Shapes**: images [n, c, h, w] → [n, anchors, classes + 4]: for each anchor, in the order of
 * `anchorsOf`, logits of the classes, each against the background, and what moves the anchor to the
 * box (`encodeBox`).
 */
export class RetinaNet implements Mergeable {
  /** 1×1 convolutions of the backbone's maps. */
  readonly lateral: readonly ConvNorm[];
  /** 3×3 convolutions of the pyramid's maps. */
  readonly smooth: readonly ConvNorm[];
  /** Logits of the classes. */
  readonly classTower: Tower;
  /** Boxes. */
  readonly boxTower: Tower;
  /** The backbone, at the strides of the pyramid. */
  readonly backbone: AtStrides;
  /** The configuration with its defaults. */
  readonly options: Required<RetinaNetOptions>;

  /** @param shape channels and side of the images */
  constructor(
    backbone: MapBackbone,
    shape: { readonly channels: number; readonly size: number },
    { classes, strides = [8, 16, 32], sides = [32, 64, 128], width = 32, prior = 0.01 }: RetinaNetOptions,
    random: Random,
  ) {
    this.options = { classes, strides, sides, width, prior };
    this.backbone = new AtStrides(backbone, strides);
    const { channels, size } = shape;
    const widths = scope(() =>
      this.backbone.maps(zeros([1, channels, size, size]), inference).map(({ shape: map }) => map[1] as number),
    );
    this.lateral = widths.map((own) => new ConvNorm(own, width, random));
    this.smooth = widths.map(() => new ConvNorm(width, width, random, { kernel: 3 }));
    this.classTower = new Tower(width, sides.length * classes, random);
    this.boxTower = new Tower(width, sides.length * BOX, random);
    this.classTower.last.bias?.assign(full([sides.length * classes], Math.log(prior / (1 - prior))));
  }

  /** Images → classes and boxes of each anchor. */
  forward(x: Tensor, mode: Mode): Tensor {
    const maps = topDown(this.lateral, this.backbone.maps(x, mode), mode);
    const { length } = this.options.sides;
    return concatenate(
      maps.map((map, i) => {
        const smoothed = (this.smooth[i] as ConvNorm).forward(map, mode);
        return concatenate([this.classTower.forward(smoothed, length), this.boxTower.forward(smoothed, length)], 2);
      }),
      1,
    );
  }

  /** The inference form: the backbone in its own, if it has one. */
  merged(): RetinaNet {
    const { backbone } = this.backbone;
    if (!isMergeable(backbone)) return this;
    const merged = Object.create(RetinaNet.prototype) as RetinaNet;
    return Object.assign(merged, this, { backbone: this.backbone.merged() });
  }
}
