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
 * A network that trains in one form and runs in another, which computes the same with fewer layers.
 */
export interface Mergeable extends Layer {
  /**
   * The form that runs; the network itself when it has that form.
   *
   * @throws Error while the two would differ
   */
  merged(): Layer;
}

/** Whether a layer has a merged form. */
export function isMergeable(layer: Layer): layer is Mergeable {
  return 'merged' in layer && typeof layer.merged === 'function';
}

/**
 * A network that changes with the steps of its training, such as by a schedule of its activations.
 */
export interface FollowsSteps extends Layer {
  /** Called before each step. @param step from 0 */
  followStep(step: number, steps: number): void;
}

/** Whether a layer follows the steps of its training. */
export function followsSteps(layer: Layer): layer is FollowsSteps {
  return 'followStep' in layer && typeof layer.followStep === 'function';
}

/**
 * A network that is trained on the statistics of batches, and answers by averages of them over some
 * training batches, so that the answer for an input depends on no other.
 */
export interface FreezesStatistics extends Layer {
  /**
   * Replaces the stored averages by those over the given batches.
   *
   * @throws Error without a batch
   */
  freezeStatistics(batches: Iterable<Tensor>): void;
}

/** Whether a layer has statistics to freeze after training. */
export function freezesStatistics(layer: Layer): layer is FreezesStatistics {
  return 'freezeStatistics' in layer && typeof layer.freezeStatistics === 'function';
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
