// Polynomials as features: those that a network cannot compute become further channels of its
// input, one number for each cell.

import type { Graph, GraphCollection } from '../../structure/index.js';
import { connectedPatterns } from './basis.js';
import { type ContractionLimits, evaluatePattern } from './contract.js';
import { adjacencyInput } from './counts.js';
import type { Pattern } from './pattern.js';
import { isComputable, type PolynomialModel } from './reduce.js';

/** Which polynomials. */
export interface FeatureOptions {
  /** Most edges of a pattern. */
  readonly degree: number;
  /** Red nodes of the patterns; all numbers where left out. */
  readonly redNodes?: 0 | 1 | 2 | undefined;
  /** Those that a model cannot compute, or all. Default: `ppgn`. */
  readonly model?: PolynomialModel | 'all';
}

/**
 * Connected simple patterns up to a degree that a model cannot compute. For networks on pairs of
 * nodes there is one of degree 5 and are eleven of degree 6; for message passing, with one red
 * node, the triangle is the first.
 */
export function missingPatterns({ degree, redNodes, model = 'ppgn' }: FeatureOptions): readonly Pattern[] {
  const reds = redNodes === undefined ? ([0, 1, 2] as const) : [redNodes];
  const all: Pattern[] = [];
  for (let edges = 1; edges <= degree; edges++)
    for (const red of reds)
      for (const pattern of connectedPatterns(edges, red))
        if (model === 'all' || !isComputable(pattern, model).computable) all.push(pattern);
  return all;
}

/** A polynomial of a graph. */
export interface PolynomialFeature {
  /** Which polynomial. */
  readonly pattern: Pattern;
  /** Positions of the entries that are not 0: 0, i, or i·n + j, by the number of red nodes. */
  readonly positions: Float64Array;
  /** Their values. */
  readonly values: Float64Array;
}

/**
 * Polynomials of a graph's adjacency: numbers, vectors of nodes or matrices of pairs, sparse.
 *
 * @throws RangeError when an intermediate result is too large
 */
export function polynomialFeatures(
  graph: Graph,
  options: FeatureOptions,
  limits: ContractionLimits = {},
): readonly PolynomialFeature[] {
  const adjacency = adjacencyInput(graph);
  return missingPatterns(options).map((pattern) => {
    const { positions, values } = evaluatePattern(pattern, [adjacency], limits);
    return { pattern, positions, values };
  });
}

/** Channels of polynomials for the cells of many graphs. */
export interface PolynomialChannels {
  /** Which polynomials. */
  readonly patterns: readonly Pattern[];
  /** [cells, patterns], the cells of a graph after those of another, row after row. */
  readonly values: Float64Array;
}

/**
 * Each pattern as a number for every cell (i, j): a matrix as it is, a vector on the diagonal, a
 * number in all cells.
 */
export function polynomialChannels(
  graphs: GraphCollection,
  patterns: readonly Pattern[],
  limits: ContractionLimits = {},
): PolynomialChannels {
  const { offsets, count } = graphs.nodes;
  const sizes = Array.from({ length: count }, (_, g) => (offsets[g + 1] as number) - (offsets[g] as number));
  const width = patterns.length;
  const values = new Float64Array(sizes.reduce((sum, n) => sum + n * n, 0) * width);
  let first = 0;
  for (let g = 0; g < count; g++) {
    const n = sizes[g] as number;
    const adjacency = adjacencyInput(graphs.graph(g));
    patterns.forEach((pattern, channel) => {
      const found = evaluatePattern(pattern, [adjacency], limits);
      found.positions.forEach((position, i) => {
        const value = found.values[i] as number;
        const put = (cell: number) => {
          values[(first + cell) * width + channel] = value;
        };
        if (found.rank === 0) for (let cell = 0; cell < n * n; cell++) put(cell);
        else put(found.rank === 1 ? position * (n + 1) : position);
      });
    });
    first += n * n;
  }
  return { patterns, values };
}

/** Each pattern with one red node as a number for every node: [nodes, patterns]. */
export function nodePolynomials(
  graphs: GraphCollection,
  patterns: readonly Pattern[],
  limits: ContractionLimits = {},
): Float64Array {
  const { offsets, count, size } = graphs.nodes;
  const width = patterns.length;
  const values = new Float64Array(size * width);
  for (let g = 0; g < count; g++) {
    const adjacency = adjacencyInput(graphs.graph(g));
    patterns.forEach((pattern, channel) => {
      const found = evaluatePattern(pattern, [adjacency], limits);
      found.positions.forEach((position, i) => {
        values[((offsets[g] as number) + position) * width + channel] = found.values[i] as number;
      });
    });
  }
  return values;
}

/** Largest magnitude of each channel over some rows, 0 for a channel that is 0 everywhere. */
export function channelScales(values: Float64Array, width: number, rows?: Iterable<number>): Float64Array {
  const scales = new Float64Array(width);
  const take = (row: number) => {
    for (let c = 0; c < width; c++)
      scales[c] = Math.max(scales[c] as number, Math.abs(values[row * width + c] as number));
  };
  if (rows) for (const row of rows) take(row);
  else for (let row = 0; row < values.length / width; row++) take(row);
  return scales;
}
