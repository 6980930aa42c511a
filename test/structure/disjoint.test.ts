import { expect, test } from 'vitest';
import { SparseMatrix } from '../../src/sparse/index.js';
import {
  disjointGraphs,
  disjointHypergraphs,
  Graph,
  Hypergraph,
  operatorByParts,
  symmetricAdjacency,
} from '../../src/structure/index.js';
import { expectClose } from '../oracle.js';

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

test('an operator of a union is block-diagonal and made once for each of its parts', () => {
  const parts = [new Hypergraph(3, [[0, 1, 2]]), new Hypergraph(2, []), new Hypergraph(3, [[0, 2], [1]])];
  let made = 0;
  const adjacency = (own: Hypergraph) =>
    operatorByParts(own, 'adjacency of the test', (part) => {
      made += 1;
      return symmetricAdjacency(part.cliqueExpansion());
    });
  for (const order of [parts, [...parts].reverse()]) {
    const { hypergraph } = disjointHypergraphs(order);
    const whole = symmetricAdjacency(hypergraph.cliqueExpansion()).toDense().view();
    expectClose(adjacency(hypergraph).toDense().view(), whole, 1e-6);
  }
  expect(made).toBe(3);
  const { hypergraph } = disjointHypergraphs(parts);
  const plain = operatorByParts(
    hypergraph,
    'without values',
    (part) => new SparseMatrix(part.cliqueExpansion().pattern),
  );
  expect(plain.values).toBeUndefined();
});
