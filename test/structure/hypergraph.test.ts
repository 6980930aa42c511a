import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Hypergraph, restrict, symmetricPropagation } from '../../src/structure/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

/** Hypergraphs on up to 9 vertices, isolated ones included. */
const hypergraphs = fc
  .integer({ min: 2, max: 9 })
  .chain((n) =>
    fc
      .array(fc.uniqueArray(fc.nat(n - 1), { minLength: 1, maxLength: n }), { minLength: 1, maxLength: 8 })
      .map((lists) => new Hypergraph(n, lists)),
  );

const sets = (h: Hypergraph) => h.hyperedges().map((members) => new Set(members));

describe('Hypergraph', () => {
  const h = new Hypergraph(5, [[2, 0, 1], [1, 2], [3]], [2, 1, 0.5]);

  test('degrees and sizes are weighted sums and counts', () => {
    expect([...h.vertexDegrees]).toEqual([2, 3, 3, 0.5, 0]);
    expect([...h.hyperedgeSizes]).toEqual([3, 2, 1]);
    expect([...h.hyperedge(0)]).toEqual([0, 1, 2]);
    expect([...h.hyperedgesOf(2)]).toEqual([0, 1]);
    expect(h.uniformity).toBeUndefined();
    expect(
      new Hypergraph(3, [
        [0, 1],
        [1, 2],
      ]).uniformity,
    ).toBe(2);
  });

  test('duplicates merge by rule; isolated vertices get hyperedges of their own', () => {
    const twice = new Hypergraph(3, [[0, 1], [1, 0], [2]], [1, 3, 1]);
    expect([...twice.mergeDuplicates().weights]).toEqual([2, 1]);
    expect([...twice.mergeDuplicates('sum').weights]).toEqual([4, 1]);
    expect([...twice.mergeDuplicates('max').weights]).toEqual([3, 1]);
    expect(
      h
        .withSelfLoops()
        .hyperedges()
        .map((e) => [...e]),
    ).toEqual([[0, 1, 2], [1, 2], [3], [4]]);
    expect(h.withSelfLoops('all').hyperedgeCount).toBe(3 + 4);
  });

  test('induced hypergraphs are cut and renumbered', () => {
    const cut = h.induced([4, 2, 1]);
    expect(cut.hyperedges().map((e) => [...e])).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect([...cut.weights]).toEqual([2, 1]);
  });

  test('expansions equal brute-force counts', () => {
    fc.assert(
      fc.property(hypergraphs, (g) => {
        const edges = sets(g);
        const clique = g.cliqueExpansion('counts').toDense().view();
        for (let u = 0; u < g.vertexCount; u++) {
          for (let v = 0; v < g.vertexCount; v++)
            expect(clique[u * g.vertexCount + v]).toBe(u === v ? 0 : edges.filter((e) => e.has(u) && e.has(v)).length);
        }
        const m = g.hyperedgeCount;
        const line = g.lineExpansion('counts').toDense().view();
        edges.forEach((a, i) => {
          edges.forEach((b, j) => {
            expect(line[i * m + j]).toBe(i === j ? 0 : [...a].filter((v) => b.has(v)).length);
          });
        });
        expect(g.starExpansion().nnz).toBe(2 * g.nnz);
        const pairs = new Set(
          edges.flatMap((e) => [...e].flatMap((u) => [...e].filter((v) => u < v).map((v) => `${u},${v}`))),
        );
        expect(g.kUniform(2).hyperedgeCount).toBe(pairs.size);
        expect(g.cliqueExpansion().nnz).toBe(2 * pairs.size);
      }),
      { numRuns: 60 },
    );
  });

  test('a graph becomes its edges and neighbourhoods', () => {
    const fromGraph = Hypergraph.fromGraph(3, [
      [0, 1],
      [1, 2],
    ]);
    expect(new Set(fromGraph.hyperedges().map((e) => e.join()))).toEqual(new Set(['0,1', '1,2', '0,1,2']));
  });

  test('bad input is refused by name', () => {
    expect(() => new Hypergraph(2, [[0], []])).toThrow('Hypergraph: hyperedge 1 is empty');
    expect(() => new Hypergraph(2, [[0, 2]])).toThrow('hyperedge 0 holds vertex 2, outside 0…1');
    expect(() => new Hypergraph(2, [[1, 1]])).toThrow('hyperedge 0 holds vertex 1 twice');
    expect(() => new Hypergraph(2, [[0]], [Number.NaN])).toThrow(
      'hyperedge 0 has weight NaN; weights must be positive and finite',
    );
    expect(() => new Hypergraph(200, [Array.from({ length: 200 }, (_, i) => i)]).kUniform(6)).toThrow(
      'more than the limit',
    );
  });
});

test('restricted operators give the rows of the whole', () => {
  fc.assert(
    fc.property(hypergraphs, fc.nat(8), (g, pick) => {
      const { toHyperedges, toVertices } = symmetricPropagation(g);
      const vertex = pick % g.vertexCount;
      const x = uniformTensor(1, [g.vertexCount, 3]);
      const { operators, sources } = restrict([toHyperedges, toVertices], Int32Array.of(vertex));
      const whole = toVertices
        .matmul(toHyperedges.matmul(x))
        .view()
        .subarray(vertex * 3, vertex * 3 + 3);
      const rows = [...sources].flatMap((source) => [...x.view().subarray(source * 3, source * 3 + 3)]);
      const cut = operators.reduce(
        (y, operator) => operator.matmul(y),
        uniformTensor(0, [sources.length, 3]).assign(Float32Array.from(rows)),
      );
      expectClose(cut.view(), whole, 1e-6);
    }),
    { numRuns: 60 },
  );
});
