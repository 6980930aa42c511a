import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCsv } from '../../src/data/index.js';
import { runShell } from '../cli/document.js';

const root = join(import.meta.dirname, '../..');

/** The first columns of the predictions in a file. */
function answers(folder: string, file: string, columns = 2): (readonly string[])[] {
  return readCsv(readFileSync(join(folder, file), 'utf8'), file).rows.map((row) => row.slice(0, columns));
}

function run(page: string, heading: string) {
  const done = runShell(`systems/${page}.md`, `### ${heading}`);
  expect([done.status, done.status === 0 ? '' : done.stderr]).toEqual([0, '']);
  return done;
}

const TABLE = 'From a table to answers for new data';
const PICTURES = 'From pictures to answers for new ones';

describe.skipIf(!existsSync(join(root, 'dist')))(
  'pages lead from tables, texts and pictures to answers (needs a build)',
  () => {
    test('hypertab: classes of rows with columns in another order and form', () => {
      const { stdout, stderr, folder } = run('hypertab', TABLE);
      expect(stdout).toContain('width: 120 numbers with decimal commas');
      expect(stdout).toContain('Trained on  table.csv: 120 rows');
      expect(stderr).toContain('without column "width" the probability of the predicted class falls by');
      expect(answers(folder, 'predictions.csv')).toEqual([
        ['1', 'red'],
        ['2', 'blue'],
      ]);
    }, 120_000);

    test('mip: classes under conditions, of each row or of all', () => {
      const { stdout, folder } = run('mip', TABLE);
      expect(stdout).toContain('Condition     angle:');
      expect(answers(folder, 'predictions.csv')).toEqual([
        ['1', 'red'],
        ['2', 'blue'],
      ]);
      expect(answers(folder, 'at-zero.csv').map(([, label]) => label)).toEqual(['red', 'red']);
    }, 120_000);

    test('hypernet-review: classes by tasks that contradict each other', () => {
      const { stdout, folder } = run('hypernet-review', TABLE);
      expect(stdout).toContain('Tasks         rome, oslo');
      expect(answers(folder, 'predictions.csv', 3).map(([, task, label]) => `${task} ${label}`)).toEqual([
        'oslo in',
        'rome out',
        'rome in',
        'oslo out',
      ]);
      expect(answers(folder, 'oslo.csv', 3).map(([, , label]) => label)).toEqual(['in', 'in', 'out', 'out']);
    }, 120_000);

    test('semipfl: classes of rows by the model of their user', () => {
      const { stdout, folder } = run('semipfl', 'From a table to answers of a personal model');
      expect(stdout).toContain('a federation of 4 users, simulated');
      expect(stdout).toContain('Users       u1, u2, u3, u4');
      expect(answers(folder, 'answers.csv', 3).map(([, user, activity]) => `${user} ${activity}`)).toEqual([
        'u1 sit',
        'u1 run',
      ]);
    }, 120_000);

    test('moepp: what comes next in a text', () => {
      const { stdout } = run('moepp', 'From a text to its continuation');
      expect(stdout).toContain('Trained on  book.txt: ');
      expect(stdout).toMatch(/2 layers of 32, 2 heads, 4 experts, 2 a token/);
      expect(stdout).toContain('the dog sat on');
    }, 120_000);

    test('mc-smoe: a smaller model, and what comes next in a text', () => {
      const { stdout } = run('mc-smoe', 'From a text to a smaller model');
      expect(stdout).toMatch(/small\.safetensors: validation loss 0\.\d+ nats a token, 0\.\d+ before/);
      expect(stdout).toMatch(/layer 1: [23] of 4 experts; groups/);
      expect(stdout).toMatch(/4 experts merged to \d, \d by layer of rank 8, 1 a token/);
      expect(stdout).toContain('the cat sat on the mat');
    }, 120_000);

    test('sparsebytenn: how much faster, and classes of new pictures', () => {
      const { stdout, folder } = run('sparsebytenn', PICTURES);
      expect(stdout).toMatch(/One image: \d.\d+ ms dense, \d.\d+ ms with the faster kernels/);
      expect(stdout).toMatch(/rearranged the channels of \d classes/);
      const best = answers(folder, 'new.csv', 3).filter(([, rank]) => rank === '1');
      expect(best.map(([, , label]) => label)).toEqual(['rose', 'iris']);
    }, 120_000);

    test.each(['vanillanet', 'lsnet', 'sparse-convnets', 'simplenet', 'emov2', 'hyperzzw', 'pflayer'])(
      '%s: classes of new pictures',
      (page) => {
        const { stdout, folder } = run(page, PICTURES);
        expect(stdout).toContain('test accuracy 100.00 %');
        const best = answers(folder, 'new.csv', 3).filter(([, rank]) => rank === '1');
        expect(best.map(([picture, , label]) => [picture?.split('/').at(-1), label])).toEqual([
          ['a.bmp', 'rose'],
          ['b.bmp', 'iris'],
        ]);
        if (page === 'sparse-convnets') expect(stdout).toMatch(/sparse 1×1/);
      },
      120_000,
    );
  },
);
