import { describe, expect, test } from 'vitest';
import { gaussianOfNames, HeteroGraph, type RelationEdges } from '../../src/structure/index.js';
import { Random } from '../../src/tensor/index.js';

const counts = { author: 3, paper: 4, venue: 2 };
const writes: RelationEdges = {
  source: 'author',
  name: 'writes',
  target: 'paper',
  sources: [0, 0, 1, 1],
  targets: [0, 1, 1, 3],
};
const cites: RelationEdges = { source: 'paper', name: 'cites', target: 'paper', sources: [0, 2], targets: [1, 2] };
const graph = HeteroGraph.fromRelations(counts, [writes, cites]);
const denseOf = (rows: number, columns: number, entries: readonly (readonly [number, number, number])[]) => {
  const dense = new Array<number>(rows * columns).fill(0);
  for (const [row, column, value] of entries) dense[row * columns + column] = value;
  return dense;
};

describe('HeteroGraph', () => {
  test('every relation has its reverse; one within a type is symmetric and its own', () => {
    expect(graph.relations.map(({ key }) => key)).toEqual([
      'author writes paper',
      'paper rev_writes author',
      'paper cites paper',
    ]);
    const [own, reverse, symmetric] = graph.relations;
    expect(own?.reverse).toBe(reverse);
    expect(reverse?.reverse).toBe(own);
    expect(symmetric?.reverse).toBe(symmetric);
    expect(graph.into('paper').map(({ name }) => name)).toEqual(['writes', 'cites']);
    expect(graph.into('venue')).toEqual([]);
    expect([graph.nodeCount, graph.edgeCount, graph.countOf('venue')]).toEqual([9, 6, 2]);
    expect(graph.types).toEqual(['author', 'paper', 'venue']);
  });

  test('means: each target averages its sources, one without sources gets 0', () => {
    const [own, reverse, symmetric] = graph.relations;
    expect([...(own?.mean.toDense().view() ?? [])]).toEqual(
      denseOf(4, 3, [
        [0, 0, 1],
        [1, 0, 0.5],
        [1, 1, 0.5],
        [3, 1, 1],
      ]),
    );
    expect([...(reverse?.mean.toDense().view() ?? [])]).toEqual(
      denseOf(3, 4, [
        [0, 0, 0.5],
        [0, 1, 0.5],
        [1, 1, 0.5],
        [1, 3, 0.5],
      ]),
    );
    expect([...(symmetric?.mean.toDense().view() ?? [])]).toEqual(
      denseOf(4, 4, [
        [0, 1, 1],
        [1, 0, 1],
        [2, 2, 1],
      ]),
    );
  });

  test('an edge that is given twice counts once', () => {
    const twice = { ...writes, sources: [0, 0, 1, 1, 1], targets: [0, 1, 1, 3, 3] };
    const both = { ...cites, sources: [0, 1, 2], targets: [1, 0, 2] };
    const built = HeteroGraph.fromRelations(counts, [twice, both]);
    expect([built.edgeCount, built.duplicateEdges]).toEqual([6, 2]);
    expect(built.relations[2]?.mean.toDense().view()).toEqual(graph.relations[2]?.mean.toDense().view());
  });

  test('refuses nodes and types that are not there, naming the relation and the edge', () => {
    const of = (...relations: RelationEdges[]) => HeteroGraph.fromRelations(counts, relations);
    expect(() => of({ ...writes, targets: [0, 1, 4, 3] })).toThrow(
      'relation "writes": edge 2 names paper 4, outside 0…3',
    );
    expect(() => of({ ...writes, sources: [0, 0, 1, 1.5] })).toThrow('edge 3 names author 1.5');
    expect(() => of({ ...writes, source: 'writer' })).toThrow(
      'no nodes of type "writer", only of author, paper, venue',
    );
    expect(() => of({ ...writes, sources: [0] })).toThrow('1 sources and 4 targets do not pair up');
    expect(() => graph.countOf('x')).toThrow('no nodes of type "x"');
    expect(() => HeteroGraph.fromRelations({ a: -1 }, [])).toThrow('nodes of type "a"');
  });

  test('refuses relations that would count twice: one name, the same edges, the same edges reversed', () => {
    const of = (...relations: RelationEdges[]) => HeteroGraph.fromRelations(counts, relations);
    const backward = {
      source: 'paper',
      name: 'by',
      target: 'author',
      sources: writes.targets,
      targets: writes.sources,
    };
    expect(() => of(writes, writes)).toThrow('relation "writes" from author to paper is given twice');
    expect(() => of(writes, { ...writes, name: 'made' })).toThrow('"made" holds the edges of "writes"; leave one out');
    expect(() => of(writes, backward)).toThrow(
      '"by" holds the edges of "writes" reversed; leave one out, as reverses are made',
    );
    const others = { ...writes, name: 'reviews', targets: [0, 1, 1, 2] };
    expect(of(writes, others).relations).toHaveLength(4);
  });

  test('some of the relations, with their reverses', () => {
    const part = graph.withRelations(graph.given.slice(0, 1));
    expect(part.relations.map(({ name }) => name)).toEqual(['writes', 'rev_writes']);
    expect(part.countOf('venue')).toBe(2);
  });
});

test('Gaussian vectors follow from names: the same among others; of length 1 and orthogonal in the mean', () => {
  const random = () => new Random(5).split('features');
  const names = Array.from({ length: 40 }, (_, v) => `n${v}`);
  const all = gaussianOfNames(names, random(), 250);
  const [one] = [gaussianOfNames(['n7'], random(), 250).view()];
  expect(all.view().subarray(7 * 250, 8 * 250)).toEqual(one);
  const rows = names.map((_, v) => all.view().subarray(v * 250, (v + 1) * 250));
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
  const squares = rows.map((row) => dot(row, row));
  expect(Math.abs(squares.reduce((a, b) => a + b) / 40 - 1)).toBeLessThan(0.05);
  for (let v = 1; v < 40; v++)
    expect(Math.abs(dot(rows[0] as Float32Array, rows[v] as Float32Array))).toBeLessThan(0.3);
});
