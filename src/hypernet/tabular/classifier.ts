// What every classifier of tables does.

import type { Random, Tensor } from '../../tensor/index.js';
import type { Rows } from './features.js';

export interface ClassifierOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told the share that is done. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

export interface TableClassifier {
  /** Learns from rows of features, with labels 0 … classes − 1. */
  fit(x: Rows, labels: Int32Array, classes: number, random: Random, options?: ClassifierOptions): Promise<void>;
  /** [rows, classes], row after row. @throws Error before fit */
  probabilities(x: Rows): Float64Array;
  /** All that a file must hold. @throws Error before fit */
  state(): Record<string, Tensor>;
  /** Becomes the classifier whose state it is, for as many columns and classes as in training. */
  restore(state: Readonly<Record<string, Tensor>>, width: number, classes: number): void;
}

/** The most probable class of each row. */
export function classesOf(probabilities: Float64Array, classes: number): Int32Array {
  return Int32Array.from({ length: probabilities.length / classes }, (_, row) => {
    const own = probabilities.subarray(row * classes, (row + 1) * classes);
    return own.indexOf(own.reduce((a, b) => Math.max(a, b)));
  });
}
