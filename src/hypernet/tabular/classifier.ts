// The interface of classifiers of tabular data.

import type { Random, Tensor } from '../../tensor/index.js';
import type { Rows } from './features.js';

/** Options of a training. */
export interface ClassifierOptions {
  /** Aborts the training, which then rejects with an AbortError. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the completed share of the training, in [0, 1]. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** A classifier of numeric rows; `TableModel` adds the encoding of named columns. */
export interface TableClassifier {
  /** Trains on rows of features with labels 0 … classes − 1. */
  fit(x: Rows, labels: Int32Array, classes: number, random: Random, options?: ClassifierOptions): Promise<void>;
  /**
   * Class probabilities [rows, classes], row-major.
   *
   * @throws Error before fit
   */
  probabilities(x: Rows): Float64Array;
  /**
   * All tensors that a model file must hold.
   *
   * @throws Error before fit
   */
  state(): Record<string, Tensor>;
  /** Restores a saved state, for the numbers of columns and classes used in training. */
  restore(state: Readonly<Record<string, Tensor>>, width: number, classes: number): void;
}

/** The most probable class of each row. */
export function classesOf(probabilities: Float64Array, classes: number): Int32Array {
  return Int32Array.from({ length: probabilities.length / classes }, (_, row) => {
    const own = probabilities.subarray(row * classes, (row + 1) * classes);
    return own.indexOf(own.reduce((a, b) => Math.max(a, b)));
  });
}
