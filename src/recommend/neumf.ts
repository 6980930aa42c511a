// NeuMF: neural matrix factorisation, the product of two embeddings beside a perceptron on two
// others.
//
//   logit(u, i) = w·(p_u ∘ q_i  ‖  MLP(p′_u ‖ q′_i)) + b
//   L = mean over positives of −log σ(logit) + mean over negatives of −log(1 − σ(logit))
//
// The embeddings p′, q′ of the perceptron may be sparse. A batch makes the rows of its own users
// and items dense, and no others.
//
// Paper: He et al., "Neural Collaborative Filtering", WWW 2017

import type { Interactions } from '../data/index.js';
import {
  add,
  concatenate,
  dropout,
  gatherRows,
  matmul,
  mean,
  multiply,
  type Random,
  relu,
  reshape,
  scope,
  softplus,
  type Tensor,
  tensor,
  valueAndGrad,
  zeros,
} from '../tensor/index.js';
import type { Backbone, StepRequest, StepResult, TrainingCost } from './backbone.js';
import type { DenseRows } from './dsl/index.js';
import { Membership } from './sampling.js';
import { makeWeights, type Weight, type WeightOptions, type WeightSpec, type WeightTable } from './weights.js';

/** Shape and training of `NeuMF`. */
export interface NeuMFOptions extends WeightOptions {
  /** Width of each embedding. Default: 16. */
  readonly dim?: number;
  /** Positives in a batch. Default: 512. */
  readonly batch?: number;
  /** Negatives of each positive, drawn anew in every epoch. Default: 100. */
  readonly negatives?: number;
  /** Dropout after each layer of the perceptron. Default: 0.2. */
  readonly dropout?: number;
  /** Interactions that are never drawn as negatives. Default: those that are learnt from. */
  readonly known?: Interactions;
}

/** Widths of the perceptron, as shares of the width of an embedding: 32, 32, 16, 8 of 16. */
const WIDTHS = [2, 2, 1, 0.5];

/** Pairs, the positives first. */
interface Pairs {
  readonly users: Int32Array;
  readonly items: Int32Array;
  readonly positives: number;
}

const tables = ['userFactors', 'itemFactors', 'userTable', 'itemTable'] as const;
type Table = (typeof tables)[number];

/** NeuMF on the interactions that it learns from; see the top of the file. */
export class NeuMF implements Backbone<Pairs> {
  readonly weights: WeightTable;
  readonly #options: Required<Omit<NeuMFOptions, keyof WeightOptions | 'known'>>;
  readonly #member: Membership;
  readonly #widths: readonly number[];

  constructor(
    readonly data: Interactions,
    random: Random,
    options: NeuMFOptions = {},
  ) {
    const { dim = 16, batch = 512, negatives = 100, dropout: dropped = 0.2, known = data } = options;
    if (!(Number.isInteger(dim) && dim >= 2 && dim % 2 === 0))
      throw new RangeError(`NeuMF: dim must be an even number of at least 2, got ${dim}`);
    this.#options = { dim, batch, negatives, dropout: dropped };
    this.#member = new Membership(known);
    this.#widths = WIDTHS.map((share) => share * dim);
    const [users, items] = [data.users.length, data.items.length];
    const table = (rows: number, sparse: boolean): WeightSpec => {
      return { rows, columns: dim, initial: { deviation: 0.1 }, sparse };
    };
    const last = dim + (this.#widths.at(-1) as number);
    this.weights = makeWeights(
      {
        userFactors: table(users, false),
        itemFactors: table(items, false),
        userTable: table(users, true),
        itemTable: table(items, true),
        ...Object.assign({}, ...this.#layers().map(([name, input, output]) => linear(name, output, input))),
        ...linear('head', 1, last),
      },
      random,
      options,
    );
  }

  get stepsPerEpoch(): number {
    return Math.ceil(this.data.indices.length / this.#options.batch);
  }

  *batches(random: Random): Generator<Pairs> {
    const { batch, negatives } = this.#options;
    const { indices, users } = this.data;
    const owner = new Int32Array(indices.length);
    for (let user = 0; user < users.length; user++)
      owner.fill(user, this.data.indptr[user] as number, this.data.indptr[user + 1] as number);
    const order = random
      .split('order')
      .permutation(indices.length)
      .filter((at) => this.#member.free(owner[at] as number) > 0);
    if (order.length === 0) throw new Error('there is no user with some, but not all, of the items');
    for (let start = 0; start < order.length; start += batch) {
      const own = order.subarray(start, start + batch);
      const stream = random.split(start);
      const size = own.length * (1 + negatives);
      const pairs = { users: new Int32Array(size), items: new Int32Array(size), positives: own.length };
      own.forEach((at, i) => {
        pairs.users[i] = owner[at] as number;
        pairs.items[i] = indices[at] as number;
        for (let n = 0; n < negatives; n++) {
          const place = own.length + i * negatives + n;
          pairs.users[place] = owner[at] as number;
          pairs.items[place] = this.#member.negative(owner[at] as number, stream);
        }
      });
      yield pairs;
    }
  }

  gradients({ users, items, positives }: Pairs, { random, dense }: StepRequest): StepResult {
    const rowsOf = { user: distinct(users), item: distinct(items) };
    const own = (name: Table) => (name.startsWith('user') ? rowsOf.user : rowsOf.item);
    const rows = Object.fromEntries(tables.map((name) => [name, this.#rows(name, own(name).distinct)]));
    const layers = Object.fromEntries(this.#denseNames().map((name) => [name, (this.weights[name] as Weight).values]));
    const streams = { count: 0 };
    const drop = (x: Tensor) => dropout(x, this.#options.dropout, random.split(streams.count++).next());
    const { value, gradient } = valueAndGrad((live: Live) => {
      const at = (name: Table) => gatherRows(live.rows[name] as Tensor, own(name).places);
      const logits = this.#logits(live.layers, at, drop);
      const [first, others] = [logits.slice([0, positives]), logits.slice([positives, users.length])];
      // −log σ(x) = softplus(−x), −log(1 − σ(x)) = softplus(x)
      return add(mean(softplus(multiply(first, -1))), mean(softplus(others)));
    })({ rows, layers });
    const { rows: slopes, layers: layerSlopes } = gradient as Live;
    const stored = Object.fromEntries(
      tables.map((name) => [name, this.#stored(name, own(name).distinct, (slopes[name] as Tensor).view())]),
    );
    const all = tables
      .filter((name) => dense && this.weights[name]?.pattern)
      .map((name) => [name, this.#dense(name, own(name).distinct, (slopes[name] as Tensor).view())] as const);
    return { loss: value.item(), stored: { ...layerSlopes, ...stored }, dense: Object.fromEntries(all) };
  }

  refresh(): void {}

  scores(user: number): Float32Array {
    const count = this.data.items.length;
    return scope(() => {
      const layers = Object.fromEntries(
        this.#denseNames().map((name) => [name, (this.weights[name] as Weight).values]),
      );
      const users = new Int32Array(count);
      const items = Int32Array.from({ length: count }, (_, item) => item);
      const at = (name: Table) =>
        name.startsWith('user')
          ? gatherRows(this.#rows(name, Int32Array.of(user)), tensor(users))
          : this.#rows(name, items);
      return this.#logits(layers, at, (x) => x).dataSync();
    });
  }

  cost(): TrainingCost {
    const { dim, batch, negatives } = this.#options;
    const pair = this.#layers().reduce(
      (total, [, input, output]) => total + input * output,
      2 * dim + (this.#widths.at(-1) as number),
    );
    return { step: 3 * batch * (1 + negatives) * pair, exploration: 0, inference: pair * this.data.items.length };
  }

  /** Frees the weights. */
  dispose(): void {
    for (const weight of Object.values(this.weights)) weight.dispose();
  }

  #layers(): [name: string, input: number, output: number][] {
    return this.#widths.slice(1).map((output, at) => [`layer${at + 1}`, this.#widths[at] as number, output]);
  }

  #denseNames(): string[] {
    return [...this.#layers().map(([name]) => name), 'head'].flatMap((name) => [`${name}.weight`, `${name}.bias`]);
  }

  /** logits [pairs]. @param at rows of a table, one for each pair */
  #logits(layers: Weights, at: (name: Table) => Tensor, drop: (x: Tensor) => Tensor): Tensor {
    const affine = (name: string, x: Tensor) => {
      const { rows, columns } = this.weights[`${name}.weight`] as Weight;
      const weight = reshape(layers[`${name}.weight`] as Tensor, [rows, columns]);
      return add(matmul(x, weight, { transposeB: true }), reshape(layers[`${name}.bias`] as Tensor, [1, rows]));
    };
    let hidden = concatenate([at('userTable'), at('itemTable')], 1);
    for (const [name] of this.#layers()) hidden = drop(relu(affine(name, hidden)));
    const product = multiply(at('userFactors'), at('itemFactors'));
    const logits = affine('head', concatenate([product, hidden], 1));
    return reshape(logits, [logits.shape[0] as number]);
  }

  /** Some rows of a table, made dense: [rows, dim]. */
  #rows(name: Table, rows: Int32Array): Tensor {
    const table = this.weights[name] as Weight;
    const dense = zeros([rows.length, table.columns]);
    const into = dense.view();
    rows.forEach((row, at) => {
      table.row(row, into.subarray(at * table.columns, (at + 1) * table.columns));
    });
    return dense;
  }

  /** The gradient of the stored entries from that of some rows. */
  #stored(name: Table, rows: Int32Array, slopes: Float32Array): Tensor {
    const { pattern, values, columns } = this.weights[name] as Weight;
    const result = zeros([values.size]);
    const into = result.view();
    rows.forEach((row, at) => {
      if (!pattern) {
        into.set(slopes.subarray(at * columns, (at + 1) * columns), row * columns);
        return;
      }
      const { offsets, indices } = pattern;
      for (let e = offsets[row] as number; e < (offsets[row + 1] as number); e++)
        into[e] = slopes[at * columns + (indices[e] as number)] as number;
    });
    return result;
  }

  /** The gradient of all entries, 0 in rows that are not in the batch. */
  #dense(name: Table, rows: Int32Array, slopes: Float32Array): DenseRows {
    const { columns } = this.weights[name] as Weight;
    const places = new Map(Array.from(rows, (row, at) => [row, at]));
    return (begin, end) => {
      const block = new Float32Array((end - begin) * columns);
      for (let row = begin; row < end; row++) {
        const at = places.get(row);
        if (at !== undefined) block.set(slopes.subarray(at * columns, (at + 1) * columns), (row - begin) * columns);
      }
      return block;
    };
  }
}

type Weights = Readonly<Record<string, Tensor>>;

interface Live {
  readonly rows: Weights;
  readonly layers: Weights;
}

/** Weight, Kaiming uniform as of PyTorch's linear layers, and bias. */
function linear(name: string, rows: number, columns: number): Record<string, WeightSpec> {
  const initial = { bound: 1 / Math.sqrt(columns) };
  return { [`${name}.weight`]: { rows, columns, initial }, [`${name}.bias`]: { rows, columns: 1, initial } };
}

/** The different numbers, ascending, and where each is among them. */
function distinct(numbers: Int32Array): { distinct: Int32Array; places: Tensor } {
  const own = Int32Array.from(new Set(numbers)).sort();
  const place = new Map(Array.from(own, (number, at) => [number, at]));
  return { distinct: own, places: tensor(numbers.map((number) => place.get(number) as number)) };
}
