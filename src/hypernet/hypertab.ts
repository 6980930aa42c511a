// HyperTab (Wydmański, Bulenok, Śmieja, "HyperTab: Hypernetwork Approach for Deep Learning on Small Tabular Datasets", DSAA 2023).
//
// An ensemble of B small networks, each of which sees m = ⌊ρ·D⌋ of the columns; one hypernetwork makes the weights of all from the mask of their columns, so that the number of trained parameters does not depend on B:
//
//   θ_b = H(M_b),  logits(x) = mean_b F(x[M_b]; θ_b),  H: D → 128 → ReLU → 64 → ReLU → 64 → P,  F: m → h → h → C
//
// The masks are drawn once and kept. Each step trains on a batch of rows as some views see it.

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

export interface HyperTabOptions {
  /** ρ: share of the columns that a view sees. */
  readonly subsample?: number;
  /** B */
  readonly views?: number;
  /** h */
  readonly hidden?: number;
  readonly epochs?: number;
  readonly learningRate?: number;
  readonly batchSize?: number;
  /** Views trained on in a step. 1 is the published loop; more take fewer, larger steps. */
  readonly viewsPerStep?: number;
}

export const hyperTabDefaults = {
  subsample: 0.5,
  views: 100,
  hidden: 10,
  epochs: 50,
  learningRate: 3e-4,
  batchSize: 128,
  viewsPerStep: 1,
} as const satisfies HyperTabOptions;

/** Widths of H. */
const TRUNK = [128, 64, 64];

export class HyperTab implements TableClassifier {
  readonly options: Required<HyperTabOptions>;
  /** Columns of each view, ascending. */
  masks: readonly Int32Array[] = [];
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

  /** Draws masks and makes an untrained hypernetwork for D columns. */
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
          const own = views.subarray(at, at + viewsPerStep);
          this.#step(hypernet, optimizer, x, rows, labels, own);
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

  /** M [views, D] of zeros and ones. */
  #masksOf(views: Int32Array): Tensor {
    const masks = new Float32Array(views.length * this.#width);
    views.forEach((view, i) => {
      for (const column of this.masks[view] as Int32Array) masks[i * this.#width + column] = 1;
    });
    return tensor(masks, [views.length, this.#width]);
  }

  /** Rows as views see them, view after view: [views·rows, m]. */
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

  /** Mean logits over all views: [rows, classes]. @throws Error before fit, or for another number of columns */
  decisionFunction(x: Rows): Float64Array {
    const hypernet = this.hypernet;
    if (x.width !== this.#width)
      throw new Error(`HyperTab: the rows have ${x.width} columns, training had ${this.#width}`);
    const logits = new Float64Array(x.count * this.classes);
    const rows = Int32Array.from({ length: x.count }, (_, row) => row);
    // Views in groups, so that wide tables fit memory.
    const together = Math.max(1, Math.min(this.masks.length, Math.floor(2e6 / Math.max(1, x.count * x.width))));
    for (let from = 0; from < this.masks.length; from += together)
      scope(() => {
        const views = Int32Array.from({ length: Math.min(together, this.masks.length - from) }, (_, i) => from + i);
        const made = hypernet.run(this.#masksOf(views), this.#views(x, rows, views), forward).view();
        for (let i = 0; i < made.length; i++) {
          const place = i % logits.length;
          logits[place] = (logits[place] as number) + (made[i] as number) / this.masks.length;
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
