// Independent checks that the tests share: finite differences, closeness, random values.

import { expect } from 'vitest';
import { gradientsOf, parameters } from '../src/nn/index.js';
import { Random, scope, type Tensor, tensor, valueAndGrad } from '../src/tensor/index.js';

/** Repeatable random numbers in [low, high). */
export function uniform(seed: number, count: number, low = -1, high = 1): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: count }, () => low + (high - low) * random.float());
}

export function uniformTensor(seed: number, shape: readonly number[], low = -1, high = 1): Tensor {
  return tensor(
    uniform(
      seed,
      shape.reduce((product, size) => product * size, 1),
      low,
      high,
    ),
    shape,
  );
}

/**
 * Every element within `tolerance`, relative to the larger of 1 and the expected magnitude; NaN and
 * infinities must match.
 */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i] as number;
    const e = expected[i] as number;
    if (Object.is(a, e) || (Number.isNaN(a) && Number.isNaN(e)) || a === e) continue;
    const error = Math.abs(a - e) / Math.max(1, Math.abs(e));
    if (!(error <= tolerance)) throw new Error(`element ${i}: got ${a}, expected ${e} (error ${error})`);
  }
}

/** Σ wᵢ·yᵢ with fixed weights: a scalar whose gradient tells every output apart. */
function probe(y: Tensor): Tensor {
  return y.multiply(uniformTensor(77, y.shape, 0.5, 1.5)).sum();
}

/** The same scalar in double precision. */
function probeValue(y: Tensor): number {
  const weights = uniform(77, y.size, 0.5, 1.5);
  return y.view().reduce((total, value, i) => total + value * (weights[i] as number), 0);
}

/** Central differences of a scalar function of tensors, element by element. */
function differences(fn: (inputs: Tensor[]) => number, inputs: readonly Tensor[], step: number): Float64Array[] {
  return inputs.map((input, at) =>
    Float64Array.from(input.dataSync(), (_, element) => {
      const shifted = (delta: number) =>
        scope(() => {
          const values = input.dataSync();
          values[element] = (values[element] as number) + delta;
          return fn(inputs.map((other, index) => (index === at ? tensor(values, input.shape) : other)));
        });
      return (shifted(step) - shifted(-step)) / (2 * step);
    }),
  );
}

interface GradientCheck {
  readonly step?: number;
  readonly tolerance?: number;
  /** Also compare the derivative of the gradient. */
  readonly second?: boolean;
}

/** Compares gradients, and their own gradients, with central differences. */
export function checkGradient(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  { step = 1e-2, tolerance = 1e-2, second = true }: GradientCheck = {},
): void {
  const gradientOf = valueAndGrad((tree: Tensor[]) => probe(fn(...tree)));
  const analytic = gradientOf([...inputs]).gradient;
  const numeric = differences((shifted) => probeValue(fn(...shifted)), inputs, step);
  analytic.forEach((gradient, index) => {
    expectClose(gradient.view(), numeric[index] as Float64Array, tolerance);
  });
  if (!second) return;
  const gradientSum = (tree: Tensor[]) =>
    gradientOf(tree)
      .gradient.map(probe)
      .reduce((total, part) => total.add(part));
  const secondAnalytic = valueAndGrad(gradientSum)([...inputs]).gradient;
  const secondNumeric = differences(
    (shifted) => gradientOf(shifted).gradient.reduce((total, part) => total + probeValue(part), 0),
    inputs,
    step,
  );
  secondAnalytic.forEach((gradient, index) => {
    expectClose(gradient.view(), secondNumeric[index] as Float64Array, 3 * tolerance);
  });
}

/** Compares the gradient of a model's loss with central differences at both ends of each weight. */
export function checkModelGradient<M extends object>(
  model: M,
  loss: (live: M) => Tensor,
  { step = 1e-2, relative = 0.02, absolute = 0.01 } = {},
): void {
  const { gradients } = gradientsOf(model, loss);
  for (const [name, weight] of Object.entries(parameters(model))) {
    const [values, gradient] = [weight.view(), (gradients[name] as Tensor).view()];
    for (const at of [0, weight.size - 1]) {
      const before = values[at] as number;
      const [above, below] = [step, -step].map((by) => {
        values[at] = before + by;
        return loss(model).item();
      }) as [number, number];
      values[at] = before;
      const expected = (above - below) / (2 * step);
      const error = Math.abs((gradient[at] as number) - expected);
      expect(error, `${name}[${at}]`).toBeLessThan(relative * Math.abs(expected) + absolute);
    }
  }
}

/** u, u_x, u_y, u_xx, u_yy at a point by central differences in double precision. */
export function planeDerivatives(u: (x: number, y: number) => number, x: number, y: number): readonly number[] {
  const h = 1e-4;
  const [west, here, east] = [u(x - h, y), u(x, y), u(x + h, y)];
  const [south, north] = [u(x, y - h), u(x, y + h)];
  return [
    here,
    (east - west) / (2 * h),
    (north - south) / (2 * h),
    (east - 2 * here + west) / h ** 2,
    (north - 2 * here + south) / h ** 2,
  ];
}
