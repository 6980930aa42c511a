import type { Case } from './cases.js';

const lighthgnnScores = (light: number, plus: number, teacherTopology: number, plusTopology: number) => ({
  MLP: { accuracy: 60 },
  'HGNN (teacher)': { accuracy: 80, topology: teacherTopology },
  LightHGNN: { accuracy: light, topology: 1 },
  'LightHGNN⁺': { accuracy: plus, topology: plusTopology },
});

const speeds = (times: number) => ({ syntheticWhole: times, syntheticVertex: times });

const lighthgnn: readonly Case[] = [
  {
    data: 'planted',
    holding: { methods: lighthgnnScores(81, 82, 0.2, 1.2), studies: speeds(100) },
    failing: { methods: lighthgnnScores(70, 71, 0.4, 0.9), studies: speeds(99) },
  },
  ...[
    'coauthorship-cora',
    'cocitation-cora',
    'cocitation-citeseer',
    'dblp-paper',
    'dblp-term',
    'dblp-conference',
    'imdb',
  ].map((data) => ({
    data,
    holding: { methods: lighthgnnScores(81, 82, 0.2, 1.2) },
    failing: { methods: lighthgnnScores(70, 71, 0.4, 0.9) },
  })),
  ...['cora', 'citeseer'].map((data) => ({
    data,
    holding: { methods: lighthgnnScores(81, 82, 0, 0) },
    failing: { methods: lighthgnnScores(79, 80, 0, 0) },
  })),
  ...[0.5, 0.9].map((holdout) => ({
    data: 'coauthorship-cora',
    options: { setting: 'production', holdout },
    holding: { methods: lighthgnnScores(66, 67, 0, 0) },
    failing: { methods: lighthgnnScores(65, 65, 0, 0) },
  })),
];

const conhdScores = (conhd: number, twin = conhd - 1) => ({
  MLP: { micro: 62, macro: 44 },
  'MLP with ranks': { micro: 63, macro: 44 },
  ...Object.fromEntries(
    ['HGNN', 'HNHN', 'UniGCNII', 'AllSet', 'ED-HNN', 'WHATsNet'].map((title) => [title, { micro: 57, macro: 48 }]),
  ),
  'CoNHD, aggregated': { micro: twin, macro: twin - 18 },
  CoNHD: { micro: conhd, macro: conhd - 18 },
});

const depths = (conhd: number, whatsnet: number) => ({
  'CoNHD 2': 80,
  'CoNHD 8': conhd,
  'WHATsNet 2': 80,
  'WHATsNet 8': whatsnet,
});

const costs = (share: number) => ({
  'seconds CoNHD': share,
  'bytes CoNHD': share,
  'seconds WHATsNet': 1,
  'bytes WHATsNet': 1,
});

const conhd: readonly Case[] = [
  {
    data: 'role',
    holding: { methods: conhdScores(72), studies: depths(80, 79) },
    failing: { methods: conhdScores(71.5), studies: depths(77.9, 80) },
  },
  {
    data: 'stackoverflow-biology',
    holding: { methods: conhdScores(72), studies: costs(1) },
    failing: { methods: conhdScores(60.9, 61), studies: costs(1.01) },
  },
  {
    data: 'cora-outsider',
    holding: { methods: conhdScores(72), studies: { ...depths(80, 79), ...costs(1) } },
    failing: { methods: conhdScores(60.9, 61), studies: { ...depths(79, 80), ...costs(1.01) } },
  },
  ...[
    'email-eu',
    'stackoverflow-biology',
    'coauth-dblp',
    'cora-outsider',
    'email-enron',
    'stackoverflow-physics',
    'aminer',
    'dblp-outsider',
    'citeseer-outsider',
    'pubmed-outsider',
  ].map((data) => ({
    data,
    options: { layers: 'either' },
    holding: { methods: conhdScores(72) },
    failing: { methods: conhdScores(60.9, 61) },
  })),
];

const hyperpave: readonly Case[] = [
  {
    data: 'catalogue',
    holding: {
      methods: {
        'Random scores': { zeroShot: 20 },
        Classification: { zeroShot: 30, f1: 10 },
        Generation: { zeroShot: 59.9, f1: 39.9 },
        Text: { zeroShot: 59, hit: 50, implicit: 10 },
        Graph: { zeroShot: 59.9, hit: 50 },
        'Graph with behaviour': { zeroShot: 59.9 },
        'HyperPAVE, user': { zeroShot: 60, f1: 40, hit: 58, implicit: 18 },
        'HyperPAVE, all': { zeroShot: 41, hit: 54 },
      },
    },
    failing: {
      methods: {
        'Random scores': { zeroShot: 31 },
        Classification: { zeroShot: 31, f1: 40 },
        Generation: { zeroShot: 31, f1: 40 },
        Text: { zeroShot: 32.1, hit: 50, implicit: 10 },
        Graph: { zeroShot: 31, hit: 50 },
        'Graph with behaviour': { zeroShot: 31 },
        'HyperPAVE, user': { zeroShot: 31, f1: 40, hit: 57.9, implicit: 17.9 },
        'HyperPAVE, all': { zeroShot: 62, hit: 53.9 },
      },
    },
  },
];

const talk = (tokens: number, easyTokens: number, utility: number) => ({
  tokens,
  easyTokens,
  hardTokens: 3600,
  utility,
});

const sketches = (kept: number, hyperedge: number, chain: number) => ({
  ...{ 'kept 0': 5, 'kept 0.1': 5, 'kept 0.5': kept },
  ...{ 'reach hyperedge': hyperedge, 'reach chain': chain },
});

const teams = (accuracy: number, own: ReturnType<typeof talk>, counterfactual: number, blind: number) => ({
  None: { accuracy: 50, utility: 0.4 },
  Chain: { accuracy: 72, utility: 0.4 },
  Star: { accuracy: 92, utility: 0.58 },
  Triples: { accuracy: 90, utility: 0.5 },
  Complete: { accuracy: 91, tokens: 4200, utility: 0.4 },
  'Random triples': { accuracy: 82, utility: 0.5 },
  'Best fixed': { accuracy: 92, utility: 0.6 },
  'G-Designer': { accuracy: 94, utility: 0.5 },
  Pairwise: { accuracy: 92, tokens: 2600 },
  'Query-blind': { easyTokens: blind, hardTokens: 3600 },
  'Always k partners': { easyTokens: blind, hardTokens: 3600 },
  HyperAgent: { accuracy, ...own },
  'HyperAgent, counterfactual': { utility: counterfactual },
});

const hyperagent: readonly Case[] = [
  ...[0.98, 0.9].map((focus) => ({
    data: 'simulated',
    options: { focus },
    holding: { methods: teams(95, talk(2500, 1200, 0.65), 0.7, 3600), studies: sketches(4, 1, 0.4) },
    failing: { methods: teams(90, talk(3200, 3600, 0.55), 0.55, 1200), studies: sketches(5, 0.8, 1) },
  })),
  {
    data: 'gsm8k',
    holding: { methods: { Complete: { tokens: 1000 }, HyperAgent: { accuracy: 96, tokens: 740 } } },
    failing: { methods: { Complete: { tokens: 1000 }, HyperAgent: { accuracy: 95, tokens: 760 } } },
  },
];

const classifierScores = (drop: number, relevant: number, nodes: number) => ({
  ...Object.fromEntries(['GCN', 'GIN', 'TopKPool', 'SAGPool', 'GMT'].map((title) => [title, { accuracy: 70 }])),
  HyperDrop: { accuracy: drop, relevant, nodes },
  'HyperDrop + GMT': { accuracy: drop },
});

const typeScores = (cluster: number) => ({
  ...Object.fromEntries(
    ['majority', 'best guess from the ends', 'GCN + GMPool', 'R-GCN + GMPool'].map((title) => [
      title,
      { accuracy: 55, exact: 20, validity: 80 },
    ]),
  ),
  HyperCluster: { accuracy: cluster, exact: cluster - 35, validity: cluster + 25 },
});

const criticScores = (edges: number) => ({
  'MolGAN, R-GCN critic': { distinct: 30 },
  'MolGAN, EHGNN critic': { distinct: edges },
});

const depthScores = (drop: number) => ({
  'GCN, 16 layers': { accuracy: 50, distance: 0.5 },
  'GCN + HyperDrop, 16 layers': { accuracy: drop, distance: drop / 100 },
});

const ehgnn: readonly Case[] = [
  {
    data: 'irrelevant-edges',
    holding: {
      methods: classifierScores(75, 45, 100),
      studies: { inverse: 1, dualSeconds: 0.1, dualBytes: 16 },
    },
    failing: { methods: classifierScores(68, 44, 99), studies: { inverse: 0, dualSeconds: 1.1, dualBytes: 65 } },
  },
  {
    data: 'edge-types',
    holding: { methods: typeScores(65) },
    failing: { methods: typeScores(55) },
  },
  ...['esol', 'qm9-12k'].map((data) => ({
    data,
    holding: { methods: typeScores(60) },
    failing: { methods: typeScores(55) },
  })),
  {
    data: 'qm9-12k',
    options: { task: 'generate' },
    holding: { methods: criticScores(35) },
    failing: { methods: criticScores(34.9) },
  },
  ...['mutag', 'ptc', 'proteins', 'nci1', 'imdb-binary'].map((data) => ({
    data,
    holding: { methods: classifierScores(72, 0, 0) },
    failing: { methods: classifierScores(68, 0, 0) },
  })),
  {
    data: 'cora',
    holding: { methods: depthScores(51) },
    failing: { methods: depthScores(50) },
  },
];

const programScores = (hdhgn: number, other: number) => ({
  ...Object.fromEntries(
    ['ridge, 1-grams', 'TBCNN', 'GCN', 'GAT', 'HGNN⁺', 'HDHGN without types', 'HDHGN without roles'].map((title) => [
      title,
      { accuracy: other },
    ]),
  ),
  HDHGN: { accuracy: hdhgn },
});

const hdhgn: readonly Case[] = [
  ...['roles', 'fields'].map((data) => ({
    data,
    holding: { methods: programScores(95, 40) },
    failing: { methods: programScores(94.9, 60.1) },
  })),
  ...['code-gcj', 'my/programs'].flatMap((data) =>
    ['full', 'few'].map((setting) => ({
      data,
      options: { setting },
      holding: { methods: programScores(90.1, 90) },
      failing: { methods: programScores(85.9, 90) },
    })),
  ),
];

const distinctScores = (
  soft: number,
  sparse: number,
  balanced: { entropy: number; dead: number },
  detached: number,
) => ({
  none: { mae: 2 },
  '+ self-attention': { mae: 0.9 },
  SoftHGNN: { mae: soft },
  'SoftHGNN-SeS': { mae: sparse },
  'SeS, balance 0': { entropy: 3, dead: 4 },
  'SeS, balance 3': balanced,
  'SeS, balance 3 without gradient': { entropy: detached, dead: 4 },
});

const contextScores = (metric: string, soft: number, sparse: number, others: number) => ({
  ...Object.fromEntries(
    ['none', '+ self-attention', '+ HGNN, nearest tokens'].map((title) => [title, { [metric]: others }]),
  ),
  SoftHGNN: { [metric]: soft },
  'SoftHGNN-SeS': { [metric]: sparse },
});

const necks = (soft: number) => ({
  'neck with soft hypergraphs': { ap50: soft },
  'neck with bottlenecks': { ap50: 50 },
});

const softhgnn: readonly Case[] = [
  {
    data: 'distinct-count',
    holding: {
      methods: distinctScores(0.9, 1.2, { entropy: 3.2, dead: 0 }, 3),
      studies: {
        ...{ softSlope: 1.25, attentionSlope: 1.6, memorySlope: 1.25 },
        ...{ overAttention: 5, overNearest: 1.01, saved: 2.5 },
      },
    },
    failing: {
      methods: distinctScores(1.01, 1.21, { entropy: 3.1, dead: 1 }, 3.01),
      studies: {
        ...{ softSlope: 1.26, attentionSlope: 1.5, memorySlope: 1.3 },
        ...{ overAttention: 4.9, overNearest: 1, saved: 2.4 },
      },
    },
  },
  {
    data: 'cifar10',
    holding: { methods: contextScores('accuracy', 40, 40, 39) },
    failing: { methods: contextScores('accuracy', 38, 38, 39) },
  },
  {
    data: 'digit-counts',
    holding: { methods: contextScores('mae', 0.9, 0.9, 1) },
    failing: { methods: contextScores('mae', 1, 1, 1) },
  },
  { data: 'digit-boxes', holding: { methods: necks(51) }, failing: { methods: necks(50) } },
];

export const evidence: Readonly<Record<string, readonly Case[]>> = {
  lighthgnn,
  conhd,
  ehgnn,
  hyperagent,
  hyperpave,
  hdhgn,
  softhgnn,
};
