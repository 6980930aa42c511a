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
    slug: 'hypernet-review',
    title: 'Hypernetworks by the five criteria of the review',
    family: 'hypernet',
    about: 'networks that make the weights of networks, in every design by the five criteria of the field',
    paper: {
      authors: 'Chauhan, Zhou, Lu, Molaei, Clifton',
      title: 'A Brief Review of Hypernetworks in Deep Learning',
      venue: 'Artificial Intelligence Review',
      year: 2024,
      arxiv: '2306.06955',
    },
    abstract: {
      flexibility: 'greater flexibility, adaptability, dynamism',
      training: 'faster training',
      sharing: 'information sharing',
      compression: 'model compression',
      problems:
        'promising results in a variety of deep learning problems, including continual learning, causal inference, ' +
        'transfer learning, weight pruning, uncertainty quantification, zero-shot learning, natural language ' +
        'processing, and reinforcement learning',
      example: 'an illustrative example to train deep neural networks using hypernets',
      criteria:
        'categorizing hypernets based on five design criteria as inputs, outputs, variability of inputs and outputs, ' +
        'and architecture of hypernets',
    },
    load: () => import('./hypernet/hypernet-review.js'),
  },
  {
    slug: 'mip',
    title: 'MIP: magnitude-invariant parametrisations of hypernetworks',
    family: 'hypernet',
    about: 'hypernetworks that train steadily, whatever the magnitude of their conditions',
    paper: {
      authors: 'Gonzalez Ortiz, Guttag, Dalca',
      title: 'Magnitude Invariant Parametrizations Improve Hypernetwork Learning',
      venue: 'ICLR',
      year: 2024,
      arxiv: '2304.07645',
    },
    abstract: {
      proportionality: 'a magnitude proportionality between the inputs and outputs of the hypernetwork',
      unstable:
        'this can lead to unstable optimization, thereby slowing down convergence, and sometimes even preventing any ' +
        'learning',
      tasks: 'on several hypernetwork tasks, where it consistently stabilizes training and achieves faster convergence',
      ablation:
        'a comprehensive ablation study including choices of activation function, normalization strategies, input ' +
        'dimensionality, and hypernetwork architecture; and find that MIP improves training in all scenarios',
      code: 'easy-to-use code that can turn existing networks into MIP-based hypernetworks',
    },
    load: () => import('./hypernet/mip.js'),
  },
  {
    slug: 'hypertab',
    title: 'HyperTab: a hypernetwork for small tables',
    family: 'hypernet',
    about: 'classifies small tables by an ensemble of small networks whose weights one hypernetwork makes',
    paper: {
      authors: 'Wydmański, Bulenok, Śmieja',
      title: 'HyperTab: Hypernetwork Approach for Deep Learning on Small Tabular Datasets',
      venue: 'DSAA',
      year: 2023,
      arxiv: '2304.03543',
    },
    abstract: {
      small: 'consistently outranks other methods on small data (with a statistically significant difference)',
      larger: 'scores comparable to them on larger datasets',
      parameters:
        'virtually increase the number of training samples while keeping the number of trainable parameters unchanged',
      overfitting: 'which prevents model overfitting',
    },
    load: () => import('./hypernet/hypertab.js'),
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
