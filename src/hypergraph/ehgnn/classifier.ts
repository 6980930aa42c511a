// Classifiers of whole graphs: HyperDrop between graph convolutions, and the poolings it is
// compared and combined with, all on the same layers, readout and head.

import { Dropout, Linear, type Mode } from '../../nn/index.js';
import { segmentMax, segmentMean, segmentSum, spmm } from '../../sparse/index.js';
import type { GraphCollection } from '../../structure/index.js';
import {
  add,
  concatenate,
  gatherKnownRows,
  ones,
  type Random,
  relu,
  requireChoice,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { DualConv } from '../conv/dual.js';
import { WeightedGCNConv, weightedOperator } from '../conv/weighted-gcn.js';
import { type DroppedEdges, GraphMultisetPool, HyperDrop, type NodeDrop, SAGPool, TopKPool } from '../pool/index.js';
import { endpointFeatures, type GraphInput } from './inputs.js';

/** Poolings that a `GraphClassifier` may have. */
export const graphPoolings = ['hyperdrop', 'hyperdrop+gmt', 'none', 'topk', 'sag', 'gmt'] as const;

/** A pooling of a `GraphClassifier`. */
export type GraphPooling = (typeof graphPoolings)[number];

/** Layout of a `GraphClassifier`. */
export interface GraphClassifierOptions {
  /**
   * What happens between the layers, and how the nodes of a graph become one vector. Default:
   * `hyperdrop`.
   */
  readonly pooling?: GraphPooling;
  /** The convolutions: GCN, or GIN's sum with a perceptron of two layers. Default: `gcn`. */
  readonly conv?: 'gcn' | 'gin';
  /** Number of convolutions. Default: 3. */
  readonly layers?: number;
  /** Width of the layers. Default: 128. */
  readonly hidden?: number;
  /** Share of edges (nodes for `topk` and `sag`) that each pooling keeps. Default: 0.8. */
  readonly ratio?: number;
  /**
   * Features of edges that have none: from the ends of each edge after the first layer, or the
   * constant 1, on which scores tie. Default: `endpoints`.
   */
  readonly edgeInit?: 'endpoints' | 'ones';
  /** Whether each direction of an edge is scored and dropped by itself. Default: false. */
  readonly directed?: boolean;
  /** Seeds K of `gmt`. Default: 4. */
  readonly seeds?: number;
  /** Dropout probability in the head. Default: 0.5. */
  readonly dropout?: number;
}

/** Logits of graphs, and what was dropped on the way. */
export interface Classified {
  /** [graphs, classes]. */
  readonly logits: Tensor;
  /** The drops, in order; those of a later one count rows among what an earlier one left. */
  readonly drops: readonly DroppedEdges[];
}

/** GIN's convolution without its own parameter ε: MLP(x_v + Σ over neighbours). */
class SumConv {
  /** First layer. */
  readonly inner: Linear;
  /** Second layer. */
  readonly outer: Linear;

  constructor(inFeatures: number, outFeatures: number, random: Random) {
    this.inner = new Linear(inFeatures, outFeatures, random.split('inner'));
    this.outer = new Linear(outFeatures, outFeatures, random.split('outer'));
  }

  forward(x: Tensor, graphs: GraphCollection): Tensor {
    // A + I: the pattern of the operator without its values.
    const { pattern } = weightedOperator(graphs);
    return this.outer.forward(relu(this.inner.forward(spmm({ pattern }, x))));
  }
}

/** Message passing among edges up to a drop. */
class EdgeLayer {
  /** Convolution of the edge features. */
  readonly conv: DualConv;
  /** Scores and drop. */
  readonly drop: HyperDrop;

  constructor(inFeatures: number, hidden: number, ratio: number, random: Random) {
    this.conv = new DualConv(inFeatures, hidden, random.split('conv'));
    this.drop = new HyperDrop(hidden, ratio, random.split('drop'));
  }

  forward(edges: Tensor, graphs: GraphCollection): DroppedEdges {
    return this.drop.forward(relu(this.conv.forward(edges, graphs)), graphs);
  }
}

/** A network from graphs to class logits. */
export class GraphClassifier {
  /** The convolutions. */
  readonly layers: readonly (WeightedGCNConv | SumConv)[];
  /** HyperDrop between them; empty for other poolings. */
  readonly edgeLayers: readonly EdgeLayer[];
  /** TopKPool or SAGPool between them; empty for other poolings. */
  readonly nodeDrops: readonly (NodeDrop & object)[];
  /** From the node features after all layers to what the graph multiset transformer reads. */
  readonly mixed: Linear | undefined;
  /** The graph multiset transformer, where there is one. */
  readonly multiset: GraphMultisetPool | undefined;
  /** The layers of the head. */
  readonly head: readonly [Linear, Linear, Linear];
  readonly #dropout: Dropout;
  readonly #directed: boolean;
  readonly #edgeInit: 'endpoints' | 'ones';
  readonly #edgeFeatures: number;

  /**
   * @param sizes features of nodes, features of edges (0 for none), classes
   * @throws RangeError for a ratio that is not above 0 and at most 1
   */
  constructor(
    sizes: { readonly nodes: number; readonly edges: number; readonly classes: number },
    random: Random,
    options: GraphClassifierOptions = {},
  ) {
    const { pooling = 'hyperdrop', conv = 'gcn', layers = 3, hidden = 128, ratio = 0.8 } = options;
    const { edgeInit = 'endpoints', directed = false, seeds = 4, dropout = 0.5 } = options;
    requireChoice('GraphClassifier', 'the pooling', pooling, graphPoolings);
    requireChoice('GraphClassifier', 'conv', conv, ['gcn', 'gin']);
    requireChoice('GraphClassifier', 'edgeInit', edgeInit, ['endpoints', 'ones']);
    const Conv = conv === 'gcn' ? WeightedGCNConv : SumConv;
    const between = Array.from({ length: layers - 1 }, (_, l) => random.split('pool').split(l));
    this.layers = Array.from(
      { length: layers },
      (_, l) => new Conv(l === 0 ? sizes.nodes : hidden, hidden, random.split(l)),
    );
    this.#edgeFeatures = sizes.edges;
    const first = sizes.edges > 0 ? sizes.edges : edgeInit === 'ones' ? 1 : 2 * hidden;
    const dropsEdges = pooling === 'hyperdrop' || pooling === 'hyperdrop+gmt';
    if (dropsEdges && conv !== 'gcn') throw new Error('GraphClassifier: HyperDrop weights the edges of gcn layers');
    this.edgeLayers = dropsEdges
      ? between.map((own, l) => new EdgeLayer(l === 0 ? first : hidden, hidden, ratio, own))
      : [];
    const NodePool = { topk: TopKPool, sag: SAGPool }[pooling as 'topk' | 'sag'];
    this.nodeDrops = NodePool ? between.map((own) => new NodePool(hidden, ratio, own)) : [];
    const isMultiset = pooling === 'gmt' || pooling === 'hyperdrop+gmt';
    this.mixed = isMultiset ? new Linear(layers * hidden, hidden, random.split('mixed')) : undefined;
    this.multiset = isMultiset ? new GraphMultisetPool(hidden, seeds, random.split('multiset')) : undefined;
    const half = Math.max(1, hidden >> 1);
    this.head = [
      new Linear(this.multiset ? hidden : 3 * hidden, hidden, random.split('head 1')),
      new Linear(hidden, half, random.split('head 2')),
      new Linear(half, sizes.classes, random.split('head 3')),
    ];
    this.#dropout = new Dropout(dropout);
    this.#directed = directed;
    this.#edgeInit = edgeInit;
  }

  /** Graphs → logits [graphs, classes]. */
  forward(input: GraphInput, mode: Mode): Tensor {
    return this.classify(input, mode).logits;
  }

  /**
   * `forward`, with the edges that were dropped.
   *
   * @throws Error when edges have other features than the network expects
   */
  classify(input: GraphInput, mode: Mode): Classified {
    const width = input.edges?.shape[1] ?? 0;
    if (this.edgeLayers.length > 0 && width !== this.#edgeFeatures)
      throw new Error(`GraphClassifier: edges have ${width} features, expected ${this.#edgeFeatures}`);
    const directed = this.#directed && this.edgeLayers.length > 0;
    let graphs = directed ? input.graphs.bothDirections() : input.graphs;
    let edges = input.edges && directed ? twice(input.edges) : input.edges;
    let x = input.nodes;
    let weights: Tensor | undefined;
    let readout: Tensor | undefined;
    const states: Tensor[] = [];
    const drops: DroppedEdges[] = [];
    this.layers.forEach((layer, l) => {
      x = relu(
        layer instanceof SumConv
          ? layer.forward(x, graphs)
          : layer.forward(x, weightedOperator(graphs, weights, directed)),
      );
      const edgeLayer = this.edgeLayers[l];
      if (edgeLayer) {
        edges ??= this.#edgeInit === 'ones' ? ones([graphs.edgeCount, 1]) : endpointFeatures(x, graphs);
        const left = edgeLayer.forward(edges, graphs);
        drops.push(left);
        ({ graphs, edges, weights } = left);
      }
      const nodeDrop = this.nodeDrops[l];
      if (nodeDrop) ({ graphs, nodes: x } = nodeDrop.forward(x, graphs));
      states.push(x);
      if (this.multiset) return;
      const { nodes } = graphs;
      const own = concatenate([segmentMax(x, nodes), segmentMean(x, nodes), segmentSum(x, nodes)], 1);
      readout = readout ? add(readout, own) : own;
    });
    const mixed = this.mixed?.forward(concatenate(states, 1), 'relu') ?? x;
    const pooled = this.multiset?.forward(mixed, graphs, weights, directed) ?? (readout as Tensor);
    return { logits: this.#classes(pooled, mode), drops };
  }

  #classes(pooled: Tensor, mode: Mode): Tensor {
    const [first, second, last] = this.head;
    const hidden = this.#dropout.forward(first.forward(pooled, 'relu'), mode);
    return last.forward(this.#dropout.forward(second.forward(hidden, 'relu'), mode));
  }
}

/** Each row twice, one after the other. */
function twice(x: Tensor): Tensor {
  const rows = Int32Array.from({ length: 2 * (x.shape[0] as number) }, (_, i) => i >> 1);
  return gatherKnownRows(x, tensor(rows));
}
