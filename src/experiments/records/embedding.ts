// Embedding and ranking: the records of their systems.

import type { SystemRecord } from '../parts/system-record.js';

export const records: readonly SystemRecord[] = [
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
      design:
        'it explicitly constructs a node similarity matrix that captures transitive relationships in a graph and ' +
        'normalizes matrix entries based on node degrees',
      ease: 'advantageous for its ease of implementation, parallelization and hyperparameter tuning',
    },
    load: () => import('../embedding/fastrp.js'),
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
    load: () => import('../embedding/fully-ppr.js'),
  },
  {
    slug: 'grank',
    title: 'G-Rank: search ranked by peers, without a server or a model',
    family: 'embedding',
    about: 'ranks items among devices by shared clicks, over libp2p, offline too',
    paper: {
      authors: 'Gold, Pouwelse',
      title: 'G-Rank: Unsupervised Continuous Learn-to-Rank for Edge Devices in a P2P Network',
      venue: 'arXiv',
      year: 2023,
      arxiv: '2301.12530',
    },
    abstract: {
      accurate: 'accurate, relevant ranking results can be achieved in fully decentralized networks',
      local: 'without any centralized data aggregation, feature engineering, or model training',
      overhead: 'such results are obtainable with minimal data preprocessing and computational overhead',
      offline: 'can still return highly relevant results even when a user’s device is disconnected from the network',
      domains:
        'highly modular in design, is not limited to categorical data, and can be implemented in a variety of domains ' +
        'with minimal modification',
    },
    load: () => import('../embedding/grank.js'),
  },
];
