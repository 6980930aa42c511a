// The networks that HyperTab is measured against: a perceptron and logistic regression.

import { Adam, crossEntropy, fit, inference, loadState, MLP, minibatches, stateOf } from '../../nn/index.js';
import { Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { ClassifierOptions, TableClassifier } from './classifier.js';
import { softmaxRows } from './ensembles.js';
import { type Rows, takeRows } from './features.js';

export interface PerceptronOptions {
  /** Widths of hidden layers; none is logistic regression. */
  readonly hidden?: readonly number[];
  readonly epochs?: number;
  readonly learningRate?: number;
  readonly weightDecay?: number;
  readonly batchSize?: number;
}

/** A perceptron trained with Adam on all columns. */
export class Perceptron implements TableClassifier {
  classes = 0;
  network: MLP | undefined;

  constructor(readonly options: PerceptronOptions = {}) {}

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
