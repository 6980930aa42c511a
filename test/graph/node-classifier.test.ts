import { describe, expect, test } from 'vitest';
import { type AttributedGraph, type Column, givenSplit, nodeClasses, splitByShare } from '../../src/data/index.js';
import * as g from '../../src/graph/index.js';
import { inference, Linear, stateOf } from '../../src/nn/index.js';
import { SparseMatrix } from '../../src/sparse/index.js';
import { Graph } from '../../src/structure/index.js';
import { matmul, Random, softmax, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniform, uniformTensor } from '../oracle.js';

const n = 30;
const graph = Graph.fromEdges(
  n,
  Array.from({ length: 60 }, (_, e) => e % n),
  Array.from({ length: 60 }, (_, e) => (7 * e + 3) % n),
  { weights: Array.from({ length: 60 }, (_, e) => 1 + (e % 3)) },
);
const numbers = (name: string, values: ArrayLike<number>): Column => ({
  name,
  kind: 'number',
  values: Float64Array.from(values),
});
const texts = (name: string, value: (v: number) => string | undefined): Column => ({
  name,
  kind: 'category',
  values: Array.from({ length: n }, (_, v) => value(v)),
});
const own = (columns: readonly Column[], more: Partial<AttributedGraph> = {}): AttributedGraph => ({
  name: 'mine',
  graph,
  nodeNames: Array.from({ length: n }, (_, v) => `n${v}`),
  attributes: { rows: n, columns },
  ...more,
});

describe('combined hops by blocks', () => {
  const features = uniformTensor(1, [n, 10]);
  const weights = g.hopWeights(g.smoothness(features, graph, 3), 0.5);
  const whole = g.weightedHops(features, graph, weights);

  test('rows alone equal those of the whole', () => {
    const rows = Int32Array.of(4, 29, 0, 11);
    const found = g.weightedHopRows(features, graph, weights, rows, { block: 3 }).view();
    rows.forEach((v, i) => {
      expectClose(found.subarray(10 * i, 10 * i + 10), whole.view().subarray(10 * v, 10 * v + 10));
    });
  });

  test('a linear layer on them needs no whole', () => {
    const linear = new Linear(10, 4, new Random(3));
    const expected = matmul(whole, linear.weight, { transposeB: true }).add(linear.bias as Tensor);
    expectClose(g.projectedHops(features, graph, weights, linear, { block: 3 }).view(), expected.view(), 1e-5);
  });
});

describe('networks by name', () => {
  const names = Object.keys(g.nodeNetworks) as g.NetworkName[];
  const columns = [numbers('x', uniform(2, n)), numbers('y', uniform(3, n)), texts('place', (v) => 'abc'[v % 3])];
  const data = own(columns);
  const { inputs } = g.fitInputs(data, []);
  const layout = { steps: 3, depth: 3, hidden: 6, heads: 2, dropout: 0.5 };

  test.each(names)('%s: the file answers as the network does, columns in any order', (name) => {
    const network = g.nodeNetwork(name, 5, 2, new Random(4), layout);
    const expected = softmax(network.forward(g.featuresOf(inputs, data), graph, inference)).view();
    const model = new g.NodeClassifier(network, {
      network: name,
      layout,
      inFeatures: 5,
      inputs,
      directed: false,
      target: 'label',
      classes: ['no', 'yes'],
      trained: { data: 'mine', nodes: n, edges: 60, labelled: n },
      scores: {},
    });
    const read = g.NodeClassifier.load(model.save());
    expectClose(read.predictProba(own([...columns].reverse())), expected, 1e-5);
  });

  test.each(['dgmlp', 'sgc', 'gcn'] as const)('%s is trained, all of its weights', async (name) => {
    const labels = Int32Array.from({ length: n }, (_, v) => v % 3);
    const task = { graph, features: g.featuresOf(inputs, data), labels, classes: 3 };
    const split = { train: Int32Array.from({ length: 20 }, (_, v) => v), validation: Int32Array.of(20, 21, 22, 23) };
    const deep = { ...layout, dropout: 0, depth: 2 };
    const network = g.nodeNetwork(name, 5, 3, new Random(5), deep);
    const before = Object.values(stateOf(network)).map((weight) => weight.dataSync());
    await g.trainNodeNetwork(name, network, deep, { ...task, ...split }, new Random(6), {
      epochs: 60,
      learningRate: 0.05,
    });
    const after = Object.values(stateOf(network)).map((weight) => weight.dataSync());
    expect(after.filter((values, i) => values.every((value, at) => value === before[i]?.[at]))).toEqual([]);
    const logits = g.nodeLogits(name, network, deep, task.features, graph);
    expectClose(logits.view(), network.forward(task.features, graph, inference).view(), 1e-4);
  });

  test('directions are refused by networks that know none', () => {
    expect(() => g.requireReadable('gcn', true)).toThrow(
      'gcn propagates both ways along each edge; directed edges are for sage, gat, gatv2, gin',
    );
    expect(() => g.requireReadable('sage', true)).not.toThrow();
    expect(() => g.requireReadable('gcn', false)).not.toThrow();
  });
});

describe('features of nodes', () => {
  test('names and constants are left out with the reason, the class is no input', () => {
    const { inputs, leftOut } = g.fitInputs(
      own([
        texts('person', (v) => `p${v}`),
        numbers('one', new Array(n).fill(1)),
        numbers('x', uniform(1, n)),
        texts('label', (v) => 'ab'[v % 2]),
      ]),
      ['label'],
    );
    expect(g.inputNames(inputs)).toEqual(['x']);
    expect([...leftOut]).toEqual([
      ['person', 'texts that all differ'],
      ['one', 'one value in all rows'],
    ]);
  });

  test('many columns of counts stay sparse, rows of length 1; a missing column is named', () => {
    const words = Array.from({ length: 40 }, (_, j) =>
      numbers(
        `w${j}`,
        Array.from({ length: n }, (__, v) => ((v * 7 + j * 3) % 11 === 0 ? 1 + (v % 2) : 0)),
      ),
    );
    const { inputs } = g.fitInputs(own(words), []);
    expect(inputs.kind).toBe('counts');
    const features = g.featuresOf(inputs, own(words)) as SparseMatrix;
    expect(features).toBeInstanceOf(SparseMatrix);
    const squares = new SparseMatrix(features.pattern, (features.values as Tensor).multiply(features.values as Tensor));
    expectClose(squares.rowSums(), new Float64Array(n).fill(1), 1e-5);
    expect(() => g.featuresOf(inputs, own(words.slice(1)))).toThrow('"mine": the nodes lack "w0"');
  });

  test('a dense matrix is standardised as in training, also for another graph', () => {
    const matrix = tensor(uniform(9, 2 * n, 3, 5), [n, 2]);
    const { inputs } = g.fitInputs(own([], { matrix }), []);
    const doubled = g.featuresOf(inputs, own([], { matrix: matrix.multiply(2) })) as Tensor;
    const single = g.featuresOf(inputs, own([], { matrix })) as Tensor;
    const [a, b, x] = [single.view(), doubled.view(), matrix.view()];
    const mean = (j: number) => x.filter((_, i) => i % 2 === j).reduce((total, value) => total + value, 0) / n;
    const scale = ((b[0] as number) - (a[0] as number)) / (x[0] as number);
    expect(a[0]).toBeCloseTo(((x[0] as number) - mean(0)) * scale, 4);
    const squares = a.filter((_, i) => i % 2 === 1).reduce((total, value) => total + value * value, 0);
    expect(squares / n).toBeCloseTo(1, 4);
    expect(() => g.featuresOf(inputs, own([]))).toThrow('no matrix of features; the model reads 2');
  });

  test('nodes without attributes have features of the edges, the same for a node of the same name', () => {
    const { inputs } = g.fitInputs(own([]), []);
    expect(inputs).toEqual({ kind: 'structure' });
    expect((g.featuresOf(inputs, own([])) as Tensor).shape[0]).toBe(n);
  });
});

describe('classes and parts', () => {
  test('labels may be missing; a split is read by name, its unlabelled nodes counted', () => {
    const parts = ['Train', 'val', 'test', undefined];
    const data = own([
      texts('Class', (v) => (v % 5 === 4 ? undefined : ['10', '9'][v % 2])),
      texts('split', (v) => parts[v % 4]),
    ]);
    const { target, labels, classNames } = nodeClasses(data);
    expect([target, classNames, ...labels.subarray(0, 5)]).toEqual(['Class', ['9', '10'], 1, 0, 1, 0, -1]);
    const split = givenSplit(data, labels);
    expect([...(split?.train ?? [])]).toEqual([0, 8, 12, 16, 20, 28]);
    expect(split?.unlabelled).toBe(5);
    expect(() => givenSplit(own([texts('split', () => 'later')]), labels)).toThrow('node "n0" is in split "later"');
  });

  test('names of nodes are no classes; another attribute may be named', () => {
    const data = own([texts('label', (v) => `Node ${v}`), texts('side', (v) => 'lr'[v % 2])]);
    expect(() => nodeClasses(data)).toThrow(
      '30 different values, which are no classes; name the attribute by --target',
    );
    expect(nodeClasses(data, 'side').classNames).toEqual(['l', 'r']);
    expect(() => nodeClasses(data, 'edge')).toThrow('no attribute "edge"; there are label, side');
  });

  test('shares are of each class; small classes keep a node to train on', () => {
    const sizes = [1, 2, 3, 4, 100];
    const labels = Int32Array.from([-1, ...sizes.flatMap((size, c) => new Array<number>(size).fill(c))]);
    const split = splitByShare(labels, sizes.length, { train: 0.6, validation: 0.2 }, new Random(1));
    const count = (rows: Int32Array) => sizes.map((_, c) => rows.filter((row) => labels[row] === c).length);
    expect(count(split.train)).toEqual([1, 1, 1, 2, 60]);
    expect(count(split.validation)).toEqual([0, 0, 1, 1, 20]);
    expect(count(split.test)).toEqual([0, 1, 1, 1, 20]);
  });
});
