import { describe, expect, test } from 'vitest';
import * as g from '../../src/graph/index.js';
import { inference, parameters, training } from '../../src/nn/index.js';
import { SparseMatrix } from '../../src/sparse/index.js';
import { directedOperator, Graph, reversed } from '../../src/structure/index.js';
import { eye, Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const n = 9;
const random = () => new Random(4);
// Reciprocal pairs, a loop, a source, a sink; node 8 has no arcs.
const graph = Graph.fromEdges(n, [0, 1, 1, 2, 3, 3, 4, 5, 6, 2, 7], [1, 0, 2, 3, 4, 3, 2, 6, 5, 6, 0], {
  directed: true,
});
const x = uniformTensor(1, [n, 5]);
const sparse = SparseMatrix.fromDense(x);

/** S by its definition, D_out^{−1/2}·A·D_in^{−1/2}, with loops or without, and means over targets. */
function dense(own: Graph, { loops = false, mean = false } = {}): Tensor {
  const a = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const set = (u: number, v: number, value: number) => {
    (a[u] as number[])[v] = value;
  };
  own.forEachEntry((u, v, weight) => set(u, v, weight));
  if (loops) for (let v = 0; v < n; v++) set(v, v, 1);
  const out = a.map((row) => row.reduce((p, q) => p + q, 0));
  const into = a.map((_, v) => a.reduce((sum, row) => sum + (row[v] as number), 0));
  const part = (u: number, v: number) =>
    mean ? (out[u] as number) : Math.sqrt((out[u] as number) * (into[v] as number));
  return tensor(a.map((row, u) => row.map((value, v) => (value === 0 ? 0 : value / part(u, v)))));
}
const linear = (h: Tensor, own: { weight: Tensor; bias: Tensor | undefined }) => {
  const y = h.matmul(own.weight, { transposeB: true });
  return own.bias ? y.add(own.bias) : y;
};

describe('Dir-GNN', () => {
  test.each([0, 0.3, 1])('Dir-GCN and Dir-SAGE equal their equations at α = %f, dense or sparse', (alpha) => {
    for (const selfLoops of [false, true]) {
      const conv = new g.DirGCNConv(5, 7, random(), { alpha, selfLoops });
      const s = dense(graph, { loops: selfLoops });
      const expected = linear(s.matmul(x), conv.outward)
        .multiply(alpha)
        .add(linear(s.transpose().matmul(x), conv.inward).multiply(1 - alpha));
      expectClose(conv.forward(x, graph).view(), expected.view());
      expectClose(conv.forward(sparse, graph).view(), expected.view());
    }
    const sage = new g.DirSAGEConv(5, 3, random(), { alpha });
    const expected = linear(x, sage.own)
      .add(linear(dense(graph, { mean: true }).matmul(x), sage.outward).multiply(alpha))
      .add(linear(dense(reversed(graph), { mean: true }).matmul(x), sage.inward).multiply(1 - alpha));
    expectClose(sage.forward(x, graph).view(), expected.view());
  });

  test('Dir-GAT attends over targets on one side and over sources on the other', () => {
    const conv = new g.DirGATConv(5, 4, random(), { alpha: 0.3, heads: 2 });
    const [out, into] = [conv.outward.forward(x, graph, inference), conv.inward.forward(x, reversed(graph), inference)];
    expectClose(conv.forward(x, graph, inference).view(), out.multiply(0.3).add(into.multiply(0.7)).view());
    // With a = 0 node 2, whose arcs lead to 3 and 6, takes the mean of them and itself.
    for (const own of [conv.outward.attentionSend, conv.outward.attentionReceive as Tensor])
      own.assign(own.multiply(0));
    const z = conv.outward.send.forward(x).reshape([n, 2, 4]).mean(1).view();
    const found = conv.outward.forward(x, graph, inference).view();
    expectClose(
      found.subarray(8, 12),
      Array.from({ length: 4 }, (_, j) => ((z[8 + j] as number) + (z[12 + j] as number) + (z[24 + j] as number)) / 3),
    );
  });

  test.each(['gcn', 'sage', 'gat'] as const)('%s: turning all arcs swaps α and 1 − α', (conv) => {
    const make = (alpha: number) => new g.DirGNN(5, 3, random(), { conv, alpha, hidden: 6 });
    const [one, other] = [make(0.2), make(0.8)];
    // The same weights with the sides exchanged.
    const own = parameters(one);
    for (const [name, weight] of Object.entries(parameters(other))) {
      const swapped = name.replace(/outward|inward/, (side) => (side === 'outward' ? 'inward' : 'outward'));
      weight.assign(own[swapped] as Tensor);
    }
    const found = other.forward(x, reversed(graph), inference).view();
    expectClose(found, one.forward(x, graph, inference).view());
    const same = make(0.2);
    expect(
      Math.abs((same.forward(x, reversed(graph), inference).view()[0] as number) - (found[0] as number)),
    ).toBeGreaterThan(1e-3);
  });

  test('layers are joined by maximum, side by side, or not; rows have length 1 where asked', () => {
    const layers = (network: g.JumpingStack) => {
      const outputs: Tensor[] = [];
      for (const layer of network.layers) outputs.push(layer.forward(outputs.at(-1) ?? x, graph, inference).relu());
      return outputs as [Tensor, Tensor];
    };
    const make = (options: g.JumpingOptions) =>
      new g.JumpingStack(5, 3, (i, o, own) => new g.DirGCNConv(i, o, own), random(), { hidden: 4, ...options });
    const most = make({ jump: 'max' });
    const [a, b] = layers(most);
    const expected = linear(a.maximum(b), most.head as NonNullable<typeof most.head>);
    expectClose(most.forward(x, graph, inference).view(), expected.view());
    const wide = make({ jump: 'concatenate' });
    expect(wide.head?.inFeatures).toBe(8);
    const [c, d] = layers(wide);
    const rows = Array.from({ length: n }, (_, v) => [c, d].flatMap((h) => [...h.view().subarray(4 * v, 4 * v + 4)]));
    expectClose(
      wide.forward(x, graph, inference).view(),
      (wide.head as NonNullable<typeof wide.head>).forward(tensor(rows)).view(),
    );
    const plain = make({ jump: 'none', layers: 2 });
    const [first, second] = plain.layers as [g.GraphModule, g.GraphModule];
    const logits = second.forward(first.forward(x, graph, inference).relu(), graph, inference);
    expectClose(plain.forward(x, graph, inference).view(), logits.view());
    expect(plain.head).toBeUndefined();
    const unit = make({ jump: 'max', layers: 1, normalize: true });
    const h = (unit.layers[0] as g.GraphModule).forward(x, graph, inference).relu().view();
    const scaled = Array.from({ length: n }, (_, v) => {
      const own = [...h.subarray(4 * v, 4 * v + 4)];
      const length = Math.hypot(...own) || 1;
      return own.map((value) => value / length);
    });
    expectClose(
      unit.forward(x, graph, inference).view(),
      (unit.head as NonNullable<typeof unit.head>).forward(tensor(scaled)).view(),
    );
  });

  test('a learned α is among the parameters, starts in the middle and moves; others are checked', () => {
    const network = new g.DirGNN(5, 3, random(), { alpha: 'learned' });
    expect(network.alpha).toBe(0.5);
    expect(Object.keys(parameters(network))).toContain('alphaLogit');
    const fixed = new g.DirGNN(5, 3, random(), { alpha: 0.5 });
    expectClose(network.forward(x, graph, inference).view(), fixed.forward(x, graph, inference).view());
    expect(() => new g.DirGNN(5, 3, random(), { alpha: 1.2 })).toThrow('a share from 0 to 1');
  });

  test('symmetrised networks do not see directions', () => {
    const network = new g.Symmetrised(new g.DirGNN(5, 3, random(), { conv: 'sage' }));
    expectClose(network.forward(x, graph, inference).view(), network.forward(x, reversed(graph), inference).view());
  });
});

describe('spectral networks', () => {
  test('DGCN: one transformation over three operators', () => {
    const conv = new g.DGCNConv(5, 3, random());
    conv.bias.assign(uniformTensor(8, [9]));
    const a = dense(graph)
      .view()
      .map((value) => Number(value !== 0));
    const adjacency = tensor(a, [n, n]);
    const norm = (m: Tensor) => {
      const degrees = m.sum(1).view();
      const values = m
        .view()
        .map((value, i) => value / Math.sqrt((degrees[Math.floor(i / n)] as number) * (degrees[i % n] as number)));
      return tensor(values, [n, n]);
    };
    const inverse = (m: Tensor) =>
      tensor(
        m
          .sum(1)
          .view()
          .map((d) => (d === 0 ? 0 : 1 / d)),
        [n, 1],
      );
    const t = adjacency.transpose();
    // The one self-loop counts once in A ∪ Aᵀ ∪ I.
    const both = tensor(
      a.map((value, i) => Number(value > 0 || (a[(i % n) * n + Math.floor(i / n)] as number) > 0 || i % (n + 1) === 0)),
      [n, n],
    );
    const inward = t.matmul(adjacency.multiply(inverse(adjacency))).add(eye(n));
    const outward = adjacency.matmul(t.multiply(inverse(t))).add(eye(n));
    const theta = x.matmul(conv.linear.weight, { transposeB: true });
    const parts = [both, inward, outward].map((m) => norm(m).matmul(theta).view());
    const bias = conv.bias.view();
    const expected = Array.from({ length: n * 9 }, (_, i) => {
      const [v, j] = [Math.floor(i / 9), i % 9];
      return ((parts[Math.floor(j / 3)] as Float32Array)[v * 3 + (j % 3)] as number) + (bias[j] as number);
    });
    expectClose(conv.forward(x, graph).view(), expected);
    expectClose(conv.forward(sparse, graph).view(), expected);
    const network = new g.DGCN(5, 4, random(), { hidden: 3 });
    const h = network.layers.reduce<Tensor>((own, layer) => layer.forward(own, graph).relu(), x);
    expectClose(network.forward(x, graph, inference).view(), network.head.forward(h).view());
  });

  test("Clenshaw's sum equals the sum of Chebyshev polynomials", () => {
    const m = uniformTensor(5, [6, 6]).multiply(0.4);
    const terms = [1, 2, 3, 4].map((seed) => uniformTensor(seed, [6, 2]));
    for (let count = 1; count <= 4; count++) {
      const chain = [eye(6), m];
      while (chain.length < count)
        chain.push(
          m
            .matmul(chain.at(-1) as Tensor)
            .multiply(2)
            .subtract(chain.at(-2) as Tensor),
        );
      const expected = terms
        .slice(0, count)
        .map((y, k) => (chain[k] as Tensor).matmul(y))
        .reduce((p, q) => p.add(q));
      expectClose(g.chebyshevSum(terms.slice(0, count), (y) => m.matmul(y)).view(), expected.view());
    }
  });

  test.each([1, 3])('q = 0: MagNet of order %i is the real ChebNet on A_s', (order) => {
    const network = new g.MagNet(5, 3, random(), { q: 0, order, hidden: 4 });
    // D_s^{−1/2}·(A + Aᵀ)/2·D_s^{−1/2}, negated.
    const a = dense(graph)
      .view()
      .map((value) => Number(value !== 0));
    const half = a.map((value, i) => (value + (a[(i % n) * n + Math.floor(i / n)] as number)) / 2);
    const degrees = Array.from({ length: n }, (_, v) => half.subarray(v * n, (v + 1) * n).reduce((p, q) => p + q, 0));
    const scaled = half.map((value, i) =>
      value === 0 ? 0 : -value / Math.sqrt((degrees[Math.floor(i / n)] as number) * (degrees[i % n] as number)),
    );
    const l = tensor(scaled, [n, n]);
    let h = x;
    for (const layer of network.layers) {
      const chain = [eye(n), l];
      while (chain.length <= order)
        chain.push(
          l
            .matmul(chain.at(-1) as Tensor)
            .multiply(2)
            .subtract(chain.at(-2) as Tensor),
        );
      h = layer.weights
        .map((weight, k) => (chain[k] as Tensor).matmul(h).matmul(weight))
        .reduce((p, q) => p.add(q))
        .add(layer.bias)
        .relu();
    }
    const both = Array.from({ length: n }, (_, v) => {
      const own = [...h.view().subarray(4 * v, 4 * v + 4)];
      return [...own, ...own];
    });
    expectClose(network.forward(x, graph, inference).view(), network.head.forward(tensor(both)).view(), 1e-4);
    expectClose(network.forward(sparse, graph, inference).view(), network.forward(x, graph, inference).view(), 1e-4);
  });

  test('turning all arcs swaps the scores of q and −q, and q is seen', () => {
    const make = (q: number) => new g.MagNet(5, 3, random(), { q, order: 2 });
    const scores = (q: number, own: Graph) => make(q).forward(x, own, inference).view();
    expectClose(scores(0.2, graph), scores(-0.2, reversed(graph)), 1e-4);
    expect(() => expectClose(scores(0.2, graph), scores(0.2, reversed(graph)), 1e-3)).toThrow();
    expectClose(scores(0, graph), scores(0, reversed(graph)), 1e-4);
  });

  test('MagNet classifies both parts of what complex arithmetic gives', () => {
    const [q, width] = [0.2, 4];
    const network = new g.MagNet(5, 3, random(), { q, hidden: width });
    const has = (u: number, v: number) => Number(graph.hasEdge(u, v));
    const symmetric = (u: number, v: number) => (has(u, v) + has(v, u)) / 2;
    const degree = (u: number) => Array.from({ length: n }, (_, v) => symmetric(u, v)).reduce((p, r) => p + r, 0);
    // Rows of real and of imaginary parts.
    let z = Array.from({ length: n }, (_, v) =>
      [...x.view().subarray(5 * v, 5 * v + 5)].map((value) => [value, value]),
    );
    for (const { weights, bias } of network.layers) {
      const product = (weight: Tensor) =>
        z.map((row) =>
          Array.from({ length: width }, (_, j) =>
            [0, 1].map((part) =>
              row.reduce(
                (sum, value, i) => sum + (value[part] as number) * (weight.view()[i * width + j] as number),
                0,
              ),
            ),
          ),
        );
      const [constant, first] = weights.map(product) as [number[][][], number[][][]];
      z = constant.map((row, u) =>
        row.map(([re, im], j) => {
          let [a, b] = [(re as number) + (bias.view()[j] as number), (im as number) + (bias.view()[j] as number)];
          for (let v = 0; v < n; v++) {
            if (symmetric(u, v) === 0) continue;
            const size = symmetric(u, v) / Math.sqrt(degree(u) * degree(v));
            const phase = 2 * Math.PI * q * (has(u, v) - has(v, u));
            const [c, d] = (first[v] as [number, number][])[j] as [number, number];
            a -= size * (Math.cos(phase) * c - Math.sin(phase) * d);
            b -= size * (Math.sin(phase) * c + Math.cos(phase) * d);
          }
          return a >= 0 ? [a, b] : [0, 0];
        }),
      );
    }
    const parts = tensor(z.map((row) => [0, 1].flatMap((part) => row.map((value) => value[part] as number))));
    expectClose(
      new g.MagNetEncoder(5, 2 * width, random(), { q }).forward(x, graph, inference).view(),
      parts.view(),
      1e-4,
    );
    expectClose(network.forward(x, graph, inference).view(), network.head.forward(parts).view(), 1e-4);
  });

  test('the complex ReLU keeps both parts where the real one is not negative; it can be left out', () => {
    const z = tensor([
      [1, -2],
      [0, 3],
      [5, 6],
      [-7, 8],
    ]);
    expect(Array.from(g.complexRelu(z).view(), (value) => value + 0)).toEqual([1, 0, 0, 3, 5, 0, -7, 8]);
    expect([...g.partsSideBySide(z).view()]).toEqual([1, -2, 5, 6, 0, 3, -7, 8]);
    const [on, off] = [true, false].map((activation) =>
      new g.MagNet(5, 3, random(), { activation }).forward(x, graph, inference).view(),
    );
    expect(on).not.toEqual(off);
  });

  test('DiGCN and its inception blocks follow their equations', async () => {
    const { pageRankOperator, meetingOperator } = await import('../../src/structure/index.js');
    const [first, second] = [pageRankOperator(graph, 0.2).toDense(), meetingOperator(graph).toDense()];
    const plain = new g.DiGCN(5, 3, random(), { hidden: 4, alpha: 0.2 });
    const h = linear(first.matmul(x), { ...plain.first.linear, bias: undefined }).relu();
    expectClose(
      plain.forward(x, graph, inference).view(),
      linear(first.matmul(h), { ...plain.second.linear, bias: undefined }).view(),
    );
    const network = new g.DiGCNInception(5, 3, random(), { hidden: 4, alpha: 0.2 });
    let own = x;
    for (const block of network.blocks)
      own = linear(own, block.own)
        .add(linear(first.matmul(own), { weight: block.first.linear.weight, bias: block.first.linear.bias }))
        .add(linear(second.matmul(own), { weight: block.second.linear.weight, bias: block.second.linear.bias }));
    expectClose(network.forward(x, graph, inference).view(), own.view(), 1e-4);
  });
});

describe('all networks of the taxonomy', () => {
  const names = Object.keys(g.directedNetworks) as g.DirectedNetworkName[];
  const layout = { hidden: 8, heads: 2, steps: 2, depth: 2, dropout: 0 };
  const order = [4, 2, 8, 0, 6, 1, 7, 3, 5];
  /** Node `order[i]` becomes node i. */
  const renumbered = graph.induced(order);
  const moved = tensor(order.map((v) => [...x.view().subarray(5 * v, 5 * v + 5)]));

  test('each framework of the survey is there', () => {
    expect(new Set(Object.values(g.directedNetworks).map(({ framework }) => framework))).toEqual(new Set(g.frameworks));
  });

  // Walks are drawn by the numbers of nodes, and magnetic eigenvectors of equal eigenvalues are
  // defined up to a rotation.
  test.each(names.filter((name) => name !== 'directed-walk' && name !== 'directed-transformer'))(
    '%s: renumbering the nodes renumbers the scores',
    (name) => {
      const network = g.directedNetworks[name].create(5, 3, random(), layout);
      const scores = network.forward(x, graph, inference).view();
      const found = network.forward(moved, renumbered, inference).view();
      expectClose(
        found,
        order.flatMap((v) => [...scores.subarray(3 * v, 3 * v + 3)]),
        1e-4,
      );
    },
  );

  test.each(names)('%s: every weight has a gradient, and directions are seen', (name) => {
    const make = () => g.directedNetworks[name].create(5, 3, random(), layout);
    const network = make();
    const run = (own: Graph, mode = inference) => network.forward(x, own, mode).view().slice();
    expect(run(graph).length).toBe(3 * n);
    expect(run(graph).every(Number.isFinite)).toBe(true);
    // A symmetric operator of PageRank is of directions still: π differs.
    expect(() => expectClose(run(graph), run(reversed(graph)), 1e-3)).toThrow();
    expect(training(new Random(1)).training).toBe(true);
  });

  test.each(names)('%s learns the classes of arcs that wind one way', async (name) => {
    const blocks = 3;
    const size = 40;
    const own = new Random(11);
    const labels = Int32Array.from({ length: blocks * size }, (_, v) => Math.floor(v / size));
    const [sources, targets] = [[] as number[], [] as number[]];
    for (let u = 0; u < blocks * size; u++)
      for (let i = 0; i < 8; i++) {
        const next = ((labels[u] as number) + 1) % blocks;
        sources.push(u);
        targets.push(next * size + own.integer(size));
      }
    const winding = Graph.fromEdges(blocks * size, sources, targets, { directed: true });
    const noise = Float32Array.from(
      { length: 3 * blocks * size },
      (_, i) => own.gaussian() + (labels[Math.floor(i / 3)] === i % 3 ? 1 : 0),
    );
    const order2 = own.permutation(blocks * size);
    const data = {
      graph: winding,
      features: tensor(noise, [blocks * size, 3]),
      labels,
      classes: 3,
      train: order2.slice(0, 50),
      validation: order2.slice(50, 80),
    };
    const network = g.directedNetworks[name].create(3, 3, random(), { ...layout, hidden: 16, dropout: 0.2 });
    await g.trainNodes(network, data, new Random(2), { epochs: 80, learningRate: 0.02, patience: 40 });
    const accuracy = g.testAccuracy(network, { ...data, test: order2.slice(80) });
    // Features alone tell 55 %.
    expect(accuracy).toBeGreaterThan(75);
  });
});

test('the operator of one side is not that of the other', () => {
  expect(() =>
    expectClose(directedOperator(graph).toDense().view(), directedOperator(reversed(graph)).toDense().view()),
  ).toThrow();
});
