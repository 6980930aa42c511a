import { describe, expect, test } from 'vitest';
import type { Column, LabelledTable } from '../../src/data/index.js';
import { valuedTable } from '../../src/data/index.js';
import * as h from '../../src/hypernet/index.js';
import { newton } from '../../src/hypernet/tabular/objectives.js';
import { Random } from '../../src/tensor/index.js';
import { expectClose, uniform } from '../oracle.js';

const rowsOf = (count: number, width: number, seed = 1): h.Rows => ({
  count,
  width,
  values: uniform(seed, count * width),
});
const at = ({ values, width }: h.Rows, row: number, column: number) => values[row * width + column] as number;

function tableOf(x: h.Rows, labels: Int32Array): LabelledTable {
  const columns = Array.from(
    { length: x.width },
    (_, c): Column => ({
      name: `x${c}`,
      kind: 'number',
      values: Float64Array.from({ length: x.count }, (_, i) => at(x, i, c)),
    }),
  );
  return { table: { rows: x.count, columns }, labels, classes: ['no', 'yes'] };
}

describe('boosting', () => {
  /** Best split of one column by G²/(H + λ) over the thresholds between its values. */
  function bestSplit(x: readonly number[], g: readonly number[], hessian: number, lambda: number): number {
    const score = (own: readonly number[]) =>
      own.reduce((sum, i) => sum + (g[i] as number), 0) ** 2 / (own.length * hessian + lambda);
    const all = Array.from(x.keys());
    let best = { gain: 0, cut: Number.NaN };
    for (const cut of x) {
      const [left, right] = [all.filter((i) => (x[i] as number) <= cut), all.filter((i) => (x[i] as number) > cut)];
      if (left.length === 0 || right.length === 0) continue;
      const gain = score(left) + score(right) - score(all);
      if (gain > best.gain) best = { gain, cut };
    }
    return best.cut;
  }

  // One strong value alone, or ten against ten: λ decides.
  const x = Array.from({ length: 20 }, (_, i) => i);
  const y = x.map((i) => (i === 0 ? 12 : i < 10 ? 0.9 : -0.9));

  test('λ decides between splits, and shrinks the leaves', async () => {
    const rows: h.Rows = { count: 20, width: 1, values: Float32Array.from(x) };
    for (const lambda of [0, 1, 30]) {
      const model = new h.GradientBoosting({ rounds: 1, depth: 1, lambda, learningRate: 0.5 });
      await model.fitValues(rows, Float64Array.from(y), new Random(0));
      const cut = bestSplit(
        x,
        y.map((value) => -value),
        1,
        lambda,
      );
      expect(model.trees[0]?.thresholds[0]).toBe(cut + 0.5);
      const leaf = (own: readonly number[]) => (0.5 * own.reduce((a, b) => a + b, 0)) / (own.length + lambda);
      const parts = [y.filter((_, i) => i <= cut), y.filter((_, i) => i > cut)];
      expectClose(model.trees[0]?.leaves ?? [], parts.map(leaf), 1e-6);
    }
    const cuts = [0, 30].map((lambda) =>
      bestSplit(
        x,
        y.map((value) => -value),
        1,
        lambda,
      ),
    );
    expect(cuts[0]).not.toBe(cuts[1]);
  });

  test('rounds see a share of the rows, trees a share of the columns', async () => {
    const { count, width } = { count: 40, width: 6 };
    const rows = rowsOf(count, width);
    const values = Float64Array.from({ length: count }, (_, i) => Math.sign(at(rows, i, 0)) + 0.1 * at(rows, i, 1));
    const shared = new h.GradientBoosting({ rounds: 30, depth: 1, columnShare: 1 / 6 });
    await shared.fitValues(rows, values, new Random(0));
    expect(new Set(shared.trees.map(({ features }) => features[0])).size).toBeGreaterThan(3);
    const whole = new h.GradientBoosting({ rounds: 30, depth: 1 });
    await whole.fitValues(rows, values, new Random(0));
    expect(whole.trees[0]?.features[0]).toBe(0);
    const halves = new h.GradientBoosting({ rounds: 1, depth: 0, rowShare: 0.1, learningRate: 1, lambda: 0 });
    await halves.fitValues(rows, values, new Random(0));
    const leaf = halves.trees[0]?.leaves[0] as number;
    expect(Math.abs(leaf - values.reduce((a, b) => a + b) / count)).toBeGreaterThan(1e-3);
  });
});

describe('forests', () => {
  const x = rowsOf(120, 3);
  const labels = Int32Array.from({ length: 120 }, (_, i) => new Random(i).integer(2));
  const right = (model: h.RandomForest) =>
    h.classesOf(model.probabilities(x), 2).filter((c, i) => c === labels[i]).length / 120;

  test('grow trees on bootstrap samples: one tree does not know every training row', async () => {
    const model = new h.RandomForest({ trees: 1, columns: 3 });
    await model.fit(x, labels, 2, new Random(0));
    expect(right(model)).toBeGreaterThan(0.6);
    expect(right(model)).toBeLessThan(0.95);
  });

  test('heed depth, the smallest leaf and the share of the columns', async () => {
    const grown = async (options: h.ForestOptions) => {
      const model = new h.RandomForest({ trees: 20, ...options });
      await model.fit(x, labels, 2, new Random(0));
      return model;
    };
    expect((await grown({ depth: 1 })).trees.every(({ features }) => features.length <= 3)).toBe(true);
    const leaves = async (leastLeaf: number) =>
      (await grown({ leastLeaf })).trees.reduce((sum, tree) => sum + tree.features.filter((f) => f < 0).length, 0);
    expect(await leaves(10)).toBeLessThan((await leaves(1)) / 2);
    const [one, all] = [await grown({ columns: 3 }), await grown({ columnShare: 1 })];
    expect(all.trees).toEqual(one.trees);
  });
});

describe('histograms of whole nodes', () => {
  const x = rowsOf(3000, 6);
  const labels = Int32Array.from({ length: x.count }, (_, i) =>
    Number(at(x, i, 0) * at(x, i, 1) + Math.sin(i) / 2 > 0),
  );

  test('the tree is that of a search in each node', () => {
    const gradients = Float64Array.from(labels, (label, i) => 0.5 - label + 0.01 * Math.cos(i));
    const hessians = Float64Array.from(labels, (_, i) => 0.2 + 0.05 * Math.sin(i));
    const objective = newton(gradients, hessians, { lambda: 1, learningRate: 0.3, leastHessian: 1 });
    const rows = Int32Array.from(labels.keys()).filter((row) => row % 7 > 0);
    const columns = [0, 1, 3, 4, 5];
    const grown = (tried: number[] | (() => number[])) =>
      h.growTree(h.binRows(x), rows, objective, { maximumDepth: 6, tried, leastGain: 1e-9 });
    const [whole, searched] = [grown(columns), grown(() => columns)];
    expect(whole.features.length).toBeGreaterThan(60);
    expect(whole.features).toEqual(searched.features);
    expect(whole.thresholds).toEqual(searched.thresholds);
    expectClose(whole.leaves, searched.leaves, 1e-6);
  });

  test('of two classes one has the leaves of the other with the opposite sign', async () => {
    const model = new h.GradientBoosting({ rounds: 4, depth: 3 });
    await model.fit(x, labels, 2, new Random(0));
    expect(model.trees.length).toBe(8);
    for (let round = 0; round < 4; round++) {
      const [first, second] = [model.trees[2 * round], model.trees[2 * round + 1]];
      expect(second?.thresholds).toEqual(first?.thresholds);
      expectClose(
        second?.leaves ?? [],
        (first?.leaves ?? new Float32Array()).map((value) => -value),
        0,
      );
    }
    // A column share draws columns for each class, so that trees are grown one by one.
    const single = new h.GradientBoosting({ rounds: 4, depth: 3, columnShare: 1 - 1e-9 });
    await single.fit(x, labels, 2, new Random(0));
    expectClose(single.probabilities(x), model.probabilities(x), 1e-6);
  });
});

describe('linear methods', () => {
  test('logistic regression is converged: ∇(½‖w‖² + C·Σ loss) = 0, for two classes and for three', async () => {
    const x = rowsOf(90, 4);
    for (const classes of [2, 3]) {
      const labels = Int32Array.from({ length: 90 }, (_, i) => (at(x, i, 0) > 0 ? 1 : i % classes));
      const model = new h.LinearLearner({ c: 3 });
      await model.fit(x, labels, classes);
      const { weights, intercepts } = model.state();
      const [w, b] = [weights?.view() as Float32Array, intercepts?.view() as Float32Array];
      expect(b.length).toBe(classes === 2 ? 1 : 3);
      for (let k = 0; k < b.length; k++) {
        const label = classes === 2 ? 1 : k;
        const errors = Array.from({ length: 90 }, (_, i) => {
          const score = [0, 1, 2, 3].reduce((sum, c) => sum + (w[4 * k + c] as number) * at(x, i, c), b[k] as number);
          return 1 / (1 + Math.exp(-score)) - Number(labels[i] === label);
        });
        for (let c = 0; c < 4; c++)
          expect((w[4 * k + c] as number) + 3 * errors.reduce((sum, e, i) => sum + e * at(x, i, c), 0)).toBeCloseTo(
            0,
            1,
          );
        expect(3 * errors.reduce((a, e) => a + e, 0)).toBeCloseTo(0, 1);
      }
      const p = model.probabilities(x);
      for (let i = 0; i < 90; i++)
        expect(p.subarray(classes * i, classes * (i + 1)).reduce((a, v) => a + v, 0)).toBeCloseTo(1, 9);
    }
  });

  test('coefficients are those of scikit-learn', async () => {
    // LogisticRegression(C=2, tol=1e-10), one class against the rest, and Ridge(0.5).
    const [count, width] = [80, 4];
    const x: h.Rows = {
      ...{ count, width },
      values: Float32Array.from({ length: count * width }, (_, at) => {
        const [i, j] = [Math.floor(at / width), at % width];
        return Math.sin(1 + i * (j + 1) * 1.7 + j * j);
      }),
    };
    const rows = Array.from({ length: count }, (_, i) => i);
    const coefficients = async (labels: number[], classes: number) => {
      const model = new h.LinearLearner({ c: 2 });
      await model.fit(x, Int32Array.from(labels), classes);
      const { weights, intercepts } = model.state();
      return [...(weights?.view() ?? []), ...(intercepts?.view() ?? [])];
    };
    const two = rows.map((i) => Number(at(x, i, 0) + 0.5 * at(x, i, 1) + Math.cos(3 * i) > 0));
    expectClose(await coefficients(two, 2), [2.16799, 1.26838, 0.22802, -0.22569, 1e-5], 5e-4);
    const three = rows.map((i) => (i + Number(at(x, i, 2) > 0)) % 3);
    expectClose(
      await coefficients(three, 3),
      [
        ...[0.16106, -0.2718, -0.03555, -0.13766, -0.21075, -0.03514, 0.05967, 0.16563],
        ...[0.05191, 0.29768, -0.02131, -0.03276, -0.74634, -0.67108, -0.68654],
      ],
      5e-4,
    );
    const ridge = new h.LinearLearner({ c: 2 });
    await ridge.fitValues(
      x,
      Float64Array.from(rows, (i) => 2 * at(x, i, 0) - at(x, i, 3) + 0.3 * Math.cos(5 * i) + 4),
    );
    const { weights, intercepts } = ridge.state();
    expectClose(
      [...(weights?.view() ?? []), ...(intercepts?.view() ?? [])],
      [1.98905, 0.00378, -0.02943, -0.98094, 4.00575],
      2e-5,
    );
  });

  test('a long table converges, and its classes have the frequencies of the model', async () => {
    // With the intercept, Σ (p − y) = 0 at the minimum; single precision alone stops far from it.
    const x = rowsOf(100_000, 3);
    const labels = Int32Array.from({ length: x.count }, (_, i) => Number(at(x, i, 0) + Math.sin(i) > 0.3));
    const model = new h.LinearLearner();
    await model.fit(x, labels, 2);
    const p = model.probabilities(x);
    let [expected, seen] = [0, 0];
    for (let i = 0; i < x.count; i++) {
      expected += p[2 * i + 1] as number;
      seen += labels[i] as number;
    }
    expect(Math.abs(expected - seen)).toBeLessThan(1);
  });

  test('ridge regression satisfies its normal equations', async () => {
    const x = rowsOf(50, 3);
    const y = Float64Array.from({ length: 50 }, (_, i) => 2 * at(x, i, 0) - at(x, i, 2) + 5 + 0.1 * Math.sin(i));
    const model = new h.LinearLearner({ c: 0.5 });
    await model.fitValues(x, y);
    const weights = model.state().weights?.view() as Float32Array;
    const residuals = model.values(x).map((value, i) => (y[i] as number) - value);
    expect(residuals.reduce((a, b) => a + b)).toBeCloseTo(0, 3);
    for (let c = 0; c < 3; c++)
      expect(0.5 * residuals.reduce((sum, r, i) => sum + r * at(x, i, c), 0)).toBeCloseTo(weights[c] as number, 3);
  });
});

describe('perceptrons', () => {
  const x = rowsOf(30, 5);
  const labels = Int32Array.from({ length: 30 }, (_, i) => Number(at(x, i, 0) > 0));
  const trained = async (options: h.PerceptronOptions) => {
    const model = new h.Perceptron({ hidden: 8, epochs: 3, ...options });
    await model.fit(x, labels, 2, new Random(0));
    return model;
  };

  test('inputs are dropped in training alone', async () => {
    const [plain, dropped] = [await trained({}), await trained({ inputDropout: 0.5 })];
    expect([...dropped.values(x)]).toEqual([...dropped.values(x)]);
    const weights = (model: h.Perceptron) => [...(model.state()['blocks.0.linear.weight']?.view() ?? [])];
    expect(weights(dropped)).not.toEqual(weights(plain));
    const hidden = await trained({ dropout: 0.5 });
    expect(weights(hidden)).not.toEqual(weights(plain));
    expect((await trained({ layers: 2 })).network?.blocks.length).toBe(2);
  });

  test('epochs end before the most steps are passed', async () => {
    const weights = async (options: h.PerceptronOptions) => [
      ...(await trained({ batchSize: 10, ...options })).values(x),
    ];
    expect(await weights({ epochs: 50, maxSteps: 8 })).toEqual(await weights({ epochs: 2 }));
  });
});

describe('numeric targets', () => {
  const x = rowsOf(160, 3);
  const values = Float64Array.from({ length: 160 }, (_, i) => 300 + 50 * at(x, i, 0) - 20 * at(x, i, 1));
  const { table } = tableOf(x, new Int32Array(160));
  const options: h.MethodOptions = {
    hypertab: { views: 6, epochs: 40, learningRate: 1e-2, subsample: 0.7 },
    mlp: { epochs: 60, learningRate: 1e-2 },
    dropout: { epochs: 60, learningRate: 1e-2, inputDropout: 0.05 },
  };

  test.each(Object.keys(h.tableMethods) as h.TableMethod[])(
    '%s learns them in their own unit, and is saved',
    async (method) => {
      const model = await h.TableModel.train(method, { table, values }, 'y', new Random(0), { options });
      const { r2, rmse } = h.valueScores(model, { table, values });
      expect(r2).toBeGreaterThan(0.85);
      expect(rmse).toBeLessThan(15);
      expect(() => model.predictProba(table)).toThrow('predicts the number "y"');
      const again = h.TableModel.load(model.save());
      expect([...again.predictValues(table)]).toEqual([...model.predictValues(table)]);
    },
  );

  test('scores are those of the definitions, and folds hold every row out once', async () => {
    const model = await h.TableModel.train('logistic', { table, values }, 'y', new Random(0));
    const predicted = model.predictValues(table);
    const mean = values.reduce((a, b) => a + b) / 160;
    const error = values.reduce((sum, v, i) => sum + (v - (predicted[i] as number)) ** 2, 0);
    const { rmse, r2 } = h.valueScores(model, { table, values });
    expect(rmse).toBeCloseTo(Math.sqrt(error / 160), 6);
    expect(r2).toBeCloseTo(1 - error / values.reduce((sum, v) => sum + (v - mean) ** 2, 0), 6);
    // A forest that has seen a row of pure noise repeats it: held-out rows must not be seen.
    const noise = Float64Array.from({ length: 160 }, (_, i) => new Random(i).gaussian());
    const scores = await h.crossValidateValues({ table, values: noise }, ['forest'], new Random(1), { folds: 3 });
    expect(scores.map(({ fold }) => fold)).toEqual([0, 1, 2]);
    for (const own of scores) expect(own.r2).toBeLessThan(0.3);
  });

  test('targets that are no numbers are refused', () => {
    const whole = {
      ...table,
      columns: [
        ...table.columns,
        { name: 'c', kind: 'category' as const, values: Array.from({ length: 160 }, () => 'a') },
      ],
    };
    expect(() => valuedTable(whole, 'c')).toThrow('the target "c" must hold numbers; it has "a"');
    expect(() => valuedTable(whole, 'z')).toThrow('no target column "z"');
    const gaps = { rows: 2, columns: [{ name: 'y', kind: 'number' as const, values: Float64Array.of(1, Number.NaN) }] };
    expect(() => valuedTable(gaps, 'y')).toThrow('missing in row 2');
    expect(() =>
      valuedTable({ rows: 2, columns: [{ name: 'y', kind: 'number' as const, values: Float64Array.of(1, 1) }] }, 'y'),
    ).toThrow('one number alone');
  });
});

describe('cross-validation', () => {
  const x = rowsOf(80, 4);
  const labels = Int32Array.from({ length: 80 }, (_, i) => new Random(i).integer(2));

  test('learns nothing of random labels: held-out rows are in no training part', async () => {
    const scores = await h.crossValidate(tableOf(x, labels), ['forest'], new Random(1), { folds: 4 });
    expect(scores.reduce((sum, { balanced }) => sum + balanced, 0) / 4).toBeLessThan(0.75);
  });

  test('settings are chosen from the training rows of a fold, for every method from the same stream', async () => {
    const seen: string[] = [];
    await h.crossValidate(tableOf(x, labels), ['forest', 'logistic'], new Random(1), {
      folds: 4,
      async choose(method, training, random) {
        seen.push(`${training.table.rows} ${training.labels.length} ${random.float()}`);
        return { [method]: method === 'forest' ? { trees: 3 } : { c: 2 } };
      },
      onScore: ({ method, options }) => expect(options).toEqual(method === 'forest' ? { trees: 3 } : { c: 2 }),
    });
    expect(seen.length).toBe(8);
    for (let fold = 0; fold < 4; fold++) expect(seen[2 * fold]).toBe(seen[2 * fold + 1]);
    for (const text of seen) expect(text).toMatch(/^60 60 /);
  });

  test('encoding is fitted on the training rows alone, and each class is as large as the largest', async () => {
    const data = tableOf(x, labels);
    const part = h.rowsOf(
      data,
      Int32Array.from({ length: 30 }, (_, i) => i),
    );
    const model = await h.TableModel.train('forest', part, 'y', new Random(0), { options: { forest: { trees: 1 } } });
    const [first] = model.features.encoders;
    const own = Array.from({ length: 30 }, (_, i) => at(x, i, 0));
    expect(first?.kind === 'number' && first.mean).toBeCloseTo(own.reduce((a, b) => a + b) / 30, 9);
    const rows = h.oversample(Int32Array.of(0, 0, 0, 1), 2, () => 0);
    expect([...rows]).toEqual([0, 1, 2, 3, 3, 3]);
  });

  test('rows that are alone in their class are trained on, never held out', () => {
    const own = Int32Array.of(0, 0, 0, 0, 0, 0, 1, 2, 2, 2);
    const data = { ...tableOf(rowsOf(10, 2), own), classes: ['a', 'b', 'c'] };
    const parts = h.innerFolds(data, 3, new Random(0));
    expect(parts.flatMap((part) => [...part]).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 7, 8, 9]);
    const rest = h.withoutRows(data, parts[0] as Int32Array);
    expect(rest.labels.length).toBe(10 - (parts[0]?.length ?? 0));
    expect(rest.labels).toContain(1);
  });
});
