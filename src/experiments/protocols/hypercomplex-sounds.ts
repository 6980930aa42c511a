// Detection of generated sound events by networks of several domains, tuned alike on sounds for
// validation; test sounds are scored once.

import { ambisonicSounds, type SoundSet } from '../../data/index.js';
import { disposeWeights, parameterCount, stateOf } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { SoundModel, type SoundWindows } from '../../vision/index.js';
import type { RunContext, SeedOutcome } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { tuned } from '../parts/tuning.js';
import { BUDGET, ph, QUATERNION, REAL } from './hypercomplex-arms.js';

/** Sounds to train, to validate and to test. */
export interface SoundParts {
  readonly train: SoundSet;
  readonly validation: SoundSet;
  readonly test: SoundSet;
}

/** Generated sounds; each part has a stream of its own. */
export function generatedSounds(clips: number): SoundParts {
  const part = (name: string, count: number) =>
    ambisonicSounds(Math.max(1, Math.round(count)), new Random(0).split(name));
  return {
    train: part('train', clips),
    validation: part('validation', clips / 4),
    test: part('test', clips / 2),
  };
}

interface Arm {
  readonly title: string;
  readonly n: number;
  readonly preset?: boolean;
  /** Widths over those of the others. */
  readonly narrow?: boolean;
}

/** The networks, in order. */
export const soundArms: readonly Arm[] = [
  { title: REAL, n: 1 },
  { title: QUATERNION, n: 4, preset: true },
  { title: ph(2), n: 2 },
  { title: ph(4), n: 4 },
  { title: BUDGET, n: 1, narrow: true },
];

/** Hyperparameters of the detection of events. */
export interface SoundValues {
  readonly epochs: number;
  readonly batch: number;
  readonly trials: number;
}

/** Learning rates, the usual one first. */
const rates = [1e-3, 3e-3, 5e-4].map((learningRate) => ({ learningRate }));

/** Trains and scores all networks of one seed. */
export async function soundSeed(
  { train, validation, test }: SoundParts,
  { epochs, batch, trials }: SoundValues,
  context: RunContext,
): Promise<SeedOutcome> {
  const create = ({ n, preset = false, narrow = false }: Arm, random: Random) =>
    SoundModel.create(
      {
        ...{ architecture: narrow ? 'phc-seld-budget' : 'phc-seld-nano', classes: train.classes, whole: false },
        ...{ channels: 4, rate: 8000, window: 512, hop: 256, bins: 128, frames: 61, n, preset, threshold: 0.5 },
      },
      train.sounds,
      random,
    );
  // Statistics and spectrograms are those of every network.
  const first = create(soundArms[0] as Arm, new Random(0));
  const [trained, chosen, tested] = [train, validation, test].map(({ sounds }) => first.windows(sounds)) as [
    SoundWindows,
    SoundWindows,
    SoundWindows,
  ];
  const methods = soundArms.map((arm) =>
    tuned<(typeof rates)[number], SoundModel>({
      title: arm.title,
      settings: rates.slice(0, trials),
      once: train,
      train: async (setting, { random, hooks }) => {
        const model = create(arm, random.split('model'));
        await model.train(trained, random.split('fit'), { epochs, batchSize: batch, ...setting, ...hooks });
        hooks.signal?.throwIfAborted();
        return model;
      },
      validation: (model) => model.scores(chosen).f1,
      discard: ({ network }) => disposeWeights(stateOf(network)),
    }),
  );
  const { methods: scored, kept } = await runMethods(methods, context, {
    keep: ph(4),
    score: (model) => {
      const { f1, precision, recall } = model.scores(tested);
      return {
        ...{ score: 100 * f1, precision: 100 * precision, recall: 100 * recall },
        ...{ validation: 100 * model.scores(chosen).f1, parameters: parameterCount(model.network) },
      };
    },
  });
  return { methods: scored, artifacts: () => ({ model: (kept as SoundModel).save() }) };
}
