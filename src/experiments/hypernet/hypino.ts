// HyPINO: one hypernetwork makes networks that solve differential equations, beside networks that
// map grids to grids, finite differences, and networks trained on each problem alone.

import { HyPINO } from '../../hypernet/index.js';
import { defineExperiment, type Metric, type RunContext, type SeedOutcome } from '../parts/contract.js';
import { type Method, runMethods } from '../parts/methods.js';
import { parameters, seconds } from '../parts/metrics.js';
import { choice, count, type OptionValues } from '../parts/options.js';
import { equationClaims } from '../protocols/equation-claims.js';
import {
  asPublished,
  DIFFERENCES,
  HYPINO,
  hypinoMethod,
  networkScores,
  operatorMethods,
  PHYSICS,
  PINO,
  PLAIN,
  REFINED,
  SUPERVISED,
  simpleScores,
  type TrainedSolver,
  tunedTitles,
  tuningScores,
  UNET,
  ZERO,
} from '../protocols/equation-methods.js';
import {
  describeEquations,
  type EquationData,
  equationScores,
  equationSets,
  loadEquations,
} from '../protocols/equations.js';

const options = {
  steps: count(400, 'steps of training, of each method', { smoke: 3 }),
  problems: count(8, 'problems of a step', { smoke: 2 }),
  interior: count(96, 'points of the square, of a step', { smoke: 8 }),
  boundary: count(64, 'points of each boundary, of a step', { smoke: 8 }),
  size: choice(['nano', 'published'], 'sizes of HyPINO: grids of 32 or of 224'),
  trials: count(2, 'learning rates that each trained method chooses from', { smoke: 1 }),
  supervision: choice(
    ['mixed', 'supervised', 'physics'],
    'problems with known solutions, without, or in turn; of HyPINO and PINO',
  ),
  held: count(24, 'held-out problems of each type', { smoke: 3 }),
  nodes: count(129, 'nodes a side of numeric references', { smoke: 33, minimum: 17 }),
  finetune: count(300, 'steps of Adam on each benchmark, from each start', { smoke: 12 }),
  polish: count(50, 'iterations of L-BFGS after them', { smoke: 2, minimum: 0 }),
  points: count(256, 'points of such a step', { smoke: 32 }),
  reptile: count(100, 'rounds of Reptile; 0 leaves it out', { smoke: 1, minimum: 0 }),
  ablation: choice(['off', 'on'], 'whether HyPINO is also trained on one kind of problems alone'),
};

type Options = OptionValues<typeof options>;

async function runSeed(data: EquationData, values: Options, context: RunContext): Promise<SeedOutcome> {
  const hypino = (title: string, supervision: Options['supervision']) =>
    hypinoMethod(title, data, values, supervision, context);
  const parts = [hypino(SUPERVISED, 'supervised'), hypino(PHYSICS, 'physics')];
  const trained: readonly Method<TrainedSolver>[] = [
    hypino(HYPINO, values.supervision),
    ...operatorMethods(data, values, context),
    ...(values.ablation === 'on' ? parts : []),
  ];
  const score = ({ answer }: TrainedSolver) => equationScores(data, answer);
  const { methods, kept } = await runMethods(trained, context, { stream: 'shared', keep: HYPINO, score });
  const model = kept?.model;
  if (!(model instanceof HyPINO)) throw new Error('hypino: the training made no model');
  const rows = methods.map((row) =>
    row.method === HYPINO ? { ...row, scores: { ...row.scores, ...networkScores(data, model, { rounds: 0 }) } } : row,
  );
  const refined = [
    { method: REFINED, scores: networkScores(data, model, {}) },
    { method: PLAIN, scores: networkScores(data, model, asPublished) },
  ];
  const tuning = await tuningScores(data, model, values, context);
  return {
    methods: [...rows, ...refined, ...simpleScores(data), ...tuning],
    artifacts: () => ({ model: model.save() }),
  };
}

const relative = (label: string): Metric => ({ label: `${label}, relative L2`, digits: 3, better: 'smaller' });
const squared = (label: string): Metric => ({ label: `${label}, MSE`, digits: 4, better: 'smaller' });
const benchmarkTitles = ['heat', 'helmholtz', 'wave', 'poisson_C', 'poisson_L', 'poisson_G', 'helmholtz_G'];
const named = (prefix: string, metric: (name: string) => Metric) =>
  Object.fromEntries(benchmarkTitles.map((name) => [`${prefix}${name}`, metric(name)]));

export const experiment = defineExperiment({
  options,
  datasets: equationSets,
  ownData: 'nothing else: gossamer solve PROBLEM.json takes a problem of your own',
  presets: { waves: { steps: 1000, problems: 24, supervision: 'supervised', reptile: 20 } },
  reproduction: [
    { data: 'waves', seeds: 2 },
    { data: 'gentle', seeds: 2, set: { steps: 1000, problems: 16 }, long: true },
    { data: 'gentle', set: { steps: 20000, problems: 16, reptile: 800, ablation: 'on' }, long: true },
    { data: 'waves', set: { steps: 8000, problems: 24, reptile: 300 }, long: true },
  ],
  metrics: {
    error: relative('held-out problems'),
    elliptic: relative('elliptic'),
    parabolic: relative('parabolic'),
    hyperbolic: relative('hyperbolic'),
    holes: relative('with holes'),
    noHoles: relative('without holes'),
    neumann: relative('with Neumann data'),
    noNeumann: relative('without Neumann data'),
    ...named('', squared),
    independent: relative('poisson_C at the points of another solver'),
    discrepancy: { label: 'left of equation and data', digits: 3, better: 'smaller' },
    ...named('tuned_', (name) => relative(`${name} after training on it`)),
    won: { label: 'benchmarks below the other starts', digits: 1, better: 'larger' },
    par: { label: 'benchmarks within a tenth', digits: 1, better: 'larger' },
    sooner: { label: 'benchmarks sooner at the random start’s error', digits: 1, better: 'larger' },
    milliseconds: { label: 'an answer', unit: 'ms', digits: 1, better: 'smaller' },
    parameters,
    seconds,
  },
  methods: ({ ablation, reptile }) => [
    HYPINO,
    UNET,
    PINO,
    ...(ablation === 'on' ? [SUPERVISED, PHYSICS] : []),
    REFINED,
    PLAIN,
    DIFFERENCES,
    ZERO,
    tunedTitles.random,
    ...(reptile > 0 ? [tunedTitles.reptile] : []),
    tunedTitles.hypino,
  ],
  notes: ({ steps, problems, finetune, polish, points }) => [
    `Each trained method sees ${steps} batches of ${problems} random problems, drawn alike, and none twice; the U-Net sees problems with known solutions alone. Each chooses its learning rate on problems that are neither trained on nor scored, after a quarter of the steps. Held-out problems come from a stream of their own; errors are medians of relative L2 on 33 × 33 nodes in the domain. Benchmarks are those of the family’s class, mean squared error with holes as zeros; references without a closed form are finite differences. Neither chooses anything.`,
    `Training on a benchmark: ${finetune} steps of Adam on ${points} points and ${polish} iterations of L-BFGS, on the same points from every start; its time is that of all benchmarks, looks at the error among it. Poseidon is not at hand.`,
  ],
  load: (source, { held, nodes }) => loadEquations(source, held, nodes),
  describe: describeEquations,
  runSeed,
  claims: equationClaims,
  unmeasured: {
    benchmarks:
      'Poseidon, a large pretrained network, is not at hand; the rank among the other two is among our claims',
    classes: 'the abstract sets no bound; errors by type, with holes and with Neumann data are among our claims',
    supervision: 'the abstract sets no bound; errors with one kind of problems alone are among our claims',
  },
});
