import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as s from '../../src/structure/index.js';
import { Random } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

const arcsOf = (n: number, pairs: readonly (readonly [number, number])[], weights?: readonly number[]) =>
  s.Graph.fromEdges(
    n,
    pairs.map(([u]) => u),
    pairs.map(([, v]) => v),
    { directed: true, ...(weights && { weights }) },
  );
const cycle = (n: number) =>
  arcsOf(
    n,
    Array.from({ length: n }, (_, v) => [v, (v + 1) % n] as const),
  );
const randomArcs = (n: number, count: number, seed: number, weighted = false) => {
  const random = new Random(seed);
  const pairs = Array.from({ length: count }, () => [random.integer(n), random.integer(n)] as const);
  return arcsOf(n, pairs, weighted ? pairs.map((_, e) => 1 + (e % 3)) : undefined);
};
type Matrix = number[][];
const denseOf = (graph: s.Graph): Matrix => {
  const a = Array.from({ length: graph.nodeCount }, () => new Array<number>(graph.nodeCount).fill(0));
  graph.forEachEntry((u, v, w) => {
    (a[u] as number[])[v] = w;
  });
  return a;
};
const transposed = (a: Matrix): Matrix => a.map((_, i) => a.map((row) => row[i] as number));
const at = (a: readonly (readonly number[])[], i: number, j: number) => (a[i] as readonly number[])[j] as number;
const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => (b[0] as number[]).map((_, j) => row.reduce((sum, x, k) => sum + x * at(b, k, j), 0)));
const rowSums = (a: Matrix) => a.map((row) => row.reduce((x, y) => x + y, 0));
const power = (x: number, p: number) => (x === 0 ? 0 : x ** p);
const looped = (a: Matrix): Matrix => a.map((row, i) => row.map((x, j) => (i === j ? 1 : x)));
const scaled = (a: Matrix, left: number[], right: number[]): Matrix =>
  a.map((row, i) => row.map((x, j) => (left[i] as number) * x * (right[j] as number)));

/** A graph with reciprocal pairs, loops, a source, a sink and an isolated node. */
const mixed = arcsOf(7, [
  [0, 1],
  [1, 0],
  [1, 2],
  [2, 3],
  [3, 1],
  [3, 3],
  [4, 2],
  [3, 5],
  [4, 5],
]);
const graphs = [mixed, randomArcs(9, 25, 1), randomArcs(9, 25, 2, true), cycle(5)];

describe('operators of directed graphs equal dense ones', () => {
  test.each(graphs.map((graph, i) => [i, graph] as const))('graph %i', (_, graph) => {
    const a = denseOf(graph);
    for (const [selfLoops, own] of [
      [false, a],
      [true, looped(a)],
    ] as const)
      for (const exponent of [0.5, 0, 0.3]) {
        const [out, into] = [rowSums(own), rowSums(transposed(own))];
        const left = out.map((d) => power(d, exponent - 1));
        const expected = scaled(
          own,
          left,
          into.map((d) => power(d, -exponent)),
        );
        expectClose(s.directedOperator(graph, { exponent, selfLoops }).toDense().view(), expected.flat());
      }
    expect(denseOf(s.reversed(graph))).toEqual(transposed(a));
    expectClose(
      s.directedOperator(s.reversed(graph)).toDense().view(),
      s.directedOperator(graph).transpose().toDense().view(),
    );
  });

  test.each(graphs.map((graph, i) => [i, graph] as const))('second-order proximity of graph %i', (_, graph) => {
    const a = denseOf(graph);
    const t = transposed(a);
    const norm = (m: Matrix) => {
      const own = m.map((row, i) => row.map((x, j) => x + Number(i === j)));
      const root = rowSums(own).map((d) => d ** -0.5);
      return scaled(own, root, root);
    };
    const ones = a.map(() => 1);
    const inward = product(
      t,
      scaled(
        a,
        rowSums(a).map((d) => power(d, -1)),
        ones,
      ),
    );
    const outward = product(
      a,
      scaled(
        t,
        rowSums(t).map((d) => power(d, -1)),
        ones,
      ),
    );
    const { coTargets, coSources } = s.secondOrder(graph);
    expectClose(coTargets.toDense().view(), norm(inward).flat());
    expectClose(coSources.toDense().view(), norm(outward).flat());
  });

  test('patterns of ADPA: loops for one arc, path counts for two', () => {
    const a = denseOf(mixed);
    const t = transposed(a);
    const all: Record<s.ArcPattern, Matrix> = {
      A: looped(a),
      Aᵀ: looped(t),
      AA: product(a, a),
      AAᵀ: product(a, t),
      AᵀA: product(t, a),
      AᵀAᵀ: product(t, t),
    };
    for (const pattern of s.arcPatterns) {
      const own = all[pattern];
      const degrees = rowSums(own);
      const expected = scaled(
        own,
        degrees.map((d) => power(d, -0.57)),
        degrees.map((d) => power(d, -0.43)),
      );
      expectClose(s.patternOperator(mixed, pattern, { exponent: 0.43 }).toDense().view(), expected.flat());
    }
    expect(() => s.patternOperator(randomArcs(9, 25, 1), 'AA', { limit: 3 })).toThrow('the limit is 3');
  });

  test('nodes that a pattern reaches are counted once, and never the node itself', () => {
    const a = denseOf(mixed);
    for (const pattern of s.arcPatterns) {
      const first = pattern.startsWith('Aᵀ') ? transposed(a) : a;
      const rest = pattern.replace(/^Aᵀ?/, '');
      const whole = rest === '' ? first : product(first, rest === 'A' ? a : transposed(a));
      const expected = whole.flatMap((row, u) => row.flatMap((x, v) => (x > 0 && u !== v ? [`${u} ${v}`] : [])));
      const found: string[] = [];
      s.forEachReached(s.stepsOf(mixed, pattern), [0, 1, 2, 3, 4, 5, 6], (u, v) => found.push(`${u} ${v}`));
      expect(found.sort()).toEqual(expected.sort());
      expect(s.pathsFrom(s.stepsOf(mixed, pattern), 1)).toBe(rowSums(whole)[1]);
    }
  });
});

describe('PageRank as an operator', () => {
  test('π of P′ is stationary to 1e-8, that of the nodes and of the teleport', () => {
    for (const graph of graphs)
      for (const alpha of [0.1, 0.4]) {
        const { nodes, teleport } = s.stationaryDistribution(graph, alpha);
        const n = graph.nodeCount;
        const own = looped(denseOf(graph));
        const p = scaled(
          own,
          rowSums(own).map((d) => 1 / d),
          own.map(() => 1 - alpha),
        );
        const whole = [...p.map((row) => [...row, alpha]), [...new Array(n).fill(1 / n), 0]];
        const total = 1 + teleport;
        const pi = [...nodes, teleport].map((mass) => mass / total);
        const next = (whole[0] as number[]).map((_, j) => pi.reduce((sum, mass, i) => sum + mass * at(whole, i, j), 0));
        for (let i = 0; i <= n; i++) expect(Math.abs((next[i] as number) - (pi[i] as number))).toBeLessThan(1e-8);
      }
    expect(() => s.stationaryDistribution(mixed, 0)).toThrow('α must lie in (0, 1), got 0');
  });

  test('Â is symmetric and equals its equation', () => {
    const own = looped(denseOf(mixed));
    const p = scaled(
      own,
      rowSums(own).map((d) => 1 / d),
      own.map(() => 1),
    );
    const { nodes } = s.stationaryDistribution(mixed, 0.1);
    const [root, back] = [Array.from(nodes, Math.sqrt), Array.from(nodes, (mass) => mass ** -0.5)];
    const forward = scaled(p, root, back);
    const half = forward.map((row, i) => row.map((x, j) => (x + at(forward, j, i)) / 2));
    const norm = rowSums(half).map((d) => d ** -0.5);
    const found = s.pageRankOperator(mixed).toDense();
    expectClose(found.view(), scaled(half, norm, norm).flat(), 1e-5);
    expectClose(found.view(), found.transpose().view());
  });

  test('the second-order proximity is on the intersection of both products', () => {
    const own = looped(denseOf(mixed));
    const p = scaled(
      own,
      rowSums(own).map((d) => 1 / d),
      own.map(() => 1),
    );
    const [inward, outward] = [product(transposed(p), p), product(p, transposed(p))];
    const both = inward.map((row, i) =>
      row.map((x, j) => (x > 0 && at(outward, i, j) > 0 ? (x + at(outward, i, j)) / 2 : 0)),
    );
    const norm = rowSums(both).map((d) => power(d, -0.5));
    const found = s.meetingOperator(mixed);
    expectClose(found.toDense().view(), scaled(both, norm, norm).flat(), 1e-5);
    expect(found.nnz).toBe(both.flat().filter((x) => x > 0).length);
    expect(found.nnz).toBeLessThan(inward.flat().filter((x) => x > 0).length);
  });
});

describe('the magnetic Laplacian', () => {
  /** H by its definition, real and imaginary parts. */
  const hermitian = (a: Matrix, q: number): [Matrix, Matrix] => {
    const t = transposed(a);
    const symmetric = a.map((row, i) => row.map((x, j) => (x + at(t, i, j)) / 2));
    const root = rowSums(symmetric).map((d) => power(d, -0.5));
    const sizes = scaled(symmetric, root, root);
    const part = (of: (angle: number) => number) =>
      sizes.map((row, i) => row.map((x, j) => x * of(2 * Math.PI * q * (at(a, i, j) - at(t, i, j)))));
    return [part(Math.cos), part(Math.sin)];
  };
  const denseParts = ({ pattern, real, imaginary }: s.ComplexMatrix): [number[], number[]] => {
    const parts = [real, imaginary].map((own) => {
      const dense = new Array<number>(pattern.rows * pattern.columns).fill(0);
      for (let u = 0; u < pattern.rows; u++)
        for (let e = pattern.indptr[u] as number; e < (pattern.indptr[u + 1] as number); e++)
          dense[u * pattern.columns + (pattern.indices[e] as number)] = own[e] as number;
      return dense;
    });
    return parts as [number[], number[]];
  };

  test.each([0, 0.1, 0.25])('equals its definition at q = %f: reciprocal arcs and loops stay, with phase 0', (q) => {
    for (const graph of [mixed, randomArcs(9, 25, 1), cycle(5)]) {
      const [re, im] = hermitian(denseOf(graph), q);
      const [real, imaginary] = denseParts(s.magneticOperator(graph, q));
      expectClose(real, re.flat(), 1e-12);
      expectClose(imaginary, im.flat(), 1e-12);
    }
  });

  test('is Hermitian, and the eigenvalues of L lie in [0, 2]', () => {
    for (const graph of graphs) {
      const n = graph.nodeCount;
      const [real, imaginary] = denseParts(s.magneticOperator(graph, 0.15));
      for (let u = 0; u < n; u++)
        for (let v = 0; v < n; v++) {
          expect(real[u * n + v]).toBe(real[v * n + u]);
          expect((imaginary[u * n + v] as number) + (imaginary[v * n + u] as number)).toBe(0);
        }
      const { values } = s.magneticSpectrum(graph, 0.15, n);
      for (const value of values) expect(value).toBeGreaterThan(-1e-9);
      for (const value of values) expect(value).toBeLessThan(2 + 1e-9);
    }
  });

  test.each([
    [3, 0.25],
    [3, 0.1],
    [5, 0.25],
    [8, 0.05],
  ])('the directed cycle of %i nodes at q = %f has H with eigenvalues cos(2πk/n + 2πq)', (n, q) => {
    const expected = Array.from({ length: n }, (_, k) => 1 - Math.cos((2 * Math.PI * k) / n + 2 * Math.PI * q));
    const { values } = s.magneticSpectrum(cycle(n), q, n);
    expectClose(
      values,
      expected.sort((a, b) => a - b),
      1e-9,
    );
  });

  test('the 3-cycle with a reciprocal pair keeps the pair: compared with the dense matrix', () => {
    const graph = arcsOf(3, [
      [0, 1],
      [1, 2],
      [2, 0],
      [1, 0],
    ]);
    const [re] = hermitian(denseOf(graph), 0.25);
    const [real] = denseParts(s.magneticOperator(graph, 0.25));
    expectClose(real, re.flat(), 1e-12);
    expect(real[1]).toBeGreaterThan(0.5);
  });

  test('reversing all arcs conjugates H; weights change phases by their shares alone', () => {
    const [real, imaginary] = denseParts(s.magneticOperator(mixed, 0.2));
    const [back, opposite] = denseParts(s.magneticOperator(s.reversed(mixed), 0.2));
    expect(back).toEqual(real);
    expectClose(
      opposite,
      imaginary.map((x) => -x),
    );
    const pair = (weight: number) =>
      arcsOf(
        2,
        [
          [0, 1],
          [1, 0],
        ],
        [3 * weight, weight],
      );
    const [first, second] = [s.magneticOperator(pair(1), 0.25), s.magneticOperator(pair(10), 0.25)];
    expectClose(first.imaginary, second.imaginary, 1e-12);
    expect(Math.atan2(first.imaginary[0] as number, first.real[0] as number)).toBeCloseTo((Math.PI / 2) * 0.5);
  });

  test('the real embedding acts as the complex matrix does, and stores no zeros', () => {
    const complex = s.magneticOperator(mixed, 0.25);
    const x = Float64Array.from({ length: 14 }, (_, i) => Math.sin(3 * i));
    const dense = complex.embedding.toDense().view();
    const expected = Array.from({ length: 14 }, (_, i) =>
      x.reduce((sum, value, j) => sum + (dense[i * 14 + j] as number) * value, 0),
    );
    expectClose(complex.times(x), expected, 1e-6);
    expect(complex.embedding.values?.view().every((value) => value !== 0)).toBe(true);
  });

  test('coordinates are those of each connected component, turned so that the largest is real', () => {
    const two = arcsOf(7, [
      [0, 1],
      [1, 2],
      [2, 0],
      [3, 4],
      [4, 5],
    ]);
    const found = s.magneticCoordinates(two, 0.1, 4);
    const own = s.magneticCoordinates(cycle(3), 0.1, 4);
    expectClose(found.subarray(0, 24), own, 1e-5);
    for (const at of [3, 6, 7]) expect(own[2 * 3 + at - 3 + 3] ?? 0).toBeDefined();
    for (const v of [0, 1, 2]) expect([...found.subarray(8 * v + 6, 8 * v + 8)]).toEqual([0, 0]);
    for (let j = 0; j < 3; j++) {
      const size = [0, 1, 2].map((v) => Math.hypot(found[8 * v + 2 * j] as number, found[8 * v + 2 * j + 1] as number));
      const largest = size.indexOf(Math.max(...size));
      expect(found[8 * largest + 2 * j]).toBeGreaterThan(0);
    }
  });
});

describe('strong components', () => {
  /** Whether v is reached from u, by a walk over all nodes. */
  const reaches = (graph: s.Graph, u: number) => {
    const seen = new Set([u]);
    for (const v of seen) for (const w of graph.neighbours(v)) seen.add(w);
    return seen;
  };

  test('equal mutual reachability, in topological order (property)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 1, max: 12 }), (seed, n) => {
        const graph = randomArcs(n, Math.round(1.3 * n), seed);
        const { of, count, sizes } = s.strongComponents(graph);
        const reached = Array.from({ length: n }, (_, u) => reaches(graph, u));
        const has = (u: number, v: number) => (reached[u] as Set<number>).has(v);
        for (let u = 0; u < n; u++) for (let v = 0; v < n; v++) expect(of[u] === of[v]).toBe(has(u, v) && has(v, u));
        graph.forEachEntry((u, v) => expect(of[u] as number).toBeLessThanOrEqual(of[v] as number));
        expect(sizes.reduce((a, b) => a + b, 0)).toBe(n);
        expect(new Set(of).size).toBe(count);
      }),
      { numRuns: 200 },
    );
  });

  test('a path of a hundred thousand nodes needs no call stack', () => {
    const n = 100_000;
    const path = s.Graph.fromEdges(
      n,
      Int32Array.from({ length: n - 1 }, (_, v) => v),
      Int32Array.from({ length: n - 1 }, (_, v) => v + 1),
      { directed: true },
    );
    expect(s.strongComponents(path).count).toBe(n);
    expect(s.topologicalRanks(path)[n - 1]).toBe(n - 1);
  });

  test('the bow-tie of a graph made for it', () => {
    // in 0 → core {1, 2} → out 3; tube 0 → 4 → 3; tendrils 0 → 5 and 6 → 3; 7 apart.
    const graph = arcsOf(8, [
      [0, 1],
      [1, 2],
      [2, 1],
      [2, 3],
      [0, 4],
      [4, 3],
      [0, 5],
      [6, 3],
    ]);
    const named = Array.from(s.bowTie(graph), (code) => s.bowTieParts[code]);
    expect(named).toEqual(['in', 'core', 'core', 'out', 'tube', 'tendril', 'tendril', 'disconnected']);
  });

  test('the condensation has no cycles and sums the weights between components', () => {
    const graph = arcsOf(
      4,
      [
        [0, 1],
        [1, 0],
        [0, 2],
        [1, 2],
        [2, 3],
      ],
      [1, 1, 2, 3, 4],
    );
    const small = s.condensation(graph);
    expect([small.nodeCount, small.edgeCount]).toEqual([3, 2]);
    expect([...(small.weights as Float32Array)]).toEqual([5, 4]);
    expect([...s.topologicalRanks(small)]).toEqual([0, 1, 2]);
    expect(() => s.topologicalRanks(graph)).toThrow('lies on a cycle');
    expect(() => s.topologicalRanks(arcsOf(2, [[1, 1]]))).toThrow('node 1 lies on a cycle');
  });
});

describe('trophic levels', () => {
  test('a layered graph climbs by one an arc and has incoherence 0; a cycle has 1', () => {
    const { levels, incoherence } = s.trophicLevels(
      arcsOf(5, [
        [0, 2],
        [1, 2],
        [2, 3],
        [2, 4],
      ]),
    );
    expectClose(levels, [0, 0, 1, 2, 2], 1e-7);
    expect(incoherence).toBeLessThan(1e-12);
    expect(s.trophicLevels(cycle(6)).incoherence).toBeCloseTo(1, 9);
  });

  test('a feed-forward triangle in closed form, beside an isolated node', () => {
    // Levels 0, 2/3, 4/3 minimise (h1 − h0 − 1)² + (h2 − h1 − 1)² + (h2 − h0 − 1)²: F = 1/9.
    const { levels, incoherence } = s.trophicLevels(
      arcsOf(4, [
        [0, 1],
        [1, 2],
        [0, 2],
      ]),
    );
    expectClose(levels, [0, 2 / 3, 4 / 3, 0], 1e-8);
    expect(incoherence).toBeCloseTo(1 / 9, 9);
  });
});

describe('walks and ranks', () => {
  test('walks follow arcs in the direction that they say, and never return at once', () => {
    const graph = randomArcs(12, 40, 5);
    const { offsets, nodes, positions, along } = s.directedWalks(graph, new Random(3), { walks: 20, length: 4 });
    let [previous, node] = [-1, 0];
    for (let v = 0; v < 12; v++)
      for (let at = offsets[v] as number; at < (offsets[v + 1] as number); at++) {
        if (positions[at] === 0) [previous, node] = [-1, v];
        const next = nodes[at] as number;
        expect(along[at] ? graph.hasEdge(node, next) : graph.hasEdge(next, node)).toBe(true);
        expect(next).not.toBe(previous);
        [previous, node] = [node, next];
      }
  });

  test('p_out is the share of steps along arcs where both kinds are there', () => {
    const both = s.Graph.fromEdges(
      40,
      Array.from({ length: 400 }, (_, e) => e % 40),
      Array.from({ length: 400 }, (_, e) => ((e % 40) + 0 === 39 ? 0 : (e * 7 + 3) % 40)),
      {
        directed: true,
        selfLoops: 'drop',
      },
    );
    const share = (forward: s.DirectedWalkOptions['forward']) => {
      const { along } = s.directedWalks(both, new Random(1), {
        walks: 60,
        length: 5,
        ...(forward !== undefined && { forward }),
      });
      return along.reduce((sum, own) => sum + own, 0) / along.length;
    };
    expect(share(1)).toBeGreaterThan(share(0.5));
    expect(share('only')).toBe(1);
    expect(share(0.5)).toBeGreaterThan(share(0));
  });

  test('walks along arcs alone end at sinks; the walks of a node do not depend on the others', () => {
    const path = arcsOf(3, [
      [0, 1],
      [1, 2],
    ]);
    const { offsets, nodes } = s.directedWalks(path, new Random(0), { walks: 1, length: 5, forward: 'only' });
    expect([...offsets]).toEqual([0, 2, 3, 3]);
    expect([...nodes]).toEqual([1, 2, 2]);
    const all = s.directedWalks(mixed, new Random(7), { walks: 3, length: 3 });
    const one = s.directedWalks(mixed, new Random(7), { walks: 3, length: 3 }, Int32Array.of(3));
    expect([...one.nodes]).toEqual([...all.nodes.subarray(all.offsets[3], all.offsets[4])]);
    expect(() => s.directedWalks(path, new Random(0), { forward: 2 })).toThrow('forward is a probability');
  });

  test('PageRank solves its equation; hubs and authorities are singular vectors', () => {
    const a = denseOf(mixed);
    const out = rowSums(a);
    const x = s.directedPageRank(mixed);
    const lost = x.reduce((sum, mass, v) => sum + (out[v] === 0 ? mass : 0), 0);
    const next = a.map((_, v) =>
      a.reduce(
        (sum, row, u) =>
          sum + ((row[v] as number) > 0 ? ((x[u] as number) * (row[v] as number)) / (out[u] as number) : 0),
        0,
      ),
    );
    expectClose(
      x,
      next.map((mass) => 0.85 * (mass + lost / 7) + 0.15 / 7),
      1e-9,
    );
    const { hubs, authorities } = s.hubsAndAuthorities(mixed);
    const image = a.map((row) => row.reduce((sum, value, v) => sum + value * (authorities[v] as number), 0));
    const length = Math.hypot(...image);
    expectClose(
      hubs,
      image.map((value) => value / length),
      1e-8,
    );
  });

  test('landing probabilities are powers of the walk from a uniform start', () => {
    const a = denseOf(mixed);
    const out = rowSums(a);
    const p = scaled(
      a,
      out.map((d) => power(d, -1)),
      a.map(() => 1),
    );
    let row = a.map(() => 1);
    for (const own of s.landingProbabilities(mixed, 3)) {
      row = p.map((_, j) => row.reduce((sum, mass, i) => sum + mass * at(p, i, j), 0));
      expectClose(own, row, 1e-12);
    }
  });
});

describe('questions on pairs of nodes', () => {
  const graph = randomArcs(60, 260, 9);
  const key = ({ sources, targets }: s.ArcExamples, i: number) => `${sources[i]} ${targets[i]}`;

  test.each(['existence', 'direction', 'three-class'] as const)(
    '%s: answers are true, balanced and held out',
    (question) => {
      const task = s.arcTask(graph, question, new Random(1));
      for (const part of ['train', 'validation', 'test'] as const) {
        const { sources, targets, classes } = task[part];
        const counts = task.classNames.map((_, c) => classes.filter((own) => own === c).length);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        classes.forEach((answer, i) => {
          const [u, v] = [sources[i] as number, targets[i] as number];
          const [forward, backward] = [graph.hasEdge(u, v), graph.hasEdge(v, u)];
          if (question === 'existence') expect(forward).toBe(answer === 1);
          else expect([forward, backward]).toEqual([answer === 0, answer === 1]);
          if (part !== 'train')
            expect(task.graph.hasEdge(u, v) || task.graph.hasEdge(v, u)).toBe(
              question === 'existence' && answer === 0 && task.graph.hasEdge(v, u),
            );
        });
        const keys = Array.from(sources, (_, i) => key(task[part], i));
        expect(new Set(keys).size).toBe(keys.length);
      }
      // As connected as before.
      expect(new Set(task.graph.components).size).toBe(new Set(graph.components).size);
    },
  );

  test('links: edges and pairs without one, as often, none twice, held out of an undirected graph', () => {
    const whole = graph.undirected();
    const task = s.arcTask(whole, 'links', new Random(1));
    expect(task.graph.directed).toBe(false);
    const seen: string[] = [];
    for (const part of ['train', 'validation', 'test'] as const) {
      const { sources, targets, classes } = task[part];
      expect(2 * classes.filter((own) => own === 1).length).toBe(classes.length);
      classes.forEach((answer, i) => {
        const [u, v] = [sources[i] as number, targets[i] as number];
        expect(whole.hasEdge(u, v)).toBe(answer === 1);
        expect(task.graph.hasEdge(u, v)).toBe(answer === 1 && part === 'train');
        seen.push(`${Math.min(u, v)} ${Math.max(u, v)}`);
      });
    }
    expect(new Set(seen).size).toBe(seen.length);
    const links = (part: s.ArcExamples) => part.classes.filter((own) => own === 1).length;
    const joined = whole.edgeCount - whole.selfLoopCount;
    expect(links(task.train)).toBe(task.graph.edgeCount - whole.selfLoopCount);
    expect(links(task.train) + links(task.validation) + links(task.test)).toBe(joined);
    expect(links(task.test)).toBe(Math.round(0.15 * joined));
    expect(() => s.arcTask(graph, 'links', new Random(1))).toThrow('has directions; ask for "existence"');
  });

  test('pairs with arcs both ways ask for no direction; a tree has nothing to hold out', () => {
    const both = s.Graph.fromEdges(3, [0, 1, 0, 2, 1], [1, 0, 2, 0, 2], { directed: true });
    expect(() => s.arcTask(both, 'direction', new Random(0), { test: 0.3, validation: 0.4 })).toThrow(
      /held out|one arc/,
    );
    const path = arcsOf(4, [
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(() => s.arcTask(path, 'direction', new Random(0))).toThrow('0 can be held out without parting the graph');
    expect(() => s.arcTask(path.undirected(), 'existence', new Random(0))).toThrow('has no directions');
  });
});
