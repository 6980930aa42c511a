import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCsv } from '../../src/data/index.js';
import { uniform } from '../oracle.js';
import { commandIn, main } from './command.js';
import { runDocument } from './document.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-tables-'));
const path = (name: string) => join(folder, name);

const gossamer = commandIn(folder);

describe.skipIf(!existsSync(main))('tables and hypernetworks on the command line (needs a build)', () => {
  const draws = uniform(1, 300, 0, 1);
  const lines = Array.from({ length: 100 }, (_, i) => {
    const [a, b] = [draws[i] as number, draws[100 + i] as number];
    return `${a.toFixed(3)},${i % 9 === 0 ? '' : b.toFixed(3)},${(draws[200 + i] as number) > 0.5 ? 'up' : 'down'},,${a > 0.5 ? 'yes' : 'no'}`;
  });
  writeFileSync(path('table.csv'), `a,b,c,empty,y\n${lines.join('\n')}\n`);

  test('fit compares, keeps the best, and predict reads other tables with it', () => {
    const { status, stdout, stderr } = gossamer(
      'fit',
      'table.csv',
      '--target',
      'y',
      '--views',
      '6',
      '--epochs',
      '4',
      '-o',
      'm.safetensors',
    );
    expect(status).toBe(0);
    expect(stderr).toContain('column "empty" is left out: no values');
    expect(stdout).toContain('table.csv: 100 rows, 3 columns, 2 classes');
    for (const title of ['HyperTab', 'random forest', 'gradient boosting', 'MLP', 'DropoutNet', 'logistic regression'])
      expect(stdout).toMatch(new RegExp(`^${title} +\\d+\\.\\d ± `, 'm'));
    writeFileSync(path('new.csv'), 'c,b,a\nup,0.2,0.9\nsideways,,0.1\n');
    const predicted = gossamer('predict', 'm.safetensors', 'new.csv', '-o', 'p.csv');
    expect(predicted.status).toBe(0);
    expect(predicted.stderr).toContain('column "c" holds sideways, which training did not know');
    const { columns, rows } = readCsv(readFileSync(path('p.csv'), 'utf8'));
    expect(columns).toEqual(['row', 'y', 'probability', 'p(no)', 'p(yes)']);
    expect(rows.map((row) => row[1])).toEqual(['yes', 'no']);
    const json = gossamer('fit', 'table.csv', '--target', 'y', '--methods', 'forest', '--json', '-o', 'f.safetensors');
    expect(JSON.parse(json.stdout)).toMatchObject({ best: 'forest', model: 'f.safetensors' });
  }, 120_000);

  test('of a long table a part decides which method learns all of it, and HyperTab must be asked for', () => {
    const long = Array.from({ length: 11_000 }, (_, i) => {
      const a = Math.sin(i * i);
      return `${a.toFixed(4)},${Math.cos(i).toFixed(4)},${a > 0 ? 'yes' : 'no'},${(3 * a).toFixed(4)}`;
    });
    writeFileSync(path('long.csv'), `a,b,y,z\n${long.join('\n')}\n`);
    const args = ['fit', 'long.csv', '--compare', '300', '--folds', '2', '-o', 'long.safetensors'];
    const { status, stdout, stderr } = gossamer(...args, '--target', 'y', '--ignore', 'z');
    expect(status).toBe(0);
    expect(stderr).toMatch(/compared on (299|300|301) of 11,000 rows \(--compare\), the best is trained on all/);
    expect(stderr).toContain('HyperTab is meant for fewer than 1,000 rows and is left out');
    expect(stdout).toMatch(/: (299|300|301) rows, 2 columns, 2 classes/);
    expect(stdout).not.toMatch(/^HyperTab/m);
    expect(stdout).toContain('trained on all 11000 rows');
    const number = gossamer(...args, '--target', 'z', '--ignore', 'y', '--methods', 'logistic,forest');
    expect(number.stdout).toContain('300 rows, 2 columns, a number');
    expect(number.stdout).toContain('logistic regression, trained on all 11000 rows');
  }, 120_000);

  test('a target of numbers is predicted as such, and models of HyperTab tell what their columns contribute', () => {
    const price = lines.map((line, i) => `${line},${(1000 * (draws[i] as number) + 50).toFixed(1)}`);
    writeFileSync(path('prices.csv'), `a,b,c,empty,y,price\n${price.join('\n')}\n`);
    const args = ['fit', 'prices.csv', '--target', 'price', '--ignore', 'y', '-o', 'n.safetensors'];
    const all = gossamer(...args, '--methods', 'forest,logistic', '--json');
    expect(all.status).toBe(0);
    const { rows, best } = JSON.parse(all.stdout);
    expect(best).toBe('logistic');
    expect(rows[1].r2.mean).toBeGreaterThan(0.95);
    writeFileSync(path('new.csv'), 'c,b,a\nup,0.2,0.9\ndown,,0.1\n');
    const { columns, rows: predicted } = readCsv(gossamer('predict', 'n.safetensors', 'new.csv').stdout);
    expect(columns).toEqual(['row', 'price']);
    expect(Math.abs(Number(predicted[0]?.[1]) - 950)).toBeLessThan(50);
    expect(Math.abs(Number(predicted[1]?.[1]) - 150)).toBeLessThan(50);
    const refused = gossamer('predict', 'n.safetensors', 'new.csv', '--explain');
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('--explain leaves out views of HyperTab');
  }, 120_000);

  test('a table of a spreadsheet: profile, gaps in the target, a rare class, new rows in another notation', () => {
    const rows = Array.from({ length: 60 }, (_, i) => {
      const [a, day] = [(draws[i] as number) * 5000, String(1 + (i % 28)).padStart(2, '0')];
      const amount = `${a.toLocaleString('de-DE', { minimumFractionDigits: 2, maximumFractionDigits: 2 })} €`;
      return `${i + 1};${amount};${day}.03.2024;0${i % 5}1;${i === 7 ? '' : i === 9 ? 'rare' : a > 2500 ? 'none' : 'some'}`;
    });
    writeFileSync(path('sheet.csv'), `nr;amount;day;code;size\n${rows.join('\n')}\n`);
    const profile = gossamer('info', 'sheet.csv').stdout;
    expect(profile).toMatch(/^sheet\.csv: 60 rows, 10 columns/);
    expect(profile).toMatch(/^nr +number +60 +1 … 60 +left out by fit: the numbers of the rows$/m);
    expect(profile).toMatch(/^day \(day\) +date +28 +1 … 28$/m);
    expect(profile).toMatch(/^code +category +5 +001 \(12\), /m);
    expect(profile).toContain('amount: 60 amounts in €, read as numbers');
    const args = ['fit', 'sheet.csv', '--target', 'size', '--model', 'forest', '-o', 's.safetensors'];
    expect(gossamer(...args).stderr).toContain('holds the class "rare" in a single row');
    const { status, stdout, stderr } = gossamer(...args, '--rare', 'drop');
    expect(status).toBe(0);
    expect(stderr).toContain('1 rows have no size and are left out');
    expect(stderr).toContain('1 classes of a single row (rare) are left out');
    expect(stderr).toContain('column "nr" is left out: the numbers of the rows');
    expect(stdout).toContain('58 rows, 5 columns, 2 classes');
    writeFileSync(path('amounts.csv'), 'amount,day,code\n"$4,900.50",2024-03-05,001\n$100,2024-03-06,011\n');
    const { rows: predicted } = readCsv(gossamer('predict', 's.safetensors', 'amounts.csv').stdout);
    expect(predicted.map(([, size]) => size)).toEqual(['none', 'some']);
    expect(gossamer(...args, '--rare', 'merge').stderr).toContain('merged into "other"');
  }, 120_000);

  test('one method is tuned within the training rows; given options stay', () => {
    const args = ['fit', 'table.csv', '--target', 'y', '--model', 'hypertab', '--tune', '2', '--folds', '2'];
    const fitted = gossamer(...args, '--views', '8', '--epochs', '6', '--learning-rate', '0.01', '-o', 'h.safetensors');
    expect(fitted.status).toBe(0);
    expect(fitted.stdout).toMatch(/^HyperTab +\d+\.\d ± /m);
    expect(fitted.stdout).not.toContain('random forest');
    const told = gossamer('predict', 'h.safetensors', 'new.csv', '--explain');
    expect(told.status).toBe(0);
    expect(told.stderr).toMatch(/without column "a" the probability of the predicted class falls by -?\d\.\d{4}/);
    const { columns } = readCsv(told.stdout);
    expect(columns).toEqual(['row', 'y', 'probability', 'p(no)', 'p(yes)']);
  }, 120_000);

  test('methods for a number are tuned by the root mean squared error', () => {
    // Thirty columns of noise: of twenty rows a line learns what the others do not have.
    const noise = uniform(7, 40 * 31, 0, 1);
    const names = Array.from({ length: 30 }, (_, c) => `x${c}`);
    const fields = Array.from({ length: 40 }, (_, row) => noise.slice(31 * row, 31 * (row + 1)).join(','));
    writeFileSync(path('noise.csv'), `${[...names, 'value'].join(',')}\n${fields.join('\n')}\n`);
    const args = ['fit', 'noise.csv', '--target', 'value', '--methods', 'logistic', '--folds', '2'];
    const [usual, tuned] = [[], ['--tune', '8']].map((more) => {
      const { status, stdout } = gossamer(...args, ...more, '--json', '-o', 'n.safetensors');
      expect(status).toBe(0);
      return Number(JSON.parse(stdout).rows[0].rmse.mean);
    });
    expect(tuned).toBeLessThan(0.9 * (usual ?? 0));
  }, 120_000);

  test('mistakes end with code 2, one line, and no file', () => {
    for (const [args, message] of [
      [['--target', 'z'], 'there is no target column "z"; the table has a, b, c, empty, y'],
      [['--target', 'y', '--methods', 'tree'], 'unknown model "tree"'],
      [['--target', 'y', '--ignore', 'q'], '--ignore names no column of the table: q'],
      [['--target', 'a', '--task', 'class'], 'holds'],
      [['--target', 'y', '--task', 'number'], 'the target "y" must hold numbers; it has "'],
      [['--target', 'a', '--task', 'number', '--tune', '0'], '--tune'],
      [['--target', 'y', '--model', 'tree'], 'unknown model "tree"'],
    ] as const) {
      const { status, stderr } = gossamer('fit', 'table.csv', ...args, '-o', 'none.safetensors');
      expect(status).toBe(2);
      expect(stderr).toContain(message);
      expect(existsSync(path('none.safetensors'))).toBe(false);
    }
    writeFileSync(path('short.csv'), 'a\n0.5\n');
    const short = gossamer('predict', 'm.safetensors', 'short.csv');
    expect(short.status).toBe(2);
    expect(short.stderr).toContain('the table lacks "b", "c"');
  });

  test('the code of docs/hypernetworks.md runs and learns', () => {
    const { status, stdout, stderr } = runDocument('hypernetworks.md');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const [learnt, point, doubled] = stdout.trim().split('\n');
    expect(learnt).toMatch(/^(0\.9\d\d|1\.000) (0\.9\d\d|1\.000)$/);
    expect(point).toContain('the same point in both tasks');
    expect(Number(doubled?.match(/[\d.]+/)?.[0])).toBeLessThan(1.2);
  }, 60_000);
});
