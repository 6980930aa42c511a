import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readGraph6, wholeGraphsFromGraph6, writeGraph6 } from '../../src/data/index.js';
import { hasDataset, loadWholeGraphs } from '../../src/data/node.js';
import { Graph, graphOfPairs } from '../../src/structure/index.js';

describe('graph6', () => {
  test('reads the examples of its description', () => {
    // McKay: 5 nodes, edges 0-2, 0-4, 1-3, 3-4.
    const [graph] = readGraph6('DQc\n');
    const { sources, targets } = (graph as Graph).edges();
    expect([graph?.nodeCount, Array.from(sources, (u, e) => `${u}${targets[e]}`)]).toEqual([
      5,
      ['02', '04', '13', '34'],
    ]);
    expect(readGraph6('>>graph6<<@\n?\n').map(({ nodeCount }) => nodeCount)).toEqual([1, 0]);
  });

  test('comes back as it was written, for small and large graphs', () => {
    const one = fc
      .integer({ min: 2, max: 70 })
      .chain((n) =>
        fc
          .array(fc.tuple(fc.nat(n - 1), fc.nat(n - 1)).filter(([u, v]) => u !== v))
          .map((pairs) => graphOfPairs(pairs, n)),
      );
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 4 }), (graphs) => {
        const again = readGraph6(writeGraph6(graphs));
        expect(again.map((graph) => [graph.nodeCount, graph.edges()])).toEqual(
          graphs.map((graph) => [graph.nodeCount, graph.edges()]),
        );
      }),
    );
    const long = graphOfPairs(
      [
        [0, 299],
        [5, 62],
        [63, 64],
      ],
      300,
    );
    expect(writeGraph6([long]).startsWith('~')).toBe(true);
    expect(readGraph6(writeGraph6([long]))[0]?.edges()).toEqual(long.edges());
  });

  test('names the line that is wrong', () => {
    expect(() => readGraph6('DQc\nDQ\n', 'x.g6')).toThrow('"x.g6", line 2: a graph of 5 nodes takes 2 characters');
    expect(() => readGraph6('D c\n', 'x.g6')).toThrow('line 1: character " " is none of graph6');
    expect(() => readGraph6(':An\n', 'x.g6')).toThrow('line 1 is sparse6');
    expect(() => readGraph6('~A\n', 'x.g6')).toThrow('ends within the number of its nodes');
    expect(() => readGraph6('~~~~~~~~\n', 'x.g6')).toThrow('declares');
    expect(() => readGraph6('\n', 'x.g6')).toThrow('holds no graph');
    expect(() => writeGraph6([Graph.fromEdges(2, [0], [1], { directed: true })])).toThrow('graph 0 is directed');
    expect(() => writeGraph6([Graph.fromEdges(1, [0], [0])])).toThrow('has a self-loop');
  });

  test('may have a table of graphs, of as many lines', () => {
    const table = 'graph,label,size\na,x,5\nb,y,1\n';
    const set = wholeGraphsFromGraph6('DQc\n@\n', 'mine', table);
    expect([set.graphNames, Array.from(set.labels), set.classNames]).toEqual([
      ['a', 'b'],
      [0, 1],
      ['x', 'y'],
    ]);
    expect(set.targets.map(({ name, values }) => [name, ...Array.from(values as Float64Array)])).toEqual([
      ['size', 5, 1],
    ]);
    expect(wholeGraphsFromGraph6('DQc\n', 'mine').graphNames).toEqual(['0']);
    expect(() => wholeGraphsFromGraph6('DQc\n', 'mine', table)).toThrow('1 graphs and 2 lines');
  });
});

describe('known sets of hard graphs (need GOSSAMER_DATA)', () => {
  test.skipIf(!hasDataset('exp', 'whole-graphs'))('EXP keeps pairs in one fold, each of both classes', () => {
    const { folds, labels, graphs } = loadWholeGraphs('exp');
    expect(graphs.count).toBe(1200);
    for (let g = 0; g < 1200; g += 2) {
      expect(folds?.[g]).toBe(folds?.[g + 1]);
      expect((labels[g] as number) + (labels[g + 1] as number)).toBe(1);
    }
    expect(new Set(folds).size).toBe(10);
  });

  test.skipIf(!hasDataset('graph8c', 'whole-graphs'))('graph8c has the counts of its graphs', () => {
    const { graphs, targets } = loadWholeGraphs('graph8c');
    const of = (name: string) => targets.find((own) => own.name === name)?.values as Float64Array;
    for (const g of [0, 500, 11_116]) {
      const graph = graphs.graph(g);
      const n = graph.nodeCount;
      let [triangles, tailed] = [0, 0];
      for (let u = 0; u < n; u++)
        for (let v = u + 1; v < n; v++)
          for (let w = v + 1; w < n; w++)
            if (graph.hasEdge(u, v) && graph.hasEdge(v, w) && graph.hasEdge(u, w)) {
              triangles += 1;
              for (const end of [u, v, w]) tailed += graph.neighbours(end).length - 2;
            }
      expect([of('edges')[g], of('triangles')[g], of('tailed_triangles')[g]]).toEqual([
        graph.edgeCount,
        triangles,
        tailed,
      ]);
    }
  });
});
