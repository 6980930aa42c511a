// The published systems, as data: what each is, its paper, what the abstract claims, where its experiment is.
//
// `gossamer list` and `info`, the table in the README, docs/systems/ and the smoke tests follow from these records. The
// file imports nothing but types, so that listing the systems costs nothing.

import type { Experiment } from './parts/contract.js';

export const families = {
  hypergraph: 'Hypergraphs',
  graph: 'Graphs',
  embedding: 'Embedding and ranking',
  hypernet: 'Hypernetworks',
  vision: 'Vision',
  compress: 'Compression',
  lm: 'Language models',
} as const;

export type Family = keyof typeof families;

export interface Paper {
  readonly authors: string;
  readonly title: string;
  readonly venue: string;
  readonly year: number;
  /** Identifier on arXiv, as `2405.14286`. */
  readonly arxiv?: string;
}

export interface SystemRecord {
  /** Its name on the command line, and of its files: `src/<family>/<slug>`, `src/experiments/<family>/<slug>.ts`. */
  readonly slug: string;
  readonly title: string;
  readonly family: Family;
  /** What it does for a user, in one line. */
  readonly about: string;
  readonly paper: Paper;
  /** What the abstract claims, in its own words, by a short key that claims of the experiment name. */
  readonly abstract: Readonly<Record<string, string>>;
  readonly load: () => Promise<{ readonly experiment: Experiment }>;
}

export const systems: readonly SystemRecord[] = [
  {
    slug: 'lighthgnn',
    title: 'LightHGNN: distilling hypergraph networks into MLPs',
    family: 'hypergraph',
    about: 'distils a hypergraph network into an MLP that needs no hypergraph to answer',
    paper: {
      authors: 'Feng, Luo, Ying, Gao',
      title: 'LightHGNN: Distilling Hypergraph Neural Networks into MLPs for 100× Faster Inference',
      venue: 'ICLR',
      year: 2024,
      arxiv: '2402.04296',
    },
    abstract: {
      teacher:
        'even without hypergraph dependency, the proposed LightHGNNs can still achieve competitive or even better ' +
        'performance than HGNNs',
      mlp: 'outperform vanilla MLPs by 16.3 on average (eight hypergraph datasets)',
      graphs:
        'three graph datasets further show the average best performance of our LightHGNNs compared with all other methods',
      speed: 'synthetic hypergraphs with 5.5w vertices indicate LightHGNNs can run 100× faster than HGNNs',
    },
    load: () => import('./hypergraph/lighthgnn.js'),
  },
  {
    slug: 'conhd',
    title: 'CoNHD: co-representation neural hypergraph diffusion',
    family: 'hypergraph',
    about: 'a label for a vertex in each of its hyperedges, by diffusion among incidences',
    paper: {
      authors: 'Zheng, Worring',
      title: 'Co-Representation Neural Hypergraph Diffusion for Edge-Dependent Node Classification',
      venue: 'CIKM',
      year: 2025,
      arxiv: '2405.14286',
    },
    abstract: {
      best: 'CoNHD achieves the best performance across all benchmark ENC datasets',
      downstream: 'and several downstream tasks',
      efficiency: 'without sacrificing efficiency',
      smoothing:
        'WHATsNet suffers from the common oversmoothing issue in most HGNNs. To address these limitations, we propose CoNHD',
    },
    load: () => import('./hypergraph/conhd.js'),
  },
  {
    slug: 'dgmlp',
    title: 'DGMLP: evaluating deep graph neural networks',
    family: 'graph',
    about:
      'deep graph networks that stay accurate, and the harness that tells depth of propagation from depth of ' +
      'transformation',
    paper: {
      authors: 'Zhang, Sheng, Jiang, Xia, Gao, Yang, Cui',
      title: 'Evaluating Deep Graph Neural Networks',
      venue: 'arXiv',
      year: 2021,
      arxiv: '2108.00955',
    },
    abstract: {
      accuracy: 'it achieves state-of-the-art node classification performance on various datasets',
      flexibility:
        'it can flexibly choose different propagation and transformation depths according to graph size and sparsity',
      scalability: 'it supports fast training on large-scale graphs',
    },
    load: () => import('./graph/dgmlp.js'),
  },
  {
    slug: 'nat',
    title: 'NAT: neighbourhood-aware temporal network representation',
    family: 'graph',
    about: 'predicts who meets next in an event stream, from caches of neighbours of fixed size',
    paper: {
      authors: 'Luo, Li',
      title: 'Neighborhood-aware Scalable Temporal Network Representation Learning',
      venue: 'LoG',
      year: 2022,
      arxiv: '2209.01084',
    },
    abstract: {
      transductive:
        'outperforms all cutting-edge baselines by averaged 1.2% […] in transductive […] link prediction accuracy',
      inductive:
        'outperforms all cutting-edge baselines by averaged […] 4.2% in […] inductive link prediction accuracy',
      jointSpeed: 'a speed-up of 4.1-76.7x against the baselines that adopt joint structural features',
      speed: 'a speed-up of 1.6-4.0x against the baselines that cannot adopt those features',
    },
    load: () => import('./graph/nat.js'),
  },
];

/** @throws Error naming the known systems. */
export function findSystem(slug: string): SystemRecord {
  const record = systems.find((candidate) => candidate.slug === slug);
  if (!record) throw new Error(`unknown system "${slug}"; known: ${systems.map((system) => system.slug).join(', ')}`);
  return record;
}

/** `Feng, Luo, Ying, Gao, "LightHGNN: …", ICLR 2024 (arXiv 2402.04296)`. */
export function citation({ authors, title, venue, year, arxiv }: Paper): string {
  return `${authors}, "${title}", ${venue} ${year}${arxiv ? ` (arXiv ${arxiv})` : ''}`;
}
