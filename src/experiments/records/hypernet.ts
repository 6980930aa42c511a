// Hypernetworks: the records of their systems.

import type { SystemRecord } from '../parts/system-record.js';

export const records: readonly SystemRecord[] = [
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
    load: () => import('../hypernet/hypernet-review.js'),
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
    load: () => import('../hypernet/mip.js'),
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
    load: () => import('../hypernet/hypertab.js'),
  },
  {
    slug: 'semipfl',
    title: 'SemiPFL: personal models of users who share no data',
    family: 'hypernet',
    about: 'a classifier for each user of a federation, with few labels or none, whose rows never leave their device',
    paper: {
      authors: 'Tashakori, Zhang, Wang, Servati',
      title: 'SemiPFL: Personalized Semi-Supervised Federated Learning Framework for Edge Intelligence',
      venue: 'IEEE Internet of Things Journal',
      year: 2023,
      arxiv: '2203.08176',
    },
    abstract: {
      performance:
        'outperforms state-of-art federated learning frameworks under the same assumptions regarding user performance',
      network: '… network footprint',
      computation: '… and computational consumption',
      unlabelled: 'the solution performs well for users without label or having limited labeled datasets',
      labels: 'increasing performance for increased labeled data',
      users: '… and number of users',
      hardware:
        'the stability of SemiPFL for handling user hardware resource heterogeneity in three real-time scenarios',
    },
    load: () => import('../hypernet/semipfl.js'),
  },
  {
    slug: 'hyperinterval',
    title: 'HyperInterval: weight intervals of tasks from one hypernetwork',
    family: 'hypernet',
    about: 'learns tasks one after another, each with bounds of weights within which it stays solved',
    paper: {
      authors: 'Krukowski, Bielawska, Książek, Wawrzyński, Batorski, Spurek',
      title: 'HyperInterval: Hypernetwork approach to training weight interval regions in continual learning',
      venue: 'preprint',
      year: 2024,
      arxiv: '2405.15444',
    },
    abstract: {
      manageable:
        'Interval arithmetic works with a more manageable, lower-dimensional embedding space rather than directly ' +
        'preparing intervals in a high-dimensional weight space',
      faster: 'faster and more efficient training',
      guarantee: 'maintains the guarantee of not forgetting',
      universal: 'one universal embedding to produce a single network dedicated to all tasks',
      significant: 'significantly better results than InterContiNet',
      sota: 'SOTA results on several benchmarks',
    },
    load: () => import('../hypernet/hyperinterval.js'),
  },
  {
    slug: 'dp-hypernet',
    title: 'Dependency-preserving hypernetworks for continual learning',
    family: 'hypernet',
    about: 'learns tasks one after another by a recurrent hypernetwork that makes the layers of each network in turn',
    paper: {
      authors: 'Chandra, Varshney, Srijith, Gupta',
      title: 'Continual Learning with Dependency Preserving Hypernetworks',
      venue: 'WACV',
      year: 2023,
      arxiv: '2209.07712',
    },
    abstract: {
      efficient: 'generate layer weights efficiently',
      dependencies: 'allowing for dependencies across them',
      regularisation: 'novel regularisation',
      growth:
        'network growth techniques for the RNN based hypernetwork to further improve the continual learning performance',
      outperforms:
        'the proposed methods based on the RNN hypernetworks outperformed the baselines in all these CL settings and ' +
        'tasks',
    },
    load: () => import('../hypernet/dp-hypernet.js'),
  },
  {
    slug: 'logah',
    title: 'LoGAH: initial weights from the architecture alone',
    family: 'hypernet',
    about: 'predicts the initial weights of a network, up to GPT-2 Large, from its architecture',
    paper: {
      authors: 'Zhou, Knyazev, Jolicoeur-Martineau, Fu',
      title: 'LoGAH: Predicting 774-Million-Parameter Transformers using Graph HyperNetworks with 1/100 Parameters',
      venue: 'arXiv',
      year: 2024,
      arxiv: '2405.16287',
    },
    abstract: {
      hundredth: 'Predicting 774-Million-Parameter Transformers using Graph HyperNetworks with 1/100 Parameters',
      excessive:
        'expands to significantly wider networks without requiring as excessive increase of parameters as in previous ' +
        'attempts',
      large: 'predict the parameters of 774-million large neural networks in a memory-efficient manner',
      better:
        'vision and language models (i.e., ViT and GPT-2) initialized with LoGAH achieve better performance than those ' +
        'initialized randomly or using existing hypernetworks',
      transfer:
        'promising transfer learning results w.r.t. training LoGAH on small datasets and using the predicted parameters ' +
        'to initialize for larger tasks',
    },
    load: () => import('../hypernet/logah.js'),
  },
  {
    slug: 'hypino',
    title: 'HyPINO: networks that solve differential equations, made by a hypernetwork',
    family: 'hypernet',
    about: 'solves linear differential equations in two dimensions in one pass, and refines the answer',
    paper: {
      authors: 'Bischof, Piovarči, Kraus, Mishra, Bickel',
      title: 'HyPINO: Multi-Physics Neural Operators via HyperPINNs and the Method of Manufactured Solutions',
      venue: 'arXiv',
      year: 2025,
      arxiv: '2509.05117',
    },
    abstract: {
      benchmarks:
        'strong zero-shot accuracy on seven benchmark problems from PINN literature, outperforming U-Nets, Poseidon, ' +
        'and Physics-Informed Neural Operators (PINO)',
      classes:
        'can handle linear elliptic, hyperbolic, and parabolic equations in two dimensions with varying source terms, ' +
        'geometries, and mixed Dirichlet/Neumann boundary conditions, including interior boundaries',
      refinement:
        'progressively reduces the error on six benchmarks and achieves over 100x gain in average L_2 loss in the best ' +
        'case, while retaining forward-only inference',
      tuning:
        'they converge faster and to lower final error than both randomly initialized and Reptile-meta-learned PINNs ' +
        'on five benchmarks, performing on par on the remaining two',
      supervision:
        'mixed supervision: (i) labeled data from analytical solutions generated via the Method of Manufactured ' +
        'Solutions (MMS), and (ii) unlabeled samples optimized using physics-informed objectives',
    },
    load: () => import('../hypernet/hypino.js'),
  },
];
