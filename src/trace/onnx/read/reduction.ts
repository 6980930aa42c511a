// Reductions.

import { argmax, argmin, logSumExp, max, mean, min, reshape, sum, type Tensor } from '../../../tensor/index.js';
import type { NodeReader, NodeReaders, OnnxNode } from './node.js';

const reduction =
  (fn: (x: Tensor, axes: readonly number[] | undefined, options: { keepAxes: boolean }) => Tensor): NodeReader =>
  (node) => {
    const axes = node.intsOf('axes', 1);
    if (axes?.length === 0 && node.int('noop_with_empty_axes', 0)) return node.tensor(0);
    return fn(node.tensor(0), axes?.length ? axes : undefined, { keepAxes: node.int('keepdims', 1) === 1 });
  };

function extreme(node: OnnxNode, fn: (x: Tensor, axis: number) => Tensor): Tensor {
  const x = node.tensor(0);
  const axis = node.axis(x.rank);
  const positions = fn(x, axis);
  return node.int('keepdims', 1)
    ? reshape(
        positions,
        x.shape.map((length, at) => (at === axis ? 1 : length)),
      )
    : positions;
}

export const reductionReaders: NodeReaders = {
  ReduceMean: reduction(mean),
  ReduceSum: reduction(sum),
  ReduceMax: reduction(max),
  ReduceMin: reduction(min),
  ReduceLogSumExp: reduction(logSumExp),
  ArgMax: (node) => extreme(node, argmax),
  ArgMin: (node) => extreme(node, argmin),
};
