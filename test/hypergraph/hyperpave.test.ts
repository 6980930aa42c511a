import { describe, expect, test } from 'vitest';
import { generatedCatalogue } from '../../src/data/index.js';
import {
  bestThreshold,
  fusions,
  HyperPAVE,
  type HyperPAVEOptions,
  meanAveragePrecision,
  type NodeTensors,
  nodeCounts,
  ProductGraph,
  ProductSage,
  type ProductScores,
  recallAt,
  valueF1,
} from '../../src/hypergraph/index.js';
import { gradientsOf, parameters, withWeights } from '../../src/nn/index.js';
import { SparsePattern } from '../../src/sparse/index.js';
import { eye, gatherKnownRows, Random, type Tensor, tensor, zeros } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const int = (...numbers: number[]) => Int32Array.from(numbers);

/** Five products, two categories, four values; product 4 is in no list and no category. */
const counts = { products: 5, categories: 2, values: 4 };
const links = {
  categoriesOf: [int(0), int(0, 1), int(1), int(1), int()],
  alsoView: [int(1, 2), int(0), int(), int(2), int()],
  alsoBuy: [int(3), int(), int(), int(), int()],
};
const labels = [int(0, 2), int(2), int(), int(1, 3), int()];
const graph = new ProductGraph(counts, links, labels);
const N = 11;

const sets = (kind: 'view' | 'buy' | 'aspect' | 'category', own = graph) =>
  own
    .hyperedges(kind)
    .hyperedges()
    .map((members) => [...members]);

describe('hyperedges', () => {
  test('of lists join a product with its list, and products in none stand alone', () => {
    expect(sets('view')).toEqual([[0, 1, 2], [0, 1], [2, 3], [4]]);
    expect(sets('buy')).toEqual([[0, 3], [1], [2], [4]]);
  });

  test('as in the release leave the product out, and need two listed products', () => {
    const released = new ProductGraph(counts, links, labels, { includeSelf: false });
    expect(sets('view', released)).toEqual([[1, 2], [0], [3], [4]]);
  });

  test('as pairs join a product with each of its list, once', () => {
    const pairs = new ProductGraph(counts, links, labels, { behaviour: 'pairs' });
    expect(sets('view', pairs)).toEqual([[0, 1], [0, 2], [2, 3], [4]]);
    expect(sets('buy', pairs)).toEqual([[0, 3], [1], [2], [4]]);
    expect(sets('aspect', pairs)).toEqual(sets('aspect'));
  });

  test('of products and values hold visible values alone', () => {
    expect(sets('aspect')).toEqual([[0, 7, 9], [1, 9], [2], [3, 8, 10], [4]]);
    expect(sets('category')).toEqual([[0, 1, 5, 7, 9], [1, 2, 3, 6, 8, 9, 10], [4]]);
    const hidden = graph.withLabels([int(), int(2), int(), int(), int()]);
    expect(sets('aspect', hidden)).toEqual([[0], [1, 9], [2], [3], [4]]);
    expect(sets('category', hidden)).toEqual([[0, 1, 5, 9], [1, 2, 3, 6, 9], [4]]);
    expect(hidden.hyperedges('view')).toBe(graph.hyperedges('view'));
  });
});

/** Rows of a tensor in double precision. */
const rows = (x: Tensor) => {
  const width = x.shape[1] as number;
  const values = [...x.view()];
  return Array.from({ length: x.shape[0] as number }, (_, r) => values.slice(r * width, (r + 1) * width));
};
const product = (x: number[], weight: number[][]) =>
  weight.map((row) => row.reduce((sum, w, k) => sum + w * (x[k] as number), 0));
const sumOf = (all: number[][], width: number) =>
  all.reduce((sum, row) => sum.map((s, k) => s + (row[k] as number)), new Array<number>(width).fill(0));
const times = (row: number[], factor: number) => row.map((value) => value * factor);

/** D_v⁻¹ H B⁻¹ Hᵀ XΘ + b by loops. */
function denseConvolution(x: number[][], edges: number[][], theta: number[][], bias: number[], n: number): number[][] {
  const moved = x.map((row) => product(row, theta));
  return Array.from({ length: n }, (_, v) => {
    const own = edges.filter((members) => members.includes(v));
    const means = own.map((members) =>
      times(
        sumOf(
          members.map((q) => moved[q] as number[]),
          bias.length,
        ),
        1 / members.length,
      ),
    );
    const sum = times(sumOf(means, bias.length), own.length === 0 ? 0 : 1 / own.length);
    return sum.map((value, k) => value + (bias[k] as number));
  });
}

const randomNetwork = (options: HyperPAVEOptions) => {
  const network = new HyperPAVE(6, new Random(3), { features: 6, ...options });
  if (network.convolution) {
    network.convolution.theta.assign(uniformTensor(4, [6, 6]));
    network.convolution.bias.assign(uniformTensor(5, [6]));
  }
  return network;
};
const x = uniformTensor(1, [N, 6]);

/** Rows of all nodes by type. */
const byType = (all: Tensor, { products, categories, values } = counts): NodeTensors => ({
  products: all.slice([0, products]),
  categories: all.slice([products, products + categories]),
  values: all.slice([products + categories, products + categories + values]),
});

describe('the network', () => {
  test.each(['user', 'inventory', 'all', 'none'] as const)(
    '%s: convolutions and their fusion equal loops',
    (hyperedges) => {
      const network = randomNetwork({ hyperedges });
      const fused = network.fuse(byType(x), graph);
      const convolution = network.convolution;
      const plain = rows(x);
      const weights = fusions[hyperedges] as Record<'product' | 'value', Record<string, number>>;
      const of = (kind: string) =>
        denseConvolution(
          plain,
          sets(kind as 'view'),
          rows(convolution?.theta as Tensor),
          [...(convolution?.bias.view() ?? [])],
          N,
        );
      const mixed = (type: 'product' | 'value', from: number, to: number) => {
        const parts = Object.entries(weights[type]);
        if (parts.length === 0) return plain.slice(from, to).flat();
        return sumOf(
          parts.map(([kind, weight]) => times(of(kind).slice(from, to).flat(), weight)),
          (to - from) * 6,
        );
      };
      expectClose(fused.products.view(), mixed('product', 0, 5), 1e-5);
      expectClose(fused.values.view(), mixed('value', 7, 11), 1e-5);
      const usesCategories = 'category' in weights.product;
      expectClose(fused.categories.view(), (usesCategories ? of('category') : plain).slice(5, 7).flat(), 1e-5);
    },
  );

  test('with Θ = I, b = 0 and one hyperedge {p, q} both get the mean', () => {
    const pair = new ProductGraph(
      { products: 2, categories: 0, values: 1 },
      { categoriesOf: [int(), int()], alsoView: [int(1), int()], alsoBuy: [int(1), int()] },
      [int(), int()],
    );
    const network = new HyperPAVE(6, new Random(3), { features: 6 });
    expect([...(network.convolution?.theta.view() ?? [])]).toEqual([...eye(6).view()]);
    const own = uniformTensor(2, [3, 6]);
    const mean = rows(own)[0]?.map((value, k) => (value + (rows(own)[1]?.[k] as number)) / 2) as number[];
    expectClose(network.fuse(byType(own, pair.counts), pair).products.view(), [...mean, ...mean], 1e-6);
  });

  test('a product with empty lists keeps its own row, as with the singleton alone', () => {
    const network = randomNetwork({ hyperedges: 'user' });
    const theta = rows(network.convolution?.theta as Tensor);
    const expected = product(rows(x)[4] as number[], theta).map(
      (value, k) => value + (network.convolution?.bias.view()[k] as number),
    );
    expectClose(network.fuse(byType(x), graph).products.view().subarray(24), expected, 1e-5);
  });

  test('weights of fusion sum to 1, also learnt ones, which start at the fixed ones', () => {
    for (const hyperedges of ['user', 'inventory', 'all'] as const)
      for (const type of ['product', 'value'] as const)
        for (const learnFusion of [false, true]) {
          const own = Object.values(
            new HyperPAVE(4, new Random(1), { features: 4, hyperedges, learnFusion }).fusionWeights(type),
          );
          if (own.length > 0) expect(own.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 6);
          expectClose(own, Object.values(fusions[hyperedges][type]), 1e-6);
        }
    expect(
      () => new HyperPAVE(4, new Random(1), { features: 4, fusion: { product: { view: 0.5 }, value: {} } }),
    ).toThrow('sum to 1');
  });

  test('the zero second layer leaves values at x⁰ and products at the fused features', () => {
    const network = randomNetwork({ hyperedges: 'all' });
    const { products, values } = network.embed(byType(x), graph);
    expect([...values.view()]).toEqual([...x.view().subarray(42)]);
    expect([...products.view()]).toEqual([...network.fuse(byType(x), graph).products.view()]);
    const released = randomNetwork({ hyperedges: 'all', residual: false }).embed(byType(x), graph);
    expect([...released.values.view()]).not.toEqual([...values.view()]);
  });

  test('a layer of SAGE equals its sums over relations by loops', () => {
    const layer = new ProductSage(3, new Random(7));
    const [p, c, a] = [uniformTensor(1, [5, 3]), uniformTensor(2, [2, 3]), uniformTensor(3, [4, 3])];
    const out = layer.forward({ products: p, categories: c, values: a }, graph);
    const relation = (own: ProductSage['productFromValue'], neighbours: number[][], self: number[]) => {
      const mean = times(sumOf(neighbours, 3), neighbours.length === 0 ? 0 : 1 / neighbours.length);
      const [near, root] = [product(mean, rows(own.neighbours.weight)), product(self, rows(own.root.weight))];
      return near.map((value, k) => value + (root[k] as number) + (own.neighbours.bias?.view()[k] as number));
    };
    const pick = (all: Tensor, which: ArrayLike<number>) => Array.from(which, (r) => rows(all)[r] as number[]);
    const holders = (lists: readonly Int32Array[], of: number) =>
      Array.from(lists.keys()).filter((v) => lists[v]?.includes(of));
    const products = rows(p).flatMap((self, v) => {
      const one = relation(layer.productFromCategory, pick(c, links.categoriesOf[v] as Int32Array), self);
      const two = relation(layer.productFromValue, pick(a, labels[v] as Int32Array), self);
      return one.map((value, k) => value + (two[k] as number));
    });
    expectClose(out.products.view(), products, 1e-5);
    expectClose(
      out.categories.view(),
      rows(c).flatMap((self, v) => relation(layer.categoryFromProduct, pick(p, holders(links.categoriesOf, v)), self)),
      1e-5,
    );
    expectClose(
      out.values.view(),
      rows(a).flatMap((self, v) => relation(layer.valueFromProduct, pick(p, holders(labels, v)), self)),
      1e-5,
    );
  });

  test('SAGE adds to both ends by way of ReLU, with raw values', () => {
    const network = randomNetwork({ hyperedges: 'all', residual: true });
    const [first, second] = network.layers;
    const fill = (layer: ProductSage | undefined, seed: number) => {
      for (const relation of [
        'productFromCategory',
        'productFromValue',
        'valueFromProduct',
        'categoryFromProduct',
      ] as const)
        layer?.[relation].root.weight.assign(uniformTensor(seed, [6, 6]));
    };
    fill(second, 8);
    const fused = network.fuse(byType(x), graph);
    const hidden = first?.forward(fused, graph);
    if (!hidden) throw new Error('no layer');
    const relu = (t: Tensor) => t.relu();
    const passed = second?.forward(
      { products: relu(hidden.products), categories: relu(hidden.categories), values: relu(hidden.values) },
      graph,
    );
    const { products, values } = network.embed(byType(x), graph);
    expectClose(products.view(), fused.products.add(passed?.products as Tensor).view(), 1e-6);
    expectClose(
      values.view(),
      tensor(x.view().slice(42), [4, 6])
        .add(passed?.values as Tensor)
        .view(),
      1e-6,
    );
  });

  test('scores are γ·cos + β, or dot products; pairs are those of the whole table', () => {
    const embedded = { products: uniformTensor(1, [5, 6]), values: uniformTensor(2, [4, 6]) };
    const [p, a] = [rows(embedded.products), rows(embedded.values)];
    const dot = (u: number[], v: number[]) => u.reduce((sum, value, k) => sum + value * (v[k] as number), 0);
    const network = new HyperPAVE(6, new Random(1), { features: 6 });
    const cosines = p.flatMap((u) => a.map((v) => (10 * dot(u, v)) / Math.sqrt(dot(u, u) * dot(v, v)) - 5));
    expectClose(network.allLogits(embedded).view(), cosines, 1e-5);
    const pairs = new SparsePattern(5, 4, int(0, 2, 2, 3, 3, 3), int(3, 0, 1));
    expectClose(network.pairLogits(embedded, pairs).view(), [cosines[3], cosines[0], cosines[9]] as number[], 1e-5);
    const plain = new HyperPAVE(6, new Random(1), { features: 6, score: 'dot' });
    expectClose(
      plain.allLogits(embedded).view(),
      p.flatMap((u) => a.map((v) => dot(u, v))),
      1e-5,
    );
  });

  test('of many products stages are computed again in the backward pass, with the same gradients', () => {
    const many = { products: 8192, categories: 2, values: 4 };
    const lists = (of: (p: number) => number[]) => Array.from({ length: many.products }, (_, p) => int(...of(p)));
    const large = new ProductGraph(
      many,
      {
        categoriesOf: lists((p) => [p % 2]),
        alsoView: lists((p) => (p % 3 === 0 ? [(p + 5) % 8192] : [])),
        alsoBuy: lists(() => []),
      },
      lists((p) => (p % 4 === 0 ? [p % 3] : [])),
    );
    const network = randomNetwork({ hyperedges: 'all', residual: false });
    const rowsOfAll = uniformTensor(2, [8198, 6]);
    const sumOfValues = (own: HyperPAVE) => own.embed(byType(rowsOfAll, many), large).values.square().sum();
    const { loss, gradients } = gradientsOf(network, sumOfValues);
    const step = 1e-2;
    for (const name of [
      'convolution.theta',
      'layers.0.valueFromProduct.neighbours.weight',
      'layers.1.valueFromProduct.root.weight',
    ]) {
      const weight = parameters(network)[name] as Tensor;
      const shifted = (delta: number) => {
        const values = weight.dataSync<Float32Array>();
        values[3] = (values[3] as number) + delta;
        return withWeights(network, { [name]: tensor(values, weight.shape) }, (own) => sumOfValues(own).item());
      };
      const numeric = (shifted(step) - shifted(-step)) / (2 * step);
      expect(Math.abs((gradients[name]?.view()[3] as number) - numeric)).toBeLessThan(
        0.02 * Math.max(1, Math.abs(numeric)),
      );
    }
    expect(loss.item()).toBeGreaterThan(0);
  });

  test('permuted products give permuted representations', () => {
    const order = [3, 0, 4, 1, 2];
    const place = (p: number) => order.indexOf(p);
    const moved = (lists: readonly Int32Array[], map: (v: number) => number) =>
      order.map((p) => Int32Array.from(lists[p] as Int32Array, map).sort());
    const permuted = new ProductGraph(
      counts,
      {
        categoriesOf: moved(links.categoriesOf, (c) => c),
        alsoView: moved(links.alsoView, place),
        alsoBuy: moved(links.alsoBuy, place),
      },
      moved(labels, (value) => value),
    );
    const network = randomNetwork({ hyperedges: 'all', residual: false });
    const other = gatherKnownRows(x, tensor(int(...order, 5, 6, 7, 8, 9, 10)));
    const expected = gatherKnownRows(network.embed(byType(x), graph).products, tensor(int(...order)));
    expectClose(network.embed(byType(other), permuted).products.view(), expected.view(), 1e-5);
    expectClose(
      network.embed(byType(other), permuted).values.view(),
      network.embed(byType(x), graph).values.view(),
      1e-5,
    );
  });

  test('learnt fusion and every other weight take part in the score', () => {
    const network = new HyperPAVE(6, new Random(1), {
      features: 6,
      hyperedges: 'all',
      learnFusion: true,
      residual: false,
    });
    expect(Object.keys(network.logits)).toEqual(['product', 'value']);
    expect(network.embed(byType(zeros([N, 6])), graph).products.shape).toEqual([5, 6]);
  });
});

describe('metrics', () => {
  const scores = uniformTensor(9, [5, 12]).dataSync<Float32Array>();
  const scored: ProductScores = { products: int(0, 1, 2, 3, 4), scores, values: 12 };
  const truth = [int(1, 5), int(0), int(), int(2, 3, 11), int(7)];
  const candidates = int(0, 1, 2, 5, 7, 8);
  const ranking = (at: number, among: number[]) =>
    among.sort((a, b) => (scores[at * 12 + b] as number) - (scores[at * 12 + a] as number));

  test('mean average precision equals a loop over ranks, among the candidates alone', () => {
    const averages = truth.flatMap((own, at) => {
      const order = ranking(at, [...candidates]);
      const hits = order.map((value) => own.includes(value));
      const found = hits.flatMap((hit, rank) =>
        hit ? [hits.slice(0, rank + 1).filter(Boolean).length / (rank + 1)] : [],
      );
      return found.length === 0 ? [] : [found.reduce((a, b) => a + b) / found.length];
    });
    expect(averages).toHaveLength(4);
    expect(meanAveragePrecision(scored, truth, candidates)).toBeCloseTo(averages.reduce((a, b) => a + b) / 4, 6);
  });

  test('recall at k is the share of the values found, and not whether one is', () => {
    const all = Array.from({ length: 12 }, (_, value) => value);
    const recalls = [0, 1, 3, 4].map((at) => {
      const own = truth[at] as Int32Array;
      const top = ranking(at, [...all]).slice(0, 6);
      return own.filter((value) => top.includes(value)).length / own.length;
    });
    expect(recalls.some((recall) => recall > 0 && recall < 1)).toBe(true);
    expect(recallAt(6, scored, truth)).toBeCloseTo(recalls.reduce((a, b) => a + b) / 4, 6);
    expect(recallAt(12, scored, truth, (_, value) => value !== 0)).toBe(1);
  });

  test('F1 is of the values that some product has, with their support', () => {
    const f1 = valueF1(scored.products, truth, candidates, (at, value) => value === 1 || (at === 4 && value === 7));
    expect(f1).toEqual([
      { value: 0, support: 1, f1: 0 },
      { value: 1, support: 1, f1: 2 / 6 },
      { value: 2, support: 1, f1: 0 },
      { value: 5, support: 1, f1: 0 },
      { value: 7, support: 1, f1: 1 },
    ]);
  });

  test('a value that no product has, and that is said of one, counts as an F1 of 0', () => {
    const never = valueF1(
      int(0, 1),
      [int(0), int(0)],
      int(0, 1, 2),
      (at, value) => value === 0 || (at === 1 && value === 2),
    );
    expect(never).toEqual([
      { value: 0, support: 2, f1: 1 },
      { value: 2, support: 0, f1: 0 },
    ]);
    // Value 1 of no product must not be said: the threshold stays above its scores.
    const scored: ProductScores = { products: int(0, 1), scores: Float32Array.of(0.9, 0.3, 0.8, 0.2), values: 2 };
    expect(bestThreshold(scored, [int(0), int(0)], int(0, 1))).toBeGreaterThan(Math.fround(0.3));
  });

  test('the threshold of the best macro-F1 tells separable scores apart', () => {
    const separable: ProductScores = { products: int(0, 1), scores: Float32Array.of(0.1, 0.9, 0.8, 0.2), values: 2 };
    const threshold = bestThreshold(separable, [int(1), int(0)], int(0, 1));
    expect(threshold).toBeGreaterThan(0.2);
    expect(threshold).toBeLessThanOrEqual(Math.fround(0.8));
  });
});

test('the generated catalogue has the sizes, texts and lists of its description', () => {
  const catalogue = generatedCatalogue(new Random(0));
  expect(nodeCounts(catalogue)).toEqual({ products: 500, categories: 5, values: 150 });
  expect(new Set(catalogue.values.map(({ value }) => value)).size).toBe(150);
  let [named, all] = [0, 0];
  catalogue.texts.forEach((text, p) => {
    const words = new Set(text.split(' '));
    const [category] = catalogue.categoriesOf[p] as Int32Array;
    expect(words.has(`category${category}`)).toBe(true);
    const own = catalogue.labels[p] as Int32Array;
    expect(own).toHaveLength(3);
    for (const value of own) {
      expect(Math.floor(value / 30)).toBe(category);
      named += Number(words.has(catalogue.values[value]?.value as string));
      all += 1;
    }
    expect(text.split(' ').length).toBeLessThanOrEqual(12);
  });
  expect(Math.abs(named / all - 0.5)).toBeLessThan(0.05);
  const shared = (lists: readonly Int32Array[]) => {
    const pairs = lists.flatMap((list, p) => Array.from(list, (q) => [p, q] as const));
    return (
      pairs.filter(([p, q]) => catalogue.labels[p]?.some((value) => catalogue.labels[q]?.includes(value))).length /
      pairs.length
    );
  };
  expect(shared(catalogue.alsoView)).toBeGreaterThan(0.8);
  expect(catalogue.alsoBuy.flatMap((list) => [...list]).length).toBeLessThan(
    catalogue.alsoView.flatMap((list) => [...list]).length,
  );
  expect(catalogue.alsoView.every((list, p) => !list.includes(p))).toBe(true);
});
