// The magnetic Laplacian: a Hermitian matrix of a directed graph, whose phases are the directions
// of arcs (Zhang et al., "MagNet: A Neural Network for Directed Graphs", NeurIPS 2021).
//
//   A_s = ½·(A + Aᵀ),  Θ = 2πq·(A − Aᵀ)
//   H = D_s^{−1/2}·A_s·D_s^{−1/2} ∘ exp(iΘ)      L = I − H, with eigenvalues in [0, 2]

import { SparseMatrix, SparsePattern } from '../../sparse/index.js';
import { keep, tensor } from '../../tensor/index.js';
import { Graph } from '../graph.js';
import { memo } from '../memo.js';
import { withUnitLoops } from '../operators.js';
import { unionWithReverse } from './patterns.js';
import { reversed } from './reverse.js';

/** A complex sparse matrix: real and imaginary parts on one pattern. */
export class ComplexMatrix {
  #embedding: SparseMatrix | undefined;

  /**
   * @param real real part of each stored element
   * @param imaginary imaginary part of each stored element
   */
  constructor(
    readonly pattern: SparsePattern,
    readonly real: Float64Array,
    readonly imaginary: Float64Array,
  ) {
    if (real.length !== pattern.nnz || imaginary.length !== pattern.nnz)
      throw new Error(`ComplexMatrix: ${real.length} and ${imaginary.length} parts for ${pattern.nnz} elements`);
  }

  /**
   * [[Re, −Im], [Im, Re]], the real matrix [2m, 2n] that acts on columns (Re x; Im x) as this does
   * on x. Parts that are 0 are not stored. Made once.
   */
  get embedding(): SparseMatrix {
    this.#embedding ??= embeddingOf(this);
    return this.#embedding;
  }

  /** This times x, both as real parts followed by imaginary parts: [2n] → [2m], in f64. */
  times(x: Float64Array): Float64Array {
    const { pattern, real, imaginary } = this;
    const { rows, columns, indptr, indices } = pattern;
    const y = new Float64Array(2 * rows);
    for (let row = 0; row < rows; row++) {
      let [a, b] = [0, 0];
      for (let e = indptr[row] as number; e < (indptr[row + 1] as number); e++) {
        const column = indices[e] as number;
        const [re, im] = [real[e] as number, imaginary[e] as number];
        const [c, d] = [x[column] as number, x[columns + column] as number];
        a += re * c - im * d;
        b += im * c + re * d;
      }
      y[row] = a;
      y[rows + row] = b;
    }
    return y;
  }
}

function embeddingOf({ pattern, real, imaginary }: ComplexMatrix): SparseMatrix {
  const { rows, columns, indptr, indices } = pattern;
  const starts = new Int32Array(2 * rows + 1);
  const places = new Int32Array(4 * pattern.nnz);
  const values = new Float32Array(4 * pattern.nnz);
  let at = 0;
  const put = (column: number, value: number) => {
    if (value === 0) return;
    places[at] = column;
    values[at++] = value;
  };
  for (let row = 0; row < 2 * rows; row++) {
    const [left, right, sign] = row < rows ? [real, imaginary, -1] : [imaginary, real, 1];
    const own = row % rows;
    for (let e = indptr[own] as number; e < (indptr[own + 1] as number); e++)
      put(indices[e] as number, left[e] as number);
    for (let e = indptr[own] as number; e < (indptr[own + 1] as number); e++)
      put(columns + (indices[e] as number), sign * (right[e] as number));
    starts[row + 1] = at;
  }
  return new SparseMatrix(
    new SparsePattern(2 * rows, 2 * columns, starts, places.slice(0, at)),
    keep(tensor(values.slice(0, at))),
  );
}

/** Normalisation of `magneticOperator`. */
export interface MagneticOptions {
  /** r of D_s^{r−1}·A_s·D_s^{−r}; the matrix is Hermitian for ½ alone. Default: 0.5. */
  readonly exponent?: number;
  /** Whether loops of weight 1 and phase 0 take the place of self-loops. Default: false. */
  readonly selfLoops?: boolean;
}

/** Parts below this are rounding errors of angles, such as cos(π/2). */
const ROUNDING = 1e-15;

/**
 * H of a graph: D_s^{r−1}·A_s·D_s^{−r} ∘ exp(iΘ). Θ is 2πq·(A − Aᵀ)/(A + Aᵀ), which is 2πq·(A − Aᵀ)
 * where arcs have no weights; reciprocal arcs of one weight and self-loops have phase 0. A node
 * without arcs has a row of zeros.
 *
 * @param q charge: 0 ignores directions, ¼ makes opposite arcs i and −i
 * @throws RangeError unless q is finite
 */
export function magneticOperator(
  graph: Graph,
  q: number,
  { exponent = 0.5, selfLoops = false }: MagneticOptions = {},
): ComplexMatrix {
  if (!Number.isFinite(q)) throw new RangeError(`magneticOperator: q must be a number, got ${q}`);
  return memo(graph, `magneticOperator ${q} ${exponent} ${selfLoops}`, () => {
    const source = selfLoops ? looped(graph) : graph;
    const { pattern, forward, backward } = unionWithReverse(source);
    const [own, other] = [source.weights, reversed(source).weights];
    const weightAt = (weights: Float32Array | undefined, entry: number) =>
      entry < 0 ? 0 : weights ? (weights[entry] as number) : 1;
    const symmetric = new Float64Array(pattern.nnz);
    const phases = new Float64Array(pattern.nnz);
    for (let e = 0; e < pattern.nnz; e++) {
      const [a, t] = [weightAt(own, forward[e] as number), weightAt(other, backward[e] as number)];
      symmetric[e] = (a + t) / 2;
      phases[e] = (2 * Math.PI * q * (a - t)) / (a + t);
    }
    const degrees = rowSums(pattern, symmetric);
    const left = degrees.map((degree) => (degree === 0 ? 0 : degree ** (exponent - 1)));
    const right = degrees.map((degree) => (degree === 0 ? 0 : degree ** -exponent));
    const [real, imaginary] = [new Float64Array(pattern.nnz), new Float64Array(pattern.nnz)];
    for (let u = 0; u < pattern.rows; u++)
      for (let e = pattern.indptr[u] as number; e < (pattern.indptr[u + 1] as number); e++) {
        // In this order the same for u, v and v, u.
        const size = (symmetric[e] as number) * ((left[u] as number) * (right[pattern.indices[e] as number] as number));
        const part = (value: number) => (Math.abs(value) < ROUNDING ? 0 : size * value);
        real[e] = part(Math.cos(phases[e] as number));
        imaginary[e] = part(Math.sin(phases[e] as number));
      }
    return new ComplexMatrix(pattern, real, imaginary);
  });
}

function rowSums({ rows, indptr }: SparsePattern, values: Float64Array): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => {
    let total = 0;
    for (let e = indptr[row] as number; e < (indptr[row + 1] as number); e++) total += values[e] as number;
    return total;
  });
}

/** The graph with a loop of weight 1 at each node, in place of its own. */
function looped(graph: Graph): Graph {
  const { pattern, values } = withUnitLoops(graph);
  return Graph.fromCompressed(pattern.indptr, pattern.indices, {
    directed: graph.directed,
    ...(values && { weights: values.view().slice() }),
  });
}
