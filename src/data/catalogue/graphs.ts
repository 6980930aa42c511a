// Graphs with a class and features for each node.

import type { DatasetRecord } from './record.js';

/** Films with their directors and actors, as a typed graph and as a hypergraph. */
export const imdb = {
  name: 'imdb',
  licence: 'none stated',
  source: {
    address: 'https://github.com/cynricfu/MAGNN',
    citation:
      'Fu et al., "MAGNN: Metapath Aggregated Graph Neural Network for Heterogeneous Graph Embedding", WWW 2020',
  },
  files: [{ path: 'hetero/imdb.npz', sha256: '347056073d31d02197037e3f80f9ba418ba5edc080969bccef63bb90a82f2362' }],
} as const;

const planetoid = {
  licence: 'MIT (repository); none stated for the data',
  source: {
    address: 'https://github.com/kimiyoung/planetoid',
    citation:
      'Sen et al., "Collective Classification in Network Data", AI Magazine 2008; split of Yang, Cohen, Salakhutdinov, ICML 2016',
  },
} as const;

const citations: readonly DatasetRecord[] = [
  {
    ...planetoid,
    name: 'cora',
    kinds: ['graph', 'hypergraph'],
    files: [{ path: 'planetoid/cora.npz', sha256: 'a2484b3c83ce4596a6ece970f99e9e1862bc865924050afea7a9c5eda102035c' }],
    size: '2,708 nodes, 5,278 edges, 7 classes, 1,433 binary features',
  },
  {
    ...planetoid,
    name: 'citeseer',
    kinds: ['graph', 'hypergraph'],
    files: [
      { path: 'planetoid/citeseer.npz', sha256: '2fbe81a95f48f0ec3d05df4c35a9d2c718a59f30edbead60cbbed6a254e82d4f' },
    ],
    size: '3,327 nodes, 4,552 edges, 6 classes, 3,703 binary features',
    note: 'without self-loops; 15 nodes have no label and no features',
  },
  {
    ...planetoid,
    name: 'pubmed',
    kinds: ['graph'],
    files: [
      {
        path: 'planetoid/pubmed_nofeat.npz',
        sha256: '0160f17c89f99e66ec586b72076af4f3f2935b5f27b9808f4654a316142bdcc7',
      },
    ],
    size: '19,717 nodes, 44,324 edges, 3 classes, 500 TF-IDF features',
    note: 'features of the 60 training and 1,000 test nodes only: accuracies are not those of the whole set',
  },
];

const GRAPH_DATA = 'https://github.com/EdisonLeeeee/GraphData';
const linqs = 'Sen et al., "Collective Classification in Network Data", AI Magazine 2008';
const gaussian = 'Bojchevski, Günnemann, "Deep Gaussian Embedding of Graphs", ICLR 2018';
const pitfalls = 'Shchur et al., "Pitfalls of Graph Neural Network Evaluation", 2018';

function attributed(
  name: string,
  file: string,
  sha256: string,
  size: string,
  citation: string,
  directed = true,
): DatasetRecord {
  return {
    name,
    kinds: ['graph'],
    files: [{ path: `directed-attributed/${file}.npz`, sha256 }],
    licence: 'MIT (repository)',
    source: { address: GRAPH_DATA, citation },
    size,
    directed,
  };
}

const attributedGraphs: readonly DatasetRecord[] = [
  attributed(
    'coauthor-cs',
    'coauthor_cs',
    'e1d6a4874feb5c254e5221c1fed8bd3602630e9ff10bfabb5bc2621f471641e2',
    '18,333 nodes, 81,894 edges, 15 classes, 6,805 features (counts)',
    pitfalls,
    false,
  ),
  attributed(
    'amazon-computers',
    'amazon_computers',
    'a74e39da213d6bc7b02cceab9f13018d529dbdca63d0f9d95c3570edb9fa26c9',
    '13,752 nodes, 287,209 directed edges, 10 classes, 767 binary features',
    pitfalls,
  ),
  attributed(
    'amazon-photo',
    'amazon_photo',
    '7a88880c53a0a43ad450fdb039b405f474801a22b0925881c0ae777491d3745f',
    '7,650 nodes, 143,663 directed edges, 8 classes, 745 binary features',
    pitfalls,
  ),
  attributed(
    'cora-ml',
    'cora_ml',
    'b5327c1a449a2c5c3f93373d8e555561eb997e84b95098f0fafdd949800f7058',
    '2,995 nodes, 8,416 directed edges, 7 classes, 2,879 TF-IDF features',
    gaussian,
  ),
  attributed(
    'citeseer-full',
    'citeseer_full',
    'ec0ad8ca591397776b58ba8aa236961b6cca476f9b4aa0e06bee3a0e1df70a88',
    '4,230 nodes, 5,358 directed edges, 6 classes, 602 TF-IDF features',
    gaussian,
  ),
  attributed(
    'citeseer-directed',
    'citeseer_3312',
    '977a6444c9ad2cf113a20c176363aa13f24d49fb1a6e0cb6c5c77d132fa7b1a3',
    '3,312 nodes, 4,715 directed edges, 6 classes, 3,703 binary features',
    linqs,
  ),
  attributed(
    'cora-directed',
    'cora_directed',
    '23e60bb3b77885321e12fc995e1a56a2b7fccef722bfd247da9306ba5e985e8e',
    '2,708 nodes, 5,429 directed edges, 7 classes, 1,433 binary features',
    linqs,
  ),
  attributed(
    'blogcatalog-attributed',
    'blogcatalog_attr',
    'bd57f2cc22020c7ed6c31255dec9f73975771b27fc4d4ceed79114afb3cbe428',
    '5,196 nodes, 171,743 edges, 6 classes, 8,189 features (counts)',
    'Li et al., "Unsupervised Streaming Feature Selection in Social Media", CIKM 2015',
    false,
  ),
];

const platonov =
  'Platonov et al., "A critical look at the evaluation of GNNs under heterophily: are we really making progress?", ICLR 2023';
const geom = `Pei et al., "Geom-GCN", ICLR 2020; ${platonov}`;

function heterophilous(
  name: string,
  file: string,
  sha256: string,
  size: string,
  citation = geom,
  directed = false,
): DatasetRecord {
  return {
    name,
    kinds: ['graph'],
    files: [{ path: `heterophilous/${file}.npz`, sha256 }],
    licence: 'MIT (repository)',
    source: { address: 'https://github.com/yandex-research/heterophilous-graphs', citation },
    size: `${size}, 10 splits`,
    directed,
  };
}

const heterophilousGraphs: readonly DatasetRecord[] = [
  heterophilous(
    'chameleon',
    'chameleon_directed',
    '327f358dd4b15a4383f316bb95b4fa6ea92d441d0d4e7004a2df1a0c98f4b76d',
    '2,277 nodes, 36,101 directed edges, 5 classes, 2,325 binary features',
    geom,
    true,
  ),
  heterophilous(
    'chameleon-filtered',
    'chameleon_filtered_directed',
    '8bdd33f7db3126e6ce543e4dd8c785c208775b49c202867edb91a8f67865ad9a',
    '890 nodes, 13,584 directed edges, 5 classes, 2,325 binary features',
    platonov,
    true,
  ),
  heterophilous(
    'actor',
    'actor',
    'b3cb4cad9d9a674b16b1b1c9e0fc20cac3cb36518fa44dc6fd3300c3e308c2e5',
    '7,600 nodes, 26,659 edges, 5 classes, 932 binary features',
  ),
  heterophilous(
    'texas',
    'texas',
    '420168a8a4d22305a461b16ad83b497520696fb5fc9e88da6e800a1d1905075d',
    '183 nodes, 279 edges, 5 classes, 1,703 binary features',
  ),
  heterophilous(
    'wisconsin',
    'wisconsin',
    '7ec31913c3d3c6c77c2c296b07858e1ef83fe003a3c0e72f21f5c8abfa09c6d0',
    '251 nodes, 450 edges, 5 classes, 1,703 binary features',
  ),
  heterophilous(
    'cornell',
    'cornell',
    '67574565a7fbf375af8ae8337924242d44ab8edd4db327f66fefcdd2fcd1a62b',
    '183 nodes, 277 edges, 5 classes, 1,703 binary features',
  ),
  heterophilous(
    'minesweeper',
    'minesweeper',
    'e753544ccf97e5fb63d7c936c83c962a8d5fde027917c43778aff7e065d28188',
    '10,000 nodes, 39,402 edges, 2 classes, 7 binary features',
    platonov,
  ),
  heterophilous(
    'tolokers',
    'tolokers',
    'a30be5ff8e5701af275abc62bcc7ff4df01e1721a5a54a44091a4c6c3788bf4a',
    '11,758 nodes, 519,000 edges, 2 classes, 10 features',
    platonov,
  ),
];

const heco = {
  kinds: ['hetero-graph'],
  licence: 'none stated',
  source: {
    address: 'https://github.com/liun-online/HeCo',
    citation:
      'Wang et al., "Self-supervised Heterogeneous Graph Neural Network with Co-contrastive Learning", KDD 2021',
  },
} as const;

/** The sets of HeCo with so many labels of each class. */
const perClass = (record: Omit<DatasetRecord, 'kinds' | 'licence' | 'source'>, labelled: string): DatasetRecord[] =>
  ['20', '40', '60'].map((split) => ({
    ...heco,
    ...record,
    name: `${record.name}-${split}`,
    size: `${record.size}, ${split} labels a class`,
    hetero: { labelled, split },
  }));

const heterogeneousGraphs: readonly DatasetRecord[] = [
  ...perClass(
    {
      name: 'acm',
      files: [{ path: 'hetero/acm.npz', sha256: '768800ac36d829edd5978de141ca9f8ddc3655a031b9499a05b30ab089d2bb0d' }],
      size: '11,246 nodes, 3 types, 2 relations, 17,426 edges, 3 classes, 1,902 features of papers',
    },
    'paper',
  ),
  ...perClass(
    {
      name: 'dblp',
      files: [{ path: 'hetero/dblp.npz', sha256: '9a4d15406c8f7b015af5cfafae2e2e4aa0d26a4a332bfa853e3a271f10f9871f' }],
      size: '26,128 nodes, 4 types, 3 relations, 119,783 edges, 4 classes, 334 binary features of authors',
    },
    'author',
  ),
  {
    ...imdb,
    kinds: ['hetero-graph'],
    size: '11,616 nodes, 3 types, 2 relations, 17,106 edges, 3 classes, 3,066 word counts of films',
    hetero: { labelled: 'movie' },
  },
];

/** Labelled graphs. */
export const graphRecords: readonly DatasetRecord[] = [
  ...citations,
  ...attributedGraphs,
  ...heterophilousGraphs,
  ...heterogeneousGraphs,
];
