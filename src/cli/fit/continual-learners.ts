// Models of tasks that arrive one after another, as `gossamer fit --model` names them.

import { dependencyOptions, hyperIntervalOptions } from './continual-options.js';
import { defineLearner, type Learner } from './learner.js';

export const continualLearners: Readonly<Record<string, Learner>> = {
  hyperinterval: defineLearner({
    about: 'tasks one after another, in folders or tables; bounds within which each stays solved',
    data: 'tasks',
    continues: true,
    options: hyperIntervalOptions,
    load: async () => (await import('./continual.js')).fitHyperInterval,
  }),
  'dp-hypernet': defineLearner({
    about: 'tasks one after another, in folders or tables; a recurrent hypernetwork, which can grow',
    data: 'tasks',
    continues: true,
    options: dependencyOptions,
    load: async () => (await import('./continual.js')).fitDependencyHypernet,
  }),
};
