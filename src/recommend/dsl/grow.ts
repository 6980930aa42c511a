// Which places get a weight in an exploration, among those without one.

import type { Random } from '../../tensor/index.js';
import type { Weight } from '../weights.js';
import type { GrowRule } from './options.js';
import { Top } from './select.js';

/**
 * The gradient of all entries of rows begin … end − 1, stored or not, [end − begin, columns]: valid
 * until the next call.
 */
export type DenseRows = (begin: number, end: number) => Float32Array;

/** A matrix that loses some weights. */
export interface Grown {
  readonly weight: Weight;
  /** 1 for each element that goes. */
  readonly removed: Uint8Array;
  /** Scores of all entries by rows, larger first: gradients, or moments. */
  readonly scores: DenseRows;
  /** Whether an entry ever had a weight. */
  readonly fired: (place: number) => boolean;
}

/** Entries of a block of rows that are scored at once. */
const BLOCK = 2 ** 17;

/**
 * Places that get a weight, `count` among those of some matrices that have none after the removals.
 * Scores rank by their magnitude, of equal ones the first: where fewer differ from 0, the places
 * are filled in their order.
 *
 * @returns ascending places by matrix
 */
export function growths(matrices: readonly Grown[], count: number, grow: GrowRule, random: Random): Int32Array[] {
  const starts = [0];
  for (const { weight } of matrices) starts.push((starts.at(-1) as number) + weight.size);
  const places =
    grow === 'gradient' || grow === 'momentum' ? byScore(matrices, count) : drawn(matrices, count, grow, random);
  return matrices.map((_, matrix) => {
    const [start, end] = [starts[matrix], starts[matrix + 1]] as [number, number];
    return Int32Array.from(places.filter((place) => place >= start && place < end).map((place) => place - start));
  });
}

/** Calls `visit` for each entry without a weight in some rows, ascending. */
function forEachFree(
  { weight, removed }: Pick<Grown, 'weight' | 'removed'>,
  [begin, end]: readonly [number, number],
  visit: (place: number) => void,
): void {
  const { pattern, columns } = weight;
  if (!pattern) return;
  const { offsets, indices } = pattern;
  for (let row = begin; row < end; row++) {
    let e = offsets[row] as number;
    const last = offsets[row + 1] as number;
    for (let column = 0; column < columns; column++) {
      const stored = e < last && indices[e] === column;
      if (!stored || removed[e]) visit(row * columns + column);
      if (stored) e += 1;
    }
  }
}

function byScore(matrices: readonly Grown[], count: number): Float64Array {
  const top = new Top(count);
  let start = 0;
  for (const matrix of matrices) {
    const { rows, columns, size } = matrix.weight;
    const height = Math.max(1, Math.floor(BLOCK / columns));
    for (let begin = 0; begin < rows; begin += height) {
      const end = Math.min(rows, begin + height);
      const scores = matrix.scores(begin, end);
      const first = begin * columns;
      forEachFree(matrix, [begin, end], (place) => top.push(Math.abs(scores[place - first] as number), start + place));
    }
    start += size;
  }
  return top.places();
}

/**
 * Exactly `count` places at random; of `unfired` among those that never had a weight, as long as
 * there are such.
 */
function drawn(matrices: readonly Grown[], count: number, grow: 'random' | 'unfired', random: Random): Float64Array {
  const isFirst = ({ fired }: Grown, place: number) => grow === 'unfired' && !fired(place);
  const free = { first: 0, other: 0 };
  for (const matrix of matrices)
    forEachFree(matrix, [0, matrix.weight.rows], (place) => {
      free[isFirst(matrix, place) ? 'first' : 'other'] += 1;
    });
  const fromFirst = Math.min(count, free.first);
  const wanted = {
    first: random.sample(free.first, fromFirst).sort(),
    other: random.sample(free.other, Math.min(free.other, count - fromFirst)).sort(),
  };
  const seen = { first: 0, other: 0 };
  const next = { first: 0, other: 0 };
  const places: number[] = [];
  let start = 0;
  for (const matrix of matrices) {
    forEachFree(matrix, [0, matrix.weight.rows], (place) => {
      const kind = isFirst(matrix, place) ? 'first' : 'other';
      if (wanted[kind][next[kind]] === seen[kind]) {
        places.push(start + place);
        next[kind] += 1;
      }
      seen[kind] += 1;
    });
    start += matrix.weight.size;
  }
  return Float64Array.from(places);
}
