// FastRP whose projection is keyed by the names of nodes, so that a node has comparable vectors in
// a graph that changes, and the choice of its weights and degree exponent on labels.

import { spmm } from '../sparse/index.js';
import { type Graph, powers } from '../structure/index.js';
import {
  add,
  keep,
  mean,
  multiply,
  normalizeRows,
  Random,
  rsqrt,
  scope,
  type Tensor,
  tensor,
  variance,
  where,
} from '../tensor/index.js';
import { fastrpDefaults } from './fastrp.js';
import { transitionMatrix } from './similarity.js';

/** Settings of FastRP that a model keeps. */
export interface NamedEmbeddingOptions {
  /** Embedding dimension. Default: 128. */
  readonly dim?: number;
  /** α₁ … α_q. Default: [0, 0, 1, 6.67]. */
  readonly weights?: readonly number[];
  /** β of L = diag(d^β). Default: −0.64. */
  readonly degreeExponent?: number;
  /** Seed of the projection. Default: 42. */
  readonly seed?: number;
}

/**
 * rownorm(P^k·L·R) for k = 1 … orders as `fastRP` computes them, with rows of R that are signs
 * drawn by the name of the node.
 *
 * @param names of the nodes, in order
 * @returns [n, dim] for each order
 */
export function namedOrders(
  graph: Graph,
  names: readonly string[],
  orders: number,
  options: Omit<NamedEmbeddingOptions, 'weights'> = {},
): Tensor[] {
  const { dim, degreeExponent, seed } = { ...fastrpDefaults, ...options };
  return scope(() => {
    const n = graph.nodeCount;
    const transition = transitionMatrix(graph);
    const scale = tensor(powers(graph.inDegrees, degreeExponent), [n, 1]);
    let power = multiply(namedSigns(names, dim, new Random(seed).split('fastrp')), scale);
    return Array.from({ length: orders }, () => {
      power = spmm(transition, power);
      return keep(normalizeRows(power));
    });
  });
}

/** Σ_k α_k·N_k of `namedOrders` [n, dim]. */
export function weightedOrders(orders: readonly Tensor[], weights: readonly number[]): Tensor {
  return scope(() => {
    const [first, ...others] = orders.map((order, k) => multiply(order, weights[k] ?? 0)) as [Tensor, ...Tensor[]];
    return others.reduce((sum, order) => add(sum, order), first);
  });
}

/**
 * The embedding before its columns are standardised.
 *
 * @returns [n, dim]
 */
export function namedEmbedding(graph: Graph, names: readonly string[], options: NamedEmbeddingOptions = {}): Tensor {
  const { weights } = { ...fastrpDefaults, ...options };
  const orders = namedOrders(graph, names, weights.length, options);
  const embedding = weightedOrders(orders, weights);
  for (const order of orders) order.dispose();
  return embedding;
}

/** R [n, dim] of ±1. */
function namedSigns(names: readonly string[], dim: number, random: Random): Tensor {
  const values = new Float32Array(names.length * dim);
  names.forEach((name, v) => {
    const stream = random.split(name);
    for (let at = v * dim; at < (v + 1) * dim; at++) values[at] = stream.float() < 0.5 ? -1 : 1;
  });
  return tensor(values, [names.length, dim]);
}

/** Mean and inverse deviation of columns [1, d] each, by which vectors are standardised. */
export interface ColumnScale {
  /** Means. */
  readonly centre: Tensor;
  /** 1/deviations. */
  readonly scale: Tensor;
}

/** The scale of the columns of x [n, d]; a constant column stays 0. */
export function columnScale(x: Tensor): ColumnScale {
  return scope(() => {
    const d = x.shape[1] as number;
    const centre = mean(x, 0).reshape([1, d]);
    const spread = variance(x, 0);
    const scale = where(spread.greater(1e-20), rsqrt(add(spread, 1e-30)), 0);
    return { centre, scale: scale.reshape([1, d]) };
  });
}

/** (x − centre)·scale. */
export function standardizedBy(x: Tensor, { centre, scale }: ColumnScale): Tensor {
  return multiply(x.subtract(centre), scale);
}
