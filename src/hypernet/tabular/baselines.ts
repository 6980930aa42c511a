// Baseline networks for HyperTab: an MLP, also with dropout of inputs.

import {
  Adam,
  crossEntropy,
  Dropout,
  fit,
  inference,
  loadState,
  MLP,
  type Mode,
  meanSquaredError,
  minibatches,
  stateOf,
} from '../../nn/index.js';
import { Random, reshape, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { ClassifierOptions, TableLearner } from './classifier.js';
import { type Rows, takeRows, tensorOf } from './features.js';
import { softmaxRows } from './losses.js';

/** Options of `Perceptron`. */
export interface PerceptronOptions {
  /** Width of the hidden layers, or of each of them. Default: 64. */
  readonly hidden?: number | readonly number[];
  /** Number of hidden layers of one width. Default: 1. */
  readonly layers?: number;
  /** Passes over the rows. Default: 200. */
  readonly epochs?: number;
  /** Learning rate of Adam. Default: 1e-3. */
  readonly learningRate?: number;
  /** Weight decay of Adam. Default: 1e-4. */
  readonly weightDecay?: number;
  /** Dropout probability of hidden units. Default: 0. */
  readonly dropout?: number;
  /** Dropout probability of the inputs. Default: 0. */
  readonly inputDropout?: number;
  /** Rows in a batch. Default: 32. */
  readonly batchSize?: number;
  /** Most optimiser steps; an epoch that would pass them is not begun. Default: no limit. */
  readonly maxSteps?: number;
}

/** An MLP with cross-entropy or squared loss, trained with Adam on all columns. */
export class Perceptron implements TableLearner {
  /** Number of classes, or 1 for a numeric target; 0 before fit. */
  classes = 0;
  /** The trained network; undefined before fit. */
  network: MLP | undefined;
  readonly #inputs: Dropout;

  constructor(readonly options: PerceptronOptions = {}) {
    this.#inputs = new Dropout(options.inputDropout ?? 0);
  }

  /**
   * The learner of a network that was trained elsewhere.
   *
   * @param classes its number of classes, or 1 for a numeric target
   */
  static of(network: MLP, classes: number): Perceptron {
    const learner = new Perceptron({ hidden: network.blocks.map(({ linear }) => linear.outFeatures) });
    learner.classes = classes;
    learner.network = network;
    return learner;
  }

  /**
   * Creates an untrained network.
   *
   * @param width number of columns
   */
  prepare(width: number, classes: number, random: Random): void {
    const { hidden = 64, layers = 1, dropout = 0 } = this.options;
    this.classes = classes;
    const widths = typeof hidden === 'number' ? new Array<number>(layers).fill(hidden) : hidden;
    this.network = new MLP([width, ...widths, classes], random, { dropout });
  }

  async fit(x: Rows, labels: Int32Array, classes: number, random: Random, options: ClassifierOptions = {}) {
    await this.#train(x, classes, random, options, (outputs, rows) =>
      crossEntropy(outputs, tensor(rows.map((row) => labels[row] as number))),
    );
  }

  async fitValues(x: Rows, values: Float64Array, random: Random, options: ClassifierOptions = {}) {
    await this.#train(x, 1, random, options, (outputs, rows) =>
      meanSquaredError(
        reshape(outputs, [rows.length]),
        tensor(Float32Array.from(rows, (row) => values[row] as number)),
      ),
    );
  }

  async #train(
    x: Rows,
    outputs: number,
    random: Random,
    { signal, onProgress }: ClassifierOptions,
    lossOf: (outputs: Tensor, rows: Int32Array) => Tensor,
  ) {
    const { epochs = 200, learningRate = 1e-3, weightDecay = 1e-4, batchSize = 32 } = this.options;
    const { maxSteps = Number.POSITIVE_INFINITY } = this.options;
    this.prepare(x.width, outputs, random.split('weights'));
    await fit({
      model: this.network as MLP,
      epochs: Math.max(1, Math.min(epochs, Math.floor(maxSteps / Math.ceil(x.count / batchSize)))),
      random: random.split('fit'),
      optimizer: new Adam({ learningRate, weightDecay }),
      batches: (order) => minibatches(x.count, batchSize, order),
      loss: (live, rows: Int32Array, mode) => lossOf(this.#forward(live, takeRows(x, rows), mode), rows),
      signal,
      onEpoch: ({ epoch, epochs: all }) => onProgress?.(epoch / all),
    });
    signal?.throwIfAborted();
  }

  #forward(network: MLP, x: Rows, mode: Mode): Tensor {
    return network.forward(this.#inputs.forward(tensorOf(x), mode), mode);
  }

  values(x: Rows): Float64Array {
    const { network } = this;
    if (!network) throw new Error('Perceptron: call fit before predicting');
    return scope(() => Float64Array.from(this.#forward(network, x, inference).view()));
  }

  probabilities(x: Rows): Float64Array {
    return softmaxRows(this.values(x), this.classes);
  }

  state(): Record<string, Tensor> {
    if (!this.network) throw new Error('Perceptron: call fit before saving');
    return stateOf(this.network);
  }

  restore(state: Readonly<Record<string, Tensor>>, width: number, outputs: number): void {
    this.prepare(width, outputs, new Random(0));
    loadState(this.network as MLP, state);
  }
}
