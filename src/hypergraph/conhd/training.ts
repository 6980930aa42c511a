// Training on the incidences of labelled hyperedges, in mini-batches of hyperedges.

import {
  Adam,
  accuracy,
  Clipped,
  crossEntropy,
  type FitResult,
  fit,
  inference,
  type LabelledRows,
  macroF1,
  minibatches,
  predictedClasses,
  rowsOf,
  stepDecay,
  type TrainingHooks,
} from '../../nn/index.js';
import { IncidenceSampler } from '../../structure/index.js';
import { gatherKnownRows, keep, type Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { IncidenceInput, IncidenceNetwork } from './incidence-network.js';

/** Labels of incidences; `train` and `validation` are indices of incidences. */
export interface LabelledIncidences extends LabelledRows, IncidenceInput {
  /** Number of classes. */
  readonly classes: number;
}

/** Hyperparameters of `trainIncidences`. */
export interface IncidenceTrainingOptions extends TrainingHooks {
  /** Number of epochs, each followed by a validation. Default: 100. */
  readonly epochs?: number;
  /** Hyperedges in a batch, or 'all' for full-batch steps. Default: 64. */
  readonly batch?: number | 'all';
  /** Batches in an epoch. Default: as many as training hyperedges fill. */
  readonly stepsPerEpoch?: number;
  /** Most incidences of a vertex in a training batch. Default: 40. */
  readonly cap?: number;
  /** Learning rate of Adam, ε = 1e-4. Default: 1e-3. */
  readonly learningRate?: number;
  /** Factor of the learning rate from epoch to epoch. Default: 0.99. */
  readonly decay?: number;
  /** L2 weight decay. Default: 1e-4. */
  readonly weightDecay?: number;
  /** Largest global norm of the gradients. Default: 1. */
  readonly clip?: number;
  /** Early stopping: epochs without a better validation score. Default: no early stopping. */
  readonly patience?: number;
}

/** A batch with the classes of its labelled incidences. */
export interface LabelledBatch {
  /** What the network reads. */
  readonly input: IncidenceInput;
  /** Those of the network's outputs that have a label for training: i32. */
  readonly labelled: Tensor;
  /** Their classes: i32. */
  readonly classes: Tensor;
}

/**
 * Trains with Adam and keeps the weights of the best epoch by the mean of micro-F1 and macro-F1 on
 * validation incidences, for which no neighbourhood is sampled. Incidences of other hyperedges take
 * part without labels.
 */
export function trainIncidences<M extends IncidenceNetwork & object>(
  network: M,
  data: LabelledIncidences,
  random: Random,
  options: IncidenceTrainingOptions = {},
): Promise<FitResult> {
  const { epochs = 100, learningRate = 1e-3, decay = 0.99, weightDecay = 1e-4, clip = 1 } = options;
  const { batch = 64, cap = 40, stepsPerEpoch, patience, signal, checkpoint, onEpoch } = options;
  const batches = batch === 'all' ? wholeBatch(data) : new IncidenceBatches(data, network.reach, batch, cap);
  const steps = stepsPerEpoch ?? batches.count;
  return fit({
    model: network,
    batches: (stream) => batches.draw(stream, steps),
    loss: (live: M, { input, labelled, classes }: LabelledBatch, mode) =>
      crossEntropy(gatherKnownRows(live.forward(input, mode), labelled), classes),
    optimizer: new Clipped(new Adam({ learningRate, weightDecay, epsilon: 1e-4 }), clip),
    schedule: stepDecay(steps, decay),
    epochs,
    random,
    validate: (live) => validationScore(live, data),
    ...{ patience, signal, checkpoint, onEpoch },
  });
}

/** Mean of micro-F1 and macro-F1, from 0 to 1, over validation incidences; nothing is sampled. */
export function validationScore(
  network: IncidenceNetwork,
  data: IncidenceInput & Pick<LabelledIncidences, 'labels' | 'classes' | 'validation'>,
): number {
  const { labels, classes, validation } = data;
  const predicted = scope(() => predictedClasses(network.forward(data, inference)));
  return (accuracy(predicted, labels, validation) + macroF1(predicted, labels, classes, validation)) / 2;
}

/** What training draws its steps from. */
interface BatchSource {
  /** Batches that cover the training hyperedges once. */
  readonly count: number;
  draw(random: Random, steps: number): Iterable<LabelledBatch>;
}

/** All training incidences at once. */
function wholeBatch(data: LabelledIncidences): BatchSource {
  const { features, incidences, positions, labels, train } = data;
  const batch = {
    input: { features, incidences, ...(positions && { positions }) },
    labelled: keep(tensor(train)),
    classes: keep(tensor(train.map((row) => labels[row] as number))),
  };
  return { count: 1, draw: (_, steps) => Array.from({ length: steps }, () => batch) };
}

/** Mini-batches of training hyperedges with what their incidences depend on. */
export class IncidenceBatches implements BatchSource {
  readonly #sampler: IncidenceSampler;
  readonly #hyperedges: Int32Array;
  readonly #trained: Uint8Array;

  /**
   * @param reach steps of the neighbourhood, see `IncidenceNetwork`
   * @param size hyperedges in a batch
   * @param cap most incidences of a vertex
   * @throws Error when no hyperedge has a training incidence
   */
  constructor(
    readonly data: LabelledIncidences,
    readonly reach: number,
    readonly size: number,
    cap: number,
  ) {
    const { incidences, train } = data;
    const edges = incidences.hyperedges.ids.view();
    this.#sampler = new IncidenceSampler(incidences, cap);
    this.#hyperedges = Int32Array.from(new Set(Array.from(train, (row) => edges[row] as number)));
    if (this.#hyperedges.length === 0) throw new Error('trainIncidences: no incidence is labelled for training');
    this.#trained = new Uint8Array(incidences.count);
    for (const row of train) this.#trained[row] = 1;
  }

  get count(): number {
    return Math.ceil(this.#hyperedges.length / this.size);
  }

  /** Batches of the training hyperedges in random order, begun again as often as needed. */
  *draw(random: Random, steps: number): Generator<LabelledBatch> {
    for (let step = 0, pass = 0; step < steps; pass++)
      for (const positions of minibatches(this.#hyperedges.length, this.size, random.split(pass))) {
        if (step === steps) return;
        const hyperedges = positions.map((at) => this.#hyperedges[at] as number);
        yield this.batch(hyperedges, random.split('neighbours').split(step));
        step += 1;
      }
  }

  /** The batch of some hyperedges. */
  batch(hyperedges: Int32Array, random: Random): LabelledBatch {
    const { features, positions, labels } = this.data;
    const { incidences, vertices, rows, levels, asked } = this.#sampler.sample(hyperedges, this.reach, random);
    const own = asked.dataSync<Int32Array>().map((at) => rows[at] as number);
    const labelled = Int32Array.from(own.keys()).filter((at) => this.#trained[own[at] as number]);
    return {
      input: {
        features: rowsOf(features, vertices),
        incidences,
        levels,
        asked,
        ...(positions && { positions: gatherKnownRows(positions, tensor(rows)) }),
      },
      labelled: tensor(labelled),
      classes: tensor(labelled.map((at) => labels[own[at] as number] as number)),
    };
  }
}
