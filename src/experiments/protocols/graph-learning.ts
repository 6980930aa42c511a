// Numbers and classes of whole graphs by networks with features of cells, all trained and tuned
// alike: the learning rate is chosen on validation graphs, once for all seeds.

import type { WholeGraphs } from '../../data/index.js';
import { loadWholeGraphs } from '../../data/node.js';
import {
  answersOf,
  attributeEncoding,
  attributeSizes,
  encodeAttributes,
  type FeaturedGraphs,
  type GraphBatches,
  type GraphTask,
  graphScores,
  graphTask,
  outputsOf,
  outputsOfTask,
  targetsOf,
  trainWholeGraphs,
  type WholeGraphNetwork,
} from '../../graph/index.js';
import { parameterCount } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { count, number, rate, share, text } from '../parts/options.js';
import { settingsOf, tuned } from '../parts/tuning.js';
import { countedGraphs } from './graph-sets.js';
import { describeWholeGraphs, type GraphParts, partsOfSeed } from './whole-graphs.js';

/** Options that experiments on whole graphs share. */
export const graphLearningOptions = {
  target: text('', 'column of numbers to predict; the classes of the graphs, or the first column'),
  graphs: count(400, 'graphs of a generated set', { smoke: 60 }),
  most: count(3000, 'graphs of a set without folds, at most: two thirds to learn from', { smoke: 60 }),
  hidden: count(32, 'width of the layers, for the method whose number of parameters the others match', { smoke: 8 }),
  layers: count(4, 'layers before the readout', { smoke: 2 }),
  epochs: count(60, 'epochs', { smoke: 2 }),
  batch: count(40, 'graphs in a batch'),
  learningRate: rate(3e-3, "Adam's learning rate at the start; a cosine follows"),
  weightDecay: number(0, 'L2 weight decay', { minimum: 0 }),
  trials: count(3, 'learning rates tried for each method on validation graphs', { smoke: 1 }),
  trialShare: share(1, 'share of the epochs for which a learning rate is tried', { minimum: 0.01, maximum: 1 }),
} as const;

/** Values of the options. */
export interface GraphLearningValues {
  readonly target: string;
  readonly graphs: number;
  readonly most: number;
  readonly hidden: number;
  readonly layers: number;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly trials: number;
  readonly trialShare: number;
}

/** A set of graphs with what is learnt of them. */
export interface LearnableGraphs {
  readonly set: WholeGraphs;
  readonly task: GraphTask;
  readonly input: FeaturedGraphs;
  /** Numbers of features and outputs. */
  readonly sizes: { readonly nodes: number; readonly edges: number; readonly outputs: number };
  /** Graphs of a seed: of a fold, or the same for all seeds. */
  parts(seed: number): GraphParts;
}

/** The embedded set. */
export const COUNTS = 'subgraph-counts';

/**
 * A generated set, a known one, or one of a person's own; large ones are cut by their split.
 *
 * @param extend adds columns of numbers. Default: none
 */
export function learnableGraphs(
  source: string,
  values: GraphLearningValues,
  extend: (set: WholeGraphs) => WholeGraphs = (set) => set,
): LearnableGraphs {
  const whole = extend(
    source === COUNTS ? countedGraphs(values.graphs, new Random(0).split(COUNTS)) : loadWholeGraphs(source),
  );
  const set = whole.folds ? whole : { ...whole, split: whole.split ?? partsOfSeed(whole, 0) };
  const parts = set.folds
    ? (seed: number) => partsOfSeed(set, seed)
    : (() => {
        const cut = cutParts(partsOfSeed(set, 0), values.most);
        return () => cut;
      })();
  const { train } = parts(0);
  const targets = values.target || set.classNames.length > 0 ? values.target : set.targets[0]?.name;
  const task = graphTask(set, targets ? targets.split(',') : undefined, train);
  const encoding = attributeEncoding(set, set.folds ? undefined : train);
  return {
    set,
    task,
    input: encodeAttributes(set, encoding),
    sizes: { ...attributeSizes(encoding), outputs: outputsOfTask(task) },
    parts,
  };
}

/** At most so many graphs: two thirds to learn from, a sixth each to validate and test. */
function cutParts({ train, validation, test }: GraphParts, most: number): GraphParts {
  const all = train.length + validation.length + test.length;
  if (all <= most) return { train, validation, test };
  const sixth = Math.max(1, Math.floor(most / 6));
  return { train: train.slice(0, 4 * sixth), validation: validation.slice(0, sixth), test: test.slice(0, sixth) };
}

/** A method: a network, and the cells that it reads. */
export interface GraphMethod<Network extends WholeGraphNetwork & object> {
  readonly title: string;
  make(random: Random): Network;
  readonly batches: GraphBatches;
}

/** A trained network. */
export interface TrainedGraphs<Network> {
  readonly network: Network;
  readonly batches: GraphBatches;
  readonly validationLoss: number;
}

const rates = [3e-3, 1e-3, 5e-3];

/** The methods in the split of a seed. */
export function graphMethods<Network extends WholeGraphNetwork & object>(
  data: LearnableGraphs,
  values: GraphLearningValues,
  seed: number,
  methods: readonly GraphMethod<Network>[],
): Method<TrainedGraphs<Network>>[] {
  const { set, task } = data;
  const parts = data.parts(seed);
  const targets = targetsOf(set, task);
  const { epochs, batch, weightDecay, learningRate: usual } = values;
  const grid = { learningRate: [usual, ...rates.filter((own) => own !== usual)] };
  return methods.map(({ title, make, batches }) => {
    const train = async (learningRate: number, { random, hooks }: MethodRun, share = 1) => {
      const network = make(random.split('weights'));
      const training = { epochs: Math.ceil(share * epochs), batch, learningRate, weightDecay, ...hooks };
      const { bestMetric } = await trainWholeGraphs(network, batches, targets, parts, random.split('fit'), training);
      return { network, batches, validationLoss: bestMetric ?? Number.POSITIVE_INFINITY };
    };
    return tuned({
      title,
      settings: settingsOf(grid, Math.min(values.trials, grid.learningRate.length), new Random(0)),
      ...(!set.folds && { once: data }),
      train: ({ learningRate }, run) => train(learningRate, run),
      trial: ({ learningRate }, run) => train(learningRate, run, values.trialShare),
      validation: ({ validationLoss }) => -validationLoss,
      score: ({ network }) => ({
        ...scoresOf(data, answersOf(outputsOf(network, batches, parts.test), task), parts.test),
        parameters: parameterCount(network),
      }),
    });
  });
}

/** Accuracy in %, or errors: absolute ones in the target's unit and over its training deviation. */
function scoresOf({ set, task }: LearnableGraphs, answers: Float32Array, test: Int32Array): Scores {
  const { accuracy, errors = [] } = graphScores(answers, set, task, test);
  if (accuracy !== undefined || task.kind === 'classes') return { accuracy: accuracy as number };
  const mean = (all: readonly number[]) => all.reduce((a, b) => a + b, 0) / all.length;
  return {
    error: mean(errors.map((own, t) => own / (task.deviations[t] as number))),
    absolute: mean(errors),
  };
}

/** The width at which a network has the number of parameters closest to a given one. */
export function widthFor(parameters: number, make: (width: number) => object): number {
  let [low, high] = [1, 2];
  while (parameterCount(make(high)) < parameters) high *= 2;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (parameterCount(make(middle)) < parameters) low = middle;
    else high = middle;
  }
  const off = (width: number) => Math.abs(parameterCount(make(width)) - parameters);
  return off(low) < off(high) ? low : high;
}

/** One line on a set: sizes, and what is learnt. */
export function describeGraphs({ set, task, parts }: LearnableGraphs): string {
  const { train, validation, test } = parts(0);
  return `${describeWholeGraphs(set)}; ${task.kind === 'classes' ? 'classes' : task.names.join(', ')} by ${train.length} training, ${validation.length} validation, ${test.length} test graphs`;
}
