// Subgraph networks as files: weights, and how attributes become features, so that new graphs are
// read as those of training were.

import { type ModelKind, readModelFile, type WholeGraphs } from '../../data/index.js';
import { inference, loadState } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import {
  type AnswerOptions,
  attributeSizes,
  type CellPolicy,
  encodeAttributes,
  type GraphBatch,
  GraphBatches,
  outputsOf,
  outputsOfTask,
  type WholeGraphDescription,
  WholeGraphModel,
} from '../dense/index.js';
import { SubgraphNetwork, type SubgraphNetworkOptions, schemeOf } from './network.js';

/** Name and version of the model file. */
export const SUBGRAPH_MODEL: ModelKind = {
  system: 'subgraph-gnn',
  version: '1',
  madeBy: 'gossamer fit --model sswl-plus',
};

/** What the file says beside its weights. */
export interface SubgraphDescription extends WholeGraphDescription {
  /** Radius and number of roots. */
  readonly policy: Pick<CellPolicy, 'hops' | 'roots'>;
  /** Layout of the network. */
  readonly options: SubgraphNetworkOptions;
}

/** Predicts classes or numbers of graphs. */
export class SubgraphModel extends WholeGraphModel<SubgraphDescription, SubgraphNetwork> {
  constructor(description: SubgraphDescription, network: SubgraphNetwork) {
    super(SUBGRAPH_MODEL, description, network);
  }

  /** A network of the description's layout with new weights. */
  static create(description: SubgraphDescription, random: Random): SubgraphModel {
    const { encoding, task, options } = description;
    const sizes = { ...attributeSizes(encoding), outputs: outputsOfTask(task) };
    return new SubgraphModel(description, new SubgraphNetwork(sizes, random, options));
  }

  override batches(data: WholeGraphs, onUnknown?: AnswerOptions['onUnknown']): GraphBatches {
    const { encoding, policy, options } = this.description;
    const own = { ...policy, policy: schemeOf(options.scheme).policy, cap: options.cap };
    const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
    return new GraphBatches(encodeAttributes(data, encoding, onUnknown), given);
  }

  /** Vectors of graphs [graphs, hidden], or of all their nodes [nodes, hidden], row after row. */
  embed(data: WholeGraphs, of: 'graphs' | 'nodes', { onUnknown, ...limits }: AnswerOptions = {}): Float32Array {
    const all = Int32Array.from({ length: data.graphs.count }, (_, g) => g);
    const { network } = this;
    const vectors = {
      cellBytes: network.cellBytes,
      forward: (batch: GraphBatch) =>
        of === 'graphs' ? network.graphVectors(batch, inference) : network.nodeVectors(batch, inference),
    };
    return outputsOf(vectors, this.batches(data, onUnknown), all, limits);
  }

  /** @throws Error when the file holds another model, or one of another version */
  static load(bytes: Uint8Array, name = 'model'): SubgraphModel {
    const { description, tensors } = readModelFile<SubgraphDescription>(SUBGRAPH_MODEL, bytes, name);
    const model = SubgraphModel.create(description, new Random(0));
    loadState(model.network, tensors);
    return model;
  }
}
