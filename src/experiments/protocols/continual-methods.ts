// The continual learners that systems are compared with, and what each may choose from.

import {
  ElasticWeights,
  HypernetLearner,
  type HypernetLearnerOptions,
  InterContiNet,
  JointLearner,
  NetworkLearner,
  NoPenalty,
  PathIntegrals,
  SeparateLearner,
} from '../../hypernet/index.js';
import type { Setting } from '../parts/tuning.js';
import type { ContinualMethod } from './continual.js';
import type { TaskStream } from './continual-streams.js';

export const FINE_TUNING = 'Fine-tuning';
export const EWC = 'EWC';
export const ONLINE_EWC = 'EWC, online';
export const SI = 'SI';
export const HNET = 'HNET';
export const INTERCONTINET = 'InterContiNet';
export const JOINT = 'Joint training';
export const SEPARATE = 'A network for each task';

/** Bounds that methods are seen between: they keep rows, or a network for each task. */
export const bounds: readonly string[] = [JOINT, SEPARATE];

/** Each strength with the first rate, then with the others. */
export function strengthsAndRates(strengths: readonly number[], rates: readonly number[]): Setting[] {
  return rates.flatMap((learningRate) => strengths.map((strength) => ({ strength, learningRate })));
}

const rates = [1e-3, 3e-3, 1e-2, 3e-4, 2e-3, 5e-3, 5e-4, 1e-4];
const rateAlone: readonly Setting[] = rates.map((learningRate) => ({ learningRate }));

/** Most classes of a task, or all of them. */
export function outputsOf({ train }: TaskStream, all = false): number {
  const sizes = train.map(({ classes }) => classes.length);
  return all ? sizes.reduce((a, b) => a + b, 0) : Math.max(...sizes);
}

const elastic = (online: boolean): ContinualMethod => ({
  title: online ? ONLINE_EWC : EWC,
  settings: strengthsAndRates([100, 1e4, 1e6, 1], [1e-3, 3e-3]),
  create: ({ strength, learningRate }, random, options) =>
    new NetworkLearner(new ElasticWeights({ strength: Number(strength), online }), random, {
      ...options,
      learningRate: Number(learningRate),
    }),
});

/** Baselines by title. */
export const baselines = {
  [FINE_TUNING]: {
    title: FINE_TUNING,
    settings: rateAlone,
    create: (setting, random, options) => new NetworkLearner(new NoPenalty(), random, { ...options, ...setting }),
  },
  [EWC]: elastic(false),
  [ONLINE_EWC]: elastic(true),
  [SI]: {
    title: SI,
    settings: strengthsAndRates([1, 0.1, 10, 100], [1e-3, 3e-3]),
    create: ({ strength, learningRate }, random, options) =>
      new NetworkLearner(new PathIntegrals({ strength: Number(strength) }), random, {
        ...options,
        learningRate: Number(learningRate),
      }),
  },
  [INTERCONTINET]: {
    title: INTERCONTINET,
    settings: [
      { learningRate: 0.1, radius: 1, threshold: 0.9 },
      { learningRate: 0.1, radius: 0.3, threshold: 0.8 },
      { learningRate: 0.1, radius: 0.1, threshold: 0.9 },
      { learningRate: 1, radius: 1, threshold: 0.9 },
      { learningRate: 0.3, radius: 1, threshold: 0.8 },
      { learningRate: 1, radius: 0.3, threshold: 0.9 },
      { learningRate: 0.3, radius: 0.3, threshold: 0.9 },
      { learningRate: 0.03, radius: 1, threshold: 0.9 },
    ],
    create: (setting, random, options) => new InterContiNet(random, { ...options, ...setting }),
  },
  [JOINT]: {
    title: JOINT,
    settings: rateAlone,
    create: (setting, random, options) => new JointLearner(random, { ...options, ...setting }),
  },
  [SEPARATE]: {
    title: SEPARATE,
    settings: rateAlone,
    create: (setting, random, options) => new SeparateLearner(random, { ...options, ...setting }),
  },
} as const satisfies Record<string, ContinualMethod>;

/** HNET with a hypernetwork of some size. */
export function hnet(title: string, own: HypernetLearnerOptions): ContinualMethod {
  return {
    title,
    settings: [
      ...strengthsAndRates([0.1, 0.01], [1e-3]),
      { strength: 0.1, learningRate: 1e-3, lookAhead: true },
      { strength: 0.1, learningRate: 3e-4 },
      ...strengthsAndRates([1, 0.01], [3e-4]),
      { strength: 0.1, learningRate: 3e-3 },
      { strength: 0.01, learningRate: 1e-3, lookAhead: true },
    ],
    create: (setting, random, options, tasks) =>
      new HypernetLearner(random, { ...own, ...options, ...setting, classes: outputsOf(tasks) }),
  };
}
