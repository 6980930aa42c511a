import { describe, expect, test } from 'vitest';
import { chosenWeights, sparsityRule, usedMultiplyAdds } from '../../src/compress/index.js';
import { firstImages, type ImageDataset } from '../../src/data/index.js';
import { Evidence, evaluateClaims } from '../../src/experiments/parts/claims.js';
import { resolveOptions } from '../../src/experiments/parts/options.js';
import { breakEven, type FrontPoint } from '../../src/experiments/protocols/fronts.js';
import { imageMethod, loadImageSet } from '../../src/experiments/protocols/images.js';
import {
  constantTitle,
  denseTitle,
  filtersTitle,
  frontScores,
  oneShotTitle,
  sparseFamilies,
  sparseMethods,
  sparseTimings,
  sparseTitle,
} from '../../src/experiments/protocols/sparse-families.js';
import { type NetworkTimes, networkScores } from '../../src/experiments/protocols/sparse-network-speed.js';
import { kernelScores, type LayerTimes, layerPlans } from '../../src/experiments/protocols/sparse-speed.js';
import { systems } from '../../src/experiments/systems.js';
import { parameters } from '../../src/nn/index.js';
import { conv2d, Random, zeros } from '../../src/tensor/index.js';
import { compile, type Plan } from '../../src/trace/index.js';
import { imageModel } from '../../src/vision/index.js';
import { uniformTensor } from '../oracle.js';

const kernelsOf = (plan: Plan) => plan.data.program.steps.map(({ kernel }) => kernel);

describe('kernels on a layer', () => {
  const plans = layerPlans([6, 16, 32], [0.1, 0.75]);

  test('the dense arm is what a dense plan runs, with weights packed beforehand', () => {
    const weight = uniformTensor(1, [32, 16, 1, 1]);
    const dense = compile((x) => conv2d(x, weight), [uniformTensor(2, [1, 16, 6, 6])], { sparse: false });
    expect(kernelsOf(plans.convolution as Plan)).toEqual(kernelsOf(dense));
    expect(kernelsOf(dense)).not.toContain('packFilters');
    expect(kernelsOf(plans.product as Plan).some((kernel) => kernel.startsWith('gemm'))).toBe(true);
  });

  test.each([
    ['unstructured', 1],
    ['block2', 2],
    ['block4', 4],
  ] as const)('%s arms are sparse at every share, in blocks of %d rows', (pattern, height) => {
    for (const share of [0.1, 0.75]) {
      const plan = plans[`${pattern} ${share}`] as Plan;
      const { calls } = plan.data.recorded;
      expect(calls.map(({ kernel }) => kernel)).toEqual(['sparseChannels']);
      const blocks = (32 * 16) / height;
      // Nine tenths full is enough for higher blocks, so that few zeros may be stored in them.
      if (share > 0.5) expect(calls[0]?.args).toMatchObject({ height, stored: blocks - Math.floor(share * blocks) });
    }
  });
});

describe('scores of kernels and networks', () => {
  const times = (convolution: number, product: number, sparse: readonly number[]): LayerTimes => ({
    ...{ shape: [1, 1, 1], convolution, product, square: 1 },
    sparse: { unstructured: sparse, block2: sparse.map((s) => s / 2), block4: sparse.map((s) => s / 4) },
  });
  // Shares 10 … 90, 95 %.
  const layers = [
    times(12, 10, [20, 18, 16, 14, 12, 10, 8, 6, 2, 1]),
    times(8, 8, [24, 20, 18, 12, 10, 9, 7, 4, 2.5, 1]),
  ];

  test('are of the slowest shape against the faster dense kernel', () => {
    const scores = kernelScores(layers);
    expect(scores['unstructured 0.8']).toBeCloseTo(10 / 6, 10);
    expect(scores['unstructured 0.9']).toBeCloseTo(3.2, 10);
    expect(scores['block2 0.9']).toBeCloseTo(6.4, 10);
    expect(scores['block4 0.8']).toBeCloseTo(40 / 6, 10);
    expect(scores['dense share']).toBeCloseTo(10 / 12, 10);
    // The second shape: 8/9 at 60 % and 8/7 at 70 %.
    expect(scores['unstructured even']).toBeCloseTo(0.6 + ((1 - 8 / 9) / (8 / 7 - 8 / 9)) * 0.1, 10);
    expect(scores['block4 even']).toBe(0.1);
  });

  test('break-even is interpolated, the first share where it is faster at once, 1 where never', () => {
    expect(breakEven([0.2, 0.4, 0.6], [0.5, 0.9, 1.1])).toBeCloseTo(0.5, 10);
    expect(breakEven([0.2, 0.4], [1, 2])).toBe(0.2);
    expect(breakEven([0.2, 0.4], [0.1, 0.2])).toBe(1);
  });

  test('of networks: dense over sparse, and the worst choice of kernels', () => {
    const network = (name: string, dense: number, int8: number, sparse: number, everywhere: number): NetworkTimes => ({
      ...{ name, sparsity: 0.9, times: { dense, int8, sparse, everywhere }, layers: [] },
    });
    expect(networkScores([network('a', 12, 8, 4, 5), network('b', 9, 7, 6, 5)])).toEqual({
      ...{ 'network a': 3, 'network b': 1.5, chosen: 1.2 },
    });
  });
});

describe('claims on fronts', () => {
  const loading = systems.find(({ slug }) => slug === 'sparse-convnets')?.load();

  async function valuesOf(dense: readonly FrontPoint[], sparse: readonly FrontPoint[]) {
    const { experiment } = (await loading) as NonNullable<Awaited<typeof loading>>;
    const scores = (title: string, { latency, accuracy }: FrontPoint) => ({
      method: title,
      scores: { latency, accuracy },
    });
    const methods = [
      ...dense.map((point, i) => scores(denseTitle('v1', [0.25, 0.5, 1][i] as number), point)),
      ...sparse.map((point, i) => scores(sparseTitle('v1', [0.5, 1, 2][i] as number), point)),
    ];
    const evidence = new Evidence<unknown>('glyphs', resolveOptions(experiment.options, {}), [{ seed: 0, methods }]);
    const found = evaluateClaims(experiment.claims, evidence);
    return (text: string) => found.find(({ claim }) => claim.includes(text))?.value;
  }
  const point = (latency: number, accuracy: number): FrontPoint => ({ latency, accuracy });
  const dense = [point(1, 80), point(2, 84), point(4, 88)];

  test('each dense network against the best sparse one as fast; the median of the speed-ups', async () => {
    const sparse = [point(0.5, 81), point(1.9, 83), point(4.1, 90)];
    const value = await valuesOf(dense, sparse);
    expect(value('of 3, that a sparse one is as fast as')).toBe(3);
    // 81 − 80, 83 − 84, 83 − 88.
    expect(value('least lead')).toBe(-5);
    expect(value('largest lead')).toBe(1);
    // Dense latency 1.25 at 81, 1.75 at 83, 4 above all.
    expect(value('median width')).toBeCloseTo(4 / 4.1, 10);
  });

  test('with one dense network that counts there is no lead', async () => {
    const value = await valuesOf(dense, [point(3, 90), point(3, 91), point(5, 92)]);
    expect(value('of 3, that a sparse one is as fast as')).toBe(1);
    expect(value('least lead')).toBeNaN();
  });

  test('every network is scored against the other front', () => {
    const points = new Map([
      ...([0.25, 0.5, 1] as const).map((width, i) => [denseTitle('v2', width), dense[i] as FrontPoint] as const),
      [sparseTitle('v2', 0.5), point(1.5, 82)],
      [sparseTitle('v2', 1), point(2, 85)],
      [sparseTitle('v2', 2), point(3, 79)],
    ] as const);
    const scores = (title: string) => frontScores('v2', title, (name) => points.get(name) as FrontPoint);
    expect(scores(denseTitle('v2', 0.25))).toEqual({});
    expect(scores(denseTitle('v2', 0.5))).toEqual({ lead: 1 });
    expect(scores(denseTitle('v2', 1))).toEqual({ lead: -3 });
    expect(scores(sparseTitle('v2', 0.5))).toEqual({ faster: 1 });
    expect(scores(sparseTitle('v2', 1))).toEqual({ faster: 1.25 });
    expect(scores(sparseTitle('v2', 2))).toEqual({ faster: 0 });
    expect(scores(oneShotTitle('v2'))).toEqual({});
  });
});

describe('methods', () => {
  const pruned = (model: object) => {
    const weights = Object.values(chosenWeights(model, sparsityRule(model as never).layers));
    const [gone, all] = weights.reduce(
      ([zero, size], weight) => [zero + weight.view().filter((value) => value === 0).length, size + weight.size],
      [0, 0],
    );
    return gone / all;
  };

  test.each([
    [denseTitle('v1', 0.5), undefined, 0],
    [sparseTitle('v1', 0.5), undefined, 0.9],
    [sparseTitle('v1', 0.5), 0.7, 0.7],
    [oneShotTitle('v1'), undefined, 0.9],
    [constantTitle('v1'), undefined, 0.9],
    [sparseTitle('v2', 0.5), undefined, 0.85],
    [sparseTitle('efficientnet', 0.5), undefined, 0.8],
  ] as const)('%s at %s ends with %d zeros', async (title, sparsity, expected) => {
    const loaded = await loadImageSet('glyphs', { images: 100, tests: 100 });
    const data: ImageDataset = { ...loaded, train: firstImages(loaded.train, 32) };
    const family = title.split(' ')[0] as keyof typeof sparseFamilies;
    const method = sparseMethods(family, sparsity).find((own) => own.title === title);
    if (!method) throw new Error(title);
    const values = { epochs: 2, batch: 8, trials: 1, tuning: 1 };
    const run = { title, seed: 0, random: new Random(0), hooks: {}, progress: () => {}, chose: () => {} };
    const { model } = await imageMethod(method, data, values).train(run);
    expect(pruned(model)).toBeCloseTo(expected, 1.5);
    expect(method.plan?.sparse).toEqual(expected === 0 ? undefined : { choose: 'measured' });
  });

  test('filters are removed down to the multiply-adds of the sparse network, and no further than a step', async () => {
    const data = await loadImageSet('glyphs', { images: 100, tests: 100 });
    const example = zeros([1, 1, 28, 28]);
    const setting = { learningRate: 3e-3, weightDecay: 0 };
    const macsOf = (title: string, cut: boolean) => {
      const method = sparseMethods('v1').find((own) => own.title === title);
      const model = imageModel(
        sparseFamilies.v1,
        { channels: 1, classes: data.classes.length, size: 28 },
        new Random(1),
      );
      if (!method) throw new Error(title);
      if (cut) method.cut?.(model, data, setting);
      else method.training?.(model, setting, data);
      return usedMultiplyAdds(model, example);
    };
    const [sparse, filters] = [macsOf(constantTitle('v1'), false), macsOf(filtersTitle('v1'), true)];
    expect(filters).toBeLessThanOrEqual(sparse);
    expect(filters).toBeGreaterThan(0.85 * sparse);
  });

  test('the networks of the families are of like size, and their widths scale them', () => {
    const sizeOf = (title: string) => {
      const family = title.split(' ')[0] as keyof typeof sparseFamilies;
      const method = sparseMethods(family).find((own) => own.title === title);
      if (!method || typeof method.network === 'string') throw new Error(title);
      const model = method.network({ channels: 1, classes: 10, size: 28 }, new Random(1));
      const count = Object.values(parameters(model)).reduce((sum, { size }) => sum + size, 0);
      return { count, macs: usedMultiplyAdds(model, zeros([1, 1, 28, 28])) };
    };
    for (const family of Object.keys(sparseFamilies) as (keyof typeof sparseFamilies)[]) {
      const [half, two] = [sizeOf(denseTitle(family, 0.5)), sizeOf(sparseTitle(family, 2))];
      expect(half.count).toBeGreaterThan(30_000);
      expect(half.count).toBeLessThan(60_000);
      expect(half.macs).toBeLessThan(4e6);
      expect(two.macs / half.macs).toBeGreaterThan(9);
    }
  });

  test('int8 times are of dense plans', async () => {
    const data = await loadImageSet('glyphs', { images: 100, tests: 100 });
    const { latency, int8 } = sparseTimings(data);
    expect(latency.plan).toBeUndefined();
    expect(int8).toMatchObject({ batch: 1, threads: 1, plan: { sparse: false } });
    expect(int8.plan?.int8?.calibration.length).toBe(16);
    expect(int8.plan?.int8?.calibration[0]?.[0]?.shape).toEqual([1, 1, 28, 28]);
  });
});
