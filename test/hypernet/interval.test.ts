import { describe, expect, test } from 'vitest';
import {
  certified,
  IntervalHypernet,
  type IntervalWeights,
  intersection,
  intervalWeightsOf,
  propagate,
  TargetNetwork,
  worstCase,
} from '../../src/hypernet/index.js';
import { parameters, type Weights, withWeights } from '../../src/nn/index.js';
import { Random, square, sum, type Tensor, tensor } from '../../src/tensor/index.js';
import { checkModelGradient, expectClose, uniform } from '../oracle.js';
import { outsideOf, values } from './interval-bounds.js';

/** Bounds around the parameters of a network. */
function around(network: object, radius: number, seed: number): IntervalWeights {
  const middle = parameters(network);
  const shifted = (sign: number) =>
    Object.fromEntries(
      Object.entries(middle).map(([name, weight], i) => {
        const by = uniform(seed + i, weight.size).map((u) => sign * radius * Math.abs(u));
        return [name, weight.add(tensor(by, weight.shape))];
      }),
    );
  return { lower: shifted(-1), middle, upper: shifted(1) };
}

/** Weights between the bounds, by random shares. */
function within({ lower, upper }: IntervalWeights, random: Random): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(lower).map(([name, low]) => {
      const share = random.uniform(low.shape);
      return [name, low.add((upper[name] as Tensor).subtract(low).multiply(share))];
    }),
  );
}

/** All corners of the bounds. */
function* corners({ lower, upper }: IntervalWeights): Generator<Record<string, Tensor>> {
  const names = Object.keys(lower);
  const total = names.reduce((n, name) => n + (lower[name] as Tensor).size, 0);
  for (let bits = 0; bits < 2 ** total; bits++) {
    let at = 0;
    yield Object.fromEntries(
      names.map((name) => {
        const [low, high] = [(lower[name] as Tensor).view(), (upper[name] as Tensor).view()];
        const chosen = low.map((value, i) => ((bits >> at++) & 1 ? (high[i] as number) : value));
        return [name, tensor(chosen as Float32Array, (lower[name] as Tensor).shape)];
      }),
    );
  }
}

describe('propagate', () => {
  test.each([
    ['vectors', [6], { hidden: [8, 5] }],
    ['pictures', [2, 8, 8], { channels: [3, 4], hidden: [6] }],
  ] as const)(
    'logits lie between the bounds for any weights between theirs: %s, of any sign',
    (_name, shape, options) => {
      const network = new TargetNetwork(shape, 4, new Random(2), options);
      const weights = around(network, 0.2, 5);
      const size = shape.reduce((a, b) => a * b, 1);
      const x = tensor(uniform(9, 5 * size), [5, ...shape]);
      const { lower, middle, upper } = propagate(network, weights, x);
      expectClose(middle.view(), network.forward(x).view(), 1e-5);
      const random = new Random(3);
      let widest = 0;
      for (let draw = 0; draw < 50; draw++) {
        const logits = withWeights(network, within(weights, random), (live) => live.forward(x)).view();
        logits.forEach((value, i) => {
          const [low, high] = [lower.view()[i] as number, upper.view()[i] as number];
          expect(value).toBeGreaterThanOrEqual(low - 1e-5);
          expect(value).toBeLessThanOrEqual(high + 1e-5);
          widest = Math.max(widest, Math.abs(value - (middle.view()[i] as number)) / (high - low));
        });
      }
      expect(widest).toBeGreaterThan(0.02);
    },
  );

  test('bounds are reached: one layer, and one hidden unit, by all corners of the weights', () => {
    for (const hidden of [[], [1]]) {
      const network = new TargetNetwork([2], 2, new Random(4), { hidden });
      const weights = around(network, 0.7, 11);
      const x = tensor([0.4, -0.9], [1, 2]);
      const { lower, upper } = propagate(network, weights, x);
      const reached = [...corners(weights)].map((w) => withWeights(network, w, (live) => live.forward(x)).view());
      for (const c of [0, 1]) {
        expect(lower.view()[c]).toBeCloseTo(Math.min(...reached.map((y) => y[c] as number)), 5);
        expect(upper.view()[c]).toBeCloseTo(Math.max(...reached.map((y) => y[c] as number)), 5);
      }
    }
  });

  test('the worst case takes the lower bound of the true class and the upper ones of the others', () => {
    const bounds = {
      lower: tensor([
        [1, 2, 3],
        [3, 0, 0],
      ]),
      middle: tensor([
        [2, 3, 4],
        [4, 1, 1],
      ]),
      upper: tensor([
        [3, 4, 5],
        [5, 2, 2.5],
      ]),
    };
    expect([...worstCase(bounds, tensor(Int32Array.of(1, 0))).view()]).toEqual([3, 2, 5, 3, 2, 2.5]);
    expect(certified(bounds, Int32Array.of(1, 0))).toEqual([false, true]);
    // Above the lower bounds of the others, not above their upper ones.
    expect(certified(bounds, Int32Array.of(2, 0))).toEqual([false, true]);
  });
});

describe('IntervalHypernet', () => {
  const network = new TargetNetwork([4], 3, new Random(1), { hidden: [5] });
  const hypernet = new IntervalHypernet(network, 6, new Random(7), { hidden: [16, 16] });
  const centre = new Random(8).normal([2, 6]);
  const radius = new Random(9).uniform([2, 6], 0, 0.3);

  test('what it makes of a point of the box lies within its bounds', () => {
    const made = hypernet.generate(centre, radius);
    const random = new Random(5);
    for (let draw = 0; draw < 200; draw++) {
      const point = centre.add(radius.multiply(random.uniform([2, 6], -1, 1)));
      const single = hypernet.weights(point);
      for (const [name, weight] of Object.entries(single)) expect(outsideOf(weight, made, name)).toBeLessThan(1e-4);
    }
  });

  test('gradients of all three bounds are those of central differences', () => {
    const before = new Random(4);
    checkModelGradient(hypernet, (live) => {
      const { lower, middle, upper } = live.generate(centre, radius);
      return [lower, middle, upper]
        .flatMap((side, s) =>
          Object.values(side).map((w, i) => sum(square(w.subtract(before.split(10 * s + i).normal(w.shape))))),
        )
        .reduce((a, b) => a.add(b));
    });
  });

  test('bounds are those of a loop over the ends of each unit', () => {
    const made = intervalWeightsOf(hypernet.generate(centre, radius), 0);
    const [c, r] = [centre.view(), radius.view()];
    let ends = Array.from({ length: 6 }, (_, k): [number, number] => [
      (c[k] as number) - (r[k] as number),
      (c[k] as number) + (r[k] as number),
    ]);
    for (const layer of [...hypernet.trunk.layers, hypernet.out]) {
      const [w, b] = [layer.weight.view(), layer.bias?.view() ?? []];
      ends = Array.from({ length: layer.outFeatures }, (_, i): [number, number] => {
        let [low, high] = [b[i] as number, b[i] as number];
        for (const [k, [from, to]] of ends.entries()) {
          const weight = w[i * ends.length + k] as number;
          low += weight * (weight > 0 ? from : to);
          high += weight * (weight > 0 ? to : from);
        }
        return layer === hypernet.out ? [low, high] : [Math.max(0, low), Math.max(0, high)];
      });
    }
    const packed = (side: Weights) => hypernet.layout.pack(side);
    expectClose(
      packed(made.lower),
      Float32Array.from(ends, ([low]) => low),
      1e-4,
    );
    expectClose(
      packed(made.upper),
      Float32Array.from(ends, ([, high]) => high),
      1e-4,
    );
    expectClose(
      packed(made.middle),
      Float32Array.from(ends, ([low, high]) => (low + high) / 2),
      1e-4,
    );
  });

  test('without hidden layers the bounds are reached in corners of the box', () => {
    const flat = new IntervalHypernet(network, 6, new Random(7), { hidden: [] });
    const made = intervalWeightsOf(flat.generate(centre, radius), 0);
    const [c, r] = [centre.view(), radius.view()];
    const points = Float32Array.from({ length: 64 * 6 }, (_, i) => {
      const [corner, k] = [Math.floor(i / 6), i % 6];
      return (c[k] as number) + ((corner >> k) & 1 ? 1 : -1) * (r[k] as number);
    });
    const all = flat.weights(tensor(points, [64, 6]));
    for (const [name, low] of Object.entries(made.lower)) {
      const reached = (all[name] as Tensor).view();
      const size = low.size;
      const column = (i: number) => Array.from({ length: 64 }, (_, corner) => reached[corner * size + i] as number);
      const high = (made.upper[name] as Tensor).view();
      expectClose(
        low.view(),
        Float32Array.from({ length: size }, (_, i) => Math.min(...column(i))),
        1e-4,
      );
      expectClose(
        high,
        Float32Array.from({ length: size }, (_, i) => Math.max(...column(i))),
        1e-4,
      );
    }
  });

  test('a point has no width, and is what the network makes of it; a smaller box lies within', () => {
    const point = hypernet.generate(centre, radius.multiply(0));
    for (const side of [point.lower, point.upper, hypernet.weights(centre)])
      values(side).forEach((v, i) => {
        expectClose(v, values(point.middle)[i] as Float32Array, 1e-5);
      });
    const [wide, narrow] = [hypernet.generate(centre, radius), hypernet.generate(centre, radius.multiply(0.5))];
    const contains = (outer: IntervalWeights, inner: IntervalWeights) =>
      Object.keys(outer.lower).every((name) =>
        [inner.lower, inner.upper].every((side) => outsideOf(side[name] as Tensor, outer, name) < 1e-5),
      );
    expect(contains(wide, narrow)).toBe(true);
    expect(contains(narrow, wide)).toBe(false);
    const centred = new IntervalHypernet(network, 6, new Random(7), { centred: true });
    expectClose((centred.out.bias as Tensor).view(), centred.layout.pack(parameters(network)), 1e-7);
  });
});

describe('intersection', () => {
  test('largest lower to smallest upper end; midway and counted where there is none', () => {
    const box = (centre: number[], radius: number[]) => ({
      centre: Float64Array.from(centre),
      radius: Float64Array.from(radius),
    });
    const { centre, radius, empty } = intersection([box([0, 0], [2, 1]), box([1, 5], [2, 1])]);
    expect([[...centre], [...radius], empty]).toEqual([[0.5, 2.5], [1.5, 0], 1]);
    expect(() => intersection([])).toThrow('there are no boxes');
  });
});
