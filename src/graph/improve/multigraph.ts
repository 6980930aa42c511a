// Multigraphs: parallel arcs kept as counts, or as one graph and one operator for each type of arc.

import type { Features } from '../../nn/index.js';
import { SparseMatrix, spmm } from '../../sparse/index.js';
import { directedOperator, Graph, reversed } from '../../structure/index.js';
import { concatenate, keep, scope, type Tensor } from '../../tensor/index.js';

/** Arcs that may be parallel. */
export interface ParallelArcs {
  /** Number of nodes. */
  readonly nodeCount: number;
  /** Where each arc starts. */
  readonly sources: ArrayLike<number>;
  /** Where each arc leads. */
  readonly targets: ArrayLike<number>;
  /** Type of each arc. */
  readonly types?: readonly string[];
}

/** The graph whose weights are the numbers of parallel arcs, whatever their types. */
export function countedArcs({ nodeCount, sources, targets }: ParallelArcs): Graph {
  return Graph.fromEdges(nodeCount, sources, targets, { directed: true, duplicates: 'sum' });
}

/**
 * The graph of each type of arc, in the order of the types' names; parallel arcs of one type are
 * counted.
 *
 * @throws Error unless each arc has a type
 */
export function arcsByType({ nodeCount, sources, targets, types = [] }: ParallelArcs): ReadonlyMap<string, Graph> {
  if (types.length !== sources.length) throw new Error(`arcsByType: ${types.length} types for ${sources.length} arcs`);
  const names = [...new Set(types)].sort();
  return new Map(
    names.map((name) => {
      const own = Array.from(types.keys()).filter((e) => types[e] === name);
      const ends = (nodes: ArrayLike<number>) => own.map((e) => nodes[e] as number);
      return [name, countedArcs({ nodeCount, sources: ends(sources), targets: ends(targets) })];
    }),
  );
}

/**
 * Features beside their means over out- and in-neighbours by each type of arc:
 * [n, d·(1 + 2·types)].
 */
export function typedMeans(x: Features, graphs: ReadonlyMap<string, Graph>): Tensor {
  return keep(
    scope(() => {
      const dense = x instanceof SparseMatrix ? x.toDense() : x;
      const means = [...graphs.values()].flatMap((graph) =>
        [graph, reversed(graph)].map((own) => spmm(directedOperator(own, { exponent: 0 }), dense)),
      );
      return concatenate([dense, ...means], 1);
    }),
  );
}
