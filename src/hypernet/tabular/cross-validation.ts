// Cross-validation of methods on a table: outer folds that test, and folds within the training rows
// of each that settings may be chosen on.

import { type LabelledTable, stratifiedFolds, tableRows, type ValuedTable } from '../../data/index.js';
import { accuracy, balancedAccuracy } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import { classesOf } from './classifier.js';
import type { MethodOptions, TableMethod } from './methods.js';
import { TableModel, type TrainingOptions } from './model.js';

/** Test scores of one method on one fold. */
export interface FoldScore {
  /** Method that was trained. */
  readonly method: TableMethod;
  /** Index of the test fold, from 0. */
  readonly fold: number;
  /** Balanced accuracy (mean recall over classes), in [0, 1]. */
  readonly balanced: number;
  /** Share of correct predictions, in [0, 1]. */
  readonly accuracy: number;
  /** Time of the training that was tested, in seconds; that of choosing settings is not in it. */
  readonly seconds: number;
  /** Hyperparameters of the method as used. */
  readonly options: object;
}

/** Options of `crossValidate`, and with a `ValuedTable` and its scores of `crossValidateValues`. */
export interface CrossValidationOptions<Data = LabelledTable, Score = FoldScore> extends TrainingOptions {
  /** Number of stratified folds. Default: 4. */
  readonly folds?: number;
  /**
   * Chooses the hyperparameters of a method from the training rows of a fold. `random` is the same
   * for all methods. Default: `options`.
   */
  readonly choose?: (method: TableMethod, training: Data, random: Random) => Promise<MethodOptions>;
  /** Called after each method and fold; `done` is the completed share, in (0, 1]. */
  readonly onScore?: (score: Score, done: number) => void;
}

/**
 * Stratified cross-validation of several methods on the same folds; features are fitted on the
 * training rows of each fold.
 *
 * @returns a score for each fold and method
 */
export async function crossValidate(
  data: LabelledTable,
  methods: readonly TableMethod[],
  random: Random,
  { folds = 4, choose, onScore, onProgress, ...training }: CrossValidationOptions = {},
): Promise<FoldScore[]> {
  const parts = stratifiedFolds(data.labels, data.classes, folds, random.split('folds'));
  const scores: FoldScore[] = [];
  const total = folds * methods.length;
  for (const [fold, test] of parts.entries()) {
    const own = random.split(fold);
    const [seen, held] = [withoutRows(data, test), rowsOf(data, test)];
    for (const method of methods) {
      const done = scores.length;
      const chosen = await choose?.(method, seen, own.split('choice'));
      const started = performance.now();
      const model = await TableModel.train(method, seen, '', own.split(method), {
        ...training,
        ...(chosen && { options: chosen }),
        onProgress: (share) => onProgress?.((done + share) / total),
      });
      const seconds = (performance.now() - started) / 1000;
      scores.push({ method, fold, ...testScores(model, held), seconds, options: model.options });
      onScore?.(scores.at(-1) as FoldScore, scores.length / total);
    }
  }
  return scores;
}

/** Balanced accuracy and accuracy of a classifier on labelled rows, in [0, 1]. */
export function testScores(model: TableModel, { table, labels, classes }: LabelledTable) {
  const predicted = classesOf(model.predictProba(table), classes.length);
  return {
    balanced: balancedAccuracy(predicted, labels, classes.length),
    accuracy: accuracy(predicted, labels),
  };
}

/**
 * Stratified parts of the training rows, to choose settings on: each row is held out once, except
 * those that are alone in their class, which are only trained on.
 */
export function innerFolds({ labels, classes }: LabelledTable, folds: number, random: Random): Int32Array[] {
  const counts = new Int32Array(classes.length);
  for (const label of labels) counts[label] = (counts[label] as number) + 1;
  const shared = Int32Array.from(labels.keys()).filter((row) => (counts[labels[row] as number] as number) > 1);
  const own = shared.map((row) => labels[row] as number);
  return stratifiedFolds(own, classes, folds, random).map((part) => part.map((at) => shared[at] as number));
}

/** Some rows of a labelled table. */
export function rowsOf({ table, labels, classes }: LabelledTable, rows: Int32Array): LabelledTable {
  return { table: tableRows(table, rows), labels: rows.map((row) => labels[row] as number), classes };
}

/** All other rows of a labelled table. */
export function withoutRows(data: LabelledTable, rows: Int32Array): LabelledTable {
  const out = new Set(rows);
  return rowsOf(
    data,
    Int32Array.from(data.labels.keys()).filter((row) => !out.has(row)),
  );
}

/** Test scores of one method on one fold of a table with a numeric target. */
export interface ValueFoldScore {
  /** Method that was trained. */
  readonly method: TableMethod;
  /** Index of the test fold, from 0. */
  readonly fold: number;
  /** Root mean squared error, in the unit of the target. */
  readonly rmse: number;
  /** Coefficient of determination, at most 1; 0 is the mean of the test rows. */
  readonly r2: number;
  /** Time of the training that was tested, in seconds; that of choosing settings is not in it. */
  readonly seconds: number;
  /** Hyperparameters of the method as used. */
  readonly options: object;
}

/**
 * Cross-validation of methods for a numeric target on the same random folds.
 *
 * @throws Error when there are fewer rows than twice the folds
 */
export async function crossValidateValues(
  { table, values }: ValuedTable,
  methods: readonly TableMethod[],
  random: Random,
  { folds = 4, choose, onScore, onProgress, ...training }: CrossValidationOptions<ValuedTable, ValueFoldScore> = {},
): Promise<ValueFoldScore[]> {
  if (values.length < 2 * folds)
    throw new Error(`crossValidateValues: ${values.length} rows are too few for ${folds} folds of two rows`);
  const order = random.split('folds').permutation(values.length);
  const scores: ValueFoldScore[] = [];
  const total = folds * methods.length;
  for (let fold = 0; fold < folds; fold++) {
    const own = (isTest: boolean): ValuedTable => {
      const rows = order.filter((_, at) => (at % folds === fold) === isTest).sort();
      return { table: tableRows(table, rows), values: Float64Array.from(rows, (row) => values[row] as number) };
    };
    for (const method of methods) {
      const done = scores.length;
      const chosen = await choose?.(method, own(false), random.split(fold).split('choice'));
      const started = performance.now();
      const model = await TableModel.train(method, own(false), '', random.split(fold).split(method), {
        ...training,
        ...(chosen && { options: chosen }),
        onProgress: (share) => onProgress?.((done + share) / total),
      });
      const seconds = (performance.now() - started) / 1000;
      scores.push({ method, fold, ...valueScores(model, own(true)), seconds, options: model.options });
      onScore?.(scores.at(-1) as ValueFoldScore, scores.length / total);
    }
  }
  return scores;
}

/** Root mean squared error and coefficient of determination R² on rows with numeric targets. */
export function valueScores(model: TableModel, { table, values }: ValuedTable): { rmse: number; r2: number } {
  const predicted = model.predictValues(table);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = (of: (row: number) => number) => values.reduce((sum, value, row) => sum + (value - of(row)) ** 2, 0);
  const error = squares((row) => predicted[row] as number);
  return { rmse: Math.sqrt(error / values.length), r2: 1 - error / squares(() => mean) };
}
