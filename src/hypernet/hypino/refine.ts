// Iterative refinement by forward passes alone: what a solution misses of the equation and of the
// boundary data is a problem of the same kind, whose answer is added.
//
//   r_D = (g_D − u)·M_D, r_N = (g_N − ∂_n u)·M_N, r_f = f − L[u] in the domain; u ← u + λ·δu

import { dividedBy, gridsOf, type ProblemGrids, type ProblemScale, positionOf, scaleOf } from './grids.js';
import type { HyPINO } from './model.js';
import { type Coefficients, canonical, type Problem } from './problem.js';
import { type Member, Solution } from './solution.js';
import type { ModulatedMLP } from './target.js';

/** Options of `solveByNetwork`. */
export interface RefinementOptions {
  /**
   * Number of rounds, or `auto`: as long as the discrepancy falls, at most ten. Default: `auto`.
   */
  readonly rounds?: number | 'auto';
  /**
   * Factor of each correction: 1 as in the paper, a list for the rounds, or `search`, the factor
   * that leaves the smallest discrepancy. Default: `search`.
   */
  readonly step?: number | readonly number[] | 'search';
  /**
   * Whether the discrepancy is scaled like a problem of its own before it is read, and the answer
   * back; the paper passes it on as it is. Default: true.
   */
  readonly normalise?: boolean;
}

/** A solution with what is left after each round. */
export interface RefinedSolution {
  /** The sum of the networks. */
  readonly solution: Solution;
  /**
   * Discrepancy before the first round and after each, see `discrepancyOf`; of `auto` also that of
   * the last round, which was dropped.
   */
  readonly discrepancies: readonly number[];
  /** What is left on the grid, in the form of a problem's grids. */
  readonly residual: ProblemGrids;
}

/** Most rounds of `auto`. */
const MOST = 10;

/** `auto` goes on while a round lowers the discrepancy by more than this share. */
const WORTH = 0.01;

/** What a network gives for each grid of a problem: ∂ of it on the masks, L of it in the domain. */
export function imageOf(
  grids: ProblemGrids,
  operator: Coefficients,
  member: Member,
  target: ModulatedMLP,
): Float32Array {
  const { size, values, normals, distance } = grids;
  const area = size * size;
  const points = new Float32Array(2 * area);
  for (let at = 0; at < area; at++) points.set(positionOf(Math.floor(at / size), at % size, size), 2 * at);
  const [u, ux, uy, uxx, uyy] = new Solution(target, [member]).jetsAt(points, 2) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const image = new Float32Array(5 * area);
  for (let at = 0; at < area; at++) {
    const jet = [u[at], ux[at], uy[at], uxx[at], uyy[at]] as number[];
    image[2 * area + at] = (values[at] as number) * (u[at] as number);
    const slope = (normals[at] as number) * (ux[at] as number) + (normals[area + at] as number) * (uy[at] as number);
    image[3 * area + at] = (values[area + at] as number) * slope;
    if ((distance[at] as number) <= 1e-9)
      image[4 * area + at] = operator.reduce((sum, c, i) => sum + c * (jet[i] as number), 0);
  }
  return image;
}

/** a − λ·b in the grids of values; masks stay. */
function less(grids: ProblemGrids, image: Float32Array, factor: number): ProblemGrids {
  const area = grids.size ** 2;
  return { ...grids, values: grids.values.map((v, i) => (i < 2 * area ? v : v - factor * (image[i] as number))) };
}

/** Weights of the three grids of values in the discrepancy, for each pixel that counts. */
function pixelWeights(
  { size, values, distance }: ProblemGrids,
  { terms: [equation] }: ProblemScale,
): readonly [number, number, number] {
  const area = size * size;
  const counts = [0, 0, 0];
  for (let at = 0; at < area; at++) {
    counts[0] = (counts[0] as number) + (values[at] as number);
    counts[1] = (counts[1] as number) + (values[area + at] as number);
    counts[2] = (counts[2] as number) + Number((distance[at] as number) <= 1e-9);
  }
  const [dirichlet, neumann, inside] = counts.map((count) => Math.max(1, count)) as [number, number, number];
  return [10 / dirichlet, 1 / neumann, 1 / inside / equation ** 2];
}

/** Σ weight·a·b over the grids of values. */
function product(a: Float32Array, b: Float32Array, weights: readonly number[]): number {
  const area = a.length / 5;
  let total = 0;
  for (let channel = 0; channel < 3; channel++) {
    let sum = 0;
    for (let i = (2 + channel) * area; i < (3 + channel) * area; i++) sum += (a[i] as number) * (b[i] as number);
    total += sum * (weights[channel] as number);
  }
  return total;
}

/**
 * √(mean r_f²/D² + 10·mean r_D² + mean r_N²) by the size of the solution, with D the size of the
 * equation's sides (`scaleOf`).
 */
export function discrepancyOf(residual: ProblemGrids, scale: ProblemScale): number {
  return Math.sqrt(product(residual.values, residual.values, pixelWeights(residual, scale))) / scale.solution;
}

/** What maps a problem's grids to a network: `generateFor` of a trained model. */
export type NetworkMaker = Pick<HyPINO, 'generateFor' | 'target' | 'grid'>;

/**
 * Solves a problem by networks that a model makes, and refines the answer.
 *
 * @returns a solution of the problem as it was given
 * @throws RangeError for a negative number of rounds
 */
export function solveByNetwork(
  model: NetworkMaker,
  given: Problem,
  { rounds = 'auto', step = 'search', normalise = true }: RefinementOptions = {},
): RefinedSolution {
  if (rounds !== 'auto' && !(Number.isInteger(rounds) && rounds >= 0))
    throw new RangeError(`solveByNetwork: rounds must be a whole number or "auto", got ${rounds}`);
  const problem = canonical(given);
  const { operator } = problem;
  let residual = gridsOf(problem, model.grid);
  const scale = scaleOf(operator, residual);
  const weights = pixelWeights(residual, scale);
  const members: Member[] = [];
  const discrepancies: number[] = [];
  const most = rounds === 'auto' ? MOST : rounds;
  for (let round = 0; round <= most; round++) {
    const own = normalise || round === 0 ? scaleOf(operator, residual).solution : scale.solution;
    const made = model.generateFor(dividedBy(residual, own).values, operator);
    const image = imageOf(residual, operator, { weights: made, factor: own }, model.target);
    const factor = round === 0 ? 1 : factorOf(step, round, residual, image, weights);
    const next = less(residual, image, factor);
    const left = discrepancyOf(next, scale);
    discrepancies.push(left);
    if (rounds === 'auto' && round > 0 && !(left < (1 - WORTH) * (discrepancies.at(-2) as number))) break;
    members.push({ weights: made, factor: own * factor });
    residual = next;
  }
  return { solution: new Solution(model.target, members), discrepancies, residual };
}

function factorOf(
  step: RefinementOptions['step'],
  round: number,
  residual: ProblemGrids,
  image: Float32Array,
  weights: readonly number[],
): number {
  if (typeof step === 'number') return step;
  if (step === 'search') {
    const square = product(image, image, weights);
    return square > 0 ? product(residual.values, image, weights) / square : 0;
  }
  return step?.[Math.min(round, step.length) - 1] ?? 1;
}
