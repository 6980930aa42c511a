import { describe, expect, test } from 'vitest';
import {
  type Coefficients,
  canonical,
  discrepancyOf,
  gridsOf,
  imageOf,
  ModulatedMLP,
  type NetworkMaker,
  type Problem,
  problemOf,
  Solution,
  scaleOf,
  solveByNetwork,
} from '../../../src/hypernet/hypino/index.js';
import { solve } from '../../../src/linalg/index.js';
import { Random, tensor } from '../../../src/tensor/index.js';

const target = new ModulatedMLP({ width: 4, latents: 1 });
const hidden = Solution.random(target, new Random(5)).members[0]?.weights as Record<string, Float32Array>;
const GRID = 9;

/** The network of fixed hidden layers with these output weights and bias. */
const withOutput = (output: ArrayLike<number>) => ({
  ...hidden,
  'out.weight': Float32Array.from(output).slice(0, 4),
  'out.bias': Float32Array.from([output[4] as number]),
});

/** A problem with a hole and Neumann data whose solution is one of these networks. */
function problemFor(output: readonly number[]): Problem {
  const solution = new Solution(target, [{ weights: withOutput(output), factor: 1 }]);
  const jet = (x: number, y: number) => solution.jetsAt(Float32Array.from([x, y]), 2).map((part) => part[0] as number);
  const operator: Coefficients = [0.3, -0.2, 0.1, 1, 0.5];
  const dirichlet = (x: number, y: number) => jet(x, y)[0] as number;
  const neumann = (x: number, y: number, nx: number, ny: number) =>
    nx * (jet(x, y)[1] as number) + ny * (jet(x, y)[2] as number);
  const { problem } = problemOf({
    operator: { uxx: 1, uyy: 1 },
    boundary: { all: { dirichlet: 0 } },
    holes: [{ disk: [0.1, 0.2, 0.3], neumann: 0 }],
  });
  return {
    operator,
    source: (x, y) => operator.reduce((sum, c, i) => sum + c * (jet(x, y)[i] as number), 0),
    edges: { left: { dirichlet }, right: { neumann }, top: { dirichlet, neumann }, bottom: { dirichlet } },
    holes: problem.holes.map(({ region }) => ({ region, neumann })),
  };
}

/** Fits the output weights to the grids of values by least squares: a solver that is exact. */
function exactSolver(problem: Problem, quality = 1): NetworkMaker {
  const grids = gridsOf(problem, GRID);
  const images = Array.from({ length: 5 }, (_, i) =>
    imageOf(
      grids,
      problem.operator,
      { weights: withOutput([0, 1, 2, 3, 4].map((j) => Number(i === j))), factor: 1 },
      target,
    ),
  );
  // A Neumann hole is painted by its nearest point, so its rows differ between image and data.
  const dot = (a: Float32Array, b: Float32Array) => {
    let sum = 0;
    for (let i = 2 * GRID * GRID; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
    return sum;
  };
  return {
    grid: GRID,
    target,
    generateFor: (values) => {
      const gram = tensor(images.map((a) => images.map((b) => dot(a, b))));
      const right = tensor(images.map((a) => [dot(a, values)]));
      return withOutput([...solve(gram, right).view()].map((w) => quality * w));
    },
  };
}

const edgesOnly = (problem: Problem): Problem => ({ ...problem, holes: [] });

describe('refinement', () => {
  test('an exact solver leaves no discrepancy, with Neumann data too', () => {
    const problem = canonical(edgesOnly(problemFor([0.7, -0.4, 1.1, 0.2, 0.5])));
    const { discrepancies, residual } = solveByNetwork(exactSolver(problem), problem, { rounds: 0 });
    expect(discrepancies[0]).toBeLessThan(2e-3);
    expect(discrepancyOf(residual, scaleOf(problem.operator, gridsOf(problem, GRID)))).toBe(discrepancies[0]);
  });

  test('a solver that answers half leaves half, a quarter, an eighth', () => {
    const problem = canonical(edgesOnly(problemFor([0.7, -0.4, 1.1, 0.2, 0.5])));
    const whole = discrepancyOf(gridsOf(problem, GRID), scaleOf(problem.operator, gridsOf(problem, GRID)));
    const { discrepancies, solution } = solveByNetwork(exactSolver(problem, 0.5), problem, {
      rounds: 2,
      step: 1,
      normalise: false,
    });
    [0.5, 0.25, 0.125].forEach((share, round) => {
      expect((discrepancies[round] as number) / whole).toBeCloseTo(share, 2);
    });
    expect(solution.members.map(({ factor }) => factor)).toEqual(
      solution.members.map(() => solution.members[0]?.factor),
    );
    // The factor that is searched makes up for the half.
    const searched = solveByNetwork(exactSolver(problem, 0.5), problem, { rounds: 1 });
    expect((searched.discrepancies[1] as number) / whole).toBeLessThan(0.01);
  });

  test('what is left is f − L of the sum, and g − sum on the boundary, in the domain alone', () => {
    const problem = canonical(problemFor([0.3, 0.9, -0.5, 0.1, -0.2]));
    const { solution, residual } = solveByNetwork(exactSolver(problem, 0.6), problem, { rounds: 2, step: [1, 0.5] });
    const grids = gridsOf(problem, GRID);
    const area = GRID * GRID;
    let inHole = 0;
    for (let at = 0; at < area; at++) {
      const [x, y] = [-1 + (2 * (at % GRID)) / (GRID - 1), 1 - (2 * Math.floor(at / GRID)) / (GRID - 1)];
      const jet = solution.jetsAt(Float32Array.from([x, y]), 2).map((part) => part[0] as number);
      const [u, ux, uy] = jet as [number, number, number];
      const image = problem.operator.reduce((sum, c, i) => sum + c * (jet[i] as number), 0);
      const inside = (grids.distance[at] as number) <= 1e-9;
      inHole += Number(!inside);
      expect(residual.values[4 * area + at]).toBeCloseTo(
        inside ? (grids.values[4 * area + at] as number) - image : 0,
        3,
      );
      if (grids.values[at])
        expect(residual.values[2 * area + at]).toBeCloseTo((grids.values[2 * area + at] as number) - u, 4);
      if (!grids.values[area + at]) continue;
      const slope = (grids.normals[at] as number) * ux + (grids.normals[area + at] as number) * uy;
      expect(residual.values[3 * area + at]).toBeCloseTo((grids.values[3 * area + at] as number) - slope, 3);
    }
    expect(inHole).toBeGreaterThan(3);
  });

  test('stops by itself, and drops a round that does not help', () => {
    const problem = canonical(edgesOnly(problemFor([0.7, -0.4, 1.1, 0.2, 0.5])));
    const { solution, discrepancies } = solveByNetwork(exactSolver(problem, -1), problem, { step: 1 });
    expect(discrepancies[1]).toBeGreaterThan(discrepancies[0] as number);
    expect(solution.members).toHaveLength(1);
    expect(() => solveByNetwork(exactSolver(problem), problem, { rounds: -1 })).toThrow(
      'rounds must be a whole number',
    );
  });

  test('the answer to a problem that is multiplied by 1000 is 1000 times as large', () => {
    const small = canonical(edgesOnly(problemFor([0.7, -0.4, 1.1, 0.2, 0.5])));
    const times = (field: ((...at: [number, number, number, number]) => number) | undefined) =>
      field && ((...at: [number, number, number, number]) => 1000 * field(...at));
    const large: Problem = {
      ...small,
      source: (x, y) => 1000 * small.source(x, y),
      edges: Object.fromEntries(
        Object.entries(small.edges).map(([edge, data]) => [
          edge,
          { dirichlet: times(data.dirichlet), neumann: times(data.neumann) },
        ]),
      ),
    };
    const at = Float32Array.from([0.3, -0.5]);
    const [a, b] = [small, large].map(
      (problem) => solveByNetwork(exactSolver(problem, 0.9), problem, { rounds: 1 }).solution.valuesAt(at)[0] as number,
    ) as [number, number];
    expect(b / a).toBeCloseTo(1000, 0);
  });
});
