// Differential equations: held-out problems of a family, the paper's benchmarks with references,
// and errors of whatever answers them.

import {
  type BenchmarkName,
  benchmark,
  benchmarkNames,
  drawPrepared,
  errorsOf,
  type FamilyName,
  families,
  type GridSolution,
  gridPoints,
  interpolated,
  kindOf,
  type Problem,
  referenceOf,
  type Solution,
} from '../../hypernet/index.js';
import { Random } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';

/** A problem with its solution on a grid. */
export interface ReferredProblem {
  readonly problem: Problem;
  readonly reference: GridSolution;
}

/** What a run on a family is scored on; none of it is trained on or chooses anything. */
export interface EquationData {
  readonly family: FamilyName;
  readonly held: readonly ReferredProblem[];
  /** Benchmarks that belong to the family's class. */
  readonly benchmarks: Readonly<Partial<Record<BenchmarkName, ReferredProblem>>>;
}

/** Families that runs learn from. */
export const equationSets = ['waves', 'gentle'] as const;

/** Nodes a side of the grids that errors are measured on. */
export const NODES = 33;

/** Held-out problems of every type of a family, from a stream of their own, and the benchmarks. */
export function loadEquations(source: string, held: number, nodes: number): EquationData {
  if (!(equationSets as readonly string[]).includes(source))
    throw new Error(
      `expected a family of problems, ${equationSets.join(' or ')}, got "${source}"; your own problem: gossamer solve`,
    );
  const family = source as FamilyName;
  const { kinds, holes } = families[family];
  const random = new Random(20_250_905);
  const problems = kinds.flatMap((kind) =>
    Array.from({ length: held }, (_, i) => {
      const drawn = drawPrepared({ ...families[family], kinds: [kind] }, true, NODES, random.split(`${kind} ${i}`));
      return { problem: drawn.problem, reference: referenceOf(drawn.problem, NODES) };
    }),
  );
  const within = (problem: Problem) =>
    (kinds as readonly string[]).includes(kindOf(problem.operator)) && (holes > 0 || problem.holes.length === 0);
  const inClass = benchmarkNames.filter((name) => within(benchmark(name)));
  const referred = inClass.map((name) => [
    name,
    { problem: benchmark(name), reference: referenceOf(benchmark(name), NODES, nodes) },
  ]);
  return { family, held: problems, benchmarks: Object.fromEntries(referred) };
}

export function describeEquations({ family, held, benchmarks }: EquationData): string {
  return `family "${family}": ${held.length} held-out problems, benchmarks ${Object.keys(benchmarks).join(', ')}`;
}

/** Whatever solves a problem: values on the grid of `NODES`. */
export type Answer = (problem: Problem) => ArrayLike<number>;

/** A network's values on the grid. */
export const onNodes = (solution: Solution) => solution.valuesAt(gridPoints(NODES));

/** The values of another grid on that of `NODES`. */
export function regridded(grid: GridSolution): Float64Array {
  const points = gridPoints(NODES);
  return Float64Array.from({ length: NODES ** 2 }, (_, i) =>
    interpolated(grid, points[2 * i] as number, points[2 * i + 1] as number),
  );
}

/** The middle of some numbers; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Parts of the held-out problems that are scored apart. */
const parts: Readonly<Record<string, (problem: Problem) => boolean>> = {
  error: () => true,
  elliptic: ({ operator }) => kindOf(operator) === 'elliptic',
  parabolic: ({ operator }) => kindOf(operator) === 'parabolic',
  hyperbolic: ({ operator }) => kindOf(operator) === 'hyperbolic',
  holes: ({ holes }) => holes.length > 0,
  noHoles: ({ holes }) => holes.length === 0,
  neumann: ({ edges, holes }) => [...Object.values(edges), ...holes].some(({ neumann }) => neumann),
};

/**
 * Median relative L2 error on the held-out problems and on their parts, mean squared error on each
 * benchmark, and the mean time of an answer in ms.
 */
export function equationScores({ held, benchmarks }: EquationData, answer: Answer): Scores {
  const started = performance.now();
  const errors = held.map(({ problem, reference }) => ({
    problem,
    error: errorsOf(reference, answer(problem)).relative,
  }));
  const milliseconds = (performance.now() - started) / Math.max(1, held.length);
  const scores: Record<string, number> = { milliseconds };
  for (const [part, belongs] of Object.entries(parts)) {
    const own = errors.filter(({ problem }) => belongs(problem));
    if (own.length > 0) scores[part] = median(own.map(({ error }) => error));
  }
  for (const [name, { problem, reference }] of Object.entries(benchmarks))
    scores[name] = errorsOf(reference, answer(problem)).mse;
  return scores;
}
