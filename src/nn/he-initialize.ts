// He's initial values for a whole network (He et al. 2015): normal weights, biases of 0.

import type { Random, Tensor } from '../tensor/index.js';
import { Conv1d, Conv2d } from './convolution.js';
import { kaimingNormal } from './initializers.js';
import { Linear } from './linear.js';
import { buffers, parameterOwners } from './module.js';
import { BatchNorm, GroupNorm, LayerNorm, RMSNorm } from './normalization.js';

/**
 * Draws the weights of a network anew, in place: N(0, 2 / fan-in) for convolutions and linear
 * layers, biases 0; norms and their running statistics as new.
 *
 * @throws Error naming a parameter of another kind of layer, before any is changed
 */
export function heInitialize(model: object, random: Random): void {
  const all = parameterOwners(model);
  const other = all.find(({ owner }) => !kinds.some((kind) => owner instanceof kind));
  if (other)
    throw new Error(
      `heInitialize: "${other.name}" belongs to ${other.owner.constructor.name}, which has initial values of its own`,
    );
  for (const { name, owner, tensor } of all) {
    if (norms.some((kind) => owner instanceof kind)) tensor.view().fill(name.endsWith('weight') ? 1 : 0);
    else if (tensor.rank > 1) tensor.assign(kaimingNormal(random.split(name), tensor.shape));
    else tensor.view().fill(0);
  }
  for (const [name, statistic] of Object.entries(buffers(model))) resetStatistic(name, statistic);
}

/** Whether every parameter of a network is one that `heInitialize` draws. */
export function isHeInitializable(model: object): boolean {
  return parameterOwners(model).every(({ owner }) => kinds.some((kind) => owner instanceof kind));
}

const norms = [BatchNorm, GroupNorm, LayerNorm, RMSNorm];
const kinds = [Linear, Conv2d, Conv1d, ...norms];

/** Running means are 0, running variances 1; other buffers are no statistics. */
function resetStatistic(name: string, statistic: Tensor): void {
  if (name.endsWith('runningMean')) statistic.view().fill(0);
  if (name.endsWith('runningVariance')) statistic.view().fill(1);
}
