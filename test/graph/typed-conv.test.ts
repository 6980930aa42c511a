import { describe, expect, test } from 'vitest';
import * as g from '../../src/graph/index.js';
import { inference, parameters, withWeights } from '../../src/nn/index.js';
import { SparseMatrix } from '../../src/sparse/index.js';
import { HeteroGraph } from '../../src/structure/index.js';
import { Random, type Tensor, tensor, valueAndGrad } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const counts = { a: 5, b: 4, c: 3 };
const pairs = [
  { source: 'a', name: 'r', target: 'b', sources: [0, 0, 1, 2, 3, 4, 4], targets: [0, 1, 1, 2, 0, 2, 1] },
  { source: 'b', name: 's', target: 'c', sources: [0, 1, 2, 2], targets: [0, 0, 1, 0] },
  { source: 'a', name: 't', target: 'a', sources: [0, 2, 3], targets: [1, 3, 3] },
];
const graph = HeteroGraph.fromRelations(counts, pairs);
const features = new Map([
  ['a', uniformTensor(1, [5, 6])],
  ['b', uniformTensor(2, [4, 3])],
]);
const task = { graph, features, target: 'b', classes: 2 };
type Rows = number[][];
const rowsOf = (x: Tensor): Rows => {
  const [n, d] = x.shape as [number, number];
  return Array.from({ length: n }, (_, v) => Array.from(x.view().subarray(v * d, (v + 1) * d)));
};
const affine = (row: readonly number[], weight: Tensor, bias?: Tensor): number[] => {
  const [out, inner] = weight.shape as [number, number];
  return Array.from({ length: out }, (_, j) =>
    row.reduce(
      (sum, value, i) => sum + value * (weight.view()[j * inner + i] as number),
      bias ? (bias.view()[j] as number) : 0,
    ),
  );
};
/** Sources of the edges of a relation into a node. */
function sourcesOf(key: string, v: number): number[] {
  const relation = graph.relations.find((own) => own.key === key) ?? expect.unreachable();
  const own = pairs.find(({ name }) => name === relation.name.replace('rev_', '')) ?? expect.unreachable();
  const found = new Set<number>();
  own.sources.forEach((u, e) => {
    const w = own.targets[e] as number;
    if (relation.name.startsWith('rev_') || relation.isSymmetric) if (u === v) found.add(w);
    if (!relation.name.startsWith('rev_') && w === v) found.add(u);
  });
  return [...found].sort((x, y) => x - y);
}

describe('R-GCN', () => {
  test('a layer by its formula; a node without neighbours in a relation gets nothing from it', () => {
    const layer = new g.RGCNConv(4, 3, graph.relations, new Random(1));
    layer.own.bias?.assign(uniformTensor(8, [3]));
    const h = new Map(Object.entries(counts).map(([type, n], i) => [type, uniformTensor(10 + i, [n, 4])]));
    const y = layer.forward(h, graph, graph.types);
    for (const type of graph.types)
      for (let v = 0; v < graph.countOf(type); v++) {
        const expected = affine(rowsOf(h.get(type) as Tensor)[v] as number[], layer.own.weight, layer.own.bias);
        for (const { key, source } of graph.into(type)) {
          const sources = sourcesOf(key, v);
          const rows = rowsOf(h.get(source) as Tensor);
          for (const u of sources)
            affine(rows[u] as number[], layer.relations[key]?.weight as Tensor).forEach((value, j) => {
              expected[j] = (expected[j] as number) + value / sources.length;
            });
        }
        expectClose(rowsOf(y.get(type) as Tensor)[v] as number[], expected, 1e-5);
      }
    const other = HeteroGraph.fromRelations(counts, [{ ...pairs[0], name: 'x' } as (typeof pairs)[0]]);
    expect(() => layer.forward(h, other, ['b'])).toThrow('relation "a x b" was not there in training');
  });
});

describe('HGT', () => {
  test('a layer by its formula: attention over the neighbours of all relations', () => {
    const [width, heads] = [6, 2];
    const d = width / heads;
    const layer = new g.HGTConv(width, heads, graph, new Random(1));
    for (const [i, own] of Object.values(layer.relations).entries())
      own.prior.assign(uniformTensor(30 + i, [heads, 1, 1], 0.5, 1.5));
    for (const [i, own] of Object.values(layer.types).entries()) own.skip.assign(uniformTensor(40 + i, [1]));
    const h = new Map(Object.entries(counts).map(([type, n], i) => [type, uniformTensor(10 + i, [n, width])]));
    const y = layer.forward(h, graph, graph.types, 0, inference);
    const through = (row: number[], matrix: Tensor, head: number) =>
      Array.from({ length: d }, (_, j) =>
        Array.from(
          { length: d },
          (_, i) => (row[head * d + i] as number) * (matrix.view()[(head * d + i) * d + j] as number),
        ).reduce((a, b) => a + b),
      );
    const gelu = (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2));
    for (const type of graph.types) {
      const own = layer.types[type] ?? expect.unreachable();
      for (let v = 0; v < graph.countOf(type); v++) {
        const row = rowsOf(h.get(type) as Tensor)[v] as number[];
        const query = affine(row, own.query.weight, own.query.bias);
        const pooled: number[] = [];
        for (let head = 0; head < heads; head++) {
          const edges = graph.into(type).flatMap(({ key, source }) =>
            sourcesOf(key, v).map((u) => {
              const from = layer.types[source] ?? expect.unreachable();
              const relation = layer.relations[key] ?? expect.unreachable();
              const x = rowsOf(h.get(source) as Tensor)[u] as number[];
              const k = through(affine(x, from.key.weight, from.key.bias), relation.attention, head);
              const score = k.reduce((sum, value, j) => sum + value * (query[head * d + j] as number), 0);
              const message = through(affine(x, from.value.weight, from.value.bias), relation.message, head);
              return { score: (score * (relation.prior.view()[head] as number)) / Math.sqrt(d), message };
            }),
          );
          const total = edges.reduce((sum, { score }) => sum + Math.exp(score), 0);
          for (let j = 0; j < d; j++)
            pooled.push(
              edges.reduce((sum, { score, message }) => sum + (Math.exp(score) / total) * (message[j] as number), 0),
            );
        }
        const updated = affine(pooled.map(gelu), own.output.weight, own.output.bias);
        const share = 1 / (1 + Math.exp(-(own.skip.view()[0] as number)));
        expectClose(
          rowsOf(y.get(type) as Tensor)[v] as number[],
          updated.map((value, j) => share * value + (1 - share) * (row[j] as number)),
          1e-4,
        );
      }
    }
    expect(() => new g.HGTConv(6, 4, graph, new Random(1))).toThrow('4 heads do not divide the width 6');
  });
});

/** Error function by its series (Abramowitz & Stegun 7.1.5). */
function erf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 60; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

describe.each([
  ['R-GCN', (random: Random) => new g.RGCN(task, random, { hidden: 8 })],
  ['HGT', (random: Random) => new g.HGT(task, random, { hidden: 8 })],
])('%s as a network', (_, create) => {
  test('logits of the target type; sparse features give the same', () => {
    const network = create(new Random(2));
    const logits = network.forward(features, graph, inference);
    expect(logits.shape).toEqual([4, 2]);
    const sparse = new Map([...features].map(([type, own]) => [type, SparseMatrix.fromDense(own)]));
    expectClose(network.forward(sparse, graph, inference).view(), logits.view(), 1e-5);
  });

  test('the types that the target reads have gradients; those without features learned vectors', () => {
    const network = create(new Random(2));
    const weights = parameters(network);
    expect(Object.keys(weights)).toContain('input.embedding.c');
    const { gradient } = valueAndGrad((own: Record<string, Tensor>) =>
      withWeights(network, own, (live) =>
        live
          .forward(features, graph, inference)
          .multiply(uniformTensor(5, [4, 2]))
          .sum(),
      ),
    )(weights);
    for (const name of ['input.embedding.c', 'input.linear.a.weight', 'input.linear.b.weight'])
      expect(gradient[name]?.view().some((value) => value !== 0)).toBe(true);
  });

  test('permuting the nodes of the target permutes its logits', () => {
    const network = create(new Random(2));
    const order = [2, 0, 3, 1];
    const place = (v: number) => order.indexOf(v);
    const moved = HeteroGraph.fromRelations(counts, [
      { ...(pairs[0] as (typeof pairs)[0]), targets: (pairs[0] as (typeof pairs)[0]).targets.map(place) },
      { ...(pairs[1] as (typeof pairs)[0]), sources: (pairs[1] as (typeof pairs)[0]).sources.map(place) },
      pairs[2] as (typeof pairs)[0],
    ]);
    const rows = rowsOf(features.get('b') as Tensor);
    const x = new Map([...features, ['b', tensor(order.map((v) => rows[v] as number[]))]]);
    const before = rowsOf(network.forward(features, graph, inference));
    expectClose(
      network.forward(x, moved, inference).view(),
      order.flatMap((v) => before[v] as number[]),
      1e-5,
    );
  });

  test('refuses features that are missing, and new nodes of a type with learned vectors', () => {
    const network = create(new Random(2));
    expect(() => network.forward(new Map(), graph, inference)).toThrow(
      /nodes of type "[ab]" have no features; the network reads/,
    );
    const more = HeteroGraph.fromRelations({ ...counts, c: 4 }, pairs);
    expect(() => network.forward(features, more, inference)).toThrow(
      'nodes of type "c" have learned vectors, which new nodes lack',
    );
  });
});
