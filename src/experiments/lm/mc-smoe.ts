// MC-SMoE: experts merged by their routing, then compressed, beside other ways to make the same
// mixture as small.

import { textNames } from '../../data/node.js';
import { above, atLeast, atMost, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { accuracy, loss, parameters, relabelled, seconds } from '../parts/metrics.js';
import {
  AVERAGE,
  COMPRESS_ONLY,
  type CompressionValues,
  type ConfiguredModel,
  compressionMethods,
  compressionOptions,
  compressionScores,
  FULL,
  M_SMOE,
  MC_SMOE,
  MERGE_ONLY,
  NO_ALIGNMENT,
  PRUNE,
  RANDOM,
  savedState,
  type Teacher,
  TRAINED_ON,
  teacherOf,
  titlesOf,
} from '../protocols/compressed-experts.js';
import { classSets, type ExpertTask, loadTask } from '../protocols/expert-tasks.js';
import { BALANCES, rankStudy } from '../protocols/merged-ranks.js';
import { decoderFile } from '../protocols/text.js';

type Options = CompressionValues;

/** By how many percent the loss of a method is above that of the whole model, mean over seeds. */
const increase = (e: Evidence<Options>, method: string) => 100 * (e.ratio(method, FULL, 'loss') - 1);
/** By how many percent a method has less of something than the whole model. */
const saved = (e: Evidence<Options>, what: 'parameters' | 'multiplyAdds') => 100 * (1 - e.ratio(MC_SMOE, FULL, what));
const CONVENTIONAL = [AVERAGE, RANDOM];

const { abstract, ours } = claimsOf<Options>();
const claims = [
  abstract('memory', 'Parameters of the whole model that MC-SMoE saves (%)', atLeast(80), (e) =>
    saved(e, 'parameters'),
  ),
  abstract('flops', 'Multiply-adds of the whole model that MC-SMoE saves (%)', atLeast(20), (e) =>
    saved(e, 'multiplyAdds'),
  ),
  ...where({ data: classSets }, [
    abstract('loss', 'Accuracy of the whole model above MC-SMoE’s (points)', atMost(1), (e) =>
      e.gain(FULL, MC_SMOE, 'accuracy'),
    ),
  ]),
  ...where({ data: textNames }, [
    abstract('loss', 'Test loss of MC-SMoE above the whole model’s (%)', atMost(1), (e) => increase(e, MC_SMOE)),
  ]),
  abstract('conventional', 'M-SMoE: test loss above the whole model’s (%)', atMost(1), (e) => increase(e, M_SMOE)),
  abstract(
    'conventional',
    'Averaging and random merging: the lesser test loss above the whole model’s (%)',
    above(1),
    (e) => Math.min(...CONVENTIONAL.map((method) => increase(e, method))),
  ),
  ...BALANCES.map((balance) =>
    abstract('dimension', `β = ${balance}: change of the dominant experts’ stable rank by merging`, below(0), (e) =>
      e.study(`${M_SMOE} β ${balance}`),
    ),
  ),
  ...[NO_ALIGNMENT, RANDOM, PRUNE].map((other) =>
    ours(`Right after merging: test loss of ${other} above M-SMoE’s (nats)`, above(0), (e) =>
      e.gain(other, M_SMOE, 'raw'),
    ),
  ),
  ours('After recovery: test loss of random merging above M-SMoE’s (nats)', atLeast(0.01), (e) =>
    e.gain(RANDOM, M_SMOE, 'loss'),
  ),
  ...[COMPRESS_ONLY, MERGE_ONLY].map((other) =>
    ours(`Test loss of MC-SMoE above that of ${other} (nats)`, atMost(0), (e) => e.gain(MC_SMOE, other, 'loss')),
  ),
  ours(
    'Test loss of MC-SMoE above the whole model’s after as many further steps (%)',
    atMost(5),
    (e) => 100 * (e.ratio(MC_SMOE, TRAINED_ON, 'loss') - 1),
  ),
];

export const experiment = defineExperiment({
  options: compressionOptions,
  datasets: ['grammar', ...textNames, ...classSets],
  ownData: 'a text file in UTF-8, also .gz',
  presets: {
    grammar: { features: 32, hidden: 32, experts: 8, kept: 2, rank: 4, steps: 200, recover: 60, trials: 1 },
    r8: { length: 128, batch: 8, pairs: 512, steps: 400 },
  },
  reproduction: [
    { data: 'grammar' },
    { data: 'tinyshakespeare' },
    { data: 'r8' },
    { data: 'tinyshakespeare', set: { hidden: 64, experts: 8, kept: 2, arms: 'all' }, long: true },
  ],
  metrics: {
    loss: relabelled(loss, { label: 'test loss', unit: 'nats' }),
    raw: relabelled(loss, { label: 'right after merging', unit: 'nats' }),
    accuracy,
    parameters,
    experts: relabelled(parameters, { label: 'in experts' }),
    multiplyAdds: { label: 'multiply-adds a token', digits: 0, better: 'smaller' },
    expertAdds: { label: 'in experts', digits: 0, better: 'smaller' },
    seconds,
  },
  methods: titlesOf,
  notes: ({ experts, kept, steps, recover, features, hidden, layers, rank, rows, trials }) => [
    `${layers} layers of width ${features}, each with ${experts} experts of width ${hidden}, one a token; ${kept} on average stay. The whole model has ${steps} steps; every way to make it smaller starts from it and has ${2 * recover} steps of recovery, MC-SMoE half of them after merging (rank ${rank}, ${100 * rows} % of the rows).`,
    `${trials === 1 ? 'All have one learning rate' : `Each chooses its learning rate of ${trials} on validation data, once for all seeds, on a model of another seed`}. Routers are frozen, but for task-specific pruning and the models that are trained on.`,
  ],
  load: (source, { pairs }, onDownload) => loadTask(source, pairs, onDownload),
  describe: ({ description }: ExpertTask) => description,
  async runSeed(task, values, context) {
    let whole: Promise<Teacher> | undefined;
    const methods = compressionMethods(task, values, ({ random, hooks }) => {
      whole ??= teacherOf(task, values, random, hooks);
      return whole;
    });
    const { methods: scores, kept } = await runMethods(methods, context, {
      score: (model) => compressionScores(task, model, values),
      keep: MC_SMOE,
      stream: 'shared',
    });
    const small = kept as ConfiguredModel;
    const { text } = task;
    return {
      methods: scores,
      artifacts: () =>
        text
          ? { model: decoderFile({ model: small.model.decoder, config: small.config }, text, savedState(small)) }
          : {},
    };
  },
  studies: rankStudy,
  claims,
  unmeasured: {
    benchmarks:
      'of the eight benchmarks (SST-2, MRPC, MultiRC, COPA, WinoGrande, SQuAD, WikiQA, HotpotQA) and their Switch Transformer none is here; a text and the classes of R8 stand in',
  },
});
