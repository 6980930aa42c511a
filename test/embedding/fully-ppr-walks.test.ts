// The walks of fully personalised PageRank part by part: draws at hubs, short walks, sorting,
// pipelines, and how their rows are scored.

import { describe, expect, test } from 'vitest';
import { alone } from '../../src/distributed/index.js';
import { aliasColumns } from '../../src/embedding/fully-ppr/monte-carlo.js';
import { shareParts } from '../../src/embedding/fully-ppr/parts.js';
import { IntegerList, jump, type Pools, Rounds } from '../../src/embedding/fully-ppr/rounds.js';
import {
  distributedPageRank,
  ForwardPush,
  naivePageRank,
  type PageRankRows,
  personalizedPageRank,
  powerIteration,
  topTargets,
  type WalkState,
} from '../../src/embedding/index.js';
import { rankingScores, thresholdForError } from '../../src/experiments/protocols/rankings.js';
import { Graph } from '../../src/structure/index.js';
import { Random } from '../../src/tensor/index.js';

const alpha = 0.15;

/** Directed and weighted, with nodes without edges and a hub of unequal weights. */
function makeGraph(n: number, edges: number): Graph {
  const random = new Random(2);
  const sources = Array.from({ length: edges }, () => random.integer(n - 5));
  const targets = Array.from({ length: edges }, () => random.integer(n));
  for (let v = 1; v < n; v++) {
    sources.push(0);
    targets.push(v);
  }
  const weights = sources.map(() => 1 + random.integer(9));
  return Graph.fromEdges(n, sources, targets, { directed: true, weights, duplicates: 'sum' });
}

const n = 60;
const graph = makeGraph(n, 200);
const exact = Array.from({ length: n }, (_, u) => powerIteration(graph, u, { alpha }));

/**
 * Σ (π̂ − π)² over its expectation Σ π(1 − π)/ω: 1 for independent walks of the right law, more for
 * any other.
 */
function squaresOverExpected({ indptr, targets, counts, walks }: PageRankRows): number {
  let [squares, expected] = [0, 0];
  for (const [u, row] of exact.entries()) {
    const estimate = new Float64Array(n);
    for (let e = indptr[u] as number; e < (indptr[u + 1] as number); e++)
      estimate[targets[e] as number] = (counts[e] as number) / walks;
    for (const [v, p] of row.entries()) {
      squares += ((estimate[v] as number) - p) ** 2;
      expected += (p * (1 - p)) / walks;
    }
  }
  return squares / expected;
}

/** Rows of this size lie within a tenth of 1 unless the law is wrong. */
function expectRightLaw(rows: PageRankRows): void {
  const ratio = squaresOverExpected(rows);
  expect(ratio).toBeGreaterThan(0.85);
  expect(ratio).toBeLessThan(1.15);
}

describe('the squares of the errors are those of independent walks of the right law', () => {
  test('walks on threads', async () => {
    expectRightLaw(await personalizedPageRank(graph, { alpha, walks: 5000 }));
  });

  test('walks in pipelines, nodes cut into units, a tree of them at the hub', () => {
    expectRightLaw(distributedPageRank(graph, alone(), { alpha, walks: 2000, gamma: 300, largestUnit: 3 }).rows);
  });

  test('short walks from the first round on', () => {
    const bigMoves = { moves: 4, pool: 20_000, degree: 30 };
    const big = distributedPageRank(graph, alone(), { alpha, walks: 400, bigMoves });
    expect(2 * big.rounds).toBeLessThan(distributedPageRank(graph, alone(), { alpha, walks: 400 }).rounds);
    expectRightLaw(big.rows);
  });

  test('a walk at a time', () => {
    const random = new Random(3);
    expectRightLaw(naivePageRank(graph, { alpha, walks: 1000, uniform: () => random.float() }));
  });
});

test('the draws of a hub have its weights, whatever the sum in single precision', () => {
  const edges = 100_000;
  const weights = new Float32Array(edges).fill(1);
  weights[0] = 2 ** 25;
  const indptr = Int32Array.of(0, edges);
  const columns = aliasColumns(
    indptr,
    Int32Array.from({ length: edges }, (_, v) => v),
    weights,
  );
  const bits = new Int32Array(columns.buffer);
  const drawn = new Float64Array(edges);
  for (let e = 0; e < edges; e++) {
    const probability = columns[3 * e] as number;
    const [own, other] = [bits[3 * e + 1] as number, bits[3 * e + 2] as number];
    drawn[own] = (drawn[own] as number) + probability / edges;
    drawn[other] = (drawn[other] as number) + (1 - probability) / edges;
  }
  const total = 2 ** 25 + edges - 1;
  for (const v of [0, 1, 77, edges - 1])
    expect(Math.abs(((drawn[v] as number) * total) / (weights[v] as number) - 1)).toBeLessThan(1e-5);
});

describe('short walks', () => {
  test('each is taken once, in the order of (source, walk); those that stopped end the walk', () => {
    const part = shareParts(graph, alone(), 4096);
    const pool = 100;
    const ends = Int32Array.from({ length: n * pool }, (_, i) => (i % pool === 2 ? -1 - 50 : i % pool));
    const pools: Pools = { pool, ends, small: new Uint8Array(n).fill(1), used: new Int32Array(n) };
    const stops = new IntegerList();
    const arrive = () => jump(Int32Array.of(9, 7, 1, 0, 4, 7, 0, 0, 9, 7, 0, 0, 3, 7, 5, 0), pools, part, stops);
    const places = ({ jumped }: ReturnType<typeof jump>) => {
      const walkers = Array.from({ length: jumped.length / 4 }, (_, i) => [...jumped.subarray(4 * i, 4 * i + 4)]);
      return walkers.map(([source, place, walk]) => [source, walk, place]);
    };
    expect(places(arrive())).toEqual([
      [3, 5, 0],
      [4, 0, 1],
      [9, 1, 3],
    ]);
    expect([...stops.view()]).toEqual([9, 50]);
    expect(places(arrive()).map(([, , place]) => place)).toEqual([4, 5, 6, 7]);
    expect(pools.used[7]).toBe(8);
    part.dispose();
  });

  test('end at large nodes, and have streams of their own', () => {
    // Leaves lead to the hub 0, which leads to them.
    const leaves = Int32Array.from({ length: 40 }, (_, v) => v + 1);
    const star = Graph.fromEdges(41, new Int32Array(40), leaves);
    const part = shareParts(star, alone(), 4096);
    const rounds = new Rounds(part, alone(), alpha, 1);
    const { ends, small } = rounds.shortWalks({ moves: 5, pool: 30, degree: 10 });
    expect([...small]).toEqual([0, ...new Array(40).fill(1)]);
    const [stopped, atHub] = [(v: number) => -1 - v, 0];
    for (let v = 1; v <= 40; v++)
      for (const end of ends.subarray(30 * v, 30 * (v + 1))) expect([stopped(v), atHub]).toContain(end);

    // Which of the walks from a leaf stop at once says whether their draws are the same.
    const stopsOf = new Uint8Array(41 * 30);
    rounds.step(rounds.start(new Int32Array(0), 0, 30), (walker, at) => {
      stopsOf[30 * (walker[at] as number) + (walker[at + 2] as number)] = 1;
    });
    const alike = Array.from(ends.subarray(30)).filter((end, i) => Number(end < 0) === stopsOf[30 + i]).length;
    expect(alike / 1200).toBeLessThan(0.85);
    part.dispose();
  });

  test('a run that stopped goes on from its checkpoint, the pools as used as they were', () => {
    const kept: { saved?: WalkState; committed?: WalkState } = {};
    const store = {
      save: ({ round, walkers, stops, used }: WalkState) => {
        kept.saved = { round, walkers: walkers.slice(), stops: stops.slice(), used: used.slice() };
      },
      commit: () => {
        kept.committed = kept.saved;
      },
      load: () => kept.committed,
    };
    const options = { walks: 30, gamma: 4, bigMoves: { moves: 2, pool: 400, degree: 100 } };
    const whole = distributedPageRank(graph, alone(), options).rows;
    const onRound = ({ round }: { readonly round: number }) => {
      if (round === 7) throw new Error('killed');
    };
    expect(() => distributedPageRank(graph, alone(), { ...options, checkpoint: { every: 3, store }, onRound })).toThrow(
      'killed',
    );
    expect(kept.committed?.used.some((count) => count > 0)).toBe(true);
    expect(distributedPageRank(graph, alone(), { ...options, checkpoint: { every: 3, store } }).rows).toEqual(whole);
  });
});

describe('rows', () => {
  /** A path with jumps, of so many nodes that ids take several digits of the sort. */
  const path = (nodes: number, weighted: boolean) => {
    const sources = Int32Array.from({ length: 2 * nodes }, (_, i) => i >> 1);
    const targets = sources.map((v, i) => (i % 2 ? (v * 7919 + 13) % nodes : nodes - 1 - v));
    const weights = weighted ? Float32Array.from(sources, (_, i) => 1 + (i % 3)) : undefined;
    return Graph.fromEdges(nodes, sources, targets, { directed: true, weights, duplicates: 'first' });
  };

  test.each([
    [3000, false],
    [3000, true],
  ])('of %i nodes (weighted: %s) equal those of pipelines, entry by entry', async (nodes, weighted) => {
    const large = path(nodes, weighted);
    const rows = await personalizedPageRank(large, { walks: 50 });
    const others = distributedPageRank(large, alone(), { walks: 50, gamma: 20 }).rows;
    // Not by toEqual, which takes minutes to print where long arrays differ.
    for (const field of ['indptr', 'targets', 'counts'] as const) {
      expect(others[field].length).toBe(rows[field].length);
      expect(rows[field].findIndex((value, i) => value !== others[field][i])).toBe(-1);
    }
  });

  test('of a graph whose ids take three digits ascend, whatever the block', async () => {
    const nodes = 1_100_000;
    const large = path(nodes, false);
    const sources = Int32Array.from({ length: 40 }, (_, i) => (i * 27_487) % nodes);
    for (const walks of [1, 700, 10_000]) {
      const { indptr, targets, counts } = await personalizedPageRank(large, { walks, sources });
      for (let i = 0; i < sources.length; i++) {
        const row = targets.subarray(indptr[i], indptr[i + 1]);
        expect(row.every((v, at) => at === 0 || v > (row[at - 1] as number))).toBe(true);
        expect(counts.subarray(indptr[i], indptr[i + 1]).reduce((a, b) => a + b, 0)).toBe(walks);
      }
    }
  });

  test('a graph without edges keeps every walk at its source', async () => {
    const empty = Graph.fromEdges(3, [], [], { directed: true });
    const { targets, counts } = await personalizedPageRank(empty, { walks: 5 });
    expect([[...targets], [...counts]]).toEqual([
      [0, 1, 2],
      [5, 5, 5],
    ]);
  });

  test('scores are counts over the number of walks', () => {
    const rows = {
      sources: Int32Array.of(4),
      indptr: Int32Array.of(0, 3),
      targets: Int32Array.of(1, 4, 6),
      counts: Int32Array.of(2, 6, 2),
      walks: 10,
    };
    expect(topTargets(rows, 0, 2)).toEqual([
      { node: 4, score: 0.6 },
      { node: 1, score: 0.2 },
    ]);
  });

  test('are scored by their errors and by the ten nearest nodes that they find', () => {
    const truth = Float32Array.from({ length: 12 }, (_, v) => (12 - v) / 128);
    const estimate = Float64Array.from(truth);
    estimate[9] = 0;
    estimate[11] = 6 / 128;
    expect(rankingScores(() => estimate, [truth, truth])).toEqual({
      error: Math.sqrt(9 + 25) / 128,
      total: 8 / 128,
      largest: 5 / 128,
      precision: 90,
    });
    // Nodes that no walk reached are not found, though they are the first of the others.
    const one = new Float64Array(12);
    one[4] = 1;
    expect(rankingScores(() => one, [truth]).precision).toBe(10);
  });

  test('of forward push err as much as is asked for', () => {
    const sources = Int32Array.from({ length: 20 }, (_, v) => v);
    for (const error of [0.3, 0.05, 0.002]) {
      const push = new ForwardPush(graph, { alpha, threshold: thresholdForError(graph, sources, alpha, error) });
      const mean = sources.reduce((sum, source) => sum + push.from(source).residual, 0) / 20;
      expect(Math.abs(mean / error - 1)).toBeLessThan(0.05);
    }
  });
});
