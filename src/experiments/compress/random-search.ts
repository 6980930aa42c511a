// Random search as a baseline: the best of N sub-networks before training against a random one,
// with the same nodes, values and batches, as an equivalence test over paired seeds; a bad arm and
// an informed one show whether the test can tell arms apart.

import type { ImageDataset } from '../../data/index.js';
import { disposeWeights, stateOf, type Weights } from '../../nn/index.js';
import { defineExperiment, type SeedResult } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { accuracy, parameters, relabelled, seconds } from '../parts/metrics.js';
import { noStudies } from '../parts/studies.js';
import { splitImages } from '../protocols/binary-networks.js';
import { imageTask, loadImageSet, shrunkImages } from '../protocols/images.js';
import { neutralClaims } from '../protocols/neutral-claims.js';
import {
  armMethods,
  armsOf,
  armTitles,
  DENSE,
  type SubNetworkValues,
  subNetworkOptions,
} from '../protocols/sparse-arms.js';
import { armTitle } from '../protocols/sparse-claims.js';
import { prunedStudy } from '../protocols/sparse-studies.js';
import {
  armScores,
  keptWeights,
  rateOf,
  type SubNetworkData,
  subNetworkData,
  type TrainedArm,
  trainArm,
} from '../protocols/sparse-sub-networks.js';

const prepared = new WeakMap<ImageDataset, SubNetworkData>();

/** The examples of a loaded set, made once. */
function examplesOf(loaded: ImageDataset, { validation, network }: SubNetworkValues): SubNetworkData {
  const data = prepared.get(loaded) ?? subNetworkData(splitImages(loaded, validation), network);
  prepared.set(loaded, data);
  return data;
}

export const experiment = defineExperiment({
  options: subNetworkOptions,
  ...imageTask,
  ownData: 'none: use gossamer search --model random-search and gossamer compress --baselines',
  presets: {
    glyphs: {},
    cifar10: {
      network: 'cnn',
      width: 64,
      images: 8000,
      validation: 2000,
      tests: 2000,
      shrink: 2,
      candidates: 300,
      searchSet: 500,
      epochs: 4,
      repeats: 0,
    },
  },
  async load(source, { images, validation, tests, shrink }, onDownload) {
    const data = await loadImageSet(source, { images: images + validation, tests }, onDownload);
    return { ...data, train: shrunkImages(data.train, shrink), test: shrunkImages(data.test, shrink) };
  },
  reproduction: [
    { data: 'fashion-mnist', seeds: 8 },
    { data: 'cifar10', seeds: 8 },
    { data: 'fashion-mnist', seeds: 8, set: { candidates: 10_000 }, long: true },
    {
      data: 'cifar10',
      seeds: 8,
      set: { network: 'mlp', width: 512, shrink: 1, candidates: 1000, searchSet: 2000 },
      long: true,
    },
  ],
  metrics: {
    accuracy: relabelled(accuracy, { digits: 2 }),
    steps: { label: 'steps to 95 % of the final accuracy', digits: 0, better: 'smaller' },
    area: { label: 'mean of the validation curve', unit: '%', digits: 2, better: 'larger' },
    ahead: { label: 'deviations ahead before training', digits: 2, better: 'larger' },
    parameters,
    seconds,
  },
  methods: armMethods,
  notes: ({ epochs, candidates, searchSet, trials, validation }) => [
    `The abstract is all that is known of the paper's protocol: data, sizes, fitness and N are ours. p is the share of hidden nodes that are off in every layer; random search keeps the best of ${candidates} sub-networks by their loss on ${searchSet} training images before training.`,
    `All arms of a seed have the parent's initial values (the fresh net its own), ${epochs} epochs of Adam and the same batches; the rate of a level is the best of ${trials} for its random arm on ${validation} images. Test images are classified once an arm and choose nothing.`,
    'Informed nodes are those that matter in the trained parent, with their initial values; half of the first layer zeroed is the arm that a sharp test must find worse.',
  ],
  async runSeed(loaded, values, context) {
    const data = examplesOf(loaded, values);
    let trained: Weights | undefined;
    const own = [['dense', 0] as const, ...armsOf(values)];
    const { methods: scored } = await runMethods<TrainedArm>(
      own.map(([arm, level]) => ({
        title: arm === 'dense' ? DENSE : armTitle(armTitles[arm], level),
        async train(run) {
          const learningRate = await rateOf(arm === 'dense' ? 'dense' : 'random', level, data, values, context.signal);
          run.chose({ trials: values.trials, setting: { learningRate } });
          const result = await trainArm(arm, level, learningRate, data, values, run, trained);
          if (arm === 'dense') trained = keptWeights(result.model);
          return result;
        },
      })),
      context,
      {
        stream: 'shared',
        score: (arm) => {
          const scores = armScores(arm, data, values);
          disposeWeights(stateOf(arm.model));
          return scores;
        },
      },
    );
    disposeWeights(trained);
    return { methods: scored };
  },
  studies: async (loaded, values, context) =>
    values.repeats > 0 ? prunedStudy(examplesOf(loaded, values), values, context) : noStudies,
  plots: (results) => [
    {
      kind: 'line',
      title: 'Accuracy by share of nodes that are off',
      x: 'share of hidden nodes off',
      y: 'accuracy (%)',
      points: Object.values(armTitles).flatMap((name) => pointsOf(results, name)),
    },
  ],
  claims: neutralClaims,
});

/** Mean accuracy of an arm at the levels that were run. */
function pointsOf(results: readonly SeedResult[], name: string) {
  const first = results[0]?.methods ?? [];
  return first
    .filter(({ method }) => method.startsWith(`${name}, p = `))
    .map(({ method }) => {
      const all = results.map(
        ({ methods: own }) => own.find((score) => score.method === method)?.scores.accuracy ?? Number.NaN,
      );
      return {
        method: name,
        x: Number(method.slice(`${name}, p = `.length)),
        y: all.reduce((a, b) => a + b, 0) / all.length,
      };
    });
}
