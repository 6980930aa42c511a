// LoGAH: initial weights of networks by a graph hypernetwork with a low-rank decoder, beside the
// starts of the field and GHN-3's repeated blocks, on architectures that it has not seen.

import { hasImages, hasText, textNames } from '../../data/node.js';
import { parameterTotals } from '../../hypernet/index.js';
import { defineExperiment, type RunContext, type SeedOutcome } from '../parts/contract.js';
import { type MethodRun, runMethods } from '../parts/methods.js';
import { accuracy, parameters, relabelled, seconds } from '../parts/metrics.js';
import { choice, count, type OptionValues, rate, text } from '../parts/options.js';
import { joinStudies } from '../parts/studies.js';
import { imageSets } from '../protocols/images.js';
import { initialWeightClaims } from '../protocols/initial-weight-claims.js';
import {
  family,
  heldOut,
  hypernets,
  isText,
  LOGAH,
  loadProblem,
  TILING,
} from '../protocols/initial-weight-problems.js';
import {
  drawnStarts,
  namedScores,
  predictedStart,
  type Start,
  startScores,
  trainedHypernet,
  type WeightProblem,
} from '../protocols/initial-weights.js';
import { predictedGPT2, predictedSizes, weightTotals } from '../protocols/predicted-gpt2.js';

const options = {
  rows: count(3000, 'training pictures, a fifth of them to validate; of texts windows an epoch', { smoke: 120 }),
  tests: count(2000, 'test pictures', { smoke: 100 }),
  patch: count(7, 'side of a patch of the pictures of 14 × 14', { smoke: 7 }),
  batch: count(64, 'pictures of a step; windows of texts', { smoke: 16 }),
  steps: count(1000, 'steps of each hypernetwork', { smoke: 12, minimum: 10 }),
  learningRate: rate(2e-3, "AdamW's largest learning rate for the hypernetworks"),
  epochs: count(3, 'epochs of each network', { smoke: 1 }),
  rates: choice(['four', 'one'], 'learning rates that each start chooses from', { smoke: 'one' }),
  transfer: text('', 'data on which networks start from the hypernetwork of these data too; none when left out'),
  large: choice(predictedSizes, 'the GPT-2 that is predicted into a file', { smoke: 'small' }),
};

/** The first is the smallest: the published rates are low. */
const RATES = { four: [1e-4, 3e-4, 1e-3, 3e-3], one: [1e-3] } as const;

type Options = OptionValues<typeof options>;

interface Data {
  readonly name: string;
  readonly problem: WeightProblem;
  readonly transfer: WeightProblem | undefined;
}

/** Scores of a start on both held-out architectures, and untrained networks of other data. */
async function scoresOf(data: Data, start: Start, values: Options, context: RunContext) {
  const { problem, transfer } = data;
  const settings = { epochs: values.epochs, rates: RATES[values.rates] };
  const own = { signal: context.signal, random: context.random.split('starts') };
  const [within, beyond] = heldOut(problem.base);
  const scores = namedScores(
    problem.measure,
    await startScores(problem, within, start, settings, own),
    await startScores(problem, beyond, start, settings, own),
  );
  if (!transfer) return scores;
  const [other] = heldOut(transfer.base);
  const moved = await startScores(transfer, other, start, settings, own);
  return { ...scores, transferFirst: moved.firstLoss, transferThird: moved.third };
}

async function runSeed(data: Data, values: Options, context: RunContext): Promise<SeedOutcome> {
  const { problem } = data;
  const { steps, learningRate } = values;
  const sizes = { steps, learningRate, ...family };
  const held = heldOut(problem.base);
  const drawn = Object.entries(drawnStarts).map(([title, start]) => ({ title, train: () => start }));
  const predicted = Object.entries(hypernets(problem)).map(([title, own]) => ({
    title,
    train: async ({ random, hooks, progress }: MethodRun) => {
      const { signal } = hooks;
      return predictedStart(await trainedHypernet(problem, held, own, sizes, { random, signal, progress }));
    },
    score: () => ({ parameters: parameterTotals(own).used }),
  }));
  const { methods } = await runMethods<Start>([...drawn, ...predicted], context, {
    stream: 'shared',
    score: (start) => scoresOf(data, start, values, context),
  });
  return { methods };
}

const percent = (label: string) => relabelled(accuracy, { label });
const perplexity = (label: string) => ({ label, digits: 1, better: 'smaller' }) as const;
const metricsOf = (ending: string, metric: typeof percent | typeof perplexity) =>
  Object.fromEntries(
    [
      ['untrained', 'untrained'],
      ['first', 'after 1 epoch'],
      ['final', 'at the end'],
      ['low', '1 epoch at 1e-4'],
    ].flatMap(([key, label]) =>
      [
        ['Within', 'within'],
        ['Beyond', 'beyond'],
      ].map(([place, where]) => [`${key}${place}${ending}`, metric(`${label}, ${where}`)]),
    ),
  );

export const experiment = defineExperiment({
  options,
  datasets: [...imageSets.filter((name) => name !== 'cifar10'), ...textNames],
  ownData: 'none; gossamer fit --model logah learns from your own pictures or text',
  reproduction: [
    { data: 'mnist', set: { transfer: 'fashion-mnist' } },
    { data: 'tinyshakespeare', set: { large: 'small', rows: 1500 } },
    {
      data: 'mnist',
      set: { patch: 2, rows: 12_000, tests: 10_000, epochs: 20, transfer: 'fashion-mnist', large: 'small' },
      long: true,
    },
    { data: 'tinyshakespeare', set: { epochs: 20, large: 'small' }, long: true },
    { data: 'republic', set: { epochs: 10, large: 'small', transfer: 'tinyshakespeare' }, long: true },
  ],
  metrics: {
    ...metricsOf('', percent),
    ...metricsOf('Perplexity', perplexity),
    transferFirst: { label: 'other data: loss after 1 epoch', digits: 3, better: 'smaller' },
    transferThird: { label: 'other data: loss after 3 epochs', digits: 3, better: 'smaller' },
    parameters: relabelled(parameters, { label: 'parameters of the hypernetwork', better: 'neither' }),
    seconds: relabelled(seconds, { label: 'training of the hypernetwork' }),
  },
  methods: () => [...Object.keys(drawnStarts), LOGAH, TILING],
  notes: ({ epochs, rates }) => [
    `The family: ${family.layers.join(', ')} layers and widths ${family.widths.join(', ')}, without 3 layers of width 24, which are held out within it; 4 layers of width 48 lie beyond it. Networks of pictures are vision transformers on 14 × 14 pixels, those of texts GPT-2 on windows of 64 tokens of 512 byte pairs.`,
    `Every start chooses one of ${RATES[rates].length} learning rates by validation loss, for one epoch and for the end (${epochs} epochs, the best of them by validation) apart; all see the same batches. Validation chooses the epoch of the hypernetworks too; test data choose nothing.`,
  ],
  async load(source, values, onDownload): Promise<Data> {
    const { transfer } = values;
    const known = (name: string) => (isText(name) ? hasText(name) : name === 'glyphs' || hasImages(name));
    if (transfer !== '' && isText(transfer) !== isText(source))
      throw new Error(`--set transfer=${transfer}: "${source}" has other networks`);
    return {
      name: source,
      problem: await loadProblem(source, values, onDownload),
      transfer: transfer !== '' && known(transfer) ? await loadProblem(transfer, values) : undefined,
    };
  },
  describe: ({ name, problem }) =>
    `${name}: ${problem.epochSteps} steps an epoch, networks of the family ${problem.base.family}`,
  runSeed,
  studies: (_, { large }, context) => joinStudies(predictedGPT2(large, context), weightTotals()),
  claims: initialWeightClaims,
});
