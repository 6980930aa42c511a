// The claim of MoE++: experts that cost nothing let a mixture compute less for easy tokens, at the quality of a mixture that always computes two.

import { generatedText, splitTokens, type TokenSplit, windowsAt } from '../data/index.js';
import { loadText, textNames } from '../data/node.js';
import { median, medianSeconds } from '../engine/index.js';
import {
  MoEPlusPlus,
  type MoEPlusPlusOptions,
  type TextTokenizer,
  tokenizerOf,
  trainLanguageModel,
  type Vocabulary,
  validationLoss,
  vocabularyOf,
} from '../lm/index.js';
import { Decoder } from '../models/index.js';
import {
  type ExpertLayer,
  type ExpertUsage,
  expertContext,
  MixtureOfExperts,
  parameterCount,
  stateOf,
} from '../nn/index.js';
import { groupedMatmul } from '../sparse/index.js';
import { matmul, Random, scope, type Tensor } from '../tensor/index.js';
import { atLeast, atMost, meanScore } from './claims.js';
import type { Claim, Experiment, MethodScores, RunContext, SeedResult, Study } from './contract.js';
import type { OptionValues } from './options.js';
import { summarize } from './statistics.js';

const options = {
  steps: { kind: 'number', default: 400, smoke: 12, minimum: 2, integer: true, about: 'steps of training' },
  features: { kind: 'number', default: 64, smoke: 32, minimum: 16, integer: true, about: 'width of the model' },
  hidden: { kind: 'number', default: 64, smoke: 32, minimum: 8, integer: true, about: 'width of an expert' },
  layers: { kind: 'number', default: 3, smoke: 2, minimum: 1, integer: true, about: 'layers' },
  batch: { kind: 'number', default: 16, minimum: 1, integer: true, about: 'windows a step' },
  length: { kind: 'number', default: 64, minimum: 8, integer: true, about: 'tokens of a window' },
  pairs: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    about: 'byte pairs to learn as tokens; characters when 0',
  },
} as const;

type Options = OptionValues<typeof options>;

interface Data {
  readonly name: string;
  readonly vocabulary: Vocabulary;
  readonly tokenizer: TextTokenizer;
  readonly tokens: TokenSplit;
}

async function load(source: string, { pairs }: Options): Promise<Data> {
  const text = source === 'grammar' ? generatedText(200_000, new Random(0).split('grammar')) : loadText(source);
  const vocabulary = vocabularyOf(text, pairs === 0 ? undefined : pairs);
  const tokenizer = tokenizerOf(vocabulary);
  return { name: source, vocabulary, tokenizer, tokens: splitTokens(Int32Array.from(tokenizer.encode(text))) };
}

const FFN = 8;
const FREE = 4;

interface Arm {
  readonly title: string;
  readonly tau?: number;
  layer(features: number, hidden: number, random: Random): ExpertLayer;
}

const vanilla = (k: number): Arm => ({
  title: `mixture, top ${k}`,
  layer: (features, hidden, random) => new MixtureOfExperts(features, { experts: FFN, hidden, k }, random),
});

const plus = (tau: number, changes: Partial<MoEPlusPlusOptions> = {}, suffix = ''): Arm => ({
  title: `MoE++, τ = ${tau}${suffix}`,
  tau,
  layer: (features, hidden, random) =>
    new MoEPlusPlus(features, { experts: { feedForward: FFN, constant: FREE - 2 }, hidden, tau, ...changes }, random),
});

const TOP2 = 'mixture, top 2';
const WITHOUT = 'MoE++, τ = 0.75, no residual';
const arms: readonly Arm[] = [
  vanilla(2),
  vanilla(1),
  plus(0.75),
  plus(0.25),
  plus(0.1),
  plus(0.75, { gatingResidual: false }, ', no residual'),
];

function makeModel(arm: Arm, { tokenizer }: Data, run: Options, random: Random): Decoder {
  const { features, hidden, layers } = run;
  return new Decoder(
    {
      ...{ vocabulary: tokenizer.size, features, layers, heads: 4 },
      feedForward: (_, own) => arm.layer(features, hidden, own),
    },
    random,
  );
}

/** The layers' choices on 2,048 and more validation tokens. */
function usageOn(model: Decoder, { tokens }: Data, length: number): ExpertUsage[] {
  const count = Math.min(Math.ceil(2048 / length), Math.floor((tokens.validation.length - 1) / length));
  const context = expertContext();
  model.forward(
    windowsAt(
      tokens.validation,
      Array.from({ length: count }, (_, i) => i * length),
      length,
    ).inputs,
    context,
  );
  return context.usage;
}

const layersOf = (model: Decoder) => model.model.layers.map(({ mlp }) => mlp as ExpertLayer);

/** Seconds of all layers' experts for given choices; with routing the choices are made again. */
function expertSeconds(model: Decoder, usage: readonly ExpertUsage[], routed: boolean): number {
  const layers = layersOf(model);
  return medianSeconds(
    () =>
      scope(() => {
        layers.forEach((layer, i) => {
          const { tokens, routing } = usage[i] as ExpertUsage;
          const choice = routed ? layer.route(tokens) : routing;
          layer.compute(tokens, choice, layer.dispatch(choice));
        });
      }),
    5,
  );
}

async function runSeed(data: Data, run: Options, context: RunContext) {
  const methods: MethodScores[] = [];
  let kept: Decoder | undefined;
  for (const arm of arms) {
    // All arms start from the same stream and read the same windows.
    const random = new Random(context.seed);
    const model = makeModel(arm, data, run, random.split('model'));
    const started = performance.now();
    const { stopped } = await trainLanguageModel(model, data.tokens, random.split('fit'), {
      ...{ steps: run.steps, batch: run.batch, length: run.length },
      signal: context.signal,
      onEpoch: (report) => context.onEpoch(arm.title, report),
    });
    if (stopped === 'aborted') throw new DOMException('the run was stopped', 'AbortError');
    const seconds = (performance.now() - started) / 1000;
    methods.push({ method: arm.title, scores: { ...scope(() => measure(model, data, run)), seconds } });
    if (arm.title === 'MoE++, τ = 0.75') kept = model;
  }
  return { methods, artifacts: () => artifactsOf(kept as Decoder, data) };
}

function measure(model: Decoder, data: Data, run: Options) {
  const usage = usageOn(model, data, run.length);
  const tokens = usage[0]?.tokens.shape[0] as number;
  const rows = usage.reduce((sum, layer) => sum + layer.rows, 0);
  const [layer] = layersOf(model);
  return {
    loss: validationLoss(model, data.tokens, { length: run.length }),
    slots: rows / usage.length / tokens,
    experts: 1000 * expertSeconds(model, usage, false),
    routed: 1000 * expertSeconds(model, usage, true),
    rate: groupedRate(layer as ExpertLayer, usage[0] as ExpertUsage),
    settled: summarize(usage.map(({ routing }) => varianceOfBest(routing.probabilities))).mean,
    parameters: parameterCount(model),
  };
}

/** The first product of a layer's experts alone, in GFLOP/s. */
function groupedRate(layer: ExpertLayer, { tokens, routing }: ExpertUsage): number {
  const plan = layer.dispatch(routing);
  const rows = plan.gather(tokens);
  const { up, features, hidden } = layer.experts;
  const seconds = medianSeconds(() => scope(() => groupedMatmul(rows, up, plan.segments, { transposeB: true })), 15);
  return (4 * plan.size * features * hidden) / seconds / 1e9;
}

/** Variance over tokens of the largest probability. */
function varianceOfBest(probabilities: Tensor): number {
  return summarize(Array.from(probabilities.max(1).dataSync())).sd ** 2;
}

function artifactsOf(model: Decoder, data: Data) {
  return {
    model: {
      weights: stateOf(model),
      metadata: { system: 'moepp', data: data.name, vocabulary: JSON.stringify(data.vocabulary) },
    },
    predictions: { columns: ['token', 'experts computed', 'times'], rows: computedPerToken(model, data, 64) },
  };
}

/** Mean number of feed-forward experts that a layer computes for each token, most first. */
function computedPerToken(model: Decoder, data: Data, length: number): (string | number)[][] {
  return scope(() => {
    const usage = usageOn(model, data, length);
    const count = usage[0]?.tokens.shape[0] as number;
    const sums = new Map<number, { computed: number; times: number }>();
    for (const { routing } of usage) {
      const chosen = routing.experts.view<Int32Array>();
      for (let t = 0; t < count; t++) {
        const entry = sums.get(data.tokens.validation[t] as number) ?? { computed: 0, times: 0 };
        entry.times += 1;
        for (let j = 0; j < routing.k; j++) entry.computed += Number((chosen[t * routing.k + j] as number) < FFN);
        sums.set(data.tokens.validation[t] as number, entry);
      }
    }
    return [...sums]
      .filter(([, { times }]) => times >= 20 * usage.length)
      .map(([token, { computed, times }]): [string, number, number] => [
        JSON.stringify(data.tokenizer.decode([token])),
        Number((computed / times).toFixed(3)),
        times / usage.length,
      ])
      .sort((a, b) => b[1] - a[1]);
  });
}

/** Dense products of the shape that one expert's rows have at the mean. */
function denseRate(rows: number, features: number, hidden: number): number {
  return scope(() => {
    const random = new Random(1);
    const [x, w] = [random.normal([rows, features]), random.normal([2 * hidden, features])];
    const seconds = medianSeconds(() => scope(() => matmul(x, w, { transposeB: true })), 25);
    return (4 * rows * features * hidden) / seconds / 1e9;
  });
}

async function studies(
  data: Data,
  run: Options,
  seed: number,
): Promise<{ studies: Study[]; scores: Record<string, number> }> {
  const random = new Random(seed);
  const model = makeModel(plus(0.75), data, run, random.split('model'));
  await trainLanguageModel(model, data.tokens, random.split('fit'), {
    steps: run.steps,
    batch: run.batch,
    length: run.length,
  });
  const rows = computedPerToken(model, data, run.length);
  const shown = rows.length > 16 ? [...rows.slice(0, 8), ...rows.slice(-8)] : rows;
  return {
    studies: [
      {
        title: 'Tokens and the experts that they use',
        note: 'Feed-forward experts computed a layer, of two, by the input token, over validation windows; the eight most and least, of those seen at least 20 times. τ = 0.75.',
        columns: ['token', 'experts', 'times'],
        rows: shown,
      },
    ],
    scores: { dense: denseRate(Math.round((2048 * 1.3) / FFN), run.features, run.hidden) },
  };
}

function claims(results: readonly SeedResult[], study: Readonly<Record<string, number>>): Claim[] {
  const mean = (method: string, metric: string) => meanScore(results, method, metric);
  const of = (tau: number) => `MoE++, τ = ${tau}`;
  const optimum = (tau: number) => (2 * FFN * tau) / (FFN * tau + FREE);
  const slots = [0.75, 0.25, 0.1].map((tau) => mean(of(tau), 'slots'));
  const falls = Math.min(
    2 - (slots[0] as number),
    (slots[0] as number) - (slots[1] as number),
    (slots[1] as number) - (slots[2] as number),
  );
  const faster = (tau: number) =>
    median(
      results.map(({ methods }) => {
        const score = (title: string) => methods.find(({ method }) => method === title)?.scores.experts ?? Number.NaN;
        return score(TOP2) / score(of(tau));
      }),
    );
  return [
    atLeast('Experts computed fall with τ: the least step from 2 to 0.75, 0.25, 0.1', falls, 0),
    atMost(
      'τ = 0.75: experts computed above the optimum of the loss',
      Math.abs(mean(of(0.75), 'slots') - optimum(0.75)),
      0.15,
    ),
    atMost(
      'τ = 0.75: validation loss above the mixture of two (nats)',
      mean(of(0.75), 'loss') - mean(TOP2, 'loss'),
      0.06,
    ),
    atLeast('τ = 0.75: experts, times faster than the mixture of two', faster(0.75), 1.1),
    atLeast('τ = 0.25: experts, times faster', faster(0.25), 1.5),
    atMost('τ = 0.75: that speed-up over the ratio of rows', faster(0.75) / (2 / mean(of(0.75), 'slots')), 1.05),
    atMost(
      'Variance of the largest probability, with gating residuals against without',
      mean(of(0.75), 'settled') / mean(WITHOUT, 'settled'),
      1,
    ),
    atLeast(
      'Rate of the grouped products against a dense one of the same rows',
      mean(TOP2, 'rate') / (study.dense ?? Number.NaN),
      0.5,
    ),
  ];
}

export const moepp: Experiment<typeof options, Data> = {
  system: 'moepp',
  title: 'MoE++: zero-computation experts',
  family: 'lm',
  paper:
    'Jin, Zhu, Yuan, Yan, "MoE++: Accelerating Mixture-of-Experts Methods with Zero-Computation Experts", ICLR 2025 (arXiv 2410.07348)',
  abstract:
    'Zero, copy and constant experts, with gating residuals, let each token use as many feed-forward experts as it needs: better quality, and 1.1 to 2.1 times the expert throughput of a mixture of the same size.',
  options,
  datasets: ['grammar', ...textNames],
  ownData: 'a text file in UTF-8, also .gz',
  metrics: {
    loss: { label: 'validation loss', unit: 'nats', digits: 3, better: 'smaller' },
    slots: { label: 'experts computed a token', digits: 2, better: 'smaller' },
    experts: { label: 'experts', unit: 'ms', digits: 2, better: 'smaller' },
    routed: { label: 'with routing', unit: 'ms', digits: 2, better: 'smaller' },
    rate: { label: 'grouped products', unit: 'GFLOP/s', digits: 1, better: 'larger' },
    settled: { label: 'variance of the best probability', digits: 4, better: 'neither' },
    parameters: { label: 'parameters', digits: 0, better: 'neither' },
    seconds: { label: 'training', unit: 's', digits: 1, better: 'smaller' },
  },
  methods: arms.map(({ title }) => title),
  notes: ({ steps, layers, features, batch, length, pairs }) => [
    `${pairs === 0 ? 'Characters' : `${pairs} byte pairs`}; ${layers} layers of width ${features}, ${FFN} feed-forward experts, MoE++ with ${FREE} more that cost nothing (2 constant, copy, zero); ${steps} steps of ${batch} windows of ${length}. All arms start alike and read the same windows.`,
    'Experts: time of all layers’ experts for 2,048 validation tokens, median of 5, without and with the choice of experts. Attention is in neither.',
  ],
  load,
  describe: ({ name, tokenizer, tokens }) =>
    `${name}: ${tokens.train.length} tokens to train on, ${tokens.validation.length} to validate, ${tokenizer.size} different`,
  runSeed,
  studies,
  claims: (results, study) => claims(results, study),
};
