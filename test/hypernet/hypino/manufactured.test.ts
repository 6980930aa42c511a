import { describe, expect, test } from 'vitest';
import {
  applyOperator,
  boundaryPoints,
  type CurveName,
  curves,
  drawProblem,
  drawSteps,
  families,
  kindOf,
  type ManufacturedStep,
  manufacturedAt,
} from '../../../src/hypernet/hypino/index.js';
import { Random } from '../../../src/tensor/index.js';
import { planeDerivatives } from '../../oracle.js';

const plain: Readonly<Record<CurveName, (z: number) => number>> = {
  identity: (z) => z,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  sigmoid: (z) => 1 / (1 + Math.exp(-z)),
  bell: (z) => 1 / (1 + z * z),
};

/** u by the rules alone. */
function value(steps: readonly ManufacturedStep[], x: number, y: number): number {
  return steps.reduce((u, { rule, curve, inner: [a, b, c], outer: [d, e] }) => {
    const g = d * plain[curve](rule === 'compose' ? u : a * x + b * y + c) + e;
    return rule === 'add' ? u + g : rule === 'multiply' ? u * g : g;
  }, 0);
}

describe('manufactured solutions', () => {
  test('every function under every rule has the derivatives of central differences', () => {
    const base: ManufacturedStep = { rule: 'add', curve: 'sin', inner: [0.8, -1.1, 0.3], outer: [0.7, 0.2] };
    for (const curve of Object.keys(curves) as CurveName[])
      for (const rule of ['add', 'multiply', 'compose'] as const) {
        const steps = [base, { rule, curve, inner: [1.2, 0.7, -0.4], outer: [1.3, -0.6] } as const];
        const jet = manufacturedAt(steps, 0.35, -0.6);
        planeDerivatives((x, y) => value(steps, x, y), 0.35, -0.6).forEach((wanted, i) => {
          expect(jet[i], `${curve}, ${rule}, ${i}`).toBeCloseTo(wanted, 5);
        });
      }
  });

  test('L of u = sin(2x − y) by hand', () => {
    const steps: ManufacturedStep[] = [{ rule: 'add', curve: 'sin', inner: [2, -1, 0], outer: [1, 0] }];
    const [x, y] = [0.4, 0.3];
    const z = 2 * x - y;
    const wanted = 3 * Math.sin(z) + 5 * 2 * Math.cos(z) - 7 * Math.cos(z) - 11 * 4 * Math.sin(z) - 13 * Math.sin(z);
    expect(applyOperator([3, 5, 7, 11, 13], manufacturedAt(steps, x, y))).toBeCloseTo(wanted, 12);
  });

  test('steps keep to their ranges, and the last neither scales nor shifts', () => {
    for (let seed = 0; seed < 50; seed++) {
      const steps = drawSteps(families.published.ranges, new Random(seed));
      expect(steps.length).toBeGreaterThanOrEqual(6);
      expect(steps.length).toBeLessThanOrEqual(10);
      expect(steps[0]?.rule).toBe('add');
      expect(steps.at(-1)?.outer).toEqual([1, 0]);
      for (const { inner } of steps) expect(Math.max(Math.abs(inner[0]), Math.abs(inner[1]))).toBeLessThanOrEqual(10);
    }
  });
});

describe('families', () => {
  test('problems with a known solution hold its source and boundary data, in canonical form', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { problem, solution } = drawProblem(families.gentle, true, new Random(seed));
      if (!solution) throw new Error('the solution is missing');
      expect(Math.max(...problem.operator.map(Math.abs))).toBeCloseTo(1, 12);
      expect(problem.source(0.2, 0.3)).toBeCloseTo(applyOperator(problem.operator, solution(0.2, 0.3)), 8);
      for (const { piece, x, y, nx, ny } of boundaryPoints(problem, 20, new Random(seed))) {
        const [u, ux, uy] = solution(x, y);
        if (piece.dirichlet) expect(piece.dirichlet(x, y, nx, ny)).toBe(u);
        if (piece.neumann) expect(piece.neumann(x, y, nx, ny)).toBeCloseTo(nx * ux + ny * uy, 10);
      }
    }
  });

  test('problems without one have a constant source, and in time start with what their walls have', () => {
    const kinds = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const { problem, solution } = drawProblem(families.gentle, false, new Random(seed));
      expect(solution).toBeUndefined();
      expect(problem.source(0.1, 0.2)).toBe(problem.source(-0.5, 0.9));
      kinds.add(kindOf(problem.operator));
      if (kindOf(problem.operator) === 'hyperbolic') expect(problem.edges.bottom?.neumann).toBeDefined();
      for (const { dirichlet, neumann } of problem.holes) expect(Boolean(dirichlet) !== Boolean(neumann)).toBe(true);
    }
    expect([...kinds].sort()).toEqual(['elliptic', 'hyperbolic', 'parabolic']);
  });

  test('the published family has one to three terms and Dirichlet data on all edges', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { problem } = drawProblem(families.published, true, new Random(seed));
      const count = problem.operator.filter((c) => c !== 0).length;
      expect(count).toBeGreaterThanOrEqual(1);
      expect(count).toBeLessThanOrEqual(3);
      for (const side of ['left', 'right'] as const) expect(problem.edges[side]?.dirichlet).toBeDefined();
    }
  });
});
