// Ranking the items for a term from a click log and a library:
//
//   R(k) = Σ_j C_{k,j} · (Ŝ(j) + F)        C_{k,j}: clicks of peer j on item k for the term
//
// Items whose description matches the term stand above all others, so that clicks cannot lift what
// does not answer the query; then scores decide, then the lowest identifier.

import type { ClickLog, TermClicks } from './click-log.js';
import { compareIds, type ItemDescription, type ItemLibrary } from './domain.js';

/** An item in a ranking. */
export interface RankedItem extends ItemDescription {
  /** R; 0 for items that nobody clicked for the term. */
  readonly score: number;
  /** Whether title or tags match the term. */
  readonly matches: boolean;
}

/** The weight of the clicks of an author: Ŝ + F. */
export type Weigh = (author: string) => number;

/** Clicks that count as recent where popular items answer for lack of matches. */
const RECENT = 1000;
/** Items that answer for lack of matches. */
const POPULAR = 10;

/** R of the items that were clicked for a term. The order of the sum is that of the names. */
export function scoresOf({ authors, counts }: TermClicks, weigh: Weigh): Map<string, number> {
  const scores = new Map<string, number>();
  for (const author of authors) {
    const weight = weigh(author);
    for (const [item, count] of counts.get(author) as ReadonlyMap<string, number>)
      scores.set(item, (scores.get(item) ?? 0) + count * weight);
  }
  return scores;
}

/** What is known of an item: by the library, or else by the log. */
export function describe(library: ItemLibrary, log: ClickLog, item: string): ItemDescription | undefined {
  return library.get(item) ?? log.descriptions(item)[0];
}

/**
 * Ranks the items for a term that the log holds: those clicked for it, and those of the library
 * that match. A term that the log lacks gets matches of the library, then of the log, each by
 * identifier; without any, the most popular of the last 1,000 clicks.
 */
export function rankItems(library: ItemLibrary, log: ClickLog, term: string, weigh: Weigh): RankedItem[] {
  const clicks = log.forTerm(term);
  if (!clicks) return unseen(library, log, term);
  const scores = scoresOf(clicks, weigh);
  for (const { id } of library.matching(term)) if (!scores.has(id)) scores.set(id, 0);
  return [...scores]
    .map(([item, score]) => rankedItem(library, log, term, item, score))
    .sort((a, b) => Number(b.matches) - Number(a.matches) || b.score - a.score || compareIds(a.id, b.id));
}

function rankedItem(library: ItemLibrary, log: ClickLog, term: string, item: string, score: number): RankedItem {
  const own = library.get(item);
  const known = own ? [own] : log.descriptions(item);
  const match = known.find((each) => library.domain.matches(term, each));
  return { ...(match ?? (known[0] as ItemDescription)), score, matches: match !== undefined };
}

function unseen(library: ItemLibrary, log: ClickLog, term: string): RankedItem[] {
  const own = library.matching(term);
  const others = [...log.items]
    .filter((item) => !library.get(item))
    .flatMap((item) => log.descriptions(item).find((each) => library.domain.matches(term, each)) ?? [])
    .sort((a, b) => compareIds(a.id, b.id));
  const found = [...own, ...others].map((item) => ({ ...item, score: 0, matches: true }));
  return found.length > 0 ? found : popular(library, log);
}

/** The items with the most clicks among the last ones. */
function popular(library: ItemLibrary, log: ClickLog): RankedItem[] {
  const counts = new Map<string, number>();
  const recent = [...log.entries]
    .sort((a, b) => b.time - a.time || (a.author < b.author ? -1 : a.author > b.author ? 1 : b.sequence - a.sequence))
    .slice(0, RECENT);
  for (const { item } of recent) counts.set(item, (counts.get(item) ?? 0) + 1);
  return [...counts]
    .sort(([a, x], [b, y]) => y - x || compareIds(a, b))
    .slice(0, POPULAR)
    .map(([item]) => ({ ...(describe(library, log, item) as ItemDescription), score: 0, matches: false }));
}
