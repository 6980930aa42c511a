// Generated sets of graphs in which edges carry the information, and molecules as sets of typed
// edges.

import type { WholeGraphs } from '../../data/index.js';
import { Segments } from '../../sparse/index.js';
import { GraphCollection } from '../../structure/index.js';
import type { Random } from '../../tensor/index.js';

/** Sizes of a generated set: graphs to train on, validate and test. */
export interface EdgeSetSizes {
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

function splitOfSizes({ train, validation, test }: EdgeSetSizes) {
  const range = (from: number, count: number) => Int32Array.from({ length: count }, (_, i) => from + i);
  return {
    train: range(0, train),
    validation: range(train, validation),
    test: range(train + validation, test),
  };
}

/** Two nodes. */
type Pair = readonly [number, number];

/** An edge that was drawn, with its value. */
interface DrawnEdge<Value> {
  readonly ends: Pair;
  readonly value: Value;
}

/** A graph of numbered nodes. */
interface Drawn<Value> {
  /** Edges in the order of their ends, which says nothing of the order in which they were drawn. */
  readonly edges: readonly DrawnEdge<Value>[];
  readonly colours: readonly number[];
}

function drawnGraph<Value>(edges: readonly DrawnEdge<Value>[], colours: readonly number[]): Drawn<Value> {
  const ordered = edges
    .map(({ ends: [u, v], value }) => ({ ends: [Math.min(u, v), Math.max(u, v)] as const, value }))
    .sort((one, other) => one.ends[0] - other.ends[0] || one.ends[1] - other.ends[1]);
  return { edges: ordered, colours };
}

const keyOf = (u: number, v: number) => `${Math.min(u, v)} ${Math.max(u, v)}`;

/** Weighted draw from shares that add up to 1. */
function drawn(shares: readonly number[], random: Random): number {
  let rest = random.float();
  for (const [at, share] of shares.entries()) {
    rest -= share;
    if (rest < 0) return at;
  }
  return shares.length - 1;
}

/** Shares of the types of edges of `edgeTypes`. */
const TYPE_SHARES = [0.55, 0.2, 0.05, 0.2];

/**
 * Edge types that nodes do not tell: 10 to 18 nodes, each attached to one of the three before it,
 * three chords, four types of edges drawn independently; kinds of nodes are irrelevant.
 */
export function edgeTypes(sizes: EdgeSetSizes, random: Random): WholeGraphs {
  const count = sizes.train + sizes.validation + sizes.test;
  const graphs = Array.from({ length: count }, (_, g) => {
    const own = random.split(g);
    const n = 10 + own.integer(9);
    const edges: DrawnEdge<string>[] = [];
    const taken = new Set<string>();
    const join = (u: number, v: number) => {
      taken.add(keyOf(u, v));
      edges.push({ ends: [u, v], value: String(drawn(TYPE_SHARES, own)) });
    };
    for (let v = 1; v < n; v++) join(v, v - 1 - own.integer(Math.min(3, v)));
    for (let chords = 0; chords < 3; ) {
      const [u, v] = [own.integer(n), own.integer(n)];
      if (u === v || taken.has(keyOf(u, v))) continue;
      join(u, v);
      chords += 1;
    }
    return drawnGraph(
      edges,
      Array.from({ length: n }, () => own.integer(6)),
    );
  });
  return {
    ...setOf('edge-types', graphs, sizes),
    edgeColumns: [{ name: 'type', kind: 'category', values: valuesOf(graphs) }],
    labels: new Int32Array(count).fill(-1),
    classNames: [],
  };
}

/** A set whose relevant edges are known. */
export interface RelevantEdges extends WholeGraphs {
  /** 1 for each edge that tells the class [m]. */
  readonly relevant: Uint8Array;
}

const NODES = 20;
const EACH = 20;

function pairsOf(nodes: Int32Array): Pair[] {
  return Array.from(nodes).flatMap((u, i) => Array.from(nodes.subarray(i + 1), (v) => [u, v] as const));
}

/**
 * Irrelevant edges: 20 nodes of four colours, half of them in S. Of 20 edges within S, each joins
 * nodes of one colour with probability 0.8 (class 1) or 0.2 (class 0); 20 edges between S and the
 * rest and 20 within the rest are random. The first of four attributes of edges is higher by 3 for
 * the relevant ones. Edges are drawn with replacement: S has some eleven pairs of one colour, too
 * few for sixteen different edges.
 */
export function irrelevantEdges(sizes: EdgeSetSizes, random: Random): RelevantEdges {
  const count = sizes.train + sizes.validation + sizes.test;
  const labels = Int32Array.from({ length: count }, (_, g) => g % 2);
  const graphs = Array.from(labels, (label, g) => {
    const own = random.split(g);
    const order = own.permutation(NODES);
    const [inside, outside] = [order.subarray(0, NODES / 2), order.subarray(NODES / 2)];
    const colours = Array.from({ length: NODES }, () => own.integer(4));
    const isOfOne = ([u, v]: Pair) => colours[u] === colours[v];
    const within = pairsOf(inside);
    const alike = within.filter(isOfOne);
    const unlike = within.filter((pair) => !isOfOne(pair));
    const between = Array.from(inside).flatMap((u) => Array.from(outside, (v) => [u, v] as const));
    const others = pairsOf(outside);
    const edges: DrawnEdge<boolean>[] = [];
    const take = (from: readonly Pair[], value: boolean) => {
      edges.push({ ends: from[own.integer(from.length)] as Pair, value });
    };
    for (let e = 0; e < EACH; e++) {
      const [wanted, other] = own.float() < (label === 1 ? 0.8 : 0.2) ? [alike, unlike] : [unlike, alike];
      take(wanted.length > 0 ? wanted : other, true);
    }
    for (let e = 0; e < EACH; e++) take(between, false);
    for (let e = 0; e < EACH; e++) take(others, false);
    return drawnGraph(edges, colours);
  });
  const relevant = Uint8Array.from(valuesOf(graphs), Number);
  const noise = random.split('attributes');
  return {
    ...setOf('irrelevant-edges', graphs, sizes),
    edgeColumns: [0, 1, 2, 3].map((j) => ({
      name: `a${j}`,
      kind: 'number',
      values: Float64Array.from(relevant, (is) => noise.gaussian() + (j > 0 ? 0 : is ? 1.5 : -1.5)),
    })),
    labels,
    classNames: ['0', '1'],
    relevant,
  };
}

function valuesOf<Value>(graphs: readonly Drawn<Value>[]): Value[] {
  return graphs.flatMap(({ edges }) => edges.map(({ value }) => value));
}

function setOf(name: string, graphs: readonly Drawn<unknown>[], sizes: EdgeSetSizes) {
  const nodes = Segments.fromSizes(graphs.map(({ colours }) => colours.length));
  const edges = Segments.fromSizes(graphs.map((own) => own.edges.length));
  const side = (end: 0 | 1) =>
    Int32Array.from(graphs.flatMap((own, g) => own.edges.map(({ ends }) => (nodes.offsets[g] as number) + ends[end])));
  return {
    name,
    graphs: new GraphCollection(nodes, edges, side(0), side(1)),
    nodeColumns: [
      { name: 'colour', kind: 'category' as const, values: graphs.flatMap((own) => own.colours.map(String)) },
    ],
    targets: [],
    folds: undefined,
    split: splitOfSizes(sizes),
    graphNames: graphs.map((_, g) => String(g)),
  };
}

/** Most bonds of an atom of no charge. */
const VALENCE: Readonly<Record<string, number>> = {
  ...{ 1: 1, 5: 3, 6: 4, 7: 3, 8: 2, 9: 1, 14: 4, 15: 5, 16: 6, 17: 1, 34: 6, 35: 1, 53: 1 },
};

/** Bonds of a charged atom: N⁺ and O⁺ have one more, O⁻ and S⁻ one less. */
function allowedValence(element: string, charge: number): number {
  const usual = VALENCE[element];
  if (usual === undefined) return Number.POSITIVE_INFINITY;
  const givesPairs = ['7', '8', '15', '16'].includes(element);
  return usual + (givesPairs ? charge : -Math.abs(charge));
}

const ORDERS: Readonly<Record<string, number>> = { single: 1, double: 2, triple: 3, aromatic: 1 };

/** Ends of bonds, and the first atom of each molecule. */
interface MoleculeEnds {
  readonly nodeCount: number;
  readonly nodes: { readonly offsets: Int32Array };
  readonly sources: ArrayLike<number>;
  readonly targets: ArrayLike<number>;
}

/**
 * Whether the bonds of each molecule fit its atoms. Aromatic bonds count once, and once more at a
 * carbon without a double bond, which it has in one of the rings: the fewest bonds of any Kekulé
 * form.
 *
 * @param element atomic number of each atom
 * @param bonds name of the type of each bond
 * @param chosen numbers of the molecules
 */
export function validMolecules(
  graphs: MoleculeEnds,
  { element, charge }: { readonly element: readonly string[]; readonly charge: ArrayLike<number> },
  bonds: readonly string[],
  chosen: ArrayLike<number>,
): boolean[] {
  const used = new Float64Array(graphs.nodeCount);
  const aromatic = new Uint8Array(graphs.nodeCount);
  const doubled = new Uint8Array(graphs.nodeCount);
  bonds.forEach((bond, e) => {
    for (const atom of [graphs.sources[e] as number, graphs.targets[e] as number]) {
      used[atom] = (used[atom] as number) + (ORDERS[bond] ?? 1);
      if (bond === 'aromatic') aromatic[atom] = 1;
      if (bond === 'double') doubled[atom] = 1;
    }
  });
  const fits = (atom: number) => {
    const kind = element[atom] as string;
    const extra = kind === '6' && !doubled[atom] ? (aromatic[atom] as number) : 0;
    return (used[atom] as number) + extra <= allowedValence(kind, charge[atom] as number);
  };
  return Array.from(chosen, (g) => {
    const first = graphs.nodes.offsets[g] as number;
    const count = (graphs.nodes.offsets[g + 1] as number) - first;
    return Array.from({ length: count }, (_, i) => first + i).every(fits);
  });
}
