// What a solution leaves of an equation and of its data, on a grid and in numbers.

import { Random } from '../../tensor/index.js';
import { boundaryPoints } from './batch.js';
import { gridPoints } from './errors.js';
import type { GridSolution } from './finite-differences.js';
import { gridsOf, scaleOf } from './grids.js';
import { canonical, domainDistance, type Problem } from './problem.js';
import type { Solution } from './solution.js';

/** A solution on a grid with what it leaves of the equation and of the data. */
export interface SolutionReport {
  /** u on the grid, the first row at the largest y; NaN in holes. */
  readonly grid: GridSolution;
  /** L[u] − f on the same grid; NaN where it is not known. */
  readonly residual: Float64Array;
  /** Root mean square of the residual, relative to the sizes of the equation and the solution. */
  readonly relativeResidual: number;
  /** Root mean square error of boundary values, relative to the size of the solution. */
  readonly boundary: number;
}

/** Pixels by which the size of a solution is estimated. */
const ESTIMATE = 48;

/** Points of the boundary that are looked at. */
const POINTS = 512;

/** Root mean square of the numbers that are not NaN; 0 of none. */
function rootMeanSquare(values: Float64Array): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length === 0 ? 0 : Math.sqrt(known.reduce((sum, value) => sum + value * value, 0) / known.length);
}

function relativeTo(problem: Problem, residual: Float64Array): { readonly residual: number; readonly size: number } {
  const form = canonical(problem);
  const lead = problem.operator.findIndex((c) => c !== 0);
  const pivot = (problem.operator[lead] as number) / (form.operator[lead] as number);
  const { solution, terms } = scaleOf(form.operator, gridsOf(form, ESTIMATE));
  return { residual: rootMeanSquare(residual) / Math.abs(pivot) / terms[0] / solution, size: solution };
}

/** Evaluates a sum of networks on an n × n grid. */
export function reportOf(problem: Problem, solution: Solution, n: number): SolutionReport {
  const points = gridPoints(n);
  const [u, ...derivatives] = solution.jetsAt(points, 2) as [Float64Array, ...Float64Array[]];
  const [values, residual] = [new Float64Array(n * n).fill(Number.NaN), new Float64Array(n * n).fill(Number.NaN)];
  for (let at = 0; at < n * n; at++) {
    const [x, y] = [points[2 * at] as number, points[2 * at + 1] as number];
    if (domainDistance(problem, x, y) > 1e-6) continue;
    values[at] = u[at] as number;
    const jet = [u, ...derivatives].map((part) => part[at] as number);
    residual[at] = problem.operator.reduce((sum, c, i) => sum + c * (jet[i] as number), -problem.source(x, y));
  }
  const relative = relativeTo(problem, residual);
  return {
    grid: { size: n, values },
    residual,
    relativeResidual: relative.residual,
    boundary: boundaryError(problem, solution) / relative.size,
  };
}

function boundaryError(problem: Problem, solution: Solution): number {
  const points = boundaryPoints(problem, POINTS, new Random(0));
  const [u, ux, uy] = solution.jetsAt(Float32Array.from(points.flatMap(({ x, y }) => [x, y])), 1) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const errors = points.flatMap(({ piece, x, y, nx, ny }, i) => {
    const flux = nx * (ux[i] as number) + ny * (uy[i] as number);
    return [
      ...(piece.dirichlet ? [(u[i] as number) - piece.dirichlet(x, y, nx, ny)] : []),
      ...(piece.neumann ? [flux - piece.neumann(x, y, nx, ny)] : []),
    ];
  });
  return rootMeanSquare(Float64Array.from(errors));
}

/**
 * Finite differences: the residual by differences of fourth order, where two neighbours on each
 * side are known.
 */
export function reportOfDifferences(problem: Problem, grid: GridSolution): SolutionReport {
  const { size: n, values } = grid;
  const h = 2 / (n - 1);
  const [cu, cx, cy, cxx, cyy] = problem.operator;
  const points = gridPoints(n);
  const residual = new Float64Array(n * n).fill(Number.NaN);
  for (let row = 2; row < n - 2; row++)
    for (let column = 2; column < n - 2; column++) {
      const at = row * n + column;
      const along = (offset: number) => [-2, -1, 0, 1, 2].map((k) => values[at + k * offset] as number);
      const slope = ([a, b, , d, e]: number[]) =>
        ((a as number) - 8 * (b as number) + 8 * (d as number) - (e as number)) / (12 * h);
      const bend = ([a, b, c, d, e]: number[]) =>
        (-(a as number) + 16 * (b as number) - 30 * (c as number) + 16 * (d as number) - (e as number)) / (12 * h * h);
      // Rows run down, y up.
      const [alongX, alongY] = [along(1), along(-n)];
      const image =
        cu * (values[at] as number) + cx * slope(alongX) + cy * slope(alongY) + cxx * bend(alongX) + cyy * bend(alongY);
      residual[at] = image - problem.source(points[2 * at] as number, points[2 * at + 1] as number);
    }
  return { grid, residual, relativeResidual: relativeTo(problem, residual).residual, boundary: 0 };
}
