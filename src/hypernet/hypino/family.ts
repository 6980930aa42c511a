// Families of random problems to train on: operators, holes, and data from manufactured solutions
// or, without a known solution, from simple functions on the boundary.

import type { Random } from '../../tensor/index.js';
import { disk, polygon, type Region, rectangle } from './geometry.js';
import {
  applyOperator,
  curves,
  drawSteps,
  type ManufacturedRanges,
  manufacturedAt,
  type PointJet,
} from './manufactured.js';
import {
  type BoundaryData,
  type BoundaryField,
  type Coefficients,
  canonical,
  type Edge,
  edges,
  type Hole,
  isEvolution,
  kindOf,
  type Problem,
  type ProblemKind,
} from './problem.js';

/** A family of problems. */
export interface ProblemFamily {
  /**
   * `any`: one to three distinct terms, as the paper has it, ill-posed ones among them.
   * `well-posed`: elliptic, parabolic forward in time, or hyperbolic.
   */
  readonly operators: 'any' | 'well-posed';
  /** Types that well-posed operators are drawn from. */
  readonly kinds: readonly Exclude<ProblemKind, 'first-order'>[];
  /** Manufactured solutions. */
  readonly ranges: ManufacturedRanges;
  /** Most holes. */
  readonly holes: number;
  /** Share of problems with Neumann data on edges. */
  readonly neumann: number;
  /**
   * Neumann data on edges: `beside` Dirichlet data, as the paper has it, or in their `place` on
   * some edges.
   */
  readonly neumannData: 'beside' | 'place';
  /** Constant sources are this times a normal number of mean 1 and deviation 1. */
  readonly source: number;
  /** Solutions with a larger derivative, or source, are drawn again. */
  readonly steepest: number;
}

const allCurves = Object.keys(curves) as (keyof typeof curves)[];

/** Families by name. */
export const families = {
  /** As published. */
  published: {
    operators: 'any',
    kinds: ['elliptic', 'parabolic', 'hyperbolic'],
    ranges: {
      steps: [6, 10],
      frequency: 10,
      flat: 0.5,
      phase: 2 * Math.PI,
      amplitude: 2 * Math.PI,
      offset: 2 * Math.PI,
      rules: ['add', 'multiply', 'compose'],
      curves: allCurves,
    },
    holes: 3,
    neumann: 0.25,
    neumannData: 'beside',
    source: 10,
    steepest: 1e4,
  },
  /** Well-posed problems of all types, with smoother solutions. */
  gentle: {
    operators: 'well-posed',
    kinds: ['elliptic', 'parabolic', 'hyperbolic'],
    ranges: {
      steps: [2, 4],
      frequency: 3,
      flat: 0.25,
      phase: Math.PI,
      amplitude: 2,
      offset: 1,
      rules: ['add', 'multiply', 'compose'],
      curves: allCurves,
    },
    holes: 3,
    neumann: 0.25,
    neumannData: 'place',
    source: 1,
    steepest: 300,
  },
  /** a·u_xx + b·u_yy + c·u on the square with Dirichlet data; sums of at most three waves. */
  waves: {
    operators: 'well-posed',
    kinds: ['elliptic'],
    ranges: {
      steps: [1, 3],
      frequency: 3,
      flat: 0,
      phase: Math.PI,
      amplitude: 1.5,
      offset: 0,
      rules: ['add'],
      curves: ['sin'],
    },
    holes: 0,
    neumann: 0,
    neumannData: 'beside',
    source: 1,
    steepest: 1e4,
  },
} as const satisfies Record<string, ProblemFamily>;

/** Name of a family. */
export type FamilyName = keyof typeof families;

/** A random problem in canonical form, and its solution with derivatives where it is known. */
export interface DrawnProblem {
  /** In canonical form. */
  readonly problem: Problem;
  /** u, u_x, u_y, u_xx, u_yy at a point; undefined where they are not known. */
  readonly solution: ((x: number, y: number) => PointJet) | undefined;
}

const uniform = (random: Random, low: number, high: number) => low + (high - low) * random.float();
const oneOf = <T>(random: Random, list: readonly T[]) => list[random.integer(list.length)] as T;

/** A random operator of a family. */
export function drawOperator({ operators, kinds, ranges }: ProblemFamily, random: Random): Coefficients {
  if (operators === 'any') {
    const count = 1 + random.integer(3);
    const chosen = random.sample(5, count);
    return Array.from({ length: 5 }, (_, i) =>
      chosen.includes(i) ? uniform(random, -2, 2) : 0,
    ) as unknown as Coefficients;
  }
  const kind = oneOf(random, kinds);
  const maybe = (share: number, low: number, high: number) => (random.float() < share ? uniform(random, low, high) : 0);
  const xx = uniform(random, 0.25, 2);
  const speed = uniform(random, 0.25, 2);
  if (kind === 'elliptic') {
    // Below half of the lowest eigenvalue of the square nothing resonates.
    const most = (0.5 * (xx + speed) * Math.PI ** 2) / 4;
    const convects = ranges.rules.length > 1;
    const drift = () => (convects ? maybe(0.25, -2, 2) : 0);
    return [maybe(0.5, -2, Math.min(2, most)), drift(), drift(), xx, speed];
  }
  if (kind === 'parabolic') return [maybe(0.25, -2, 0.5), maybe(0.25, -2, 2), -speed, xx, 0];
  return [maybe(0.25, -2, 0.5), 0, maybe(0.25, -2, 0), xx, -speed];
}

/** A random hole well within the square. */
function drawRegion(random: Random): Region {
  const [x, y] = [uniform(random, -0.65, 0.65), uniform(random, -0.65, 0.65)];
  const size = () => uniform(random, 0.1, 0.3);
  const shape = random.integer(3);
  if (shape === 0) return disk(x, y, size());
  if (shape === 1) {
    const [w, h] = [size(), size()];
    return rectangle(x - w, y - h, x + w, y + h);
  }
  const turn = uniform(random, 0, 2 * Math.PI);
  const corner = (k: number): readonly [number, number] => {
    const [angle, r] = [turn + (2 * Math.PI * k) / 3, size()];
    return [x + r * Math.cos(angle), y + r * Math.sin(angle)];
  };
  return polygon([corner(0), corner(1), corner(2)]);
}

/** Edges that hold data, and of which kind. */
interface EdgeKinds {
  readonly edge: Edge;
  readonly dirichlet: boolean;
  readonly neumann: boolean;
}

function drawEdges(family: ProblemFamily, operator: Coefficients, random: Random): readonly EdgeKinds[] {
  const evolves = isEvolution(operator);
  const outer = edges.filter((edge) => !evolves || edge === 'left' || edge === 'right');
  const both = random.float() < family.neumann;
  // One edge keeps its Dirichlet data, so that the solution is unique.
  const kept = random.integer(outer.length);
  const onOuter = outer.map((edge, i) => {
    const swapped = both && family.neumannData === 'place' && i !== kept && random.float() < 0.5;
    return { edge, dirichlet: !swapped, neumann: both && (family.neumannData === 'beside' || swapped) };
  });
  const start = { edge: 'bottom' as const, dirichlet: true, neumann: kindOf(operator) === 'hyperbolic' };
  return evolves ? [...onOuter, start] : onOuter;
}

/** A random problem of a family, with a manufactured solution or without a known one. */
export function drawProblem(family: ProblemFamily, supervised: boolean, random: Random): DrawnProblem {
  const operator = drawOperator(family, random);
  const regions = Array.from({ length: random.integer(family.holes + 1) }, () => drawRegion(random));
  const sides = drawEdges(family, operator, random);
  return (supervised ? manufactured : physicsOnly)(family, operator, regions, sides, random);
}

function manufactured(
  family: ProblemFamily,
  operator: Coefficients,
  regions: readonly Region[],
  sides: readonly EdgeKinds[],
  random: Random,
): DrawnProblem {
  const solution = drawSolution(family, operator, random);
  const dirichlet: BoundaryField = (x, y) => solution(x, y)[0];
  const neumann: BoundaryField = (x, y, nx, ny) => {
    const [, ux, uy] = solution(x, y);
    return nx * ux + ny * uy;
  };
  const holes = regions.map((region): Hole => {
    const flux = random.float() < 0.5;
    const value = !flux || random.float() < 0.5;
    return { region, dirichlet: value ? dirichlet : undefined, neumann: flux ? neumann : undefined };
  });
  const onEdges = sides.map(({ edge, ...known }) => [
    edge,
    { dirichlet: known.dirichlet ? dirichlet : undefined, neumann: known.neumann ? neumann : undefined },
  ]);
  const problem: Problem = {
    operator,
    source: (x, y) => applyOperator(operator, solution(x, y)),
    edges: Object.fromEntries(onEdges),
    holes,
    exact: (x, y) => solution(x, y)[0],
  };
  return { problem: canonical(problem), solution };
}

/** Points a side at which a solution is looked at before it is taken. */
const PROBES = 9;

/** A solution with |u| ≤ 10, a deviation of at least 0.1, and no derivative that is too steep. */
function drawSolution(
  family: ProblemFamily,
  operator: Coefficients,
  random: Random,
): (x: number, y: number) => PointJet {
  for (;;) {
    const steps = drawSteps(family.ranges, random);
    let [sum, square, fits] = [0, 0, true];
    for (let i = 0; i < PROBES * PROBES && fits; i++) {
      const jet = manufacturedAt(
        steps,
        -1 + (2 * (i % PROBES)) / (PROBES - 1),
        -1 + (2 * Math.floor(i / PROBES)) / (PROBES - 1),
      );
      const [u, ...derivatives] = jet;
      const steepest = Math.max(...derivatives.map(Math.abs), Math.abs(applyOperator(operator, jet)));
      fits = Math.abs(u) <= 10 && steepest <= family.steepest && Math.max(Math.abs(jet[1]), Math.abs(jet[2])) <= 100;
      sum += u;
      square += u * u;
    }
    const count = PROBES * PROBES;
    if (fits && square / count - (sum / count) ** 2 >= 0.01) return (x, y) => manufacturedAt(steps, x, y);
  }
}

/**
 * A constant source, and on the edges a function that the equation allows there: 0 where u itself
 * is a term, a constant where there are first derivatives, else a linear function.
 */
function physicsOnly(
  family: ProblemFamily,
  operator: Coefficients,
  regions: readonly Region[],
  sides: readonly EdgeKinds[],
  random: Random,
): DrawnProblem {
  const [u, ux, uy] = operator;
  const constant = u === 0 ? random.gaussian() : 0;
  const isFlat = u !== 0 || ux !== 0 || uy !== 0;
  const [a, b] = isFlat ? [0, 0] : [random.gaussian(), random.gaussian()];
  const outer: BoundaryField = (x, y) => a * x + b * y + constant;
  const flux: BoundaryField = (_x, _y, nx, ny) => a * nx + b * ny;
  const source = family.source * (1 + random.gaussian());
  const holes = regions.map((region): Hole => {
    const value = random.gaussian();
    const data: BoundaryData = random.float() < 0.5 ? { dirichlet: () => value } : { neumann: () => value };
    return { region, ...data };
  });
  const onEdges = sides.map(({ edge, dirichlet, neumann }) => [
    edge,
    { dirichlet: dirichlet ? outer : undefined, neumann: neumann ? flux : undefined },
  ]);
  return {
    problem: canonical({ operator, source: () => source, edges: Object.fromEntries(onEdges), holes }),
    solution: undefined,
  };
}
