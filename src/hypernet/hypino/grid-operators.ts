// Networks that map the grids of a problem to its solution on the same grid: a U-Net (Ronneberger,
// Fischer, Brox 2015) and a Fourier neural operator (Li et al. 2021). Trained on errors of u alone,
// or also on the equation by finite differences, as PINO (Li et al. 2024).

import {
  AdamW,
  Clipped,
  Conv2d,
  huberLoss,
  minimize,
  parameter,
  type TrainingHooks,
  warmUpCosine,
} from '../../nn/index.js';
import {
  add,
  averagePool2d,
  broadcastTo,
  concatenate,
  divide,
  fft2,
  gelu,
  inverseFft2,
  matmul,
  multiply,
  pad,
  permute,
  type Random,
  reshape,
  resize,
  scope,
  slice,
  subtract,
  sum,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { type BatchSizes, drawBatch, type ProblemBatch, prepared, type Supervision } from './batch.js';
import { compressed } from './encoder.js';
import type { ProblemFamily } from './family.js';
import type { GridSolution } from './finite-differences.js';
import { canonical, type Problem } from './problem.js';

/** Channels of the input: five grids and five planes of coefficients. */
const INPUTS = 10;

/** Grids [b, 5, n, n], the source compressed, beside planes of the coefficients [b, 5]. */
function inputOf(grids: Tensor, operators: Tensor): Tensor {
  const [batch, , n] = grids.shape as [number, number, number, number];
  const planes = broadcastTo(reshape(operators, [batch, 5, 1, 1]), [batch, 5, n, n]);
  return concatenate([slice(grids, null, [0, 4]), compressed(slice(grids, null, [4, 5])), planes], 1);
}

/** A network from the grids of problems to their solutions [b, n, n]. */
export interface GridOperator {
  /** Grids [b, 5, n, n] and coefficients [b, 5] → u [b, n, n]. */
  forward(grids: Tensor, operators: Tensor): Tensor;
}

class DoubleConv {
  readonly first: Conv2d;
  readonly second: Conv2d;

  constructor(inputs: number, outputs: number, random: Random) {
    this.first = new Conv2d(inputs, outputs, 3, random, { padding: 1 });
    this.second = new Conv2d(outputs, outputs, 3, random, { padding: 1 });
  }

  forward(x: Tensor): Tensor {
    return gelu(this.second.forward(gelu(this.first.forward(x))));
  }
}

/** A U-Net of as many levels as widths. */
export class UNetOperator implements GridOperator {
  /** Blocks of the way down. */
  readonly down: readonly DoubleConv[];
  /** Blocks of the way up. */
  readonly up: readonly DoubleConv[];
  /** To u. */
  readonly last: Conv2d;

  constructor(widths: readonly number[], random: Random) {
    this.down = widths.map((width, i) => new DoubleConv(widths[i - 1] ?? INPUTS, width, random));
    this.up = widths.slice(0, -1).map((width, i) => new DoubleConv(width + (widths[i + 1] as number), width, random));
    this.last = new Conv2d(widths[0] as number, 1, 1, random);
  }

  forward(grids: Tensor, operators: Tensor): Tensor {
    const levels: Tensor[] = [];
    this.down.forEach((block, i) => {
      const below = levels[i - 1];
      levels.push(block.forward(below ? averagePool2d(below, 2) : inputOf(grids, operators)));
    });
    let x = levels.pop() as Tensor;
    for (const block of [...this.up].reverse()) {
      const side = levels.pop() as Tensor;
      x = block.forward(concatenate([side, resize(x, side.shape[2] as number)], 1));
    }
    const [batch, , n] = grids.shape as [number, number, number, number];
    return reshape(this.last.forward(x), [batch, n, n]);
  }
}

/** y = W∗x over the lowest frequencies of rows (both signs) and columns. */
class SpectralConv {
  re: Tensor;
  im: Tensor;

  constructor(
    readonly width: number,
    readonly modes: number,
    random: Random,
  ) {
    const shape = [2 * modes * modes, width, width];
    this.re = parameter(random.normal(shape, 0, 1 / width));
    this.im = parameter(random.normal(shape, 0, 1 / width));
  }

  forward(x: Tensor): Tensor {
    const { width, modes } = this;
    const [batch, , n] = x.shape as [number, number, number, number];
    const low = (part: Tensor) => {
      const kept = [
        [0, modes],
        [n - modes, n],
      ].map((rows) => slice(part, null, null, rows as [number, number], [0, modes]));
      return reshape(permute(concatenate(kept, 2), [2, 3, 0, 1]), [-1, batch, width]);
    };
    const spectrum = fft2(x);
    const [a, b] = [low(spectrum.re), low(spectrum.im)];
    const re = subtract(matmul(a, this.re), matmul(b, this.im));
    const im = add(matmul(a, this.im), matmul(b, this.re));
    const high = (part: Tensor) => {
      const rows = permute(reshape(part, [2 * modes, modes, batch, width]), [2, 3, 0, 1]);
      const wide = (half: Tensor, before: number) =>
        pad(half, [
          [0, 0],
          [0, 0],
          [before, n - modes - before],
          [0, n - modes],
        ]);
      return add(
        wide(slice(rows, null, null, [0, modes]), 0),
        wide(slice(rows, null, null, [modes, 2 * modes]), n - modes),
      );
    };
    // The columns' negative frequencies are the conjugates: the real part stands for both.
    return multiply(inverseFft2({ re: high(re), im: high(im) }).re, 2);
  }
}

/** A Fourier neural operator of four layers. */
export class FourierOperator implements GridOperator {
  /** Input and positions to the width. */
  readonly lift: Conv2d;
  /** Convolutions in frequencies. */
  readonly spectral: readonly SpectralConv[];
  /** 1 × 1 convolutions beside them. */
  readonly local: readonly Conv2d[];
  /** Width to 64. */
  readonly project: Conv2d;
  /** 64 to u. */
  readonly last: Conv2d;

  constructor(width: number, modes: number, random: Random) {
    // Positions beside the data.
    this.lift = new Conv2d(INPUTS + 2, width, 1, random);
    this.spectral = Array.from({ length: 4 }, () => new SpectralConv(width, modes, random));
    this.local = Array.from({ length: 4 }, () => new Conv2d(width, width, 1, random));
    this.project = new Conv2d(width, 64, 1, random);
    this.last = new Conv2d(64, 1, 1, random);
  }

  forward(grids: Tensor, operators: Tensor): Tensor {
    const [batch, , n] = grids.shape as [number, number, number, number];
    const place = tensor(
      Float32Array.from({ length: 2 * n * n }, (_, i) => {
        const at = i % (n * n);
        return -1 + (2 * (i < n * n ? at % n : Math.floor(at / n))) / (n - 1);
      }),
    );
    const places = broadcastTo(reshape(place, [1, 2, n, n]), [batch, 2, n, n]);
    let x = this.lift.forward(concatenate([inputOf(grids, operators), places], 1));
    this.spectral.forEach((layer, i) => {
      const y = add(layer.forward(x), (this.local[i] as Conv2d).forward(x));
      x = i < 3 ? gelu(y) : y;
    });
    return reshape(this.last.forward(gelu(this.project.forward(x))), [batch, n, n]);
  }
}

/** Weights by which a grid's values [n²] give values at points: bilinear [n², P]. */
function interpolation(points: Float32Array, n: number): Tensor {
  const count = points.length / 2;
  const weights = new Float32Array(n * n * count);
  for (let p = 0; p < count; p++) {
    const across = (((points[2 * p] as number) + 1) / 2) * (n - 1);
    const down = ((1 - (points[2 * p + 1] as number)) / 2) * (n - 1);
    const [column, row] = [Math.min(n - 2, Math.floor(across)), Math.min(n - 2, Math.floor(down))];
    const [right, below] = [across - column, down - row];
    for (const [dr, dc, w] of [
      [0, 0, (1 - below) * (1 - right)],
      [0, 1, (1 - below) * right],
      [1, 0, below * (1 - right)],
      [1, 1, below * right],
    ] as const)
      weights[((row + dr) * n + column + dc) * count + p] = w;
  }
  return tensor(weights).reshape([n * n, count]);
}

const zeroed = (error: Tensor) => huberLoss(error, multiply(error, 0));

/** Huber error of u at the points of problems with a known solution. */
function dataLoss(u: Tensor, { points, inside, supervised, solution }: ProblemBatch): Tensor {
  const [batch, n] = u.shape as [number, number, number];
  const atPoints = matmul(reshape(u, [batch, n * n]), interpolation(points, n));
  const share = batch / Math.max(1, sum(supervised).view()[0] as number);
  const error = multiply(subtract(atPoints, solution[0] as Tensor), multiply(inside, supervised));
  return multiply(zeroed(error), share);
}

/** ¼ of the residual by central differences at inner pixels, and ten times the Dirichlet error. */
function physicsLoss(u: Tensor, { grids, operators, scales }: ProblemBatch): Tensor {
  const n = u.shape[1] as number;
  const h = 2 / (n - 1);
  const inner = (down: number, right: number) => slice(u, null, [1 + down, n - 1 + down], [1 + right, n - 1 + right]);
  const [here, west, east, north, south] = [inner(0, 0), inner(0, -1), inner(0, 1), inner(-1, 0), inner(1, 0)];
  const bend = (a: Tensor, b: Tensor) => multiply(subtract(add(a, b), multiply(here, 2)), 1 / h ** 2);
  const slope = (a: Tensor, b: Tensor) => multiply(subtract(a, b), 1 / (2 * h));
  const jet = [here, slope(east, west), slope(north, south), bend(east, west), bend(north, south)];
  const image = jet
    .map((part, i) => multiply(part, reshape(slice(operators, null, [i, i + 1]), [-1, 1, 1])))
    .reduce((total, term) => add(total, term));
  const channel = (i: number, cut: number) =>
    reshape(slice(grids, null, [i, i + 1], [cut, n - cut], [cut, n - cut]), [-1, n - 2 * cut, n - 2 * cut]);
  // Next to lines of boundary data, as those of holes, differences are not those of the domain.
  const free = subtract(1, channel(0, 1));
  const residual = divide(subtract(image, channel(4, 1)), reshape(scales[0] as Tensor, [-1, 1, 1]));
  const dirichlet = multiply(subtract(u, channel(2, 0)), channel(0, 0));
  return add(multiply(zeroed(multiply(residual, free)), 0.25), multiply(zeroed(dirichlet), 10));
}

/** Options of `trainGridOperator`. */
export interface GridTraining extends TrainingHooks {
  /** Optimiser steps. */
  readonly steps: number;
  /** Problems and points of a step. */
  readonly batch: BatchSizes;
  /** Which problems are drawn. */
  readonly supervision: Supervision;
  /** Whether the equation and the Dirichlet data count beside u. */
  readonly physics: boolean;
  /** Of AdamW. */
  readonly learningRate: number;
}

/** Trains a grid operator on random problems, as `trainHyPINO` does. */
export async function trainGridOperator(
  model: GridOperator & object,
  family: ProblemFamily,
  random: Random,
  { steps, batch, supervision, physics, learningRate, ...hooks }: GridTraining,
): Promise<void> {
  await minimize(
    model,
    (live, step) => {
      const problems = drawBatch(family, supervision, batch, step.random);
      const u = live.forward(problems.grids, problems.operators);
      return physics ? add(dataLoss(u, problems), physicsLoss(u, problems)) : dataLoss(u, problems);
    },
    {
      ...hooks,
      steps,
      random,
      schedule: warmUpCosine(steps),
      optimizer: new Clipped(new AdamW({ learningRate, weightDecay: 1e-4 }), 1),
    },
  );
}

/** The solution of a problem on the grid of an operator. */
export function solveByOperator(model: GridOperator, problem: Problem, n: number): GridSolution {
  const { grids, scale, problem: form } = prepared({ problem: canonical(problem), solution: undefined }, n);
  return scope(() => {
    const u = model.forward(
      tensor(grids.values).reshape([1, 5, n, n]),
      tensor(Float32Array.from(form.operator)).reshape([1, 5]),
    );
    return { size: n, values: Float64Array.from(u.view(), (value) => value * scale.solution) };
  });
}
