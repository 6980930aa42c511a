import { describe, expect, test } from 'vitest';
import * as g from '../../src/graph/index.js';
import { inference, parameters } from '../../src/nn/index.js';
import { HeteroGraph } from '../../src/structure/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const counts = { paper: 5, author: 4, venue: 2 };
const writes = {
  source: 'author',
  name: 'writes',
  target: 'paper',
  sources: [0, 0, 1, 2, 3, 3],
  targets: [0, 1, 1, 2, 3, 0],
};
const held = { source: 'paper', name: 'in', target: 'venue', sources: [0, 1, 2, 3], targets: [0, 0, 1, 1] };
const graph = HeteroGraph.fromRelations(counts, [writes, held]);
const x = uniformTensor(1, [5, 3]);
const features = new Map([
  ['paper', x],
  ['author', uniformTensor(2, [4, 2])],
  ['venue', uniformTensor(3, [2, 2])],
]);
const labels = Int32Array.of(0, 1, 2, 0, 1);
const known = { labels, known: Int32Array.of(0, 1, 2, 3), classes: 3 };

type Rows = number[][];
const rowsOf = (values: Tensor): Rows => {
  const d = values.shape.at(-1) as number;
  return Array.from({ length: values.size / d }, (_, v) => Array.from(values.view().subarray(v * d, (v + 1) * d)));
};
const product = (a: Rows, b: Rows): Rows =>
  a.map((row) =>
    (b[0] as number[]).map((_, j) => row.reduce((sum, value, k) => sum + value * (b[k]?.[j] as number), 0)),
  );
const mean = (rows: number, columns: number, ends: number[], starts: number[]): Rows => {
  const dense = Array.from({ length: rows }, () => new Array<number>(columns).fill(0));
  ends.forEach((end, e) => {
    (dense[end] as number[])[starts[e] as number] = 1;
  });
  return dense.map((row) => {
    const degree = row.reduce((sum, value) => sum + value, 0);
    return row.map((value) => (degree ? value / degree : 0));
  });
};
const [pa, ap] = [mean(5, 4, writes.targets, writes.sources), mean(4, 5, writes.sources, writes.targets)];
const [vp, pv] = [mean(2, 5, held.targets, held.sources), mean(5, 2, held.sources, held.targets)];

describe('metapaths', () => {
  test('all that lead to a type, by length; their number', () => {
    const paths = g.metapathsTo(graph, 'paper', 4);
    const numbers = [0, 1, 2, 3, 4].map((length) => paths.filter((path) => path.length === length).length);
    expect(numbers).toEqual([1, 2, 2, 4, 4]);
    expect(paths.slice(0, 5).map((path) => g.metapathName(path, 'paper'))).toEqual([
      'paper',
      'author writes paper',
      'venue rev_in paper',
      'paper rev_writes author writes paper',
      'paper in venue rev_in paper',
    ]);
  });

  test('means along them equal dense products, each visited once', () => {
    const paths = g.metapathsTo(graph, 'paper', 3);
    const means = g.metapathMeans(features, paths);
    expect(means).toHaveLength(paths.length);
    const matrices: Readonly<Record<string, Rows>> = { writes: pa, rev_writes: ap, in: vp, rev_in: pv };
    for (const [at, path] of paths.entries()) {
      const start = rowsOf(features.get(path[0]?.source ?? 'paper') as Tensor);
      const expected = path.reduce((rows, { name }) => product(matrices[name] as Rows, rows), start);
      expectClose((means[at] as Tensor).view(), expected.flat(), 1e-5);
    }
    const rest = new Map([...features].filter(([type]) => type !== 'venue'));
    expect(() => g.metapathMeans(rest, paths)).toThrow('nodes of type "venue" have no features');
  });

  test('the diagonal of a product of means', () => {
    for (const path of g.metapathsTo(graph, 'paper', 4)) {
      if (path.length === 0 || path[0]?.source !== 'paper') continue;
      const matrices: Readonly<Record<string, Rows>> = { writes: pa, rev_writes: ap, in: vp, rev_in: pv };
      const [first, ...others] = path.map(({ name }) => matrices[name] as Rows) as [Rows, ...Rows[]];
      const whole = others.reduce((sum, own) => product(own, sum), first);
      expectClose(
        g.metapathDiagonal(path),
        whole.map((row, v) => row[v] as number),
        1e-5,
      );
    }
  });
});

test('the diagonal of a relation within a type is that of its loops', () => {
  const cites = { source: 'paper', name: 'cites', target: 'paper', sources: [0, 2, 2], targets: [1, 2, 3] };
  const [path] = g.metapathsTo(HeteroGraph.fromRelations(counts, [cites]), 'paper', 1).slice(1);
  expect([...g.metapathDiagonal(path as g.Metapath)]).toEqual([0, 0, 0.5, 0, 0]);
});

describe('SeHGNN', () => {
  const parts = [Int32Array.of(0, 1, 2, 3), Int32Array.of(4)];

  test('a tensor for each metapath, and for each of labels without what returns to the node', () => {
    const [train, rest] = g.collectMetapaths(graph, features, 'paper', parts, known, { length: 2, labelLength: 2 });
    expect(train?.map(({ name }) => name)).toEqual([
      ...g.metapathsTo(graph, 'paper', 2).map((path) => g.metapathName(path, 'paper')),
      'label paper rev_writes author writes paper',
      'label paper in venue rev_in paper',
    ]);
    expect(rest?.map(({ values }) => values.shape[1])).toEqual(new Array(7).fill(1));
    const y = Array.from(labels, (label, v) => [0, 1, 2].map((c) => Number(v < 4 && c === label)));
    const loop = product(pa, ap).map((row, v) => row.map((value, u) => (u === v ? 0 : value)));
    expectClose(train?.[5]?.values.view() as Float32Array, product(loop, y).slice(0, 4).flat(), 1e-5);
  });

  test('a changed label leaves its own node as it is', () => {
    const of = (own: Int32Array) =>
      g.collectMetapaths(
        graph,
        features,
        'paper',
        parts,
        { ...known, labels: own },
        { labelLength: 4 },
      )[0] as g.RowGroups;
    const [before, after] = [of(labels), of(Int32Array.of(1, 1, 2, 0, 1))];
    for (const [p, { values }] of after.entries())
      expectClose(rowsOf(values)[0] as number[], rowsOf((before[p] as g.RowGroup).values)[0] as number[], 1e-6);
    const changed = after.filter(
      ({ values }, p) => String(values.view()) !== String((before[p] as g.RowGroup).values.view()),
    );
    expect(changed.length).toBeGreaterThan(0);
  });

  test('attention among metapaths starts without weight, and mixes channels by its formula', () => {
    const [train] = g.collectMetapaths(graph, features, 'paper', parts, known) as [g.RowGroups];
    const shapes = train.map(({ name, values }) => ({ name, count: 1, width: values.shape[2] as number }));
    const network = new g.SeHGNN(shapes, 3, new Random(1), { embedding: 8, hidden: 8 });
    const groups = train.map(({ values }) => values);
    const before = network.forward(groups, inference);
    expect(before.shape).toEqual([4, 3]);
    network.value.weight.assign(uniformTensor(9, [8, 8]));
    expectClose(network.forward(groups, inference).view(), before.view(), 1e-6);
    network.gamma.assign(tensor([0.7]));
    expect(network.forward(groups, inference).view()).not.toEqual(before.view());
    expect(Object.keys(parameters(network)).filter((name) => name.startsWith('channels.0'))).toContain(
      'channels.0.embedding.weight',
    );
    expect(
      parameters(new g.SeHGNN(shapes, 3, new Random(1), { residual: true, hidden: 8 }))['residual.weight']?.shape,
    ).toEqual([8, 3]);
  });
});

describe('NARS', () => {
  test('subsets differ, are not empty, and have a relation of the target', () => {
    const more = HeteroGraph.fromRelations({ ...counts, term: 2 }, [
      writes,
      held,
      { source: 'venue', name: 'has', target: 'term', sources: [0, 1], targets: [0, 1] },
    ]);
    const subsets = g.relationSubsets(more, 'paper', 8, new Random(1));
    const keys = subsets.map((own) => own.map(({ name }) => name).join());
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.sort()).toEqual(['in', 'in,has', 'writes', 'writes,has', 'writes,in', 'writes,in,has']);
    expect(g.relationSubsets(more, 'paper', 3, new Random(1))).toHaveLength(3);
  });

  test('hop means over a subset, types ignored; types without features count as 0', () => {
    const both = HeteroGraph.fromRelations(counts, [writes, held]);
    const [groups] = g.collectSubsets(
      both,
      new Map([['paper', x]]),
      'paper',
      [Int32Array.of(0, 1, 2, 3, 4)],
      new Random(4),
      { subsets: 3 },
    ) as [g.RowGroups];
    expect(groups.map(({ values }) => values.shape)).toEqual([
      [3, 5, 3],
      [3, 5, 3],
      [3, 5, 3],
    ]);
    const subsets = g.relationSubsets(both, 'paper', 3, new Random(4).split('subsets'));
    const n = 11;
    const offset = { paper: 0, author: 5, venue: 9 } as Readonly<Record<string, number>>;
    for (const [i, subset] of subsets.entries()) {
      const adjacency = Array.from({ length: n }, () => new Array<number>(n).fill(0));
      for (const { name } of subset) {
        const own = name === 'writes' ? writes : held;
        own.sources.forEach((u, e) => {
          const [a, b] = [
            u + (offset[own.source] as number),
            (own.targets[e] as number) + (offset[own.target] as number),
          ];
          (adjacency[a] as number[])[b] = 1;
          (adjacency[b] as number[])[a] = 1;
        });
      }
      const means = adjacency.map((row) => {
        const degree = row.reduce((sum, value) => sum + value, 0);
        return row.map((value) => (degree ? value / degree : 0));
      });
      let h: Rows = [...rowsOf(x), ...Array.from({ length: 6 }, () => [0, 0, 0])];
      for (let k = 0; k <= 2; k++) {
        if (k > 0) h = product(means, h);
        expectClose(
          rowsOf((groups[k] as g.RowGroup).values)
            .slice(5 * i, 5 * i + 5)
            .flat(),
          h.slice(0, 5).flat(),
          1e-5,
        );
      }
    }
  });

  test('weights of the subsets by element, then a perceptron of each hop', () => {
    const shapes = [0, 1].map((k) => ({ name: `hop ${k}`, count: 2, width: 3 }));
    const network = new g.NARS(shapes, 2, new Random(1), { hidden: 4 });
    const groups = shapes.map((_, k) => uniformTensor(k + 1, [2, 5, 3]));
    const mixed = groups.map((own, k) => {
      const [first, second] = [rowsOf(own).slice(0, 5), rowsOf(own).slice(5)];
      const [a, b] = rowsOf((network.weights[k] as Tensor).reshape([2, 3])) as [number[], number[]];
      return tensor(
        first.map((row, v) =>
          row.map((value, j) => value * (a[j] as number) + (second[v]?.[j] as number) * (b[j] as number)),
        ),
      );
    });
    const hidden = mixed.map((own, k) => (network.hops[k] as g.ActivatedLayers).forward(own, inference));
    const joined = tensor(
      rowsOf(hidden[0] as Tensor).map((row, v) => [...row, ...(rowsOf(hidden[1] as Tensor)[v] as number[])]),
    );
    const expected = network.head.forward(network.fused.forward(joined, inference));
    expectClose(network.forward(groups, inference).view(), expected.view(), 1e-5);
  });
});

describe('metapath regression', () => {
  test('unit rows of features and of their means along paths that return', () => {
    const paths = g.returningPaths(graph, 'paper', [['venue', 'paper', 'author']]);
    expect(paths.map((path) => path.map(({ name }) => name).join(' '))).toEqual([
      '',
      'rev_writes writes',
      'in rev_in',
      'in rev_in rev_writes writes',
    ]);
    const rows = Int32Array.of(3, 1);
    const found = rowsOf(g.metapathFeatures(features, paths, rows));
    const own = rowsOf(x);
    const parts = [
      own,
      product(pa, product(ap, own)),
      product(pv, product(vp, own)),
      product(pa, product(ap, product(pv, product(vp, own)))),
    ];
    for (const [i, v] of rows.entries()) {
      const row = parts.flatMap((part) => part[v] as number[]);
      const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
      expectClose(
        found[i] as number[],
        row.map((value) => value / norm),
        1e-5,
      );
    }
    expect(() => g.returningPaths(graph, 'paper', [['author', 'venue']])).toThrow(
      'no relation leads from author to venue',
    );
  });

  test('its weights are a stationary point of the regularised likelihood', () => {
    const rows = uniformTensor(5, [12, 3]);
    const wanted = Int32Array.from({ length: 12 }, (_, i) => i % 3);
    const c = 2;
    const { model } = g.MetapathRegression.fit(rows, wanted, 3, { c, tolerance: 1e-5, iterations: 500 });
    const objective = (weights: readonly number[], intercepts: readonly number[]) =>
      rowsOf(rows).reduce(
        (total, row, i) => {
          const scores = intercepts.map(
            (b, k) => b + row.reduce((sum, value, j) => sum + value * (weights[3 * k + j] as number), 0),
          );
          return (
            total +
            c * (Math.log(scores.reduce((sum, s) => sum + Math.exp(s), 0)) - (scores[wanted[i] as number] as number))
          );
        },
        weights.reduce((sum, w) => sum + w * w, 0) / 2,
      );
    const [w, b] = [[...model.weights.view()], [...model.intercepts.view()]];
    const least = objective(w, b);
    for (let j = 0; j < 12; j++)
      for (const step of [-0.02, 0.02]) {
        const [ww, bb] = [[...w], [...b]];
        if (j < 9) ww[j] = (ww[j] as number) + step;
        else bb[j - 9] = (bb[j - 9] as number) + step;
        expect(objective(ww, bb)).toBeGreaterThanOrEqual(least - 1e-7);
      }
  });
});
