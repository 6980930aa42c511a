import { describe, expect, test } from 'vitest';
import * as e from '../../src/embedding/index.js';
import { blockModel, Graph, sampleNonEdges } from '../../src/structure/index.js';
import { Random, type Tensor } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

const { graph, labels } = blockModel(new Random(3), { nodes: 90, classes: 3, meanDegree: 8, noise: 0.1 });
const names = Array.from({ length: 90 }, (_, v) => `node ${v}`);
const options = { dim: 16, weights: [0.5, 0, 2], degreeExponent: -0.5, seed: 7 };

/** P^k·L·R with signs by name, rows of length 1 summed, in plain loops. */
function plainEmbedding(nodes: readonly string[]): number[][] {
  const random = new Random(7).split('fastrp');
  let rows = nodes.map((name, v) => {
    const stream = random.split(name);
    const scale = (graph.outDegrees[v] as number) ** -0.5;
    return Array.from({ length: 16 }, () => (stream.float() < 0.5 ? -scale : scale));
  });
  const total = rows.map((row) => row.map(() => 0));
  for (const alpha of options.weights) {
    rows = rows.map((_, u) => {
      const own = [...graph.neighbours(u)];
      return Array.from(
        { length: 16 },
        (__, j) => own.reduce((sum, v) => sum + (rows[v]?.[j] as number), 0) / own.length,
      );
    });
    rows.forEach((row, u) => {
      const norm = Math.hypot(...row) || 1;
      row.forEach((value, j) => {
        (total[u] as number[])[j] = (total[u]?.[j] as number) + (alpha * value) / norm;
      });
    });
  }
  return total;
}

describe('vectors keyed by names', () => {
  test('equal plain loops over the powers of the transition matrix', () => {
    expectClose(e.namedEmbedding(graph, names, options).view(), plainEmbedding(names).flat(), 1e-4);
  });

  test('a node keeps its vector when nodes are numbered anew', () => {
    const order = Array.from({ length: 90 }, (_, i) => (i * 7) % 90);
    const moved = e
      .namedEmbedding(
        graph.induced(order),
        order.map((v) => names[v] as string),
        options,
      )
      .view();
    const before = e.namedEmbedding(graph, names, options).view();
    order.forEach((v, i) => {
      expectClose(moved.subarray(16 * i, 16 * i + 16), before.subarray(16 * v, 16 * v + 16), 1e-5);
    });
  });
});

const description = {
  embedding: options,
  directed: false,
  target: 'block',
  labels: ['a', 'b', 'c'],
  single: true,
  trained: { data: 'blocks', nodes: 90, edges: graph.edgeCount },
  scores: {},
} as const;

function trained() {
  const raw = e.namedEmbedding(graph, names, options);
  const columns = e.columnScale(raw);
  return { columns, vectors: e.standardizedBy(raw, columns) };
}

describe('models of vectors', () => {
  const { columns, vectors } = trained();
  const known = {
    indptr: Int32Array.from({ length: 91 }, (_, v) => v),
    labels,
    count: 3,
  };

  test('labels: the file answers as the classifier does, and for a changed graph', () => {
    const nodes = Int32Array.from({ length: 90 }, (_, v) => v);
    const model = new e.EmbeddingModel({ ...description, task: 'labels' }, columns, e.fitLabels(vectors, known, nodes));
    const read = e.EmbeddingModel.load(model.save());
    const all = read.labelProbabilities({ graph, nodeNames: names });
    expect(all).toEqual(model.labelProbabilities({ graph, nodeNames: names }));
    const right = Array.from(labels, (label, v) => {
      const own = all.subarray(3 * v, 3 * v + 3);
      return own.indexOf(Math.max(...own)) === label;
    });
    expect(right.filter(Boolean).length).toBeGreaterThan(80);
    const members = Array.from(labels.keys()).filter((v) => labels[v] === 1);
    const { sources, targets } = graph.edges();
    const grown = Graph.fromEdges(
      91,
      [...sources, ...members.slice(0, 6).map(() => 90)],
      [...targets, ...members.slice(0, 6)],
    );
    const later = read.labelProbabilities({ graph: grown, nodeNames: [...names, 'new'] }).subarray(270);
    expect(later.indexOf(Math.max(...later))).toBe(1);
  });

  test('links: a pair within a block scores above one between blocks; new links are the best pairs without an edge', () => {
    const model = new e.EmbeddingModel(
      { ...description, task: 'links' },
      columns,
      e.fitLinks(vectors, graph, new Random(1)),
    );
    const everyPair = { sources: new Int32Array(90), targets: Int32Array.from({ length: 90 }, (_, v) => v) };
    const scores = model.linkProbabilities(vectors, everyPair);
    const mean = (same: boolean) => {
      const own = Array.from(scores).filter((_, v) => v > 0 && (labels[v] === labels[0]) === same);
      return own.reduce((a, b) => a + b, 0) / own.length;
    };
    expect(mean(true)).toBeGreaterThan(mean(false) + 0.2);
    // An intercept that is not regularised makes the mean probability that of the pairs it is fitted on.
    const { sources, targets } = graph.edges();
    const others = sampleNonEdges(graph, sources.length, new Random(1));
    const fitted = [{ sources, targets }, others].flatMap((pairs) => [...model.linkProbabilities(vectors, pairs)]);
    expect(fitted.reduce((a, b) => a + b, 0) / fitted.length).toBeCloseTo(0.5, 2);
    const all = model.newLinks({ graph, nodeNames: names }, 4);
    expect(all.length).toBe(4 * 90);
    expect(all.filter(({ source, target }) => source === target || graph.hasEdge(source, target))).toEqual([]);
    const found = e.EmbeddingModel.load(model.save()).newLinks({ graph, nodeNames: names }, 4).slice(0, 4);
    const expected = Array.from(scores.keys())
      .filter((v) => v > 0 && !graph.hasEdge(0, v))
      .sort((a, b) => (scores[b] as number) - (scores[a] as number))
      .slice(0, 4);
    expect(found.map(({ target }) => target)).toEqual(expected);
    expectClose(
      found.map(({ probability }) => probability),
      expected.map((v) => scores[v] as number),
      1e-4,
    );
  });

  test('the best of the settings comes first, and is better than one that sees a step', async () => {
    const split = e.splitNodes(e.labelledNodes(known), 0.5, new Random(2));
    const trials = await e.tuneNamedEmbedding(graph, names, (x) => e.labelScore(x, known, split), { dim: 16 });
    expect(trials.length).toBe(20);
    expect(trials.map(({ score }) => score)).toEqual(trials.map(({ score }) => score).sort((a, b) => b - a));
    expect(trials[0]?.score).toBeGreaterThan(0.8);
  });

  test('a search that is cut off goes on from the scores so far, and ends alike', async () => {
    const sums: number[] = [];
    const score = (x: Tensor) => {
      sums.push(x.dataSync().reduce((sum, value, i) => sum + value * (i % 7), 0));
      return sums.at(-1) as number;
    };
    const whole = await e.tuneNamedEmbedding(graph, names, score, { dim: 8 });
    expect(new Set(sums).size).toBe(20);
    for (const stop of [1, 5, 13]) {
      const controller = new AbortController();
      let kept: readonly number[] = [];
      const cut = e.tuneNamedEmbedding(graph, names, score, {
        dim: 8,
        signal: controller.signal,
        onTrial: (scores, all) => {
          expect(all).toBe(20);
          kept = [...scores];
          if (scores.length === stop) controller.abort();
        },
      });
      await expect(cut).rejects.toThrow(/abort/i);
      expect(kept).toEqual(sums.slice(0, stop));
      const before = sums.length;
      expect(await e.tuneNamedEmbedding(graph, names, score, { dim: 8, known: kept })).toEqual(whole);
      expect(sums.length - before).toBe(20 - stop);
    }
  });
});

describe('rows of PageRank as a model', () => {
  const path = Graph.fromEdges(5, [0, 1, 2, 3], [1, 2, 3, 4]);

  test('keep the best nodes of each; several sources are mixed, themselves left out', async () => {
    const rows = await e.bestRows(e.pageRankBatches(path, { walks: 4000, seed: 1 }), 3);
    expect([...rows.indptr]).toEqual([0, 3, 6, 9, 12, 15]);
    const exact = [0, 2].map((source) => e.powerIteration(path, source));
    const own = Array.from({ length: 3 }, (_, i) => rows.targets[i]);
    expect(new Set(own)).toEqual(new Set([0, 1, 2]));
    const whole = await e.bestRows(e.pageRankBatches(path, { walks: 20_000, seed: 1 }), 5);
    const mixed = e.mixedRanking(whole, [0, 2], 5);
    expect(mixed.map(({ node }) => node)).toEqual([1, 3, 4]);
    for (const { node, score } of mixed)
      expect(score).toBeCloseTo(((exact[0]?.[node] as number) + (exact[1]?.[node] as number)) / 2, 1);
  });

  test('rows of the first nodes from before, and the others walked, are the rows of all', async () => {
    const walks = { walks: 300, seed: 5 };
    const whole = await e.bestRows(e.pageRankBatches(path, walks), 3);
    const counts: number[] = [];
    const first = await e.bestRows(
      e.pageRankBatches(path, { ...walks, sources: Int32Array.of(0, 1) }),
      3,
      undefined,
      (rows) => counts.push(rows().indptr.length - 1),
    );
    expect(counts).toEqual([2]);
    const others = e.pageRankBatches(path, { ...walks, sources: Int32Array.of(2, 3, 4) });
    expect(await e.bestRows(others, 3, first)).toEqual(whole);
  });

  test('in a graph that has changed, rows are walked anew, and known nodes keep their classes', async () => {
    const rows = await e.bestRows(e.pageRankBatches(path, { walks: 50, seed: 3 }), 5);
    const description = {
      ...{ nodes: ['a', 'b', 'c', 'd', 'e'], alpha: 0.15, walks: 4000, kept: 6, directed: false, seed: 3 },
      ...{ target: 'side', classes: ['x', 'y'], trained: { data: 'path', edges: 4 }, scores: {} },
    };
    const model = new e.RankModel(description, rows, Int32Array.of(0, -1, -1, -1, 1));
    // f hangs on e, and the nodes stand in another order; c is y by the graph.
    const nodes = ['f', 'e', 'd', 'c', 'b', 'a'];
    const changed = Graph.fromEdges(6, [0, 1, 2, 3, 4], [1, 2, 3, 4, 5]);
    const labels = Int32Array.of(-1, -1, -1, 1, -1, -1);
    const own = await model.on({ graph: changed, nodes, labels, data: 'longer' }, ['f', 'a']);
    expect([...own.labels]).toEqual([-1, 1, -1, 1, -1, 0]);
    expect(own.description).toMatchObject({ nodes, trained: { data: 'longer', edges: 5 } });
    for (const v of [0, 5]) {
      const exact = e.powerIteration(changed, v);
      const [from, to] = [own.rows.indptr[v] as number, own.rows.indptr[v + 1] as number];
      expect(to - from).toBe(6);
      for (let at = from; at < to; at++)
        expect(own.rows.scores[at]).toBeCloseTo(exact[own.rows.targets[at] as number] as number, 1);
    }
    for (const v of [1, 2, 3, 4]) expect(own.rows.indptr[v + 1]).toBe(own.rows.indptr[v === 1 ? 1 : v]);
    await expect(model.on({ graph: changed, nodes, labels, data: 'longer' }, ['g'])).rejects.toThrow(
      '"g" is no node of "longer"',
    );
  });

  test('classes are shares of the labelled nodes that walks end at, without the node itself', () => {
    const rows = {
      indptr: Int32Array.of(0, 3, 4),
      targets: Int32Array.of(0, 1, 1, 0),
      scores: Float32Array.of(0.5, 0.25, 0.125, 1),
    };
    const shares = e.classShares(rows, Int32Array.of(0, 1), 2);
    expect([...shares]).toEqual([0, 1, 1, 0]);
    expect([...e.classShares(rows, Int32Array.of(0, -1), 2)]).toEqual([0, 0, 1, 0]);
  });

  test('the file keeps names, rows and classes; an unknown node is named', async () => {
    const rows = await e.bestRows(e.pageRankBatches(path, { walks: 50 }), 3);
    const model = new e.RankModel(
      {
        nodes: ['a', 'b', 'c', 'd', 'e'],
        alpha: 0.15,
        walks: 50,
        kept: 3,
        directed: false,
        target: '',
        classes: [],
        trained: { data: 'path', edges: 4 },
        scores: {},
      },
      rows,
      new Int32Array(5).fill(-1),
    );
    const read = e.RankModel.load(model.save());
    expect(read.rows).toEqual(rows);
    expect(read.node('d')).toBe(3);
    expect(() => read.node('f')).toThrow(/"f" is no node of "path".*give the graph that holds it/);
  });
});
