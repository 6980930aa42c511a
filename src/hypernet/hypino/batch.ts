// Batches of random problems as tensors: what the hypernetwork reads, and the points at which its
// networks are held to the equation and to the data.

import { type Random, type Tensor, tensor } from '../../tensor/index.js';
import { type DrawnProblem, drawProblem, type ProblemFamily } from './family.js';
import { dividedBy, gridsOf, type ProblemGrids, type ProblemScale, scaleOf } from './grids.js';
import { domainDistance, isCutOff, type Piece, type Problem, piecesOf } from './problem.js';

/**
 * Which problems a batch holds: `mixed` alternates those with a known solution and those without.
 */
export type Supervision = 'mixed' | 'supervised' | 'physics';

/** Sizes of a batch. */
export interface BatchSizes {
  /** B, problems. */
  readonly problems: number;
  /** n, pixels a side. */
  readonly grid: number;
  /** P, points of the square, the same for all problems of a batch. */
  readonly interior: number;
  /** Q, points on the boundary of each problem. */
  readonly boundary: number;
}

/** Points on boundaries with what is known there: [B, Q], and [B, Q, 2] of points and normals. */
export interface BoundaryBatch {
  /** Positions [B, Q, 2]. */
  readonly points: Float32Array;
  /** x and y parts of the normals, each [B, Q]. */
  readonly normals: readonly [Tensor, Tensor];
  /** u [B, Q]; 0 where it is not known. */
  readonly dirichlet: Tensor;
  /** 1 where u is known. */
  readonly dirichletMask: Tensor;
  /** ∂_n u [B, Q]; 0 where it is not known. */
  readonly neumann: Tensor;
  /** 1 where the normal derivative is known. */
  readonly neumannMask: Tensor;
}

/** A batch of B problems, scaled so that their solutions are about 1. */
export interface ProblemBatch {
  /** The five grids [B, 5, n, n]. */
  readonly grids: Tensor;
  /** [B, 5]. */
  readonly operators: Tensor;
  /** Positions of the points of the square [P, 2]. */
  readonly points: Float32Array;
  /** 1 at points inside of the domain [B, P]. */
  readonly inside: Tensor;
  /** f at the points [B, P]. */
  readonly source: Tensor;
  /** u, u_x, u_y, u_xx, u_yy at the points, each [B, P]; 0 where they are not known. */
  readonly solution: readonly Tensor[];
  /** 1 for problems with a known solution [B, 1]. */
  readonly supervised: Tensor;
  /** Sizes of the equation and of the derivatives [B, 1] each, by which errors are divided. */
  readonly scales: readonly Tensor[];
  /** Points of the boundaries. */
  readonly boundary: BoundaryBatch;
}

/** A problem with its pictures, ready for a network. */
export interface PreparedProblem extends DrawnProblem {
  /** Divided by the size of the solution. */
  readonly grids: ProblemGrids;
  /** What was estimated of the sizes. */
  readonly scale: ProblemScale;
}

/** Paints a problem and divides it by the size of its solution. */
export function prepared(drawn: DrawnProblem, size: number): PreparedProblem {
  const raw = gridsOf(drawn.problem, size);
  const scale = scaleOf(drawn.problem.operator, raw);
  return { ...drawn, scale, grids: dividedBy(raw, scale.solution) };
}

/** Solutions that exceed this many times their estimated size are drawn again. */
const LARGEST = 10;

/** Draws a prepared problem whose solution is about as large as its data say. */
export function drawPrepared(
  family: ProblemFamily,
  supervised: boolean,
  size: number,
  random: Random,
): PreparedProblem {
  for (;;) {
    const problem = prepared(drawProblem(family, supervised, random), size);
    const { solution, scale } = problem;
    const probes = [-0.8, -0.4, 0, 0.4, 0.8];
    const fits =
      !solution || probes.every((x) => probes.every((y) => Math.abs(solution(x, y)[0]) <= LARGEST * scale.solution));
    if (fits) return problem;
  }
}

/**
 * Random problems of a family as a batch.
 *
 * @param first number of the first problem where the batch is a part of a larger one: with `mixed`
 * supervision those of even number have a known solution
 */
export function drawBatch(
  family: ProblemFamily,
  supervision: Supervision,
  sizes: BatchSizes,
  random: Random,
  first = 0,
): ProblemBatch {
  const problems = Array.from({ length: sizes.problems }, (_, i) => {
    const isKnown = supervision === 'supervised' || (supervision === 'mixed' && (first + i) % 2 === 0);
    return drawPrepared(family, isKnown, sizes.grid, random);
  });
  return batchOf(problems, sizes, random);
}

/** Prepared problems as a batch, at random points. */
export function batchOf(
  problems: readonly PreparedProblem[],
  { interior, boundary, grid }: Pick<BatchSizes, 'interior' | 'boundary' | 'grid'>,
  random: Random,
): ProblemBatch {
  const count = problems.length;
  const points = Float32Array.from({ length: 2 * interior }, () => 2 * random.float() - 1);
  const [inside, source] = [new Float32Array(count * interior), new Float32Array(count * interior)];
  const solution = Array.from({ length: 5 }, () => new Float32Array(count * interior));
  problems.forEach(({ problem, solution: known, scale }, b) => {
    for (let p = 0; p < interior; p++) {
      const [x, y] = [points[2 * p] as number, points[2 * p + 1] as number];
      const at = b * interior + p;
      if (domainDistance(problem, x, y) > 0) continue;
      inside[at] = 1;
      source[at] = problem.source(x, y) / scale.solution;
      known?.(x, y).forEach((value, i) => {
        (solution[i] as Float32Array)[at] = value / scale.solution;
      });
    }
  });
  const perProblem = (values: (problem: PreparedProblem) => number) =>
    tensor(Float32Array.from(problems, values)).reshape([count, 1]);
  return {
    grids: gridTensor(problems.map(({ grids }) => grids)),
    operators: tensor(Float32Array.from(problems.flatMap(({ problem }) => problem.operator))).reshape([count, 5]),
    points,
    inside: tensor(inside).reshape([count, interior]),
    source: tensor(source).reshape([count, interior]),
    solution: solution.map((values) => tensor(values).reshape([count, interior])),
    supervised: perProblem(({ solution: known }) => Number(known !== undefined)),
    scales: Array.from({ length: 5 }, (_, i) => perProblem(({ scale }) => scale.terms[i] as number)),
    boundary: boundaryBatch(problems, boundary, random),
  };

  function gridTensor(all: readonly ProblemGrids[]): Tensor {
    const values = new Float32Array(count * 5 * grid * grid);
    all.forEach(({ values: own }, b) => {
      values.set(own, b * 5 * grid * grid);
    });
    return tensor(values).reshape([count, 5, grid, grid]);
  }
}

function boundaryBatch(problems: readonly PreparedProblem[], count: number, random: Random): BoundaryBatch {
  const size = problems.length * count;
  const points = new Float32Array(2 * size);
  const [nx, ny] = [new Float32Array(size), new Float32Array(size)];
  const data = Array.from({ length: 4 }, () => new Float32Array(size));
  const [dirichlet, dirichletMask, neumann, neumannMask] = data as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  problems.forEach(({ problem, scale: { solution: scale } }, b) => {
    boundaryPoints(problem, count, random).forEach(({ piece, x, y, nx: normalX, ny: normalY }, q) => {
      const at = b * count + q;
      points.set([x, y], 2 * at);
      nx[at] = normalX;
      ny[at] = normalY;
      if (piece.dirichlet) {
        dirichlet[at] = piece.dirichlet(x, y, normalX, normalY) / scale;
        dirichletMask[at] = 1;
      }
      if (piece.neumann) {
        neumann[at] = piece.neumann(x, y, normalX, normalY) / scale;
        neumannMask[at] = 1;
      }
    });
  });
  const shaped = (values: Float32Array) => tensor(values).reshape([problems.length, count]);
  return {
    points,
    normals: [shaped(nx), shaped(ny)],
    dirichlet: shaped(dirichlet),
    dirichletMask: shaped(dirichletMask),
    neumann: shaped(neumann),
    neumannMask: shaped(neumannMask),
  };
}

/** A point on the boundary, and the part that it lies on. */
export interface BoundaryPoint {
  /** The part of the boundary. */
  readonly piece: Piece;
  /** Position. */
  readonly x: number;
  /** Position. */
  readonly y: number;
  /** Normal, x part. */
  readonly nx: number;
  /** Normal, y part. */
  readonly ny: number;
}

/** Random points on the parts of the boundary that hold data, uniform over their length. */
export function boundaryPoints(problem: Problem, count: number, random: Random): readonly BoundaryPoint[] {
  const pieces = piecesOf(problem);
  const total = pieces.reduce((sum, { length }) => sum + length, 0);
  return Array.from({ length: count }, () => {
    for (let tries = 0; tries < 10_000; tries++) {
      let rest = random.float() * total;
      const piece = pieces.find(({ length }) => {
        rest -= length;
        return rest < 0;
      }) as Piece;
      const { x, y, nx, ny } = piece.outline(random.float());
      if (!isCutOff(problem, x, y)) return { piece, x, y, nx, ny };
    }
    throw new Error('problem: no part of the boundary that holds data lies in the domain; holes cover all of it');
  });
}
