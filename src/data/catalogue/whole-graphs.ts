// Sets of graphs: a class of each, or numbers.

import type { DatasetRecord } from './record.js';

function benchmark(name: string, file: string, sha256: string, size: string, citation: string): DatasetRecord {
  return {
    name,
    kinds: ['whole-graphs'],
    files: [{ path: `tu-graphs/${file}.npz`, sha256 }],
    licence: 'MIT (repository)',
    source: { address: 'https://github.com/muhanzhang/pytorch_DGCNN', citation },
    size: `${size}, 10 folds`,
  };
}

const benchmarks: readonly DatasetRecord[] = [
  benchmark(
    'mutag',
    'mutag',
    'e217b4f9d6dbcde2b3a62a29e70eab1cd393bd7d88e590acb4f6ee044991e9da',
    '188 graphs, 3,371 nodes, 3,721 edges, 2 classes',
    'Debnath et al., "Structure-activity relationship of mutagenic aromatic and heteroaromatic nitro compounds", 1991',
  ),
  benchmark(
    'ptc',
    'ptc',
    '433dbf773397961bc292b64817687f524bc991e67c865611d06f414414a63be8',
    '344 graphs, 8,792 nodes, 8,931 edges, 2 classes',
    'Toivonen et al., "Statistical evaluation of the Predictive Toxicology Challenge 2000-2001", 2003',
  ),
  benchmark(
    'proteins',
    'proteins',
    '1eca895acad6455c8490b4bc90784a0f2069b6c84bba266777e8504f88afd104',
    '1,113 graphs, 43,471 nodes, 81,044 edges, 2 classes',
    'Borgwardt et al., "Protein function prediction via graph kernels", 2005',
  ),
  benchmark(
    'nci1',
    'nci1',
    '5f2cfa8a8d3881ed61f0f20e49d907ddfa57d5774b2df709331ab672aca347e1',
    '4,110 graphs, 122,747 nodes, 132,753 edges, 2 classes',
    'Wale, Watson, Karypis, "Comparison of descriptor spaces for chemical compound retrieval", 2008',
  ),
  benchmark(
    'imdb-binary',
    'imdbbinary',
    'c79811db34c1e4f1b153ed8fbacd722942825a6f8eea7ea646369531a3057942',
    '1,000 graphs, 19,773 nodes, 96,531 edges, 2 classes',
    'Yanardag & Vishwanathan, "Deep Graph Kernels", KDD 2015',
  ),
];

function molecules(name: string, file: string, sha256: string, size: string, citation: string): DatasetRecord {
  return {
    name,
    kinds: ['whole-graphs'],
    files: [{ path: `molecules/${file}.npz`, sha256 }],
    licence: 'none stated',
    source: { address: 'https://github.com/KRICT-DATA/EGCN', citation },
    size,
    note: 'graphs made from SMILES with RDKit, heavy atoms only',
  };
}

const moleculeSets: readonly DatasetRecord[] = [
  molecules(
    'esol',
    'esol',
    '18b814b9062d5a8cab5fa3372096c8a87904859c60bfd56b95538d0c7af27b4f',
    '1,128 graphs, 14,991 nodes, 15,428 edges, 1 target',
    'Delaney, "ESOL: estimating aqueous solubility directly from molecular structure", 2004',
  ),
  molecules(
    'freesolv',
    'freesolv',
    '2848c866a585aa1d2c48d7ba204ebe68b8e40d9ea9ba63c04fe03bda19d41393',
    '642 graphs, 5,600 nodes, 5,385 edges, 1 target',
    'Mobley & Guthrie, "FreeSolv: a database of experimental and calculated hydration free energies", 2014',
  ),
  molecules(
    'qm9-12k',
    'qm9_12k',
    '41b20a41a9f242e579d56880de027e279c20093c93a221988ec88f5dfecb4313',
    '12,000 graphs, 105,565 nodes, 112,877 edges, 4 targets, published split',
    'Ramakrishnan et al., "Quantum chemistry structures and properties of 134 kilo molecules", 2014',
  ),
];

/** Graphs on which weak networks fail. */
function hard(
  name: string,
  files: readonly (readonly [file: string, sha256: string])[],
  size: string,
  citation: string,
): DatasetRecord {
  return {
    name,
    kinds: ['whole-graphs'],
    files: files.map(([file, sha256]) => ({ path: `expressivity/${file}`, sha256 })),
    licence: 'none stated',
    source: { address: 'https://github.com/balcilar/gnn-matlang', citation },
    size,
  };
}

const hardSets: readonly DatasetRecord[] = [
  {
    ...hard(
      'exp',
      [['exp.npz', '345cefdf77e0bc558c7c2323b4d07920e1fe1c346445e015bfeca004ebeefa8c']],
      '1,200 graphs, 53,336 nodes, 66,130 edges, 2 classes, in pairs that 1-WL does not tell apart',
      'Abboud, Ceylan, Grohe, Lukasiewicz, "The Surprising Power of Graph Neural Networks with Random Node Initialization", IJCAI 2021',
    ),
    paired: true,
  },
  {
    ...hard(
      'graph8c',
      [
        ['graph8c.g6', '0002354f1ab3344a2706626a037ad15367bf23a2163aa68f552c3a169ca9a036'],
        ['graph8c_counts.csv', '3da630ddf119388a2f927d76e57c3b6cf2e0967738d56a0e2aee7403336e371a'],
      ],
      '11,117 graphs, 88,936 nodes, 160,220 edges, 7 targets: all connected graphs of 8 nodes',
      'McKay, Piperno, "Practical graph isomorphism, II", 2014; counts of subgraphs are computed',
    ),
  },
  hard(
    'sr251256',
    [['sr251256.g6', 'f55f86eb48cd61c3315c62341cc3a8c59289c58504edb3ab859d7ef2068b9aa4']],
    '15 graphs, 375 nodes, 2,250 edges, 0 targets: all SR(25, 12, 5, 6)',
    'Spence, "Strongly regular graphs on at most 64 vertices"',
  ),
];

/** Sets of graphs. */
export const wholeGraphRecords: readonly DatasetRecord[] = [...benchmarks, ...moleculeSets, ...hardSets];
