// Hyperparameters of models of tasks that arrive one after another.

import { choice, count, number, rate, text } from '../../experiments/parts/options.js';

const common = {
  steps: count(500, 'steps of a task'),
  batch: count(64, 'rows or pictures of a step'),
  learningRate: rate(1e-3, "Adam's learning rate"),
  hidden: count(50, 'units of each of the two hidden layers of a task’s network'),
  channels: text('', 'pictures: widths of 3 × 3 convolutions, such as 16,32, in place of hidden layers'),
  strength: number(0.01, 'β: how firmly earlier tasks are held', { minimum: 0 }),
  embedding: count(24, 'numbers of a task’s embedding'),
  classes: count(0, 'most classes of a task; 0: ten, or those of the first', { minimum: 0 }),
  scenario: choice(
    ['task', 'domain'],
    'task: each has classes of its own; domain: all share theirs, HyperInterval makes one network',
  ),
  tasks: text('task', 'tables: the column that names the task of each row; without it the file is one task'),
  testRows: number(0.1, 'tables: share of the rows of a task that is kept for testing', { minimum: 0, maximum: 0.9 }),
} as const;

/** Options of HyperInterval. */
export const hyperIntervalOptions = {
  ...common,
  epsilon: number(0.1, 'ε: the radii of a box add up to it', { minimum: 0 }),
  kappa: number(0.5, 'κ: share of the loss that the middle has, not the worst case', { minimum: 0, maximum: 1 }),
  width: count(75, 'units of each of the two hidden layers of the hypernetwork'),
} as const;

/** Options of the recurrent hypernetwork. */
export const dependencyOptions = {
  ...common,
  learningRate: rate(3e-3, "Adam's learning rate"),
  strength: number(0.1, 'β: how firmly earlier tasks are held', { minimum: 0 }),
  units: count(32, 'units of the recurrent hypernetwork'),
  chunk: count(200, 'weights that a step makes; 0: a layer', { minimum: 0 }),
  importance: choice(['full', 'step', 'none'], 'what earlier tasks are held by: each weight, each step, all alike'),
  coupling: number(0, 'λ_h/β: how firmly outputs of the units are held beside the weights', { minimum: 0 }),
  growEvery: count(0, 'tasks after which units are added; 0: never', { minimum: 0 }),
} as const;
