// Restriction of a propagation to the receptive field of a few vertices: what a graph or hypergraph
// network must read to classify them.

import { isIndex, type SparseMatrix, shown } from '../sparse/index.js';

/**
 * The new number of each vertex when the given ones are kept in the order given, −1 for others.
 *
 * @throws RangeError naming the first that is no vertex or is given twice.
 */
export function renumbering(operation: string, kept: ArrayLike<number>, vertexCount: number): Int32Array {
  const renumbered = new Int32Array(vertexCount).fill(-1);
  for (let i = 0; i < kept.length; i++) {
    const vertex = kept[i] as number;
    if (!isIndex(vertex, vertexCount))
      throw new RangeError(`${operation}: ${shown(vertex)} is outside 0…${vertexCount - 1} (an integer is expected)`);
    if (renumbered[vertex] !== -1) throw new RangeError(`${operation}: ${vertex} is given twice`);
    renumbered[vertex] = i;
  }
  return renumbered;
}

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
