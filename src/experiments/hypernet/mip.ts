// Magnitude-invariant parametrisations: hypernetworks train faster and more steadily once the norm
// of a condition no longer scales the weights that they make.

import type { ConditionedTable } from '../../hypernet/index.js';
import { Random } from '../../tensor/index.js';
import { above, atLeast, atMost, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment, type RunContext, type SeedOutcome } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { accuracy, loss, parameters, relabelled, seconds } from '../parts/metrics.js';
import { choice, count, type OptionValues, text } from '../parts/options.js';
import { summarize } from '../parts/statistics.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import {
  armTitle,
  blendedMethods,
  blendedTitles,
  costStudy,
  DEFAULT,
  ENCODING,
  MIP,
  NORMED,
  RESIDUAL,
  SIGNED,
} from '../protocols/blended-arms.js';
import { blendedPredictions, type TrainedBlended } from '../protocols/blended-digits.js';
import {
  type ConditionedData,
  conditionedMethods,
  conditionedPredictions,
  describeConditioned,
  isOwnTable,
  loadConditioned,
  TABLE_MIP,
  tableTitles,
} from '../protocols/conditioned-tables.js';
import { taskStudy } from '../protocols/conditioned-tasks.js';
import { conversionStudy } from '../protocols/conversions.js';
import { type DigitData, describeDigits, digitSets, loadDigits } from '../protocols/digits.js';
import { ablationStudy, magnitudeStudy } from '../protocols/magnitudes.js';

const options = {
  steps: count(800, 'steps of training', { smoke: 60, minimum: 20 }),
  batch: count(64, 'images a step, all under one γ; rows a step of your own table'),
  tuning: choice(['off', 'on'], 'whether methods run again with learning rates chosen on validation images'),
  tasks: count(300, 'steps of each training of the other tasks; 0 leaves them out', { smoke: 4, minimum: 0 }),
  conversions: count(60, 'steps of each existing network that is converted', { smoke: 6, minimum: 3 }),
  grid: count(0, 'steps of each cell of the ablation, 72 cells and 2 seeds; 0 leaves it out', { minimum: 0 }),
  condition: text('', 'your own table: condition columns, separated by commas'),
  target: text('label', 'your own table: the column to predict'),
};

type Options = OptionValues<typeof options>;
type Data = DigitData | ConditionedData;

const isTable = (data: Data): data is ConditionedData => 'conditions' in data;

const [plain, invariant] = [armTitle(DEFAULT, 'Adam'), armTitle(MIP, 'Adam')];
const [plainSgd, invariantSgd] = [armTitle(DEFAULT, 'SGD'), armTitle(MIP, 'SGD')];
const [plainTuned, invariantTuned] = [armTitle(DEFAULT, 'Adam', true), armTitle(MIP, 'Adam', true)];
const sgdTuned = [armTitle(MIP, 'SGD', true), armTitle(DEFAULT, 'SGD', true)] as const;

/** Steps of one method to the loss that the other ends at, over those of the other; the least of the seeds. */
const faster = (e: Evidence<Options>, method: string, other: string) =>
  e.least((score) => score(other, 'steps') / score(method, 'steps'));

/** MIP's mean final loss less that of the better of its two parts, in standard errors of the difference. */
function behindParts(e: Evidence<Options>): number {
  const [encoding, residual] = [armTitle(ENCODING, 'Adam'), armTitle(RESIDUAL, 'Adam')] as const;
  const part = e.mean(encoding, 'loss') < e.mean(residual, 'loss') ? encoding : residual;
  const losses = e.scores(part, 'loss');
  const { mean, sd } = summarize(e.scores(invariant, 'loss').map((value, seed) => value - (losses[seed] as number)));
  return mean <= 0 ? 0 : mean / (sd / Math.sqrt(losses.length));
}

const { abstract, ours } = claimsOf<Options>();

const claims = where({ data: digitSets }, [
  abstract('proportionality', 'Default: a doubled γ scales the weights by 2, off by', atMost(1e-3), (e) =>
    Math.abs(e.study('doubling') - 2),
  ),
  abstract('proportionality', 'Default: correlation of γ² and the variance of activations', atLeast(0.99), (e) =>
    e.study('correlation'),
  ),
  ours('Default: spread of the logarithm of the weights’ norm over γ', atLeast(0.85), (e) => e.study('spreadBefore')),
  ours('MIP: spread of the logarithm of the weights’ norm over γ', atMost(0.5), (e) => e.study('spreadAfter')),
  abstract('code', 'Networks converted: the most by which outputs at θ⁰ differ', atMost(0), (e) =>
    e.study('conversionDifference'),
  ),
  ...where({ when: ({ conversions }) => conversions >= 60 }, [
    abstract('code', 'Networks converted whose loss falls (share)', atLeast(1), (e) => e.study('conversionFalls')),
  ]),
  ...where({ when: ({ steps }) => steps >= 800 }, [
    ours('Default after 200 steps: correlation of γ² and the variance of activations', atLeast(0.9), (e) =>
      e.study('correlationTrained'),
    ),
    abstract('unstable', 'SGD: the default, mean accuracy (%, chance is 10)', atMost(20), (e) =>
      e.mean(plainSgd, 'accuracy'),
    ),
    abstract('unstable', 'SGD: MIP at the same rate, mean accuracy (%)', above(20), (e) =>
      e.mean(invariantSgd, 'accuracy'),
    ),
    ours('SGD: MIP, mean accuracy (%)', atLeast(60), (e) => e.mean(invariantSgd, 'accuracy')),
    ours('Adam: MIP above the default, mean (points)', atLeast(5), (e) => e.gain(invariant, plain, 'accuracy')),
    ours('Adam: steps to the default’s final loss, default against MIP, least of the seeds', atLeast(1.2), (e) =>
      faster(e, invariant, plain),
    ),
    ours('Adam: variation of gradient norms in 200 steps, MIP less default, most of the seeds', below(0), (e) =>
      e.most((score) => score(invariant, 'variation') - score(plain, 'variation')),
    ),
    ours('Adam: variation of gradient norms in all steps, MIP less default, most of the seeds', below(0), (e) =>
      e.most((score) => score(invariant, 'variationAll') - score(plain, 'variationAll')),
    ),
    ...[ENCODING, RESIDUAL].map((name) =>
      ours(`Adam: ${name}, final loss less the default’s, mean`, atMost(0), (e) =>
        e.gain(armTitle(name, 'Adam'), plain, 'loss'),
      ),
    ),
    ours('Adam: MIP’s final loss behind the better of its parts (standard errors)', atMost(1), behindParts),
    ours('Time of a step, MIP’s as a share of the default’s', atMost(1.1), (e) => e.study('cost')),
  ]),
  ...where({ when: ({ steps, tuning }) => steps >= 800 && tuning === 'on' }, [
    abstract('tasks', 'Digits, rates chosen: steps to the default’s loss, default against MIP, least', above(1), (e) =>
      faster(e, invariantTuned, plainTuned),
    ),
    ours('Adam, rates chosen: MIP above each form of the default, least of the means (points)', above(0), (e) =>
      Math.min(
        ...[DEFAULT, SIGNED, NORMED].map((name) => e.gain(invariantTuned, armTitle(name, 'Adam', true), 'accuracy')),
      ),
    ),
    ours('SGD, rates chosen: MIP above the default, mean (points)', above(0), (e) => e.gain(...sgdTuned, 'accuracy')),
  ]),
  ...where({ when: ({ tasks }) => tasks >= 300 }, [
    abstract(
      'tasks',
      'Three other tasks and seeds where MIP’s final loss is at most the default’s (share)',
      atLeast(1),
      (e) => e.study('tasksBetter'),
    ),
    abstract('tasks', 'Three other tasks: steps to the default’s loss, default against MIP, least', above(1), (e) =>
      e.study('tasksFaster'),
    ),
  ]),
  ...where({ when: ({ grid }) => grid >= 300 }, [
    abstract(
      'ablation',
      'Cells of the ablation, of 72, where MIP’s final loss is at most the default’s',
      atLeast(72),
      (e) => e.study('cells'),
    ),
    ours('Share of cells of the ablation where MIP is not behind', atLeast(0.8), (e) => e.study('share')),
  ]),
]);

async function onDigits(data: DigitData, values: Options, context: RunContext): Promise<SeedOutcome> {
  const { methods, kept } = await runMethods(blendedMethods(data, values), context, {
    keep: invariant,
    stream: 'shared',
  });
  const { hypernet } = kept as TrainedBlended;
  return { methods, artifacts: () => ({ predictions: blendedPredictions(hypernet, data.test) }) };
}

async function onTable(data: ConditionedData, { steps, batch }: Options, context: RunContext): Promise<SeedOutcome> {
  const { methods, kept } = await runMethods(conditionedMethods(data, steps, batch), context, {
    keep: TABLE_MIP,
    stream: 'shared',
  });
  const model = kept as ConditionedTable;
  return {
    methods,
    artifacts: () => ({ model: model.save(), predictions: conditionedPredictions(model, data) }),
  };
}

async function studiesOf(data: DigitData, { steps, tasks, conversions, grid }: Options, context: RunContext) {
  return joinStudies(
    await magnitudeStudy(data, Math.min(200, steps), context.seed),
    await costStudy(data, context.seed),
    await conversionStudy(data, conversions, context),
    tasks > 0 ? await taskStudy(data.name === 'glyphs', tasks, context) : noStudies,
    grid > 0 ? await ablationStudy(data.train, grid, context) : noStudies,
  );
}

export const experiment = defineExperiment({
  options,
  datasets: digitSets,
  ownData:
    'a table (.csv, .tsv or .txt, each also .gz, or .parquet) with a column of classes (--set target=NAME) and condition ' +
    'columns of numbers (--set condition=angle,scale); its other columns are features',
  reproduction: [
    { data: 'glyphs', set: { tuning: 'on' } },
    { data: 'mnist' },
    { data: 'glyphs', seeds: 1, set: { grid: 300, tasks: 0 }, long: true },
    { data: 'mnist', set: { tuning: 'on', tasks: 0 }, long: true },
  ],
  metrics: {
    accuracy,
    loss: relabelled(loss, { label: 'final loss' }),
    steps: { label: 'steps to the default’s loss', digits: 0, better: 'smaller' },
    variation: { label: 'variation of gradient norms, 200 steps', digits: 2, better: 'smaller' },
    variationAll: { label: 'variation, all steps', digits: 2, better: 'smaller' },
    parameters,
    seconds,
  },
  methods: (values) => (values.condition === '' ? blendedTitles(values) : tableTitles),
  notes: ({ batch, condition }) =>
    condition === ''
      ? [
          `Digits of 8 × 8 pixels, blended with their negative by γ, one γ for each step of ${batch}; all weights of a perceptron 64-64-64-10 are generated from γ alone. Accuracy is the mean over eleven γ from 0 to 1; at 0.5 all images are grey.`,
          'All methods start alike (fan-out) and see the same data, four fifths of the training images; "tuned" ones choose their learning rate by the accuracy on the rest, once a data set. Variation: standard deviation over mean of the gradient’s norm in training. An epoch of the curves is 20 steps.',
        ]
      : [
          'Each row is classified by a network that is generated from its conditions. Three fifths of the rows train, a fifth chooses learning rates, a fifth tests.',
        ],
  load: (source, values): Data | Promise<Data> => {
    const own = !digitSets.includes(source) && isOwnTable(source);
    if (!own && values.condition !== '')
      throw new Error(
        `option condition names columns of your own table, and "${source}" is ${digitSets.includes(source) ? 'a set of digits' : 'no file'}`,
      );
    return own ? loadConditioned(source, values, new Random(0)) : loadDigits(source, new Random(0));
  },
  describe: (data) => (isTable(data) ? describeConditioned(data) : describeDigits(data)),
  runSeed: (data, values, context) =>
    isTable(data) ? onTable(data, values, context) : onDigits(data, values, context),
  studies: (data, values, context) => (isTable(data) ? noStudies : studiesOf(data, values, context)),
  claims,
});
