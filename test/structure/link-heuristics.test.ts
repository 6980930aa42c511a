import { expect, test } from 'vitest';
import { Graph, linkHeuristic, randomDigraph } from '../../src/structure/index.js';
import { Random } from '../../src/tensor/index.js';

test('common neighbours and Adamic–Adar are sums over all nodes, loops aside', () => {
  const random = new Random(0);
  const n = 20;
  const edges = Array.from({ length: 60 }, () => [random.integer(n), random.integer(n)] as const);
  const graph = Graph.fromEdges(
    n,
    edges.map(([u]) => u),
    edges.map(([, v]) => v),
  );
  const joined = (a: number, b: number) =>
    a !== b && edges.some(([u, v]) => (u === a && v === b) || (u === b && v === a));
  expect(edges.some(([u, v]) => u === v)).toBe(true);
  const all = Array.from({ length: n }, (_, v) => v);
  const pairs = all.flatMap((u) => all.filter((v) => v !== u).map((v) => [u, v] as const));
  const ends = {
    sources: Int32Array.from(pairs, ([u]) => u),
    targets: Int32Array.from(pairs, ([, v]) => v),
  };
  const shared = pairs.map(([u, v]) => all.filter((w) => w !== u && w !== v && joined(u, w) && joined(v, w)));
  expect(shared.some((own) => own.length > 1)).toBe(true);
  expect([...linkHeuristic(graph, ends, 'commonNeighbours')]).toEqual(shared.map((own) => own.length));
  const degree = (w: number) => all.filter((v) => joined(w, v)).length;
  const adamic = shared.map((own) => own.reduce((sum, w) => sum + 1 / Math.log(degree(w)), 0));
  linkHeuristic(graph, ends, 'adamicAdar').forEach((score, at) => {
    expect(score).toBeCloseTo(adamic[at] as number, 12);
  });
  expect(() => linkHeuristic(randomDigraph(new Random(1), 5, 2), ends, 'adamicAdar')).toThrow(
    'adamicAdar is of graphs without directions',
  );
});
