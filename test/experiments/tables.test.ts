import { describe, expect, test } from 'vitest';
import type { Column, LabelledTable } from '../../src/data/index.js';
import { friedman, holm, meanRanks, ranksOf, wilcoxon } from '../../src/experiments/parts/ranks.js';
import { chooseOptions, settingsFor, type TableTuning } from '../../src/experiments/parts/table-spaces.js';
import { bestSetting } from '../../src/experiments/parts/tuning.js';
import { compareOnTables } from '../../src/experiments/protocols/tables.js';
import * as h from '../../src/hypernet/index.js';
import { spearman } from '../../src/nn/index.js';
import { Random } from '../../src/tensor/index.js';
import { uniform } from '../oracle.js';
import { context } from './context.js';

/** Balanced accuracies of the paper: XGBoost, DropoutNet, random forest, HyperTab, NODE. */
const published = [
  [93.85, 95.58, 95.96, 97.58, 96.19],
  [83.52, 79.02, 83.5, 87.09, 85.61],
  [96.05, 97.8, 97.21, 97.82, 97.99],
  [94.74, 46.96, 97.02, 98.36, 44.9],
  [81.88, 78.91, 85.94, 89.06, 83.75],
  [90.67, 93.43, 92.43, 94.52, 91.03],
  [74.38, 81.54, 77.42, 85.22, 82.72],
  [85.94, 85.74, 87.19, 83.9, 83.93],
  [86.35, 74.96, 86.84, 95.27, 80.2],
  [92.86, 72.62, 92.62, 95.27, 89.05],
  [65.53, 56.39, 57.33, 70.59, 52.71],
  [58.45, 56.06, 55.66, 67.56, 51.09],
  [60.61, 33.33, 51.24, 76.6, 68.39],
  [79.17, 82.62, 81.1, 83.33, 82.38],
];

describe('ranks', () => {
  test('ties share the mean of their places', () => {
    expect(ranksOf([3, 1, 3, 2])).toEqual([1.5, 4, 1.5, 3]);
  });

  test('Spearman’s correlation is that of ranks, with and without ties', () => {
    expect(spearman([1, 2, 3, 4], [1, 10, 100, 1000])).toBeCloseTo(1, 12);
    expect(spearman([1, 2, 3, 4], [3, 2, 1, 0])).toBeCloseTo(-1, 12);
    // 1 − 6·Σd²/(n(n² − 1)) with d² = 1, 1, 4, 1, 1.
    expect(spearman([1, 2, 3, 4, 5], [2, 1, 5, 3, 4])).toBeCloseTo(1 - (6 * 8) / 120, 12);
    // Ranks 1.5, 1.5, 3.5, 3.5 and 1 … 4: covariance 4 over √(4·5).
    expect(spearman([0, 0, 1, 1], [1, 2, 3, 4])).toBeCloseTo(4 / Math.sqrt(20), 12);
    expect(spearman([1, 1], [1, 2])).toBeNaN();
  });

  test('the table of the paper has its mean ranks, and HyperTab differs from each method', () => {
    const ranks = meanRanks(published);
    expect(ranks.map((rank) => rank.toFixed(2))).toEqual(['3.50', '3.79', '3.07', '1.36', '3.29']);
    const { chiSquare, p } = friedman(published);
    expect(chiSquare).toBeCloseTo(20.5, 1);
    expect(p).toBeGreaterThan(3.5e-4);
    expect(p).toBeLessThan(4.5e-4);
    const ps = [0, 1, 2, 4].map((k) => wilcoxon(published.map((row) => (row[3] as number) - (row[k] as number))));
    for (const own of ps) expect(own).toBeLessThan(0.0032);
    expect(Math.max(...holm(ps))).toBeLessThan(0.05);
  });

  test('tails of χ² are those of tables, for even and odd degrees', () => {
    // Scores that rank the same way on N sets: χ² = N(k − 1).
    const tail = (sets: number, k: number) =>
      friedman(Array.from({ length: sets }, () => Array.from({ length: k }, (_, i) => i))).p;
    expect(tail(2, 3)).toBeCloseTo(Math.exp(-2), 6);
    expect(tail(4, 2)).toBeCloseTo(0.0455, 4);
    expect(tail(3, 4)).toBeCloseTo(0.0293, 4);
    expect(tail(2, 6)).toBeCloseTo(0.0752, 4);
  });

  test('signed ranks are exact: all signs are tried', () => {
    const differences = [1, 2, 2, -3, 4, 0.5, -0.25];
    const ranks = ranksOf(differences.map((d) => -Math.abs(d)));
    const all = ranks.reduce((a, b) => a + b);
    const plus = differences.reduce((sum, d, i) => sum + (d > 0 ? (ranks[i] as number) : 0), 0);
    const seen = Math.min(plus, all - plus);
    let count = 0;
    for (let signs = 0; signs < 128; signs++) {
      const own = ranks.reduce((sum, rank, i) => sum + ((signs >> i) & 1 ? rank : 0), 0);
      if (Math.min(own, all - own) <= seen) count += 1;
    }
    expect(wilcoxon(differences)).toBeCloseTo(count / 128, 9);
    expect(wilcoxon([0, 0])).toBe(1);
    expect(wilcoxon([...differences, 0])).toBeCloseTo(count / 128, 9);
  });

  test('Holm’s correction multiplies by what is left, and never falls', () => {
    expect(holm([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06]);
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
  });
});

describe('tuning on tables', () => {
  const x = uniform(3, 60 * 5);
  const columns = Array.from(
    { length: 5 },
    (_, c): Column => ({
      name: `x${c}`,
      kind: 'number',
      values: Float64Array.from({ length: 60 }, (_, i) => x[i * 5 + c] as number),
    }),
  );
  const random = new Random(4);
  const labels = Int32Array.from({ length: 60 }, (_, i) => Number((x[i * 5] as number) + 1.2 * random.gaussian() > 0));
  const data: LabelledTable = { table: { rows: 60, columns }, labels, classes: ['a', 'b'] };
  const tuning: TableTuning = { tuning: 'folds', trials: 20, steps: 50, given: {} };

  test('every method has as many settings to try, the usual one first, and given values stay', () => {
    for (const method of Object.keys(h.tableMethods) as h.TableMethod[]) {
      expect(settingsFor(method, tuning).length).toBe(20);
      expect(settingsFor(method, { ...tuning, tuning: 'none' }).length).toBe(1);
    }
    const given = settingsFor('hypertab', { ...tuning, given: { hypertab: { views: 7, viewsPerStep: 3 } } });
    expect(given.every(({ views, viewsPerStep }) => views === 7 && viewsPerStep === 3)).toBe(true);
    expect(new Set(given.map(({ epochs }) => epochs)).size).toBeGreaterThan(1);
  });

  test('the best mean balanced accuracy of held-out training rows is chosen, on a quarter of them or on three folds', async () => {
    const own = { ...tuning, trials: 6 };
    const settings = settingsFor('logistic', own);
    const choices: Record<string, string[]> = { holdout: [], folds: [] };
    for (const seed of [9, 10, 11, 12, 13])
      for (const kind of ['holdout', 'folds'] as const) {
        const parts = h.innerFolds(data, kind === 'folds' ? 3 : 4, new Random(seed).split('inner'));
        const scores: number[] = [];
        for (const setting of settings) {
          let total = 0;
          for (const part of kind === 'folds' ? parts : parts.slice(0, 1)) {
            const random = new Random(seed).split('trial');
            const options = { logistic: setting };
            const model = await h.TableModel.train('logistic', h.withoutRows(data, part), '', random, { options });
            total += h.testScores(model, h.rowsOf(data, part)).balanced;
          }
          scores.push(total);
        }
        const best = settings[scores.indexOf(Math.max(...scores))];
        const chosen = await chooseOptions('logistic', data, { ...own, tuning: kind }, new Random(seed));
        expect(chosen).toEqual({ logistic: best });
        choices[kind]?.push(JSON.stringify([chosen, parts[0]?.length]));
        // One part of three is not what three parts choose.
        if (kind === 'folds') expect(parts.length).toBe(3);
      }
    expect(choices.holdout).not.toEqual(choices.folds);
  });

  test('the first of the best settings wins, and NaN never does', async () => {
    const settings = [{ a: 0 }, { a: 1 }, { a: 2 }, { a: 3 }];
    expect(await bestSetting(settings, (_, at) => [Number.NaN, 2, 2, 1][at] as number)).toEqual({ a: 1 });
    await expect(bestSetting([], () => 0)).rejects.toThrow('no settings');
  });

  test('methods are compared on the same folds, steps are limited for all, and what was chosen is told', async () => {
    const given = { hypertab: { views: 4, epochs: 1, learningRate: 1e-3, hidden: 3, subsample: 0.5 } };
    const results = await compareOnTables(
      [{ name: 'noisy', labelled: data }],
      ['hypertab', 'mlp', 'logistic'],
      { folds: 2, tuning: { tuning: 'none', trials: 5, steps: 30, given } },
      context(0),
    );
    expect(results.map(({ method }) => method)).toEqual(['HyperTab', 'MLP', 'logistic regression']);
    expect(results[0]?.tuning).toMatchObject({ trials: 1, setting: { views: '4', epochs: '1' } });
    expect(results[0]?.scores.cost).toBeGreaterThan(0);
    const ranks = results.map(({ scores }) => scores.rank as number);
    expect(ranks.reduce((a, b) => a + b)).toBe(6);
    const options = await chooseOptions('mlp', data, { ...tuning, trials: 1 }, new Random(0));
    expect(options.mlp).toMatchObject({ maxSteps: 50 });
  });
});
