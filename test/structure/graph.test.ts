import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SparseMatrix } from '../../src/sparse/index.js';
import {
  AliasTable,
  coreNumbers,
  eigenvectorCentrality,
  erdosRenyi,
  Graph,
  graphOperator,
  holdOutEdges,
  IncidenceList,
  pageRank,
  sampleNeighbours,
  sampleNonEdges,
  TemporalGraph,
  truncatedSvd,
  withUnitLoops,
} from '../../src/structure/index.js';
import { Random } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

/** The adjacency by definition, and how often each edge is given. */
function denseAdjacency(
  n: number,
  edges: readonly (readonly number[])[],
  directed: boolean,
  rule: 'sum' | 'first',
): number[][] {
  const a = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const put = (u: number, v: number, w: number) => {
    const row = a[u] as number[];
    row[v] = rule === 'sum' ? (row[v] as number) + w : row[v] || w;
  };
  for (const [u = 0, v = 0, w = 1] of edges) {
    put(u, v, w);
    if (!directed && u !== v) put(v, u, w);
  }
  return a;
}

const edgeLists = fc.integer({ min: 1, max: 12 }).chain((n) =>
  fc.record({
    n: fc.constant(n),
    edges: fc.array(fc.tuple(fc.nat(n - 1), fc.nat(n - 1), fc.integer({ min: 1, max: 5 })), { maxLength: 40 }),
    directed: fc.boolean(),
    rule: fc.constantFrom('sum' as const, 'first' as const),
  }),
);

describe('graph', () => {
  test('equals the adjacency matrix by definition: loops, repeats, directions', () => {
    fc.assert(
      fc.property(edgeLists, ({ n, edges, directed, rule }) => {
        const column = (i: number) => edges.map((edge) => edge[i] as number);
        const graph = Graph.fromEdges(n, column(0), column(1), { directed, weights: column(2), duplicates: rule });
        const expected = denseAdjacency(n, edges, directed, rule);
        expectClose(graph.adjacency.toDense().view(), expected.flat());
        const stored = expected.flat().filter((w) => w !== 0).length;
        const loops = expected.filter((row, u) => row[u] !== 0).length;
        expect(graph.edgeCount).toBe(directed ? stored : (stored + loops) / 2);
        expectClose(
          graph.outDegrees,
          expected.map((row) => row.reduce((a, b) => a + b, 0)),
        );
        expectClose(
          graph.inDegrees,
          expected.map((_, v) => expected.reduce((total, row) => total + (row[v] as number), 0)),
        );
        for (let u = 0; u < n; u++)
          for (let v = 0; v < n; v++) expect(graph.hasEdge(u, v)).toBe(expected[u]?.[v] !== 0);
        const { sources, targets, weights } = graph.edges();
        const again = Graph.fromEdges(n, sources, targets, { directed, weights });
        expectClose(again.adjacency.toDense().view(), expected.flat());
      }),
    );
  });

  test('components equal reachability; an induced graph is the submatrix', () => {
    fc.assert(
      fc.property(edgeLists, ({ n, edges, directed }) => {
        const graph = Graph.fromEdges(
          n,
          edges.map(([u]) => u),
          edges.map(([, v]) => v),
          { directed },
        );
        const reach = denseAdjacency(n, edges, false, 'first').map((row, u) => row.map((w, v) => w !== 0 || u === v));
        for (let k = 0; k < n; k++)
          for (let u = 0; u < n; u++)
            for (let v = 0; v < n; v++) if (reach[u]?.[k] && reach[k]?.[v]) (reach[u] as boolean[])[v] = true;
        for (let u = 0; u < n; u++)
          for (let v = 0; v < n; v++) expect(graph.components[u] === graph.components[v]).toBe(reach[u]?.[v]);
        const nodes = Array.from({ length: n }, (_, v) => v)
          .filter((v) => v % 2 === 0)
          .reverse();
        const dense = graph.adjacency.toDense().view();
        expectClose(
          graph.induced(nodes).adjacency.toDense().view(),
          nodes.flatMap((u) => nodes.map((v) => dense[u * n + v] as number)),
        );
      }),
    );
  });

  test('errors name the edge', () => {
    expect(() => Graph.fromEdges(3, [0, 1], [1, 3])).toThrow('edge 1 joins 1 and 3, outside 0…2');
    expect(() => Graph.fromEdges(3, [0], [1], { weights: [-2] })).toThrow('edge 0 (0 → 1) has weight -2');
    expect(() => Graph.fromEdges(3, [0], [1], { weights: [Number.NaN] })).toThrow('weights must be positive');
    expect(() => Graph.fromEdges(3, [0, 1], [1, 0], { duplicates: 'error' })).toThrow('given more than once');
    expect(Graph.fromEdges(0, [], []).edgeCount).toBe(0);
  });

  test('operators equal D̃^{r−1}ÃD̃^{−r}; loops are put in place of given ones; a node without edges stays 0', () => {
    const graph = Graph.fromEdges(5, [0, 0, 1, 2], [1, 2, 2, 2]); // 2 has a loop, 3 and 4 nothing
    expect(withUnitLoops(graph).nnz).toBe(3 * 2 + 5);
    const a = [0, 1, 2, 3, 4].map((u) => [0, 1, 2, 3, 4].map((v) => Number(u === v || graph.hasEdge(u, v))));
    const d = a.map((row) => row.reduce((x, y) => x + y, 0));
    for (const r of [0, 0.3, 0.5, 1])
      expectClose(
        graphOperator(graph, { exponent: r }).toDense().view(),
        a.flatMap((row, u) => row.map((w, v) => (d[u] as number) ** (r - 1) * w * (d[v] as number) ** -r)),
      );
    const plain = graphOperator(graph, { exponent: 0, selfLoops: false }).toDense().view();
    expect([...plain.subarray(15)]).toEqual(new Array(10).fill(0));
  });
});

describe('sampling', () => {
  test('alias columns give back the weights, and draws follow them', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: 1, maxLength: 30 }), (weights) => {
        fc.pre(weights.some((w) => w > 1e-3));
        const { probabilities, aliases } = new AliasTable(weights);
        const mass = new Float64Array(weights.length);
        probabilities.forEach((p, i) => {
          mass[i] = (mass[i] as number) + p;
          mass[aliases[i] as number] = (mass[aliases[i] as number] as number) + 1 - p;
        });
        const total = weights.reduce((a, b) => a + b, 0);
        expectClose(
          mass,
          weights.map((w) => (w * weights.length) / total),
          1e-5,
        );
      }),
    );
    const table = new AliasTable([1, 2, 3, 4]);
    const random = new Random(1);
    const drawn = new Float64Array(4);
    for (let i = 0; i < 100_000; i++) {
      const k = table.draw(random);
      drawn[k] = (drawn[k] as number) + 1;
    }
    const chiSquare = drawn.reduce((sum, seen, i) => sum + (seen - (i + 1) * 1e4) ** 2 / ((i + 1) * 1e4), 0);
    expect(chiSquare).toBeLessThan(16.3); // p > 0.001 at 3 degrees
    expect(() => new AliasTable([0, 0])).toThrow('all weights are 0');
  });

  test('sampled neighbours are distinct neighbours, as many as asked or all', () => {
    const random = new Random(2);
    const graph = Graph.fromEdges(
      50,
      Int32Array.from({ length: 300 }, () => random.integer(50)),
      Int32Array.from({ length: 300 }, () => random.integer(50)),
    );
    const layers = sampleNeighbours(graph, Int32Array.of(3, 7), [4, 2], random);
    expect(layers).toHaveLength(2);
    expect(layers[1]?.targetCount).toBe(2);
    for (const [depth, { sources, targetCount, neighbours }] of layers.entries()) {
      expect(new Set(sources).size).toBe(sources.length);
      for (let i = 0; i < targetCount; i++) {
        const chosen = Array.from(neighbours[i] as Int32Array, (at) => sources[at] as number);
        const all = graph.neighbours(sources[i] as number);
        expect(chosen).toHaveLength(Math.min(all.length, [4, 2][depth] as number));
        expect(new Set(chosen).size).toBe(chosen.length);
        for (const v of chosen) expect(all).toContain(v);
      }
    }
  });

  test('held-out edges and non-edges', () => {
    const graph = Graph.fromEdges(
      30,
      Array.from({ length: 29 }, (_, i) => i),
      Array.from({ length: 29 }, (_, i) => i + 1),
    );
    const { graph: rest, sources, targets } = holdOutEdges(graph, 0.3, new Random(1));
    expect(sources).toHaveLength(8);
    expect(rest.edgeCount).toBe(21);
    sources.forEach((u, i) => {
      expect(graph.hasEdge(u, targets[i] as number)).toBe(true);
      expect(rest.hasEdge(u, targets[i] as number)).toBe(false);
    });
    const none = sampleNonEdges(graph, 20, new Random(1));
    none.sources.forEach((u, i) => {
      expect(graph.hasEdge(u, none.targets[i] as number)).toBe(false);
    });
    const complete = Graph.fromEdges(3, [0, 0, 1], [1, 2, 2]);
    expect(() => sampleNonEdges(complete, 1, new Random(1))).toThrow('found 0 of 1');
  });
});

describe('centrality', () => {
  const graph = Graph.fromEdges(7, [0, 0, 1, 2, 3, 4], [1, 2, 2, 3, 4, 5]);
  const operator = (x: Float64Array) => {
    const y = new Float64Array(x.length);
    graph.forEachEntry((u, v) => {
      y[u] = (y[u] as number) + (x[v] as number);
    });
    return y;
  };

  test('core numbers equal peeling', () => {
    fc.assert(
      fc.property(edgeLists, ({ n, edges }) => {
        const g = Graph.fromEdges(
          n,
          edges.map(([u]) => u),
          edges.map(([, v]) => v),
          { selfLoops: 'drop' },
        );
        const expected = new Int32Array(n);
        for (let k = 1; k <= n; k++) {
          let left = new Set(Array.from({ length: n }, (_, v) => v));
          for (let before = -1; before !== left.size; ) {
            before = left.size;
            left = new Set([...left].filter((v) => g.neighbours(v).filter((u) => left.has(u)).length >= k));
          }
          for (const v of left) expected[v] = k;
        }
        expect([...coreNumbers(g)]).toEqual([...expected]);
      }),
    );
  });

  test('an eigenvector and PageRank satisfy their equations', () => {
    const x = eigenvectorCentrality(operator, 7);
    const image = operator(x);
    const value = image.reduce((total, y, i) => total + y * (x[i] as number), 0);
    expectClose(
      image,
      x.map((v) => v * value),
      1e-6,
    );
    const rank = pageRank(operator, 7);
    expect(rank.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
    const spread = operator(
      rank.map((r, v) => r / Math.max(1, graph.outDegrees[v] as number)) as Float64Array<ArrayBuffer>,
    );
    // Node 6 has no edges: its rank is spread over all.
    expectClose(
      rank,
      spread.map((s) => 0.85 * (s + (rank[6] as number) / 7) + 0.15 / 7),
      1e-8,
    );
  });

  test('truncated singular vectors rebuild a matrix of low rank', () => {
    const left = uniformTensor(1, [30, 4]);
    const right = uniformTensor(2, [4, 20]);
    const dense = left.matmul(right);
    const { vectors, values } = truncatedSvd(SparseMatrix.fromDense(dense), 4, new Random(1));
    const projected = vectors.matmul(vectors.matmul(dense, { transposeA: true }));
    expectClose(projected.view(), dense.view(), 1e-4);
    expect([...values].sort((a, b) => b - a)).toEqual([...values]);
    const squares = dense.view().reduce((total, v) => total + v * v, 0);
    expect(values.reduce((total, s) => total + s * s, 0)).toBeCloseTo(squares, 2);
  });
});

test('temporal graphs: splits by time keep equal times together; disorder is an error', () => {
  const times = [0, 1, 2, 3, 4, 5, 6, 7, 7, 7];
  const graph = new TemporalGraph(3, { sources: times.map(() => 0), targets: times.map((_, i) => i % 3), times });
  expect(graph.splitByTime([0.5, 0.8]).map((part) => part.length)).toEqual([5, 2, 3]);
  expect(() => new TemporalGraph(2, { sources: [0, 1], targets: [1, 0], times: [2, 1] })).toThrow(
    'event 1 at 1 comes after one at 2',
  );
  expect(() => new TemporalGraph(2, { sources: [0], targets: [2], times: [0] })).toThrow('event 0 joins 0 and 2');
  expect(() => new TemporalGraph(2, { sources: [0], targets: [1], times: [Number.NaN] })).toThrow('has time NaN');
});

test('incidences keep a vertex that stands twice in a hyperedge', () => {
  const list = IncidenceList.fromLists(3, [[0, 1, 0], [2], [1, 2]]);
  expect(list.count).toBe(6);
  expect([...list.byVertex.pattern.indptr]).toEqual([0, 2, 4, 6]);
  expect([...list.byHyperedge.means.matmul(uniformTensor(1, [6, 1])).view()]).toHaveLength(3);
  expect(list.hypergraph.nnz).toBe(5);
  expect(() => IncidenceList.fromLists(2, [[0, 2]])).toThrow('incidence 1 has vertex 2');
});

test('Erdős–Rényi: as many edges as asked for, less repeats; every node alike', () => {
  const graph = erdosRenyi(new Random(1), 2000, 10);
  expect(graph.selfLoopCount).toBe(0);
  expect(graph.edgeCount).toBeGreaterThan(9900);
  expect(graph.edgeCount).toBeLessThanOrEqual(10_000);
  const half = (from: number) => graph.outDegrees.subarray(from, from + 1000).reduce((sum, own) => sum + own, 0);
  expect(Math.abs(half(0) - half(1000))).toBeLessThan(600);
});
