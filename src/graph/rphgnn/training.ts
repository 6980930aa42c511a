// Training on collected tensors: mini-batches of rows and no graph; one class, several labels or a
// distribution for each row; consistency among dropout views of all nodes.

import {
  Adam,
  accuracy,
  binaryCrossEntropy,
  crossEntropy,
  type FitResult,
  fit,
  inference,
  type Mode,
  macroF1,
  minibatches,
  predictedClasses,
  softCrossEntropy,
  stepDecay,
  type TrainingHooks,
} from '../../nn/index.js';
import {
  add,
  concatenate,
  multiply,
  type Random,
  scope,
  sigmoid,
  softmax,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { type RowGroups, rowCount, takeRowGroups } from './collect.js';
import type { GroupModule } from './encoder.js';

/** What is learnt of each row. */
export type RowTargets =
  /** One class [rows]. */
  | { readonly kind: 'class'; readonly values: Int32Array }
  /** Any number of labels: 0 or 1 [rows, classes]. */
  | { readonly kind: 'labels'; readonly values: Float32Array; readonly classes: number }
  /** Probabilities of the classes [rows, classes]. */
  | { readonly kind: 'distribution'; readonly values: Float32Array; readonly classes: number };

/** Rows with what is learnt of them. */
export interface TargetedRows {
  /** What networks read of the rows. */
  readonly groups: RowGroups;
  /** What is learnt of them. */
  readonly targets: RowTargets;
}

/** Hyperparameters of `trainGroups`. */
export interface GroupTrainingOptions extends TrainingHooks {
  /** Epochs at most. Default: 200. */
  readonly epochs?: number;
  /** Epochs without a better validation score after which training ends. Default: 50. */
  readonly patience?: number;
  /** Epochs from one validation to the next. Default: 1. */
  readonly validateEvery?: number;
  /** Adam's learning rate. Default: 3e-3. */
  readonly learningRate?: number;
  /** L2 weight decay. Default: 0. */
  readonly weightDecay?: number;
  /** Rows of a step. Default: 1000. */
  readonly batchSize?: number;
  /**
   * What chooses the epoch: the validation loss, or the mean of macro-F1 and micro-F1, which for
   * one class a row is accuracy. Default: 'f1'.
   */
  readonly select?: 'loss' | 'f1';
  /** Rows without a label of which dropout views must agree. Default: none. */
  readonly unlabelled?: RowGroups | undefined;
  /** Dropout views of a row. Default: 3 where there are unlabelled rows, else 1. */
  readonly views?: number;
  /** Weight of the consistency of views. Default: 0.6. */
  readonly consistency?: number;
  /** Factor of the learning rate after each epoch of consistency training. Default: 0.99. */
  readonly decay?: number;
}

/** Rows of a step: positions among labelled and unlabelled ones; undefined for all. */
interface Batch {
  readonly rows: Int32Array | undefined;
  readonly unlabelled: Int32Array | undefined;
}

/**
 * Trains a network on groups of tensors with Adam and restores the weights of the best epoch by
 * validation.
 *
 * With unlabelled rows, every step has V dropout views of both kinds:
 * L = Σ_v CE(view v of the labelled rows) + w·Σ_v CE(view v of all rows, argmax of the mean view).
 *
 * @param random batch order and dropout
 */
export function trainGroups<M extends GroupModule>(
  network: M,
  train: TargetedRows,
  validation: TargetedRows | undefined,
  random: Random,
  options: GroupTrainingOptions = {},
): Promise<FitResult> {
  const { epochs = 200, patience = 50, learningRate = 3e-3, weightDecay = 0, batchSize = 1000 } = options;
  const { select = 'f1', unlabelled, views = unlabelled ? 3 : 1, consistency = 0.6, decay = 0.99 } = options;
  const count = rowCount(train.groups);
  const others = unlabelled ? rowCount(unlabelled) : 0;
  const steps = Math.ceil(count / batchSize);
  const share = Math.ceil(others / steps);
  function* batches(order: Random): Generator<Batch> {
    const rows = steps > 1 ? minibatches(count, batchSize, order.split('labelled')) : [undefined];
    const rest = others > 0 ? [...minibatches(others, share, order.split('unlabelled'))] : [];
    let at = 0;
    for (const own of rows) yield { rows: own, unlabelled: rest[at++] };
  }
  return fit({
    model: network,
    batches,
    loss: (live, batch, mode) => {
      const x = rowsOfStep(train.groups, batch.rows);
      const targets = takeTargets(train.targets, batch.rows);
      if (!unlabelled || !batch.unlabelled) return lossOf(live.forward(x, mode), targets);
      const more = takeRowGroups(unlabelled, batch.unlabelled);
      return consistentLoss(live, x, more, targets, mode, views, consistency);
    },
    optimizer: new Adam({ learningRate, weightDecay }),
    ...(unlabelled && { schedule: stepDecay(steps, decay) }),
    epochs,
    patience,
    validateEvery: options.validateEvery,
    random,
    ...(validation && {
      validate: (live: M) => scoreOf(predictGroups(live, validation.groups), validation.targets, select),
    }),
    better: select === 'loss' ? 'smaller' : 'larger',
    signal: options.signal,
    checkpoint: options.checkpoint,
    onEpoch: options.onEpoch,
    checkpointEvery: 10,
  });
}

const rowsOfStep = (groups: RowGroups, rows: Int32Array | undefined): Tensor[] =>
  rows ? takeRowGroups(groups, rows) : groups.map(({ values }) => values);

function takeTargets(targets: RowTargets, rows: Int32Array | undefined): RowTargets {
  if (!rows) return targets;
  if (targets.kind === 'class') return { ...targets, values: rows.map((row) => targets.values[row] as number) };
  const { classes } = targets;
  const values = new Float32Array(rows.length * classes);
  for (const [i, row] of rows.entries())
    values.set(targets.values.subarray(row * classes, (row + 1) * classes), i * classes);
  return { ...targets, values };
}

/** Loss of logits [rows, classes]. */
function lossOf(logits: Tensor, targets: RowTargets): Tensor {
  if (targets.kind === 'class') return crossEntropy(logits, tensor(targets.values));
  const wanted = tensor(targets.values, logits.shape);
  return targets.kind === 'labels' ? binaryCrossEntropy(logits, wanted) : softCrossEntropy(logits, wanted);
}

function consistentLoss(
  network: GroupModule,
  labelled: readonly Tensor[],
  unlabelled: readonly Tensor[],
  targets: RowTargets,
  mode: Mode,
  views: number,
  weight: number,
): Tensor {
  if (targets.kind !== 'class') throw new Error('trainGroups: consistency training is for one class a row');
  const all = labelled.map((x, g) => concatenate([x, unlabelled[g] as Tensor], 1));
  const logits = Array.from({ length: views }, () => network.forward(all, mode));
  const agreed = predictedClasses(logits.map((own) => softmax(own)).reduce((sum, own) => add(sum, own)));
  const known = targets.values.length;
  const losses = logits.map((own) =>
    add(
      crossEntropy(own.slice([0, known]), tensor(targets.values)),
      multiply(crossEntropy(own, tensor(agreed)), weight),
    ),
  );
  return losses.reduce((sum, own) => add(sum, own));
}

/** Rows that are answered at a time. */
const PIECE = 4096;

/** Logits of all rows [rows, classes], in inference. */
export function predictGroups(network: GroupModule, groups: RowGroups): Tensor {
  const count = rowCount(groups);
  if (count <= PIECE)
    return scope(() =>
      network.forward(
        groups.map(({ values }) => values),
        inference,
      ),
    );
  return scope(() => {
    const pieces: Tensor[] = [];
    for (let from = 0; from < count; from += PIECE) {
      const rows = Int32Array.from({ length: Math.min(PIECE, count - from) }, (_, i) => from + i);
      pieces.push(scope(() => network.forward(takeRowGroups(groups, rows), inference)));
    }
    return concatenate(pieces, 0);
  });
}

/** Macro-F1 and micro-F1 of predictions, from 0 to 1. */
export interface F1Scores {
  /** Mean over the classes or labels that occur. */
  readonly macroF1: number;
  /** Over all rows and labels; of one class a row, accuracy. */
  readonly microF1: number;
}

/** Validation score of logits [rows, classes]. */
export function scoreOf(logits: Tensor, targets: RowTargets, select: 'loss' | 'f1'): number {
  if (select === 'loss' || targets.kind === 'distribution') return scope(() => lossOf(logits, targets).item());
  const { macroF1: macro, microF1: micro } = f1Scores(logits, targets);
  return (macro + micro) / 2;
}

/** F1 of the most probable classes, or of labels with a probability above ½. */
export function f1Scores(logits: Tensor, targets: Exclude<RowTargets, { kind: 'distribution' }>): F1Scores {
  if (targets.kind === 'class') {
    const predicted = predictedClasses(logits);
    const classes = logits.shape[1] as number;
    return {
      macroF1: macroF1(predicted, targets.values, classes),
      microF1: accuracy(predicted, targets.values),
    };
  }
  return labelF1(
    scope(() => sigmoid(logits).dataSync<Float32Array>()),
    targets.values,
    targets.classes,
  );
}

/** F1 of labels, 2·TP / (2·TP + FP + FN): over all pairs, and the mean of labels that occur. */
function labelF1(probabilities: Float32Array, wanted: Float32Array, classes: number): F1Scores {
  const [right, seen] = [new Float64Array(classes), new Float64Array(classes)];
  for (let at = 0; at < wanted.length; at++) {
    const [guess, truth] = [Number((probabilities[at] as number) > 0.5), wanted[at] as number];
    const c = at % classes;
    right[c] = (right[c] as number) + guess * truth;
    seen[c] = (seen[c] as number) + guess + truth;
  }
  const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);
  const each = Array.from(right.keys()).filter((c) => (seen[c] as number) > 0);
  return {
    microF1: total(seen) === 0 ? 0 : (2 * total(right)) / total(seen),
    macroF1:
      each.reduce((sum, c) => sum + (2 * (right[c] as number)) / (seen[c] as number), 0) / Math.max(1, each.length),
  };
}
