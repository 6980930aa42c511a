// The loss of a batch of networks on their problems, every term by Huber's function with δ = 1:
//
//   ¼·residual + ¼·mean of the errors of u_x, u_y, u_xx, u_yy + u + 10·Dirichlet + Neumann
//
// Errors of u and its derivatives are averaged over problems with a known solution, the others over
// all problems; points that a term does not apply to count as 0.

import { huberLoss, type Jet } from '../../nn/index.js';
import { add, divide, multiply, slice, subtract, sum, type Tensor } from '../../tensor/index.js';
import type { BoundaryBatch, ProblemBatch } from './batch.js';

/** Weights of the terms. */
export interface LossWeights {
  /** Of L[u] − f. */
  readonly residual: number;
  /** Of the mean error of u_x, u_y, u_xx and u_yy. */
  readonly derivatives: number;
  /** Of u. */
  readonly solution: number;
  /** Of u on the boundary. */
  readonly dirichlet: number;
  /** Of ∂_n u on the boundary. */
  readonly neumann: number;
}

/** The paper's weights. */
export const lossWeights: LossWeights = { residual: 0.25, derivatives: 0.25, solution: 1, dirichlet: 10, neumann: 1 };

/** The terms of the loss, each a scalar. */
export type LossTerms = Readonly<Record<keyof LossWeights, Tensor>>;

/** L[u] from the jet of u and coefficients [B, 5]: [B, P]. */
export function operatorOf(operators: Tensor, jet: Jet): Tensor {
  return jet
    .map((part, i) => multiply(part, slice(operators, null, [i, i + 1])))
    .reduce((total, term) => add(total, term));
}

/** L[u] − f at the points inside of the domain, 0 elsewhere [B, P]. */
export function residualOf({ operators, source, inside }: ProblemBatch, interior: Jet): Tensor {
  return multiply(subtract(operatorOf(operators, interior), source), inside);
}

/** n_x·u_x + n_y·u_y. */
export function normalDerivative([, ux, uy]: Jet, [nx, ny]: readonly [Tensor, Tensor]): Tensor {
  return add(multiply(ux as Tensor, nx), multiply(uy as Tensor, ny));
}

const masked = (a: Tensor, b: Tensor, mask: Tensor) => multiply(subtract(a, b), mask);
const huber = (error: Tensor) => huberLoss(error, multiply(error, 0));

function boundaryTerms(boundary: BoundaryBatch, jet: Jet): Pick<LossTerms, 'dirichlet' | 'neumann'> {
  const { dirichlet, dirichletMask, neumann, neumannMask, normals } = boundary;
  return {
    dirichlet: huber(masked(jet[0] as Tensor, dirichlet, dirichletMask)),
    neumann: huber(masked(normalDerivative(jet, normals), neumann, neumannMask)),
  };
}

/**
 * The terms of the loss.
 *
 * @param interior u, u_x, u_y, u_xx, u_yy at the points of the square [B, P] each
 * @param boundary u, u_x, u_y at the points of the boundary [B, Q] each
 */
export function lossTerms(batch: ProblemBatch, interior: Jet, boundary: Jet): LossTerms {
  const { inside, solution, supervised, scales } = batch;
  const known = multiply(inside, supervised);
  const share = supervised.size / Math.max(1, sum(supervised).view()[0] as number);
  const error = (i: number) => masked(interior[i] as Tensor, solution[i] as Tensor, known);
  const derivatives = [1, 2, 3, 4]
    .map((i) => huber(divide(error(i), scales[i] as Tensor)))
    .reduce((total, term) => add(total, term));
  return {
    residual: huber(divide(residualOf(batch, interior), scales[0] as Tensor)),
    derivatives: multiply(derivatives, share / 4),
    solution: multiply(huber(error(0)), share),
    ...boundaryTerms(batch.boundary, boundary),
  };
}

/** Σ weight·term. */
export function weightedLoss(terms: LossTerms, weights: LossWeights = lossWeights): Tensor {
  return (Object.keys(lossWeights) as (keyof LossWeights)[])
    .map((name) => multiply(terms[name], weights[name]))
    .reduce((total, term) => add(total, term));
}
