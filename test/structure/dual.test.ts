import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { spmm } from '../../src/sparse/index.js';
import {
  dualHypergraph,
  dualIncidences,
  dualPropagation,
  type EdgeEnds,
  edgeIncidences,
  edgesOfIncidences,
  Graph,
  GraphCollection,
  IncidenceList,
} from '../../src/structure/index.js';
import { tensor } from '../../src/tensor/index.js';
import { expectClose, uniform } from '../oracle.js';

const ends = (nodeCount: number, edges: readonly (readonly [number, number])[]): EdgeEnds => ({
  nodeCount,
  sources: Int32Array.from(edges, ([u]) => u),
  targets: Int32Array.from(edges, ([, v]) => v),
});

/** Edges as people draw them: any ends, self-loops and parallel edges among them. */
const anyEnds = fc
  .integer({ min: 1, max: 9 })
  .chain((n) =>
    fc
      .array(fc.tuple(fc.nat(n - 1), fc.nat(n - 1)), { maxLength: 20 })
      .map((edges) => ends(n, edges as [number, number][])),
  );

describe('the dual hypergraph transformation', () => {
  test('is its own inverse on incidences and features', () => {
    fc.assert(
      fc.property(anyEnds, (own) => {
        const whole = { incidences: edgeIncidences(own), vertices: 'X', hyperedges: 'E' };
        const dual = dualHypergraph(whole);
        expect([dual.vertices, dual.hyperedges]).toEqual(['E', 'X']);
        expect([dual.incidences.vertexCount, dual.incidences.hyperedgeCount]).toEqual([
          own.sources.length,
          own.nodeCount,
        ]);
        const again = dualHypergraph(dual);
        expect(again.incidences.vertices).toEqual(whole.incidences.vertices);
        expect(again.incidences.hyperedges.offsets).toEqual(whole.incidences.hyperedges.offsets);
        expect([again.vertices, again.hyperedges]).toEqual(['X', 'E']);
      }),
    );
  });

  test('gives back the edges, the smaller end first, isolated nodes counted', () => {
    const own = ends(5, [
      [3, 1],
      [1, 1],
      [0, 3],
    ]);
    const back = edgesOfIncidences(dualIncidences(dualIncidences(edgeIncidences(own))));
    expect(back).toEqual({
      nodeCount: 5,
      sources: Int32Array.of(1, 1, 0),
      targets: Int32Array.of(3, 1, 3),
    });
  });

  test('of a hyperedge of three vertices is no graph', () => {
    expect(() => edgesOfIncidences(IncidenceList.fromLists(3, [[0, 1, 2]]))).toThrow(/hyperedge 0 joins 3 vertices/);
  });

  test('of a star of 100,000 edges is linear in them', () => {
    const m = 100_000;
    const star: EdgeEnds = {
      nodeCount: m + 1,
      sources: new Int32Array(m),
      targets: Int32Array.from({ length: m }, (_, e) => e + 1),
    };
    const dual = dualIncidences(edgeIncidences(star));
    expect(dual.count).toBe(2 * m);
    expect(dual.hyperedges.offsets[1]).toBe(m);
    expect(dualPropagation(star).toVertices.nnz).toBe(2 * m);
  });
});

/** D⁻¹HB⁻¹Hᵀ in double precision, by the definition: H has the nodes of degree ≥ 2, then loops. */
function denseOracle({ nodeCount, sources, targets }: EdgeEnds, x: ArrayLike<number>, d: number): number[] {
  const m = sources.length;
  const touches = (e: number, v: number) => sources[e] === v || targets[e] === v;
  const columns = Array.from({ length: nodeCount }, (_, v) =>
    Array.from({ length: m }, (_, e) => (touches(e, v) ? 1 : 0)),
  ).filter((column) => column.reduce<number>((a, b) => a + b, 0) > 1);
  for (let e = 0; e < m; e++) columns.push(Array.from({ length: m }, (_, k) => (k === e ? 1 : 0)));
  const means = columns.map((column) => {
    const size = column.reduce<number>((a, b) => a + b, 0);
    return Array.from(
      { length: d },
      (_, j) => column.reduce<number>((sum, h, e) => sum + h * (x[e * d + j] as number), 0) / size,
    );
  });
  return Array.from({ length: m }, (_, e) => {
    const own = columns.flatMap((column, c) => (column[e] ? [c] : []));
    return Array.from({ length: d }, (_, j) => own.reduce((sum, c) => sum + (means[c]?.[j] as number), 0) / own.length);
  }).flat();
}

function propagated(own: EdgeEnds, x: ArrayLike<number>, d: number): Float32Array {
  const { toHyperedges, toVertices } = dualPropagation(own);
  const y = spmm(toVertices, spmm(toHyperedges, tensor(Float32Array.from(x), [own.sources.length, d])));
  return y.dataSync();
}

describe('messages between edges', () => {
  test('equal D⁻¹HB⁻¹Hᵀ computed densely in double precision', () => {
    fc.assert(
      fc.property(anyEnds, fc.nat(1000), (own, seed) => {
        const x = uniform(seed, own.sources.length * 2);
        expectClose(propagated(own, x, 2), denseOracle(own, x, 2), 1e-6);
      }),
    );
  });

  test('of a triangle: the means at both ends and the edge itself, in three parts', () => {
    const triangle = ends(3, [
      [0, 1],
      [1, 2],
      [2, 0],
    ]);
    // Edge 0 meets edge 2 at node 0 and edge 1 at node 1.
    expectClose(propagated(triangle, [3, 6, 12], 1).subarray(0, 1), [((3 + 12) / 2 + (3 + 6) / 2 + 3) / 3]);
  });

  test('of a path a–b–c: the mean at b and the edge itself, since a and c have one edge', () => {
    const path = ends(3, [
      [0, 1],
      [1, 2],
    ]);
    expectClose(propagated(path, [2, 6], 1), [(4 + 2) / 2, (4 + 6) / 2]);
  });

  test('of a single edge are its own, and constants stay', () => {
    expectClose(propagated(ends(2, [[0, 1]]), [5], 1), [5]);
    const star = ends(4, [
      [0, 1],
      [0, 2],
      [3, 0],
    ]);
    expectClose(propagated(star, [7, 7, 7], 1), [7, 7, 7]);
  });
});

describe('a collection of graphs', () => {
  const square = Graph.fromEdges(4, [0, 1, 2, 3], [1, 2, 3, 0]);
  const dot = Graph.fromEdges(1, [], []);
  const path = Graph.fromEdges(3, [0, 1], [1, 2]);
  const collection = GraphCollection.of([square, dot, path]);

  test('numbers the nodes and edges of one graph after those of another', () => {
    expect(Array.from(collection.nodes.offsets)).toEqual([0, 4, 5, 8]);
    expect(Array.from(collection.edges.offsets)).toEqual([0, 4, 4, 6]);
    expect(Array.from(collection.sources.subarray(4))).toEqual([5, 6]);
    expect(collection.graph(2).edges()).toEqual(path.edges());
    expect(collection.meanEdges).toBe(2);
  });

  test('gives some of the graphs, in another order, with the rows of their nodes and edges', () => {
    const { graphs, nodeRows, edgeRows } = collection.select([2, 0]);
    expect(Array.from(nodeRows)).toEqual([5, 6, 7, 0, 1, 2, 3]);
    expect(Array.from(edgeRows)).toEqual([4, 5, 0, 1, 2, 3]);
    expect(graphs.graph(0).edges()).toEqual(path.edges());
    expect(graphs.graph(1).edges()).toEqual(square.edges());
    expect(() => collection.select([3])).toThrow(/no graph 3 of 3/);
  });

  test('keeps all nodes when edges go, and the edges between nodes that stay', () => {
    const dropped = collection.keepEdges(Int32Array.of(1, 5));
    expect(dropped.nodeCount).toBe(8);
    expect(Array.from(dropped.edges.offsets)).toEqual([0, 1, 1, 2]);
    const { graphs, edgeRows } = collection.keepNodes(Int32Array.of(0, 1, 3, 4, 6, 7));
    expect(Array.from(graphs.nodes.offsets)).toEqual([0, 3, 4, 6]);
    expect(edgeRows.length).toBe(3);
    expect(graphs.graph(2).edgeCount).toBe(1);
  });

  test('refuses an edge that leaves its graph', () => {
    const { nodes, edges, sources, targets } = collection;
    const wrong = targets.slice();
    wrong[0] = 6;
    expect(() => new GraphCollection(nodes, edges, sources, wrong)).toThrow(/edge 0 of graph 0 ends at 6, outside 0…3/);
  });
});
