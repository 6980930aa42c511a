// Directed graph learning (Sun, Li, Su, Han, Li, Wang, "Towards Data-centric Machine Learning on
// Directed Graphs: a Survey", 2024, arXiv 2412.01849): the survey's taxonomy as networks that are
// trained and compared alike. Tools that understand a graph are in diagnose/, those that improve
// its arcs and features in improve/.

import { DGCN, DiGCN, DiGCNInception, DirGNN, MagNet, MagNetEncoder } from './conv/index.js';
import { A2DUG, ADPA, LightDiC } from './decoupled/index.js';
import type { NetworkLayout, NodeNetwork } from './network-layout.js';
import { DirectedTransformer, DirectedWalkNetwork } from './sequence/index.js';

/** Frameworks of the survey. */
export const frameworks = ['message passing', 'eigen-polynomial', 'sequence'] as const;

/** A network of the taxonomy. */
export interface DirectedNetwork extends NodeNetwork {
  /** The survey's framework. */
  readonly framework: (typeof frameworks)[number];
  /** What it changes within the framework. */
  readonly contributes: string;
}

const weighted = { directions: true, weights: true };
/** Attention and walks do not read the weights of arcs. */
const unweighted = { directions: true, weights: false };

const stackOf = ({ depth, normalizeRows, learnAlpha, ...layout }: NetworkLayout) => ({
  ...layout,
  ...(depth !== undefined && { layers: depth }),
  ...(learnAlpha === 'yes' && { alpha: 'learned' as const }),
  normalize: normalizeRows === 'yes',
});
const layersOf = ({ depth, ...layout }: NetworkLayout) => ({
  ...layout,
  ...(depth !== undefined && { layers: depth }),
});

/** The networks of the taxonomy by name, with what the paper of each is known for. */
export const directedNetworks = {
  'dir-gcn': {
    title: 'Dir-GCN',
    framework: 'message passing',
    contributes: 'propagator and aggregator',
    reads: weighted,
    directed: true,
    create: (i, o, random, layout) => new DirGNN(i, o, random, { ...stackOf(layout), conv: 'gcn' }),
  },
  'dir-sage': {
    title: 'Dir-SAGE',
    framework: 'message passing',
    contributes: 'propagator and aggregator',
    reads: weighted,
    directed: true,
    create: (i, o, random, layout) => new DirGNN(i, o, random, { ...stackOf(layout), conv: 'sage' }),
  },
  'dir-gat': {
    title: 'Dir-GAT',
    framework: 'message passing',
    contributes: 'propagator and aggregator',
    reads: unweighted,
    directed: true,
    create: (i, o, random, layout) => new DirGNN(i, o, random, { ...stackOf(layout), conv: 'gat' }),
  },
  dgcn: {
    title: 'DGCN',
    framework: 'message passing',
    contributes: 'propagator',
    reads: weighted,
    directed: true,
    create: (i, o, random, layout) => new DGCN(i, o, random, layersOf(layout)),
  },
  'light-dic': {
    title: 'LightDiC',
    framework: 'message passing',
    contributes: 'propagator',
    reads: weighted,
    directed: true,
    create: (i, o, random, { steps, q }) =>
      new LightDiC(i, o, random, { ...(steps !== undefined && { steps }), ...(q !== undefined && { q }) }),
  },
  a2dug: {
    title: 'A2DUG',
    framework: 'message passing',
    contributes: 'propagator and aggregator',
    reads: weighted,
    directed: true,
    placed: true,
    create: (i, o, random, layout) => new A2DUG(i, o, random, layout),
  },
  adpa: {
    title: 'ADPA',
    framework: 'message passing',
    contributes: 'propagator and aggregator',
    reads: weighted,
    directed: true,
    create: (i, o, random, layout) => new ADPA(i, o, random, layout),
  },
  magnet: {
    title: 'MagNet',
    framework: 'eigen-polynomial',
    contributes: 'filter basis',
    reads: weighted,
    directed: true,
    create: (i, o, random, layout) => new MagNet(i, o, random, layersOf(layout)),
    represent: (i, random, { hidden = 16, ...layout }) => ({
      network: new MagNetEncoder(i, 2 * hidden, random, layersOf(layout)),
      width: 2 * hidden,
    }),
  },
  digcn: {
    title: 'DiGCN',
    framework: 'eigen-polynomial',
    contributes: 'filter basis and polynomial',
    reads: weighted,
    directed: true,
    create: (i, o, random, layout) => new DiGCN(i, o, random, layout),
  },
  'digcn-ib': {
    title: 'DiGCN with inception blocks',
    framework: 'eigen-polynomial',
    contributes: 'filter basis and polynomial',
    reads: weighted,
    directed: true,
    create: (i, o, random, layout) => new DiGCNInception(i, o, random, layout),
  },
  'directed-transformer': {
    title: 'Directed transformer',
    framework: 'sequence',
    contributes: 'node tokens',
    reads: unweighted,
    directed: true,
    create: (i, o, random, layout) => new DirectedTransformer(i, o, random, layersOf(layout)),
  },
  'directed-walk': {
    title: 'Directed walks',
    framework: 'sequence',
    contributes: 'subgraph tokens',
    reads: unweighted,
    directed: true,
    create: (i, o, random, layout) => new DirectedWalkNetwork(i, o, random, layout),
  },
} as const satisfies Readonly<Record<string, DirectedNetwork>>;

/** Key of `directedNetworks`. */
export type DirectedNetworkName = keyof typeof directedNetworks;
