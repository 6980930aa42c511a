// Functions of sets, and their application to many sets in parts.

import { Segments } from '../../sparse/index.js';
import { consecutiveGroups, type Grouping, memo } from '../../structure/index.js';
import { concatenate, gatherKnownRows, keep, scope, type Tensor, tensor } from '../../tensor/index.js';

/** A permutation-equivariant function of sets: every member has its own output. */
export interface SetFunction {
  /** x [nnz, d] → [nnz, d], applied to each set of incidences independently. */
  forward(x: Tensor, sets: Grouping): Tensor;
}

/** Some of the sets, with their members. */
interface SetPart {
  readonly sets: Grouping;
  /** The members, set by set: i32. */
  readonly rows: Tensor;
}

/**
 * Applies a function of sets to about `rowsAtOnce` members at a time, so that memory holds its
 * intermediate values for those alone. In training the function must not keep them for the backward
 * pass (`checkpoint`).
 *
 * @param apply given some sets and the rows of their members; one row of output a member (`to` is
 * 'members') or a set
 */
export function bySetsInParts(
  sets: Grouping,
  rowsAtOnce: number,
  to: 'members' | 'sets',
  apply: (sets: Grouping, rows: Tensor) => Tensor,
): Tensor {
  const { parts, places } = partsOf(sets, rowsAtOnce);
  return scope(() => {
    // The parts are freed before the members are put in their order.
    const joined = scope(() => concatenate(parts.map((part) => scope(() => apply(part.sets, part.rows)))));
    return to === 'sets' || !places ? joined : gatherKnownRows(joined, places);
  });
}

/** Parts of whole sets, and the place of each member in their order unless that is its own. */
function partsOf(sets: Grouping, rowsAtOnce: number): { parts: readonly SetPart[]; places: Tensor | undefined } {
  return memo(sets, `parts of ${rowsAtOnce}`, () => {
    const { indptr, indices } = sets.pattern;
    const parts: SetPart[] = [];
    for (let begin = 0; begin < sets.count; ) {
      let end = begin + 1;
      while (end < sets.count && (indptr[end + 1] as number) - (indptr[begin] as number) <= rowsAtOnce) end += 1;
      const start = indptr[begin] as number;
      const segments = new Segments(indptr.slice(begin, end + 1).map((offset) => offset - start));
      parts.push({ sets: consecutiveGroups(segments), rows: keep(tensor(indices.slice(start, indptr[end]))) });
      begin = end;
    }
    if (indices.every((row, at) => row === at)) return { parts, places: undefined };
    const places = new Int32Array(indices.length);
    indices.forEach((row, at) => {
      places[row] = at;
    });
    return { parts, places: keep(tensor(places)) };
  });
}
