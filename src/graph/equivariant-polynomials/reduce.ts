// What an architecture can compute: nodes of a pattern are eliminated one by one, and a model
// allows
// those with few neighbours. The sequence that is found is run by the model's own operations.

import { eliminate, neighbourSets } from './contract.js';
import { letterOf, type Pattern, patternText } from './pattern.js';

/**
 * `mpnn`: message passing, which stores vectors of nodes and eliminates nodes of one neighbour, by
 * A·x; `ppgn`: networks on pairs of nodes, which eliminate nodes of two neighbours by a product of
 * matrices.
 */
export type PolynomialModel = 'mpnn' | 'ppgn';

/** A step of a sequence: a node is summed over. */
export interface EliminationStep {
  /** The node. */
  readonly node: number;
  /** Its different neighbours at that moment. */
  readonly neighbours: readonly number[];
}

/** Whether and how a model computes a pattern. */
export interface Computability {
  /** Whether P_H is among the polynomials that the model's operations give. */
  readonly computable: boolean;
  /** The eliminations, in order, as far as they go. */
  readonly steps: readonly EliminationStep[];
  /** Nodes that are not red and cannot be eliminated, with their neighbours. */
  readonly stuck: readonly EliminationStep[];
}

const limits: Readonly<Record<PolynomialModel, number>> = { mpnn: 1, ppgn: 2 };

/**
 * Whether a model's operations compute P_H of a symmetric input: by eliminating a node that is not
 * red, with at most one (message passing) or two (pairs) different neighbours, whose factors become
 * one on its neighbours, until no such node is left. Of message passing no edge may be left, as it
 * stores no pairs.
 */
export function isComputable(pattern: Pattern, model: PolynomialModel): Computability {
  const { nodes, edges, red } = pattern;
  const around = neighbourSets(nodes, edges);
  const left = new Set(Array.from({ length: nodes }, (_, node) => node).filter((node) => !red.includes(node)));
  const steps: EliminationStep[] = [];
  const degree = (node: number) => (around[node] as Set<number>).size;
  for (;;) {
    const next = [...left].filter((node) => degree(node) <= limits[model]).sort((a, b) => degree(a) - degree(b))[0];
    if (next === undefined) break;
    steps.push({ node: next, neighbours: eliminate(around, next) });
    left.delete(next);
  }
  const stuck = [...left].map((node) => ({ node, neighbours: [...(around[node] as Set<number>)] }));
  const pairsLeft = around.some((own) => own.size > 0);
  const differentRed = new Set(red).size > 1;
  return { computable: stuck.length === 0 && !(model === 'mpnn' && (pairsLeft || differentRed)), steps, stuck };
}

/** The sequence in words, a line a step. */
export function sequenceLines(
  pattern: Pattern,
  model: PolynomialModel,
  names: readonly string[] = [],
): readonly string[] {
  const { computable, steps, stuck } = isComputable(pattern, model);
  const name = (node: number) => names[node] ?? letterOf(node);
  const lines = steps.map(({ node, neighbours }) => {
    const [r, s] = neighbours;
    if (r === undefined) return `sum over ${name(node)}: a number`;
    if (s === undefined)
      return `sum over ${name(node)}: ${model === 'mpnn' ? 'messages' : 'row sums'} to ${name(r)}, a vector of nodes`;
    return `sum over ${name(node)}: matrix product on the pair ${name(r)}${name(s)}`;
  });
  const blocked = stuck.map(
    ({ node, neighbours }) => `${name(node)} is left with neighbours ${neighbours.map(name).join(', ')}`,
  );
  const pairs = model === 'mpnn' && !computable && stuck.length === 0 ? ['an edge between red nodes is left'] : [];
  return [
    `${patternText(pattern, names)}: ${computable ? '' : 'not '}computable by ${model === 'mpnn' ? 'message passing' : 'PPGN'}`,
    ...lines,
    ...blocked,
    ...pairs,
  ];
}

/** What has been computed: numbers, vectors of nodes, matrices of pairs. */
interface Bank {
  scale: number;
  readonly vectors: Map<number, Float64Array>;
  /** By `smaller larger`, rows being the smaller node. */
  readonly matrices: Map<string, Float64Array>;
}

const pairKey = (r: number, s: number) => `${Math.min(r, s)} ${Math.max(r, s)}`;

function multiply(into: Map<number | string, Float64Array>, key: number | string, values: Float64Array): void {
  const known = into.get(key);
  into.set(key, known ? known.map((value, i) => value * (values[i] as number)) : values);
}

/**
 * Runs the sequence of `isComputable` on a symmetric n × n input, with the model's operations
 * alone:
 * elementwise products, sums of rows, products of a matrix and a vector, and for `ppgn` of two
 * matrices.
 *
 * @returns 1, n or n² numbers for 0, 1 or 2 red nodes
 * @throws Error for a pattern that the model does not compute
 */
export function runSequence(
  pattern: Pattern,
  model: PolynomialModel,
  input: ArrayLike<number>,
  n: number,
): Float64Array {
  const { computable, steps } = isComputable(pattern, model);
  if (!computable) throw new Error(`runSequence: ${sequenceLines(pattern, model).join('; ')}`);
  const x = Float64Array.from(input);
  const bank: Bank = { scale: 1, vectors: new Map(), matrices: new Map() };
  for (const { from, to } of pattern.edges) {
    if (from === to)
      multiply(
        bank.vectors as never,
        from,
        Float64Array.from({ length: n }, (_, i) => x[i * n + i] as number),
      );
    else multiply(bank.matrices as never, pairKey(from, to), x);
  }
  for (const { node, neighbours } of steps) sumOver(bank, node, neighbours, n);
  return onRed(bank, pattern.red, n);
}

/** The matrix of a pair with rows r and columns s. */
function matrixOf({ matrices }: Bank, r: number, s: number, n: number): Float64Array {
  const stored = matrices.get(pairKey(r, s)) as Float64Array;
  if (r < s) return stored;
  return Float64Array.from({ length: n * n }, (_, at) => stored[(at % n) * n + Math.floor(at / n)] as number);
}

function sumOver(bank: Bank, node: number, [r, s]: readonly number[], n: number): void {
  const own = bank.vectors.get(node) ?? new Float64Array(n).fill(1);
  bank.vectors.delete(node);
  if (r === undefined) {
    bank.scale *= own.reduce((sum, value) => sum + value, 0);
    return;
  }
  const left = matrixOf(bank, r, node, n);
  bank.matrices.delete(pairKey(r, node));
  if (s === undefined) {
    const sums = Float64Array.from({ length: n }, (_, i) =>
      own.reduce((sum, value, k) => sum + (left[i * n + k] as number) * value, 0),
    );
    multiply(bank.vectors as never, r, sums);
    return;
  }
  const right = matrixOf(bank, node, s, n);
  bank.matrices.delete(pairKey(node, s));
  const product = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let k = 0; k < n; k++)
        product[i * n + j] =
          (product[i * n + j] as number) +
          (left[i * n + k] as number) * (own[k] as number) * (right[k * n + j] as number);
  const ordered =
    r < s
      ? product
      : Float64Array.from({ length: n * n }, (_, at) => product[(at % n) * n + Math.floor(at / n)] as number);
  multiply(bank.matrices as never, pairKey(r, s), ordered);
}

function onRed(bank: Bank, red: readonly number[], n: number): Float64Array {
  const [a, b] = red;
  const vector = (node: number) => bank.vectors.get(node) ?? new Float64Array(n).fill(1);
  if (a === undefined) return Float64Array.of(bank.scale);
  if (b === undefined) return vector(a).map((value) => value * bank.scale);
  if (a === b)
    return Float64Array.from({ length: n * n }, (_, at) =>
      at % n === Math.floor(at / n) ? (vector(a)[at % n] as number) * bank.scale : 0,
    );
  const pairs = bank.matrices.has(pairKey(a, b)) ? matrixOf(bank, a, b, n) : new Float64Array(n * n).fill(1);
  return pairs.map(
    (value, at) => value * (vector(a)[Math.floor(at / n)] as number) * (vector(b)[at % n] as number) * bank.scale,
  );
}
