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
    slug: 'fastrp',
    title: 'FastRP: network embeddings via very sparse random projection',
    family: 'embedding',
    about: 'embeds the nodes of a graph in milliseconds, without training',
    paper: {
      authors: 'Chen, Sultan, Tian, Chen, Skiena',
      title: 'Fast and Accurate Network Embeddings via Very Sparse Random Projection',
      venue: 'CIKM',
      year: 2019,
      arxiv: '1908.11512',
    },
    abstract: {
      speed: 'FastRP is over 4,000 times faster than state-of-the-art methods such as DeepWalk and node2vec',
      quality:
        'while achieving comparable or even better performance as evaluated on several real-world networks on various ' +
        'downstream tasks',
      similarity:
        'the success of these methods should be attributed to the proper construction of this similarity matrix, ' +
        'rather than the dimension reduction method employed',
      ease: 'advantageous for its ease of implementation, parallelization and hyperparameter tuning',
    },
    load: () => import('./embedding/fastrp.js'),
  },
  {
    slug: 'fully-ppr',
    title: 'Fully personalised PageRank by random walks in pipelines',
    family: 'embedding',
    about: 'personalised PageRank from every node, on threads or over MPI',
    paper: {
      authors: 'Lin',
      title: 'Distributed Algorithms for Fully Personalized PageRank on Large Graphs',
      venue: 'WWW',
      year: 2019,
      arxiv: '1903.11749',
    },
    abstract: {
      speed: 'our solution is several orders of magnitude faster than the state-of-the-arts',
      accuracy: 'largely outperforms the baseline algorithms in terms of accuracy',
      largeNodes: 'alleviate the issue of large nodes that could explode the memory space',
      shortWalks: 'pre-compute short walks for small nodes that largely speedup the computation of random walks',
      pipelines:
        'optimize the amount of random walks to compute in each pipeline that significantly reduces the overhead',
      billion: 'the existing approach cannot handle graphs with billion edges on a moderate-size cluster',
    },
    load: () => import('./embedding/fully-ppr.js'),
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
