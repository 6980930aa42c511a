// Decoupled networks: hops of the features are combined once, before training, and what is trained
// reads rows of the result, in mini-batches, and no graph.

import {
  Adam,
  accuracy,
  crossEntropy,
  type Features,
  type FitResult,
  fit,
  inference,
  type LabelledRows,
  type Mode,
  minibatches,
  predictedClasses,
  type SemiSupervisedOptions,
  stoppingOf,
} from '../../nn/index.js';
import type { Graph } from '../../structure/index.js';
import { concatenate, gatherKnownRows, keep, type Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { GraphModule } from '../conv/index.js';
import { type HopRows, weightedHops, weightedRows } from '../hops.js';
import type { LabelledGraph } from '../labelled-graph.js';
import { ResidualMLP, type ResidualMLPOptions } from '../residual-mlp.js';

/** Rule by which the hops x^0 … x^K of a node become its features x̂. */
export interface HopCombination {
  /** K. */
  readonly steps: number;
  /** x̂ of all nodes [n, d]. */
  all(x: Features, graph: Graph): Tensor;
  /**
   * x̂ of some nodes, from at least K hops of them with the symmetric operator [rows, d];
   * combinations of other operators have none.
   */
  of?(hops: HopRows): Tensor;
}

/** x̂ = Σ_k θ_k·x^k with the same weights for all nodes. */
export function fixedWeights(weights: readonly number[]): Required<HopCombination> {
  return {
    steps: weights.length - 1,
    all: (x, graph) => weightedHops(x, graph, weights),
    of: (hops) => weightedRows(hops, weights),
  };
}

/** Weights of the hops k = 0 … K that are the same for all nodes. */
export const hopWeightings = {
  /** SGC: the last hop alone (Wu et al., ICML 2019). */
  last: (steps: number) => Array.from({ length: steps + 1 }, (_, k) => (k === steps ? 1 : 0)),
  /** Every hop alike. */
  mean: (steps: number) => new Array<number>(steps + 1).fill(1 / (steps + 1)),
  /**
   * S²GC: α·x^0 + (1 − α)/K · Σ_{k ≥ 1} x^k (Zhu & Koniusz, ICLR 2021). Default α: 0.05.
   */
  averaged: (steps: number, alpha = 0.05) =>
    Array.from({ length: steps + 1 }, (_, k) => (k === 0 ? alpha : (1 - alpha) / steps)),
  /** GBP with personalised PageRank: a·(1 − a)^k (Chen et al., NeurIPS 2020). Default a: 0.1. */
  pageRank: (steps: number, teleport = 0.1) =>
    Array.from({ length: steps + 1 }, (_, k) => teleport * (1 - teleport) ** k),
} as const;

/** x̂ of the last graph, by combination and features. */
const combinedFeatures = new WeakMap<
  HopCombination,
  WeakMap<Features, { readonly graph: Graph; readonly combined: Tensor }>
>();

/** Combined hops under a residual perceptron; of depth 1, a linear classifier. */
export class HopNetwork implements GraphModule {
  /** The perceptron on x̂. */
  readonly transformation: ResidualMLP;
  readonly #combination: HopCombination;

  constructor(
    inFeatures: number,
    outFeatures: number,
    combination: HopCombination,
    random: Random,
    options: ResidualMLPOptions = {},
  ) {
    this.transformation = new ResidualMLP(inFeatures, outFeatures, random, options);
    this.#combination = combination;
  }

  /** How hops are combined. */
  get combination(): HopCombination {
    return this.#combination;
  }

  /**
   * x̂ [n, d], computed once for the same features and graph by all networks of one combination.
   */
  combine(x: Features, graph: Graph): Tensor {
    const byFeatures = combinedFeatures.get(this.#combination) ?? new WeakMap();
    const known = byFeatures.get(x);
    if (known?.graph === graph) return known.combined;
    const combined = keep(this.#combination.all(x, graph));
    combinedFeatures.set(this.#combination, byFeatures.set(x, { graph, combined }));
    return combined;
  }

  /** In inference row by row: pieces of 4,096 nodes. */
  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    const combined = this.combine(x, graph);
    return mode.training ? this.transformation.forward(combined, mode) : classify(this, combined);
  }
}

const PIECE = 4096;

/**
 * Logits of rows of x̂ → [rows, classes] in inference, piece by piece.
 *
 * @param chosen the rows. Default: all
 */
function classify({ transformation }: HopNetwork, x: Tensor, chosen?: Int32Array): Tensor {
  const n = chosen?.length ?? (x.shape[0] as number);
  if (n <= PIECE && !chosen) return transformation.forward(x, inference);
  const pieces: Tensor[] = [];
  for (let from = 0; from < n; from += PIECE) {
    const rows = chosen
      ? chosen.subarray(from, from + PIECE)
      : Int32Array.from({ length: Math.min(PIECE, n - from) }, (_, i) => from + i);
    pieces.push(scope(() => transformation.forward(gatherKnownRows(x, tensor(rows)), inference)));
  }
  return pieces.length === 1 ? (pieces[0] as Tensor) : concatenate(pieces, 0);
}

/** Rows of x̂ with the class of each. */
export interface LabelledInput {
  /** x̂ of these rows, and maybe of others [m, d]. */
  readonly x: Tensor;
  /** The rows of `x`. Default: all */
  readonly rows?: Int32Array;
  /** [rows] */
  readonly classes: Int32Array;
}

/** Options of training on rows. */
export interface RowTrainingOptions extends SemiSupervisedOptions {
  /** Rows of a step. At most 256 training rows are one step in any case. Default: 4096. */
  readonly batchSize?: number;
}

/** Training rows up to which an epoch is one step. */
const FULL_BATCH = 256;

/**
 * Trains the transformation on rows of x̂ with Adam: an epoch is one pass over all training rows in
 * shuffled batches. With validation rows the weights of the best epoch are restored.
 */
export function trainOnRows(
  network: HopNetwork,
  train: LabelledInput,
  validation: LabelledInput | undefined,
  random: Random,
  options: RowTrainingOptions = {},
): Promise<FitResult> {
  const { epochs = 200, learningRate = 0.01, weightDecay = 5e-4, select = 'accuracy', batchSize = 4096 } = options;
  const count = train.classes.length;
  const size = count <= FULL_BATCH ? count : batchSize;
  const inX = (row: number) => train.rows?.[row] as number;
  const score = (live: HopNetwork, { x, rows, classes }: LabelledInput) => {
    const logits = classify(live, x, rows);
    if (select === 'loss') return crossEntropy(logits, tensor(classes)).item();
    return accuracy(predictedClasses(logits), classes, Int32Array.from(classes.keys()));
  };
  return fit({
    model: network,
    batches: (order) => minibatches(count, size, order),
    loss: (live, rows, mode) =>
      crossEntropy(
        live.transformation.forward(gatherKnownRows(train.x, tensor(train.rows ? rows.map(inX) : rows)), mode),
        tensor(rows.map((row) => train.classes[row] as number)),
      ),
    optimizer: new Adam({ learningRate, weightDecay }),
    epochs,
    random,
    ...(validation && { validate: (live: HopNetwork) => score(live, validation) }),
    ...stoppingOf(options),
  });
}

/**
 * Combines the hops once and trains the transformation on the training nodes alone; the best epoch
 * by validation is restored.
 *
 * @param random batch order and dropout
 * @param options `hops`: hops of the training nodes, then of the validation nodes, where they are
 * known already
 */
export async function trainDecoupled<M extends HopNetwork>(
  network: M,
  data: LabelledGraph,
  random: Random,
  { hops, ...options }: RowTrainingOptions & { readonly hops?: HopRows | undefined } = {},
): Promise<{ network: M; training: FitResult }> {
  const rows = labelledRowsOf(data);
  const inputs = keep(
    scope(() =>
      hops && network.combination.of
        ? network.combination.of(hops)
        : gatherKnownRows(network.combine(data.features, data.graph), tensor(rows)),
    ),
  );
  const result = await trainOnRows(network, ...partsOf(inputs, data), random, options);
  inputs.dispose();
  return { network, training: result };
}

/** The training rows, then the validation rows. */
export function labelledRowsOf({ train, validation }: Pick<LabelledRows, 'train' | 'validation'>): Int32Array {
  const rows = new Int32Array(train.length + validation.length);
  rows.set(train);
  rows.set(validation, train.length);
  return rows;
}

/**
 * The training and the validation rows among rows of x̂.
 *
 * @param x x̂ of the training nodes, then of the validation nodes
 */
export function partsOf(
  x: Tensor,
  { train, validation, labels }: LabelledRows,
): [training: LabelledInput, validating: LabelledInput] {
  const part = (from: number, own: Int32Array): LabelledInput => ({
    x,
    rows: own.map((_, i) => from + i),
    classes: own.map((row) => labels[row] as number),
  });
  return [part(0, train), part(train.length, validation)];
}
