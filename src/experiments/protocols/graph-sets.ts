// Generated sets of graphs whose numbers of subgraphs are to be told.

import type { WholeGraphs } from '../../data/index.js';
import { connectedGraph, type Graph, GraphCollection } from '../../structure/index.js';
import type { Random } from '../../tensor/index.js';

/** A connected graph of 10 to 16 nodes, with ⌊1.3n⌋ to 2n − 1 edges. */
export function smallGraph(random: Random): Graph {
  const n = 10 + random.integer(7);
  const least = Math.floor(1.3 * n);
  return connectedGraph(random, n, least + random.integer(2 * n - least));
}

/** Diagonals of the third and fifth power of the adjacency, and degrees. */
function closedWalks(graph: Graph) {
  const n = graph.nodeCount;
  const step = (walks: Float64Array) =>
    walks.map((_, v) => graph.neighbours(v).reduce((sum, w) => sum + (walks[w] as number), 0));
  const [third, fifth] = [new Float64Array(n), new Float64Array(n)];
  for (let v = 0; v < n; v++) {
    let walks = Float64Array.from({ length: n }, (_, w) => Number(w === v));
    for (let length = 1; length <= 5; length++) {
      walks = step(walks);
      if (length === 3) third[v] = walks[v] as number;
      if (length === 5) fifth[v] = walks[v] as number;
    }
  }
  return { third, fifth, degrees: graph.outDegrees };
}

/** Triangles of a graph: tr A³/6. */
export function triangles(graph: Graph): number {
  return closedWalks(graph).third.reduce((a, b) => a + b, 0) / 6;
}

/** Cycles of five edges: (tr A⁵ − 5·tr A³ − 5·Σ (d − 2)·(A³)ᵥᵥ)/10. */
export function fiveCycles(graph: Graph): number {
  const { third, fifth, degrees } = closedWalks(graph);
  const total = third.reduce(
    (sum, own, v) => sum + (fifth[v] as number) - 5 * own - 5 * ((degrees[v] as number) - 2) * own,
    0,
  );
  return total / 10;
}

/** Graphs with their numbers of triangles and of cycles of five edges, split 60 : 15 : 25. */
export function countedGraphs(count: number, random: Random): WholeGraphs {
  const graphs = Array.from({ length: count }, (_, g) => smallGraph(random.split(g)));
  const column = (name: string, of: (graph: Graph) => number) => ({
    name,
    kind: 'number' as const,
    values: Float64Array.from(graphs, of),
  });
  const [trained, validated] = [Math.floor(0.6 * count), Math.floor(0.15 * count)];
  const range = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, i) => from + i);
  return {
    name: 'subgraph-counts',
    graphs: GraphCollection.of(graphs),
    nodeColumns: [],
    edgeColumns: [],
    labels: new Int32Array(count).fill(-1),
    classNames: [],
    targets: [column('triangles', triangles), column('cycles5', fiveCycles)],
    folds: undefined,
    split: {
      train: range(0, trained),
      validation: range(trained, trained + validated),
      test: range(trained + validated, count),
    },
    graphNames: graphs.map((_, g) => String(g)),
  };
}

/** Sets of four nodes of which all are neighbours. */
export function fourCliques(graph: Graph): number {
  let cliques = 0;
  for (let u = 0; u < graph.nodeCount; u++) {
    const later = Array.from(graph.neighbours(u)).filter((v) => v > u);
    for (const [i, v] of later.entries())
      for (const [j, w] of later.entries()) {
        if (j <= i || !graph.hasEdge(v, w)) continue;
        for (const [k, x] of later.entries()) if (k > j && graph.hasEdge(v, x) && graph.hasEdge(w, x)) cliques += 1;
      }
  }
  return cliques;
}

/** A set with the number of cliques of four nodes as a further column of its graphs. */
export function withCliques(set: WholeGraphs): WholeGraphs {
  const values = Float64Array.from({ length: set.graphs.count }, (_, g) => fourCliques(set.graphs.graph(g)));
  return { ...set, targets: [...set.targets, { name: 'cliques4', kind: 'number', values }] };
}
