import { expect, test } from 'vitest';
import { HashedTextEncoder, wordsOf } from '../../src/data/index.js';

const rows = (encoder: HashedTextEncoder, texts: string[]) => {
  const values = encoder.encode(texts).dataSync<Float32Array>();
  return texts.map((_, i) => [...values.subarray(i * encoder.dimension, (i + 1) * encoder.dimension)]);
};
const dot = (a: number[] = [], b: number[] = []) => a.reduce((sum, value, k) => sum + value * (b[k] as number), 0);

test('words are runs of letters and digits of any script, in lower case', () => {
  expect(wordsOf('Navy-blue, 2-piece SUIT; größe 42 — 新しい')).toEqual([
    'navy',
    'blue',
    '2',
    'piece',
    'suit',
    'größe',
    '42',
    '新しい',
  ]);
});

test('a vector follows from the words and the seed alone', () => {
  const [first] = rows(new HashedTextEncoder({ seed: 3 }), ['red shoe', 'blue shoe']);
  const [, again] = rows(new HashedTextEncoder({ seed: 3 }), ['unrelated words first', 'Shoe RED']);
  expect(again).toEqual(first);
  const [other] = rows(new HashedTextEncoder({ seed: 4 }), ['red shoe']);
  expect(Math.abs(dot(first, other))).toBeLessThan(0.3);
});

test('texts that share words are alike, others nearly orthogonal; vectors have unit length', () => {
  const [a, b, c] = rows(new HashedTextEncoder({ dimension: 1024 }), ['red leather shoe', 'red leather bag', 'a lamp']);
  expect(dot(a, a)).toBeCloseTo(1, 5);
  expect(dot(a, b)).toBeGreaterThan(0.55);
  expect(Math.abs(dot(a, c))).toBeLessThan(0.15);
});

test('counted on texts, a word weighs ln((1 + texts) / (1 + its texts)) + 1', () => {
  const plain = new HashedTextEncoder({ dimension: 64 });
  const counted = new HashedTextEncoder({ dimension: 64 }).fit(['shoe red red', 'shoe blue', 'shoe']);
  const [shoe, red] = rows(plain, ['shoe', 'red']);
  const [both] = rows(counted, ['shoe red']);
  // Words alone have unit length; of the raw vectors only the ratio of lengths is needed.
  const raw = (text: string) => rows(new HashedTextEncoder({ dimension: 64 }), [text])[0] as number[];
  const solve = (x: number[], y: number[], z: number[]) => {
    const [xx, xy, yy, xz, yz] = [dot(x, x), dot(x, y), dot(y, y), dot(x, z), dot(y, z)];
    const det = xx * yy - xy * xy;
    return [(xz * yy - yz * xy) / det, (yz * xx - xz * xy) / det] as const;
  };
  const [s1, r1] = solve(shoe as number[], red as number[], raw('shoe red'));
  const [s2, r2] = solve(shoe as number[], red as number[], both as number[]);
  const weight = (df: number) => Math.log(4 / (1 + df)) + 1;
  expect(r2 / s2 / (r1 / s1)).toBeCloseTo(weight(1) / weight(3), 4);
});

test('groups of three characters make misspelt words alike', () => {
  const cosine = (trigrams: boolean) => {
    const [a, b] = rows(new HashedTextEncoder({ dimension: 1024, trigrams }), ['waterproof', 'watterproof']);
    return dot(a, b);
  };
  expect(cosine(true)).toBeGreaterThan(0.5);
  expect(Math.abs(cosine(false))).toBeLessThan(0.15);
});

test('signs of unit root mean square', () => {
  const [a] = rows(new HashedTextEncoder({ dimension: 32, entries: 'signs', scale: 'rms' }), ['one']);
  expect(a?.every((value) => Math.abs(value) === 1)).toBe(true);
});

test('an encoder is restored from its state, and a text without words is refused', () => {
  const encoder = new HashedTextEncoder({ dimension: 16, seed: 9, trigrams: true }).fit(['a b', 'b']);
  const restored = HashedTextEncoder.restore(JSON.parse(JSON.stringify(encoder.state())));
  expect(rows(restored, ['b new a'])).toEqual(rows(encoder, ['b new a']));
  expect(() => encoder.encode(['fine', ' -- '])).toThrow('text " -- " has no word to encode');
  expect(() => new HashedTextEncoder({ dimension: 0 })).toThrow('no positive whole number');
});
