// What the networks of a family are trained for, as a hypernetwork sees it: batches, and the loss
// of a network on them. Pictures with classes, and texts.

import { type ImageDataset, imageTensor, type LabelledImages, randomWindows, windowsAt } from '../../data/index.js';
import {
  accuracy,
  crossEntropy,
  inference,
  type Mode,
  predictedClasses,
  type Weights,
  withWeights,
} from '../../nn/index.js';
import { type Random, reshape, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { FamilyModule } from './families.js';
import type { LoGAH } from './hypernet.js';
import type { FamilyMember } from './train.js';

/** Inputs of networks and the classes, or next tokens, that they should give. */
export interface LabelledBatch {
  /** Input of the networks. */
  readonly inputs: Tensor;
  /** Classes i32, one for each row of the logits. */
  readonly targets: Tensor;
}

/** A task of networks. */
export interface HypernetTask {
  /** Draws the batch of a step. */
  draw(random: Random): LabelledBatch;
  /** Mean loss of a network on a batch. */
  loss(live: FamilyModule, batch: LabelledBatch, mode: Mode): Tensor;
}

function logitsOf(live: FamilyModule, inputs: Tensor, mode: Mode): Tensor {
  const logits = (live.forward as unknown as (x: Tensor, mode: Mode) => Tensor).call(live, inputs, mode);
  return reshape(logits, [-1, logits.shape.at(-1) as number]);
}

const loss: HypernetTask['loss'] = (live, { inputs, targets }, mode) => {
  return crossEntropy(logitsOf(live, inputs, mode), targets);
};

/** Chosen images as a batch; of perceptrons as rows of pixels. */
export function imageBatch(
  images: LabelledImages,
  rows: ArrayLike<number>,
  data: Pick<ImageDataset, 'mean' | 'deviation'>,
  flat: boolean,
): LabelledBatch {
  const inputs = imageTensor(images, rows, data);
  const targets = tensor(Int32Array.from(rows, (row) => images.labels[row] as number));
  return { inputs: flat ? reshape(inputs, [rows.length, -1]) : inputs, targets };
}

/**
 * Classes of pictures.
 *
 * @param flat whether networks take rows of pixels, as perceptrons do
 * @param batch pictures of a step. Default: 64
 */
export function pictureTask(
  images: LabelledImages,
  data: Pick<ImageDataset, 'mean' | 'deviation'>,
  { flat = false, batch = 64 }: { readonly flat?: boolean; readonly batch?: number } = {},
): HypernetTask {
  return {
    draw: (random) =>
      scope(() =>
        imageBatch(
          images,
          Int32Array.from({ length: batch }, () => random.integer(images.count)),
          data,
          flat,
        ),
      ),
    loss,
  };
}

/** Next tokens of a text. */
export function textTask(
  tokens: Int32Array,
  { batch = 16, length = 64 }: { readonly batch?: number; readonly length?: number } = {},
): HypernetTask {
  return { draw: (random) => scope(() => randomWindows(tokens, batch, length, random)), loss };
}

/** Most pictures or windows that are scored at once. */
const PART = 256;

/** Rows of a set in parts of at most 256. */
function* partsOf(count: number): Generator<Int32Array> {
  for (let first = 0; first < count; first += PART)
    yield Int32Array.from({ length: Math.min(PART, count - first) }, (_, i) => first + i);
}

/** Share of pictures that a network classifies rightly, and its mean loss. */
export function scoreOnImages(
  live: FamilyModule,
  images: LabelledImages,
  data: Pick<ImageDataset, 'mean' | 'deviation'>,
  flat: boolean,
): { readonly accuracy: number; readonly loss: number } {
  let [right, total] = [0, 0];
  for (const rows of partsOf(images.count)) {
    scope(() => {
      const { inputs, targets } = imageBatch(images, rows, data, flat);
      const logits = logitsOf(live, inputs, inference);
      right += rows.length * accuracy(predictedClasses(logits), targets.dataSync<Int32Array>());
      total += rows.length * crossEntropy(logits, targets).item();
    });
  }
  return { accuracy: right / images.count, loss: total / images.count };
}

/** Mean loss of a language model on adjacent windows of a text, in nats a token. */
export function scoreOnText(live: FamilyModule, tokens: Int32Array, length: number, most = 256): number {
  const count = Math.min(most, Math.floor((tokens.length - 1) / length));
  if (count < 1) throw new Error(`a text of ${tokens.length} tokens is shorter than a window of ${length + 1}`);
  let total = 0;
  for (const rows of partsOf(count)) {
    const starts = rows.map((row) => row * length);
    total += rows.length * scope(() => loss(live, windowsAt(tokens, starts, length), inference).item());
  }
  return total / count;
}

/** The mean over networks of a score that each has with predicted weights, untrained. */
export function meanUntrained(
  ghn: LoGAH,
  members: readonly FamilyMember[],
  score: (live: FamilyModule) => number,
): number {
  const scores = members.map(({ module, graph }) =>
    scope(() => withWeights(module, ghn.predict([graph])[0] as Weights, score)),
  );
  return scores.reduce((total, one) => total + one, 0) / scores.length;
}
