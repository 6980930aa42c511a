// How near the rankings of peers are to the ranking by all clicks of honest peers.

import type { ClickLog } from './click-log.js';
import { compareIds, type ItemLibrary } from './domain.js';
import { scoresOf } from './rank.js';

/** Items by their clicks for a term in a log, whoever clicked; ties by the lowest identifier. */
export function itemsByCounts(log: ClickLog, term: string): string[] {
  const clicks = log.forTerm(term);
  if (!clicks) return [];
  return [...scoresOf(clicks, () => 1)].sort(([a, x], [b, y]) => y - x || compareIds(a, b)).map(([item]) => item);
}

/** Places in the ranking by counts, then of matching items without clicks. */
export function globalPlaces(log: ClickLog, library: ItemLibrary, term: string): ReadonlyMap<string, number> {
  const items = new Set([...itemsByCounts(log, term), ...library.matching(term).map(({ id }) => id)]);
  return new Map([...items].map((item, place) => [item, place]));
}

/** Σ |place in `own` − place in `global`| over the items of both. */
export function positionalDistance(own: readonly string[], global: ReadonlyMap<string, number>): number {
  return own.reduce((sum, item, place) => {
    const other = global.get(item);
    return other === undefined ? sum : sum + Math.abs(place - other);
  }, 0);
}
