import { describe, expect, test } from 'vitest';
import * as nn from '../../src/nn/index.js';
import { embeddingBag, SparseMatrix } from '../../src/sparse/index.js';
import { Graph, Hypergraph } from '../../src/structure/index.js';
import { add, grad, Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

const random = new Random(1);

describe('module trees', () => {
  const model = new nn.MLP([4, 5, 3], random, { norm: 'batch' });

  test('names are dotted paths; buffers are apart', () => {
    expect(Object.keys(nn.parameters(model))).toEqual([
      'blocks.0.linear.weight',
      'blocks.0.linear.bias',
      'blocks.0.norm.weight',
      'blocks.0.norm.bias',
      'head.weight',
      'head.bias',
    ]);
    expect(Object.keys(nn.buffers(model))).toEqual(['blocks.0.norm.runningMean', 'blocks.0.norm.runningVariance']);
    expect(nn.parameterCount(model)).toBe(4 * 5 + 5 + 2 * 5 + 5 * 3 + 3);
  });

  test('withWeights runs on other weights, differentiably, and puts the own ones back', () => {
    const x = uniformTensor(1, [2, 4]);
    const own = model.head.weight;
    const before = model.forward(x, nn.inference).dataSync();
    const other = uniformTensor(9, [3, 5]);
    const run = (weight: Tensor) => nn.withWeights(model, { 'head.weight': weight }, (m) => m.forward(x, nn.inference));
    expect(run(other).dataSync()).not.toEqual(before);
    expect(
      grad((w: Tensor) => run(w).sum())(other)
        .view()
        .some((v) => v !== 0),
    ).toBe(true);
    expect(() =>
      nn.withWeights(model, { 'head.weight': other }, () => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(model.head.weight).toBe(own);
    expect(model.forward(x, nn.inference).dataSync()).toEqual(before);
    const nested = nn.withWeights(model, { 'head.weight': other }, (outer) =>
      nn.withWeights(outer, { 'head.weight': own }, (m) => m.forward(x, nn.inference)),
    );
    expect(nested.dataSync()).toEqual(before);
  });

  test('a weight shared by two fields counts once and is replaced in both', () => {
    const shared = nn.parameter(tensor([2]));
    const tied = { a: { w: shared }, b: { w: shared } };
    expect(Object.keys(nn.parameters(tied))).toEqual(['a.w']);
    expect(nn.withWeights(tied, { 'a.w': tensor([5]) }, (m) => add(m.a.w, m.b.w).item())).toBe(10);
  });

  test('state is checked by name and shape', () => {
    expect(() => nn.withWeights(model, { nope: tensor([1]) }, () => 0)).toThrow(
      'withWeights: the module has no parameter "nope"',
    );
    expect(() => nn.withWeights(model, { 'head.bias': tensor([1]) }, () => 0)).toThrow(
      'weight "head.bias" is Tensor(f32[1]), expected Tensor(f32[3])',
    );
    expect(() => nn.loadState(model, {})).toThrow('weight "blocks.0.linear.weight" is missing');
  });
});

describe('layers', () => {
  test('a linear layer takes dense and sparse inputs alike', () => {
    const layer = new nn.Linear(6, 4, random);
    const x = uniformTensor(1, [5, 6]).relu();
    expectClose(layer.forward(SparseMatrix.fromDense(x), 'relu').view(), layer.forward(x, 'relu').view(), 1e-6);
    expect(Math.max(...layer.weight.view())).toBeLessThanOrEqual(1 / Math.sqrt(6));
  });

  test('batch norm normalises while training, tracks statistics, and takes a batch of one at inference', () => {
    const layer = new nn.BatchNorm1d(2);
    const x = tensor([
      [1, 10],
      [3, 30],
      [5, 20],
    ]);
    const y = layer.forward(x, nn.training(random));
    expectClose(y.mean(0).view(), [0, 0], 1e-6);
    expectClose(y.variance(0).view(), [1, 1], 1e-4);
    expectClose(layer.runningMean.view(), [0.3, 2], 1e-6);
    expectClose(layer.runningVariance.view(), [0.9 + 0.1 * 4, 0.9 + 0.1 * 100], 1e-6);
    const one = layer.forward(tensor([[0.3, 2]]), nn.inference);
    expectClose(one.view(), [0, 0], 1e-6);
    expect(() => layer.forward(tensor([[1, 2]]), nn.training(random))).toThrow('at least two values a channel');
    checkGradient(
      (v) => new nn.BatchNorm1d(2, { epsilon: 1e-2 }).forward(v, nn.training(random)),
      [uniformTensor(2, [4, 2])],
      {
        tolerance: 3e-2,
      },
    );
  });

  test('dropout is the identity at inference and needs random numbers to train', () => {
    const x = uniformTensor(1, [4]);
    expect(new nn.Dropout(0.5).forward(x, nn.inference)).toBe(x);
    expect(() => new nn.Dropout(0.5).forward(x, { training: true })).toThrow(
      'Dropout: a training pass needs random numbers',
    );
  });

  test('embedding rows get their own gradients', () => {
    const layer = new nn.Embedding(4, 3, random);
    const indices = tensor(Int32Array.of(2, 2, 0));
    const gradient = grad((w: Tensor) => nn.withWeights(layer, { weight: w }, (m) => m.forward(indices).sum()))(
      layer.weight,
    );
    expect([...gradient.view()]).toEqual([1, 1, 1, 0, 0, 0, 2, 2, 2, 0, 0, 0]);
  });
});

describe('losses', () => {
  const logits = uniformTensor(1, [4, 3], -2, 2);
  const softmax = (row: number[]) => row.map((v) => Math.exp(v) / row.reduce((t, u) => t + Math.exp(u), 0));
  const rows = (x: Tensor) => Array.from({ length: 4 }, (_, i) => Array.from(x.view().subarray(i * 3, i * 3 + 3)));

  test('cross-entropy, binary cross-entropy, squared error and KL equal their definitions', () => {
    const labels = [2, 0, 1, 1];
    const expected =
      rows(logits).reduce((total, row, i) => total - Math.log(softmax(row)[labels[i] as number] as number), 0) / 4;
    expect(nn.crossEntropy(logits, tensor(Int32Array.from(labels))).item()).toBeCloseTo(expected, 5);
    const other = uniformTensor(2, [4, 3], -2, 2);
    const temperature = 2;
    const kl = rows(logits).reduce((total, row, i) => {
      const s = softmax(row.map((v) => v / temperature));
      const t = softmax((rows(other)[i] as number[]).map((v) => v / temperature));
      return total + t.reduce((sum, p, c) => sum + p * Math.log(p / (s[c] as number)), 0);
    }, 0);
    expect(nn.klDivergence(logits, other, temperature).item()).toBeCloseTo(kl / 4, 5);
    const targets = other.sigmoid();
    const bce =
      logits
        .view()
        .reduce(
          (total, x, i) =>
            total -
            (targets.view()[i] as number) * Math.log(1 / (1 + Math.exp(-x))) -
            (1 - (targets.view()[i] as number)) * Math.log(1 - 1 / (1 + Math.exp(-x))),
          0,
        ) / 12;
    expect(nn.binaryCrossEntropy(logits, targets).item()).toBeCloseTo(bce, 5);
    expect(nn.meanSquaredError(logits, other).item()).toBeCloseTo(
      logits.view().reduce((t, v, i) => t + (v - (other.view()[i] as number)) ** 2, 0) / 12,
      5,
    );
  });

  test('gradients', () => {
    const labels = tensor(Int32Array.of(2, 0, 1, 1));
    const other = uniformTensor(2, [4, 3]);
    checkGradient((x) => nn.crossEntropy(x, labels), [logits]);
    checkGradient((x) => nn.klDivergence(x, other, 2), [logits]);
    checkGradient((x) => nn.binaryCrossEntropy(x, other.sigmoid()), [logits], { second: false });
    checkGradient((x, y) => nn.meanSquaredError(x, y), [logits, other]);
  });

  test('a label outside the classes is refused', () => {
    expect(() => nn.crossEntropy(logits, tensor(Int32Array.of(0, 1, 3, 0)))).toThrow(
      'pickColumns: index 3 at position 2 is outside 0…2',
    );
  });
});

describe('optimisers equal their published updates', () => {
  /** Three steps on one parameter with gradients 0.5·w + 1, in double precision. */
  function reference(update: (w: number, g: number, state: number[], t: number) => number): number {
    let w = 2;
    const state = [0, 0];
    for (let t = 1; t <= 3; t++) w = update(w, 0.5 * w + 1, state, t);
    return w;
  }

  function run(optimizer: nn.Optimizer): number[] {
    const w = nn.parameter(tensor(new Float32Array(5).fill(2)));
    for (let t = 0; t < 3; t++) optimizer.update({ w }, { w: w.multiply(0.5).add(1) });
    return [...w.view()];
  }

  const adam = (decay: number, decoupled: boolean) => (w: number, gradient: number, state: number[], t: number) => {
    const g = gradient + (decoupled ? 0 : decay * w);
    state[0] = 0.9 * (state[0] as number) + 0.1 * g;
    state[1] = 0.999 * (state[1] as number) + 0.001 * g * g;
    return (
      w -
      0.1 * (state[0] / (1 - 0.9 ** t) / (Math.sqrt(state[1] / (1 - 0.999 ** t)) + 1e-8) + (decoupled ? decay * w : 0))
    );
  };

  test.each([
    ['Adam', new nn.Adam({ learningRate: 0.1, weightDecay: 0.2 }), adam(0.2, false)],
    ['AdamW', new nn.AdamW({ learningRate: 0.1, weightDecay: 0.2 }), adam(0.2, true)],
    ['SGD', new nn.SGD({ learningRate: 0.1, weightDecay: 0.2 }), (w: number, g: number) => w - 0.1 * (g + 0.2 * w)],
    [
      'momentum',
      new nn.SGD({ learningRate: 0.1, momentum: 0.9 }),
      (w: number, g: number, s: number[]) => w - 0.1 * (s[0] = 0.9 * (s[0] as number) + g),
    ],
    [
      'Nesterov',
      new nn.SGD({ learningRate: 0.1, momentum: 0.9, nesterov: true }),
      (w: number, g: number, s: number[]) => {
        s[0] = 0.9 * (s[0] as number) + g;
        return w - 0.1 * (g + 0.9 * s[0]);
      },
    ],
  ] as const)('%s', (_name, optimizer, update) => {
    expectClose(run(optimizer), new Array(5).fill(reference(update)), 1e-5);
  });

  test('bad settings are refused', () => {
    expect(() => new nn.Adam({ learningRate: -1 })).toThrow('the learning rate must be positive');
    expect(() => new nn.SGD({ nesterov: true })).toThrow('Nesterov needs a momentum');
  });
});

test('schedules', () => {
  expect([0, 9, 10, 20].map(nn.stepDecay(10, 0.5))).toEqual([1, 1, 0.5, 0.25]);
  expectClose([0, 5, 10, 99].map(nn.cosine(10, 0.1)), [1, 0.55, 0.1, 0.1], 1e-12);
  expectClose([0, 1, 3, 4, 14].map(nn.warmUp(4, nn.cosine(10))), [0.25, 0.5, 1, 1, 0], 1e-12);
  // Two of eight steps rise, six fall; of one step there is nothing to fall.
  expectClose([0, 1, 2, 5, 8].map(nn.warmUpCosine(8, 0.25)), [0.5, 1, 1, 0.5, 0], 1e-12);
  expectClose([0, 1, 51, 100].map(nn.warmUpCosine(101, 0)), [1, 1, 0.5, (1 + Math.cos(0.99 * Math.PI)) / 2], 1e-12);
  expect([0, 1, 2].map(nn.warmUpCosine(1))).toEqual([1, 1, 0]);
});

test('the rate is lowered where torch’s ReduceLROnPlateau lowers it', () => {
  const metrics = [0.5, 0.6, 0.6, 0.60003, 0.4, 0.7, 0.69, 0.68, 0.67, 0.66, 0.7, 0.8, 0.8, 0.8];
  const factors = (options: nn.PlateauOptions, seen: readonly number[]) => {
    const plateau = new nn.ReduceOnPlateau(options);
    return seen.map((metric) => {
      plateau.see(metric);
      return plateau.factor;
    });
  };
  // Of torch.optim.lr_scheduler.ReduceLROnPlateau(mode, factor, patience, eps=0) of torch 1.13.
  const loss = metrics.map((metric) => 1 - metric);
  const halves = [1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.125, 0.125, 0.0625];
  expectClose(factors({ patience: 1, by: 0.5 }, loss), halves, 1e-12);
  const tenths = [0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 3, 3, 4].map((times) => 0.1 ** times);
  expectClose(factors({ patience: 1, better: 'larger' }, metrics), tenths, 1e-12);
  const later = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2].map((times) => 0.1 ** times);
  expectClose(factors({ patience: 2, better: 'larger' }, metrics), later, 1e-12);
  expect(() => new nn.ReduceOnPlateau({ patience: -1 })).toThrow('patience must be an integer from 0 on');
  expect(() => new nn.ReduceOnPlateau({ by: 1 })).toThrow('by must lie between 0 and 1');
});

test('accuracy and macro F1 equal hand counts', () => {
  const labels = [0, 0, 1, 1, 2];
  const predicted = [0, 1, 1, 1, 0];
  expect(nn.accuracy(predicted, labels)).toBe(0.6);
  expect(nn.accuracy(predicted, labels, [2, 3])).toBe(1);
  expect(nn.macroF1(predicted, labels, 3)).toBeCloseTo((0.5 + 0.8 + 0) / 3, 12);
});

describe('cross-entropy with weights, an ignored label and smoothing', () => {
  const logits = uniformTensor(1, [5, 4], -2, 2);
  const labels = [2, -100, 1, 0, 2];
  const w = [0.5, 2, 0.25, 1];

  /** The definition in double precision: sums over rows that count, over the weights of their labels. */
  function reference(
    weights: number[] | undefined,
    ignoreIndex: number | undefined,
    smoothing: number,
    y = labels,
  ): number {
    let [loss, total] = [0, 0];
    y.forEach((label, i) => {
      if (label === ignoreIndex) return;
      const row = [...logits.view().subarray(4 * i, 4 * i + 4)];
      const log = Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0));
      const weightOf = (c: number) => weights?.[c] ?? 1;
      loss -= (1 - smoothing) * weightOf(label) * ((row[label] as number) - log);
      row.forEach((v, c) => {
        loss -= (smoothing / 4) * weightOf(c) * (v - log);
      });
      total += weightOf(label);
    });
    return loss / total;
  }
  const ids = (values: number[]) => tensor(Int32Array.from(values));

  test.each([0, 0.1, 1])('equals its definition with smoothing %f', (labelSmoothing) => {
    const complete = [2, 3, 1, 0, 2];
    const weight = tensor(w);
    const ignoreIndex = -100;
    for (const [options, expected] of [
      [{ labelSmoothing, weight }, reference(w, undefined, labelSmoothing, complete)],
      [{ labelSmoothing }, reference(undefined, undefined, labelSmoothing, complete)],
    ] as const)
      expect(nn.crossEntropy(logits, ids(complete), options).item()).toBeCloseTo(expected, 5);
    for (const [options, expected] of [
      [{ labelSmoothing, weight, ignoreIndex }, reference(w, -100, labelSmoothing)],
      [{ labelSmoothing, ignoreIndex }, reference(undefined, -100, labelSmoothing)],
    ] as const) {
      expect(nn.crossEntropy(logits, ids(labels), options).item()).toBeCloseTo(expected, 5);
      checkGradient((x) => nn.crossEntropy(x, ids(labels), options), [logits]);
    }
  });

  test('a batch that is all ignored gives 0 without a gradient', () => {
    const loss = (x: Tensor) => nn.crossEntropy(x, ids([7, 7, 7, 7, 7]), { ignoreIndex: 7 });
    expect(loss(logits).item()).toBe(0);
    expect(
      grad(loss)(logits)
        .view()
        .every((v) => v === 0),
    ).toBe(true);
  });

  test('wrong options are refused', () => {
    expect(() => nn.crossEntropy(logits, ids(labels), { weight: tensor([1, 2]) })).toThrow('expected 4 class weights');
    expect(() => nn.crossEntropy(logits, ids(labels), { labelSmoothing: 1.5 })).toThrow('must be in [0, 1], got 1.5');
    expect(() => nn.crossEntropy(logits, ids(labels), { ignoreIndex: -1 })).toThrow('pickColumns: index -100');
  });
});

test('the gradient of binary cross-entropy is sigmoid(x) − t also at 0', () => {
  const gradient = grad((x: Tensor) => nn.binaryCrossEntropy(x, tensor([1, 0, 0.25])))(tensor([0, 0, 0]));
  expectClose(gradient.view(), [-0.5 / 3, 0.5 / 3, 0.25 / 3]);
});

test('minibatches drop a short last batch when asked', () => {
  const sizes = (count: number, dropLast: boolean) =>
    [...nn.minibatches(count, 4, new Random(1), { dropLast })].map((rows) => rows.length);
  expect(sizes(10, false)).toEqual([4, 4, 2]);
  expect(sizes(10, true)).toEqual([4, 4]);
  expect(sizes(8, true)).toEqual([4, 4]);
  expect(sizes(3, true)).toEqual([]);
});

describe('gradients whose squares leave the range of f32', () => {
  const step = (optimizer: nn.Optimizer, g: number[]) => {
    const w = tensor(new Float32Array(g.length));
    optimizer.update({ w }, { w: tensor(g) });
    return [...w.view()];
  };

  test('Adam and LAMB take a step of the learning rate for huge ones and none for tiny ones', () => {
    expectClose(
      step(new nn.Adam({ learningRate: 0.1 }), [1e20, -3e38, 1, 1, 1e25, 1e-30]),
      [-0.1, 0.1, -0.1, -0.1, -0.1, 0],
    );
    expectClose(step(new nn.LAMB({ learningRate: 0.1 }), [1e20, -3e38]), [-0.1, 0.1]);
  });

  test('infinite gradients stay visible', () => {
    for (const optimizer of [new nn.Adam(), new nn.LAMB()]) expect(step(optimizer, [Infinity])).toEqual([NaN]);
  });

  test('an ε of 0 is refused', () => {
    expect(() => new nn.Adam({ epsilon: 0 })).toThrow('epsilon must be positive, got 0');
  });

  test('Adam keeps the digits of 1 − β₂ in its first step', () => {
    expect(step(new nn.Adam({ learningRate: 1 }), [2])[0]).toBeCloseTo(-1, 6);
  });

  test('the global norm and clipping', () => {
    expect(nn.globalNorm({ a: tensor([3e25]), b: tensor([4e25]) }) / 5e25).toBeCloseTo(1, 5);
    expect(nn.globalNorm({ a: tensor([3e-25]), b: tensor([4e-25]) }) / 5e-25).toBeCloseTo(1, 5);
    const gradients = { a: tensor([3e25, 4e25]) };
    nn.clipGradients(gradients, 1);
    expectClose(gradients.a.view(), [0.6, 0.8]);
  });
});

test('batch norm of rows far from 0 is that around 0, in training and inference', () => {
  const layer = new nn.BatchNorm1d(2);
  const x = tensor(
    Float32Array.from({ length: 12 }, (_, i) => 2 ** 22 + (i % 4)),
    [6, 2],
  );
  const around0 = tensor(
    Float32Array.from({ length: 12 }, (_, i) => i % 4),
    [6, 2],
  );
  const expected = new nn.BatchNorm1d(2).forward(around0, { training: true });
  expectClose(layer.forward(x, { training: true }).view(), expected.view(), 1e-5);
  layer.runningMean.assign(tensor([2 ** 22, 2 ** 22]));
  layer.runningVariance.assign(tensor([1, 1]));
  expectClose(layer.forward(x, { training: false }).view(), around0.view(), 1e-4);
});

test.each<[string, (prediction: Tensor, target: Tensor) => Tensor]>([
  ['meanSquaredError', nn.meanSquaredError],
  ['huberLoss', (a, b) => nn.huberLoss(a, b)],
  ['binaryCrossEntropy', nn.binaryCrossEntropy],
  ['softCrossEntropy', nn.softCrossEntropy],
  ['klDivergence', (a, b) => nn.klDivergence(a, b)],
  ['distillation', (a, b) => nn.distillation(a, b, tensor(Int32Array.of(0, 0, 0)))],
])('%s does not broadcast a column against a row', (name, loss) => {
  const [column, row] = [uniformTensor(1, [3, 1]), uniformTensor(2, [3])];
  expect(() => loss(column, row)).toThrow(`${name}: expected prediction and target of one shape, got [3, 1] and [3]`);
});

test('choices by other names are refused, not taken for another choice', () => {
  const other = <T>(name: string) => name as T;
  expect(() => nn.kaimingNormal(random, [2, 3], { mode: other('fan_in') })).toThrow(
    "mode must be 'fan-in' or 'fan-out'",
  );
  expect(() => new nn.Linear(2, 3, random, { init: other('glorot') })).toThrow("init must be 'kaiming' or 'xavier'");
  expect(() => new nn.Linear(2, 3, random).forward(uniformTensor(1, [1, 2]), other('gelu'))).toThrow('the activation');
  const bags = [uniformTensor(1, [3, 2]), Int32Array.of(0, 1), Int32Array.of(0, 2)] as const;
  expect(() => embeddingBag(...bags, other('max'))).toThrow("the mode must be 'sum' or 'mean'");
  expect(() => Graph.fromEdges(2, [0], [1], { duplicates: other('last') })).toThrow("duplicates must be 'sum' or");
  expect(() => Graph.fromEdges(2, [0], [1], { selfLoops: other('remove') })).toThrow("selfLoops must be 'keep' or");
  const hypergraph = new Hypergraph(2, [[0, 1]]);
  expect(() => hypergraph.mergeDuplicates(other('min'))).toThrow("the rule must be 'mean' or 'sum' or 'max'");
  expect(() => hypergraph.cliqueExpansion(other('weights'))).toThrow("the values must be 'binary' or 'counts'");
  expect(() => hypergraph.withSelfLoops(other('none'))).toThrow("the vertices must be 'isolated' or 'all'");
});
