// Restriction of a propagation to the receptive field of a few vertices: what a graph or hypergraph
// network must read to classify them.

import type { SparseMatrix } from '../sparse/index.js';

/** Operators restricted to the receptive field of some rows. */
export interface Restricted {
  /** The restricted operators, in order of application. */
  readonly operators: readonly SparseMatrix[];
  /** Vertices in the receptive field, in the order of the first operator's columns. */
  readonly sources: Int32Array;
}

/**
 * The given rows of the product A_k … A_1, by operators restricted to what those rows depend on:
 * the same values as the full product, with the full operators' normalisation.
 */
export function restrict(operators: readonly SparseMatrix[], rows: Int32Array): Restricted {
  let sources = rows;
  const cut = [...operators].reverse().map((operator) => {
    const { matrix, columns } = operator.selectRows(sources).compactColumns();
    sources = columns;
    return matrix;
  });
  return { operators: cut.reverse(), sources };
}
