// Semi-supervised training: a loss on the labelled rows of everything's logits, the best epoch by validation kept. Graph and hypergraph networks, students and baselines all train so.

import { gatherKnownRows, keep, type Random, scope, type Tensor, tensor } from '../tensor/index.js';
import { type FitResult, fit, type TrainingHooks } from './fit.js';
import { crossEntropy } from './losses.js';
import { accuracy, predictedClasses } from './metrics.js';
import { inference, type Mode } from './module.js';
import { Adam, type AdamOptions } from './optimizers.js';

/** Labels of all rows, class −1 where unknown. `train` and `validation` are row numbers. */
export interface LabelledRows {
  readonly labels: Int32Array;
  readonly train: Int32Array;
  readonly validation: Int32Array;
}

export interface SemiSupervisedOptions extends TrainingHooks {
  readonly epochs?: number;
  readonly learningRate?: number;
  /** L2, added to the gradient; by parameter name where it differs. */
  readonly weightDecay?: AdamOptions['weightDecay'];
  /** Epochs without a better validation score after which training stops. */
  readonly patience?: number;
  /** What chooses the best epoch: validation accuracy or loss. */
  readonly select?: 'accuracy' | 'loss';
}

/** Mean cross-entropy of the given rows of the logits. */
export function labelledLoss(labels: Int32Array, rows: Int32Array): (logits: Tensor) => Tensor {
  const at = keep(tensor(rows));
  const truth = keep(tensor(rows.map((row) => labels[row] as number)));
  return (logits) => crossEntropy(gatherKnownRows(logits, at), truth);
}

/** Trains with Adam, one step on everything an epoch, and puts the best epoch's weights back. */
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
    better: select === 'loss' ? 'smaller' : 'larger',
    patience: options.patience,
    onEpoch: options.onEpoch,
    signal: options.signal,
    checkpoint: options.checkpoint,
    checkpointEvery: 20,
  });
}
