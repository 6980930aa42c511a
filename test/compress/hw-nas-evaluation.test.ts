import { expect, test } from 'vitest';
import {
  accuracyInPasses,
  imageEvaluation,
  networkLatency,
  planLatency,
  SubNetworkEvaluator,
  search,
  searchSplit,
} from '../../src/compress/index.js';
import { glyphImages, imageTensor } from '../../src/data/index.js';
import { setThreads, threads } from '../../src/engine/index.js';
import { accuracyOn, ElasticCnn, StagedCnn } from '../../src/models/index.js';
import { estimateStatistics, extractSubNetwork, parameterCount, stateOf } from '../../src/nn/index.js';
import { Random, zeros } from '../../src/tensor/index.js';
import type { Plan } from '../../src/trace/index.js';

/** A value that is there. */
const known = <Value>(value: Value | undefined): Value => value as Value;

const data = glyphImages(150, 40, new Random(1));
const { channels, height, width } = data.train;
const elastic = new ElasticCnn({ channels, classes: data.classes.length, width: 4 }, new Random(2));
const { train, validation } = searchSplit(data.train);
const evaluation = imageEvaluation({ ...data, train }, validation, 16);
const small = { depth: [1, 2, 1], width: [0.5, 0.25, 0.75], kernel: [3, 3, 3, 5, 3, 3, 3, 3, 3] };

test('the pictures of a search are a fifth, the same whatever their order', () => {
  expect(train.count + validation.count).toBe(150);
  expect(validation.count).toBeGreaterThan(15);
  expect(validation.count).toBeLessThan(50);
  const size = channels * height * width;
  const picture = (of: typeof train, i: number) => of.pixels.subarray(i * size, (i + 1) * size).join();
  const order = new Random(3).permutation(150);
  const pixels = new Uint8Array(150 * size);
  order.forEach((from, to) => {
    pixels.set(data.train.pixels.subarray(from * size, (from + 1) * size), to * size);
  });
  const labels = order.map((i) => known(data.train.labels[i]));
  const other = searchSplit({ ...data.train, pixels, labels }).validation;
  const all = (of: typeof train) => Array.from({ length: of.count }, (_, i) => picture(of, i)).sort();
  expect(all(other)).toEqual(all(validation));
  const trained = new Set(all(train));
  expect(all(validation).filter((own) => trained.has(own))).toEqual([]);
});

test('a sub-network is measured as it is by itself', () => {
  const evaluator = new SubNetworkEvaluator(elastic, evaluation, { passes: 16, seconds: 0.01 });
  const sub = evaluator.extract(small);
  const measured = evaluator.evaluate(small);
  expect(measured.params).toBe(parameterCount(sub));
  expect(measured.accuracy).toBeCloseTo(accuracyOn(sub, validation, data));
  // Its statistics are its own, over the training images.
  const alone = extractSubNetwork(elastic, small);
  estimateStatistics(alone, [
    imageTensor(
      train,
      Array.from({ length: train.count }, (_, i) => i),
      data,
    ),
  ]);
  const means = [sub, alone].map((network) => stateOf(network)['stages.2.0.norm.runningMean']?.dataSync());
  expect(means[0]).toEqual(means[1]);
  expect(measured.latency).toBeGreaterThan(0);
  // By hand: stem, stage 1 (1 block 3×3), stage 2 (5×5, then 3×3), stage 3 (3×3), linear layer.
  const [first, second, third] = [height * width, (height / 2) * (width / 2), (height / 4) * (width / 4)];
  const macs =
    first * (9 * channels * 2 + 9 * 2 * 2) +
    second * (25 * 2 * 2 + 9 * 2 * 2) +
    third * 9 * 2 * 12 +
    12 * data.classes.length;
  expect(measured.macs).toBe(macs);
});

test('a search leaves the elastic network as it is, bit by bit', async () => {
  const before = Object.entries(stateOf(elastic)).map(([name, weight]) => [name, weight.dataSync()] as const);
  const evaluator = new SubNetworkEvaluator(elastic, evaluation, { passes: 16, metrics: ['accuracy', 'macs'] });
  const { evaluations } = await search({
    ...{ genes: evaluator.genes, evaluate: (own) => evaluator.evaluate(own), objectives: ['accuracy', 'macs'] },
    ...{ evaluations: 12, population: 6, innerEvaluations: 100 },
  });
  expect(evaluations.length).toBe(12);
  for (const [name, values] of before) expect(known(stateOf(elastic)[name]).dataSync()).toEqual(values);
});

test('bits are a gene, and run as int8 plans', () => {
  const evaluator = new SubNetworkEvaluator(elastic, evaluation, { bits: [32, 8], passes: 16, seconds: 0.01 });
  expect(evaluator.genes.bits).toEqual({ count: 1, values: [8, 32] });
  const sub = evaluator.extract({ ...small, bits: [8] });
  const [int8, full] = [8, 32].map((bits) => evaluator.plan(sub, { ...small, bits: [bits] }, 4)) as [Plan, Plan];
  expect(int8.constantBytes).toBeLessThan(full.constantBytes);
  const images = imageTensor(validation, [0, 1, 2, 3], data);
  const [a, b] = [int8, full].map((plan) => known(plan.run(images)[0]).dataSync<Float32Array>());
  const gap = Math.max(...known(a).map((value, i) => Math.abs(value - known(known(b)[i]))));
  expect(gap).toBeGreaterThan(0);
  expect(gap).toBeLessThan(0.3 * Math.max(...known(b).map(Math.abs)));
  expect(() => new SubNetworkEvaluator(elastic, evaluation, { bits: [4] })).toThrow('bits are among 7, 8, 32, got 4');
  const { calibration: _, ...without } = evaluation;
  expect(() => new SubNetworkEvaluator(elastic, without, { bits: [8] })).toThrow('calibration');
});

test('accuracy in passes counts every image once, the last pass filled up', () => {
  const seen: number[] = [];
  const logits = (images: ReturnType<typeof zeros>) => {
    seen.push(known(images.shape[0]));
    return zeros([known(images.shape[0]), data.classes.length]);
  };
  const share = accuracyInPasses(logits, data.test, data, 16);
  expect(seen).toEqual([16, 16, 16]);
  expect(share).toBeCloseTo(data.test.labels.filter((label) => label === 0).length / 40);
});

test('latency warms up, times as many passes as asked, and drops the slowest tenth', () => {
  let runs = 0;
  const wait = (ms: number) => {
    const start = performance.now();
    while (performance.now() - start < ms);
  };
  // Every tenth pass is slow; the others take a millisecond.
  const plan = { execute: () => wait(runs++ % 10 === 9 ? 20 : 1) } as unknown as Plan;
  const ms = planLatency(plan, 1, { steps: 20, seconds: 10 });
  expect(runs).toBe(24);
  expect(ms).toBeGreaterThanOrEqual(1);
  expect(ms).toBeLessThan(10);
  runs = 0;
  planLatency({ execute: () => wait(5 + 0 * runs++) } as unknown as Plan, 4, { seconds: 0.001 });
  expect(runs).toBe(10);
});

test('latency sets the threads, and sets them back', () => {
  const before = threads();
  const wanted = before === 2 ? 1 : 2;
  const seen: number[] = [];
  const inner = new StagedCnn({ channels, classes: 2, stem: 2, stages: [{ width: 2, kernels: [3] }] }, new Random(4));
  const layer = {
    forward: (...[x, mode]: Parameters<typeof inner.forward>) => {
      seen.push(threads());
      return inner.forward(x, mode);
    },
  };
  expect(networkLatency(layer, zeros([1, channels, height, width]), { threads: wanted }, { steps: 5 })).toBeGreaterThan(
    0,
  );
  expect(seen).toEqual([wanted]);
  expect(threads()).toBe(before);
  setThreads(before);
});
