// Training of RetinaNet, and the boxes that it finds.

import { type ImageDataset, imageTensor, type LabelledImages } from '../../data/index.js';
import { type Box, type ClassBox, type ScoredBox, suppressed } from '../../models/index.js';
import {
  AdamW,
  type FitResult,
  fit,
  huberLoss,
  inference,
  minibatches,
  stateOf,
  type TrainingHooks,
  warmUpCosine,
} from '../../nn/index.js';
import {
  add,
  exp,
  gatherRows,
  multiply,
  negate,
  type Random,
  reshape,
  scope,
  slice,
  softplus,
  sum,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { anchorsOf, decodeBox, encodeBox, IGNORED, matchAnchors } from './anchors.js';
import type { RetinaNet } from './retinanet.js';

/** Images with the boxes of the things in each, and the statistics that normalise them. */
export interface BoxedImages extends Pick<ImageDataset, 'mean' | 'deviation'> {
  /** Their own labels are not used. */
  readonly images: LabelledImages;
  /** Boxes of each image. */
  readonly boxes: readonly (readonly ClassBox[])[];
}

/** Balance of the focal loss: its weight of what is there and exponent of what is sure. */
const [ALPHA, GAMMA] = [0.25, 2];
/** Distance at which the loss of boxes turns from squares to absolutes. */
const BETA = 0.11;

/** What the anchors of a batch should say. */
export interface RetinaTargets {
  /** 1 at the class of anchors with a box: [rows, classes]. */
  readonly classes: Tensor;
  /** 0 for anchors that are ignored, else 1: [rows, 1]. */
  readonly counted: Tensor;
  /** Rows of anchors with a box: i32 [positives]. */
  readonly rows: Tensor;
  /** What moves these anchors to their boxes: [positives, 4]. */
  readonly boxes: Tensor;
}

/** Matches the anchors of every image of a batch; rows are images·anchors. */
export function retinaTargets(
  anchors: readonly Box[],
  batch: readonly (readonly ClassBox[])[],
  classes: number,
): RetinaTargets {
  const count = batch.length * anchors.length;
  const named = new Float32Array(count * classes);
  const counted = new Float32Array(count).fill(1);
  const [rows, moves]: [number[], number[]] = [[], []];
  batch.forEach((boxes, image) => {
    matchAnchors(anchors, boxes).forEach((match, at) => {
      const row = image * anchors.length + at;
      if (match === IGNORED) counted[row] = 0;
      const box = boxes[match];
      if (!box) return;
      named[row * classes + box.label] = 1;
      rows.push(row);
      moves.push(...encodeBox(anchors[at] as Box, box));
    });
  });
  return {
    classes: tensor(named, [count, classes]),
    counted: tensor(counted, [count, 1]),
    rows: tensor(Int32Array.from(rows)),
    boxes: tensor(moves, [rows.length, 4]),
  };
}

/**
 * Focal loss of logits against the background, the sum: −α·(1 − p)^γ·ln p where a class is there,
 * −(1 − α)·p^γ·ln(1 − p) where not, with α = 0.25 and γ = 2.
 *
 * @param logits [rows, classes]
 * @param targets 0 and 1 [rows, classes]
 * @param counted factor of each row [rows, 1]
 */
export function focalSum(logits: Tensor, targets: Tensor, counted: Tensor): Tensor {
  // −ln p and −ln(1 − p).
  const [miss, alarm] = [softplus(negate(logits)), softplus(logits)];
  const there = multiply(multiply(exp(multiply(alarm, -GAMMA)), miss), multiply(targets, ALPHA));
  const absent = multiply(multiply(exp(multiply(miss, -GAMMA)), alarm), add(multiply(targets, ALPHA - 1), 1 - ALPHA));
  return sum(multiply(add(there, absent), counted));
}

/** Smooth L1 of boxes, the sum: ½d²/β below β = 0.11, else |d| − ½β. Both [n, 4]. */
export function boxLoss(said: Tensor, wanted: Tensor): Tensor {
  return multiply(huberLoss(said, wanted, BETA), said.size / BETA);
}

/**
 * Focal loss of the classes and smooth L1 of the boxes, both by the number of anchors with a box.
 */
export function retinaLoss(said: Tensor, { classes, counted, rows, boxes }: RetinaTargets): Tensor {
  const count = classes.shape[1] as number;
  const flat = reshape(said, [-1, count + 4]);
  const named = focalSum(slice(flat, null, [0, count]), classes, counted);
  if (rows.size === 0) return named;
  const found = slice(gatherRows(flat, rows), null, [count, count + 4]);
  return multiply(add(named, boxLoss(found, boxes)), 1 / rows.size);
}

/** The anchors of a network for images of a size. */
const ownAnchors = ({ options: { strides, sides } }: RetinaNet, { height, width }: LabelledImages): Box[] =>
  anchorsOf([height, width], strides, sides);

/** Hyperparameters of `trainRetinaNet`. */
export interface RetinaTrainingOptions extends TrainingHooks {
  /** Number of epochs. Default: 20. */
  readonly epochs?: number;
  /** Images in a batch. Default: 16. */
  readonly batchSize?: number;
  /**
   * Largest learning rate of AdamW, after a warm-up of a tenth and before a cosine. Default: 3e-3.
   */
  readonly learningRate?: number;
  /** Decoupled weight decay of weights of two and more axes. Default: 0.02. */
  readonly weightDecay?: number;
}

/** Trains in place; the last weights count. */
export function trainRetinaNet(
  network: RetinaNet,
  { images, boxes, ...statistics }: BoxedImages,
  random: Random,
  { epochs = 20, batchSize = 16, learningRate = 3e-3, weightDecay = 0.02, ...hooks }: RetinaTrainingOptions = {},
): Promise<FitResult> {
  const anchors = ownAnchors(network, images);
  const decayed = Object.fromEntries(Object.entries(stateOf(network)).map(([name, { rank }]) => [name, rank > 1]));
  return fit({
    ...hooks,
    ...{ model: network, epochs, random },
    optimizer: new AdamW({ learningRate, weightDecay: (name) => (decayed[name] ? weightDecay : 0) }),
    schedule: warmUpCosine(epochs * Math.ceil(images.count / batchSize), 0.1),
    batches: (order) => minibatches(images.count, batchSize, order),
    loss: (live: RetinaNet, rows: Int32Array, mode) => {
      const own = Array.from(rows, (row) => boxes[row] as readonly ClassBox[]);
      const said = live.forward(imageTensor(images, rows, statistics), mode);
      return retinaLoss(said, retinaTargets(anchors, own, network.options.classes));
    },
  });
}

/** Images in a batch of inference. */
const AT_ONCE = 32;
/** Least score of a box, and most boxes of an image, before repeats are suppressed and after. */
const [LEAST_SCORE, MOST_BEFORE, MOST] = [0.05, 300, 100];

/** The boxes that a detector finds in each image: repeats that overlap by half are suppressed. */
export function detectBoxes(network: RetinaNet, { images, ...statistics }: Omit<BoxedImages, 'boxes'>): ScoredBox[][] {
  const anchors = ownAnchors(network, images);
  const found: ScoredBox[][] = [];
  for (let start = 0; start < images.count; start += AT_ONCE)
    scope(() => {
      const rows = Array.from({ length: Math.min(AT_ONCE, images.count - start) }, (_, i) => start + i);
      const said = network.forward(imageTensor(images, rows, statistics), inference).dataSync<Float32Array>();
      const per = said.length / rows.length;
      for (const i of rows.keys()) found.push(boxesOf(said.subarray(i * per, (i + 1) * per), anchors));
    });
  return found;
}

/** The boxes of one image. @param said [anchors, classes + 4] */
function boxesOf(said: Float32Array, anchors: readonly Box[]): ScoredBox[] {
  const width = said.length / anchors.length;
  const candidates = anchors.flatMap((anchor, at) => {
    const own = said.subarray(at * width, (at + 1) * width);
    const [dx = 0, dy = 0, dw = 0, dh = 0] = own.subarray(width - 4);
    return Array.from(own.subarray(0, width - 4), (logit, label) => ({ label, score: 1 / (1 + Math.exp(-logit)) }))
      .filter(({ score }) => score >= LEAST_SCORE)
      .map((named): ScoredBox => ({ ...named, ...decodeBox(anchor, [dx, dy, dw, dh]) }));
  });
  const best = candidates.sort((a, b) => b.score - a.score).slice(0, MOST_BEFORE);
  return suppressed(best).slice(0, MOST);
}
