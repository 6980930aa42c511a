import { describe, expect, test } from 'vitest';
import { hierTag, LatentTextEncoder } from '../../src/data/index.js';
import { svd } from '../../src/linalg/index.js';
import { SparseMatrix, spmm } from '../../src/sparse/index.js';
import { truncatedSvd } from '../../src/structure/index.js';
import { matmul, Random, tensor, transpose } from '../../src/tensor/index.js';
import { expectClose, uniform } from '../oracle.js';

const rowsOf = (encoder: LatentTextEncoder, texts: readonly string[]) => {
  const values = encoder.encode(texts).view();
  return texts.map((_, i) => [...values.subarray(i * encoder.dimension, (i + 1) * encoder.dimension)]);
};
const dot = (a: readonly number[] = [], b: readonly number[] = []) =>
  a.reduce((sum, value, k) => sum + value * (b[k] as number), 0);

describe('truncatedSvd', () => {
  const [rows, columns] = [40, 30];
  const noise = uniform(3, rows * columns);
  const at: [number, number][] = [];
  for (let i = 0; i < rows * columns; i++) if (i % 3 !== 0) at.push([Math.floor(i / columns), i % columns]);
  const values = at.map(([i, j]) => (noise[i * columns + j] as number) + 3 * Math.sin(i) * Math.cos(j) + (i % 4));
  const matrix = SparseMatrix.fromCoordinates(
    rows,
    columns,
    at.map(([i]) => i),
    at.map(([, j]) => j),
    values,
  );
  const dense = new Float32Array(rows * columns);
  at.forEach(([i, j], e) => {
    dense[i * columns + j] = values[e] as number;
  });

  test('has the leading singular values and the subspaces of the dense decomposition', () => {
    const exact = svd(tensor(dense, [rows, columns]));
    const { vectors: v, values: s } = truncatedSvd(matrix.transpose(), 5, new Random(1), { iterations: 8 });
    expectClose(s, exact.s.view().subarray(0, 5), 1e-3);
    const approximation = matmul(spmm(matrix, v), transpose(v)).view();
    const [eu, ev] = [exact.u.view(), exact.v.view()];
    const best = dense.map((_, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      let sum = 0;
      for (let k = 0; k < 5; k++)
        sum += (eu[row * 30 + k] as number) * (exact.s.view()[k] as number) * (ev[column * 30 + k] as number);
      return sum;
    });
    expectClose(approximation, best, 5e-2);
    expectClose(
      matmul(v, v, { transposeA: true }).view(),
      Float32Array.from({ length: 25 }, (_, i) => Number(i % 6 === 0)),
      1e-4,
    );
  });

  test('has values of 0 beyond the rank, and wants a rank', () => {
    const ones = SparseMatrix.fromCoordinates(4, 3, [0, 1, 2, 3], [0, 0, 1, 1], [1, 1, 1, 1]);
    expectClose(truncatedSvd(ones, 3, new Random(0)).values, [Math.SQRT2, Math.SQRT2, 0], 1e-4);
    expect(() => truncatedSvd(ones, 0, new Random(0))).toThrow('the rank is 0');
  });
});

describe('LatentTextEncoder', () => {
  const corpus = [
    'the engine of the car needs oil',
    'a car with a new engine',
    'oil for the motor of the truck',
    'truck and motor repair',
    'she bakes bread with flour',
    'flour and yeast make bread',
    'a cake of flour, butter and sugar',
    'sugar cake with butter',
  ];
  const encoder = new LatentTextEncoder({ dimension: 4, parts: [0, 0] }).fit(corpus);

  test('texts of one theme are alike though they share no word', () => {
    const themes = [
      ...['car engine oil', 'oil car wheel', 'engine truck motor', 'motor truck oil', 'wheel truck engine car'],
      ...['bread flour yeast', 'flour cake sugar', 'sugar butter cake', 'yeast flour bread cake', 'butter bread sugar'],
    ];
    const two = new LatentTextEncoder({ dimension: 2, parts: [0, 0] }).fit(themes);
    const [car, truck, cake] = rowsOf(two, ['car wheel', 'motor truck', 'butter cake']);
    expect(dot(car, car)).toBeCloseTo(1, 5);
    expect(dot(car, truck)).toBeGreaterThan(0.8);
    expect(Math.abs(dot(car, cake))).toBeLessThan(0.3);
  });

  test('keeps the cosines of weighted rows where the dimension holds all of them', () => {
    const full = new LatentTextEncoder({ dimension: 16, parts: [0, 0] }).fit(corpus);
    const [a, b] = rowsOf(full, corpus.slice(0, 2));
    // idf of words and pairs of words that both texts have: "car", "engine" and "a"/"the" apart.
    const terms = (text: string) => {
      const words = text.match(/\w+/g) as string[];
      return [...words, ...words.slice(1).map((word, i) => `${words[i]} ${word}`)];
    };
    const counts = (text: string) => {
      const own = new Map<string, number>();
      for (const term of terms(text)) own.set(term, (own.get(term) ?? 0) + 1);
      return own;
    };
    const weight = (term: string) => Math.log(9 / (1 + corpus.filter((text) => terms(text).includes(term)).length)) + 1;
    const vector = (text: string) =>
      new Map([...counts(text)].map(([term, count]) => [term, (1 + Math.log(count)) * weight(term)]));
    const [x, y] = [vector(corpus[0] as string), vector(corpus[1] as string)];
    const length = (v: Map<string, number>) => Math.hypot(...v.values());
    const cosine = [...x].reduce((sum, [term, value]) => sum + value * (y.get(term) ?? 0), 0) / (length(x) * length(y));
    expect(dot(a, b)).toBeCloseTo(cosine, 3);
  });

  test('directions beyond the rank of the corpus stay 0', () => {
    const two = new LatentTextEncoder({ dimension: 5, parts: [0, 0] }).fit(['red', 'red', 'blue', 'blue']);
    const directions = two.state().directions;
    const lengths = matmul(directions, directions, { transposeA: true }).view();
    expectClose(
      Float32Array.from({ length: 5 }, (_, k) => lengths[k * 6] as number),
      [1, 1, 0, 0, 0],
      1e-4,
    );
  });

  test('parts of words make inflected forms alike', () => {
    const parts = new LatentTextEncoder({ dimension: 8 }).fit(corpus);
    const words = new LatentTextEncoder({ dimension: 8, parts: [0, 0] }).fit(corpus);
    const alike = (own: LatentTextEncoder) => dot(...(rowsOf(own, ['engines', 'engine']) as [number[], number[]]));
    expect(alike(parts)).toBeGreaterThan(0.9);
    expect(alike(words)).toBe(0);
  });

  test('a text without a known word is 0; a restored encoder gives the same vectors', () => {
    expect(rowsOf(encoder, ['', 'zzz'])).toEqual([Array(4).fill(0), Array(4).fill(0)]);
    const again = LatentTextEncoder.restore(encoder.state());
    expect(rowsOf(again, corpus)).toEqual(rowsOf(encoder, corpus));
    expect(() => new LatentTextEncoder().encode(['x'])).toThrow('fit it on a corpus first');
    expect(() => new LatentTextEncoder().fit(['', '?'])).toThrow('no text of the corpus has a word');
    expect(() => new LatentTextEncoder({ dimension: 0 })).toThrow('dimension 0 is no positive whole number');
  });
});

describe('hierTag', () => {
  const data = hierTag(new Random(4), { fields: 3, topics: 4, nodesOf: (field) => (field === 2 ? 10 : 30) });
  const shareOf = (kind: 'homophilic' | 'heterophilic', same: (u: number, v: number) => boolean) => {
    const { sources, targets } = data[kind].edges();
    return sources.filter((u, e) => same(u, targets[e] as number)).length / sources.length;
  };

  test('has the shares of edges within topics and fields that its names say', () => {
    const topic = (u: number, v: number) => data.topics[u] === data.topics[v];
    const field = (u: number, v: number) => data.fields[u] === data.fields[v] && !topic(u, v);
    expect(shareOf('homophilic', topic)).toBeGreaterThan(0.74);
    expect(shareOf('heterophilic', topic)).toBeLessThan(0.16);
    expect(shareOf('heterophilic', field)).toBeGreaterThan(0.68);
    expect(data.texts.length).toBe(4 * (30 + 30 + 10));
    expect(data.classTexts.length).toBe(12);
  });

  test('texts are of as many words of their field and topic as they should be', () => {
    const own = new Set((data.classTexts[5] as string).split(' ').slice(6));
    const words = data.texts.filter((_, v) => data.topics[v] === 5).flatMap((text) => text.split(' '));
    expect(words.length).toBe(30 * 14);
    const share = words.filter((word) => own.has(word)).length / words.length;
    // 12 % are of the topic, whose class text has 8 of its 10 words.
    expect(Math.abs(share - 0.096)).toBeLessThan(0.05);
    expect(new Set(data.texts.join(' ').split(' ')).size).toBeGreaterThan(300);
  });

  test('follows from the random stream', () => {
    expect(hierTag(new Random(4), { fields: 3 }).texts).toEqual(hierTag(new Random(4), { fields: 3 }).texts);
    expect(hierTag(new Random(5), { fields: 3 }).texts).not.toEqual(hierTag(new Random(4), { fields: 3 }).texts);
  });
});
