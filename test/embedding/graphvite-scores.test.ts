import { describe, expect, test } from 'vitest';
import * as e from '../../src/embedding/index.js';
import { gridTask, labelScores, pairsOfWalk } from '../../src/experiments/protocols/grid-methods.js';
import { trainPlain } from '../../src/experiments/protocols/plain-skip-gram.js';
import { Graph } from '../../src/structure/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { expectClose, uniform } from '../oracle.js';
import { randomGraph } from './graphs.js';
import { referenceSample } from './graphvite-reference.js';

describe('scores', () => {
  // Nodes 0 and 1 have label 0, node 2 has both, node 3 label 1.
  const labels = { indptr: Int32Array.of(0, 1, 2, 4, 5), labels: Int32Array.of(0, 0, 0, 1, 1), count: 2 };

  test('the linear layer descends the mean cross-entropy of copies, momentum and decay included', () => {
    const x = [
      [1, 0.5],
      [0.4, -1],
      [-0.3, 0.8],
    ];
    const vectors = tensor(Float32Array.from([...x.flat(), 0.2, 0.9]), [4, 2]);
    const split = { train: Int32Array.of(0, 1, 2), test: Int32Array.of(3) };
    // Copies with one label each: node 2 twice.
    const copies = [
      [0, 0],
      [1, 0],
      [2, 0],
      [2, 1],
    ] as const;
    const parameters = new Float64Array(6);
    const speeds = new Float64Array(6);
    const logit = (row: readonly number[], label: number) =>
      (row[0] as number) * (parameters[label] as number) +
      (row[1] as number) * (parameters[2 + label] as number) +
      (parameters[4 + label] as number);
    const probability = (row: readonly number[], label: number) => 1 / (1 + Math.exp(-logit(row, label)));
    for (let step = 0; step < 3; step++) {
      const slopes = new Float64Array(6);
      for (const [node, own] of copies)
        for (const label of [0, 1]) {
          const row = x[node] as number[];
          const g = (probability(row, label) - Number(label === own)) / (copies.length * 2);
          [row[0], row[1], 1].forEach((value, k) => {
            slopes[2 * k + label] = (slopes[2 * k + label] as number) + g * (value as number);
          });
        }
      parameters.forEach((value, i) => {
        speeds[i] = 0.9 * (speeds[i] as number) + (slopes[i] as number) + 2e-5 * value;
      });
      speeds.forEach((speed, i) => {
        parameters[i] = (parameters[i] as number) - speed;
      });
    }
    const [zero, one] = [0, 1].map((label) => logit([0.2, 0.9], label)) as [number, number];
    expectClose(e.probeLogits(vectors, labels, split, 3), [zero, one], 1e-5);
  });

  test('it separates what can be separated', () => {
    const nodes = Array.from({ length: 40 }, (_, v) => v);
    const two = { indptr: Int32Array.from([...nodes, 40]), labels: Int32Array.from(nodes, (v) => v % 2), count: 2 };
    const vectors = tensor(Float32Array.from(nodes.flatMap((v) => [v % 2 ? 1 : -1, 0.1])), [40, 2]);
    const split = { train: Int32Array.from(nodes.slice(0, 10)), test: Int32Array.from(nodes.slice(10)) };
    expect(e.linearProbe(vectors, two, split, 200)).toEqual({ microF1: 1, macroF1: 1 });
  });

  test('F1 of a node with two labels: its two best are taken', () => {
    const score = e.linearProbe(
      tensor(new Float32Array(8), [4, 2]),
      labels,
      { train: Int32Array.of(0, 1), test: Int32Array.of(2, 3) },
      5,
    );
    // The bias prefers label 0: node 2 gets both, node 3 label 0 for label 1.
    expect(score.microF1).toBeCloseTo(2 / 3);
    expect(score.macroF1).toBeCloseTo((2 / 3 + 2 / 3) / 2);
  });

  test('links are scored by V of the head and C of the tail', () => {
    const vertices = tensor([1, 0, 0, 1, 1, 1, -1, 0], [4, 2]);
    const contexts = tensor([0, 1, 1, 0, -1, 0, 0, 2], [4, 2]);
    const pairs = (...list: [number, number][]) => ({
      sources: Int32Array.from(list, ([u]) => u),
      targets: Int32Array.from(list, ([, v]) => v),
    });
    // V·C: (0, 1) 1, (1, 3) 2; others (1, 0) 1, (0, 2) −1. Three and a half of four pairs are in order.
    expect(e.linkArea(vertices, contexts, pairs([0, 1], [1, 3]), pairs([1, 0], [0, 2]))).toBeCloseTo(3.5 / 4);
  });
});

describe('new nodes', () => {
  test('are trained with all others frozen, and come close to their neighbours', async () => {
    const old = randomGraph(3, 40, 200);
    const trainer = e.startGraphVite(old, { dim: 8, epochs: 200, batch: 100, parts: 1, step: 2 });
    await trainer.train();
    const all = Int32Array.from({ length: 40 }, (_, v) => v);
    const known = { vertices: trainer.rows('vertices', all), contexts: trainer.rows('contexts', all) };
    trainer.dispose();
    const before = { vertices: known.vertices.slice(), contexts: known.contexts.slice() };
    const { sources, targets } = old.edges();
    const friends = [1, 2, 3];
    const grown = Graph.fromEdges(41, [...sources, ...friends.map(() => 40)], [...targets, ...friends]);
    const added = e.embedNewNodes(grown, known, { dim: 8, epochs: 400, step: 1 });
    expect(known).toEqual(before);
    expect([added.vertices.length, added.contexts.length]).toEqual([8, 8]);
    const score = (v: number) =>
      added.vertices.reduce((sum, x, k) => sum + x * (known.contexts[8 * v + k] as number), 0);
    const others = [...all].filter((v) => !friends.includes(v));
    expect(Math.min(...friends.map(score))).toBeGreaterThan(
      others.map(score).reduce((a, b) => a + b, 0) / others.length,
    );
    expect(() => e.embedNewNodes(old, known, { dim: 8 })).toThrow('there is none to train');
    expect(() => e.embedNewNodes(grown, known, { dim: 7 })).toThrow('are no rows of 7');
  });
});

describe('the experiment', () => {
  test('pairs of a walk by counting', () => {
    for (const [length, window] of [
      [5, 1],
      [8, 3],
      [40, 10],
    ] as const) {
      let total = 0;
      for (let reach = 1; reach <= window; reach++)
        for (let i = 0; i < length; i++)
          for (let j = 0; j < length; j++) total += Number(i !== j && Math.abs(i - j) <= reach);
      expect(pairsOfWalk(length, window)).toBeCloseTo(total / window);
    }
  });

  test('the plain loop is skip-gram, the negative first', () => {
    const [v, c] = [uniform(1, 12), uniform(2, 12)];
    const rows = (x: Float32Array) => [0, 1, 2].map((i) => Array.from(x.subarray(4 * i, 4 * i + 4)));
    const [ownV, ownC] = [rows(v), rows(c)];
    for (const [head, tail, negative] of [
      [0, 1, 2],
      [0, 2, 2],
    ] as const) {
      referenceSample(ownV[head] as number[], ownC[negative] as number[], false, 5, 0.1, 0.01);
      referenceSample(ownV[head] as number[], ownC[tail] as number[], true, 1, 0.1, 0.01);
    }
    trainPlain({
      vertices: v,
      contexts: c,
      dim: 4,
      heads: Int32Array.of(0, 0),
      tails: Int32Array.of(1, 2),
      negatives: Int32Array.of(2, 2),
      weight: 5,
      rate: 0.1,
      decay: 0.01,
    });
    expectClose(v, ownV.flat(), 1e-4);
    expectClose(c, ownC.flat(), 1e-4);
  });

  test('settings are chosen by training nodes alone', () => {
    const graph = randomGraph(5, 60, 200);
    const own = {
      indptr: Int32Array.from({ length: 61 }, (_, v) => v),
      labels: Int32Array.from({ length: 60 }, (_, v) => v % 3),
      count: 3,
    };
    const values = { dim: 4, pairs: 1000, trials: 2, splits: 2, probe: 30, parts: 1 };
    const task = gridTask({ name: 'own', graph, labels: own }, values, new Random(2));
    for (const { tenth, half, inner } of task.splits) {
      expect(half.train.subarray(0, tenth.train.length)).toEqual(tenth.train);
      expect(new Set([...inner.train, ...inner.test])).toEqual(new Set(tenth.train));
    }
    // One embedding is right on training nodes alone, the other on test nodes alone.
    const rows = (right: (v: number) => boolean) =>
      tensor(
        Float32Array.from({ length: 180 }, (_, i) =>
          Number(right(Math.floor(i / 3)) && Math.floor(i / 3) % 3 === i % 3),
        ),
        [60, 3],
      );
    const one = { ...task, splits: task.splits.slice(0, 1) };
    const { train } = (one.splits[0] as (typeof task.splits)[number]).tenth;
    const [known, unknown] = [rows((v) => train.includes(v)), rows((v) => !train.includes(v))];
    expect(labelScores([unknown, known], one, 30)).toEqual(labelScores([known], one, 30));
  });
});
