// The basis of equivariant polynomials: a pattern for each element, generated edge by edge.

import { canonicalForm, type Directedness, type Pattern, type PatternEdge } from './pattern.js';

/** Which basis. */
export interface BasisOptions {
  /** Red nodes: 0 for invariant numbers, 1 for vectors of nodes, 2 for matrices of pairs. */
  readonly redNodes: 0 | 1 | 2;
  /** Whether the input is symmetric, so that edges have no direction. Default: `directed`. */
  readonly kind?: Directedness;
  /** Input matrices. Default: 1. */
  readonly channels?: number;
}

/** A pattern without edges: the red nodes alone, which of two may be the same. */
function bare(redNodes: 0 | 1 | 2): Pattern[] {
  if (redNodes === 0) return [{ nodes: 0, edges: [], red: [] }];
  if (redNodes === 1) return [{ nodes: 1, edges: [], red: [0] }];
  return [
    { nodes: 1, edges: [], red: [0, 0] },
    { nodes: 2, edges: [], red: [0, 1] },
  ];
}

/**
 * The elements of the basis of equivariant polynomials that are homogeneous of a degree: every
 * multigraph with so many edges, of the given number of red nodes, without other isolated nodes, up
 * to isomorphism. P_H of all degrees up to e are a basis of the polynomials of degree at most e,
 * for
 * graphs of enough nodes; those of degree 1 with two red nodes are the 15 linear equivariant maps.
 *
 * @see Puny, Lim, Kiani, Maron, Lipman, "Equivariant Polynomials for Graph Neural Networks", ICML
 * 2023
 */
export function polynomialBasis(
  degree: number,
  { redNodes, kind = 'directed', channels = 1 }: BasisOptions,
): readonly Pattern[] {
  let level = bare(redNodes);
  for (let edges = 0; edges < degree; edges++)
    level = distinct(
      level.flatMap((pattern) => [...withOneEdge(pattern, channels)]),
      kind,
    );
  return level;
}

/** The first pattern of each isomorphism class. */
function distinct(patterns: readonly Pattern[], kind: Directedness): Pattern[] {
  const seen = new Map<string, Pattern>();
  for (const pattern of patterns) {
    const form = canonicalForm(pattern, kind);
    if (!seen.has(form)) seen.set(form, pattern);
  }
  return [...seen.values()];
}

/** All ways to add an edge, between nodes that are there or new ones. */
function* withOneEdge({ nodes, edges, red }: Pattern, channels: number): Generator<Pattern> {
  for (let from = 0; from <= nodes; from++)
    for (let to = 0; to <= nodes + Number(from === nodes); to++)
      for (let channel = 0; channel < channels; channel++)
        yield { nodes: Math.max(nodes, from + 1, to + 1), edges: [...edges, { from, to, channel }], red };
}

/** Connected simple graphs by their number of edges, less one, as far as they were asked for. */
const connected: (readonly Pattern[])[] = [[{ nodes: 2, edges: [{ from: 0, to: 1, channel: 0 }], red: [] }]];

/**
 * Connected simple graphs with so many edges and so many red nodes, different and in order, up to
 * isomorphism: the patterns that matter for symmetric inputs of zeros and ones.
 *
 * @param keep a property that isomorphic patterns share; others are left out. Default: all are kept
 */
export function connectedPatterns(
  edges: number,
  redNodes: 0 | 1 | 2,
  keep: (pattern: Pattern) => boolean = () => true,
): readonly Pattern[] {
  for (let known = connected.length; known < edges; known++)
    connected.push(distinct((connected[known - 1] as readonly Pattern[]).flatMap(extended), 'symmetric'));
  return distinct(
    (connected[edges - 1] as readonly Pattern[]).flatMap((pattern) => rooted(pattern, redNodes)).filter(keep),
    'symmetric',
  );
}

/** A simple connected graph with one more edge, to a new node or between nodes not joined yet. */
function extended({ nodes, edges, red }: Pattern): Pattern[] {
  const joined = new Set(edges.map(({ from, to }) => `${Math.min(from, to)} ${Math.max(from, to)}`));
  const all: Pattern[] = [];
  const add = (from: number, to: number) => {
    const edge: PatternEdge = { from, to, channel: 0 };
    all.push({ nodes: Math.max(nodes, to + 1), edges: [...edges, edge], red });
  };
  for (let from = 0; from < nodes; from++) {
    for (let to = from + 1; to < nodes; to++) if (!joined.has(`${from} ${to}`)) add(from, to);
    add(from, nodes);
  }
  return all;
}

function rooted(pattern: Pattern, redNodes: 0 | 1 | 2): Pattern[] {
  if (redNodes === 0) return [pattern];
  const nodes = Array.from({ length: pattern.nodes }, (_, node) => node);
  if (redNodes === 1) return nodes.map((node) => ({ ...pattern, red: [node] }));
  return nodes.flatMap((a) => nodes.filter((b) => b !== a).map((b) => ({ ...pattern, red: [a, b] })));
}
