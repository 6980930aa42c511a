// Mult-VAE: a variational autoencoder of the items of a user, with a multinomial likelihood. It
// answers for users that no training has seen, from their items.
//
//   h = tanh(W₁·dropout(x/‖x‖) + b₁),  (μ, log σ²) = W₂·h + b₂,  z = μ + σ·ε,
//   logits = W₄·tanh(W₃·z + b₃) + b₄,
//   L = mean over users of −Σ x·log softmax(logits) + β·KL(N(μ, σ²) ‖ N(0, 1))
//
// All weights and biases may be sparse; activations are [features, users], so that each product
// reads the stored weights alone.
//
// Paper: Liang, Krishnan, Hoffman, Jebara, "Variational Autoencoders for Collaborative Filtering",
// WWW 2018

import { type Interactions, itemsOf } from '../data/index.js';
import {
  add,
  dropout,
  exp,
  logSoftmax,
  matmul,
  multiply,
  ones,
  type Random,
  scope,
  slice,
  subtract,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
  valueAndGrad,
  zeros,
} from '../tensor/index.js';
import { type Backbone, type StepRequest, type StepResult, type TrainingCost, valuesOf } from './backbone.js';
import type { DenseRows } from './dsl/index.js';
import type { HistoryScorer } from './metrics.js';
import { makeWeights, type Weight, type WeightOptions, type WeightSpec, type WeightTable } from './weights.js';

/** Shape and training of `MultVAE`. */
export interface MultVAEOptions extends WeightOptions {
  /** Width of the two hidden layers. Default: 600. */
  readonly hidden?: number;
  /** Width of z. Default: 200. */
  readonly latent?: number;
  /** Users in a batch. Default: 16. */
  readonly batch?: number;
  /** Dropout of the input. Default: 0.5. */
  readonly inputDropout?: number;
  /** Largest weight β of the KL term. Default: 0.2. */
  readonly beta?: number;
  /** Steps over which β would grow from 0 to 1. Default: 200,000. */
  readonly annealing?: number;
}

const layers = ['encoder', 'posterior', 'decoder', 'output'] as const;
type Layer = (typeof layers)[number];

/** Mult-VAE of the users that it learns from; see the top of the file. */
export class MultVAE implements Backbone<Int32Array>, HistoryScorer {
  readonly weights: WeightTable;
  readonly #options: Required<Omit<MultVAEOptions, keyof WeightOptions>>;

  constructor(
    readonly data: Interactions,
    random: Random,
    options: MultVAEOptions = {},
  ) {
    const { hidden = 600, latent = 200, batch = 16, inputDropout = 0.5, beta = 0.2, annealing = 200_000 } = options;
    this.#options = { hidden, latent, batch, inputDropout, beta, annealing };
    const items = data.items.length;
    this.weights = makeWeights(
      {
        ...layer('encoder', hidden, items),
        ...layer('posterior', 2 * latent, hidden),
        ...layer('decoder', hidden, latent),
        ...layer('output', items, hidden),
      },
      random,
      options,
    );
  }

  get stepsPerEpoch(): number {
    return Math.ceil(this.#active().length / this.#options.batch);
  }

  *batches(random: Random): Generator<Int32Array> {
    const users = this.#active();
    const order = random.permutation(users.length).map((at) => users[at] as number);
    for (let start = 0; start < order.length; start += this.#options.batch)
      yield order.slice(start, start + this.#options.batch);
  }

  gradients(users: Int32Array, { random, step, dense }: StepRequest): StepResult {
    const { beta, annealing, inputDropout, latent } = this.#options;
    const lists = Array.from(users, (user) => itemsOf(this.data, user));
    const targets = this.#inputs(lists, 'counts');
    const input = dropout(this.#inputs(lists, 'unit'), inputDropout, random.split('dropout').next());
    const noise = random.split('noise').normal([latent, users.length]);
    const weight = Math.min(beta, step / annealing);
    const read: Partial<Record<Layer, Float32Array>> = {};
    const probes = dense
      ? Object.fromEntries(layers.map((name) => [name, zeros([this.#weight(name).rows, users.length])]))
      : {};
    const { value, gradient } = valueAndGrad(({ values, slopes }: Watched) => {
      const apply = (name: Layer, x: Tensor) => {
        // What is made here ends with the tape.
        if (dense) read[name] = x.dataSync();
        const y = this.#apply(values, name, x);
        const probe = slopes[name];
        return probe ? add(y, probe) : y;
      };
      const { mu, logVariance } = this.#posterior(apply, input);
      const z = add(mu, multiply(exp(multiply(logVariance, 0.5)), noise));
      const logits = apply('output', tanh(apply('decoder', z)));
      const likelihood = sum(multiply(transpose(targets), logSoftmax(transpose(logits))));
      // KL = −½·Σ(1 + log σ² − μ² − σ²)
      const terms = subtract(subtract(add(logVariance, 1), multiply(mu, mu)), exp(logVariance));
      const total = add(multiply(likelihood, -1), multiply(sum(terms), -0.5 * weight));
      return multiply(total, 1 / users.length);
    })({ values: valuesOf(this.weights), slopes: probes });
    const { values, slopes } = gradient as Watched;
    const rows = dense
      ? layers.flatMap((name) => {
          const slope = (slopes[name] as Tensor).view();
          return [
            [`${name}.weight`, weightRows(slope, read[name] as Float32Array, users.length)] as const,
            [`${name}.bias`, biasRows(slope, users.length)] as const,
          ];
        })
      : [];
    const sparse = rows.filter(([name]) => this.weights[name]?.pattern);
    return { loss: value.item(), stored: values, dense: Object.fromEntries(sparse) };
  }

  refresh(): void {}

  scores(user: number): Float32Array {
    return this.scoresOf(itemsOf(this.data, user));
  }

  scoresOf(history: Int32Array): Float32Array {
    const values = valuesOf(this.weights);
    return scope(() => {
      const apply = (name: Layer, x: Tensor) => this.#apply(values, name, x);
      const { mu } = this.#posterior(apply, this.#inputs([history], 'unit'));
      return apply('output', tanh(apply('decoder', mu))).dataSync();
    });
  }

  cost(): TrainingCost {
    const { batch } = this.#options;
    const products = layers.map((name) => {
      const { values, size } = this.#weight(name);
      // Forward, the gradient of the weights, and that of the input, which the first needs not.
      return { stored: values.size, rest: size - values.size, passes: name === 'encoder' ? 2 : 3 };
    });
    return {
      step: batch * products.reduce((total, { stored, passes }) => total + passes * stored, 0),
      exploration: batch * products.reduce((total, { rest }) => total + rest, 0),
      inference: products.reduce((total, { stored }) => total + stored, 0),
    };
  }

  /** Frees the weights. */
  dispose(): void {
    for (const weight of Object.values(this.weights)) weight.dispose();
  }

  /** Users with items. */
  #active(): number[] {
    return [...this.data.users.keys()].filter((user) => itemsOf(this.data, user).length > 0);
  }

  #weight(name: Layer): Weight {
    return this.weights[`${name}.weight`] as Weight;
  }

  #apply(values: Readonly<Record<string, Tensor>>, name: Layer, x: Tensor): Tensor {
    const [weight, bias] = [`${name}.weight`, `${name}.bias`] as const;
    const own = (this.weights[weight] as Weight).times(values[weight] as Tensor, x);
    const offset = (this.weights[bias] as Weight).times(values[bias] as Tensor, ones([1, x.shape[1] as number]));
    return add(own, offset);
  }

  #posterior(apply: (name: Layer, x: Tensor) => Tensor, input: Tensor): { mu: Tensor; logVariance: Tensor } {
    const { latent } = this.#options;
    const both = apply('posterior', tanh(apply('encoder', input)));
    return { mu: slice(both, [0, latent]), logVariance: slice(both, [latent, 2 * latent]) };
  }

  /** The items of some users as columns [items, users]: 1, or of unit norm. */
  #inputs(lists: readonly Int32Array[], kind: 'counts' | 'unit'): Tensor {
    const columns = new Float32Array(this.data.items.length * lists.length);
    lists.forEach((items, user) => {
      const value = kind === 'unit' ? 1 / Math.sqrt(Math.max(1, items.length)) : 1;
      for (const item of items) columns[item * lists.length + user] = value;
    });
    return tensor(columns, [this.data.items.length, lists.length]);
  }
}

interface Watched {
  readonly values: Readonly<Record<string, Tensor>>;
  /** Zeros that are added to what a layer gives, whose gradients are those of its output. */
  readonly slopes: Readonly<Partial<Record<Layer, Tensor>>>;
}

/** Weight, Xavier normal, and bias of a layer. */
function layer(name: Layer, rows: number, columns: number): Record<string, WeightSpec> {
  return {
    [`${name}.weight`]: { rows, columns, initial: { deviation: Math.sqrt(2 / (rows + columns)) }, sparse: true },
    [`${name}.bias`]: { rows, columns: 1, initial: { deviation: 1e-3 }, sparse: true },
  };
}

/** slope·xᵀ by rows. @param slope [rows, users] @param x [columns, users] */
function weightRows(slope: Float32Array, x: Float32Array, users: number): DenseRows {
  return (begin, end) =>
    scope(() => {
      const own = tensor(slope.slice(begin * users, end * users), [end - begin, users]);
      return matmul(own, tensor(x, [x.length / users, users]), { transposeB: true }).dataSync();
    });
}

function biasRows(slope: Float32Array, users: number): DenseRows {
  return (begin, end) =>
    Float32Array.from({ length: end - begin }, (_, row) => {
      let total = 0;
      for (let user = 0; user < users; user++) total += slope[(begin + row) * users + user] as number;
      return total;
    });
}
