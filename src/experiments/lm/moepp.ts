// MoE++: zero-computation experts let a mixture compute less for easy tokens, at the quality of a
// mixture that always computes two.

import { median } from '../../engine/index.js';
import { decoderConfig, type LanguageModelConfig, type MoEPlusPlusOptions } from '../../lm/index.js';
import { above, atLeast, atMost, claimsOf, type Evidence } from '../parts/claims.js';
import { defineExperiment, type RunContext } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { count, type OptionValues } from '../parts/options.js';
import { studyOf } from '../parts/studies.js';
import { denseRate, ends, expertMetrics, expertScores, expertsByToken, MEASURED_TOKENS } from '../protocols/experts.js';
import {
  decoderFile,
  decoderMethod,
  describeTokens,
  loadTokens,
  type TokenizedText,
  type TrainedDecoder,
  textMetrics,
  textOptions,
  textScores,
  textSets,
} from '../protocols/text.js';

const options = {
  ...textOptions,
  features: count(64, 'width of the model', { smoke: 32, minimum: 16 }),
  hidden: count(64, 'width of an expert', { smoke: 32, minimum: 8 }),
  layers: count(3, 'layers', { smoke: 2 }),
};

type Options = OptionValues<typeof options>;

/** Feed-forward experts, and zero-computation ones: constants, a copy, a zero. */
const FFN = 8;
const CONSTANTS = 2;
const FREE = CONSTANTS + 2;

/** The experts of a layer, given the width of an expert. */
type Experts = (hidden: number) => LanguageModelConfig['experts'];

function plain(k: number): Experts {
  return () => ({ count: FFN, k, normalised: k > 1 });
}

function plus(tau: number, changes: Partial<MoEPlusPlusOptions> = {}): Experts {
  const experts = { feedForward: FFN, constant: CONSTANTS };
  return (hidden) => {
    return { count: FFN, k: 2, normalised: true, zeroComputation: { experts, k: 2, hidden, tau, ...changes } };
  };
}

const taus = [0.75, 0.25, 0.1];
const plusTitle = (tau: number) => `MoE++, τ = ${tau}`;
const TOP2 = 'mixture, top 2';
const MOEPP = plusTitle(0.75);
const NO_RESIDUAL = `${MOEPP}, no residual`;

const mixtures: Readonly<Record<string, Experts>> = {
  [TOP2]: plain(2),
  'mixture, top 1': plain(1),
  ...Object.fromEntries(taus.map((tau) => [plusTitle(tau), plus(tau)])),
  [NO_RESIDUAL]: plus(0.75, { gatingResidual: false }),
};

function methodsOf(data: TokenizedText, values: Options, only = Object.keys(mixtures)) {
  const { features, hidden, layers, length } = values;
  const sizes = { vocabulary: data.tokenizer.size, features, layers, hidden, heads: 4, context: 16 * length };
  return only.map((title) =>
    decoderMethod(title, decoderConfig({ ...sizes, experts: mixtures[title]?.(hidden) }), data, values),
  );
}

/**
 * What tokens use in the model of the seed, whose training ends at once where its checkpoint is
 * kept.
 */
async function tokenStudy(data: TokenizedText, values: Options, context: RunContext) {
  const { kept } = await runMethods(methodsOf(data, values, [MOEPP]), context, { keep: MOEPP, stream: 'shared' });
  return studyOf(
    {
      title: 'Tokens and the experts that they use',
      note: 'Feed-forward experts computed per layer, of two, by the input token, over validation windows; the eight most and least, of those seen at least 20 times. τ = 0.75.',
      ...ends(expertsByToken((kept as TrainedDecoder).model, data, values.length)),
    },
    { dense: denseRate(Math.round((1.3 * MEASURED_TOKENS) / FFN), values.features, values.hidden) },
  );
}

/** Experts computed per token where the balance loss is least. */
const optimum = (tau: number) => (2 * FFN * tau) / (FFN * tau + FREE);

/** Time of the experts of the mixture of two over that of MoE++, median of the seeds. */
function speedUp(e: Evidence<Options>, tau: number): number {
  const own = e.scores(plusTitle(tau), 'experts');
  return median(e.scores(TOP2, 'experts').map((time, seed) => time / (own[seed] as number)));
}

/** The least step of the experts computed, from 2 along τ = 0.75, 0.25, 0.1. */
function leastStep(e: Evidence<Options>): number {
  const slots = [2, ...taus.map((tau) => e.mean(plusTitle(tau), 'slots'))];
  return Math.min(...slots.slice(1).map((next, i) => (slots[i] as number) - next));
}

const { abstract, paper, ours } = claimsOf<Options>();

const claims = [
  abstract('dynamic', 'Experts computed fall with τ: the least step from 2 to 0.75, 0.25, 0.1', above(0), leastStep),
  abstract('performance', 'τ = 0.75: validation loss below the mixture of two (nats)', above(0), (e) =>
    e.gain(TOP2, MOEPP, 'loss'),
  ),
  abstract('throughput', 'τ = 0.75: expert throughput over the mixture of two’s', atLeast(1.1), (e) =>
    speedUp(e, 0.75),
  ),
  abstract('throughput', 'τ = 0.1: expert throughput over the mixture of two’s', atLeast(2.1), (e) => speedUp(e, 0.1)),
  paper('Variance of the top probability, with gating residuals over without', atMost(1), (e) =>
    e.ratio(MOEPP, NO_RESIDUAL, 'variance'),
  ),
  ours('τ = 0.75: experts computed off the optimum of the balance loss', atMost(0.15), (e) =>
    Math.abs(e.mean(MOEPP, 'slots') - optimum(0.75)),
  ),
  ours('τ = 0.75: validation loss above the mixture of two (nats)', atMost(0.06), (e) => e.gain(MOEPP, TOP2, 'loss')),
  ours('τ = 0.25: expert throughput over the mixture of two’s', atLeast(1.5), (e) => speedUp(e, 0.25)),
  ours(
    'τ = 0.75: that speed-up over the ratio of rows',
    atMost(1.05),
    (e) => speedUp(e, 0.75) / (2 / e.mean(MOEPP, 'slots')),
  ),
  ours(
    'Rate of the grouped products over a dense one of as many rows',
    atLeast(0.5),
    (e) => e.mean(TOP2, 'rate') / e.study('dense'),
  ),
];

export const experiment = defineExperiment({
  options,
  datasets: textSets,
  ownData: 'a text file in UTF-8, also .gz',
  reproduction: [
    { data: 'tinyshakespeare' },
    { data: 'tinyshakespeare', seeds: 1, set: { pairs: 512, steps: 4000 }, long: true },
  ],
  metrics: {
    loss: textMetrics.loss,
    ...expertMetrics,
    parameters: textMetrics.parameters,
    seconds: textMetrics.seconds,
  },
  methods: () => Object.keys(mixtures),
  notes: ({ steps, layers, features, batch, length, pairs }) => [
    `${pairs === 0 ? 'Characters' : `${pairs} byte pairs`}; ${layers} layers of width ${features}, ${FFN} feed-forward experts, MoE++ with ${FREE} more that cost nothing (2 constant, copy, zero); ${steps} steps of ${batch} windows of ${length}. All methods start alike and read the same windows.`,
    'Experts: time of all layers’ experts for 2,048 validation tokens, median of 5, without and with the choice of experts. Attention is in neither.',
  ],
  load: loadTokens,
  describe: describeTokens,
  async runSeed(data, values, context) {
    const { methods, kept } = await runMethods(methodsOf(data, values), context, {
      score: ({ model }) => ({ ...textScores(model, data, values), ...expertScores(model, data, values.length) }),
      keep: MOEPP,
      stream: 'shared',
    });
    const { model, config } = kept as TrainedDecoder;
    return {
      methods,
      artifacts: () => ({
        model: decoderFile({ model, config }, data),
        predictions: expertsByToken(model, data, values.length),
      }),
    };
  },
  studies: tokenStudy,
  claims,
  unmeasured: {
    simple: 'no run relates the experts of a token to how hard the token is',
    deployment: 'no run spreads experts over several devices',
  },
});
