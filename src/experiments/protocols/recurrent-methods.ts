// Recurrent hypernetworks and what is left out of them, beside the other continual learners.

import {
  type ContinualTask,
  DependencyHypernet,
  type DependencyHypernetOptions,
  HypernetLearner,
  Layout,
  RecurrentHypernet,
  TargetNetwork,
} from '../../hypernet/index.js';
import { parameterCount } from '../../nn/index.js';
import { count, type OptionValues } from '../parts/options.js';
import { type ContinualMethod, continualOptions } from './continual.js';
import {
  baselines,
  EWC,
  FINE_TUNING,
  HNET,
  hnet,
  JOINT,
  ONLINE_EWC,
  outputsOf,
  SEPARATE,
  SI,
  strengthsAndRates,
} from './continual-methods.js';

/** Options of the comparison. */
export const recurrentOptions = {
  ...continualOptions,
  hidden: count(64, 'units of each hidden layer of the perceptron', { smoke: 8 }),
  steps: count(200, 'steps of a task', { smoke: 12, minimum: 4 }),
  trials: count(3, 'settings that each method may choose from', { smoke: 1, maximum: 8 }),
  units: count(24, 'units of the recurrent hypernetwork', { smoke: 8 }),
  chunk: count(600, 'weights of a step; 0 makes a layer a step', { smoke: 60, minimum: 0 }),
  growth: count(80, 'steps of a task in the study of growth, over twelve tasks; 0 leaves it out', {
    smoke: 3,
    minimum: 0,
  }),
};

/** RecurrentValues of the options. */
export type RecurrentValues = OptionValues<typeof recurrentOptions>;

export const FULL = 'Recurrent, importance, growth';
export const IMPORTANCE = 'Recurrent, importance';
const BY_STEP = 'Recurrent, importance of steps';
export const PLAIN = 'Recurrent';
const CUT = 'Recurrent, state cut between layers';
export const NOT_HELD = 'Recurrent, β = 0';
const CHUNKED = 'HNET, chunked';

/** Those of the paper, and what is left out of them. */
export const recurrentTitles = [FULL, IMPORTANCE, BY_STEP, PLAIN, CUT, NOT_HELD];

/** Dimension of a task's embedding. */
const EMBEDDING = 16;

/** A recurrent hypernetwork, with the setting of another method where that is given. */
export function recurrent(
  { units, chunk }: RecurrentValues,
  title: string,
  own: DependencyHypernetOptions,
  settingOf?: ContinualMethod,
): ContinualMethod {
  return {
    title,
    settings: strengthsAndRates([0.1, 0.01], [3e-3, 1e-3, 1e-2, 5e-3]),
    ...(settingOf && { settingOf }),
    create: (setting, random, learner, tasks) =>
      new DependencyHypernet(random, {
        ...{ ...learner, ...setting, units, chunk, embedding: EMBEDDING, ...own },
        classes: outputsOf(tasks),
      }),
  };
}

/** Dimension of a chunk's embedding. */
const CHUNK_EMBEDDING = 8;

/**
 * A chunked hypernetwork of as many numbers as a recurrent one for the same target, or the few
 * fewer that widths can have: of those, the one whose trunk is nearest to 2n wide.
 *
 * @param weights of the target
 * @param numbers of the recurrent hypernetwork
 * @param units n of the recurrent hypernetwork
 */
export function chunkedOf(weights: number, numbers: number, units: number): { trunk: number[]; chunk: number } {
  let best = { first: 1, chunk: 1, left: Number.POSITIVE_INFINITY, distance: 0 };
  for (let first = 1; first <= 8 * units; first++) {
    const trunk = first * (EMBEDDING + CHUNK_EMBEDDING + 1) + units * (first + 1);
    for (let chunk = 1; chunk <= weights && trunk + chunk * (units + 1) <= numbers; chunk++) {
      const left = numbers - trunk - chunk * (units + 1) - CHUNK_EMBEDDING * Math.ceil(weights / chunk);
      const distance = Math.abs(first - 2 * units);
      if (left >= 0 && (left < best.left || (left === best.left && distance < best.distance)))
        best = { first, chunk, left, distance };
    }
  }
  return { trunk: [best.first, units], chunk: best.chunk };
}

/** The chunked hypernetwork of as many numbers as the plain recurrent one. */
function chunkedLike({ units, chunk }: RecurrentValues): ContinualMethod {
  return {
    ...hnet(CHUNKED, {}),
    create: (setting, random, learner, tasks) => {
      const shape = (tasks.train[0] as ContinualTask).x.shape.slice(1);
      const target = new TargetNetwork(shape, outputsOf(tasks), random, learner.target);
      const layout = Layout.of(target);
      const numbers = parameterCount(new RecurrentHypernet(layout, EMBEDDING, random, { units, chunk }));
      return new HypernetLearner(random, {
        ...{ ...learner, ...setting, ...chunkedOf(layout.size, numbers, units) },
        ...{ chunkEmbedding: CHUNK_EMBEDDING, embedding: EMBEDDING, classes: outputsOf(tasks) },
      });
    },
  };
}

/** All methods, those of the paper first. */
export function recurrentMethods(values: RecurrentValues): readonly ContinualMethod[] {
  const held = recurrent(values, IMPORTANCE, {});
  const plain = recurrent(values, PLAIN, { importance: 'none' });
  const every = Math.max(1, Math.round(values.tasks / 3));
  return [
    recurrent(values, FULL, { growEvery: every }, held),
    held,
    recurrent(values, BY_STEP, { importance: 'step' }, held),
    plain,
    recurrent(values, CUT, { importance: 'none', cut: true }),
    recurrent(values, NOT_HELD, { importance: 'none', strength: 0 }, plain),
    chunkedLike(values),
    hnet(HNET, { trunk: [32, 32], embedding: EMBEDDING }),
    ...([EWC, ONLINE_EWC, SI, FINE_TUNING, JOINT, SEPARATE] as const).map((title) => baselines[title]),
  ];
}
