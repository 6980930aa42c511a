// What networks on whole graphs read.

import type { GraphCollection } from '../../structure/index.js';
import { abs, add, concatenate, gatherKnownRows, subtract, type Tensor, tensor } from '../../tensor/index.js';

/** Graphs with features, all at once. */
export interface GraphInput {
  /** The graphs. */
  readonly graphs: GraphCollection;
  /** Node features [n, F]. */
  readonly nodes: Tensor;
  /** Edge features [m, F']; undefined for edges without. */
  readonly edges?: Tensor | undefined;
}

/** Graphs in which edges have types. */
export interface TypedGraphs {
  /** The graphs. */
  readonly graphs: GraphCollection;
  /** Type of each edge [m], numbered from 0. */
  readonly types: Int32Array;
}

/**
 * [x_u + x_v ‖ |x_u − x_v|] of the ends of each edge: [n, d] → [m, 2d], the same in both
 * directions.
 */
export function endpointFeatures(nodes: Tensor, { sources, targets }: GraphCollection): Tensor {
  const [u, v] = [gatherKnownRows(nodes, tensor(sources)), gatherKnownRows(nodes, tensor(targets))];
  return concatenate([add(u, v), abs(subtract(u, v))], 1);
}
