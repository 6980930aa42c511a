// HyperTab (Wydmański, Bulenok, Śmieja, "HyperTab: Hypernetwork Approach for Deep Learning on Small
// Tabular Datasets", DSAA 2023).
//
// An ensemble of B small networks, each of which sees m = ⌊ρ·D⌋ of the columns; one hypernetwork
// generates the weights of each from its column mask, so that the number of trained parameters does
// not depend on B:
//
//   θ_b = H(M_b), logits(x) = mean_b F(x[M_b]; θ_b), H: D → 128 → ReLU → 64 → ReLU → 64 → P, F: m →
//   h → h → C
//
// The masks are drawn once and stay fixed. Each step trains on a batch of rows restricted to the
// columns of some views.

import { eventTurn } from '../engine/index.js';
import {
  Adam,
  crossEntropy,
  inference,
  loadState,
  MLP,
  minibatches,
  parameters,
  stateOf,
  withWeights,
} from '../nn/index.js';
import { Random, scope, type Tensor, tensor, valueAndGrad } from '../tensor/index.js';
import { VectorCondition } from './condition.js';
import { Hypernet } from './hypernet.js';
import type { ClassifierOptions, TableClassifier } from './tabular/classifier.js';
import { softmaxRows } from './tabular/ensembles.js';
import type { Rows } from './tabular/features.js';
import { mlpTrunk } from './trunk.js';

/** Options of `HyperTab`. */
export interface HyperTabOptions {
  /** ρ: share of the columns in a view, in (0, 1]. Default: 0.5. */
  readonly subsample?: number;
  /** B: number of views (networks of the ensemble). Default: 100. */
  readonly views?: number;
  /** h: width of the hidden layers of each network. Default: 10. */
  readonly hidden?: number;
  /** Passes over the rows. Default: 50. */
  readonly epochs?: number;
  /** Learning rate of Adam. Default: 3e-4. */
  readonly learningRate?: number;
  /** Rows in a batch. Default: 128. */
  readonly batchSize?: number;
  /**
   * Views trained together in a step; 1 is the published loop, more give fewer, larger steps.
   * Default: 1.
   */
  readonly viewsPerStep?: number;
}

/** Default options of `HyperTab`. */
export const hyperTabDefaults = {
  subsample: 0.5,
  views: 100,
  hidden: 10,
  epochs: 50,
  learningRate: 3e-4,
  batchSize: 128,
  viewsPerStep: 1,
} as const satisfies HyperTabOptions;

/** Layer widths of the trunk of H. */
const TRUNK = [128, 64, 64];

/**
 * HyperTab: an ensemble of small networks over column subsets whose weights one hypernetwork
 * generates; predictions are the softmax of mean logits. Wydmański et al., DSAA 2023.
 */
export class HyperTab implements TableClassifier {
  /** The options with defaults filled in. */
  readonly options: Required<HyperTabOptions>;
  /** Column indices of each view, ascending. */
  masks: readonly Int32Array[] = [];
  /** Number of classes; 0 before fit. */
  classes = 0;
  #hypernet: Hypernet<MLP> | undefined;
  #width = 0;

  constructor(options: HyperTabOptions = {}) {
    this.options = { ...hyperTabDefaults, ...options };
    const { subsample, views } = this.options;
    if (!(subsample > 0 && subsample <= 1))
      throw new RangeError(`HyperTab: subsample must lie in (0, 1], got ${subsample}`);
    if (!(Number.isInteger(views) && views >= 1))
      throw new RangeError(`HyperTab: views must be a positive integer, got ${views}`);
  }

  /** The trained hypernetwork. @throws Error before fit */
  get hypernet(): Hypernet<MLP> {
    if (!this.#hypernet) throw new Error('HyperTab: call fit before predicting');
    return this.#hypernet;
  }

  /**
   * Draws the masks and creates an untrained hypernetwork.
   *
   * @param width D, number of columns
   */
  prepare(width: number, classes: number, random: Random): void {
    const { subsample, views, hidden } = this.options;
    const seen = Math.max(1, Math.floor(subsample * width));
    this.classes = classes;
    this.#width = width;
    this.masks = Array.from({ length: views }, (_, b) => random.split('mask').split(b).sample(width, seen).sort());
    const target = new MLP([seen, hidden, hidden, classes], random.split('target'));
    this.#hypernet = new Hypernet(target, new VectorCondition(width), random.split('hypernet'), {
      trunk: mlpTrunk(TRUNK, { init: 'torch', linearLast: true }),
      init: 'torch',
    });
  }

  async fit(
    x: Rows,
    labels: Int32Array,
    classes: number,
    random: Random,
    { signal, onProgress }: ClassifierOptions = {},
  ) {
    if (x.values.some((value) => !Number.isFinite(value))) throw new Error('HyperTab: features must be finite numbers');
    if (classes < 2) throw new Error(`HyperTab: at least two classes, got ${classes}`);
    this.prepare(x.width, classes, random);
    const { epochs, learningRate, batchSize, viewsPerStep } = this.options;
    const optimizer = new Adam({ learningRate });
    const hypernet = this.hypernet;
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = random.split('order').split(epoch);
      for (const rows of minibatches(x.count, batchSize, order)) {
        const views = order.permutation(this.masks.length);
        for (let at = 0; at < views.length; at += viewsPerStep) {
          this.#step(hypernet, optimizer, x, rows, labels, views.subarray(at, at + viewsPerStep));
        }
      }
      onProgress?.((epoch + 1) / epochs);
      await eventTurn(signal);
    }
  }

  #step(
    hypernet: Hypernet<MLP>,
    optimizer: Adam,
    x: Rows,
    rows: Int32Array,
    labels: Int32Array,
    views: Int32Array,
  ): void {
    scope(() => {
      const inputs = this.#views(x, rows, views);
      const masks = this.#masksOf(views);
      const classes = tensor(
        Int32Array.from(
          { length: rows.length * views.length },
          (_, i) => labels[rows[i % rows.length] as number] as number,
        ),
      );
      const weights = parameters(hypernet);
      const { gradient } = valueAndGrad((w: Record<string, Tensor>) =>
        withWeights(hypernet, w, (live) => crossEntropy(live.run(masks, inputs, forward), classes)),
      )(weights);
      optimizer.update(weights, gradient);
    });
  }

  /** Binary column masks M [views, D]. */
  #masksOf(views: Int32Array): Tensor {
    const masks = new Float32Array(views.length * this.#width);
    views.forEach((view, i) => {
      for (const column of this.masks[view] as Int32Array) masks[i * this.#width + column] = 1;
    });
    return tensor(masks, [views.length, this.#width]);
  }

  /** The rows restricted to the columns of each view, view after view: [views·rows, m]. */
  #views({ width, values }: Rows, rows: Int32Array, views: Int32Array): Tensor {
    const seen = (this.masks[0] as Int32Array).length;
    const inputs = new Float32Array(views.length * rows.length * seen);
    let at = 0;
    for (const view of views) {
      const columns = this.masks[view] as Int32Array;
      for (const row of rows) for (const column of columns) inputs[at++] = values[row * width + column] as number;
    }
    return tensor(inputs, [views.length * rows.length, seen]);
  }

  /**
   * Logits averaged over all views: [rows, classes], row-major.
   *
   * @throws Error before fit, or for another number of columns
   */
  decisionFunction(x: Rows): Float64Array {
    const hypernet = this.hypernet;
    if (x.width !== this.#width)
      throw new Error(`HyperTab: the rows have ${x.width} columns, training had ${this.#width}`);
    const logits = new Float64Array(x.count * this.classes);
    const rows = Int32Array.from({ length: x.count }, (_, row) => row);
    // Views are processed in groups to bound memory for wide tables.
    const groupSize = Math.max(1, Math.min(this.masks.length, Math.floor(2e6 / Math.max(1, x.count * x.width))));
    for (let from = 0; from < this.masks.length; from += groupSize)
      scope(() => {
        const views = Int32Array.from({ length: Math.min(groupSize, this.masks.length - from) }, (_, i) => from + i);
        const output = hypernet.run(this.#masksOf(views), this.#views(x, rows, views), forward).view();
        for (let i = 0; i < output.length; i++) {
          const place = i % logits.length;
          logits[place] = (logits[place] as number) + (output[i] as number) / this.masks.length;
        }
      });
    return logits;
  }

  probabilities(x: Rows): Float64Array {
    return softmaxRows(this.decisionFunction(x), this.classes);
  }

  state(): Record<string, Tensor> {
    const shape = [this.masks.length, this.masks[0]?.length ?? 0];
    const masks = tensor(Int32Array.from(this.masks.flatMap((mask) => [...mask])), shape);
    return { ...stateOf(this.hypernet), masks };
  }

  restore(state: Readonly<Record<string, Tensor>>, width: number, classes: number): void {
    const { masks, ...weights } = state;
    if (!masks) throw new Error('HyperTab: the state holds no masks');
    this.prepare(width, classes, new Random(0));
    const [views, seen] = masks.shape as [number, number];
    const columns = masks.dataSync<Int32Array>();
    this.masks = Array.from({ length: views }, (_, view) => columns.subarray(view * seen, (view + 1) * seen));
    loadState(this.hypernet, weights);
  }
}

function forward(live: MLP, x: Tensor): Tensor {
  return live.forward(x, inference);
}
