import { describe, expect, test } from 'vitest';
import * as g from '../../src/graph/index.js';
import { areaUnderCurve, hitsAtRank, inference, parameters, training } from '../../src/nn/index.js';
import { Segments } from '../../src/sparse/index.js';
import { arcTask, cyclicBlocks, Graph, randomDigraph } from '../../src/structure/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

/** Outputs the features themselves. */
const identity: g.GraphModule = { forward: (x) => x as Tensor };

describe('pairs of nodes', () => {
  test('the head reads both ends in their order', () => {
    const x = uniformTensor(1, [5, 3]);
    const graph = Graph.fromEdges(5, [0], [1], { directed: true });
    const classifier = new g.ArcClassifier(identity, 3, 2, new Random(1));
    const plain = new g.ArcClassifier(identity, 3, 2, new Random(1), { hidden: 0 });
    const ends = { sources: Int32Array.of(4, 0), targets: Int32Array.of(2, 0) };
    const rows = [
      [...x.view().subarray(12, 15), ...x.view().subarray(6, 9)],
      [...x.view().subarray(0, 3), ...x.view().subarray(0, 3)],
    ];
    for (const own of [classifier, plain]) {
      const expected = own.head.forward(tensor(rows), inference);
      expectClose(own.forward(x, graph, ends, inference).view(), expected.view());
    }
    expect([classifier.head.blocks.length, plain.head.blocks.length]).toEqual([1, 0]);
    const p = classifier.predictProba(x, graph, ends);
    expect((p[0] as number) + (p[1] as number)).toBeCloseTo(1);
  });

  test('directions are learnt where the network sees them; a head that ignores the order stays at half', async () => {
    const { graph } = cyclicBlocks(new Random(3), { size: 40, density: 0.25, forward: 0.95 });
    const random = new Random(4);
    const features = random.normal([120, 4]);
    const task = arcTask(graph, 'direction', random.split('pairs'));
    const make = (network: g.GraphModule) => new g.ArcClassifier(network, 16, 2, new Random(5), { dropout: 0.2 });
    const directed = make(new g.DirectedTransformer(4, 16, new Random(6), { hidden: 16, heads: 2, dropout: 0.1 }));
    const { bestMetric } = await g.trainArcs(directed, features, task, new Random(7), {
      epochs: 60,
      learningRate: 0.01,
    });
    const accuracy = g.arcAccuracy(directed, features, task.graph, task.test);
    expect(accuracy).toBeGreaterThan(0.65);
    expect(bestMetric).toBeGreaterThan(0.65);
    // Sums of both ends are the same for both orders, and the examples are as often of each.
    const symmetric = make(new g.Symmetrised(new g.GCN(4, 16, new Random(8))));
    const first = symmetric.head.blocks[0]?.linear.weight as Tensor;
    const rows = Array.from({ length: 16 }, (_, j) => [...first.view().subarray(32 * j, 32 * j + 16)]);
    first.assign(tensor(rows.map((row) => [...row, ...row])));
    const both = { sources: Int32Array.of(3, 9), targets: Int32Array.of(9, 3) };
    const p = symmetric.predictProba(features, graph, both);
    expect(p[0]).toBeCloseTo(p[2] as number, 6);
  });

  test('MagNet learns directions that features tell, as soon as a perceptron does', async () => {
    const { graph, labels } = cyclicBlocks(new Random(1), { size: 40, density: 0.15, forward: 0.95 });
    const random = new Random(2);
    const features = tensor(Array.from(labels, (label) => [label - 1 + 0.3 * random.gaussian(), random.gaussian()]));
    const task = arcTask(graph, 'direction', new Random(3));
    const accuracyOf = async (name: g.NetworkName, layout: g.NetworkLayout) => {
      const classifier = g.arcClassifier(name, { inFeatures: 2, width: 32, classes: 2 }, new Random(4), layout);
      const options = { epochs: 60, patience: 30, select: 'loss' } as const;
      await g.trainArcs(classifier, features, task, new Random(5), options);
      return g.arcAccuracy(classifier, features, task.graph, task.test);
    };
    const perceptron = await accuracyOf('mlp', {});
    expect(perceptron).toBeGreaterThan(0.7);
    for (const q of [0.25, 0.05])
      expect(await accuracyOf('magnet', { hidden: 16, q })).toBeGreaterThan(perceptron - 0.06);
  }, 60_000);

  test('a head reads both parts of MagNet, with the width and the dropout of its layout', () => {
    const graph = randomDigraph(new Random(1), 9, 3);
    const x = uniformTensor(2, [9, 3]);
    const sizes = { inFeatures: 3, width: 10, classes: 2 };
    const own = g.arcClassifier('magnet', sizes, new Random(4), { hidden: 7, depth: 1, q: 0.1, dropout: 0 });
    expect(own.width).toBe(14);
    expect(own.network.forward(x, graph, inference).shape).toEqual([9, 14]);
    const alone = new g.MagNetEncoder(3, 14, new Random(4).split('network'), { layers: 1, q: 0.1 });
    expectClose(own.network.forward(x, graph, inference).view(), alone.forward(x, graph, inference).view());
    const ends = { sources: Int32Array.of(0, 4), targets: Int32Array.of(1, 2) };
    const mode = training(new Random(6));
    expectClose(own.forward(x, graph, ends, mode).view(), own.forward(x, graph, ends, inference).view());
    const dropping = g.arcClassifier('magnet', sizes, new Random(4), { hidden: 7 });
    expect(() =>
      expectClose(dropping.forward(x, graph, ends, mode).view(), dropping.forward(x, graph, ends, inference).view()),
    ).toThrow();
    expect(g.arcClassifier('dir-sage', sizes, new Random(4), { hidden: 7 }).width).toBe(10);
    expect(() => new g.MagNetEncoder(3, 7, new Random(4))).toThrow('7 outputs cannot be');
  });
});

describe('links of an undirected graph', () => {
  test('both orders of a pair have one answer, of the sum and the product of its ends', () => {
    const graph = randomDigraph(new Random(1), 9, 3).undirected();
    const x = uniformTensor(2, [9, 3]);
    const layout = { hidden: 7, dropout: 0 };
    const own = g.arcClassifier('gcn', { inFeatures: 3, width: 5, classes: 2 }, new Random(4), layout, 'links');
    const both = { sources: Int32Array.of(0, 4, 2), targets: Int32Array.of(4, 0, 8) };
    const logits = own.forward(x, graph, both, inference).view();
    expectClose(logits.subarray(0, 2), logits.subarray(2, 4), 1e-6);
    const h = own.network.forward(x, graph, inference).view();
    const at = (v: number) => h.subarray(5 * v, 5 * v + 5);
    const read = [...at(2).map((a, j) => a + (at(8)[j] as number)), ...at(2).map((a, j) => a * (at(8)[j] as number))];
    expectClose(logits.subarray(4), own.head.forward(tensor(read, [1, 10]), inference).view(), 1e-5);
  });

  test('links within groups are learnt by a network, and scored above other pairs', async () => {
    const random = new Random(3);
    const n = 80;
    const pairs = Array.from({ length: n * n }, (_, at) => [Math.floor(at / n), at % n] as const).filter(
      ([u, v]) => u < v && random.uniform([1]).item() < (u % 4 === v % 4 ? 0.5 : 0.02),
    );
    const graph = Graph.fromEdges(
      n,
      pairs.map(([u]) => u),
      pairs.map(([, v]) => v),
    );
    const task = arcTask(graph, 'links', new Random(5));
    const x = uniformTensor(6, [n, 16]);
    const own = g.arcClassifier('gcn', { inFeatures: 16, width: 16, classes: 2 }, new Random(7), {}, 'links');
    await g.trainArcs(own, x, task, new Random(8), { epochs: 150, select: 'loss' });
    const scores = own.predictProba(x, task.graph, task.test).filter((_, i) => i % 2 === 1);
    expect(areaUnderCurve(scores, task.test.classes)).toBeGreaterThan(0.8);
    expect(hitsAtRank(scores, task.test.classes, 5)).toBeGreaterThan(0.3);
  }, 60_000);
});

describe('whole graphs', () => {
  test('the readout is mean and maximum over the nodes of each', () => {
    const h = tensor([
      [1, -4],
      [3, -2],
      [5, 7],
    ]);
    const found = g.meanMaxReadout(h, Segments.fromSizes([2, 1])).view();
    expectClose(found, [2, -3, 3, -2, 5, 7, 5, 7]);
  });

  test('a batch answers as its graphs do alone; directions of paths are learnt', async () => {
    // Trees that branch towards their leaves, or the same with all arcs turned.
    const tree = (towards: boolean, size: number) => {
      const children = Array.from({ length: size - 1 }, (_, v) => v + 1);
      const parents = children.map((v) => (v - 1) >> 1);
      return Graph.fromEdges(size, towards ? parents : children, towards ? children : parents, { directed: true });
    };
    const graphs = Array.from({ length: 60 }, (_, i) => tree(i % 2 === 0, 5 + (i % 7)));
    const data: g.LabelledGraphs = {
      graphs,
      features: (chosen) => {
        const total = Array.from(chosen, (i) => (graphs[i] as Graph).nodeCount).reduce((a, b) => a + b, 0);
        return tensor(new Float32Array(total).fill(1), [total, 1]);
      },
      labels: Int32Array.from(graphs, (_, i) => i % 2),
      train: Int32Array.from({ length: 40 }, (_, i) => i),
      validation: Int32Array.from({ length: 10 }, (_, i) => 40 + i),
    };
    const network = new g.DirGNN(1, 8, new Random(1), { conv: 'gcn', hidden: 8, dropout: 0 });
    const classifier = new g.WholeGraphClassifier(network, 8, 2, new Random(2), { dropout: 0 });
    const chosen = Int32Array.of(3, 10, 21);
    const together = classifier.forward(g.batchOf(data, chosen), inference).view().slice();
    chosen.forEach((own, i) => {
      const alone = classifier.forward(g.batchOf(data, [own]), inference).view();
      expectClose(alone, together.subarray(2 * i, 2 * i + 2), 1e-5);
    });
    const before = Object.values(parameters(classifier)).map((weight) => weight.view().slice());
    await g.trainGraphClassifier(classifier, data, new Random(3), { epochs: 25, batchSize: 8, learningRate: 0.02 });
    const after = Object.values(parameters(classifier)).map((weight) => weight.view());
    expect(after.filter((weight, i) => weight.every((value, j) => value === before[i]?.[j]))).toEqual([]);
    const test = Int32Array.from({ length: 10 }, (_, i) => 50 + i);
    expect(g.wholeGraphAccuracy(classifier, data, test)).toBeGreaterThan(0.9);
    expect(g.wholeGraphLogits(classifier, data, test, 3).shape).toEqual([10, 2]);
  });
});

describe('numbers of nodes', () => {
  test('are scaled by the training rows, learnt, and given back in their units', async () => {
    const random = new Random(2);
    const graph = randomDigraph(random, 200, 4);
    const features = random.normal([200, 2]);
    const x = features.view();
    // 1000 + 50·(mean of the first feature over sources).
    const values = Float32Array.from({ length: 200 }, (_, v) => {
      let [sum, count] = [0, 0];
      graph.forEachEntry((a, b) => {
        if (b !== v) return;
        sum += x[2 * a] as number;
        count += 1;
      });
      return 1000 + 50 * (count === 0 ? 0 : sum / count);
    });
    const order = random.permutation(200);
    const [train, validation, test] = [order.slice(0, 120), order.slice(120, 150), order.slice(150)];
    const network = new g.DirGNN(2, 1, new Random(4), { conv: 'sage', layers: 2, hidden: 16, dropout: 0 });
    const data = { graph, features, values, train, validation };
    const { scale } = await g.trainNodeValues(network, data, new Random(5), { epochs: 150, learningRate: 0.02 });
    const mean = train.reduce((sum, v) => sum + (values[v] as number), 0) / train.length;
    expect(scale.mean).toBeCloseTo(mean, 3);
    const predicted = g.nodeValues(network, features, graph, scale);
    const error = (of: (v: number) => number) =>
      Math.sqrt(test.reduce((sum, v) => sum + (of(v) - (values[v] as number)) ** 2, 0) / test.length);
    expect(error((v) => predicted[v] as number)).toBeLessThan(0.4 * error(() => mean));
    expect(g.scaleOf(Float32Array.of(5, 5), Int32Array.of(0, 1))).toEqual({ mean: 5, deviation: 1 });
  });
});
