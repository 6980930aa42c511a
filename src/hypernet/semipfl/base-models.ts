// The set of base models that the server makes for a user: one classifier of codes for each donor.
//
//   z = Enc(x);  BN(z) → Linear(code, h) → ReLU → BN → Linear(h, C)
//
// First one network learns from the labelled rows of all donors, as the user's encoder sees them;
// all rows are one batch, so that norms have their statistics at once, and are folded into the
// linear layers. From there each base model learns from its donor's rows alone: the set is one
// batch of networks.

import { Adam, crossEntropy, Linear, minimize, parameter } from '../../nn/index.js';
import {
  add,
  divide,
  keep,
  logSoftmax,
  matmul,
  mean,
  multiply,
  type Random,
  relu,
  reshape,
  scope,
  square,
  subtract,
  sum,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { floatsOf, mapArrays, type NamedArray, type NamedArrays } from '../federated/message.js';
import type { Autoencoder } from '../federated/network.js';

/** Labelled rows of a donor, who has agreed that the server holds them. */
export interface Donor {
  /** Name of the donor. */
  readonly name: string;
  /** Standardised rows [n, d], row-major. */
  readonly x: Float32Array;
  /** Class of each row. */
  readonly labels: Int32Array;
}

/** Options of `trainBaseModels`. */
export interface BaseModelOptions {
  /** Hidden units. Default: 16. */
  readonly hidden?: number;
  /** Steps of Adam on the rows of all donors. Default: 100. */
  readonly steps?: number;
  /** Learning rate of these. Default: 0.02. */
  readonly learningRate?: number;
  /** Steps of each base model on its donor's rows, from there. Default: 20. */
  readonly ownSteps?: number;
  /** Learning rate of these. Default: 5e-3. */
  readonly ownRate?: number;
  /**
   * Share of the donors' rows that are used, those that the user's autoencoder reconstructs best;
   * 1 uses all. A donor of whose rows less than ten, or a single class, would remain keeps all.
   * Default: 0.8.
   */
  readonly relevant?: number;
  /** In place of `relevant`: rows are used whose mean squared error is below this, as published. */
  readonly threshold?: number;
}

/** Base models of a user, and how well the user's autoencoder reconstructs each donor. */
export interface BaseModels {
  /** `first.weight` [K, h, code], `first.bias` [K, h], `second.weight` [K, C, h], `second.bias`. */
  readonly arrays: NamedArrays;
  /** Mean reconstruction error of each donor's rows. */
  readonly errors: readonly number[];
  /** Rows of each donor that were used. */
  readonly used: readonly number[];
}

/** Fewest rows that a donor's base model is trained on where the others are left out. */
const LEAST_ROWS = 10;
const EPSILON = 1e-5;

/** The network of all donors, with norms. */
class PooledNetwork {
  readonly first: Linear;
  readonly second: Linear;

  constructor(sizes: readonly [code: number, hidden: number, classes: number], random: Random) {
    const [code, hidden, classes] = sizes;
    this.first = new Linear(code, hidden, random.split('first'), { init: 'xavier' });
    this.second = new Linear(hidden, classes, random.split('second'), { init: 'xavier' });
  }

  /** Standardised codes [n, code] → hidden units [n, h], before their norm. */
  hidden(z: Tensor): Tensor {
    return this.first.forward(z, 'relu');
  }

  /** [n, code] → logits [n, C]. */
  forward(z: Tensor): Tensor {
    const h = this.hidden(z);
    const { mean, deviation } = momentsOf(h);
    return this.second.forward(divide(subtract(h, mean), deviation));
  }
}

/**
 * Trains a user's base models.
 *
 * @param autoencoder the user's
 * @returns weights of K networks Linear → ReLU → Linear on the codes, norms folded in
 * @throws Error when there are no donors
 */
export async function trainBaseModels(
  autoencoder: Autoencoder,
  donors: readonly Donor[],
  classes: number,
  random: Random,
  {
    hidden = 16,
    steps = 100,
    learningRate = 0.02,
    ownSteps = 20,
    ownRate = 5e-3,
    relevant = 0.8,
    threshold,
  }: BaseModelOptions = {},
): Promise<BaseModels> {
  if (donors.length === 0) throw new Error('SemiPFL needs a donor or more: labelled rows at the server');
  const seen = donors.map((donor) => throughAutoencoder(autoencoder, donor));
  const limit =
    threshold ??
    quantile(
      seen.flatMap(({ errors }) => [...errors]),
      relevant,
    );
  const rows = donors.map((donor, k) => relevantRows(donor, (seen[k] as Seen).errors, limit));
  const { code } = seen[0] as Seen;
  const sets = donors.map(({ labels }, k) => ({
    z: pickCodes(seen[k] as Seen, rows[k] as Int32Array),
    labels: (rows[k] as Int32Array).map((row) => labels[row] as number),
  }));
  const pooled = await trainPooled(sets, [code, hidden, classes], random, { steps, learningRate });
  return {
    arrays: await specialized(pooled, sets, classes, random, { steps: ownSteps, learningRate: ownRate }),
    errors: seen.map(({ errors }) => errors.reduce((a, b) => a + b, 0) / errors.length),
    used: rows.map(({ length }) => length),
  };
}

/** Codes of a donor's rows that are used, and their classes. */
interface CodeSet {
  readonly z: Float32Array;
  readonly labels: Int32Array;
}

interface Steps {
  readonly steps: number;
  readonly learningRate: number;
}

/** One network from the rows of all donors, norms folded in. */
async function trainPooled(
  sets: readonly CodeSet[],
  sizes: readonly [code: number, hidden: number, classes: number],
  random: Random,
  { steps, learningRate }: Steps,
): Promise<NamedArrays> {
  const [code] = sizes;
  const all = Float32Array.from(sets.flatMap(({ z }) => [...z]));
  const labels = Int32Array.from(sets.flatMap((set) => [...set.labels]));
  const norm = momentsOfColumns(all, labels.length, code);
  const standard = all.map(
    (value, i) => (value - (norm.mean[i % code] as number)) / (norm.deviation[i % code] as number),
  );
  const network = new PooledNetwork(sizes, random);
  const z = keep(tensor(standard, [labels.length, code]));
  const targets = keep(tensor(labels));
  await minimize(network, (live) => crossEntropy(live.forward(z), targets), {
    ...{ steps, random: random.split('training'), optimizer: new Adam({ learningRate }) },
  });
  const behind = scope(() => {
    const { mean, deviation } = momentsOf(network.hidden(z));
    return { mean: mean.dataSync<Float32Array>().slice(), deviation: deviation.dataSync<Float32Array>().slice() };
  });
  z.dispose();
  targets.dispose();
  return { ...folded('first', network.first, norm), ...folded('second', network.second, behind) };
}

/** K copies of a network, each after some steps on the rows of its donor. */
async function specialized(
  pooled: NamedArrays,
  sets: readonly CodeSet[],
  classes: number,
  random: Random,
  { steps, learningRate }: Steps,
): Promise<NamedArrays> {
  const networks = sets.length;
  const copies = mapArrays(pooled, ({ shape, values }) => ({
    shape: [networks, ...shape],
    values: Float32Array.from({ length: networks * values.length }, (_, i) => values[i % values.length] as number),
  }));
  if (steps === 0) return copies;
  const model = Object.fromEntries(
    Object.entries(copies).map(([name, own]) => [name, parameter(tensor(floatsOf(own), own.shape))]),
  );
  const { z, targets } = batchOf(sets, (pooled['first.weight'] as NamedArray).shape[1] as number, classes);
  await minimize(model, (live) => multiply(sum(multiply(logSoftmax(baseLogits(live, z)), targets)), -1), {
    ...{ steps, random: random.split('own'), optimizer: new Adam({ learningRate }) },
  });
  const made = mapArrays(copies, ({ shape }, name) => ({
    shape,
    values: (model[name] as Tensor).dataSync<Float32Array>().slice(),
  }));
  for (const own of [z, targets, ...Object.values(model)]) own.dispose();
  return made;
}

/** Logits [K, n, C] of K base models for codes z [n, code], or [K, n, code] of their own. */
export function baseLogits(weights: Readonly<Record<string, Tensor>>, z: Tensor): Tensor {
  const layer = (x: Tensor, name: string) => {
    const bias = weights[`${name}.bias`] as Tensor;
    return add(
      matmul(x, weights[`${name}.weight`] as Tensor, { transposeB: true }),
      reshape(bias, [bias.shape[0] as number, 1, -1]),
    );
  };
  return layer(relu(layer(z.rank === 2 ? reshape(z, [1, ...z.shape]) : z, 'first')), 'second');
}

interface Seen {
  /** Codes [n, code], row-major. */
  readonly codes: Float32Array;
  readonly code: number;
  /** Reconstruction error of each row. */
  readonly errors: Float32Array;
}

function throughAutoencoder(autoencoder: Autoencoder, { x, labels, name }: Donor): Seen {
  const count = labels.length;
  const width = autoencoder.encoder[0]?.inFeatures ?? 0;
  if (count === 0) throw new Error(`donor "${name}" has no labelled rows`);
  if (x.length !== count * width)
    throw new Error(`donor "${name}" has rows of ${x.length / count} numbers; the network reads ${width}`);
  return scope(() => {
    const rows = tensor(x, [count, width]);
    const codes = autoencoder.encode(rows);
    const errors = square(subtract(autoencoder.forward(rows), rows)).mean(1);
    return {
      code: codes.shape[1] as number,
      codes: codes.dataSync<Float32Array>().slice(),
      errors: errors.dataSync<Float32Array>().slice(),
    };
  });
}

/** The value that a share of the values does not exceed. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return share >= 1 ? Number.POSITIVE_INFINITY : (sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number);
}

function relevantRows({ labels }: Donor, errors: Float32Array, limit: number): Int32Array {
  const all = Int32Array.from(labels.keys());
  const kept = all.filter((row) => (errors[row] as number) <= limit);
  const classes = new Set(kept.map((row) => labels[row] as number));
  const whole = new Set(labels).size;
  return kept.length < LEAST_ROWS || (classes.size < 2 && whole > 1) ? all : kept;
}

function pickCodes({ codes, code }: Seen, rows: Int32Array): Float32Array {
  const picked = new Float32Array(rows.length * code);
  rows.forEach((row, i) => {
    picked.set(codes.subarray(row * code, (row + 1) * code), i * code);
  });
  return picked;
}

/** Sets of codes as one batch: codes [K, n, code] and classes, one-hot over n_k, [K, n, C]. */
function batchOf(sets: readonly CodeSet[], code: number, classes: number): { z: Tensor; targets: Tensor } {
  const most = Math.max(...sets.map(({ labels }) => labels.length));
  const z = new Float32Array(sets.length * most * code);
  const targets = new Float32Array(sets.length * most * classes);
  sets.forEach((set, k) => {
    z.set(set.z, k * most * code);
    set.labels.forEach((label, i) => {
      targets[(k * most + i) * classes + label] = 1 / set.labels.length;
    });
  });
  return {
    z: keep(tensor(z, [sets.length, most, code])),
    targets: keep(tensor(targets, [sets.length, most, classes])),
  };
}

interface Moments {
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
}

function momentsOfColumns(values: Float32Array, count: number, width: number): Moments {
  const [mean, deviation] = [new Float32Array(width), new Float32Array(width)];
  for (let j = 0; j < width; j++) {
    let [total, squares] = [0, 0];
    for (let i = 0; i < count; i++) total += (values[i * width + j] as number) / count;
    for (let i = 0; i < count; i++) squares += ((values[i * width + j] as number) - total) ** 2 / count;
    mean[j] = total;
    deviation[j] = Math.sqrt(squares + EPSILON);
  }
  return { mean, deviation };
}

/** Mean and deviation over rows [n, h], each [1, h]. */
function momentsOf(h: Tensor): { mean: Tensor; deviation: Tensor } {
  const middle = mean(h, 0, { keepAxes: true });
  const variance = mean(square(subtract(h, middle)), 0, { keepAxes: true });
  return { mean: middle, deviation: add(variance, EPSILON).sqrt() };
}

/** A norm folded into the linear layer behind it: W(x − m)/s + b = (W/s)x + (b − (W/s)m). */
function folded(name: string, { weight, bias }: Linear, norm: Moments): NamedArrays {
  const [outs, ins] = weight.shape as [number, number];
  const w = weight.dataSync<Float32Array>().slice();
  const b = (bias as Tensor).dataSync<Float32Array>().slice();
  for (let o = 0; o < outs; o++)
    for (let i = 0; i < ins; i++) {
      const at = o * ins + i;
      w[at] = (w[at] as number) / (norm.deviation[i] as number);
      b[o] = (b[o] as number) - (w[at] as number) * (norm.mean[i] as number);
    }
  return {
    [`${name}.weight`]: { shape: [outs, ins], values: w },
    [`${name}.bias`]: { shape: [outs], values: b },
  };
}
