// Recurrent hypernetworks and what is left out of them, beside the other continual learners.

import { DependencyHypernet, type DependencyHypernetOptions } from '../../hypernet/index.js';
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
import { streamOptions } from './continual-streams.js';

/** Options of the comparison. */
export const recurrentOptions = {
  ...continualOptions,
  tasks: { ...streamOptions.tasks, default: 6 },
  hidden: count(32, 'units of each hidden layer of the perceptron', { smoke: 8 }),
  units: count(32, 'units of the recurrent hypernetwork', { smoke: 8 }),
  chunk: count(200, 'weights of a step; 0 makes a layer a step', { smoke: 60, minimum: 0 }),
  growth: count(150, 'steps of a task in the study of growth, over twelve tasks; 0 leaves it out', {
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
        ...{ ...learner, ...setting, units, chunk, embedding: 16, ...own },
        classes: outputsOf(tasks),
      }),
  };
}

/** A chunked hypernetwork of about as many numbers as the recurrent one. */
const chunkedLike = ({ units, chunk }: RecurrentValues) =>
  hnet(CHUNKED, {
    trunk: [2 * units, units],
    chunk: chunk > 0 ? Math.round(1.3 * chunk) : 1000,
    chunkEmbedding: 8,
    embedding: 16,
  });

/** All methods, those of the paper first. */
export function recurrentMethods(values: RecurrentValues): readonly ContinualMethod[] {
  const plain = recurrent(values, PLAIN, { importance: 'none' });
  const every = Math.max(1, Math.round(values.tasks / 3));
  return [
    recurrent(values, FULL, { growEvery: every }),
    recurrent(values, IMPORTANCE, {}),
    recurrent(values, BY_STEP, { importance: 'step' }),
    plain,
    recurrent(values, CUT, { importance: 'none', cut: true }),
    recurrent(values, NOT_HELD, { importance: 'none', strength: 0 }, plain),
    chunkedLike(values),
    hnet(HNET, { embedding: 16 }),
    ...([EWC, ONLINE_EWC, SI, FINE_TUNING, JOINT, SEPARATE] as const).map((title) => baselines[title]),
  ];
}
