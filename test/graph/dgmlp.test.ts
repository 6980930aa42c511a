import { describe, expect, test } from 'vitest';
import { memoryUse, withOwnPeak } from '../../src/engine/index.js';
import * as g from '../../src/graph/index.js';
import { inference } from '../../src/nn/index.js';
import { SparseMatrix } from '../../src/sparse/index.js';
import { Graph } from '../../src/structure/index.js';
import { Random, scope, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

// Two components and a node without edges.
const n = 8;
const d = 4;
const edges = [
  [0, 1],
  [1, 2],
  [2, 3],
  [0, 2],
  [4, 5],
  [5, 6],
] as const;
const graphOf = (pairs: readonly (readonly [number, number])[], nodes: number) =>
  Graph.fromEdges(
    nodes,
    pairs.map(([u]) => u),
    pairs.map(([, v]) => v),
  );
const graph = graphOf(edges, n);
const x = uniformTensor(3, [n, d], 0, 1);

type Rows = number[][];

/** D̃^{r−1}(A + I)D̃^{−r} as nested arrays. */
function operator(pairs: readonly (readonly [number, number])[], nodes: number, exponent: number): Rows {
  const loops = Array.from({ length: nodes }, (_, u) => Array.from({ length: nodes }, (_, v) => Number(u === v)));
  for (const [u, v] of pairs)
    for (const [a, b] of [
      [u, v],
      [v, u],
    ] as const)
      (loops[a] as number[])[b] = 1;
  const degrees = loops.map((row) => row.reduce((total, value) => total + value, 0));
  return loops.map((row, u) =>
    row.map((value, v) => value * (degrees[u] as number) ** (exponent - 1) * (degrees[v] as number) ** -exponent),
  );
}

const rowsOf = (values: ArrayLike<number>, width: number): Rows =>
  Array.from({ length: values.length / width }, (_, v) => Array.from(values).slice(v * width, (v + 1) * width));
const product = (a: Rows, b: Rows): Rows =>
  a.map((row) =>
    (b[0] as number[]).map((_, j) => row.reduce((sum, value, k) => sum + value * (b[k]?.[j] as number), 0)),
  );
const power = (start: Rows, steps: number, exponent = 0.5, pairs = edges as readonly (readonly [number, number])[]) => {
  const own = operator(pairs, start.length, exponent);
  let y = start;
  for (let k = 0; k < steps; k++) y = product(own, y);
  return y;
};
const cosine = (a: readonly number[], b: readonly number[]) => {
  const dot = (p: readonly number[], q: readonly number[]) =>
    p.reduce((sum, value, j) => sum + value * (q[j] as number), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};
const start = rowsOf(x.view(), d);
const limit = power(start, 4096);
const level = (k: number, v: number) => {
  const hop = power(start, k)[v] as number[];
  return cosine(hop, start[v] as number[]) * (1 - cosine(hop, limit[v] as number[]));
};
/** x̂ by definition. */
const adaptive = (steps: number, temperature = 1): number[] =>
  start.flatMap((own, v) => {
    const weights = Array.from({ length: steps + 1 }, (_, k) => Math.exp(level(k, v) / temperature));
    const total = weights.reduce((a, b) => a + b);
    return own.map((_, j) => weights.reduce((sum, w, k) => sum + (w / total) * (power(start, k)[v]?.[j] as number), 0));
  });

describe('smoothing', () => {
  test.each([0, 0.3, 0.5, 1])('the stationary state is the limit of powers, r = %f', (exponent) => {
    const state = g.stationaryState(x, graph, exponent).view();
    expectClose(state, power(start, 4096, exponent).flat(), 1e-5);
    // A sum of its own for each component.
    expect(Math.abs((state[0] as number) - (state[4 * d] as number))).toBeGreaterThan(0.01);
    expect(() => g.stationaryState(x, Graph.fromEdges(n, [0], [1], { directed: true }))).toThrow('undirected');
  });

  test('NSL by hand on a path of four nodes', () => {
    const path = graphOf(
      [
        [0, 1],
        [1, 2],
        [2, 3],
      ],
      4,
    );
    const features = tensor([1, 0, 0, 1, 1, 1, 0, 2], [4, 2]);
    // Â of the path has 1/2 and 1/√6 in row 0, so that x_0^1 = (1/2, 1/√6); x_0^∞ = √2·Σ√d̃_u·x_u/10.
    const near = [0.5, 1 / Math.sqrt(6)];
    const [two, three] = [Math.SQRT2, Math.sqrt(3)];
    const far = [two + three, 2 * three + 2 * two];
    const alpha = cosine(near, [1, 0]);
    const beta = cosine(near, far);
    const { nodes } = g.smoothness(features, path, 1);
    expect(nodes[1]?.[0]).toBeCloseTo(alpha * (1 - beta), 6);
    expect(nodes[0]?.[0]).toBeCloseTo(1 - cosine([1, 0], far), 6);
  });

  test('levels by definition, GSL their mean; 0 at a node without edges', () => {
    const { nodes, graph: levels } = g.smoothness(x, graph, 6);
    for (let k = 0; k <= 6; k++) {
      const expected = start.map((_, v) => level(k, v));
      expectClose(nodes[k] as Float32Array, expected, 1e-5);
      expect(levels[k]).toBeCloseTo(expected.reduce((a, b) => a + b) / n, 5);
    }
    for (const own of nodes) expect(own[7]).toBeCloseTo(0, 5);
    expect(levels[6] as number).toBeLessThan(levels[0] as number);
  });

  test('weights sum to 1 over the hops of a node and are equal at a node without edges', () => {
    const weights = g.hopWeights(g.smoothness(x, graph, 5), 0.2);
    for (let v = 0; v < n; v++) expect(weights.reduce((total, own) => total + (own[v] as number), 0)).toBeCloseTo(1, 5);
    expect(weights[2]?.[7]).toBeCloseTo(1 / 6, 5);
    expect(weights[0]?.[0]).not.toBeCloseTo(weights[0]?.[4] as number, 3);
    expect(() => g.nodeAdaptiveFeatures(x, graph, 2, { temperature: 0 })).toThrow('at least 0.03');
  });

  test.each([1, 3, 256])(
    'combined features equal the definition, in blocks of %i columns, dense or sparse',
    (block) => {
      for (const temperature of [1, 0.3]) {
        const expected = adaptive(5, temperature);
        for (const features of [x, SparseMatrix.fromDense(x)]) {
          const combined = g.nodeAdaptiveFeatures(features, graph, 5, { temperature, block });
          expectClose(combined.view(), expected, 1e-5);
        }
      }
    },
  );

  test('memory holds blocks and the result, not a copy of each hop', async () => {
    const [nodes, columns, block] = [1000, 512, 32];
    const wide = uniformTensor(1, [nodes, columns]);
    const ring = graphOf(
      Array.from({ length: nodes - 1 }, (_, v) => [v, v + 1] as const),
      nodes,
    );
    g.weightedHops(wide, ring, [1, 1]); // makes the operator
    const { bytes } = memoryUse();
    for (const steps of [2, 12]) {
      const { peakBytes } = await withOwnPeak(() =>
        scope(() => g.nodeAdaptiveFeatures(wide, ring, steps, { block }).view()[0]),
      );
      expect(peakBytes - bytes).toBeLessThan(4 * nodes * (columns + 4 * block) * 1.1);
    }
  });

  test('features of a zero row stay zero', () => {
    const holes = tensor(
      x.view().map((value, at) => (at < d || at >= 7 * d ? 0 : value)),
      [n, d],
    );
    const combined = g.nodeAdaptiveFeatures(holes, graph, 3).view();
    expect(combined.every(Number.isFinite)).toBe(true);
    expect([...combined.subarray(7 * d)]).toEqual([0, 0, 0, 0]);
  });
});

describe('hops', () => {
  const rows = Int32Array.of(6, 0, 3);

  test('hops of some rows, and their combinations', () => {
    const hops = g.hopRows(SparseMatrix.fromDense(x), graph, 5, rows, { block: 3 });
    for (let k = 0; k <= 5; k++)
      expectClose(
        hops.hops[k] as Float32Array,
        Array.from(rows).flatMap((v) => power(start, k)[v] as number[]),
        1e-5,
      );
    expectClose(
      hops.limit,
      Array.from(rows).flatMap((v) => limit[v] as number[]),
      1e-5,
    );
    const whole = rowsOf(adaptive(4), d);
    expectClose(
      g.nodeAdaptiveRows(hops, 4).view(),
      Array.from(rows).flatMap((v) => whole[v] as number[]),
      1e-5,
    );
    expect(() => g.weightedRows(hops, new Array(7).fill(1))).toThrow('7 weights for 6 hops');
    expect(() => g.hopRows(x, graphOf([], 3), 2, rows)).toThrow('features of 8 nodes for a graph of 3');
    expect(() => g.weightedHops(x, graph, [1], { block: 0 })).toThrow('positive number of columns');
  });

  test('fixed weights: SGC the last, the mean all, S²GC and GBP by their formulas', () => {
    const [k0, k1, k2, k3] = [0, 1, 2, 3].map((k) => power(start, k).flat()) as [
      number[],
      number[],
      number[],
      number[],
    ];
    const by = (value: (j: number) => number) => k0.map((_, j) => value(j));
    const of = (own: number[], j: number) => own[j] as number;
    const cases = [
      [g.hopWeightings.last(3), by((j) => of(k3, j))],
      [g.hopWeightings.mean(3), by((j) => (of(k0, j) + of(k1, j) + of(k2, j) + of(k3, j)) / 4)],
      [g.hopWeightings.averaged(3, 0.1), by((j) => 0.1 * of(k0, j) + 0.3 * (of(k1, j) + of(k2, j) + of(k3, j)))],
      [
        g.hopWeightings.pageRank(3, 0.2),
        by((j) => 0.2 * (of(k0, j) + 0.8 * of(k1, j) + 0.64 * of(k2, j) + 0.512 * of(k3, j))),
      ],
    ] as const;
    for (const [weights, expected] of cases) {
      const combination = g.fixedWeights(weights);
      expectClose(combination.all(x, graph).view(), expected, 1e-5);
      const own = rowsOf(expected, d);
      const some = combination.of(g.hopRows(x, graph, 4, rows));
      expectClose(
        some.view(),
        Array.from(rows).flatMap((v) => own[v] as number[]),
        1e-5,
      );
    }
  });
});

describe('DGMLP', () => {
  test('K = 0 is the perceptron on the features; depth 1 is a linear model', () => {
    const model = new g.DGMLP(d, 3, new Random(1), { steps: 0 });
    expectClose(model.forward(x, graph, inference).view(), model.transformation.head.forward(x).view());
  });

  test('a graph of its own gives features of its own', () => {
    const model = new g.DGMLP(d, 3, new Random(1), { steps: 3 });
    const first = [...model.forward(x, graph, inference).view()];
    const other = [...model.forward(x, graphOf([[0, 7]], n), inference).view()];
    expect(other[0]).not.toBeCloseTo(first[0] as number, 4);
    expectClose(model.forward(x, graph, inference).view(), first);
  });

  test('the residual perceptron adds, concatenates or drops the input of a layer', () => {
    const make = (skip: 'residual' | 'dense' | 'none') =>
      new g.ResidualMLP(d, 3, new Random(1), { depth: 4, hidden: 6, skip, dropout: 0 });
    const layer = (mlp: g.ResidualMLP, l: number, h: Tensor) =>
      (mlp.norms[l] as (typeof mlp.norms)[number])
        .forward((mlp.layers[l] as (typeof mlp.layers)[number]).forward(h), inference)
        .relu();
    const residual = make('residual');
    let h = layer(residual, 0, x);
    for (const l of [1, 2]) h = layer(residual, l, h).add(h);
    expectClose(residual.forward(x, inference).view(), residual.head.forward(h).view());
    const plain = make('none');
    h = layer(plain, 2, layer(plain, 1, layer(plain, 0, x)));
    expectClose(plain.forward(x, inference).view(), plain.head.forward(h).view());
    expect(make('dense').layers.map(({ inFeatures }) => inFeatures)).toEqual([d, 6, 12]);
    expect(make('dense').forward(x, inference).shape).toEqual([n, 3]);
  });
});
