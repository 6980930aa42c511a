// A trained DGMLP as a file: its weights, how it propagates and combines hops, how features are
// prepared, and the names of its classes. It answers for the graph of training, or another one.

import { type ModelKind, normalizeRows, readModelFile, writeModelFile } from '../data/index.js';
import { type Features, featureCount, inference, loadState, stateOf } from '../nn/index.js';
import { SparseMatrix } from '../sparse/index.js';
import type { Graph } from '../structure/index.js';
import { Random, scope, softmax, type Tensor } from '../tensor/index.js';
import { DGMLP, type DGMLPOptions } from './dgmlp.js';
import { projectedAdjacency } from './projected.js';

/** Name and version of the model file. */
export const DGMLP_MODEL: ModelKind = { system: 'dgmlp', version: '1', madeBy: 'gossamer run dgmlp' };

/** What a file says beside the weights. */
export interface DGMLPDescription {
  /** Columns of the features. */
  readonly inFeatures: number;
  /** Name of each class. */
  readonly classes: readonly string[];
  /** Whether rows of sparse features are scaled to sum 1 first. */
  readonly scaleRows: boolean;
  /** Whether features are made from the graph (`projectedAdjacency`). Default: false. */
  readonly structural?: boolean;
  /** Depths, temperature and exponent of `network`. */
  readonly options: DGMLPOptions;
  /** Name of the data of the training. Default: not known. */
  readonly data?: string;
  /** Accuracy on validation nodes, in [0, 1]. Default: not known. */
  readonly validated?: number;
}

/** Features of nodes that have none; the same in training and for an answer. */
export function featuresOfGraph(graph: Graph, nodeNames?: readonly string[]): Tensor {
  return projectedAdjacency(graph, new Random(0).split('features'), nodeNames);
}

/** Classifies nodes by DGMLP. */
export class DGMLPModel {
  constructor(
    readonly network: DGMLP,
    readonly description: DGMLPDescription,
  ) {}

  /**
   * Probability of each class [nodes, classes], row after row. Hops are computed on the graph that
   * is given.
   *
   * @param given undefined where nodes have none; a model of the graph alone does not read them
   * @param name what errors call the data
   * @param nodeNames for features that are made from the graph. Default: 0 … n − 1
   * @throws Error when the features are missing, or not as many as in training
   */
  predictProba(
    given: Features | undefined,
    graph: Graph,
    name = 'the graph',
    nodeNames?: readonly string[],
  ): Float32Array {
    const { inFeatures, scaleRows, structural } = this.description;
    const features = structural ? featuresOfGraph(graph, nodeNames) : given;
    if (!features) throw new Error(`"${name}" has no node features, the model expects ${inFeatures}`);
    const found = featureCount(features);
    if (found !== inFeatures)
      throw new Error(`"${name}" has ${found} features a node, the model expects ${inFeatures}`);
    const prepared = scaleRows && features instanceof SparseMatrix ? normalizeRows(features) : features;
    return scope(() => softmax(this.network.forward(prepared, graph, inference)).dataSync<Float32Array>());
  }

  /** The model as a file. */
  save(): Uint8Array {
    return writeModelFile(DGMLP_MODEL, this.description, stateOf(this.network));
  }

  /** @throws Error when the file holds another model, or one of another version */
  static load(bytes: Uint8Array, name = 'model'): DGMLPModel {
    const { description, tensors } = readModelFile<DGMLPDescription>(DGMLP_MODEL, bytes, name);
    const { inFeatures, classes } = description;
    const network = new DGMLP(inFeatures, classes.length, new Random(0), description.options);
    loadState(network, tensors);
    return new DGMLPModel(network, description);
  }
}
