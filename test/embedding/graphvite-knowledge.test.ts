import { describe, expect, test } from 'vitest';
import * as e from '../../src/embedding/index.js';
import { setThreads, threads } from '../../src/engine/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { uniform } from '../oracle.js';

/** Scores by their formulas, in 64 bits. */
const formulas: Readonly<
  Record<e.KnowledgeModelName, (h: number[], r: number[], t: number[], margin: number) => number>
> = {
  transe: (h, r, t, margin) =>
    margin - h.reduce((sum, x, k) => sum + Math.abs(x + (r[k] as number) - (t[k] as number)), 0),
  distmult: (h, r, t) => h.reduce((sum, x, k) => sum + x * (r[k] as number) * (t[k] as number), 0),
  complex: (h, r, t) => {
    const half = h.length / 2;
    let sum = 0;
    for (let k = 0; k < half; k++) {
      const [a, b, c, d] = [h[k], h[k + half], r[k], r[k + half]] as [number, number, number, number];
      sum += (a * c - b * d) * (t[k] as number) + (a * d + b * c) * (t[k + half] as number);
    }
    return sum;
  },
  rotate: (h, r, t, margin) => {
    const half = h.length / 2;
    let sum = 0;
    for (let k = 0; k < half; k++) {
      const [c, s] = [Math.cos(r[k] as number), Math.sin(r[k] as number)];
      const [a, b] = [h[k], h[k + half]] as [number, number];
      sum += Math.hypot(a * c - b * s - (t[k] as number), a * s + b * c - (t[k + half] as number));
    }
    return margin - sum;
  },
};

/** A family on a ring: next, its inverse, next but one, and a symmetric relation. */
function ring(n: number) {
  const all: [number, number, number][] = [];
  for (let v = 0; v < n; v++)
    all.push([v, 0, (v + 1) % n], [(v + 1) % n, 1, v], [v, 2, (v + 2) % n], [v, 3, (v + n / 2) % n]);
  const order = new Random(1).permutation(all.length);
  const pick = (from: number, to: number): e.Triples => {
    const own = Array.from(order.subarray(from, to), (i) => all[i] as [number, number, number]);
    const column = (k: 0 | 1 | 2) => Int32Array.from(own, (triple) => triple[k]);
    return { heads: column(0), relations: column(1), tails: column(2) };
  };
  const held = Math.floor(all.length / 10);
  return { train: pick(held, all.length), test: pick(0, held), sizes: { entities: n, relations: 4 } };
}

describe.each(e.knowledgeModels)('%s', (model) => {
  test('scores are those of the formula', () => {
    const [entities, relations] = [uniform(1, 5 * 16), uniform(2, 2 * 16, -3, 3)];
    const own = new e.KnowledgeModel(model, 9, tensor(entities, [5, 16]), tensor(relations, [2, 16]));
    const row = (x: Float32Array, i: number) => Array.from(x.subarray(16 * i, 16 * i + 16));
    const scores = own.scores({
      heads: Int32Array.of(3, -1),
      relations: Int32Array.of(1, 0),
      tails: Int32Array.of(-1, 2),
    });
    for (let v = 0; v < 5; v++) {
      expect(scores[v]).toBeCloseTo(formulas[model](row(entities, 3), row(relations, 1), row(entities, v), 9), 4);
      expect(scores[5 + v]).toBeCloseTo(formulas[model](row(entities, v), row(relations, 0), row(entities, 2), 9), 4);
    }
    own.dispose();
  });

  test('a step of AdaGrad goes along the finite differences of the loss', async () => {
    // One triple of entities 0 and 1, whose only negative has another tail: 1 with some seeds, and 0
    // with others, where both gradients fall on one row.
    const triple = { heads: Int32Array.of(0), relations: Int32Array.of(0), tails: Int32Array.of(1) };
    const errors = [];
    for (const seed of [1, 2, 3, 4, 5, 6]) errors.push(await errorOf(triple, seed));
    expect(Math.min(...errors)).toBeLessThan(0.01);
  });

  /** Largest error over the learning rate, which bounds a step about. */
  async function errorOf(triple: e.Triples, seed: number): Promise<number> {
    const options = { model, dim: 8, negatives: 1, learningRate: 0.01, decay: 0, parts: 1, seed } as const;
    const sizes = { entities: 2, relations: 1 };
    const none = await e.embedKnowledge(triple, sizes, { ...options, epochs: 1, learningRate: 1e-30 });
    const one = await e.embedKnowledge(triple, sizes, { ...options, epochs: 1 });
    const values = (own: e.KnowledgeModel) => [...own.entities.view(), ...own.relations.view()];
    const [before, after] = [values(none), values(one)];
    const score = (x: readonly number[], tail: number) =>
      formulas[model](x.slice(0, 8), x.slice(16, 24), x.slice(8 * tail, 8 * tail + 8), 9);
    const softplus = (x: number) => Math.log1p(Math.exp(x));
    const H = 1e-5;
    const slopes = (loss: (x: readonly number[]) => number, x: readonly number[]) =>
      x.map((_, k) => {
        const moved = (delta: number) => loss(x.map((value, i) => (i === k ? value + delta : value)));
        return (moved(H) - moved(-H)) / (2 * H);
      });
    /** Both steps, the negative first: rows of a step share an accumulator each. */
    const stepped = (negative: number) => {
      const x = [...before];
      const sums = [0, 0, 0];
      const descend = (slope: readonly number[], rows: readonly number[]) => {
        for (const row of rows) {
          const own = slope.slice(8 * row, 8 * row + 8);
          sums[row] = (sums[row] as number) + own.reduce((sum, g) => sum + g * g, 0) / 8;
          own.forEach((g, k) => {
            x[8 * row + k] = (x[8 * row + k] as number) - (0.01 * g) / (Math.sqrt(sums[row] as number) + 1e-8);
          });
        }
      };
      const weight = 1 / (1 + Math.exp(-score(x, negative)));
      descend(
        slopes((y) => weight * score(y, negative), x),
        [0, 2, negative],
      );
      descend(
        slopes((y) => softplus(-score(y, 1)), x),
        [0, 2, 1],
      );
      return x;
    };
    const expected = stepped(1);
    const most = (x: readonly number[], y: readonly number[]) =>
      Math.max(...x.map((value, i) => Math.abs(value - (y[i] as number))));
    none.dispose();
    one.dispose();
    return most(expected, after) / 0.01;
  }
});

test.each(['rotate', 'complex'] as const)('%s: held-out triples are found', async (model) => {
  const { train, test: held, sizes } = ring(80);
  const own = await e.embedKnowledge(train, sizes, { model, dim: 32, epochs: 150 });
  const { mrr, hits10, hits1 } = e.filteredRanks(own, held, [train]);
  own.dispose();
  // By chance an eighth is among the ten.
  expect(hits10).toBeGreaterThan(0.45);
  expect(mrr).toBeGreaterThan(0.2);
  expect(hits1).toBeLessThanOrEqual(mrr);
});

test('one thread and two give the same bits', async () => {
  const { train, sizes } = ring(80);
  const before = threads();
  const results = [];
  for (const count of [1, 2]) {
    setThreads(count);
    const own = await e.embedKnowledge(train, sizes, { dim: 16, epochs: 4 });
    results.push([...own.entities.view(), ...own.relations.view()]);
    own.dispose();
  }
  setThreads(before);
  expect(results[1]).toEqual(results[0]);
});

test('filtered ranks by hand: known answers do not count, ties share their mean', () => {
  // DistMult with one relation of ones: the score of (h, t) is the inner product.
  const rows = [1, 2, 3, 3, 1].flatMap((x) => [x, 0, 0, 0, 0, 0, 0, 0]);
  const model = new e.KnowledgeModel('distmult', 0, tensor(rows, [5, 8]), tensor([1, 1, 1, 1, 1, 1, 1, 1], [1, 8]));
  const of = (...list: [number, number][]): e.Triples => ({
    heads: Int32Array.from(list, ([h]) => h),
    relations: Int32Array.from(list, () => 0),
    tails: Int32Array.from(list, ([, t]) => t),
  });
  // Tails for 0: scores 1 2 3 3 1; true 1, known 2: above is 3 alone: rank 2. Heads for 1: scores 2 4 6 6 2;
  // true 0; above 1, 2, 3; equal 4: rank 4.5.
  const { mrr, meanRank, hits1, hits3, hits10 } = e.filteredRanks(model, of([0, 1]), [of([0, 2])]);
  expect(meanRank).toBeCloseTo((2 + 4.5) / 2);
  expect(mrr).toBeCloseTo((1 / 2 + 1 / 4.5) / 2);
  expect([hits1, hits3, hits10]).toEqual([0, 0.5, 1]);
});

test('what are no triples is refused', async () => {
  const triple = { heads: Int32Array.of(0), relations: Int32Array.of(0), tails: Int32Array.of(5) };
  await expect(e.embedKnowledge(triple, { entities: 2, relations: 1 })).rejects.toThrow('entity 5 is outside 0…1');
  await expect(
    e.embedKnowledge({ ...triple, tails: Int32Array.of(1) }, { entities: 2, relations: 1 }, { dim: 12 }),
  ).rejects.toThrow('multiple of 8, got 12');
});
