// Products of sparse and dense matrices, differentiable in the stored values and in the dense side.

import { apply, formatShape, gatherKnownRows, type Op, onlyGradient, type Tensor, transpose } from '../tensor/index.js';

/** Where elements are stored, as products read it: a `SparsePattern`, or one that changes. */
export interface StoredPattern {
  /** Number of rows. */
  readonly rows: number;
  /** Number of columns. */
  readonly columns: number;
  /** Number of stored elements. */
  readonly nnz: number;
  /** Where rows begin: i32 [rows + 1]. */
  readonly segments: { readonly offsetTensor: Tensor };
  /** Columns as an i32 tensor [nnz]. */
  readonly indexTensor: Tensor;
  /** The transposed pattern, and the position of each of its elements in this one. */
  transposed(): { readonly pattern: StoredPattern; readonly permutation: Tensor };
}

/** A sparse matrix as products read it, such as a `SparseMatrix`. */
export interface SparseOperand {
  /** Where elements are stored. */
  readonly pattern: StoredPattern;
  /** One for each stored element, [nnz]; all 1 when left out. */
  readonly values?: Tensor;
}

interface Attributes {
  readonly pattern: StoredPattern;
}

/** Inputs x and maybe values. */
const spmmOp: Op<Attributes> = {
  name: 'spmm',
  multiplyAdds: ([x], _, { pattern }) => pattern.nnz * (x?.[1] as number),
  infer: ([x], { pattern }) => [{ shape: [pattern.rows, (x as Tensor).shape[1] as number], dtype: 'f32' }],
  compute: (device, [x, values], [y], { pattern }) =>
    device.run('spmm', {
      indptr: pattern.segments.offsetTensor,
      indices: pattern.indexTensor,
      values: values ?? null,
      x: x as Tensor,
      y: y as Tensor,
      rows: pattern.rows,
      d: (x as Tensor).shape[1] as number,
    }),
  vjp: (backward) => {
    const [x, values] = backward.inputs as [Tensor, Tensor | undefined];
    const { pattern } = backward.attributes;
    const g = onlyGradient(backward);
    return [
      backward.needed[0] ? transposedProduct(pattern, g, values) : undefined,
      backward.needed[1] ? apply(sddmmOp, [g, x], { pattern }) : undefined,
    ];
  },
};

const sddmmOp: Op<Attributes> = {
  name: 'sddmm',
  multiplyAdds: ([a], _, { pattern }) => pattern.nnz * (a?.[1] as number),
  infer: (_, { pattern }) => [{ shape: [pattern.nnz], dtype: 'f32' }],
  compute: (device, [a, b], [y], { pattern }) =>
    device.run('sddmm', {
      indptr: pattern.segments.offsetTensor,
      indices: pattern.indexTensor,
      a: a as Tensor,
      b: b as Tensor,
      y: y as Tensor,
      rows: pattern.rows,
      d: (a as Tensor).shape[1] as number,
    }),
  vjp: (backward) => {
    const [a, b] = backward.inputs as [Tensor, Tensor];
    const { pattern } = backward.attributes;
    const g = onlyGradient(backward);
    return [
      backward.needed[0] ? apply(spmmOp, [b, g], { pattern }) : undefined,
      backward.needed[1] ? transposedProduct(pattern, a, g) : undefined,
    ];
  },
};

/** Aᵀ·x for the matrix A of the pattern and values. */
function transposedProduct(pattern: StoredPattern, x: Tensor, values: Tensor | undefined): Tensor {
  const { pattern: transposed, permutation } = pattern.transposed();
  return apply(spmmOp, values ? [x, gatherKnownRows(values, permutation)] : [x], { pattern: transposed });
}

/** Inputs w [d, n], read as its transpose, and maybe values. */
const spmmTransposedOp: Op<Attributes> = {
  name: 'spmmTransposed',
  multiplyAdds: ([w], _, { pattern }) => pattern.nnz * (w?.[0] as number),
  infer: ([w], { pattern }) => [{ shape: [pattern.rows, (w as Tensor).shape[0] as number], dtype: 'f32' }],
  compute: (device, [w, values], [y], { pattern }) =>
    device.run('spmmTransposed', {
      indptr: pattern.segments.offsetTensor,
      indices: pattern.indexTensor,
      values: values ?? null,
      w: w as Tensor,
      y: y as Tensor,
      columns: pattern.columns,
      rows: pattern.rows,
      d: (w as Tensor).shape[0] as number,
    }),
  vjp: (backward) => {
    const [w, values] = backward.inputs as [Tensor, Tensor | undefined];
    const { pattern } = backward.attributes;
    const g = onlyGradient(backward);
    return [
      backward.needed[0] ? transpose(transposedProduct(pattern, g, values)) : undefined,
      backward.needed[1] ? apply(sddmmOp, [g, transpose(w)], { pattern }) : undefined,
    ];
  },
};

/**
 * Rows of the dense side for each stored element above which strided reads are cheaper than a
 * transpose.
 */
const READ_ACROSS = 8;

/**
 * Sparse-dense product y = A·x, differentiable in A's values and in x.
 *
 * @param x [n, d], or [d, n] with `transposeX` (default false)
 * @returns [m, d], for a sparse [m, n]
 * @throws Error when the inner sizes differ.
 */
export function spmm(
  { pattern, values }: SparseOperand,
  x: Tensor,
  { transposeX = false }: { readonly transposeX?: boolean } = {},
): Tensor {
  if (x.rank !== 2 || x.shape[transposeX ? 1 : 0] !== pattern.columns) {
    throw new Error(
      `spmm: inner sizes differ: sparse [${pattern.rows}, ${pattern.columns}] × ${formatShape(x.shape)}${transposeX ? 'ᵀ' : ''}`,
    );
  }
  const inputs = (dense: Tensor) => (values ? [dense, values] : [dense]);
  if (!transposeX) return apply(spmmOp, inputs(x), { pattern });
  const readAcross = pattern.nnz * READ_ACROSS < pattern.columns;
  return readAcross
    ? apply(spmmTransposedOp, inputs(x), { pattern })
    : apply(spmmOp, inputs(transpose(x)), { pattern });
}

/**
 * Sampled dense-dense product: y[e] = ⟨a[row of e], b[column of e]⟩ for each stored element.
 *
 * @param a [rows, d]
 * @param b [columns, d]
 * @returns [nnz]
 * @throws Error when the shapes do not fit the pattern.
 */
export function sddmm(pattern: StoredPattern, a: Tensor, b: Tensor): Tensor {
  const fits =
    a.rank === 2 &&
    b.rank === 2 &&
    a.shape[0] === pattern.rows &&
    b.shape[0] === pattern.columns &&
    a.shape[1] === b.shape[1];
  if (!fits) {
    throw new Error(
      `sddmm: expected a [${pattern.rows}, d] and b [${pattern.columns}, d], got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  }
  return apply(sddmmOp, [a, b], { pattern });
}
