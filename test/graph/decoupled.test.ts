import { describe, expect, test } from 'vitest';
import { wordBlocks } from '../../src/data/index.js';
import { splitPerClass } from '../../src/data/splits.js';
import * as g from '../../src/graph/index.js';
import { Adam, accuracy, crossEntropy, fit, inference, predictedClasses, stateOf } from '../../src/nn/index.js';
import { Graph } from '../../src/structure/index.js';
import { Random, scope, tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const classes = 3;
const inputs = (rows: number) => ({
  x: uniformTensor(5, [rows, 6], -1, 1),
  classes: Int32Array.from({ length: rows }, (_, i) => (7 * i + (i >> 3)) % classes),
});
const network = (dropout = 0) => new g.HopNetwork(6, classes, g.fixedWeights([1]), new Random(2), { dropout });

describe('training on rows', () => {
  test('an epoch is one pass over all rows: its loss is their mean', async () => {
    const train = inputs(1000);
    const own = network();
    const expected = crossEntropy(own.transformation.forward(train.x, inference), tensor(train.classes)).item();
    const { history } = await g.trainOnRows(own, train, undefined, new Random(1), {
      epochs: 1,
      learningRate: 1e-12,
      weightDecay: 0,
      batchSize: 100,
    });
    expect(history[0]?.loss).toBeCloseTo(expected, 5);
  });

  test('steps of an epoch follow from the batch size; few rows are one step', async () => {
    const moved = async (rows: number, batchSize: number) => {
      const own = network();
      const before = own.transformation.head.weight.dataSync();
      await g.trainOnRows(own, inputs(rows), undefined, new Random(1), {
        epochs: 1,
        learningRate: 1e-3,
        weightDecay: 0,
        batchSize,
      });
      const after = own.transformation.head.weight.dataSync();
      return Math.max(...Array.from(after, (value, i) => Math.abs(value - (before[i] as number))));
    };
    // The first step of Adam moves a weight by the learning rate.
    expect(await moved(256, 10)).toBeCloseTo(1e-3, 5);
    expect(await moved(1000, 1000)).toBeCloseTo(1e-3, 5);
    expect(await moved(1000, 100)).toBeGreaterThan(3e-3);
  });

  test('a batch of all rows is the full-batch step', async () => {
    const train = inputs(300);
    const [batched, whole] = [network(), network()];
    await g.trainOnRows(batched, train, undefined, new Random(1), { epochs: 5, learningRate: 0.1, weightDecay: 0.01 });
    await fit({
      model: whole,
      loss: (live: g.HopNetwork, _: undefined, mode) =>
        crossEntropy(live.transformation.forward(train.x, mode), tensor(train.classes)),
      optimizer: new Adam({ learningRate: 0.1, weightDecay: 0.01 }),
      epochs: 5,
      random: new Random(9),
    });
    for (const [name, weight] of Object.entries(stateOf(whole)))
      expectClose((stateOf(batched)[name] as typeof weight).view(), weight.view(), 1e-4);
  });

  test('the best epoch by the validation rows is restored', async () => {
    const [train, validation] = [inputs(200), inputs(60)];
    const own = network(0.5);
    const { bestMetric, history } = await g.trainOnRows(own, train, validation, new Random(1), {
      epochs: 30,
      learningRate: 0.3,
    });
    const predicted = predictedClasses(own.transformation.forward(validation.x, inference));
    expect(bestMetric).toBe(Math.max(...history.map(({ metric }) => metric as number)));
    expect(accuracy(predicted, validation.classes, Int32Array.from(validation.classes.keys()))).toBeCloseTo(
      bestMetric as number,
      6,
    );
  });
});

describe('decoupled networks on a graph', () => {
  const { graph, features, labels, classes: count } = wordBlocks(new Random(3));
  const split = splitPerClass(labels, count, { train: 20, validation: 30 }, new Random(4));
  const data = { graph, features, labels, classes: count, ...split };
  const make = () => new g.DGMLP(300, count, new Random(1), { steps: 6, dropout: 0.2 });
  const tested = (own: g.GraphModule) => g.testAccuracy(own, data);

  test('learn from training nodes, choose by validation nodes; hops may be given', async () => {
    const settings = { epochs: 30, learningRate: 0.2, weightDecay: 5e-3 };
    const rows = Int32Array.of(...split.train, ...split.validation);
    const hops = g.hopRows(features, graph, 8, rows);
    const { network: own, training } = await g.trainNodes(make(), data, new Random(2), settings);
    const predicted = scope(() => predictedClasses(own.forward(features, graph, inference)));
    expect(accuracy(predicted, labels, split.validation)).toBeCloseTo(training.bestMetric as number, 6);
    expect(tested(own)).toBeGreaterThan(60);
    const { network: same } = await g.trainDecoupled(make(), data, new Random(2), { ...settings, hops });
    expectClose(same.forward(features, graph, inference).view(), own.forward(features, graph, inference).view(), 1e-3);
    // Labels of test nodes are not read.
    const hidden = labels.map((label, v) => (split.test.includes(v) ? 0 : label));
    const { network: blind } = await g.trainNodes(make(), { ...data, labels: hidden }, new Random(2), settings);
    expectClose(blind.forward(features, graph, inference).view(), own.forward(features, graph, inference).view(), 1e-6);
  });

  test('predictions of many nodes are made piece by piece', () => {
    const many = uniformTensor(8, [9000, 6], 0, 1);
    const isolated = Graph.fromEdges(9000, [], []);
    const own = network();
    expectClose(own.forward(many, isolated, inference).view(), own.transformation.forward(many, inference).view());
  });

  test('the score of a network reads test nodes alone', () => {
    const logits = Array.from(labels).flatMap((label) => Array.from({ length: count }, (_, c) => Number(c === label)));
    const right = { forward: () => tensor(logits, [labels.length, count]) };
    const tests = new Set(split.test);
    const wrongElsewhere = labels.map((label, v) => (tests.has(v) ? label : (label + 1) % count));
    expect(g.testAccuracy(right, { ...data, labels: wrongElsewhere })).toBe(100);
  });
});
