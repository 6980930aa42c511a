import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { columnsOf, labelledTable, readCsv, stratifiedFolds, tableRows } from '../../src/data/index.js';
import { setThreads, threads } from '../../src/engine/index.js';
import * as h from '../../src/hypernet/index.js';
import { balancedAccuracy, inference, parameters, withWeights } from '../../src/nn/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { expectClose, uniform } from '../oracle.js';

const rows = (count: number, width: number, seed = 1): h.Rows => ({
  count,
  width,
  values: uniform(seed, count * width),
});

/** Two classes by the sign of x₀·x₁. */
function crossed(count: number, width = 4, seed = 1) {
  const x = rows(count, width, seed);
  const at = (i: number, c: number) => x.values[i * width + c] as number;
  return { x, labels: Int32Array.from({ length: count }, (_, i) => Number(at(i, 0) * at(i, 1) > 0)) };
}

const share = (p: Float64Array, labels: Int32Array) =>
  h.classesOf(p, 2).reduce((sum, c, i) => sum + Number(c === labels[i]), 0) / labels.length;

describe('trees', () => {
  test('the best split is the one that trying all of them finds', () => {
    const { x, labels } = crossed(60, 3, 5);
    const gain = (split: (row: number) => boolean) => {
      const impurity = (own: number[]) => {
        const ones = own.reduce((sum, row) => sum + (labels[row] as number), 0);
        return own.length === 0 ? 0 : (ones ** 2 + (own.length - ones) ** 2) / own.length;
      };
      const all = Array.from(labels.keys());
      return impurity(all.filter(split)) + impurity(all.filter((row) => !split(row)));
    };
    let best = 0;
    for (let c = 0; c < 3; c++)
      for (const cut of Array.from({ length: 60 }, (_, row) => x.values[row * 3 + c] as number))
        best = Math.max(
          best,
          gain((row) => (x.values[row * 3 + c] as number) <= cut),
        );
    const binned = h.binRows(x);
    const objective: h.Objective = {
      size: 2,
      column: new Int32Array(60),
      first: Float64Array.from(labels, (label) => 1 - label),
      second: Float64Array.from(labels),
      score: (sums, at) => {
        const [a, b] = [sums[at] as number, sums[at + 1] as number];
        return (a * a + b * b) / (a + b);
      },
      admits: (sums, at) => (sums[at] as number) + (sums[at + 1] as number) > 0,
      leaf: (sums) => [sums[1] as number],
    };
    const options = { maximumDepth: 1, tried: () => [0, 1, 2], leastGain: 1e-9 };
    const tree = h.growTree(binned, Int32Array.from(labels.keys()), objective, options);
    const [feature, threshold] = [tree.features[0] as number, tree.thresholds[0] as number];
    expect(gain((row) => (x.values[row * 3 + feature] as number) <= threshold)).toBeCloseTo(best, 8);
  });

  test('forest and boosting learn what no single column tells; a grown tree repeats its training rows', async () => {
    const [seen, held] = [crossed(400, 4, 1), crossed(200, 4, 2)];
    for (const model of [new h.RandomForest(), new h.GradientBoosting({ rounds: 40 })]) {
      await model.fit(seen.x, seen.labels, 2, new Random(3));
      const p = model.probabilities(held.x);
      for (let i = 0; i < p.length; i += 2) expect((p[i] as number) + (p[i + 1] as number)).toBeCloseTo(1, 9);
      expect(share(p, held.labels)).toBeGreaterThan(0.9);
    }
    const single = new h.RandomForest({ trees: 1, columns: 4 });
    await single.fit(seen.x, seen.labels, 2, new Random(3));
    expect(share(single.probabilities(seen.x), seen.labels)).toBeGreaterThan(0.85);
  });

  test('boosting follows the loss: the first leaf is −η·G/(H + λ)', async () => {
    const x: h.Rows = { count: 8, width: 1, values: Float32Array.of(0, 0, 0, 0, 1, 1, 1, 1) };
    const model = new h.GradientBoosting({ rounds: 1, depth: 1, learningRate: 0.3 });
    await model.fit(x, Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1), 2, new Random(0));
    // Four rows with p = ½: G = −4·½, H = 4·¼.
    expectClose(model.trees[0]?.leaves ?? [], [0.3, -0.3], 1e-6);
  });

  test('columns of more than 256 values are cut at quantiles, and 10,000 rows of 100 columns train', async () => {
    const { x, labels } = crossed(10_000, 100, 3);
    const binned = h.binRows(x);
    expect(binned.edges.every((edges) => edges.length <= 255)).toBe(true);
    const model = new h.GradientBoosting({ rounds: 3 });
    await model.fit(x, labels, 2, new Random(0));
    expect(share(model.probabilities(x), labels)).toBeGreaterThan(0.8);
  }, 60_000);
});

describe('HyperTab', () => {
  const quick = { views: 12, epochs: 12, learningRate: 3e-3, hidden: 8, subsample: 0.5 };

  test('views hold so many distinct columns, P is as the formula says, and parameters do not depend on B', () => {
    const sizes = [4, 40].map((views) => {
      const model = new h.HyperTab({ ...quick, views });
      model.prepare(9, 3, new Random(1));
      expect(model.masks.every((mask) => mask.length === 4 && new Set(mask).size === 4)).toBe(true);
      expect(model.hypernet.layout.size).toBe(4 * 8 + 8 + 8 * 8 + 8 + 8 * 3 + 3);
      return model.hypernet.size;
    });
    expect(sizes[0]).toBe(sizes[1]);
  });

  test('logits are the mean of B networks evaluated one by one, however rows come', async () => {
    const { x, labels } = crossed(30, 6);
    const model = new h.HyperTab({ ...quick, epochs: 2 });
    await model.fit(x, labels, 2, new Random(1));
    const expected = new Float64Array(60);
    for (const mask of model.masks) {
      const row = tensor(
        Float32Array.from({ length: 6 }, (_, c) => Number(mask.includes(c))),
        [1, 6],
      );
      const inputs = tensor(
        Float32Array.from(
          { length: 30 * 3 },
          (_, i) => x.values[Math.floor(i / 3) * 6 + (mask[i % 3] as number)] as number,
        ),
        [30, 3],
      );
      const logits = model.hypernet.run(row, inputs, (live, seen) => live.forward(seen, inference)).view();
      logits.forEach((value, i) => {
        expected[i] = (expected[i] as number) + value / model.masks.length;
      });
    }
    expectClose(model.decisionFunction(x), expected, 1e-5);
  });

  test('it learns, one view a step or several', async () => {
    const [seen, held] = [crossed(200, 4, 1), crossed(200, 4, 2)];
    for (const viewsPerStep of [1, 4]) {
      const model = new h.HyperTab({ ...quick, subsample: 1, epochs: viewsPerStep === 1 ? 12 : 40, viewsPerStep });
      await model.fit(seen.x, seen.labels, 2, new Random(1));
      expect(share(model.probabilities(held.x), held.labels)).toBeGreaterThan(0.85);
    }
  }, 60_000);

  test('columns in another order, with masks and first weights alike, give the same predictions', () => {
    const model = new h.HyperTab(quick);
    model.prepare(6, 2, new Random(1));
    const x = rows(10, 6);
    const before = model.decisionFunction(x);
    const order = [3, 0, 5, 1, 4, 2];
    const place = new Map(order.map((column, at) => [column, at]));
    // Networks read columns in ascending order: keep the order of reading by moving the target's
    // input instead.
    const moved: h.Rows = {
      ...x,
      values: Float32Array.from(
        x.values,
        (_, i) => x.values[Math.floor(i / 6) * 6 + (order[i % 6] as number)] as number,
      ),
    };
    model.masks = model.masks.map((mask) => mask.map((column) => place.get(column) as number));
    const first = Object.entries(parameters(model.hypernet)).find(([name]) => name === 'trunk.layers.0.weight');
    const weight = first?.[1].view() as Float32Array;
    const kept = weight.slice();
    for (let row = 0; row < weight.length / 6; row++)
      for (let at = 0; at < 6; at++) weight[row * 6 + at] = kept[row * 6 + (order[at] as number)] as number;
    expectClose(model.decisionFunction(moved), before, 1e-6);
  });

  test('mistakes are named', async () => {
    expect(() => new h.HyperTab({ subsample: 0 })).toThrow('(0, 1]');
    const model = new h.HyperTab(quick);
    expect(() => model.decisionFunction(rows(2, 3))).toThrow('call fit before');
    await expect(
      model.fit(
        { ...rows(3, 2), values: new Float32Array(6).fill(Number.NaN) },
        Int32Array.of(0, 1, 0),
        2,
        new Random(0),
      ),
    ).rejects.toThrow('finite');
    model.prepare(6, 2, new Random(1));
    expect(() => model.decisionFunction(rows(2, 3))).toThrow('3 columns, training had 6');
  });
});

describe('tables', () => {
  const csv = `size,colour,gap,y
1,red,,a
2,blue,5,b
3,red,6,a
4,green,7,b
5,red,,a
6,blue,8,b
`;
  const read = (text: string) => columnsOf(readCsv(text));

  test('gaps get medians and a column, categories columns of ones, numbers a mean of 0 and a deviation of 1', () => {
    const { table, labels, classes } = labelledTable(read(csv), 'y');
    expect([...labels]).toEqual([0, 1, 0, 1, 0, 1]);
    expect(classes).toEqual(['a', 'b']);
    const features = h.fitFeatures(table);
    expect(h.widthOf(features)).toBe(1 + 3 + 2);
    const { values } = h.encodeTable(features, table);
    const column = (c: number) => Array.from({ length: 6 }, (_, row) => values[row * 6 + c] as number);
    expectClose(
      column(0),
      [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5].map((v) => v / Math.sqrt(35 / 12)),
      1e-6,
    );
    expect(column(1)).toEqual([0, 1, 0, 0, 0, 1]);
    expect(column(5)).toEqual([1, 0, 0, 0, 1, 0]);
    expect(column(4)[0]).toBeCloseTo(0, 6);
  });

  test('a table for prediction may lack the order, not the columns; unseen categories are told', () => {
    const features = h.fitFeatures(labelledTable(read(csv), 'y').table);
    const told: unknown[] = [];
    const { values } = h.encodeTable(features, read('gap,colour,size\n5,pink,2\n'), (...args) => told.push(args));
    expect(told).toEqual([['colour', ['pink']]]);
    expect(Array.from(values.subarray(1, 4))).toEqual([0, 0, 0]);
    expect(() => h.encodeTable(features, read('size,gap\n1,2\n'))).toThrow(
      'the table lacks "colour"; it has size, gap',
    );
    expect(() => h.encodeTable(features, read('size,gap,colour\nbig,2,red\n'))).toThrow(
      'column "size" must hold numbers; it has "big"',
    );
  });

  test('targets that cannot be learnt are refused', () => {
    expect(() => labelledTable(read(csv), 'z')).toThrow('no target column "z"; the table has size, colour, gap, y');
    expect(() => labelledTable(read('x,y\n1,a\n2,a\n'), 'y')).toThrow('one class alone: "a"');
    expect(() => labelledTable(read('x,y\n1,a\n2,\n'), 'y')).toThrow('missing in row 2');
    expect(() => read('x,x\n1,2\n')).toThrow('two columns named "x"');
    expect(() => h.fitFeatures(read('x\n\n?\n'))).toThrow('no column with values');
  });

  test('folds hold every row once and classes evenly', () => {
    const labels = Int32Array.from({ length: 50 }, (_, i) => (i < 30 ? 0 : i < 42 ? 1 : 2));
    const folds = stratifiedFolds(labels, 3, 4, new Random(1));
    expect(folds.flatMap((fold) => [...fold]).sort((a, b) => a - b)).toEqual(Array.from(labels.keys()));
    for (const fold of folds) expect(fold.filter((row) => labels[row] === 1).length).toBe(3);
    expect(balancedAccuracy([0, 0, 1], [0, 0, 0], 2)).toBeCloseTo(2 / 3, 9);
  });

  test.each(Object.keys(h.tableMethods) as h.TableMethod[])('%s is the same after saving', async (method) => {
    const data = labelledTable(read(csv), 'y');
    const options = {
      hypertab: { views: 4, epochs: 2 },
      mlp: { epochs: 5 },
      dropout: { epochs: 5 },
      forest: { trees: 5 },
    };
    const model = await h.TableModel.train(method, data, 'y', new Random(1), { options });
    const again = h.TableModel.load(model.save());
    expect([...again.predictProba(data.table)]).toEqual([...model.predictProba(data.table)]);
    expect(again.predict(tableRows(data.table, Int32Array.of(1, 2)))).toHaveLength(2);
  });

  test('rows of arrays or records, and classes of any kind', async () => {
    const options = { forest: { trees: 10 } };
    const x = Array.from({ length: 40 }, (_, i) => [i, i % 3 === 0 ? null : i / 2, i % 2 ? 'odd' : 'even']);
    const model = await h.TableModel.fit(
      'forest',
      x,
      x.map(([, , parity]) => parity as string),
      { options },
    );
    expect(
      model.predict([
        [1, 2, 'odd'],
        [4, null, 'even'],
      ]),
    ).toEqual(['odd', 'even']);
    const records = x.map(([a, , c]) => ({ a: a as number, c: c as string }));
    const numbers = await h.TableModel.fit(
      'forest',
      records,
      x.map(([a]) => Number((a as number) >= 20)),
      { options },
    );
    expect(
      numbers.predict([
        { c: 'odd', a: 3 },
        { a: 33, c: 'even' },
      ]),
    ).toEqual(['0', '1']);
    expect(() => h.TableModel.fit('forest', [[1], [2, 3]], [0, 1])).toThrow('row 1 differs');
    expect(() => h.TableModel.fit('forest', [[1], [2]], [0])).toThrow('2 rows have 1 labels');
  });

  test.skipIf(!existsSync(join(import.meta.dirname, '../../dist/hypernet/index.js')))(
    'a large forest is the same on any number of threads (needs a build)',
    async () => {
      const { x, labels } = crossed(4000, 12, 3);
      const before = threads();
      const forests: h.RandomForest[] = [];
      for (const count of [1, 2]) {
        setThreads(count);
        const forest = new h.RandomForest({ trees: 25, columns: 1000 });
        await forest.fit(x, labels, 2, new Random(4));
        forests.push(forest);
      }
      setThreads(before);
      expect(forests[1]?.trees).toEqual(forests[0]?.trees);
    },
    60_000,
  );

  test('cross-validation scores every method on the same folds', async () => {
    const { x, labels } = crossed(60, 3);
    const columns = [0, 1, 2].map((c) => ({
      name: `c${c}`,
      kind: 'number' as const,
      values: Float64Array.from({ length: 60 }, (_, i) => x.values[i * 3 + c] as number),
    }));
    const data = { table: { rows: 60, columns }, labels, classes: ['no', 'yes'] };
    const scores = await h.crossValidate(data, ['forest', 'boosting'], new Random(1), { folds: 3 });
    expect(scores.map(({ method, fold }) => `${method} ${fold}`)).toEqual([
      'forest 0',
      'boosting 0',
      'forest 1',
      'boosting 1',
      'forest 2',
      'boosting 2',
    ]);
    expect(scores.every(({ balanced }) => balanced >= 0 && balanced <= 1)).toBe(true);
  });
});

test('weights generated from masks train by the loss of the networks that they make', () => {
  const model = new h.HyperTab({ views: 3, epochs: 1, hidden: 3 });
  model.prepare(4, 2, new Random(2));
  const row = tensor([[1, 0, 1, 0]]);
  const x = tensor([[0.5, -1]]);
  const run = () => model.hypernet.run(row, x, (live, seen) => live.forward(seen, inference));
  const same = withWeights(model.hypernet, parameters(model.hypernet), run);
  expectClose(same.view(), run().view(), 1e-7);
});
