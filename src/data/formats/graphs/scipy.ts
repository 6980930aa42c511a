// Square sparse matrices of SciPy (`scipy.sparse.save_npz`) as the edges of a graph.

import { type NamedArray, narrowFloats, toInts } from '../array.js';
import type { EdgeList } from '../edge-list.js';
import { numbered } from '../node-names.js';

/** Whether an archive holds a sparse matrix of SciPy. */
export function isSparseArchive(arrays: Readonly<Record<string, NamedArray>>): boolean {
  return arrays.format !== undefined && arrays.shape !== undefined && arrays.data !== undefined;
}

/**
 * Edges from the rows to the columns, named 0 … n − 1; zeros that are stored are none.
 *
 * @throws Error for a matrix that is not square, is in blocks or diagonals, or has indices that do
 * not fit
 */
export function edgesFromSparse(arrays: Readonly<Record<string, NamedArray>>, name: string): EdgeList {
  const fail = (reason: string): never => {
    throw new Error(`"${name}" ${reason}`);
  };
  const array = (key: string) => arrays[key] ?? fail(`is a sparse matrix without the array "${key}"`);
  const format = String.fromCharCode(...array('format').values).replace(/\0+$/, '');
  const [rows = 0, columns] = toInts(array('shape'), 'shape');
  if (rows !== columns) fail(`is a matrix of ${rows} × ${columns}; the adjacency of a graph is square`);
  const values = array('data').values;
  const ints = (key: string) => {
    const own = toInts(array(key), key);
    const wrong = own.find((v) => v < 0 || v >= rows);
    if (wrong !== undefined) fail(`has ${key} ${wrong} in a matrix of ${rows} rows`);
    if (own.length !== values.length) fail(`has ${own.length} ${key} for ${values.length} values`);
    return own;
  };
  /** The number of the compressed axis for each stored element. */
  const expanded = () => {
    const indptr = toInts(array('indptr'), 'indptr');
    const own = new Int32Array(values.length);
    if (indptr.length !== rows + 1 || indptr[0] !== 0 || indptr[rows] !== own.length)
      fail(`has an indptr that does not divide ${own.length} values among ${rows} rows`);
    for (let v = 0; v < rows; v++) {
      if ((indptr[v + 1] as number) < (indptr[v] as number)) fail('has an indptr that decreases');
      own.fill(v, indptr[v], indptr[v + 1]);
    }
    return own;
  };
  const ends = () => {
    if (format === 'coo') return [ints('row'), ints('col')] as const;
    if (format === 'csr') return [expanded(), ints('indices')] as const;
    if (format === 'csc') return [ints('indices'), expanded()] as const;
    return fail(`is a sparse matrix in the form "${format}"; save it as csr`);
  };
  const kept = (own: Int32Array) => own.filter((_, e) => values[e] !== 0);
  const [sources, targets] = ends().map(kept) as [Int32Array, Int32Array];
  const weights = narrowFloats(values, 'data').filter((value) => value !== 0);
  const wrong = weights.findIndex((value) => !(value > 0 && Number.isFinite(value)));
  if (wrong >= 0) fail(`holds the value ${weights[wrong]}; weights must be positive and finite`);
  return {
    sources,
    targets,
    weights: weights.every((value) => value === 1) ? undefined : weights,
    names: numbered(rows),
  };
}
