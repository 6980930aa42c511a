// Networks of nodes on whole graphs: classes or numbers of graphs by GCN … GIN with a readout, as
// baselines beside networks on pairs of nodes, trained and kept alike.

import { type ModelKind, readModelFile, type WholeGraphs } from '../data/index.js';
import { loadState, type Mode } from '../nn/index.js';
import type { GraphCollection } from '../structure/index.js';
import { Random, type Tensor, tensor } from '../tensor/index.js';
import {
  type AnswerOptions,
  attributeSizes,
  encodeAttributes,
  type GraphBatch,
  GraphBatches,
  outputsOfTask,
  type WholeGraphDescription,
  WholeGraphModel,
  type WholeGraphNetwork,
} from './dense/index.js';
import { WholeGraphClassifier } from './heads/index.js';
import type { NetworkLayout } from './network-layout.js';
import { type NetworkName, nodeNetworks } from './node-networks.js';
import { requireNetwork } from './places.js';

/** Name and version of the model file. */
export const READOUT_MODEL: ModelKind = {
  system: 'graph-readout',
  version: '1',
  madeBy: 'gossamer fit --model gin',
};

/** Networks of nodes that also answer for whole graphs. */
export const readoutNetworks = [
  'gcn',
  'sgc',
  'sage',
  'gat',
  'gatv2',
  'appnp',
  'jknet',
  'gcnii',
  'gin',
  'mlp',
] as const satisfies readonly NetworkName[];

/** Key of `nodeNetworks`. */
export type ReadoutName = (typeof readoutNetworks)[number];

/** What the file says beside its weights. */
export interface ReadoutDescription extends WholeGraphDescription {
  /** Which network of nodes. */
  readonly network: ReadoutName;
  /** Its options. */
  readonly layout: NetworkLayout;
}

/** Width of what the readout reads of a node. */
const WIDTH = 64;

/** Bytes of a node in a step of training, in units of an output: layers, gradients and messages. */
const COPIES = 96;

/**
 * outputs = W·[mean ‖ max](ReLU(h)) + b with h the outputs of a network of nodes. Nodes without
 * attributes have the features 1 and ln(1 + degree); edges have none.
 */
export class ReadoutNetwork implements WholeGraphNetwork {
  /** The network of nodes with its readout. */
  readonly readout: WholeGraphClassifier;

  constructor(
    name: ReadoutName,
    { nodes, outputs }: { readonly nodes: number; readonly outputs: number },
    random: Random,
    { dropout = 0, ...layout }: NetworkLayout = {},
  ) {
    const own = { dropout, ...layout };
    const network = nodeNetworks[name].create(nodes > 0 ? nodes : 2, WIDTH, random.split('network'), own);
    this.readout = new WholeGraphClassifier(network, WIDTH, outputs, random, { dropout });
  }

  get cellBytes(): number {
    return 4 * WIDTH * COPIES;
  }

  forward({ cells, nodes }: GraphBatch, mode: Mode): Tensor {
    const { graphs } = cells.batch;
    const features = nodes ?? degreeFeatures(graphs);
    return this.readout.forward({ graph: graphs.union, nodes: graphs.nodes, features }, mode);
  }
}

/** 1 and ln(1 + degree) of each node [n, 2]. */
function degreeFeatures({ neighbours: { indptr }, nodeCount }: GraphCollection): Tensor {
  const values = new Float32Array(2 * nodeCount);
  for (let v = 0; v < nodeCount; v++) {
    values[2 * v] = 1;
    values[2 * v + 1] = Math.log1p((indptr[v + 1] as number) - (indptr[v] as number));
  }
  return tensor(values, [nodeCount, 2]);
}

/** Predicts classes or numbers of graphs by a network of nodes. */
export class ReadoutModel extends WholeGraphModel<ReadoutDescription, ReadoutNetwork> {
  constructor(description: ReadoutDescription, network: ReadoutNetwork) {
    super(READOUT_MODEL, description, network);
  }

  /** A network of the description's layout with new weights. */
  static create(description: ReadoutDescription, random: Random): ReadoutModel {
    const { encoding, task, network, layout } = description;
    const sizes = { nodes: attributeSizes(encoding).nodes, outputs: outputsOfTask(task) };
    return new ReadoutModel(description, new ReadoutNetwork(network, sizes, random, layout));
  }

  override batches(data: WholeGraphs, onUnknown?: AnswerOptions['onUnknown']): GraphBatches {
    return new GraphBatches(encodeAttributes(data, this.description.encoding, onUnknown), { policy: 'plain' });
  }

  /** @throws Error when the file holds another model, or one of another version */
  static load(bytes: Uint8Array, name = 'model'): ReadoutModel {
    const { description, tensors } = readModelFile<ReadoutDescription>(READOUT_MODEL, bytes, name);
    requireNetwork(description.network, name);
    const model = ReadoutModel.create(description, new Random(0));
    loadState(model.network, tensors);
    return model;
  }
}
