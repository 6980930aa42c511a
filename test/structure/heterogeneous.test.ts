import { expect, test } from 'vitest';
import { disjointHeterogeneous, HeterogeneousHypergraph, Hypergraph } from '../../src/structure/index.js';

const first = HeterogeneousHypergraph.fromLists(
  4,
  [
    { head: [2], tail: [3, 0], type: 1 },
    { head: [1], tail: [2] },
  ],
  Uint8Array.of(0, 1, 0, 1),
);
const lists = (own: HeterogeneousHypergraph) =>
  Array.from({ length: own.hyperedgeCount }, (_, e) => own.hyperedge(e)).map(({ head, tail, type }) => [
    Array.from(head),
    Array.from(tail),
    type,
  ]);

test('heads and tails come back in order, with the types', () => {
  expect(lists(first)).toEqual([
    [[2], [0, 3], 1],
    [[1], [2], 0],
  ]);
  expect([...first.roles]).toEqual([1, 0, 1, 0, 1]);
});

test('a union keeps roles, types and kinds', () => {
  const second = HeterogeneousHypergraph.fromLists(2, [{ head: [1], tail: [0], type: 7 }], Uint8Array.of(1, 1));
  const empty = HeterogeneousHypergraph.fromLists(1, []);
  const { union, vertices, hyperedges } = disjointHeterogeneous([first, empty, second]);
  expect(lists(union)).toEqual([...lists(first), [[6], [5], 7]]);
  expect([...union.vertexKinds]).toEqual([0, 1, 0, 1, 0, 1, 1]);
  expect([[...vertices.offsets], [...hyperedges.offsets]]).toEqual([
    [0, 4, 5, 7],
    [0, 2, 2, 3],
  ]);
});

test('refuses lengths and roles that do not fit, and a vertex in both roles', () => {
  const hypergraph = new Hypergraph(2, [[0, 1]]);
  const make = (roles: number[], types = [0], kinds = [0, 0]) =>
    new HeterogeneousHypergraph(hypergraph, Uint8Array.from(roles), Int32Array.from(types), Uint8Array.from(kinds));
  expect(() => make([0])).toThrow('1 roles for 2 incidences');
  expect(() => make([0, 1], [])).toThrow('0 types for 1 hyperedges');
  expect(() => make([0, 1], [0], [0])).toThrow('1 kinds for 2 vertices');
  expect(() => make([0, 2])).toThrow('incidence 1 has role 2, not 0 or 1');
  expect(() => HeterogeneousHypergraph.fromLists(2, [{ head: [0], tail: [0, 1] }])).toThrow();
});
