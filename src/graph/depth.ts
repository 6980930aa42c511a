// The evaluation harness of DGMLP's paper (Zhang et al., "Evaluating Deep Graph Neural Networks",
// 2021, arXiv 2108.00955): depth of propagation D_p and depth of transformation D_t varied
// independently, to tell which of the two degrades a network.

import {
  crossEntropy,
  dropFeatures,
  type Features,
  featureCount,
  inference,
  Linear,
  type Mode,
  parameters,
  predictedClasses,
  type SemiSupervisedOptions,
  training,
  withWeights,
} from '../nn/index.js';
import { SparseMatrix, spmm } from '../sparse/index.js';
import { type Graph, graphOperator } from '../structure/index.js';
import {
  add,
  concatenate,
  gatherKnownRows,
  Random,
  relu,
  scope,
  type Tensor,
  tensor,
  valueAndGrad,
} from '../tensor/index.js';
import { type GraphModule, propagateLinear } from './conv/index.js';
import { fixedWeights, HopNetwork, hopWeightings, trainDecoupled } from './decoupled/index.js';
import { hopRows } from './hops.js';
import type { LabelledGraph } from './labelled-graph.js';
import { trainNodes } from './training.js';
import { testAccuracy } from './when-deep.js';

/** Depths and layout of a `DepthNetwork`. */
export interface DepthOptions {
  /** D_p: propagation steps in total, distributed evenly over the linear layers. */
  readonly propagations: number;
  /** D_t: number of linear layers. */
  readonly transformations: number;
  /** Hidden width. Default: 64. */
  readonly hidden?: number;
  /** Dropout probability of the input of each layer. Default: 0.2. */
  readonly dropout?: number;
  /** How a layer's input joins its output: not at all, added or concatenated. Default: 'none'. */
  readonly skip?: 'none' | 'residual' | 'dense';
}

/**
 * D_t linear layers with ReLU between them and D_p propagations by Â among them: D_p = D_t is GCN
 * (with skip connections ResGCN or DenseGCN), D_p = 0 a perceptron, D_t = 1 SGC, D_p = 2·D_t GCN
 * with Â².
 */
export class DepthNetwork implements GraphModule {
  /** The D_t linear layers. */
  readonly layers: readonly Linear[];
  readonly #steps: readonly number[];
  readonly #options: Required<DepthOptions>;

  constructor(inFeatures: number, outFeatures: number, options: DepthOptions, random: Random) {
    const settings = { hidden: 64, dropout: 0.2, skip: 'none' as const, ...options };
    const { propagations, transformations, hidden, skip } = settings;
    this.layers = Array.from({ length: transformations }, (_, l) => {
      const width = l === 0 ? inFeatures : skip === 'dense' ? hidden * l : hidden;
      return new Linear(width, l + 1 === transformations ? outFeatures : hidden, random.split(l), { init: 'xavier' });
    });
    const before = (l: number) => Math.ceil((l * propagations) / transformations);
    this.#steps = this.layers.map((_, l) => before(l + 1) - before(l));
    this.#options = settings;
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    const operator = graphOperator(graph);
    const { dropout, skip } = this.#options;
    let h: Features = x;
    for (const [l, layer] of this.layers.entries()) {
      const input = dropFeatures(h, dropout, mode);
      const steps = this.#steps[l] as number;
      let y = steps > 0 ? propagateLinear(operator, input, layer) : layer.forward(input);
      for (let step = 1; step < steps; step++) y = spmm(operator, y);
      if (l + 1 === this.layers.length) return y;
      const out = relu(y);
      if (l === 0 || skip === 'none' || h instanceof SparseMatrix) h = out;
      else h = skip === 'residual' ? add(out, h) : concatenate([h, out], 1);
    }
    return h as Tensor;
  }
}

/** A configuration of a sweep. */
export interface DepthPoint extends DepthOptions {
  /** Name for tables, which also selects the random stream. */
  readonly name: string;
  /** Another network of these depths, such as APPNP or SGC. Default: a `DepthNetwork`. */
  readonly create?: (inFeatures: number, classes: number, random: Random) => GraphModule;
}

const depthNetwork =
  (options: DepthOptions): NonNullable<DepthPoint['create']> =>
  (inFeatures, classes, random) =>
    new DepthNetwork(inFeatures, classes, options, random);

/** Test accuracies of one configuration. */
export interface DepthResult {
  /** Name of the `DepthPoint`. */
  readonly name: string;
  /** D_p. */
  readonly propagations: number;
  /** D_t. */
  readonly transformations: number;
  /** Test accuracy of each seed, in %, at the best epoch by validation. */
  readonly accuracies: readonly number[];
}

/**
 * Trains a network for every configuration and seed.
 *
 * @param options of training; `seeds` default to [0]
 */
export async function depthSweep(
  data: LabelledGraph & { readonly test: Int32Array },
  points: readonly DepthPoint[],
  { seeds = [0], ...options }: SemiSupervisedOptions & { readonly seeds?: readonly number[] } = {},
): Promise<DepthResult[]> {
  const results: DepthResult[] = [];
  for (const { name, ...point } of points) {
    const accuracies: number[] = [];
    for (const seed of seeds) {
      const random = new Random(seed).split(name);
      const { create = depthNetwork(point) } = point;
      const network = create(featureCount(data.features), data.classes, random.split('weights'));
      await trainNodes(network, data, random, options);
      accuracies.push(testAccuracy(network, data));
    }
    results.push({ name, propagations: point.propagations, transformations: point.transformations, accuracies });
  }
  return results;
}

/**
 * Mean |∂L/∂W| of the first layer after every epoch of training (100 by default): the gradient that
 * vanishes when transformations are too deep.
 */
export async function gradientProfile(
  data: LabelledGraph,
  point: DepthOptions,
  random: Random,
  { epochs = 100, ...options }: SemiSupervisedOptions = {},
): Promise<number[]> {
  const network = new DepthNetwork(featureCount(data.features), data.classes, point, random.split('weights'));
  const rows = tensor(data.train);
  const labels = tensor(data.train.map((row) => data.labels[row] as number));
  const profile: number[] = [];
  const measure = () =>
    scope(() => {
      const loss = (weights: Record<string, Tensor>) =>
        withWeights(network, weights, (live) =>
          crossEntropy(gatherKnownRows(live.forward(data.features, data.graph, training(random)), rows), labels),
        );
      const gradient = valueAndGrad(loss)(parameters(network)).gradient['layers.0.weight'] as Tensor;
      profile.push(gradient.abs().mean().item());
    });
  await trainNodes(network, data, random, { ...options, epochs, onEpoch: measure });
  return profile;
}

/**
 * How often SGC with K = 1 … steps classifies each node correctly over repeated trainings: nodes
 * prefer different depths.
 *
 * @param options of training; `repeats`, the trainings for each K, default to 5
 * @returns shares in [0, 1], an array of n for each K
 */
export async function nodeDepthPreference(
  data: LabelledGraph,
  steps: number,
  { repeats = 5, ...options }: SemiSupervisedOptions & { readonly repeats?: number } = {},
): Promise<Float64Array[]> {
  const shares = Array.from({ length: steps }, () => new Float64Array(data.labels.length));
  const { features, graph, train, validation } = data;
  const hops = hopRows(features, graph, steps, Int32Array.of(...train, ...validation));
  const usual = { learningRate: 0.2, weightDecay: 1e-5, epochs: 50 };
  for (let k = 1; k <= steps; k++) {
    const combination = fixedWeights(hopWeightings.last(k));
    for (let repeat = 0; repeat < repeats; repeat++) {
      const random = new Random(repeat).split(k);
      const network = new HopNetwork(featureCount(data.features), data.classes, combination, random.split('weights'), {
        dropout: 0,
      });
      await trainDecoupled(network, data, random, { ...usual, ...options, hops });
      const predicted = scope(() => predictedClasses(network.forward(data.features, data.graph, inference)));
      const share = shares[k - 1] as Float64Array;
      for (let v = 0; v < share.length; v++)
        share[v] = (share[v] as number) + Number(predicted[v] === data.labels[v]) / repeats;
    }
  }
  return shares;
}
