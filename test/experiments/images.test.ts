import { expect, test } from 'vitest';
import { threads } from '../../src/engine/index.js';
import { oneImage, timesInTurns } from '../../src/experiments/protocols/image-timings.js';
import {
  type ImageMethod,
  type ImageSetting,
  imageMethod,
  loadImageSet,
  runImageMethods,
  tuningData,
} from '../../src/experiments/protocols/images.js';
import { type Layer, Linear } from '../../src/nn/index.js';
import { Random, reshape } from '../../src/tensor/index.js';
import { context } from './context.js';

const values = { epochs: 4, batch: 30, trials: 3, tuning: 0.5 };

/** A linear classifier, which trains in milliseconds. */
const linear: ImageMethod['network'] = ({ channels, classes, size }, random) => {
  const weights = new Linear(channels * size ** 2, classes, random);
  const layer: Layer & { readonly weights: Linear } = {
    weights,
    forward: (x) => weights.forward(reshape(x, [x.shape[0] as number, -1])),
  };
  return layer;
};

test('trials validate on the last tenth of the training images and train on a share of the others', async () => {
  const data = await loadImageSet('glyphs', { images: 200, tests: 100 });
  const { train, test: validation, ...rest } = tuningData(data, 0.5);
  expect([train.count, validation.count]).toEqual([90, 20]);
  expect(Array.from(train.labels)).toEqual(Array.from(data.train.labels.subarray(0, 90)));
  expect(Array.from(validation.labels)).toEqual(Array.from(data.train.labels.subarray(180)));
  expect(Array.from(validation.pixels)).toEqual(Array.from(data.train.pixels.subarray(180 * 28 * 28)));
  expect(rest.mean).toBe(data.mean);
});

/** The settings and steps of each training of a method, and the choice. */
async function recorded(changes: Partial<ImageMethod>, wrongTests = false, own: Partial<typeof values> = {}) {
  const loaded = await loadImageSet('glyphs', { images: 200, tests: 100 });
  const wrong = { ...loaded.test, labels: loaded.test.labels.map((label) => (label + 1) % loaded.classes.length) };
  const data = wrongTests ? { ...loaded, test: wrong } : loaded;
  const trainings: (ImageSetting & { steps: number })[] = [];
  const method: ImageMethod = {
    title: 'linear',
    network: linear,
    training: (_, setting) => {
      const training = { ...setting, steps: 0 };
      trainings.push(training);
      return {
        onStep: (_step, steps) => {
          training.steps = steps;
        },
      };
    },
    ...changes,
  };
  const { methods } = await runImageMethods([method], data, { ...values, ...own }, context(1), { keep: 'linear' });
  return { trainings, tuning: methods[0]?.tuning, accuracy: methods[0]?.scores.accuracy as number };
}

test('each setting is tried on part of the training images; the chosen one trains on all of them', async () => {
  const { trainings, tuning } = await recorded({});
  expect(trainings.map(({ steps }) => steps)).toEqual([12, 12, 12, 28]);
  expect(new Set(trainings.slice(0, 3).map(({ learningRate }) => learningRate)).size).toBe(3);
  const { steps: _, ...last } = trainings.at(-1) as (typeof trainings)[0];
  expect(tuning).toEqual({ trials: 3, setting: last });
});

test('a rate that does not train is not chosen, and test labels change nothing but the score', async () => {
  const setting = (learningRate: number) => ({ learningRate, weightDecay: 0 });
  const settings = [1e-9, 3e-3, 2e-9].map(setting);
  const right = await recorded({ settings });
  expect(right.tuning?.setting).toEqual(setting(3e-3));
  const wrong = await recorded({ settings }, true);
  expect(wrong.tuning).toEqual(right.tuning);
  expect(wrong.accuracy).toBeLessThan(right.accuracy);
});

test('a method may train longer than the others, in trials too', async () => {
  const { trainings } = await recorded({ longer: 3 }, false, { trials: 2 });
  expect(trainings.map(({ steps }) => steps)).toEqual([36, 36, 84]);
});

test('a cut is made in trials as in the last training, with the setting at hand', async () => {
  const cuts: number[] = [];
  const cut: ImageMethod['cut'] = (_model, { train }, { learningRate }) => {
    cuts.push(train.count, learningRate);
    return {};
  };
  const { trainings, tuning } = await recorded({ cut }, false, { trials: 2 });
  expect(trainings.map(({ steps }) => steps)).toEqual([9, 9, 21]);
  expect(cuts).toEqual([90, 3e-3, 90, 1e-2, 200, tuning?.setting.learningRate]);
});

test('the choice is made once for all seeds', async () => {
  const data = await loadImageSet('glyphs', { images: 200, tests: 100 });
  const chosen: unknown[] = [];
  let trainings = 0;
  const training: ImageMethod['training'] = () => {
    trainings += 1;
    return {};
  };
  for (const seed of [5, 6]) {
    const method = imageMethod({ title: 'linear', network: linear, training }, data, values);
    await method.train({
      ...{ title: 'linear', seed, random: new Random(seed), hooks: {}, progress: () => {} },
      chose: ({ setting }) => chosen.push(setting),
    });
  }
  expect(trainings).toBe(4 + 1);
  expect(chosen[0]).toEqual(chosen[1]);
});

test('arms are timed on the threads and in the batch that are asked', async () => {
  const data = await loadImageSet('glyphs', { images: 100, tests: 100 });
  const before = threads();
  const used: [batch: number, threads: number][] = [];
  const model: Layer = {
    forward(x) {
      used.push([x.shape[0] as number, threads()]);
      return x;
    },
  };
  const timings = { latency: oneImage, batch: { batch: 32, threads: 2, repeats: 3 } };
  const times = await timesInTurns([{ title: 'a', model }], data, timings);
  expect(used).toEqual([
    [1, 1],
    [32, 2],
  ]);
  expect(Object.keys(times.get('a') as object)).toEqual(['latency', 'batch']);
  expect(threads()).toBe(before);
});
