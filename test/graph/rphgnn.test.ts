import { describe, expect, test } from 'vitest';
import { memoryUse, withOwnPeak } from '../../src/engine/index.js';
import * as g from '../../src/graph/index.js';
import { SparseMatrix } from '../../src/sparse/index.js';
import { HeteroGraph, type Relation } from '../../src/structure/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { countMultiplyAdds } from '../../src/trace/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

// Three types of unequal widths, two relations between types and one within.
const counts = { a: 5, b: 4, c: 3 };
const widths = { a: 6, b: 3, c: 2 };
type Type = keyof typeof counts;
const types = Object.keys(counts) as Type[];
const ab = { source: 'a', name: 'r', target: 'b', sources: [0, 0, 1, 2, 3, 4, 4], targets: [0, 1, 1, 2, 0, 2, 1] };
const bc = { source: 'b', name: 's', target: 'c', sources: [0, 1, 2, 2], targets: [0, 0, 1, 0] };
const aa = { source: 'a', name: 't', target: 'a', sources: [0, 2, 3], targets: [1, 3, 3] };
const graph = HeteroGraph.fromRelations(counts, [ab, bc, aa]);
const features = new Map(types.map((type, i) => [type as string, uniformTensor(i + 1, [counts[type], widths[type]])]));

type Rows = number[][];
const rowsOf = (x: Tensor): Rows => {
  const [n, d] = x.shape as [number, number];
  const values = x.view();
  return Array.from({ length: n }, (_, v) => Array.from(values.subarray(v * d, (v + 1) * d)));
};
const product = (a: Rows, b: Rows): Rows =>
  a.map((row) =>
    (b[0] as number[]).map((_, j) => row.reduce((sum, value, k) => sum + value * (b[k]?.[j] as number), 0)),
  );
/** Mean over neighbours by its definition, from the pairs that were given. */
function meanOf(pairs: typeof ab, from: Type, to: Type, backward: boolean): Rows {
  const [ends, starts] = backward ? [pairs.sources, pairs.targets] : [pairs.targets, pairs.sources];
  const dense = Array.from({ length: counts[to] }, () => new Array<number>(counts[from]).fill(0));
  ends.forEach((end, e) => {
    (dense[end] as number[])[starts[e] as number] = 1;
    if (from === to) (dense[starts[e] as number] as number[])[end] = 1;
  });
  return dense.map((row) => {
    const degree = row.reduce((sum, value) => sum + value, 0);
    return row.map((value) => (degree === 0 ? 0 : value / degree));
  });
}
const means: Readonly<Record<string, Rows>> = {
  'a r b': meanOf(ab, 'a', 'b', false),
  'b rev_r a': meanOf(ab, 'b', 'a', true),
  'b s c': meanOf(bc, 'b', 'c', false),
  'c rev_s b': meanOf(bc, 'c', 'b', true),
  'a t a': meanOf(aa, 'a', 'a', false),
};
const unit = (rows: Rows): Rows =>
  rows.map((row) => {
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    return row.map((value) => (norm === 0 ? 0 : value / norm));
  });

/** The pre-computation by its definition: tensors by key, in the order of iterations. */
function reference(
  target: Type,
  iterations: number,
  seed: number,
  steps = ['odd', 'even'],
  sparsity = 3,
): Map<string, Rows[]> {
  const landed = new Map<string, Rows[]>();
  let x = new Map<string, Rows>([...features].map(([type, own]) => [type, rowsOf(own)]));
  for (let k = 0; k < iterations; k++) {
    const sums = new Map<string, Rows>();
    for (const relation of graph.relations) {
      const odd = product(means[relation.key] as Rows, x.get(relation.source) as Rows);
      const even = product(means[relation.reverse.key] as Rows, odd);
      for (const [parity, type, h] of [
        ['odd', relation.target, odd],
        ['even', relation.source, even],
      ] as const) {
        if (!steps.includes(parity)) continue;
        const key = `${parity} ${relation.key}`;
        if (type === target) landed.set(key, [...(landed.get(key) ?? []), h]);
        const [from, to] = [(h[0] as number[]).length, widths[type as Type]];
        const random = new Random(seed).split(k).split(key);
        const matrix = new g.RandomProjection(from, to, random, { sparsity }).transposed.transpose().toDense();
        const term = unit(product(h, rowsOf(matrix)));
        const before = sums.get(type);
        sums.set(type, before ? before.map((row, v) => row.map((value, j) => value + (term[v]?.[j] as number))) : term);
      }
    }
    x = new Map([...x].map(([type, own]) => [type, sums.get(type) ?? own]));
  }
  return landed;
}

function landedIn(target: Type, seed: number, options: g.PropagationOptions): Map<string, Rows[]> {
  const landed = new Map<string, Rows[]>();
  g.propagateAndUpdate(graph, features, target, new Random(seed), options, (name, values) => {
    landed.set(name, [...(landed.get(name) ?? []), rowsOf(values)]);
  });
  return landed;
}

const at = (landed: Map<string, Rows[]>, key: string, k: number): Rows => (landed.get(key) as Rows[])[k] as Rows;

function expectSame(actual: Map<string, Rows[]>, expected: Map<string, Rows[]>): void {
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [key, tensors] of expected) {
    expect(actual.get(key)?.length).toBe(tensors.length);
    for (const [k, rows] of tensors.entries()) expectClose(at(actual, key, k).flat(), rows.flat(), 1e-4);
  }
}

describe('propagate-then-update iterations', () => {
  test.each(types)('key by key equal to dense products; nodes of type %s', (target) => {
    for (const iterations of [1, 2, 3, 4])
      expectSame(landedIn(target, 7, { iterations }), reference(target, iterations, 7));
  });

  test('odd steps land on the destination, even ones on the source', () => {
    expect([...landedIn('a', 7, { iterations: 1 }).keys()]).toEqual([
      'even a r b',
      'odd b rev_r a',
      'odd a t a',
      'even a t a',
    ]);
    expect([...landedIn('c', 7, { iterations: 1 }).keys()]).toEqual(['odd b s c', 'even c rev_s b']);
  });

  test('odd alone doubles the iterations; even alone', () => {
    expectSame(landedIn('a', 3, { iterations: 2, steps: 'odd' }), reference('a', 4, 3, ['odd']));
    expectSame(landedIn('a', 3, { iterations: 3, steps: 'even' }), reference('a', 3, 3, ['even']));
  });

  test('a sparse projection, and sparse features, by the same definition', () => {
    expectSame(landedIn('a', 5, { iterations: 3, sparsity: 6 }), reference('a', 3, 5, ['odd', 'even'], 6));
    const sparse = new Map<string, Tensor | SparseMatrix>(features);
    sparse.set('a', SparseMatrix.fromDense(features.get('a') as Tensor));
    const landed = new Map<string, Rows[]>();
    g.propagateAndUpdate(graph, sparse, 'a', new Random(7), { iterations: 3 }, (name, values) => {
      landed.set(name, [...(landed.get(name) ?? []), rowsOf(values)]);
    });
    expectSame(landed, reference('a', 3, 7));
  });

  test('more inner steps go on along the relation', () => {
    const landed = landedIn('a', 7, { iterations: 1, innerSteps: 4 });
    expect([...landed.keys()].slice(0, 2)).toEqual(['even a r b', 'even 4 a r b']);
    const twice = product(means['b rev_r a'] as Rows, product(means['a r b'] as Rows, at(landed, 'even a r b', 0)));
    expectClose(at(landed, 'even 4 a r b', 0).flat(), twice.flat(), 1e-5);
  });

  test('widths stay; what is collected grows linearly with K and with the relations', () => {
    for (let iterations = 1; iterations <= 6; iterations++) {
      let elements = 0;
      g.propagateAndUpdate(graph, features, 'a', new Random(1), { iterations }, (_, values) => {
        elements += values.size;
      });
      expect(elements).toBe(iterations * counts.a * (6 + 3 + 6 + 6));
      const shapes = g.landingGroups(graph, new Map(Object.entries(widths)), 'a', { iterations });
      expect(shapes.reduce((total, { count, width }) => total + count * width, 0) * counts.a).toBe(elements);
    }
  });

  test('merged: what squashing makes of all keys', () => {
    const merged = landedIn('a', 7, { iterations: 2, collection: 'merged' });
    expect([...merged.keys()]).toEqual(['merged']);
    expect(merged.get('merged')?.map((rows) => [rows.length, rows[0]?.length])).toEqual([
      [5, 6],
      [5, 6],
    ]);
    const keys = reference('a', 1, 7);
    const expected = [...keys.keys()].map((key) => {
      const h = at(keys, key, 0);
      const random = new Random(7).split(0).split(key);
      const matrix = new g.RandomProjection((h[0] as number[]).length, 6, random).transposed.transpose().toDense();
      return unit(product(h, rowsOf(matrix)));
    });
    const sum = expected.reduce((a, b) => a.map((row, v) => row.map((value, j) => value + (b[v]?.[j] as number))));
    expectClose(at(merged, 'merged', 0).flat(), sum.flat(), 1e-4);
  });

  test('without projection: sums, means and unit rows of one width', () => {
    const equal = new Map(types.map((type, i) => [type as string, uniformTensor(i + 1, [counts[type], 4])]));
    const second = (squash: 'sum' | 'mean' | 'normalized') => {
      const found: Rows[] = [];
      g.propagateAndUpdate(graph, equal, 'c', new Random(1), { iterations: 2, squash }, (name, values) => {
        if (name === 'odd b s c') found.push(rowsOf(values));
      });
      return found[1] as Rows;
    };
    const xa = rowsOf(equal.get('a') as Tensor);
    const xb = rowsOf(equal.get('b') as Tensor);
    const xc = rowsOf(equal.get('c') as Tensor);
    const m = (key: string) => means[key] as Rows;
    // What lands on b: odd of a r b and c rev_s b, even of b rev_r a and b s c.
    const onB = [
      product(m('a r b'), xa),
      product(m('a r b'), product(m('b rev_r a'), xb)),
      product(m('c rev_s b'), product(m('b s c'), xb)),
      product(m('c rev_s b'), xc),
    ];
    const total = (parts: Rows[]) =>
      parts.reduce((a, b) => a.map((row, v) => row.map((value, j) => value + (b[v]?.[j] as number))));
    expectClose(second('sum').flat(), product(m('b s c'), total(onB)).flat(), 1e-5);
    expectClose(
      second('mean').flat(),
      product(
        m('b s c'),
        total(onB).map((row) => row.map((value) => value / 4)),
      ).flat(),
      1e-5,
    );
    expectClose(second('normalized').flat(), product(m('b s c'), total(onB.map(unit))).flat(), 1e-5);
    expect(() => landedIn('a', 1, { squash: 'sum' })).toThrow('squash "sum" takes features of one width, got 6, 3, 2');
  });

  test('permuting the nodes of each type permutes the results', () => {
    const orders = Object.fromEntries(
      types.map((type, i) => [type, new Random(i).permutation(counts[type])]),
    ) as Record<Type, Int32Array>;
    const place = (type: Type, v: number) => orders[type].indexOf(v);
    const moved = [ab, bc, aa].map((own) => ({
      ...own,
      sources: own.sources.map((v) => place(own.source as Type, v)),
      targets: own.targets.map((v) => place(own.target as Type, v)),
    }));
    const other = HeteroGraph.fromRelations(counts, moved);
    const x = new Map(
      [...features].map(([type, own]) => {
        const rows = rowsOf(own);
        return [type, tensor(Array.from(orders[type as Type], (v) => rows[v] as number[]))];
      }),
    );
    const expected = landedIn('b', 9, { iterations: 3 });
    const seen = new Map<string, number>();
    g.propagateAndUpdate(other, x, 'b', new Random(9), { iterations: 3 }, (name, values) => {
      const k = seen.get(name) ?? 0;
      seen.set(name, k + 1);
      const rows = at(expected, name, k);
      expectClose(values.view(), Array.from(orders.b, (v) => rows[v] as number[]).flat(), 1e-4);
    });
    expect(seen.size).toBe(4);
  });

  test('refuses what it cannot run', () => {
    const run = (options: g.PropagationOptions, x: g.TypedFeatures = features, target = 'a') =>
      g.propagateAndUpdate(graph, x, target, new Random(1), options, () => {});
    expect(() => run({ iterations: 0 })).toThrow('one iteration or more, got 0');
    expect(() => run({ innerSteps: 3 })).toThrow('an even number of inner steps, got 3');
    expect(() => run({ sparsity: 0.5 })).toThrow('at least 1, got 0.5');
    expect(() => run({}, new Map([...features].slice(1)))).toThrow('no rows of features for 5 nodes of type "a"');
    expect(() => run({}, features, 'd')).toThrow('no nodes of type "d"');
  });
});

describe('the order of evaluation', () => {
  const big = HeteroGraph.fromRelations({ many: 40, few: 3 }, [
    {
      source: 'many',
      name: 'in',
      target: 'few',
      sources: Array.from({ length: 40 }, (_, v) => v),
      targets: Array.from({ length: 40 }, (_, v) => v % 3),
    },
  ]);
  const [into] = big.relations as [Relation];
  const x = tensor(
    uniformTensor(1, [40, 30])
      .view()
      .map((value) => (value > 0.8 ? value : 0)),
    [40, 30],
  );

  test.each([
    ['dense', x, 3],
    ['sparse', SparseMatrix.fromDense(x), 3],
    ['dense, by a thin projection', x, 20],
  ])('does not change the product: %s features', (_, start, sparsity) => {
    const chain = () => {
      const own = new g.MeanChain(start, () => x);
      own.push(into.mean);
      own.push(into.reverse.mean);
      return own;
    };
    const projection = new g.RandomProjection(30, 25, new Random(3), { sparsity });
    const dense = rowsOf(projection.transposed.transpose().toDense());
    for (const step of [0, 1, 2]) {
      const expected = product(rowsOf(chain().at(step)), dense);
      expectClose(chain().projected(step, projection).view(), expected.flat(), 1e-4);
    }
  });

  test('projects on the side of few rows', () => {
    const own = new g.MeanChain(x, () => x);
    own.push(into.mean);
    own.push(into.reverse.mean);
    const { multiplyAdds } = countMultiplyAdds(() =>
      own.projected(2, new g.RandomProjection(30, 25, new Random(3), {})),
    );
    // M₁·x of 40 edges, three rows projected, M₂ of 40 edges.
    expect(multiplyAdds).toBe(40 * 30 + 3 * 30 * 25 + 40 * 25);
  });
});

describe('collected tensors', () => {
  test('by parts: the rows of each, own features first in even groups, and in a group of their own', () => {
    const rows = [Int32Array.of(4, 0), Int32Array.of(2)];
    const landed = landedIn('a', 7, { iterations: 2 });
    const own = rowsOf(features.get('a') as Tensor);
    const parts = g.collect(graph, features, 'a', rows, new Random(7), { iterations: 2, selfGroup: true });
    expect(parts[0]?.map(({ name }) => name)).toEqual(['self', ...landed.keys()]);
    for (const [part, groups] of parts.entries())
      for (const { name, values } of groups) {
        const tensors =
          name === 'self' ? [own] : [...(name.startsWith('even') ? [own] : []), ...(landed.get(name) as Rows[])];
        expect(values.shape).toEqual([tensors.length, rows[part]?.length, tensors[0]?.[0]?.length]);
        expectClose(
          values.view(),
          tensors.flatMap((h) => Array.from(rows[part] as Int32Array, (v) => h[v] as number[]).flat()),
          1e-5,
        );
      }
    const plain = g.collect(graph, features, 'a', [undefined], new Random(7), { iterations: 2, input: false });
    expect(plain[0]?.map(({ values }) => values.shape)).toEqual([
      [2, 5, 6],
      [2, 5, 3],
      [2, 5, 6],
      [2, 5, 6],
    ]);
    const shapes = g.collectedGroups(graph, features, 'a', { iterations: 2, selfGroup: true });
    expect(g.collectedBytes(shapes, 3)).toBe(parts.flat().reduce((total, { values }) => total + 4 * values.size, 0));
    const [taken] = g.takeRowGroups(parts[0] as g.RowGroups, Int32Array.of(1));
    expectClose((taken as Tensor).view(), own[0] as number[], 1e-6);
  });

  test('memory is that of the collected tensors, and does not grow with K beside them', async () => {
    const n = 400;
    const wide = HeteroGraph.fromRelations({ p: n, q: n }, [
      {
        source: 'p',
        name: 'r',
        target: 'q',
        sources: Array.from({ length: n }, (_, v) => v),
        targets: Array.from({ length: n }, (_, v) => (7 * v) % n),
      },
    ]);
    const x = new Map([
      ['p', uniformTensor(1, [n, 200])],
      ['q', uniformTensor(2, [n, 200])],
    ]);
    const rows = Int32Array.from({ length: 20 }, (_, v) => v);
    const extra = async (iterations: number) => {
      const options = { iterations };
      const before = memoryUse().bytes;
      const { peakBytes, result } = await withOwnPeak(() => g.collect(wide, x, 'p', [rows], new Random(1), options));
      for (const groups of result) g.disposeGroups(groups);
      return peakBytes - before - g.collectedBytes(g.collectedGroups(wide, x, 'p', options), 20);
    };
    await extra(2);
    const [three, eight] = [await extra(3), await extra(8)];
    expect(eight).toBeLessThan(1.1 * three);
    const after = memoryUse().bytes;
    await extra(8);
    expect(memoryUse().bytes).toBeLessThanOrEqual(after + 4 * n * 200);
  });

  test('multiply-adds are exactly affine in K, and in the number of relations', () => {
    const names = ['r0', 'r1', 'r2', 'r3'];
    const n = 12;
    const all = HeteroGraph.fromRelations(
      { p: n, q: n },
      names.map((name, i) => ({
        source: 'p',
        name,
        target: 'q',
        sources: Array.from({ length: n }, (_, v) => v),
        targets: Array.from({ length: n }, (_, v) => (v + i) % n),
      })),
    );
    const x = new Map([
      ['p', uniformTensor(1, [n, 8])],
      ['q', uniformTensor(2, [n, 5])],
    ]);
    const countOf = (own: HeteroGraph, iterations: number) => {
      const { multiplyAdds, uncounted } = countMultiplyAdds(() =>
        g.propagateAndUpdate(own, x, 'p', new Random(1), { iterations }, () => {}),
      );
      expect(uncounted).toEqual([]);
      return multiplyAdds;
    };
    const byK = Array.from({ length: 8 }, (_, k) => countOf(all, k + 1));
    const steps = byK.slice(1).map((value, k) => value - (byK[k] as number));
    expect(new Set(steps).size).toBe(1);
    expect(steps[0]).toBeGreaterThan(0);
    const byRelations = [1, 2, 3, 4].map((count) => countOf(all.withRelations(all.given.slice(0, count)), 3));
    expect(new Set(byRelations.slice(1).map((value, r) => value - (byRelations[r] as number))).size).toBe(1);
  });
});

describe('label propagation', () => {
  const labels = Int32Array.of(0, 1, 2, 0, 1);
  const known = Int32Array.of(0, 1, 3, 4);
  const featuresOf = (own: Int32Array) =>
    new Map(
      g
        .propagateLabels(graph, 'a', { labels: own, known, classes: 3 })
        .map(({ name, values }) => [name, rowsOf(values.reshape([5, 3]))]),
    );

  test('by its formula (h − D∘y)/(1 − D), uniform where nothing else is reached', () => {
    const found = featuresOf(labels);
    expect([...found.keys()]).toEqual(['label even a r b', 'label odd a t a', 'label even a t a']);
    const y = Array.from(labels, (label, v) => [0, 1, 2].map((c) => (known.includes(v) ? Number(c === label) : 1 / 3)));
    for (const [key, back] of [
      ['a r b', 'b rev_r a'],
      ['a t a', 'a t a'],
    ] as const) {
      const twice = product(means[back] as Rows, means[key] as Rows);
      const h = product(twice, y);
      const expected = h.map((row, v) => {
        const diagonal = twice[v]?.[v] as number;
        const own = row.map((value, c) => (value - diagonal * (y[v]?.[c] as number)) / (1 - diagonal + 1e-8));
        return own.every((value) => Math.abs(value) < 1e-6) ? [1 / 3, 1 / 3, 1 / 3] : own;
      });
      expectClose((found.get(`label even ${key}`) as Rows).flat(), expected.flat(), 1e-5);
    }
    // Neighbours without the loop at node 3.
    expect(found.get('label odd a t a')?.[3]).toEqual([1, 1, 1].map((third) => Math.fround(third / 3)));
    expect(found.get('label odd a t a')?.[0]).toEqual([0, 1, 0]);
  });

  test('a label never reaches its own node, and reaches those two steps away', () => {
    const before = featuresOf(labels);
    for (const v of known) {
      const changed = labels.slice();
      changed[v] = ((labels[v] as number) + 1) % 3;
      const after = featuresOf(changed);
      for (const [name, rows] of after) expectClose(rows[v] as number[], before.get(name)?.[v] as number[], 1e-6);
    }
    const changed = Int32Array.of(1, 1, 2, 0, 1);
    expect(featuresOf(changed).get('label even a r b')?.[3]).not.toEqual(before.get('label even a r b')?.[3]);
  });
});
