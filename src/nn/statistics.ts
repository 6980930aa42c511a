// Running statistics of batch norms, estimated anew.

import { Random, scope, type Tensor } from '../tensor/index.js';
import type { Layer } from './layer.js';
import { parameterOwners, training } from './module.js';
import { BatchNorm } from './normalization.js';

/**
 * Sets the running mean and variance of every batch norm to their averages over some batches, as
 * they are for the weights at hand: those of a sub-network are not those of the network that it was
 * taken from. Weights stay as they are.
 *
 * @throws Error without a batch
 */
export function estimateStatistics(network: Layer, batches: Iterable<Tensor>): void {
  const owners = parameterOwners(network).map(({ owner }) => owner);
  const norms = [...new Set(owners.filter((owner): owner is BatchNorm => owner instanceof BatchNorm))];
  const before = norms.map(({ momentum }) => momentum);
  let count = 0;
  try {
    for (const batch of batches) {
      count += 1;
      for (const norm of norms) norm.momentum = 1 / count;
      scope(() => void network.forward(batch, training(new Random(0))));
    }
  } finally {
    norms.forEach((norm, i) => {
      norm.momentum = before[i] as number;
    });
  }
  if (count === 0 && norms.length > 0) throw new Error('estimateStatistics: expected at least one batch');
}
