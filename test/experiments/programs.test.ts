import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPrograms, type ProgramValues, splitPrograms } from '../../src/experiments/protocols/program-data.js';
import { ridgeClasses, similarities, tfidf } from '../../src/experiments/protocols/token-grams.js';
import { runExperiment } from '../../src/experiments/runner/run.js';
import { findSystem } from '../../src/experiments/systems.js';
import { Random } from '../../src/tensor/index.js';

const values: ProgramValues = {
  ...{
    setting: 'full',
    anonymise: 'yes',
    vertices: 1200,
    leastFiles: 1,
    programs: 80,
    classes: '',
    language: 'python',
  },
};

test('the four classes of fields have the same tokens and the same untyped trees', async () => {
  const { sources = [], labels } = await loadPrograms('fields', values);
  const decisive = (label: number) => {
    const at = labels.indexOf(label);
    const tokens = sources[at]?.tokens ?? [];
    return ['r', 'a', 'b', '-', 'foo', 'bar'].map((token) => tokens.filter((own) => own === token).length);
  };
  for (const label of [1, 2, 3]) expect(decisive(label)).toEqual(decisive(0));
  expect(new Set(labels).size).toBe(4);
});

test('the vocabulary is that of the training programs', async () => {
  const data = await loadPrograms('fields', values);
  const split = splitPrograms(data, values, new Random(0));
  const { vocabulary, programs } = data.inputs(split.train.subarray(0, 1), {});
  const known = vocabulary?.state.values[1] ?? [];
  const own = new Set(data.sources?.[split.train[0] as number]?.values);
  expect(known.slice(1).every((value) => own.has(value))).toBe(true);
  expect(programs.length).toBe(80);
  expect(data.inputs(split.train, { edgeTypes: false }).types).toBe(1);
});

test('roles: both classes have the same hyperedges but for who is the head', async () => {
  const data = await loadPrograms('roles', values);
  const { programs } = data.inputs(new Int32Array(0), {});
  programs.forEach(({ structure, values: colours }, i) => {
    for (let e = 0; e < structure.hyperedgeCount; e++) {
      const { head, tail } = structure.hyperedge(e);
      expect(Array.from(head, (v) => colours[v])).toEqual([data.labels[i] === 1 ? 0 : 1]);
      expect(tail.length).toBe(2);
    }
  });
});

test('ridge on tf-idf equals the closed form of two files', () => {
  const bags = tfidf(
    [
      ['a', 'a', 'b'],
      ['a', 'b', 'b'],
      ['a', 'b', 'b'],
    ],
    [0, 1],
    1,
  );
  const [one, two] = [1 + Math.log(2), 1];
  const norm = Math.hypot(one, two);
  expect(bags[0]?.get('a')).toBeCloseTo(one / norm, 6);
  const kernel = similarities(bags, [0, 1]);
  expect(kernel[0]?.[1]).toBeCloseTo((2 * one * two) / norm ** 2, 6);
  expect([...ridgeClasses(kernel, [0, 1], [0, 1, 1], 2, 0.1)]).toEqual([0, 1, 1]);
  const bigrams = tfidf(
    [
      ['a', 'b'],
      ['a', 'b'],
      ['b', 'a'],
    ],
    [0, 1],
    2,
  );
  expect([bigrams[0]?.size, bigrams[2]?.size]).toEqual([3, 2]);
});

describe('a folder of Python files, a folder for each class', () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'gossamer-python-')), 'algorithms');
  const write = (path: string, source: string) => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), source);
  };
  const bodies = {
    sorts: (name: string) => `    while ${name}[0] > ${name}[1]:\n        ${name}.reverse()\n`,
    maths: (name: string) => `    return ${name} * ${name} - 1\n`,
    strings: (name: string) => `    return "${name}".join(str(c) for c in ${name})\n`,
  };
  for (const [title, body] of Object.entries(bodies))
    for (let i = 0; i < 20; i++) {
      const name = `${title}${i}`;
      const noise = `    ${name} = list(${name})  # ${title}\n`.repeat(i >> 1);
      // The files with an odd number lie deeper.
      write(`${title}/${i % 2 ? 'more/' : ''}${i}.py`, `def ${name}_${title}(${name}):\n${noise}${body(name)}`);
    }
  write('sorts/broken.py', 'def f(:\n');
  write('sorts/empty.py', ' \n');
  write('sorts/long.py', 'x = 1\n'.repeat(2000));
  write('sorts/notes.txt', 'no source');
  write('graphs/single.py', 'x = 1\n');

  const own = { ...values, leastFiles: 20 };

  test('is read without names, comments and what cannot be parsed', async () => {
    const data = await loadPrograms(folder, own);
    expect([data.name, data.language, data.classes]).toEqual(['algorithms', 'python', ['maths', 'sorts', 'strings']]);
    expect(data.left).toBe('left out: 2 empty or with syntax errors, 1 of more than 1200 vertices, 1 in small classes');
    expect(data.labels.length).toBe(60);
    const texts = new Set(data.sources?.flatMap(({ values: all, kinds }) => all.filter((_, v) => kinds[v] === 1)));
    expect([...texts].sort()).toEqual(['()', '*', '-', '0', '1', '>', '⟨id⟩', '⟨str⟩']);
    const few = await loadPrograms(folder, { ...own, setting: 'few' });
    expect(few.sources?.some(({ values: all }) => all.includes('1'))).toBe(false);
  });

  test('is split with equal programs on one side: full by shares, few by numbers of files', async () => {
    const data = await loadPrograms(folder, own);
    const split = splitPrograms(data, own, new Random(1));
    const contents = (rows: Int32Array) => new Set(Array.from(rows, (row) => data.groups[row]));
    const [train, validation, test] = [split.train, split.validation, split.test].map(contents);
    for (const [a, b] of [
      [train, validation],
      [train, test],
      [validation, test],
    ])
      expect([...(a ?? [])].filter((content) => b?.has(content))).toEqual([]);
    const apart = { ...data, groups: data.groups.map((_, row) => String(row)) };
    const few = splitPrograms(apart, { ...own, setting: 'few' }, new Random(1));
    for (const label of [0, 1, 2])
      expect(
        [few.train, few.validation, few.test].map((rows) => rows.filter((row) => data.labels[row] === label).length),
      ).toEqual([10, 5, 5]);
  });

  test('some classes of it can be named; an unknown one is refused with those that there are', async () => {
    expect((await loadPrograms(folder, { ...own, classes: 'sorts, maths' })).classes).toEqual(['sorts', 'maths']);
    await expect(loadPrograms(folder, { ...own, classes: 'sorts,geometry' })).rejects.toThrow(
      'has no class "geometry"; it has graphs, maths, sorts, strings',
    );
    await expect(loadPrograms(folder, { ...own, leastFiles: 21 })).rejects.toThrow('0 classes of at least 21 files');
  });

  test('is a run of all methods with the claims on corpora', async () => {
    const { rows, claims } = await runExperiment(findSystem('hdhgn'), {
      ...{ data: folder, seeds: [0], set: ['leastFiles=20', 'epochs=2'], smoke: true },
    });
    expect(rows.map(({ method }) => method)).toEqual([
      'majority',
      'ridge, 1-grams',
      'ridge, 1–2-grams',
      'TBCNN',
      'GCN',
      'GAT',
      'HGNN⁺',
      'HDHGN',
    ]);
    const scoreOf = (method: string) => rows.find((row) => row.method === method)?.metrics.accuracy?.mean;
    const [bigrams = 0, majority = 100] = [scoreOf('ridge, 1–2-grams'), scoreOf('majority')];
    expect(bigrams).toBeGreaterThan(majority + 30);
    expect(claims.map(({ claim }) => claim)).toEqual([
      'Corpus, full: HDHGN above TBCNN (AST-based) (points)',
      'Corpus, full: HDHGN above the best GNN (points)',
      'Corpus, full: HDHGN above the best GNN (points)',
      'Corpus, full: HDHGN above ridge on 1-grams (points)',
    ]);
  }, 60_000);
});
