// Subgraph networks as files: weights, and how attributes become features, so that new graphs are
// read as those of training were.

import { type ModelKind, readModelFile, type WholeGraphs, writeModelFile } from '../../data/index.js';
import { inference, loadState, stateOf } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import {
  type AttributeEncoding,
  answersOf,
  attributeSizes,
  type CellLimits,
  type CellPolicy,
  encodeAttributes,
  type GraphBatch,
  GraphBatches,
  type GraphTask,
  outputsOf,
  outputsOfTask,
} from '../dense/index.js';
import { SubgraphNetwork, type SubgraphNetworkOptions, schemeOf } from './network.js';

/** Name and version of the model file. */
export const SUBGRAPH_MODEL: ModelKind = {
  system: 'subgraph-gnn',
  version: '1',
  madeBy: 'gossamer fit --model sswl-plus',
};

/** What the file says beside its weights. */
export interface SubgraphDescription {
  /** How attributes become features. */
  readonly encoding: AttributeEncoding;
  /** What is predicted. */
  readonly task: GraphTask;
  /** Radius and number of roots. */
  readonly policy: Pick<CellPolicy, 'hops' | 'roots'>;
  /** Layout of the network. */
  readonly options: SubgraphNetworkOptions;
}

/** Answers of a model, and how it reads graphs. */
export interface AnswerOptions extends CellLimits {
  /**
   * Called for each category that training did not know, which counts as none of the known ones.
   */
  readonly onUnknown?: (what: string, value: string) => void;
}

/** Predicts classes or numbers of graphs. */
export class SubgraphModel {
  constructor(
    readonly description: SubgraphDescription,
    readonly network: SubgraphNetwork,
  ) {}

  /** A network of the description's layout with new weights. */
  static create(description: SubgraphDescription, random: Random): SubgraphModel {
    const { encoding, task, options } = description;
    const sizes = { ...attributeSizes(encoding), outputs: outputsOfTask(task) };
    return new SubgraphModel(description, new SubgraphNetwork(sizes, random, options));
  }

  /** Graphs as the network reads them. @throws Error for a column that is missing */
  batches(data: WholeGraphs, onUnknown?: AnswerOptions['onUnknown']): GraphBatches {
    const { encoding, policy, options } = this.description;
    const own = { ...policy, policy: schemeOf(options.scheme).policy, cap: options.cap };
    const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
    return new GraphBatches(encodeAttributes(data, encoding, onUnknown), given);
  }

  /**
   * Probabilities of classes, or numbers: [graphs, width], row after row.
   *
   * @throws Error for a column that is missing; RangeError for a graph that is too large
   */
  predict(data: WholeGraphs, { onUnknown, ...limits }: AnswerOptions = {}): Float32Array {
    const all = Int32Array.from({ length: data.graphs.count }, (_, g) => g);
    return this.answers(this.batches(data, onUnknown), all, limits);
  }

  /** `predict` for graphs of given numbers. */
  answers(batches: GraphBatches, chosen: Int32Array, limits: CellLimits = {}): Float32Array {
    return answersOf(outputsOf(this.network, batches, chosen, limits), this.description.task);
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

  /**
   * The model as a file.
   *
   * @param more kept in its description, such as the data that it was trained on
   */
  save(more: Readonly<Record<string, unknown>> = {}): Uint8Array {
    return writeModelFile(SUBGRAPH_MODEL, { ...more, ...this.description }, stateOf(this.network));
  }

  /** @throws Error when the file holds another model, or one of another version */
  static load(bytes: Uint8Array, name = 'model'): SubgraphModel {
    const { description, tensors } = readModelFile<SubgraphDescription>(SUBGRAPH_MODEL, bytes, name);
    const model = SubgraphModel.create(description, new Random(0));
    loadState(model.network, tensors);
    return model;
  }
}
