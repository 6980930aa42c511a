// Recommenders that answer by names, from a file: who has what, the weights, and what to recommend.

import { type Interactions, itemsOf, type ModelKind, readModelFile, writeModelFile } from '../data/index.js';
import { Random, type Tensor, tensor } from '../tensor/index.js';
import type { Backbone } from './backbone.js';
import { LightGCN, type LightGCNOptions } from './lightgcn.js';
import { type HistoryScorer, mask, type Scorer, topItems } from './metrics.js';
import { MultVAE, type MultVAEOptions } from './multvae.js';
import { ItemKNN, type ItemKNNOptions, Popularity } from './neighbours.js';
import { NeuMF, type NeuMFOptions } from './neumf.js';
import { loadWeights, stateOf } from './training.js';

/** Recommenders that are trained; `bpr` is LightGCN without layers: matrix factorisation. */
export const trainedKinds = ['lightgcn', 'bpr', 'multvae', 'neumf'] as const;
/** All recommenders. */
export const recommenderKinds = [...trainedKinds, 'item-knn', 'popularity'] as const;

/** A recommender that is trained. */
export type TrainedKind = (typeof trainedKinds)[number];
/** Any recommender. */
export type RecommenderKind = (typeof recommenderKinds)[number];

/** Options of the recommenders; each takes its own. */
export type RecommenderOptions = LightGCNOptions & MultVAEOptions & NeuMFOptions & ItemKNNOptions;

/** A recommender with new weights. */
export function makeBackbone(
  kind: TrainedKind,
  data: Interactions,
  random: Random,
  options: RecommenderOptions = {},
): Backbone & Partial<HistoryScorer> {
  if (kind === 'multvae') return new MultVAE(data, random, options) as Backbone & HistoryScorer;
  if (kind === 'neumf') return new NeuMF(data, random, options) as Backbone;
  const layers = kind === 'bpr' ? { layers: 0 } : {};
  return new LightGCN(data, random, { ...options, ...layers }) as Backbone & HistoryScorer;
}

/** What made the lists of recommendations. */
export type AnsweredBy = 'model' | 'history' | 'popularity';

/** A list for one user. */
export interface Recommendations {
  /**
   * `model`: the model knows the user; `history`: from given items alone; `popularity`: neither is
   * known, and everyone would get this list.
   */
  readonly by: AnsweredBy;
  /** The best first. */
  readonly items: readonly { readonly item: string; readonly score: number }[];
}

/** How the model of a file was made. */
export interface RecommenderDescription {
  /** Which recommender it is. */
  readonly kind: RecommenderKind;
  /** Options of the recommender. */
  readonly options: Readonly<Record<string, number | string>>;
  /** Names of the users, in the order of their numbers. */
  readonly users: readonly string[];
  /** Names of the items, likewise. */
  readonly items: readonly string[];
  /** What it learnt from, and how well. */
  readonly trained: {
    readonly data: string;
    /** Stored weights, and entries of all matrices. */
    readonly stored: number;
    readonly entries: number;
    /** On held-out interactions, by name. */
    readonly scores: Readonly<Record<string, number>>;
  };
}

/** Files of recommenders. */
export const RECOMMENDER: ModelKind = {
  system: 'recommender',
  version: '1',
  madeBy: 'gossamer fit --task recommend',
};

/** A recommender with names; seen items are never recommended. */
export class Recommender {
  readonly #users: ReadonlyMap<string, number>;
  readonly #items: ReadonlyMap<string, number>;
  readonly #popularity: Popularity;

  /** @param history all interactions that are known, also those that were held out */
  constructor(
    readonly description: RecommenderDescription,
    readonly scorer: Scorer & Partial<HistoryScorer>,
    readonly history: Interactions,
    readonly backbone?: Backbone,
  ) {
    this.#users = new Map(description.users.map((name, user) => [name, user]));
    this.#items = new Map(description.items.map((name, item) => [name, item]));
    this.#popularity = new Popularity(history);
  }

  /** Whether the model has seen a user. */
  knowsUser(name: string): boolean {
    return this.#users.has(name);
  }

  /** Whether the model has seen an item. */
  knowsItem(name: string): boolean {
    return this.#items.has(name);
  }

  /**
   * The best items for a user, without those that it has.
   *
   * @param history further items of the user; those that the model does not know are ignored
   * @throws RangeError unless top is a positive integer
   */
  recommend(user: string, top = 20, history: readonly string[] = []): Recommendations {
    if (!(Number.isInteger(top) && top >= 1)) throw new RangeError(`top must be a positive integer, got ${top}`);
    const given = history.flatMap((name) => this.#items.get(name) ?? []);
    const known = this.#users.get(user);
    const own = known === undefined ? [] : itemsOf(this.history, known);
    const seen = Int32Array.from(new Set([...own, ...given]));
    const { by, scores } = this.#scores(known, seen, given.length > 0);
    const list = topItems(mask(scores, seen), top);
    return {
      by,
      items: Array.from(list, (item) => ({
        item: this.description.items[item] as string,
        score: scores[item] as number,
      })),
    };
  }

  /** The model file: weights in CSR, interactions and names. */
  save(): Uint8Array {
    const { indptr, indices } = this.history;
    const weights = this.backbone ? stateOf(this.backbone.weights) : {};
    return writeModelFile(RECOMMENDER, this.description, {
      'history.offsets': tensor(indptr),
      'history.items': tensor(indices),
      ...Object.fromEntries(Object.entries(weights).map(([name, values]) => [`weights.${name}`, values])),
    });
  }

  /** Reads a file of `save`. @throws Error when it is none, or damaged */
  static load(bytes: Uint8Array, name = 'model'): Recommender {
    const { description, tensors } = readModelFile<RecommenderDescription>(RECOMMENDER, bytes, name);
    const [offsets, items] = [tensors['history.offsets'], tensors['history.items']];
    if (!offsets || !items) throw new Error(`file "${name}" is damaged: it holds no interactions`);
    const { users, items: itemNames, kind, options } = description;
    const history: Interactions = {
      ...{ name, users, items: itemNames },
      indptr: offsets.dataSync<Int32Array>(),
      indices: items.dataSync<Int32Array>(),
    };
    if (history.indptr.length !== users.length + 1 || history.indptr.at(-1) !== history.indices.length)
      throw new Error(`file "${name}" is damaged: its interactions do not fit its ${users.length} users`);
    if (kind === 'popularity') return new Recommender(description, new Popularity(history), history);
    if (kind === 'item-knn') return new Recommender(description, new ItemKNN(history, options), history);
    const backbone = makeBackbone(kind, history, new Random(0), { ...options, init: 'exact' } as RecommenderOptions);
    const weights: Record<string, Tensor> = {};
    for (const [key, own] of Object.entries(tensors))
      if (key.startsWith('weights.')) weights[key.slice('weights.'.length)] = own;
    loadWeights(backbone.weights, weights);
    backbone.refresh();
    return new Recommender(description, backbone, history, backbone);
  }

  #scores(user: number | undefined, seen: Int32Array, isGiven: boolean): { by: AnsweredBy; scores: Float32Array } {
    const { scorer } = this;
    if (user !== undefined && (!isGiven || !scorer.scoresOf)) {
      return seen.length === 0 && !(this.backbone instanceof NeuMF)
        ? { by: 'popularity', scores: this.#popularity.scores() }
        : { by: 'model', scores: scorer.scores(user) };
    }
    if (isGiven && scorer.scoresOf && this.description.kind !== 'popularity')
      return { by: 'history', scores: scorer.scoresOf(seen) };
    return { by: 'popularity', scores: this.#popularity.scores() };
  }
}

/** A recommender of the interactions that it was trained on. */
export function recommenderOf(
  kind: RecommenderKind,
  scorer: Scorer & Partial<HistoryScorer>,
  history: Interactions,
  about: Pick<RecommenderDescription, 'options' | 'trained'>,
): Recommender {
  const { users, items } = history;
  const backbone = 'weights' in scorer ? (scorer as Backbone) : undefined;
  return new Recommender({ kind, ...about, users, items }, scorer, history, backbone);
}
