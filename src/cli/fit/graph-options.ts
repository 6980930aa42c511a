// Hyperparameters of the models of graphs that `gossamer fit` trains, as data.

import { choice, count, number, type OptionTable, rate, share, text } from '../../experiments/parts/options.js';
import type { NetworkName } from '../../graph/index.js';

/** How the nodes with a label are divided, and what stands beside the score. */
const parts = {
  train: share(0.6, 'share of the labelled nodes to train on, where no attribute "split" says', { maximum: 0.98 }),
  validation: share(0.2, 'share that chooses the epoch; the rest is for the score', { maximum: 0.98 }),
  baseline: choice(['mlp', 'none'], 'a perceptron on the features alone, beside the score'),
} as const;

const training = (epochs: number, learningRate: number, weightDecay: number) => ({
  epochs: count(epochs, 'epochs'),
  patience: count(100, 'epochs without a better validation score after which training ends'),
  learningRate: rate(learningRate, "Adam's learning rate"),
  weightDecay: number(weightDecay, 'L2 weight decay', { minimum: 0 }),
  ...parts,
});

/** Names of the options that are not the network's own. */
export const trainingNames: readonly string[] = Object.keys(training(1, 1, 0));

const dropout = (value: number) => share(value, 'dropout probability', { maximum: 0.99 });
const hidden = (value: number) => count(value, 'hidden width');
const depth = (value: number) => count(value, 'layers');
const steps = (value: number) => count(value, 'propagations');
const stack = { depth: depth(2), hidden: hidden(64), dropout: dropout(0.5) };

const alpha = share(0.5, 'weight of out-neighbours, the rest of in-neighbours');
const q = (value: number) =>
  number(value, 'q of the magnetic Laplacian; 0 ignores directions', { minimum: 0, maximum: 0.5 });
const tune = (what: string) => choice(['no', 'yes'], `whether the nodes that validate choose ${what}`);
const directedStack = {
  ...stack,
  alpha,
  learnAlpha: choice(['no', 'yes'], 'whether that weight is learned'),
  jump: choice(['max', 'concatenate', 'none'], 'how the classifier reads the outputs of all layers'),
  normalizeRows: choice(['no', 'yes'], "whether each row of a layer's output has length 1"),
  tune: tune('alpha'),
};

/** Options of the networks, by name. */
export const networkOptions = {
  dgmlp: {
    steps: steps(20),
    depth: count(1, 'layers of the perceptron on the combined hops'),
    hidden: count(64, 'width of its hidden layers'),
    temperature: number(1, 'temperature of the weights of hops', { minimum: 0.03 }),
    dropout: dropout(0.2),
    ...training(200, 0.05, 5e-5),
  },
  gcn: { ...stack, ...training(300, 0.01, 5e-4) },
  sgc: { steps: steps(2), ...training(200, 0.05, 5e-5) },
  sage: { ...stack, ...training(300, 0.01, 5e-4) },
  gat: {
    hidden: count(8, 'width of a head'),
    heads: count(8, 'heads'),
    dropout: dropout(0.6),
    ...training(300, 0.005, 5e-4),
  },
  gatv2: {
    hidden: count(8, 'width of a head'),
    heads: count(8, 'heads'),
    dropout: dropout(0.6),
    ...training(300, 0.005, 5e-4),
  },
  appnp: {
    steps: steps(10),
    alpha: share(0.1, 'teleport probability', { minimum: 0.001 }),
    hidden: hidden(64),
    dropout: dropout(0.5),
    ...training(300, 0.01, 5e-3),
  },
  jknet: { ...stack, ...training(300, 0.01, 5e-4) },
  gcnii: { depth: depth(16), hidden: hidden(64), dropout: dropout(0.6), ...training(300, 0.01, 5e-4) },
  gin: { ...stack, ...training(300, 0.01, 5e-4) },
  'dir-gcn': { ...directedStack, ...training(300, 0.01, 5e-4) },
  'dir-sage': { ...directedStack, ...training(300, 0.01, 5e-4) },
  'dir-gat': { ...directedStack, heads: count(1, 'heads'), ...training(300, 0.01, 5e-4) },
  dgcn: { depth: depth(2), hidden: hidden(32), dropout: dropout(0.5), ...training(300, 0.01, 5e-4) },
  'light-dic': { steps: steps(4), q: q(0.035), tune: tune('q'), ...training(200, 0.05, 5e-5) },
  a2dug: {
    steps: steps(2),
    depth: depth(2),
    hidden: hidden(64),
    dropout: dropout(0.5),
    adjacency: choice(
      ['yes', 'no'],
      'whether adjacency lists are read, by which the model knows the nodes of its graph alone',
    ),
    ...training(300, 0.01, 5e-4),
  },
  adpa: { steps: steps(2), hidden: hidden(32), dropout: dropout(0.5), ...training(200, 0.01, 5e-4) },
  magnet: {
    depth: depth(2),
    hidden: hidden(32),
    order: count(1, 'order of the filters'),
    q: q(0.25),
    dropout: dropout(0.5),
    tune: tune('q'),
    ...training(300, 0.01, 5e-4),
  },
  digcn: {
    hidden: hidden(64),
    dropout: dropout(0.5),
    alpha: share(0.1, 'teleport probability of PageRank', { minimum: 0.001, maximum: 0.999 }),
    ...training(300, 0.01, 5e-4),
  },
  'digcn-ib': {
    hidden: hidden(32),
    dropout: dropout(0.6),
    alpha: share(0.1, 'teleport probability of PageRank', { minimum: 0.001, maximum: 0.999 }),
    ...training(300, 0.01, 5e-4),
  },
  'directed-transformer': {
    depth: count(2, 'layers of attention'),
    hidden: count(64, 'width, which the heads divide'),
    heads: count(4, 'heads'),
    q: q(0.25),
    dropout: dropout(0.3),
    ...training(200, 0.005, 5e-4),
  },
  'directed-walk': {
    walks: count(8, 'walks from each node'),
    length: count(4, 'steps of a walk', { maximum: 255 }),
    hidden: count(64, 'width, which the heads divide'),
    heads: count(4, 'heads'),
    dropout: dropout(0.5),
    ...training(200, 0.01, 5e-4),
  },
  mlp: { hidden: hidden(64), dropout: dropout(0.5), ...training(300, 0.01, 5e-4) },
} as const satisfies Readonly<Record<NetworkName, OptionTable>>;

/** Options of RpHGNN. */
export const rphgnnOptions = {
  iterations: count(3, 'K: propagate-then-update iterations'),
  steps: choice(['all', 'odd', 'even'], 'steps along relations that are collected'),
  input: choice(['yes', 'no'], "whether the nodes' own features stand in front of what returns to them"),
  sparsity: number(3, 'one in so many entries of a projection is not 0', { minimum: 1 }),
  randomWidth: count(256, 'width of random vectors of nodes without features'),
  projectTo: count(0, 'features of more columns are projected to so many (0: none), which saves memory', {
    minimum: 0,
  }),
  hidden: hidden(64),
  depth: count(2, "layers of each group's perceptron"),
  filters: count(2, 'filters over the tensors of a group'),
  fusion: choice(['concatenate', 'mean'], 'how groups become one'),
  inputDropout: share(0.5, 'dropout probability of the collected tensors', { maximum: 0.99 }),
  dropout: dropout(0.5),
  labels: choice(['no', 'yes'], 'whether known classes travel along relations, too; never to their own node'),
  consistency: choice(['no', 'yes'], 'whether three dropout views of all nodes must agree; slower'),
  select: choice(['loss', 'f1'], 'what chooses the epoch on the nodes to validate'),
  batch: count(1000, 'nodes of a step'),
  ...training(300, 3e-3, 0),
} as const;

/** Options of FastRP. */
export const fastrpOptions = {
  dim: count(128, 'embedding dimension'),
  tune: choice(['yes', 'no'], 'choose weights and degreeExponent by validation; no takes those that are set'),
  weights: text('0,0,1,6.67', 'α₁,α₂,… of the orders'),
  degreeExponent: number(-0.64, 'exponent of the degree'),
  c: rate(1, 'inverse strength of the regularisation of the classifier'),
  train: share(0.8, 'share of labelled nodes or of edges to train on; the rest is for the score', {
    minimum: 0.05,
    maximum: 0.95,
  }),
} as const;

/** Options of personalised PageRank. */
export const fullyPprOptions = {
  walks: count(1000, 'walks from each node'),
  alpha: share(0.15, 'probability of stopping at each node', { minimum: 0.001 }),
  keep: count(100, 'nodes that are kept of each node'),
} as const;

export const h4gOptions = {
  graphEncoder: choice(['hops', 'gps'], 'from texts and edges to vectors: gated hops, or a graph transformer'),
  hops: count(2, 'propagations of hops', { minimum: 0 }),
  learn: choice(['joint', 'adapter'], 'adapter: S and the temperature alone, the hops staying as they are'),
  scaling: choice(['contractive', 'free', 'scalar', 'none'], 'how S is made; none: S = I'),
  block: count(8, 'rows of a block of S, which divides the numbers of a text vector'),
  shareScaling: choice(['yes', 'no'], 'whether texts are scaled by the S of the nodes'),
  midpoints: choice(['no', 'yes'], 'whether a node is the midpoint of itself and its neighbours in the ball'),
  curvature: rate(1, 'c of the curvature −c; 0.01 suits sentence models of large norms'),
  length: rate(8, 'ρ: length of vectors before they are scaled; radii are twice as large'),
  norms: choice(['unit', 'kept'], 'kept: the norms of the encoder times ρ'),
  temperature: rate(0.3, 'τ before training'),
  texts: choice(['latent', 'hashed'], 'built-in encoder: directions of the texts, or any word by itself'),
  textFeatures: count(256, 'numbers of a text vector of the built-in encoder'),
  radiusPenalty: number(0, 'weight of the mean radius', { minimum: 0 }),
  identityPenalty: number(0.1, 'weight of mean ‖Qᵢ − I‖²', { minimum: 0 }),
  batch: count(512, 'pairs of a batch', { minimum: 2 }),
  epochs: count(100, 'epochs'),
  patience: count(30, 'epochs without finding more of the held-out texts after which training ends'),
  learningRate: rate(5e-3, "Adam's learning rate"),
  validation: share(0.1, 'share of the nodes that is held out to choose the epoch', { maximum: 0.5 }),
} as const;
