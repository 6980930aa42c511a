// Compilation of a function of tensors to a plan: batch norms are folded into convolutions,
// activations and residual additions are fused into the kernels before them, and layers get sparse
// or int8 kernels.

import type { Tensor } from '../tensor/index.js';
import { fuse, pixelsAsRows } from './fuse.js';
import { requireAllValues, trace } from './graph.js';
import { type Int8Options, rangesOf, useInt8Kernels } from './int8/index.js';
import { Plan, planOf } from './plan.js';
import { type SparseOptions, useSparseKernels } from './sparse-kernels.js';

/**
 * Compiles a function of tensors for inputs of the examples' shapes. Scratch memory is laid out for
 * the current number of threads.
 *
 * @example
 * const plan = compile((x) => model.forward(x, inference), [zeros([1, 3, 224, 224])]);
 * const [y] = plan.run(x);
 * @throws Error when the function reads values that depend on its inputs, when an operation reads
 * or writes values from JavaScript, or when indices are computed that may lie outside of what they
 * index: none of it can a plan repeat or check.
 */
export function compile(
  fn: (...inputs: Tensor[]) => unknown,
  examples: readonly Tensor[],
  { sparse = true, int8, weights = {} }: CompileOptions = {},
): Plan {
  return trace(fn, examples, weights, (graph) => {
    requireAllValues('compile', graph);
    const fused = pixelsAsRows(fuse(graph));
    const ranges = int8 && rangesOf(fused, int8);
    const choosing = sparse === true ? { choose: 'rule' as const } : sparse;
    const sparser = choosing ? useSparseKernels(fused, choosing) : fused;
    return new Plan(planOf(ranges ? useInt8Kernels(sparser, ranges, int8?.bits) : sparser));
  });
}

/** Options of `compile`. */
export interface CompileOptions {
  /**
   * Whether layers with mostly zero weights run on sparse kernels; true (the default) decides by
   * the share of zeros.
   */
  readonly sparse?: boolean | SparseOptions;
  /** Names of the weights, for reports on layers: `stateOf(model)`. */
  readonly weights?: Readonly<Record<string, Tensor>>;
  /** Quantises convolutions and linear layers to int8; left out, all is float32. */
  readonly int8?: Int8Options;
}
