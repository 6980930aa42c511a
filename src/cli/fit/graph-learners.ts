// Models of graphs that `gossamer fit` trains.

import type { OptionTable } from '../../experiments/parts/options.js';
import type { NetworkName } from '../../graph/index.js';
import { fastrpOptions, fullyPprOptions, h4gOptions, networkOptions, rphgnnOptions } from './graph-options.js';
import { defineLearner, type Learner } from './learner.js';
import {
  plainGraphOptions,
  ppgnOptions,
  readoutNames,
  readoutOptions,
  subgraphOptions,
} from './whole-graph-options.js';

const about: Readonly<Record<NetworkName, string>> = {
  dgmlp: 'classes of nodes by hops weighted for each node; deep, and light to train',
  gcn: 'classes of nodes by graph convolutions',
  sgc: 'classes of nodes by a linear classifier of propagated features',
  sage: 'classes of nodes by their own features and the mean of their neighbours',
  gat: 'classes of nodes by attention over neighbours',
  gatv2: 'classes of nodes by attention that depends on both ends of an edge',
  appnp: 'classes of nodes by a perceptron and personalised PageRank',
  jknet: 'classes of nodes by the outputs of all convolutions',
  gcnii: 'classes of nodes by deep convolutions with initial residuals',
  gin: 'classes of nodes by sums over neighbours',
  'dir-gcn': 'by convolutions over out- and in-neighbours, each with weights of its own',
  'dir-sage': 'by a node and the means of its out- and in-neighbours',
  'dir-gat': 'by attention over out- and in-neighbours',
  dgcn: 'by edges and by neighbours in common, of both directions',
  'light-dic': 'by a linear classifier of complex propagated features; directed, and light to train',
  a2dug: 'by features aggregated along and against arcs, and adjacency lists',
  adpa: 'by six patterns of arcs with attention over hops',
  magnet: 'by filters of the magnetic Laplacian, whose phases are directions',
  digcn: 'by the PageRank of a directed graph as a symmetric operator',
  'digcn-ib': 'by inception blocks of neighbourhoods of order 0 to 2',
  'directed-transformer': 'by attention between all nodes that knows directions (up to 4,000 nodes)',
  'directed-walk': 'by attention over walks along and against arcs',
  mlp: 'classes of nodes by their features alone, without edges',
};

const nodeLearners = Object.fromEntries(
  Object.entries(networkOptions).map(([name, options]): [string, Learner] => [
    name,
    defineLearner({
      about: about[name as NetworkName],
      data: 'graph',
      tasks: ['classes', 'number', 'direction', 'existence', 'three-class', 'links'],
      options: options as OptionTable,
      load: async () => (await import('./nodes.js')).nodeFit(name as NetworkName),
      ...ofGraphs(name),
    }),
  ]),
);

/** What a network of nodes does with sets of graphs, where it has a readout. */
function ofGraphs(name: string): Pick<Learner, 'ofGraphs'> {
  const known = readoutNames.find((own) => own === name);
  if (!known) return {};
  const load = async () => (await import('./whole-graphs.js')).readoutFit(known);
  return { ofGraphs: { options: readoutOptions(known), load } };
}

/** All models of graphs. */
export const graphLearners: Readonly<Record<string, Learner>> = {
  ...nodeLearners,
  rphgnn: defineLearner({
    about: 'classes of the nodes of one type among several, by random projections of what relations bring',
    data: 'hetero-graph',
    tasks: ['class', 'labels'],
    options: rphgnnOptions,
    load: async () => (await import('./hetero.js')).fitHetero,
  }),
  fastrp: defineLearner({
    about: 'labels of nodes, one or several each, or links, by random projections of the edges alone',
    data: 'graph',
    tasks: ['labels', 'links'],
    options: fastrpOptions,
    load: async () => (await import('./embeddings.js')).fitEmbedding,
  }),
  h4g: defineLearner({
    about: 'classes of nodes that no training graph has, from texts of nodes and of classes',
    data: 'graph',
    several: true,
    encodes: true,
    options: h4gOptions,
    load: async () => (await import('./text-graphs.js')).fitTexts,
  }),
  'sswl-plus': defineLearner({
    about: 'classes or numbers of whole graphs, by subgraphs of each node: GNN-SSWL⁺ and weaker classes',
    data: 'graphs',
    options: subgraphOptions,
    load: async () => (await import('./whole-graphs.js')).fitSubgraphs,
  }),
  'ppgn++': defineLearner({
    about: 'classes or numbers of whole graphs, by products of features of pairs and counts that these cannot make',
    data: 'graphs',
    options: ppgnOptions,
    load: async () => (await import('./whole-graphs.js')).fitPolynomials,
  }),
  gine: defineLearner({
    about: 'classes or numbers of whole graphs, by message passing with features of edges',
    data: 'graphs',
    options: plainGraphOptions,
    load: async () => (await import('./whole-graphs.js')).fitPlain,
  }),
  'fully-ppr': defineLearner({
    about: 'nodes ranked for each node, or the classes of nodes near it, by personalised PageRank',
    data: 'graph',
    tasks: ['ranking', 'classes'],
    options: fullyPprOptions,
    load: async () => (await import('./ranking.js')).fitRanking,
  }),
};
