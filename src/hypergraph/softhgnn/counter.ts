// Counting by density: a network that gives, for each cell of 8×8 pixels, how many things have
// their centre there; the count is the sum.

import { Conv2d, type Layer, type Mode } from '../../nn/index.js';
import { leakyRelu, type Random, relu, reshape, type Tensor, tensor } from '../../tensor/index.js';

/** Side of a cell of the density in pixels: three convolutions of stride 2. */
export const CELL = 8;

/** Sizes of `DensityCounter`. */
export interface CounterSizes {
  /** 1 for grey pictures, 3 for RGB. Default: 1. */
  readonly channels?: number;
  /** Channels of the three convolutions. Default: 16, 32, 64. */
  readonly widths?: readonly [number, number, number];
}

/** Options of `DensityCounter`. */
export interface CounterOptions {
  /** Makes a layer [B, D, H/8, W/8] → the same shape, such as `SoftHGNN`. Default: none. */
  readonly context?: ((features: number, random: Random) => Layer) | undefined;
  /**
   * Slope of the density below 0 in training, by which cells that have fallen there come back; in
   * use the density is never below 0. Default: 0.
   */
  readonly leak?: number;
}

/** Density of a cell before training, so that no cell begins where ReLU has no gradient. */
const FIRST_DENSITY = 0.1;

/**
 * Three 3×3 convolutions of stride 2 with ReLU, a layer over the map such as `SoftHGNN`, a 1×1
 * convolution and ReLU.
 *
 * **Shapes**: pictures [B, channels, H, W], H and W multiples of 8 → density [B, H/8, W/8].
 */
export class DensityCounter {
  /** Convolutions of stride 2. */
  readonly stem: readonly Conv2d[];
  /** Layer over the map of the stem, if any. */
  readonly context: Layer | undefined;
  /** 1×1 convolution to the density. */
  readonly head: Conv2d;
  readonly #leak: number;

  constructor(
    { channels = 1, widths = [16, 32, 64] }: CounterSizes,
    random: Random,
    { context, leak = 0 }: CounterOptions = {},
  ) {
    const stages = [channels, ...widths];
    this.stem = widths.map(
      (width, at) => new Conv2d(stages[at] as number, width, 3, random.split(`stem ${at}`), { stride: 2, padding: 1 }),
    );
    // On a stream of its own: with and without it a seed gives the same backbone.
    this.context = context?.(widths[2], random.split('context'));
    this.head = new Conv2d(widths[2], 1, 1, random.split('head'));
    this.head.bias?.assign(tensor([FIRST_DENSITY]));
    this.#leak = leak;
  }

  /** The map that the context reads: [B, D, H/8, W/8]. */
  features(x: Tensor): Tensor {
    return this.stem.reduce((value, layer) => relu(layer.forward(value)), x);
  }

  /** Pictures → density. */
  forward(x: Tensor, mode: Mode): Tensor {
    const features = this.features(x);
    const mixed = this.context ? this.context.forward(features, mode) : features;
    const logits = this.head.forward(mixed);
    const density = mode.training && this.#leak > 0 ? leakyRelu(logits, this.#leak) : relu(logits);
    return reshape(density, [x.shape[0] as number, ...density.shape.slice(2)]);
  }
}
