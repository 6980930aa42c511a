// What the training asks of a recommender, and what it costs.

import type { Random, Tensor } from '../tensor/index.js';
import type { StepGradients } from './dsl/index.js';
import type { Scorer } from './metrics.js';
import type { WeightTable } from './weights.js';

/** What a step is told. */
export interface StepRequest {
  /** Stream of the step's own draws, such as dropout. */
  readonly random: Random;
  /** Number of the step, from 1. */
  readonly step: number;
  /** Whether the gradient of all entries is wanted. */
  readonly dense: boolean;
}

/** A loss with its gradients at the current weights. */
export interface StepResult extends StepGradients {
  /** Mean loss of the batch. */
  readonly loss: number;
}

/** Multiply-adds of products, forward and backward. */
export interface TrainingCost {
  /** Of one step. */
  readonly step: number;
  /** What an exploration adds: the gradient of the entries without a weight. */
  readonly exploration: number;
  /** Of the answer for one user, or of all that is computed once before. */
  readonly inference: number;
}

/** A recommender that is trained by batches. */
export interface Backbone<Batch = unknown> extends Scorer {
  /** All matrices by name. */
  readonly weights: WeightTable;
  /** Steps of an epoch. */
  readonly stepsPerEpoch: number;
  /** Batches of an epoch. */
  batches(random: Random): Iterable<Batch>;
  /** Must run in a scope, in which `dense` is used, too. */
  gradients(batch: Batch, request: StepRequest): StepResult;
  /** To be called after weights have changed, before scores are asked for. */
  refresh(): void;
  /** Multiply-adds with the weights that are stored now. */
  cost(): TrainingCost;
}

/** Values of the matrices by name, as gradients watch them. */
export const valuesOf = (weights: WeightTable): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(weights).map(([name, { values }]) => [name, values]));

/** Bytes of the weights, and of Adam's two moments. */
export function trainingBytes(weights: WeightTable): number {
  return Object.values(weights).reduce((sum, weight) => sum + weight.bytes + 8 * weight.values.size, 0);
}

/** Bytes of the weights as a file stores them: values, columns of 4 bytes, and starts of rows. */
export function servedBytes(weights: WeightTable): number {
  return Object.values(weights).reduce(
    (sum, { values, pattern, rows }) => sum + 4 * values.size + (pattern ? 4 * (pattern.nnz + rows + 1) : 0),
    0,
  );
}

/** Stored entries. */
export const storedWeights = (weights: WeightTable): number =>
  Object.values(weights).reduce((sum, { values }) => sum + values.size, 0);
