import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PoincareBall64, svd } from '../../src/linalg/index.js';
import {
  Adam,
  arsinh,
  artanh,
  BlockScaling,
  fit,
  fromLorentz,
  lorentzDistances,
  lorentzExp,
  PoincareBall,
  parameter,
  spectralNorms,
  tangentDistances,
  toLorentz,
} from '../../src/nn/index.js';
import { SparseMatrix } from '../../src/sparse/index.js';
import { Random, type Tensor, tensor, valueAndGrad } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniform, uniformTensor } from '../oracle.js';

type Vector = Float64Array;
const norm = (x: ArrayLike<number>) => Math.hypot(...Array.from(x));
const vector = (seed: number, d: number, length: number): Vector => {
  const x = uniform(seed, d);
  return Float64Array.from(x, (value) => (value * length) / norm(x));
};
const rowsOf = (x: Tensor): number[][] => {
  const [n, d] = x.shape as [number, number];
  return Array.from({ length: n }, (_, i) => Array.from(x.view().subarray(i * d, (i + 1) * d)));
};
const matrixOf = (rows: readonly ArrayLike<number>[]) =>
  tensor(Float32Array.from(rows.flatMap((row) => Array.from(row))), [rows.length, rows[0]?.length as number]);

/** A rotation of the plane of two coordinates. */
const rotated = (x: ArrayLike<number>, angle: number): Vector => {
  const [first = 0, second = 0, ...rest] = Array.from(x);
  const [s, c] = [Math.sin(angle), Math.cos(angle)];
  return Float64Array.from([c * first - s * second, s * first + c * second, ...rest]);
};

const seeds = fc.record({
  seed: fc.integer({ min: 0, max: 1e6 }),
  c: fc.constantFrom(0.01, 0.5, 1, 2),
  r: fc.double({ min: 0.01, max: 2.5, noNaN: true }),
  s: fc.double({ min: 0.01, max: 2.5, noNaN: true }),
});

describe('the ball in double precision', () => {
  test('exp₀ and log₀ are inverse, 0 stays 0', () => {
    fc.assert(
      fc.property(seeds, ({ seed, c, r }) => {
        const ball = new PoincareBall64(c);
        const u = vector(seed, 5, r);
        expectClose(ball.log(ball.exp(u)), u, 1e-9);
        expect(ball.radius(ball.exp(u))).toBeCloseTo(2 * r, 8);
      }),
    );
    const ball = new PoincareBall64();
    expect([...ball.exp([0, 0]), ...ball.log([0, 0]), ...ball.matrix([[0, 0]], [0.5, 0])]).toEqual([0, 0, 0, 0, 0]);
  });

  test('the radius theorem: Rad(S ⊗ x) = (‖Sx‖/‖x‖)·Rad(x), and S ⊗ exp₀(u) = exp₀(Su)', () => {
    fc.assert(
      fc.property(seeds, ({ seed, c, r }) => {
        const ball = new PoincareBall64(c);
        const rows = Array.from({ length: 5 }, (_, i) => vector(seed + 7 * i + 1, 5, 0.7));
        const u = vector(seed, 5, r);
        const x = ball.exp(u);
        const product = (y: Vector) =>
          Float64Array.from(rows, (row) => row.reduce((t, v, i) => t + v * (y[i] ?? 0), 0));
        const moved = ball.matrix(rows, x);
        expectClose([ball.distance(moved, new Float64Array(5))], [(norm(product(x)) / norm(x)) * ball.radius(x)], 1e-6);
        expectClose(moved, ball.exp(product(u)), 1e-9);
      }),
    );
  });

  test('distances are a metric, invariant under translation and rotation, equal on the hyperboloid', () => {
    fc.assert(
      fc.property(seeds, ({ seed, c, r, s }) => {
        const ball = new PoincareBall64(c);
        const [x, y, z] = [vector(seed, 4, r), vector(seed + 1, 4, s), vector(seed + 2, 4, 0.5 * (r + s))].map((u) =>
          ball.exp(u),
        ) as [Vector, Vector, Vector];
        const d = ball.distance(x, y);
        expectClose([ball.distance(y, x)], [d], 1e-9);
        expect(ball.distance(x, z) + ball.distance(z, y) - d).toBeGreaterThan(-1e-9);
        expectClose([ball.distance(ball.add(z, x), ball.add(z, y))], [d], 1e-5);
        expectClose([ball.distance(rotated(x, seed), rotated(y, seed))], [d], 1e-8);
        expectClose([ball.lorentzDistance(ball.toLorentz(x), ball.toLorentz(y))], [d], 1e-6);
        expectClose(ball.fromLorentz(ball.toLorentz(x)), x, 1e-9);
        // (−x) ⊕ y, by which the distance is defined.
        const gyro = ball.add(
          x.map((value) => -value),
          y,
        );
        expectClose([(2 / Math.sqrt(c)) * Math.atanh(Math.sqrt(c) * norm(gyro))], [d], 1e-5);
      }),
    );
  });

  test('becomes 2‖x − y‖ as c → 0', () => {
    const [x, y] = [vector(1, 4, 0.8), vector(2, 4, 1.3)];
    const difference = norm(x.map((value, i) => value - (y[i] as number)));
    expectClose([new PoincareBall64(1e-9).distance(x, y)], [2 * difference], 1e-6);
  });

  test('the gyromidpoint: of one point, of x and −x, under rotation, between two', () => {
    const ball = new PoincareBall64(0.7);
    const [x, y] = [ball.exp(vector(3, 4, 1.2)), ball.exp(vector(4, 4, 0.9))];
    expectClose(ball.midpoint([x], [3]), x, 1e-9);
    expectClose(ball.midpoint([x, x.map((value) => -value)]), [0, 0, 0, 0], 1e-12);
    const turned = ball.midpoint([rotated(x, 0.4), rotated(y, 0.4)]);
    expectClose(turned, rotated(ball.midpoint([x, y]), 0.4), 1e-12);
    const middle = ball.midpoint([x, y]);
    expectClose([ball.distance(middle, x), ball.distance(middle, y)], Array(2).fill(ball.distance(x, y) / 2), 1e-9);
    expect(() => ball.midpoint([x], [0])).toThrow('no point of positive weight');
    expect(() => new PoincareBall64(0)).toThrow('needs c > 0, got 0');
  });
});

describe('the ball on tensors', () => {
  const c = 0.6;
  const [ball, exact] = [new PoincareBall(c), new PoincareBall64(c)];
  const u = uniformTensor(1, [6, 4], -0.9, 0.9);
  const v = uniformTensor(2, [5, 4], -0.9, 0.9);
  const [x, y] = [ball.exp(u), ball.exp(v)];

  test('equals double precision', () => {
    expectClose(
      x.view(),
      rowsOf(u).flatMap((row) => [...exact.exp(row)]),
      1e-6,
    );
    expectClose(ball.log(x).view(), u.view(), 1e-6);
    expectClose(
      ball.radius(x).view(),
      rowsOf(x).map((row) => exact.radius(row)),
      1e-6,
    );
    expectClose(
      ball.conformal(x).view(),
      rowsOf(x).map((row) => exact.conformal(row)),
      1e-5,
    );
    const pairs = rowsOf(x).flatMap((a) => rowsOf(y).map((b) => exact.distance(a, b)));
    expectClose(ball.distances(x, y).view(), pairs, 1e-5);
    expectClose(lorentzDistances(ball, toLorentz(ball, x), toLorentz(ball, y)).view(), pairs, 1e-4);
    expectClose(tangentDistances(ball, u, v).view(), pairs, 1e-5);
    expectClose(fromLorentz(ball, toLorentz(ball, x)).view(), x.view(), 1e-6);
    expectClose(lorentzExp(ball, u).view(), toLorentz(ball, x).view(), 1e-5);
    const first = x.reshape([6, 4]);
    const five = tensor(x.view().slice(0, 20), [5, 4]);
    expectClose(
      ball.distance(five, y).view(),
      rowsOf(y).map((b, i) => exact.distance(rowsOf(first)[i] as number[], b)),
      1e-5,
    );
    expectClose(
      ball.add(five, y).view(),
      rowsOf(y).flatMap((b, i) => [...exact.add(rowsOf(five)[i] as number[], b)]),
      1e-6,
    );
    expectClose(
      ball.scale(0.3, x).view(),
      rowsOf(x).flatMap((row) => [...exact.scale(0.3, row)]),
      1e-6,
    );
  });

  test('gyromidpoints of rows, 0 for a row without points', () => {
    const weights = SparseMatrix.fromCoordinates(3, 6, [0, 1, 1, 1], [2, 0, 3, 5], [2, 1, 0.5, 3]);
    const points = rowsOf(x);
    const expected = [
      ...(points[2] as number[]),
      ...exact.midpoint([points[0], points[3], points[5]] as number[][], [1, 0.5, 3]),
      ...[0, 0, 0, 0],
    ];
    expectClose(ball.midpoints(weights, x).view(), expected, 1e-5);
  });

  test('artanh and arsinh keep their digits from 10⁻⁶ to the ends', () => {
    const inner = Float32Array.from([0, 1e-6, 1e-3, 0.1, 0.1999, 0.2, 0.5, 0.99]);
    const outer = Float32Array.from([...inner, 3, 1e4]);
    const relative = (got: Tensor, at: Float32Array, of: (x: number) => number) =>
      Array.from(got.view(), (value, i) => (at[i] === 0 ? value : value / of(at[i] as number) - 1));
    for (const error of relative(artanh(tensor(inner)), inner, Math.atanh)) expect(Math.abs(error)).toBeLessThan(1e-6);
    for (const error of relative(arsinh(tensor(outer)), outer, Math.asinh)) expect(Math.abs(error)).toBeLessThan(1e-6);
  });

  test('gradients equal finite differences', () => {
    checkGradient((a) => ball.exp(a), [u]);
    checkGradient((a) => ball.log(a), [x]);
    checkGradient((a, b) => ball.add(a, b), [x, uniformTensor(5, [6, 4], -0.4, 0.4)]);
    checkGradient((a, b) => ball.distances(a, b), [x, y], { second: false });
    checkGradient((a, b) => tangentDistances(ball, a, b), [u, v], { second: false });
    checkGradient((a) => ball.radius(a), [x], { second: false });
    const weights = SparseMatrix.fromCoordinates(2, 6, [0, 0, 1], [2, 4, 5], [1, 2, 1]);
    checkGradient((a) => ball.midpoints(weights, a), [x], { second: false });
  });

  /** Central differences in double precision of Σ w·f at the values of a row. */
  const numeric = (f: (row: Vector) => ArrayLike<number>, row: Vector, weights: ArrayLike<number>, step: number) =>
    row.map((_, i) => {
      const at = (delta: number) => {
        const values = f(row.map((value, j) => (i === j ? value + delta : value)));
        return Array.from(values).reduce((sum, value, k) => sum + value * (weights[k] as number), 0);
      };
      return (at(step) - at(-step)) / (2 * step);
    });
  const analytic = (f: (x: Tensor) => Tensor, row: Vector, weights: number[]) => {
    const fixed = tensor(Float32Array.from(weights), [1, weights.length]);
    const { gradient } = valueAndGrad((a: Tensor) => f(a).multiply(fixed).sum())(matrixOf([row]));
    return gradient.view();
  };
  const weights = [0.7, -1.1, 0.4, 0.9];
  const unit = new PoincareBall(1);
  const unit64 = new PoincareBall64(1);

  test('gradients are finite and right at the origin, between near points and at the boundary', () => {
    for (const length of [1e-12, 1e-6, 1e-3]) {
      const near = vector(9, 4, length);
      expectClose(
        analytic((a) => unit.exp(a), near, weights),
        numeric((a) => unit64.exp(a), near, weights, 1e-4),
        1e-4,
      );
      expectClose(
        analytic((a) => unit.log(a), near, weights),
        numeric((a) => unit64.log(a), near, weights, 1e-4),
        1e-4,
      );
    }
    expect([...analytic((a) => unit.exp(a), new Float64Array(4), weights)]).toEqual([...Float32Array.from(weights)]);

    // x ≈ y: the gradient of the distance is a unit vector times λ.
    const other = Float64Array.from(Float32Array.from(vector(10, 4, 0.6)));
    for (const apart of [1e-6, 1e-3]) {
      const close = Float64Array.from(Float32Array.from(other, (value, i) => value + apart * (weights[i] as number)));
      const got = analytic((a) => unit.distances(a, matrixOf([other])), close, [1]);
      const of = (a: Vector) => [unit64.distance(a, other)];
      expectClose(got, numeric(of, close, [1], apart * 1e-3), 1e-3);
    }
    const same = analytic((a) => unit.distances(a, matrixOf([other])), other, [1]);
    expect([...same]).toEqual([0, 0, 0, 0]);

    // √c‖x‖ = 1 − 10⁻⁵, where a step in single precision changes 1 − ‖x‖² by a hundredth.
    const far = Float64Array.from(Float32Array.from(vector(11, 4, 1 - 1e-5)));
    const target = vector(12, 4, 0.5);
    const got = analytic((a) => unit.distances(a, matrixOf([target])), far, [1]);
    const expected = numeric((a) => [unit64.distance(a, target)], far, [1], 1e-8);
    expect(Math.max(...got.map((value, i) => Math.abs(value / (expected[i] as number) - 1)))).toBeLessThan(0.03);
    const logarithm = analytic(
      (a) => unit.log(a),
      far.map((value) => value * (1 - 1e-5)),
      weights,
    );
    expect(logarithm.every(Number.isFinite)).toBe(true);
  });

  test('clips at 1 − 10⁻⁵, radius 12.2', () => {
    const lifted = unit.exp(matrixOf([vector(13, 4, 8), vector(14, 4, 1e6), vector(15, 4, 3)]));
    const radii = unit.radius(lifted).view();
    expect(unit.largestRadius).toBeCloseTo(12.206, 3);
    for (const row of rowsOf(lifted).slice(0, 2)) expect(norm(row)).toBeCloseTo(1 - 1e-5, 6);
    for (const radius of radii.subarray(0, 2)) expect(Math.abs(radius - unit.largestRadius)).toBeLessThan(0.05);
    expect(radii[2]).toBeCloseTo(6, 2);
  });
});

describe('BlockScaling', () => {
  const blocksOf = (seed: number, count: number, b: number, scale = 1) =>
    uniformTensor(seed, [count, b, b], -scale, scale);
  const withBlocks = (blocks: Tensor, gate: number, form: 'contractive' | 'free' = 'contractive') => {
    const [count, b] = blocks.shape as [number, number];
    const scaling = new BlockScaling(count * b, { block: b, form });
    scaling.blocks?.assign(blocks);
    scaling.gates?.assign(tensor(new Float32Array(count).fill(gate), [count, 1, 1]));
    return scaling;
  };

  test('norms by power iteration lie within 1 % above those of an SVD', () => {
    for (const b of [1, 2, 8, 32]) {
      const blocks = blocksOf(b, 6, b, 2);
      const bounds = spectralNorms(blocks).view();
      for (let i = 0; i < 6; i++) {
        const { s } = svd(tensor(blocks.view().slice(i * b * b, (i + 1) * b * b), [b, b]));
        const ratio = (bounds[i] as number) / (s.view()[0] as number);
        expect(ratio).toBeGreaterThan(1 - 1e-5);
        expect(ratio).toBeLessThan(1.01);
      }
    }
    // Singular values so near to each other that 1,024 iterations mix them.
    const near = [2, 1.999, 1.998, 1.997];
    const mixed = tensor(near.map((value, i) => near.map((_, j) => (i === j ? value : 0)))).reshape([1, 4, 4]);
    expect(spectralNorms(mixed).item()).toBeGreaterThan(2 - 2e-5);
    expect(spectralNorms(mixed).item()).toBeLessThan(2.02);
    checkGradient((q) => spectralNorms(q), [blocksOf(3, 2, 3)], { second: false, tolerance: 2e-2, step: 1e-3 });
  });

  test('multiplies by its blocks, as the dense matrix does', () => {
    for (const [b, form] of [
      [1, 'free'],
      [4, 'free'],
      [4, 'contractive'],
      [12, 'contractive'],
    ] as const) {
      const scaling = withBlocks(blocksOf(b + 1, 12 / b, b), 0.3, form);
      const u = uniformTensor(5, [7, 12]);
      const matrices = scaling.matrices().view();
      const expected = rowsOf(u).flatMap((row) =>
        row.map((_, i) => {
          const first = i - (i % b);
          let sum = 0;
          for (let j = 0; j < b; j++) sum += (matrices[i * b + j] as number) * (row[first + j] as number);
          return sum;
        }),
      );
      expectClose(scaling.forward(u).view(), expected, 1e-5);
    }
  });

  test('contractive never raises a radius, whatever Q and a', () => {
    const ball = new PoincareBall64();
    for (const [seed, scale, gate] of [
      [1, 3, 9],
      [2, 0.3, 9],
      [3, 1, 0],
      [4, 10, -2],
    ] as const) {
      const scaling = withBlocks(blocksOf(seed, 4, 8, scale), gate);
      const u = uniformTensor(seed, [200, 32], -0.3, 0.3);
      const [before, after] = [rowsOf(u), rowsOf(scaling.forward(u))];
      before.forEach((row, i) => {
        const grown = ball.radius(ball.exp(after[i] as number[])) / ball.radius(ball.exp(row));
        expect(grown).toBeLessThanOrEqual(1 + 1e-5);
      });
    }
    const free = withBlocks(blocksOf(1, 4, 8, 3), 9, 'free');
    const u = uniformTensor(1, [200, 32], -0.3, 0.3);
    expect(
      Math.max(...rowsOf(free.forward(u)).map((row, i) => norm(row) / norm(rowsOf(u)[i] as number[]))),
    ).toBeGreaterThan(1.5);
  });

  test('starts as half the identity, free as the identity, scalar as one half', () => {
    const u = uniformTensor(6, [3, 16]);
    const halved = u.view().map((value) => value / 2);
    expectClose(new BlockScaling(16).forward(u).view(), halved, 2e-3);
    expectClose(new BlockScaling(16, { form: 'free' }).forward(u).view(), u.view(), 1e-6);
    expectClose(new BlockScaling(16, { form: 'scalar' }).forward(u).view(), halved, 1e-6);
    for (const options of [{ block: 4 }, { block: 1 }, { form: 'scalar' }] as const) {
      const own = new BlockScaling(16, options);
      const tripled = own
        .forward(u)
        .view()
        .map((value) => 3 * value);
      expectClose(own.forward(u, 3).view(), tripled, 1e-5);
      expectClose(own.forward(u, 3, own.matrices()).view(), tripled, 1e-5);
    }
    expectClose(new BlockScaling(16, { form: 'scalar' }).matrices().view().subarray(0, 2), [0.5, 0], 1e-6);
    expect(new BlockScaling(16).offIdentity().item()).toBe(0);
    expect(
      withBlocks(tensor([[[3]], [[1]]]), 0)
        .offIdentity()
        .item(),
    ).toBe(2);
    // A block of norm below 1 stays as it is: it is not stretched to norm 1.
    expectClose(
      withBlocks(tensor([[[0.5]], [[0.25]]]), 0)
        .matrices()
        .view(),
      [0.25, 0.125],
      1e-6,
    );
    expect(() => new BlockScaling(20)).toThrow('blocks of 8 rows do not divide 20 features');
  });

  test('gradients equal finite differences, also through a norm above 1', () => {
    const u = uniformTensor(7, [4, 6]);
    checkGradient((q, a) => contractive(q, a, u), [blocksOf(8, 2, 3, 1.5), uniformTensor(9, [2, 1, 1])], {
      second: false,
      tolerance: 2e-2,
      step: 1e-3,
    });
  });

  /** The forward pass of a contractive scaling with these weights. */
  function contractive(blocks: Tensor, gates: Tensor, u: Tensor): Tensor {
    const scaling = new BlockScaling(6, { block: 3 });
    return Object.assign(scaling, { blocks, gates }).forward(u);
  }

  test('one step keeps what two steps lose', () => {
    const ball = new PoincareBall();
    const scaling = new BlockScaling(16);
    const u = matrixOf([4.5, 7, 9].map((length, i) => vector(20 + i, 16, length)));
    const oneStep = ball.radius(ball.exp(scaling.forward(u))).view();
    const twoSteps = ball.radius(ball.matrix((x) => scaling.forward(x), ball.exp(u))).view();
    expectClose(oneStep, [4.5, 7, 9], 5e-2);
    expectClose(twoSteps.subarray(1), [6.1, 6.1], 1e-2);
  });

  test('learns the radius that a loss asks for', async () => {
    const ball = new PoincareBall();
    const u = parameter(uniformTensor(30, [20, 8], -1, 1));
    const scaling = new BlockScaling(8, { block: 4 });
    const mean = (live: BlockScaling) => ball.radius(ball.exp(live.forward(u))).mean();
    const start = mean(scaling).item();
    await fit({
      model: scaling,
      loss: (live) => mean(live).subtract(0.5).square(),
      optimizer: new Adam({ learningRate: 0.05 }),
      epochs: 100,
      random: new Random(0),
    });
    expect(start).toBeGreaterThan(1);
    expect(mean(scaling).item()).toBeCloseTo(0.5, 2);
  });
});
