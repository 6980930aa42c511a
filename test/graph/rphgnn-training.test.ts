import { describe, expect, test } from 'vitest';
import * as g from '../../src/graph/index.js';
import { inference, parameters, training } from '../../src/nn/index.js';
import { Random, scope, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniform, uniformTensor } from '../oracle.js';

const shapes = [
  { name: 'even x', count: 3, width: 4 },
  { name: 'odd y', count: 1, width: 2 },
  // Above the number of tensors up to which filters and the first layer are merged.
  { name: 'even z', count: 5, width: 3 },
];
const groupsOf = (rows: number, seed: number): g.RowGroups =>
  shapes.map(({ name, count, width }, i) => ({ name, values: uniformTensor(seed + i, [count, rows, width]) }));
const tensorsOf = (groups: g.RowGroups) => groups.map(({ values }) => values);

type Rows = number[][];
const prelu = (x: number, slope: number) => (x > 0 ? x : slope * x);
function dense(x: Rows, layers: g.ActivatedLayers): Rows {
  return layers.layers.reduce((h, { weight, bias }, l) => {
    const [out, inner] = weight.shape as [number, number];
    const slope = layers.activations[l]?.slope.view()[0] as number;
    return h.map((row) =>
      Array.from({ length: out }, (_, j) => {
        const sum = row.reduce((total, value, i) => total + value * (weight.view()[j * inner + i] as number), 0);
        return prelu(sum + (bias?.view()[j] as number), slope);
      }),
    );
  }, x);
}

describe('the encoder', () => {
  const groups = groupsOf(5, 1);

  test.each(['concatenate', 'mean'] as const)('filters, perceptrons and fusion (%s) by their formulas', (fusion) => {
    const network = new g.RpHGNN(shapes, 3, new Random(2), { hidden: 6, fusion });
    for (const group of network.groups) group.bias.assign(uniformTensor(9, group.bias.shape));
    const encoded = groups.map(({ values }, i) => {
      const [count, rows, width] = values.shape as [number, number, number];
      const { weight, bias, layers } = network.groups[i] as g.GroupEncoder;
      const filters = weight.shape[0] as number;
      expect(filters).toBe(count === 1 ? 1 : 2);
      const x = Array.from({ length: rows }, (_, r) =>
        Array.from({ length: filters * width }, (_, at) => {
          const [f, j] = [Math.floor(at / width), at % width];
          let sum = bias.view()[f] as number;
          for (let k = 0; k < count; k++)
            sum += (weight.view()[f * count + k] as number) * (values.view()[(k * rows + r) * width + j] as number);
          return sum;
        }),
      );
      return dense(x, layers);
    });
    const fused = (encoded[0] as Rows).map((_, r) => {
      const rows = encoded.map((own) => own[r] as number[]);
      if (fusion === 'concatenate') return rows.flat();
      return (rows[0] as number[]).map((_, j) => rows.reduce((sum, row) => sum + (row[j] as number), 0) / rows.length);
    });
    const { weight, bias } = network.head;
    const expected = dense(fused, network.fused).flatMap((row) =>
      Array.from({ length: 3 }, (_, c) =>
        row.reduce((sum, value, j) => sum + value * (weight.view()[c * 6 + j] as number), bias?.view()[c] as number),
      ),
    );
    expectClose(network.forward(tensorsOf(groups), inference).view(), expected, 1e-5);
  });

  test('weights start Xavier-normal, biases at 0, slopes at ¼', () => {
    const network = new g.RpHGNN([{ name: 'x', count: 2, width: 300 }], 3, new Random(2), { hidden: 200 });
    const { weight, bias } = network.groups[0]?.layers.layers[0] ?? expect.unreachable();
    const values = weight.view();
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    expect(deviation / Math.sqrt(2 / (600 + 200))).toBeCloseTo(1, 1);
    // Normal, not uniform: beyond √3 deviations.
    expect(values.filter((value) => Math.abs(value) > 2 * deviation).length / values.length).toBeCloseTo(0.0455, 1);
    expect(bias?.view().every((value) => value === 0)).toBe(true);
    expect(network.groups[0]?.layers.activations[0]?.slope.view()[0]).toBe(0.25);
  });

  test('dropout of inputs and of activations, in training alone', () => {
    const run = (inputDropout: number, dropout: number) => {
      const network = new g.RpHGNN(shapes, 3, new Random(2), { hidden: 6, inputDropout, dropout });
      const trained = network.forward(tensorsOf(groups), training(new Random(1))).dataSync();
      return [trained, network.forward(tensorsOf(groups), inference).dataSync()];
    };
    const [whole, plain] = run(0, 0);
    expectClose(whole as Float32Array, plain as Float32Array);
    for (const [inputDropout, dropout] of [
      [0.5, 0],
      [0, 0.5],
    ] as const) {
      const [trained, own] = run(inputDropout, dropout);
      expectClose(own as Float32Array, plain as Float32Array);
      expect(trained).not.toEqual(own);
    }
    expect(() => new g.RpHGNN(shapes, 3, new Random(2), { depth: 0 })).toThrow('one layer a group or more');
  });
});

/** First loss of a training without dropout, which is that of the initial weights. */
async function firstLoss(targets: g.RowTargets, options: g.GroupTrainingOptions = {}): Promise<number> {
  const network = new g.RpHGNN(shapes, 3, new Random(2), { hidden: 6, inputDropout: 0, dropout: 0 });
  const { history } = await g.trainGroups(network, { groups: groupsOf(6, 1), targets }, undefined, new Random(3), {
    epochs: 1,
    ...options,
  });
  return history[0]?.loss as number;
}

/** Logits of the same initial weights. */
const initialLogits = (groups: g.RowGroups): Rows => {
  const network = new g.RpHGNN(shapes, 3, new Random(2), { hidden: 6 });
  const values = network.forward(tensorsOf(groups), inference).dataSync<Float32Array>();
  return Array.from({ length: values.length / 3 }, (_, r) => Array.from(values.subarray(3 * r, 3 * r + 3)));
};
const logSoftmaxOf = (row: number[]) => {
  const total = Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
  return row.map((value) => value - total);
};

describe('training on collected tensors', () => {
  const classes = Int32Array.of(0, 1, 2, 0, 1, 2);
  const logits = initialLogits(groupsOf(6, 1));

  test('the loss: cross-entropy, binary cross-entropy of labels, cross-entropy with a distribution', async () => {
    const entropy = logits.reduce((sum, row, r) => sum - (logSoftmaxOf(row)[classes[r] as number] as number), 0) / 6;
    expect(await firstLoss({ kind: 'class', values: classes })).toBeCloseTo(entropy, 4);
    const labels = Float32Array.from({ length: 18 }, (_, at) => Number(at % 4 < 2));
    const binary =
      logits.flat().reduce((sum, x, at) => sum + Math.log(1 + Math.exp(x)) - (labels[at] as number) * x, 0) / 18;
    expect(await firstLoss({ kind: 'labels', values: labels, classes: 3 })).toBeCloseTo(binary, 4);
    const shares = Float32Array.from({ length: 18 }, (_, at) => [0.5, 0.2, 0.3][at % 3] as number);
    const soft =
      logits.reduce(
        (sum, row) => sum - logSoftmaxOf(row).reduce((total, l, c) => total + l * (shares[c] as number), 0),
        0,
      ) / 6;
    expect(await firstLoss({ kind: 'distribution', values: shares, classes: 3 })).toBeCloseTo(soft, 4);
  });

  test('consistency: V views of the labelled rows, and of all rows against the class that they agree on', async () => {
    const unlabelled = groupsOf(4, 20);
    const all = [...logits, ...initialLogits(unlabelled)];
    const entropy = logits.reduce((sum, row, r) => sum - (logSoftmaxOf(row)[classes[r] as number] as number), 0) / 6;
    const agreed = all.reduce((sum, row) => sum - Math.max(...logSoftmaxOf(row)), 0) / 10;
    const options = { unlabelled, views: 3, consistency: 0.6 };
    expect(await firstLoss({ kind: 'class', values: classes }, options)).toBeCloseTo(3 * entropy + 0.6 * 3 * agreed, 3);
    const labels = { kind: 'labels' as const, values: new Float32Array(18), classes: 3 };
    await expect(firstLoss(labels, options)).rejects.toThrow('one class a row');
  });

  test('consistency training lowers the learning rate after each epoch', async () => {
    const after = async (epochs: number) => {
      const network = new g.RpHGNN(shapes, 3, new Random(2), { hidden: 6 });
      await g.trainGroups(
        network,
        { groups: groupsOf(6, 1), targets: { kind: 'class', values: classes } },
        undefined,
        new Random(3),
        {
          epochs,
          unlabelled: groupsOf(4, 20),
          decay: 0,
        },
      );
      return network.head.weight.dataSync();
    };
    expect(await after(2)).toEqual(await after(1));
  });

  /** Rows whose first group tells the class. */
  const telling = (rows: number, seed: number) => {
    const own = Int32Array.from(uniform(seed, rows, 0, 3), Math.floor);
    const groups = groupsOf(rows, seed + 1).map(({ name, values }, i) => ({
      name,
      values:
        i > 0
          ? values
          : tensor(
              values.view().map((value, at) => 0.3 * value + Number(at % 4 === own[Math.floor(at / 4) % rows])),
              values.shape,
            ),
    }));
    return { groups, targets: { kind: 'class' as const, values: own } };
  };

  test('learns in mini-batches, keeps the best epoch by validation and stops by patience', async () => {
    const network = new g.RpHGNN(shapes, 3, new Random(2), { hidden: 16 });
    const [train, validation] = [telling(90, 1), telling(60, 5)];
    const result = await g.trainGroups(network, train, validation, new Random(3), {
      epochs: 60,
      patience: 8,
      batchSize: 32,
    });
    const score = g.scoreOf(g.predictGroups(network, validation.groups), validation.targets, 'f1');
    expect(score).toBeCloseTo(result.bestMetric as number, 6);
    expect(score).toBeGreaterThan(0.9);
    expect(result.history.length).toBe(Math.min(60, (result.bestEpoch as number) + 8));
    const byLoss = await g.trainGroups(new g.RpHGNN(shapes, 3, new Random(2)), train, validation, new Random(3), {
      epochs: 20,
      select: 'loss',
    });
    expect(byLoss.bestMetric).toBe(Math.min(...byLoss.history.map(({ metric }) => metric as number)));
  });

  test('several labels a row are fitted by binary cross-entropy', async () => {
    const { groups } = telling(60, 1);
    const x = groups[0]?.values.view() as Float32Array;
    const values = Float32Array.from({ length: 180 }, (_, at) =>
      Number((x[Math.floor(at / 3) * 4 + (at % 3)] as number) > 0.1),
    );
    const targets = { kind: 'labels' as const, values, classes: 3 };
    const network = new g.RpHGNN(shapes, 3, new Random(2), { hidden: 32, inputDropout: 0, dropout: 0 });
    await g.trainGroups(network, { groups, targets }, undefined, new Random(3), { epochs: 150, learningRate: 0.01 });
    const { microF1, macroF1 } = g.f1Scores(g.predictGroups(network, groups), targets);
    expect(Math.min(microF1, macroF1)).toBeGreaterThan(0.97);
  });

  test('F1 of classes and of labels', () => {
    const rows = tensor([3, -1, -1, 2, -1, 1, -1, -1, -2], [3, 3]);
    expect(g.f1Scores(rows, { kind: 'class', values: Int32Array.of(0, 0, 2) })).toEqual({
      microF1: 2 / 3,
      macroF1: 0.4,
    });
    // Predicted {0}, {0, 2}, {}; wanted {0}, {2}, {1}: TP 2, FP 1, FN 1; labels 2/3, 0, 1.
    const labels = { kind: 'labels' as const, values: Float32Array.of(1, 0, 0, 0, 0, 1, 0, 1, 0), classes: 3 };
    const { microF1, macroF1 } = g.f1Scores(rows, labels);
    expect([microF1, macroF1]).toEqual([4 / 6, (2 / 3 + 0 + 1) / 3]);
  });

  test('pieces of rows give the same answers as all at once', () => {
    const many = groupsOf(5000, 1);
    const network = new g.RpHGNN(shapes, 3, new Random(2), { hidden: 6 });
    const whole = scope(() => network.forward(tensorsOf(many), inference).dataSync<Float32Array>());
    expectClose(g.predictGroups(network, many).view(), whole, 1e-5);
  });

  test('every parameter has a gradient', async () => {
    const network = new g.RpHGNN(shapes, 3, new Random(2), { hidden: 6 });
    const before = Object.entries(parameters(network)).map(([name, weight]): [string, Float32Array] => [
      name,
      weight.dataSync<Float32Array>(),
    ]);
    await g.trainGroups(
      network,
      { groups: groupsOf(6, 1), targets: { kind: 'class', values: classes } },
      undefined,
      new Random(3),
      { epochs: 3 },
    );
    const now = parameters(network);
    expect(
      before
        .filter(([name, values]) => values.every((value, i) => value === (now[name] as Tensor).view()[i]))
        .map(([name]) => name),
    ).toEqual([]);
  });
});
