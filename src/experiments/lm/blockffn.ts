// BlockFFN: blocks that tokens choose freely, trained so that neighbours choose alike, beside
// routers that choose a number and dense layers.

import { textNames } from '../../data/node.js';
import { above, atLeast, atMost, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import {
  BASELINES,
  BLOCKFFN,
  type BlockValues,
  blockMethods,
  blockOptions,
  blockScores,
  blockTitles,
  CUT,
  DEFAULTS,
  NO_LOSSES,
  OPERATING,
  TOPK,
} from '../protocols/block-arms.js';
import { blockStudies } from '../protocols/block-studies.js';
import {
  decoderFile,
  describeTokens,
  loadTokens,
  type TrainedDecoder,
  textMetrics,
  textSets,
} from '../protocols/text.js';

type Options = BlockValues;

/** CLS32 over CLS8 of a method. */
const lasting = (e: Evidence<Options>, method: string) => e.mean(method, 'cls32') / e.mean(method, 'cls8');

const { abstract, ours } = claimsOf<Options>();

/** A run on a real text, at least as large as those of the reproduction. */
const full = {
  data: textNames,
  when: ({ steps, batch, length, features, experts, layers }: Options) =>
    steps >= 600 && batch * length >= 1024 && features >= 64 && experts >= 32 && layers >= 2,
};

const claims = [
  ours('Guessed ahead or not, sparse or not: the same tokens', atLeast(1), (e) => e.study('same ids')),
  ...where(full, [
    abstract('sparsity', 'Token-level sparsity, least of the seeds (%)', above(80), (e) =>
      e.least((score) => score(BLOCKFFN, 'tls')),
    ),
    abstract('sparsity', '8-token chunk-level sparsity of the same models, least of the seeds (%)', above(70), (e) =>
      e.least((score) => score(BLOCKFFN, 'cls8')),
    ),
    abstract('baselines', 'Test loss below the best baseline’s (nats a character)', atLeast(0), (e) =>
      Math.min(...BASELINES.map((other) => e.gain(other, BLOCKFFN, 'loss'))),
    ),
    abstract('chunks', 'TopK: CLS of 32 tokens over that of 8', below(0.1), (e) => lasting(e, TOPK)),
    ours('BlockFFN: CLS of 32 tokens over that of 8', atLeast(0.5), (e) => lasting(e, BLOCKFFN)),
    ours('Not collapsed: blocks that 2 to 98 % of the tokens use, least of the seeds (%)', atLeast(25), (e) =>
      e.least((score) => score(BLOCKFFN, 'selective')),
    ),
    ours('Not collapsed: TLS above CLS32, least of the seeds (points)', above(5), (e) =>
      e.least((score) => score(BLOCKFFN, 'tls') - score(BLOCKFFN, 'cls32')),
    ),
    ours('Test loss below a dense layer of the active width (nats a character)', above(0), (e) =>
      e.gain(CUT, BLOCKFFN, 'loss'),
    ),
    ours('TLS off that of TopK (points)', atMost(10), (e) => Math.abs(e.gain(BLOCKFFN, TOPK, 'tls'))),
    ours('Test loss above that without the losses (nats a character)', atMost(0.05), (e) =>
      e.gain(BLOCKFFN, NO_LOSSES, 'loss'),
    ),
    ours('The paper’s weights: CLS8 over that without the losses', atLeast(4), (e) =>
      e.ratio(DEFAULTS, NO_LOSSES, 'cls8'),
    ),
    ours('The paper’s weights: CLS32 over that without the losses', atLeast(20), (e) =>
      e.ratio(DEFAULTS, NO_LOSSES, 'cls32'),
    ),
    ours('The paper’s weights: test loss above that without the losses (nats a character)', atMost(0.02), (e) =>
      e.gain(DEFAULTS, NO_LOSSES, 'loss'),
    ),
    ours(
      'Locality alone: CLS8/TLS above that of chunk sparsification alone',
      above(0),
      (e) => e.study('share locality alone') - e.study('share chunk sparsification alone'),
    ),
    ours(
      'Chunk sparsification alone: TLS above that of locality alone (points)',
      above(0),
      (e) => e.study('tls chunk sparsification alone') - e.study('tls locality alone'),
    ),
    ...(['f32', 'Q8_0'] as const).map((format) =>
      ours(`One token, ${format}: speed-up of a layer over 1/(1 − TLS)`, atLeast(0.6), (e) =>
        e.study(`share ${format} 1`),
      ),
    ),
    abstract(
      'speed',
      'Tokens a second of sparse speculation over dense generation, on a CPU',
      atLeast(3.67),
      (e) => e.study('speed speculative, blocks in use') / e.study('speed plain'),
    ),
    ours(
      'Sparse speculation over the faster of sparsity and speculation alone',
      above(1),
      (e) =>
        e.study('speed speculative, blocks in use') /
        Math.max(e.study('speed plain, blocks in use'), e.study('speed speculative')),
    ),
  ]),
];

export const experiment = defineExperiment({
  options: blockOptions,
  datasets: textSets,
  ownData: 'a text file in UTF-8, also .gz',
  presets: {
    grammar: { features: 32, steps: 200, experts: 16, width: 8, k: 3, trials: 1 },
    republic: { pairs: 512 },
  },
  reproduction: [
    { data: 'grammar' },
    { data: 'tinyshakespeare' },
    { data: 'republic', long: true },
    { data: 'tinyshakespeare', set: { steps: 2400, trials: 3 }, long: true },
  ],
  metrics: {
    loss: textMetrics.loss,
    tls: { label: 'TLS', unit: '%', digits: 1, better: 'larger' },
    cls8: { label: 'CLS8', unit: '%', digits: 1, better: 'larger' },
    cls32: { label: 'CLS32', unit: '%', digits: 1, better: 'larger' },
    selective: { label: 'blocks that 2 to 98 % of the tokens use', unit: '%', digits: 1, better: 'larger' },
    dead: { label: 'blocks that no token uses', digits: 1, better: 'smaller' },
    parameters: textMetrics.parameters,
    seconds: textMetrics.seconds,
  },
  methods: () => blockTitles,
  notes: ({ steps, batch, length, layers, features, experts, width, k, pairs, trials }) => [
    `${pairs === 0 ? 'Characters' : `${pairs} byte pairs`}, the text in order 80 % for training, 10 % for validation, 10 % for tests; ${layers} layers of width ${features}, each with ${experts} blocks of width ${width}, of which TopK, DSMoE (2 of them shared) and ReMoE use ${k} a token; ${steps} steps of ${batch} windows of ${length}. All start alike and read the same windows.`,
    `Losses are in nats a character, sparsity is that of test tokens. λ = ${OPERATING.locality}. ${trials === 1 ? 'All have one learning rate and one weight of their own loss' : `Each method chooses its learning rate and the weight of its own loss among ${trials} settings on validation tokens, once for all seeds, in half the steps; BlockFFN among those that reach the sparsity of the abstract without collapse, ReMoE among those within a point of TopK’s`}.`,
  ],
  load: loadTokens,
  describe: describeTokens,
  async runSeed(data, values, context) {
    const { methods, kept } = await runMethods(blockMethods(data, values), context, {
      score: ({ model }) => blockScores(model, data, values),
      keep: BLOCKFFN,
      stream: 'shared',
    });
    return { methods, artifacts: () => ({ model: decoderFile(kept as TrainedDecoder, data) }) };
  },
  studies: blockStudies,
  claims,
  unmeasured: {
    routing:
      'that the routing of a vanilla mixture hurts is the abstract’s premise; test losses of both stand in the table',
  },
});
