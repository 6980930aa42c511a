// The ways to make a trained mixture smaller that MC-SMoE is compared with: from one model, with
// the same recovery, steps and learning rates to choose from.

import {
  compactState,
  decoderConfig,
  decoderOf,
  decomposeExperts,
  footprint,
  groupCounts,
  keepMostUsed,
  type LanguageModelConfig,
  type LayerStatistics,
  type MergeOptions,
  mergeExperts,
  recover,
  routingStatistics,
  unmerged,
} from '../../lm/index.js';
import { loadState, parameterCount, stateOf, type TrainingHooks, type Weights } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { choice, count, type OptionValues, share } from '../parts/options.js';
import { settingsOf, tuned } from '../parts/tuning.js';
import { type ExpertTask, type TaskModel, taskModel } from './expert-tasks.js';

export const compressionOptions = {
  steps: count(700, 'steps of the whole model', { smoke: 12, minimum: 2 }),
  recover: count(150, 'steps of recovery after merging, and as many after compression', { smoke: 6, minimum: 2 }),
  batch: count(16, 'windows per step'),
  length: count(64, 'tokens of a window', { smoke: 16, minimum: 8 }),
  pairs: count(0, 'byte pairs to learn as tokens; characters when 0, and 512 of a text with classes', { minimum: 0 }),
  features: count(64, 'width of the model', { smoke: 16, minimum: 16 }),
  hidden: count(128, 'width of an expert', { smoke: 16, minimum: 8 }),
  layers: count(2, 'layers'),
  experts: count(32, 'experts of a layer', { smoke: 6, minimum: 3 }),
  kept: count(8, 'experts of a layer that stay, on average', { smoke: 2 }),
  rank: count(8, 'rank of compressed experts', { smoke: 3 }),
  rows: share(0.1, 'rows that compressed matrices keep', { smoke: 0.2 }),
  trials: count(2, 'learning rates of the recovery to choose from on validation data', { smoke: 1, maximum: 3 }),
  arms: choice(['main', 'all'], 'all adds other bases of groups, uniform numbers, and the dominant expert to align to'),
};

export type CompressionValues = OptionValues<typeof compressionOptions>;

const RATES = [1e-3, 3e-3, 3e-4];
/** β of the balance loss of the whole model. */
const BALANCE = 0.01;

/** A model with its configuration. */
export interface ConfiguredModel {
  readonly model: TaskModel;
  readonly config: LanguageModelConfig;
}

/** A trained mixture with its statistics on training data. */
export interface Teacher extends ConfiguredModel {
  readonly statistics: readonly LayerStatistics[];
}

export const FULL = 'whole model';
export const TRAINED_ON = 'whole model, trained on';
export const DENSE = 'dense, equal FLOPs';
export const M_SMOE = 'M-SMoE';
export const MC_SMOE = 'MC-SMoE';
export const AVERAGE = 'averaging';
export const RANDOM = 'random merging';
export const NO_ALIGNMENT = 'M-SMoE, no alignment';
export const PRUNE = 'only dominant experts';
export const TASK_PRUNE = 'task-specific pruning';
export const MERGE_ONLY = 'merging only, equal size';
export const COMPRESS_ONLY = 'compression only, equal size';

interface Recipe {
  /** How experts are merged; not at all when left out. */
  readonly merge?: Omit<MergeOptions, 'experts'>;
  /** Experts that stay on average. Default: those of the run. */
  readonly kept?: number;
  readonly low?: { readonly rank: number; readonly rows: number };
}

/** The recipes of a run, by title. */
export function recipesOf(values: CompressionValues): Readonly<Record<string, Recipe>> {
  const low = { rank: values.rank, rows: values.rows };
  return {
    [M_SMOE]: { merge: {} },
    [MC_SMOE]: { merge: {}, low },
    [AVERAGE]: { merge: { weights: 'uniform' } },
    [RANDOM]: { merge: { basis: 'random', weights: 'uniform', alignTo: 'none' } },
    [NO_ALIGNMENT]: { merge: { alignTo: 'none' } },
    [PRUNE]: { merge: { members: 'drop' } },
    [MERGE_ONLY]: { merge: {}, kept: equalSize(values).kept },
    [COMPRESS_ONLY]: { low: equalSize(values).low },
    ...(values.arms === 'all' && {
      'M-SMoE, aligned to the dominant': { merge: { alignTo: 'dominant' } },
      'M-SMoE, groups by router weights': { merge: { basis: 'router' } },
      'M-SMoE, groups by expert weights': { merge: { basis: 'experts' } },
      'M-SMoE, as many in each layer': { merge: { uniform: true } },
    }),
  };
}

/** Merging alone, and compression alone, whose experts take what those of MC-SMoE take. */
function equalSize({ features: d, hidden: f, experts, kept, rank, rows }: CompressionValues) {
  const whole = 2 * d * f;
  const target = kept * (2 * rank * (d + f) + rows * whole);
  const free = target / experts - 2 * (d + f);
  return {
    kept: Math.max(1, Math.round(target / whole)),
    low: { rank: 1, rows: Math.max(0.01, Math.min(1, free / whole)) },
  };
}

export const titlesOf = (values: CompressionValues): string[] => [
  ...[FULL, TRAINED_ON, DENSE],
  ...Object.keys(recipesOf(values)),
  TASK_PRUNE,
];

/** Sizes of the whole model: experts of two matrices with squared ReLU, one a token. */
export function wholeConfig({ vocabulary }: ExpertTask, values: CompressionValues): LanguageModelConfig {
  const { features, hidden, layers, length, experts } = values;
  return decoderConfig({
    ...{ vocabulary, features, hidden, layers, heads: 4, context: 16 * length, activation: 'relu2' },
    experts: { count: experts, k: 1, normalised: false },
  });
}

/** Trains a mixture, or with `experts` undefined the dense decoder of its FLOPs. */
async function trained(
  task: ExpertTask,
  config: LanguageModelConfig,
  values: CompressionValues,
  random: Random,
  hooks: TrainingHooks,
  { steps = values.steps, balance = BALANCE } = {},
): Promise<ConfiguredModel> {
  const decoder = decoderOf(config, random.split('model'));
  const model = taskModel(task, decoder, config, random.split('head'));
  await task.train(model, random.split('fit'), { ...values, steps, balance }, hooks);
  return { model, config };
}

/** The mixture that all methods start from. @param balance β of its balance loss */
export async function teacherOf(
  task: ExpertTask,
  values: CompressionValues,
  random: Random,
  hooks: TrainingHooks,
  balance = BALANCE,
): Promise<Teacher> {
  const whole = await trained(task, wholeConfig(task, values), values, random, hooks, { balance });
  return { ...whole, statistics: statisticsOf(task, whole.model, values, random.split('calibration')) };
}

/** 256 windows, or texts, of training data. */
function statisticsOf(task: ExpertTask, model: TaskModel, { length }: CompressionValues, random: Random) {
  return routingStatistics(16, (batch, context) => task.route(model, random.split(batch), length, context));
}

/** A copy of a model with another decoder, and the head that it had. */
function withDecoder(
  task: ExpertTask,
  { model, config }: ConfiguredModel,
  decoder: TaskModel['decoder'],
  random: Random,
): TaskModel {
  const copy = taskModel(task, decoder, config, random);
  if (copy.head && model.head) loadState(copy.head, stateOf(model.head));
  return copy;
}

/** A recipe in its steps, each of which is followed by recovery; the loss right after the first. */
async function followed(
  task: ExpertTask,
  teacher: Teacher,
  { merge, kept, low }: Recipe,
  values: CompressionValues,
  learningRate: number,
  random: Random,
  hooks: TrainingHooks,
): Promise<ConfiguredModel & { readonly raw: number }> {
  const { decoder } = teacher.model;
  const merged = merge
    ? mergeExperts(decoder, teacher.config, teacher.statistics, random.split('merge'), {
        ...merge,
        experts: kept ?? values.kept,
      })
    : unmerged(decoder, teacher.config, random.split('merge'));
  const stages = merge && low ? 2 : 1;
  const steps = (2 * values.recover) / stages;
  const recovery = task.recovery(values.batch, values.length);
  let model = withDecoder(task, teacher, merged.model, random);
  let { config } = merged;
  const raw = task.score(model, 'test', values.length).loss;
  const run = (name: string, prune?: { readonly rows: number }) =>
    recover(model, teacher.model, recovery, random.split(name), {
      ...{ steps, learningRate, signal: hooks.signal, onEpoch: hooks.onEpoch },
      ...(prune && { prune }),
    });
  if (merge) await run('merged');
  if (low) {
    const small = decomposeExperts(model.decoder, config, low.rank, random.split('low'));
    model = { ...model, decoder: small.model };
    config = small.config;
    await run('compressed', low);
  }
  return { model, config, raw };
}

/** Prunings of the task-specific one. */
const PRUNINGS = 5;

/** Trains on, and lets the least used experts go in five steps, until as many stay as elsewhere. */
async function prunedByTask(
  task: ExpertTask,
  teacher: Teacher,
  values: CompressionValues,
  learningRate: number,
  random: Random,
  hooks: TrainingHooks,
): Promise<ConfiguredModel> {
  const final = groupCounts(
    teacher.statistics.map(({ usage }) => usage),
    values.kept,
  );
  const start = unmerged(teacher.model.decoder, teacher.config, random.split('start'));
  let own: ConfiguredModel = { model: withDecoder(task, teacher, start.model, random), config: start.config };
  let usage = teacher.statistics.map((layer) => Array.from(layer.usage));
  const recovery = task.recovery(values.batch, values.length);
  for (let pruning = 1; pruning <= PRUNINGS; pruning++) {
    const part = random.split(pruning);
    await recover(own.model, teacher.model, recovery, part.split('fit'), {
      ...{ steps: Math.ceil((2 * values.recover) / PRUNINGS), learningRate, signal: hooks.signal },
      ...{ onEpoch: hooks.onEpoch, trains: () => true },
    });
    const seen = statisticsOf(task, own.model, values, part.split('usage'));
    usage = usage.map((layer, i) => layer.map((before, e) => (before + (seen[i]?.usage[e] ?? 0)) / 2));
    const left = final.map((m) => values.experts - Math.round(((values.experts - m) * pruning) / PRUNINGS));
    const fewer = keepMostUsed(own.model.decoder, own.config, usage, left, part.split('prune'));
    own = { model: { ...own.model, decoder: fewer.model }, config: fewer.config };
  }
  return own;
}

/** Scores of a model of any method. */
export function compressionScores(
  task: ExpertTask,
  { model, config, raw }: ConfiguredModel & { readonly raw?: number },
  { length }: CompressionValues,
): Scores {
  const state = savedState({ model, config });
  const { parameters, multiplyAdds } = footprint(state, config, length);
  const head = model.head ? parameterCount(model.head) : 0;
  return {
    ...task.score(model, 'test', length),
    ...(raw !== undefined && { raw }),
    parameters: parameters.total + head,
    experts: parameters.experts,
    multiplyAdds: multiplyAdds.total,
    expertAdds: multiplyAdds.experts,
  };
}

/** The weights of a decoder as they are saved. */
export const savedState = ({ model: { decoder }, config }: ConfiguredModel): Weights =>
  config.experts?.rank === undefined ? stateOf(decoder) : compactState(decoder);

/** Teachers of trials, which are the same for all seeds. */
const trialTeachers = new WeakMap<ExpertTask, Promise<Teacher>>();

/** The methods from one teacher; the rate of each recovery is chosen once, on another teacher. */
export function compressionMethods(
  task: ExpertTask,
  values: CompressionValues,
  teacher: (run: MethodRun) => Promise<Teacher>,
): Method<ConfiguredModel>[] {
  type Run = (of: Teacher, rate: number, run: MethodRun) => Promise<ConfiguredModel>;
  const method = (title: string, run: Run): Method<ConfiguredModel> =>
    tuned({
      title,
      once: task,
      settings: settingsOf({ learningRate: RATES }, values.trials, new Random(0)),
      train: async ({ learningRate }, own) => run(await teacher(own), learningRate, own),
      trial: async ({ learningRate }, own) => {
        let whole = trialTeachers.get(task);
        if (!whole) {
          whole = teacherOf(task, values, new Random(0).split('trials'), own.hooks);
          trialTeachers.set(task, whole);
        }
        return run(await whole, learningRate, own);
      },
      validation: ({ model }) => -task.score(model, 'validation', values.length).loss,
    });
  const recipes = Object.entries(recipesOf(values)).map(([title, recipe]) =>
    method(title, (of, rate, { random, hooks }) => followed(task, of, recipe, values, rate, random, hooks)),
  );
  const config = wholeConfig(task, values);
  const { experts: _, ...dense } = config;
  const steps = values.steps + 2 * values.recover;
  return [
    { title: FULL, train: teacher },
    method(TRAINED_ON, async (of, learningRate, { random, hooks }) => {
      const decoder = decoderOf(of.config, random.split('copy'));
      loadState(decoder, stateOf(of.model.decoder));
      const model = withDecoder(task, of, decoder, random);
      await recover(model, of.model, task.recovery(values.batch, values.length), random.split('on'), {
        ...{ steps: 2 * values.recover, learningRate, distillWeight: 0 },
        ...{ signal: hooks.signal, onEpoch: hooks.onEpoch },
      });
      return { model, config: of.config };
    }),
    { title: DENSE, train: ({ random, hooks }) => trained(task, dense, values, random, hooks, { steps }) },
    ...recipes,
    method(TASK_PRUNE, (of, rate, { random, hooks }) => prunedByTask(task, of, values, rate, random, hooks)),
  ];
}
