import { describe, expect, test } from 'vitest';
import { ModulatedMLP, Solution } from '../../../src/hypernet/hypino/index.js';
import type { Weights } from '../../../src/nn/index.js';
import { grad, Random, scope, sum, tensor } from '../../../src/tensor/index.js';
import { planeDerivatives } from '../../oracle.js';

type Flat = Readonly<Record<string, Float32Array>>;

/** u at a point in plain loops and double precision. */
function plain({ width, latents, frequencies }: ModulatedMLP, weights: Flat, x: number, y: number): number {
  const phi: number[] = [];
  for (const v of [x, y]) {
    for (let j = 0; j < frequencies; j++) phi.push(Math.sin(2 * Math.PI * 0.1 * 2 ** j * v));
    for (let j = 0; j < frequencies; j++) phi.push(Math.cos(2 * Math.PI * 0.1 * 2 ** j * v));
    phi.push(v);
  }
  const layer = (name: string, input: readonly number[], outputs: number) =>
    Array.from({ length: outputs }, (_, o) =>
      input.reduce(
        (total, value, i) => total + value * (weights[`${name}.weight`]?.[i * outputs + o] as number),
        weights[`${name}.bias`]?.[o] as number,
      ),
    );
  const u = layer('u', phi, width).map(Math.tanh);
  const v = layer('v', phi, width).map(Math.tanh);
  let h = layer('first', phi, width).map(Math.tanh);
  for (let n = 0; n < latents; n++) {
    const gated = h.map((value, i) => (u[i] as number) * value + (v[i] as number) * (1 - value));
    h = layer(`latent.${n}`, gated, width).map(Math.tanh);
  }
  return layer('out', h, 1)[0] as number;
}

const target = new ModulatedMLP({ width: 6, latents: 2 });
const start = Solution.random(target, new Random(3)).members[0]?.weights as Flat;
// Biases that are not 0, as they are at the start.
const drawn = new Random(4);
const weights = Object.fromEntries(
  Object.entries(start).map(([name, values]) => [name, values.map((w) => w + 0.3 * drawn.gaussian())]),
);
const points = [
  [0.2, -0.7],
  [-0.45, 0.35],
  [0.9, 0.6],
] as const;

describe('the target network', () => {
  test('has the 5,409 numbers of the paper', () => {
    expect(new ModulatedMLP().size).toBe(5409);
    expect(Object.keys(new ModulatedMLP().shapes)).toHaveLength(14);
  });

  test('values equal the formula in plain loops, derivatives central differences', () => {
    const solution = new Solution(target, [{ weights, factor: 1 }]);
    const jets = solution.jetsAt(Float32Array.from(points.flat()), 2);
    for (const [p, [x, y]] of points.entries()) {
      const wanted = planeDerivatives((a, b) => plain(target, weights, a, b), Math.fround(x), Math.fround(y));
      wanted.forEach((value, i) => {
        const error = Math.abs((jets[i]?.[p] as number) - value) / Math.max(1, Math.abs(value));
        expect(error, `derivative ${i}`).toBeLessThan(5e-4);
      });
    }
  });

  test('a sum of networks has the sum of their jets, by their factors', () => {
    const other = Solution.random(target, new Random(8)).members[0]?.weights as Flat;
    const both = new Solution(target, [
      { weights, factor: 2 },
      { weights: other, factor: -0.5 },
    ]);
    const at = Float32Array.from(points.flat());
    const [first, second] = [weights, other].map((own) =>
      new Solution(target, [{ weights: own, factor: 1 }]).jetsAt(at, 2),
    );
    both.jetsAt(at, 2).forEach((part, i) => {
      part.forEach((value, p) => {
        expect(value).toBeCloseTo(2 * (first?.[i]?.[p] as number) - 0.5 * (second?.[i]?.[p] as number), 3);
      });
    });
  });

  test('gradients of u_xx by weights equal differences', () => {
    const [x, y] = points[0];
    const at = (changed: Flat) =>
      planeDerivatives((a, b) => plain(target, changed, a, b), Math.fround(x), Math.fround(y))[3] as number;
    const gradients = scope(() => {
      const leaves = Object.fromEntries(
        Object.entries(weights).map(([name, values]) => [
          name,
          tensor(values).reshape([1, ...(target.shapes[name] as readonly number[])]),
        ]),
      );
      const features = target.featuresAt(Float32Array.from([x, y]), 2);
      const found = grad((live: Weights) => sum(target.forward(live, features)[3] as never))(leaves) as Weights;
      return Object.fromEntries(Object.entries(found).map(([name, g]) => [name, [...g.view()]]));
    });
    for (const name of ['u.weight', 'v.bias', 'first.weight', 'latent.0.weight', 'latent.1.bias', 'out.weight']) {
      const index = (weights[name] as Float32Array).length - 1;
      const moved = (by: number) => ({
        ...weights,
        [name]: (weights[name] as Float32Array).map((w, i) => (i === index ? w + by : w)),
      });
      const wanted = (at(moved(0.01)) - at(moved(-0.01))) / 0.02;
      expect(gradients[name]?.[index], name).toBeCloseTo(wanted, 1);
    }
  });

  test('solutions answer alike after saving and loading', () => {
    const solution = new Solution(target, [{ weights, factor: 1.5 }]);
    const box = { x: [0, 2], y: [-1, 3] } as const;
    const loaded = Solution.load(solution.save(box));
    expect(loaded.box).toEqual(box);
    const at = Float32Array.from(points.flat());
    expect([...loaded.solution.valuesAt(at)]).toEqual([...solution.valuesAt(at)]);
  });

  test('weights of other sizes are refused', () => {
    expect(
      () => new Solution(target, [{ weights: { ...weights, 'out.bias': new Float32Array(2) }, factor: 1 }]),
    ).toThrow('Solution: weight "out.bias" has 2 numbers, expected [1,1]');
  });
});
