// The published systems, as data: what each is, its paper, what the abstract claims, where its
// experiment is. Lists, pages, the README's table and the smoke tests follow from these records.
// Nothing but types is imported, so that listing the systems costs nothing.

import type { Family, SystemRecord } from './parts/system-record.js';

export type { Family, Paper, SystemRecord } from './parts/system-record.js';

/** Families of systems with their headings. */
export const families: Readonly<Record<Family, string>> = {
  hypergraph: 'Hypergraphs',
  graph: 'Graphs',
  embedding: 'Embedding and ranking',
  hypernet: 'Hypernetworks',
  vision: 'Vision',
  compress: 'Compression',
  lm: 'Language models',
};

/** All systems, by family. */
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
      mlp: 'outperform vanilla MLPs by 16.3 on average',
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
    load: () => import('./hypergraph/hyperpave.js'),
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
    load: () => import('./hypergraph/hyperagent.js'),
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
    load: () => import('./hypergraph/ehgnn.js'),
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
    load: () => import('./hypergraph/hdhgn.js'),
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
  {
    slug: 'vanillanet',
    title: 'VanillaNet: the power of minimalism',
    family: 'vision',
    about: 'image classifiers of five to thirteen layers, trained deep and merged into plain convolutions',
    paper: {
      authors: 'Chen, Wang, Guo, Tao',
      title: 'VanillaNet: the Power of Minimalism in Deep Learning',
      venue: 'NeurIPS',
      year: 2023,
      arxiv: '2305.12972',
    },
    abstract: {
      simple: 'avoiding high depth, shortcuts, and intricate operations like self-attention',
      pruned: 'nonlinear activation functions pruned after training to restore the original architecture',
      deployment:
        'its easy-to-understand and highly simplified architecture opens new possibilities for efficient deployment',
      performance: 'delivers performance on par with renowned deep neural networks and vision transformers',
    },
    load: () => import('./vision/vanillanet.js'),
  },
  {
    slug: 'lsnet',
    title: 'LSNet: see large, focus small',
    family: 'vision',
    about: 'a vision backbone that perceives with a large static kernel and aggregates with a small dynamic one',
    paper: {
      authors: 'Wang, Chen, Lin, Han, Ding',
      title: 'LSNet: See Large, Focus Small',
      venue: 'CVPR',
      year: 2025,
      arxiv: '2503.23135',
    },
    abstract: {
      convolution:
        'LS (Large-Small) convolution, which combines large-kernel perception and small-kernel aggregation […] can ' +
        'efficiently capture a wide range of perceptual information and achieve precise feature aggregation for ' +
        'dynamic and complex visual representations',
      performance: 'LSNet achieves superior performance […] over existing lightweight networks',
      efficiency: 'LSNet achieves superior […] efficiency over existing lightweight networks',
      tasks: 'in various vision tasks',
    },
    load: () => import('./vision/lsnet.js'),
  },
  {
    slug: 'sparse-convnets',
    title: 'Fast sparse convolutional networks',
    family: 'compress',
    about: 'prunes the pointwise convolutions of MobileNets and EfficientNets and runs them on sparse kernels',
    paper: {
      authors: 'Elsen, Dukhan, Gale, Simonyan',
      title: 'Fast Sparse ConvNets',
      venue: 'CVPR',
      year: 2020,
      arxiv: '1911.09723',
    },
    abstract: {
      kernels:
        'the conventional wisdom is that this reduction in theoretical FLOPs does not translate into real-world ' +
        'efficiency gains. We aim to correct this misconception by introducing a family of efficient sparse kernels ' +
        'for […] WebAssembly',
      arm: 'efficient sparse kernels for ARM',
      curve:
        'sparse versions of MobileNet v1, MobileNet v2 and EfficientNet architectures substantially outperform strong ' +
        'dense baselines on the efficiency-accuracy curve',
      speed: 'on Snapdragon 835 our sparse networks outperform their dense equivalents by 1.3-2.4times',
    },
    load: () => import('./compress/sparse-convnets.js'),
  },
  {
    slug: 'moepp',
    title: 'MoE++: zero-computation experts',
    family: 'lm',
    about: 'mixtures of experts in which some experts cost nothing, so that easy tokens use fewer of the others',
    paper: {
      authors: 'Jin, Zhu, Yuan, Yan',
      title: 'MoE++: Accelerating Mixture-of-Experts Methods with Zero-Computation Experts',
      venue: 'ICLR',
      year: 2025,
      arxiv: '2410.07348',
    },
    abstract: {
      dynamic:
        'MoE++ allows each token to engage with a dynamic number of FFNs, be adjusted by constant vectors, or even ' +
        'skip the MoE layer entirely',
      simple:
        'by enabling simple tokens to utilize fewer FFN experts, MoE++ allows more experts to focus on challenging tokens',
      deployment:
        'we can deploy all zero-computation experts on each GPU, eliminating the significant communication overhead ' +
        'and expert load imbalance associated with FFN experts distributed across different GPUs',
      performance: 'MoE++ achieves better performance […] compared to a vanilla MoE model of the same size',
      throughput: 'delivering 1.1-2.1x expert forward throughput compared to a vanilla MoE model of the same size',
    },
    load: () => import('./lm/moepp.js'),
  },
];

/** @throws Error naming the known systems. */
export function findSystem(slug: string): SystemRecord {
  const record = systems.find((candidate) => candidate.slug === slug);
  if (!record) throw new Error(`unknown system "${slug}"; known: ${systems.map((system) => system.slug).join(', ')}`);
  return record;
}
