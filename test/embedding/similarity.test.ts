import { describe, expect, test } from 'vitest';
import * as e from '../../src/embedding/index.js';
import { svd } from '../../src/linalg/index.js';
import type { Graph } from '../../src/structure/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';
import { product, randomGraph, rowsOf } from './graphs.js';

/** D⁻¹A in 64 bits. */
function transition(graph: Graph): number[][] {
  return rowsOf(graph.adjacency.toDense()).map((row, u) =>
    row.map((w) => (graph.outDegrees[u] === 0 ? 0 : w / (graph.outDegrees[u] as number))),
  );
}

/** x·xᵀ, flat. */
function gram(rows: readonly (readonly number[])[]): number[] {
  return rows.flatMap((a) => rows.map((b) => a.reduce((sum, value, j) => sum + value * (b[j] as number), 0)));
}

function columnProducts(x: Tensor): Float32Array {
  return x.matmul(x, { transposeA: true }).view();
}

describe('RandNE', () => {
  const graph = randomGraph(3, 50, 140, true);

  test('is the weighted sum of powers of P applied to one projection, its rows of length 1', () => {
    const weights = [0.5, 2, -1];
    const start = rowsOf(e.randNE(graph, { dim: 6, weights: [1], normalizeRows: false, seed: 4 }));
    const powers = [start, product(transition(graph), start)];
    powers.push(product(transition(graph), powers[1] as number[][]));
    const sum = start.map((row, v) =>
      row.map((_, j) => weights.reduce((total, alpha, k) => total + alpha * (powers[k]?.[v]?.[j] as number), 0)),
    );
    expectClose(e.randNE(graph, { dim: 6, weights, normalizeRows: false, seed: 4 }).view(), sum.flat(), 1e-4);
    const scaled = sum.map((row) => row.map((value) => value / Math.hypot(...row)));
    expectClose(e.randNE(graph, { dim: 6, weights, seed: 4 }).view(), scaled.flat(), 1e-4);
    const adjacency = e.randNE(graph, { dim: 6, weights: [0, 1], matrix: 'adjacency', normalizeRows: false, seed: 4 });
    expectClose(adjacency.view(), product(rowsOf(graph.adjacency.toDense()), start).flat(), 1e-4);
  });

  test('columns of the projection are orthogonal, of length √(n/d), and span what the Gaussian ones do', () => {
    const own = { dim: 6, weights: [1], normalizeRows: false, seed: 4 };
    const orthogonal = e.randNE(graph, own);
    expectClose(
      columnProducts(orthogonal),
      Float32Array.from({ length: 36 }, (_, at) => (at % 7 === 0 ? 50 / 6 : 0)),
      1e-3,
    );
    const gaussian = e.randNE(graph, { ...own, orthogonal: false });
    const back = orthogonal.matmul(orthogonal.matmul(gaussian, { transposeA: true })).multiply(6 / 50);
    expectClose(back.view(), gaussian.view(), 1e-3);
  });

  test('wrong options are named', () => {
    expect(() => e.randNE(graph, { dim: 51 })).toThrow('50 nodes have no 51 orthogonal columns');
    expect(() => e.randNE(graph, { dim: 6, weights: [0, 0] })).toThrow('one of them not 0');
    expect(() => e.randNE(graph, { dim: 0 })).toThrow('dim must be a positive integer');
  });
});

describe('the similarity matrix reduced by a singular value decomposition', () => {
  test.each([false, true])('keeps the largest part of Σ α_k·P^k·L, directed %s', (directed) => {
    const n = 30;
    const graph = randomGraph(8, n, 110, true, directed);
    const weights = [0.5, 0, 2];
    const inDegrees = graph.inDegrees;
    const p = transition(graph);
    let power = Array.from({ length: n }, (_, u) => Array.from({ length: n }, (__, v) => Number(u === v)));
    const similarity = power.map((row) => row.map(() => 0));
    for (const alpha of weights) {
      power = product(p, power);
      power.forEach((row, u) => {
        row.forEach((value, v) => {
          const scale = inDegrees[v] === 0 ? 0 : (inDegrees[v] as number) ** -0.6;
          (similarity[u] as number[])[v] = (similarity[u]?.[v] as number) + alpha * value * scale;
        });
      });
    }
    const whole = e.similaritySvd(graph, { dim: n, weights, degreeExponent: -0.6 });
    expectClose(gram(rowsOf(whole)), gram(similarity), 1e-3);
    const few = e.similaritySvd(graph, { dim: 4, weights, degreeExponent: -0.6 });
    expect(few.shape).toEqual([n, 4]);
    const { u, s } = svd(tensor(Float32Array.from(similarity.flat()), [n, n]));
    const best = rowsOf(u.multiply(s.reshape([1, n]))).map((row) => row.slice(0, 4));
    expectClose(gram(rowsOf(few)), gram(best), 1e-3);
  });
});

describe('tasks', () => {
  // Node v has label v % 2; nodes 4 and 9 have none; node 0 has both.
  const rows = Array.from({ length: 10 }, (_, v) => (v === 0 ? [0, 1] : v === 4 || v === 9 ? [] : [v % 2]));
  const labels: e.MultiLabels = {
    indptr: Int32Array.from([0, ...rows.map((_, v) => rows.slice(0, v + 1).flat().length)]),
    labels: Int32Array.from(rows.flat()),
    count: 2,
  };

  test('nodes without labels are left out; a larger share holds the nodes of a smaller one', () => {
    const nodes = e.labelledNodes(labels);
    expect([...nodes]).toEqual([0, 1, 2, 3, 5, 6, 7, 8]);
    const shares = [0.25, 0.5, 0.9].map((share) => e.splitNodes(nodes, share, new Random(3)));
    expect(shares.map(({ train }) => train.length)).toEqual([2, 4, 7]);
    for (const { train, test: rest } of shares) expect([...train, ...rest].sort()).toEqual([...nodes]);
    expect([...(shares[2] as e.NodeSplit).train].slice(0, 4)).toEqual([...(shares[1] as e.NodeSplit).train]);
    expect(e.splitNodes(nodes, 0.999, new Random(0)).test.length).toBe(1);
    expect(() => e.splitNodes(Int32Array.of(7), 0.5, new Random(0))).toThrow('two nodes are needed');
  });

  test('F1 of test nodes alone, each with its true number of labels', () => {
    // One column that tells the label, but lies for node 8.
    const embedding = tensor(
      Float32Array.from(rows, (_, v) => (v === 8 ? 1 : v % 2) * 2 - 1),
      [10, 1],
    );
    const split = { train: Int32Array.of(1, 2, 3, 6), test: Int32Array.of(0, 5, 7, 8) };
    const { microF1, macroF1 } = e.multiLabelScores(embedding, labels, split);
    // Right: both labels of 0, the one of 5 and of 7; wrong: 8 has label 0 and gets 1.
    expect(microF1).toBeCloseTo(4 / 5, 6);
    expect(macroF1).toBeCloseTo((2 / 3 + 6 / 7) / 2, 6);
  });

  test('links are told by the products of vectors, fitted on the training pairs', () => {
    // Pairs of nodes of one parity are edges; the second column is noise.
    const embedding = tensor(
      Float32Array.from({ length: 80 }, (_, at) => (at % 2 ? Math.sin(at) : ((at >> 1) % 2) * 2 - 1)),
      [40, 2],
    );
    const pairs = (first: number, last: number, step: 1 | 2): e.Pairs => {
      const sources = Int32Array.from({ length: last - first }, (_, i) => first + i);
      return { sources, targets: sources.map((v) => v + step) };
    };
    const train = { edges: pairs(0, 15, 2), nonEdges: pairs(0, 15, 1) };
    const examples = { edges: pairs(20, 35, 2), nonEdges: pairs(20, 35, 1) };
    const scores = e.linkClassification(embedding, { train, test: examples });
    expect(scores.auc).toBe(1);
    expect(scores.averagePrecision).toBeCloseTo(1, 12);
    const turned = { edges: examples.nonEdges, nonEdges: examples.edges };
    expect(e.linkClassification(embedding, { train, test: turned }).auc).toBe(0);
    expect(e.linkClassification(uniformTensor(4, [40, 2]), { train, test: examples }).auc).toBeLessThan(0.9);
  });
});
