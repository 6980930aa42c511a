// Over-abstraction: how far from the origin points lie, and what the lift leaves of the differences
// between vectors.

import { spearman } from '../../nn/index.js';
import { gatherKnownRows, multiply, Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { PreparedGraph } from './hop-gates.js';
import type { H4G } from './network.js';

/** What the lift does to a set of vectors. */
export interface RadiusReport {
  /** Mean of Rad. */
  readonly mean: number;
  /** Standard deviation of Rad. */
  readonly deviation: number;
  /** Rad of each point. */
  readonly radii: Float32Array;
  /** Share of points at the norm at which single precision clips. */
  readonly clipped: number;
  /** Spearman's correlation of the norms of the vectors and Rad; NaN where either is constant. */
  readonly norms: number;
  /** Spearman's correlation of distances between vectors and between points, over random pairs. */
  readonly distances: number;
}

/** Pairs whose distances are compared. */
const PAIRS = 2000;
/** Distance to the largest radius within which a point counts as clipped. */
const NEAR = 0.1;

/**
 * @param vectors before the lift [n, d]
 * @param points in the ball, after it [n, d]
 */
export function radiusReport({ ball }: Pick<H4G, 'ball'>, vectors: Tensor, points: Tensor): RadiusReport {
  return scope(() => {
    const n = points.shape[0] as number;
    const radii = ball.radius(points).dataSync<Float32Array>();
    const mean = radii.reduce((sum, radius) => sum + radius, 0) / n;
    const squares = radii.reduce((sum, radius) => sum + (radius - mean) ** 2, 0);
    const largest = ball.largestRadius - NEAR / ball.root;
    const random = new Random(0).split('pairs');
    const ends = [0, 1].map(() => tensor(Int32Array.from({ length: Math.min(PAIRS, n * n) }, () => random.integer(n))));
    const [left, right] = ends as [Tensor, Tensor];
    const rows = (x: Tensor, at: Tensor) => gatherKnownRows(x, at);
    const after = ball.distance(rows(points, left), rows(points, right)).view();
    const difference = rows(vectors, left).subtract(rows(vectors, right));
    const before = difference.square().sum(-1).view();
    const norms = vectors.square().sum(-1).view();
    return {
      mean,
      deviation: Math.sqrt(squares / n),
      radii,
      clipped: radii.filter((radius) => radius >= largest).length / n,
      norms: spearman(norms, radii),
      distances: spearman(before, after),
    };
  });
}

/** Factors of a sweep: 1, ½, … 1/64. */
export const SWEEP: readonly number[] = Array.from({ length: 7 }, (_, i) => 2 ** -i);

/**
 * The nearest text of each node when all points are scaled, s ⊗ x, for one factor after the other.
 *
 * @param texts vectors of the class texts [classes, d]
 * @returns class of each node, by factor
 */
export function sweepPredictions(
  network: H4G,
  prepared: PreparedGraph,
  nodes: Int32Array,
  texts: Tensor,
  factors: readonly number[] = SWEEP,
): Int32Array[] {
  return factors.map((factor) =>
    scope(() => {
      const lifted = (vectors: Tensor) => network.ball.exp(multiply(vectors, factor));
      const distances = network.ball.distances(
        lifted(network.nodeVectors(prepared, nodes)),
        lifted(network.textVectors(texts)),
      );
      return smallestOf(distances);
    }),
  );
}

/** The column of the smallest number of each row. */
export function smallestOf(distances: Tensor): Int32Array {
  const [rows, columns] = distances.shape as [number, number];
  const values = distances.view();
  return Int32Array.from({ length: rows }, (_, i) => {
    const own = values.subarray(i * columns, (i + 1) * columns);
    return own.indexOf(own.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY));
  });
}

/**
 * Share of points whose nearest other point has the same label.
 *
 * @param distances between all points [n, n]
 */
export function nearestAgreement(distances: Tensor, labels: ArrayLike<number>): number {
  const n = distances.shape[0] as number;
  const values = distances.view();
  let same = 0;
  for (let i = 0; i < n; i++) {
    let nearest = -1;
    for (let j = 0; j < n; j++)
      if (j !== i && (nearest < 0 || (values[i * n + j] as number) < (values[i * n + nearest] as number))) nearest = j;
    if (labels[nearest] === labels[i]) same += 1;
  }
  return same / n;
}
