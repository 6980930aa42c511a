import type { Case } from './cases.js';

const tasks = (worst: number, shared: number) => ({
  'one network for both': { accuracy: shared },
  'hypernetwork, all at once': { worst },
});

const review: readonly Case[] = [
  {
    data: 'two-tasks',
    holding: {
      methods: tasks(97, 80),
      studies: { compression: 0.75, kept: 0.97, uncertainty: 2, fell: 1, notFinite: 0 },
    },
    failing: {
      methods: tasks(96.9, 80.1),
      studies: { compression: 1, kept: 0.96, uncertainty: 1.9, fell: 143 / 144, notFinite: 1 },
    },
  },
];

const arms = (
  plain: { accuracy: number; steps: number; variation: number },
  mip: { accuracy: number; steps: number; variation: number },
  sgd: { plain: number; mip: number },
) => ({
  'default, Adam': plain,
  'MIP, Adam': mip,
  'default, SGD': { accuracy: sgd.plain },
  'MIP, SGD': { accuracy: sgd.mip },
});

const mip: readonly Case[] = [
  {
    data: 'glyphs',
    options: { grid: 300 },
    holding: {
      methods: arms(
        { accuracy: 70, steps: 600, variation: 1 },
        { accuracy: 75, steps: 500, variation: 0.9 },
        { plain: 20, mip: 60 },
      ),
      studies: { doubling: 2.0005, correlation: 0.99, spreadBefore: 0.85, spreadAfter: 0.5, cells: 1 },
    },
    failing: {
      methods: arms(
        { accuracy: 70, steps: 590, variation: 1 },
        { accuracy: 74, steps: 500, variation: 1 },
        { plain: 21, mip: 59 },
      ),
      studies: { doubling: 1.99, correlation: 0.98, spreadBefore: 0.8, spreadAfter: 0.6, cells: 0.79 },
    },
  },
];

const onTable = (hypertab: number, others: number) => ({
  HyperTab: { balanced: hypertab },
  'random forest': { balanced: others },
  'gradient boosting': { balanced: others },
  MLP: { balanced: others },
});

const onGroup = (rank: number, others: number, sonar: number) => ({
  HyperTab: { rank, sonar },
  'random forest': { rank: others, sonar: 80 },
  'gradient boosting': { rank: others },
  MLP: { rank: others },
  'logistic regression': { rank: others },
});

const hypertab: readonly Case[] = [
  {
    data: 'needle',
    holding: { methods: onTable(95, 59), studies: { counts: 1 } },
    failing: { methods: onTable(94, 60), studies: { counts: 3 } },
  },
  {
    data: 'sonar',
    holding: { methods: onTable(81, 80) },
    failing: { methods: onTable(80.4, 80.5) },
  },
  ...['wide', 'narrow'].map((data) => ({
    data,
    holding: { methods: onGroup(2.5, 2.6, 81) },
    failing: { methods: onGroup(2.6, 2.6, 80.9) },
  })),
];

export const evidence: Readonly<Record<string, readonly Case[]>> = { 'hypernet-review': review, mip, hypertab };
