// Interval bound propagation: from intervals of weights to intervals of what a network computes.
//
// Every bound is sound: whatever weights are chosen from their intervals, one set for all rows, the
// result lies between lower and upper. Gowal et al., "Scalable Verified Training for Provably
// Robust Image Classification", ICCV 2019; Krukowski et al., "HINT: Hypernetwork Approach to
// Training Weight Interval Regions in Continual Learning", 2024.

import type { Weights } from '../../nn/index.js';
import {
  add,
  conv2d,
  linear,
  maxPool2d,
  minimum,
  multiply,
  oneHot,
  relu,
  reshape,
  subtract,
  type Tensor,
} from '../../tensor/index.js';
import type { TargetNetwork } from '../continual/target.js';

/** Bounds of the same shape, and a value between them. */
export interface Interval {
  /** Lower bounds. */
  readonly lower: Tensor;
  /** Values between the bounds. */
  readonly middle: Tensor;
  /** Upper bounds. */
  readonly upper: Tensor;
}

/** Weights by name, each between bounds. */
export interface IntervalWeights {
  /** Lower bounds. */
  readonly lower: Weights;
  /** Weights between the bounds. */
  readonly middle: Weights;
  /** Upper bounds. */
  readonly upper: Weights;
}

const sides = ['lower', 'middle', 'upper'] as const;

/** f applied to each side, for f that never decreases. */
function monotone(x: Interval, f: (value: Tensor) => Tensor): Interval {
  return { lower: f(x.lower), middle: f(x.middle), upper: f(x.upper) };
}

/** min(x, 0). */
const negative = (x: Tensor) => minimum(x, 0);

/** The weight and bias of a layer on each side, by its name. */
function layerOf(weights: IntervalWeights, name: string): { weight: Interval; bias: Interval } {
  const field = (key: string) =>
    Object.fromEntries(sides.map((side) => [side, weights[side][`${name}.${key}`] as Tensor])) as unknown as Interval;
  return { weight: field('weight'), bias: field('bias') };
}

/** A product of rows with weights, bilinear in both. */
type Product = (x: Tensor, weight: Tensor) => Tensor;

/**
 * W·x + b for a layer whose input is one point, of any sign: with x⁺ = max(x, 0), x⁻ = min(x, 0)
 * the least value is W^L·x⁺ + W^U·x⁻ + b^L, and likewise the largest. Exact.
 */
function ofPoint(x: Tensor, weights: { weight: Interval; bias: Interval }, product: Product): Interval {
  const { weight, bias } = weights;
  const [plus, minus] = [relu(x), negative(x)];
  return {
    lower: add(add(product(plus, weight.lower), product(minus, weight.upper)), bias.lower),
    middle: add(product(x, weight.middle), bias.middle),
    upper: add(add(product(plus, weight.upper), product(minus, weight.lower)), bias.upper),
  };
}

/**
 * W·x + b for 0 ≤ x^L ≤ x^U: the least value is x^L·(W^L)⁺ + x^U·(W^L)⁻ + b^L, the largest
 * x^U·(W^U)⁺ + x^L·(W^U)⁻ + b^U.
 */
function ofInterval(x: Interval, weights: { weight: Interval; bias: Interval }, product: Product): Interval {
  const { weight, bias } = weights;
  const bound = (same: Tensor, other: Tensor, w: Tensor, b: Tensor) =>
    add(add(product(same, relu(w)), product(other, negative(w))), b);
  return {
    lower: bound(x.lower, x.upper, weight.lower, bias.lower),
    middle: add(product(x.middle, weight.middle), bias.middle),
    upper: bound(x.upper, x.lower, weight.upper, bias.upper),
  };
}

/**
 * Logits of a target network between their bounds, for weights between theirs: x [n, …] → [n,
 * classes] each.
 *
 * @param head name of the output layer. Default: `head`
 */
export function propagate(
  network: Pick<TargetNetwork, 'body'>,
  weights: IntervalWeights,
  x: Tensor,
  head = 'head',
): Interval {
  const names = [
    ...network.body.convolutions.map((_layer, i) => `body.convolutions.${i}`),
    ...network.body.layers.map((_layer, i) => `body.layers.${i}`),
    head,
  ];
  const convolutions = network.body.convolutions.length;
  let at: Interval | undefined;
  for (const [i, name] of names.entries()) {
    const own = layerOf(weights, name);
    const pictures = i < convolutions;
    const layer = pictures ? { ...own, bias: monotone(own.bias, (b) => reshape(b, [-1, 1, 1])) } : own;
    const product: Product = pictures ? (rows, weight) => conv2d(rows, weight, undefined, { padding: 1 }) : linear;
    const flat = (rows: Tensor) => (pictures ? rows : reshape(rows, [rows.shape[0] as number, -1]));
    const y = at ? ofInterval(monotone(at, flat), layer, product) : ofPoint(flat(x), layer, product);
    if (name === head) return y;
    at = monotone(y, (value) => (pictures ? maxPool2d(relu(value), 2) : relu(value)));
  }
  throw new Error('propagate: the network has no layers');
}

/** Logits at their worst: the lower bound of the true class, the upper bounds of all others. */
export function worstCase({ lower, upper }: Interval, labels: Tensor): Tensor {
  const own = oneHot(labels, lower.shape[1] as number);
  return add(multiply(own, lower), multiply(subtract(1, own), upper));
}

/** Whether the lower bound of each row's class is above the upper bounds of all others. */
export function certified({ lower, upper }: Interval, labels: Int32Array): boolean[] {
  const classes = lower.shape[1] as number;
  const [l, u] = [lower.view(), upper.view()];
  return Array.from(labels, (label, row) => {
    const least = l[row * classes + label] as number;
    return Array.from({ length: classes }, (_, c) => c).every(
      (c) => c === label || (u[row * classes + c] as number) < least,
    );
  });
}
