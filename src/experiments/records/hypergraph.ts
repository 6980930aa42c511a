// Hypergraphs: the records of their systems.

import type { SystemRecord } from '../parts/system-record.js';

export const records: readonly SystemRecord[] = [
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
      mlp: 'outperform vanilla MLPs by 16.3 on average',
      graphs:
        'three graph datasets further show the average best performance of our LightHGNNs compared with all other methods',
      speed: 'synthetic hypergraphs with 5.5w vertices indicate LightHGNNs can run 100× faster than HGNNs',
    },
    load: () => import('../hypergraph/lighthgnn.js'),
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
    load: () => import('../hypergraph/conhd.js'),
  },
  {
    slug: 'hyperpave',
    title: 'HyperPAVE: zero-shot attribute values of products',
    family: 'hypergraph',
    about: 'attribute values of new products, also values without labels, from texts and what people viewed and bought',
    paper: {
      authors: 'Gong, Eldardiry',
      title: 'Multi-Label Zero-Shot Product Attribute-Value Extraction',
      venue: 'WWW',
      year: 2024,
      arxiv: '2402.08802',
    },
    abstract: {
      outperforms:
        'significantly outperforms existing classification-based, generation-based large language models for attribute ' +
        'value extraction in the zero-shot setting',
      unseen: 'enables HyperPAVE to identify new attribute values without the need for labeled training data',
      representations:
        'constructs heterogeneous hypergraphs to capture complex higher-order relations (i.e. user behavior information) ' +
        'to learn more accurate feature representations for graph nodes',
    },
    load: () => import('../hypergraph/hyperpave.js'),
  },
  {
    slug: 'hyperagent',
    title: 'HyperAgent: hypergraph topologies for teams of language models',
    family: 'hypergraph',
    about: 'learns, question by question, which groups of agents read each other',
    paper: {
      authors: 'Zhang, Shi, Gu, Zhang, You, Gan, Yuan, Huang',
      title: 'HyperAgent: Leveraging Hypergraphs for Topology Optimization in Multi-Agent Communication',
      venue: 'arXiv',
      year: 2025,
      arxiv: '2510.10611',
    },
    abstract: {
      groups:
        'Unlike edge-based approaches, HyperAgent uses hyperedges to link multiple agents within the same subtask',
      oneStep:
        'employs hypergraph convolutional layers to achieve one-step information aggregation in collaboration groups',
      adaptive:
        'incorporates a variational autoencoder framework with sparsity regularization to dynamically adjust hypergraph ' +
        'topologies based on task complexity',
      superior: 'Experiments highlight the superiority of HyperAgent in both performance and efficiency',
      gsm8k: 'on GSM8K, HyperAgent achieves 95.07% accuracy while reducing token consumption by 25.33%',
    },
    load: () => import('../hypergraph/hyperagent.js'),
  },
  {
    slug: 'ehgnn',
    title: 'EHGNN: edge representations by dual hypergraphs',
    family: 'hypergraph',
    about: 'graphs whose edges carry the information: messages between edges, clusters of them, drops',
    paper: {
      authors: 'Jo, Baek, Lee, Kim, Kang, Hwang',
      title: 'Edge Representation Learning with Hypergraphs',
      venue: 'NeurIPS',
      year: 2021,
      arxiv: '2106.15845',
    },
    abstract: {
      representation:
        'for graph representation […] our method largely outperforms existing graph representation learning methods',
      generation: 'and generation performance, on which our method largely outperforms',
      classification:
        'our […] pooling method also largely outperforms state-of-the-art graph pooling methods on graph classification',
      lossless: 'lossless compression of the nodes and removal of irrelevant edges for effective message-passing',
    },
    load: () => import('../hypergraph/ehgnn.js'),
  },
  {
    slug: 'hdhgn',
    title: 'HDHGN: heterogeneous directed hypergraphs of syntax trees',
    family: 'hypergraph',
    about: 'classes of source files, from the hypergraphs of their syntax trees',
    paper: {
      authors: 'Yang, Jin, Dou',
      title: 'Heterogeneous Directed Hypergraph Neural Network over abstract syntax tree (AST) for Code Classification',
      venue: 'SEKE',
      year: 2023,
      arxiv: '2305.04228',
    },
    abstract: {
      accuracy: 'Our method outperforms previous AST-based and GNN-based methods',
    },
    load: () => import('../hypergraph/hdhgn.js'),
  },
  {
    slug: 'softhgnn',
    title: 'SoftHGNN: soft hypergraphs among the tokens of pictures',
    family: 'hypergraph',
    about: 'classes of pictures and counts of what is in them, by groups of tokens at a cost linear in the tokens',
    paper: {
      authors: 'Lei, Wu, Li, Zheng, Wang, Gao, Du',
      title: 'SoftHGNN: Soft Hypergraph Neural Networks for General Visual Recognition',
      venue: 'IJCV',
      year: 2025,
      arxiv: '2505.15325',
    },
    abstract: {
      improvements:
        'Experimental results across three tasks on five datasets demonstrate that SoftHGNN […], achieving significant ' +
        'performance improvements',
      efficient: 'SoftHGNN efficiently captures high-order associations in visual scenes',
      semantics: 'the model generates semantically rich soft hyperedges',
      selection:
        'To further enhance efficiency when scaling up the number of soft hyperedges, we incorporate a sparse hyperedge ' +
        'selection mechanism that activates only the top-k important hyperedges',
      balance: 'along with a load-balancing regularizer to ensure balanced hyperedge utilization',
    },
    load: () => import('../hypergraph/softhgnn.js'),
  },
];
