// A small detector of one head: a convolutional backbone, the neck, and for each cell of 8×8 pixels
// whether a thing has its centre there, its class and its box.

import { type ClassBox, convNorm, type ScoredBox, suppressed } from '../../models/index.js';
import {
  Adam,
  binaryCrossEntropy,
  Conv2d,
  crossEntropy,
  type FitResult,
  fit,
  inference,
  type Mode,
  minibatches,
  runSequence,
  type Sequence,
  type TrainingHooks,
  warmUpCosine,
} from '../../nn/index.js';
import {
  abs,
  add,
  gatherRows,
  mean,
  multiply,
  permute,
  type Random,
  reshape,
  scope,
  slice,
  subtract,
  sum,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { CELL } from './counter.js';
import { HypergraphNeck, type NeckOptions, type ThreeScales } from './neck.js';

/** Pictures of one size with the boxes of the things in each. */
export interface BoxedPictures {
  /** Normalised [n, channels, side, side], n·channels·side² numbers. */
  readonly pixels: Float32Array;
  /** 1 for grey, 3 for RGB. */
  readonly channels: number;
  /** Height and width, a multiple of 16. */
  readonly side: number;
  /** Boxes of each picture. */
  readonly boxes: readonly (readonly ClassBox[])[];
}

/** Sizes of `GridDetector`. */
export interface DetectorSizes {
  /** Number of classes. */
  readonly classes: number;
  /** 1 for grey, 3 for RGB. Default: 1. */
  readonly channels?: number;
  /** Channels at strides 2, 4, 8 and 16. Default: 16, 24, 32, 48. */
  readonly widths?: readonly [number, number, number, number];
}

/** Objectness, horizontal and vertical place of the centre in its cell, log width, log height. */
const BOX = 5;
/** Before training a cell holds a thing with probability 0.05. */
const FIRST_LOGIT = Math.log(0.05 / 0.95);

/**
 * Convolutions of stride 2 with maps at strides 4, 8 and 16, `HypergraphNeck`, and a head on the
 * middle one.
 *
 * **Shapes**: pictures [B, channels, S, S] → [B, S/8, S/8, 5 + classes]: objectness, centre x and y
 * within the cell, log width and log height in cells, logits of the classes.
 */
export class GridDetector {
  /** Four convolutions of stride 2. */
  readonly stages: readonly Sequence[];
  /** The neck. */
  readonly neck: HypergraphNeck;
  /** 3×3 convolution on the middle scale. */
  readonly mix: Sequence;
  /** 1×1 convolution to what a cell says. */
  readonly head: Conv2d;

  constructor(
    { classes, channels = 1, widths = [16, 24, 32, 48] }: DetectorSizes,
    random: Random,
    neck: NeckOptions = {},
  ) {
    const all = [channels, ...widths];
    this.stages = widths.map((width, at) =>
      convNorm(all[at] as number, width, 3, random.split(`stage ${at}`), { stride: 2 }),
    );
    this.neck = new HypergraphNeck([widths[1], widths[2], widths[3]], random.split('neck'), neck);
    this.mix = convNorm(widths[2], widths[2], 3, random.split('mix'));
    this.head = new Conv2d(widths[2], BOX + classes, 1, random.split('head'));
    const bias = this.head.bias as Tensor;
    bias.assign(tensor(bias.dataSync().map((value, at) => (at === 0 ? FIRST_LOGIT : value))));
  }

  /** Pictures → what each cell says. */
  forward(x: Tensor, mode: Mode): Tensor {
    const maps: Tensor[] = [];
    this.stages.reduce((value, stage) => {
      maps.push(runSequence(stage, value, mode));
      return maps.at(-1) as Tensor;
    }, x);
    const [, middle] = this.neck.forward(maps.slice(1) as unknown as ThreeScales, mode);
    return permute(this.head.forward(runSequence(this.mix, middle, mode)), [0, 2, 3, 1]);
  }
}

/** What cells should say: rows of [B·cells] that hold a thing, and what they say of it. */
interface Targets {
  /** 1 where a thing has its centre: [B·cells, 1]. */
  readonly objects: Tensor;
  /** Rows with things: i32 [p]. */
  readonly rows: Tensor;
  /** Centre and logarithms of the sizes: [p, 4]. */
  readonly places: Tensor;
  /** i32 [p] */
  readonly classes: Tensor;
}

function targetsOf(boxes: readonly (readonly ClassBox[])[], side: number): Targets {
  const across = side / CELL;
  const objects = new Float32Array(boxes.length * across * across);
  const things = new Map<number, { place: number[]; label: number }>();
  boxes.forEach((own, picture) => {
    for (const { left, top, right, bottom, label } of own) {
      const [x, y] = [(left + right) / 2 / CELL, (top + bottom) / 2 / CELL];
      const [column, row] = [x, y].map((at) => Math.min(across - 1, Math.max(0, Math.floor(at)))) as [number, number];
      const at = (picture * across + row) * across + column;
      objects[at] = 1;
      // Of two things in a cell the later one is learnt.
      const size = [right - left, bottom - top].map((length) => Math.log(Math.max(length, 1) / CELL));
      things.set(at, { place: [x - column, y - row, ...size], label });
    }
  });
  const all = [...things.values()];
  return {
    objects: tensor(objects, [objects.length, 1]),
    rows: tensor(Int32Array.from(things.keys())),
    places: tensor(
      all.flatMap(({ place }) => place),
      [all.length, 4],
    ),
    classes: tensor(Int32Array.from(all, ({ label }) => label)),
  };
}

/**
 * Binary cross-entropy of objectness, the sum over cells, plus cross-entropy of the class and L1 of
 * the box of cells with things, the means over things; all per picture.
 *
 * @param said what cells say [B, rows, columns, 5 + classes]
 */
export function detectionLoss(said: Tensor, boxes: readonly (readonly ClassBox[])[], side: number): Tensor {
  const { objects, rows, places, classes } = targetsOf(boxes, side);
  const flat = reshape(said, [objects.size, said.shape[3] as number]);
  const objectness = multiply(binaryCrossEntropy(slice(flat, null, [0, 1]), objects), objects.size / boxes.length);
  if (rows.size === 0) return objectness;
  const found = gatherRows(flat, rows);
  const box = mean(sum(abs(subtract(slice(found, null, [1, BOX]), places)), 1));
  const named = crossEntropy(slice(found, null, [BOX, found.shape[1] as number]), classes);
  return add(objectness, multiply(add(box, named), rows.size / boxes.length));
}

/** Hyperparameters of `trainDetector`. */
export interface DetectorTrainingOptions extends TrainingHooks {
  /** Number of epochs. Default: 20. */
  readonly epochs?: number;
  /** Pictures in a batch. Default: 16. */
  readonly batch?: number;
  /** Largest learning rate of Adam, after warm-up and before cosine decay. Default: 1e-3. */
  readonly learningRate?: number;
  /** Larger is better; chooses the epoch whose weights are kept. Default: the last one. */
  readonly validate?: (network: GridDetector) => number;
}

/** Trains by `detectionLoss` with Adam. */
export function trainDetector(
  network: GridDetector,
  data: BoxedPictures,
  random: Random,
  { epochs = 20, batch = 16, learningRate = 1e-3, validate, ...hooks }: DetectorTrainingOptions = {},
): Promise<FitResult> {
  const steps = epochs * Math.ceil(data.boxes.length / batch);
  return fit({
    ...hooks,
    model: network,
    epochs,
    random,
    optimizer: new Adam({ learningRate }),
    schedule: warmUpCosine(steps),
    batches: (order) => minibatches(data.boxes.length, batch, order),
    loss: (live: GridDetector, rows: Int32Array, mode) =>
      detectionLoss(
        live.forward(picturesOf(data, rows), mode),
        Array.from(rows, (row) => data.boxes[row] as readonly ClassBox[]),
        data.side,
      ),
    ...(validate && { validate }),
  });
}

function picturesOf({ pixels, channels, side }: BoxedPictures, rows: ArrayLike<number>): Tensor {
  const size = channels * side * side;
  const values = new Float32Array(rows.length * size);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    values.set(pixels.subarray(row * size, (row + 1) * size), i * size);
  }
  return tensor(values, [rows.length, channels, side, side]);
}

/** Pictures in a batch of inference. */
const AT_ONCE = 32;
/** Least score of a box. */
const LEAST_SCORE = 0.01;

/** The boxes that a detector finds in each picture, repeats suppressed. */
export function detect(network: GridDetector, data: BoxedPictures): ScoredBox[][] {
  const found: ScoredBox[][] = [];
  for (let start = 0; start < data.boxes.length; start += AT_ONCE)
    scope(() => {
      const rows = Array.from({ length: Math.min(AT_ONCE, data.boxes.length - start) }, (_, i) => start + i);
      const said = network.forward(picturesOf(data, rows), inference);
      const [, , across, width] = said.shape as [number, number, number, number];
      const values = said.dataSync<Float32Array>();
      const cells = across * across;
      found.push(...rows.map((_, i) => boxesOf(values.subarray(i * cells * width, (i + 1) * cells * width), across)));
    });
  return found;
}

/** The boxes of one picture. @param said [across², 5 + classes] */
function boxesOf(said: Float32Array, across: number): ScoredBox[] {
  const width = said.length / across ** 2;
  const boxes = Array.from({ length: across ** 2 }, (_, at): ScoredBox => {
    const [object = 0, x = 0, y = 0, w = 0, h = 0, ...logits] = said.subarray(at * width, (at + 1) * width);
    const label = logits.indexOf(Math.max(...logits));
    const share = 1 / logits.reduce((total, logit) => total + Math.exp(logit - (logits[label] as number)), 0);
    const [centreX, centreY] = [CELL * ((at % across) + x), CELL * (Math.floor(at / across) + y)];
    const [halfWidth, halfHeight] = [w, h].map((size) => (CELL * Math.exp(Math.min(size, 4))) / 2) as [number, number];
    return {
      ...{ left: centreX - halfWidth, top: centreY - halfHeight, right: centreX + halfWidth },
      ...{ bottom: centreY + halfHeight, label, score: share / (1 + Math.exp(-object)) },
    };
  });
  return suppressed(boxes.filter(({ score }) => score >= LEAST_SCORE));
}
