// The protocol that any way to a sparse network is compared by: beside it, from the same parent,
// with as many nodes and the same training, a random sub-network, the best of N at initialisation,
// and a new network of the same widths.

import {
  bootstrapRows,
  cloneWeights,
  disposeWeights,
  type FitResult,
  heInitialize,
  type Interval,
  type Layer,
  parameterCount,
  replaceWeights,
  stateOf,
} from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { type ArmTraining, type Examples, meanOf, scoresOn, trainOnExamples } from './examples.js';
import { weightSparsity } from './nodes.js';
import { type FoundSubNetwork, type SubNetworkSearchOptions, searchSubNetwork } from './search.js';

/** The arms, by name: what each begins its training with. */
export const sparseArms = {
  random: 'a random sub-network with the values of its parent',
  'random-search': 'the best of N random sub-networks before training, with the values of its parent',
  fresh: 'a network of the same widths with values of its own',
} as const;

/** Name of an arm of `sparseBaselines`. */
export type SparseArm = keyof typeof sparseArms;

/** What training and comparison see. */
export interface SparseData {
  /** Examples that all networks are trained on. */
  readonly train: Examples;
  /** Examples that the trained networks are scored on, once each. */
  readonly test: Examples;
}

/** Another way to a sparse network: makes the parent sparse in place; it is trained afterwards. */
export type SparseMethod = (model: Layer, random: Random) => void | Promise<void>;

/** Options of `sparseBaselines`. */
export interface SparseBaselineOptions
  extends Omit<SubNetworkSearchOptions, 'known' | 'onTrial'>,
    Omit<ArmTraining, 'checkpoint' | 'onEpoch' | 'onStep'> {
  /** Seeds of candidates, order of examples and new values. Default: 3. */
  readonly repeats?: number;
  /** Default: all. */
  readonly arms?: readonly SparseArm[];
  /** Draws a new parent for each repeat. Default: all have the model's values. */
  readonly initialize?: (model: Layer, random: Random) => void;
  /** Other ways by name, from the same parents and trained alike. Default: none. */
  readonly methods?: Readonly<Record<string, SparseMethod>>;
  /** Networks that were made elsewhere, by name, which are compared as they are. Default: none. */
  readonly given?: Readonly<Record<string, Omit<ArmResult, 'name' | 'score'>>>;
  /** Trains a network in place. Default: `trainOnExamples` with the options above. */
  readonly train?: (model: Layer, random: Random) => Promise<Pick<FitResult, 'stopped'>>;
  /** Source of all draws. */
  readonly random: Random;
  /** Called when an arm of a repeat has been scored, with the share that is done. */
  readonly onProgress?: (done: number, arm: string) => void;
}

/** Results of one arm or method. */
export interface ArmResult {
  /** The arm or method. */
  readonly name: string;
  /** Mean score over test examples and repeats: accuracy in [0, 1], or less the squared error. */
  readonly score: number;
  /** Scores of the test examples, by repeat. */
  readonly scores: readonly Float64Array[];
  /** Parameters of the network of the first repeat. */
  readonly parameters: number;
  /** Share of the parent's weights that it lacks. */
  readonly weightSparsity: number;
}

/** The difference of two arms. */
export interface Margin extends Interval {
  /** What is ahead by the margin. */
  readonly name: string;
  /** What it is compared with. */
  readonly over: string;
}

/** What `sparseBaselines` returns. */
export interface SparseBaselines {
  /** What was given, then methods, then arms. */
  readonly arms: readonly ArmResult[];
  /** Of what was given and each method over each arm, and of random search over random. */
  readonly margins: readonly Margin[];
}

/**
 * Mean difference of scores with its 95 % interval, over repeats and test examples, both drawn
 * again. A single row stands for the same network in every repeat.
 */
export function scoreMargin(
  own: readonly Float64Array[],
  other: readonly Float64Array[],
  random: Random = new Random(0),
): Interval {
  const repeats = Math.max(own.length, other.length);
  const row = (rows: readonly Float64Array[], at: number) => rows[rows.length === 1 ? 0 : at] as Float64Array;
  const differences = Array.from({ length: repeats }, (_, at) =>
    row(own, at).map((score, i) => score - (row(other, at)[i] as number)),
  );
  return bootstrapRows(differences, random);
}

/**
 * Trains a random sub-network, the best of N by its loss before training, and a new network of the
 * same widths, beside other ways to a sparse network: all from the same parent, with the same
 * number of nodes, steps, and order of examples.
 *
 * @param model the parent, whose values are put back at the end
 * @throws Error when the model has no hidden nodes, or values that cannot be drawn anew (arm
 * `fresh`); AbortError when the signal fires
 * @example
 * const { arms, margins } = await sparseBaselines(model, { train, test }, {
 *   sparsity: 0.9,
 *   random: new Random(0),
 *   methods: { magnitude: (own) => removeChannels(own, example, { ratio: 0.9, roundTo: 1 }) },
 * });
 */
export async function sparseBaselines(
  model: Layer,
  { train, test }: SparseData,
  options: SparseBaselineOptions,
): Promise<SparseBaselines> {
  const { repeats = 3, methods = {}, random, initialize, signal, onProgress } = options;
  const names = options.arms ?? (Object.keys(sparseArms) as SparseArm[]);
  const { epochs, batchSize, learningRate, schedule, given = {} } = options;
  const training = {
    ...(epochs !== undefined && { epochs }),
    ...(batchSize !== undefined && { batchSize }),
    ...(learningRate !== undefined && { learningRate }),
    ...(schedule && { schedule }),
    signal,
  };
  const trainArm = options.train ?? ((own: Layer, order: Random) => trainOnExamples(own, train, order, training));
  const before = cloneWeights(stateOf(model));
  const results = new Map<string, { scores: Float64Array[]; parameters: number; weightSparsity: number }>();
  const all = [...Object.keys(methods), ...names];
  try {
    for (let repeat = 0; repeat < repeats; repeat++) {
      const own = random.split('repeat').split(repeat);
      initialize?.(model, own.split('parent'));
      const parent = cloneWeights(stateOf(model));
      for (const [at, name] of all.entries()) {
        signal?.throwIfAborted();
        replaceWeights(model, parent);
        if (methods[name]) await methods[name](model, own.split(name));
        else await armOf(name as SparseArm, model, train, own, options);
        const state = stateOf(model);
        const parameters = parameterCount(model);
        const lacking = weightSparsity(parent, state);
        const { stopped } = await trainArm(model, own.split('order'));
        if (stopped === 'aborted') throw new DOMException('the comparison was stopped', 'AbortError');
        const found = results.get(name) ?? { scores: [], parameters, weightSparsity: lacking };
        found.scores.push(scoresOn(model, test));
        results.set(name, found);
        onProgress?.((repeat * all.length + at + 1) / (repeats * all.length), name);
      }
      disposeWeights(parent);
      replaceWeights(model, before);
    }
  } finally {
    replaceWeights(model, before);
    disposeWeights(before);
  }
  const arms = [...Object.entries(given), ...results].map(([name, own]) => ({
    name,
    ...own,
    score: own.scores.reduce((sum, scores) => sum + meanOf(scores), 0) / own.scores.length,
  }));
  return {
    arms,
    margins: marginsOf(arms, [...Object.keys(given), ...Object.keys(methods)], random.split('intervals')),
  };
}

/** Cuts the arm out of the parent, before it is trained. */
export async function armOf(
  arm: SparseArm,
  model: Layer,
  train: Examples,
  random: Random,
  options: Omit<SubNetworkSearchOptions, 'known' | 'onTrial'>,
): Promise<FoundSubNetwork> {
  const candidates = arm === 'random-search' ? options.candidates : 1;
  const found = await searchSubNetwork(model, train, random, {
    ...options,
    ...(candidates !== undefined && { candidates }),
  });
  if (arm === 'fresh') heInitialize(model, random.split('fresh'));
  return found;
}

function marginsOf(arms: readonly ArmResult[], methods: readonly string[], random: Random): Margin[] {
  const scores = new Map(arms.map((arm) => [arm.name, arm.scores]));
  const baselines = arms.filter(({ name }) => !methods.includes(name)).map(({ name }) => name);
  const pairs = [
    ...methods.flatMap((name) => baselines.map((over) => [name, over] as const)),
    ...(['random-search', 'random'].every((name) => baselines.includes(name))
      ? [['random-search', 'random'] as const]
      : []),
  ];
  return pairs.map(([name, over]) => ({
    ...{ name, over },
    ...scoreMargin(
      scores.get(name) as readonly Float64Array[],
      scores.get(over) as readonly Float64Array[],
      random.split(`${name} over ${over}`),
    ),
  }));
}
