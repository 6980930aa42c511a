// Linear differential equations of second order on the square [−1, 1]², without mixed derivatives:
//
//   c_u·u + c_x·u_x + c_y·u_y + c_xx·u_xx + c_yy·u_yy = f
//
// with Dirichlet and Neumann data on the edges and on the outlines of holes. In parabolic and
// hyperbolic equations y is time: the bottom edge holds initial values, and as its Neumann data
// the derivative in time.

import type { Field } from './formula.js';
import type { Nearest, Region } from './geometry.js';

/** The terms of an operator, in the order of its coefficients. */
export const terms = ['u', 'ux', 'uy', 'uxx', 'uyy'] as const;

/** c_u, c_x, c_y, c_xx, c_yy. */
export type Coefficients = readonly [u: number, ux: number, uy: number, uxx: number, uyy: number];

/** Sides of the square. */
export const edges = ['left', 'right', 'bottom', 'top'] as const;

/** A side of the square. */
export type Edge = (typeof edges)[number];

/** A function on a boundary, given the unit normal that the Neumann data belong to. */
export type BoundaryField = (x: number, y: number, nx: number, ny: number) => number;

/** What is known of u on a part of the boundary. */
export interface BoundaryData {
  /** u. */
  readonly dirichlet?: BoundaryField | undefined;
  /** The derivative of u along the normal that leads out of the domain. */
  readonly neumann?: BoundaryField | undefined;
}

/** A hole of the domain, with what is known on its outline. */
export interface Hole extends BoundaryData {
  /** Its shape. */
  readonly region: Region;
}

/** A differential equation with its data, on [−1, 1]². */
export interface Problem {
  /** Coefficients of the equation. */
  readonly operator: Coefficients;
  /** f. */
  readonly source: Field;
  /** Data on the edges; an edge that is left out is free, as the end of time is. */
  readonly edges: Readonly<Partial<Record<Edge, BoundaryData>>>;
  /** What is cut out of the square. */
  readonly holes: readonly Hole[];
  /** The solution, where it is known. */
  readonly exact?: Field | undefined;
}

/** Type of an equation. */
export type ProblemKind = 'elliptic' | 'parabolic' | 'hyperbolic' | 'first-order';

/** By the sign of c_xx·c_yy; 0 is parabolic, or of first order where both are 0. */
export function kindOf([, , , xx, yy]: Coefficients): ProblemKind {
  if (xx === 0 && yy === 0) return 'first-order';
  if (xx * yy === 0) return 'parabolic';
  return xx * yy > 0 ? 'elliptic' : 'hyperbolic';
}

/**
 * @throws Error when a coefficient is not finite, all are 0, or no boundary holds data; it says
 * what to add
 */
export function requireProblem({ operator, edges: sides, holes }: Problem): void {
  if (operator.length !== terms.length || !operator.every(Number.isFinite))
    throw new Error(`problem: the operator needs a finite number for each of ${terms.join(', ')}, got ${operator}`);
  if (operator.every((c) => c === 0)) throw new Error('problem: all coefficients are 0, so there is no equation');
  const known = [...Object.values(sides), ...holes].some(({ dirichlet, neumann }) => dirichlet || neumann);
  if (!known)
    throw new Error(
      'problem: there are no boundary data, without which the solution is not determined; give dirichlet or neumann for left, right, bottom, top or a hole',
    );
}

/**
 * The same equation divided by its largest coefficient, so that all lie in [−1, 1], and of such a
 * sign that c_xx, or else c_yy, or else the first that is not 0, is positive.
 */
export function canonical(problem: Problem): Problem {
  const { operator, source } = problem;
  const lead = [operator[3], operator[4], ...operator].find((c) => c !== 0) as number;
  const pivot = Math.sign(lead) * Math.max(...operator.map(Math.abs));
  return {
    ...problem,
    operator: operator.map((c) => c / pivot) as unknown as Coefficients,
    source: (x, y) => source(x, y) / pivot,
  };
}

/** A part of the boundary with its data. */
export interface Piece extends BoundaryData {
  /** Length of the part. */
  readonly length: number;
  /** The nearest point of it, with the normal out of the domain (in time: up). */
  nearest(x: number, y: number): Nearest;
  /** The point at a share of the length. */
  outline(share: number): Nearest;
}

const sides: Readonly<Record<Edge, readonly [x0: number, y0: number, x1: number, y1: number, nx: number, ny: number]>> =
  {
    left: [-1, -1, -1, 1, -1, 0],
    right: [1, -1, 1, 1, 1, 0],
    bottom: [-1, -1, 1, -1, 0, -1],
    top: [-1, 1, 1, 1, 0, 1],
  };

/** Whether y is time. */
export function isEvolution(operator: Coefficients): boolean {
  return ['parabolic', 'hyperbolic'].includes(kindOf(operator)) && operator[3] !== 0;
}

function edgePiece(edge: Edge, data: BoundaryData, evolves: boolean): Piece {
  const [x0, y0, x1, y1, nx, outward] = sides[edge];
  const ny = evolves && edge === 'bottom' ? 1 : outward;
  const at = (share: number, distance: number): Nearest => {
    return { distance, x: x0 + share * (x1 - x0), y: y0 + share * (y1 - y0), nx, ny };
  };
  return {
    ...data,
    length: 2,
    nearest: (x, y) => {
      const share = Math.min(1, Math.max(0, nx !== 0 ? (y + 1) / 2 : (x + 1) / 2));
      const { x: px, y: py } = at(share, 0);
      return at(share, Math.hypot(x - px, y - py));
    },
    outline: (share) => at(share, 0),
  };
}

function holePiece({ region, ...data }: Hole): Piece {
  // The domain lies outside of the region.
  const turned = ({ distance, x, y, nx, ny }: Nearest): Nearest => ({ distance, x, y, nx: -nx, ny: -ny });
  return {
    ...data,
    length: region.length,
    nearest: (x, y) => turned(region.nearest(x, y)),
    outline: (share) => turned(region.outline(share)),
  };
}

/** The parts of the boundary that hold data: holes first, then edges. */
export function piecesOf({ operator, edges: given, holes }: Problem): readonly Piece[] {
  const evolves = isEvolution(operator);
  const onEdges = edges.flatMap((edge) => {
    const data = given[edge];
    return data ? [edgePiece(edge, data, evolves)] : [];
  });
  return [...holes.map(holePiece), ...onEdges].filter(({ dirichlet, neumann }) => dirichlet || neumann);
}

/** Signed distance to the boundary of the domain: negative inside of it. */
export function domainDistance({ holes }: Pick<Problem, 'holes'>, x: number, y: number): number {
  const square = Math.max(Math.abs(x), Math.abs(y)) - 1;
  return holes.reduce((most, { region }) => Math.max(most, -region.nearest(x, y).distance), square);
}

/** How far a point of a boundary may lie within a hole by rounding. */
const TOUCH = 1e-9;

/** Whether a point of the boundary is cut off by a hole that reaches over it. */
export function isCutOff({ holes }: Pick<Problem, 'holes'>, x: number, y: number): boolean {
  return (
    holes.some(({ region }) => region.nearest(x, y).distance < -TOUCH) || Math.max(Math.abs(x), Math.abs(y)) > 1 + TOUCH
  );
}
