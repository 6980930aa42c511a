// Values of patterns by contraction: nodes that are not red are summed over one after the other,
// the one with the fewest neighbours first. Factors are sparse, so that the cost follows the edges
// of the graph and not its nodes squared, and dense where that is less; all sums are in double
// precision.

import { memo } from '../../structure/index.js';
import { contractDense } from './dense-contraction.js';
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
  /** How intermediate results are kept. Default: as costs less. */
  readonly form?: 'sparse' | 'dense';
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
  { most = MOST_ENTRIES, form }: ContractionLimits = {},
): PatternValue {
  const { edges, red } = pattern;
  const size = inputs[0]?.size ?? 0;
  const steps = memo(pattern, 'contractionOrder', () => contractionOrder(pattern));
  const wide = steps.reduce((widest, { neighbours }) => Math.max(widest, neighbours.length), 0);
  if (size ** (wide + 1) > Number.MAX_SAFE_INTEGER)
    throw new RangeError(`evaluatePattern: tuples of ${wide + 1} nodes of ${size} cannot be numbered`);
  const missing = edges.find(({ channel }) => !inputs[channel])?.channel;
  if (missing !== undefined)
    throw new RangeError(`evaluatePattern: an edge of channel ${missing}, there are ${inputs.length}`);
  if (form === 'dense' || (form === undefined && isDenseCheaper(size, wide, inputs, most))) {
    const { over, values } = contractDense(pattern, inputs.map(denseInput), size, steps);
    const entries = new Map([...values.entries()].filter(([, value]) => value !== 0));
    return onRed([{ over, entries }], 1, red, size, most);
  }
  let factors = edges.map(({ from, to, channel }) => factorOf(from, to, inputs[channel] as SparseInput));
  let scale = 1;
  for (const { node, neighbours } of steps) {
    const touching = factors.filter(({ over }) => over.includes(node));
    factors = factors.filter(({ over }) => !over.includes(node));
    const last = touching.pop();
    if (!last) {
      scale *= size;
      continue;
    }
    const before = touching.reduce((a, b) => joined(a, b, size, most), ONE);
    const summed = joined(before, last, size, most, node);
    if (neighbours.length === 0) scale *= summed.entries.get(0) ?? 0;
    else factors.push(summed);
  }
  return onRed(factors, scale, red, size, most);
}

/** Multiplications below which a step is always dense. */
const ALWAYS_DENSE = 2 ** 15;

/** Dense multiplications that take as long as one that looks entries up. */
const DENSE_GAIN = 20;

/** Whether loops over all tuples of a step cost less than those over the entries, about n·dʷ. */
function isDenseCheaper(n: number, wide: number, inputs: readonly SparseInput[], most: number): boolean {
  const tuples = n ** (wide + 1);
  const entries = inputs.reduce((sum, { values }) => Math.max(sum, values.length), 0);
  return (
    tuples <= most && tuples <= Math.max(ALWAYS_DENSE, DENSE_GAIN * Math.max(1, n) * (entries / Math.max(1, n)) ** wide)
  );
}

/** n × n values, row after row. */
function denseInput(input: SparseInput): Float64Array {
  return memo(input, 'dense', () => {
    const { size, rows, columns, values } = input;
    const dense = new Float64Array(size * size);
    for (let e = 0; e < values.length; e++) {
      const at = (rows[e] as number) * size + (columns[e] as number);
      dense[at] = (dense[at] as number) + (values[e] as number);
    }
    return dense;
  });
}

/** The factor without indices. */
const ONE: Factor = { over: [], entries: new Map([[0, 1]]) };

function factorOf(from: number, to: number, input: SparseInput): Factor {
  const form = from === to ? 'diagonal' : from < to ? 'rows first' : 'columns first';
  const entries = memo(input, form, () => {
    const { size, rows, columns, values } = input;
    const all = new Map<number, number>();
    for (let e = 0; e < values.length; e++) {
      const [i, j] = [rows[e] as number, columns[e] as number];
      if (form === 'diagonal' && i !== j) continue;
      const key = form === 'diagonal' ? i : form === 'rows first' ? i * size + j : j * size + i;
      all.set(key, (all.get(key) ?? 0) + (values[e] as number));
    }
    return all;
  });
  return { over: from === to ? [from] : [Math.min(from, to), Math.max(from, to)], entries };
}

/** For each digit of a tuple: what it counts there, and in another tuple, 0 where it is none. */
function digitWeights(over: readonly number[], other: readonly number[], size: number) {
  return over.map((node, place) => {
    const at = other.indexOf(node);
    return { divisor: size ** (over.length - 1 - place), weight: at < 0 ? 0 : size ** (other.length - 1 - at) };
  });
}

/** Some digits of a tuple as another tuple. */
function renumbered(key: number, weights: ReturnType<typeof digitWeights>, size: number): number {
  let result = 0;
  for (const { divisor, weight } of weights) if (weight > 0) result += weight * (Math.floor(key / divisor) % size);
  return result;
}

/**
 * The product of two factors, by a hash join on the indices that they share.
 *
 * @param node an index that is summed over
 */
function joined(a: Factor, b: Factor, size: number, most: number, node?: number): Factor {
  const shared = a.over.filter((own) => b.over.includes(own));
  const over = [...new Set([...a.over, ...b.over])].filter((own) => own !== node).sort((x, y) => x - y);
  const weights = (from: Factor, to: readonly number[]) => digitWeights(from.over, to, size);
  const [sharedOfB, restOfB] = [
    weights(b, shared),
    digitWeights(b.over, over, size).map((own, place) =>
      shared.includes(b.over[place] as number) ? { ...own, weight: 0 } : own,
    ),
  ];
  const buckets = new Map<number, number[]>();
  for (const [key, value] of b.entries) {
    const at = renumbered(key, sharedOfB, size);
    const rest = renumbered(key, restOfB, size);
    const bucket = buckets.get(at);
    if (bucket) bucket.push(rest, value);
    else buckets.set(at, [rest, value]);
  }
  const [sharedOfA, ownOfA] = [weights(a, shared), weights(a, over)];
  const entries = new Map<number, number>();
  for (const [key, value] of a.entries) {
    const bucket = buckets.get(renumbered(key, sharedOfA, size));
    if (!bucket) continue;
    const first = renumbered(key, ownOfA, size);
    for (let i = 0; i < bucket.length; i += 2) {
      const joint = first + (bucket[i] as number);
      entries.set(joint, (entries.get(joint) ?? 0) + value * (bucket[i + 1] as number));
    }
    if (entries.size > most)
      throw new RangeError(
        `evaluatePattern: a product over ${over.length} nodes of the pattern has more than ${most.toLocaleString('en')} entries; take a smaller graph or pattern, or raise the limit`,
      );
  }
  return { over, entries };
}

/** The product of the factors that are left, on the red nodes in their order. */
function onRed(
  factors: readonly Factor[],
  scale: number,
  red: readonly number[],
  size: number,
  most: number,
): PatternValue {
  const every = (node: number): Factor => ({
    over: [node],
    entries: new Map(Array.from({ length: size }, (_, i) => [i, 1])),
  });
  // A red node that no factor is left of takes every value.
  const free = [...new Set(red)].filter((node) => !factors.some(({ over }) => over.includes(node))).map(every);
  const { over, entries } = [...factors, ...free].reduce((a, b) => joined(a, b, size, most), ONE);
  const kept = [...entries].filter(([, value]) => value * scale !== 0);
  // Of a node that is red twice, both digits are its index.
  const weights = over.map((node, place) => ({
    divisor: size ** (over.length - 1 - place),
    weight: red.reduce((sum, own, at) => sum + (own === node ? size ** (red.length - 1 - at) : 0), 0),
  }));
  return {
    rank: red.length,
    size,
    positions: Float64Array.from(kept, ([key]) => renumbered(key, weights, size)),
    values: Float64Array.from(kept, ([, value]) => value * scale),
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
