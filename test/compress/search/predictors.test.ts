import { expect, test } from 'vitest';
import { type Features, fitPredictor, kendall, labelScale, predictionQuality } from '../../../src/compress/index.js';
import { solve } from '../../../src/linalg/index.js';
import { Random, tensor } from '../../../src/tensor/index.js';

/** A value that is there. */
const known = <Value>(value: Value | undefined): Value => value as Value;

const genes = Array.from({ length: 6 }, (_, i) => ({ name: `g${i}`, choices: 3 }));
const draw = (count: number, random: Random): Features[] =>
  Array.from({ length: count }, () => Int32Array.from(genes, () => (random.float() < 0.15 ? -1 : random.integer(3))));

/** One-hot features; none of a gene without effect. */
const oneHot = (row: Features) => genes.flatMap((_, g) => [0, 1, 2].map((choice) => Number(row[g] === choice)));

/** Ridge regression by its normal equations, with an intercept without penalty. */
function ridge(rows: readonly Features[], labels: readonly number[], alpha: number) {
  const x = rows.map((row) => [...oneHot(row), 1]);
  const size = known(x[0]).length;
  const a = Array.from({ length: size }, (_, i) =>
    Array.from(
      { length: size },
      (_, j) =>
        x.reduce((sum, row) => sum + known(row[i]) * known(row[j]), 0) + Number(i === j && i < size - 1) * alpha,
    ),
  );
  const b = Array.from({ length: size }, (_, i) =>
    x.reduce((sum, row, n) => sum + known(row[i]) * known(labels[n]), 0),
  );
  const w = solve(tensor(a.flat(), [size, size]), tensor(b, [size, 1])).dataSync();
  return (row: Features) => [...oneHot(row), 1].reduce((sum, value, i) => sum + value * known(w[i]), 0);
}

const truth = (row: Features) => row.reduce((sum, choice, g) => sum + (choice < 0 ? 0 : (choice + 1) * (g + 1)), 30);

test('ridge regression is that of the normal equations for the chosen α', () => {
  const random = new Random(1);
  const rows = draw(40, random);
  const labels = rows.map((row) => truth(row) + random.gaussian());
  const fitted = fitPredictor(genes, rows, labels, random, { kinds: ['ridge'] });
  const byHand = ridge(rows, labels, fitted.alpha);
  const others = draw(20, random);
  fitted.predict(others).forEach((value, i) => {
    expect(value).toBeCloseTo(byHand(known(others[i])), 2);
  });
});

test('the error of cross-validation is that of fits without each fold', () => {
  const random = new Random(2);
  const rows = draw(15, random);
  const labels = rows.map((row) => truth(row) + random.gaussian());
  const fitted = fitPredictor(genes, rows, labels, random, { kinds: ['ridge'], folds: 15 });
  const errors = rows.map((row, i) => {
    const without = ridge(
      rows.filter((_, j) => j !== i),
      labels.filter((_, j) => j !== i),
      fitted.alpha,
    );
    return Math.abs(without(row) / known(labels[i]) - 1);
  });
  expect(fitted.error).toBeCloseTo(errors.reduce((sum, error) => sum + error, 0) / rows.length, 4);
});

test('kernel ridge regression satisfies its equations: what is left is α times the dual weights', () => {
  const random = new Random(3);
  const rows = draw(30, random);
  const labels = rows.map((row) => truth(row) * (1 + 0.2 * Math.sin(known(row[0]) * known(row[1]))));
  const { predict, alpha } = fitPredictor(genes, rows, labels, random, { kinds: ['kernel-ridge'] });
  const gamma = 1 / 18;
  const kernel = (a: Features, b: Features) => {
    const [x, y] = [oneHot(a), oneHot(b)];
    return Math.exp(-gamma * x.reduce((sum, value, i) => sum + (value - known(y[i])) ** 2, 0));
  };
  // y − f = α·a and f = b + K·a: solve [K + αI, 1; 1ᵀ, 0]·[a; b] = [y; 0].
  const n = rows.length;
  const system = Array.from({ length: n + 1 }, (_, i) =>
    Array.from({ length: n + 1 }, (_, j) => {
      if (i === n || j === n) return Number(i !== j);
      return kernel(known(rows[i]), known(rows[j])) + Number(i === j) * alpha;
    }),
  );
  const w = solve(tensor(system.flat(), [n + 1, n + 1]), tensor([...labels, 0], [n + 1, 1])).dataSync();
  const others = draw(10, random);
  predict(others).forEach((value, i) => {
    const byHand = rows.reduce((sum, row, j) => sum + known(w[j]) * kernel(known(others[i]), row), known(w[n]));
    expect(value).toBeCloseTo(byHand, 1);
  });
});

test('predictions are in the units of the labels, whatever these are', () => {
  const random = new Random(4);
  const rows = draw(60, random);
  for (const unit of [1e-6, 1, 3e8]) {
    const labels = rows.map((row) => unit * truth(row));
    const predicted = fitPredictor(genes, rows, labels, new Random(5)).predict(rows);
    expect(predictionQuality(predicted, labels).mape).toBeLessThan(1);
  }
});

test('labels are divided down to two digits', () => {
  expect(labelScale([0.76, 0.1])).toBeCloseTo(0.01);
  expect(labelScale([310e6])).toBe(1e7);
  expect(labelScale([0, 0])).toBe(1);
});

test('the radial kernel is chosen where genes act together, ridge where they add up', () => {
  const random = new Random(6);
  const rows = draw(90, random);
  const sum = fitPredictor(genes, rows, rows.map(truth), new Random(7));
  expect(sum.kind).toBe('ridge');
  const together = rows.map((row) => 20 + 10 * Number(row[0] === row[1]) + 5 * Number(row[2] === row[3]));
  expect(fitPredictor(genes, rows, together, new Random(7)).kind).toBe('kernel-ridge');
});

test('labels that are not finite, or of another number, are refused', () => {
  const rows = draw(3, new Random(8));
  expect(() => fitPredictor(genes, rows, [1, 2], new Random(0))).toThrow('2 labels of 3');
  expect(() => fitPredictor(genes, rows, [1, 2, Number.NaN], new Random(0))).toThrow('not finite');
});

test('Kendall’s τ by hand, with ties', () => {
  expect(kendall([1, 2, 3, 4], [1, 3, 2, 4])).toBeCloseTo(4 / 6);
  expect(kendall([1, 2, 3], [3, 2, 1])).toBe(-1);
  expect(kendall([1, 1, 2], [1, 2, 3])).toBeCloseTo(2 / Math.sqrt(2 * 3));
});
