import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SparseMatrix } from '../../src/sparse/index.js';
import { Graph, Hypergraph, IncidenceList, TemporalGraph } from '../../src/structure/index.js';

/** What is no node of a graph of three. */
const wrongIds = [
  0.5,
  1.9,
  Number.NaN,
  -1,
  3,
  2 ** 31,
  2 ** 32,
  2 ** 32 + 1,
  Number.POSITIVE_INFINITY,
  '0',
  '1',
  null,
  undefined,
];
const ids = (...values: unknown[]) => values as number[];

/** Builders whose second element (edge, event, hyperedge) has the given node. */
const builders: Readonly<Record<string, (node: unknown) => unknown>> = {
  'Graph.fromEdges, source': (node) => Graph.fromEdges(3, ids(0, node), ids(1, 2)),
  'Graph.fromEdges, target': (node) => Graph.fromEdges(3, ids(0, 2), ids(1, node), { directed: true }),
  'TemporalGraph, source': (node) => new TemporalGraph(3, { sources: ids(0, node), targets: [1, 2], times: [0, 1] }),
  'TemporalGraph, target': (node) => new TemporalGraph(3, { sources: [0, 2], targets: ids(1, node), times: [0, 1] }),
  Hypergraph: (node) => new Hypergraph(3, [[0, 1], ids(2, node)]),
  'Hypergraph.fromGraph': (node) => Hypergraph.fromGraph(3, [[0, 1], ids(node, node) as unknown as [number, number]]),
  'IncidenceList.fromLists': (node) => IncidenceList.fromLists(3, [ids(0, node)]),
  'SparseMatrix, row': (node) => SparseMatrix.fromCoordinates(3, 3, ids(0, node), [0, 0]),
  'SparseMatrix, column': (node) => SparseMatrix.fromCoordinates(3, 3, [0, 0], ids(0, node)),
};

describe('ids', () => {
  test.each(Object.entries(builders))('%s: what is no node is a RangeError that names the place', (_, build) => {
    expect(() => build(2)).not.toThrow(RangeError);
    for (const node of wrongIds) {
      expect(() => build(node), String(node)).toThrow(RangeError);
      expect(() => build(node), String(node)).toThrow(/(edge|event|hyperedge|incidence|element) 1\b/);
    }
  });

  test('numbers of nodes are whole', () => {
    for (const count of [1.5, Number.NaN, -1, 2 ** 31, '3'])
      for (const build of [
        () => Graph.fromEdges(count as number, [], []),
        () => new TemporalGraph(count as number, { sources: [], targets: [], times: [] }),
        () => new Hypergraph(count as number, []),
        () => SparseMatrix.fromCoordinates(count as number, 3, [], []),
      ])
        expect(build, String(count)).toThrow(RangeError);
  });

  test('reads of a node that there is not', () => {
    const graph = Graph.fromEdges(3, [0], [1]);
    const hypergraph = new Hypergraph(3, [[0, 1]]);
    for (const node of wrongIds as number[])
      for (const read of [
        () => graph.neighbours(node),
        () => graph.hasEdge(0, node),
        () => graph.induced([0, node]),
        () => hypergraph.hyperedgesOf(node),
        () => hypergraph.hyperedge(node),
        () => hypergraph.induced([0, node]),
        () => graph.adjacency.selectRows([node]),
      ])
        expect(read, String(node)).toThrow(RangeError);
    expect(() => graph.induced([1, 1])).toThrow('Graph.induced: 1 is given twice');
  });

  test('any numbers: a graph of exactly the edges given, or a RangeError', () => {
    const node = fc.oneof(fc.nat(4), fc.double(), fc.constantFrom(...(wrongIds as number[])));
    fc.assert(
      fc.property(fc.array(fc.tuple(node, node), { maxLength: 6 }), (pairs) => {
        const valid = pairs.flat().every((id) => Number.isInteger(id) && id >= 0 && id < 3);
        const build = () =>
          Graph.fromEdges(
            3,
            pairs.map(([u]) => u),
            pairs.map(([, v]) => v),
            { directed: true },
          );
        if (!valid) {
          expect(build).toThrow(RangeError);
          return;
        }
        const distinct = new Set(pairs.map(([u, v]) => `${u + 0} ${v + 0}`));
        const { sources, targets } = build().edges();
        expect(new Set(Array.from(sources, (u, e) => `${u} ${targets[e]}`))).toEqual(distinct);
      }),
    );
  });
});

describe('weights and times', () => {
  test.each([1e39, 1e-50, 0, -1, Number.NaN, Number.POSITIVE_INFINITY, '2', null])(
    'a weight of %s is refused',
    (weight) => {
      const weights = ids(1, weight);
      expect(() => Graph.fromEdges(3, [0, 1], [1, 2], { weights })).toThrow(/edge 1 \(1 → 2\) has weight/);
      expect(() => new Hypergraph(3, [[0], [1]], weights)).toThrow(/hyperedge 1 has weight/);
      expect(() => Graph.fromEdges(3, [0, 1], [1, 2], { weights })).toThrow(RangeError);
    },
  );

  test('the smallest and largest weights of f32 are kept', () => {
    const weights = [1.401298464324817e-45, 3.4028234663852886e38];
    expect([...(Graph.fromEdges(3, [0, 1], [1, 2], { weights, directed: true }).weights ?? [])]).toEqual(weights);
  });

  test('sums beyond f32', () => {
    const options = { weights: [3e38, 3e38], duplicates: 'sum', directed: true } as const;
    expect(() => Graph.fromEdges(2, [0, 0], [1, 1], options)).toThrow('edge 0 → 1 add up beyond the range of f32');
    expect(() => SparseMatrix.fromCoordinates(2, 2, [0, 0], [1, 1], [3e38, 3e38])).toThrow(
      'the value at row 0, column 1 is beyond the range of f32',
    );
    expect(() => SparseMatrix.fromCoordinates(1, 1, [0], [0], [1e39])).toThrow(RangeError);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, '1', null, undefined])('a time of %s is refused', (time) => {
    expect(() => new TemporalGraph(3, { sources: [0, 1], targets: [1, 2], times: ids(0, time) })).toThrow(
      /event 1 has time/,
    );
  });

  test('compressed rows that are not ascending', () => {
    const build = (...indices: number[]) => Graph.fromCompressed(Int32Array.of(0, 2, 2, 2), Int32Array.from(indices));
    expect(() => build(2, 1)).toThrow('the targets of node 0 are not ascending');
    expect(() => build(1, 1)).toThrow('the targets of node 0 are not ascending');
    expect(() => Hypergraph.fromCompressed(3, [0, 2, 1], Int32Array.of(0, 1))).toThrow('offsets fall');
  });
});
