// MoE++: zero-computation experts let a mixture compute less for easy tokens, at the quality of a
// mixture that always computes two.

import { textNames } from '../../data/node.js';
import { median } from '../../engine/index.js';
import type { Decoder } from '../../models/index.js';
import { above, atLeast, atMost, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment, type RunContext } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import {
  CAPACITY,
  capacity,
  constantsOf,
  EXPERTS,
  FFN,
  FREE,
  type MixtureValues,
  MOEPP,
  main,
  methodsOf,
  mixtureOptions,
  mixturesOf,
  NO_BALANCE,
  NO_RESIDUAL,
  plus,
  plusTitle,
  TOP2,
  taus,
} from '../protocols/expert-mixtures.js';
import {
  balanceStudy,
  capacityStudy,
  deploymentStudy,
  expertKinds,
  tokenStudy,
  warmStudy,
} from '../protocols/expert-studies.js';
import { expertMetrics, expertScores, expertsByToken, MEASURED_TOKENS, withTimes } from '../protocols/experts.js';
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

type Options = MixtureValues;

/** Studies of models of the first seed, whose trainings end at once where their checkpoints are. */
async function studiesOf(data: TokenizedText, values: Options, context: RunContext) {
  const { length, ranks } = values;
  const once = { ...values, trials: 1 };
  const trained = async (methods: ReturnType<typeof methodsOf>, title: string) =>
    (await runMethods(methods, context, { keep: title, stream: 'shared' })).kept as TrainedDecoder;
  const of = (title: string) => trained(methodsOf(data, values, { [title]: main[title] }), title);
  const [plain, own] = [await of(TOP2), await of(MOEPP)];
  const free = await trained(methodsOf(data, once, { [NO_BALANCE]: plus(0.75) }, 0), NO_BALANCE);
  const limited = await trained(methodsOf(data, once, capacity), CAPACITY);
  const rankCounts = [2, 4].filter((size) => size <= ranks);
  const models = { [TOP2]: plain.model, [MOEPP]: own.model };
  return joinStudies(
    tokenStudy(own.model, data, length, 'τ = 0.75'),
    balanceStudy(own.model, free.model, data, length),
    capacityStudy(limited.model, data, length, expertKinds(EXPERTS)),
    rankCounts.length > 0 ? await deploymentStudy(models, data, length, rankCounts) : noStudies,
    // Last, since it trains the mixture on.
    await warmStudy(plain, data, values, context.random.split('warm'), { constants: EXPERTS.constant }),
  );
}

/** Experts computed per token where the balance loss is least. */
const optimum = (tau: number) => (2 * FFN * tau) / (FFN * tau + FREE);

/** Times of the experts of the mixture of two over those of MoE++, seed by seed. */
function speedUps(e: Evidence<Options>, tau: number): number[] {
  const own = e.scores(plusTitle(tau), 'experts');
  return e.scores(TOP2, 'experts').map((time, seed) => time / (own[seed] as number));
}

/** Median over the seeds of the speed-up, as a share of the ratio of rows. */
function speedUpByRows(e: Evidence<Options>, tau: number): number {
  const slots = e.scores(plusTitle(tau), 'slots');
  return median(speedUps(e, tau).map((ratio, seed) => (ratio * (slots[seed] as number)) / 2));
}

/** The least step of the experts computed, from 2 along τ = 0.75, 0.25, 0.1. */
function leastStep(e: Evidence<Options>): number {
  const slots = [2, ...taus.map((tau) => e.mean(plusTitle(tau), 'slots'))];
  return Math.min(...slots.slice(1).map((next, i) => (slots[i] as number) - next));
}

/** The largest over numbers of ranks of a value. */
function overRanks({ options: { ranks } }: Evidence<Options>, value: (size: number) => number): number {
  return Math.max(...[2, 4].filter((size) => size <= ranks).map(value));
}

/** How far the bytes of MoE++ over those of the mixture are from the ratio of slots, as a share. */
function bytesOffSlots(e: Evidence<Options>): number {
  const slots = e.scores(MOEPP, 'slots')[0] as number;
  const ratio = (size: number) => e.study(`bytes ${MOEPP} ${size}`) / e.study(`bytes ${TOP2} ${size}`);
  return overRanks(e, (size) => Math.abs((ratio(size) * 2) / slots - 1));
}

const { abstract, paper, ours } = claimsOf<Options>();

/** A run on a real text, at least as large as those of the reproduction. */
const full = {
  data: textNames,
  when: ({ steps, batch, length, trials, features, hidden, layers }: Options) =>
    steps >= 300 && batch * length >= 512 && trials >= 2 && features >= 64 && hidden >= 64 && layers >= 3,
};

const claims = [
  ...where({ when: ({ steps }) => steps >= 200 }, [
    abstract('dynamic', 'Experts computed fall with τ: the least step from 2 to 0.75, 0.25, 0.1', above(0), leastStep),
    abstract('dynamic', 'τ = 0.75: least share of 0, 1, 2 experts computed, and of constants (%)', above(0), (e) =>
      e.least((score) => score(MOEPP, 'variety')),
    ),
  ]),
  ...where({ when: ({ steps, ranks }) => steps >= 200 && ranks >= 4 }, [
    abstract('deployment', 'Bytes between ranks beyond those of feed-forward slots', atMost(0), (e) =>
      overRanks(e, (size) => e.study(`other bytes ${MOEPP} ${size}`)),
    ),
    abstract('deployment', 'Bytes between ranks off the ratio of slots to the mixture’s', atMost(0.02), bytesOffSlots),
  ]),
  ...where(full, [
    abstract('performance', 'τ = 0.75: test loss below the mixture of two (nats)', above(0), (e) =>
      e.gain(TOP2, MOEPP, 'loss'),
    ),
    abstract('throughput', 'τ = 0.75: expert throughput over the mixture of two’s', atLeast(1.1), (e) =>
      median(speedUps(e, 0.75)),
    ),
    abstract('throughput', 'τ = 0.1: expert throughput over the mixture of two’s', atLeast(2.1), (e) =>
      median(speedUps(e, 0.1)),
    ),
    paper('Variance of the top probability, with gating residuals over without', atMost(1), (e) =>
      e.ratio(MOEPP, NO_RESIDUAL, 'variance'),
    ),
    ours('τ = 0.75: experts computed off the optimum of the balance loss', atMost(0.15), (e) =>
      Math.abs(e.mean(MOEPP, 'slots') - optimum(0.75)),
    ),
    ours('τ = 0.75: test loss above the mixture of two (nats)', atMost(0.06), (e) => e.gain(MOEPP, TOP2, 'loss')),
    ours('τ = 0.25: expert throughput over the mixture of two’s', atLeast(1.5), (e) => median(speedUps(e, 0.25))),
    ours('Rank correlation of experts computed and loss of a token, least of the seeds', above(0), (e) =>
      e.least((score) => score(MOEPP, 'hardness')),
    ),
    ours(
      'Warm start: test loss above that of the mixture trained on (nats)',
      atMost(0.02),
      (e) => e.study('warm loss') - e.study('plain loss'),
    ),
    ours('Warm start: experts computed per token, below 2', atMost(1.999), (e) => e.study('warm slots')),
  ]),
  ours('Experts computed per token at τ = 0.75 over those at τ = 0.1', atLeast(1.2), (e) =>
    e.ratio(MOEPP, plusTitle(0.1), 'slots'),
  ),
  ours('τ = 0.75: speed-up of the experts over the ratio of rows', atMost(1), (e) => speedUpByRows(e, 0.75)),
  ours(
    'Share of the most used expert without the balance loss over that with it',
    atLeast(1.2),
    (e) => e.study('largest without') / e.study('largest with'),
  ),
  ours(
    'Rate of the grouped products over a dense one of as many rows',
    atLeast(0.5),
    (e) => e.mean(TOP2, 'rate') / e.mean(TOP2, 'dense'),
  ),
];

export const experiment = defineExperiment({
  options: mixtureOptions,
  datasets: textSets,
  ownData: 'a text file in UTF-8, also .gz',
  presets: { grammar: { features: 32, hidden: 32, layers: 2, steps: 200, trials: 1 } },
  reproduction: [
    { data: 'grammar' },
    { data: 'tinyshakespeare' },
    { data: 'tinyshakespeare', set: { arms: 'all', batch: 16, pairs: 512, steps: 4000 }, long: true },
  ],
  metrics: {
    loss: textMetrics.loss,
    ...expertMetrics,
    parameters: textMetrics.parameters,
    seconds: textMetrics.seconds,
  },
  methods: (values) => Object.keys(mixturesOf(values)),
  notes: ({ steps, layers, features, batch, length, pairs, trials }) => [
    `${pairs === 0 ? 'Characters' : `${pairs} byte pairs`}, the text in order 80 % for training, 10 % for validation, 10 % for tests; ${layers} layers of width ${features}, ${FFN} feed-forward experts, MoE++ with ${FREE} more that cost nothing (2 constant, copy, zero); ${steps} steps of ${batch} windows of ${length}. All methods start alike, read the same windows, and have ${trials === 1 ? 'one learning rate' : `${trials} learning rates to choose from on validation tokens, once for all seeds`}.`,
    `Experts: time of all layers’ experts for ${MEASURED_TOKENS.toLocaleString('en-US')} test tokens, methods in turns, the fastest of 5, without and with the choice of experts. Attention is in neither.`,
  ],
  load: loadTokens,
  describe: describeTokens,
  async runSeed(data, values, context) {
    const { length } = values;
    const models = new Map<string, Decoder>();
    const { methods, kept } = await runMethods(methodsOf(data, values, mixturesOf(values)), context, {
      score: ({ model, config }, { title }) => {
        models.set(title, model);
        return { ...textScores(model, data, values), ...expertScores(model, data, length, constantsOf(config)) };
      },
      keep: MOEPP,
      stream: 'shared',
    });
    const { model, config } = kept as TrainedDecoder;
    return {
      methods: await withTimes(methods, models, data, length),
      artifacts: () => ({
        model: decoderFile({ model, config }, data),
        predictions: expertsByToken(model, data, length),
      }),
    };
  },
  studies: studiesOf,
  claims,
  unmeasured: {
    simple:
      'the abstract does not say when a token is simple, and “more experts” are those of a fixed capacity; the rank correlation of experts computed and loss is a claim of ours',
  },
});
