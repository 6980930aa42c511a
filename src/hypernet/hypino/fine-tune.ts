// Physics-informed training of one solution (Raissi, Perdikaris, Karniadakis, "Physics-Informed
// Neural Networks", 2019), from whatever start: Adam on points drawn anew each step, then L-BFGS;
// and Reptile (Nichol, Achiam, Schulman 2018), which learns a start from a family of problems.

import {
  Adam,
  cosine,
  gradientsOf,
  type LBFGSResult,
  lbfgs,
  meanSquaredError,
  minimize,
  parameter,
  type TrainingHooks,
  type Weights,
} from '../../nn/index.js';
import { add, multiply, type Random, scope, subtract, type Tensor, tensor } from '../../tensor/index.js';
import { batchOf, drawPrepared, type ProblemBatch, prepared } from './batch.js';
import type { ProblemFamily } from './family.js';
import { normalDerivative, residualOf } from './loss.js';
import { canonical, type Problem } from './problem.js';
import { Solution, slicesOf, summed } from './solution.js';
import type { ModulatedMLP } from './target.js';

/** Options of `fineTune`. */
export interface FineTuneOptions extends Omit<TrainingHooks, 'checkpoint'> {
  /** Steps of Adam. Default: 300. */
  readonly steps?: number;
  /** Iterations of L-BFGS after them. Default: 0. */
  readonly polish?: number;
  /** Initial learning rate of Adam. Default: 1e-3. */
  readonly learningRate?: number;
  /** Points of a step, half of them on boundaries. Default: 512. */
  readonly points?: number;
  /** Weights of the mean squared errors. Default: 0.1, 10 and 5, as in the paper. */
  readonly weights?: PINNWeights;
  /** Called after every tenth step of Adam with the solution so far. */
  readonly onProgress?: (step: number, solution: Solution) => void;
}

/** Weights of the terms of a PINN's loss. */
export interface PINNWeights {
  /** Of L[u] − f. */
  readonly residual: number;
  /** Of u on the boundary. */
  readonly dirichlet: number;
  /** Of ∂_n u on the boundary. */
  readonly neumann: number;
}

/** The paper's weights. */
export const pinnWeights: PINNWeights = { residual: 0.1, dirichlet: 10, neumann: 5 };

/** L-BFGS sees this many times the points of a step of Adam, since they stay the same. */
const FIXED = 4;

/** Steps between calls of `onProgress`. */
const REPORT = 10;

/** What is trained: the weights of all networks of a sum, by name, stacked. */
class TrainedSum {
  readonly weights: Record<string, Tensor>;
  readonly #factors: readonly number[];

  constructor(
    readonly target: ModulatedMLP,
    start: Solution,
    scale: number,
  ) {
    this.weights = Object.fromEntries(
      Object.entries(start.stacked()).map(([name, weight]) => [name, parameter(weight.clone())]),
    );
    this.#factors = start.members.map(({ factor }) => factor / scale);
  }

  /** Σ of the masked mean squared errors at the points of a batch of one problem. */
  loss(batch: ProblemBatch, { residual, dirichlet, neumann }: PINNWeights): Tensor {
    const { target, weights } = this;
    const factors = tensor(Float32Array.from(this.#factors)).reshape([-1, 1]);
    const row = (jet: readonly Tensor[]) => summed(jet, factors).map((part) => part.reshape([1, -1]));
    const interior = row(target.forward(weights, target.featuresAt(batch.points, 2)));
    const edge = row(target.forward(weights, target.featuresAt(batch.boundary.points, 1)));
    const { boundary } = batch;
    const squared = (a: Tensor, b: Tensor, mask: Tensor) => {
      const error = multiply(subtract(a, b), mask);
      return meanSquaredError(error, multiply(error, 0));
    };
    const equation = residualOf(batch, interior);
    const terms = [
      multiply(meanSquaredError(equation, multiply(equation, 0)), residual),
      multiply(squared(edge[0] as Tensor, boundary.dirichlet, boundary.dirichletMask), dirichlet),
      multiply(squared(normalDerivative(edge, boundary.normals), boundary.neumann, boundary.neumannMask), neumann),
    ];
    return terms.reduce((total, term) => add(total, term));
  }

  dispose(): void {
    for (const weight of Object.values(this.weights)) weight.dispose();
  }

  /** The sum as a solution of the problem before it was scaled. */
  solution(scale: number): Solution {
    const count = this.#factors.length;
    const members = this.#factors.map((factor, i) => ({
      factor: factor * scale,
      weights: slicesOf(this.weights, i, count),
    }));
    return new Solution(this.target, members);
  }
}

/** Pixels of the grid that the size of a solution is estimated on. */
const ESTIMATE = 32;

/**
 * Trains a solution on one problem.
 *
 * @param start networks to start from: of a hypernetwork, refined or not, or random ones
 * @returns the solution, and the loss of each step of Adam
 */
export async function fineTune(
  given: Problem,
  start: Solution,
  random: Random,
  {
    steps = 300,
    polish = 0,
    learningRate = 1e-3,
    points = 512,
    weights = pinnWeights,
    onProgress,
    ...hooks
  }: FineTuneOptions = {},
): Promise<{ readonly solution: Solution; readonly losses: readonly number[] }> {
  const one = prepared({ problem: canonical(given), solution: undefined }, ESTIMATE);
  const { solution: scale } = one.scale;
  const half = Math.max(1, Math.round(points / 2));
  const sizes = { interior: half, boundary: half, grid: ESTIMATE };
  const model = new TrainedSum(start.target, start, scale);
  let at = 0;
  const losses = await minimize(
    model,
    (live, step) => {
      at = step.step;
      if (onProgress && at % REPORT === 0) onProgress(at, model.solution(scale));
      return live.loss(batchOf([one], sizes, step.random), weights);
    },
    {
      ...hooks,
      steps,
      random,
      optimizer: new Adam({ learningRate, beta1: 0.9, beta2: 0.99 }),
      schedule: cosine(Math.max(1, steps), 1e-5),
    },
  );
  // The same stream each time, so the same points.
  const many = { ...sizes, interior: FIXED * half, boundary: FIXED * half };
  const fixed = () => batchOf([one], many, random.split('polish'));
  if (polish > 0) polished(model, fixed, weights, polish);
  const solution = model.solution(scale);
  model.dispose();
  return { solution, losses };
}

/** L-BFGS on fixed points. */
function polished(model: TrainedSum, batch: () => ProblemBatch, weights: PINNWeights, iterations: number): LBFGSResult {
  const entries = Object.entries(model.weights);
  const write = (x: Float64Array) => {
    let at = 0;
    for (const [, weight] of entries) {
      weight.view().set(x.subarray(at, at + weight.size));
      at += weight.size;
    }
  };
  const flat = (all: readonly Tensor[]) => {
    const joined = new Float64Array(all.reduce((size, part) => size + part.size, 0));
    let at = 0;
    for (const part of all) {
      joined.set(part.view(), at);
      at += part.size;
    }
    return joined;
  };
  const result = lbfgs(
    (x) => {
      write(x);
      return scope(() => {
        const { loss, gradients } = gradientsOf(model, (live) => live.loss(batch(), weights));
        const named = entries.map(([name]) => gradients[`weights.${name}`] as Tensor);
        return { value: loss.view()[0] as number, gradient: flat(named) };
      });
    },
    flat(entries.map(([, weight]) => weight)),
    { iterations, memory: 60, tolerance: 1e-9 },
  );
  write(result.x);
  return result;
}

/** Options of `reptile`. */
export interface ReptileOptions extends Omit<TrainingHooks, 'checkpoint'> {
  /** Outer steps. */
  readonly rounds: number;
  /** Inner steps of Adam on each problem. Default: 20. */
  readonly inner?: number;
  /** Problems of a round, whose results are averaged. Default: 4. */
  readonly problems?: number;
  /** ε, which falls linearly to 0. Default: 0.1. */
  readonly rate?: number;
}

/**
 * Learns a start for fine-tuning: θ ← θ + ε·(mean θ_k − θ), where θ_k is θ after k steps on a
 * random problem.
 */
export async function reptile(
  target: ModulatedMLP,
  family: ProblemFamily,
  random: Random,
  { rounds, inner = 20, problems = 4, rate = 0.1, signal }: ReptileOptions,
): Promise<Solution> {
  let start = Solution.random(target, random.split('start')).members[0]?.weights as FlatWeights;
  const sizes = { grid: ESTIMATE, interior: 128, boundary: 128 };
  for (let round = 0; round < rounds; round++) {
    signal?.throwIfAborted();
    const own = random.split(round);
    const copies = new Solution(
      target,
      Array.from({ length: problems }, () => ({ weights: start, factor: 1 })),
    );
    const model = new TrainedSum(target, copies, 1);
    const drawn = Array.from({ length: problems }, () => drawPrepared(family, false, ESTIMATE, own));
    await minimize(model, (live, step) => separateLosses(target, live.weights, batchOf(drawn, sizes, step.random)), {
      steps: inner,
      random: own,
      optimizer: new Adam({ learningRate: 1e-3, beta1: 0.9, beta2: 0.99 }),
      signal,
    });
    const ended = model.solution(1).members.map(({ weights }) => weights);
    start = movedTowards(start, ended, rate * (1 - round / rounds));
    model.dispose();
  }
  return new Solution(target, [{ weights: start, factor: 1 }]);
}

type FlatWeights = Readonly<Record<string, Float32Array>>;

/** θ + ε·(mean of the ends − θ). */
function movedTowards(start: FlatWeights, ends: readonly FlatWeights[], rate: number): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(start).map(([name, values]) => [
      name,
      values.map((value, i) => {
        const mean = ends.reduce((sum, end) => sum + (end[name]?.[i] as number), 0) / ends.length;
        return value + rate * (mean - value);
      }),
    ]),
  );
}

/** Losses of networks on problems of their own, summed: their gradients do not meet. */
function separateLosses(target: ModulatedMLP, weights: Weights, batch: ProblemBatch): Tensor {
  const count = batch.operators.shape[0] as number;
  const interior = target.forward(weights, target.featuresAt(batch.points, 2));
  const edge = target.forward(weights, target.featuresAt(batch.boundary.points, 1, count));
  const { boundary } = batch;
  const total = (error: Tensor, weight: number) =>
    multiply(meanSquaredError(error, multiply(error, 0)), weight * count);
  const normal = subtract(normalDerivative(edge, boundary.normals), boundary.neumann);
  return add(
    total(residualOf(batch, interior), pinnWeights.residual),
    add(
      total(multiply(subtract(edge[0] as Tensor, boundary.dirichlet), boundary.dirichletMask), pinnWeights.dirichlet),
      total(multiply(normal, boundary.neumannMask), pinnWeights.neumann),
    ),
  );
}
