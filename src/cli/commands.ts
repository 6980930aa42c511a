// The commands by name, each loaded when it is asked for.

import type { Command } from 'commander';

interface CommandEntry {
  readonly description: string;
  readonly load: () => Promise<Command>;
}

export const commands: Readonly<Record<string, CommandEntry>> = {
  list: {
    description: 'list the systems',
    load: async () => (await import('./list.js')).listCommand(),
  },
  info: {
    description: 'what a system, a model file, a table, a graph or a folder of pictures is',
    load: async () => (await import('./info.js')).infoCommand(),
  },
  solve: {
    description: 'solve a differential equation that a file states: finite differences, PINNs, HyPINO',
    load: async () => (await import('./solve.js')).solveCommand(),
  },
  diagnose: {
    description: 'report on a graph: whether directions matter, homophily, depth, and which network to try',
    load: async () => (await import('./diagnose/index.js')).diagnoseCommand(),
  },
  run: {
    description: 'train a system beside its baselines and check its claims',
    load: async () => (await import('./run.js')).runCommand(),
  },
  reproduce: {
    description: 'run the experiments at full size and keep what they gave in reproduction/ and REPRODUCTION.md',
    load: async () => (await import('./reproduce.js')).reproduceCommand(),
  },
  fit: {
    description: 'train a model on your own data: a table, a graph, a hypergraph, events, products or pictures',
    load: async () => (await import('./fit/index.js')).fitCommand(),
  },
  predict: {
    description: 'answer for new data with a saved model',
    load: async () => (await import('./predict.js')).predictCommand(),
  },
  train: {
    description: 'train a classifier on images',
    load: async () => (await import('./train.js')).trainCommand(),
  },
  classify: {
    description: 'name the classes of pictures',
    load: async () => (await import('./classify.js')).classifyCommand(),
  },
  models: {
    description: 'the table of image networks: parameters, multiply-adds, bytes, accuracy, latency',
    load: async () => (await import('./image-models.js')).imageModelsCommand(),
  },
  compress: {
    description: 'make a trained classifier of images smaller and faster',
    load: async () => (await import('./compress.js')).compressCommand(),
  },
  search: {
    description: 'search the architecture that suits your data, and train it',
    load: async () => (await import('./search/index.js')).searchCommand(),
  },
  lm: {
    description: 'train and run language models',
    load: async () => (await import('./lm.js')).lmCommand(),
  },
  serve: {
    description: 'serve a language model over HTTP, as OpenAI does',
    load: async () => (await import('./serve.js')).serveCommand(),
  },
  federated: {
    description: 'learn personal models with others, whose rows stay with them: serve, join',
    load: async () => (await import('./federated.js')).federatedCommand(),
  },
  embed: {
    description: 'embed the nodes of a graph',
    load: async () => (await import('./embed/index.js')).embedCommand(),
  },
  tell: {
    description: 'which tests of isomorphism tell graphs apart, and what networks can therefore learn',
    load: async () => (await import('./tell.js')).tellCommand(),
  },
  count: {
    description: 'count a pattern, such as triangles or a substructure of your own, in graphs, at nodes or edges',
    load: async () => (await import('./count.js')).countCommand(),
  },
  peer: {
    description: 'search items with others, who share their clicks, without a server: start, search',
    load: async () => (await import('./peer.js')).peerCommand(),
  },
  rank: {
    description: 'rank nodes by personalised PageRank from each node, or from some; rank items by clicks',
    load: async () => (await import('./rank.js')).rankCommand(),
  },
};
