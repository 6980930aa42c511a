// Numbers of nodes of a person's own graph, as a model that answers for the same and for other
// graphs.

import { type AttributedGraph, type ModelKind, readModelFile, writeModelFile } from '../data/index.js';
import { loadState, stateOf } from '../nn/index.js';
import { Random, scope } from '../tensor/index.js';
import type { GraphModule } from './conv/index.js';
import { nodeValues, type ValueScale } from './heads/index.js';
import type { NetworkDescription } from './network-description.js';
import { nodeNetwork } from './node-classifier.js';
import { featuresOf } from './node-inputs.js';
import { requireNetwork, requirePlaces } from './places.js';

/** Name and version of the model file. */
export const NODE_VALUES: ModelKind = { system: 'node-values', version: '1', madeBy: 'gossamer fit --task number' };

/** What a file says beside the weights. */
export interface NodeValueDescription extends NetworkDescription {
  /** Whether edges have a direction. */
  readonly directed: boolean;
  /** The attribute that is predicted. */
  readonly target: string;
  /** Mean and deviation of its training values. */
  readonly scale: ValueScale;
  /** What it was trained on. */
  readonly trained: { readonly data: string; readonly nodes: number; readonly edges: number; readonly valued: number };
}

/** Predicts a number for each node of a graph. */
export class NodeValueModel {
  constructor(
    readonly network: GraphModule,
    readonly description: NodeValueDescription,
  ) {}

  /**
   * The number of each node [n].
   *
   * @param note called with what of the data is unknown to the model
   * @throws Error naming attributes that are missing, or nodes of another graph than the model
   * knows
   */
  predict(data: AttributedGraph, note?: (text: string) => void): Float32Array {
    const { inputs, scale, places } = this.description;
    requirePlaces(places, data);
    return scope(() => nodeValues(this.network, featuresOf(inputs, data, note), data.graph, scale).slice());
  }

  /** The model as a file. */
  save(): Uint8Array {
    return writeModelFile(NODE_VALUES, this.description, stateOf(this.network));
  }

  /** @throws Error when the file holds another model, or one of another version */
  static load(bytes: Uint8Array, name = 'model'): NodeValueModel {
    const { description, tensors } = readModelFile<NodeValueDescription>(NODE_VALUES, bytes, name);
    requireNetwork(description.network, name);
    const network = nodeNetwork(description.network, description.inFeatures, 1, new Random(0), description.layout);
    loadState(network, tensors);
    return new NodeValueModel(network, description);
  }
}
