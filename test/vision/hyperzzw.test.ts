import { describe, expect, test } from 'vitest';
import { inference, Kar2, Kar3, parameter, parameters, training } from '../../src/nn/index.js';
import { eye, Random, scope, type Tensor, tensor, valueAndGrad, zeros } from '../../src/tensor/index.js';
import {
  BatchAverage,
  ContextMAGNet,
  circularConvolution,
  coordinates,
  frequencyFactors,
  GroupedStandardize,
  globalProduct,
  HyperChannelInteraction,
  HyperInteraction,
  MAGNet,
  renormalize,
  type StatisticsSource,
} from '../../src/vision/hyperzzw/index.js';
import { feedbackError } from '../../src/vision/hyperzzw/network.js';
import { checkGradient, expectClose, uniform, uniformTensor } from '../oracle.js';

const slow = { hidden: 5, layers: 2, frequency: 3 };
const at = (values: ArrayLike<number>, i: number) => values[i] as number;
const batchSource = (): StatisticsSource => ({ from: 'batch' });

describe('global operator', () => {
  const [a, b] = [uniform(1, 18), uniform(2, 18)];
  const of = (values: Float32Array) => tensor(values, [1, 2, 3, 3]);

  test('is the matrix product Ŵ·z of each map', () => {
    const expected = Float64Array.from({ length: 18 }, (_, p) => {
      const [c, i, j] = [Math.floor(p / 9), Math.floor((p % 9) / 3), p % 3];
      return [0, 1, 2].reduce((sum, k) => sum + at(a, 9 * c + 3 * i + k) * at(b, 9 * c + 3 * k + j), 0);
    });
    expectClose(globalProduct('matrix', of(a), of(b)).view(), expected);
    const identity = eye(3).reshape([1, 1, 3, 3]).broadcastTo([1, 2, 3, 3]);
    expect([...globalProduct('matrix', of(a), identity).view()]).toEqual([...a]);
  });

  test.each([7, 8])('is a circular convolution of sequences of %d', (length) => {
    const [x, y] = [uniformTensor(3, [2, 3, 1, length]), uniformTensor(4, [2, 3, 1, length])];
    const [u, v] = [x.view(), y.view()];
    const expected = Float64Array.from({ length: 6 * length }, (_, p) => {
      const [row, t] = [Math.floor(p / length) * length, p % length];
      let sum = 0;
      for (let s = 0; s < length; s++) sum += at(u, row + ((t - s + length) % length)) * at(v, row + s);
      return sum;
    });
    expectClose(globalProduct('circular', x, y).view(), expected);
  });

  test('gradient of the circular convolution', () => {
    checkGradient(circularConvolution, [uniformTensor(5, [2, 5]), uniformTensor(6, [2, 5])], { second: false });
  });

  test('refuses maps that do not fit', () => {
    const x = zeros([1, 1, 2, 3]);
    expect(() => globalProduct('matrix', x, x)).toThrow('the matrix product needs square maps, got 2×3');
    expect(() => globalProduct('circular', x, x)).toThrow('sequences, with a height of 1');
    expect(globalProduct('elementwise', x, x).shape).toEqual([1, 1, 2, 3]);
  });
});

describe('slow network', () => {
  test('coordinates are [row, column] from −1 to 1', () => {
    expect([...coordinates([2, 3]).view()]).toEqual([-1, -1, -1, 0, -1, 1, 1, -1, 1, 0, 1, 1]);
    expect([...coordinates([1, 3]).view()]).toEqual([-1, 0, 1]);
  });

  test('its kernel is the one of scalar loops, with P added after each product', () => {
    const net = new MAGNet([2, 3], 4, slow, new Random(1));
    net.positions.assign(uniform(7, 6));
    const points = [-1, 1].flatMap((row) => [-1, 0, 1].map((column) => [row, column]));
    const dense = (x: readonly number[], { weight, bias }: { weight: Tensor; bias: Tensor | undefined }) =>
      Array.from({ length: weight.shape[0] as number }, (_, o) =>
        x.reduce((sum, value, k) => sum + value * at(weight.view(), o * x.length + k), at(bias?.view() ?? [], o)),
      );
    const rows = points.map((point, p) => {
      const filters = net.filters.map((filter) => dense(point, filter).map(Math.sin));
      let [h = []] = filters;
      net.mixers.forEach((mixer, i) => {
        const mixed = dense(h, mixer);
        h = mixed.map((value, k) => value * at(filters[i + 1] as number[], k) + at(net.positions.view(), p));
      });
      return dense(h, net.output);
    });
    const expected = Float64Array.from({ length: 24 }, (_, i) => at(rows[i % 6] as number[], Math.floor(i / 6)));
    const kernel = net.kernel();
    expect(kernel.shape).toEqual([1, 4, 2, 3]);
    expectClose(kernel.view(), expected, 1e-4);
    expect([...net.kernel().view()]).toEqual([...kernel.view()]);
  });

  test('starts as the paper has it', () => {
    const net = new MAGNet([4, 4], 200, { hidden: 300, layers: 1, frequency: 3 }, new Random(2));
    const largest = (x: Tensor) => x.view().reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const bound = Math.sqrt(3 / 300);
    expect(largest((net.mixers[0] as { weight: Tensor }).weight)).toBeCloseTo(bound, 3);
    expect(largest(net.output.weight)).toBeCloseTo(bound / 4, 4);
    const [mixer] = net.mixers;
    expect(mixer?.bias?.view().every((value) => value === 1)).toBe(true);
    const meanSize = (i: number) => {
      const { weight } = net.filters[i] as { weight: Tensor };
      return weight.view().reduce((sum, value) => sum + Math.abs(value), 0) / weight.size;
    };
    // E|U| = 1/(2√2)·2π·ω₀·E γ, with E γ of 6 and 3.
    const unit = (2 * Math.PI * 3) / (2 * Math.SQRT2);
    expect(meanSize(0) / (6 * unit)).toBeCloseTo(1, 0);
    expect(meanSize(0) / meanSize(1)).toBeGreaterThan(1.7);
    expect(meanSize(0) / meanSize(1)).toBeLessThan(2.3);
  });

  test.each([
    [0, 1],
    [1, 1],
    [3, 2],
    [9, 0.5],
  ])('frequency factors of filter %d with rate %d', (index, rate) => {
    const draws = frequencyFactors(20_000, index, new Random(index), { rate });
    const mean = draws.reduce((a, b) => a + b, 0) / draws.length;
    const variance = draws.reduce((a, b) => a + (b - mean) ** 2, 0) / draws.length;
    expect(mean / (6 / ((index + 1) * rate))).toBeCloseTo(1, 1);
    expect(Math.abs(mean / (6 / ((index + 1) * rate)) - 1)).toBeLessThan(0.03);
    expect(Math.abs(variance / (6 / ((index + 1) * rate ** 2)) - 1)).toBeLessThan(0.1);
  });

  test('renormalisation: a·h + b·h/‖h‖, with the gradient of the second term alone', () => {
    const h = uniformTensor(8, [4, 3]);
    const values = h.view();
    const norm = (k: number) => Math.hypot(...[0, 1, 2, 3].map((p) => at(values, 3 * p + k)));
    const expected = Float64Array.from(values, (value, i) => 2 * value + (0.5 * value) / norm(i % 3));
    expectClose(renormalize(h, 2, 0.5).view(), expected);
    const weights = uniformTensor(9, [4, 3]);
    const gradient = valueAndGrad((x: Tensor) => renormalize(x, 2, 0.5).multiply(weights).sum())(h).gradient;
    // d/dh of b·Σ w·h/‖h‖ in closed form.
    const w = weights.view();
    const closed = Float64Array.from(values, (value, i) => {
      const k = i % 3;
      const dot = [0, 1, 2, 3].reduce((sum, p) => sum + at(w, 3 * p + k) * at(values, 3 * p + k), 0);
      return 0.5 * (at(w, i) / norm(k) - (value * dot) / norm(k) ** 3);
    });
    expectClose(gradient.view(), closed, 1e-4);
  });

  test('local kernels follow the batch, and a stored context at inference', () => {
    const source: StatisticsSource = { from: 'stored' };
    const net = new ContextMAGNet(2, [3, 3], slow, source, new Random(3));
    const [x, y] = [uniformTensor(10, [2, 2, 4, 4]), uniformTensor(11, [2, 2, 4, 4])];
    const stored = [...net.kernel(x, inference).view()];
    expect([...net.kernel(y, inference).view()]).toEqual(stored);
    const follow = training(new Random(0));
    expect([...net.kernel(x, follow).view()]).not.toEqual([...net.kernel(y, follow).view()]);
    const learnt = new ContextMAGNet(2, [3, 3], { ...slow, learnRenorm: true }, source, new Random(3));
    expect(Object.keys(parameters(learnt)).length - Object.keys(parameters(net)).length).toBe(2);
    expect([...learnt.kernel(x, follow).view()]).toEqual([...net.kernel(x, follow).view()]);
  });

  test('local feedback error of kernels of 2 and 4 channels, by hand', () => {
    const [first, second] = [tensor([1, 2], [1, 2, 1, 1]), tensor([1, 0, 3, 4], [1, 4, 1, 1])];
    // tile(first) = 1 2 1 2: differences 0 2 −2 −2.
    expect(feedbackError([first, second]).item()).toBeCloseTo(12 / 4, 6);
    expect(feedbackError([first]).item()).toBe(0);
    const third = tensor([1, 0, 3, 4, 1, 0, 3, 6], [1, 8, 1, 1]);
    // tile(second) − third: one 2; tile(first) − third: 0 2 −2 −2 0 2 −2 −4.
    expect(feedbackError([first, second, third]).item()).toBeCloseTo(3 + 4 / 8 + 36 / 8, 5);
  });
});

test('G-IBS: even groups by the batch, odd ones by the image', () => {
  const norm = new GroupedStandardize(4, 4, batchSource());
  const x = uniformTensor(12, [2, 4, 1, 2]);
  const v = (n: number, c: number, p: number) => at(x.view(), (n * 4 + c) * 2 + p);
  const expected = Float64Array.from({ length: 16 }, (_, i) => {
    const [n, c, p] = [Math.floor(i / 8), Math.floor(i / 2) % 4, i % 2];
    const all = (c % 2 === 0 ? [0, 1] : [n]).flatMap((m) => [v(m, c, 0), v(m, c, 1)]);
    const mean = all.reduce((a, b) => a + b) / all.length;
    const variance = all.reduce((a, b) => a + (b - mean) ** 2, 0) / all.length;
    return (v(n, c, p) - mean) / Math.sqrt(variance + 1e-5);
  });
  expectClose(norm.forward(x, inference).view(), expected, 1e-4);
  expect(() => new GroupedStandardize(10, 4, batchSource())).toThrow('10 channels do not form 4 groups');
});

test('averages over frozen batches are exact means', () => {
  const source: StatisticsSource = { from: 'batch' };
  const average = new BatchAverage([1], source, 1);
  [3, 5, 10].forEach((value, i) => {
    source.frozen = i;
    average.follow(tensor([value]), inference);
  });
  expect(average.value.item()).toBeCloseTo(6, 5);
  source.frozen = undefined;
  average.follow(tensor([99]), inference);
  expect(average.value.item()).toBeCloseTo(6, 5);
});

describe('interactions', () => {
  const x = uniformTensor(13, [1, 2, 2, 2], -2, 2);
  const y = uniformTensor(14, [1, 2, 2, 2], -2, 2);
  const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));
  const pooled = (own: Tensor, c: number) => [0, 1, 2, 3].reduce((sum, p) => sum + at(own.view(), 4 * c + p) / 4, 0);

  test('HCI by hand', () => {
    const layer = new HyperChannelInteraction(2, slow, new Random(4));
    layer.slow.output.bias?.assign(Float32Array.of(3));
    const kernel = layer.slow.kernel().view();
    const expected = Float64Array.from(x.view(), (value, i) => {
      const c = Math.floor(i / 4);
      return value * sigmoid(at(kernel, c) * pooled(x, c) ** 2);
    });
    expectClose(layer.forward(x).view(), expected);
  });

  test('HI by hand', () => {
    const layer = new HyperInteraction(2, [2, 2], slow, slow, new Random(5));
    layer.channel.output.bias?.assign(Float32Array.of(3));
    layer.spatial.output.bias?.assign(Float32Array.of(2));
    const [channel, spatial] = [layer.channel.kernel().view(), layer.spatial.kernel().view()];
    const expected = Float64Array.from(x.view(), (value, i) => {
      const [c, p] = [Math.floor(i / 4), i % 4];
      const mean = (at(y.view(), p) + at(y.view(), 4 + p)) / 2;
      return value * sigmoid(at(channel, c) * pooled(y, c) ** 2 * at(spatial, p) * mean ** 2);
    });
    expectClose(layer.forward(y, x).view(), expected);
  });
});

test.each([
  ['Kar3', Kar3, [-1, -2, 1, 2, 1]],
  ['Kar2', Kar2, [-1, -1, 1, 1, 1]],
] as const)('%s steps by the signs of the gradient and of the averages before it', (_, kind, expected) => {
  const weight = parameter(zeros([1]));
  const optimizer = new kind({ learningRate: 1e-3 });
  const path = [1, -1, -1, 2, -0.5].map((gradient) => {
    scope(() => optimizer.update({ weight }, { weight: tensor([gradient]) }));
    return Math.round(1e3 * weight.item());
  });
  expect(path).toEqual(expected);
  optimizer.update({ weight }, { weight: tensor([Number.NaN]) });
  expect(weight.item()).toBeNaN();
  expect(() => new kind({ betas: [1] })).toThrow('β must be in [0, 1), got 1');
});
