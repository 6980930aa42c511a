// The models that `gossamer fit --model` names beside the estimators of tables. What trains is
// imported when it is asked for.

import { continualLearners } from './continual-learners.js';
import { graphLearners } from './graph-learners.js';
import { hypergraphLearners } from './hypergraph-learners.js';
import { type DataKind, defineLearner, type Learner } from './learner.js';
import {
  hdhgnOptions,
  hyperagentOptions,
  hyperClusterOptions,
  hyperDropOptions,
  hyperpaveOptions,
  hypinoOptions,
  logahOptions,
  metapruningOptions,
  semiPFLOptions,
  soundOptions,
} from './options.js';
import { pictureLearners } from './picture-learners.js';
import { recommendLearners } from './recommend-learners.js';

export const learners: Readonly<Record<string, Learner>> = {
  ...graphLearners,
  hyperpave: defineLearner({
    about: 'attribute values of products, also those that no product has yet',
    data: 'products',
    encodes: true,
    options: hyperpaveOptions,
    load: async () => (await import('./products.js')).fitCatalogue,
  }),
  hyperagent: defineLearner({
    about: 'which agents read each other, question by question; learnt from answers and tokens',
    data: 'team',
    talks: true,
    options: hyperagentOptions,
    load: async () => (await import('./team.js')).fitTeam,
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
  hdhgn: defineLearner({
    about: 'classes of source files (.py, .java, .ts), by their syntax trees',
    data: 'sources',
    options: hdhgnOptions,
    load: async () => (await import('./sources.js')).fitSources,
  }),
  semipfl: defineLearner({
    about: 'a classifier for each user of a table, in a simulated federation; few labels or none',
    data: 'table',
    options: semiPFLOptions,
    load: async () => (await import('./semipfl.js')).fitSemiPFL,
  }),
  ...Object.fromEntries(
    (['phc-seld-nano', 'phc-seld'] as const).map((name) => [
      name,
      defineLearner({
        about: 'events in WAV files of one or more channels, or classes of them',
        data: 'sounds',
        options: soundOptions,
        load: async () => {
          const { fitSounds } = await import('./sounds.js');
          return (path, request) => fitSounds(name, path, request);
        },
      }),
    ]),
  ),
  logah: defineLearner({
    about: 'initial weights of networks for pictures or a text, from their architectures',
    data: 'pictures',
    ofNetworks: true,
    options: logahOptions,
    load: async () => (await import('./hypernet.js')).fitHypernet,
  }),
  metapruning: defineLearner({
    about: 'how to change trained networks so that they lose little when pruned (--models, two or more)',
    data: 'pictures',
    ofNetworks: true,
    takesModels: true,
    options: metapruningOptions,
    load: async () => (await import('./metapruning.js')).fitMetanetwork,
  }),
  hypino: defineLearner({
    about: 'to solve differential equations, from a family of random ones: gentle, waves or published',
    data: 'problems',
    options: hypinoOptions,
    load: async () => (await import('./problems.js')).fitProblems,
  }),
  ...recommendLearners,
  ...hypergraphLearners,
  ...continualLearners,
  ...pictureLearners,
};

/** The model of a kind of data where --model is left out; of tables, their estimators. */
export const usualLearner: Readonly<Partial<Record<DataKind, string>>> = {
  graph: 'dgmlp',
  'hetero-graph': 'rphgnn',
  products: 'hyperpave',
  graphs: 'hyperdrop',
  team: 'hyperagent',
  sources: 'hdhgn',
  pictures: 'lsnet-nano',
  sounds: 'phc-seld-nano',
  points: 'count-softhgnn',
  interactions: 'lightgcn',
};
