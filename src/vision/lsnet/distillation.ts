// Hard distillation of networks with two classifiers (Touvron et al., "Training data-efficient
// image
// transformers & distillation through attention", 2021), with which LSNet's better figures were
// made.

import type { ImageBatch } from '../../data/index.js';
import { crossEntropy, type Layer, type Mode, predictedClasses } from '../../nn/index.js';
import { add, multiply, type Tensor, tensor } from '../../tensor/index.js';

/** A network with a classifier for labels and one for a teacher. */
interface TwoHeaded extends Layer {
  logits(x: Tensor, mode: Mode): Tensor[];
}

/**
 * ½·CE(first head, labels) + ½·CE(second head, argmax of the teacher), for `loss` of
 * `trainOnImages`.
 *
 * @param teacher images [n, channels, h, w] → logits [n, classes]
 * @throws Error for a network without a second head
 */
export function hardDistillation(teacher: (images: Tensor) => Tensor) {
  return (model: Layer, { images, labels }: ImageBatch, mode: Mode): Tensor => {
    const [first, second] = 'logits' in model ? (model as TwoHeaded).logits(images, mode) : [];
    if (!first || !second)
      throw new Error('hardDistillation: the network needs two heads: make it with distilled: true');
    const taught = Int32Array.from(predictedClasses(teacher(images)));
    const own = crossEntropy(first, labels);
    return multiply(add(own, crossEntropy(second, tensor(taught, [taught.length], 'i32'))), 0.5);
  };
}
