// Networks without node features: multi-label graphs, edge lists, event streams.

import type { DatasetRecord } from './record.js';

const ProNE = 'https://github.com/THUDM/ProNE';

const multiLabelGraphs: readonly DatasetRecord[] = [
  {
    name: 'blogcatalog',
    kinds: ['multi-label-graph'],
    files: [
      {
        path: 'node-embedding/blogcatalog.npz',
        sha256: 'b7dc01518e8a6304e2e209bb878a1f96cecd9c28268a8170c9f17582dc7aaa2b',
      },
    ],
    licence: 'none stated',
    source: {
      address: 'https://github.com/phanein/deepwalk',
      citation: 'Tang, Liu, "Relational Learning via Latent Social Dimensions", KDD 2009',
    },
    size: '10,312 nodes, 333,983 edges, 39 labels',
  },
  {
    name: 'ppi',
    kinds: ['multi-label-graph'],
    files: [
      { path: 'node-embedding/ppi.npz', sha256: 'e63ec28f037d1daf8a230d37b18e522e815a1c8ea90f2e32d41b5ba9d4987c09' },
    ],
    licence: 'MIT (repository)',
    source: { address: ProNE, citation: 'Grover, Leskovec, "node2vec", KDD 2016' },
    size: '3,890 nodes, 37,845 edges, 50 labels',
  },
  {
    name: 'wikipedia-pos',
    kinds: ['multi-label-graph'],
    files: [
      {
        path: 'node-embedding/wikipedia-pos.npz',
        sha256: '5d4f090d75bbeef45f941eef2dac9a82b278ad2b9608f1d370503717fd1e43ac',
      },
    ],
    licence: 'MIT (repository)',
    source: { address: ProNE, citation: 'Grover, Leskovec, "node2vec", KDD 2016' },
    size: '4,777 nodes, 92,295 edges, 40 labels',
    note: 'edges have no weights',
  },
];

const directed = { directed: true, kinds: ['edges'] } as const;
const unstated = 'none stated; SNAP asks for citation';

const edgeLists: readonly DatasetRecord[] = [
  {
    ...directed,
    name: 'wiki-vote',
    files: [
      {
        path: 'web-snap/wiki-Vote.txt.gz',
        sha256: '66f2e5d118b21913babc9391cabe49d869c64c141cb5173a6685dca567987500',
        digestOf: 'unpacked',
      },
    ],
    licence: unstated,
    source: {
      address: 'https://snap.stanford.edu/data/wiki-Vote.html',
      citation: 'Leskovec, Huttenlocher, Kleinberg, "Signed Networks in Social Media", CHI 2010',
    },
    size: '7,115 nodes, 103,689 directed edges',
  },
  {
    ...directed,
    name: 'ca-grqc',
    files: [
      {
        path: 'web-snap/ca-GrQc.txt.gz',
        sha256: '2ed088bf080ff42ef795be88ea54e454fda0fed42f39e3b2dbca128e5657fb04',
        digestOf: 'unpacked',
      },
    ],
    licence: unstated,
    source: {
      address: 'https://snap.stanford.edu/data/ca-GrQc.html',
      citation: 'Leskovec, Kleinberg, Faloutsos, "Graph Evolution: Densification and Shrinking Diameters", TKDD 2007',
    },
    size: '5,242 nodes, 28,980 directed edges',
    note: 'an undirected network, each edge stored in both directions',
  },
  {
    ...directed,
    name: 'gnutella',
    files: [
      {
        path: 'web-snap/p2p-Gnutella08.txt.gz',
        sha256: '1e9afa303c1965c152f6f00e44039fc55a7a9e0446c653577589744b2449d492',
        digestOf: 'unpacked',
      },
    ],
    licence: unstated,
    source: {
      address: 'https://snap.stanford.edu/data/p2p-Gnutella08.html',
      citation: 'Ripeanu, Foster, Iamnitchi, "Mapping the Gnutella Network", IEEE Internet Computing 2002',
    },
    size: '6,301 nodes, 20,777 directed edges',
  },
  {
    ...directed,
    name: 'cnr-2000',
    files: [
      { path: 'web-snap/cnr-2000.npz', sha256: 'd71a5f834db24a8e34eeafbb68d93b8457b03f790ae66260c8df39cc1111ac65' },
    ],
    licence: 'none stated for the data; LAW asks for citation',
    source: {
      address: 'https://law.di.unimi.it/webdata/cnr-2000/',
      citation: 'Boldi, Vigna, "The WebGraph Framework I: Compression Techniques", WWW 2004',
    },
    size: '325,557 nodes, 3,216,152 directed edges',
  },
];

function eventStream(
  name: string,
  file: string,
  sha256: string,
  size: string,
  source: DatasetRecord['source'],
  note?: string,
): DatasetRecord {
  return {
    name,
    kinds: ['temporal'],
    files: [{ path: `temporal/${file}.csv.gz`, sha256, digestOf: 'unpacked' }],
    licence: unstated,
    source,
    size,
    directed: true,
    ...(note && { note }),
  };
}

const eventStreams: readonly DatasetRecord[] = [
  eventStream(
    'collegemsg',
    'collegemsg',
    '85cfd3f00c9df720d5fd9ad9de803f63af7c17120f9e9af16a367049a8fd18dc',
    '59,835 events among 1,899 nodes, times in seconds',
    {
      address: 'https://snap.stanford.edu/data/CollegeMsg.html',
      citation: 'Panzarasa, Opsahl, Carley, "Patterns and dynamics of users’ behavior and interaction", JASIST 2009',
    },
  ),
  eventStream(
    'wikipedia',
    'wikipedia',
    'f82e93db791096ef8304a1ea9e9225f97efaaf46aa1ef403f716cceea341190c',
    '157,474 events among 9,227 nodes, times in seconds',
    {
      address: 'https://snap.stanford.edu/jodie/',
      citation:
        'Kumar, Zhang, Leskovec, "Predicting Dynamic Embedding Trajectory in Temporal Interaction Networks", KDD 2019',
    },
    'without the 172 features of the events and the labels of bans',
  ),
  eventStream(
    'email-eu',
    'email-eu-core-temporal',
    '55504f35739df82e5400f8468b5fcc5ee3e7b471247a5103ab08718659747a0b',
    '332,334 events among 986 nodes, times in seconds',
    {
      address: 'https://snap.stanford.edu/data/email-Eu-core-temporal.html',
      citation: 'Paranjape, Benson, Leskovec, "Motifs in Temporal Networks", WSDM 2017',
    },
    'sorted by time',
  ),
  eventStream(
    'bitcoin-alpha',
    'bitcoin-alpha',
    '13cbe50da3f9620a9d6b65d253db42512236f7f485d5fd969a6af387b6cec575',
    '24,186 events among 3,783 nodes, times in seconds, a rating of −10 … 10 each',
    {
      address: 'https://snap.stanford.edu/data/soc-sign-bitcoin-alpha.html',
      citation: 'Kumar et al., "Edge Weight Prediction in Weighted Signed Networks", ICDM 2016',
    },
  ),
];

/** Networks without node features. */
export const networkRecords: readonly DatasetRecord[] = [...multiLabelGraphs, ...edgeLists, ...eventStreams];
