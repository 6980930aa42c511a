// Hyperparameters of the models that `gossamer fit` trains, with their defaults. As data, so that
// help shows them without importing what trains.

import { count, number, rate, share } from '../../experiments/parts/options.js';

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
