// Values of patterns by contraction: nodes that are not red are summed over one after the other,
// the one with the fewest neighbours first. Factors are sparse, so that the cost follows the edges
// of the graph and not its nodes squared; all sums are in double precision.

import type { Pattern } from './pattern.js';

/** Entries of a matrix: rows, columns, values; others are 0. */
export interface SparseInput {
  /** Rows n, and columns. */
  readonly size: number;
  /** Row of each entry. */
  readonly rows: ArrayLike<number>;
  /** Column of each entry. */
  readonly columns: ArrayLike<number>;
  /** Value of each entry. */
  readonly values: ArrayLike<number>;
}

/** The value of a pattern: n^k numbers for k red nodes, others than the entries being 0. */
export interface PatternValue {
  /** Red indices, 0 to 2. */
  readonly rank: number;
  /** Nodes n of the graph. */
  readonly size: number;
  /** Flat position (i, or i·n + j) of each entry. */
  readonly positions: Float64Array;
  /** Value of each entry. */
  readonly values: Float64Array;
}

/** A function of some indices: the value at each tuple of nodes. */
interface Factor {
  /** Nodes of the pattern, ascending. */
  readonly over: readonly number[];
  /** Tuple as one number, digits to the base n. */
  readonly entries: ReadonlyMap<number, number>;
}

/** Limits of a contraction. */
export interface ContractionLimits {
  /** Most entries of an intermediate result. Default: 2²². */
  readonly most?: number;
}

const MOST_ENTRIES = 2 ** 22;

/** The entries of a dense n × n matrix, row after row. */
export function sparseInput(matrix: ArrayLike<number>, size: number): SparseInput {
  const at = Array.from({ length: size * size }, (_, i) => i).filter((i) => matrix[i] !== 0);
  return {
    size,
    rows: at.map((i) => Math.floor(i / size)),
    columns: at.map((i) => i % size),
    values: at.map((i) => matrix[i] as number),
  };
}

/** One step of a contraction: the node summed over, and its neighbours then. */
export interface ContractionStep {
  /** The node that is summed over. */
  readonly node: number;
  /** Its different neighbours at that moment. */
  readonly neighbours: readonly number[];
}

/**
 * The order in which nodes are summed over, the one of the fewest neighbours first: a step costs at
 * most n to the power of 1 + neighbours.
 */
export function contractionOrder({ nodes, edges, red }: Pattern): ContractionStep[] {
  const around = neighbourSets(nodes, edges);
  const left = new Set(Array.from({ length: nodes }, (_, node) => node).filter((node) => !red.includes(node)));
  const steps: ContractionStep[] = [];
  while (left.size > 0) {
    const node = [...left].reduce((best, own) =>
      (around[own] as Set<number>).size < (around[best] as Set<number>).size ? own : best,
    );
    steps.push({ node, neighbours: eliminate(around, node) });
    left.delete(node);
  }
  return steps;
}

/** Different neighbours of each node. */
export function neighbourSets(nodes: number, edges: Pattern['edges']): Set<number>[] {
  const around = Array.from({ length: nodes }, () => new Set<number>());
  for (const { from, to } of edges) {
    if (from === to) continue;
    around[from]?.add(to);
    around[to]?.add(from);
  }
  return around;
}

/** Removes a node and joins its neighbours. @returns them */
export function eliminate(around: readonly Set<number>[], node: number): number[] {
  const own = [...(around[node] as Set<number>)].sort((a, b) => a - b);
  for (const neighbour of own) {
    around[neighbour]?.delete(node);
    for (const other of own) if (other !== neighbour) around[neighbour]?.add(other);
  }
  around[node]?.clear();
  return own;
}

/**
 * P_H of input matrices, one for each channel, in double precision.
 *
 * @throws RangeError for a channel that there is no input of, or when an intermediate result would
 * exceed the limit, with the step that does
 */
export function evaluatePattern(
  pattern: Pattern,
  inputs: readonly SparseInput[],
  { most = MOST_ENTRIES }: ContractionLimits = {},
): PatternValue {
  const { nodes, edges, red } = pattern;
  const size = inputs[0]?.size ?? 0;
  const wide = Math.max(...contractionOrder(pattern).map(({ neighbours }) => neighbours.length), 0);
  if (size ** (wide + 1) > Number.MAX_SAFE_INTEGER)
    throw new RangeError(`evaluatePattern: tuples of ${wide + 1} nodes of ${size} cannot be numbered`);
  let factors = edges.map(({ from, to, channel }) => {
    const input = inputs[channel];
    if (!input) throw new RangeError(`evaluatePattern: an edge of channel ${channel}, there are ${inputs.length}`);
    return factorOf(from, to, input);
  });
  let scale = 1;
  for (const { node, neighbours } of contractionOrder(pattern)) {
    const touching = factors.filter(({ over }) => over.includes(node));
    factors = factors.filter(({ over }) => !over.includes(node));
    if (touching.length === 0) {
      scale *= size;
      continue;
    }
    const summed = summedOut(
      touching.reduce((a, b) => joined(a, b, size, most)),
      node,
      size,
    );
    if (neighbours.length === 0) scale *= summed.entries.get(0) ?? 0;
    else factors.push(summed);
  }
  return onRed(factors, scale, [...new Set(red)], nodes, red, size, most);
}

function factorOf(from: number, to: number, { size, rows, columns, values }: SparseInput): Factor {
  const entries = new Map<number, number>();
  for (let e = 0; e < values.length; e++) {
    const [i, j, value] = [rows[e] as number, columns[e] as number, values[e] as number];
    if (from === to) {
      if (i === j) entries.set(i, (entries.get(i) ?? 0) + value);
      continue;
    }
    const key = from < to ? i * size + j : j * size + i;
    entries.set(key, (entries.get(key) ?? 0) + value);
  }
  return { over: from === to ? [from] : [Math.min(from, to), Math.max(from, to)], entries };
}

/** The digits of a tuple. */
function digits(key: number, length: number, size: number): number[] {
  const all = new Array<number>(length);
  let rest = key;
  for (let i = length - 1; i >= 0; i--) {
    all[i] = rest % size;
    rest = Math.floor(rest / size);
  }
  return all;
}

function keyOf(tuple: readonly number[], size: number): number {
  return tuple.reduce((key, digit) => key * size + digit, 0);
}

/** The product of two factors, by a hash join on the indices that they share. */
function joined(a: Factor, b: Factor, size: number, most: number): Factor {
  const shared = a.over.filter((node) => b.over.includes(node));
  const over = [...new Set([...a.over, ...b.over])].sort((x, y) => x - y);
  const sharedOf = (factor: Factor) => shared.map((node) => factor.over.indexOf(node));
  const [placesA, placesB] = [sharedOf(a), sharedOf(b)];
  const buckets = new Map<number, { readonly tuple: number[]; readonly value: number }[]>();
  for (const [key, value] of b.entries) {
    const tuple = digits(key, b.over.length, size);
    const at = keyOf(
      placesB.map((place) => tuple[place] as number),
      size,
    );
    const bucket = buckets.get(at);
    if (bucket) bucket.push({ tuple, value });
    else buckets.set(at, [{ tuple, value }]);
  }
  const fromA = over.map((node) => a.over.indexOf(node));
  const fromB = over.map((node) => b.over.indexOf(node));
  const entries = new Map<number, number>();
  for (const [key, value] of a.entries) {
    const tuple = digits(key, a.over.length, size);
    const bucket = buckets.get(
      keyOf(
        placesA.map((place) => tuple[place] as number),
        size,
      ),
    );
    for (const other of bucket ?? []) {
      let joint = 0;
      for (let i = 0; i < over.length; i++) {
        const place = fromA[i] as number;
        joint = joint * size + (place >= 0 ? (tuple[place] as number) : (other.tuple[fromB[i] as number] as number));
      }
      entries.set(joint, value * other.value);
    }
    if (entries.size > most)
      throw new RangeError(
        `evaluatePattern: a product over ${over.length} nodes of the pattern has more than ${most.toLocaleString('en')} entries; take a smaller graph or pattern, or raise the limit`,
      );
  }
  return { over, entries };
}

/** Σ over one index. */
function summedOut({ over, entries }: Factor, node: number, size: number): Factor {
  const place = over.indexOf(node);
  const below = size ** (over.length - 1 - place);
  const sums = new Map<number, number>();
  for (const [key, value] of entries) {
    const rest = Math.floor(key / (below * size)) * below + (key % below);
    sums.set(rest, (sums.get(rest) ?? 0) + value);
  }
  return { over: over.filter((own) => own !== node), entries: sums };
}

/** The product of the factors that are left, on the red nodes in their order. */
function onRed(
  factors: readonly Factor[],
  scale: number,
  distinct: readonly number[],
  _: number,
  red: readonly number[],
  size: number,
  most: number,
): PatternValue {
  const every = (node: number): Factor => ({
    over: [node],
    entries: new Map(Array.from({ length: size }, (_, i) => [i, 1])),
  });
  // A red node that no factor is left of takes every value.
  const free = distinct.filter((node) => !factors.some(({ over }) => over.includes(node))).map(every);
  const all = [...factors, ...free];
  const result =
    all.length > 0 ? all.reduce((a, b) => joined(a, b, size, most)) : { over: [], entries: new Map([[0, 1]]) };
  const entries = [...result.entries].filter(([, value]) => value * scale !== 0);
  const positionOf = (key: number) => {
    const tuple = digits(key, result.over.length, size);
    return keyOf(
      red.map((node) => tuple[result.over.indexOf(node)] as number),
      size,
    );
  };
  return {
    rank: red.length,
    size,
    positions: Float64Array.from(entries, ([key]) => positionOf(key)),
    values: Float64Array.from(entries, ([, value]) => value * scale),
  };
}

/** The value as n^k numbers, row after row. */
export function denseValue({ rank, size, positions, values }: PatternValue): Float64Array {
  const dense = new Float64Array(size ** rank);
  positions.forEach((position, i) => {
    dense[position] = values[i] as number;
  });
  return dense;
}
