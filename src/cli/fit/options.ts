// Hyperparameters of the models that `gossamer fit` trains, with their defaults. As data, so that
// help shows them without importing what trains.

import { choice, count, number, rate, share, text } from '../../experiments/parts/options.js';

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

export const hyperagentOptions = {
  chatModel: text('default', 'model of agents that name none, and of the summariser'),
  beta: number(0.5, 'what the tokens of the complete topology cost, in answers: the budget', { minimum: 0 }),
  rounds: count(3, 'rounds of a discussion'),
  order: choice(['turns', 'rounds'], 'one agent after the other, or all of a round at once'),
  temperature: number(1, 'temperature of the agents', { minimum: 0 }),
  messageTokens: count(512, 'most tokens of a message'),
  epochs: count(1, 'passes over the questions'),
  batch: count(4, 'questions of a step'),
  samples: count(10, 'topologies that are tried for a question', { minimum: 2 }),
  learningRate: rate(0.01, "Adam's learning rate"),
  partners: count(2, 'partners that an agent asks at most'),
  threshold: share(0.5, 'least affinity of a partner'),
  sparsity: number(0.1, 'weight of the nuclear norm', { minimum: 0 }),
  anchorWeight: number(0.5, 'weight of the anchor groups', { minimum: 0 }),
} as const;

const graphTraining = {
  epochs: count(100, 'epochs'),
  patience: count(25, 'epochs without a lower validation loss'),
  batch: count(128, 'graphs in a batch'),
  learningRate: rate(5e-3, "Adam's largest learning rate"),
  weightDecay: number(1e-4, 'L2 weight decay', { minimum: 0 }),
};

export const hyperDropOptions = {
  pooling: choice(['hyperdrop', 'hyperdrop+gmt', 'none', 'topk', 'sag', 'gmt'], 'what is pooled'),
  layers: count(3, 'graph convolutions'),
  hidden: count(64, 'width of the layers'),
  ratio: share(0.8, 'share of edges or nodes that each pooling keeps', { minimum: 0.01 }),
  edgeInit: choice(['endpoints', 'ones'], 'features of edges that have none'),
  dropout: share(0.5, 'dropout probability in the head', { maximum: 0.99 }),
  ...graphTraining,
} as const;

export const hyperClusterOptions = {
  ratio: share(0.15, 'clusters as a share of the edges of a mean graph', { minimum: 0.001 }),
  hidden: count(32, 'width of the layers'),
  heads: count(1, 'attention heads, which divide the width'),
  ...graphTraining,
  weightDecay: number(0, 'L2 weight decay', { minimum: 0 }),
} as const;

export const hdhgnOptions = {
  width: count(64, 'width of vertices and hyperedges', { minimum: 4 }),
  layers: count(2, 'layers'),
  heads: count(4, 'attention heads, which divide the width'),
  hidden: count(128, 'width of the classifier'),
  dropout: share(0.2, 'dropout probability in the classifier', { maximum: 0.99 }),
  epochs: count(30, 'epochs'),
  batch: count(16, 'files in a batch'),
  learningRate: rate(2e-3, "Adam's learning rate"),
  schedule: choice(['cosine', 'constant', 'plateau'], 'learning rate; plateau: to a tenth after 2 epochs without gain'),
  vertices: count(5000, 'most vertices of a file; larger ones are left out'),
  names: choice(['kept', 'hidden'], 'hidden: names and strings are replaced, so that the structure alone decides'),
  roles: choice(['kept', 'ignored'], 'roles of heads and tails'),
  types: choice(['kept', 'ignored'], 'types of hyperedges'),
  kinds: choice(['kept', 'ignored'], 'kinds of vertices'),
  hyperedges: choice(['whole', 'pairs'], 'pairs: each hyperedge is split into pairs of parent and child'),
  language: choice(['java', 'python', 'typescript', 'tsx'], 'language of the code in a table'),
} as const;

export const logahOptions = {
  family: choice(['auto', 'vit', 'mlp', 'decoder', 'gpt2'], 'networks: vit for pictures, decoder for texts, or named'),
  layers: text('1,2,3', 'numbers of layers in the family'),
  widths: text('16,24,32', 'widths in the family, multiples of its heads'),
  heads: count(2, 'heads of attention of the networks'),
  patch: count(4, 'side of a patch of vision transformers in pixels'),
  length: count(64, 'tokens of a window of a text', { minimum: 2 }),
  tokens: count(0, 'byte pairs to learn from a text as tokens; its characters when 0', { minimum: 0 }),
  steps: count(1500, 'steps'),
  batch: count(64, 'pictures or windows of a step'),
  metaBatch: count(2, 'networks of a step'),
  learningRate: rate(1e-3, "AdamW's largest learning rate"),
  validation: share(0.1, 'share of the training pictures that chooses the epoch', { maximum: 0.5 }),
  features: count(32, 'width of the hypernetwork, a multiple of 4 and of its heads', { minimum: 4 }),
  rank: count(8, 'rank of the factors of a weight'),
  encoderLayers: count(2, 'layers of the encoder of graphs'),
  encoderHeads: count(4, 'heads of attention there'),
  maxWidth: count(
    512,
    'widest layer whose kernels of 16 × 16 are decoded whole; a sixteenth of the rows of the factors',
  ),
  range: rate(0.1, 'deviation of weights of language models; 0.02 suits widths of 768 and more'),
} as const;

export const metapruningOptions = {
  epochs: count(20, 'epochs of the metanetwork, of which the best for the last of the networks is kept'),
  batch: count(100, 'pictures of a batch', { minimum: 2 }),
  batches: choice(['all', 'one'], 'pictures behind each step: all of them, or one batch'),
  learningRate: rate(1e-3, "AdamW's learning rate"),
  dropAfter: count(10, 'epochs after which the learning rate falls to a tenth'),
  dimension: count(16, 'width of nodes and edges, even', { minimum: 2 }),
  layers: count(3, 'layers of messages'),
  scale: rate(0.05, 'r: factor of the change of weights'),
  strength: rate(0.1, 'λ: weight of the group norm beside the loss of a batch'),
  alpha: number(16, 'α: how much harder the weakest channel is shrunk than the strongest', { minimum: 1 }),
  speedups: text('2,3,4', 'times fewer multiply-adds at which the epoch is chosen'),
  every: count(1, 'epochs from one that may be chosen to the next'),
  adaptEpochs: count(3, 'epochs of training between the metanetwork and the pruning there', { minimum: 0 }),
  adaptRate: rate(1e-3, 'learning rate of that training'),
} as const;

export const pictureOptions = {
  epochs: count(10, 'epochs'),
  batch: count(64, 'images a step; a last one alone joins the step before', { minimum: 2 }),
  optimizer: choice(
    ['adamw', 'lamb', 'adadelta', 'kar2', 'kar3'],
    'optimiser; AdaDelta wants a learning rate of about 0.1, Kar of 0.001 and no weight decay',
  ),
  learningRate: rate(3e-3, 'largest learning rate'),
  weightDecay: number(0.02, 'decay of weights', { minimum: 0 }),
  augment: choice(['no', 'yes'], 'shift and mirror training images'),
  mixing: choice(['none', 'mixup', 'cutmix'], 'blend pairs of images'),
  classWeights: choice(['none', 'balanced'], 'balanced: classes with few images count as much as the others'),
  labelSmoothing: share(0, 'share of a label that is spread over all classes'),
  average: share(0, 'average the weights of all steps with this decay, such as 0.999; 0: the last', {
    maximum: 0.999999,
  }),
} as const;

export const semiPFLOptions = {
  user: text('user', 'column that names the user of a row'),
  donors: text('', 'users, separated by commas, whose labelled rows the server may hold'),
  window: count(1, 'consecutive rows of a user that make a window'),
  step: count(0, 'rows from one window to the next; 0: the window', { minimum: 0 }),
  ignore: text('', 'columns to leave out, separated by commas'),
  exchanges: count(400, 'exchanges with users in all'),
  perRound: count(4, 'users of a round'),
  learningRate: rate(1e-3, 'learning rate of the hypernetwork'),
  statistics: choice(['donors', 'user'], 'whose mean and deviation rows are standardised by'),
} as const;

export const hypinoOptions = {
  steps: count(3000, 'optimiser steps'),
  size: choice(['nano', 'published'], 'grids of 32 and networks of 1,473 numbers, or the paper’s 224 and 5,409'),
  supervision: choice(['mixed', 'supervised', 'physics'], 'problems with known solutions, without, or both in turn'),
  batch: count(16, 'problems of a step'),
  parts: count(1, 'parts that a step takes its problems in, one after the other: the memory of a part'),
  interior: count(96, 'points of the square, of a step'),
  boundary: count(64, 'points of each boundary, of a step'),
  learningRate: rate(1e-3, "AdamW's learning rate"),
} as const;

export const soundOptions = {
  n: count(0, 'size of the domain, such as the number of microphones; 1: real; 0: 4, 2 or 1, as suits the channels', {
    minimum: 0,
  }),
  algebra: choice(['learnt', 'preset'], 'preset: that of complex numbers (n = 2) or quaternions (n = 4)'),
  seconds: number(2, 'seconds that the network hears at once', { minimum: 0.05, maximum: 60 }),
  window: count(512, 'samples of a frame', { minimum: 16 }),
  hop: count(256, 'samples from frame to frame'),
  bins: count(128, 'bins of frequency, which divide half of the window'),
  epochs: count(30, 'epochs'),
  batch: count(16, 'windows of a step'),
  learningRate: rate(1e-3, "Adam's learning rate"),
  threshold: share(0.5, 'probability from which an event sounds'),
  validation: share(0.1, 'share of the sounds that chooses the epoch', { maximum: 0.5 }),
  test: share(0.1, 'share of the sounds that tests', { maximum: 0.5 }),
} as const;
