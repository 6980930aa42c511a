// The models that `gossamer fit --model` names beside the estimators of tables. What trains is
// imported when it is asked for.

import { hypergraphLearners } from './hypergraph-learners.js';
import { type DataKind, defineLearner, type Learner } from './learner.js';
import { dgmlpOptions, hyperClusterOptions, hyperDropOptions } from './options.js';

export const learners: Readonly<Record<string, Learner>> = {
  dgmlp: defineLearner({
    about: 'classes of nodes, by their features or by the edges alone',
    data: 'graph',
    options: dgmlpOptions,
    load: async () => (await import('./nodes.js')).fitNodes,
  }),
  hyperdrop: defineLearner({
    about: 'classes of whole graphs, by their edges too',
    data: 'graphs',
    options: hyperDropOptions,
    load: async () => (await import('./graphs.js')).fitHyperDrop,
  }),
  hypercluster: defineLearner({
    about: 'vectors of whole graphs, from the types of their edges',
    data: 'graphs',
    options: hyperClusterOptions,
    load: async () => (await import('./graphs.js')).fitHyperCluster,
  }),
  ...hypergraphLearners,
};

/** The model of a kind of data where --model is left out; of tables, their estimators. */
export const usualLearner: Readonly<Partial<Record<DataKind, string>>> = { graph: 'dgmlp', graphs: 'hyperdrop' };
