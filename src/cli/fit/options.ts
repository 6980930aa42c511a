// Hyperparameters of the models that `gossamer fit` trains, with their defaults. As data, so that
// help shows them without importing what trains.

import { choice, count, number, rate, share } from '../../experiments/parts/options.js';

export const dgmlpOptions = {
  steps: count(20, 'propagations'),
  depth: count(1, 'layers of the perceptron on the combined hops'),
  hidden: count(64, 'width of its hidden layers'),
  temperature: number(1, 'temperature of the weights of hops', { minimum: 0.03 }),
  dropout: share(0.2, 'dropout probability', { maximum: 0.99 }),
  epochs: count(200, 'epochs'),
  learningRate: rate(0.01, "Adam's learning rate"),
  weightDecay: number(5e-4, 'L2 weight decay', { minimum: 0 }),
} as const;

export const hyperpaveOptions = {
  hyperedges: choice(
    ['user', 'inventory', 'all', 'none'],
    'what joins products: lists, categories and values, or both',
  ),
  features: count(128, 'width'),
  textFeatures: count(256, 'numbers of a text vector'),
  trigrams: choice(['no', 'yes'], 'whether groups of three characters count beside words, against misspelling'),
  fusion: choice(['fixed', 'learnt'], 'weights of the kinds of hyperedges'),
  residual: choice(['yes', 'no'], 'paths around message passing; no: the released network'),
  score: choice(['cosine', 'dot'], 'of product and value; dot: that of the release'),
  includeSelf: choice(['yes', 'no'], 'whether a product is in the hyperedge of its own list; no: the release'),
  episodes: choice(['yes', 'no'], 'whether products and values are hidden in training steps'),
  validation: share(0.08, 'share of the values held out to choose epoch and threshold', { maximum: 0.5 }),
  epochs: count(100, 'epochs'),
  patience: count(30, 'epochs without a better score after which training stops'),
  learningRate: rate(2e-3, "AdamW's learning rate"),
  weightDecay: number(1e-4, 'decoupled weight decay', { minimum: 0 }),
} as const;
