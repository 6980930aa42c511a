// Hypergraphs with labelled vertices, and with a label for each vertex in each hyperedge.

import { imdb } from './graphs.js';
import type { DatasetRecord } from './record.js';

const hyperGcn = {
  kinds: ['hypergraph'],
  licence: 'Apache-2.0 (repository)',
  source: {
    address: 'https://github.com/malllabiisc/HyperGCN',
    citation:
      'Yadati et al., "HyperGCN: A New Method of Training Graph Convolutional Networks on Hypergraphs", NeurIPS 2019',
  },
} as const;

const OFFICIAL = 'https://raw.githubusercontent.com/malllabiisc/HyperGCN/master/data';

/** Vertices are papers; a hyperedge holds the papers of an author, or those that a paper cites. */
function publication(
  name: string,
  folder: string,
  sha256: string,
  size: string,
  rest: Pick<DatasetRecord, 'note'> = {},
): DatasetRecord {
  return {
    ...hyperGcn,
    name,
    files: [{ path: `hypergraphs/${name}.npz`, sha256, digestOf: 'hyperedges' }],
    size,
    download: { form: 'hypergcn', address: `${OFFICIAL}/${folder}` },
    ...rest,
  };
}

const withoutFeatures = { note: 'a fetched copy has features; the archive that is passed around has none' };

const publications: readonly DatasetRecord[] = [
  publication(
    'coauthorship-cora',
    'coauthorship/cora',
    '62cdac199a68868dc33bfdc9b082e2ea462e7000f6b49899aba3a215c8288c13',
    '2,708 vertices, 1,072 hyperedges, 4,585 incidences, 7 classes, 1,433 binary features',
  ),
  publication(
    'coauthorship-dblp',
    'coauthorship/dblp',
    '4899e07724d656faea8f51335178160d6a870b97d3bfb54810ac19debc6c5836',
    '41,302 vertices, 22,363 hyperedges, 99,561 incidences, 6 classes',
    withoutFeatures,
  ),
  publication(
    'cocitation-citeseer',
    'cocitation/citeseer',
    '2c644185b7b2d348178e7c7882e60282108b891bc207e2f4dc3e23047a27e065',
    '3,312 vertices, 1,079 hyperedges, 3,453 incidences, 6 classes, 3,703 binary features',
  ),
  publication(
    'cocitation-cora',
    'cocitation/cora',
    '859429f76aefab2833150df3fba170680ff4762c4c05d373835039005228c67c',
    '2,708 vertices, 1,579 hyperedges, 4,786 incidences, 7 classes, 1,433 binary features',
  ),
  publication(
    'cocitation-pubmed',
    'cocitation/pubmed',
    'a4ed0748912e624bc25623dd33db87618ad6d0b84bd19251793229518b0415fd',
    '19,717 vertices, 7,963 hyperedges, 34,629 incidences, 3 classes',
    withoutFeatures,
  ),
];

const heco = {
  kinds: ['hypergraph'],
  licence: 'none stated',
  source: {
    address: 'https://github.com/liun-online/HeCo',
    citation:
      'Wang et al., "Self-supervised Heterogeneous Graph Neural Network with Co-contrastive Learning", KDD 2021',
  },
  files: [{ path: 'hetero/dblp.npz', sha256: '9a4d15406c8f7b015af5cfafae2e2e4aa0d26a4a332bfa853e3a271f10f9871f' }],
} as const;

/** Vertices are authors; a hyperedge holds those of a paper, a term or a conference. */
const authors: readonly DatasetRecord[] = [
  {
    ...heco,
    name: 'dblp-paper',
    size: '4,057 vertices, 14,328 hyperedges, 19,645 incidences, 4 classes, 334 binary features',
    typed: { vertices: 'author', paths: [['paper']] },
  },
  {
    ...heco,
    name: 'dblp-term',
    size: '4,057 vertices, 7,723 hyperedges, 90,685 incidences, 4 classes, 334 binary features',
    typed: { vertices: 'author', paths: [['paper', 'term']] },
  },
  {
    ...heco,
    name: 'dblp-conference',
    size: '4,057 vertices, 20 hyperedges, 9,205 incidences, 4 classes, 334 binary features',
    typed: { vertices: 'author', paths: [['paper', 'conf']] },
  },
];

/** Vertices are films; a hyperedge holds those of a director or an actor. */
const films: DatasetRecord = {
  ...imdb,
  kinds: ['hypergraph'],
  size: '4,278 vertices, 7,338 hyperedges, 17,106 incidences, 3 classes, 3,066 word counts',
  typed: { vertices: 'movie', paths: [['director'], ['actor']] },
};

const conhd = {
  kinds: ['incidences'],
  licence: 'MIT (repository)',
  source: {
    address: 'https://github.com/zhengyijia/CoNHD',
    citation:
      'Choe et al., "Classification of Edge-dependent Labels of Nodes in Hypergraphs", KDD 2023; Zheng, Worring, CIKM 2025',
  },
} as const;

function edgeDependent(name: string, sha256: string, size: string): DatasetRecord {
  return { ...conhd, name, files: [{ path: `edge-dependent/${name}.npz`, sha256 }], size };
}

const incidences: readonly DatasetRecord[] = [
  edgeDependent(
    'stackoverflow-biology',
    'a6b54ff6ba6e543aeddc0faed69c2088b56756eba16f4c5905949fd316a63ee8',
    '15,490 vertices, 26,823 hyperedges, 56,257 incidences, 3 classes',
  ),
  edgeDependent(
    'email-eu',
    'bd8bac819eb1013955374196f072aa1a8bb19f9ae7f68cdd003e7e8742e60b53',
    '986 vertices, 209,508 hyperedges, 541,842 incidences, 2 classes',
  ),
  edgeDependent(
    'coauth-dblp',
    'f4a7501751a5d076a779b957a02cf2b7974f3d73bcfecfb70955c90434cada05',
    '108,484 vertices, 91,266 hyperedges, 321,011 incidences, 3 classes',
  ),
  edgeDependent(
    'cora-outsider',
    'd7bba92094d9a61fe84c0d6b72ed765c91670afc886387c6ffdeaab693697f5e',
    '1,904 vertices, 1,905 hyperedges, 14,990 incidences, 2 classes',
  ),
];

/** Labelled hypergraphs and incidences. */
export const hypergraphRecords: readonly DatasetRecord[] = [...publications, ...authors, films, ...incidences];
