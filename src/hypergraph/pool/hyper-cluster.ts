// HyperCluster (Jo et al., NeurIPS 2021): edges are clustered softly by attention of learned seeds,
// with keys and values from message passing among the edges.

import type { GraphCollection } from '../../structure/index.js';
import type { Random, Tensor } from '../../tensor/index.js';
import { DualConv } from '../conv/dual.js';
import { SeedPool, type SeedPooled, type SeedPoolOptions } from './seed-pool.js';

/** Number of clusters of a share of the edges (or nodes) of a mean graph: ⌈ratio·⌈mean⌉⌉. */
export function clusterCount(ratio: number, mean: number): number {
  return Math.max(1, Math.ceil(ratio * Math.ceil(mean)));
}

/** Pools the edges of each graph to K rows, and spreads them out again. */
export class HyperCluster {
  /** Convolution of the keys. */
  readonly keys: DualConv;
  /** Convolution of the values. */
  readonly values: DualConv;
  /** Seeds and their attention. */
  readonly pool: SeedPool;

  constructor(features: number, seeds: number, random: Random, { over = 'seeds', ...options }: SeedPoolOptions = {}) {
    this.keys = new DualConv(features, features, random.split('keys'));
    this.values = new DualConv(features, features, random.split('values'));
    this.pool = new SeedPool(features, seeds, random.split('pool'), { over, ...options });
  }

  /** Edge features [m, d] → [graphs·K, d]. */
  forward(edges: Tensor, graphs: GraphCollection): SeedPooled {
    return this.pool.forward(this.keys.forward(edges, graphs), this.values.forward(edges, graphs), graphs.edges);
  }

  /** Pooled rows back to edge features [m, d]. */
  unpool(pooled: SeedPooled, graphs: GraphCollection): Tensor {
    return this.pool.unpool(pooled, graphs.edges);
  }
}
