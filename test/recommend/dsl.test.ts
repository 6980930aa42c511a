import { describe, expect, test } from 'vitest';
import { Adam } from '../../src/nn/index.js';
import { growths } from '../../src/recommend/dsl/grow.js';
import { removals } from '../../src/recommend/dsl/prune.js';
import { largest, smallest, Top } from '../../src/recommend/dsl/select.js';
import {
  type DenseRows,
  type DSLOptions,
  DynamicSparsity,
  makeWeights,
  updateRatio,
  Weight,
} from '../../src/recommend/index.js';
import { ChangingPattern } from '../../src/sparse/index.js';
import { Random, tensor } from '../../src/tensor/index.js';

const rule = { prune: 'magnitude', threshold: 1e-3, protectRows: false } as const;

/** A matrix of 10 × 10 with 40 stored values, some of them equal. */
function matrix(seed: number): Weight {
  const random = new Random(seed);
  const places = random.sample(100, 40).sort();
  const values = Float32Array.from(places, () => (random.integer(21) - 10) / 10);
  return new Weight(10, 10, tensor(values), new ChangingPattern(10, 10, places));
}

const slopes = (seed: number) => Float32Array.from({ length: 100 }, (_, at) => Math.sin(seed + 7.3 * at));
const rowsOf =
  (all: Float32Array): DenseRows =>
  (begin, end) =>
    all.slice(10 * begin, 10 * end);

/** Places without a weight once some are removed. */
function free(weight: Weight, removed: Uint8Array): number[] {
  const kept = new Set([...(weight.pattern?.places() ?? [])].filter((_, e) => !removed[e]));
  return Array.from({ length: weight.size }, (_, place) => place).filter((place) => !kept.has(place));
}

describe('selection', () => {
  test('is that of a stable sort, for any count and many equal numbers', () => {
    const random = new Random(1);
    for (let round = 0; round < 30; round++) {
      const values = Float32Array.from({ length: 60 }, () => random.integer(9) * 10 ** (random.integer(12) - 8));
      const down = [...values.keys()].sort((a, b) => (values[b] as number) - (values[a] as number) || a - b);
      const up = [...values.keys()].sort((a, b) => (values[a] as number) - (values[b] as number) || a - b);
      for (const k of [0, 1, 17, 59, 60]) {
        const marked = (marks: Uint8Array) => [...marks.keys()].filter((at) => marks[at]);
        expect(marked(largest(values, k))).toEqual(down.slice(0, k).sort((a, b) => a - b));
        expect(marked(smallest(values, k))).toEqual(up.slice(0, k).sort((a, b) => a - b));
        const top = new Top(k);
        values.forEach((value, place) => {
          top.push(value, place);
        });
        expect([...top.places()]).toEqual(down.slice(0, k).sort((a, b) => a - b));
      }
    }
    expect(() => largest(Float32Array.of(1, Number.NaN), 1)).toThrow('diverged');
    expect(() => largest(Float32Array.of(1), 2)).toThrow('cannot take 2 of 1');
  });
});

describe('the share that is exchanged', () => {
  test('falls by the cosine from r₀ to r_T', () => {
    expect([0, 50, 100].map((t) => updateRatio(t, 100))).toEqual([0.5, 0.2525, 0.005]);
    expect([0, 50, 100].map((t) => updateRatio(t, 100, { schedule: 'linear' }))).toEqual([0.5, 0.25, 0]);
    expect(updateRatio(80, 100, { schedule: 'constant', ratio: 0.3 })).toBe(0.3);
  });
});

describe('pruning', () => {
  test('removes the ⌈r·nnz⌉ of smallest magnitude, against a full sort', () => {
    for (const seed of [1, 2, 3]) {
      const weight = matrix(seed);
      const values = weight.values.view();
      const [removed] = removals([{ weight, gradient: tensor(values) }], 0.26, rule) as [Uint8Array];
      const order = [...values.keys()].sort(
        (a, b) => Math.abs(values[a] as number) - Math.abs(values[b] as number) || a - b,
      );
      const expected = order.slice(0, Math.ceil(0.26 * 40)).sort((a, b) => a - b);
      expect([...removed.keys()].filter((e) => removed[e])).toEqual(expected);
    }
  });

  test('set: half from the smallest that are not negative, half from the negative closest to 0', () => {
    const weight = new Weight(
      1,
      8,
      tensor([1, 2, 3, -1, -2, -3, 0, 9]),
      new ChangingPattern(1, 8, Int32Array.from([0, 1, 2, 3, 4, 5, 6, 7])),
    );
    const marks = (ratio: number) => [
      ...(removals([{ weight, gradient: weight.values }], ratio, { ...rule, prune: 'set' })[0] as Uint8Array),
    ];
    expect(marks(0.5)).toEqual([1, 0, 0, 1, 1, 0, 1, 0]);
    // Two negative ones are not enough for half of eight.
    expect(marks(1)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    expect(marks(7 / 8)).toEqual([1, 1, 1, 1, 1, 1, 1, 0]);
  });

  test('taylor: smallest (w·g)²; threshold: all below it; rows may be protected', () => {
    const weight = new Weight(2, 2, tensor([1, 5, 0.1, 0.2]), new ChangingPattern(2, 2, Int32Array.of(0, 1, 2, 3)));
    const gradient = tensor([1, 0.01, 20, 20]);
    const of = (options: object, ratio = 0.5) => [
      ...(removals([{ weight, gradient }], ratio, { ...rule, ...options })[0] as Uint8Array),
    ];
    expect(of({ prune: 'taylor' })).toEqual([1, 1, 0, 0]);
    expect(of({ prune: 'threshold', threshold: 0.15 })).toEqual([0, 0, 1, 0]);
    expect(of({})).toEqual([0, 0, 1, 1]);
    expect(of({ protectRows: true })).toEqual([0, 0, 1, 0]);
  });

  test('over several matrices magnitudes are divided by the norm of each', () => {
    const all = (values: number[]) => new Weight(1, 2, tensor(values), new ChangingPattern(1, 2, Int32Array.of(0, 1)));
    const [large, small] = [all([30, 40]), all([0.6, 0.9])];
    const removed = removals(
      [large, small].map((weight) => ({ weight, gradient: weight.values })),
      0.5,
      rule,
    );
    // 30/50 = 0.6, 40/50 = 0.8, 0.6/1.08 = 0.55, 0.9/1.08 = 0.83
    expect(removed.map((marks) => [...marks])).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });
});

describe('growing', () => {
  const grown = (
    weight: Weight,
    removed: Uint8Array,
    count: number,
    grow: Parameters<typeof growths>[2],
    scores: Float32Array,
    fired = (_: number) => false,
  ) => growths([{ weight, removed, scores: rowsOf(scores), fired }], count, grow, new Random(4))[0] as Int32Array;

  test('takes the places of the largest gradient without a weight; what was just pruned may return', () => {
    for (const seed of [1, 2, 3]) {
      const weight = matrix(seed);
      const [removed] = removals([{ weight, gradient: weight.values }], 0.5, rule) as [Uint8Array];
      const g = slopes(seed);
      const open = free(weight, removed);
      const best = open.toSorted((a, b) => Math.abs(g[b] as number) - Math.abs(g[a] as number) || a - b).slice(0, 20);
      const places = grown(weight, removed, 20, 'gradient', g);
      expect([...places]).toEqual(best.sort((a, b) => a - b));
      const pruned = new Set([...(weight.pattern?.places() ?? [])].filter((_, e) => removed[e]));
      expect([...places].some((place) => pruned.has(place))).toBe(true);
    }
  });

  test('fills places in their order where fewer gradients differ from 0', () => {
    const weight = matrix(1);
    const none = new Uint8Array(40);
    const open = free(weight, none);
    const g = new Float32Array(100);
    g[open.at(-1) as number] = 1;
    expect([...grown(weight, none, 4, 'gradient', g)]).toEqual([...open.slice(0, 3), open.at(-1)]);
  });

  test('at random takes exactly so many; unfired only those that never had a weight, while there are such', () => {
    const weight = matrix(2);
    const none = new Uint8Array(40);
    const open = free(weight, none);
    const places = grown(weight, none, 25, 'random', slopes(1));
    expect(new Set(places).size).toBe(25);
    expect([...places].every((place) => open.includes(place))).toBe(true);
    const young = new Set(open.slice(10, 40));
    const first = grown(weight, none, 25, 'unfired', slopes(1), (place) => !young.has(place));
    expect([...first].every((place) => young.has(place))).toBe(true);
    const more = grown(weight, none, 35, 'unfired', slopes(1), (place) => !young.has(place));
    expect([more.length, [...more].filter((place) => young.has(place)).length]).toEqual([35, 30]);
  });
});

describe('an exploration', () => {
  /** One weight table, one Adam step with made-up gradients, then what a step does. */
  function explored(options: DSLOptions, steps = 2) {
    const weights = makeWeights(
      Object.fromEntries(
        ['a', 'b'].map((name) => [name, { rows: 10, columns: 10, initial: { bound: 1 }, sparse: true }]),
      ),
      new Random(3),
      { density: 0.3 },
    );
    const adam = new Adam({ learningRate: 0.1 });
    const sparsity = new DynamicSparsity(weights, 100, new Random(5), { interval: 2, ...options });
    const all = { a: slopes(1), b: slopes(2).map((g) => 3 * g) };
    const before: Record<string, Float32Array> = {};
    for (let t = 1; t <= steps; t++) {
      const stored = Object.fromEntries(
        Object.entries(weights).map(([name, { pattern }]) => [
          name,
          tensor(Float32Array.from(pattern?.places() ?? [], (place) => all[name as 'a'][place] as number)),
        ]),
      );
      const dense = Object.fromEntries(Object.entries(all).map(([name, own]) => [name, rowsOf(own)]));
      adam.update(Object.fromEntries(Object.entries(weights).map(([name, { values }]) => [name, values])), stored);
      for (const [name, weight] of Object.entries(weights)) before[name] = weight.toDense();
      sparsity.afterStep(t, { stored, dense }, adam);
    }
    return { weights, adam, sparsity, before, all };
  }

  test('judges weights after the step, and new ones are 0 with moments of 0', () => {
    const { weights, adam, before, all } = explored({});
    const a = weights.a as Weight;
    const places = [...(a.pattern?.places() ?? [])];
    const values = before.a as Float32Array;
    const was = [...values.keys()].filter((place) => values[place] !== 0);
    expect([was.length, places.length]).toEqual([30, 30]);
    const count = Math.ceil(30 * updateRatio(2, 100));
    const kept = was
      .toSorted((x, y) => Math.abs(values[y] as number) - Math.abs(values[x] as number))
      .slice(0, 30 - count);
    const open = Array.from({ length: 100 }, (_, place) => place).filter((place) => !kept.includes(place));
    const best = open.toSorted((x, y) => Math.abs(all.a[y] as number) - Math.abs(all.a[x] as number)).slice(0, count);
    expect(places).toEqual([...kept, ...best].sort((x, y) => x - y));
    const { tensors } = adam.state();
    places.forEach((place, e) => {
      const isNew = best.includes(place);
      expect(a.values.view()[e]).toBe(isNew ? 0 : values[place]);
      for (const slot of ['first.a', 'second.a']) expect(tensors[slot]?.view()[e] === 0).toBe(isNew);
    });
  });

  test('the first update of a place that grows again is that of one that never had a weight', () => {
    const { weights, adam, before } = explored({});
    const a = weights.a as Weight;
    const places = [...(a.pattern?.places() ?? [])];
    const fresh = places.filter((place) => before.a?.[place] === 0);
    const again = places.filter((place, e) => before.a?.[place] !== 0 && a.values.view()[e] === 0);
    expect([fresh.length > 0, again.length > 0]).toEqual([true, true]);
    adam.update({ a: a.values }, { a: tensor(new Float32Array(30).fill(0.7)) });
    const valueAt = (place: number | undefined) => a.values.view()[places.indexOf(place as number)];
    expect(valueAt(again[0])).toBe(valueAt(fresh[0]));
  });

  test('keepMoments begins with the moments of all gradients so far', () => {
    const { weights, adam, all, before } = explored({ keepMoments: true });
    const places = [...((weights.a as Weight).pattern?.places() ?? [])];
    const e = places.findIndex((place) => before.a?.[place] === 0);
    const g = all.a[places[e] as number] as number;
    const first = adam.state().tensors['first.a']?.view()[e] as number;
    const second = adam.state().tensors['second.a']?.view()[e] as number;
    expect(first).toBeCloseTo(0.1 * g + 0.9 * 0.1 * g, 5);
    expect(second).toBeCloseTo(0.001 * g * g + 0.999 * 0.001 * g * g, 6);
  });

  test('momentum ranks places by |m|/√v, which is alike for all that had equal gradients in all steps', () => {
    const { weights } = explored({ grow: 'momentum' });
    expect((weights.a as Weight).pattern?.nnz).toBe(30);
  });

  test('global: the budget is that of all matrices together, and goes where gradients are larger', () => {
    const { weights, adam } = explored({ redistribution: 'global' });
    const [a, b] = [weights.a, weights.b].map((weight) => weight?.pattern?.nnz as number) as [number, number];
    expect(a + b).toBe(60);
    expect(b).toBeGreaterThan(a);
    expect(adam.state().tensors['first.a']?.size).toBe(a);
    expect(adam.state().tensors['second.b']?.size).toBe(b);
    expect(adam.state().step).toBe(2);
  });

  test('covers what ever had a weight', () => {
    const still = explored({ interval: 0 }).sparsity;
    expect(still.coverage).toBeCloseTo(0.3, 6);
    const { sparsity, weights, before } = explored({});
    const ever = (['a', 'b'] as const).reduce((sum, name) => {
      const own = new Set((weights[name] as Weight).pattern?.places());
      before[name]?.forEach((value, place) => {
        if (value !== 0) own.add(place);
      });
      return sum + own.size;
    }, 0);
    expect(sparsity.coverage).toBeCloseTo(ever / 200, 6);
  });

  test('options that have no meaning are refused', () => {
    expect(() => explored({ interval: 1 })).toThrow('the interval must be 0 or at least 2 steps');
    expect(() => explored({ ratio: 0.1, finalRatio: 0.2 })).toThrow('0 ≤ finalRatio ≤ ratio ≤ 1');
    expect(() => explored({ grow: 'up' as never })).toThrow("grow must be 'gradient'");
    expect(() => makeWeights({}, new Random(0), { density: 0 })).toThrow('density must be in (0, 1]');
  });
});

describe('the first mask', () => {
  const spec = { rows: 40, columns: 50, sparse: true };
  test('exact: round(density · entries) of each matrix; dense ones stay dense', () => {
    const weights = makeWeights(
      { a: { ...spec, initial: { bound: 1 } }, b: { ...spec, sparse: false, initial: { bound: 1 } } },
      new Random(1),
      { density: 0.123 },
    );
    expect(weights.a?.values.size).toBe(246);
    expect([weights.b?.values.size, weights.b?.pattern]).toEqual([2000, undefined]);
    expect(weights.a?.bytes).toBe(4 * 246 + 4 * (246 + 41));
  });

  test('bernoulli: each entry by itself; lotteryTicket: the largest over all matrices', () => {
    const two = { a: { ...spec, initial: { bound: 1 } }, b: { ...spec, initial: { bound: 2 } } };
    const drawn = makeWeights(two, new Random(1), { density: 0.2, init: 'bernoulli' });
    expect(Math.abs((drawn.a?.values.size as number) - 400)).toBeLessThan(80);
    const dense = makeWeights(two, new Random(1));
    const tickets = makeWeights(two, new Random(1), { density: 0.2, init: 'lotteryTicket' });
    const all = [...(dense.a?.values.view() ?? []), ...(dense.b?.values.view() ?? [])]
      .map(Math.abs)
      .sort((x, y) => y - x);
    const own = [...(tickets.a?.values.view() ?? []), ...(tickets.b?.values.view() ?? [])];
    expect(own.length).toBe(800);
    expect(Math.min(...own.map(Math.abs))).toBe(all[799]);
    expect(tickets.a?.toDense()[tickets.a?.pattern?.places()[0] as number]).toBe(tickets.a?.values.view()[0]);
  });
});
