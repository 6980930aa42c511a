import { describe, expect, test } from 'vitest';
import * as g from '../../src/graph/index.js';
import { solve } from '../../src/linalg/index.js';
import { inference, parameters, training, withWeights } from '../../src/nn/index.js';
import { SparseMatrix } from '../../src/sparse/index.js';
import { Graph, graphOperator } from '../../src/structure/index.js';
import { eye, Random, scope, type Tensor, tensor, valueAndGrad } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const n = 9;
const random = () => new Random(4);
// Node 8 has no edges.
const graph = Graph.fromEdges(n, [0, 0, 1, 2, 3, 4, 5, 6, 2], [1, 2, 2, 3, 4, 5, 6, 7, 6]);
const x = uniformTensor(1, [n, 5]);
const dense = () => graphOperator(graph).toDense();
const neighbours = (v: number) => [...graph.neighbours(v)];

describe('layers equal their equations', () => {
  test('GCN: Â·H·W + b, wide or narrow, dense or sparse', () => {
    for (const out of [3, 7]) {
      const layer = new g.GCNConv(5, out, random());
      layer.linear.bias?.assign(uniformTensor(3, [out]));
      const expected = dense()
        .matmul(x)
        .matmul(layer.linear.weight, { transposeB: true })
        .add(layer.linear.bias as Tensor);
      expectClose(layer.forward(x, graph).view(), expected.view());
      expectClose(layer.forward(SparseMatrix.fromDense(x), graph).view(), expected.view());
    }
  });

  test('GraphSAGE: mean, sum and max of neighbours; an empty neighbourhood is 0', () => {
    for (const aggregator of ['mean', 'sum', 'max'] as const) {
      const layer = new g.SAGEConv(5, 4, random(), { aggregator });
      const pooled = aggregator === 'max' ? (layer.pool as NonNullable<typeof layer.pool>).forward(x, 'relu') : x;
      const values = pooled.view();
      const gathered = Array.from({ length: n }, (_, v) =>
        Array.from({ length: 5 }, (_, j) => {
          const own = neighbours(v).map((u) => values[u * 5 + j] as number);
          if (own.length === 0) return 0;
          if (aggregator === 'max') return Math.max(...own);
          const total = own.reduce((a, b) => a + b, 0);
          return aggregator === 'mean' ? total / own.length : total;
        }),
      );
      const expected = layer.own.forward(x).add(layer.neighbours.forward(tensor(gathered)));
      expectClose(layer.forward(x, graph).view(), expected.view());
    }
    const unit = new g.SAGEConv(5, 4, random(), { normalize: true }).forward(x, graph);
    expectClose(unit.square().sum(1).view(), new Array(n).fill(1));
  });

  test.each([1, 2] as const)('GAT version %i: softmax over neighbours and itself, by loops', (version) => {
    const [heads, d] = [2, 3];
    const layer = new g.GATConv(5, d, random(), { heads, version });
    const z = layer.send.forward(x).view();
    const other = layer.receive?.forward(x).view();
    const send = layer.attentionSend.view();
    const receive = layer.attentionReceive?.view();
    const leaky = (value: number) => (value > 0 ? value : 0.2 * value);
    const expected = Array.from({ length: n }, (_, v) =>
      Array.from({ length: heads }, (_, h) => {
        const reached = [...new Set([...neighbours(v), v])];
        const at = (values: Float32Array, u: number, j: number) => values[u * heads * d + h * d + j] as number;
        const range = Array.from({ length: d }, (_, j) => j);
        const score = (u: number) =>
          other
            ? range.reduce((total, j) => total + (send[h * d + j] as number) * leaky(at(other, v, j) + at(z, u, j)), 0)
            : leaky(
                range.reduce(
                  (total, j) =>
                    total + (receive?.[h * d + j] as number) * at(z, v, j) + (send[h * d + j] as number) * at(z, u, j),
                  0,
                ),
              );
        const weights = reached.map((u) => Math.exp(score(u)));
        const total = weights.reduce((a, b) => a + b, 0);
        return range.map((j) => reached.reduce((sum, u, i) => sum + ((weights[i] as number) / total) * at(z, u, j), 0));
      }),
    );
    expectClose(layer.forward(x, graph, inference).view(), expected.flat(3));
  });

  test('GAT with a = 0 is the mean over neighbours and itself', () => {
    const layer = new g.GATConv(5, 3, random(), { heads: 1 });
    layer.attentionSend.assign(layer.attentionSend.multiply(0));
    layer.attentionReceive?.assign(layer.attentionReceive.multiply(0));
    const mean = graphOperator(graph, { exponent: 0 }).matmul(layer.send.forward(x));
    expectClose(layer.forward(x, graph, inference).view(), mean.view());
  });

  test('GIN: MLP of (1 + ε)·h + sum', () => {
    const layer = new g.GINConv(5, 4, random(), { batchNorm: false });
    layer.epsilon.assign(tensor([0.3]));
    const summed = x.multiply(1.3).add(graph.adjacency.matmul(x));
    expectClose(
      layer.forward(x, graph, inference).view(),
      layer.outer.forward(layer.inner.forward(summed, 'relu')).view(),
    );
  });

  test('SGC with K = 0 is logistic regression, with K the k-th power', () => {
    const flat = new g.SGC(5, 3, random(), { steps: 0 });
    expectClose(flat.forward(x, graph).view(), flat.linear.forward(x).view());
    const deep = new g.SGC(5, 3, random(), { steps: 3 });
    const powered = dense().matmul(dense().matmul(dense().matmul(x)));
    expectClose(deep.forward(x, graph).view(), deep.linear.forward(powered).view());
  });

  test('APPNP tends to α(I − (1 − α)Â)⁻¹·H', () => {
    const h = uniformTensor(6, [n, 3]);
    const z = g.propagatePageRank(h, () => graphOperator(graph), 200, 0.1);
    const expected = solve(eye(n).subtract(dense().multiply(0.9)), h).multiply(0.1);
    expectClose(z.view(), expected.view(), 1e-4);
  });

  test('GCNII: α = 1 does not see the graph; α = 0 with β = 1 is plain GCN without bias', () => {
    const blind = new g.GCNII(5, 3, random(), { layers: 4, hidden: 6, alpha: 1 });
    const empty = Graph.fromEdges(n, [], []);
    expectClose(blind.forward(x, graph, inference).view(), blind.forward(x, empty, inference).view());
    // ln(λ/l + 1) = 1 in the one layer.
    const plain = new g.GCNII(5, 3, random(), { layers: 1, hidden: 6, alpha: 0, lambda: Math.E - 1 });
    const first = plain.input.forward(x, 'relu');
    const expected = plain.output.forward(
      dense()
        .matmul(first)
        .matmul(plain.weights[0] as Tensor)
        .relu(),
    );
    expectClose(plain.forward(x, graph, inference).view(), expected.view());
  });

  test.each([false, true])('GCNII follows its equation (separate weights: %s)', (separate) => {
    const network = new g.GCNII(5, 3, random(), { layers: 2, hidden: 6, alpha: 0.3, lambda: 0.7, separate });
    const first = network.input.forward(x, 'relu');
    const initial = first.multiply(0.3);
    let h = first;
    for (const [l, weight] of network.weights.entries()) {
      const beta = Math.log(0.7 / (l + 1) + 1);
      const smooth = dense().matmul(h).multiply(0.7);
      const mapped = (part: Tensor, own: Tensor) => part.multiply(1 - beta).add(part.matmul(own).multiply(beta));
      h = mapped(smooth, weight)
        .add(mapped(initial, network.initialWeights[l] ?? weight))
        .relu();
    }
    expectClose(network.forward(x, graph, inference).view(), network.output.forward(h).view());
  });

  test('JK-Net of one layer is GCN and a linear layer', () => {
    const network = new g.JKNet(5, 3, random(), { layers: 1, hidden: 4 });
    const [layer] = network.layers;
    const expected = network.head.forward((layer as g.GCNConv).forward(x, graph).relu());
    expectClose(network.forward(x, graph, inference).view(), expected.view());
  });
});

const networks: Readonly<Record<string, () => g.GraphModule>> = Object.fromEntries(
  Object.entries(g.recipes).map(([name, recipe]) => [name, () => (recipe as g.Recipe).create(5, 3, random())]),
);

describe.each(Object.keys(networks))('%s', (name) => {
  const make = networks[name] as () => g.GraphModule;

  test('relabelling nodes permutes the rows', () => {
    const order = new Random(8).permutation(n); // new node i is old node order[i]
    const { sources, targets } = graph.edges();
    const place = new Int32Array(n);
    order.forEach((v, i) => {
      place[v] = i;
    });
    const turned = Graph.fromEdges(
      n,
      sources.map((u) => place[u] as number),
      targets.map((v) => place[v] as number),
    );
    const network = make();
    const expected = network.forward(x, graph, inference).gatherRows(tensor(order));
    expectClose(network.forward(x.gatherRows(tensor(order)), turned, inference).view(), expected.view(), 1e-5);
  });

  test('gradients of the weights by finite differences; nothing is NaN at a node without edges', () => {
    const network = make();
    const weights = parameters(network);
    const probe = uniformTensor(77, [n, 3], 0.5, 1.5);
    const run = (values: Record<string, Tensor>) =>
      withWeights(network, values, (live) => live.forward(x, graph, inference).multiply(probe).sum());
    const { gradient } = valueAndGrad(run)(weights);
    let [right, checked] = [0, 0];
    for (const [name, weight] of Object.entries(weights)) {
      const analytic = (gradient[name] as Tensor).view();
      for (let element = 0; element < weight.size; element += Math.ceil(weight.size / 20)) {
        const at = (delta: number) =>
          scope(() => {
            const values = weight.dataSync();
            values[element] = (values[element] as number) + delta;
            return run({ ...weights, [name]: tensor(values, weight.shape) }).item();
          });
        const own = analytic[element] as number;
        const close = (step: number) =>
          Math.abs((at(step) - at(-step)) / (2 * step) - own) <= 2e-2 * Math.max(1, Math.abs(own));
        right += Number(close(1e-2) || close(1e-3));
        checked += 1;
      }
    }
    // A unit whose input lies at the bend of ReLU has no derivative to find.
    expect(right / checked).toBeGreaterThan(0.97);
    const trained = valueAndGrad((w: Record<string, Tensor>) =>
      withWeights(network, w, (live) => live.forward(x, graph, training(new Random(1))).sum()),
    )(weights);
    for (const own of Object.values(trained.gradient)) expect(own.view().every(Number.isFinite)).toBe(true);
  });
});

describe('label propagation', () => {
  const labels = Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1, 0);

  test('spreads labels along edges and keeps those given', () => {
    const scores = g.labelPropagation(graph, labels, Int32Array.of(0, 7), 2);
    const values = scores.view();
    expect([...values.subarray(0, 2)]).toEqual([1, 0]);
    expect([...values.subarray(14, 16)]).toEqual([0, 1]);
    expect(values[2] as number).toBeGreaterThan(values[3] as number);
    expect(values[13] as number).toBeGreaterThan(values[12] as number);
    expect([...values.subarray(16)]).toEqual([0, 0]);
  });

  test('correct and smooth repairs a classifier that errs on one side', () => {
    const logits = tensor(
      Float32Array.from({ length: 18 }, (_, i) => (i % 2 === 0 ? 0.4 : 0)),
      [n, 2],
    );
    const scores = g.correctAndSmooth(logits, graph, labels, Int32Array.of(0, 5, 7));
    const values = scores.view();
    for (const v of [6, 7]) expect(values[2 * v + 1] as number).toBeGreaterThan(values[2 * v] as number);
    for (const v of [0, 1]) expect(values[2 * v] as number).toBeGreaterThan(values[2 * v + 1] as number);
  });
});
