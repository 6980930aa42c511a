// The seven problems of the paper's evaluation, in the form of problem files, with solutions in
// closed form or by finite differences.

import { type GridSolution, interpolated, solveByDifferences } from './finite-differences.js';
import type { Problem } from './problem.js';
import { type ProblemDescription, problemOf } from './problem-file.js';

const zero = { all: { dirichlet: 0 } } as const;

/** Centres and widths of the four sources of `poisson_G`. */
const sources = [
  [0.2, 0.42, 0.079],
  [0.83, -0.38, 0.145],
  [0.2, -0.58, 0.093],
  [-0.91, -0.95, 0.198],
] as const;

const bump = ([x, y, s]: (typeof sources)[number]) => `100*exp(-((x-(${x}))^2+(y-(${y}))^2)/(2*${s}^2))`;

/** The benchmarks by name. */
export const benchmarks = {
  heat: {
    operator: { uxx: 0.2, uy: -1 },
    boundary: { left: { dirichlet: 0 }, right: { dirichlet: 0 }, bottom: { dirichlet: 'cos(pi*x/2)' } },
    exact: 'exp(-0.2*(pi/2)^2*(y+1))*cos(pi*x/2)',
  },
  helmholtz: {
    operator: { uxx: 1, uyy: 1, u: 1 },
    source: '(1-17*pi^2)*sin(pi*x)*sin(4*pi*y)',
    boundary: zero,
    exact: 'sin(pi*x)*sin(4*pi*y)',
  },
  wave: {
    operator: { uyy: 0.5, uxx: -2 },
    boundary: {
      left: { dirichlet: 0 },
      right: { dirichlet: 0 },
      bottom: { dirichlet: 'sin(pi*(x+1)/2)+sin(2*pi*(x+1))/2', velocity: 0 },
    },
    exact: 'sin(pi*(x+1)/2)*cos(pi*(y+1))+sin(2*pi*(x+1))*cos(4*pi*(y+1))/2',
  },
  poisson_C: {
    operator: { uxx: -1, uyy: -1 },
    boundary: { all: { dirichlet: 1 } },
    holes: [
      { disk: [0.6, 0.6, 0.2], dirichlet: 0 },
      { disk: [-0.6, 0.6, 0.2], dirichlet: 0 },
      { disk: [0.6, -0.6, 0.2], dirichlet: 0 },
      { disk: [-0.6, -0.6, 0.2], dirichlet: 0 },
    ],
  },
  poisson_L: {
    operator: { uxx: -1, uyy: -1 },
    source: 1,
    boundary: zero,
    // Beyond the square, so that no part of its outline lies on the edges.
    holes: [{ rectangle: [0, 0, 1.5, 1.5], dirichlet: 0 }],
  },
  poisson_G: {
    operator: { uxx: -1, uyy: -1 },
    source: sources.map(bump).join('+'),
    boundary: zero,
  },
  helmholtz_G: {
    operator: { uxx: -1 / 32, uyy: -1 / 32, u: 2 },
    source: '10/32*(17+x^2+y^2)*sin(pi*x)*sin(4*pi*y)',
    boundary: { all: { dirichlet: 0.2 } },
    holes: [
      { disk: [0.5, 0.5, 0.2], dirichlet: 1 },
      { disk: [0.4, -0.4, 0.4], dirichlet: 1 },
      { disk: [-0.2, -0.7, 0.1], dirichlet: 1 },
      { disk: [-0.6, 0.5, 0.3], dirichlet: 1 },
    ],
  },
} as const satisfies Record<string, ProblemDescription>;

/** Name of a benchmark. */
export type BenchmarkName = keyof typeof benchmarks;

/** Names of the benchmarks. */
export const benchmarkNames = Object.keys(benchmarks) as readonly BenchmarkName[];

/** A benchmark as a problem. */
export function benchmark(name: BenchmarkName): Problem {
  return problemOf(benchmarks[name]).problem;
}

/** Nodes a side of numeric references. */
const REFERENCE = 129;

/**
 * The solution of a problem on an n × n grid, the first row at y = 1, NaN in holes: exact where it
 * is known, else by finite differences.
 */
export function referenceOf(problem: Problem, n: number, nodes = REFERENCE): GridSolution {
  const { exact } = problem;
  const grid = exact ? undefined : solveByDifferences(problem, nodes);
  const values = Float64Array.from({ length: n * n }, (_, at) => {
    const [x, y] = [-1 + (2 * (at % n)) / (n - 1), 1 - (2 * Math.floor(at / n)) / (n - 1)];
    if (exact)
      return problem.holes.some(({ region }) => region.nearest(x, y).distance < -1e-9) ? Number.NaN : exact(x, y);
    return interpolated(grid as GridSolution, x, y);
  });
  return { size: n, values };
}
