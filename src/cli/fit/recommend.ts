// Recommenders from interactions: held-out ones say how good it is, then it learns from all.

import type { InteractionSet, Interactions } from '../../data/index.js';
import { loadInteractions } from '../../data/node.js';
import { tensorMemoryBudget } from '../../engine/index.js';
import { phaseCheckpoints, type TrainingHooks } from '../../nn/index.js';
import {
  type Backbone,
  type DSLOptions,
  holdOut,
  ItemKNN,
  joined,
  makeBackbone,
  Popularity,
  type RankingScores,
  type RecommenderKind,
  type RecommenderOptions,
  rankingScores,
  recommenderOf,
  type Scorer,
  storedWeights,
  type TrainedKind,
  trainRecommender,
} from '../../recommend/index.js';
import type { Random } from '../../tensor/index.js';
import { compact } from '../bar.js';
import { tableOptionsOf } from '../tables.js';
import type { FitRequest, Fitted } from './learner.js';

/** What --model names: a recommender, or dsl, which is a sparse LightGCN. */
export type RecommenderName = RecommenderKind | 'dsl';

/** Values of all recommenders; each has its own. */
type Values = Readonly<Record<string, number | string>>;
type Request = Omit<FitRequest, 'values'> & { readonly values: Values };

/** Share of each user's items that is held out for the scores, and of the rest for choices. */
const [TEST, VALIDATION] = [0.2, 0.1];
/** Multiply-adds of similarities between items beyond which nearest items are no baseline. */
const MOST_SIMILARITIES = 2e8;

/** What the training is told, beside the data. */
interface Plan {
  readonly kind: TrainedKind;
  readonly values: Values;
  readonly random: Random;
}

/** The epochs of a first training on a part are chosen by validation; a second one has all. */
export async function fitRecommender(name: RecommenderName, path: string, request: Request): Promise<Fitted> {
  const { values, random, hooks, note } = request;
  const set = await loaded(path, request);
  for (const text of set.notes) note(text);
  const { train, test, all } = parts(set, random);
  const kind: RecommenderKind = name === 'dsl' ? 'lightgcn' : name;
  const k = values.k as number;
  const scored = (scorer: Scorer) => rankingScores(scorer, train, test, { k });
  const opening = `${path}: ${all.users.length} users, ${all.items.length} items, ${all.indices.length} interactions`;
  const heading = `on ${test.indices.length} held-out interactions of ${scored(new Popularity(train)).users} users, among all items but those already seen:`;
  const baselines = baselineLines(train, kind, k, scored);
  const finish = (
    scorer: Scorer,
    own: RankingScores,
    lines: readonly string[],
    stored: number,
    entries: number,
  ): Fitted => {
    const model = recommenderOf(kind, scorer, all, {
      options: shapeOf(kind, values),
      trained: { data: path, stored, entries, scores: { ...ownScores(own, k) } },
    });
    return {
      file: () => model.save(),
      lines: [opening, heading, scoreLine(nameOf(name, values), own, k), ...baselines, ...lines],
      scores: ownScores(own, k),
      stopped: 'completed',
    };
  };
  if (kind === 'item-knn' || kind === 'popularity') {
    const on = (data: Interactions) => (kind === 'popularity' ? new Popularity(data) : new ItemKNN(data, values));
    return finish(on(all), scored(on(train)), [], 0, 0);
  }
  const plan = { kind, values, random };
  const checkpoints = phaseCheckpoints(hooks.checkpoint, ['chosen', 'whole']);
  const phase = (own: keyof typeof checkpoints): TrainingHooks => ({ ...hooks, checkpoint: checkpoints[own] });
  const dense = values.compare === 'dense' ? await denseBeside(plan, train, scored, hooks) : undefined;
  if (dense?.stopped === 'aborted') return aborted();
  const chosen = await trained(plan, train, phase('chosen'));
  if (chosen.stopped === 'aborted') return aborted();
  const own = scored(chosen.model);
  const epochs = chosen.result.bestEpoch ?? (values.epochs as number);
  const whole = await trained(plan, all, phase('whole'), epochs);
  if (whole.stopped === 'aborted') return aborted();
  const { weights } = whole.model;
  const [stored, entries] = [storedWeights(weights), Object.values(weights).reduce((sum, { size }) => sum + size, 0)];
  const { peakBytes, coverage } = whole.result;
  return finish(
    whole.model,
    own,
    [
      ...(dense ? [scoreLine('the dense model', dense.scores as RankingScores, k)] : []),
      `then learnt from all interactions, for the ${epochs} epochs that validation chose: ${stored} of ${entries} weights are stored` +
        (stored < entries ? ` (${(100 * coverage).toFixed(0)} % of the sparse ones were tried)` : ''),
      `weights, their places and the optimiser took ${compact(peakBytes)}B in training`,
    ],
    stored,
    entries,
  );
}

const aborted = (): Fitted => ({ lines: [], scores: {}, stopped: 'aborted' });

async function loaded(path: string, { values, reading }: Request): Promise<InteractionSet> {
  const least = values.least as number;
  return loadInteractions(path, { ...tableOptionsOf(reading), ...(least > 0 && { least }) });
}

function parts({ train, test }: InteractionSet, random: Random) {
  if (test) return { train, test, all: joined(train, test) };
  const split = holdOut(train, TEST, random.split('test'));
  if (split.held.indices.length === 0)
    throw new Error(
      `"${train.name}": no user has two interactions, so that nothing can be learnt about what goes together`,
    );
  return { train: split.train, test: split.held, all: train };
}

const nameOf = (name: RecommenderName, { density = 1 }: Values): string =>
  density === 1 ? name : `${name}, density ${density}`;

/** Options that the file must keep, so that a model of the same shape can be made. */
function shapeOf(kind: RecommenderKind, values: Values): Values {
  const kept = {
    ...{ lightgcn: ['dim', 'layers', 'density'], bpr: ['dim', 'density'], multvae: ['hidden', 'latent', 'density'] },
    ...{ neumf: ['dim', 'density'], 'item-knn': ['neighbours', 'shrink'], popularity: [] },
  } satisfies Record<RecommenderKind, readonly string[]>;
  return Object.fromEntries(kept[kind].map((name) => [name, values[name] as number]));
}

const ownScores = ({ recall, ndcg, mrr, hitRate }: RankingScores, k: number) => ({
  [`recall@${k}`]: recall,
  [`NDCG@${k}`]: ndcg,
  [`MRR@${k}`]: mrr,
  [`hit rate@${k}`]: hitRate,
});

function scoreLine(title: string, scores: RankingScores, k: number): string {
  const all = Object.entries(ownScores(scores, k)).map(([name, value]) => `${name} ${value.toFixed(3)}`);
  return `  ${title}: ${all.join(', ')}`;
}

function baselineLines(
  train: Interactions,
  kind: RecommenderKind,
  k: number,
  scored: (scorer: Scorer) => RankingScores,
): string[] {
  const { indptr } = train;
  const work = train.users.reduce(
    (sum, _, user) => sum + ((indptr[user + 1] as number) - (indptr[user] as number)) ** 2,
    0,
  );
  return [
    ...(kind === 'popularity' ? [] : [scoreLine('popularity', scored(new Popularity(train)), k)]),
    ...(kind === 'item-knn' || work > MOST_SIMILARITIES
      ? []
      : [scoreLine('nearest items', scored(new ItemKNN(train)), k)]),
  ];
}

async function denseBeside(
  { kind, values, random }: Plan,
  train: Interactions,
  scored: (scorer: Scorer) => RankingScores,
  { signal }: Required<TrainingHooks>,
) {
  const { model, stopped } = await trained({ kind, values: { ...values, density: 1 }, random }, train, { signal });
  return { stopped, scores: stopped === 'aborted' ? undefined : scored(model) };
}

/** Trains on a part, where held-out items choose the epoch; or on all, for given epochs. */
async function trained({ kind, values, random }: Plan, data: Interactions, hooks: TrainingHooks, epochs?: number) {
  const split = epochs === undefined ? holdOut(data, VALIDATION, random.split('validation')) : undefined;
  const own = split?.train ?? data;
  requireMemory(kind, own, values);
  const model = makeBackbone(kind, own, random.split('weights'), {
    ...values,
    known: data,
  } as unknown as RecommenderOptions);
  const total = epochs ?? (values.epochs as number);
  const metric = () => rankingScores(model, own, split?.held as Interactions, { k: values.k as number }).ndcg;
  const result = await trainRecommender(model, random.split('fit'), {
    ...hooks,
    epochs: total,
    learningRate: values.learningRate as number,
    finalRate: kind === 'lightgcn' || kind === 'bpr' ? 0.01 : 1,
    dsl: sparsityOf(values, total * model.stepsPerEpoch),
    ...(split && { validate: metric }),
  });
  return { model: model as Backbone & Scorer, result, stopped: result.stopped };
}

function sparsityOf(values: Values, steps: number): DSLOptions {
  const { interval, grow, prune, schedule, redistribution, protectRows } = values as Record<string, string>;
  const every = Number(interval) || Math.max(2, Math.round(steps / 40));
  if (grow === 'none') return { interval: 0 };
  return { interval: every, grow, prune, schedule, redistribution, protectRows: protectRows === 'yes' } as DSLOptions;
}

/** @throws Error when activations cannot be held, with what would help */
function requireMemory(kind: TrainedKind, { users, items }: Interactions, values: Values): void {
  const rows = users.length + items.length;
  const graph = 8 * 4 * rows * Number(values.dim ?? 0);
  const weights = 12 * 2 * items.length * Number(values.hidden ?? 0) * Number(values.density ?? 1);
  const bytes = kind === 'multvae' ? weights : graph;
  if (bytes > tensorMemoryBudget())
    throw new Error(
      `training needs about ${compact(bytes)}B of ${compact(tensorMemoryBudget())}B: make ${kind === 'multvae' ? '--density or --set hidden' : '--set dim'} smaller`,
    );
}
