import { expect, test } from 'vitest';
import { glyphImages, imageTensor } from '../../src/data/index.js';
import { ElasticCnn, ElasticTransformer, StagedCnn, TokenTransformer, trainOnImages } from '../../src/models/index.js';
import {
  type Configuration,
  crossEntropy,
  distillation,
  type Elastic,
  elasticLoss,
  estimateStatistics,
  extractSubNetwork,
  inference,
  type Layer,
  Linear,
  parameterCount,
  parameters,
  sharedWeights,
  stateOf,
  training,
} from '../../src/nn/index.js';
import { Random, scope, type Tensor, tensor, valueAndGrad } from '../../src/tensor/index.js';

/** A value that is there. */
const known = <Value>(value: Value | undefined): Value => value as Value;

const data = glyphImages(120, 40, new Random(1));
const { channels } = data.train;
const shape = { channels, classes: data.classes.length, width: 8 };
const small: Configuration = { depth: [1, 2, 1], width: [0.5, 0.25, 0.75], kernel: [3, 5, 5, 5, 3, 5, 3, 3, 3] };
const batch = () =>
  imageTensor(
    data.train,
    Array.from({ length: 60 }, (_, i) => i),
    data,
  );

/** The part of a weight that has the first channels and the centre of the kernel, by loops. */
function sliced(weight: Tensor, size: readonly number[]): Float32Array {
  const values = weight.dataSync<Float32Array>();
  const [a = 1, b = 1, c = 1, d = 1] = size;
  const [, B = 1, C = 1, D = 1] = weight.shape;
  const [dy, dx] = [(C - c) / 2, (D - d) / 2];
  const result = new Float32Array(a * b * c * d);
  for (let i = 0; i < a; i++)
    for (let j = 0; j < b; j++)
      for (let y = 0; y < c; y++)
        for (let x = 0; x < d; x++)
          result[((i * b + j) * c + y) * d + x] = known(values[((i * B + j) * C + y + dy) * D + x + dx]);
  return result;
}

test('a sub-network is the same network built alone with copied slices and its own statistics', () => {
  const elastic = new ElasticCnn(shape, new Random(2));
  estimateStatistics(elastic, [batch()]);
  const before = Object.entries(stateOf(elastic)).map(([name, weight]) => [name, weight.dataSync()] as const);
  const sub = extractSubNetwork(elastic, small);
  estimateStatistics(sub, [batch()]);

  const alone = new StagedCnn(
    {
      ...{ channels, classes: data.classes.length, stem: 4 },
      stages: [
        { width: 4, kernels: [3] },
        { width: 4, kernels: [5, 3] },
        { width: 24, kernels: [3] },
      ],
    },
    new Random(3),
  );
  const shared = stateOf(elastic);
  for (const [name, weight] of Object.entries(stateOf(alone)))
    if (!name.includes('running')) weight.assign(tensor(sliced(known(shared[name]), weight.shape), weight.shape));
  // One batch with all of its weight in the running statistics.
  for (const block of [alone.stem, ...alone.stages.flat()]) block.norm.momentum = 1;
  scope(() => void alone.forward(batch(), training(new Random(0))));

  const images = imageTensor(data.test, [0, 1, 2, 3], data);
  const [own, expected] = [sub, alone].map((network) => network.forward(images, inference).dataSync<Float32Array>());
  known(own).forEach((value, i) => {
    expect(value).toBeCloseTo(known(known(expected)[i]), 4);
  });
  // With the statistics of the largest network the answers are others.
  const stale = extractSubNetwork(elastic, small).forward(images, inference).dataSync<Float32Array>();
  expect(Math.max(...stale.map((value, i) => Math.abs(value - known(known(expected)[i]))))).toBeGreaterThan(0.01);
  // And the elastic network has every bit that it had.
  for (const [name, values] of before) expect(known(stateOf(elastic)[name]).dataSync()).toEqual(values);
});

test('the largest configuration is the elastic network itself', () => {
  const elastic = new ElasticCnn(shape, new Random(4));
  const whole = { depth: [3, 3, 3], width: [1, 1, 1], kernel: Array(9).fill(5) };
  expect(parameterCount(extractSubNetwork(elastic, whole))).toBe(parameterCount(elastic));
  expect(parameterCount(extractSubNetwork(elastic, small))).toBeLessThan(parameterCount(elastic) / 5);
  const images = batch();
  expect(extractSubNetwork(elastic, whole).forward(images, inference).dataSync()).toEqual(
    elastic.forward(images, inference).dataSync(),
  );
});

test('statistics are averages over batches, with the unbiased variance', () => {
  const network = new StagedCnn({ channels, classes: 3, stem: 2, stages: [{ width: 2, kernels: [3] }] }, new Random(5));
  const [first, second] = [0, 60].map((from) =>
    imageTensor(
      data.train,
      Array.from({ length: 60 }, (_, i) => from + i),
      data,
    ),
  ) as [Tensor, Tensor];
  estimateStatistics(network, [first, second]);
  const moments = [first, second].map((images) => {
    const map = network.stem.conv.forward(images);
    const own = map.dataSync<Float32Array>();
    const plane = map.size / 60 / 2;
    const values = Array.from({ length: 60 }, (_, n) =>
      Array.from(own.subarray(n * 2 * plane, (n * 2 + 1) * plane)),
    ).flat();
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) };
  });
  const { runningMean, runningVariance, momentum } = network.stem.norm;
  expect(runningMean.dataSync()[0]).toBeCloseTo((known(moments[0]).mean + known(moments[1]).mean) / 2, 4);
  expect(runningVariance.dataSync()[0]).toBeCloseTo((known(moments[0]).variance + known(moments[1]).variance) / 2, 3);
  expect(momentum).toBe(0.1);
  expect(() => estimateStatistics(network, [])).toThrow('at least one batch');
});

/** Two linear layers of 2 or 4 hidden features. */
class Tiny implements Elastic {
  readonly genes = { hidden: { count: 1, values: [2, 4] } };
  readonly phases = ['hidden'];
  progress = 0;
  readonly first: Linear;
  readonly second: Linear;
  constructor(
    readonly training: Elastic['training'],
    readonly hidden = 4,
    random = new Random(6),
  ) {
    this.first = new Linear(3, hidden, random);
    this.second = new Linear(hidden, 5, random);
  }
  forward(x: Tensor): Tensor {
    return this.second.forward(this.first.forward(x).relu());
  }
  subNetwork({ hidden: [hidden = 0] = [] }: Configuration): Layer {
    return new Tiny(this.training, hidden, new Random(0));
  }
}

const x = new Random(7).normal([6, 3]);
const labels = tensor(Int32Array.of(0, 1, 2, 3, 4, 0), [6], 'i32');
const lossOf = (network: Elastic, seed: number) =>
  elasticLoss(network, (layer) => layer.forward(x, inference), labels, training(new Random(seed))).item();

test('the sandwich is the cross-entropy of the largest, and what the others miss of its probabilities', () => {
  const network = new Tiny('sandwich');
  const full = network.forward(x);
  const sub = extractSubNetwork(network, { hidden: [2] }).forward(x, inference);
  const own = crossEntropy(full, labels).item();
  const missed = distillation(sub, full, labels, { weight: 1, temperature: 1 }).item();
  const counts = Array.from({ length: 12 }, (_, seed) => (lossOf(network, seed) - own) / missed);
  for (const count of counts) expect(Math.abs(count - Math.round(count))).toBeLessThan(1e-3);
  // The smallest always, and each of two draws is the smallest or the largest, which misses nothing.
  expect([...new Set(counts.map(Math.round))].sort()).toEqual([1, 2, 3]);
});

test('progressive training begins with the largest network alone', () => {
  const network = new Tiny('progressive');
  const own = crossEntropy(network.forward(x), labels).item();
  for (let seed = 0; seed < 5; seed++) expect(lossOf(network, seed)).toBeCloseTo(own, 5);
  network.progress = 0.9;
  expect(Math.max(...Array.from({ length: 8 }, (_, seed) => lossOf(network, seed)))).toBeGreaterThan(own + 1e-4);
});

test('gradients of a sub-network reach the shared weights', () => {
  const network = new Tiny('sandwich');
  const sub = network.subNetwork({ hidden: [2] });
  const names = Object.keys(sharedWeights(network, sub));
  expect(names).toEqual(['first.weight', 'first.bias', 'second.weight', 'second.bias']);
  const { grads } = gradientOf(network);
  const values = known(grads['first.weight']);
  expect(values.slice(0, 6).some((value) => value !== 0)).toBe(true);
});

function gradientOf(network: Elastic): { readonly grads: Readonly<Record<string, Float32Array>> } {
  const weights = parameters(network);
  const { gradient } = valueAndGrad((_: Record<string, Tensor>) =>
    elasticLoss(network, (layer) => layer.forward(x, inference), labels, training(new Random(1))),
  )(weights);
  return {
    grads: Object.fromEntries(Object.entries(gradient).map(([name, own]) => [name, own.dataSync<Float32Array>()])),
  };
}

test('a network that is no part of the elastic one is refused by the name of its weight', () => {
  const network = new Tiny('sandwich');
  expect(() => sharedWeights(network, new Tiny('sandwich', 6))).toThrow(
    '"first.weight" is [4, 3], which has no [6, 3]',
  );
  expect(() =>
    sharedWeights(
      network,
      new StagedCnn({ channels: 1, classes: 2, stem: 2, stages: [{ width: 2, kernels: [3] }] }, new Random(0)),
    ),
  ).toThrow('has no weight "stem.conv.weight"');
  expect(
    () => new StagedCnn({ channels: 1, classes: 2, stem: 2, stages: [{ width: 2, kernels: [] }] }, new Random(0)),
  ).toThrow('stage 1');
  expect(() => new ElasticCnn({ ...shape, width: 6 }, new Random(0))).toThrow('multiple of 4');
});

test('training teaches the sub-networks, too', async () => {
  // Stripes across or down.
  const random = new Random(12);
  const [count, side] = [80, 8];
  const pixels = Uint8Array.from({ length: count * side * side }, (_, place) => {
    const [i, y, x] = [Math.floor(place / side / side), Math.floor(place / side) % side, place % side];
    return ((i % 2 === 0 ? y : x) % 2) * 150 + random.integer(80);
  });
  const train = {
    ...{ count, channels: 1, height: side, width: side, pixels },
    labels: Int32Array.from({ length: count }, (_, i) => i % 2),
  };
  const stripes = { name: 'stripes', classes: ['across', 'down'], mean: [0.45], deviation: [0.3], train, test: train };
  const elastic = new ElasticCnn({ channels: 1, classes: 2, width: 4 }, new Random(8));
  const smallest = { depth: [1, 1, 1], width: [0.25, 0.25, 0.25], kernel: Array(9).fill(3) };
  const images = imageTensor(
    train,
    Array.from({ length: count }, (_, i) => i),
    stripes,
  );
  const loss = () => {
    const sub = extractSubNetwork(elastic, smallest);
    estimateStatistics(sub, [images]);
    return crossEntropy(sub.forward(images, inference), tensor(train.labels, [count], 'i32')).item();
  };
  expect(loss()).toBeGreaterThan(0.5);
  await trainOnImages(elastic, stripes, new Random(9), { epochs: 10, batchSize: 10, learningRate: 1e-2 });
  expect(loss()).toBeLessThan(0.2);
  expect(elastic.progress).toBeCloseTo(1, 1);
});

test('an elastic network has no other teacher than itself', async () => {
  const elastic = new ElasticCnn(shape, new Random(8));
  await expect(trainOnImages(elastic, data, new Random(9), { mixing: 'mixup' })).rejects.toThrow('by itself');
  await expect(trainOnImages(elastic, data, new Random(9), { labelSmoothing: 0.1 })).rejects.toThrow('by itself');
});

test('a sub-transformer is the transformer of its sizes with copied slices', () => {
  const elastic = new ElasticTransformer({ vocabulary: 7, length: 5, features: 8, headFeatures: 4 }, new Random(10));
  const sub = extractSubNetwork(elastic, { layers: [2], heads: [1, 2, 4, 4], hidden: [64, 128, 64, 64] });
  const alone = new TokenTransformer(
    {
      ...{ vocabulary: 7, length: 5, features: 8, headFeatures: 4 },
      layers: [
        { heads: 1, hidden: 64 },
        { heads: 2, hidden: 128 },
      ],
    },
    new Random(11),
  );
  const shared = stateOf(elastic);
  for (const [name, weight] of Object.entries(stateOf(alone)))
    weight.assign(tensor(sliced(known(shared[name]), weight.shape), weight.shape));
  const tokens = tensor(Int32Array.of(0, 1, 2, 3, 4, 6, 5, 4, 3, 2), [2, 5], 'i32');
  expect(sub.forward(tokens, inference).dataSync()).toEqual(alone.forward(tokens).dataSync());
  // A token sees none after it.
  const later = tensor(Int32Array.of(0, 1, 2, 3, 0, 6, 5, 4, 3, 0), [2, 5], 'i32');
  const [first, second] = [tokens, later].map((own) => sub.forward(own, inference).dataSync<Float32Array>());
  expect(known(first).subarray(0, 28)).toEqual(known(second).subarray(0, 28));
});
