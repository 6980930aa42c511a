// SmallThinker: two levels of sparsity beside other mixtures and dense networks, windows between
// layers of full attention, and experts that are read while attention runs.

import { textNames } from '../../data/node.js';
import { above, atLeast, atMost, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment, type RunContext } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import {
  DENSE_ACTIVE,
  DENSE_TOTAL,
  HYBRID,
  LATE,
  methodTitles,
  OWN,
  type SmallThinkerValues,
  SWIGLU,
  smallThinkerMethods,
  smallThinkerOptions,
  sparsityScores,
  TOP,
} from '../protocols/smallthinker-methods.js';
import { offloadStudy } from '../protocols/smallthinker-offload.js';
import { groupStudy, headStudy, recallStudy } from '../protocols/smallthinker-studies.js';
import {
  decoderFile,
  describeTokens,
  loadTokens,
  type TokenizedText,
  type TrainedDecoder,
  textMetrics,
  textScores,
  textSets,
} from '../protocols/text.js';

type Options = SmallThinkerValues;

const SEEDS = 3;

async function studiesOf(data: TokenizedText, values: Options, { random }: RunContext) {
  if (values.studies === 'none') return noStudies;
  const { steps, length, batch } = values;
  const isFull = steps >= 200;
  const experts = isFull ? 16 : 4;
  return joinStudies(
    await offloadStudy(
      data,
      { steps: Math.min(150, steps), experts, prompt: isFull ? 1500 : 24, made: isFull ? 24 : 3 },
      random.split('offload'),
    ),
    await groupStudy(data, { steps, length, seeds: isFull ? SEEDS : 1, experts }, random.split('groups')),
    await recallStudy(2 * steps, random.split('recall')),
    await headStudy(data, { steps, batch, length }, random.split('head')),
  );
}

/** By how many percent the loss of a method is above that of another, mean over seeds. */
const over = (e: Evidence<Options>, method: string, other: string) => 100 * (e.ratio(method, other, 'loss') - 1);

/** Least over seeds of the distance with groups above that with micro-batches. */
const leastGain = (e: Evidence<Options>) =>
  Math.min(
    ...Array.from(
      { length: SEEDS },
      (_, seed) => e.study(`distance groups ${seed}`) - e.study(`distance micro-batches ${seed}`),
    ),
  );

/** By how many percent the largest loss of the partitions is above the least. */
function lossSpread(e: Evidence<Options>): number {
  const losses = ['micro-batches', 'groups', 'whole step'].map((title) => e.study(`loss ${title}`));
  return 100 * (Math.max(...losses) / Math.min(...losses) - 1);
}

const { abstract, ours } = claimsOf<Options>();

const claims = [
  abstract(
    'cache',
    'Allocated keys and values of the longest text that windows save (%)',
    above(50),
    (e) => 100 * (1 - e.ratio(HYBRID, OWN, 'cacheBytes')),
  ),
  abstract(
    'structure',
    'Multiply-adds of the feed-forward layers saved beside a dense network of equal total parameters (%)',
    above(50),
    (e) => 100 * (1 - e.ratio(OWN, DENSE_TOTAL, 'multiplyAdds')),
  ),
  ours('Neurons with a closed gate, in the layer with the fewest, least of the seeds (%)', atLeast(45), (e) =>
    e.least((score) => score(OWN, 'sparsity')),
  ),
  ...where({ data: textNames, when: ({ steps }) => steps >= 200 }, [
    abstract('structure', 'Test loss above a dense network of equal total parameters (nats)', atMost(0), (e) =>
      e.gain(OWN, DENSE_TOTAL, 'loss'),
    ),
    ours('Test loss above the SwiGLU mixture’s (%)', atMost(2), (e) => over(e, OWN, SWIGLU)),
    ours('Test loss below a dense network’s of equal active parameters (nats)', above(0), (e) =>
      e.gain(DENSE_ACTIVE, OWN, 'loss'),
    ),
    ours('Test loss above that with routers after attention (%)', atMost(1), (e) => over(e, OWN, LATE)),
    ours('Windows in three of four layers: test loss above that without (%)', atMost(1), (e) => over(e, HYBRID, OWN)),
  ]),
  ...where({ when: ({ steps, studies }) => steps >= 200 && studies === 'all' }, [
    abstract(
      'prefetch',
      'Share of the wait for experts that attention hides, where it takes as long as the reads',
      atLeast(0.8),
      (e) => e.study('hidden fast'),
    ),
    ours(
      'Slow disk: wait with reads before attention over that with reads after it',
      below(1),
      (e) => e.study('wait early slow') / e.study('wait late slow'),
    ),
    ours('Ways to read with another text than in memory', atMost(0), (e) =>
      ['slow', 'fast'].reduce((sum, disk) => sum + e.study(`different ids ${disk}`), 0),
    ),
    ours(
      'Slow disk: least step of time from memory to reads before and after attention, to no cache (ms)',
      above(0),
      (e) => e.study('order slow'),
    ),
    ours(
      'Usage of experts by domain: distance with groups above that with micro-batches, least seed',
      above(0),
      leastGain,
    ),
    ours('Balance by micro-batches, groups, the whole step: spread of the losses (%)', atMost(1), lossSpread),
    ours('Recall at a distance of six windows with a layer of full attention', atLeast(0.9), (e) =>
      e.study('recall hybrid'),
    ),
    ours('Recall with windows alone (chance 0.125)', atMost(0.2), (e) => e.study('recall windows')),
    ours('Sparse head: tokens whose largest logit is kept (%)', atLeast(99), (e) => 100 * e.study('kept')),
    ours('Sparse head: rows computed (%)', atMost(30), (e) => 100 * e.study('rows')),
  ]),
];

export const experiment = defineExperiment({
  options: smallThinkerOptions,
  datasets: textSets,
  ownData: 'a text file in UTF-8, also .gz',
  presets: { grammar: { features: 32, hidden: 32, layers: 4, steps: 150, trials: 1, studies: 'none' } },
  reproduction: [
    { data: 'grammar' },
    { data: 'tinyshakespeare' },
    { data: 'tinyshakespeare', set: { pairs: 512, steps: 1200, studies: 'none' }, long: true },
  ],
  metrics: {
    loss: textMetrics.loss,
    sparsity: { label: 'closed neurons, least layer', unit: '%', digits: 1, better: 'larger' },
    multiplyAdds: { label: 'feed-forward multiply-adds a token', digits: 0, better: 'smaller' },
    cacheBytes: { label: 'keys and values', unit: 'B', digits: 0, better: 'smaller' },
    active: { label: 'active parameters', digits: 0, better: 'neither' },
    parameters: textMetrics.parameters,
    seconds: textMetrics.seconds,
  },
  methods: () => methodTitles,
  notes: ({ steps, layers, features, hidden, experts, batch, length, pairs, trials, window }) => [
    `${pairs === 0 ? 'Characters' : `${pairs} byte pairs`}, the text in order 80 % for training, 10 % for validation, 10 % for tests; ${layers} layers of width ${features}, ${experts} experts of width ${hidden}, ${TOP} a token; windows of ${window} tokens; ${steps} steps of ${batch} windows of ${length}. All methods start alike, read the same windows, and have ${trials === 1 ? 'one learning rate' : `${trials} learning rates to choose from on validation tokens, once for all seeds`}.`,
    'Studies are of the first seed; those of balance train three models for each way.',
  ],
  load: loadTokens,
  describe: describeTokens,
  async runSeed(data, values, context) {
    const { methods, kept } = await runMethods(smallThinkerMethods(data, values), context, {
      score: (trained) => ({ ...textScores(trained.model, data, values), ...sparsityScores(trained, data) }),
      keep: HYBRID,
      stream: 'shared',
    });
    return { methods, artifacts: () => ({ model: decoderFile(kept as TrainedDecoder, data) }) };
  },
  studies: studiesOf,
  claims,
  unmeasured: {
    scores:
      'the weights and benchmarks of the releases are not here: the scores of MMLU and others are the authors’ and are quoted on the page',
    speed:
      'the weights are not here: gossamer lm bench --shape smallthinker-4b measures tokens a second on weights of the same sizes that are filled at random, whose routing is the worst case of a cache',
  },
});
