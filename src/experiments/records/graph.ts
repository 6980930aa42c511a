// Graphs: the records of their systems.

import type { SystemRecord } from '../parts/system-record.js';

export const records: readonly SystemRecord[] = [
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
    load: () => import('../graph/dgmlp.js'),
  },
  {
    slug: 'rphgnn',
    title: 'RpHGNN: heterogeneous graphs by random projection',
    family: 'graph',
    about:
      'classes of the nodes of one type among several, at the cost of a perceptron: messages pass once, before training',
    paper: {
      authors: 'Hu, Hooi, He',
      title: 'Efficient Heterogeneous Graph Learning via Random Projection',
      venue: 'TKDE',
      year: 2024,
      arxiv: '2310.14481',
    },
    abstract: {
      linear: 'we introduce a Random Projection Squashing step to ensure that complexity increases only linearly',
      information:
        'To achieve low information loss, we introduce a Relation-wise Neighbor Collection component with an Even-odd ' +
        'Propagation Scheme',
      best: 'our approach achieves state-of-the-art results on seven small and large benchmark datasets',
      faster: 'being 230% faster compared to the most effective baseline',
      baselines:
        'our approach not only surpasses pre-processing-based baselines but also outperforms end-to-end methods',
    },
    load: () => import('../graph/rphgnn.js'),
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
    load: () => import('../graph/nat.js'),
  },
  {
    slug: 'directed-graphs',
    title: 'Directed graphs: understand, improve, learn',
    family: 'graph',
    about:
      'tells whether directions of a graph carry information, improves its arcs, and trains the network that reads them',
    paper: {
      authors: 'Sun, Li, Su, Han, Li, Wang',
      title: 'Towards Data-centric Machine Learning on Directed Graphs: a Survey',
      venue: 'arXiv',
      year: 2024,
      arxiv: '2412.01849',
    },
    abstract: {
      loss: 'inherently limited […] due to the unavoidable information loss in simple undirected graphs',
      taxonomy: 'we first introduce a novel taxonomy for existing studies',
      understanding:
        'a deep understanding of directed graphs and their quality plays a crucial role in model performance',
      improving: 'with an emphasis on understanding and improving data representation',
      domains: 'we explore the diverse applications of directed GNNs across 10+ domains',
    },
    load: () => import('../graph/directed-graphs.js'),
  },
  {
    slug: 'h4g',
    title: 'H4G: zero-shot graph learning in hyperbolic space',
    family: 'graph',
    about: 'classes of nodes that no training graph has, from the names of the classes and the texts of the nodes',
    paper: {
      authors: 'Zhang, Zhang, Liu, Shi, Shen, You, Hu, Gan, Huang',
      title: 'H4G: Unlocking Faithful Inference for Zero-Shot Graph Learning in Hyperbolic Space',
      venue: 'KDD',
      year: 2026,
      arxiv: '2510.12094',
    },
    abstract: {
      performance:
        'H4G achieves state-of-the-art zero-shot performance with 12.8% improvement on heterophilic graphs and 8.4% on homophilic graphs',
      abstraction:
        'current approaches operate at excessively large hyperbolic radii, compressing multi-scale structural information into uniform high-level abstractions',
      restores: 'This approach restores access to fine-grained patterns',
      global: 'while maintaining global receptive ability',
      overhead: 'with minimal computational overhead',
    },
    load: () => import('../graph/h4g.js'),
  },
  {
    slug: 'subgraph-gnn',
    title: 'SSWL: subgraph networks by their Weisfeiler-Lehman class',
    family: 'graph',
    about:
      'classes and numbers of whole graphs by subgraphs of each node, and the tests that say what such networks can tell apart',
    paper: {
      authors: 'Zhang, Feng, Du, He, Wang',
      title: 'A Complete Expressiveness Hierarchy for Subgraph GNNs via Subgraph Weisfeiler-Lehman Tests',
      venue: 'ICML',
      year: 2023,
      arxiv: '2302.07090',
    },
    abstract: {
      hierarchy: 'a complete hierarchy of SWL with strictly growing expressivity',
      classes:
        'any node-based subgraph GNN falls into one of the six SWL equivalence classes, among which SSWL achieves the ' +
        'maximal expressive power',
      practical:
        'these equivalence classes differ in terms of their practical expressiveness such as encoding graph distance and ' +
        'biconnectivity',
      bound:
        'a tight expressivity upper bound of all SWL algorithms by establishing a close relation with localized versions ' +
        'of WL and Folklore WL (FWL) tests',
      gap: 'an inherent gap with the 2-FWL test',
      benchmarks:
        'SSWL-inspired subgraph GNNs can significantly outperform prior architectures on multiple benchmarks despite ' +
        'great simplicity',
    },
    load: () => import('../graph/subgraph-gnn.js'),
  },
  {
    slug: 'equivariant-polynomials',
    title: 'PPGN++: graph networks by equivariant polynomials',
    family: 'graph',
    about: 'counts any substructure of graphs, tells which networks can, and gives networks the counts that they lack',
    paper: {
      authors: 'Puny, Lim, Kiani, Maron, Lipman',
      title: 'Equivariant Polynomials for Graph Neural Networks',
      venue: 'ICML',
      year: 2023,
      arxiv: '2302.11556',
    },
    abstract: {
      basis:
        'a full characterization of all equivariant graph polynomials by introducing a concrete basis, significantly ' +
        'generalizing previous results',
      contraction:
        'Each basis element corresponds to a specific multi-graph, and its computation over some graph data input ' +
        'corresponds to a tensor contraction problem',
      evaluate:
        'algorithmic tools for evaluating the expressiveness of GNNs using tensor contraction sequences, and calculate ' +
        'the expressive power of popular GNNs',
      enhance:
        'we enhance the expressivity of common GNN architectures by adding polynomial features or additional operations ' +
        '/ aggregations inspired by our theory',
      benchmarks:
        'These enhanced GNNs demonstrate state-of-the-art results in experiments across multiple graph learning benchmarks',
    },
    load: () => import('../graph/equivariant-polynomials.js'),
  },
];
