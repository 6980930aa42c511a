import { describe, expect, test } from 'vitest';
import * as ops from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniform, uniformTensor } from '../oracle.js';

/** Maclaurin series in double precision, the continued fraction of erfc beyond 2.5. */
function erf(x: number): number {
  if (Math.abs(x) > 2.5) return Math.sign(x) * (1 - erfc(Math.abs(x)));
  let term = x;
  let total = x;
  for (let n = 1; n < 60; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

function erfc(x: number): number {
  if (x < 2.5) return 1 - erf(x);
  let fraction = 0;
  for (let k = 80; k > 0; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

interface Case {
  readonly op: (x: ops.Tensor) => ops.Tensor;
  readonly reference: (x: number) => number;
  readonly domain: readonly [number, number];
  /** Largest relative error against double precision, in units of 2⁻²³. */
  readonly ulps: number;
  readonly gradient?: readonly [number, number] | false;
  readonly second?: boolean;
}

const cases: Record<string, Case> = {
  abs: { op: ops.abs, reference: Math.abs, domain: [-50, 50], ulps: 0, gradient: [0.2, 2] },
  sqrt: { op: ops.sqrt, reference: Math.sqrt, domain: [0, 1e6], ulps: 1, gradient: [0.5, 2] },
  exp: { op: ops.exp, reference: Math.exp, domain: [-85, 88], ulps: 3, gradient: [-1, 1] },
  log: { op: ops.log, reference: Math.log, domain: [1e-30, 1e30], ulps: 3, gradient: [0.5, 2] },
  tanh: { op: ops.tanh, reference: Math.tanh, domain: [-10, 10], ulps: 4, gradient: [-1, 1] },
  sigmoid: { op: ops.sigmoid, reference: (x) => 1 / (1 + Math.exp(-x)), domain: [-30, 30], ulps: 5, gradient: [-2, 2] },
  erf: { op: ops.erf, reference: erf, domain: [-3, 3], ulps: 5, gradient: [-1, 1] },
  gelu: {
    op: ops.gelu,
    reference: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
    domain: [-1, 4],
    ulps: 8,
    gradient: [-1, 1],
  },
  relu: {
    op: ops.relu,
    reference: (x) => Math.max(x, 0),
    domain: [-50, 50],
    ulps: 0,
    gradient: [0.2, 2],
    second: false,
  },
  sin: { op: ops.sin, reference: Math.sin, domain: [-1.5, 1.5], ulps: 4, gradient: [-2, 2] },
  cos: { op: ops.cos, reference: Math.cos, domain: [-1.5, 1.5], ulps: 6, gradient: [-2, 2] },
  sign: { op: ops.sign, reference: Math.sign, domain: [-3, 3], ulps: 0, gradient: false },
  floor: { op: ops.floor, reference: Math.floor, domain: [-30, 30], ulps: 0, gradient: false },
  reciprocal: { op: ops.reciprocal, reference: (x) => 1 / x, domain: [0.01, 100], ulps: 1, gradient: [0.7, 2] },
  rsqrt: { op: ops.rsqrt, reference: (x) => 1 / Math.sqrt(x), domain: [0.01, 100], ulps: 2, gradient: [0.7, 2] },
  square: { op: ops.square, reference: (x) => x * x, domain: [-50, 50], ulps: 1, gradient: [-2, 2] },
  softplus: {
    op: ops.softplus,
    reference: (x) => Math.log1p(Math.exp(x)),
    domain: [-4, 30],
    ulps: 40,
    gradient: [-2, 2],
  },
  silu: { op: ops.silu, reference: (x) => x / (1 + Math.exp(-x)), domain: [-20, 20], ulps: 6, gradient: [-2, 2] },
  leakyRelu: {
    op: (x) => ops.leakyRelu(x, 0.2),
    reference: (x) => (x > 0 ? x : Math.fround(0.2) * x),
    domain: [-9, 9],
    ulps: 1,
    gradient: [-2, -0.2],
  },
  elu: {
    op: (x) => ops.elu(x, 0.7),
    reference: (x) => (x > 0 ? x : 0.7 * Math.expm1(x)),
    domain: [-5, 5],
    ulps: 4000,
    gradient: [-2, -0.2],
  },
  negate: { op: ops.negate, reference: (x) => -x, domain: [-9, 9], ulps: 0, gradient: [-2, 2] },
};

describe.each(Object.entries(cases))(
  '%s',
  (_name, { op, reference, domain: [low, high], ulps, gradient, second = true }) => {
    test('equals the double-precision function within its error bound, also in the tail of a vector', () => {
      const logarithmic = low > 0 && high / low > 1e6;
      const x = logarithmic
        ? uniform(1, 10_003, Math.log(low), Math.log(high)).map(Math.exp)
        : uniform(1, 10_003, low, high);
      const y = op(ops.tensor(x)).view();
      let worst = 0;
      x.forEach((value, i) => {
        const expected = reference(value);
        const error = Math.abs((y[i] as number) - expected) / Math.max(Math.abs(expected), 1e-30) / 2 ** -23;
        worst = Math.max(worst, Number.isFinite(error) ? error : Number.POSITIVE_INFINITY);
      });
      expect(worst).toBeLessThanOrEqual(ulps + 0.5);
    });

    test.skipIf(gradient === false)('has the gradient that finite differences give', () => {
      const [from, to] = gradient as readonly [number, number];
      checkGradient(op, [uniformTensor(2, [7], from, to)], { second });
    });
  },
);

test('special values follow IEEE', () => {
  const x = ops.tensor([0, -0, Infinity, -Infinity, Number.NaN]);
  expectClose(ops.exp(x).view(), [1, 1, Infinity, 0, Number.NaN]);
  expectClose(ops.log(x).view(), [-Infinity, -Infinity, Infinity, Number.NaN, Number.NaN]);
  expectClose(ops.tanh(x).view(), [0, 0, 1, -1, Number.NaN]);
  expectClose(ops.sigmoid(x).view(), [0.5, 0.5, 1, 0, Number.NaN]);
  expectClose(ops.erf(x).view(), [0, 0, 1, -1, Number.NaN]);
  expectClose(ops.relu(x).view(), [0, 0, Infinity, 0, Number.NaN]);
  expect(ops.exp(ops.tensor([89, -110, -100])).view()).toEqual(Float32Array.of(Infinity, 0, Math.exp(-100)));
});

test('sine and cosine keep an absolute error below 4e-7 up to 1000', () => {
  const x = uniform(3, 5000, -1000, 1000);
  expectClose(ops.sin(ops.tensor(x)).view(), Array.from(x, Math.sin), 4e-7);
  expectClose(ops.cos(ops.tensor(x)).view(), Array.from(x, Math.cos), 4e-7);
});

test('casts truncate towards zero', () => {
  expect([...ops.cast(ops.tensor([1.9, -1.9, 0, 7]), 'i32').view()]).toEqual([1, -1, 0, 7]);
  expect([...ops.cast(ops.tensor(Int32Array.of(3, -4)), 'f32').view()]).toEqual([3, -4]);
});

/** Every `stride`th float: bit patterns over the whole range, NaN left out. */
function floats(stride: number): Float32Array {
  const patterns = Uint32Array.from({ length: Math.floor(2 ** 32 / stride) }, (_, i) => i * stride);
  return new Float32Array(patterns.buffer).filter((x) => Number.isFinite(x));
}

/** Distance between floats around a value, at least that around the smallest normal one. */
const ulp = (value: number) => 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), -126) - 23);

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

describe('over the whole range of f32', () => {
  const bounds: [string, (x: ops.Tensor) => ops.Tensor, (x: number) => number, number, ((x: number) => boolean)?][] = [
    ['x / 3', (x) => ops.divide(x, 3), (x) => x / 3, 0.5],
    ['reciprocal', ops.reciprocal, (x) => 1 / x, 0.5],
    ['sqrt', ops.sqrt, Math.sqrt, 0.5],
    ['exp', ops.exp, Math.exp, 2],
    ['log', ops.log, Math.log, 2],
    ['sin', ops.sin, Math.sin, 2],
    ['cos', ops.cos, Math.cos, 2],
    ['tanh', ops.tanh, Math.tanh, 3],
    ['sigmoid', ops.sigmoid, sigmoid, 4, (x) => x > -87],
    ['softplus', ops.softplus, softplus, 3],
    ['silu', ops.silu, (x) => x * sigmoid(x), 5, (x) => x > -87],
    ['elu', ops.elu, (x) => (x > 0 ? x : Math.expm1(x)), 3],
    ['erf', ops.erf, erf, 3],
    ['x³', (x) => ops.power(x, 3), (x) => x ** 3, 1],
    ['x^−2.5', (x) => ops.power(x, -2.5), (x) => x ** -2.5, 1],
    ['1.7ˣ', (x) => ops.power(1.7, x), (x) => Math.fround(1.7) ** x, 1],
  ];
  test.each(bounds)('%s stays within its bound in units of the last place', (_name, op, reference, bound, where) => {
    const x = floats(40_009);
    const y = op(ops.tensor(x)).view();
    let worst = 0;
    let at = 0;
    x.forEach((value, i) => {
      const expected = reference(value);
      const got = y[i] as number;
      if (where?.(value) === false || (Number.isNaN(expected) && Number.isNaN(got))) return;
      if (Math.abs(expected) > 3.4028234663852886e38 && got === Math.sign(expected) * Number.POSITIVE_INFINITY) return;
      const error = Math.abs(got - expected) / ulp(expected);
      if (!(error <= worst)) [worst, at] = [error, value];
    });
    expect(worst, `at ${at}`).toBeLessThanOrEqual(bound + 1e-6);
  });

  test('gelu keeps an absolute error of 2·10⁻⁷·max(1, |x|)', () => {
    const x = floats(40_009);
    const y = ops.gelu(ops.tensor(x)).view();
    x.forEach((value, i) => {
      const expected = (value / 2) * (value < 0 ? erfc(-value * Math.SQRT1_2) : 1 + erf(value * Math.SQRT1_2));
      expect(Math.abs((y[i] as number) - expected)).toBeLessThanOrEqual(2e-7 * Math.max(1, Math.abs(value)));
    });
  });
});

test('sine and cosine of event times in microseconds, alone and between small neighbours', () => {
  const x = Float32Array.of(0.5, 1e6, -1e9, 3, 1.7e15, 1e30, -3.4e38, 0.1, 1e5);
  expectClose(ops.sin(ops.tensor(x)).view(), Array.from(x, Math.sin), 2e-7);
  expectClose(ops.cos(ops.tensor(x)).view(), Array.from(x, Math.cos), 2e-7);
  expectClose(
    ops
      .grad((v: ops.Tensor) => ops.sin(v).sum())(ops.tensor(x))
      .view(),
    Array.from(x, Math.cos),
    2e-7,
  );
  expect([...ops.sin(ops.tensor([Infinity, -Infinity, Number.NaN])).view()]).toEqual([NaN, NaN, NaN]);
});

test('the gradient of elu at 0 is α', () => {
  expect(
    ops
      .grad((x: ops.Tensor) => ops.elu(x, 0.7).sum())(ops.tensor([0]))
      .item(),
  ).toBeCloseTo(0.7, 6);
});
