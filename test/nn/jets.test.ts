import { describe, expect, test } from 'vitest';
import { type Jet, jetAdd, jetLinear, jetMultiply, jetSubtract, jetTanh } from '../../src/nn/index.js';
import { Random, scope, type Tensor, tensor } from '../../src/tensor/index.js';
import { planeDerivatives } from '../oracle.js';

/** A function of (x, y) with its derivatives by hand. */
interface Known {
  readonly value: (x: number, y: number) => number;
  readonly jet: (x: number, y: number) => readonly number[];
}

const a: Known = {
  value: (x, y) => Math.sin(1.3 * x) * y ** 2,
  jet: (x, y) => [
    Math.sin(1.3 * x) * y ** 2,
    1.3 * Math.cos(1.3 * x) * y ** 2,
    2 * Math.sin(1.3 * x) * y,
    -1.69 * Math.sin(1.3 * x) * y ** 2,
    2 * Math.sin(1.3 * x),
  ],
};
const b: Known = {
  value: (x, y) => Math.exp(0.4 * x - 0.7 * y),
  jet: (x, y) => {
    const e = Math.exp(0.4 * x - 0.7 * y);
    return [e, 0.4 * e, -0.7 * e, 0.16 * e, 0.49 * e];
  },
};

const points = [
  [0.3, -0.4],
  [-0.8, 0.9],
  [0.55, 0.1],
] as const;

function jetOf({ jet }: Known, length = 5): Jet {
  return Array.from({ length }, (_, i) => tensor(points.map(([x, y]) => [jet(x, y)[i] as number])));
}

function expectJet(jet: Jet, f: (x: number, y: number) => number, digits = 4): void {
  const wanted = points.map(([x, y]) => planeDerivatives(f, x, y));
  jet.forEach((part, i) => {
    part.view().forEach((value, p) => {
      expect(value, `part ${i} at ${points[p]}`).toBeCloseTo(wanted[p]?.[i] as number, digits);
    });
  });
}

describe('2-jets', () => {
  test('tanh, products, sums and differences have the derivatives of central differences', () => {
    scope(() => {
      expectJet(jetTanh(jetOf(a)), (x, y) => Math.tanh(a.value(x, y)));
      expectJet(jetMultiply(jetOf(a), jetOf(b)), (x, y) => a.value(x, y) * b.value(x, y));
      expectJet(jetAdd(jetOf(a), jetOf(b)), (x, y) => a.value(x, y) + b.value(x, y));
      expectJet(jetSubtract(jetOf(a), jetOf(b)), (x, y) => a.value(x, y) - b.value(x, y));
    });
  });

  test('jets of lower order are the first parts of those of higher order', () => {
    scope(() => {
      const whole = jetMultiply(jetTanh(jetOf(a)), jetOf(b));
      for (const length of [1, 3]) {
        const short = jetMultiply(jetTanh(jetOf(a, length)), jetOf(b, length));
        expect(short.length).toBe(length);
        short.forEach((part, i) => {
          expect([...part.view()]).toEqual([...(whole[i] as Tensor).view()]);
        });
      }
    });
  });

  test('a bias moves the value alone', () => {
    scope(() => {
      const weight = new Random(1).normal([1, 2]);
      const moved = jetLinear(jetOf(a), weight, tensor([[1, 2]]));
      const still = jetLinear(jetOf(a), weight);
      moved.forEach((part, i) => {
        const shift = [...part.view()].map((value, at) => value - ((still[i] as Tensor).view()[at] as number));
        for (const [at, value] of shift.entries()) expect(value).toBeCloseTo(i === 0 ? 1 + (at % 2) : 0, 5);
      });
    });
  });

  test('jets of different lengths are refused', () => {
    expect(() => jetAdd(jetOf(a), jetOf(b, 3))).toThrow(
      'jetAdd: a jet has 1, 3 or 5 tensors, and all jets equally many; got 5 and 3',
    );
  });
});
