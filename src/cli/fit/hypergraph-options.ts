// Hyperparameters of the models of hypergraphs and of events, with their defaults.

import { choice, count, number, rate, share, text } from '../../experiments/parts/options.js';

export const conhdOptions = {
  layers: count(2, 'diffusion steps'),
  hidden: count(32, 'width', { minimum: 4 }),
  block: choice(['mean', 'induced', 'pairs'], 'equivariant block: UNB, ISAB or SAB'),
  positions: choice(['ranks', 'none'], 'ranks of a vertex within its hyperedge by four centralities'),
  vectors: count(40, 'singular vectors in the inputs of vertices without features'),
  dropout: share(0.3, 'dropout probability', { maximum: 0.99 }),
  epochs: count(40, 'epochs at most, each followed by a validation'),
  steps: count(200, 'batches in an epoch at most'),
  batch: count(64, 'hyperedges in a batch'),
  cap: count(40, 'most hyperedges of a vertex in a training batch'),
  patience: count(10, 'epochs without a better validation score after which training stops'),
  learningRate: rate(3e-3, "Adam's learning rate"),
} as const;

export const lighthgnnOptions = {
  teacher: choice(['hgnn', 'hgnnp', 'hnhn', 'unigcn', 'gcn', 'gat'], 'network that teaches'),
  student: choice(['plus', 'plain'], 'plus: LightHGNN⁺, which agrees with the teacher on reliable hyperedges too'),
  hidden: count(32, "teacher's width"),
  studentHidden: count(128, "student's width"),
  dropout: share(0.5, 'dropout probability', { maximum: 0.99 }),
  lambda: share(0, 'share of the ground-truth term while distilling'),
  projections: count(64, 'random projections of the neighbours of vertices without features'),
  epochs: count(200, 'epochs of the teacher and of the student'),
  learningRate: rate(0.01, "Adam's learning rate"),
  weightDecay: number(5e-4, 'L2 weight decay', { minimum: 0 }),
} as const;

/** Of counters of things in pictures. */
export const countOptions = {
  tile: count(96, 'side in pixels of the squares that pictures are cut into, a multiple of 8', { minimum: 8 }),
  scale: number(1, 'factor of height and width of pictures, by which things have about 8 to 32 pixels', {
    minimum: 0.01,
    maximum: 8,
  }),
  hyperedges: count(8, 'soft hyperedges that every square uses'),
  heads: count(8, 'heads, a divisor of 64, which set the temperature'),
  dynamic: count(0, 'further hyperedges of which each square uses k; 0: none', { minimum: 0 }),
  k: count(16, 'how many of them'),
  validation: share(0.1, 'share of the pictures that chooses the epoch', { minimum: 0.01, maximum: 0.5 }),
  epochs: count(40, 'epochs, of which the best on validation pictures is kept'),
  batch: count(16, 'squares in a step'),
  learningRate: rate(1e-3, "Adam's largest learning rate"),
  density: number(0.01, 'weight of the error of the density beside that of the count', { minimum: 0 }),
  mirror: choice(['yes', 'no'], 'whether half of the squares are mirrored'),
} as const;

export const natOptions = {
  epochs: count(20, 'epochs at most'),
  patience: count(3, 'epochs without a better validation score after which training stops'),
  batch: count(100, 'events of a training step, scored before any of them is taken in'),
  learningRate: rate(1e-3, "Adam's learning rate"),
  width: count(72, 'width of self-representations'),
  near: count(32, 'slots of the 1-hop cache'),
  far: count(16, 'slots of the 2-hop cache; 0: one hop', { minimum: 0 }),
  dropout: share(0.1, 'dropout probability', { maximum: 0.99 }),
  timeUnit: number(0, 'times are divided by it; 0: the median time between events of a node', { minimum: 0 }),
  features: text('all', 'columns of numbers that are features of events, separated by commas; all or none'),
} as const;
