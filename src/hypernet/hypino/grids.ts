// A problem as pictures: five grids that a network reads, with signed distances and normals.

import { type Coefficients, domainDistance, isCutOff, type Piece, type Problem, piecesOf } from './problem.js';

/** Names of the grids, in order. */
export const channels = ['Dirichlet mask', 'Neumann mask', 'Dirichlet values', 'Neumann values', 'source'] as const;

/** A problem on an n × n grid whose first row is y = 1 and whose first column x = −1. */
export interface ProblemGrids {
  /** n. */
  readonly size: number;
  /** The five grids [5, n, n], see `channels`. */
  readonly values: Float32Array;
  /** Unit normals at pixels of the Neumann mask [2, n, n]. */
  readonly normals: Float32Array;
  /** Signed distance to the boundary [n, n]: negative inside the domain. */
  readonly distance: Float32Array;
}

/** Width of lines: a pixel belongs to a boundary whose distance d has exp(−d/0.1) > 0.8. */
const LINE = -0.1 * Math.log(0.8);

/** Position of a row and column of an n × n grid. */
export function positionOf(row: number, column: number, n: number): readonly [x: number, y: number] {
  return [-1 + (2 * column) / (n - 1), 1 - (2 * row) / (n - 1)];
}

/**
 * Paints a problem: the source inside of the domain, and boundary values by the nearest point of
 * the boundary, on lines that are as wide as the paper's, and at least a pixel.
 *
 * @throws RangeError for fewer than 4 pixels a side; Error naming the place of a value that is not
 * finite
 */
export function gridsOf(problem: Problem, size: number): ProblemGrids {
  if (!(Number.isInteger(size) && size >= 4)) throw new RangeError(`gridsOf: expected at least 4 pixels, got ${size}`);
  const area = size * size;
  const grids = {
    size,
    values: new Float32Array(5 * area),
    normals: new Float32Array(2 * area),
    distance: new Float32Array(area),
  };
  const reach = Math.max(LINE, 1.001 / (size - 1));
  const pieces = piecesOf(problem);
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++) {
      const [x, y] = positionOf(row, column, size);
      const at = row * size + column;
      const distance = domainDistance(problem, x, y);
      grids.distance[at] = distance;
      if (distance <= 1e-9) grids.values[4 * area + at] = finite('the source', problem.source(x, y), x, y);
      // Elsewhere no boundary is near.
      if (Math.abs(distance) <= reach) paint(problem, pieces, grids, at, x, y, reach);
    }
  return grids;
}

/** Paints boundary values at one pixel, each kind of data from its nearest piece. */
function paint(
  problem: Problem,
  pieces: readonly Piece[],
  { size, values, normals }: ProblemGrids,
  at: number,
  x: number,
  y: number,
  reach: number,
): void {
  const area = size * size;
  let [toDirichlet, toNeumann] = [reach, reach];
  for (const piece of pieces) {
    const { distance, x: px, y: py, nx, ny } = piece.nearest(x, y);
    const away = Math.abs(distance);
    if (away > reach || isCutOff(problem, px, py)) continue;
    if (piece.dirichlet && away < toDirichlet) {
      toDirichlet = away;
      values[at] = 1;
      values[2 * area + at] = finite('a Dirichlet value', piece.dirichlet(px, py, nx, ny), px, py);
    }
    if (piece.neumann && away < toNeumann) {
      toNeumann = away;
      values[area + at] = 1;
      values[3 * area + at] = finite('a Neumann value', piece.neumann(px, py, nx, ny), px, py);
      normals[at] = nx;
      normals[area + at] = ny;
    }
  }
}

function finite(what: string, value: number, x: number, y: number): number {
  if (!Number.isFinite(value))
    throw new Error(`problem: ${what} is ${value} at (${x.toFixed(3)}, ${y.toFixed(3)}) of the square [−1, 1]²`);
  return value;
}

/** By how much a problem's data and its solution are scaled for a network. */
export interface ProblemScale {
  /** About the size of the solution: data are divided by it, answers multiplied. */
  readonly solution: number;
  /**
   * About the size of the equation's two sides, of u_x, u_y, u_xx and u_yy, for a solution of size
   * 1.
   */
  readonly terms: readonly [equation: number, x: number, y: number, xx: number, yy: number];
}

/**
 * Estimates the size of a solution from its data: from boundary values, and from the source divided
 * by |c_xx|κ_x² + |c_yy|κ_y² + |c_x|κ_x + |c_y|κ_y + |c_u|, where κ_x² = (π/2)² + mean f_x²/mean f²
 * are its wave numbers.
 */
export function scaleOf(operator: Coefficients, { size, values, distance }: ProblemGrids): ProblemScale {
  const area = size * size;
  const at = (row: number, column: number) => values[4 * area + row * size + column] as number;
  let [power, alongX, alongY, counted, bent] = [0, 0, 0, 0, 0];
  const inside = (row: number, column: number) => (distance[row * size + column] as number) <= 0;
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++) {
      if (!inside(row, column)) continue;
      power += at(row, column) ** 2;
      counted += 1;
      if (row === 0 || column === 0 || !inside(row - 1, column) || !inside(row, column - 1)) continue;
      alongX += ((at(row, column) - at(row, column - 1)) * ((size - 1) / 2)) ** 2;
      alongY += ((at(row, column) - at(row - 1, column)) * ((size - 1) / 2)) ** 2;
      bent += 1;
    }
  const mean = power / Math.max(1, counted);
  const wave = (along: number) => (Math.PI / 2) ** 2 + (mean > 0 ? along / Math.max(1, bent) / mean : 0);
  const [xx, yy] = [wave(alongX), wave(alongY)];
  const [x, y] = [Math.sqrt(xx), Math.sqrt(yy)];
  const [cu, cx, cy, cxx, cyy] = operator.map(Math.abs) as unknown as Coefficients;
  const equation = cu + cx * x + cy * y + cxx * xx + cyy * yy;
  const largest = (channel: number) => {
    let most = 0;
    for (let i = channel * area; i < (channel + 1) * area; i++) most = Math.max(most, Math.abs(values[i] as number));
    return most;
  };
  const solution = Math.max(largest(2), largest(3) / 2, Math.sqrt(mean) / equation);
  return { solution: solution > 0 ? solution : 1, terms: [equation, x, y, xx, yy] };
}

/** The grids with values and source divided by a number; masks stay. */
export function dividedBy(grids: ProblemGrids, scale: number): ProblemGrids {
  const area = grids.size ** 2;
  return { ...grids, values: grids.values.map((value, i) => (i < 2 * area ? value : value / scale)) };
}
