// Elementwise functions, with and without broadcasting, and the updates of optimisers.

import type { KernelArguments } from '../../generated/arguments.js';
import type { Region } from '../../region.js';
import type { Execution, KernelsWith } from '../execution.js';

/** y ← f(x) over n elements, with the kernel's own scalars. */
function elementwise<Name extends keyof KernelArguments>(kernel: Name, cost: number) {
  return (run: Execution, args: KernelArguments[Name] & { readonly n: number }): void =>
    run.over(kernel, args, args.n, cost);
}

/** Four sizes or strides, outermost first. */
export type Four = readonly [number, number, number, number];

/**
 * c ← a ∘ b over a box of four axes. Strides are in elements; 0 broadcasts, and the innermost are 0
 * or 1.
 */
export interface BroadcastArguments {
  readonly a: Region;
  readonly b: Region;
  readonly c: Region;
  readonly sizes: Four;
  readonly stridesA: Four;
  readonly stridesB: Four;
}

type BroadcastKernel = KernelsWith<KernelArguments['add']>;

function broadcasting(kernel: BroadcastKernel, cost: number) {
  return (run: Execution, { a, b, c, sizes, stridesA, stridesB }: BroadcastArguments): void => {
    const [d0, d1, d2, d3] = sizes;
    const [a0, a1, a2, a3] = stridesA;
    const [b0, b1, b2, b3] = stridesB;
    run.over(kernel, { a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3 }, d0 * d1 * d2 * d3, cost);
  };
}

export const elementwiseRoutines = {
  /** `bits` is the pattern of an f32 or i32. */
  fill: elementwise('fill', 0.15),
  /** target += scale·source. */
  accumulate: elementwise('accumulate', 0.3),
  abs: elementwise('abs', 0.25),
  sqrt: elementwise('sqrt', 0.4),
  exp: elementwise('exp', 1),
  log: elementwise('log', 1.2),
  tanh: elementwise('tanh', 1.6),
  sigmoid: elementwise('sigmoid', 1.2),
  erf: elementwise('erf', 1.8),
  gelu: elementwise('gelu', 2),
  relu: elementwise('relu', 0.25),
  sin: elementwise('sin', 1.2),
  cos: elementwise('cos', 1.2),
  sign: elementwise('sign', 0.3),
  floor: elementwise('floor', 0.25),
  reciprocal: elementwise('reciprocal', 0.4),
  rsqrt: elementwise('rsqrt', 0.6),
  square: elementwise('square', 0.25),
  leakyRelu: elementwise('leakyRelu', 0.3),
  elu: elementwise('elu', 1.2),
  softplus: elementwise('softplus', 2.4),
  silu: elementwise('silu', 1.3),
  relu6: elementwise('relu6', 0.25),
  /** y = scale·x + shift. */
  affine: elementwise('affine', 0.25),
  /** y = x/divisor. */
  divideBy: elementwise('divideBy', 0.3),
  toInt: elementwise('toInt', 0.25),
  toFloat: elementwise('toFloat', 0.25),

  add: broadcasting('add', 0.3),
  subtract: broadcasting('subtract', 0.3),
  multiply: broadcasting('multiply', 0.3),
  divide: broadcasting('divide', 0.5),
  power: broadcasting('power', 5),
  maximum: broadcasting('maximum', 0.3),
  minimum: broadcasting('minimum', 0.3),
  equal: broadcasting('equal', 0.3),
  notEqual: broadcasting('notEqual', 0.3),
  less: broadcasting('less', 0.3),
  lessEqual: broadcasting('lessEqual', 0.3),
  positiveMask: broadcasting('positiveMask', 0.3),
  addInt: broadcasting('addInt', 0.3),
  subtractInt: broadcasting('subtractInt', 0.3),
  multiplyInt: broadcasting('multiplyInt', 0.3),
  maximumInt: broadcasting('maximumInt', 0.3),
  minimumInt: broadcasting('minimumInt', 0.3),
  equalInt: broadcasting('equalInt', 0.3),
  lessInt: broadcasting('lessInt', 0.3),

  /** `first` and `second` are the moments; share1 = 1 − β₁, correction1 = 1 − β₁ᵗ, and so for 2. */
  adam: elementwise('adam', 1),
  sgd: elementwise('sgd', 0.5),
  /** `squares` and `updates` are the means of squared gradients and squared steps. */
  adadelta: elementwise('adadelta', 1),

  /** Blocks of a file's format from n blocks of floats. */
  encodeBlocks: elementwise('encodeBlocks', 60),
  /** float32 from n float16 or bfloat16. */
  widenHalves: elementwise('widenHalves', 2),
};
