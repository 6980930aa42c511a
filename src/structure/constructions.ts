// Graphs by construction: pairs that weak tests of isomorphism do not tell apart, and graphs as
// regular as such tests find hard.

import { Graph } from './graph.js';

/** A graph from pairs of numbers; as many nodes as the largest of them says. */
export function graphOfPairs(pairs: readonly (readonly [number, number])[], nodeCount?: number): Graph {
  const most = pairs.reduce((largest, [u, v]) => Math.max(largest, u, v), -1);
  return Graph.fromEdges(
    nodeCount ?? most + 1,
    pairs.map(([u]) => u),
    pairs.map(([, v]) => v),
  );
}

/** A graph from text: pairs of digits such as `01 12`, or of numbers such as `0-1 10-11`. */
export function graphOfText(text: string): Graph {
  const ends = (pair: string) => (pair.includes('-') ? pair.split('-') : [...pair]).map(Number);
  return graphOfPairs(text.split(' ').map((pair) => ends(pair) as [number, number]));
}

/** Disjoint cycles of the given lengths. @throws RangeError for a length below 3 */
export function cycles(...lengths: readonly number[]): Graph {
  const short = lengths.find((length) => !(Number.isInteger(length) && length >= 3));
  if (short !== undefined) throw new RangeError(`cycles: a cycle of ${short} nodes; at least 3 are needed`);
  let first = 0;
  const pairs = lengths.flatMap((length) => {
    const start = first;
    first += length;
    return Array.from({ length }, (_, i) => [start + i, start + ((i + 1) % length)] as const);
  });
  return graphOfPairs(pairs, first);
}

/**
 * The Fürer pair of a connected base graph F, two graphs that are not isomorphic: nodes (x, X) with
 * X ⊆ N_F(x) of even size; (x, X) and (y, Y) are adjacent when xy is an edge of F and y ∈ X ⇔
 * x ∈ Y. The second graph has this condition flipped for the first edge of F.
 *
 * @throws RangeError for a node of F with more than 16 neighbours, which alone would become 2¹⁵
 * nodes and more
 * @see Fürer, "Weisfeiler-Lehman refinement requires at least a linear number of iterations", 2001
 */
export function furerPair(base: Graph): readonly [Graph, Graph] {
  const nodes: { readonly x: number; readonly chosen: ReadonlySet<number> }[] = [];
  const of = Array.from({ length: base.nodeCount }, (_, x) => {
    const neighbours = Array.from(base.neighbours(x)).filter((y) => y !== x);
    if (neighbours.length > 16)
      throw new RangeError(`furerPair: node ${x} has ${neighbours.length} neighbours, at most 16 are taken`);
    const own: number[] = [];
    for (let mask = 0; mask < 2 ** neighbours.length; mask++) {
      const chosen = neighbours.filter((_, bit) => (mask >> bit) & 1);
      if (chosen.length % 2 === 1) continue;
      own.push(nodes.length);
      nodes.push({ x, chosen: new Set(chosen) });
    }
    return own;
  });
  const { sources, targets } = base.edges();
  const twin = (flipped: number) => {
    const pairs: [number, number][] = [];
    sources.forEach((x, e) => {
      const y = targets[e] as number;
      for (const a of of[x] as number[])
        for (const b of of[y] as number[]) {
          const agree = nodes[a]?.chosen.has(y) === nodes[b]?.chosen.has(x);
          if (agree !== (e === flipped)) pairs.push([a, b]);
        }
    });
    return graphOfPairs(pairs, nodes.length);
  };
  return [twin(-1), twin(0)];
}

/** Base graphs, as text, whose Fürer pairs witness the steps of the hierarchy of subgraph tests. */
export const furerBases = {
  F1: '01 02 03 12 34 35 45',
  F2: '01 02 06 15 17 23 26 34 38 48 57',
  F3: '01 02 04 06 13 16 24 25 36 45',
  F4: '0-1 0-3 1-2 2-3 2-4 3-4 4-5 4-6 5-6 6-7 6-9 7-8 7-11 8-9 9-10 10-11',
  F5: '01 02 03 12 24 34 35 45',
  F6: '03 04 05 12 16 27 28 38 14 56 37',
  F7: '01 02 04 05 12 13 14 34 45',
} as const;

/** The n × n rook's graph: cells of a board, adjacent in a row or a column. */
export function rookGraph(n: number): Graph {
  const pairs: [number, number][] = [];
  for (let a = 0; a < n * n; a++)
    for (let b = a + 1; b < n * n; b++)
      if (Math.floor(a / n) === Math.floor(b / n) || a % n === b % n) pairs.push([a, b]);
  return graphOfPairs(pairs, n * n);
}

/** Shrikhande's graph: the Cayley graph of Z₄² with ±(1, 0), ±(0, 1), ±(1, 1); SR(16, 6, 2, 2). */
export function shrikhandeGraph(): Graph {
  const at = (i: number, j: number) => (i % 4) * 4 + (j % 4);
  const pairs = Array.from({ length: 16 }, (_, a) => {
    const [i, j] = [Math.floor(a / 4), a % 4];
    return [at(i + 1, j), at(i, j + 1), at(i + 1, j + 1)].map((b) => [a, b] as const);
  });
  return graphOfPairs(pairs.flat(), 16);
}

/** The line graph: a node for each edge, in their order, adjacent where edges share a node. */
export function lineGraph(graph: Graph): Graph {
  const { sources, targets } = graph.edges();
  const pairs: [number, number][] = [];
  for (let a = 0; a < sources.length; a++)
    for (let b = a + 1; b < sources.length; b++)
      if ([sources[a], targets[a]].some((end) => end === sources[b] || end === targets[b])) pairs.push([a, b]);
  return graphOfPairs(pairs, sources.length);
}

/** The complete graph of n nodes. */
export function completeGraph(n: number): Graph {
  const pairs = Array.from({ length: n }, (_, u) =>
    Array.from({ length: n - u - 1 }, (_, i) => [u, u + 1 + i] as const),
  );
  return graphOfPairs(pairs.flat(), n);
}

/** Seidel's switching: edges between `chosen` nodes and the others become non-edges, and back. */
export function seidelSwitching(graph: Graph, chosen: Iterable<number>): Graph {
  const within = new Set(chosen);
  const pairs: [number, number][] = [];
  for (let u = 0; u < graph.nodeCount; u++)
    for (let v = u + 1; v < graph.nodeCount; v++)
      if (graph.hasEdge(u, v) !== (within.has(u) !== within.has(v))) pairs.push([u, v]);
  return graphOfPairs(pairs, graph.nodeCount);
}

/**
 * T(8), the line graph of K₈, and the three Chang graphs: T(8) switched with respect to the edges
 * of 4K₂, of C₈ and of C₃ ∪ C₅. All are SR(28, 12, 6, 4).
 */
export function changGraphs(): readonly Graph[] {
  const complete = completeGraph(8);
  const triangular = lineGraph(complete);
  const { sources, targets } = complete.edges();
  const numberOf = new Map(Array.from(sources, (u, e) => [`${u} ${targets[e]}`, e]));
  const edgesOf = (graph: Graph) => {
    const own = graph.edges();
    return Array.from(own.sources, (u, e) => {
      const v = own.targets[e] as number;
      return numberOf.get(`${Math.min(u, v)} ${Math.max(u, v)}`) as number;
    });
  };
  const matching = graphOfPairs([0, 2, 4, 6].map((u) => [u, u + 1] as const));
  return [
    triangular,
    ...[matching, cycles(8), cycles(3, 5)].map((graph) => seidelSwitching(triangular, edgesOf(graph))),
  ];
}
