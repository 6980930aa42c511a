// The recommenders that `gossamer fit --model` names, with their options as data.

import { choice, count, number, type OptionTable, rate, share } from '../../experiments/parts/options.js';
import { defineLearner, type Learner } from './learner.js';

/** What all recommenders take. */
const reading = {
  least: number(0, 'least weight, such as a rating, that is an interaction; 0: any above 0', { minimum: 0 }),
  k: count(20, 'length of the lists that are scored'),
} as const;

/** What all trained recommenders take. */
const training = (epochs: number, learningRate: number, density: number) =>
  ({
    ...reading,
    density: share(density, 'stored share of the sparse weights, from the first step on', { minimum: 0.001 }),
    epochs: count(epochs, 'epochs'),
    learningRate: rate(learningRate, "Adam's learning rate"),
    interval: count(0, 'steps from one exploration to the next; 0: a fortieth of all', { minimum: 0 }),
    prune: choice(['magnitude', 'set', 'taylor', 'threshold'], 'which weights an exploration removes'),
    grow: choice(['gradient', 'random', 'unfired', 'momentum', 'none'], 'which it adds; none: the mask stays'),
    schedule: choice(['cosine', 'linear', 'constant'], 'how the exchanged share falls from a half'),
    init: choice(['exact', 'bernoulli', 'lotteryTicket'], 'which weights are stored at first'),
    redistribution: choice(['within', 'global'], 'weights move within a matrix, or among all'),
    protectRows: choice(['no', 'yes'], 'whether each user and item keeps at least one weight'),
    compare: choice(['no', 'dense'], 'dense: also trains and scores the dense model'),
  }) as const;

const graph = { batch: count(1024, 'interactions in a batch') } as const;
const propagated = (density: number) =>
  ({
    ...training(100, 1e-2, density),
    dim: count(64, 'numbers of an embedding'),
    layers: count(3, 'layers'),
    ...graph,
  }) as const;

/** Options of each recommender. */
export const recommenderOptions = {
  lightgcn: propagated(1),
  dsl: propagated(0.1),
  bpr: { ...training(100, 1e-2, 1), dim: count(64, 'numbers of an embedding'), ...graph },
  multvae: {
    ...training(60, 1e-3, 1),
    hidden: count(600, 'width of the hidden layers'),
    latent: count(200, 'width of the code of a user'),
    batch: count(16, 'users in a batch'),
  },
  neumf: {
    ...training(40, 1e-3, 1),
    dim: count(16, 'width of each embedding, an even number', { minimum: 2 }),
    batch: count(512, 'interactions in a batch'),
    negatives: count(4, 'items without interaction for each with one'),
  },
  'item-knn': {
    ...reading,
    neighbours: count(100, 'neighbours that an item keeps'),
    shrink: number(10, 'added to the norms, against chance among rare items', { minimum: 0 }),
  },
  popularity: reading,
} as const satisfies Readonly<Record<string, OptionTable>>;

type RecommenderName = keyof typeof recommenderOptions;

const about: Readonly<Record<RecommenderName, string>> = {
  lightgcn: 'items for users, by propagation on the graph of interactions; --density 0.1 keeps it sparse',
  dsl: 'lightgcn with a tenth of the weights, trained sparse from scratch (dynamic sparse learning)',
  bpr: 'items for users, by matrix factorisation',
  multvae: 'items for users, also new ones from a list of their items',
  neumf: 'items for users, by a perceptron on embeddings',
  'item-knn': 'items for users, by the nearest of their items; needs no training',
  popularity: 'the same items for everyone, by number of users; a baseline',
};

export const recommendLearners: Readonly<Record<string, Learner>> = Object.fromEntries(
  (Object.keys(recommenderOptions) as RecommenderName[]).map((name) => [
    name,
    defineLearner({
      about: about[name],
      data: 'interactions',
      tasks: ['recommend'],
      options: recommenderOptions[name],
      load: async () => {
        const { fitRecommender } = await import('./recommend.js');
        return (path, request) => fitRecommender(name, path, request as Parameters<typeof fitRecommender>[2]);
      },
    }),
  ]),
);
