// Training on the incidences of labelled hyperedges.

import {
  type FitResult,
  type LabelledRows,
  labelledLoss,
  type Mode,
  type SemiSupervisedOptions,
  trainByValidation,
} from '../../nn/index.js';
import type { Random, Tensor } from '../../tensor/index.js';
import type { CoNHDInput } from './network.js';

/** Labels of incidences; `train` and `validation` are indices of incidences. */
export interface LabelledIncidences extends LabelledRows, CoNHDInput {
  /** Number of classes. */
  readonly classes: number;
}

/** A network that classifies every incidence. */
export interface IncidenceNetwork {
  /** Logits of each incidence: [nnz, classes]. */
  forward(input: CoNHDInput, mode: Mode): Tensor;
}

/**
 * Full-batch training; the weights of the best epoch by validation accuracy are kept. Incidences of
 * unlabelled hyperedges take part without labels.
 *
 * @param options default to 100 epochs, learning rate 3e-3 and weight decay 1e-4
 */
export function trainIncidences<M extends IncidenceNetwork>(
  network: M,
  data: LabelledIncidences,
  random: Random,
  options: SemiSupervisedOptions = {},
): Promise<FitResult> {
  const loss = labelledLoss(data.labels, data.train);
  return trainByValidation(network, data, (live, mode) => live.forward(data, mode), loss, random, {
    epochs: 100,
    learningRate: 3e-3,
    weightDecay: 1e-4,
    ...options,
  });
}
