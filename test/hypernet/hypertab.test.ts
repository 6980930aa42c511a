import { describe, expect, test } from 'vitest';
import * as h from '../../src/hypernet/index.js';
import { parameters } from '../../src/nn/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { expectClose, uniform } from '../oracle.js';
import { adamByHand, lossOfView, type Weights } from './hypertab-loop.js';

const rowsOf = (count: number, width: number, seed = 1): h.Rows => ({
  count,
  width,
  values: uniform(seed, count * width),
});
const nested = ({ count, width, values }: h.Rows) =>
  Array.from({ length: count }, (_, i) => Array.from(values.subarray(i * width, (i + 1) * width)));
const weightsOf = (model: h.HyperTab): Weights =>
  Object.fromEntries(Object.entries(parameters(model.hypernet)).map(([name, own]) => [name, [...own.view()]]));

/** Two classes by the sign of x₀ + x₁. */
function summed(count: number, width: number, seed = 1) {
  const x = rowsOf(count, width, seed);
  const labels = Int32Array.from(nested(x), ([a = 0, b = 0]) => Number(a + b > 0));
  return { x, labels };
}

describe('training', () => {
  const options = { views: 3, hidden: 4, subsample: 0.5, learningRate: 1e-2, epochs: 1, batchSize: 8 };
  const { x, labels } = summed(16, 6);

  /** What training must do, for an order of views in each batch. */
  function byHand(viewsOf: (batch: number, order: Random) => Iterable<number>) {
    const model = new h.HyperTab(options);
    model.prepare(6, 2, new Random(5));
    const weights = weightsOf(model);
    const step = adamByHand(weights, options.learningRate);
    const order = new Random(5).split('order').split(1);
    const all = nested(x);
    const rows = order.permutation(16);
    for (let batch = 0; batch < 2; batch++) {
      const own = [...rows.subarray(8 * batch, 8 * batch + 8)];
      for (const view of viewsOf(batch, order)) {
        const seen = own.map((row) => all[row] as number[]);
        const wanted = own.map((row) => labels[row] as number);
        step(
          lossOfView(weights, [...(model.masks[view] as Int32Array)], seen, wanted, { hidden: 4, classes: 2 })
            .gradients,
        );
      }
    }
    return weights;
  }

  async function trained(own: h.HyperTabOptions = {}) {
    const model = new h.HyperTab({ ...options, ...own });
    await model.fit(x, labels, 2, new Random(5));
    return weightsOf(model);
  }

  const expectSame = (actual: Weights, expected: Weights) => {
    for (const [name, values] of Object.entries(expected)) expectClose(actual[name] as number[], values, 2e-5);
  };

  test('six steps of one view each are those of a loop written out by hand, views in a fresh order', async () => {
    expectSame(
      await trained(),
      byHand((_, order) => order.permutation(3)),
    );
  });

  test('slow steps take the views in turn, one for each batch', async () => {
    expectSame(
      await trained({ mode: 'slow-step' }),
      byHand((batch) => [batch]),
    );
  });

  test('several views in a step have the mean of their losses', async () => {
    const model = new h.HyperTab(options);
    model.prepare(6, 2, new Random(5));
    const start = weightsOf(model);
    const all = [...model.masks].map((mask) =>
      lossOfView(start, [...mask], nested(x), [...labels], { hidden: 4, classes: 2 }),
    );
    const step = adamByHand(start, options.learningRate);
    step(
      Object.fromEntries(
        Object.keys(start).map((name) => [
          name,
          (start[name] as number[]).map((_, i) =>
            all.reduce((sum, own) => sum + (own.gradients[name]?.[i] as number) / 3, 0),
          ),
        ]),
      ),
    );
    expectSame(await trained({ viewsPerStep: 3, batchSize: 16 }), start);
  });

  test('epochs end before the most steps are passed, but one is always made', async () => {
    const perEpoch = 6;
    const once = await trained();
    expectSame(await trained({ epochs: 9, maxSteps: 2 * perEpoch - 1 }), once);
    expectSame(await trained({ epochs: 9, maxSteps: 1 }), once);
    expectSame(await trained({ epochs: 9, maxSteps: 2 * perEpoch }), await trained({ epochs: 2 }));
  });

  test('an abort ends it with its reason', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(
      new h.HyperTab(options).fit(x, labels, 2, new Random(0), { signal: controller.signal }),
    ).rejects.toThrow('enough');
  });
});

describe('views', () => {
  const build = async (own: h.HyperTabOptions, x: h.Rows, labels?: Int32Array) => {
    const model = new h.HyperTab({ views: 400, epochs: 1, viewsPerStep: 400, hidden: 2, ...own });
    await model.fit(x, labels ?? Int32Array.from({ length: x.count }, (_, i) => i % 2), 2, new Random(3));
    return model;
  };
  const frequencies = ({ masks }: h.HyperTab, width: number) =>
    Array.from({ length: width }, (_, c) => masks.filter((mask) => mask.includes(c)).length / masks.length);

  test('uniform ones see each column alike, in ascending order', async () => {
    const model = await build({ subsample: 0.5 }, rowsOf(8, 6));
    for (const mask of model.masks) expect([...mask]).toEqual([...new Set(mask)].sort((a, b) => a - b));
    for (const share of frequencies(model, 6)) expect(Math.abs(share - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / 400));
  });

  test('a threshold admits the columns of larger variance alone, and says when they are too few', async () => {
    const x = rowsOf(40, 6);
    // The last three columns hardly vary.
    const scaled = { ...x, values: x.values.map((value, i) => (i % 6 < 3 ? 3 * value : 0.1 * value)) };
    const model = await build({ masks: 'variance-threshold', subsample: 0.4 }, scaled);
    expect(frequencies(model, 6).slice(3)).toEqual([0, 0, 0]);
    await expect(build({ masks: 'variance-threshold', subsample: 0.9 }, scaled)).rejects.toThrow(
      '3 of 6 columns have a variance above 0.2, and a view holds 5',
    );
  });

  test('softmax designs draw by variance or by accuracy, at the temperature of the draw', async () => {
    const x = rowsOf(400, 4, 7);
    const scaled = { ...x, values: x.values.map((value, i) => value * ((i % 4) + 1)) };
    const labels = Int32Array.from({ length: 400 }, (_, row) => Number((scaled.values[row * 4 + 1] as number) > 0));
    const model = await build(
      { masks: 'variance-softmax', subsample: 0.25, temperatures: [2, 2], views: 2000, viewsPerStep: 2000 },
      scaled,
      labels,
    );
    const variances = [0, 1, 2, 3].map((c) => {
      const own = nested(scaled).map((row) => row[c] as number);
      const mean = own.reduce((a, b) => a + b) / 400;
      return own.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 400;
    });
    const weights = variances.map((variance) => Math.exp(variance / 2));
    const total = weights.reduce((a, b) => a + b);
    frequencies(model, 4).forEach((share, c) => {
      const p = (weights[c] as number) / total;
      expect(Math.abs(share - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / 2000));
    });
    // From a first draw of the largest to a last one among the others alike.
    const cooled = await build(
      { masks: 'variance-softmax', subsample: 0.5, temperatures: [0.01, 1e4] },
      scaled,
      labels,
    );
    const [a = 0, b = 0, c = 0, d = 0] = frequencies(cooled, 4);
    expect(d).toBe(1);
    for (const share of [a, b, c]) expect(Math.abs(share - 1 / 3)).toBeLessThan(4 * Math.sqrt(2 / 9 / 400));
    // Column 1 alone tells the class.
    const sharp = await build(
      { masks: 'accuracy-softmax', subsample: 0.25, temperatures: [0.02, 0.02] },
      scaled,
      labels,
    );
    expect(frequencies(sharp, 4)[1]).toBeGreaterThan(0.99);
  });

  test('whole columns are taken or left where asked, and saved', async () => {
    const x = { ...rowsOf(12, 5), columns: Int32Array.of(0, 0, 0, 1, 2) };
    const model = await build({ unit: 'column', subsample: 0.4, views: 30 }, x);
    expect(new Set(model.masks.map((mask) => mask.join()))).toEqual(new Set(['0,1,2', '3', '4']));
    const again = new h.HyperTab({ ...model.options });
    again.restore(model.state(), 5, 2);
    expect(again.masks).toEqual(model.masks);
    expectClose(again.decisionFunction(x), model.decisionFunction(x), 1e-7);
  });

  test.each(['embedding', 'pca'] as const)('the hypernetwork may be given the %s of a mask', async (input) => {
    const { x, labels } = summed(60, 6);
    const model = new h.HyperTab({ views: 8, epochs: 40, learningRate: 1e-2, subsample: 0.7, input });
    await model.fit(x, labels, 2, new Random(1));
    const right = h.classesOf(model.probabilities(x), 2).filter((c, i) => c === labels[i]).length;
    expect(right).toBeGreaterThan(50);
    const again = new h.HyperTab(model.options);
    again.restore(model.state(), 6, 2);
    expectClose(again.decisionFunction(x), model.decisionFunction(x), 1e-7);
    const { condition } = model.hypernet;
    expect(condition.size).toBe(6);
    if (input === 'embedding') return;
    // All components of centred masks keep their lengths, and have mean 0.
    const masks = model.masks.map((mask) => Array.from({ length: 6 }, (_, c) => Number(mask.includes(c))));
    const centre = Array.from({ length: 6 }, (_, c) => masks.reduce((sum, mask) => sum + (mask[c] as number) / 8, 0));
    const codes = condition.forward(tensor(masks)).view();
    for (const [b, mask] of masks.entries()) {
      const length = Math.hypot(...mask.map((value, c) => value - (centre[c] as number)));
      expect(Math.hypot(...codes.subarray(6 * b, 6 * b + 6))).toBeCloseTo(length, 5);
    }
    for (let c = 0; c < 6; c++)
      expect(masks.reduce((sum, _, b) => sum + (codes[6 * b + c] as number), 0)).toBeCloseTo(0, 5);
  });

  test('leaving out views tells which column matters', async () => {
    const { x } = summed(120, 6);
    const labels = Int32Array.from(nested(x), ([a = 0]) => Number(a > 0));
    const model = new h.HyperTab({ views: 20, epochs: 40, learningRate: 1e-2, subsample: 0.5 });
    await model.fit(x, labels, 2, new Random(1));
    const drops = h.columnDrops(model, x);
    expect(drops.indexOf(Math.max(...drops))).toBe(0);
    const views = Int32Array.from(model.masks.keys()).filter((view) => !model.masks[view]?.includes(0));
    const [whole, left] = [model.probabilities(x), h.softmaxRows(model.decisionFunction(x, views), 2)];
    const falls = Array.from(
      h.classesOf(whole, 2),
      (c, i) => (whole[2 * i + c] as number) - (left[2 * i + c] as number),
    );
    expect(drops[0]).toBeCloseTo(falls.reduce((a, b) => a + b) / 120, 6);
    const all = new h.HyperTab({ views: 2, epochs: 1, subsample: 1 });
    await all.fit(x, labels, 2, new Random(1));
    expect([...h.columnDrops(all, x)].every(Number.isNaN)).toBe(true);
  });

  test('options out of range are refused', () => {
    for (const [own, message] of [
      [{ views: 0 }, 'views must be a positive integer, got 0'],
      [{ epochs: 1.5 }, 'epochs must be a positive integer'],
      [{ learningRate: 0 }, 'learningRate must be positive'],
      [{ temperatures: [0, 1] }, 'temperatures must be positive'],
      [{ maxSteps: 0 }, 'maxSteps must be at least 1'],
    ] as const)
      expect(() => new h.HyperTab(own)).toThrow(message);
  });
});
