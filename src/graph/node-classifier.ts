// Classes of nodes by any network of this family, as a model that answers for the graph of
// training, the same graph with new nodes and edges, or another one.

import { type AttributedGraph, type ModelKind, readModelFile, writeModelFile } from '../data/index.js';
import {
  type Features,
  type FitResult,
  inference,
  loadState,
  type SemiSupervisedOptions,
  stateOf,
} from '../nn/index.js';
import type { Graph } from '../structure/index.js';
import { keep, Random, scope, softmax, type Tensor } from '../tensor/index.js';
import type { GraphModule } from './conv/index.js';
import { HopNetwork, labelledRowsOf, partsOf, trainOnRows } from './decoupled/index.js';
import { projectedHops, weightedHopRows } from './hops.js';
import type { LabelledGraph } from './labelled-graph.js';
import type { NetworkDescription } from './network-description.js';
import type { NetworkLayout, NodeNetwork } from './network-layout.js';
import { featuresOf } from './node-inputs.js';
import { type NetworkName, nodeNetworks } from './node-networks.js';
import { requirePlaces } from './places.js';
import { trainNodes } from './training.js';

/** Name and version of the model file. */
export const NODE_CLASSIFIER: ModelKind = { system: 'node-classifier', version: '1', madeBy: 'gossamer fit' };

/** What a file says beside the weights. */
export interface NodeClassifierDescription extends NetworkDescription {
  /** Whether edges have a direction. */
  readonly directed: boolean;
  /** The attribute that is predicted. */
  readonly target: string;
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** What it was trained on. */
  readonly trained: {
    readonly data: string;
    readonly nodes: number;
    readonly edges: number;
    readonly labelled: number;
  };
}

/** Builds the network of a name. */
export function nodeNetwork(
  name: NetworkName,
  inFeatures: number,
  classes: number,
  random: Random,
  layout: NetworkLayout,
): GraphModule {
  return nodeNetworks[name].create(inFeatures, classes, random, layout);
}

/** Options of `trainNodeNetwork`. */
export interface NodeTrainingOptions extends Omit<SemiSupervisedOptions, 'weightDecay' | 'select'> {
  /** Weight decay, on the parameters that the network's paper decays. Default: 5e-4. */
  readonly weightDecay?: number;
}

/**
 * Trains a network on the labelled nodes of a graph and restores the weights of the epoch of the
 * lowest validation loss: the accuracy of few nodes is at its best by chance in the first epochs.
 * Of networks on combined hops, the hops of labelled nodes alone are held.
 */
export async function trainNodeNetwork(
  name: NetworkName,
  network: GraphModule,
  layout: NetworkLayout,
  data: LabelledGraph,
  random: Random,
  { weightDecay = 5e-4, ...options }: NodeTrainingOptions = {},
): Promise<FitResult> {
  const { hops, decay }: NodeNetwork = nodeNetworks[name];
  const training = { ...options, select: 'loss', weightDecay: decay ? decay(weightDecay) : weightDecay } as const;
  if (!hops || !(network instanceof HopNetwork)) return (await trainNodes(network, data, random, training)).training;
  const { features, graph } = data;
  const x = keep(scope(() => weightedHopRows(features, graph, hops(features, graph, layout), labelledRowsOf(data))));
  const result = await trainOnRows(network, ...partsOf(x, data), random, training);
  x.dispose();
  return result;
}

/** Logits of all nodes [n, classes]. */
export function nodeLogits(
  name: NetworkName,
  network: GraphModule,
  layout: NetworkLayout,
  features: Features,
  graph: Graph,
): Tensor {
  const { hops }: NodeNetwork = nodeNetworks[name];
  return scope(() => {
    if (!hops || !(network instanceof HopNetwork)) return network.forward(features, graph, inference);
    const { transformation } = network;
    const first = projectedHops(features, graph, hops(features, graph, layout), transformation.first);
    return transformation.afterFirst(first, inference);
  });
}

/** Classifies the nodes of a graph. */
export class NodeClassifier {
  constructor(
    readonly network: GraphModule,
    readonly description: NodeClassifierDescription,
  ) {}

  /**
   * Probability of each class [nodes, classes], row after row.
   *
   * @param note called with what of the data is unknown to the model
   * @throws Error naming attributes that are missing, or a graph that has directions where that of
   * training had none
   */
  predictProba(data: AttributedGraph, note?: (text: string) => void): Float32Array {
    const { network, layout, inputs, places } = this.description;
    requirePlaces(places, data);
    return scope(() => {
      const features = featuresOf(inputs, data, note);
      return softmax(nodeLogits(network, this.network, layout, features, data.graph)).dataSync<Float32Array>();
    });
  }

  /** The model as a file. */
  save(): Uint8Array {
    return writeModelFile(NODE_CLASSIFIER, this.description, stateOf(this.network));
  }

  /** @throws Error when the file holds another model, or one of another version */
  static load(bytes: Uint8Array, name = 'model'): NodeClassifier {
    const { description, tensors } = readModelFile<NodeClassifierDescription>(NODE_CLASSIFIER, bytes, name);
    const { network: kind, inFeatures, classes, layout } = description;
    if (!Object.hasOwn(nodeNetworks, kind))
      throw new Error(`file "${name}" is a model of an unknown network "${kind}"`);
    const network = nodeNetwork(kind, inFeatures, classes.length, new Random(0), layout);
    loadState(network, tensors);
    return new NodeClassifier(network, description);
  }
}
