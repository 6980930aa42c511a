import { describe, expect, test } from 'vitest';
import { wholeGraphsFromGraph6 } from '../../src/data/index.js';
import { hasDataset, loadWholeGraphs } from '../../src/data/node.js';
import { fourCliques } from '../../src/experiments/protocols/graph-sets.js';
import { elementsByPartitions } from '../../src/experiments/protocols/polynomial-oracles.js';
import {
  adjacencyInput,
  attributeEncoding,
  automorphisms,
  CellSource,
  canonicalForm,
  cellTensors,
  connectedPatterns,
  contractionOrder,
  countPattern,
  DoublePPGN,
  denseValue,
  evaluatePattern,
  type FeaturedGraphs,
  GraphBatches,
  graphTask,
  isComputable,
  missingPatterns,
  namedPatterns,
  nodePolynomials,
  outputsOf,
  type Pattern,
  PPGN,
  PPGNBlock,
  PPGNModel,
  pairPolynomials,
  parsePattern,
  patternNamed,
  patternOf,
  patternText,
  polynomialBasis,
  polynomialChannels,
  polynomialEncoding,
  polynomialFeatures,
  runSequence,
  sequenceLines,
  sparseInput,
  TriangleNetwork,
  toldApart,
  triangleSum,
  trianglesOf,
  withNodePolynomials,
} from '../../src/graph/index.js';
import { training } from '../../src/nn/index.js';
import {
  changGraphs,
  cycles,
  erdosRenyi,
  type Graph,
  GraphCollection,
  graphOfPairs,
  rookGraph,
  shrikhandeGraph,
} from '../../src/structure/index.js';
import { Random, scope, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniform, uniformTensor } from '../oracle.js';

const counts = (kind: 'directed' | 'symmetric', redNodes: 0 | 1 | 2, upTo = 3) =>
  Array.from({ length: upTo + 1 }, (_, degree) => polynomialBasis(degree, { redNodes, kind }).length);

/** The pattern of edges such as `01 12 20`. */
const edgesOf = (text: string, red: readonly number[] = []) =>
  patternOf(
    text.split(' ').map((pair) => [Number(pair[0]), Number(pair[1])] as const),
    red,
  );

/** P_H by loops over all indices. */
function bruteForce({ nodes, edges, red }: Pattern, inputs: readonly ArrayLike<number>[], n: number): Float64Array {
  const value = new Float64Array(n ** red.length);
  const index = new Array<number>(nodes).fill(0);
  const visit = (node: number) => {
    if (node === nodes) {
      const product = edges.reduce(
        (own, { from, to, channel }) =>
          own * ((inputs[channel] as ArrayLike<number>)[(index[from] as number) * n + (index[to] as number)] as number),
        1,
      );
      const at = red.reduce((key, own) => key * n + (index[own] as number), 0);
      value[at] = (value[at] as number) + product;
      return;
    }
    for (index[node] = 0; (index[node] as number) < n; index[node] = (index[node] as number) + 1) visit(node + 1);
  };
  visit(0);
  return value;
}

describe('the basis', () => {
  test('has the known numbers of elements, 15 of them linear', () => {
    expect([0, 1, 2].map((red) => counts('directed', red as 0 | 1 | 2))).toEqual([
      [1, 2, 11, 52],
      [1, 5, 32, 199],
      [2, 15, 117, 877],
    ]);
    expect([0, 1, 2].map((red) => counts('symmetric', red as 0 | 1 | 2))).toEqual([
      [1, 2, 7, 23],
      [1, 4, 17, 69],
      [2, 11, 56, 266],
    ]);
  }, 60_000);

  test('has as many as there are partitions of indices, modulo the order of factors', () => {
    for (const kind of ['directed', 'symmetric'] as const)
      for (const redNodes of [0, 1, 2] as const)
        for (const [degree, channels] of [
          [2, 1],
          [1, 3],
          [2, 2],
        ] as const)
          expect(polynomialBasis(degree, { redNodes, kind, channels }).length).toBe(
            elementsByPartitions(degree, redNodes, kind, channels),
          );
    expect(elementsByPartitions(3, 1, 'directed', 1)).toBe(199);
  }, 60_000);

  test('counts partitions of the indices where each edge has a channel of its own', () => {
    // Distinguishable edges: Bell numbers B(2·2 + 2) = 203 of two, of which half are with each order.
    const both = polynomialBasis(2, { redNodes: 2, channels: 2 });
    const mixed = both.filter(({ edges }) => new Set(edges.map(({ channel }) => channel)).size === 2);
    expect(mixed.length).toBe(203);
    expect(both.length).toBe(203 + 2 * 117);
  });

  test('is linearly independent, of degree up to two', () => {
    const n = 6;
    const patterns = [0, 1, 2].flatMap((degree) => [...polynomialBasis(degree, { redNodes: 2 })]);
    expect(patterns.length).toBe(2 + 15 + 117);
    const rows: Float64Array[] = [];
    for (let sample = 0; rows.length < 1080; sample++) {
      const input = sparseInput(Float64Array.from(uniform(sample + 1, n * n)), n);
      const values = patterns.map((pattern) => denseValue(evaluatePattern(pattern, [input])));
      for (let at = 0; at < n * n; at++) rows.push(Float64Array.from(values, (own) => own[at] as number));
    }
    expect(rankOf(rows, patterns.length)).toBe(patterns.length);
  });

  /** By elimination with full pivoting of scaled columns. */
  function rankOf(rows: readonly Float64Array[], width: number): number {
    const m: Float64Array[] = rows.map((row) => Float64Array.from(row));
    for (let c = 0; c < width; c++) {
      const most = Math.max(...m.map((row) => Math.abs(row[c] as number)));
      for (const row of m) row[c] = (row[c] as number) / most;
    }
    let rank = 0;
    const used = new Set<number>();
    for (let step = 0; step < width; step++) {
      let [best, at, column] = [0, -1, -1];
      for (let r = rank; r < m.length; r++)
        for (let c = 0; c < width; c++)
          if (!used.has(c) && Math.abs(m[r]?.[c] as number) > best)
            [best, at, column] = [Math.abs(m[r]?.[c] as number), r, c];
      if (best < 1e-9) break;
      [m[rank], m[at]] = [m[at] as Float64Array, m[rank] as Float64Array];
      const pivot = m[rank] as Float64Array;
      used.add(column);
      for (let r = rank + 1; r < m.length; r++) {
        const row = m[r] as Float64Array;
        const factor = (row[column] as number) / (pivot[column] as number);
        for (let c = 0; c < width; c++) row[c] = (row[c] as number) - factor * (pivot[c] as number);
      }
      rank += 1;
    }
    return rank;
  }

  test('patterns are the same under renaming, and only then', () => {
    const square = edgesOf('01 12 23 30', [0, 2]);
    const again = edgesOf('31 10 02 23', [1, 2]);
    expect(canonicalForm(again, 'symmetric')).toBe(canonicalForm(square, 'symmetric'));
    expect(canonicalForm({ ...square, red: [0, 1] }, 'symmetric')).not.toBe(canonicalForm(square, 'symmetric'));
    const out = edgesOf('01', [0]);
    expect(canonicalForm({ ...out, red: [1] })).not.toBe(canonicalForm(out));
    expect(canonicalForm({ ...out, red: [1] }, 'symmetric')).toBe(canonicalForm(out, 'symmetric'));
    const double = edgesOf('01 01');
    expect(canonicalForm(double, 'symmetric')).not.toBe(canonicalForm(edgesOf('01'), 'symmetric'));
    // Ordered: (a, b) and (b, a) of a path with a tail differ.
    const path = edgesOf('01 12', [0, 1]);
    expect(canonicalForm({ ...path, red: [1, 0] }, 'symmetric')).not.toBe(canonicalForm(path, 'symmetric'));
  });
});

describe('contraction', () => {
  const n = 5;
  const x = Float64Array.from(uniform(3, n * n));
  const input = sparseInput(x, n);

  test.each([0, 1, 2] as const)(
    'of every pattern of at most three edges with %d red nodes is the nested sum',
    (red) => {
      for (let degree = 0; degree <= 3; degree++)
        for (const pattern of polynomialBasis(degree, { redNodes: red })) {
          if (pattern.nodes > 7) continue;
          const expected = bruteForce(pattern, [x], n);
          const scale = Math.max(1, ...expected.map(Math.abs));
          for (const form of ['sparse', 'dense'] as const)
            expectClose(
              denseValue(evaluatePattern(pattern, [input], { form })).map((own) => own / scale),
              expected.map((own) => own / scale),
              1e-10,
            );
        }
    },
    120_000,
  );

  test('of patterns of four edges, of channels and of repeated edges too', () => {
    const patterns = polynomialBasis(4, { redNodes: 1 }).filter(({ nodes }) => nodes <= 5);
    for (let i = 0; i < patterns.length; i += 29)
      expectClose(
        denseValue(evaluatePattern(patterns[i] as Pattern, [input])),
        bruteForce(patterns[i] as Pattern, [x], n),
        1e-9,
      );
    const y = Float64Array.from(uniform(4, n * n));
    const mixed = patternOf(
      [
        [0, 1, 0],
        [1, 2, 1],
        [2, 0, 1],
        [0, 1, 1],
        [2, 2, 0],
      ],
      [1, 2],
    );
    for (const form of ['sparse', 'dense'] as const)
      expectClose(
        denseValue(evaluatePattern(mixed, [input, sparseInput(y, n)], { form })),
        bruteForce(mixed, [x, y], n),
        1e-10,
      );
    const twice = edgesOf('01 01', [0]);
    for (const form of ['sparse', 'dense'] as const)
      expectClose(denseValue(evaluatePattern(twice, [input], { form })), bruteForce(twice, [x], n), 1e-12);
    expect(() => evaluatePattern(mixed, [input])).toThrow('an edge of channel 1, there are 1');
  });

  test('of a node without edges multiplies by the number of nodes', () => {
    const alone: Pattern = { nodes: 3, edges: [{ from: 0, to: 1, channel: 0 }], red: [1] };
    for (const form of ['sparse', 'dense'] as const)
      expectClose(denseValue(evaluatePattern(alone, [input], { form })), bruteForce(alone, [x], n), 1e-10);
  });

  test('moves with the nodes', () => {
    const order = new Random(1).permutation(n);
    const moved = Float64Array.from(
      { length: n * n },
      (_, at) => x[(order[Math.floor(at / n)] as number) * n + (order[at % n] as number)] as number,
    );
    for (const pattern of polynomialBasis(2, { redNodes: 2 })) {
      const [before, after] = [x, moved].map((own) => denseValue(evaluatePattern(pattern, [sparseInput(own, n)]))) as [
        Float64Array,
        Float64Array,
      ];
      expectClose(
        after,
        Float64Array.from(
          { length: n * n },
          (_, at) => before[(order[Math.floor(at / n)] as number) * n + (order[at % n] as number)] as number,
        ),
        1e-10,
      );
    }
  });

  test('eliminates nodes of few neighbours first, and refuses what grows too large', () => {
    // A clique of four with a tail: the tail goes first.
    const clique = edgesOf('01 02 03 12 13 23 34');
    expect(contractionOrder(clique).map(({ neighbours }) => neighbours.length)).toEqual([1, 3, 2, 1, 0]);
    const dense = adjacencyInput(
      graphOfPairs(Array.from({ length: 40 }, (_, i) => Array.from({ length: i }, (_, j) => [i, j] as const)).flat()),
    );
    expect(() => evaluatePattern(clique, [dense], { most: 1000 })).toThrow('more than 1,000 entries');
  });

  test('has the gradient of finite differences, by the products of its other factors', () => {
    // d/dX of Σ P_H is Σ over edges of the pattern with that edge's ends red.
    const pattern = edgesOf('01 12 20 00');
    const sumOf = (values: Float64Array) => denseValue(evaluatePattern(pattern, [sparseInput(values, n)]))[0] as number;
    const gradient = new Float64Array(n * n);
    pattern.edges.forEach(({ from, to }, e) => {
      const rest = { ...pattern, edges: pattern.edges.filter((_, other) => other !== e), red: [from, to] };
      denseValue(evaluatePattern(rest, [input])).forEach((value, at) => {
        gradient[at] = (gradient[at] as number) + value;
      });
    });
    const numeric = x.map((_, at) => {
      const shifted = (delta: number) => sumOf(x.map((own, i) => own + (i === at ? delta : 0)));
      return (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
    });
    expectClose(gradient, numeric, 1e-7);
  });
});

describe('expressive power', () => {
  /** Graphs, rooted graphs, not computable by PPGN and by message passing. */
  const row = (edges: number) => {
    const all = ([0, 1, 2] as const).map((red) => connectedPatterns(edges, red));
    const missing = (model: 'ppgn' | 'mpnn', reds: readonly number[]) =>
      reds.map((red) => (all[red] as readonly Pattern[]).filter((own) => !isComputable(own, model).computable).length);
    return [all.map(({ length }) => length), missing('ppgn', [0, 1, 2]), missing('mpnn', [0, 1])];
  };

  test('is that of the table, up to six edges', () => {
    expect([3, 4, 5, 6].map(row)).toEqual([
      [
        [3, 5, 10],
        [0, 0, 0],
        [1, 1],
      ],
      [
        [5, 13, 35],
        [0, 0, 0],
        [2, 4],
      ],
      [
        [12, 37, 125],
        [0, 0, 1],
        [6, 17],
      ],
      [
        [30, 114, 460],
        [1, 1, 9],
        [19, 66],
      ],
    ]);
  }, 60_000);

  test('of seven edges', () => {
    expect(row(7)).toEqual([
      [79, 367, 1747],
      [2, 6, 69],
      [56, 252],
    ]);
  }, 300_000);

  test('of PPGN lacks the twelve known patterns up to degree six', () => {
    const k4 = [
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 2],
      [1, 3],
      [2, 3],
    ] as const;
    const expected = [
      // Degree five: K4 without an edge, red its two nodes that are not adjacent.
      edgesOf('01 02 12 13 03', [2, 3]),
      patternOf(k4),
      patternOf(k4, [0]),
      patternOf(k4, [0, 1]),
      edgesOf('01 02 03 12 13 04', [2, 3]),
      ...(
        [
          [2, 3],
          [3, 2],
          [3, 4],
          [4, 3],
        ] as const
      ).map((red) => edgesOf('01 02 03 12 13 24', red)),
      ...(
        [
          [2, 3],
          [3, 2],
        ] as const
      ).map((red) => edgesOf('01 02 03 12 14 34', red)),
      edgesOf('01 02 03 14 24 34', [1, 2]),
    ];
    const forms = (patterns: readonly Pattern[]) => patterns.map((own) => canonicalForm(own, 'symmetric')).sort();
    expect(forms(missingPatterns({ degree: 6 }))).toEqual(forms(expected));
    expect(missingPatterns({ degree: 5 }).length).toBe(1);
    expect(missingPatterns({ degree: 4, redNodes: 1, model: 'mpnn' }).length).toBe(1 + 4);
    expect(missingPatterns({ degree: 3, redNodes: 1, model: 'all' }).length).toBe(1 + 2 + 5);
  }, 60_000);

  test('neighbours are those that are left, not those of the start', () => {
    // Eliminating 2 joins 0 and 1; eliminating then 3 of neighbours 0 and 1 must merge with that edge.
    const pattern = edgesOf('02 21 03 31 04 45 51');
    expect(isComputable(pattern, 'ppgn').computable).toBe(true);
    // K4 whose edges are all subdivided is K4 again, after six eliminations.
    const pairs = [
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 2],
      [1, 3],
      [2, 3],
    ] as const;
    const subdivided = patternOf(
      pairs.flatMap(
        ([a, b], i) =>
          [
            [a, 4 + i],
            [4 + i, b],
          ] as const,
      ),
    );
    const { computable, steps, stuck } = isComputable(subdivided, 'ppgn');
    expect([computable, steps.length, stuck.length]).toEqual([false, 6, 4]);
  });

  test('is executed: sequences give the values, by the operations of the model', () => {
    const n = 6;
    const half = uniform(5, n * n);
    const x = Float64Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return (half[Math.min(i, j) * n + Math.max(i, j)] as number) + 0.1;
    });
    let run = 0;
    for (const model of ['mpnn', 'ppgn'] as const)
      for (let edges = 1; edges <= 5; edges++)
        for (const red of [0, 1, 2] as const)
          for (const pattern of connectedPatterns(edges, red)) {
            if (!isComputable(pattern, model).computable) continue;
            run += 1;
            expectClose(
              runSequence(pattern, model, x, n),
              denseValue(evaluatePattern(pattern, [sparseInput(x, n)])),
              1e-9,
            );
          }
    expect(run).toBeGreaterThan(250);
    const triangle = edgesOf('01 12 20');
    expect(() => runSequence(triangle, 'mpnn', x, n)).toThrow('not computable by message passing');
    expect(sequenceLines(triangle, 'ppgn')).toEqual([
      'ab bc ca: computable by PPGN',
      'sum over a: matrix product on the pair bc',
      'sum over b: row sums to c, a vector of nodes',
      'sum over c: a number',
    ]);
    const loops = edgesOf('00 01 01', [1]);
    expectClose(runSequence(loops, 'mpnn', x, n), bruteForce(loops, [x], n), 1e-9);
  });
});

describe('counts of subgraphs', () => {
  const graph = erdosRenyi(new Random(7), 9, 4.4);
  const n = graph.nodeCount;

  /** Injective maps that send edges to edges, by backtracking; induced ones where asked. */
  function maps({ nodes, edges }: Pattern, induced: boolean): number[][] {
    const joined = (a: number, b: number) =>
      edges.some(({ from, to }) => (from === a && to === b) || (from === b && to === a));
    const found: number[][] = [];
    const extend = (image: number[]) => {
      if (image.length === nodes) {
        found.push([...image]);
        return;
      }
      for (let v = 0; v < n; v++) {
        if (image.includes(v)) continue;
        const fits = image.every((own, other) => {
          const has = graph.hasEdge(own, v);
          return joined(other, image.length) ? has : !(induced && has);
        });
        if (fits) extend([...image, v]);
      }
    };
    extend([]);
    return found;
  }

  test.each([
    'ab bc ca',
    'ab bc cd da',
    'ab ac ad',
    'ab bc ca ad',
    'ab ac ad bc bd',
    'ab bc cd de ea',
    'ab bc',
    'ab ac ad bc bd cd',
  ])('%s: copies, induced copies and homomorphisms, in the graph, at nodes and at edges', (text) => {
    const { pattern } = parsePattern(text);
    const group = automorphisms(pattern);
    const { sources, targets } = graph.edges();
    for (const kind of ['subgraphs', 'induced'] as const) {
      const all = maps(pattern, kind === 'induced');
      const found = countPattern(graph, pattern, kind);
      expect(found.total).toBeCloseTo(all.length / group.length, 8);
      expect(found.nodes.flatMap(({ role }) => role).sort()).toEqual(
        Array.from({ length: pattern.nodes }, (_, v) => v),
      );
      for (const { role, counts: own } of found.nodes)
        for (let v = 0; v < n; v++)
          expect(own[v]).toBeCloseTo(
            all.filter((image) => role.some((node) => image[node] === v)).length / group.length,
            8,
          );
      for (const { role, counts: own } of found.edges)
        sources.forEach((u, e) => {
          const at = (image: number[], edge: number) => {
            const { from, to } = pattern.edges[edge] as { from: number; to: number };
            const [a, b] = [image[from], image[to]];
            return (a === u && b === targets[e]) || (b === u && a === targets[e]);
          };
          expect(own[e]).toBeCloseTo(
            all.filter((image) => role.some((edge) => at(image, edge))).length / group.length,
            8,
          );
        });
    }
    const dense = Float64Array.from({ length: n * n }, (_, at) => Number(graph.hasEdge(Math.floor(at / n), at % n)));
    if (pattern.nodes <= 4)
      expect(countPattern(graph, pattern, 'homomorphisms').total).toBeCloseTo(
        bruteForce(pattern, [dense], n)[0] as number,
        6,
      );
  });

  test('of cliques are those of loops over four nodes', () => {
    // A clique of five with a tail of four.
    const pairs = [0, 1, 2, 3, 4].flatMap((i) => [0, 1, 2, 3, 4].filter((j) => j > i).map((j) => [i, j] as const));
    const dense = graphOfPairs([...pairs, [4, 5], [5, 6], [6, 7], [3, 5]]);
    const found = countPattern(dense, parsePattern('ab ac ad bc bd cd').pattern, 'subgraphs', {
      nodes: false,
      edges: false,
    });
    expect(found.total).toBe(fourCliques(dense));
    expect(found.total).toBe(5);
  });

  test('of a star tell centre from leaves, and refuse what is no pattern', () => {
    const { nodes } = countPattern(graph, parsePattern('ab ac ad').pattern);
    expect(nodes.map(({ role }) => role)).toEqual([[0], [1, 2, 3]]);
    const choose3 = (d: number) => (d * (d - 1) * (d - 2)) / 6;
    expectClose((nodes[0] as { counts: Float64Array }).counts, Array.from(graph.outDegrees, choose3), 1e-9);
    expect(() => parsePattern('ab b')).toThrow('"b" is no edge');
    expect(() => parsePattern('aa')).toThrow('joins node "a" with itself');
    expect(() => parsePattern('ab ba')).toThrow('"ba" is given twice');
    expect(() => parsePattern('ab', ['c'])).toThrow('no edge names the red node "c"; there are a, b');
    expect(() => parsePattern(' ')).toThrow('there is no edge');
    expect(parsePattern('x1-y1 y1-z1', ['z1'])).toEqual({
      pattern: edgesOf('01 12', [2]),
      names: ['x1', 'y1', 'z1'],
    });
    expect(patternText(edgesOf('01', [1]))).toBe('ab, red b');
    const path = patternOf(Array.from({ length: 9 }, (_, i) => [i, i + 1] as const));
    expect(() => countPattern(graph, path)).toThrow('has 10 nodes, at most 9 are counted');
  });
});

describe('features', () => {
  const graphs = GraphCollection.of([
    erdosRenyi(new Random(1), 6, 3),
    graphOfPairs([], 1),
    erdosRenyi(new Random(2), 5, 3),
  ]);

  test('fill all cells by a number, the diagonal by a vector, pairs by a matrix', () => {
    const patterns = [edgesOf('01 12 20'), edgesOf('01', [0]), edgesOf('01 12', [0, 2])];
    const { values } = polynomialChannels(graphs, patterns);
    let first = 0;
    for (let g = 0; g < 3; g++) {
      const graph = graphs.graph(g);
      const n = graph.nodeCount;
      const a = Float64Array.from({ length: n * n }, (_, at) => Number(graph.hasEdge(Math.floor(at / n), at % n)));
      const [number, vector, matrix] = patterns.map((own) => bruteForce(own, [a], n)) as Float64Array[];
      for (let cell = 0; cell < n * n; cell++) {
        const [i, j] = [Math.floor(cell / n), cell % n];
        const at = (first + cell) * 3;
        expect(Array.from(values.subarray(at, at + 3))).toEqual([
          number?.[0],
          i === j ? vector?.[i] : 0,
          matrix?.[cell],
        ]);
      }
      first += n * n;
    }
  });

  test('of nodes are the numbers of rooted patterns', () => {
    const [triangle] = missingPatterns({ degree: 3, redNodes: 1, model: 'mpnn' });
    const values = nodePolynomials(graphs, [triangle as Pattern]);
    for (let g = 0; g < 3; g++) {
      const graph = graphs.graph(g);
      for (let v = 0; v < graph.nodeCount; v++) {
        const around = Array.from(graph.neighbours(v));
        const closed = around.reduce((sum, u) => sum + around.filter((w) => graph.hasEdge(u, w)).length, 0);
        expect(values[(graphs.nodes.offsets[g] as number) + v]).toBe(closed);
      }
    }
    const [own] = polynomialFeatures(graphs.graph(0), { degree: 3, redNodes: 1, model: 'mpnn' });
    expect(Array.from(own?.positions ?? [], (v, i) => [v, own?.values[i]])).toEqual(
      Array.from({ length: 6 }, (_, v) => [v, values[v]]).filter(([, value]) => value !== 0),
    );
  });

  test('are scaled by the training graphs, without those that are 0 there', () => {
    // A clique of four; a node; a triangle with a tail. Each triangle counts in both directions.
    const clique = edgesOf('01 02 03 12 13 23');
    const own = GraphCollection.of([
      graphOfPairs(clique.edges.map(({ from, to }) => [from, to] as const)),
      graphOfPairs([], 1),
      graphOfPairs([
        [0, 1],
        [1, 2],
        [2, 0],
        [2, 3],
      ]),
    ]);
    const triangle = edgesOf('01 12 20', [0]);
    const encoding = polynomialEncoding(own, [clique, triangle], Int32Array.of(1, 2));
    expect([encoding.patterns, encoding.scales]).toEqual([[triangle], [2]]);
    const ofNodes = [3, 3, 3, 3, 0, 1, 1, 1, 0];
    const pairs = pairPolynomials(own, encoding);
    expect([pairs?.width, pairs?.values.length]).toEqual([1, 16 + 1 + 16]);
    const diagonal = [0, 5, 10, 15, 16, 17, 22, 27, 32];
    expect(diagonal.map((at) => pairs?.values[at])).toEqual(ofNodes);
    const input = { graphs: own, nodes: tensor(new Float32Array(9).fill(7), [9, 1]), edges: undefined };
    const { nodes } = withNodePolynomials(input, encoding);
    expect(Array.from(nodes?.view() ?? [])).toEqual(ofNodes.flatMap((value) => [7, value]));
    expect(pairPolynomials(own, { patterns: [], scales: [] })).toBeUndefined();
  });

  test('have names, and a name that there is not is refused', () => {
    expect(patternText(patternNamed('Triangle').pattern)).toBe('ab bc ca');
    expect(patternNamed('ab bc').pattern.edges.length).toBe(2);
    expect(patternNamed('x-y').names).toEqual(['x', 'y']);
    for (const text of ['pentagon', 'cycle-9', 'path-12'])
      expect(() => patternNamed(text)).toThrow(`there is no "${text}"; write edges such as "ab bc ca", or one of edge`);
    for (const text of Object.values(namedPatterns)) expect(parsePattern(text).pattern.red).toEqual([]);
  });

  test('sums over triangles tell a ring of six from two of three, which GIN cannot', () => {
    const pair = GraphCollection.of([cycles(6), cycles(3, 3)]);
    const { at } = trianglesOf(pair);
    expect(Array.from(at).sort((a, b) => a - b)).toEqual([6, 7, 8, 9, 10, 11]);
    const h = uniformTensor(3, [12, 2], 0, 1);
    const sums = triangleSum(h, trianglesOf(pair)).view();
    expect(sums[12]).toBeCloseTo((h.view()[14] as number) + (h.view()[16] as number), 5);
    expect(sums[0]).toBe(0);
    const network = new TriangleNetwork({ nodes: 0, edges: 0, outputs: 1 }, new Random(1), { layers: 2, hidden: 8 });
    const batches = new GraphBatches({ graphs: pair, nodes: undefined, edges: undefined }, { policy: 'plain' });
    const [a, b] = outputsOf(network, batches, Int32Array.of(0, 1));
    expect(Math.abs((a as number) - (b as number))).toBeGreaterThan(1e-4);
  });
});

describe('PPGN', () => {
  const all = [erdosRenyi(new Random(1), 6, 3), graphOfPairs([], 1), erdosRenyi(new Random(2), 5, 3)];
  const collection = GraphCollection.of(all);
  const patterns = missingPatterns({ degree: 6 }).slice(0, 4);

  function inputOf(graphs: readonly Graph[]): FeaturedGraphs {
    const own = GraphCollection.of(graphs);
    const { values } = polynomialChannels(own, patterns);
    return {
      graphs: own,
      nodes: tensor(
        Float32Array.from({ length: own.nodeCount }, (_, v) => ((v * 7) % 5) / 5),
        [own.nodeCount, 1],
      ),
      edges: undefined,
      pairs: { values: Float32Array.from(values, (value) => value / 10), width: patterns.length },
    };
  }

  test.each(['++', 'plain'] as const)('%s is the loops of its definition, graph by graph', (variant) => {
    const options = { variant, depth: 2, hidden: 6, suffix: 5 };
    const network = new PPGN({ nodes: 1, edges: 0, pairs: patterns.length, outputs: 2 }, new Random(3), options);
    const input = inputOf(all);
    const batches = new GraphBatches(input);
    const found = outputsOf(network, batches, Int32Array.of(0, 1, 2));
    const double = new DoublePPGN(network, options);
    const expected = all.flatMap((graph, g) => {
      const n = graph.nodeCount;
      const width = 2 + patterns.length;
      const channels = new Float64Array(n * n * width);
      const first = [0, 36, 37][g] as number;
      for (let cell = 0; cell < n * n; cell++) {
        const [i, j] = [Math.floor(cell / n), cell % n];
        channels[cell * width] = Number(graph.hasEdge(i, j));
        const node = (collection.nodes.offsets[g] as number) + i;
        if (i === j) channels[cell * width + 1] = ((node * 7) % 5) / 5;
        for (let p = 0; p < patterns.length; p++)
          channels[cell * width + 2 + p] = input.pairs?.values[(first + cell) * patterns.length + p] as number;
      }
      // Means over pairs of one node are 0, not 0/0.
      const outputs = double.forward(channels, n, false);
      return Array.from(outputs);
    });
    expectClose(found, expected, 1e-4);
  });

  test('learns, and refuses policies that leave cells out', () => {
    const network = new PPGN({ nodes: 0, edges: 0, pairs: 0, outputs: 1 }, new Random(3), { depth: 1, hidden: 4 });
    const plain = { graphs: collection, nodes: undefined, edges: undefined };
    const part = new GraphBatches(plain, { hops: 1 });
    expect(() => scope(() => network.forward(part.tensors(part.select([0])), training(new Random(0))))).toThrow(
      'every graph needs all its cells',
    );
    const other = new GraphBatches(inputOf(all));
    expect(() => outputsOf(network, other, Int32Array.of(0))).toThrow('pairs have 6 channels, the network reads 1');
  });

  test('as a file answers for new graphs as before, by the same polynomials', () => {
    const text = ['D~{', 'DQc', 'D~{', 'DQc'].join('\n');
    const data = wholeGraphsFromGraph6(text, 'set', 'size\n1\n2\n3\n4\n');
    const all = Int32Array.of(0, 1, 2, 3);
    const description = {
      encoding: attributeEncoding(data),
      task: graphTask(data, ['size'], all),
      polynomials: polynomialEncoding(data.graphs, missingPatterns({ degree: 6 })),
      options: { depth: 2, hidden: 5 },
    };
    expect(description.polynomials.patterns.length).toBe(12);
    const model = PPGNModel.create(description, new Random(4));
    const before = model.predict(data);
    expect(before[0]).not.toBeCloseTo(before[1] as number, 3);
    expect(before[2]).toBeCloseTo(before[0] as number, 5);
    // Alone, a graph has the scales of training, not its own.
    const alone = PPGNModel.load(model.save()).predict(wholeGraphsFromGraph6('DQc', 'new'));
    expect(alone[0]).toBeCloseTo(before[1] as number, 5);
  });

  test('++ gives Xᵀ and X·Xᵀ of directed inputs by weights set by hand; plain cannot', () => {
    const n = 4;
    // One edge 1 → 0: columns 1 and 2 of X are equal.
    const x = Float32Array.from({ length: n * n }, (_, at) => Number(at === n));
    const cells = cellTensors(new CellSource(GraphCollection.of([graphOfPairs([], n)])).batch([0]));
    const turned = Int32Array.from({ length: n * n }, (_, at) => (at % n) * n + Math.floor(at / n));
    const pairs = {
      cells,
      identity: tensor(
        Float32Array.from({ length: n * n }, (_, at) => Number(Math.floor(at / n) === at % n)),
        [n * n, 1],
      ),
      transposed: tensor(turned),
      graphOf: tensor(new Int32Array(n * n)),
      diagonalOf: tensor(new Int32Array(n * n)),
    };
    const block = new PPGNBlock(1, 2, '++', new Random(1));
    const set = (layer: { weight: Tensor; bias?: Tensor | undefined }, rows: readonly (readonly number[])[]) => {
      layer.weight.assign(Float32Array.from(rows.flat()));
      layer.bias?.assign(new Float32Array(rows.length));
    };
    // Inputs of the left perceptron: X, I, Xᵀ, I; of the right one: X, I.
    set(block.left.first, [
      [0, 0, 1, 0],
      [1, 0, 0, 0],
    ]);
    set(block.left.second, [
      [1, 0],
      [0, 1],
    ]);
    set(block.right.first, [
      [0, 1],
      [0, 1],
    ]);
    set(block.right.second, [
      [1, 0],
      [0, 1],
    ]);
    set(block.skip, [
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ]);
    const transposed = block.forward(tensor(x, [n * n, 1]), pairs).view();
    for (let at = 0; at < n * n; at++) expect(transposed[2 * at]).toBe(x[turned[at] as number]);
    // Left X, right Xᵀ: the product of (Xᵀ, X) channels needs the transpose on one side, which the
    // left has; (X·Xᵀ) = (Xᵀ as left of the transposed pair).
    set(block.left.first, [
      [0, 0, 1, 0],
      [0, 0, 1, 0],
    ]);
    set(block.right.first, [
      [1, 0],
      [1, 0],
    ]);
    const gram = block.forward(tensor(x, [n * n, 1]), pairs).view();
    const expected = Float64Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      let sum = 0;
      for (let k = 0; k < n; k++) sum += (x[k * n + i] as number) * (x[k * n + j] as number);
      return sum;
    });
    for (let at = 0; at < n * n; at++) expect(gram[2 * at]).toBe(expected[at]);
    // Equal columns stay equal in plain blocks, whatever the weights; Xᵀ has them different.
    const plain = [0, 1].map((l) => new PPGNBlock(l === 0 ? 1 : 5, 5, 'plain', new Random(9).split(l)));
    const both = [0, 1].map((l) => new PPGNBlock(l === 0 ? 1 : 5, 5, '++', new Random(9).split(l)));
    const apart = (blocks: readonly PPGNBlock[]) => {
      const y = blocks.reduce((t, own) => own.forward(t, pairs), tensor(x, [n * n, 1])).view();
      let most = 0;
      for (let i = 0; i < n; i++)
        for (let c = 0; c < 5; c++)
          most = Math.max(most, Math.abs((y[(i * n + 1) * 5 + c] as number) - (y[(i * n + 2) * 5 + c] as number)));
      return most;
    };
    expect(apart(plain)).toBe(0);
    expect(apart(both)).toBeGreaterThan(1e-3);
  });

  test('with random weights tells regular graphs apart by polynomials alone, in double precision', () => {
    const options = { depth: 3, hidden: 8, suffix: 8, relabellings: 2 };
    const rook = [rookGraph(4), shrikhandeGraph()];
    const of = (graphs: readonly Graph[], degree: number, variant: '++' | 'plain' = '++') => {
      const { told, pairs, control } = toldApart(graphs, degree ? missingPatterns({ degree }) : [], new Random(5), {
        ...options,
        variant,
      });
      expect(control).toBeLessThan(1e-11);
      return [told, pairs];
    };
    expect([of(rook, 0), of(rook, 0, 'plain'), of(rook, 5), of(rook, 6)]).toEqual([
      [0, 1],
      [0, 1],
      [1, 1],
      [1, 1],
    ]);
    expect([of(changGraphs(), 0), of(changGraphs(), 5)]).toEqual([
      [0, 6],
      [6, 6],
    ]);
  }, 120_000);

  test.skipIf(!hasDataset('sr251256', 'whole-graphs'))(
    'of SR(25, 12, 5, 6) values of degree five alone tell 99 pairs apart, and after blocks all 105',
    () => {
      const { graphs } = loadWholeGraphs('sr251256');
      const all = Array.from({ length: graphs.count }, (_, g) => graphs.graph(g));
      const patterns = missingPatterns({ degree: 5 });
      const values = all.map((graph) => evaluatePattern(patterns[0] as Pattern, [adjacencyInput(graph)]));
      const histograms = values.map((own) =>
        Array.from(denseValue(own))
          .sort((a, b) => a - b)
          .join(' '),
      );
      const pairs = histograms.flatMap((own, g) => histograms.slice(0, g).map((other) => own !== other));
      expect([pairs.length, pairs.filter((told) => told).length]).toEqual([105, 99]);
      const { told, control } = toldApart(all, patterns, new Random(5), {
        depth: 3,
        hidden: 8,
        suffix: 8,
        relabellings: 1,
      });
      expect(told).toBe(105);
      expect(control).toBeLessThan(1e-11);
    },
    120_000,
  );
});
