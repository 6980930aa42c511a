// Differential equations: held-out problems of a family, the paper's benchmarks with references,
// and errors of whatever answers them.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readNpz } from '../../data/index.js';
import { dataFolders, readBytes } from '../../data/node.js';
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

/** What a run on a family is scored on. Nothing but `validation` chooses anything. */
export interface EquationData {
  readonly family: FamilyName;
  readonly held: readonly ReferredProblem[];
  /** Problems from another stream, on which learning rates are chosen. */
  readonly validation: readonly ReferredProblem[];
  /** Benchmarks that belong to the family's class. */
  readonly benchmarks: Readonly<Partial<Record<BenchmarkName, ReferredProblem>>>;
  /** Of `poisson_C`, values of another solver at its own points, where the file is at hand. */
  readonly independent?: IndependentValues;
}

/** Values of another solver at points of [−1, 1]². */
export interface IndependentValues {
  /** x and y of each [count, 2]. */
  readonly points: Float32Array;
  readonly values: ArrayLike<number>;
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
  const problems = (random: Random, count: number) =>
    kinds.flatMap((kind) =>
      Array.from({ length: count }, (_, i) => {
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
  return {
    family,
    held: problems(new Random(20_250_905), held),
    validation: problems(new Random(20_250_905).split('validation'), Math.max(1, Math.round(held / 2))),
    benchmarks: Object.fromEntries(referred),
    ...(inClass.includes('poisson_C') && independentValues()),
  };
}

/** Reference values of the Laplace equation around four disks, from the folder of data sets. */
function independentValues(): Pick<EquationData, 'independent'> {
  const path = dataFolders()
    .map((folder) => join(folder, 'pde', 'poisson2d_cg.npz'))
    .find(existsSync);
  if (!path) return {};
  const { xy, u } = readNpz(readBytes(path), path);
  if (!xy || !u) throw new Error(`"${path}" has no arrays "xy" and "u"`);
  // The file has the square of side 1.
  const points = Float32Array.from(xy.values as ArrayLike<number>, (value) => 2 * value);
  return { independent: { points, values: u.values as ArrayLike<number> } };
}

export function describeEquations({ family, held, benchmarks, independent }: EquationData): string {
  const others = independent ? `, ${independent.values.length} values of another solver` : '';
  return `family "${family}": ${held.length} held-out problems, benchmarks ${Object.keys(benchmarks).join(', ')}${others}`;
}

/** What a method answers to a problem: its values at points of [−1, 1]² [count, 2]. */
export type Answer = (problem: Problem) => (points: Float32Array) => ArrayLike<number>;

/** Values of a grid at points, bilinear. */
export const between =
  (grid: GridSolution) =>
  (points: Float32Array): Float64Array =>
    Float64Array.from({ length: points.length / 2 }, (_, i) =>
      interpolated(grid, points[2 * i] as number, points[2 * i + 1] as number),
    );

/** A network's values on the grid that errors are measured on. */
export const onNodes = (solution: Solution) => solution.valuesAt(gridPoints(NODES));

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
  neumann: (problem) => hasNeumann(problem),
  noNeumann: (problem) => !hasNeumann(problem),
};

const hasNeumann = ({ edges, holes }: Problem) =>
  [...Object.values(edges), ...holes].some(({ neumann }) => neumann !== undefined);

/** Median relative L2 error on some problems. */
export const medianError = (problems: readonly ReferredProblem[], answer: Answer) =>
  median(problems.map(({ problem, reference }) => errorsOf(reference, answer(problem)(gridPoints(NODES))).relative));

/**
 * Median relative L2 error on the held-out problems and on their parts, mean squared error on each
 * benchmark, relative L2 error at the points of another solver, and the mean time of an answer in
 * ms.
 */
export function equationScores({ held, benchmarks, independent }: EquationData, answer: Answer): Scores {
  const nodes = gridPoints(NODES);
  const started = performance.now();
  const errors = held.map(({ problem, reference }) => ({
    problem,
    error: errorsOf(reference, answer(problem)(nodes)).relative,
  }));
  const milliseconds = (performance.now() - started) / Math.max(1, held.length);
  const scores: Record<string, number> = { milliseconds };
  for (const [part, belongs] of Object.entries(parts)) {
    const own = errors.filter(({ problem }) => belongs(problem));
    if (own.length > 0) scores[part] = median(own.map(({ error }) => error));
  }
  for (const [name, { problem, reference }] of Object.entries(benchmarks)) {
    const values = answer(problem);
    scores[name] = errorsOf(reference, values(nodes)).mse;
    if (name === 'poisson_C' && independent) scores.independent = errorAt(independent, values(independent.points));
  }
  return scores;
}

/** ‖û − u‖₂/‖u‖₂ over the points where a method has a value: differences have none beside holes. */
function errorAt({ values: truth }: IndependentValues, values: ArrayLike<number>): number {
  let [squares, power] = [0, 0];
  for (let i = 0; i < truth.length; i++) {
    const [u, own] = [truth[i] as number, values[i] as number];
    if (Number.isNaN(own)) continue;
    squares += (own - u) ** 2;
    power += u * u;
  }
  return Math.sqrt(squares / power);
}
