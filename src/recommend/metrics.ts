// Metrics of ranked lists, over all items: those of the training are masked.

import { type Interactions, itemsOf } from '../data/index.js';

/** Scores items for known users. */
export interface Scorer {
  /**
   * Scores of all items for a user: valid until the next call, and free to be changed.
   *
   * @returns [items]
   */
  scores(user: number): Float32Array;
}

/** Scores items for users that are known by their items alone. */
export interface HistoryScorer {
  /** As `Scorer.scores`, from the items of a user. */
  scoresOf(history: Int32Array): Float32Array;
}

/** Means over users, in [0, 1]. */
export interface RankingScores {
  /** Found among the first k, of the held-out items of a user: of all, or of at most k. */
  readonly recall: number;
  /** Normalised discounted cumulative gain: Σ 1/log₂(rank + 1) over the best that is possible. */
  readonly ndcg: number;
  /** Mean of 1/rank of the first hit among the first k, 0 where there is none. */
  readonly mrr: number;
  /** Share of users with a hit among the first k. */
  readonly hitRate: number;
  /** Users that have held-out items. */
  readonly users: number;
}

/** How lists are scored. */
export interface RankingOptions {
  /** Length of the list. Default: 20. */
  readonly k?: number;
  /** Whether recall is of all held-out items, or of min(k, held-out). Default: `all`. */
  readonly recallOf?: 'all' | 'k';
}

/**
 * The items of the largest scores, `most` of them, of equal ones the first; −∞ never.
 *
 * @returns item numbers, the best first; fewer where fewer have a score
 */
export function topItems(scores: Float32Array, most: number): Int32Array {
  const k = Math.min(most, scores.length);
  const items = new Int32Array(k);
  const best = new Float32Array(k);
  let count = 0;
  for (let item = 0; item < scores.length; item++) {
    const score = scores[item] as number;
    if (score === Number.NEGATIVE_INFINITY || (count === k && !(score > (best[k - 1] as number)))) continue;
    let at = count < k ? count++ : k - 1;
    for (; at > 0 && score > (best[at - 1] as number); at--) {
      best[at] = best[at - 1] as number;
      items[at] = items[at - 1] as number;
    }
    best[at] = score;
    items[at] = item;
  }
  return items.slice(0, count);
}

/** Sets the scores of some items to −∞, so that they are not recommended. */
export function mask(scores: Float32Array, items: Int32Array): Float32Array {
  for (const item of items) scores[item] = Number.NEGATIVE_INFINITY;
  return scores;
}

/** The metrics of one ranked list. @param held held-out items of the user, at least one */
export function listScores(
  ranked: Int32Array,
  held: Int32Array,
  { k = 20, recallOf = 'all' }: RankingOptions = {},
): Omit<RankingScores, 'users'> {
  const wanted = new Set(held);
  let [hits, gain, first] = [0, 0, 0];
  ranked.subarray(0, k).forEach((item, at) => {
    if (!wanted.has(item)) return;
    hits += 1;
    gain += 1 / Math.log2(at + 2);
    if (first === 0) first = at + 1;
  });
  let best = 0;
  for (let at = 0; at < Math.min(k, wanted.size); at++) best += 1 / Math.log2(at + 2);
  return {
    recall: hits / (recallOf === 'all' ? wanted.size : Math.min(k, wanted.size)),
    ndcg: gain / best,
    mrr: first === 0 ? 0 : 1 / first,
    hitRate: Number(hits > 0),
  };
}

/** Means over lists. */
export function meanScores(lists: readonly Omit<RankingScores, 'users'>[]): RankingScores {
  const mean = (of: (list: Omit<RankingScores, 'users'>) => number) =>
    lists.reduce((sum, list) => sum + of(list), 0) / Math.max(1, lists.length);
  return {
    recall: mean(({ recall }) => recall),
    ndcg: mean(({ ndcg }) => ndcg),
    mrr: mean(({ mrr }) => mrr),
    hitRate: mean(({ hitRate }) => hitRate),
    users: lists.length,
  };
}

/**
 * Ranks all items for each user with held-out items, those of the training left out.
 *
 * @param seen items that are masked, such as those of training and validation
 */
export function rankingScores(
  scorer: Scorer,
  seen: Interactions,
  held: Interactions,
  options: RankingOptions = {},
): RankingScores {
  const lists: Omit<RankingScores, 'users'>[] = [];
  for (let user = 0; user < held.users.length; user++) {
    const wanted = itemsOf(held, user);
    if (wanted.length === 0) continue;
    const scores = mask(scorer.scores(user), itemsOf(seen, user));
    lists.push(listScores(topItems(scores, options.k ?? 20), wanted, options));
  }
  return meanScores(lists);
}

/** As `rankingScores`, for users that the model knows by their inputs alone. */
export function historyScores(
  scorer: HistoryScorer,
  inputs: Interactions,
  held: Interactions,
  options: RankingOptions = {},
): RankingScores {
  return rankingScores({ scores: (user) => scorer.scoresOf(itemsOf(inputs, user)) }, inputs, held, options);
}

/** Ranks the one held-out item of each user among its candidates. @param candidates by user */
export function candidateScores(
  scorer: Scorer,
  held: Interactions,
  candidates: readonly Int32Array[],
  { k = 20 }: RankingOptions = {},
): RankingScores {
  const lists: Omit<RankingScores, 'users'>[] = [];
  for (let user = 0; user < held.users.length; user++) {
    const wanted = itemsOf(held, user);
    if (wanted.length === 0) continue;
    const scores = scorer.scores(user);
    const among = Float32Array.from([...wanted, ...(candidates[user] as Int32Array)], (item) => scores[item] as number);
    // Held-out items come first, so that ties must not favour them: they rank behind their equals.
    const order = [...among.keys()].sort((a, b) => (among[b] as number) - (among[a] as number) || b - a);
    lists.push(listScores(Int32Array.from(order), Int32Array.from(wanted.keys()), { k }));
  }
  return meanScores(lists);
}
