import { describe, expect, test } from 'vitest';
import { findSystem } from '../../src/experiments/systems.js';
import { trainNodes } from '../../src/graph/index.js';
import { averagedFeatures, S2GC } from '../../src/graph/s2gc.js';
import { accuracy, inference, predictedClasses } from '../../src/nn/index.js';
import { blockModel, Graph } from '../../src/structure/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { testClaims } from '../experiments/claim-tests.js';
import { expectClose } from '../oracle.js';

/** T̃ of the path 0 – 1 – 2 in closed form: degrees with self-loops are 2, 3, 2. */
const path = Graph.fromEdges(3, [0, 1], [1, 2]);
const [end, middle, beside] = [1 / 2, 1 / 3, 1 / Math.sqrt(6)];
const operator = [
  [end, beside, 0],
  [beside, middle, beside],
  [0, beside, end],
];
const propagate = (x: readonly number[]) =>
  operator.map((row) => row.reduce((sum, value, v) => sum + value * (x[v] as number), 0));

describe('S²GC', () => {
  test.each([
    [1, 0],
    [3, 0.05],
    [4, 1],
  ])('features are 1/K·Σ((1 − α)·T̃^k·X + α·X): K = %d, α = %d', (steps, alpha) => {
    const x = [1, -2, 5];
    const expected = [0, 0, 0];
    let hop: readonly number[] = x;
    for (let k = 1; k <= steps; k++) {
      hop = propagate(hop);
      for (let v = 0; v < 3; v++)
        expected[v] = (expected[v] as number) + ((1 - alpha) * (hop[v] as number) + alpha * (x[v] as number)) / steps;
    }
    const features = tensor(Float32Array.from(x), [3, 1]);
    expectClose(averagedFeatures(features, path, steps, alpha).view(), expected);
    expect(averagedFeatures(features, path, steps, alpha)).toBe(averagedFeatures(features, path, steps, alpha));
  });

  test('learns the classes of a block model from noisy features', async () => {
    const random = new Random(1);
    const classes = 3;
    const { graph, labels } = blockModel(random, { nodes: 300, classes, noise: 0.1 });
    const features = tensor(
      Float32Array.from({ length: 300 * classes }, (_, i) => {
        const own = labels[Math.floor(i / classes)] === i % classes;
        return Number(own) + 2 * random.gaussian();
      }),
      [300, classes],
    );
    const part = (from: number) => Int32Array.from({ length: 100 }, (_, i) => from + i);
    const data = { graph, features, labels, classes, train: part(0), validation: part(100) };
    const network = new S2GC(classes, classes, random);
    await trainNodes(network, data, random, { epochs: 60, learningRate: 0.2 });
    const predicted = predictedClasses(network.forward(features, graph, inference));
    expect(accuracy(predicted, labels, part(200))).toBeGreaterThan(0.8);
  });

  test('says what does not fit', () => {
    expect(() => new S2GC(2, 2, new Random(0), { steps: 0 })).toThrow('steps must be a positive integer, got 0');
    expect(() => new S2GC(2, 2, new Random(0), { alpha: 1.5 })).toThrow('alpha is a share, got 1.5');
  });
});

const scores = (own: number) => ({
  MLP: { accuracy: 60 },
  GCN: { accuracy: 80 },
  SGC: { accuracy: 80 },
  APPNP: { accuracy: 80 },
  'SGC, K = 16': { accuracy: 78 },
  'S²GC': { accuracy: own },
});

testClaims(
  findSystem('s2gc'),
  ['blocks', 'cora', 'citeseer'].map((data) => ({
    data,
    holding: { methods: scores(80.5) },
    failing: { methods: scores(64) },
  })),
);
