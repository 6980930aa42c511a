// Magnitude-invariant parametrisations: hypernetworks train faster and more steadily once the norm
// of a condition no longer scales the weights that they make.

import { MIP_OPTIONS, mlpTrunk } from '../../hypernet/index.js';
import { Adam, type Optimizer, SGD } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { atLeast, atMost, below, claimsOf, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { type Method, runMethods } from '../parts/methods.js';
import { accuracy, loss, parameters, relabelled, seconds } from '../parts/metrics.js';
import { count, type OptionValues } from '../parts/options.js';
import { summarize } from '../parts/statistics.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import {
  type BlendedSetting,
  blendedAccuracy,
  blendedPredictions,
  gradientNorms,
  type TrainedBlended,
  trainBlended,
} from '../protocols/blended-digits.js';
import { type DigitData, describeDigits, digitSets, loadDigits } from '../protocols/digits.js';
import { ablationStudy, finalLoss, magnitudeStudy, ordinary } from '../protocols/magnitudes.js';

const options = {
  steps: count(800, 'steps of training', { smoke: 60, minimum: 20 }),
  batch: count(64, 'images a step, all under one γ'),
  grid: count(150, 'steps of each cell of the ablation; 0 leaves it out', { smoke: 0, minimum: 0 }),
};

type Options = OptionValues<typeof options>;

interface BlendedMethod extends BlendedSetting {
  readonly title: string;
  readonly optimizer: () => Optimizer;
}

const adam = () => new Adam({ learningRate: 1e-3 });
const sgd = () => new SGD({ learningRate: 1e-2, momentum: 0.9 });
const normed = mlpTrunk([16, 64, 128], { activation: 'leakyRelu', init: 'fan-out', norm: 'layer' });

const DEFAULT = 'default, Adam';
const MIP = 'MIP, Adam';
const DEFAULT_SGD = 'default, SGD';
const MIP_SGD = 'MIP, SGD';

const compared: readonly BlendedMethod[] = [
  { title: DEFAULT, options: ordinary, optimizer: adam },
  { title: 'default with layer norm, Adam', options: { ...ordinary, trunk: normed }, optimizer: adam },
  { title: 'encoding alone, Adam', options: { ...ordinary, encoding: 'cos|sin' }, optimizer: adam },
  { title: 'residual alone, Adam', options: { ...ordinary, residual: 'fresh' }, optimizer: adam },
  { title: MIP, options: MIP_OPTIONS, optimizer: adam },
  { title: DEFAULT_SGD, options: ordinary, optimizer: sgd },
  { title: MIP_SGD, options: MIP_OPTIONS, optimizer: sgd },
];

/**
 * First step from which the mean loss of 20 steps is at most `goal`; the number of steps when it
 * never is.
 */
function stepsTo(losses: readonly number[], goal: number): number {
  for (let at = 20; at <= losses.length; at++) if (summarize(losses.slice(at - 20, at)).mean <= goal) return at;
  return losses.length;
}

function methodsOf({ train, test }: DigitData, { steps, batch }: Options): Method<TrainedBlended>[] {
  /** Final loss of the default under Adam, the first method. */
  let goal = Number.NaN;
  return compared.map((method) => ({
    title: method.title,
    train: ({ random, hooks: { signal, onEpoch } }) =>
      trainBlended(method, train, random, { steps, batch, optimizer: method.optimizer(), signal, onEpoch }),
    score({ hypernet, losses }, { random }) {
      if (method.title === DEFAULT) goal = finalLoss(losses);
      const { mean, sd } = summarize(gradientNorms(method, train, batch, random));
      return {
        accuracy: blendedAccuracy(hypernet, test),
        loss: finalLoss(losses),
        steps: stepsTo(losses, goal),
        variation: sd / mean,
        parameters: hypernet.size,
      };
    },
  }));
}

const { abstract, ours } = claimsOf<Options>();
const trained = ({ steps }: Options) => steps >= 800;

const claims = [
  abstract('proportionality', 'Default: a doubled γ scales the weights by 2, off by', atMost(1e-3), (e) =>
    Math.abs(e.study('doubling') - 2),
  ),
  abstract('proportionality', 'Default: correlation of γ² and the variance of activations', atLeast(0.99), (e) =>
    e.study('correlation'),
  ),
  ours('Default: spread of the logarithm of the weights’ norm over γ', atLeast(0.85), (e) => e.study('spreadBefore')),
  ours('MIP: spread of the logarithm of the weights’ norm over γ', atMost(0.5), (e) => e.study('spreadAfter')),
  ...where({ when: trained }, [
    abstract('unstable', 'SGD: the default, mean accuracy (%, chance is 10)', atMost(20), (e) =>
      e.mean(DEFAULT_SGD, 'accuracy'),
    ),
    ours('SGD: MIP, mean accuracy (%)', atLeast(60), (e) => e.mean(MIP_SGD, 'accuracy')),
    ours('Adam: MIP above the default, mean (points)', atLeast(5), (e) => e.gain(MIP, DEFAULT, 'accuracy')),
    ours('Adam: steps to the default’s final loss, default against MIP, least of the seeds', atLeast(1.2), (e) =>
      e.least((score) => score(DEFAULT, 'steps') / score(MIP, 'steps')),
    ),
    ours('Adam: variation of gradient norms, MIP less default, most of the seeds', below(0), (e) =>
      e.most((score) => score(MIP, 'variation') - score(DEFAULT, 'variation')),
    ),
  ]),
  ...where({ when: ({ grid }) => grid >= 300 }, [
    abstract(
      'ablation',
      'Share of the 72 cells of the ablation where MIP’s final loss is at most the default’s',
      atLeast(1),
      (e) => e.study('cells'),
    ),
  ]),
  ...where({ when: ({ grid }) => grid > 0 }, [
    ours('Share of cells of the ablation where MIP is not behind', atLeast(0.8), (e) => e.study('cells')),
  ]),
];

export const experiment = defineExperiment({
  options,
  datasets: digitSets,
  ownData: 'none: the task is made from digits',
  reproduction: [
    { data: 'glyphs', set: { grid: 0 } },
    { data: 'mnist', set: { grid: 0 } },
    { data: 'glyphs', seeds: 1, set: { grid: 300 }, long: true },
  ],
  metrics: {
    accuracy,
    loss: relabelled(loss, { label: 'final loss' }),
    steps: { label: 'steps to the default’s loss', digits: 0, better: 'smaller' },
    variation: { label: 'variation of gradient norms', digits: 2, better: 'smaller' },
    parameters,
    seconds,
  },
  methods: () => compared.map(({ title }) => title),
  notes: ({ batch }) => [
    `Digits of 8 × 8 pixels, blended with their negative by γ, one γ for each step of ${batch}; all weights of a perceptron 64-64-64-10 are generated from γ alone. Accuracy is the mean over six γ.`,
    'All methods start alike (fan-out) and see the same data. Variation: standard deviation over mean of the gradient’s norm before training, over 50 γ and batches. An epoch of the curves is 20 steps.',
  ],
  load: (source) => loadDigits(source, new Random(0)),
  describe: describeDigits,
  async runSeed(data, values, context) {
    const { methods, kept } = await runMethods(methodsOf(data, values), context, { keep: MIP, stream: 'shared' });
    const { hypernet } = kept as TrainedBlended;
    return { methods, artifacts: () => ({ predictions: blendedPredictions(hypernet, data.test) }) };
  },
  studies: async ({ train, test }, { grid }, context) =>
    joinStudies(magnitudeStudy(test, context.seed), grid > 0 ? await ablationStudy(train, grid, context) : noStudies),
  claims,
  unmeasured: {
    tasks: 'one task so far, on two sets of digits, with one setting of the optimiser',
    code: 'a property of `Hypernet` with `MIP_OPTIONS`, which its tests show',
  },
});
