// The training that recipes have in common, and the model before compression as its teacher.

import type { ImageDataset } from '../data/index.js';
import { inference, type Layer } from '../nn/index.js';
import type { Tensor } from '../tensor/index.js';
import { compile, type Plan } from '../trace/index.js';
import { exampleOf } from './footprint.js';

/** What the steps of a recipe train with unless it says otherwise. */
export const TRAINING = { batchSize: 64, learningRate: 1e-3, weightDecay: 1e-4 };

/**
 * The current model as a distillation teacher: compiled plans for the two batch sizes of an epoch
 * (full and last), which hold their own copies of the weights and so do not follow later changes of
 * the model.
 *
 * @param data its training images are distilled on
 * @returns logits of a batch of images
 */
export function teacherOf(model: Layer, data: ImageDataset, batchSize: number): (images: Tensor) => Tensor {
  const { count } = data.train;
  const planFor = (size: number): [number, Plan] => [
    size,
    compile((x) => model.forward(x, inference), [exampleOf(data, size)]),
  ];
  const plans = new Map([Math.min(batchSize, count), count % batchSize].filter((size) => size > 0).map(planFor));
  return (images) => plans.get(images.shape[0] as number)?.run(images)[0] as Tensor;
}
