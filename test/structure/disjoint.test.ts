import { expect, test } from 'vitest';
import { disjointGraphs, disjointHypergraphs, Graph, Hypergraph } from '../../src/structure/index.js';

test('a union of graphs keeps edges and weights, nodes moved behind those before', () => {
  const first = Graph.fromEdges(3, [0, 1], [1, 2], { weights: [2, 3] });
  const empty = Graph.fromEdges(2, [], []);
  const last = Graph.fromEdges(2, [0], [1]);
  const { graph, nodes } = disjointGraphs([first, empty, last]);
  expect([...nodes.offsets]).toEqual([0, 3, 5, 7]);
  const { sources, targets, weights } = graph.edges();
  expect(Array.from(sources, (u, e) => [u, targets[e], weights?.[e]])).toEqual([
    [0, 1, 2],
    [1, 2, 3],
    [5, 6, 1],
  ]);
  expect(disjointGraphs([last, last]).graph.weights).toBeUndefined();
  expect(disjointGraphs([]).graph.nodeCount).toBe(0);
  expect(() => disjointGraphs([last, Graph.fromEdges(2, [0], [1], { directed: true })])).toThrow('graph 1 is directed');
});

test('a union of hypergraphs keeps members and weights, isolated vertices and empty parts', () => {
  const first = new Hypergraph(4, [[0, 1, 2], [1]], [1, 5]);
  const { hypergraph, vertices, hyperedges } = disjointHypergraphs([
    first,
    new Hypergraph(2, []),
    new Hypergraph(3, [[0, 2]]),
  ]);
  expect([...vertices.offsets]).toEqual([0, 4, 6, 9]);
  expect([...hyperedges.offsets]).toEqual([0, 2, 2, 3]);
  expect(hypergraph.hyperedges().map((own) => [...own])).toEqual([[0, 1, 2], [1], [6, 8]]);
  expect([...hypergraph.weights]).toEqual([1, 5, 1]);
});
