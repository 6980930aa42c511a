// The two decisions between a sketch and a topology: sparsity-regularised refinement, and groups.
//
//   W* = argmin_W ½‖S − ZWZᵀ‖² + (η/2)‖A − ZWZᵀ‖² + ζ‖W‖_*,  S̃ = Z·W*·Zᵀ
//
// S: symmetric sketch [N, N]; A: adjacency of the anchor groups; Z: the top r left singular vectors
// of S. As ZᵀZ = I, W* is M = Zᵀ(S + ηA)Z/(1 + η) with its singular values lowered by ζ/(1 + η). S
// and M are symmetric, so singular values are magnitudes of eigenvalues.

import { symmetricEigen64 } from '../../linalg/index.js';
import { pairsOf, type Topology, topologyOf } from '../agents/topology.js';

/** Options of `refine`. */
export interface RefineOptions {
  /** r; at most N is used. Default: 16. */
  readonly rank?: number;
  /** η, weight of the anchors. Default: 0.5; with 1 a sampled and an anchor pair tie. */
  readonly anchorWeight?: number;
  /** ζ, weight of the nuclear norm. Default: 0.1. */
  readonly sparsity?: number;
}

/** A refined sketch. */
export interface Refined {
  /** Z [N, r]. */
  readonly basis: Float64Array;
  /** W* [r, r]. */
  readonly weights: Float64Array;
  /** S̃ = Z·W*·Zᵀ [N, N]. */
  readonly affinity: Float64Array;
  /** r. */
  readonly rank: number;
}

/**
 * The refined sketch, in double precision.
 *
 * @param sketch S [N, N], symmetric
 * @param anchors A [N, N], symmetric
 * @throws RangeError when an option is negative, or there is no rank
 */
export function refine(
  sketch: Float64Array,
  anchors: Float64Array,
  agents: number,
  { rank = 16, anchorWeight = 0.5, sparsity = 0.1 }: RefineOptions = {},
): Refined {
  if (!(Number.isInteger(rank) && rank >= 1)) throw new RangeError(`refine: rank must be at least 1, got ${rank}`);
  if (!(anchorWeight >= 0 && sparsity >= 0))
    throw new RangeError(`refine: the weights must not be negative, got ${anchorWeight} and ${sparsity}`);
  const r = Math.min(rank, agents);
  const basis = leadingVectors(sketch, agents, r);
  const target = sketch.map((value, at) => (value + anchorWeight * (anchors[at] as number)) / (1 + anchorWeight));
  const projected = product(transposed(basis, agents, r), product(target, basis, agents, agents, r), r, agents, r);
  const weights = shrink(projected, r, sparsity / (1 + anchorWeight));
  const affinity = product(product(basis, weights, agents, r, r), transposed(basis, agents, r), agents, r, agents);
  return { basis, weights, affinity, rank: r };
}

/** The r eigenvectors of a symmetric matrix whose eigenvalues are largest in magnitude [n, r]. */
function leadingVectors(matrix: Float64Array, n: number, r: number): Float64Array {
  const { values, vectors } = symmetricEigen64(matrix, n);
  const order = Array.from(values.keys()).sort(
    (a, b) => Math.abs(values[b] as number) - Math.abs(values[a] as number) || b - a,
  );
  return Float64Array.from({ length: n * r }, (_, at) => {
    const column = order[at % r] as number;
    return vectors[Math.floor(at / r) * n + column] as number;
  });
}

/** A symmetric matrix, the magnitudes of its eigenvalues lowered by a threshold, not below 0. */
function shrink(matrix: Float64Array, n: number, threshold: number): Float64Array {
  const { values, vectors } = symmetricEigen64(matrix, n);
  const lowered = values.map((value) => Math.sign(value) * Math.max(Math.abs(value) - threshold, 0));
  const scaled = vectors.map((value, at) => value * (lowered[at % n] as number));
  return product(scaled, transposed(vectors, n, n), n, n, n);
}

/** a [n, k] · b [k, m]. */
function product(a: Float64Array, b: Float64Array, n: number, k: number, m: number): Float64Array {
  const result = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let l = 0; l < k; l++) {
      const factor = a[i * k + l] as number;
      for (let j = 0; j < m; j++) result[i * m + j] = (result[i * m + j] as number) + factor * (b[l * m + j] as number);
    }
  return result;
}

/** a [n, m] → [m, n]. */
function transposed(a: Float64Array, n: number, m: number): Float64Array {
  return Float64Array.from({ length: n * m }, (_, at) => a[(at % n) * m + Math.floor(at / n)] as number);
}

/** The symmetric matrix [N, N] with chosen pairs, in the order of `pairsOf`. */
export function pairMatrix(chosen: ArrayLike<number>, agents: number): Float64Array {
  const matrix = new Float64Array(agents * agents);
  pairsOf(agents).forEach(([i, j], at) => {
    matrix[i * agents + j] = matrix[j * agents + i] = chosen[at] as number;
  });
  return matrix;
}

/** The adjacency [N, N] of the pairs within groups. */
export function groupMatrix(groups: readonly (readonly number[])[], agents: number): Float64Array {
  const { neighbours } = topologyOf(agents, groups);
  return pairMatrix(
    pairsOf(agents).map(([i, j]) => Number(neighbours[i]?.includes(j))),
    agents,
  );
}

/** Options of `groupAgents`. */
export interface GroupOptions {
  /** k: partners that an agent asks at most. Default: 2, so that groups have at most 3. */
  readonly partners?: number;
  /** δ: least affinity of a partner; −Infinity gives the paper's rule of always k. Default: 0.5. */
  readonly threshold?: number;
}

/** Affinities that differ by less are equal: rounding must not decide a tie. */
const TIE = 1e-9;

/**
 * Each agent with its k most affine others of affinity ≥ δ is a group; ties go to the lower index,
 * an agent without partners works alone, duplicates merge.
 *
 * @param affinity S̃ [N, N]
 * @throws RangeError unless 1 ≤ k < N
 */
export function groupAgents(
  affinity: Float64Array,
  agents: number,
  { partners = 2, threshold = 0.5 }: GroupOptions = {},
): Topology {
  requirePartners(partners, agents);
  const groups = Array.from({ length: agents }, (_, i) => {
    const level = (j: number) => Math.round((affinity[i * agents + j] as number) / TIE);
    const others = Array.from({ length: agents }, (_, j) => j).filter(
      (j) => j !== i && (affinity[i * agents + j] as number) >= threshold - TIE,
    );
    return [i, ...others.sort((a, b) => level(b) - level(a) || a - b).slice(0, partners)];
  });
  return topologyOf(agents, groups);
}

/** @throws RangeError unless 1 ≤ k < N */
export function requirePartners(partners: number, agents: number): void {
  if (!(Number.isInteger(partners) && partners >= 1 && partners < agents))
    throw new RangeError(`an agent of a team of ${agents} has 1 … ${agents - 1} partners, not ${partners}`);
}

/** Agents i and j talk where their affinity is at least δ: pairs in place of groups. */
export function pairAgents(affinity: Float64Array, agents: number, threshold = 0.5): Topology {
  const talk = pairsOf(agents).filter(([i, j]) => (affinity[i * agents + j] as number) >= threshold - TIE);
  return topologyOf(agents, talk);
}
