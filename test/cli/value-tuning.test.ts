import { describe, expect, test } from 'vitest';
import { chooseValueOptions } from '../../src/cli/fit/value-tuning.js';
import type { Column, ValuedTable } from '../../src/data/index.js';
import { settingsFor, type TableTuning } from '../../src/experiments/parts/table-spaces.js';
import * as h from '../../src/hypernet/index.js';
import { Random } from '../../src/tensor/index.js';

/** Noise around a line of three of eight columns. */
function noisy(rows: number, seed: number): ValuedTable {
  const random = new Random(seed);
  const columns = Array.from(
    { length: 8 },
    (_, c): Column => ({
      name: `x${c}`,
      kind: 'number',
      values: Float64Array.from({ length: rows }, () => random.gaussian()),
    }),
  );
  const at = (c: number, row: number) => Number(columns[c]?.values[row]);
  const values = Float64Array.from(
    { length: rows },
    (_, row) => at(0, row) - 2 * at(1, row) + at(2, row) / 2 + 2 * random.gaussian(),
  );
  return { table: { rows, columns }, values };
}

const tuning: TableTuning = { tuning: 'folds', trials: 6, steps: 40, given: {} };

describe('settings for a number', () => {
  test('the setting with the smallest root mean squared error on three folds of the rows is taken', async () => {
    const chosen: unknown[] = [];
    for (const seed of [1, 2, 3]) {
      const data = noisy(48, seed);
      const draws = new Random(seed);
      const settings = settingsFor('logistic', tuning);
      const errors: number[] = [];
      for (const logistic of settings) {
        const own = new Random(draws.key).split('inner');
        const folds = await h.crossValidateValues(data, ['logistic'], own, { folds: 3, options: { logistic } });
        expect(folds.length).toBe(3);
        errors.push(folds.reduce((sum, { rmse }) => sum + rmse, 0));
      }
      const options = await chooseValueOptions('logistic', data, tuning, draws);
      expect(options).toEqual({ logistic: settings[errors.indexOf(Math.min(...errors))] });
      chosen.push(options.logistic);
    }
    expect(chosen.some((setting) => JSON.stringify(setting) !== '{"c":1}')).toBe(true);
  });

  test('given values stay, steps of networks are limited, and a single setting is not tried', async () => {
    const given = { mlp: { hidden: 7 } };
    const options = await chooseValueOptions('mlp', noisy(40, 1), { ...tuning, trials: 2, given }, new Random(0));
    expect(options.mlp).toMatchObject({ hidden: 7, maxSteps: 40 });
    // Five rows cannot be folded.
    expect(await chooseValueOptions('forest', noisy(5, 1), { ...tuning, trials: 1 }, new Random(0))).toEqual({
      forest: { trees: 100, depth: 64, leastLeaf: 1 },
    });
  });

  test('cross-validation chooses in the training rows of each fold', async () => {
    const data = noisy(60, 4);
    const seen: number[] = [];
    const told: number[] = [];
    const scores = await h.crossValidateValues(data, ['logistic', 'forest'], new Random(0), {
      folds: 3,
      choose: async (method, training) => {
        seen.push(training.values.length);
        return method === 'logistic' ? { logistic: { c: 1e-6 } } : { forest: { trees: 2 } };
      },
      onScore: (_, done) => told.push(done),
    });
    expect(seen).toEqual([40, 40, 40, 40, 40, 40]);
    expect(told.at(-1)).toBe(1);
    // A line of almost no slope explains nothing.
    for (const { method, r2, options } of scores)
      if (method === 'logistic') {
        expect(options).toEqual({ c: 1e-6 });
        expect(Math.abs(r2)).toBeLessThan(0.2);
      }
  });
});
