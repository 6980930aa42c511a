// Polynomials as features: those that a network cannot compute become further channels of its
// input, one number for each cell.

import { type Graph, type GraphCollection, memo } from '../../structure/index.js';
import { concatenate, tensor } from '../../tensor/index.js';
import { type FeaturedGraphs, graphSizes, type PairFeatures } from '../dense/index.js';
import { connectedPatterns } from './basis.js';
import { type ContractionLimits, evaluatePattern, type PatternValue } from './contract.js';
import { adjacencyInput } from './counts.js';
import { type Pattern, patternText } from './pattern.js';
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
  const isMissing = (pattern: Pattern) => model === 'all' || !isComputable(pattern, model).computable;
  return Array.from({ length: degree }, (_, e) =>
    reds.flatMap((red) => connectedPatterns(e + 1, red, isMissing)),
  ).flat();
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

/** Values of a pattern in each graph, computed once for a collection. */
function valuesOf(graphs: GraphCollection, pattern: Pattern, limits: ContractionLimits): readonly PatternValue[] {
  const inputs = memo(graphs, 'adjacencyInputs', () =>
    Array.from({ length: graphs.count }, (_, g) => adjacencyInput(graphs.graph(g))),
  );
  return memo(graphs, `polynomial ${pattern.nodes} ${patternText(pattern)}`, () =>
    inputs.map((input) => evaluatePattern(pattern, [input], limits)),
  );
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
 * number in all cells. What a collection's patterns are is kept as long as it.
 */
export function polynomialChannels(
  graphs: GraphCollection,
  patterns: readonly Pattern[],
  limits: ContractionLimits = {},
): PolynomialChannels {
  const sizes = graphSizes(graphs);
  const width = patterns.length;
  const values = new Float64Array(sizes.reduce((sum, n) => sum + n * n, 0) * width);
  patterns.forEach((pattern, channel) => {
    const found = valuesOf(graphs, pattern, limits);
    let first = 0;
    sizes.forEach((n, g) => {
      const { rank, positions, values: own } = found[g] as PatternValue;
      const put = (cell: number, value: number) => {
        values[(first + cell) * width + channel] = value;
      };
      positions.forEach((position, i) => {
        const value = own[i] as number;
        if (rank === 0) for (let cell = 0; cell < n * n; cell++) put(cell, value);
        else put(rank === 1 ? position * (n + 1) : position, value);
      });
      first += n * n;
    });
  });
  return { patterns, values };
}

/** Each pattern with one red node as a number for every node: [nodes, patterns]. */
export function nodePolynomials(
  graphs: GraphCollection,
  patterns: readonly Pattern[],
  limits: ContractionLimits = {},
): Float64Array {
  const { offsets, size } = graphs.nodes;
  const width = patterns.length;
  const values = new Float64Array(size * width);
  patterns.forEach((pattern, channel) => {
    valuesOf(graphs, pattern, limits).forEach(({ positions, values: own }, g) => {
      positions.forEach((position, i) => {
        values[((offsets[g] as number) + position) * width + channel] = own[i] as number;
      });
    });
  });
  return values;
}

/** Polynomials that a network reads, and what they are divided by. */
export interface PolynomialEncoding {
  /** Which polynomials, those with a value in some training graph. */
  readonly patterns: readonly Pattern[];
  /** Largest magnitude of each over the training graphs. */
  readonly scales: readonly number[];
}

/**
 * The encoding of polynomials of a set of graphs, without those that are 0 in all training graphs.
 *
 * @param train training graphs. Default: all
 */
export function polynomialEncoding(
  graphs: GraphCollection,
  patterns: readonly Pattern[],
  train?: Int32Array,
  limits: ContractionLimits = {},
): PolynomialEncoding {
  const chosen = train ?? Int32Array.from({ length: graphs.count }, (_, g) => g);
  const largest = patterns.map((pattern) => {
    const values = valuesOf(graphs, pattern, limits);
    return chosen.reduce(
      (most, g) => (values[g] as PatternValue).values.reduce((own, value) => Math.max(own, Math.abs(value)), most),
      0,
    );
  });
  return {
    patterns: patterns.filter((_, p) => largest[p] !== 0),
    scales: largest.filter((scale) => scale !== 0),
  };
}

function scaled(values: Float64Array, scales: readonly number[]): Float32Array {
  return Float32Array.from(values, (value, at) => value / (scales[at % scales.length] as number));
}

/** Scaled polynomials as features of pairs; none without patterns. */
export function pairPolynomials(
  graphs: GraphCollection,
  { patterns, scales }: PolynomialEncoding,
  limits: ContractionLimits = {},
): PairFeatures | undefined {
  if (patterns.length === 0) return undefined;
  return { values: scaled(polynomialChannels(graphs, patterns, limits).values, scales), width: patterns.length };
}

/** Scaled polynomials with one red node as features of nodes, [n, patterns], behind given ones. */
export function withNodePolynomials(
  input: FeaturedGraphs,
  { patterns, scales }: PolynomialEncoding,
  limits: ContractionLimits = {},
): FeaturedGraphs {
  if (patterns.length === 0) return input;
  const own = scaled(nodePolynomials(input.graphs, patterns, limits), scales);
  const features = tensor(own, [input.graphs.nodeCount, patterns.length]);
  return { ...input, nodes: input.nodes ? concatenate([input.nodes, features], 1) : features };
}
