// The interface of learners of tabular data: classifiers, and the same for numeric targets.

import type { Random, Tensor } from '../../tensor/index.js';
import type { Rows } from './features.js';

/** Options of a training. */
export interface ClassifierOptions {
  /** Aborts the training, which then rejects with an AbortError. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the completed share of the training, in [0, 1]. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** What is learnt stays in memory, and in a model file. */
interface Saved {
  /**
   * All tensors that a model file must hold.
   *
   * @throws Error before fit
   */
  state(): Record<string, Tensor>;
  /**
   * Restores a saved state.
   *
   * @param width number of features in training
   * @param outputs number of classes in training, or 1 for a numeric target
   */
  restore(state: Readonly<Record<string, Tensor>>, width: number, outputs: number): void;
}

/** A classifier of numeric rows; `TableModel` adds the encoding of named columns. */
export interface TableClassifier extends Saved {
  /** Trains on rows of features with labels 0 … classes − 1. */
  fit(x: Rows, labels: Int32Array, classes: number, random: Random, options?: ClassifierOptions): Promise<void>;
  /**
   * Class probabilities [rows, classes], row-major.
   *
   * @throws Error before fit
   */
  probabilities(x: Rows): Float64Array;
}

/** Regression of a number on numeric rows. */
export interface TableRegressor extends Saved {
  /** Trains by squared error on values, which should be standardised. */
  fitValues(x: Rows, values: Float64Array, random: Random, options?: ClassifierOptions): Promise<void>;
  /**
   * The value of each row.
   *
   * @throws Error before fit
   */
  values(x: Rows): Float64Array;
}

/** A method for either kind of target. */
export interface TableLearner extends TableClassifier, TableRegressor {}

/** @throws Error naming the first feature that is not a finite number. */
export function requireFinite(name: string, { width, values }: Rows): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at >= 0)
    throw new Error(
      `${name}: features must be finite numbers; row ${Math.floor(at / width)} holds ${values[at]} in column ${at % width}`,
    );
}

/** The most probable class of each row. */
export function classesOf(probabilities: Float64Array, classes: number): Int32Array {
  return Int32Array.from({ length: probabilities.length / classes }, (_, row) => {
    const own = probabilities.subarray(row * classes, (row + 1) * classes);
    return own.indexOf(own.reduce((a, b) => Math.max(a, b)));
  });
}
