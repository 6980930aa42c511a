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

export const evidence: Readonly<Record<string, readonly Case[]>> = { lighthgnn };
