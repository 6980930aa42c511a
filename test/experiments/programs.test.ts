import { expect, test } from 'vitest';
import { loadPrograms, type ProgramValues, splitPrograms } from '../../src/experiments/protocols/program-data.js';
import { ridgeClasses, similarities, tfidf } from '../../src/experiments/protocols/token-grams.js';
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
