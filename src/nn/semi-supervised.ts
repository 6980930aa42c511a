// Semi-supervised training: full-batch steps with the loss on labelled rows, and model selection by
// validation. Graph and hypergraph networks, distilled students and baselines share it.

import { gatherKnownRows, keep, type Random, scope, type Tensor, tensor } from '../tensor/index.js';
import { type FitResult, fit, type TrainingHooks } from './fit.js';
import { crossEntropy } from './losses.js';
import { accuracy, predictedClasses } from './metrics.js';
import { inference, type Mode } from './module.js';
import { Adam, type AdamOptions } from './optimizers.js';

/** Labels and splits of the rows of a data set. */
export interface LabelledRows {
  /** Class of each row [n], −1 where unknown. */
  readonly labels: Int32Array;
  /** Indices of the training rows. */
  readonly train: Int32Array;
  /** Indices of the validation rows. */
  readonly validation: Int32Array;
}

/** Hyperparameters of `trainByValidation`. */
export interface SemiSupervisedOptions extends TrainingHooks {
  /** Number of full-batch steps. Default: 200. */
  readonly epochs?: number;
  /** Learning rate of Adam. Default: 0.01. */
  readonly learningRate?: number;
  /** L2 weight decay, for all parameters or by name. Default: 5e-4. */
  readonly weightDecay?: AdamOptions['weightDecay'];
  /**
   * Early stopping: number of epochs without a better validation score. Default: no early stopping.
   */
  readonly patience?: number;
  /** Epochs from one validation to the next. Default: 1. */
  readonly validateEvery?: number;
  /** Criterion of the best epoch, validation accuracy or loss. Default: `accuracy`. */
  readonly select?: 'accuracy' | 'loss';
}

/** Mean cross-entropy of the given rows: logits [n, classes] → scalar. */
export function labelledLoss(labels: Int32Array, rows: Int32Array): (logits: Tensor) => Tensor {
  const indices = keep(tensor(rows));
  const classes = keep(tensor(rows.map((row) => labels[row] as number)));
  return (logits) => crossEntropy(gatherKnownRows(logits, indices), classes);
}

/**
 * What `fit` takes of the options of a training that validation ends: which score is better, when
 * to stop, hooks, and a checkpoint every 20 epochs.
 */
export function stoppingOf(options: SemiSupervisedOptions) {
  const { select, patience, validateEvery, onEpoch, signal, checkpoint } = options;
  const better = select === 'loss' ? 'smaller' : 'larger';
  return { better, patience, validateEvery, onEpoch, signal, checkpoint, checkpointEvery: 20 } as const;
}

/**
 * Trains with Adam, one full-batch step per epoch, and restores the weights of the best epoch. A
 * checkpoint is saved every 20 epochs.
 *
 * @param logits class logits of all rows [n, classes]
 * @param loss training loss of those logits
 */
export function trainByValidation<M extends object>(
  model: M,
  data: LabelledRows,
  logits: (model: M, mode: Mode) => Tensor,
  loss: (logits: Tensor, mode: Mode) => Tensor,
  random: Random,
  options: SemiSupervisedOptions,
): Promise<FitResult> {
  const { epochs = 200, learningRate = 0.01, weightDecay = 5e-4, select = 'accuracy' } = options;
  const validationLoss = labelledLoss(data.labels, data.validation);
  const score = (live: M) =>
    select === 'loss'
      ? scope(() => validationLoss(logits(live, inference)).item())
      : accuracy(predictedClasses(logits(live, inference)), data.labels, data.validation);
  return fit({
    model,
    loss: (live: M, _: undefined, mode) => loss(logits(live, mode), mode),
    optimizer: new Adam({ learningRate, weightDecay }),
    epochs,
    random,
    validate: score,
    ...stoppingOf(options),
  });
}
