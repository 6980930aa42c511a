import { describe, expect, test } from 'vitest';
import * as e from '../../src/embedding/index.js';
import { setThreads, threads } from '../../src/engine/index.js';
import { areaUnderCurve, averagePrecision, hitsAtRank, lbfgs, logisticRegression } from '../../src/nn/index.js';
import { Graph } from '../../src/structure/index.js';
import { normalizeRows, Random, tensor } from '../../src/tensor/index.js';
import { expectClose, uniform, uniformTensor } from '../oracle.js';
import { randomGraph } from './graphs.js';

describe('walks', () => {
  // A graph in which all three kinds of second step occur.
  const graph = Graph.fromEdges(6, [0, 0, 1, 1, 2, 3, 4], [1, 2, 2, 3, 4, 4, 5], { weights: [1, 2, 3, 1, 2, 1, 1] });

  test.each([
    { p: 1, q: 1 },
    { p: 0.25, q: 4 },
    { p: 4, q: 0.5 },
  ])('second-order steps have node2vec’s law, p = $p, q = $q', ({ p, q }) => {
    const grid = new e.Grid(graph);
    const count = 60_000;
    const starts = Int32Array.from({ length: count }, (_, i) => grid.places[i % 6] as number);
    const walks = e
      .sampleWalks(grid, starts, { length: 3, p, q, first: 0, key: [11, 22] })
      .view() as unknown as Int32Array;
    const weight = (u: number, v: number) => graph.adjacency.toDense().view()[u * 6 + v] as number;
    const seen = new Map<string, number[]>();
    for (let i = 0; i < count; i++) {
      const [t, v, x] = [0, 1, 2].map((step) => grid.nodes[walks[3 * i + step] as number] as number) as [
        number,
        number,
        number,
      ];
      const key = `${t},${v}`;
      const own = seen.get(key) ?? new Array<number>(6).fill(0);
      own[x] = (own[x] as number) + 1;
      seen.set(key, own);
    }
    let [chi, freedom] = [0, 0];
    for (const [key, counts] of seen) {
      const [t, v] = key.split(',').map(Number) as [number, number];
      const mass = Array.from(
        { length: 6 },
        (_, x) => weight(v, x) * (x === t ? 1 / p : graph.hasEdge(t, x) ? 1 : 1 / q),
      );
      const [total, all] = [mass.reduce((a, b) => a + b, 0), counts.reduce((a, b) => a + b, 0)];
      mass.forEach((m, x) => {
        const expected = (all * m) / total;
        if (expected === 0) expect(counts[x]).toBe(0);
        else chi += ((counts[x] as number) - expected) ** 2 / expected;
      });
      freedom += mass.filter((m) => m > 0).length - 1;
    }
    // Wilson–Hilferty: p > 0.001.
    expect(chi).toBeLessThan(freedom * (1 - 2 / (9 * freedom) + 3.09 * Math.sqrt(2 / (9 * freedom))) ** 3);
  });

  test('a walk ends at a node without edges', () => {
    const directed = Graph.fromEdges(3, [0, 1], [1, 2], { directed: true });
    const grid = new e.Grid(directed);
    const walks = e.sampleWalks(grid, Int32Array.of(grid.places[0] as number), {
      length: 5,
      p: 1,
      q: 1,
      first: 0,
      key: [1, 2],
    });
    const nodes = Array.from(walks.view() as unknown as Int32Array, (place) => (place < 0 ? -1 : grid.nodes[place]));
    expect(nodes).toEqual([0, 1, 2, -1, -1]);
  });
});

describe('skip-gram', () => {
  test.each([1, 4, 8])(
    'the schedule of %i parts trains every block once, no row or column twice in a group',
    (parts) => {
      for (const shared of [false, true]) {
        const groups = e.gridSchedule(parts, shared);
        const blocks = groups.flat().map(([row, column]) => row * parts + column);
        expect([...blocks].sort((a, b) => a - b)).toEqual(Array.from({ length: parts ** 2 }, (_, i) => i));
        for (const group of groups) {
          expect(new Set(group.map(([row]) => row)).size).toBe(group.length);
          expect(new Set(group.map(([, column]) => column)).size).toBe(group.length);
          const diagonal = group.every(([row, column]) => row === column);
          if (shared && !diagonal) expect(new Set(group.flat()).size).toBe(2 * group.length);
        }
      }
    },
  );

  test.each([0, 0.5])('one pair changes both rows by the gradient of its loss, with %f of the work done', (done) => {
    // Two nodes, one edge; no negatives, so loss = −log σ(V₀·C₁).
    const graph = Graph.fromEdges(2, [0], [1]);
    const model = new e.SkipGram(graph, new Random(1), { dim: 4, negatives: 0, learningRate: 0.1 });
    model.contexts.assign(tensor(uniform(5, 8), [2, 4]));
    const [v, c] = [Float64Array.from(model.vertices.view()), Float64Array.from(model.contexts.view())];
    model.train(
      {
        chunks: 1,
        write: (_, counts, pairs) => {
          if (pairs) (pairs.view() as unknown as Int32Array).set([0, 1]);
          else (counts.view() as unknown as Int32Array).set([1]);
        },
      },
      done,
    );
    const logit = [0, 1, 2, 3].reduce((total, j) => total + (v[j] as number) * (c[4 + j] as number), 0);
    const step = 0.1 * (1 - done) * (1 - 1 / (1 + Math.exp(-logit)));
    expectClose(
      model.vertices.view(),
      v.map((value, i) => (i < 4 ? value + step * (c[4 + i] as number) : value)),
      1e-4,
    );
    expectClose(
      model.contexts.view(),
      c.map((value, i) => (i < 4 ? value : value + step * (v[i - 4] as number))),
      1e-4,
    );
    model.dispose();
  });

  test.each(['deepWalk', 'node2vec', 'line'] as const)(
    '%s: the same bits for 1, 2 and 4 threads, and classes that are found again',
    async (method) => {
      // Two groups of 60 with few edges between.
      const random = new Random(9);
      const ends = Array.from({ length: 900 }, () => {
        const group = random.integer(2);
        const other = random.float() < 0.93 ? group : 1 - group;
        return [group * 60 + random.integer(60), other * 60 + random.integer(60)] as const;
      });
      const graph = Graph.fromEdges(
        120,
        ends.map(([u]) => u),
        ends.map(([, v]) => v),
        { selfLoops: 'drop' },
      );
      const embed = () =>
        method === 'line'
          ? e.line(graph, { dim: 16, samplesPerEdge: 200 })
          : (method === 'deepWalk' ? e.deepWalk : e.node2vec)(graph, { dim: 16, walks: 20, length: 20, window: 5 });
      const before = threads();
      const results: Float32Array[] = [];
      for (const count of [1, 2, 4]) {
        setThreads(count);
        results.push((await embed()).dataSync());
      }
      setThreads(before);
      for (const other of results) expect(other).toEqual(results[0]);
      const labels = {
        indptr: Int32Array.from({ length: 121 }, (_, v) => v),
        labels: Int32Array.from({ length: 120 }, (_, v) => Number(v >= 60)),
        count: 2,
      };
      const split = e.splitNodes(e.labelledNodes(labels), 0.5, new Random(1));
      const { microF1 } = e.multiLabelScores(tensor(results[0] as Float32Array, [120, 16]), labels, split);
      expect(microF1).toBeGreaterThan(0.9);
    },
    60_000,
  );

  test.each([1, 3, 12])('windows of %i nodes: as many pairs as a cycle has', async (window) => {
    const graph = Graph.fromEdges(
      20,
      Array.from({ length: 20 }, (_, v) => v),
      Array.from({ length: 20 }, (_, v) => (v + 1) % 20),
    );
    let pairs = 0;
    const onProgress = (progress: e.SkipGramProgress) => {
      pairs = progress.pairs;
    };
    await e.deepWalk(graph, { dim: 4, walks: 2, length: 10, window, fixedWindow: true, onProgress });
    let expected = 0;
    for (let i = 0; i < 10; i++) expected += Math.min(i, window) + Math.min(9 - i, window);
    expect(pairs).toBe(2 * 20 * expected);
  });

  test('negatives are drawn by degree^0.75 in each part of the grid', () => {
    const graph = randomGraph(6, 200, 900);
    const grid = new e.Grid(graph);
    const [own, aliases] = [grid.probabilities.view(), grid.aliases.view() as unknown as Int32Array];
    for (let part = 0; part < grid.parts; part++) {
      const [begin, end] = [grid.bounds[part] as number, grid.bounds[part + 1] as number];
      const mass = new Array<number>(end - begin).fill(0);
      const take = (at: number, share: number) => {
        mass[at] = (mass[at] as number) + share / (end - begin);
      };
      for (let place = begin; place < end; place++) {
        take(place - begin, own[place] as number);
        take(aliases[place] as number, 1 - (own[place] as number));
      }
      const wanted = Array.from(grid.nodes.subarray(begin, end), (v) => (graph.outDegrees[v] as number) ** 0.75);
      const total = wanted.reduce((a, b) => a + b, 0);
      expectClose(
        mass,
        wanted.map((weight) => weight / total),
        1e-4,
      );
    }
    grid.dispose();
  });

  test('LINE: the first order draws neighbours together, the second nodes of the same neighbours', async () => {
    // Complete bipartite: neighbours lie on different sides.
    const sides = Array.from({ length: 144 }, (_, at) => [at % 12, 12 + Math.floor(at / 12)] as const);
    const graph = Graph.fromEdges(
      24,
      sides.map(([u]) => u),
      sides.map(([, v]) => v),
    );
    const margin = async (order: 1 | 2) => {
      const x = await e.line(graph, { dim: 8, order, samplesPerEdge: 2000 });
      const cosines = normalizeRows(x);
      const products = cosines.matmul(cosines, { transposeB: true }).view();
      const mean = (from: number) => {
        let total = 0;
        for (let u = 0; u < 12; u++)
          for (let v = 0; v < 12; v++) if (u !== v) total += products[24 * u + from + v] as number;
        return total / 132;
      };
      return mean(0) - mean(12);
    };
    expect(await margin(1)).toBeLessThan(0);
    expect(await margin(2)).toBeGreaterThan(0.2);
  });

  test('progress is told, an abort ends it, bad options are named', async () => {
    const graph = randomGraph(5, 50, 100);
    const shares: number[] = [];
    await e.deepWalk(graph, { walks: 3, length: 10, onProgress: ({ done }) => shares.push(done) });
    expect(shares.at(-1)).toBe(1);
    await expect(e.deepWalk(graph, { walks: 3, length: 10, signal: AbortSignal.abort() })).rejects.toThrow();
    await expect(e.node2vec(graph, { p: 0 })).rejects.toThrow('p must be positive');
    await expect(e.deepWalk(graph, { walks: 0 })).rejects.toThrow('walks must be a positive integer');
    await expect(e.line(graph, { dim: 15 })).rejects.toThrow('dim must be even');
  });
});

describe('measures', () => {
  test('area under the curve and average precision equal their definitions, ties included', () => {
    const scores = [0.1, 0.4, 0.4, 0.8, 0.9, 0.2];
    const labels = [0, 1, 0, 1, 0, 1];
    let [pairs, won] = [0, 0];
    scores.forEach((s, i) => {
      scores.forEach((t, j) => {
        if (labels[i] !== 1 || labels[j] !== 0) return;
        pairs += 1;
        won += s > t ? 1 : s === t ? 0.5 : 0;
      });
    });
    expect(areaUnderCurve(scores, labels)).toBeCloseTo(won / pairs, 12);
    // By hand: thresholds 0.9 (0/1), 0.8 (1/2), 0.4 (2/4), 0.2 (3/5).
    expect(averagePrecision(scores, labels)).toBeCloseTo((1 / 2 + 2 / 4 + 3 / 5) / 3, 12);
    expect(averagePrecision([3, 2, 1], [1, 1, 0])).toBe(1);
    // Negatives score 0.9, 0.4, 0.1: of 0.8, 0.4, 0.2 none is above the first, one above the second.
    expect([1, 2, 3, 4].map((k) => hitsAtRank(scores, labels, k))).toEqual([0, 1 / 3, 1, 1]);
    expect(hitsAtRank([1], [0], 1)).toBeNaN();
  });

  test('logistic regression ends where its gradient is 0', () => {
    const x = uniformTensor(1, [40, 3]);
    const y = tensor(
      Float32Array.from({ length: 80 }, (_, i) => Number(Math.sin(i * 2.3) > 0)),
      [40, 2],
    );
    const { weights, intercepts } = logisticRegression(x, y, { c: 2, tolerance: 1e-4 });
    const errors = x.matmul(weights, { transposeB: true }).add(intercepts).sigmoid().subtract(y);
    const gradient = errors.matmul(x, { transposeA: true }).multiply(2).add(weights);
    expectClose(gradient.view(), new Array(6).fill(0), 1e-2); // the loss is a 32-bit number
    expectClose(errors.sum(0).view(), [0, 0], 1e-2);
  });

  test('L-BFGS finds the minimum of Rosenbrock’s valley', () => {
    const result = lbfgs(
      ([a = 0, b = 0]) => ({
        value: (1 - a) ** 2 + 100 * (b - a * a) ** 2,
        gradient: Float64Array.of(-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)),
      }),
      Float64Array.of(-1.2, 1),
    );
    expect(result.converged).toBe(true);
    expectClose(result.x, [1, 1], 1e-4);
  });
});
