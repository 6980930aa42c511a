// Poolings of nodes that EHGNN is compared and combined with.

import { Linear, parameter, xavierUniform } from '../../nn/index.js';
import { Segments } from '../../sparse/index.js';
import { consecutiveGroups, type GraphCollection, memo } from '../../structure/index.js';
import {
  gatherKnownRows,
  matmul,
  multiply,
  power,
  type Random,
  reshape,
  square,
  sum,
  type Tensor,
  tanh,
  tensor,
} from '../../tensor/index.js';
import { WeightedGCNConv, weightedOperator } from '../conv/weighted-gcn.js';
import { PairAttentionBlock } from '../sets/index.js';
import { SeedPool } from './seed-pool.js';
import { requireRatio, topShare } from './selection.js';

/** The nodes that a pooling keeps, and the edges between them. */
export interface KeptNodes {
  /** Graphs of the nodes that are left. */
  readonly graphs: GraphCollection;
  /** Features of the nodes left, scaled by their scores. */
  readonly nodes: Tensor;
}

/** Pools the nodes of graphs to fewer nodes. */
export interface NodeDrop {
  /** Share of the nodes of each graph that are kept. */
  readonly ratio: number;
  /** Node features [n, d] of graphs → the nodes that are left. */
  forward(nodes: Tensor, graphs: GraphCollection): KeptNodes;
}

function keepBest(nodes: Tensor, scores: Tensor, graphs: GraphCollection, ratio: number): KeptNodes {
  const gates = tanh(scores);
  const rows = topShare(gates.dataSync(), graphs.nodes, ratio);
  const index = tensor(rows);
  const gated = multiply(gatherKnownRows(nodes, index), reshape(gatherKnownRows(gates, index), [-1, 1]));
  return { graphs: graphs.keepNodes(rows).graphs, nodes: gated };
}

/**
 * TopKPool (Gao & Ji, "Graph U-Nets", ICML 2019): score x·p/‖p‖, gate tanh, the ⌈ρ·n⌉ highest of
 * each graph.
 */
export class TopKPool implements NodeDrop {
  /** p [1, d]. */
  direction: Tensor;

  constructor(
    features: number,
    readonly ratio: number,
    random: Random,
  ) {
    requireRatio('TopKPool', ratio);
    this.direction = parameter(xavierUniform(random, [1, features]));
  }

  forward(nodes: Tensor, graphs: GraphCollection): KeptNodes {
    const norm = power(sum(square(this.direction)), -0.5);
    const scores = multiply(matmul(nodes, this.direction, { transposeB: true }), norm);
    return keepBest(nodes, reshape(scores, [graphs.nodeCount]), graphs, this.ratio);
  }
}

/** SAGPool (Lee, Lee, Kang, ICML 2019): as TopKPool with the score of a graph convolution. */
export class SAGPool implements NodeDrop {
  /** Convolution to the score before tanh. */
  readonly score: WeightedGCNConv;

  constructor(
    features: number,
    readonly ratio: number,
    random: Random,
  ) {
    requireRatio('SAGPool', ratio);
    this.score = new WeightedGCNConv(features, 1, random);
  }

  forward(nodes: Tensor, graphs: GraphCollection): KeptNodes {
    const scores = this.score.forward(nodes, weightedOperator(graphs));
    return keepBest(nodes, reshape(scores, [graphs.nodeCount]), graphs, this.ratio);
  }
}

/**
 * Graph multiset transformer (Baek, Kang, Hwang, ICLR 2021): K seeds read the nodes, with keys and
 * values by graph convolution; they attend to one another, with layer norms; one seed reads them.
 */
export class GraphMultisetPool {
  /** Convolution of the keys. */
  readonly keys: WeightedGCNConv;
  /** Convolution of the values. */
  readonly values: WeightedGCNConv;
  /** K seeds on the nodes. */
  readonly first: SeedPool;
  /** Self-attention of the seeds. */
  readonly between: PairAttentionBlock;
  /** Keys of the last step. */
  readonly lastKeys: Linear;
  /** Values of the last step. */
  readonly lastValues: Linear;
  /** One seed on the K. */
  readonly last: SeedPool;

  constructor(features: number, seeds: number, random: Random) {
    const part = (label: string) => random.split(label);
    this.keys = new WeightedGCNConv(features, features, part('keys'));
    this.values = new WeightedGCNConv(features, features, part('values'));
    this.first = new SeedPool(features, seeds, part('first'), { norm: true });
    this.between = new PairAttentionBlock(features, part('between'), { heads: 1 });
    this.lastKeys = new Linear(features, features, part('last keys'), { init: 'xavier' });
    this.lastValues = new Linear(features, features, part('last values'), { init: 'xavier' });
    this.last = new SeedPool(features, 1, part('last'), { norm: true });
  }

  /**
   * Node features [n, d] → [graphs, d].
   *
   * @param weights of the edges, all 1 when left out
   */
  forward(nodes: Tensor, graphs: GraphCollection, weights?: Tensor, directed = false): Tensor {
    const operator = weightedOperator(graphs, weights, directed);
    const keys = this.keys.forward(nodes, operator);
    const { pooled } = this.first.forward(keys, this.values.forward(nodes, operator), graphs.nodes);
    const seeds = this.first.count;
    const segments = memo(graphs.nodes, `equal segments ${seeds}`, () =>
      Segments.fromSizes(new Int32Array(graphs.count).fill(seeds)),
    );
    const sets = memo(segments, 'groups', () => consecutiveGroups(segments));
    const mixed = this.between.forward(pooled, sets);
    return this.last.forward(this.lastKeys.forward(mixed), this.lastValues.forward(mixed), segments).pooled;
  }
}
