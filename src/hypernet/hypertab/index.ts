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
// columns of some views. For a number in place of a class F has one output and the loss is squared.

import {
  Adam,
  crossEntropy,
  fit,
  inference,
  loadState,
  MLP,
  meanSquaredError,
  minibatches,
  stateOf,
} from '../../nn/index.js';
import { Random, reshape, scope, type Tensor, tensor } from '../../tensor/index.js';
import { Hypernet } from '../hypernet.js';
import { type ClassifierOptions, requireFinite, type TableLearner } from '../tabular/classifier.js';
import { softmaxRows } from '../tabular/ensembles.js';
import type { Rows } from '../tabular/features.js';
import { mlpTrunk } from '../trunk.js';
import { maskCondition } from './conditions.js';
import { drawMasks, featureAccuracies, variances } from './masks.js';
import { type HyperTabOptions, hyperTabOptions } from './options.js';

export type { MaskInput } from './conditions.js';
export { columnDrops } from './explain.js';
export type { MaskDesign } from './masks.js';
export { type HyperTabOptions, hyperTabDefaults } from './options.js';

/** Layer widths of the trunk of H. */
const TRUNK = [128, 64, 64];

/** A step of training: rows, and the views that they are seen in. */
interface Batch {
  readonly rows: Int32Array;
  readonly views: Int32Array;
}

/**
 * HyperTab: an ensemble of small networks over column subsets whose weights one hypernetwork
 * generates; predictions are the softmax of mean logits. Wydmański et al., DSAA 2023.
 */
export class HyperTab implements TableLearner {
  /** The options with defaults filled in. */
  readonly options: Required<HyperTabOptions>;
  /** Feature indices of each view, ascending. */
  masks: readonly Int32Array[] = [];
  /** Number of classes, or 1 where a number is learnt; 0 before fit. */
  classes = 0;
  #hypernet: Hypernet<MLP> | undefined;
  #width = 0;

  constructor(options: HyperTabOptions = {}) {
    this.options = hyperTabOptions(options);
  }

  /** The trained hypernetwork. @throws Error before fit */
  get hypernet(): Hypernet<MLP> {
    if (!this.#hypernet) throw new Error('HyperTab: call fit before predicting');
    return this.#hypernet;
  }

  /**
   * Draws uniform masks over features and creates an untrained hypernetwork.
   *
   * @param width D, number of features
   * @param classes outputs of each network
   */
  prepare(width: number, classes: number, random: Random): void {
    const masks = drawMasks(width, { ...this.options, design: 'uniform' }, random.split('mask'));
    this.#build(width, classes, masks, random);
  }

  #build(width: number, classes: number, masks: readonly Int32Array[], random: Random): void {
    const { hidden, input } = this.options;
    this.classes = classes;
    this.#width = width;
    this.masks = masks;
    const target = new MLP([this.#seen, hidden, hidden, classes], random.split('target'));
    const all = Int32Array.from(masks.keys());
    const condition = maskCondition(input, this.#maskValues(all), width, random.split('condition'));
    this.#hypernet = new Hypernet(target, condition, random.split('hypernet'), {
      trunk: mlpTrunk(TRUNK, { init: 'torch', linearLast: true }),
      init: 'torch',
    });
  }

  /** m: inputs of a network. Views of fewer features, where columns are several, end in zeros. */
  get #seen(): number {
    return this.masks.reduce((most, { length }) => Math.max(most, length), 0);
  }

  async fit(x: Rows, labels: Int32Array, classes: number, random: Random, options: ClassifierOptions = {}) {
    if (classes < 2) throw new Error(`HyperTab: at least two classes, got ${classes}`);
    requireFinite('HyperTab', x);
    this.#build(
      x.width,
      classes,
      this.#drawMasks(x, random, () => featureAccuracies(x, labels, classes)),
      random,
    );
    await this.#train(x, random, options, (outputs, { rows, views }) =>
      crossEntropy(outputs, tensor(repeated(views.length, rows, (row) => labels[row] as number))),
    );
  }

  async fitValues(x: Rows, values: Float64Array, random: Random, options: ClassifierOptions = {}) {
    requireFinite('HyperTab', x);
    const noAccuracy = (): never => {
      throw new Error('HyperTab: the design "accuracy-softmax" needs classes; choose another for a numeric target');
    };
    this.#build(x.width, 1, this.#drawMasks(x, random, noAccuracy), random);
    await this.#train(x, random, options, (outputs, { rows, views }) => {
      const wanted = Float32Array.from(
        repeated(views.length, rows, (at) => at),
        (row) => values[row] as number,
      );
      return meanSquaredError(reshape(outputs, [wanted.length]), tensor(wanted));
    });
  }

  /**
   * Views by the design of the options; columns of several features are taken or left as a whole.
   */
  #drawMasks(x: Rows, random: Random, accuracies: () => Float64Array): Int32Array[] {
    const { masks: design, unit } = this.options;
    const unitOf = unit === 'column' && x.columns ? x.columns : Int32Array.from({ length: x.width }, (_, f) => f);
    const members: number[][] = [];
    unitOf.forEach((column, feature) => {
      members[column] = [...(members[column] ?? []), feature];
    });
    const known = design === 'uniform' ? [] : design === 'accuracy-softmax' ? accuracies() : variances(x);
    const scores = members.map((own) => own.reduce((sum, f) => sum + (known[f] ?? 0), 0) / own.length);
    const chosen = drawMasks(members.length, { ...this.options, design }, random.split('mask'), scores);
    return chosen.map((view) => Int32Array.from([...view].flatMap((column) => members[column] as number[])).sort());
  }

  async #train(
    x: Rows,
    random: Random,
    { signal, onProgress }: ClassifierOptions,
    lossOf: (outputs: Tensor, batch: Batch) => Tensor,
  ): Promise<void> {
    const { epochs, learningRate, batchSize, viewsPerStep, mode, maxSteps } = this.options;
    const views = this.masks.length;
    const perBatch = mode === 'slow-step' ? 1 : Math.ceil(views / viewsPerStep);
    const perEpoch = perBatch * Math.ceil(x.count / batchSize);
    let turn = 0;
    const next = () => Int32Array.from({ length: Math.min(viewsPerStep, views) }, () => turn++ % views);
    await fit<Hypernet<MLP>, Batch>({
      model: this.hypernet,
      optimizer: new Adam({ learningRate }),
      epochs: Math.max(1, Math.min(epochs, Math.floor(maxSteps / perEpoch))),
      random,
      *batches(order) {
        for (const rows of minibatches(x.count, batchSize, order)) {
          const shuffled = mode === 'slow-step' ? next() : order.permutation(views);
          for (let at = 0; at < shuffled.length; at += viewsPerStep)
            yield { rows, views: shuffled.subarray(at, at + viewsPerStep) };
        }
      },
      loss: (live, batch) =>
        lossOf(live.run(this.#masksOf(batch.views), this.#views(x, batch.rows, batch.views), forward), batch),
      signal,
      onEpoch: ({ epoch, epochs: all }) => onProgress?.(epoch / all),
    });
    signal?.throwIfAborted();
  }

  /** Binary column masks, [views, D] row-major. */
  #maskValues(views: Int32Array): Float32Array {
    const masks = new Float32Array(views.length * this.#width);
    views.forEach((view, i) => {
      for (const feature of this.masks[view] as Int32Array) masks[i * this.#width + feature] = 1;
    });
    return masks;
  }

  /** M [views, D]. */
  #masksOf(views: Int32Array): Tensor {
    return tensor(this.#maskValues(views), [views.length, this.#width]);
  }

  /** The rows restricted to the features of each view, view after view: [views·rows, m]. */
  #views({ width, values }: Rows, rows: Int32Array, views: Int32Array): Tensor {
    const seen = this.#seen;
    const inputs = new Float32Array(views.length * rows.length * seen);
    let at = 0;
    for (const view of views) {
      const features = this.masks[view] as Int32Array;
      for (const row of rows) {
        for (let i = 0; i < features.length; i++)
          inputs[at + i] = values[row * width + (features[i] as number)] as number;
        at += seen;
      }
    }
    return tensor(inputs, [views.length * rows.length, seen]);
  }

  /**
   * Outputs averaged over views: logits [rows, classes], or values [rows, 1]; row-major.
   *
   * @param views indices of the views. Default: all
   * @throws Error before fit, or for another number of columns
   */
  decisionFunction(x: Rows, views: Int32Array = Int32Array.from(this.masks.keys())): Float64Array {
    const hypernet = this.hypernet;
    if (x.width !== this.#width)
      throw new Error(`HyperTab: the rows have ${x.width} columns, training had ${this.#width}`);
    const logits = new Float64Array(x.count * this.classes);
    const rows = Int32Array.from({ length: x.count }, (_, row) => row);
    // Views are processed in groups to bound memory for wide tables.
    const groupSize = Math.max(1, Math.min(views.length, Math.floor(2e6 / Math.max(1, x.count * x.width))));
    for (let from = 0; from < views.length; from += groupSize)
      scope(() => {
        const group = views.subarray(from, from + groupSize);
        const output = hypernet.run(this.#masksOf(group), this.#views(x, rows, group), forward).view();
        for (let i = 0; i < output.length; i++) {
          const place = i % logits.length;
          logits[place] = (logits[place] as number) + (output[i] as number) / views.length;
        }
      });
    return logits;
  }

  probabilities(x: Rows): Float64Array {
    return softmaxRows(this.decisionFunction(x), this.classes);
  }

  values(x: Rows): Float64Array {
    return this.decisionFunction(x);
  }

  state(): Record<string, Tensor> {
    // Views of fewer features than others are filled up with −1.
    const shape = [this.masks.length, this.#seen] as const;
    const padded = this.masks.flatMap((mask) => Array.from({ length: shape[1] }, (_, i) => mask[i] ?? -1));
    return { ...stateOf(this.hypernet), masks: tensor(Int32Array.from(padded), shape) };
  }

  restore(state: Readonly<Record<string, Tensor>>, width: number, outputs: number): void {
    const { masks, ...weights } = state;
    if (!masks) throw new Error('HyperTab: the state holds no masks');
    const [views, seen] = masks.shape as [number, number];
    const features = masks.dataSync<Int32Array>();
    const kept = Array.from({ length: views }, (_, view) =>
      features.slice(view * seen, (view + 1) * seen).filter((feature) => feature >= 0),
    );
    this.#build(width, outputs, kept, new Random(0));
    loadState(this.hypernet, weights);
  }
}

/** A value of each row, once for each view. */
function repeated(views: number, rows: Int32Array, valueOf: (row: number) => number): Int32Array {
  return Int32Array.from({ length: rows.length * views }, (_, i) => valueOf(rows[i % rows.length] as number));
}

function forward(live: MLP, x: Tensor): Tensor {
  return live.forward(x, inference);
}
