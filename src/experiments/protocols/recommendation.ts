// Recommendation: three protocols, one for each kind of model, in which test interactions choose
// nothing and are read once.
//
// - LightGCN: the published split by users; of the training items of each user a tenth, at least
//   one, chooses epoch and rate. All items are ranked, those of the training left out.
// - Mult-VAE: strong generalisation, to users that no training has seen.
// - NeuMF: the last item of each user is the test, the one before chooses the epoch; the hit is
//   looked for among 100 items that are never drawn as negatives, and among all.

import { densePart, type InteractionSet, type Interactions, itemsOf, withLists } from '../../data/index.js';
import { loadInteractions } from '../../data/node.js';
import {
  type Backbone,
  candidateScores,
  type HistoryScorer,
  historyScores,
  holdOut,
  joined,
  lastOut,
  Membership,
  type RankingScores,
  rankingScores,
  type Scorer,
  strongSplit,
} from '../../recommend/index.js';
import { Random } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import { relabelled, seconds } from '../parts/metrics.js';

export type ModelKind = 'lightgcn' | 'multvae' | 'neumf';

/** Users and items of the generated set, topics of all and of one user, items of a user. */
const TOPICS = { users: 400, items: 300, topics: 10, liked: 2, least: 20, more: 20 };
/** Exponent of popularity, and the weight of an item of no liked topic beside 1. */
const [FALL, CHANCE] = [0.6, 0.04];
/** Users of Gowalla-3k before others are removed, and the interactions that are asked of each. */
const DENSE_PART = { users: 3000, least: 10 };
/** Candidates beside the held-out item. */
const CANDIDATES = 100;

/**
 * Users of two topics each, who draw items by popularity, mostly of these topics; a fifth of the
 * items of each user is the test.
 */
export function topicInteractions(random: Random): InteractionSet {
  const { users, items, topics, liked, least, more } = TOPICS;
  const topicOf = Int32Array.from({ length: items }, () => random.integer(topics));
  const ranks = random.split('popularity').permutation(items);
  const popularity = Float64Array.from(ranks, (rank) => (1 + rank) ** -FALL);
  const lists = Array.from({ length: users }, (_, user) => {
    const stream = random.split(user);
    const own = new Set(stream.sample(topics, liked));
    const weights = popularity.map((weight, item) => weight * (CHANCE + Number(own.has(topicOf[item] as number))));
    const count = least + stream.integer(more);
    // The largest of u^(1/w) are a draw without repetition by weights w.
    const keys = weights.map((weight) => Math.log(1 - stream.float()) / weight);
    return [...keys.keys()].sort((a, b) => (keys[b] as number) - (keys[a] as number)).slice(0, count);
  });
  const name = (kind: string, count: number) => Array.from({ length: count }, (_, at) => `${kind}${at}`);
  const names = { name: 'topics', users: name('user', users), items: name('item', items) };
  const all = withLists(
    names,
    lists.map((list, user) =>
      random
        .split('order')
        .split(user)
        .permutation(list.length)
        .map((at) => list[at] as number),
    ),
  );
  const { train, held } = holdOut(all, 0.2, random.split('test'));
  return { train, test: held, notes: [] };
}

/** The generated set, Gowalla or its dense part, or a table whose test part is drawn. */
export async function loadRecommendation(source: string): Promise<Required<InteractionSet>> {
  if (source === 'topics') return topicInteractions(new Random(0).split('topics')) as Required<InteractionSet>;
  if (source === 'gowalla-3k')
    return densePart(await loadInteractions('gowalla'), source, DENSE_PART) as Required<InteractionSet>;
  const set = await loadInteractions(source);
  if (set.test) return set as Required<InteractionSet>;
  const { train, held } = holdOut(set.train, 0.2, new Random(0).split('test'));
  return { ...set, train, test: held };
}

export const describeRecommendation = ({ train, test }: Required<InteractionSet>): string =>
  `${train.name}: ${train.users.length} users, ${train.items.length} items, ${train.indices.length} training and ${test.indices.length} test interactions`;

/** A model that ranks items, for users of the training, for new ones, or for both. */
export type Ranker = Scorer & Partial<HistoryScorer>;

/** What a model learns from, what chooses, and what is tested: of one seed. */
export interface RecommendationTask {
  readonly kind: ModelKind;
  readonly train: Interactions;
  /** Interactions that must not be drawn as negatives. */
  readonly known: Interactions;
  /** NDCG@20, larger is better, on what chooses. */
  validate(model: Ranker): number;
  /** Scores on the test, to be read once. */
  test(model: Ranker): Scores;
}

const percent = ({ recall, ndcg, mrr, hitRate }: RankingScores): Scores => ({
  ...{ recall: 100 * recall, ndcg: 100 * ndcg, mrr: 100 * mrr, hits: 100 * hitRate },
});

/** The protocol of a kind of model. */
export function recommendationTask(
  { train, test }: Required<InteractionSet>,
  kind: ModelKind,
  random: Random,
): RecommendationTask {
  if (kind === 'multvae') return strongTask(joined(train, test), random);
  if (kind === 'neumf') return lastTask(joined(train, test), random);
  const { train: own, held } = holdOut(train, 0.1, random.split('validation'));
  return {
    ...{ kind, train: own, known: train },
    validate: (model) => rankingScores(model, own, held).ndcg,
    test: (model) => percent(rankingScores(model, train, test)),
  };
}

/** 500 validation and 500 test users, or a tenth each of smaller data. */
function strongTask(all: Interactions, random: Random): RecommendationTask {
  const users = Math.min(500, Math.floor(all.users.length / 10));
  const { train, validation, test } = strongSplit(all, users, random.split('users'));
  const scored = (model: Ranker, { input, held }: typeof test) =>
    historyScores(model as HistoryScorer, input, held, { recallOf: 'k' });
  return {
    ...{ kind: 'multvae', train, known: train },
    validate: (model) => scored(model, validation).ndcg,
    test: (model) => percent(scored(model, test)),
  };
}

function lastTask(all: Interactions, random: Random): RecommendationTask {
  const { train, validation, test } = lastOut(all);
  const member = new Membership(all);
  const candidates = all.users.map((_, user) =>
    member.negatives(user, CANDIDATES, random.split('candidates').split(user)),
  );
  const known = withLists(
    all,
    all.users.map((_, user) => [...itemsOf(all, user), ...(candidates[user] as Int32Array)]),
  );
  const seen = joined(train, validation);
  return {
    ...{ kind: 'neumf', train, known: freeFor(all, known) },
    validate: (model) => candidateScores(model, validation, candidates).ndcg,
    test: (model) => {
      const among = candidateScores(model, test, candidates);
      return { ...percent(rankingScores(model, seen, test)), among: 100 * among.hitRate, amongNdcg: 100 * among.ndcg };
    },
  };
}

/** What may not be drawn, unless that leaves nothing to draw: then the user's own items alone. */
function freeFor(all: Interactions, known: Interactions): Interactions {
  return withLists(
    all,
    all.users.map((_, user) => {
      const wide = itemsOf(known, user);
      return wide.length < all.items.length ? wide : itemsOf(all, user);
    }),
  );
}

export type TrainedRanker = Backbone & Ranker;

const share = { digits: 2, better: 'larger' } as const;
const count = { digits: 0, better: 'neither' } as const;

export const recommendationMetrics = {
  recall: { label: 'recall@20', unit: '%', ...share },
  ndcg: { label: 'NDCG@20', unit: '%', ...share },
  mrr: { label: 'MRR@20', unit: '%', ...share },
  hits: { label: 'hit rate@20', unit: '%', ...share },
  stored: { label: 'stored weights', ...count },
  training: { label: 'training', unit: 'G multiply-adds', digits: 2, better: 'smaller' },
  inference: { label: 'inference', unit: 'M multiply-adds', digits: 3, better: 'smaller' },
  peak: { label: 'weights, places and optimiser', unit: 'KB', digits: 0, better: 'smaller' },
  served: { label: 'saved weights', unit: 'KB', digits: 0, better: 'smaller' },
  drift: { label: 'weights off the budget, most after any step', digits: 0, better: 'smaller' },
  coverage: { label: 'places ever tried', unit: '%', digits: 0, better: 'neither' },
  seconds: relabelled(seconds, { digits: 1 }),
} as const;
