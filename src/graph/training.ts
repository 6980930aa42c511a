// Node classification: the networks of this family by name, with the hyperparameters of their
// papers, and their training.

import type { Features } from '../nn/index.js';
import {
  type FitResult,
  featureCount,
  labelledLoss,
  MLP,
  type Mode,
  type SemiSupervisedOptions,
  trainByValidation,
} from '../nn/index.js';
import type { Graph } from '../structure/index.js';
import type { Random, Tensor } from '../tensor/index.js';
import { APPNP, GAT, GCN, GCNII, GIN, type GraphModule, GraphSAGE, gcniiDecay, JKNet, SGC } from './conv/index.js';
import { HopNetwork, isRowwise, trainDecoupled, trainRowwise } from './decoupled/index.js';
import type { LabelledGraph } from './labelled-graph.js';

/**
 * A perceptron of one hidden layer as a graph network that ignores the graph: the baseline that
 * shows what features alone can tell.
 */
export class NodeMLP implements GraphModule {
  /** Linear → ReLU → dropout → linear. */
  readonly mlp: MLP;

  constructor(inFeatures: number, outFeatures: number, random: Random, { hidden = 64, dropout = 0.5 } = {}) {
    this.mlp = new MLP([inFeatures, hidden, outFeatures], random, { dropout });
  }

  forward(x: Features, _graph: Graph, mode: Mode): Tensor {
    return this.mlp.forward(x, mode);
  }
}

/** A network and the hyperparameters that its paper trains it with. */
export interface Recipe {
  /** Name for tables. */
  readonly title: string;
  /** Builds the network with freshly drawn weights. */
  readonly create: (inFeatures: number, classes: number, random: Random) => GraphModule;
  /** Options of `trainNodes` that differ from the defaults of `SemiSupervisedOptions`. */
  readonly training: SemiSupervisedOptions;
}

/** Weight decay on the parameters whose names start with `prefix` alone. */
export const firstLayer = (prefix: string, decay: number) => (name: string) => (name.startsWith(prefix) ? decay : 0);

/** Networks with the settings of their papers for citation graphs (Cora, Citeseer, PubMed). */
export const recipes = {
  mlp: {
    title: 'MLP',
    create: (i, o, random) => new NodeMLP(i, o, random),
    training: { weightDecay: 5e-3 },
  },
  gcn: {
    title: 'GCN',
    create: (i, o, random) => new GCN(i, o, random),
    training: { weightDecay: firstLayer('layers.0', 5e-4), select: 'loss' },
  },
  sgc: {
    title: 'SGC',
    create: (i, o, random) => new SGC(i, o, random),
    training: { learningRate: 0.2, weightDecay: 5e-5, epochs: 100 },
  },
  sage: {
    title: 'GraphSAGE',
    create: (i, o, random) => new GraphSAGE(i, o, random),
    training: { weightDecay: 5e-4, epochs: 400, patience: 50, select: 'loss' },
  },
  gat: {
    title: 'GAT',
    create: (i, o, random) => new GAT(i, o, random),
    training: { learningRate: 0.005, weightDecay: 5e-4, epochs: 1000, patience: 100, select: 'loss' },
  },
  gatv2: {
    title: 'GATv2',
    create: (i, o, random) => new GAT(i, o, random, { version: 2 }),
    training: { learningRate: 0.005, weightDecay: 5e-4, epochs: 1000, patience: 100, select: 'loss' },
  },
  appnp: {
    title: 'APPNP',
    create: (i, o, random) => new APPNP(i, o, random),
    training: { weightDecay: firstLayer('first', 5e-3), epochs: 1000, patience: 100, select: 'loss' },
  },
  jknet: {
    title: 'JK-Net',
    create: (i, o, random) => new JKNet(i, o, random),
    training: { weightDecay: 5e-4, epochs: 500, patience: 100, select: 'loss' },
  },
  gcnii: {
    title: 'GCNII, 16 layers',
    create: (i, o, random) => new GCNII(i, o, random, { layers: 16 }),
    training: { weightDecay: gcniiDecay, epochs: 300, patience: 100, select: 'loss' },
  },
  gin: {
    title: 'GIN',
    create: (i, o, random) => new GIN(i, o, random, { layers: 2, batchNorm: false, level: 'node' }),
    training: { weightDecay: 5e-4, patience: 100 },
  },
} satisfies Record<string, Recipe>;

/** Key of `recipes`. */
export type RecipeName = keyof typeof recipes;

/**
 * Trains a network full-batch with Adam on the labelled nodes of a graph and restores the weights
 * of the best epoch by validation. A decoupled network is trained by `trainDecoupled`, another that
 * answers node by node by `trainRowwise`.
 *
 * @param random stream of dropout
 */
export async function trainNodes<M extends GraphModule>(
  network: M,
  data: LabelledGraph,
  random: Random,
  options: SemiSupervisedOptions = {},
): Promise<{ network: M; training: FitResult }> {
  if (network instanceof HopNetwork) return trainDecoupled(network, data, random, options);
  if (isRowwise(network)) return trainRowwise(network, data, random, options);
  const logits = (live: M, mode: Mode) => live.forward(data.features, data.graph, mode);
  const loss = labelledLoss(data.labels, data.train);
  return { network, training: await trainByValidation(network, data, logits, loss, random, options) };
}

/**
 * Builds a network and trains it with the settings of its recipe.
 *
 * @param options override those of the recipe
 */
export function trainRecipe(
  name: RecipeName,
  data: LabelledGraph,
  random: Random,
  options: SemiSupervisedOptions = {},
): Promise<{ network: GraphModule; training: FitResult }> {
  const recipe: Recipe = recipes[name];
  const network = recipe.create(featureCount(data.features), data.classes, random.split('weights'));
  return trainNodes(network, data, random, { ...recipe.training, ...options });
}
