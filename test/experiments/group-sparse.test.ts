import { expect, test } from 'vitest';
import { firstImages, type ImageDataset } from '../../src/data/index.js';
import { aboveLine } from '../../src/experiments/protocols/group-claims.js';
import { armTitle, groupMethods, groupTitles, kernelTitles } from '../../src/experiments/protocols/group-sparse.js';
import { groupNetworkScores, groupPlans, groupScores } from '../../src/experiments/protocols/group-speed.js';
import { loadImageSet } from '../../src/experiments/protocols/images.js';
import { type Layer, parameters } from '../../src/nn/index.js';
import { Random } from '../../src/tensor/index.js';

const values = { network: 'mobilenet-v1-nano', epochs: 1, finetune: 1, batch: 16, trials: 1, tuning: 1 } as const;

/** Share of zeros in the weights of a model that have any. */
function zeros(model: Layer): number {
  let [gone, all] = [0, 0];
  for (const weight of Object.values(parameters(model))) {
    const own = weight.rank < 2 ? 0 : weight.view().filter((value) => value === 0).length;
    if (own === 0) continue;
    gone += own;
    all += weight.size;
  }
  return all === 0 ? 0 : gone / all;
}

test('every arm starts from the trained network of its width, and keeps its zeros through fine-tuning', async () => {
  const loaded = await loadImageSet('glyphs', { images: 100, tests: 100 });
  const data: ImageDataset = { ...loaded, train: firstImages(loaded.train, 48) };
  const methods = groupMethods(data, values);
  expect(methods.map(({ title }) => title)).toEqual(groupTitles);
  const found = async (title: string) => {
    const method = methods.find((own) => own.title === title);
    if (!method) throw new Error(title);
    const run = { title, seed: 0, random: new Random(0), hooks: {}, progress: () => {}, chose: () => {} };
    const classifier = await method.train(run);
    const scores = await method.score?.(classifier, run);
    return { model: classifier.model, scores };
  };
  const dense = await found(armTitle('dense'));
  expect(zeros(dense.model)).toBe(0);
  for (const arm of ['rearranged', 'plain', 'random', 'unstructured'] as const) {
    const { model, scores } = await found(armTitle(arm, 0.5));
    expect(zeros(model)).toBeCloseTo(0.5, 2);
    expect(scores?.cut).toBeGreaterThan(0);
  }
  expect(zeros((await found(armTitle('taps', 0.5))).model)).toBeCloseTo(0.5, 2);
  const filters = await found(armTitle('filters', 0.5));
  expect(zeros(filters.model)).toBe(0);
  const sparse = await found(armTitle('rearranged', 0.5));
  expect(filters.scores?.multiplyAdds).toBeLessThanOrEqual(1.05 * (sparse.scores?.multiplyAdds as number));
  expect(zeros((await found(kernelTitles.pruned)).model)).toBeCloseTo(0.5, 2);
}, 60_000);

test('points above the line through dense networks', () => {
  const dense = [
    { latency: 1, accuracy: 80 },
    { latency: 3, accuracy: 84 },
  ];
  expect(aboveLine({ latency: 2, accuracy: 83 }, dense)).toBe(1);
  expect(aboveLine({ latency: 1, accuracy: 80.5 }, dense)).toBe(0.5);
  expect(aboveLine({ latency: 4, accuracy: 85 }, dense)).toBe(1);
  expect(aboveLine({ latency: 0.9, accuracy: 99 }, dense)).toBe(Number.NEGATIVE_INFINITY);
  // A slower and less accurate dense network does not pull the line down.
  expect(aboveLine({ latency: 2, accuracy: 83 }, [...dense, { latency: 2, accuracy: 79 }])).toBe(1);
  expect(aboveLine({ latency: 5, accuracy: 85 }, [...dense, { latency: 4, accuracy: 79 }])).toBe(1);
});

test('scores of kernels and networks: against the faster dense kernel, and the slowest shape', () => {
  const seconds = (convolution: number, product: number, block4: number, single: number) => ({
    ...{ convolution, product, 'single 0.3': single, 'single 0.5': 1, 'wide 0.3': 1, 'wide 0.5': 1 },
    ...{ 'block2 0.3': 1, 'block2 0.5': 1, 'block4 0.3': block4, 'block4 0.5': 1, 'block8 0.3': 1, 'block8 0.5': 1 },
  });
  const scores = groupScores([
    { shape: [1, 1, 1], seconds: seconds(8, 6, 5, 7) },
    { shape: [2, 2, 2], seconds: seconds(9, 10, 6, 8) },
  ]);
  expect(scores['block4 0.3']).toBeCloseTo(1.2, 10);
  expect(scores['single 0.3']).toBeCloseTo(6 / 7, 10);
  expect(scores['single 0.3 best']).toBeCloseTo(9 / 8, 10);
  const times = {
    dense: 12,
    'groups 0.3': 10,
    'groups 0.5': 8,
    'wide 0.3': 15,
    'single 0.3': 13,
    'dense int8': 9,
    'groups int8': 6,
  };
  expect(groupNetworkScores({ times, layers: [] })).toEqual({
    ...{ 'network 0.3': 1.2, 'network 0.5': 1.5, engine: 1.5, single: 1.3, int8: 1.5 },
  });
});

test('plans that are timed run the kernels that they are named after', () => {
  const plans = groupPlans([4, 32, 32]);
  const callOf = (name: string) => plans[name]?.data.recorded.calls[0]?.args;
  expect(callOf('single 0.5')).toMatchObject({ height: 1, wide: 0, stored: 512 });
  expect(callOf('wide 0.5')).toMatchObject({ height: 1, wide: 1, stored: 512 });
  expect(callOf('block4 0.5')).toMatchObject({ height: 4, stored: 128 });
  expect(callOf('block2 0.3')).toMatchObject({ height: 2, stored: 512 - Math.floor(0.3 * 512) });
  for (const plan of Object.values(plans)) plan.dispose();
});
