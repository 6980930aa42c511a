import { describe, expect, test } from 'vitest';
import { wordBlocks } from '../../src/data/index.js';
import { splitPerClass } from '../../src/data/splits.js';
import * as g from '../../src/graph/index.js';
import { inference, type Linear } from '../../src/nn/index.js';
import { SparseMatrix } from '../../src/sparse/index.js';
import { Graph } from '../../src/structure/index.js';
import { eye, Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const n = 5;
const pairs = [
  [0, 1],
  [1, 2],
  [2, 3],
] as const;
const graph = Graph.fromEdges(
  n,
  pairs.map(([u]) => u),
  pairs.map(([, v]) => v),
);
const x = uniformTensor(2, [n, 4]);
/** Â of the path 0 – 1 – 2 – 3 and a node without edges. */
const operator = (() => {
  const degrees = [2, 3, 3, 2, 1];
  const values = Array.from(eye(n).view(), (value, at) => value / (degrees[Math.floor(at / n)] as number));
  for (const [u, v] of pairs)
    for (const [a, b] of [
      [u, v],
      [v, u],
    ] as const)
      values[a * n + b] = 1 / Math.sqrt((degrees[a] as number) * (degrees[b] as number));
  return tensor(values, [n, n]);
})();
const layerOf = (network: g.DepthNetwork, l: number) => network.layers[l] as Linear;
const linear = (network: g.DepthNetwork, l: number, h: Tensor) => layerOf(network, l).forward(h);
const propagated = (h: Tensor, steps: number) => {
  let y = h;
  for (let k = 0; k < steps; k++) y = operator.matmul(y);
  return y;
};
const make = (options: g.DepthOptions) =>
  new g.DepthNetwork(4, 3, { hidden: 6, dropout: 0, ...options }, new Random(7));

describe('a network of depths D_p and D_t', () => {
  test('D_t = 1 is SGC, D_p = 0 a perceptron', () => {
    const sgc = make({ propagations: 3, transformations: 1 });
    expectClose(sgc.forward(x, graph, inference).view(), linear(sgc, 0, propagated(x, 3)).view());
    const mlp = make({ propagations: 0, transformations: 3 });
    const expected = linear(mlp, 2, linear(mlp, 1, linear(mlp, 0, x).relu()).relu());
    expectClose(mlp.forward(x, graph, inference).view(), expected.view());
  });

  test('propagations are spread over the layers', () => {
    const network = make({ propagations: 3, transformations: 2 });
    const hidden = linear(network, 0, propagated(x, 2)).relu();
    expectClose(network.forward(x, graph, inference).view(), linear(network, 1, propagated(hidden, 1)).view());
  });

  test('skips add or concatenate what a layer reads', () => {
    for (const [propagations, steps] of [
      [4, 1],
      [0, 0],
    ] as const) {
      const residual = make({ propagations, transformations: 4, skip: 'residual' });
      let h = linear(residual, 0, propagated(x, steps)).relu();
      for (const l of [1, 2]) h = linear(residual, l, propagated(h, steps)).relu().add(h);
      const expected = linear(residual, 3, propagated(h, steps)).view();
      expectClose(residual.forward(x, graph, inference).view(), expected);
    }
    const dense = make({ propagations: 3, transformations: 3, skip: 'dense' });
    expect(dense.layers.map(({ inFeatures }) => inFeatures)).toEqual([4, 6, 12]);
  });
});

const { graph: blocks, features, labels, classes } = wordBlocks(new Random(3));
const split = splitPerClass(labels, classes, { train: 20, validation: 30 }, new Random(4));
const data = { graph: blocks, features, labels, classes, ...split };

describe('the harness', () => {
  test('a sweep trains each point and seed; networks of other kinds take part', async () => {
    const made: string[] = [];
    const points: g.DepthPoint[] = [
      { name: 'GCN', propagations: 2, transformations: 2 },
      {
        name: 'DAGNN',
        propagations: 4,
        transformations: 2,
        create: (inputs, outputs, random) => {
          made.push('DAGNN');
          return new g.DAGNN(inputs, outputs, random, { steps: 4 });
        },
      },
      { name: 'blind', propagations: 0, transformations: 2 },
    ];
    const results = await g.depthSweep(data, points, { seeds: [0, 1], epochs: 30 });
    expect(made).toEqual(['DAGNN', 'DAGNN']);
    expect(results.map(({ name, propagations, transformations }) => [name, propagations, transformations])).toEqual([
      ['GCN', 2, 2],
      ['DAGNN', 4, 2],
      ['blind', 0, 2],
    ]);
    const means = results.map(({ accuracies }) => ((accuracies[0] as number) + (accuracies[1] as number)) / 2);
    expect(means[0] as number).toBeGreaterThan((means[2] as number) + 10);
  }, 30_000);

  test('the gradient profile is the mean |∂L/∂W| of the first layer', async () => {
    const point = { propagations: 0, transformations: 1, dropout: 0 };
    const settings = { epochs: 2, learningRate: 1e-12, weightDecay: 0 };
    const profile = await g.gradientProfile(data, point, new Random(5), settings);
    const initial = new g.DepthNetwork(300, classes, point, new Random(5).split('weights'));
    const dense = (features as SparseMatrix).toDense().view();
    const logits = initial.forward(features, blocks, inference).view();
    const gradient = new Float64Array(classes * 300);
    for (const v of split.train) {
      const own = Array.from(logits.subarray(v * classes, (v + 1) * classes), Math.exp);
      const total = own.reduce((a, b) => a + b);
      own.forEach((value, c) => {
        const error = (value / total - Number(c === labels[v])) / split.train.length;
        for (let j = 0; j < 300; j++)
          gradient[c * 300 + j] = (gradient[c * 300 + j] as number) + error * (dense[v * 300 + j] as number);
      });
    }
    expect(profile).toHaveLength(2);
    expect(profile[0]).toBeCloseTo(gradient.reduce((sum, value) => sum + Math.abs(value), 0) / gradient.length, 6);
  });

  test('shares of right answers of each node by K', async () => {
    const shares = await g.nodeDepthPreference(data, 3, { repeats: 2, epochs: 15 });
    const mean = (k: number) =>
      split.test.reduce((sum, v) => sum + (shares[k - 1]?.[v] as number), 0) / split.test.length;
    expect(shares).toHaveLength(3);
    for (const own of shares) for (const share of own) expect([0, 0.5, 1]).toContain(share);
    expect(mean(2)).toBeGreaterThan(0.5);
    expect(mean(3)).not.toBe(mean(2));
    const [alone] = await g.nodeDepthPreference(data, 1, { repeats: 2, epochs: 15 });
    expect(shares[0]).toEqual(alone);
  });
});

describe('when deep', () => {
  test('sparser data lose labels of each class, edges, and features of whole nodes', () => {
    const weighted = { ...data, graph: Graph.fromEdges(1500, [0, 1, 2, 3], [1, 2, 3, 4], { weights: [2, 3, 4, 5] }) };
    const sparser = g.sparsify(weighted, { labels: 0.25, edges: 0.5, features: 0.1 }, new Random(1));
    for (let c = 0; c < classes; c++) expect(sparser.train.filter((v) => labels[v] === c)).toHaveLength(5);
    expect(sparser.train.every((v) => split.train.includes(v))).toBe(true);
    expect(sparser.graph.edgeCount).toBe(2);
    expect([2, 3, 4, 5]).toEqual(expect.arrayContaining([...(sparser.graph.weights as Float32Array)]));
    const rows = (sparser.features as SparseMatrix).rowSums();
    expect(rows.filter((sum) => sum > 0).length).toBe(150);
    expect(sparser.validation).toBe(data.validation);
    expect(g.sparsify(data, {}, new Random(1))).toEqual(data);
    expect(() => g.sparsify(data, { edges: 0 }, new Random(1))).toThrow('edges is a share');
  });

  test('each depth is trained on the sparser data, and tested on test nodes', async () => {
    const seen: number[] = [];
    const results = await g.whenDeep(
      data,
      { whole: {}, blind: { features: 0.01 } },
      [0, 4],
      { seeds: [0, 1], epochs: 20, learningRate: 0.2, weightDecay: 5e-3 },
      (depth, random) => {
        seen.push(depth);
        return new g.DGMLP(300, classes, random, { steps: depth });
      },
    );
    expect(seen).toEqual([0, 4, 0, 4, 0, 4, 0, 4]);
    const [whole, blind] = results.map(({ accuracies }) =>
      accuracies.map((own) => ((own[0] as number) + (own[1] as number)) / 2),
    );
    expect(whole?.[1] as number).toBeGreaterThan((whole?.[0] as number) + 5);
    expect(blind?.[0] as number).toBeLessThan(30);
  }, 30_000);
});

describe('networks beside the harness', () => {
  const weight = (layer: Linear, h: Tensor) => layer.forward(h);

  test('DAGNN sums hops, each as far as its own gate lets it', () => {
    const network = new g.DAGNN(4, 3, new Random(1), { hidden: 6, steps: 2 });
    const h = weight(network.second, weight(network.first, x).relu());
    const expected = [0, 1, 2]
      .map((k) => propagated(h, k))
      .map((hop) => hop.multiply(weight(network.retain, hop).sigmoid()))
      .reduce((a, b) => a.add(b));
    expectClose(network.forward(x, graph, inference).view(), expected.view());
  });

  test('an adaptive residual: gates that are shut give a GCN, open gates the first layer again', () => {
    const network = new g.AdaptiveGCN(4, 3, new Random(1), { layers: 3, hidden: 6 });
    const layer = (l: number, h: Tensor) => operator.matmul((network.layers[l] as g.GCNConv).linear.forward(h));
    const gate = (bias: number) => {
      for (const own of network.gates) {
        own.weight = own.weight.multiply(0);
        own.bias = tensor([bias]);
      }
    };
    const first = layer(0, x).relu();
    gate(-40);
    expectClose(network.forward(x, graph, inference).view(), layer(2, layer(1, first).relu()).view());
    gate(40);
    expectClose(network.forward(x, graph, inference).view(), layer(2, first).view());
    gate(0);
    const half = (h: Tensor) => h.add(first).multiply(0.5);
    expectClose(network.forward(x, graph, inference).view(), layer(2, half(layer(1, first).relu())).view());
  });

  test('adaptive hops by definition: softmax over k of σ([h⁰ ‖ hᵏ]·a)', () => {
    const steps = 3;
    const sum = (chain: Tensor[], initial: Linear, current: Linear, base: Tensor, logits: (h: Tensor) => Tensor) => {
      const scores = chain.map((hop) => initial.forward(base).add(current.forward(hop)).sigmoid().exp());
      const total = scores.reduce((a, b) => a.add(b));
      return chain
        .map((hop, k) => logits(hop).multiply((scores[k] as Tensor).divide(total)))
        .reduce((a, b) => a.add(b));
    };
    const chain = (h: Tensor) => Array.from({ length: steps + 1 }, (_, k) => propagated(h, k));
    const sgc = new g.AdaptiveSGC(4, 3, new Random(2), { steps });
    const expected = sum(chain(x), sgc.initial, sgc.current, x, (hop) => sgc.linear.forward(hop));
    expectClose(sgc.forward(x, graph, inference).view(), expected.view());
    expectClose(sgc.forward(SparseMatrix.fromDense(x), graph, inference).view(), expected.view());
    const appnp = new g.AdaptiveAPPNP(4, 3, new Random(2), { steps, hidden: 6 });
    const h = appnp.second.forward(appnp.first.forward(x, 'relu'));
    const own = sum(chain(h), appnp.initial, appnp.current, h, (hop) => hop);
    expectClose(appnp.forward(x, graph, inference).view(), own.view());
  });
});
