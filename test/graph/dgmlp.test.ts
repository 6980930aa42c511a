import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dataFolders } from '../../src/data/folders.js';
import { loadGraph } from '../../src/data/node.js';
import * as g from '../../src/graph/index.js';
import { accuracy, inference, predictedClasses } from '../../src/nn/index.js';
import { Graph, graphOperator } from '../../src/structure/index.js';
import { Random, type Tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

// Two components and a node without edges.
const graph = Graph.fromEdges(8, [0, 1, 2, 0, 4, 5], [1, 2, 3, 2, 5, 6]);
const x = uniformTensor(3, [8, 4], 0, 1);

function powered(steps: number, exponent: number): Tensor {
  let y = x;
  for (let k = 0; k < steps; k++) y = graphOperator(graph, { exponent }).matmul(y);
  return y;
}

describe('smoothing', () => {
  test.each([0, 0.3, 0.5, 1])('the stationary state is the limit of powers, r = %f', (exponent) => {
    expectClose(g.stationaryState(x, graph, exponent).view(), powered(2048, exponent).view(), 1e-4);
  });

  test('levels by definition, NSL = α·(1 − β), GSL its mean; 0 at a node without edges', () => {
    const { nodes, graph: levels } = g.smoothness(x, graph, 6);
    const limit = g.stationaryState(x, graph);
    const cosine = (a: Tensor, b: Tensor, v: number) => {
      const [p, q] = [a.view().subarray(4 * v, 4 * v + 4), b.view().subarray(4 * v, 4 * v + 4)];
      const dot = (u: Float32Array, w: Float32Array) => u.reduce((sum, value, j) => sum + value * (w[j] as number), 0);
      return dot(p, q) / Math.sqrt(dot(p, p) * dot(q, q));
    };
    for (let k = 0; k <= 6; k++) {
      const hop = powered(k, 0.5);
      const expected = Array.from({ length: 8 }, (_, v) => cosine(hop, x, v) * (1 - cosine(hop, limit, v)));
      expectClose(nodes[k] as Float32Array, expected, 1e-5);
      expect(levels[k]).toBeCloseTo(expected.reduce((a, b) => a + b) / 8, 5);
    }
    for (const own of nodes) expect(own[7]).toBeCloseTo(0, 5);
    expect(levels[6] as number).toBeLessThan(levels[0] as number);
  });

  test('weights sum to 1, are equal at a node without edges, and the streamed sum is the stored one', () => {
    const weights = g.hopWeights(g.smoothness(x, graph, 5));
    const hops = [0, 1, 2, 3, 4, 5].map((k) => powered(k, 0.5).view());
    const expected = new Float32Array(32);
    for (let v = 0; v < 8; v++) {
      expect(weights.reduce((total, own) => total + (own[v] as number), 0)).toBeCloseTo(1, 5);
      for (let j = v * 4; j < v * 4 + 4; j++)
        expected[j] = weights.reduce((total, own, k) => total + (own[v] as number) * (hops[k]?.[j] as number), 0);
    }
    expect(weights[2]?.[7]).toBeCloseTo(1 / 6, 5);
    expectClose(g.nodeAdaptiveFeatures(x, graph, 5).view(), expected, 1e-5);
  });

  test('K = 0 is the perceptron on the features; depth 1 is a linear model', () => {
    const model = new g.DGMLP(4, 3, new Random(1), { steps: 0 });
    expectClose(model.forward(x, graph, inference).view(), model.transformation.head.forward(x).view());
    expect(() => g.nodeAdaptiveFeatures(x, graph, 2, { temperature: 0 })).toThrow('at least 0.03');
    for (const skip of ['residual', 'dense', 'none'] as const) {
      const deep = new g.ResidualMLP(4, 3, new Random(1), { depth: 4, hidden: 6, skip });
      expect(deep.forward(x, inference).shape).toEqual([8, 3]);
    }
  });
});

const hasCora = dataFolders().some((folder) => existsSync(join(folder, 'planetoid/cora.npz')));

test.skipIf(!hasCora)(
  'DGMLP and GCN reach their accuracy on Cora (needs planetoid/cora.npz)',
  async () => {
    const stored = loadGraph('cora', { scaleRows: false });
    const data = loadGraph('cora');
    const labelled = {
      ...data,
      ...(data.split as NonNullable<typeof data.split>),
      features: data.features as NonNullable<typeof data.features>,
    };
    const tested = (logits: Tensor) => 100 * accuracy(predictedClasses(logits), data.labels, labelled.test);
    const { steps, dropout, learningRate, weightDecay } = g.dgmlpPresets.cora;
    const model = new g.DGMLP(1433, 7, new Random(1), { steps, dropout });
    const raw = stored.features as NonNullable<typeof stored.features>;
    await g.trainNodes(model, { ...labelled, features: raw }, new Random(2), {
      learningRate,
      weightDecay,
      epochs: 100,
    });
    expect(tested(model.forward(raw, data.graph, inference))).toBeGreaterThan(82.5);
    const { network } = await g.trainRecipe('gcn', labelled, new Random(1));
    expect(tested(network.forward(labelled.features, data.graph, inference))).toBeGreaterThan(80);
  },
  120_000,
);
