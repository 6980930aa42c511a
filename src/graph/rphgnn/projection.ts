// Chains of means over neighbours that end in a random projection, evaluated in the order of least
// cost: M_k···M_1·X·R is the same wherever R is applied, but a projection costs least on the side
// with the fewest rows, or on sparse features.

import { type Features, featureCount } from '../../nn/index.js';
import { SparseMatrix, sparseProjection, spmm } from '../../sparse/index.js';
import { matmul, type Random, type Tensor, transpose } from '../../tensor/index.js';

/** How rows are projected to another width. */
export interface ProjectionEntries {
  /** Signs times √s, of which one in s is not 0, or standard normal numbers. Default: 'signs'. */
  readonly entries?: 'signs' | 'gaussian';
  /** s of signs; 1 is dense. Default: 3 (Achlioptas 2003). */
  readonly sparsity?: number;
}

/** Time of a multiply-add of a sparse product, in multiply-adds of a dense one. */
const SPARSE = 6;

/** A random matrix R [rows, columns], drawn anew for each use. */
export class RandomProjection {
  /** Rᵀ [columns, rows]. */
  readonly transposed: SparseMatrix;
  readonly #isThin: boolean;
  #dense: Tensor | undefined;

  constructor(
    readonly rows: number,
    readonly columns: number,
    random: Random,
    { entries = 'signs', sparsity = 3 }: ProjectionEntries = {},
  ) {
    const s = entries === 'gaussian' ? 1 : Math.min(sparsity, columns);
    this.transposed = sparseProjection(columns, rows, random, { entries, sparsity: s });
    this.#isThin = SPARSE * this.transposed.nnz < rows * columns;
  }

  /** Cost of `apply` in dense multiply-adds, for sparse features or so many dense rows. */
  costOf(x: SparseMatrix | number): number {
    if (x instanceof SparseMatrix) return SPARSE * x.nnz * this.columns;
    return x * (this.#isThin ? SPARSE * this.transposed.nnz : this.rows * this.columns);
  }

  /** x·R: [n, rows] → [n, columns]. */
  apply(x: Features): Tensor {
    if (this.#isThin && !(x instanceof SparseMatrix)) return transpose(spmm(this.transposed, x, { transposeX: true }));
    this.#dense ??= this.transposed.toDense();
    return x instanceof SparseMatrix
      ? spmm(x, this.#dense, { transposeX: true })
      : matmul(x, this.#dense, { transposeB: true });
  }

  /** Frees R. */
  dispose(): void {
    this.transposed.values?.dispose();
    this.#dense?.dispose();
  }
}

/** X, M₁·X, M₂·M₁·X, …: each computed when it is asked for, once. */
export class MeanChain {
  readonly #operators: SparseMatrix[] = [];
  readonly #values: Tensor[] = [];
  readonly #start: Features;
  readonly #dense: () => Tensor;

  /**
   * @param start X [n, d]
   * @param dense X as a tensor, which several chains may share
   */
  constructor(start: Features, dense: () => Tensor) {
    this.#start = start;
    this.#dense = dense;
  }

  /** Width of X. */
  get width(): number {
    return featureCount(this.#start);
  }

  /** Appends an operator. */
  push(operator: SparseMatrix): void {
    this.#operators.push(operator);
  }

  /** M_step···M_1·X. */
  at(step: number): Tensor {
    const known = this.#values[step];
    if (known) return known;
    const value = step === 0 ? this.#dense() : spmm(this.#operators[step - 1] as SparseMatrix, this.at(step - 1));
    this.#values[step] = value;
    return value;
  }

  /** M_step···M_1·X·R, with R where it costs least. */
  projected(step: number, projection: RandomProjection): Tensor {
    let [best, least] = [step, Number.POSITIVE_INFINITY];
    for (let at = 0; at <= step; at++) {
      const cost = this.#costAt(at, projection) + this.#costOfSteps(at, step, projection.columns);
      if (cost >= least) continue;
      [best, least] = [at, cost];
    }
    let y = projection.apply(best === 0 ? this.#start : this.at(best));
    for (let at = best; at < step; at++) y = spmm(this.#operators[at] as SparseMatrix, y);
    return y;
  }

  /** Cost of reaching a step and of projecting there. */
  #costAt(step: number, projection: RandomProjection): number {
    if (step === 0) {
      const x = this.#start;
      return projection.costOf(x instanceof SparseMatrix ? x : (x.shape[0] as number));
    }
    const known = this.#values.findLastIndex((value, at) => value !== undefined && at <= step);
    const reached = this.#costOfSteps(Math.max(0, known), step, this.width);
    return reached + projection.costOf((this.#operators[step - 1] as SparseMatrix).rows);
  }

  #costOfSteps(from: number, to: number, width: number): number {
    return SPARSE * width * this.#operators.slice(from, to).reduce((total, { nnz }) => total + nnz, 0);
  }
}
