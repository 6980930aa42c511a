// What a search of widths and depths needs, said before it begins.

import { inference, type Layer, parameters } from '../../nn/index.js';
import type { Tensor } from '../../tensor/index.js';
import { cost } from '../../trace/index.js';

/** Measured: maps of a step, their gradients and what operations keep, over the maps of a pass. */
const HELD = 1.4;
/** Measured: what each width that a layer samples adds to that. */
const PER_SAMPLE = 3;

/**
 * Bytes that the maps of a search's training step take, about: those of a pass of the network, each
 * once more for every width that a layer samples.
 *
 * @param example one input; only its shape matters
 */
export function shapeSearchBytes(
  model: Layer,
  example: Tensor,
  { batchSize = 256, samples = 2 }: { readonly batchSize?: number; readonly samples?: number } = {},
): number {
  const { activationBytes } = cost((x) => model.forward(x, inference), [example], parameters(model));
  return (HELD + PER_SAMPLE * samples) * batchSize * activationBytes;
}
