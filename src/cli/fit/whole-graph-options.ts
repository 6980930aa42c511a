// Hyperparameters of the networks on whole graphs that `gossamer fit` trains.

import { choice, count, number, type OptionTable, rate, share } from '../../experiments/parts/options.js';
import type { ReadoutName } from '../../graph/index.js';
import { networkOptions, trainingNames } from './graph-options.js';

/** Options of training with features of cells. */
export const cellTraining = {
  epochs: count(60, 'epochs'),
  patience: count(30, 'epochs without a lower validation loss after which training stops'),
  batch: count(40, 'graphs in a batch, fewer where they exceed the memory'),
  learningRate: rate(3e-3, "Adam's learning rate at the start"),
  schedule: choice(['cosine', 'plateau'], 'how the rate falls: plateau halves it after 20 epochs without gain'),
  memory: count(1024, 'MiB that the features of a batch may take'),
  force: choice(['no', 'yes'], 'whether graphs of more than 500 nodes are taken'),
} as const;

const layout = { layers: count(4, 'layers before the readout'), hidden: count(32, 'width of the layers') };

export const subgraphOptions = {
  scheme: choice(
    ['sswl-plus', 'sswl', 'gswl', 'pswl-sv', 'pswl-vs', 'swl-sv', 'swl-vs', 'mpnn'],
    'which class of the hierarchy',
  ),
  ...layout,
  cap: count(5, 'distances from the root that have an embedding; larger ones count as it'),
  hops: count(0, 'radius of a subgraph around its root; 0: the whole graph', { minimum: 0 }),
  roots: count(0, 'roots drawn of each graph; 0: all nodes', { minimum: 0 }),
  ...cellTraining,
} as const;

export const plainGraphOptions = { ...layout, ...cellTraining } as const;

export const ppgnOptions = {
  variant: choice(['++', 'plain'], 'plain: blocks without the transpose and the identity matrix'),
  degree: count(6, 'polynomials up to so many edges that the network cannot compute are inputs; 0: none', {
    minimum: 0,
    maximum: 7,
  }),
  depth: count(3, 'blocks before the readout'),
  hidden: count(32, 'width of the blocks'),
  optimizer: choice(['adam', 'lamb'], 'lamb: layers step by the norm of their weights, as the paper does'),
  ...cellTraining,
} as const;

const hasReadout: Readonly<Record<ReadoutName, true>> = {
  ...{ gcn: true, sgc: true, sage: true, gat: true, gatv2: true },
  ...{ appnp: true, jknet: true, gcnii: true, gin: true, mlp: true },
};

/** Networks of nodes that also learn from sets of graphs. */
export const readoutNames = Object.keys(hasReadout) as readonly ReadoutName[];

/** Options of a network of nodes with a readout: its layout, and training as of the others. */
export function readoutOptions(name: ReadoutName): OptionTable {
  const own = Object.entries<OptionTable[string]>(networkOptions[name]);
  return {
    ...Object.fromEntries(own.filter(([option]) => !trainingNames.includes(option))),
    ...(own.some(([option]) => option === 'dropout') && {
      dropout: share(0, 'dropout probability, also of what the readout gives', { maximum: 0.99 }),
    }),
    ...cellTraining,
    weightDecay: number(0, 'L2 weight decay', { minimum: 0 }),
  };
}
