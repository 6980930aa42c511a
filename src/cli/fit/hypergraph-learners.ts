// The models of hypergraphs and of events that `gossamer fit --model` names.

import { conhdOptions, countOptions, lighthgnnOptions, natOptions } from './hypergraph-options.js';
import { defineLearner, type Learner } from './learner.js';

export const hypergraphLearners: Readonly<Record<string, Learner>> = {
  conhd: defineLearner({
    about: 'a class for each vertex in each hyperedge, such as a role',
    data: 'hypergraph',
    options: conhdOptions,
    load: async () => (await import('./incidences.js')).fitIncidences,
  }),
  lighthgnn: defineLearner({
    about: 'classes of vertices, by a perceptron that a hypergraph network teaches',
    data: 'hypergraph',
    options: lighthgnnOptions,
    load: async () => (await import('./vertices.js')).fitVertices,
  }),
  'count-softhgnn': defineLearner({
    about: 'how many things are in a picture, and where; from points.csv (picture,x,y)',
    data: 'points',
    options: countOptions,
    load: async () => (await import('./counting.js')).fitCounts,
  }),
  nat: defineLearner({
    about: 'who meets whom next, from events source,target,time',
    data: 'events',
    options: natOptions,
    load: async () => (await import('./events.js')).fitEvents,
  }),
};
