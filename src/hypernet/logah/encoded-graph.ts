// A computational graph as the numbers that the encoder reads, made once and used in every step.

import { keep, type Shape, type Tensor, tensor } from '../../tensor/index.js';
import { type ArchitectureGraph, virtualEdges } from './graph.js';
import { primitives } from './primitives.js';
import { type SizeTable, shape4d } from './sizes.js';

/** Largest degree with an embedding of its own. */
export const MOST_DEGREE = 100;
/** Largest distance from the input with an embedding of its own. */
export const MOST_DISTANCE = 1000;
/** Offset of distances in the table of edges, whose first rows are 0 and unused. */
const EDGE_OFFSET = 2;

/** What the encoder gathers for the n nodes of a graph. */
export interface EncodedGraph {
  /** The graph itself. */
  readonly graph: ArchitectureGraph;
  /** Primitives i32 [n]. */
  readonly primitives: Tensor;
  /** Rows of the table of channels i32 [n, 2]. */
  readonly channels: Tensor;
  /** Rows of the table of kernel sizes i32 [n, 2]. */
  readonly spatial: Tensor;
  /** Number of real edges that arrive i32 [n]. */
  readonly inDegrees: Tensor;
  /** Number of real edges that leave i32 [n]. */
  readonly outDegrees: Tensor;
  /** Distance from the input i32 [n]. */
  readonly distances: Tensor;
  /** The different pairs (A[i, j], A[j, i]) + 2, i32 [p, 2]. */
  readonly edgePairs: Tensor;
  /** For each i, j the number of its pair i32 [n·n]. */
  readonly edgeIndex: Tensor;
}

/**
 * Encodes a graph.
 *
 * @param cutoff longest path that makes a virtual edge
 */
export function encodeGraph(graph: ArchitectureGraph, sizes: SizeTable, cutoff = 50): EncodedGraph {
  const n = graph.nodes.length;
  const adjacency = virtualEdges(graph, cutoff);
  const at = (i: number, j: number) => adjacency[i * n + j] as number;
  const degree = (real: (node: number, other: number) => boolean) =>
    Int32Array.from({ length: n }, (_, node) => {
      let count = 0;
      for (let other = 0; other < n; other++) count += Number(real(node, other));
      return Math.min(count, MOST_DEGREE);
    });
  const shapes = graph.nodes.map(({ shape }) => (shape ? sizes.rows(shape4d(shape)) : sizes.none));
  const { pairs, index } = distinctPairs(adjacency, n);
  const indices = (values: Int32Array, ...shape: Shape) => keep(tensor(values, shape));
  return {
    graph,
    primitives: indices(
      Int32Array.from(graph.nodes, ({ primitive }) => primitives.indexOf(primitive)),
      n,
    ),
    channels: indices(Int32Array.from(shapes.flatMap((rows) => rows.slice(0, 2))), n, 2),
    spatial: indices(Int32Array.from(shapes.flatMap((rows) => rows.slice(2))), n, 2),
    inDegrees: indices(
      degree((node, other) => at(other, node) === 1),
      n,
    ),
    outDegrees: indices(
      degree((node, other) => at(node, other) === 1),
      n,
    ),
    distances: indices(
      Int32Array.from({ length: n }, (_, node) => Math.min(at(0, node), MOST_DISTANCE)),
      n,
    ),
    edgePairs: indices(pairs, pairs.length / 2, 2),
    edgeIndex: indices(index, n * n),
  };
}

/** The matrix is sparse in values: few different pairs stand for all n·n. */
function distinctPairs(adjacency: Uint16Array, n: number): { pairs: Int32Array; index: Int32Array } {
  const numbers = new Map<number, number>();
  const pairs: number[] = [];
  const index = new Int32Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const [forward, backward] = [adjacency[i * n + j] as number, adjacency[j * n + i] as number];
      const key = forward * 65536 + backward;
      let number = numbers.get(key);
      if (number === undefined) {
        number = numbers.size;
        numbers.set(key, number);
        pairs.push(forward + EDGE_OFFSET, backward + EDGE_OFFSET);
      }
      index[i * n + j] = number;
    }
  }
  return { pairs: Int32Array.from(pairs), index };
}
