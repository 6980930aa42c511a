// How often a subgraph occurs, in a graph, at a node, at an edge: homomorphisms by contraction, and
// from those of all its quotients the injective ones.

import type { Graph } from '../../structure/index.js';
import { type ContractionLimits, evaluatePattern, type PatternValue, type SparseInput } from './contract.js';
import { canonicalForm, type Pattern } from './pattern.js';

/**
 * `subgraphs`: copies of the pattern, not necessarily induced; `induced`: copies without further
 * edges between their nodes; `homomorphisms`: maps that send edges to edges, nodes being allowed to
 * coincide.
 */
export type CountKind = 'subgraphs' | 'induced' | 'homomorphisms';

/** The adjacency of a graph, without self-loops and weights. */
export function adjacencyInput(graph: Graph): SparseInput {
  const [rows, columns]: [number[], number[]] = [[], []];
  graph.undirected().forEachEntry((u, v) => {
    if (u === v) return;
    rows.push(u);
    columns.push(v);
  });
  return { size: graph.nodeCount, rows, columns, values: rows.map(() => 1) };
}

/** Pairs of different nodes that no edge joins. */
function complementInput(graph: Graph): SparseInput {
  const plain = graph.undirected();
  const [rows, columns]: [number[], number[]] = [[], []];
  for (let u = 0; u < graph.nodeCount; u++)
    for (let v = 0; v < graph.nodeCount; v++)
      if (u !== v && !plain.hasEdge(u, v)) {
        rows.push(u);
        columns.push(v);
      }
  return { size: graph.nodeCount, rows, columns, values: rows.map(() => 1) };
}

/** Renamings of nodes that keep edges: all automorphisms, red nodes aside. */
export function automorphisms({ nodes, edges }: Pattern): readonly (readonly number[])[] {
  const joined = new Set(edges.flatMap(({ from, to }) => [`${from} ${to}`, `${to} ${from}`]));
  const degree = (node: number) => edges.filter(({ from, to }) => from === node || to === node).length;
  const found: number[][] = [];
  const extend = (image: number[]) => {
    const node = image.length;
    if (node === nodes) {
      found.push([...image]);
      return;
    }
    for (let candidate = 0; candidate < nodes; candidate++) {
      if (image.includes(candidate) || degree(candidate) !== degree(node)) continue;
      const fits = image.every((own, other) => joined.has(`${other} ${node}`) === joined.has(`${own} ${candidate}`));
      if (fits) extend([...image, candidate]);
    }
  };
  extend([]);
  return found;
}

/** A quotient of a pattern, and how often it counts in the sum over injective maps. */
interface Quotient {
  readonly pattern: Pattern;
  readonly weight: number;
}

/**
 * The quotients by partitions whose blocks hold no edge, of which injective maps are the sum with
 * Möbius' weights Π over blocks B of (−1)^(|B| − 1)·(|B| − 1)!; equal ones are added up.
 */
export function quotients(pattern: Pattern): readonly Quotient[] {
  const { nodes, edges, red } = pattern;
  const joined = new Set(edges.flatMap(({ from, to }) => [`${from} ${to}`, `${to} ${from}`]));
  const merged = new Map<string, { pattern: Pattern; weight: number }>();
  const blocks: number[][] = [];
  const place = new Array<number>(nodes).fill(0);
  const finish = () => {
    const pairs = new Map(
      edges.map(({ from, to }) => {
        const [a, b] = [place[from] as number, place[to] as number];
        return [`${Math.min(a, b)} ${Math.max(a, b)}`, { from: a, to: b, channel: 0 }];
      }),
    );
    const own = { nodes: blocks.length, edges: [...pairs.values()], red: red.map((node) => place[node] as number) };
    const weight = blocks.reduce((product, { length }) => {
      let factorial = 1;
      for (let i = 2; i < length; i++) factorial *= i;
      return product * factorial * (length % 2 === 1 ? 1 : -1);
    }, 1);
    const form = canonicalForm(own, 'symmetric');
    const known = merged.get(form);
    if (known) known.weight += weight;
    else merged.set(form, { pattern: own, weight });
  };
  const assign = (node: number) => {
    if (node === nodes) {
      finish();
      return;
    }
    for (let block = 0; block <= blocks.length; block++) {
      if (block === blocks.length) blocks.push([]);
      const own = blocks[block] as number[];
      if (own.every((other) => !joined.has(`${other} ${node}`))) {
        own.push(node);
        place[node] = block;
        assign(node + 1);
        own.pop();
      }
      if (own.length === 0) {
        blocks.pop();
        break;
      }
    }
  };
  assign(0);
  return [...merged.values()].filter(({ weight }) => weight !== 0);
}

/** Nodes of a pattern that are counted; more have too many partitions. */
const MOST_NODES = 9;

/** Injective maps of a simple pattern, by red nodes. */
function injective(graph: Graph, pattern: Pattern, kind: CountKind, limits: ContractionLimits): Map<number, number> {
  const sums = new Map<number, number>();
  const add = ({ positions, values }: PatternValue, weight: number) => {
    positions.forEach((position, i) => {
      sums.set(position, (sums.get(position) ?? 0) + weight * (values[i] as number));
    });
  };
  const adjacency = adjacencyInput(graph);
  if (kind === 'homomorphisms') add(evaluatePattern(pattern, [adjacency], limits), 1);
  else if (kind === 'induced') add(evaluatePattern(completed(pattern), [adjacency, complementInput(graph)], limits), 1);
  else
    for (const { pattern: own, weight } of quotients(pattern)) add(evaluatePattern(own, [adjacency], limits), weight);
  return sums;
}

/** The pattern with an edge of a second channel between all other pairs of nodes. */
function completed({ nodes, edges, red }: Pattern): Pattern {
  const joined = new Set(edges.flatMap(({ from, to }) => [`${from} ${to}`, `${to} ${from}`]));
  const others = [];
  for (let from = 0; from < nodes; from++)
    for (let to = from + 1; to < nodes; to++) if (!joined.has(`${from} ${to}`)) others.push({ from, to, channel: 1 });
  return { nodes, edges: [...edges, ...others], red };
}

/** Counts of a pattern. */
export interface PatternCounts {
  /** Occurrences in the graph. */
  readonly total: number;
  /** Of each role of nodes: the pattern's nodes that play it, and occurrences at each node [n]. */
  readonly nodes: readonly { readonly role: readonly number[]; readonly counts: Float64Array }[];
  /**
   * Of each role of edges: the pattern's edges that play it, by position, and occurrences at each
   * edge [m] in the order of `Graph.edges`.
   */
  readonly edges: readonly { readonly role: readonly number[]; readonly counts: Float64Array }[];
}

/**
 * How often a simple pattern occurs in a graph, at each node and at each edge, by the roles that
 * nodes and edges play in it: those of a star are its centre and its leaves.
 *
 * @param pattern a simple pattern, whose red nodes do not matter
 * @param per which counts are made. Default: all
 * @throws RangeError for a pattern of more than nine nodes, or an intermediate result that is too
 * large
 */
export function countPattern(
  graph: Graph,
  pattern: Pattern,
  kind: CountKind = 'subgraphs',
  per: { readonly nodes?: boolean; readonly edges?: boolean } & ContractionLimits = {},
): PatternCounts {
  if (pattern.nodes > MOST_NODES)
    throw new RangeError(`countPattern: the pattern has ${pattern.nodes} nodes, at most ${MOST_NODES} are counted`);
  const { nodes: perNode = true, edges: perEdge = true, ...limits } = per;
  const group = automorphisms(pattern);
  // Homomorphisms are counted as maps; copies, once for all maps that are automorphic.
  const share = kind === 'homomorphisms' ? 1 : group.length;
  const plain = { ...pattern, red: [] };
  const total = (injective(graph, plain, kind, limits).get(0) ?? 0) / share;
  const nodeRoles = orbits(pattern.nodes, (node, map) => map[node] as number, group);
  const { edges } = pattern;
  const edgeAt = new Map<string, number>(
    edges.flatMap(({ from, to }, e) => [[`${from} ${to}`, e] as const, [`${to} ${from}`, e] as const]),
  );
  const edgeRoles = orbits(
    edges.length,
    (edge, map) => {
      const { from, to } = edges[edge] as { from: number; to: number };
      return edgeAt.get(`${map[from]} ${map[to]}`) as number;
    },
    group,
  );
  return {
    total,
    nodes: perNode
      ? nodeRoles.map((role) => {
          const sums = injective(graph, { ...pattern, red: [role[0] as number] }, kind, limits);
          const counts = Float64Array.from(
            { length: graph.nodeCount },
            (_, v) => ((sums.get(v) ?? 0) * role.length) / share,
          );
          return { role, counts };
        })
      : [],
    edges: perEdge
      ? edgeRoles.map((role) => ({ role, counts: atEdges(graph, pattern, role, kind, share, limits) }))
      : [],
  };
}

function orbits(
  count: number,
  move: (element: number, map: readonly number[]) => number,
  group: readonly (readonly number[])[],
): number[][] {
  const seen = new Set<number>();
  const all: number[][] = [];
  for (let element = 0; element < count; element++) {
    if (seen.has(element)) continue;
    const orbit = [...new Set(group.map((map) => move(element, map)))].sort((a, b) => a - b);
    for (const own of orbit) seen.add(own);
    all.push(orbit);
  }
  return all;
}

function atEdges(
  graph: Graph,
  pattern: Pattern,
  role: readonly number[],
  kind: CountKind,
  share: number,
  limits: ContractionLimits,
): Float64Array {
  const { from, to } = pattern.edges[role[0] as number] as { from: number; to: number };
  const sums = injective(graph, { ...pattern, red: [from, to] }, kind, limits);
  const { sources, targets } = graph.edges();
  const n = graph.nodeCount;
  // Either end of the graph's edge may be the first of the pattern's.
  return Float64Array.from(sources, (u, e) => {
    const v = targets[e] as number;
    return (((sums.get(u * n + v) ?? 0) + (sums.get(v * n + u) ?? 0)) * role.length) / share;
  });
}
