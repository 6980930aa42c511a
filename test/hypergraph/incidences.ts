// Small hypergraphs with repeated members, and rows of tensors, for the tests of this family.

import type { Tensor } from '../../src/tensor/index.js';

/** The rows of a matrix. */
export function rowsOf(x: Tensor): number[][] {
  const width = x.shape[1] as number;
  return Array.from({ length: x.shape[0] as number }, (_, i) => [...x.view().subarray(i * width, (i + 1) * width)]);
}
