// Magnitude-invariant parametrisations: hypernetworks train faster and more steadily once the norm
// of a condition no longer scales the weights that they make.

import type { ConditionedTable } from '../../hypernet/index.js';
import { Random } from '../../tensor/index.js';
import { defineExperiment, type RunContext, type SeedOutcome } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { accuracy, loss, parameters, relabelled, seconds } from '../parts/metrics.js';
import { choice, count, type OptionValues, text } from '../parts/options.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import { armTitle, blendedMethods, blendedTitles, costStudy, MIP } from '../protocols/blended-arms.js';
import { blendedClaims } from '../protocols/blended-claims.js';
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
  conversions: count(120, 'steps of each existing network, before and after it is converted', { smoke: 6, minimum: 3 }),
  grid: count(0, 'steps of each cell of the ablation, 72 cells and 2 seeds; 0 leaves it out', { minimum: 0 }),
  condition: text('', 'your own table: condition columns, separated by commas'),
  target: text('label', 'your own table: the column to predict'),
};

type Options = OptionValues<typeof options>;
type Data = DigitData | ConditionedData;

const isTable = (data: Data): data is ConditionedData => 'conditions' in data;

async function onDigits(data: DigitData, values: Options, context: RunContext): Promise<SeedOutcome> {
  const { methods, kept } = await runMethods(blendedMethods(data, values), context, {
    keep: armTitle(MIP, 'Adam'),
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
    { data: 'glyphs', seeds: 1, set: { grid: 300, tasks: 0, steps: 300 }, long: true },
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
  claims: blendedClaims,
});
