// Parametrisations of hypernetworks on blended digits side by side: all with one setting of the
// optimiser, then those that could be alike with learning rates chosen on validation data.

import { DIGIT_PIXELS, type DigitImages } from '../../data/index.js';
import { secondsInTurns } from '../../engine/index.js';
import { MIP_OPTIONS, mlpTrunk } from '../../hypernet/index.js';
import { Adam, type Optimizer, SGD } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import type { StudyResults } from '../parts/contract.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { summarize } from '../parts/statistics.js';
import { studyOf } from '../parts/studies.js';
import { tuned } from '../parts/tuning.js';
import {
  type BlendedSetting,
  blendedAccuracy,
  blendedHypernet,
  type TrainedBlended,
  takeSteps,
  trainBlended,
} from './blended-digits.js';
import type { DigitData } from './digits.js';
import { finalLoss, ordinary, stepsTo } from './magnitudes.js';

/** Names of parametrisations. */
export const [DEFAULT, SIGNED, NORMED, ENCODING, RESIDUAL, MIP] = [
  'default',
  'default, γ in [−1, 1]',
  'default with layer norm',
  'encoding alone',
  'residual alone',
  'MIP',
] as const;

const normed = mlpTrunk([16, 64, 128], { activation: 'leakyRelu', init: 'fan-out', norm: 'layer' });

const parametrizations: Readonly<Record<string, BlendedSetting>> = {
  [DEFAULT]: { options: ordinary },
  [SIGNED]: { options: ordinary, signed: true },
  [NORMED]: { options: { ...ordinary, trunk: normed } },
  [ENCODING]: { options: { ...ordinary, encoding: 'cos|sin' } },
  [RESIDUAL]: { options: { ...ordinary, residual: 'fresh' } },
  [MIP]: { options: MIP_OPTIONS },
};

/** Optimisers by name: the usual learning rate first, then others to choose from. */
const optimizers = {
  Adam: { rates: [1e-3, 1e-4, 3e-4, 3e-3], create: (learningRate: number): Optimizer => new Adam({ learningRate }) },
  SGD: {
    rates: [1e-2, 1e-3, 1e-1],
    create: (learningRate: number): Optimizer => new SGD({ learningRate, momentum: 0.9 }),
  },
} as const;

type OptimizerName = keyof typeof optimizers;

interface Arm {
  readonly title: string;
  readonly name: string;
  readonly optimizer: OptimizerName;
  readonly tuned: boolean;
}

/** `MIP, Adam` or `MIP, Adam, tuned`. */
export function armTitle(name: string, optimizer: OptimizerName, isTuned = false): string {
  return `${name}, ${optimizer}${isTuned ? ', tuned' : ''}`;
}

/** The defaults first, to whose losses the others are compared. */
function armsOf(withTuned: boolean): Arm[] {
  const groups: readonly (readonly [OptimizerName, boolean, readonly string[]])[] = [
    ['Adam', false, [DEFAULT, SIGNED, NORMED, ENCODING, RESIDUAL, MIP]],
    ['SGD', false, [DEFAULT, MIP]],
    ['Adam', true, [DEFAULT, SIGNED, NORMED, MIP]],
    ['SGD', true, [DEFAULT, MIP]],
  ];
  return groups
    .filter(([, isTuned]) => withTuned || !isTuned)
    .flatMap(([optimizer, isTuned, names]) =>
      names.map((name) => ({ title: armTitle(name, optimizer, isTuned), name, optimizer, tuned: isTuned })),
    );
}

interface ArmOptions {
  readonly steps: number;
  readonly batch: number;
  /** Whether arms with chosen learning rates run too. */
  readonly tuning: 'on' | 'off';
}

/** Titles in the order of `blendedMethods`. */
export function blendedTitles({ tuning }: Pick<ArmOptions, 'tuning'>): string[] {
  return armsOf(tuning === 'on').map(({ title }) => title);
}

/** Rows [from, to) of a set of digits. */
function part({ x, labels }: DigitImages, from: number, to: number): DigitImages {
  return { x: x.subarray(from * DIGIT_PIXELS, to * DIGIT_PIXELS), labels: labels.subarray(from, to) };
}

/** Four fifths of the training images to train on, the rest to validate on. */
export function validationSplit({ train }: DigitData): {
  readonly train: DigitImages;
  readonly validation: DigitImages;
} {
  const cut = Math.floor(0.8 * train.labels.length);
  return { train: part(train, 0, cut), validation: part(train, cut, train.labels.length) };
}

/** Standard deviation over mean. */
function variation(values: readonly number[]): number {
  const { mean, sd } = summarize(values);
  return sd / mean;
}

/**
 * All arms. Learning rates are chosen once a data set, whose split is fixed, by the accuracy on
 * validation images.
 */
export function blendedMethods(data: DigitData, { steps, batch, tuning }: ArmOptions): Method<TrainedBlended>[] {
  const { train, validation } = validationSplit(data);
  /** Final loss of the default by group of arms. */
  const goals = new Map<string, number>();
  return armsOf(tuning === 'on').map((arm) => {
    const { rates, create } = optimizers[arm.optimizer];
    const group = `${arm.optimizer} ${arm.tuned}`;
    return tuned({
      title: arm.title,
      settings: (arm.tuned ? rates : rates.slice(0, 1)).map((rate) => ({ rate })),
      once: data,
      train: ({ rate }, { random, hooks: { signal, onEpoch } }: MethodRun) =>
        trainBlended(parametrizations[arm.name] as BlendedSetting, train, random, {
          steps,
          batch,
          optimizer: create(rate),
          signal,
          onEpoch,
        }),
      validation: ({ hypernet }) => blendedAccuracy(hypernet, validation),
      score({ hypernet, losses, norms }) {
        if (arm.name === DEFAULT) goals.set(group, finalLoss(losses));
        return {
          accuracy: blendedAccuracy(hypernet, data.test),
          loss: finalLoss(losses),
          steps: stepsTo(losses, goals.get(group) ?? Number.NaN),
          variation: variation(norms.slice(0, 200)),
          variationAll: variation(norms),
          parameters: hypernet.size,
        };
      },
    });
  });
}

/** Seconds of a step of both parametrisations, in turns of ten steps. */
export async function costStudy({ train }: DigitData, seed: number): Promise<StudyResults> {
  const turn = (name: string) => {
    const hypernet = blendedHypernet(parametrizations[name] as BlendedSetting, new Random(seed));
    const optimizer = optimizers.Adam.create(1e-3);
    return async () => {
      await takeSteps(hypernet, train, new Random(seed), { steps: 10, batch: 64, optimizer });
    };
  };
  const { plain, invariant } = await secondsInTurns({ plain: turn(DEFAULT), invariant: turn(MIP) });
  return studyOf(
    {
      title: 'Time of a step',
      note: 'The fastest of seven turns of ten steps with Adam, taken in turns.',
      columns: ['parametrisation', 'time of a step (ms)'],
      rows: [
        [DEFAULT, (100 * plain).toFixed(2)],
        [MIP, (100 * invariant).toFixed(2)],
      ],
    },
    { cost: invariant / plain },
  );
}
