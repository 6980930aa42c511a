// The part of a propagation that a few vertices depend on: what a graph or hypergraph network must fetch to classify them.

import type { SparseMatrix } from '../sparse/index.js';

export interface Restricted {
  /** The operators cut down, in the order in which they apply. */
  readonly operators: readonly SparseMatrix[];
  /** The vertices that they read, in the order of the first operator's columns. */
  readonly sources: Int32Array;
}

/** The rows of A_k … A_1 for `rows`, with the weights of the whole: the same numbers that applying everything gives there. */
export function restrict(operators: readonly SparseMatrix[], rows: Int32Array): Restricted {
  let sources = rows;
  const cut = [...operators].reverse().map((operator) => {
    const { matrix, columns } = operator.selectRows(sources).compactColumns();
    sources = columns;
    return matrix;
  });
  return { operators: cut.reverse(), sources };
}
