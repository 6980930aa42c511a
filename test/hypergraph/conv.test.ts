import { describe, expect, test } from 'vitest';
import * as conv from '../../src/hypergraph/index.js';
import { inference, type Linear, withWeights } from '../../src/nn/index.js';
import { SparseMatrix } from '../../src/sparse/index.js';
import { Hypergraph, symmetricPropagation } from '../../src/structure/index.js';
import { eye, Random, type Tensor, tensor, zeros } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

const random = new Random(4);
const h = new Hypergraph(
  7,
  [
    [0, 1, 2],
    [2, 3],
    [3, 4, 5, 6],
    [6, 0],
    [1, 5],
  ],
  [1, 2, 0.5, 1, 3],
);
const x = uniformTensor(1, [7, 4]);

/** Each layer as a function of features and hypergraph, 4 → 6 features. */
const layers: Record<string, (x: Tensor, h: Hypergraph) => Tensor> = (() => {
  const list = {
    HGNN: new conv.HGNNConv(4, 6, random),
    HGNNPlus: new conv.HGNNPlusConv(4, 6, random),
    HypergraphConvolution: new conv.HypergraphConvolution(4, 6, random),
    HNHN: new conv.HNHNConv(4, 6, random, { alpha: -1.5, beta: -0.5 }),
    UniGCN: new conv.UniGCNConv(4, 6, random),
    UniGIN: new conv.UniGINConv(4, 6, random),
    UniSAGE: new conv.UniSAGEConv(4, 6, random),
    UniGAT: new conv.UniGATConv(4, 6, random, { heads: 2 }),
    UniGCNII: new conv.UniGCNII(4, 5, 6, random, { layers: 4 }),
    AllDeepSets: new conv.AllDeepSetsConv(4, 6, random, { norm: 'degree' }),
    AllSetTransformer: new conv.AllSetTransformerConv(4, 6, random, { heads: 2 }),
    EDHNN: new conv.EDHNNConv(4, random),
    CliqueGCN: new conv.CliqueGCNConv(4, 6, random),
    CliqueGAT: new conv.CliqueGATConv(4, 6, random, { heads: 3 }),
  };
  return Object.fromEntries(
    Object.entries(list).map(([name, layer]) => [name, (features, hypergraph) => layer.forward(features, hypergraph)]),
  );
})();

function permuted(order: readonly number[]): { x: Tensor; h: Hypergraph; rows: (y: Tensor) => number[] } {
  const position = order.map((_, v) => order.indexOf(v));
  const edges = h.hyperedges().map((members) => Array.from(members, (v) => position[v] as number).reverse());
  return {
    x: x.gatherRows(tensor(Int32Array.from(order))),
    h: new Hypergraph(7, [...edges].reverse(), [...h.weights].reverse()),
    rows: (y) =>
      position.flatMap((at) => [...y.view().subarray(at * (y.shape[1] as number), (at + 1) * (y.shape[1] as number))]),
  };
}

describe.each(Object.entries(layers))('%s', (_name, layer) => {
  test('is equivariant in vertices and blind to the order of hyperedges and members', () => {
    const other = permuted([3, 6, 0, 5, 1, 4, 2]);
    expectClose(other.rows(layer(other.x, other.h)), layer(x, h).view(), 2e-5);
  });

  test('has the gradient that finite differences give', () => {
    checkGradient((v) => layer(v, h), [x], { step: 3e-3, tolerance: 2e-2, second: false });
  });
});

test('HyperGCN is equivariant given its random direction, and trains its weights', () => {
  for (const mediators of [true, false]) {
    const layer = () => new conv.HyperGCNConv(4, 6, new Random(8), { mediators });
    const other = permuted([3, 6, 0, 5, 1, 4, 2]);
    expectClose(other.rows(layer().forward(other.x, other.h)), layer().forward(x, h).view(), 1e-5);
  }
  const pair = new Hypergraph(2, [[0, 1]]);
  const layer = new conv.HyperGCNConv(2, 2, random);
  const y = withWeights(layer, { 'theta.weight': eye(2), 'theta.bias': zeros([2]) }, (l) =>
    l.forward(
      tensor([
        [1, 0],
        [0, 1],
      ]),
      pair,
    ),
  );
  // One edge of weight 1 and self-loops: D^{-1/2}(A+I)D^{-1/2} = ½.
  expectClose(y.view(), [0.5, 0.5, 0.5, 0.5], 1e-6);
});

/** A layer's propagation with Θ = I and b = 0. */
function bare(layer: { theta: Linear }, run: (l: never) => Tensor): Tensor {
  const weights: Record<string, Tensor> = { 'theta.weight': eye(4) };
  if (layer.theta.bias) weights['theta.bias'] = zeros([4]);
  return withWeights(layer, weights, run as never);
}

describe('named identities', () => {
  const dense = () => {
    const H = new SparseMatrix(h.incidence).toDense(); // N×M
    const diagonal = (values: ArrayLike<number>) => eye(values.length).multiply(tensor(Float32Array.from(values)));
    return { H, W: diagonal(h.weights), De: diagonal(h.hyperedgeSizes.map((s) => s)).maximum(0), diagonal };
  };

  test('HGNN equals D_v^{-1/2} H W D_e^{-1} Hᵀ D_v^{-1/2} X computed densely', () => {
    const { H, W, diagonal } = dense();
    const root = diagonal(Array.from(h.vertexDegrees, (d) => d ** -0.5));
    const inverse = diagonal(Array.from(h.hyperedgeSizes, (s) => 1 / s));
    const L = root.matmul(H).matmul(W).matmul(inverse).matmul(H, { transposeB: true }).matmul(root);
    const layer = new conv.HGNNConv(4, 4, random);
    expectClose(bare(layer, (l: conv.HGNNConv) => l.forward(x, h)).view(), L.matmul(x).view(), 1e-5);
    expectClose(L.view(), L.transpose().view(), 1e-6);
    // Eigenvector D_v^{1/2}·1 with eigenvalue 1.
    const v = tensor(Float32Array.from(h.vertexDegrees, Math.sqrt), [7, 1]);
    expectClose(L.matmul(v).view(), v.view(), 1e-5);
  });

  test('on a graph HGNN⁺ is the lazy random walk and HGNN its symmetric form', () => {
    const edges = [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 0],
      [0, 2],
      [4, 5],
      [5, 6],
      [6, 4],
    ];
    const graph = new Hypergraph(7, edges);
    const A = graph.cliqueExpansion().toDense();
    const degree = A.sum(1);
    const walk = A.divide(degree.reshape([7, 1]))
      .add(eye(7))
      .multiply(0.5);
    const root = degree.rsqrt();
    const symmetric = A.multiply(root)
      .multiply(root.reshape([7, 1]))
      .add(eye(7))
      .multiply(0.5);
    expectClose(
      bare(new conv.HGNNPlusConv(4, 4, random), (l: conv.HGNNPlusConv) => l.forward(x, graph)).view(),
      walk.matmul(x).view(),
      1e-5,
    );
    expectClose(
      bare(new conv.HGNNConv(4, 4, random), (l: conv.HGNNConv) => l.forward(x, graph)).view(),
      symmetric.matmul(x).view(),
      1e-5,
    );
  });

  test('UniGCN equals HGNN on a regular, uniform hypergraph', () => {
    const ring = new Hypergraph(
      6,
      Array.from({ length: 6 }, (_, i) => [i, (i + 1) % 6, (i + 2) % 6]),
    );
    const y = uniformTensor(2, [6, 4]);
    expectClose(
      bare(new conv.UniGCNConv(4, 4, random, { bias: false }), (l: conv.UniGCNConv) => l.forward(y, ring)).view(),
      bare(new conv.HGNNConv(4, 4, random), (l: conv.HGNNConv) => l.forward(y, ring)).view(),
      1e-5,
    );
  });

  test('HNHN with plain means and positive signals equals unweighted HGNN⁺', () => {
    const unweighted = new Hypergraph(7, h.hyperedges());
    const positive = x.abs();
    const identity = {
      'vertexToHyperedge.weight': eye(4),
      'vertexToHyperedge.bias': zeros([4]),
      'hyperedgeToVertex.weight': eye(4),
      'hyperedgeToVertex.bias': zeros([4]),
    };
    const y = withWeights(new conv.HNHNConv(4, 4, random), identity, (l) => l.forward(positive, unweighted));
    expectClose(
      y.view(),
      bare(new conv.HGNNPlusConv(4, 4, random), (l: conv.HGNNPlusConv) => l.forward(positive, unweighted)).view(),
      1e-5,
    );
  });

  test('HGNN⁺ keeps constants; isolated vertices give 0 without self-loops', () => {
    const lonely = new Hypergraph(3, [[0, 1]]);
    const y = bare(new conv.HGNNPlusConv(4, 4, random), (l: conv.HGNNPlusConv) =>
      l.forward(tensor(new Float32Array(12).fill(2), [3, 4]), lonely),
    );
    expectClose(y.view(), [2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0], 1e-6);
    expect(symmetricPropagation(lonely).toVertices.values?.view().every(Number.isFinite)).toBe(true);
  });

  test('HypergraphConvolution with attention weighs members by a softmax', () => {
    const layer = new conv.HypergraphConvolution(4, 6, random);
    checkGradient((v, e) => layer.forward(v, h, e), [x, uniformTensor(3, [5, 4])], {
      step: 3e-3,
      tolerance: 2e-2,
      second: false,
    });
    const even = withWeights(layer, { attention: zeros([6, 2]) }, (l) => l.forward(x, h, uniformTensor(3, [5, 4])));
    expect(even.view().every(Number.isFinite)).toBe(true);
  });
});

test('layers take sparse features', () => {
  const sparse = SparseMatrix.fromDense(x.relu());
  const layer = new conv.HGNNConv(4, 6, random);
  expectClose(layer.forward(sparse, h).view(), layer.forward(x.relu(), h).view(), 1e-5);
  expect(new conv.HypergraphNetwork('gat', 4, 6, 3, random).forward(sparse, h, inference).shape).toEqual([7, 3]);
});
