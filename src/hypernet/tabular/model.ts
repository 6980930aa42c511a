// A classifier of tables with named columns and classes: training, prediction, cross-validation and
// model files.

import {
  type LabelledTable,
  type ModelKind,
  modelMetadata,
  readModelFile,
  stratifiedFolds,
  type TableLike,
  tableOf,
  tableRows,
  withLabels,
  writeModelFile,
} from '../../data/index.js';
import { accuracy, balancedAccuracy } from '../../nn/index.js';
import { Random, type Tensor } from '../../tensor/index.js';
import { HyperTab, type HyperTabOptions } from '../hypertab.js';
import { Perceptron, type PerceptronOptions } from './baselines.js';
import { type ClassifierOptions, classesOf, type TableClassifier } from './classifier.js';
import { type BoostingOptions, type ForestOptions, GradientBoosting, RandomForest } from './ensembles.js';
import { encodeTable, fitFeatures, oversample, type TableFeatures, takeRows, widthOf } from './features.js';

/** Constructors of the classifiers by name, with display titles. */
export const tableMethods = {
  hypertab: { title: 'HyperTab', create: (options: HyperTabOptions = {}) => new HyperTab(options) },
  forest: { title: 'random forest', create: (options: ForestOptions = {}) => new RandomForest(options) },
  boosting: { title: 'gradient boosting', create: (options: BoostingOptions = {}) => new GradientBoosting(options) },
  mlp: { title: 'MLP', create: (options: PerceptronOptions = {}) => new Perceptron(options) },
  logistic: {
    title: 'logistic regression',
    create: (options: PerceptronOptions = {}) => new Perceptron({ hidden: [], ...options }),
  },
} as const;

/** Name of a classifier in `tableMethods`. */
export type TableMethod = keyof typeof tableMethods;
/** Options of each method by its name. */
export type MethodOptions = { readonly [Name in TableMethod]?: Parameters<(typeof tableMethods)[Name]['create']>[0] };

function create(method: TableMethod, options: MethodOptions): TableClassifier {
  return (tableMethods[method].create as (own?: object) => TableClassifier)(options[method]);
}

/** Options of `TableModel.train`. */
export interface TrainingOptions extends ClassifierOptions {
  /** Hyperparameters by method. Default: those of each method. */
  readonly options?: MethodOptions;
  /**
   * Whether rows of smaller classes are oversampled until all classes are equally large. Default:
   * true.
   */
  readonly balance?: boolean;
}

/** Identifies model files of table classifiers. */
export const TABLE_MODEL: ModelKind = { system: 'table-classifier', version: '1', madeBy: 'gossamer fit' };

interface Description {
  readonly method: TableMethod;
  readonly features: TableFeatures;
  readonly classes: readonly string[];
  readonly target: string;
  /** Options of the method. */
  readonly options: object;
}

/** A trained classifier with its feature encoding and class names. */
export class TableModel {
  private constructor(
    readonly method: TableMethod,
    readonly features: TableFeatures,
    readonly classes: readonly string[],
    readonly target: string,
    readonly classifier: TableClassifier,
    readonly options: object,
  ) {}

  /**
   * Trains on rows of raw fields and their class labels.
   *
   * @example const model = await TableModel.fit('hypertab', [[5.1, 'red'], [4.9, 'blue']], ['a',
   * 'b']); model.predict([[5, 'red']]);
   */
  static fit(
    method: TableMethod,
    rows: TableLike,
    labels: readonly (string | number)[],
    { seed = 0, ...training }: TrainingOptions & { readonly seed?: number } = {},
  ): Promise<TableModel> {
    return TableModel.train(method, withLabels(tableOf(rows), labels), 'label', new Random(seed), training);
  }

  /**
   * Trains a method on a labelled table.
   *
   * @param target name of the label column, kept in the model file
   * @throws Error when the table has no rows or no usable column; AbortError when the signal fires
   */
  static async train(
    method: TableMethod,
    { table, labels, classes }: LabelledTable,
    target: string,
    random: Random,
    { options = {}, balance = true, ...rest }: TrainingOptions = {},
  ): Promise<TableModel> {
    const features = fitFeatures(table);
    const classifier = create(method, options);
    const draws = random.split('balance');
    const rows = balance ? oversample(labels, classes.length, (n) => draws.integer(n)) : Int32Array.from(labels.keys());
    const x = takeRows(encodeTable(features, table), rows);
    const own = rows.map((row) => labels[row] as number);
    await classifier.fit(x, own, classes.length, random.split('fit'), rest);
    return new TableModel(method, features, classes, target, classifier, options[method] ?? {});
  }

  /**
   * Class probabilities [rows, classes], row-major.
   *
   * @param onUnseen called for each column with categories that did not occur in training
   * @throws Error naming columns that are missing or of another kind than in training
   */
  predictProba(rows: TableLike, onUnseen?: (column: string, categories: readonly string[]) => void): Float64Array {
    return this.classifier.probabilities(encodeTable(this.features, tableOf(rows), onUnseen));
  }

  /**
   * The most probable class of each row.
   *
   * @throws Error naming columns that are missing or of another kind than in training
   */
  predict(rows: TableLike): string[] {
    const codes = classesOf(this.predictProba(rows), this.classes.length);
    return Array.from(codes, (code) => this.classes[code] as string);
  }

  /** The tensors of a model file. */
  tensors(): Record<string, Tensor> {
    return this.classifier.state();
  }

  /** The metadata of a model file: method, features, classes and options as JSON. */
  metadata(): Record<string, string> {
    return modelMetadata(TABLE_MODEL, this.#description);
  }

  /** The model as a safetensors file. */
  save(): Uint8Array {
    return writeModelFile(TABLE_MODEL, this.#description, this.tensors());
  }

  get #description(): Description {
    const { method, features, classes, target, options } = this;
    return { method, features, classes, target, options };
  }

  /**
   * Reads a file written by `save`.
   *
   * @param name used in error messages
   * @throws Error when the bytes are not a saved table classifier
   */
  static load(bytes: Uint8Array, name = 'the model'): TableModel {
    const { description, tensors } = readModelFile<Description>(TABLE_MODEL, bytes, name);
    const { method, features, classes, target, options } = description;
    const classifier = create(method, { [method]: options });
    classifier.restore(tensors, widthOf(features), classes.length);
    return new TableModel(method, features, classes, target, classifier, options);
  }
}

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
  /** Training time in seconds. */
  readonly seconds: number;
}

/** Options of `crossValidate`. */
export interface CrossValidationOptions extends TrainingOptions {
  /** Number of stratified folds. Default: 4. */
  readonly folds?: number;
  /** Called after each method and fold; `done` is the completed share, in (0, 1]. */
  readonly onScore?: (score: FoldScore, done: number) => void;
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
  { folds = 4, onScore, onProgress, ...training }: CrossValidationOptions = {},
): Promise<FoldScore[]> {
  const { table, labels, classes } = data;
  const parts = stratifiedFolds(labels, classes, folds, random.split('folds'));
  const scores: FoldScore[] = [];
  const total = folds * methods.length;
  for (const [fold, test] of parts.entries()) {
    const train = Int32Array.from(parts.flatMap((rows, i) => (i === fold ? [] : [...rows])));
    const own = (rows: Int32Array) => ({
      table: tableRows(table, rows),
      labels: rows.map((row) => labels[row] as number),
      classes,
    });
    const [seen, held] = [own(train), own(test)];
    for (const method of methods) {
      const done = scores.length;
      const started = performance.now();
      const model = await TableModel.train(method, seen, '', random.split(fold).split(method), {
        ...training,
        onProgress: (share) => onProgress?.((done + share) / total),
      });
      const seconds = (performance.now() - started) / 1000;
      const predicted = classesOf(model.predictProba(held.table), classes.length);
      scores.push({
        method,
        fold,
        balanced: balancedAccuracy(predicted, held.labels, classes.length),
        accuracy: accuracy(predicted, held.labels),
        seconds,
      });
      onScore?.(scores.at(-1) as FoldScore, scores.length / total);
    }
  }
  return scores;
}
