// A user's own model: encoder, base models and their weights.

import { Adam, minimize, parameter } from '../../nn/index.js';
import { add, log, multiply, Random, scope, softmax, sum, type Tensor, tensor } from '../../tensor/index.js';
import { networkOf } from '../federated/client.js';
import { floatsOf, mapArrays, type NamedArray, type NamedArrays } from '../federated/message.js';
import { type Autoencoder, layoutOf, type NetworkSpec } from '../federated/network.js';
import type { Standardization } from '../federated/private-rows.js';
import { standardized } from '../federated/private-rows.js';
import { baseLogits } from './base-models.js';
import { fitMixture, leftOutParts, mixtureGain, mixtureWeights, priorLogits } from './mixture.js';

/** Options of `aggregate`. */
export interface AggregateOptions {
  /**
   * `learnt`: α from the label-free prior, then from the user's labels where that pays; `prior`:
   * label-free; `uniform`: all alike. Default: `learnt`.
   */
  readonly weights?: 'learnt' | 'prior' | 'uniform';
  /** Most steps of fine-tuning the base models on the user's labels. Default: 30. */
  readonly tuningSteps?: number;
  /** Learning rate of fine-tuning. Default: 3e-4. */
  readonly tuningRate?: number;
  /**
   * What is averaged by α: the `probabilities` of the base models, or their `parameters`, which
   * makes one classifier of them. Default: `probabilities`.
   */
  readonly average?: 'probabilities' | 'parameters';
}

/** Parts of the labels that are left out to judge fine-tuning. */
const TUNING_PARTS = 4;
/** Fewer labels are not fine-tuned on. */
const LEAST_TUNED = 4;

/** Encoder and aggregated classifier of a user. */
export class PersonalModel {
  readonly #encoder: Autoencoder;

  constructor(
    /** Statistics of the user's rows. */
    readonly standardization: Standardization,
    /** The autoencoder. */
    readonly network: NetworkSpec,
    /** Its weights. */
    readonly encoder: NamedArrays,
    /** Base models; see `BaseModels`. */
    readonly base: NamedArrays,
    /** a of α = softmax(a). */
    readonly logits: Float64Array,
  ) {
    this.#encoder = networkOf(network, layoutOf(network), encoder) as Autoencoder;
  }

  /** Number of classes. */
  get classes(): number {
    return (this.base['second.bias'] as NamedArray).shape[1] as number;
  }

  /** α of the base models. */
  get weights(): Float64Array {
    return mixtureWeights(this.logits);
  }

  /** Numbers that the model holds. */
  get size(): number {
    return [...Object.values(this.encoder), ...Object.values(this.base)].reduce(
      (sum, { values }) => sum + values.length,
      0,
    );
  }

  /**
   * Class probabilities [n, C] of raw rows [n, d], row-major; NaN stands for a missing value.
   *
   * @throws Error for rows of another width
   */
  predictProba(values: Float32Array): Float32Array {
    const width = this.network.sizes[0] as number;
    if (values.length % width !== 0)
      throw new Error(`the model reads rows of ${width} numbers, and got ${values.length} in all`);
    if (values.length === 0) return new Float32Array(0);
    return this.probabilitiesOf(standardized(values, this.standardization));
  }

  /** As `predictProba`, for standardised rows. */
  probabilitiesOf(x: Float32Array): Float32Array {
    return scope(() => mixedProbabilities(this.base, this.weights, this.#codes(x)).dataSync<Float32Array>().slice());
  }

  #codes(x: Float32Array): Tensor {
    const width = this.network.sizes[0] as number;
    return this.#encoder.encode(tensor(x, [x.length / width, width]));
  }

  /**
   * A user's model from what the server sent, aggregated by the user's own labels.
   *
   * @param errors of the donors under the user's autoencoder
   * @param x standardised rows that have a class
   * @throws Error when the base models do not fit the encoder
   */
  static async aggregate(
    received: Pick<PersonalModel, 'standardization' | 'network' | 'encoder' | 'base'>,
    errors: readonly number[],
    x: Float32Array,
    labels: Int32Array,
    { weights = 'learnt', tuningSteps = 30, tuningRate = 3e-4, average = 'probabilities' }: AggregateOptions = {},
  ): Promise<PersonalModel> {
    const { standardization, network, encoder } = received;
    const code = network.sizes.at(-1) as number;
    let base = requireBase(received.base, errors.length, code);
    const prior = weights === 'uniform' ? new Float64Array(errors.length) : priorLogits(errors);
    let logits = prior;
    const learns = weights === 'learnt' && labels.length > 0;
    const start = new PersonalModel(standardization, network, encoder, base, prior);
    if (learns) {
      const codes = scope(() => start.#codes(x).dataSync<Float32Array>().slice());
      const truth = scope(() => truthOf(base, tensor(codes, [labels.length, code]), labels));
      if (mixtureGain(truth, prior) > 0) logits = fitMixture(truth, prior);
      if (tuningSteps > 0 && labels.length >= LEAST_TUNED) {
        const tuning = { steps: tuningSteps, learningRate: tuningRate };
        if ((await tuningGain(base, logits, codes, labels, tuning)) > 0)
          base = await tuned(base, logits, codes, labels, tuning);
      }
    }
    if (average === 'parameters') {
      base = averaged(base, mixtureWeights(logits));
      logits = new Float64Array(1);
    }
    return new PersonalModel(standardization, network, encoder, base, logits);
  }
}

/** @throws Error when arrays are no K base models of the codes */
function requireBase(base: NamedArrays, models: number, code: number): NamedArrays {
  const shapes = ['first.weight', 'first.bias', 'second.weight', 'second.bias'].map((name) => base[name]?.shape ?? []);
  const hidden = shapes[0]?.[1];
  const classes = shapes[2]?.[1];
  const expected = [
    [models, hidden, code],
    [models, hidden],
    [models, classes, hidden],
    [models, classes],
  ];
  if (models === 0 || shapes.some((shape, i) => shape.join() !== expected[i]?.join()))
    throw new Error(
      `base models: expected ${models} of codes of ${code} numbers, got arrays of [${shapes.map((shape) => shape.join('×')).join(', ')}]`,
    );
  return mapArrays(base, (array) => ({ shape: array.shape, values: floatsOf(array) }));
}

function tensorsOf(arrays: NamedArrays): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(arrays).map(([name, own]) => [name, tensor(floatsOf(own), own.shape)]));
}

/** Σ_k α_k p_k(·|z) [n, C]. */
function mixedProbabilities(base: NamedArrays, alpha: Float64Array, z: Tensor): Tensor {
  return mixedOf(tensorsOf(base), alpha, z);
}

function mixedOf(weights: Readonly<Record<string, Tensor>>, alpha: Float64Array, z: Tensor): Tensor {
  const shares = tensor(Float32Array.from(alpha), [alpha.length, 1, 1]);
  return sum(multiply(softmax(baseLogits(weights, z)), shares), 0);
}

/** p_k(y_j|z_j) [n, K], row-major. */
function truthOf(base: NamedArrays, z: Tensor, labels: Int32Array): Float64Array {
  const p = softmax(baseLogits(tensorsOf(base), z));
  const [models, count, classes] = p.shape as [number, number, number];
  const values = p.dataSync<Float32Array>();
  const truth = new Float64Array(count * models);
  for (let k = 0; k < models; k++)
    for (let j = 0; j < count; j++)
      truth[j * models + k] = values[(k * count + j) * classes + (labels[j] as number)] as number;
  return truth;
}

interface Tuning {
  readonly steps: number;
  readonly learningRate: number;
}

/** Base models after some steps of Adam on −mean log Σ α_k p_k(y) over the user's labels. */
async function tuned(
  base: NamedArrays,
  logits: Float64Array,
  codes: Float32Array,
  labels: Int32Array,
  { steps, learningRate }: Tuning,
): Promise<NamedArrays> {
  const model = Object.fromEntries(Object.entries(tensorsOf(base)).map(([name, own]) => [name, parameter(own)]));
  const z = tensor(codes, [labels.length, codes.length / labels.length]);
  const classes = (base['second.bias'] as NamedArray).shape[1] as number;
  const truth = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => {
    truth[row * classes + label] = 1;
  });
  const targets = tensor(truth, [labels.length, classes]);
  const alpha = mixtureWeights(logits);
  await minimize(
    model,
    (live) => {
      const own = sum(multiply(mixedOf(live, alpha, z), targets), 1);
      return multiply(sum(log(add(own, 1e-12))), -1 / labels.length);
    },
    { steps, random: new Random(0), optimizer: new Adam({ learningRate }) },
  );
  return mapArrays(base, ({ shape }, name) => ({
    shape,
    values: (model[name] as Tensor).dataSync<Float32Array>().slice(),
  }));
}

/** Mean gain in log-likelihood of labels that are left out of fine-tuning. */
async function tuningGain(
  base: NamedArrays,
  logits: Float64Array,
  codes: Float32Array,
  labels: Int32Array,
  tuning: Tuning,
): Promise<number> {
  const code = codes.length / labels.length;
  const alpha = mixtureWeights(logits);
  const pick = (rows: readonly number[]) => ({
    codes: Float32Array.from(rows.flatMap((row) => [...codes.subarray(row * code, (row + 1) * code)])),
    labels: Int32Array.from(rows, (row) => labels[row] as number),
  });
  const likelihood = (own: NamedArrays, rows: ReturnType<typeof pick>) =>
    scope(() => {
      const p = mixedProbabilities(own, alpha, tensor(rows.codes, [rows.labels.length, code])).dataSync<Float32Array>();
      const classes = p.length / rows.labels.length;
      return rows.labels.reduce(
        (total, label, row) => total + Math.log((p[row * classes + label] as number) + 1e-12),
        0,
      );
    });
  let gain = 0;
  for (const part of leftOutParts(labels.length, TUNING_PARTS)) {
    const rest = pick(Array.from(labels.keys()).filter((row) => !part.includes(row)));
    const left = pick(part);
    gain += likelihood(await tuned(base, logits, rest.codes, rest.labels, tuning), left) - likelihood(base, left);
  }
  return gain / labels.length;
}

/** One classifier whose weights are Σ_k α_k w_k. */
function averaged(base: NamedArrays, alpha: Float64Array): NamedArrays {
  return mapArrays(base, (array) => {
    const values = floatsOf(array);
    const [models, ...shape] = array.shape as [number, ...number[]];
    const size = values.length / models;
    const mean = new Float32Array(size);
    for (let k = 0; k < models; k++)
      for (let i = 0; i < size; i++)
        mean[i] = (mean[i] as number) + (alpha[k] as number) * (values[k * size + i] as number);
    return { shape: [1, ...shape], values: mean };
  });
}
