import { describe, expect, test } from 'vitest';
import * as g from '../../src/graph/index.js';
import { inference } from '../../src/nn/index.js';
import { SparseMatrix } from '../../src/sparse/index.js';
import {
  type ArcPattern,
  arcPatterns,
  directedOperator,
  Graph,
  magneticOperator,
  patternOperator,
  reversed,
} from '../../src/structure/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const n = 8;
const d = 5;
const graph = Graph.fromEdges(n, [0, 1, 1, 2, 3, 4, 5, 6, 2, 0], [1, 0, 2, 3, 4, 2, 6, 5, 6, 3], { directed: true });
const x = uniformTensor(3, [n, d]);
const random = () => new Random(6);
const rowsOf = (h: Tensor, rows: readonly number[]) => {
  const width = h.shape[1] as number;
  return rows.flatMap((v) => [...h.view().subarray(v * width, (v + 1) * width)]);
};

describe('LightDiC', () => {
  test('propagates as complex powers, by blocks of columns, and classifies both parts', () => {
    const { pattern, real, imaginary } = magneticOperator(graph, 0.1, { selfLoops: true });
    // Naive complex product of rows.
    const step = (re: number[][], im: number[][]) => {
      const out = [re, im].map((own) => own.map((row) => row.map(() => 0))) as [number[][], number[][]];
      for (let u = 0; u < n; u++)
        for (let e = pattern.indptr[u] as number; e < (pattern.indptr[u + 1] as number); e++) {
          const v = pattern.indices[e] as number;
          const [a, b] = [real[e] as number, imaginary[e] as number];
          for (let j = 0; j < d; j++) {
            const [c, f] = [(re[v] as number[])[j] as number, (im[v] as number[])[j] as number];
            (out[0][u] as number[])[j] = ((out[0][u] as number[])[j] as number) + a * c - b * f;
            (out[1][u] as number[])[j] = ((out[1][u] as number[])[j] as number) + a * f + b * c;
          }
        }
      return out;
    };
    let re = Array.from({ length: n }, (_, v) => [...x.view().subarray(v * d, v * d + d)]);
    let im = re.map((row) => row.map(() => 0));
    for (let k = 0; k < 3; k++) [re, im] = step(re, im);
    const expected = re.flatMap((row, v) => [...row, ...(im[v] as number[])]);
    for (const block of [256, 2]) {
      const network = new g.LightDiC(d, 3, random(), { steps: 3, q: 0.1, block });
      expectClose(network.combine(x, graph).view(), expected, 1e-5);
      expectClose(network.combine(SparseMatrix.fromDense(x), graph).view(), expected, 1e-5);
      const logits = network.transformation.head.forward(tensor(expected, [n, 2 * d]));
      expectClose(network.forward(x, graph, inference).view(), logits.view(), 1e-5);
    }
    expect(() => new g.LightDiC(d, 3, random()).combine(uniformTensor(1, [3, d]), graph)).toThrow(
      'features of 3 nodes for a graph of 8',
    );
  });
});

describe('ADPA', () => {
  test('weights hops by attention for each pattern and node, and patterns by scalars', () => {
    const steps = 2;
    const network = new g.ADPA(d, 3, random(), { steps, hidden: 4 });
    const scales = network.scales.view();
    const relu = (h: Tensor) => h.relu();
    const branches = [relu(network.own.forward(x)).multiply(scales[0] as number)];
    for (const [p, branch] of network.branches.entries()) {
      const operator = patternOperator(graph, arcPatterns[p] as ArcPattern, { exponent: 0.43 }).toDense();
      const hops = [x];
      for (let k = 1; k <= steps; k++)
        hops.push(operator.matmul(hops.at(-1) as Tensor).multiply(1 - Math.log(k) + 1e-6));
      const weight = branch.attention.weight.view();
      const bias = (branch.attention.bias as Tensor).view()[0] as number;
      const combined = Array.from({ length: n }, (_, v) => {
        const own = hops.map((h) => [...h.view().subarray(v * d, v * d + d)]);
        const all = own.flat();
        const scores = own.map((hop) => {
          const input = [...all, ...hop];
          const logit = input.reduce((sum, value, i) => sum + value * (weight[i] as number), bias);
          return Math.exp(1 / (1 + Math.exp(-logit)));
        });
        const total = scores.reduce((a, b) => a + b, 0);
        return Array.from({ length: d }, (__, j) =>
          own.reduce((sum, hop, k) => sum + ((scores[k] as number) / total) * (hop[j] as number), 0),
        );
      });
      branches.push(relu(branch.linear.forward(tensor(combined))).multiply(scales[p + 1] as number));
    }
    const joined = Array.from({ length: n }, (_, v) =>
      branches.flatMap((h) => [...h.view().subarray(4 * v, 4 * v + 4)]),
    );
    const expected = network.head.forward(tensor(joined));
    expectClose(network.forward(x, graph, inference).view(), expected.view(), 1e-4);
    expectClose(network.forward(SparseMatrix.fromDense(x), graph, inference).view(), expected.view(), 1e-4);
    const rows = [5, 0, 7];
    expectClose(network.forwardRows(x, graph, Int32Array.from(rows), inference).view(), rowsOf(expected, rows), 1e-4);
  });
});

describe('A2DUG', () => {
  const expectedOf = (network: g.A2DUG) => {
    const views = [graph.undirected(), graph, reversed(graph)];
    const branches = [network.own.forward(x)];
    network.lists.forEach((list, i) => {
      branches.push(list.forward((views[i] as Graph).adjacency.toDense()));
    });
    views.forEach((own, i) => {
      const hops = [true, false].flatMap((selfLoops) => {
        const operator = directedOperator(own, { selfLoops }).toDense();
        const first = operator.matmul(x);
        return [first, operator.matmul(first)];
      });
      const side = Array.from({ length: n }, (_, v) => hops.flatMap((h) => [...h.view().subarray(v * d, v * d + d)]));
      branches.push((network.hops[i] as (typeof network.hops)[number]).forward(tensor(side)));
    });
    const width = 6;
    const joined = Array.from({ length: n }, (_, v) =>
      branches.flatMap((h) => [...h.view().subarray(width * v, width * (v + 1))]),
    );
    return network.head.forward(tensor(joined).relu(), inference);
  };

  test.each([true, false])('joins features, adjacency lists (%s) and hops of three views', (lists) => {
    const network = new g.A2DUG(d, 3, random(), { hidden: 6, steps: 2, ...(lists && { nodes: n }) });
    expect(network.lists.length).toBe(lists ? 3 : 0);
    const expected = expectedOf(network);
    expectClose(network.forward(x, graph, inference).view(), expected.view(), 1e-4);
    expectClose(network.forward(SparseMatrix.fromDense(x), graph, inference).view(), expected.view(), 1e-4);
    const rows = [2, 6];
    expectClose(network.forwardRows(x, graph, Int32Array.from(rows), inference).view(), rowsOf(expected, rows), 1e-4);
  });

  test('adjacency lists refuse a graph of another size, and say why', () => {
    const other = Graph.fromEdges(3, [0], [1], { directed: true });
    const placed = new g.A2DUG(d, 3, random(), { nodes: n });
    expect(() => placed.forward(uniformTensor(1, [3, d]), other, inference)).toThrow(
      'its adjacency lists are of 8 nodes, the graph has 3',
    );
    const free = new g.A2DUG(d, 3, random());
    expect(free.forward(uniformTensor(1, [3, d]), other, inference).shape).toEqual([3, 3]);
  });
});

describe('networks that answer node by node', () => {
  test('train in batches, as many steps an epoch as there are; the best epoch is restored', async () => {
    const labels = Int32Array.of(0, 1, 0, 1, 0, 1, 0, 1);
    const features = tensor(Array.from(labels, (label, v) => [label === 0 ? 1 : -1, v / n, 0, 0, 1]));
    const network = new g.A2DUG(d, 2, random(), { hidden: 8, dropout: 0 });
    const seen: number[] = [];
    const counted = Object.assign(network, {
      forwardRows: (...[own, on, rows, mode]: Parameters<g.A2DUG['forwardRows']>) => {
        if (mode.training) seen.push(rows.length);
        return g.A2DUG.prototype.forwardRows.call(network, own, on, rows, mode);
      },
    });
    const data = {
      graph,
      features,
      labels,
      classes: 2,
      train: Int32Array.of(0, 1, 2, 3, 4),
      validation: Int32Array.of(5, 6, 7),
    };
    const { training } = await g.trainRowwise(counted, data, new Random(1), { epochs: 30, batchSize: 2 });
    expect(seen.slice(0, 3).sort()).toEqual([1, 2, 2]);
    expect(seen.length).toBe(90);
    expect(training.bestMetric).toBe(1);
  });
});

describe('sequence networks', () => {
  test('walks: attention over the node and its steps, fixed in inference, drawn anew in training', () => {
    const network = new g.DirectedWalkNetwork(d, 3, random(), { hidden: 8, heads: 2, dropout: 0 });
    const first = network.forward(x, graph, inference).view().slice();
    expectClose(network.forward(x, graph, inference).view(), first);
    const rows = [7, 1];
    expectClose(
      network.forwardRows(x, graph, Int32Array.from(rows), inference).view(),
      rows.flatMap((v) => [...first.subarray(3 * v, 3 * v + 3)]),
      1e-5,
    );
    const drawn = (seed: number) =>
      network
        .forward(x, graph, { training: true, random: new Random(seed) })
        .view()
        .slice();
    expect(drawn(1)).not.toEqual(drawn(2));
    expect(drawn(1)).toEqual(drawn(1));
    expect(() => new g.DirectedWalkNetwork(d, 3, random(), { hidden: 9, heads: 2 })).toThrow('does not divide');
  });

  test('walks: on a path each node sees what its direction marks say', () => {
    // 0 → 1: the one walk of node 0 steps along the arc, that of node 1 against it.
    const path = Graph.fromEdges(2, [0], [1], { directed: true });
    const network = new g.DirectedWalkNetwork(1, 2, random(), { hidden: 2, heads: 1, walks: 1, length: 1, dropout: 0 });
    const values = tensor([[0.3], [-0.7]]);
    const projected = network.input.forward(values).view();
    const marks = network.marks.view();
    const token = (node: number, mark: number) =>
      [0, 1].map((j) => Math.max(0, (projected[2 * node + j] as number) + (marks[2 * mark + j] as number)));
    const attention = network.attention.weight.view();
    const preferences = network.preferences.view();
    const expected = [0, 1].flatMap((v) => {
      // Mark 0 is the node itself, 1 a step against an arc, 2 one along it.
      const steps = [
        { own: token(v, 0), mark: 0 },
        { own: token(1 - v, v === 0 ? 2 : 1), mark: v === 0 ? 2 : 1 },
      ];
      const bias = (network.attention.bias as Tensor).view()[0] as number;
      const scores = steps.map(({ own, mark }) =>
        Math.exp(
          own.reduce((sum, value, j) => sum + value * (attention[j] as number), bias) + (preferences[mark] as number),
        ),
      );
      const total = scores.reduce((a, b) => a + b, 0);
      const pooled = [0, 1].map((j) =>
        steps.reduce((sum, { own }, i) => sum + ((scores[i] as number) / total) * (own[j] as number), 0),
      );
      return [...network.head.forward(tensor([[...(steps[0]?.own ?? []), ...pooled]])).view()];
    });
    expectClose(network.forward(values, path, inference).view(), expected, 1e-5);
  });

  test('the transformer knows arcs along, against and both, and refuses what is too large', () => {
    const network = new g.DirectedTransformer(d, 3, random(), { hidden: 8, heads: 2, eigenvectors: 2 });
    const scores = network.forward(x, graph, inference).view().slice();
    for (const block of network.blocks) {
      // The relations alone: without them, turning an arc changes positions, not attention.
      expect(block.relations.shape).toEqual([2, 3]);
      block.relations.assign(block.relations.multiply(0));
    }
    expect(() => expectClose(network.forward(x, graph, inference).view(), scores, 1e-4)).toThrow();
    const small = new g.DirectedTransformer(d, 3, random(), { limit: 4 });
    expect(() => small.forward(x, graph, inference)).toThrow(
      '8 nodes attend to each other in 8² numbers a head, the limit is 4',
    );
  });
});
