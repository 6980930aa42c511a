// The layer interface, and layers in sequence.

import type { Tensor } from '../tensor/index.js';
import type { Mode } from './module.js';

/** A module from one tensor to one tensor. */
export interface Layer {
  /**
   * Output of the layer for x. `mode` selects training or inference and carries the random stream.
   */
  forward(x: Tensor, mode: Mode): Tensor;
}

/**
 * Layers in order, nested as their weight names: `features.3.conv.0.weight` is an array in an
 * array.
 */
export type Sequence = readonly (Layer | Sequence)[];

/** Applies layers in order; the output of the last. */
export function runSequence(layers: Sequence, x: Tensor, mode: Mode): Tensor {
  return layers.reduce<Tensor>(
    (value, layer) => ('forward' in layer ? layer.forward(value, mode) : runSequence(layer, value, mode)),
    x,
  );
}
