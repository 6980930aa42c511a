// Norms and softmax.

import { batchNormInference, groupNorm, layerNorm, logSoftmax, softmax, type Tensor } from '../../../tensor/index.js';
import type { NodeReader, NodeReaders } from './node.js';

/** A function along an axis, by default the last. */
const alongAxis =
  (fn: (x: Tensor, axis: number) => Tensor): NodeReader =>
  (node) =>
    fn(node.tensor(0), node.int('axis', -1));

export const normalizationReaders: NodeReaders = {
  BatchNormalization: (node) => {
    const [x, gamma, beta, average, variance] = [0, 1, 2, 3, 4].map((i) => node.tensor(i)) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    return batchNormInference(x, gamma, beta, average, variance, node.float('epsilon', 1e-5));
  },
  LayerNormalization: (node) => {
    const axis = node.int('axis', -1);
    if (axis !== -1 && axis !== node.tensor(0).rank - 1)
      node.fail('normalises over more than the last axis, which is not supported');
    return layerNorm(node.tensor(0), node.tensor(1), node.optional(2), node.float('epsilon', 1e-5));
  },
  InstanceNormalization: (node) =>
    groupNorm(
      node.tensor(0),
      node.tensor(0).shape[1] as number,
      node.tensor(1),
      node.tensor(2),
      node.float('epsilon', 1e-5),
    ),
  Softmax: alongAxis(softmax),
  LogSoftmax: alongAxis(logSoftmax),
};
