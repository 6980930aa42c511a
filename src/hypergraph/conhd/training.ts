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

/** Labels of incidences; `train` and `validation` are incidence numbers. */
export interface LabelledIncidences extends LabelledRows, CoNHDInput {
  readonly classes: number;
}

/** A network that gives logits to every incidence. */
export interface IncidenceNetwork {
  forward(input: CoNHDInput, mode: Mode): Tensor;
}

/** Full-batch training; the best epoch by validation accuracy is kept. Incidences of other hyperedges take part without their labels. */
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
