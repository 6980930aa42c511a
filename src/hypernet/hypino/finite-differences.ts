// Finite differences of second order: five-point stencils with arms cut at holes (Shortley, Weller
// 1938) for elliptic equations, Crank–Nicolson for parabolic and an implicit scheme with weights
// ¼, ½, ¼ for hyperbolic ones.

import { BandedMatrix } from '../../linalg/index.js';
import { positionOf } from './grids.js';
import { type BoundaryData, type Edge, edges, isCutOff, kindOf, type Problem } from './problem.js';

/** u on an n × n grid, the first row at y = 1; NaN within holes. */
export interface GridSolution {
  /** n, nodes a side. */
  readonly size: number;
  /** u [n, n]. */
  readonly values: Float64Array;
}

/**
 * Solves a problem by finite differences.
 *
 * @param size n, nodes a side
 * @throws Error where the scheme does not apply, with the reason: first-order equations, Neumann
 * data on holes, holes in time, time that runs backwards
 */
export function solveByDifferences(problem: Problem, size: number): GridSolution {
  if (!(Number.isInteger(size) && size >= 4)) throw new RangeError(`solveByDifferences: expected n ≥ 4, got ${size}`);
  const kind = kindOf(problem.operator);
  if (kind === 'elliptic') return elliptic(problem, size);
  const [, , cy, cxx] = problem.operator;
  if (kind === 'first-order' || cxx === 0)
    throw new Error(
      'finite differences: the equation has no second derivative along x, which none of the schemes here takes',
    );
  if (problem.holes.length > 0) throw new Error('finite differences: holes in problems in time are not supported');
  if (kind === 'parabolic' && !(cy * cxx < 0))
    throw new Error(
      'finite differences: this parabolic equation runs backwards in time (uy and uxx need opposite signs)',
    );
  return kind === 'parabolic' ? crankNicolson(problem, size) : wave(problem, size);
}

/** How far a neighbour is, and its value where it lies on a boundary. */
interface Arm {
  readonly length: number;
  /** Known value at its end; undefined: the neighbouring node. */
  readonly value: number | undefined;
}

function elliptic(problem: Problem, n: number): GridSolution {
  for (const { dirichlet } of problem.holes)
    if (!dirichlet) throw new Error('finite differences: holes need Dirichlet data here');
  const h = 2 / (n - 1);
  const matrix = new BandedMatrix(n * n, n, n);
  const right = new Float64Array(n * n);
  const isHole = new Uint8Array(n * n);
  for (let at = 0; at < n * n; at++) {
    const [row, column] = [Math.floor(at / n), at % n];
    const [x, y] = positionOf(row, column, n);
    const touching = problem.holes.find(({ region }) => region.nearest(x, y).distance <= 1e-9);
    isHole[at] = Number(isCutOff(problem, x, y));
    const known = touching?.dirichlet ? touching.dirichlet(x, y, 0, 0) : edgeValue(problem, row, column, n, x, y);
    if (known !== undefined) {
      matrix.add(at, at, 1);
      right[at] = known;
    } else stencil(problem, matrix, right, at, n, h);
  }
  const values = matrix.solve(right);
  for (let at = 0; at < n * n; at++) if (isHole[at]) values[at] = Number.NaN;
  return { size: n, values };
}

/** Edges on which a node lies. */
function edgesAt(row: number, column: number, n: number): Edge[] {
  const on = { left: column === 0, right: column === n - 1, top: row === 0, bottom: row === n - 1 };
  return edges.filter((edge) => on[edge]);
}

/** The Dirichlet value of a node on the edge of the square. */
function edgeValue(problem: Problem, row: number, column: number, n: number, x: number, y: number): number | undefined {
  const data = edgesAt(row, column, n).map((edge) => {
    const found = problem.edges[edge];
    if (!found?.dirichlet && !found?.neumann)
      throw new Error(`finite differences: boundary data are missing at "${edge}"`);
    return found;
  });
  return data.find(({ dirichlet }) => dirichlet)?.dirichlet?.(x, y, 0, 0);
}

/** Adds the equation of one free node. */
function stencil(problem: Problem, matrix: BandedMatrix, right: Float64Array, at: number, n: number, h: number): void {
  const [cu, cx, cy, cxx, cyy] = problem.operator;
  const [row, column] = [Math.floor(at / n), at % n];
  const [x, y] = positionOf(row, column, n);
  let known = problem.source(x, y);
  matrix.add(at, at, cu);
  const along = (first: number, second: number, dx: number, dy: number, offset: number, back: Edge, ahead: Edge) => {
    const on = edgesAt(row, column, n);
    const wall = on.find((edge) => edge === back || edge === ahead);
    if (wall !== undefined) {
      // A mirror node beyond the wall: u_ghost = u_inner + 2h·g.
      const flux = problem.edges[wall]?.neumann?.(x, y, dx, dy) as number;
      const inwards = wall === back ? offset : -offset;
      matrix.add(at, at + inwards, (2 * second) / h ** 2);
      matrix.add(at, at, (-2 * second) / h ** 2);
      known -= (2 * second * flux) / h + first * (wall === back ? -flux : flux);
      return;
    }
    const [minus, plus] = [armOf(problem, x, y, -dx, -dy, h), armOf(problem, x, y, dx, dy, h)];
    const [a, b] = [minus.length, plus.length];
    const weights = [
      { arm: minus, to: at - offset, weight: (2 * second) / (a * (a + b)) - (first * b) / (a * (a + b)) },
      { arm: plus, to: at + offset, weight: (2 * second) / (b * (a + b)) + (first * a) / (b * (a + b)) },
    ];
    for (const { arm, to, weight } of weights) {
      if (arm.value === undefined) matrix.add(at, to, weight);
      else known -= weight * arm.value;
      matrix.add(at, at, -weight);
    }
  };
  along(cx, cxx, 1, 0, 1, 'left', 'right');
  along(cy, cyy, 0, 1, -n, 'bottom', 'top');
  right[at] = known;
}

/** The arm of a stencil in a direction: up to the next node, or to the outline of a hole. */
function armOf({ holes }: Problem, x: number, y: number, dx: number, dy: number, h: number): Arm {
  const hole = holes.find(({ region }) => region.nearest(x + h * dx, y + h * dy).distance < 0);
  if (!hole) return { length: h, value: undefined };
  let [low, high] = [0, h];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (hole.region.nearest(x + middle * dx, y + middle * dy).distance < 0) high = middle;
    else low = middle;
  }
  // Not so short that the stencil loses its digits.
  const length = Math.max(high, 1e-6 * h);
  return { length, value: hole.dirichlet?.(x + length * dx, y + length * dy, 0, 0) as number };
}

/** Steps of time from one row of the grid to the next. */
const SUBSTEPS = 4;

/** Rows of the operator along x at a time: L u = below·u₋ + at·u + above·u₊ + known. */
interface Rows {
  readonly below: Float64Array;
  readonly at: Float64Array;
  readonly above: Float64Array;
  readonly known: Float64Array;
}

function wallOf(problem: Problem, edge: 'left' | 'right'): BoundaryData {
  const data = problem.edges[edge];
  if (!data?.dirichlet && !data?.neumann) throw new Error(`finite differences: boundary data are missing at "${edge}"`);
  return data;
}

function rowsAt(problem: Problem, n: number, y: number): Rows {
  const [cu, cx, , cxx] = problem.operator;
  const h = 2 / (n - 1);
  const rows = Array.from({ length: 4 }, () => new Float64Array(n)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const [below, at, above, known] = rows;
  for (let i = 0; i < n; i++) {
    below[i] = cxx / h ** 2 - cx / (2 * h);
    above[i] = cxx / h ** 2 + cx / (2 * h);
    at[i] = cu - (2 * cxx) / h ** 2;
  }
  for (const [edge, i, sign] of [
    ['left', 0, -1],
    ['right', n - 1, 1],
  ] as const) {
    const flux = wallOf(problem, edge).neumann?.(sign, y, sign, 0);
    if (flux === undefined) continue;
    const inner = sign < 0 ? above : below;
    inner[i] = (2 * cxx) / h ** 2;
    known[i] = (2 * cxx * flux) / h + cx * sign * flux;
  }
  below[0] = 0;
  above[n - 1] = 0;
  return { below, at, above, known };
}

function applied({ below, at, above, known }: Rows, u: Float64Array): Float64Array {
  return u.map((value, i) => {
    const side = (below[i] as number) * (u[i - 1] ?? 0) + (above[i] as number) * (u[i + 1] ?? 0);
    return side + (at[i] as number) * value + (known[i] as number);
  });
}

/** Solves (shift + share·L)·u = right at a time, with the Dirichlet values of the walls. */
function implicit(
  problem: Problem,
  n: number,
  y: number,
  shift: number,
  share: number,
  right: Float64Array,
): Float64Array {
  const rows = rowsAt(problem, n, y);
  const matrix = new BandedMatrix(n, 1, 1);
  const b = right.map((value, i) => value - share * (rows.known[i] as number));
  for (let i = 0; i < n; i++) {
    const wall = i === 0 ? wallOf(problem, 'left') : i === n - 1 ? wallOf(problem, 'right') : undefined;
    if (wall?.dirichlet) {
      matrix.add(i, i, 1);
      b[i] = wall.dirichlet(i === 0 ? -1 : 1, y, 0, 0);
      continue;
    }
    matrix.add(i, i, shift + share * (rows.at[i] as number));
    if (i > 0) matrix.add(i, i - 1, share * (rows.below[i] as number));
    if (i < n - 1) matrix.add(i, i + 1, share * (rows.above[i] as number));
  }
  return matrix.solve(b);
}

const sourceAt = ({ source }: Problem, n: number, y: number) =>
  Float64Array.from({ length: n }, (_, i) => source(-1 + (2 * i) / (n - 1), y));

function initial(problem: Problem, n: number, data: 'dirichlet' | 'neumann'): Float64Array {
  const start = problem.edges.bottom?.[data];
  if (!start)
    throw new Error(
      `finite differences: ${data === 'dirichlet' ? 'the initial values' : 'the derivative in time at the start'} are missing at "bottom"`,
    );
  return Float64Array.from({ length: n }, (_, i) => start(-1 + (2 * i) / (n - 1), -1, 0, 1));
}

/** Marches from y = −1 to 1; `step` gives u at the next time. */
function march(n: number, first: Float64Array, step: (u: Float64Array, m: number) => Float64Array): GridSolution {
  const values = new Float64Array(n * n);
  let u = first;
  values.set(u, (n - 1) * n);
  for (let m = 0; m < SUBSTEPS * (n - 1); m++) {
    u = step(u, m);
    if ((m + 1) % SUBSTEPS === 0) values.set(u, (n - 1 - (m + 1) / SUBSTEPS) * n);
  }
  return { size: n, values };
}

function crankNicolson(problem: Problem, n: number): GridSolution {
  const cy = problem.operator[2];
  const k = 2 / (n - 1) / SUBSTEPS;
  return march(n, initial(problem, n, 'dirichlet'), (u, m) => {
    const [now, next] = [-1 + m * k, -1 + (m + 1) * k];
    const image = applied(rowsAt(problem, n, now), u);
    const [before, after] = [sourceAt(problem, n, now), sourceAt(problem, n, next)];
    const right = u.map((value, i) => {
      return (cy / k) * value - (image[i] as number) / 2 + ((before[i] as number) + (after[i] as number)) / 2;
    });
    return implicit(problem, n, next, cy / k, 0.5, right);
  });
}

function wave(problem: Problem, n: number): GridSolution {
  const [, , cy, , cyy] = problem.operator;
  const k = 2 / (n - 1) / SUBSTEPS;
  const first = initial(problem, n, 'dirichlet');
  const speed = initial(problem, n, 'neumann');
  let last = first;
  return march(n, first, (u, m) => {
    const now = -1 + m * k;
    const image = applied(rowsAt(problem, n, now), u);
    const source = sourceAt(problem, n, now);
    const held = last;
    last = u;
    if (m === 0) {
      // Taylor's formula, with u_tt from the equation; walls by the next solve's values.
      const next = u.map((value, i) => {
        const bend = ((source[i] as number) - (image[i] as number) - cy * (speed[i] as number)) / cyy;
        return value + k * (speed[i] as number) + (k * k * bend) / 2;
      });
      return implicit(problem, n, now + k, 1, 0, next);
    }
    const past = applied(rowsAt(problem, n, now - k), held);
    const right = u.map((value, i) => {
      const before = held[i] as number;
      const inertia = (cyy / k ** 2) * (2 * value - before) + (cy / (2 * k)) * before;
      return (source[i] as number) + inertia - (image[i] as number) / 2 - (past[i] as number) / 4;
    });
    return implicit(problem, n, now + k, cyy / k ** 2 + cy / (2 * k), 0.25, right);
  });
}

/** Bilinear interpolation of a solution on a grid, NaN near holes. */
export function interpolated({ size: n, values }: GridSolution, x: number, y: number): number {
  const [across, down] = [((x + 1) / 2) * (n - 1), ((1 - y) / 2) * (n - 1)];
  const [column, row] = [across, down].map((at) => Math.min(n - 2, Math.max(0, Math.floor(at)))) as [number, number];
  const [right, below] = [across - column, down - row];
  const at = (r: number, c: number, share: number) => (share === 0 ? 0 : share * (values[r * n + c] as number));
  return (
    at(row, column, (1 - below) * (1 - right)) +
    at(row, column + 1, (1 - below) * right) +
    at(row + 1, column, below * (1 - right)) +
    at(row + 1, column + 1, below * right)
  );
}
