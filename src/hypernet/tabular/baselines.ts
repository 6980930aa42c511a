// Baseline networks for HyperTab: an MLP and logistic regression.

import { Adam, crossEntropy, fit, inference, loadState, MLP, minibatches, stateOf } from '../../nn/index.js';
import { Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { ClassifierOptions, TableClassifier } from './classifier.js';
import { softmaxRows } from './ensembles.js';
import { type Rows, takeRows } from './features.js';

/** Options of `Perceptron`. */
export interface PerceptronOptions {
  /** Widths of the hidden layers; [] is logistic regression. Default: [64]. */
  readonly hidden?: readonly number[];
  /** Passes over the rows. Default: 200. */
  readonly epochs?: number;
  /** Learning rate of Adam. Default: 1e-3. */
  readonly learningRate?: number;
  /** Weight decay of Adam. Default: 1e-4. */
  readonly weightDecay?: number;
  /** Rows in a batch. Default: 32. */
  readonly batchSize?: number;
}

/** An MLP with cross-entropy loss, trained with Adam on all columns. */
export class Perceptron implements TableClassifier {
  /** Number of classes; 0 before fit. */
  classes = 0;
  /** The trained network; undefined before fit. */
  network: MLP | undefined;

  constructor(readonly options: PerceptronOptions = {}) {}

  /**
   * Creates an untrained network.
   *
   * @param width number of columns
   */
  prepare(width: number, classes: number, random: Random): void {
    this.classes = classes;
    this.network = new MLP([width, ...(this.options.hidden ?? [64]), classes], random);
  }

  async fit(
    x: Rows,
    labels: Int32Array,
    classes: number,
    random: Random,
    { signal, onProgress }: ClassifierOptions = {},
  ) {
    const { epochs = 200, learningRate = 1e-3, weightDecay = 1e-4, batchSize = 32 } = this.options;
    this.prepare(x.width, classes, random.split('weights'));
    await fit({
      model: this.network as MLP,
      epochs,
      random: random.split('fit'),
      optimizer: new Adam({ learningRate, weightDecay }),
      batches: (order) => minibatches(x.count, batchSize, order),
      loss: (live, rows: Int32Array, mode) =>
        crossEntropy(live.forward(asTensor(takeRows(x, rows)), mode), tensor(rows.map((row) => labels[row] as number))),
      signal,
      onEpoch: ({ epoch }) => onProgress?.(epoch / epochs),
    });
    signal?.throwIfAborted();
  }

  probabilities(x: Rows): Float64Array {
    const { network } = this;
    if (!network) throw new Error('Perceptron: call fit before predicting');
    const logits = scope(() => Float64Array.from(network.forward(asTensor(x), inference).view()));
    return softmaxRows(logits, this.classes);
  }

  state(): Record<string, Tensor> {
    if (!this.network) throw new Error('Perceptron: call fit before saving');
    return stateOf(this.network);
  }

  restore(state: Readonly<Record<string, Tensor>>, width: number, classes: number): void {
    this.prepare(width, classes, new Random(0));
    loadState(this.network as MLP, state);
  }
}

function asTensor({ count, width, values }: Rows) {
  return tensor(values, [count, width]);
}
