import { describe, expect, test } from 'vitest';
import * as e from '../../src/embedding/index.js';
import { setThreads, threads } from '../../src/engine/index.js';
import { blockModel, Graph } from '../../src/structure/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';
import { randomGraph } from './graphs.js';
import { referenceTraining } from './graphvite-reference.js';

/** Upper bound of χ² with p > 0.001 (Wilson–Hilferty). */
const chiBound = (freedom: number) => freedom * (1 - 2 / (9 * freedom) + 3.09 * Math.sqrt(2 / (9 * freedom))) ** 3;

const small = { dim: 6, batch: 20, epochs: 30, episode: 6, parts: 2, step: 3, walkLength: 5, seed: 3 } as const;
const nodesOf = (graph: Graph) => Int32Array.from({ length: graph.nodeCount }, (_, v) => v);
const trained = async (graph: Graph, options: e.GraphViteOptions, run: e.GraphViteRun = {}) => {
  const trainer = e.startGraphVite(graph, options, run);
  expect(await trainer.train()).toBe('finished');
  const rows = { v: trainer.rows('vertices', nodesOf(graph)), c: trainer.rows('contexts', nodesOf(graph)) };
  const { counts, plan } = trainer;
  trainer.dispose();
  return { ...rows, counts, plan };
};

/** A store in memory that counts. */
function memoryStore() {
  const parts = new Map<string, Float32Array>();
  return {
    parts,
    read: (side: e.Side, part: number, into: Float32Array, from = 0) =>
      into.set((parts.get(`${side} ${part}`) as Float32Array).subarray(from, from + into.length)),
    write: (side: e.Side, part: number, values: Float32Array) => void parts.set(`${side} ${part}`, values.slice()),
  };
}

describe('the schedule', () => {
  test.each([
    [1, 1],
    [4, 1],
    [4, 2],
    [4, 4],
    [8, 4],
    [16, 4],
    [16, 2],
  ])(
    'of %i parts and %i workers trains every block once, in groups without a common row or column',
    (parts, workers) => {
      const groups = e.orthogonalSchedule(parts, workers);
      const blocks = groups.flat().map(([row, column]) => row * parts + column);
      expect([...blocks].sort((a, b) => a - b)).toEqual(Array.from({ length: parts ** 2 }, (_, i) => i));
      for (const group of groups) {
        expect(group.length).toBe(workers);
        expect(new Set(group.map(([row]) => row)).size).toBe(workers);
        expect(new Set(group.map(([, column]) => column)).size).toBe(workers);
      }
      // A worker keeps its part of the tails for as many groups as there are workers.
      groups.forEach((group, g) => {
        const before = groups[g - 1];
        if (before && g % workers !== 0)
          expect(group.map(([, column]) => column)).toEqual(before.map(([, column]) => column));
      });
    },
  );

  test('parts that are no multiple of the workers are refused', () => {
    expect(() => e.orthogonalSchedule(6, 4)).toThrow('6 parts are not a multiple of 4 workers; use 8 parts');
  });
});

test('zig-zag parts differ by one node at most and by 2 % of the degrees', () => {
  const { graph } = blockModel(new Random(1));
  const degrees = graph.outDegrees;
  const parts = e.zigzagParts(degrees, 4);
  const sums = parts.map((nodes) => nodes.reduce((sum, v) => sum + (degrees[v] as number), 0));
  const sizes = parts.map(({ length }) => length);
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  expect(Math.max(...sums) / Math.min(...sums)).toBeLessThan(1.02);
});

test('the automatic step by hand', () => {
  expect(e.automaticStep(4_300_000, 1_000_000)).toBe(5);
  expect(e.automaticStep(32_000, 1000)).toBe(2);
  expect(e.automaticStep(5_000_000, 1000)).toBe(1);
  expect(e.automaticStep(1000, 1000, 12)).toBe(12);
});

describe('pairs', () => {
  const graph = randomGraph(5, 60, 240);

  test.each(['line', 'deepwalk'] as const)('%s: blocks hold pairs of their parts, each exactly full', (form) => {
    const trainer = e.startGraphVite(graph, { ...small, form, parts: 4 });
    const { parts, partOf, places } = trainer.grid;
    const part = partOf.view() as unknown as Uint8Array;
    const { batches } = e.episodeAt(1, trainer.plan);
    const sizes = new Map(trainer.schedule.flat().map(([row, column], k) => [row * parts + column, batches[k]]));
    trainer.samplePairs(1).forEach(({ heads, tails }, cell) => {
      expect(heads.length).toBe((sizes.get(cell) as number) * small.batch);
      for (const v of heads) expect(part[places[v] as number]).toBe(Math.floor(cell / parts));
      for (const v of tails) expect(part[places[v] as number]).toBe(cell % parts);
    });
    trainer.dispose();
  });

  test.each([undefined, [1, 2, 3, 1, 2, 5, 1, 4]])('at distance 1 they follow the weights %j', (weights) => {
    const [sources, targets] = [
      [0, 0, 1, 2, 3, 4, 5, 2],
      [1, 2, 2, 3, 4, 5, 0, 5],
    ];
    const own = Graph.fromEdges(6, sources as number[], targets as number[], {
      directed: true,
      ...(weights && { weights: weights as number[] }),
    });
    const trainer = e.startGraphVite(own, { parts: 1, step: 1, dim: 4, batch: 1000, epochs: 2500, episode: 20 });
    const [{ heads, tails }] = trainer.samplePairs(0) as [{ heads: Int32Array; tails: Int32Array }];
    const counts = new Map<string, number>();
    for (const [i, u] of heads.entries()) counts.set(`${u} ${tails[i]}`, (counts.get(`${u} ${tails[i]}`) ?? 0) + 1);
    const total = (weights as number[] | undefined)?.reduce((a, b) => a + b, 0) ?? 8;
    let chi = 0;
    for (let i = 0; i < 8; i++) {
      const expected = (heads.length * ((weights as number[] | undefined)?.[i] ?? 1)) / total;
      chi += ((counts.get(`${sources[i]} ${targets[i]}`) ?? 0) - expected) ** 2 / expected;
    }
    expect([...counts.values()].reduce((a, b) => a + b, 0)).toBe(20_000);
    expect(counts.size).toBe(8);
    expect(chi).toBeLessThan(chiBound(7));
    trainer.dispose();
  });

  test('on a directed path they lead forward, at every distance up to the step', () => {
    const path = Graph.fromEdges(8, [0, 1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 7], { directed: true });
    const trainer = e.startGraphVite(path, { parts: 1, step: 3, dim: 4, batch: 100, epochs: 200 });
    const [{ heads, tails }] = trainer.samplePairs(0) as [{ heads: Int32Array; tails: Int32Array }];
    expect(new Set(heads.map((u, i) => (tails[i] as number) - u))).toEqual(new Set([1, 2, 3]));
    trainer.dispose();
  });

  test.each([
    { p: 0.25, q: 4 },
    { p: 4, q: 0.5 },
  ])('node2vec: second steps have the law of p = $p, q = $q', ({ p, q }) => {
    // Directed, so that what leads two steps on is known: 0 → 1, then back, to a neighbour, or away.
    const own = Graph.fromEdges(4, [0, 0, 1, 1, 1], [1, 2, 0, 2, 3], { directed: true });
    const options = { parts: 1, step: 2, walkLength: 2, dim: 4, batch: 1000, epochs: 4000 } as const;
    const trainer = e.startGraphVite(own, { ...options, form: 'node2vec', p, q });
    const [{ heads, tails }] = trainer.samplePairs(0) as [{ heads: Int32Array; tails: Int32Array }];
    // Pairs (0, 0) and (0, 3) come from walks 0 → 1 → 0 and 0 → 1 → 3 alone.
    const count = (v: number) => heads.reduce((sum, u, i) => sum + Number(u === 0 && tails[i] === v), 0);
    const share = count(0) / (count(0) + count(3));
    const expected = 1 / p / (1 / p + 1 / q);
    expect(Math.abs(share - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected)) / (count(0) + count(3))));
    trainer.dispose();
  });

  test('a block that no pair leads to is named', () => {
    const bipartite = Graph.fromEdges(
      4,
      [0, 0],
      [1, 1].map((v, i) => v + i),
      { directed: true },
    );
    const trainer = e.startGraphVite(bipartite, { parts: 2, step: 1, dim: 4, batch: 4, epochs: 100 });
    expect(() => trainer.samplePairs(0)).toThrow('use fewer parts (1 always works)');
    trainer.dispose();
  });
});

describe('training', () => {
  const graph = randomGraph(7, 50, 160);

  test.each([
    { name: 'one worker', workers: 1, form: 'line', doubleBuffer: true, negatives: 1 },
    { name: 'two workers', workers: 2, form: 'line', doubleBuffer: true, negatives: 2 },
    { name: 'walks in order, one pool at a time', workers: 2, form: 'deepwalk', doubleBuffer: false, negatives: 1 },
  ] as const)(
    'is that of blocks one after the other, gradients by finite differences: $name',
    async ({ name: _, ...own }) => {
      const trainer = e.startGraphVite(graph, { ...small, ...own, decay: 0.1, learningRate: 0.1 });
      const { dim } = small;
      const rows = (side: 'vertices' | 'contexts') => {
        const values = trainer.rows(side, trainer.grid.nodes);
        return Array.from(trainer.grid.nodes, (_, i) => Array.from(values.subarray(i * dim, (i + 1) * dim)));
      };
      const [v, c] = [rows('vertices'), rows('contexts')];
      expect(c.flat().every((value) => value === 0)).toBe(true);
      expect(Math.max(...v.flat().map(Math.abs))).toBeLessThanOrEqual(0.5 / dim);
      expect(trainer.plan.episodes).toBeGreaterThan(2);
      referenceTraining(trainer, v, c);
      await trainer.train();
      expectClose(rows('vertices').flat(), v.flat(), 2e-4);
      expectClose(rows('contexts').flat(), c.flat(), 2e-4);
      expect(trainer.counts.pairs).toBe(Math.floor((small.epochs * graph.edgeCount) / small.batch) * small.batch);
      expect(trainer.counts.barriers).toBe((trainer.plan.episodes * 4) / own.workers);
      trainer.dispose();
    },
  );

  test('one to four threads, and one pool or two, give the same bits', async () => {
    const before = threads();
    const options = { ...small, parts: 4, workers: 4, dim: 8 };
    const results = [];
    for (const count of [1, 2, 4]) {
      setThreads(count);
      results.push((await trained(graph, options)).v, (await trained(graph, { ...options, doubleBuffer: false })).v);
    }
    setThreads(before);
    for (const other of results) expect(other).toEqual(results[0]);
  });

  test('the loss that is reported weighs negatives and is a mean of samples', async () => {
    const losses: number[] = [];
    const trainer = e.startGraphVite(graph, { ...small, learningRate: 1e-9, negatives: 2 });
    await trainer.train({ onProgress: ({ loss }) => losses.push(loss) });
    for (const loss of losses) expect(loss).toBeCloseTo(Math.log(2), 4);
    trainer.dispose();
  });

  test.each([0, 1, 5, 11])('a training stopped after %i groups goes on to the same bits', async (groups) => {
    const options = { ...small, workers: 1 };
    const whole = await trained(graph, options);
    const first = e.startGraphVite(graph, options);
    const controller = new AbortController();
    let seen = 0;
    const onProgress = () => {
      if (seen++ === groups) controller.abort();
    };
    expect(await first.train({ signal: controller.signal, onProgress })).toBe('aborted');
    const { state } = first;
    first.dispose();
    const again = await trained(graph, options, { state });
    expect([again.v, again.c]).toEqual([whole.v, whole.c]);
    expect(again.counts.pairs).toBe(whole.counts.pairs);
  });

  test('within a budget parts come from a store: the same bits, bytes moved as counted', async () => {
    const options = { ...small, parts: 4, workers: 2 };
    const whole = await trained(graph, options);
    const store = memoryStore();
    const memory = 2 * graph.nodeCount * 8 * 4 - 1;
    const trainer = e.startGraphVite(graph, options, { memory, store });
    expect(trainer.plan).toMatchObject({ inFiles: true, matrixBytes: 2 * 2 * 13 * 8 * 4 });
    const controller = new AbortController();
    await trainer.train({ signal: controller.signal, onProgress: ({ pairs }) => pairs > 2000 && controller.abort() });
    const { state } = trainer;
    trainer.dispose();
    expect(state.vertices).toBeUndefined();
    const again = await trained(graph, options, { memory, store, state });
    expect([again.v, again.c]).toEqual([whole.v, whole.c]);
    const alone = await trained(graph, options, { memory, store: memoryStore() });
    const [p, w, partBytes] = [4, 2, (graph.nodeCount / 4) * 8 * 4];
    // An episode reads each part of V once and all of C for every W rows; what is replaced is written.
    const read = alone.plan.episodes * (p + (p * p) / w) * partBytes;
    expect(alone.counts.movedBytes / (2 * read)).toBeGreaterThan(0.9);
    expect(alone.counts.movedBytes / (2 * read)).toBeLessThanOrEqual(1);
  });

  test('a budget chooses the parts, and too small a one is refused', () => {
    const settings = e.graphViteSettings(graph, small);
    const { parts: _, ...open } = settings;
    const bytes = (nodes: number) => 4 * nodes * 8 * 4;
    expect(e.planTraining(graph, open, bytes(13)).parts).toBe(4);
    expect(e.planTraining(graph, open, bytes(9)).parts).toBe(6);
    expect(() => e.planTraining(graph, open, 100)).toThrow('give at least that');
  });

  test.each([
    [{ step: 50 }, 'step 50 is longer than a walk of 40 edges'],
    [{ parts: 3, workers: 2 }, '3 parts are not a multiple of 2 workers; use 4'],
    [{ parts: 51 }, '51 parts are more than the 50'],
    [{ dim: 0 }, 'dim must be an integer of at least 1, got 0'],
    [{ p: 2 }, 'p and q bias the walks of node2vec'],
    [{ epochs: 0.001 }, 'less than a batch of 1000 pairs'],
  ] as const)('%j is refused', (options, message) => {
    expect(() => e.startGraphVite(graph, options)).toThrow(message);
  });

  test('nodes without edges keep their first vectors, and a graph of them is refused', async () => {
    const lonely = Graph.fromEdges(5, [0, 1, 2], [1, 2, 3]);
    const options = { dim: 4, parts: 1, batch: 10, epochs: 50, step: 2 } as const;
    const start = e.startGraphVite(lonely, options);
    const first = start.rows('vertices', [4]);
    start.dispose();
    const { v } = await trained(lonely, options);
    expect(v.subarray(16, 20)).toEqual(first);
    expect(() => e.startGraphVite(Graph.fromEdges(3, [], []))).toThrow('no edges');
  });

  test.each(['line', 'deepwalk', 'node2vec'] as const)('%s: classes are found again', async (form) => {
    const { graph: blocks, labels } = blockModel(new Random(2), { nodes: 400, classes: 4, noise: 0.2 });
    const vectors = await e.graphVite(blocks, { form, dim: 16, epochs: 600, step: 2, batch: 200 });
    const count = Math.max(...labels) + 1;
    const known = { indptr: Int32Array.from({ length: 401 }, (_, v) => v), labels, count };
    const split = e.splitNodes(e.labelledNodes(known), 0.5, new Random(1));
    expect(e.multiLabelScores(vectors, known, split).microF1).toBeGreaterThan(0.8);
    vectors.dispose();
  });
});

describe('layouts', () => {
  const { graph, labels } = blockModel(new Random(6), { nodes: 200, classes: 4, noise: 0.05 });

  /** Share of nodes whose nearest point has the same label. */
  const alike = (points: Float32Array, dim: number) => {
    const distance = (u: number, v: number) =>
      Array.from(
        { length: dim },
        (_, k) => ((points[u * dim + k] as number) - (points[v * dim + k] as number)) ** 2,
      ).reduce((a, b) => a + b, 0);
    const same = Array.from(labels, (label, v) => {
      let best = v === 0 ? 1 : 0;
      for (let u = 0; u < labels.length; u++) if (u !== v && distance(u, v) < distance(best, v)) best = u;
      return labels[best] === label;
    });
    return same.filter(Boolean).length / labels.length;
  };

  test('put classes together; the same bits on one thread and two', async () => {
    const before = threads();
    const results = [];
    for (const count of [1, 2]) {
      setThreads(count);
      const points = await e.layoutGraph(graph, { parts: 4 });
      expect(points.shape).toEqual([200, 2]);
      results.push(points.dataSync<Float32Array>().slice());
      points.dispose();
    }
    setThreads(before);
    expect(results[1]).toEqual(results[0]);
    expect(alike(results[0] as Float32Array, 2)).toBeGreaterThan(0.75);
  });

  test('a pair and a negative move by the gradients of log f and γ·log(1 − f)', async () => {
    // One edge, all of two nodes; a drawn negative is the node itself or the tail, and then no step.
    const pair = Graph.fromEdges(2, [0], [1], { directed: true });
    const options = { epochs: 1, batch: 1, parts: 1, negatives: 0, learningRate: 0.1, seed: 5 } as const;
    const settings = e.graphViteSettings(pair, { ...options, dim: 2, step: 1, negativeWeight: 7 });
    const trainer = new e.GridTrainer(pair, settings, e.planTraining(pair, settings), { kind: 'distance' });
    const before = trainer.rows('vertices', [0, 1]);
    await trainer.train();
    const after = trainer.rows('vertices', [0, 1]);
    trainer.dispose();
    const logF = (y: number[]) =>
      -Math.log(1 + ((y[0] as number) - (y[2] as number)) ** 2 + ((y[1] as number) - (y[3] as number)) ** 2);
    const H = 1e-4;
    const expected = Array.from(before, (value, k) => {
      const at = (delta: number) => logF(Array.from(before, (own, i) => (i === k ? own + delta : own)));
      return value + (0.1 * (at(H) - at(-H))) / (2 * H);
    });
    expectClose(after, expected, 1e-4);
  });

  test('the graph of neighbours has the entropy that is asked for and the nearest points', () => {
    const weights = e.perplexityWeights([0.1, 0.5, 0.7, 2, 9], 3);
    const entropy = -weights.reduce((sum, p) => sum + p * Math.log(p), 0);
    expect(Math.exp(entropy)).toBeCloseTo(3, 5);
    // Points on a line, at 0, 1, 3, 7, 15: neighbours by hand.
    const points = [0, 1, 3, 7, 15];
    const near = e.neighbourGraph(tensor(Float32Array.from(points), [5, 1]), 3, 2);
    const nearest = points.map((p, i) =>
      points
        .map((q, j) => [Math.abs(p - q), j] as const)
        .filter(([, j]) => j !== i)
        .sort(([a], [b]) => a - b)
        .slice(0, 3)
        .map(([, j]) => j),
    );
    for (let u = 0; u < 5; u++)
      for (let v = 0; v < 5; v++)
        if (u !== v) expect(near.hasEdge(u, v)).toBe(Boolean(nearest[u]?.includes(v) || nearest[v]?.includes(u)));
    expect(() => e.neighbourGraph(tensor([1, 2, 3], [3, 1]), 3)).toThrow('perplexity < neighbours < 3');
  });

  test('a drawing shows every node, and escapes names', () => {
    const svg = e.drawingSvg({
      points: Float32Array.of(0, 0, 1, 1, 2, 0),
      edges: { sources: Int32Array.of(0), targets: Int32Array.of(1) },
      labels: [0, 1, -1],
      labelNames: ['a<b', 'c'],
      nameOf: (v) => `"${v}"`,
    });
    expect(svg.match(/<circle cx="[\d.]+" cy="[\d.]+" r="5.0"/g)?.length).toBe(3);
    expect(svg).toContain('a&lt;b');
    expect(svg).toContain('<title>&quot;2&quot;</title>');
    expect(() => e.drawingSvg({ points: Float32Array.of(Number.NaN, 0) })).toThrow('node 0 is at NaN');
  });
});
