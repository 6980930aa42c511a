// A client of a federation: it holds rows that never leave it, trains what the server sends on them
// and answers with the difference of weights.
//
// What a client tells: the name of the message, the number of rows that it trained on, its mean
// loss, and Δθ = θ − θ̃ (old minus new weights) after its transform.

import { Adam, fit, inference, loadState, type MLP, minibatches, stateOf } from '../../nn/index.js';
import { Random, scope, softmax, type Tensor, tensor } from '../../tensor/index.js';
import type { Layout } from '../layout.js';
import { addArrays, arraysOf, type Message, type NamedArrays, quantizeArrays, vectorOf } from './message.js';
import {
  type Autoencoder,
  buildNetwork,
  classificationLoss,
  layoutOf,
  type NetworkSpec,
  reconstructionLoss,
  requireSpec,
  trainingMultiplyAdds,
} from './network.js';
import {
  type PrivateRows,
  pickRows,
  requireRows,
  type Standardization,
  standardizationOf,
  standardized,
} from './private-rows.js';
import type { UpdateTransform } from './transforms.js';

/**
 * What a client trains for. `reconstruct`: an autoencoder on all of its rows. `classify`: a
 * classifier on its labelled rows. `pseudo`: a classifier on its labelled rows and on those that
 * the received weights classify with a probability of at least `confidence`.
 */
export type LocalObjective = 'reconstruct' | 'classify' | 'pseudo';

/** The fields of a message `train`. */
export interface TrainingOrder {
  /** Number of the round, from 0. */
  readonly round: number;
  /** The network whose weights are sent. */
  readonly network: NetworkSpec;
  /** What it is trained for. */
  readonly objective: LocalObjective;
  /** Passes over the client's rows. */
  readonly epochs: number;
  /** Rows of a step. */
  readonly batch: number;
  /** Learning rate of Adam, which starts afresh in each round. */
  readonly learningRate: number;
  /** Least probability of a pseudo-label. */
  readonly confidence?: number;
}

/** Options of `FederatedClient`. */
export interface ClientOptions {
  /** Changes an update before it is sent, such as `clipUpdate(1)`. Default: as it is. */
  readonly transformUpdate?: UpdateTransform;
  /** Numbers of an update: 4 bytes each, or 1. Default: `float32`. */
  readonly upload?: 'float32' | 'int8';
  /** Most epochs of a round, on slow devices. Default: what the server asks for. */
  readonly mostEpochs?: number;
  /** Most rows of a round, drawn anew in each, on small devices. Default: all. */
  readonly mostRows?: number;
  /** Statistics that all parties share, such as the donors'. Default: those of its own rows. */
  readonly standardization?: Standardization;
}

/** Longest local training that a server may ask for. */
const MOST_EPOCHS = 10_000;

/** A party of a federation with rows of its own. */
export class FederatedClient {
  readonly #rows: PrivateRows;
  readonly #x: Float32Array;
  readonly #random: Random;
  /** Multiply-adds of all trainings so far. */
  multiplyAdds = 0;
  /** Statistics by which its rows are standardised. */
  readonly standardization: Standardization;
  #built: { readonly key: string; readonly network: Autoencoder | MLP; readonly layout: Layout } | undefined;
  /** The weights that the server knows of it: what was sent less what was answered. */
  #known: { readonly network: NetworkSpec; readonly arrays: NamedArrays } | undefined;

  /**
   * @param name under which the federation knows it
   * @param rows raw numbers; labels of −1 for rows without a class
   * @param classes number of classes
   * @throws Error as `requireRows`
   */
  constructor(
    readonly name: string,
    rows: PrivateRows,
    readonly classes: number,
    random: Random,
    readonly options: ClientOptions = {},
  ) {
    requireRows(rows, classes);
    this.#rows = rows;
    this.#random = random;
    this.standardization = options.standardization ?? standardizationOf(rows);
    this.#x = standardized(rows.values, this.standardization);
  }

  /** Numbers of a row. */
  get width(): number {
    return this.#rows.width;
  }

  /** Number of its rows. */
  get rowCount(): number {
    return this.#rows.count;
  }

  /** The standardised rows that have a class, and their classes. */
  protected labelledRows(): { readonly x: Float32Array; readonly labels: Int32Array } {
    const { labels } = this.#rows;
    const own = Array.from(labels.keys()).filter((row) => (labels[row] as number) >= 0);
    return this.#picked(own);
  }

  /** @throws Error before the first training */
  protected knownWeights(): { readonly network: NetworkSpec; readonly arrays: NamedArrays } {
    if (!this.#known) throw new Error(`client "${this.name}" has not been sent a network yet`);
    return this.#known;
  }

  /**
   * Answers a message of the server.
   *
   * @throws Error for a message that it does not know or cannot follow
   */
  async handle(message: Message): Promise<Message> {
    if (message.kind === 'train') return this.#train(message);
    throw new Error(`client "${this.name}" does not know the message "${message.kind.slice(0, 40)}"`);
  }

  async #train({ fields, arrays }: Message): Promise<Message> {
    const order = requireOrder(fields, this.width);
    const random = this.#random.split(order.round);
    const { layout } = this.#builtFor(order.network);
    const { arrays: trained, rows, loss } = await this.#trainedOn(order, layout, arrays, random);
    const { transformUpdate, upload = 'float32' } = this.options;
    const difference = addArrays(arrays, trained, -1);
    const changed = transformUpdate ? transformUpdate(difference, order.round) : difference;
    const update = upload === 'int8' ? quantizeArrays(changed) : changed;
    this.#known = { network: order.network, arrays: addArrays(arrays, update, -1) };
    return { kind: 'update', fields: { round: order.round, rows, loss }, arrays: update };
  }

  async #trainedOn(order: TrainingOrder, layout: Layout, arrays: NamedArrays, random: Random) {
    const network = networkOf(order.network, layout, arrays, this.#builtFor(order.network).network);
    const { x, labels } = this.#rowsFor(order, network, random);
    const count = labels.length;
    if (count === 0) return { arrays, rows: 0, loss: 0 };
    const epochs = Math.min(order.epochs, this.options.mostEpochs ?? order.epochs);
    const losses: number[] = [];
    await fit<Autoencoder | MLP, Int32Array>({
      model: network,
      loss: (live, rows, mode) => {
        const own = rowsOf(x, this.width, rows);
        if (order.objective === 'reconstruct') return reconstructionLoss(live as Autoencoder, own);
        return classificationLoss(
          live as MLP,
          own,
          rows.map((row) => labels[row] as number),
          mode,
        );
      },
      batches: (draws) => minibatches(count, order.batch, draws),
      optimizer: new Adam({ learningRate: order.learningRate }),
      epochs,
      random,
      onLoss: (_, loss) => losses.push(loss),
    });
    this.multiplyAdds += trainingMultiplyAdds(order.network, count, epochs);
    const trained = arraysOfNetwork(network);
    const mean = losses.reduce((a, b) => a + b, 0) / Math.max(1, losses.length);
    return { arrays: trained, rows: count, loss: mean };
  }

  /** The network of a description, which is built once; a round replaces all of its weights. */
  #builtFor(spec: NetworkSpec) {
    const key = JSON.stringify(spec);
    if (this.#built?.key !== key)
      this.#built = { key, network: buildNetwork(spec, new Random(0)), layout: layoutOf(spec) };
    return this.#built;
  }

  /** Rows and classes that a round trains on. */
  #rowsFor({ objective, confidence = 0.9 }: TrainingOrder, network: Autoencoder | MLP, random: Random) {
    const { labels } = this.#rows;
    const all = this.#drawn(random);
    if (objective === 'reconstruct') return this.#picked(all);
    const own = all.filter((row) => (labels[row] as number) >= 0);
    if (objective === 'classify') return this.#picked(own);
    const others = all.filter((row) => (labels[row] as number) < 0);
    const guessed = this.#picked(others);
    const { codes, probabilities } = classify(network as MLP, guessed.x, this.width);
    const sure = Array.from(others.keys()).filter((i) => (probabilities[i] as number) >= confidence);
    const labelled = this.#picked(own);
    const pseudo = this.#picked(sure.map((i) => others[i] as number));
    return {
      x: Float32Array.from([...labelled.x, ...pseudo.x]),
      labels: Int32Array.from([...labelled.labels, ...sure.map((i) => codes[i] as number)]),
    };
  }

  #drawn(random: Random): number[] {
    const { count } = this.#rows;
    const { mostRows = count } = this.options;
    if (mostRows >= count) return Array.from({ length: count }, (_, row) => row);
    return Array.from(random.split('rows').permutation(count).subarray(0, mostRows));
  }

  #picked(rows: readonly number[]): { readonly x: Float32Array; readonly labels: Int32Array } {
    const { values, labels } = pickRows({ ...this.#rows, values: this.#x }, rows);
    return { x: values, labels };
  }
}

/** Rows of a matrix as a tensor. */
export function rowsOf(x: Float32Array, width: number, rows: Int32Array): Tensor {
  const own = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    own.set(x.subarray(row * width, (row + 1) * width), i * width);
  });
  return tensor(own, [rows.length, width]);
}

/** The likeliest class of each row, and its probability. */
export function classify(
  network: MLP,
  x: Float32Array,
  width: number,
): { codes: Int32Array; probabilities: Float32Array } {
  const count = x.length / width;
  if (count === 0) return { codes: new Int32Array(0), probabilities: new Float32Array(0) };
  return scope(() => {
    const p = softmax(network.forward(tensor(x, [count, width]), inference));
    return {
      codes: p.argmax(1).dataSync<Int32Array>().slice(),
      probabilities: p.max(1).dataSync<Float32Array>().slice(),
    };
  });
}

/**
 * A network with given weights.
 *
 * @param reused a network of the same description, whose weights are replaced
 * @throws Error as `vectorOf`
 */
export function networkOf(
  spec: NetworkSpec,
  layout: Layout,
  arrays: NamedArrays,
  reused?: Autoencoder | MLP,
): Autoencoder | MLP {
  const network = reused ?? buildNetwork(spec, new Random(0));
  const checked = arraysOf(layout, vectorOf(layout, arrays));
  scope(() => {
    const tensors = Object.entries(checked).map(([name, { values, shape }]) => [name, tensor(values, shape)] as const);
    loadState(network, Object.fromEntries(tensors));
  });
  return network;
}

/** The weights of a network. */
export function arraysOfNetwork(network: object): NamedArrays {
  const state = Object.entries(stateOf(network));
  return Object.fromEntries(
    state.map(([name, own]) => [name, { shape: own.shape, values: own.dataSync<Float32Array>().slice() }]),
  );
}

/** @throws Error naming the first field that is none */
function requireOrder(fields: Readonly<Record<string, unknown>>, width: number): TrainingOrder {
  const order = fields as unknown as TrainingOrder;
  const refuse = (what: string): never => {
    throw new Error(`train: ${what}`);
  };
  const isCount = (value: unknown, most: number) =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
  if (typeof order.network !== 'object' || order.network === null) refuse('there is no network');
  requireSpec(order.network);
  if (order.network.sizes[0] !== width)
    refuse(`the network reads ${order.network.sizes[0]} numbers a row, the client's rows have ${width}`);
  const kinds: Readonly<Record<LocalObjective, NetworkSpec['kind']>> = {
    reconstruct: 'autoencoder',
    classify: 'classifier',
    pseudo: 'classifier',
  };
  if (!Object.hasOwn(kinds, order.objective)) refuse(`there is no objective "${String(order.objective)}"`);
  if (kinds[order.objective] !== order.network.kind)
    refuse(`an ${order.network.kind} is not trained to ${order.objective}`);
  if (!isCount(order.round, 2 ** 31)) refuse(`the round must be a number from 0, got ${String(order.round)}`);
  if (!isCount(order.epochs, MOST_EPOCHS))
    refuse(`epochs must be from 0 to ${MOST_EPOCHS}, got ${String(order.epochs)}`);
  if (!(isCount(order.batch, 2 ** 31) && order.batch > 0))
    refuse(`the batch must be positive, got ${String(order.batch)}`);
  if (!(typeof order.learningRate === 'number' && order.learningRate > 0 && order.learningRate < 1e3))
    refuse(`the learning rate must be positive, got ${String(order.learningRate)}`);
  return order;
}
