// Knowledge for a network of a found shape: from the unpruned one by distillation, by its weights,
// or none.
//
//   L = (1 − a)·CE(y, z_s) + a·T²·KL(softmax(z_t/T) ‖ softmax(z_s/T)),  a = 0.9, T = 4

import type { ImageDataset } from '../../data/index.js';
import { applyShape, type ImageTrainingOptions, type NetworkShape, trainOnImages } from '../../models/index.js';
import type { FitResult, Layer } from '../../nn/index.js';
import { loadState, stateOf } from '../../nn/index.js';
import { type Random, zeros } from '../../tensor/index.js';
import { teacherOf } from '../teacher.js';

/** Ways of the knowledge. */
export const shapeTransfers = ['distil', 'weights', 'none'] as const;

/**
 * `distil`: new weights, and the unpruned network as teacher; `weights`: the first channels of its
 * weights, and labels alone; `none`: new weights and labels.
 */
export type ShapeTransfer = (typeof shapeTransfers)[number];

/** Weight a of the soft loss and temperature T. */
export const shapeDistillation = { weight: 0.9, temperature: 4 } as const;

/** Options of `trainShaped`: those of the training, and the way of the knowledge. */
export interface ShapedTrainingOptions extends ImageTrainingOptions {
  /** Default: `distil`. */
  readonly transfer?: ShapeTransfer;
}

/**
 * Cuts a new full network to a shape, in place, and trains it.
 *
 * @param model new, of the architecture of the teacher
 * @param teacher the unpruned network, trained
 */
export function trainShaped(
  model: Layer,
  shape: NetworkShape,
  teacher: Layer,
  data: ImageDataset,
  random: Random,
  { transfer = 'distil', ...options }: ShapedTrainingOptions = {},
): Promise<FitResult> {
  const { channels, height, width } = data.train;
  if (transfer === 'weights') loadState(model, stateOf(teacher));
  applyShape(model, shape, zeros([1, channels, height, width]), random.split('shape'), {
    weights: transfer === 'weights' ? 'kept' : 'new',
  });
  const logits = transfer === 'distil' && teacherOf(teacher, data, options.batchSize ?? 128);
  return trainOnImages(model, data, random.split('fit'), {
    ...options,
    ...(logits && { teacher: { ...shapeDistillation, logits } }),
  });
}
