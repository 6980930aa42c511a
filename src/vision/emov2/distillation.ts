// Soft distillation with which EMOv2's better figures were made, and images enlarged for a network.

import type { ImageBatch } from '../../data/index.js';
import { crossEntropy, isMergeable, klDivergence, type Layer, type Mergeable, type Mode } from '../../nn/index.js';
import { add, multiply, resize, stopGradient, type Tensor } from '../../tensor/index.js';

/** Options of `softDistillation`. */
export interface SoftDistillationOptions {
  /** Factor of the divergence. Default: 5. */
  readonly weight?: number;
  /** Label smoothing of the cross-entropy. Default: 0. */
  readonly labelSmoothing?: number;
}

/**
 * CE(logits, labels) + weight·KL(softmax(teacher) ‖ softmax(logits)), for `loss` of
 * `trainOnImages`.
 *
 * @param teacher images [n, channels, h, w] → logits [n, classes]
 */
export function softDistillation(
  teacher: (images: Tensor) => Tensor,
  { weight = 5, labelSmoothing = 0 }: SoftDistillationOptions = {},
) {
  return (model: Layer, { images, labels }: ImageBatch, mode: Mode): Tensor => {
    const logits = model.forward(images, mode);
    const divergence = klDivergence(logits, stopGradient(teacher(images)));
    return add(crossEntropy(logits, labels, { labelSmoothing }), multiply(divergence, weight));
  };
}

/** A network that reads images enlarged by bilinear interpolation. */
export class Enlarged implements Mergeable {
  constructor(
    readonly network: Layer,
    readonly factor: number,
  ) {}

  /** Images [n, channels, h, w] → what the network says of [n, channels, factor·h, factor·w]. */
  forward(x: Tensor, mode: Mode): Tensor {
    const [height, width] = x.shape.slice(2) as [number, number];
    return this.network.forward(resize(x, [this.factor * height, this.factor * width]), mode);
  }

  /** With the network's own merged form, if it has one. */
  merged(): Enlarged {
    return isMergeable(this.network) ? new Enlarged(this.network.merged(), this.factor) : this;
  }
}
