// HyPINO: one hypernetwork makes networks that solve differential equations, beside networks that
// map grids to grids, finite differences, and networks trained on each problem alone.

import type { HyPINO } from '../../hypernet/index.js';
import { defineExperiment, type Metric, type RunContext, type SeedOutcome } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { parameters, seconds } from '../parts/metrics.js';
import { choice, count, type OptionValues, rate } from '../parts/options.js';
import { equationClaims } from '../protocols/equation-claims.js';
import {
  answersOf,
  asPublished,
  DIFFERENCES,
  HYPINO,
  operatorMethods,
  PHYSICS,
  PINO,
  PLAIN,
  REFINED,
  SUPERVISED,
  simpleScores,
  sizeOf,
  trainedHyPINO,
  tunedTitles,
  tuningScores,
  UNET,
  ZERO,
} from '../protocols/equation-methods.js';
import {
  type Answer,
  describeEquations,
  type EquationData,
  equationScores,
  equationSets,
  loadEquations,
} from '../protocols/equations.js';

const options = {
  steps: count(500, 'steps of training, of each method', { smoke: 3 }),
  problems: count(16, 'problems of a step', { smoke: 2 }),
  interior: count(96, 'points of the square, of a step', { smoke: 8 }),
  boundary: count(64, 'points of each boundary, of a step', { smoke: 8 }),
  learningRate: rate(1e-3, "AdamW's learning rate, of each method"),
  supervision: choice(
    ['mixed', 'supervised', 'physics'],
    'problems with known solutions, without, or in turn; of HyPINO and PINO',
  ),
  held: count(32, 'held-out problems of each type', { smoke: 3 }),
  nodes: count(129, 'nodes a side of numeric references', { smoke: 33, minimum: 17 }),
  finetune: count(300, 'steps of Adam on each benchmark, from each start', { smoke: 12 }),
  polish: count(50, 'iterations of L-BFGS after them', { smoke: 2, minimum: 0 }),
  points: count(256, 'points of such a step', { smoke: 32 }),
  reptile: count(100, 'rounds of Reptile; 0 leaves it out', { smoke: 1, minimum: 0 }),
  ablation: choice(['off', 'on'], 'whether HyPINO is also trained on one kind of problems alone'),
};

type Options = OptionValues<typeof options>;

async function runSeed(data: EquationData, values: Options, context: RunContext): Promise<SeedOutcome> {
  let model: HyPINO | undefined;
  const whole = {
    title: HYPINO,
    train: async (run: Parameters<typeof trainedHyPINO>[3]): Promise<Answer> => {
      model = await trainedHyPINO(data, values, values.supervision, run);
      return answersOf(model, { rounds: 0 });
    },
    score: () => ({ parameters: model ? sizeOf(model) : Number.NaN }),
  };
  const alone = (title: string, supervision: 'supervised' | 'physics') => ({
    title,
    train: async (run: Parameters<typeof trainedHyPINO>[3]): Promise<Answer> =>
      answersOf(await trainedHyPINO(data, values, supervision, run), { rounds: 0 }),
  });
  const parts = values.ablation === 'on' ? [alone(SUPERVISED, 'supervised'), alone(PHYSICS, 'physics')] : [];
  const trained = [whole, ...operatorMethods(data, values), ...parts];
  const { methods } = await runMethods<Answer>(trained, context, {
    stream: 'shared',
    score: (answer) => equationScores(data, answer),
  });
  if (!model) throw new Error('hypino: the training made no model');
  const made: HyPINO = model;
  const refined = [
    { method: REFINED, scores: equationScores(data, answersOf(made, {})) },
    { method: PLAIN, scores: equationScores(data, answersOf(made, asPublished)) },
  ];
  const tuning = await tuningScores(data, made, values, context);
  return {
    methods: [...methods, ...refined, ...simpleScores(data), ...tuning],
    artifacts: () => ({ model: made.save() }),
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
  presets: { waves: { steps: 400, problems: 24, supervision: 'supervised', reptile: 20 } },
  reproduction: [
    { data: 'waves' },
    { data: 'gentle' },
    { data: 'gentle', set: { steps: 20000, reptile: 800, ablation: 'on' }, long: true },
    { data: 'waves', set: { steps: 8000, reptile: 300 }, long: true },
  ],
  metrics: {
    error: relative('held-out problems'),
    elliptic: relative('elliptic'),
    parabolic: relative('parabolic'),
    hyperbolic: relative('hyperbolic'),
    holes: relative('with holes'),
    noHoles: relative('without holes'),
    neumann: relative('with Neumann data'),
    ...named('', squared),
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
    `Each trained method sees ${steps} batches of ${problems} random problems, drawn alike, and none twice; the U-Net sees problems with known solutions alone. Held-out problems come from a stream of their own; errors are medians of relative L2 on 33 × 33 nodes in the domain. Benchmarks are those of the family’s class, mean squared error with holes as zeros; references without a closed form are finite differences. Neither chooses anything.`,
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
