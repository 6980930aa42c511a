// The hypervolume of a front: the measure of what it dominates, down to a reference point.

import type { ObjectiveValues } from './pareto.js';

/**
 * Measure of the union of the boxes between each point and a reference, all objectives minimised.
 * Two objectives: an exact sweep. More: slices along the last one, each a hypervolume of one
 * objective fewer (Knowles 2002). Points that do not lie below the reference add nothing.
 *
 * @example hypervolume([[1, 3], [2, 2], [3, 1]], [4, 4]); // 6
 * @throws RangeError when a point has other objectives than the reference, or none
 */
export function hypervolume(points: readonly ObjectiveValues[], reference: ObjectiveValues): number {
  const objectives = reference.length;
  if (objectives === 0) throw new RangeError('hypervolume: the reference has no objective');
  const other = points.find(({ length }) => length !== objectives);
  if (other) throw new RangeError(`hypervolume: a point of ${other.length} objectives, a reference of ${objectives}`);
  const rows = points.map((point) => Array.from(point));
  const below = rows.filter((row) => row.every((value, m) => value < (reference[m] as number)));
  return measure(below, Array.from(reference));
}

function measure(points: readonly (readonly number[])[], reference: readonly number[]): number {
  if (points.length === 0) return 0;
  const last = reference.length - 1;
  const end = reference[last] as number;
  if (last === 0) return end - Math.min(...points.map(([value = end]) => value));
  const sorted = [...points].sort((a, b) => (a[last] as number) - (b[last] as number));
  if (last === 1) return sweep(sorted, reference);
  let total = 0;
  for (let i = 0; i < sorted.length; i++) {
    const depth = ((sorted[i + 1]?.[last] ?? end) as number) - (sorted[i]?.[last] as number);
    if (depth > 0)
      total +=
        depth *
        measure(
          sorted.slice(0, i + 1).map((point) => point.slice(0, last)),
          reference.slice(0, last),
        );
  }
  return total;
}

/** Area of two objectives, for points ascending in the second. */
function sweep(sorted: readonly (readonly number[])[], reference: readonly number[]): number {
  const [right, top] = reference as [number, number];
  let [area, least] = [0, right];
  sorted.forEach(([x = right, y = top]) => {
    if (x >= least) return;
    area += (least - x) * (top - y);
    least = x;
  });
  return area;
}
