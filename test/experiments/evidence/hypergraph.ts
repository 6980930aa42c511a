import type { Case } from './cases.js';

const lighthgnnScores = (light: number, plus: number, teacherTopology: number, plusTopology: number) => ({
  MLP: { accuracy: 60 },
  'HGNN (teacher)': { accuracy: 80, topology: teacherTopology },
  LightHGNN: { accuracy: light, topology: 1 },
  'LightHGNN⁺': { accuracy: plus, topology: plusTopology },
});

const lighthgnn: readonly Case[] = [
  ...['planted', 'coauthorship-cora'].map((data) => ({
    data,
    holding: { methods: lighthgnnScores(81, 82, 0.2, 1.2), studies: { syntheticWhole: 100, syntheticVertex: 100 } },
    failing: { methods: lighthgnnScores(70, 71, 0.4, 0.9), studies: { syntheticWhole: 99, syntheticVertex: 99 } },
  })),
  {
    data: 'coauthorship-cora',
    options: { setting: 'production' },
    holding: { methods: lighthgnnScores(66, 67, 0, 0) },
    failing: { methods: lighthgnnScores(65, 65, 0, 0) },
  },
];

const conhdScores = (conhd: number) => ({
  MLP: { micro: 62 },
  'MLP with ranks': { micro: 63 },
  HGNN: { micro: 57, macro: 48 },
  CoNHD: { micro: conhd, macro: conhd - 18 },
});

const conhd: readonly Case[] = [
  {
    data: 'role',
    holding: { methods: conhdScores(72), studies: { depth2: 80, depth8: 78 } },
    failing: { methods: conhdScores(71.5), studies: { depth2: 80, depth8: 77.9 } },
  },
  {
    data: 'stackoverflow-biology',
    holding: { methods: conhdScores(72) },
    failing: { methods: conhdScores(60.9) },
  },
];

export const evidence: Readonly<Record<string, readonly Case[]>> = { lighthgnn, conhd };
