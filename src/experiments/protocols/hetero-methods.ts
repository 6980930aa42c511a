// Classifiers of the nodes of a heterogeneous graph, tuned alike on validation nodes: what each
// computes before training, its network, and the settings that are tried for it.

import {
  type CollectionOptions,
  collect,
  collectMetapaths,
  collectSubsets,
  disposeGroups,
  type EncoderOptions,
  type GroupModule,
  type GroupShape,
  type HeteroModule,
  HGT,
  MetapathRegression,
  metapathFeatures,
  NARS,
  predictGroups,
  RGCN,
  type RowGroups,
  RpHGNN,
  returningPaths,
  SeHGNN,
  scoreOf,
  type TypedFeatures,
  trainGroups,
} from '../../graph/index.js';
import {
  type FitResult,
  featureCount,
  inference,
  labelledLoss,
  parameterCount,
  predictedClasses,
  trainByValidation,
} from '../../nn/index.js';
import { gatherKnownRows, type Key, keep, Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { type Grid, type Setting, settingsOf, tuned } from '../parts/tuning.js';
import { classesOf, type HeteroData, heteroScores } from './hetero.js';

/** What is common to all trainings. */
export interface HeteroBudget {
  /** Settings that are tried for each method. */
  readonly trials: number;
  /** Epochs at most. */
  readonly epochs: number;
  /** Epochs from one validation to the next. */
  readonly every: number;
  /** Epochs without a better validation score after which training ends. */
  readonly patience: number;
  /** What chooses the epoch. */
  readonly select: 'f1' | 'loss';
  /** Width of the hidden layers of all networks. */
  readonly hidden: number;
}

/** A trained classifier. */
export interface HeteroModel {
  /** Class of each test node. */
  readonly predicted: Int32Array;
  /** Mean of macro-F1 and micro-F1 of the validation nodes. */
  readonly validated: number;
  /** Seconds before training. */
  readonly before: number;
  /** Seconds before training and to the best epoch by validation. */
  readonly toBest: number;
  readonly parameters: number;
  readonly setting: HeteroSetting;
  /** Of networks on collected tensors; the key of the stream of what is computed beforehand. */
  readonly network?: GroupModule;
  readonly groups?: readonly GroupShape[];
  readonly key?: Key;
}

/** Hyperparameters that all methods share; each has its own depth. */
export type HeteroSetting = Setting & {
  readonly learningRate: number;
  readonly hidden: number;
  readonly dropout: number;
};

/** A method that trains on tensors of some nodes, computed beforehand. */
interface GroupCandidate {
  readonly title: string;
  readonly grid: Grid<Setting>;
  /** The part of a setting that decides what is computed beforehand. */
  readonly key: (setting: Setting) => string;
  readonly prepare: (data: HeteroData, setting: Setting, parts: readonly Int32Array[], random: Random) => RowGroups[];
  readonly create: (shapes: readonly GroupShape[], classes: number, random: Random, setting: Setting) => GroupModule;
}

/** Values of the hyperparameters that all have, the usual ones first. */
const shared = (hidden: number, dropout: readonly number[]) => ({
  learningRate: [3e-3, 1e-3],
  hidden: [hidden],
  dropout,
  weightDecay: [0, 1e-3],
});

/** Published settings of RpHGNN for a set but the hidden width, or those of the nearest one. */
interface Published {
  readonly iterations: number;
  readonly fusion: 'concatenate' | 'mean';
  readonly inputDropout: number;
  readonly dropout: number;
  readonly input: boolean;
}

const published: Readonly<Record<string, Published>> = {
  acm: { iterations: 6, fusion: 'mean', inputDropout: 0.8, dropout: 0.7, input: true },
  dblp: { iterations: 5, fusion: 'concatenate', inputDropout: 0.8, dropout: 0.8, input: false },
  imdb: { iterations: 3, fusion: 'concatenate', inputDropout: 0.8, dropout: 0.7, input: true },
};

/** The published setting for a set such as `acm-60`. */
export function publishedFor(data: string): Published {
  return published[data.replace(/-.*/, '')] ?? (published.imdb as Published);
}

/**
 * What RpHGNN computes beforehand, of a setting. One entry in √d of a projection is not 0, with d
 * the largest width (very sparse random projections; Li, Hastie, Church, KDD 2006).
 */
export function collectionOf(setting: Setting, features: TypedFeatures): CollectionOptions {
  const sparsity = Math.sqrt(Math.max(...[...features.values()].map(featureCount)));
  return { iterations: setting.iterations as number, input: setting.input as boolean, sparsity };
}

/** The encoder of a setting. */
export function encoderOf({ hidden, fusion, inputDropout, dropout }: Setting): EncoderOptions {
  return { hidden, fusion, inputDropout, dropout } as EncoderOptions;
}

const distinct = <T>(...values: readonly T[]): T[] => [...new Set(values)];

function groupCandidates(data: string, hidden: number): GroupCandidate[] {
  const own = publishedFor(data);
  return [
    {
      title: OWN,
      grid: { ...shared(hidden, [0.7, 0.5, 0.3]), inputDropout: [0.8, 0.5] },
      key: () => '',
      prepare: ({ graph, features, type }, _, parts, random) =>
        collect(graph, features, type, parts, random, { iterations: 1, steps: 'odd', selfGroup: true }).map(
          (groups) => {
            disposeGroups(groups.slice(1));
            return groups.slice(0, 1);
          },
        ),
      create: (shapes, classes, random, setting) => new RpHGNN(shapes, classes, random, encoderOf(setting)),
    },
    {
      title: 'NARS',
      grid: { ...shared(hidden, [0.7, 0.5, 0.3]), hops: [2, 3] },
      key: ({ hops }) => String(hops),
      prepare: ({ graph, ownFeatures, type }, { hops }, parts, random) =>
        collectSubsets(graph, ownFeatures, type, parts, random, { hops: hops as number }),
      create: (shapes, classes, random, { dropout }) =>
        new NARS(shapes, classes, random, { hidden, dropout: dropout as number }),
    },
    {
      title: 'SeHGNN',
      grid: {
        ...shared(hidden, [0.5, 0.7, 0.3]),
        length: data.startsWith('acm') || data.startsWith('imdb') ? [4, 2] : [2],
      },
      key: ({ length }) => String(length),
      prepare: ({ graph, features, type, labels, split, classNames }, { length }, parts) => {
        const known = { labels, known: split.train, classes: classNames.length };
        return collectMetapaths(graph, features, type, parts, known, { length: length as number, labelLength: 4 });
      },
      create: (shapes, classes, random, setting) => {
        const dropout = setting.dropout as number;
        const residual = data.startsWith('dblp');
        return new SeHGNN(shapes, classes, random, { embedding: hidden, hidden, dropout, residual });
      },
    },
    {
      title: RPHGNN,
      grid: {
        ...shared(hidden, distinct(own.dropout, 0.5, 0.3)),
        inputDropout: [own.inputDropout, 0.5],
        iterations: distinct(own.iterations, 1, 2),
        fusion: [own.fusion],
        input: [own.input],
      },
      key: ({ iterations }) => String(iterations),
      prepare: ({ graph, features, type }, setting, parts, random) =>
        collect(graph, features, type, parts, random, collectionOf(setting, features)),
      create: (shapes, classes, random, setting) => new RpHGNN(shapes, classes, random, encoderOf(setting)),
    },
  ];
}

export const RPHGNN = 'RpHGNN';
export const OWN = 'own features only';

/** Titles of all methods, in order. */
export const heteroTitles: readonly string[] = [OWN, 'metapath regression', 'NARS', 'SeHGNN', 'R-GCN', 'HGT', RPHGNN];

const secondsSince = (start: number) => (performance.now() - start) / 1000;

/** Seconds of the epochs up to the best one. */
function secondsToBest({ history, bestEpoch = history.length }: FitResult): number {
  return history.filter(({ epoch }) => epoch <= bestEpoch).reduce((total, { seconds }) => total + seconds, 0);
}

/** Names, counts and widths of groups. */
export function shapesOf(groups: RowGroups): GroupShape[] {
  return groups.map(({ name, values }) => {
    const [count, , width] = values.shape as [number, number, number];
    return { name, count, width };
  });
}

/** A tuned method on collected tensors; what trials compute beforehand is shared among them. */
function groupMethod(own: GroupCandidate, data: HeteroData, budget: HeteroBudget): Method<HeteroModel> {
  const { split, classNames } = data;
  const parts = [split.train, split.validation, split.test];
  const shared = new Map<string, RowGroups[]>();
  const train = async (
    setting: Setting,
    run: MethodRun,
    collected: RowGroups[],
    before: number,
  ): Promise<HeteroModel> => {
    const { key } = run.random.split('before');
    const [training, validation, test] = collected as [RowGroups, RowGroups, RowGroups];
    const shapes = shapesOf(training);
    const network = own.create(shapes, classNames.length, run.random.split('weights'), setting);
    const targets = (rows: Int32Array) => ({ kind: 'class' as const, values: classesOf(data, rows) });
    const validating = { groups: validation, targets: targets(split.validation) };
    const result = await trainGroups(
      network,
      { groups: training, targets: targets(split.train) },
      validating,
      run.random,
      {
        ...optionsOf(setting, budget),
        ...run.hooks,
      },
    );
    return {
      predicted: scope(() => predictedClasses(predictGroups(network, test))),
      validated: scope(() => scoreOf(predictGroups(network, validation), validating.targets, 'f1')),
      before,
      toBest: before + secondsToBest(result),
      parameters: parameterCount(network),
      setting: setting as HeteroSetting,
      network,
      groups: shapes,
      key,
    };
  };
  return tuned<Setting, HeteroModel>({
    title: own.title,
    settings: settingsOf(own.grid, budget.trials, new Random(0).split(own.title)),
    once: data,
    validation: ({ validated }) => validated,
    trial(setting, run) {
      const key = own.key(setting);
      const collected = shared.get(key) ?? own.prepare(data, setting, parts, run.random.split('before'));
      shared.set(key, collected);
      return train(setting, run, collected, 0);
    },
    async train(setting, run) {
      for (const collected of shared.values()) for (const groups of collected) disposeGroups(groups);
      shared.clear();
      const start = performance.now();
      const collected = own.prepare(data, setting, parts, run.random.split('before'));
      const model = await train(setting, run, collected, secondsSince(start));
      for (const groups of collected) disposeGroups(groups);
      return model;
    },
  });
}

function optionsOf({ learningRate, weightDecay }: Setting, { epochs, every, patience, select }: HeteroBudget) {
  const budget = { epochs, patience, validateEvery: every, select };
  return { learningRate: learningRate as number, weightDecay: weightDecay as number, ...budget };
}

/** A tuned network that is trained on the whole graph. */
function graphMethod(
  title: string,
  create: (data: HeteroData, random: Random, setting: Setting) => HeteroModule & object,
  data: HeteroData,
  budget: HeteroBudget,
): Method<HeteroModel> {
  const { graph, ownFeatures, split, labels } = data;
  const grid: Grid<Setting> = { ...shared(budget.hidden, [0.5, 0.7, 0.3]), layers: [2, 3] };
  const train = async (setting: Setting, run: MethodRun): Promise<HeteroModel> => {
    const network = create(data, run.random.split('weights'), setting);
    const loss = labelledLoss(labels, split.train);
    const rows = { labels, train: split.train, validation: split.validation };
    const { select, ...options } = optionsOf(setting, budget);
    const result = await trainByValidation(
      network,
      rows,
      (live, mode) => live.forward(ownFeatures, graph, mode),
      loss,
      run.random,
      { ...options, select: select === 'loss' ? 'loss' : 'accuracy', ...run.hooks },
    );
    const logits = (own: Int32Array) => gatherKnownRows(network.forward(ownFeatures, graph, inference), tensor(own));
    const targets = { kind: 'class' as const, values: classesOf(data, split.validation) };
    return {
      predicted: scope(() => predictedClasses(logits(split.test))),
      validated: scope(() => scoreOf(logits(split.validation), targets, 'f1')),
      before: 0,
      toBest: secondsToBest(result),
      parameters: parameterCount(network),
      setting: setting as HeteroSetting,
    };
  };
  const settings = settingsOf(grid, budget.trials, new Random(0).split(title));
  return tuned<Setting, HeteroModel>({ title, settings, once: data, validation: ({ validated }) => validated, train });
}

/** Inverse regularisation strengths that are tried, the usual one first. */
const STRENGTHS = [10, 1, 100, 1000, 0.1, 30, 300, 3];

/** Types between the ends of the longer metapaths that are usual for a set. */
const longPaths: Readonly<Record<string, readonly (readonly string[])[]>> = { dblp: [['paper', 'conf', 'paper']] };

function regressionMethod(data: HeteroData, budget: HeteroBudget): Method<HeteroModel> {
  const { graph, ownFeatures, type, split, classNames, name } = data;
  const paths = returningPaths(graph, type, longPaths[name.replace(/-.*/, '')]);
  const featuresOf = (rows: Int32Array) => keep(metapathFeatures(ownFeatures, paths, rows));
  const train = (setting: Setting): HeteroModel => {
    const start = performance.now();
    const [training, validation, test] = [split.train, split.validation, split.test].map(featuresOf) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const before = secondsSince(start);
    const model = MetapathRegression.fit(training, classesOf(data, split.train), classNames.length, {
      c: setting.c as number,
    });
    const toBest = secondsSince(start);
    const targets = { kind: 'class' as const, values: classesOf(data, split.validation) };
    const result = {
      predicted: scope(() => predictedClasses(model.forward(test))),
      validated: scope(() => scoreOf(model.forward(validation), targets, 'f1')),
      before,
      toBest,
      parameters: model.model.weights.size + model.model.intercepts.size,
      setting: setting as HeteroSetting,
    };
    for (const own of [training, validation, test, model.model.weights, model.model.intercepts]) own.dispose();
    return result;
  };
  const settings = STRENGTHS.slice(0, budget.trials).map((c): Setting => ({ c }));
  return tuned<Setting, HeteroModel>({
    title: 'metapath regression',
    settings,
    once: data,
    validation: ({ validated }) => validated,
    train,
  });
}

/** All methods for a data set, in the order of `heteroTitles`. */
export function heteroMethods(data: HeteroData, budget: HeteroBudget): Method<HeteroModel>[] {
  const task = { graph: data.graph, features: data.ownFeatures, target: data.type, classes: data.classNames.length };
  const layout = ({ layers, hidden, dropout }: Setting) => ({
    layers: layers as number,
    hidden: hidden as number,
    dropout: dropout as number,
  });
  const byTitle = new Map(
    [
      ...groupCandidates(data.name, budget.hidden).map((own) => groupMethod(own, data, budget)),
      regressionMethod(data, budget),
      graphMethod('R-GCN', (_, random, setting) => new RGCN(task, random, layout(setting)), data, budget),
      graphMethod('HGT', (_, random, setting) => new HGT(task, random, layout(setting)), data, budget),
    ].map((method) => [method.title, method]),
  );
  return heteroTitles.map((title) => byTitle.get(title) as Method<HeteroModel>);
}

/** Scores of a trained classifier. */
export function scoresOfHetero({ predicted, before, toBest, parameters }: HeteroModel, data: HeteroData): Scores {
  return { ...heteroScores(predicted, data), toBest, before, parameters };
}
