import { describe, expect, test } from 'vitest';
import {
  DualConv,
  GraphMultisetPool,
  HyperCluster,
  HyperDrop,
  RelationalConv,
  SAGPool,
  SeedPool,
  TopKPool,
  topShare,
  WeightedGCNConv,
  weightedOperator,
} from '../../src/hypergraph/index.js';
import { gradientsOf } from '../../src/nn/index.js';
import { Segments } from '../../src/sparse/index.js';
import { Graph, GraphCollection } from '../../src/structure/index.js';
import { add, Random, type Tensor, tanh, tensor } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

const random = new Random(3);
const lollipop = Graph.fromEdges(5, [0, 0, 1, 2, 3], [1, 2, 2, 3, 4]);
const star = Graph.fromEdges(4, [0, 0, 0], [1, 2, 3]);
const dots = Graph.fromEdges(2, [], []);
const graphs = GraphCollection.of([lollipop, dots, star]);
const nodes = uniformTensor(1, [11, 4]);
const edges = uniformTensor(2, [8, 4]);

/** Rows of a tensor. */
function rowsOf(x: Tensor): number[][] {
  const d = x.size / (x.shape[0] as number);
  return Array.from({ length: x.shape[0] as number }, (_, r) => Array.from(x.view().subarray(r * d, (r + 1) * d)));
}

describe('the share of rows that are kept', () => {
  test('is ⌈ρ·rows⌉ of each segment, of the highest scores, ascending', () => {
    const segments = Segments.fromSizes([5, 0, 3]);
    const scores = [0.1, 0.9, 0.5, 0.9, 0.2, -1, -3, -2];
    expect(Array.from(topShare(scores, segments, 0.5))).toEqual([1, 2, 3, 5, 7]);
    expect(Array.from(topShare(scores, segments, 1))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(Array.from(topShare(scores, segments, 0.01))).toEqual([1, 5]);
  });

  test('takes the first of equals, and no row more for rounding', () => {
    expect(Array.from(topShare(new Float32Array(4), Segments.fromSizes([4]), 0.5))).toEqual([0, 1]);
    expect(topShare(new Float32Array(20), Segments.fromSizes([20]), 0.35).length).toBe(7);
    expect(() => topShare([1], Segments.fromSizes([1]), 0)).toThrow(/above 0 and at most 1/);
  });
});

describe('graph convolution with weights', () => {
  test('is D̃^{−1/2}(A_w + I)D̃^{−1/2}, by hand on two nodes', () => {
    const pair = GraphCollection.of([Graph.fromEdges(2, [0], [1])]);
    const operator = weightedOperator(pair, tensor([0.25]));
    expectClose(operator.toDense().view(), [1 / 1.25, 0.25 / 1.25, 0.25 / 1.25, 1 / 1.25]);
  });

  test('leaves nodes of weight-0 edges with themselves alone', () => {
    const pair = GraphCollection.of([Graph.fromEdges(2, [0], [1])]);
    expectClose(
      weightedOperator(pair, tensor([0]))
        .toDense()
        .view(),
      [1, 0, 0, 1],
    );
  });

  test('passes messages one way when directed', () => {
    const pair = GraphCollection.of([Graph.fromEdges(2, [0], [1])]);
    const root = Math.SQRT1_2;
    expectClose(weightedOperator(pair, undefined, true).toDense().view(), [1, 0, root, 1 / 2]);
  });

  test('has gradients to features and to weights', () => {
    const conv = new WeightedGCNConv(4, 3, random);
    const weights = uniformTensor(5, [8], 0.2, 0.9);
    checkGradient((x, w) => conv.forward(x as Tensor, weightedOperator(graphs, w)), [nodes, weights], {
      step: 3e-3,
      tolerance: 2e-2,
      second: false,
    });
  });

  test('by relations takes means over the neighbours of each type, with weights of its own', () => {
    const conv = new RelationalConv(2, 2, 2, random);
    const path = GraphCollection.of([Graph.fromEdges(3, [0, 1], [1, 2])]);
    const x = tensor([1, 2, 3, 4, 5, 6], [3, 2]);
    const [own, relations] = [conv.own.weight.view(), conv.relations.weight.view()];
    const map = (w: ArrayLike<number>, at: number, [a, b]: readonly number[]) =>
      [0, 1].map((j) => (w[at + 2 * j] as number) * (a as number) + (w[at + 2 * j + 1] as number) * (b as number));
    const of = (parts: number[][]) => [0, 1].map((j) => parts.reduce((sum, part) => sum + (part[j] as number), 0));
    const [x0, x1, x2] = rowsOf(x) as [number[], number[], number[]];
    const expected = [
      of([map(own, 0, x0), map(relations, 0, x1)]),
      of([map(own, 0, x1), map(relations, 0, x0), map(relations, 4, x2)]),
      of([map(own, 0, x2), map(relations, 4, x1)]),
    ];
    expectClose(conv.forward(x, path, Int32Array.of(0, 1)).view(), expected.flat());
    const both = conv.forward(x, path, Int32Array.of(1, 1));
    const mean = [3, 4]; // of nodes 0 and 2
    expectClose(rowsOf(both)[1] as number[], of([map(own, 0, x1), map(relations, 4, mean)]));
  });
});

describe('convolution on the dual hypergraph', () => {
  test('keeps constants when Θ = I and b = 0, and adds b after propagation', () => {
    const conv = new DualConv(2, 2, random, { bias: 0.5 });
    conv.theta.weight = tensor([1, 0, 0, 1], [2, 2]);
    const constant = tensor(new Float32Array(16).fill(3), [8, 2]);
    expectClose(conv.forward(constant, graphs).view(), new Float32Array(16).fill(3.5));
  });

  test('has the gradient that finite differences give', () => {
    for (const width of [3, 6]) {
      const conv = new DualConv(4, width, random.split(width));
      checkGradient((e) => conv.forward(e as Tensor, graphs), [edges], { step: 3e-3, tolerance: 2e-2, second: false });
    }
  });
});

describe('HyperDrop', () => {
  const drop = new HyperDrop(4, 0.5, new Random(9));

  test('keeps ⌈ρ·m⌉ edges of each graph and every node', () => {
    const left = drop.forward(edges, graphs);
    expect(left.graphs.nodeCount).toBe(11);
    expect(Array.from(left.graphs.edges.offsets)).toEqual([0, 3, 3, 5]);
    const scores = left.scores.view();
    const weakest = Math.min(...Array.from(left.rows.subarray(0, 3), (row) => scores[row] as number));
    const gone = [0, 1, 2, 3, 4].filter((row) => !left.rows.includes(row));
    for (const row of gone) expect(scores[row] as number).toBeLessThanOrEqual(weakest);
    expectClose(
      left.weights.view(),
      Array.from(left.rows, (row) => Math.min(1, Math.max(0, scores[row] as number))),
    );
    expectClose(
      left.edges.view(),
      Array.from(left.rows).flatMap((row) => rowsOf(edges)[row] as number[]),
    );
  });

  test('weights an edge of negative score by 0, and keeps both its ends', () => {
    const all = new HyperDrop(1, 1, new Random(9));
    all.score.theta.weight = tensor([1], [1, 1]);
    all.score.bias = tensor([0]);
    // Edges of the lollipop have −0.3, those of the star 0.4: means within a graph change nothing.
    const left = all.forward(tensor([-0.3, -0.3, -0.3, -0.3, -0.3, 0.4, 0.4, 0.4], [8, 1]), graphs);
    expectClose(left.scores.view().subarray(4, 6), [Math.tanh(-0.3), Math.tanh(0.4)]);
    expectClose(left.weights.view(), [0, 0, 0, 0, 0, Math.tanh(0.4), Math.tanh(0.4), Math.tanh(0.4)]);
    expect(left.graphs.nodeCount).toBe(11);
  });

  test('gives scores a gradient through the weights', () => {
    const operator = (model: HyperDrop) => {
      const { graphs: kept, weights } = model.forward(edges, graphs);
      return weightedOperator(kept, weights).matmul(nodes);
    };
    const { gradients } = gradientsOf(drop, (live) =>
      operator(live)
        .multiply(uniformTensor(8, [11, 4]))
        .sum(),
    );
    expect(Math.max(...(gradients['score.theta.weight'] as Tensor).view().map(Math.abs))).toBeGreaterThan(1e-4);
    // Away from the kinks, the gradient through clamp(tanh) is what differences give.
    const scores = tensor([0.4, 0.7, 1.1]);
    checkGradient((s) => tanh(s as Tensor).clip(0, 1), [scores], { step: 1e-3, tolerance: 1e-2, second: false });
  });

  test('starts its scores at a bias of one half', () => {
    expectClose(new HyperDrop(4, 0.5, random).score.bias.view(), [0.5]);
  });
});

describe('HyperCluster', () => {
  const cluster = new HyperCluster(4, 3, new Random(2));
  const all = cluster.forward(edges, graphs);

  test('shares each edge out among the seeds of its graph', () => {
    const [shares] = all.attention as [Tensor];
    expect(shares.shape).toEqual([8, 3]);
    for (const row of rowsOf(shares)) expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
  });

  test('is Q + A·V, then O + ReLU(O·W_o + b), by hand', () => {
    const { pool } = cluster;
    const [q, v, shares] = [
      rowsOf(pool.query.forward(pool.seeds)),
      rowsOf(cluster.values.forward(edges, graphs)),
      rowsOf(all.attention[0] as Tensor),
    ];
    const k = rowsOf(cluster.keys.forward(edges, graphs));
    const score = (e: number, s: number) =>
      (k[e] as number[]).reduce((sum, value, j) => sum + value * ((q[s] as number[])[j] as number), 0) / 2;
    const powers = [0, 1, 2].map((s) => Math.exp(score(6, s)));
    expectClose(
      shares[6] as number[],
      powers.map((p) => p / powers.reduce((a, b) => a + b, 0)),
    );
    // Graph 2 has edges 5, 6 and 7; graph 1 has none and keeps the queries.
    const o = [0, 1, 2].flatMap((g) =>
      [0, 1, 2].map((s) =>
        [0, 1, 2, 3].map((j) =>
          [0, 1, 2, 3, 4, 5, 6, 7]
            .filter((e) => (g === 0 ? e < 5 : g === 2 && e >= 5))
            .reduce(
              (sum, e) => sum + ((shares[e] as number[])[s] as number) * ((v[e] as number[])[j] as number),
              (q[s] as number[])[j] as number,
            ),
        ),
      ),
    );
    const expected = tensor(o.flat(), [9, 4]);
    expectClose(all.pooled.view(), add(expected, pool.output.forward(expected, 'relu')).view());
  });

  test('spreads the pooled rows over the edges by Aᵀ·O', () => {
    const [shares, pooled] = [rowsOf(all.attention[0] as Tensor), rowsOf(all.pooled)];
    const expected = shares.flatMap((own, e) =>
      [0, 1, 2, 3].map((j) =>
        own.reduce((sum, share, s) => sum + share * ((pooled[(e < 5 ? 0 : 6) + s] as number[])[j] as number), 0),
      ),
    );
    expectClose(cluster.unpool(all, graphs).view(), expected);
  });

  test('of a batch is that of its graphs one by one, also with heads and norms', () => {
    for (const options of [{}, { heads: 2, norm: true }]) {
      const own = new HyperCluster(4, 3, new Random(2), options);
      const whole = rowsOf(own.forward(edges, graphs).pooled);
      const { graphs: alone, edgeRows } = graphs.select([2]);
      const single = own.forward(edges.gatherRows(tensor(edgeRows)), alone).pooled;
      expectClose(single.view(), whole.slice(6).flat());
    }
  });

  test('has the gradient that finite differences give', () => {
    checkGradient((e) => cluster.unpool(cluster.forward(e as Tensor, graphs), graphs), [edges], {
      step: 3e-3,
      tolerance: 2e-2,
      second: false,
    });
  });

  test('over rows, each seed reads a mean', () => {
    const pool = new SeedPool(4, 2, random, { over: 'rows' });
    const { attention } = pool.forward(edges, edges, graphs.edges);
    const shares = rowsOf(attention[0] as Tensor);
    for (const s of [0, 1])
      expect(shares.slice(0, 5).reduce((sum, own) => sum + (own[s] as number), 0)).toBeCloseTo(1, 5);
  });
});

describe('poolings of nodes', () => {
  test.each([
    ['TopKPool', new TopKPool(4, 0.5, random)],
    ['SAGPool', new SAGPool(4, 0.5, random)],
  ])('%s keeps ⌈ρ·n⌉ nodes of each graph, scaled by tanh of their scores', (_, pool) => {
    const { graphs: left, nodes: kept } = pool.forward(nodes, graphs);
    expect(Array.from(left.nodes.offsets)).toEqual([0, 3, 4, 6]);
    for (const row of rowsOf(kept)) {
      const ratios = rowsOf(nodes).map((own) => own.map((value, j) => (row[j] as number) / value));
      const spread = ratios.map((own) => Math.max(...own) - Math.min(...own));
      expect(Math.min(...spread)).toBeLessThan(1e-4);
    }
  });

  test('TopKPool scores by the direction alone, not its length', () => {
    const pool = new TopKPool(4, 0.5, random);
    const before = Array.from(pool.forward(nodes, graphs).nodes.view());
    pool.direction = pool.direction.multiply(3);
    expectClose(pool.forward(nodes, graphs).nodes.view(), before);
  });

  test('the graph multiset transformer gives a vector a graph, that of the graph alone', () => {
    const pool = new GraphMultisetPool(4, 3, random);
    const whole = rowsOf(pool.forward(nodes, graphs));
    const { graphs: alone, nodeRows } = graphs.select([2]);
    expectClose(pool.forward(nodes.gatherRows(tensor(nodeRows)), alone).view(), whole[2] as number[]);
  });
});
