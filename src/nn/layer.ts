// Layers in sequence.

import type { Tensor } from '../tensor/index.js';
import type { Mode } from './module.js';

export interface Layer {
  forward(x: Tensor, mode: Mode): Tensor;
}

/** Layers one after another, nested as their names are: `features.3.conv.0.weight` is an array in an array. */
export type Sequence = readonly (Layer | Sequence)[];

/** The output of the last layer. */
export function runSequence(layers: Sequence, x: Tensor, mode: Mode): Tensor {
  return layers.reduce<Tensor>(
    (value, layer) => ('forward' in layer ? layer.forward(value, mode) : runSequence(layer, value, mode)),
    x,
  );
}
