import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readNpz } from '../../../src/data/index.js';
import { readBytes } from '../../../src/data/node.js';
import {
  benchmark,
  errorsOf,
  interpolated,
  type ProblemDescription,
  problemOf,
  referenceOf,
  solveByDifferences,
} from '../../../src/hypernet/hypino/index.js';

/** Relative error against the closed form at n nodes a side. */
function errorAt(description: ProblemDescription, n: number): number {
  const { problem } = problemOf(description);
  return errorsOf(referenceOf(problem, n), solveByDifferences(problem, n).values).relative;
}

const order = (description: ProblemDescription, coarse: number) =>
  Math.log2(errorAt(description, coarse) / errorAt(description, 2 * coarse - 1));

const convection: ProblemDescription = {
  operator: { uxx: 1, uyy: 2, ux: 0.5, uy: -1, u: -1 },
  source: '-2*4*sin(x)*cos(2*y)+0.5*cos(x)*cos(2*y)+2*sin(x)*sin(2*y)-sin(x)*cos(2*y)-sin(x)*cos(2*y)',
  exact: 'sin(x)*cos(2*y)',
  boundary: { all: { dirichlet: 'sin(x)*cos(2*y)' } },
};

describe('finite differences', () => {
  test('are of second order for elliptic equations with drift', () => {
    expect(order(convection, 17)).toBeGreaterThan(1.8);
  });

  test('with Neumann data on edges', () => {
    const boundary = {
      all: { dirichlet: 'sin(x)*cos(2*y)' },
      left: { neumann: '-cos(x)*cos(2*y)' },
      top: { neumann: '-2*sin(x)*sin(2*y)' },
    };
    expect(order({ ...convection, boundary }, 17)).toBeGreaterThan(1.8);
  });

  test('with a round hole', () => {
    const holes = [{ disk: [0.1, -0.2, 0.35], dirichlet: 'sin(x)*cos(2*y)' }] as const;
    expect(order({ ...convection, holes }, 17)).toBeGreaterThan(1.6);
  });

  test('are of second order in time', () => {
    const heat: ProblemDescription = {
      operator: { uxx: 0.2, uy: -1, ux: 0.1 },
      exact: 'exp(-0.2*y)*sin(x)',
      source: '0.1*exp(-0.2*y)*cos(x)',
      boundary: {
        left: { neumann: '-exp(-0.2*y)*cos(x)' },
        right: { dirichlet: 'exp(-0.2*y)*sin(x)' },
        bottom: { dirichlet: 'exp(-0.2*y)*sin(x)' },
      },
    };
    expect(order(heat, 9)).toBeGreaterThan(1.8);
    const damped: ProblemDescription = {
      operator: { uxx: 1, uyy: -1, uy: -0.3 },
      exact: 'sin(2*x)*cos(2*y)',
      source: '0.6*sin(2*x)*sin(2*y)',
      boundary: {
        left: { dirichlet: 'sin(2*x)*cos(2*y)' },
        right: { neumann: '2*cos(2*x)*cos(2*y)' },
        bottom: { dirichlet: 'sin(2*x)*cos(2*y)', velocity: '-2*sin(2*x)*sin(2*y)' },
      },
    };
    expect(order(damped, 17)).toBeGreaterThan(1.8);
  });

  test('find the published sizes of the benchmarks', () => {
    const corner = solveByDifferences(benchmark('poisson_L'), 65).values;
    expect(Math.max(...corner.filter((u) => !Number.isNaN(u)))).toBeCloseTo(0.1338, 1);
    const peaks = solveByDifferences(benchmark('poisson_G'), 65).values;
    expect(Math.max(...peaks)).toBeGreaterThan(2.4);
    expect(Math.max(...peaks)).toBeLessThan(2.65);
  });

  const path = join(process.env.GOSSAMER_DATA ?? '', 'pde/poisson2d_cg.npz');
  test.skipIf(!existsSync(path))('agree with another solver at the 1,246 points of poisson_C', () => {
    const { xy, u } = readNpz(readBytes(path)) as Record<string, { values: Float64Array }>;
    const grid = solveByDifferences(benchmark('poisson_C'), 97);
    let [total, count] = [0, 0];
    u?.values.forEach((value, i) => {
      // The file has the square of side 1.
      const ours = interpolated(grid, 2 * (xy?.values[2 * i] as number), 2 * (xy?.values[2 * i + 1] as number));
      if (Number.isNaN(ours)) return;
      total += Math.abs(ours - value);
      count += 1;
    });
    expect(count).toBeGreaterThan(1000);
    expect(total / count).toBeLessThan(0.01);
  });

  test('refuse what no scheme takes, with the reason', () => {
    const sides = { left: { dirichlet: 0 }, right: { dirichlet: 0 }, bottom: { dirichlet: 0 } };
    const refused = (description: ProblemDescription, message: string) => {
      expect(() => solveByDifferences(problemOf(description).problem, 9)).toThrow(message);
    };
    refused({ operator: { uxx: 1, uy: 1 }, boundary: sides }, 'runs backwards in time');
    refused({ operator: { ux: 1 }, boundary: sides }, 'no second derivative along x');
    refused({ ...convection, holes: [{ disk: [0, 0, 0.3], neumann: 0 }] }, 'holes need Dirichlet data');
    refused(
      { operator: { uxx: 1, uy: -1 }, boundary: sides, holes: [{ disk: [0, 0, 0.3], dirichlet: 0 }] },
      'holes in problems in time',
    );
  });
});
