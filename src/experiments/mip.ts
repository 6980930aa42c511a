// The claim of magnitude-invariant parametrisation: hypernetworks train faster and more steadily once the size of a condition no longer scales the weights that they make.

import { DIGIT_PIXELS, glyphDigits, pooledDigits } from '../data/index.js';
import { loadImages } from '../data/node.js';
import { type Hypernet, MIP_OPTIONS, mlpTrunk } from '../hypernet/index.js';
import { accuracy, inference, type Optimizer, parameterCount, predictedClasses, SGD, stateOf } from '../nn/index.js';
import { Random, scope, tensor } from '../tensor/index.js';
import { atLeast, atMost, meanScore } from './claims.js';
import type { Claim, Experiment, MethodScores, RunContext, SeedResult } from './contract.js';
import {
  type Arm,
  ablation,
  adam,
  blend,
  type Data,
  finalLoss,
  meanOf,
  plain,
  proportionality,
  type Target,
  type Trained,
  train,
} from './mip-task.js';
import type { OptionValues } from './options.js';
import { summarize } from './statistics.js';

const options = {
  steps: { kind: 'number', default: 800, smoke: 60, minimum: 10, integer: true, about: 'steps of training' },
  batch: { kind: 'number', default: 64, minimum: 1, integer: true, about: 'images a step, all under one γ' },
  grid: {
    kind: 'number',
    default: 150,
    smoke: 0,
    minimum: 0,
    integer: true,
    about: 'steps of each cell of the ablation; 0 leaves it out',
  },
} as const;

type Options = OptionValues<typeof options>;

async function load(source: string): Promise<Data> {
  if (source === 'glyphs') {
    const random = new Random(0).split('glyphs');
    return {
      name: source,
      train: glyphDigits(4000, random.split('train')),
      test: glyphDigits(1000, random.split('test')),
    };
  }
  if (source !== 'mnist') throw new Error(`mip: unknown data "${source}"; known: glyphs, mnist`);
  const { train, test } = loadImages('mnist');
  return { name: source, train: pooledDigits(train, 12_000), test: pooledDigits(test, 2000) };
}

const sgd = () => new SGD({ learningRate: 1e-2, momentum: 0.9 });
const normed = mlpTrunk([16, 64, 128], { activation: 'leakyRelu', init: 'fan-out', norm: 'layer' });

const arms: readonly Arm[] = [
  { title: 'default, Adam', options: plain, optimizer: adam },
  { title: 'default with layer norm, Adam', options: { ...plain, trunk: normed }, optimizer: adam },
  { title: 'encoding alone, Adam', options: { ...plain, encoding: 'cos|sin' }, optimizer: adam },
  { title: 'residual alone, Adam', options: { ...plain, residual: 'fresh' }, optimizer: adam },
  { title: 'MIP, Adam', options: MIP_OPTIONS, optimizer: adam },
  { title: 'default, SGD', options: plain, optimizer: sgd },
  { title: 'MIP, SGD', options: MIP_OPTIONS, optimizer: sgd },
];

function testAccuracy({ hypernet }: Trained, { test }: Data): number {
  const values = [0.05, 0.25, 0.45, 0.55, 0.75, 0.95].map((gamma) =>
    scope(() => {
      const x = blend(tensor(test.x, [test.labels.length, DIGIT_PIXELS]), [gamma]);
      const logits = hypernet.run(tensor([[gamma]]), x, (own, seen) => own.forward(seen, inference));
      return accuracy(predictedClasses(logits), test.labels);
    }),
  );
  return 100 * meanOf(values);
}

/** Norms of the gradient before any training, over random γ and batches. */
async function normsAtStart(data: Data, arm: Arm, random: Random, batch: number): Promise<readonly number[]> {
  const still: Optimizer = { update: () => {}, state: () => ({ step: 0, tensors: {} }), restore: () => {} };
  return (await train(data, { ...arm, optimizer: () => still }, random, { steps: 50, batch })).norms;
}

/** First step from which the mean loss of 20 steps is at most `goal`. */
function stepsTo(losses: readonly number[], goal: number): number {
  for (let at = 20; at <= losses.length; at++) if (meanOf(losses.slice(at - 20, at)) <= goal) return at;
  return losses.length;
}

async function runSeed(data: Data, { steps, batch }: Options, context: RunContext) {
  const random = new Random(context.seed);
  const results: MethodScores[] = [];
  let last: Hypernet<Target> | undefined;
  let goal: number | undefined;
  for (const arm of arms) {
    const started = performance.now();
    let since = 0;
    // All arms see the same images under the same γ.
    const trained = await train(data, arm, random.split('arm'), {
      steps,
      batch,
      signal: context.signal,
      onStep: (step, loss) => {
        since += loss;
        if (step % 20 !== 0) return;
        context.onEpoch(arm.title, { epoch: step / 20, epochs: Math.floor(steps / 20), loss: since / 20, seconds: 0 });
        since = 0;
      },
    });
    goal ??= finalLoss(trained.losses);
    const { mean, sd } = summarize(await normsAtStart(data, arm, random.split('arm'), batch));
    results.push({
      method: arm.title,
      scores: {
        accuracy: testAccuracy(trained, data),
        loss: finalLoss(trained.losses),
        steps: stepsTo(trained.losses, goal),
        variation: sd / mean,
        parameters: trained.hypernet.size,
        seconds: (performance.now() - started) / 1000,
      },
    });
    if (arm.title === 'MIP, Adam') last = trained.hypernet;
  }
  const model = last as Hypernet<Target>;
  return {
    methods: results,
    artifacts: () => ({
      model: {
        weights: stateOf(model),
        metadata: { system: 'mip', data: data.name, parameters: String(parameterCount(model)) },
      },
      predictions: {
        columns: ['γ', 'row', 'prediction', 'label'],
        rows: [0.1, 0.9].flatMap((gamma) => {
          const count = Math.min(100, data.test.labels.length);
          const predicted = scope(() => {
            const x = blend(tensor(data.test.x.slice(0, count * DIGIT_PIXELS), [count, DIGIT_PIXELS]), [gamma]);
            return predictedClasses(model.run(tensor([[gamma]]), x, (own, seen) => own.forward(seen, inference)));
          });
          return Array.from(predicted, (c, row) => [gamma, row, c, data.test.labels[row] as number]);
        }),
      },
    }),
  };
}

async function studies(data: Data, { grid }: Options, seed: number) {
  const { gammas, rows } = proportionality(data, seed);
  const [ordinary, invariant] = rows as [(typeof rows)[number], (typeof rows)[number]];
  const cells = grid > 0 ? await ablation(data, grid, seed) : [];
  const won = cells.filter((cell) => cell.invariant <= cell.ordinary).length;
  return {
    studies: [
      {
        title: 'Sizes of what is generated, before training',
        note: 'Norm of all generated weights (without θ⁰) by γ, the standard deviation of its logarithm over γ in 0.02 … 1, and the correlation of γ² with the variance of the target’s first activations.',
        columns: ['parametrisation', ...gammas.map((gamma) => `γ = ${gamma}`), 'spread', 'correlation'],
        rows: rows.map(({ name, norms, spread, correlation: r }) => [
          name,
          ...norms.map((norm) => norm.toFixed(4)),
          spread.toFixed(2),
          r.toFixed(3),
        ]),
      },
      ...(cells.length === 0
        ? []
        : [
            {
              title: 'Ablation: activations, conditions, widths, norms of the target',
              note: `Mean loss of the last tenth of ${grid} steps with Adam. MIP is at most the default's in ${won} of ${cells.length} cells.`,
              columns: ['activation', 'size of γ', 'width', 'norm', 'default', 'MIP'],
              rows: cells.map(({ name, ordinary: a, invariant: b }) => [...name, a.toFixed(3), b.toFixed(3)]),
            },
          ]),
    ],
    scores: {
      doubling: (ordinary.norms[3] as number) / (ordinary.norms[2] as number),
      correlationBefore: ordinary.correlation,
      spreadBefore: ordinary.spread,
      spreadAfter: invariant.spread,
      ...(cells.length > 0 && { cells: won / cells.length }),
    },
  };
}

function claims(results: readonly SeedResult[], study: Readonly<Record<string, number>>): Claim[] {
  const mean = (method: string, metric: string) => meanScore(results, method, metric);
  const steadier = results.filter(({ methods }) => {
    const of = (title: string) => methods.find(({ method }) => method === title)?.scores.variation ?? Number.NaN;
    return of('MIP, Adam') < of('default, Adam');
  }).length;
  return [
    atLeast(
      'Adam: MIP above the default (points)',
      mean('MIP, Adam', 'accuracy') - mean('default, Adam', 'accuracy'),
      5,
    ),
    atLeast(
      'Adam: steps to the default’s final loss, default against MIP',
      mean('default, Adam', 'steps') / mean('MIP, Adam', 'steps'),
      1.2,
    ),
    atMost('SGD: the default (accuracy)', mean('default, SGD', 'accuracy'), 20),
    atLeast('SGD: MIP (accuracy)', mean('MIP, SGD', 'accuracy'), 60),
    atLeast('Share of seeds whose gradients vary less with MIP', steadier / results.length, 1),
    atMost('Default: a doubled γ scales the weights by 2, off by', Math.abs((study.doubling ?? Number.NaN) - 2), 1e-3),
    atLeast('Default: correlation of γ² and the variance of activations', study.correlationBefore ?? Number.NaN, 0.99),
    atLeast('Default: spread of the logarithm of the weights’ norm over γ', study.spreadBefore ?? Number.NaN, 0.85),
    atMost('MIP: spread of the logarithm of the weights’ norm over γ', study.spreadAfter ?? Number.NaN, 0.5),
    ...(study.cells === undefined
      ? []
      : [atLeast('Share of cells of the ablation where MIP is not behind', study.cells, 0.8)]),
  ];
}

export const mip: Experiment<typeof options, Data> = {
  system: 'mip',
  title: 'MIP: magnitude-invariant parametrisations of hypernetworks',
  family: 'hypernet',
  paper:
    'Gonzalez Ortiz, Guttag, Dalca, "Magnitude Invariant Parametrizations Improve Hypernetwork Learning", ICLR 2024 (arXiv 2304.07645)',
  abstract:
    'The size of a hypernetwork’s input scales the weights it makes, which makes training unsteady; an encoding of constant norm and a residual form end that, and training becomes steadier and faster at no cost.',
  options,
  datasets: ['glyphs', 'mnist'],
  ownData: 'none: the task is made from digits',
  metrics: {
    accuracy: { label: 'accuracy', unit: '%', digits: 1, better: 'larger' },
    loss: { label: 'final loss', digits: 3, better: 'smaller' },
    steps: { label: 'steps to the default’s loss', digits: 0, better: 'smaller' },
    variation: { label: 'variation of gradient norms', digits: 2, better: 'smaller' },
    parameters: { label: 'parameters', digits: 0, better: 'smaller' },
    seconds: { label: 'training', unit: 's', digits: 1, better: 'smaller' },
  },
  methods: arms.map(({ title }) => title),
  notes: ({ batch }) => [
    `Digits of 8 × 8 pixels, blended with their negative by γ, one γ for each step of ${batch}; all weights of a perceptron 64-64-64-10 are generated from γ alone. Accuracy is the mean over six γ.`,
    'All arms start alike (fan-out) and see the same data. Variation: standard deviation over mean of the gradient’s norm before training, over 50 γ and batches. An epoch of the curves is 20 steps.',
  ],
  load,
  describe: ({ name, train: images, test }) =>
    `${name}: ${images.labels.length} images to train on, ${test.labels.length} to test`,
  runSeed,
  studies,
  claims: (results, study) => claims(results, study),
};
