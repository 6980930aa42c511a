import { describe, expect, test } from 'vitest';
import { svd } from '../../src/linalg/index.js';
import { trainOnImages } from '../../src/models/index.js';
import {
  AdamW,
  blockRows,
  buffers,
  followLayerKinds,
  gradientsOf,
  type HypercomplexLayer,
  hasHypercomplex,
  kroneckerSum,
  PHConv1d,
  PHConv2d,
  PHConv3d,
  PHLinear,
  parameterCount,
  parameters,
  presetAlgebra,
  stateOf,
  toPlain,
} from '../../src/nn/index.js';
import { conv2d, conv3d, Random, scope, type Tensor, tensor } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniform, uniformTensor } from '../oracle.js';
import { convolved, mapOf } from '../vision/naive.js';

/** Σ A[m, i, j]·F[m, p, q, k] by nested loops in double precision. */
function naiveSum(algebra: Tensor, filters: Tensor): Float64Array {
  const [n, outer, inner] = filters.shape as [number, number, number];
  const size = filters.size / (n * outer * inner);
  const [a, f] = [algebra.dataSync(), filters.dataSync()];
  const h = new Float64Array(n * n * outer * inner * size);
  for (let i = 0; i < n; i++)
    for (let p = 0; p < outer; p++)
      for (let j = 0; j < n; j++)
        for (let q = 0; q < inner; q++)
          for (let k = 0; k < size; k++) {
            let sum = 0;
            for (let m = 0; m < n; m++)
              sum += (a[(m * n + i) * n + j] as number) * (f[((m * outer + p) * inner + q) * size + k] as number);
            h[((i * outer + p) * n * inner + j * inner + q) * size + k] = sum;
          }
  return h;
}

describe('the sum of Kronecker products', () => {
  test.each([
    [1, 2, 3, []],
    [2, 3, 1, [3]],
    [3, 1, 2, [2, 3]],
    [4, 2, 1, [2, 2, 3]],
    [5, 1, 1, [1]],
    [8, 2, 1, [3, 3]],
  ])('n = %i, blocks of %i×%i, kernel %j: by loops', (n, outer, inner, kernel) => {
    const algebra = uniformTensor(1, [n, n, n]);
    const filters = uniformTensor(2, [n, outer, inner, ...kernel]);
    const h = kroneckerSum(algebra, filters);
    expect(h.shape).toEqual([n * outer, n * inner, ...kernel]);
    expectClose(h.dataSync(), naiveSum(algebra, filters), 2e-6);
  });

  test('gradients of the algebra and of the filters are those of differences, and theirs too', () => {
    checkGradient(kroneckerSum, [uniformTensor(3, [2, 2, 2]), uniformTensor(4, [2, 2, 1, 2])]);
    checkGradient(kroneckerSum, [uniformTensor(5, [3, 3, 3]), uniformTensor(6, [3, 1, 2])], { second: false });
  });

  test('gradients by their closed forms', () => {
    const [n, outer, inner, size] = [3, 2, 2, 4];
    const [algebra, filters] = [uniformTensor(1, [n, n, n]), uniformTensor(2, [n, outer, inner, 2, 2])];
    const g = uniformTensor(3, [n * outer, n * inner, 2, 2]);
    const layer = new PHConv2d(n * inner, n * outer, 2, n, new Random(1), { bias: false });
    layer.algebra.assign(algebra);
    layer.filters.assign(filters);
    const { gradients } = gradientsOf(layer, (live) => live.weight.multiply(g).sum());
    const [a, f, own] = [algebra, filters, g].map((one) => one.dataSync()) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const [da, df] = [new Float64Array(n ** 3), new Float64Array(filters.size)];
    for (let m = 0; m < n; m++)
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++)
          for (let p = 0; p < outer; p++)
            for (let q = 0; q < inner; q++)
              for (let k = 0; k < size; k++) {
                const at = ((m * outer + p) * inner + q) * size + k;
                const value = own[((i * outer + p) * n * inner + j * inner + q) * size + k] as number;
                da[(m * n + i) * n + j] = (da[(m * n + i) * n + j] as number) + value * (f[at] as number);
                df[at] = (df[at] as number) + value * (a[(m * n + i) * n + j] as number);
              }
    expectClose((gradients.algebra as Tensor).dataSync(), da, 1e-5);
    expectClose((gradients.filters as Tensor).dataSync(), df, 1e-5);
  });

  test('blocks of H as rows have rank n, unlike rows of interleaved channels', () => {
    const [n, outer, inner, size] = [3, 4, 5, 4];
    const layer = new PHConv2d(n * inner, n * outer, 2, n, new Random(2), { bias: false });
    const h = layer.weight.dataSync();
    /** Rows by blocks (i, j), where channel c belongs to component `of(c)` at place `at(c)`. */
    const rank = (of: (c: number, per: number) => number, at: (c: number, per: number) => number) => {
      const rows = new Float32Array(n * n * outer * inner * size);
      for (let o = 0; o < n * outer; o++)
        for (let c = 0; c < n * inner; c++)
          for (let k = 0; k < size; k++) {
            const row = of(o, outer) * n + of(c, inner);
            const column = (at(o, outer) * inner + at(c, inner)) * size + k;
            rows[row * outer * inner * size + column] = h[(o * n * inner + c) * size + k] as number;
          }
      const { s } = svd(tensor(rows, [n * n, outer * inner * size]));
      const values = s.dataSync();
      return values.filter((value) => value > 1e-5 * (values[0] as number)).length;
    };
    expect(
      rank(
        (c, per) => Math.floor(c / per),
        (c, per) => c % per,
      ),
    ).toBe(n);
    expect(
      rank(
        (c) => c % n,
        (c) => Math.floor(c / n),
      ),
    ).toBeGreaterThan(n);
  });

  test('`blockRows` is its inverse arrangement', () => {
    const [algebra, filters] = [uniformTensor(1, [2, 2, 2]), uniformTensor(2, [2, 3, 2, 2])];
    const rows = blockRows(kroneckerSum(algebra, filters), 2).dataSync();
    const expected = new Float64Array(4 * 12);
    for (let m = 0; m < 2; m++)
      for (let block = 0; block < 4; block++)
        for (let at = 0; at < 12; at++)
          expected[block * 12 + at] =
            (expected[block * 12 + at] as number) +
            (algebra.dataSync()[m * 4 + block] as number) * (filters.dataSync()[m * 12 + at] as number);
    expectClose(rows, expected, 1e-6);
    expect(() => blockRows(uniformTensor(1, [4, 3]), 2)).toThrow('n = 2 does not divide the first two axes of [4, 3]');
  });

  test('shapes that are none are refused', () => {
    for (const [a, f] of [
      [
        [2, 2],
        [2, 1, 1],
      ],
      [
        [2, 2, 3],
        [2, 1, 1],
      ],
      [
        [2, 2, 2],
        [3, 1, 1],
      ],
      [
        [2, 2, 2],
        [2, 1],
      ],
    ] as const)
      expect(() => kroneckerSum(uniformTensor(1, a), uniformTensor(2, f))).toThrow('expected A [n, n, n] and F');
  });
});

describe('known algebras', () => {
  const layerWith = (n: number, random = new Random(7)) =>
    new PHConv2d(2 * n, 3 * n, 3, n, random, { algebra: 'preset', padding: 1, stride: 2 });
  const part = (x: Tensor, at: number, per: number) => {
    const [images, channels, h, w] = x.shape as [number, number, number, number];
    const plane = h * w;
    const values = x.dataSync();
    const own = new Float32Array(images * per * plane);
    for (let i = 0; i < images; i++)
      own.set(
        values.subarray((i * channels + at * per) * plane, (i * channels + (at + 1) * per) * plane),
        i * per * plane,
      );
    return tensor(own, [images, per, h, w]);
  };
  const bank = (layer: PHConv2d, m: number) => {
    const [, outer, inner, h, w] = layer.filters.shape as [number, number, number, number, number];
    const size = outer * inner * h * w;
    return tensor(layer.filters.dataSync<Float32Array>().subarray(m * size, (m + 1) * size), [outer, inner, h, w]);
  };

  test('n = 1 is the real convolution, bit for bit', () => {
    const layer = layerWith(1);
    const x = uniformTensor(1, [2, 2, 7, 6]);
    const expected = conv2d(x, bank(layer, 0), layer.bias, { padding: 1, stride: 2 }).dataSync();
    expect(layer.forward(x).dataSync()).toEqual(expected);
  });

  /** Products of units u·v = ±w, as Hamilton wrote them: i² = j² = k² = ijk = −1. */
  const hamilton: Readonly<Record<string, string>> = {
    ...{ '1·1': '1', '1·i': 'i', '1·j': 'j', '1·k': 'k', i·1: 'i', j·1: 'j', k·1: 'k' },
    ...{ i·i: '-1', j·j: '-1', k·k: '-1' },
    ...{ i·j: 'k', j·k: 'i', k·i: 'j', j·i: '-k', k·j: '-i', i·k: '-j' },
  };

  test.each([
    [4, ['1', 'i', 'j', 'k']],
    [2, ['1', 'i']],
  ])('n = %i: the products of units, by separate real convolutions', (n, units) => {
    const layer = layerWith(n);
    const x = uniformTensor(3, [2, 2 * n, 5, 6]);
    const y = layer.forward(x);
    const sums = units.map(() => new Float64Array(part(y, 0, 3).size));
    for (const [m, left] of units.entries())
      for (const [j, right] of units.entries()) {
        const product = hamilton[`${left}·${right}`] as string;
        const sum = sums[units.indexOf(product.replace('-', ''))] as Float64Array;
        const own = conv2d(part(x, j, 2), bank(layer, m), undefined, { padding: 1, stride: 2 }).dataSync();
        own.forEach((value, at) => {
          sum[at] = (sum[at] as number) + (product.startsWith('-') ? -1 : 1) * value;
        });
      }
    const bias = layer.bias?.dataSync() as Float32Array;
    const [, , h, w] = y.shape as [number, number, number, number];
    for (const [i, sum] of sums.entries()) {
      const own = sum.map((value, at) => value + (bias[i * 3 + (Math.floor(at / (h * w)) % 3)] as number));
      expectClose(part(y, i, 3).dataSync(), own, 1e-5);
    }
  });

  test('others are refused', () => {
    expect(() => presetAlgebra(3)).toThrow('known are n = 1 (real), 2 (complex) and 4 (quaternions), got 3');
  });
});

describe('layers', () => {
  test('in one, two and no dimensions by plain loops over H', () => {
    const two = new PHConv2d(6, 3, 3, 3, new Random(1), { padding: 1, stride: 2 });
    const x = uniformTensor(1, [1, 6, 5, 7]);
    const h = { data: naiveSum(two.algebra, two.filters), shape: [3, 6, 3, 3] };
    const bias = { data: two.bias?.dataSync() as Float32Array, shape: [3] };
    const expected = convolved(mapOf(x.dataSync(), [6, 5, 7]), h, { bias, stride: 2, padding: 1 });
    expectClose(two.forward(x).dataSync(), expected.flat(2), 1e-5);

    const one = new PHConv1d(4, 2, 3, 2, new Random(2), { padding: 1 });
    const series = uniformTensor(2, [1, 4, 9]);
    const g = naiveSum(one.algebra, one.filters);
    const own = Array.from({ length: 2 * 9 }, (_, at) => {
      const [o, t] = [Math.floor(at / 9), at % 9];
      let sum = one.bias?.dataSync()[o] as number;
      for (let c = 0; c < 4; c++)
        for (let k = 0; k < 3; k++)
          sum +=
            (g[(o * 4 + c) * 3 + k] as number) *
            (series.dataSync()[c * 9 + t + k - 1] ?? 0) *
            Number(t + k - 1 >= 0 && t + k - 1 < 9);
      return sum;
    });
    expectClose(one.forward(series).dataSync(), own, 1e-5);

    const linear = new PHLinear(4, 6, 2, new Random(3));
    const rows = uniformTensor(3, [2, 4]);
    const w = naiveSum(linear.algebra, linear.filters);
    const product = Array.from({ length: 12 }, (_, at) => {
      const [row, o] = [Math.floor(at / 6), at % 6];
      let sum = linear.bias?.dataSync()[o] as number;
      for (let c = 0; c < 4; c++) sum += (w[o * 4 + c] as number) * (rows.dataSync()[row * 4 + c] as number);
      return sum;
    });
    expectClose(linear.forward(rows).dataSync(), product, 1e-5);
    expectClose(
      linear.forward(rows, 'relu').dataSync(),
      product.map((value) => Math.max(0, value)),
      1e-5,
    );
  });

  test('in three dimensions by plain loops, with strides, borders and gaps', () => {
    const options = { stride: [2, 1, 2], padding: [1, 0, 1], dilation: [1, 2, 1] } as const;
    const layer = new PHConv3d(4, 2, [2, 2, 3], 2, new Random(4), options);
    const [depth, height, width] = [4, 5, 6];
    const x = uniformTensor(5, [2, 4, depth, height, width]);
    const values = x.dataSync();
    const h = naiveSum(layer.algebra, layer.filters);
    const at = (image: number, c: number, z: number, y: number, w: number) =>
      z < 0 || z >= depth || y < 0 || y >= height || w < 0 || w >= width
        ? 0
        : (values[(((image * 4 + c) * depth + z) * height + y) * width + w] as number);
    const out = layer.forward(x);
    expect(out.shape).toEqual([2, 2, 3, 3, 3]);
    const expected = Array.from({ length: out.size }, (_, place) => {
      const [w, y, z] = [place % 3, Math.floor(place / 3) % 3, Math.floor(place / 9) % 3];
      const [o, image] = [Math.floor(place / 27) % 2, Math.floor(place / 54)];
      let sum = layer.bias?.dataSync()[o] as number;
      for (let c = 0; c < 4; c++)
        for (let a = 0; a < 2; a++)
          for (let b = 0; b < 2; b++)
            for (let d = 0; d < 3; d++)
              sum +=
                (h[((o * 4 + c) * 2 + a) * 6 + b * 3 + d] as number) *
                at(image, c, 2 * z + a - 1, y + 2 * b, 2 * w + d - 1);
      return sum;
    });
    expectClose(out.dataSync(), expected, 1e-5);
    checkGradient(
      (own, weight) => conv3d(own, weight, undefined, { padding: [1, 0, 0] }),
      [uniformTensor(1, [1, 2, 2, 2, 2]), uniformTensor(2, [1, 2, 2, 1, 2])],
      { second: false },
    );
    expect(() => conv3d(x, uniformTensor(1, [2, 3, 1, 1, 1]))).toThrow('conv3d: expected x [n, c, d, h, w]');
    expect(() => conv3d(x, uniformTensor(1, [2, 4, 7, 1, 1]))).toThrow('a kernel of depth 7 does not fit 4 planes');
    expect(() => conv3d(x, uniformTensor(1, [2, 4, 1, 1, 1]), undefined, { stride: [0, 1, 1] })).toThrow(
      'positive integers',
    );
  });

  test('have n³ parameters and 1/n of the real weights, unless the algebra is fixed', () => {
    const make = (algebra: 'learned' | 'frozen' | 'preset') =>
      new PHConv2d(8, 12, 3, 4, new Random(1), { algebra, bias: false });
    expect(parameterCount(make('learned'))).toBe(4 ** 3 + (8 * 12 * 9) / 4);
    for (const kind of ['frozen', 'preset'] as const) {
      expect(parameterCount(make(kind))).toBe((8 * 12 * 9) / 4);
      expect(Object.keys(buffers(make(kind)))).toEqual(['algebra']);
    }
    const state = stateOf(make('learned'));
    expect(Object.keys(state)).toEqual(['algebra', 'filters']);
    expect(Object.keys(parameters(new PHLinear(6, 9, 3, new Random(1))))).toEqual(['algebra', 'filters', 'bias']);
  });

  test('training moves a learnt algebra, and no other', () => {
    for (const [algebra, moves] of [
      ['learned', true],
      ['frozen', false],
      ['preset', false],
    ] as const) {
      const layer = new PHLinear(4, 4, 4, new Random(1), { algebra });
      const [before, filters] = [layer.algebra.dataSync(), layer.filters.dataSync()];
      const { gradients } = gradientsOf(layer, (live) =>
        live
          .forward(uniformTensor(1, [3, 4]))
          .square()
          .sum(),
      );
      new AdamW({ learningRate: 0.1 }).update(parameters(layer), gradients);
      expect(Array.from(layer.algebra.dataSync()).some((value, i) => value !== before[i])).toBe(moves);
      expect(layer.filters.dataSync()).not.toEqual(filters);
    }
  });

  test('start with the variances that they say', () => {
    const variance = (values: ArrayLike<number>) =>
      Array.from(values).reduce((sum, value) => sum + value * value, 0) / values.length;
    const make = (options: ConstructorParameters<typeof PHConv2d>[5]) =>
      new PHConv2d(32, 64, 3, 8, new Random(3), { ...options, bias: true });
    const drawn = make({});
    expect(variance(drawn.algebra.dataSync()) * 64).toBeCloseTo(1, 0);
    expect(Math.max(...drawn.algebra.dataSync().map(Math.abs))).toBeLessThanOrEqual(Math.sqrt(3) / 8);
    const bound = Math.sqrt(6 / ((64 / 8 + 8) * (32 / 8) * 9));
    expect(Math.max(...drawn.filters.dataSync().map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(variance(drawn.filters.dataSync()) / (bound ** 2 / 3)).toBeCloseTo(1, 1);
    expect(Math.max(...(drawn.bias?.dataSync() ?? []).map(Math.abs))).toBeLessThanOrEqual(1 / Math.sqrt(32));
    const he = make({ init: 'he' });
    expect(Math.abs((variance(he.weight.dataSync()) * (32 * 9)) / 2 - 1)).toBeLessThan(0.15);
    const quaternion = new PHConv2d(32, 64, 3, 4, new Random(3), { init: 'he', algebra: 'preset' });
    expect(Math.abs((variance(quaternion.weight.dataSync()) * (32 * 9)) / 2 - 1)).toBeLessThan(0.1);
    const glorot = new PHConv2d(32, 64, 3, 4, new Random(3), { algebra: 'preset' });
    expect(Math.abs((variance(glorot.weight.dataSync()) * (96 * 9)) / 2 - 1)).toBeLessThan(0.1);
  });

  test('name the nearest sizes where n does not divide, and refuse groups', () => {
    const random = new Random(1);
    expect(() => new PHConv2d(64, 6, 3, 3, random)).toThrow(
      'PHConv2d: n = 3 does not divide 64 inputs; the nearest are 63 and 66',
    );
    expect(() => new PHLinear(6, 4, 3, random)).toThrow('n = 3 does not divide 4 outputs; the nearest are 3 and 6');
    expect(() => new PHConv1d(2, 3, 3, 3, random)).toThrow('the nearest are 3');
    expect(() => new PHConv2d(4, 4, 3, 0, random)).toThrow('n must be a positive integer, got 0');
    expect(() => new PHConv2d(4, 4, 3, 2, random, { groups: 2 })).toThrow('every output reads every input');
  });
});

test('every output reads every input, unlike in groups', () => {
  const layer = new PHConv2d(6, 6, 1, 3, new Random(1), { bias: false });
  expect(Array.from(layer.weight.dataSync()).filter((value) => value === 0)).toEqual([]);
});

test('weight decay leaves algebras alone', async () => {
  const layer = new PHConv2d(3, 3, 1, 3, new Random(1));
  const model = { layer, forward: (x: Tensor) => layer.forward(x).mean([2, 3]) };
  const [before, filters] = [layer.algebra.dataSync(), layer.filters.dataSync()];
  const pixels = Uint8Array.from(uniform(1, 4 * 3 * 4, 0, 255));
  const train = { count: 4, channels: 3, height: 2, width: 2, pixels, labels: Int32Array.from([0, 1, 2, 0]) };
  const data = {
    name: 'd',
    classes: ['a', 'b', 'c'],
    train,
    test: { ...train, count: 0 },
    mean: [0, 0, 0],
    deviation: [1, 1, 1],
  };
  await trainOnImages(model, data, new Random(1), {
    ...{ epochs: 1, batchSize: 4, learningRate: 0.1, weightDecay: 1, schedule: () => () => 1 },
    loss: (live, { images }) => live.forward(images, { training: true }).multiply(0).sum(),
  });
  expect(layer.algebra.dataSync()).toEqual(before);
  expectClose(
    layer.filters.dataSync(),
    filters.map((value) => 0.9 * value),
    1e-6,
  );
});

describe('kinds of layers', () => {
  const network = (): { a: HypercomplexLayer; b: HypercomplexLayer; c: { d: HypercomplexLayer }[] } => ({
    a: new PHConv2d(4, 4, 3, 2, new Random(1), { padding: 1 }),
    b: new PHConv1d(4, 2, 3, 2, new Random(2), { bias: false }),
    c: [{ d: new PHLinear(4, 8, 4, new Random(3)) }],
  });

  test('weights written out compute the same', () => {
    const model = network();
    const inputs = [uniformTensor(1, [2, 4, 5, 5]), uniformTensor(2, [2, 4, 7]), uniformTensor(3, [2, 4])] as const;
    const run = ({ a, b, c }: ReturnType<typeof network>) =>
      [a, b, c[0]?.d].map((layer, i) => (layer as unknown as PHConv2d).forward(inputs[i] as Tensor).dataSync());
    const before = run(model);
    expect(hasHypercomplex(model)).toBe(true);
    expect(toPlain(model)).toEqual(['a', 'b', 'c.0.d']);
    expect(hasHypercomplex(model)).toBe(false);
    expect(Object.keys(parameters(model))).toEqual(['a.weight', 'a.bias', 'b.weight', 'c.0.d.weight', 'c.0.d.bias']);
    run(model).forEach((values, i) => {
      expectClose(values, before[i] as Float32Array, 1e-6);
    });
    expect(toPlain(model)).toEqual([]);
  });

  test('follow the weights of a file, both ways', () => {
    const plain = network();
    toPlain(plain);
    const [own, theirs] = [network(), stateOf(plain)];
    followLayerKinds(own, theirs);
    expect(Object.keys(stateOf(own))).toEqual(Object.keys(theirs));
    followLayerKinds(plain, stateOf(network()));
    expect(Object.keys(stateOf(plain)).sort()).toEqual(Object.keys(stateOf(network())).sort());
    expect((plain.a as PHConv2d).options.padding).toBe(1);
    for (const [shape, filters] of [
      [
        [2, 2],
        [2, 2, 2, 3, 3],
      ],
      [
        [2, 2, 3],
        [2, 2, 2, 3, 3],
      ],
      [
        [2, 2, 2],
        [3, 2, 2, 3, 3],
      ],
      [
        [2, 2, 2],
        [2, 2, 2, 3],
      ],
    ] as const) {
      const fresh = network();
      toPlain(fresh);
      const wrong = { 'a.algebra': uniformTensor(1, shape), 'a.filters': uniformTensor(2, filters) };
      expect(() => followLayerKinds(fresh, wrong)).toThrow('"a"');
    }
  });
});

test('H follows its parts', () => {
  const layer = new PHConv2d(4, 4, 3, 2, new Random(1));
  const first = scope(() => layer.weight.dataSync());
  layer.filters.assign(layer.filters.multiply(2));
  expectClose(
    scope(() => layer.weight.dataSync()),
    first.map((value) => 2 * value),
    1e-6,
  );
});
