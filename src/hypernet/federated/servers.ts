// What a server learns from updates: one network for all clients (FedAvg), or a hypernetwork that
// makes the network of each (pFedHN; of SemiPFL, autoencoders).

import {
  Adam,
  Clipped,
  gradientsOf,
  loadState,
  type Optimizer,
  type OptimizerState,
  parameter,
  parameters,
  stateOf,
  type Weights,
  withWeights,
} from '../../nn/index.js';
import {
  concatenate,
  mean,
  multiply,
  type Random,
  reshape,
  scope,
  slice,
  sum,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { TaskCondition } from '../condition.js';
import { heads } from '../generator.js';
import { Hypernet } from '../hypernet.js';
import type { HypernetInit } from '../init.js';
import type { Layout } from '../layout.js';
import { mlpTrunk } from '../trunk.js';
import { arraysOfNetwork } from './client.js';
import { arraysOf, type NamedArrays, vectorOf } from './message.js';
import { buildNetwork, layoutOf, type NetworkSpec } from './network.js';

/** The update of one client. */
export interface ClientUpdate {
  /** Number of the client, from 0. */
  readonly client: number;
  /** Δθ = θ − θ̃: sent less trained weights. */
  readonly difference: NamedArrays;
  /** Rows that it trained on. */
  readonly rows: number;
  /** Weight of a late update, such as 0.9^rounds. Default: 1. */
  readonly factor?: number;
}

/** A server's model of its clients' networks. */
export interface UpdateServer {
  /** The network whose weights it sends. */
  readonly network: NetworkSpec;
  /** Names and shapes of these weights. */
  readonly layout: Layout;
  /** The weights for a client. */
  weightsFor(client: number): NamedArrays;
  /** Learns from the updates of a round; those of clients without rows change nothing. */
  apply(updates: readonly ClientUpdate[]): void;
  /** What it has learnt, for a checkpoint; servers without it cannot be resumed. */
  state?(): { readonly weights: Weights; readonly optimizer: OptimizerState };
  /** Goes on from a checkpoint. */
  restore?(state: { readonly weights: Weights; readonly optimizer: OptimizerState }): void;
}

/**
 * Federated averaging: one network for all, w ← w − Σ n_k Δ_k / Σ n_k, which with Δ_k = w − w_k is
 * Σ n_k w_k / Σ n_k. A late update counts with its factor against the current weights.
 *
 * McMahan, Moore, Ramage, Hampson, Agüera y Arcas, "Communication-Efficient Learning of Deep
 * Networks from Decentralized Data", AISTATS 2017.
 */
export class AverageServer implements UpdateServer {
  readonly layout: Layout;
  #weights: Float32Array;

  constructor(
    readonly network: NetworkSpec,
    random: Random,
  ) {
    this.layout = layoutOf(network);
    this.#weights = vectorOf(this.layout, arraysOfNetwork(buildNetwork(network, random)));
  }

  weightsFor(): NamedArrays {
    return arraysOf(this.layout, this.#weights);
  }

  apply(updates: readonly ClientUpdate[]): void {
    const used = updates.filter(({ rows }) => rows > 0);
    const total = used.reduce((rows, own) => rows + own.rows, 0);
    const vectors = used.map(({ difference }) => vectorOf(this.layout, difference));
    this.#weights = this.#weights.map((weight, i) =>
      vectors.reduce((sofar, vector, k) => {
        const { rows, factor = 1 } = used[k] as ClientUpdate;
        return sofar - (factor * rows * (vector[i] as number)) / total;
      }, weight),
    );
  }
}

/** Name of the clients' embeddings among the parameters of the hypernetwork. */
const EMBEDDINGS = 'condition.embedding.weight';

/** Options of `HypernetServer`. */
export interface HypernetServerOptions {
  /** Dimension of a client's embedding. Default: ⌊1 + clients / 4⌋. */
  readonly embedding?: number;
  /** Width of the hidden layers. Default: 100. */
  readonly hidden?: number;
  /** Hidden layers with ReLU. Default: 3. */
  readonly layers?: number;
  /**
   * Initialisation of the heads. Default: `bias`, so that all clients start from one network, and
   * what one has learnt is of use to the next; by `hyperfan-in` each would start from a random one
   * of its own.
   */
  readonly init?: HypernetInit;
  /** Learning rate of Adam. Default: 1e-3. */
  readonly learningRate?: number;
  /** Largest norm of a gradient. Default: 50. */
  readonly clip?: number;
  /** In place of Adam with clipping. */
  readonly optimizer?: Optimizer;
}

/**
 * A hypernetwork over clients: θ_i = H(v_i; φ) with a learnt embedding v_i for each client and a
 * linear head for each tensor. An update Δθ_i = θ_i − θ̃_i counts as the gradient at θ_i:
 *
 *   (φ, v_i) ← step along (∂θ_i/∂(φ, v_i))ᵀ Δθ_i
 *
 * The updates of a round make one step, along the mean of their products; the weights of its
 * clients are made in one pass.
 *
 * Shamsian, Navon, Fetaya, Chechik, "Personalized Federated Learning using Hypernetworks", ICML
 * 2021.
 */
export class HypernetServer implements UpdateServer {
  readonly layout: Layout;
  /** Embeddings v and φ. */
  readonly hypernet: Hypernet<object, readonly number[] | Int32Array>;
  readonly #optimizer: Optimizer;

  /** @throws RangeError when there are no clients */
  constructor(
    readonly network: NetworkSpec,
    readonly clients: number,
    random: Random,
    readonly options: HypernetServerOptions = {},
  ) {
    if (!(Number.isInteger(clients) && clients >= 1))
      throw new RangeError(`HypernetServer: expected one client or more, got ${clients}`);
    const { embedding = Math.floor(1 + clients / 4), hidden = 100, layers = 3, init = 'bias' } = options;
    const { learningRate = 1e-3, clip = 50, optimizer } = options;
    this.layout = layoutOf(network);
    this.hypernet = new Hypernet<object, readonly number[] | Int32Array>(
      buildNetwork(network, random.split('network')),
      new TaskCondition(clients, embedding, random.split('clients')),
      random.split('hypernet'),
      { trunk: mlpTrunk(new Array<number>(layers).fill(hidden)), generator: heads('tensor'), init },
    );
    this.#optimizer = optimizer ?? new Clipped(new Adam({ learningRate }), clip);
  }

  /** @throws RangeError for a client that there is none */
  weightsFor(client: number): NamedArrays {
    return arraysOf(
      this.layout,
      scope(() => this.#vectors(this.hypernet, [client]).dataSync<Float32Array>().slice()),
    );
  }

  apply(updates: readonly ClientUpdate[]): void {
    const used = updates.filter(({ rows }) => rows > 0);
    if (used.length === 0) return;
    scope(() => {
      this.#optimizer.update(parameters(this.hypernet), this.gradientOf(used));
    });
  }

  /** φ, the embeddings and the moments of the optimiser. */
  state(): { readonly weights: Weights; readonly optimizer: OptimizerState } {
    return { weights: stateOf(this.hypernet), optimizer: this.#optimizer.state() };
  }

  restore({ weights, optimizer }: { readonly weights: Weights; readonly optimizer: OptimizerState }): void {
    loadState(this.hypernet, weights);
    this.#optimizer.restore(optimizer);
  }

  /**
   * The mean over updates of (∂θ_i/∂(φ, v))ᵀ Δθ_i, by parameter. Whoever asks outside a scope
   * disposes of it.
   *
   * @throws Error as `vectorOf`
   */
  gradientOf(updates: readonly ClientUpdate[]): Readonly<Record<string, Tensor>> {
    const cotangent = new Float32Array(updates.length * this.layout.size);
    updates.forEach(({ difference, factor = 1 }, i) => {
      const vector = vectorOf(this.layout, difference).map((value) => (value * factor) / updates.length);
      cotangent.set(vector, i * this.layout.size);
    });
    const given = tensor(cotangent, [updates.length, this.layout.size]);
    const clients = updates.map(({ client }) => client);
    // The gradient of ⟨θ(φ, v), Δθ⟩ is the vector–Jacobian product.
    return gradientsOf(this.hypernet, (live) => sum(multiply(this.#vectors(live, clients), given))).gradients;
  }

  /** Embeddings of all clients [N, e]. */
  get embeddings(): Tensor {
    return parameters(this.hypernet)[EMBEDDINGS] as Tensor;
  }

  /** θ [1, N] of an embedding [1, e] that no client has. */
  vectorFor(embedding: Tensor): Tensor {
    const others = this.embeddings;
    const table = this.clients > 1 ? concatenate([embedding, slice(others, [1, this.clients])]) : embedding;
    return withWeights(this.hypernet, { [EMBEDDINGS]: table }, (live) => this.#vectors(live, [0]));
  }

  /** θ_i of some clients [B, N]. */
  #vectors(live: HypernetServer['hypernet'], clients: readonly number[]): Tensor {
    const made = live.generate(clients);
    return concatenate(
      this.layout.entries.map(({ name, size }) => reshape(made[name] as Tensor, [clients.length, size])),
      1,
    );
  }
}

/**
 * A client that joins after training: φ stays as it is, and an embedding that starts from the mean
 * of all learns alone, by the same rule.
 */
export class NewcomerServer implements UpdateServer {
  readonly network: NetworkSpec;
  readonly layout: Layout;
  readonly #joined: { readonly embedding: Tensor };
  readonly #optimizer: Optimizer;

  constructor(
    readonly base: HypernetServer,
    { learningRate = 1e-2, clip = 50 }: Pick<HypernetServerOptions, 'learningRate' | 'clip'> = {},
  ) {
    this.network = base.network;
    this.layout = base.layout;
    const table = base.embeddings;
    this.#joined = { embedding: parameter(scope(() => mean(table, 0, { keepAxes: true }))) };
    this.#optimizer = new Clipped(new Adam({ learningRate }), clip);
  }

  weightsFor(): NamedArrays {
    return arraysOf(
      this.layout,
      scope(() => this.base.vectorFor(this.#joined.embedding).dataSync<Float32Array>().slice()),
    );
  }

  apply(updates: readonly ClientUpdate[]): void {
    for (const { difference, rows, factor = 1 } of updates) {
      if (rows === 0) continue;
      scope(() => {
        const given = tensor(vectorOf(this.layout, difference), [1, this.layout.size]);
        const loss = (live: { readonly embedding: Tensor }) =>
          multiply(sum(multiply(this.base.vectorFor(live.embedding), given)), factor);
        const { gradients } = gradientsOf(this.#joined, loss);
        this.#optimizer.update(parameters(this.#joined), gradients);
      });
    }
  }
}
