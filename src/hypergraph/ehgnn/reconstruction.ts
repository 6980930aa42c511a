// Autoencoders of edge types: HyperCluster pools edges, the baseline pools nodes.

import { crossEntropy, Linear } from '../../nn/index.js';
import {
  add,
  concatenate,
  gatherKnownRows,
  multiply,
  oneHot,
  type Random,
  relu,
  scatterAddRows,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { DualConv } from '../conv/dual.js';
import { RelationalConv, WeightedGCNConv, weightedOperator } from '../conv/weighted-gcn.js';
import { HyperCluster, SeedPool, type SeedPooled } from '../pool/index.js';
import type { TypedGraphs } from './inputs.js';

/** Layout of the autoencoders. */
export interface AutoencoderOptions {
  /** Width of the layers. Default: 32. */
  readonly hidden?: number;
  /** Number of attention heads. Default: 1. */
  readonly heads?: number;
}

/** Reads the types of edges, and tells them again from what is left after pooling. */
export interface EdgeAutoencoder {
  /** Pooled rows [graphs·K, d]: the representation of each graph. */
  encode(input: TypedGraphs): SeedPooled;
  /** Logits of the type of each edge [m, types]. */
  forward(input: TypedGraphs): Tensor;
}

/** One-hot types of edges [m, types]. */
function oneHotTypes({ types }: TypedGraphs, count: number): Tensor {
  return oneHot(tensor(types), count);
}

/**
 * HyperCluster on edge types: two convolutions on the dual hypergraph, the pooling, and back by
 * three more. It reads the types and which edges meet, nothing of the nodes.
 */
export class EdgeClusterAutoencoder implements EdgeAutoencoder {
  /** Convolutions before the pooling. */
  readonly encoder: readonly DualConv[];
  /** The pooling. */
  readonly pool: HyperCluster;
  /** Convolutions after the pooling, the last to the logits. */
  readonly decoder: readonly DualConv[];

  /** @param clusters K of each graph */
  constructor(
    readonly types: number,
    clusters: number,
    random: Random,
    { hidden = 32, heads = 1 }: AutoencoderOptions = {},
  ) {
    const conv = (label: string, inFeatures: number, outFeatures: number) =>
      new DualConv(inFeatures, outFeatures, random.split(label));
    this.encoder = [conv('in', types, hidden), conv('hidden', hidden, hidden)];
    this.pool = new HyperCluster(hidden, clusters, random.split('pool'), { heads });
    this.decoder = [conv('out 1', hidden, hidden), conv('out 2', hidden, hidden), conv('types', hidden, types)];
  }

  encode(input: TypedGraphs): SeedPooled {
    const encoded = this.encoder.reduce(
      (edges, conv) => relu(conv.forward(edges, input.graphs)),
      oneHotTypes(input, this.types),
    );
    return this.pool.forward(encoded, input.graphs);
  }

  forward(input: TypedGraphs): Tensor {
    const { graphs } = input;
    const spread = this.pool.unpool(this.encode(input), graphs);
    return this.decoder.reduce((edges, conv, l) => {
      const y = conv.forward(edges, graphs);
      return l + 1 < this.decoder.length ? relu(y) : y;
    }, spread);
  }
}

/**
 * The same by nodes: each starts from how many edges of each type it has, GCN or R-GCN layers pass
 * messages, GMPool clusters the nodes, and the type of an edge is told from its ends. The decoder's
 * layers are GCN's in both, since R-GCN's would read the types that are to be told.
 */
export class NodeClusterAutoencoder implements EdgeAutoencoder {
  /** Convolutions before the pooling. */
  readonly encoder: readonly (WeightedGCNConv | RelationalConv)[];
  /** Convolution of the keys. */
  readonly keys: WeightedGCNConv;
  /** Convolution of the values. */
  readonly values: WeightedGCNConv;
  /** The pooling, softly over the seeds. */
  readonly pool: SeedPool;
  /** Convolutions after the pooling. */
  readonly decoder: readonly WeightedGCNConv[];
  /** From the ends of an edge to its type. */
  readonly head: readonly [Linear, Linear];

  /** @param clusters K of each graph */
  constructor(
    readonly types: number,
    clusters: number,
    random: Random,
    { hidden = 32, heads = 1, layers = 'gcn' }: AutoencoderOptions & { readonly layers?: 'gcn' | 'rgcn' } = {},
  ) {
    const gcn = (label: string, inFeatures = hidden) => new WeightedGCNConv(inFeatures, hidden, random.split(label));
    const encoder = (label: string, inFeatures: number) =>
      layers === 'gcn' ? gcn(label, inFeatures) : new RelationalConv(inFeatures, hidden, types, random.split(label));
    this.encoder = [encoder('in', types), encoder('hidden', hidden)];
    this.keys = gcn('keys');
    this.values = gcn('values');
    this.pool = new SeedPool(hidden, clusters, random.split('pool'), { over: 'seeds', heads });
    this.decoder = [gcn('out 1'), gcn('out 2')];
    this.head = [
      new Linear(2 * hidden, hidden, random.split('head 1')),
      new Linear(hidden, types, random.split('head 2')),
    ];
  }

  encode(input: TypedGraphs): SeedPooled {
    const { graphs } = input;
    const operator = weightedOperator(graphs);
    const encoded = this.encoder.reduce(
      (x, conv) =>
        relu(conv instanceof RelationalConv ? conv.forward(x, graphs, input.types) : conv.forward(x, operator)),
      this.#counts(input),
    );
    return this.pool.forward(
      this.keys.forward(encoded, operator),
      this.values.forward(encoded, operator),
      graphs.nodes,
    );
  }

  forward(input: TypedGraphs): Tensor {
    const { graphs } = input;
    const operator = weightedOperator(graphs);
    const spread = this.pool.unpool(this.encode(input), graphs.nodes);
    const x = this.decoder.reduce((y, conv) => relu(conv.forward(y, operator)), spread);
    const [u, v] = [gatherKnownRows(x, tensor(graphs.sources)), gatherKnownRows(x, tensor(graphs.targets))];
    const [first, last] = this.head;
    return last.forward(first.forward(concatenate([add(u, v), multiply(u, v)], 1), 'relu'));
  }

  /** How many edges of each type a node has [n, types]. */
  #counts(input: TypedGraphs): Tensor {
    const { sources, targets, nodeCount } = input.graphs;
    const types = oneHotTypes(input, this.types);
    const at = (side: Int32Array) => scatterAddRows(types, tensor(side), nodeCount);
    return add(at(sources), at(targets));
  }
}

/** Mean cross-entropy over edges. */
export function reconstructionLoss(model: EdgeAutoencoder, input: TypedGraphs): Tensor {
  return crossEntropy(model.forward(input), tensor(input.types));
}
