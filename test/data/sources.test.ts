import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { splitGroups } from '../../src/data/index.js';
import { loadSources, sourceFilesIn } from '../../src/data/node.js';
import { Random } from '../../src/tensor/index.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-sources-'));
const write = (path: string, text: string) => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
  return join(folder, path);
};

describe('labelled source files', () => {
  test('from a folder a class, of any depth; other files and hidden folders are left out', async () => {
    write('set/b/deep/er/x.py', 'x = 1');
    write('set/b/y.PY', 'y = 1');
    write('set/a/z.py', 'z = 1');
    write('set/a/readme.md', '#');
    write('set/a/.git/w.py', 'w = 1');
    write('set/c/readme.md', '#');
    const { classes, labels, files, name } = await loadSources(join(folder, 'set'), ['.py']);
    expect([name, classes, [...labels]]).toEqual(['set', ['a', 'b'], [0, 1, 1]]);
    expect(files.map(({ path, source }) => `${path} ${source}`)).toEqual([
      'a/z.py z = 1',
      'b/deep/er/x.py x = 1',
      'b/y.PY y = 1',
    ]);
    expect(sourceFilesIn(join(folder, 'set/a/z.py'), ['.py'])).toEqual([join(folder, 'set/a/z.py')]);
  });

  test('from JSON lines with code and label, or other columns', async () => {
    const path = write('t.jsonl', '{"code":"x = 1\\ny = 2","label":"p"}\n{"code":"z","label":"q"}\n');
    const { files, classes, labels } = await loadSources(path, ['.py']);
    expect(files[0]?.source).toBe('x = 1\ny = 2');
    expect([classes, [...labels]]).toEqual([
      ['p', 'q'],
      [0, 1],
    ]);
    await expect(loadSources(path, ['.py'], { target: 'problem' })).rejects.toThrow('problem');
  });

  test('say what is wrong', async () => {
    await expect(loadSources(join(folder, 'set'), ['.java'])).rejects.toThrow('source files (.java)');
    await expect(loadSources(write('one.jsonl', '{"code":"x","label":"p"}\n'), [])).rejects.toThrow('one class alone');
    await expect(loadSources('nope', [])).rejects.toThrow('neither a file nor a known set of source files (code-gcj)');
  });
});

describe('splitGroups', () => {
  const groups = Array.from({ length: 40 }, (_, i) => (i % 20 < 4 ? `same ${i < 20}` : String(i)));
  const labels = Int32Array.from({ length: 40 }, (_, i) => Number(i >= 20));

  test('keeps groups on one side, and every row in one part', () => {
    for (let seed = 0; seed < 20; seed++) {
      const {
        train,
        validation,
        test: held,
      } = splitGroups(groups, labels, ['a', 'b'], { train: 0.6, validation: 0.2 }, new Random(seed));
      const parts = [train, validation, held].map((rows) => Array.from(rows));
      expect(parts.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
      const sides = (group: string) => parts.filter((rows) => rows.some((row) => groups[row] === group)).length;
      expect([sides('same true'), sides('same false')]).toEqual([1, 1]);
      expect(train.length).toBeGreaterThanOrEqual(20);
    }
  });

  test('takes numbers of rows, and names a class that is too small', () => {
    const apart = Array.from({ length: 40 }, (_, i) => String(i));
    const { train, validation } = splitGroups(apart, labels, ['a', 'b'], { train: 10, validation: 5 }, new Random(0));
    expect([train.length, validation.length]).toEqual([20, 10]);
    expect(() => splitGroups(apart, labels, ['a', 'b'], { train: 15, validation: 5 }, new Random(0))).toThrow(
      'class "a" has 20 rows, too few',
    );
  });

  test('rows that are all equal cannot be split', () => {
    const two = { train: 0.6, validation: 0.2 };
    const copies = Array.from({ length: 40 }, (_, i) => (i < 20 ? String(i) : 'same'));
    expect(() => splitGroups(copies, labels, ['a', 'b'], two, new Random(0))).toThrow(
      'the 20 rows of class "b", with equal ones of other classes, are 1 different ones, of which none has at most 12 copies to train on',
    );
    const halves = Array.from({ length: 40 }, (_, i) => String(i - (i % 10)));
    expect(() => splitGroups(halves, labels, ['a', 'b'], two, new Random(0))).toThrow('leaves none for validation');
  });
});
