// Classification of programs: networks and bags of tokens, tuned alike on validation programs.

import type { Split } from '../../data/index.js';
import {
  classesOf,
  HDHGN,
  type HDHGNOptions,
  type LanguageName,
  languageNames,
  loadParser,
  type ProgramBaseline,
  ProgramModel,
  type ProgramNetwork,
  type ProgramSizes,
  programBaseline,
  programProbabilities,
  trainPrograms,
} from '../../hypergraph/index.js';
import { accuracy, macroF1, parameterCount } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import type { RunContext, Scores, SeedOutcome } from '../parts/contract.js';
import { type Method, runMethods } from '../parts/methods.js';
import { choice, count, type OptionValues, rate, text } from '../parts/options.js';
import { settingsOf, tuned } from '../parts/tuning.js';
import { type ProgramData, type ProgramInputs, type ProgramView, splitPrograms } from './program-data.js';
import { ridgeClasses, similarities, tfidf } from './token-grams.js';

/** Titles of methods. */
export const [MAJORITY, UNIGRAMS, BIGRAMS] = ['majority', 'ridge, 1-grams', 'ridge, 1–2-grams'] as const;
export const [TBCNN, GCN, GAT, PLAIN] = ['TBCNN', 'GCN', 'GAT', 'HGNN⁺'] as const;
export const HDHGN_TITLE = 'HDHGN';
export const [NO_TYPES, NO_ROLES, NO_KINDS, PAIRS] = [
  'HDHGN without types',
  'HDHGN without roles',
  'HDHGN without kinds',
  'HDHGN on pairs',
] as const;

export const programOptions = {
  setting: choice(['full', 'few'], 'full: 60 % to train on; few: 10 files a class, 5 to validate, numbers replaced'),
  anonymise: choice(['yes', 'no'], 'replace names and strings, so that they give no class away'),
  arms: choice(
    ['all', 'roles', 'types', 'ablations'],
    'methods: all; those that roles or types are about; or all, with HDHGN without types, roles or kinds and on pairs',
  ),
  epochs: count(10, 'epochs, each followed by a validation', { smoke: 2 }),
  trialEpochs: count(2, 'epochs of the trials that choose a learning rate', { smoke: 1 }),
  batch: count(16, 'programs in a batch'),
  learningRate: rate(2e-3, "Adam's learning rate, the others of three trials being twice and half of it"),
  schedule: choice(
    ['cosine', 'constant', 'plateau'],
    'learning rate of all networks over the epochs; plateau: to a tenth after 2 without gain',
  ),
  trials: count(3, 'settings tried for every method on validation programs', { smoke: 1, maximum: 3 }),
  width: count(32, 'width of vertices and hyperedges', { smoke: 16, minimum: 4 }),
  layers: count(2, 'layers'),
  heads: count(4, 'attention heads'),
  hidden: count(128, 'width of the classifier'),
  vertices: count(1200, 'most vertices of a program'),
  leastFiles: count(20, 'fewest files of a class'),
  programs: count(700, 'generated programs', { smoke: 60, minimum: 40 }),
  classes: text('', 'classes to take, between commas; all when empty'),
  language: choice(languageNames, 'language of the code in tables', { default: 'java' }),
};

export type ProgramOptions = OptionValues<typeof programOptions>;

/** A trained method: classes of all programs, where a network made them with the network. */
export interface TrainedProgram {
  readonly predicted: ArrayLike<number>;
  readonly network?: ProgramNetwork & object;
}

type Setting = { readonly learningRate: number } | { readonly lambda: number };

interface Seed {
  readonly data: ProgramData;
  readonly values: ProgramOptions;
  readonly split: Split;
  inputs(view: ProgramView): ProgramInputs;
}

/** Titles in the order of the methods of a run. */
export function programTitles({ arms }: Pick<ProgramOptions, 'arms'>): readonly string[] {
  if (arms === 'roles') return [MAJORITY, PLAIN, HDHGN_TITLE, NO_ROLES];
  const more = { all: [], types: [NO_TYPES], ablations: [NO_TYPES, NO_ROLES, NO_KINDS, PAIRS] }[arms];
  return [MAJORITY, UNIGRAMS, BIGRAMS, TBCNN, GCN, GAT, PLAIN, HDHGN_TITLE, ...more];
}

const views: Readonly<Record<string, ProgramView>> = {
  [NO_TYPES]: { edgeTypes: false },
  [NO_KINDS]: { nodeKinds: false },
  [PAIRS]: { pairwise: true },
};
const baselines: Readonly<Record<string, ProgramBaseline>> = {
  [TBCNN]: 'tbcnn',
  [GCN]: 'gcn',
  [GAT]: 'gat',
  [PLAIN]: 'hgnn+',
};

function createNetwork(title: string, sizes: ProgramSizes, random: Random, values: ProgramOptions) {
  const { width, layers, heads, hidden } = values;
  const kind = baselines[title];
  if (kind) return programBaseline(kind, sizes, random, { width, layers, heads, hidden });
  return new HDHGN(sizes, random, hdhgnOptions(title, values));
}

function hdhgnOptions(title: string, { width, layers, heads, hidden }: ProgramOptions): HDHGNOptions {
  return { width, layers, heads, hidden, directed: title !== NO_ROLES };
}

function networkMethod(title: string, seed: Seed): Method<TrainedProgram> {
  const { data, values, split } = seed;
  const { learningRate, trials, batch, schedule } = values;
  const train = async (setting: Setting, random: Random, epochs: number, hooks: object): Promise<TrainedProgram> => {
    const { programs, ...own } = seed.inputs(views[title] ?? {});
    const network = createNetwork(title, { ...own, classes: data.classes.length }, random.split('weights'), values);
    const rate = 'learningRate' in setting ? setting.learningRate : learningRate;
    const task = { programs, labels: data.labels, ...split };
    const options = { ...hooks, epochs, batch, schedule, learningRate: rate };
    await trainPrograms(network, task, random.split('fit'), options);
    return { predicted: [], network };
  };
  const predictedBy = ({ network }: TrainedProgram, rows: Int32Array): Int32Array => {
    const { programs } = seed.inputs(views[title] ?? {});
    const found = classesOf(
      programProbabilities(
        network as ProgramNetwork,
        Array.from(rows, (row) => programs[row] as never),
      ),
    );
    const all = new Int32Array(programs.length).fill(-1);
    rows.forEach((row, at) => {
      all[row] = found[at] as number;
    });
    return all;
  };
  return tuned<Setting & { readonly learningRate: number }, TrainedProgram>({
    title,
    settings: settingsOf(
      { learningRate: [learningRate, 2 * learningRate, learningRate / 2] },
      trials,
      new Random(0).split('settings'),
    ),
    trial: (setting, { random, hooks }) => train(setting, random, values.trialEpochs, hooks),
    train: async (setting, { random, hooks }) => {
      const trained = await train(setting, random, values.epochs, hooks);
      return { ...trained, predicted: predictedBy(trained, split.test) };
    },
    validation: (trained) => accuracy(predictedBy(trained, split.validation), data.labels, split.validation),
    score: ({ network }) => ({ parameters: parameterCount(network as object) }),
  });
}

function gramsMethod(title: string, seed: Seed): Method<TrainedProgram> {
  const { data, split, values } = seed;
  const made = lazily(() => {
    const tokens = (data.sources ?? []).map((program) => program.tokens ?? []);
    return similarities(tfidf(tokens, split.train, title === UNIGRAMS ? 1 : 2), split.train);
  });
  return tuned<Setting & { readonly lambda: number }, TrainedProgram>({
    title,
    settings: settingsOf({ lambda: [0.1, 1, 0.01] }, values.trials, new Random(0).split('settings')),
    train: ({ lambda }) => ({
      predicted: ridgeClasses(made(), split.train, data.labels, data.classes.length, lambda),
    }),
    validation: ({ predicted }) => accuracy(predicted, data.labels, split.validation),
  });
}

/** Always the class with most training programs. */
function majority({ data, split }: Seed): Method<TrainedProgram> {
  const counts = data.classes.map((_, c) => Array.from(split.train).filter((row) => data.labels[row] === c).length);
  const largest = counts.indexOf(Math.max(...counts));
  return { title: MAJORITY, train: () => ({ predicted: new Int32Array(data.labels.length).fill(largest) }) };
}

/** Draws a split, trains every method on it, and scores each once on the test programs. */
export async function runPrograms(
  data: ProgramData,
  values: ProgramOptions,
  context: RunContext,
): Promise<SeedOutcome> {
  const split = splitPrograms(data, values, context.random.split('split'));
  const known = new Map<string, ProgramInputs>();
  const inputs = (view: ProgramView): ProgramInputs => {
    const key = JSON.stringify(view);
    const own = known.get(key) ?? data.inputs(split.train, view);
    known.set(key, own);
    return own;
  };
  const seed: Seed = { data, values, split, inputs };
  const methods = programTitles(values).map((title): Method<TrainedProgram> => {
    if (title === MAJORITY) return majority(seed);
    return title === UNIGRAMS || title === BIGRAMS ? gramsMethod(title, seed) : networkMethod(title, seed);
  });
  const scores = ({ predicted }: TrainedProgram): Scores => ({
    accuracy: 100 * accuracy(predicted, data.labels, split.test),
    macroF1: 100 * macroF1(predicted, data.labels, data.classes.length, split.test),
  });
  const outcome = await runMethods(methods, context, { score: scores, keep: HDHGN_TITLE });
  const network = outcome.kept?.network;
  const { vocabulary } = inputs({});
  if (!(network instanceof HDHGN) || !vocabulary) return { methods: outcome.methods };
  const artifacts = async () => {
    const { grammarVersion } = await loadParser(data.language);
    const description = {
      language: data.language as LanguageName,
      grammar: grammarVersion,
      classes: data.classes,
      options: hdhgnOptions(HDHGN_TITLE, values),
      vocabulary: vocabulary.state,
      ...(values.anonymise === 'yes' && data.name !== 'fields' && { anonymise: { numbers: values.setting === 'few' } }),
    };
    return { model: new ProgramModel(description, network).save({ data: data.name }) };
  };
  return { methods: outcome.methods, artifacts };
}

/** A value made when it is first asked for. */
function lazily<T extends object>(make: () => T): () => T {
  let value: T | undefined;
  return () => {
    value ??= make();
    return value;
  };
}
