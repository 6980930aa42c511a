// The spectral view: what the low end of the magnetic Laplacian shows at several charges q.

import { symmetricEigen64 } from '../../linalg/index.js';
import { type Graph, magneticSpectrum } from '../../structure/index.js';

/** The low spectrum at one charge. */
export interface ChargeView {
  /** The charge. */
  readonly q: number;
  /** Lowest eigenvalues of L, ascending. */
  readonly eigenvalues: readonly number[];
  /**
   * Share of the variance of one-hot labels that real and imaginary parts of the eigenvectors
   * explain by least squares, less what as many random columns would; NaN without labels.
   */
  readonly explained: number;
}

/** The spectral view. */
export interface SpectralView {
  /** Nodes of the component that was looked at: the largest. */
  readonly nodes: number;
  /** The low spectrum at each charge. */
  readonly charges: readonly ChargeView[];
  /**
   * Smallest eigenvalue at q = ¼: 0 where phases agree around all cycles, as on trees and where
   * directions wind evenly; larger where they are frustrated.
   */
  readonly frustration: number;
}

/** Residual of eigenvectors that are looked at, not computed with. */
const TOLERANCE = 1e-4;

/** Options of `spectralView`. */
export interface SpectralOptions {
  /** Charges. Default: 0, 0.05, …, 0.25. */
  readonly charges?: readonly number[];
  /** Eigenpairs of each. Default: 8. */
  readonly eigenpairs?: number;
  /** Nodes of a graph that is looked at, at most. Default: 6,000. */
  readonly limit?: number;
}

/**
 * The largest connected component's low magnetic spectrum; undefined for a graph whose component is
 * too large, or of fewer than two nodes.
 *
 * @param labels class of each node, −1 where unknown
 */
export function spectralView(
  graph: Graph,
  labels: Int32Array | undefined,
  { charges = [0, 0.05, 0.1, 0.15, 0.2, 0.25], eigenpairs = 8, limit = 6000 }: SpectralOptions = {},
): SpectralView | undefined {
  const nodes = graph.largestComponent;
  if (nodes.length < 2 || nodes.length > limit) return undefined;
  const own = nodes.length === graph.nodeCount ? graph : graph.induced(nodes);
  const ownLabels = labels && nodes.map((v) => labels[v] as number);
  const k = Math.min(eigenpairs, nodes.length);
  const lowest = magneticSpectrum(own, 0.25, k, TOLERANCE).values[0] as number;
  return {
    nodes: nodes.length,
    charges: charges.map((q) => {
      const { values, vectors } = magneticSpectrum(own, q, k, TOLERANCE);
      return {
        q,
        eigenvalues: Array.from(values, (value) => Math.max(0, value)),
        explained: ownLabels ? explainedVariance(vectors, ownLabels) : Number.NaN,
      };
    }),
    frustration: Math.max(0, lowest),
  };
}

/** Adjusted R² of one-hot labels on the parts of the vectors and a constant, at labelled nodes. */
function explainedVariance(vectors: readonly Float64Array[], labels: Int32Array): number {
  const n = labels.length;
  const rows = Array.from(labels.keys()).filter((v) => (labels[v] as number) >= 0);
  const classes = labels.reduce((most, label) => Math.max(most, label + 1), 0);
  const parts = vectors.flatMap((vector) => [vector.subarray(0, n), vector.subarray(n)]);
  const columns = parts.map((part) => centred(rows.map((v) => part[v] as number)));
  const targets = Array.from({ length: classes }, (_, c) => centred(rows.map((v) => Number(labels[v] === c))));
  const { explained, rank } = projected(columns, targets);
  const total = targets.reduce((sum, target) => sum + dot(target, target), 0);
  const freedom = rows.length - 1 - rank;
  if (total === 0 || freedom <= 0) return Number.NaN;
  return 1 - ((1 - explained / total) * (rows.length - 1)) / freedom;
}

function centred(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return values.map((value) => value - mean);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}

/** Squares of the targets' projections on the span of the columns, and its dimension. */
function projected(
  columns: readonly (readonly number[])[],
  targets: readonly (readonly number[])[],
): { readonly explained: number; readonly rank: number } {
  const m = columns.length;
  const gram = columns.flatMap((a) => columns.map((b) => dot(a, b)));
  const { values, vectors } = symmetricEigen64(gram, m);
  const largest = values[m - 1] as number;
  let [explained, rank] = [0, 0];
  for (let i = 0; i < m; i++) {
    const value = values[i] as number;
    if (value <= 1e-10 * largest) continue;
    rank += 1;
    for (const target of targets) {
      const along = columns.reduce((sum, column, j) => sum + (vectors[j * m + i] as number) * dot(column, target), 0);
      explained += along ** 2 / value;
    }
  }
  return { explained, rank };
}
