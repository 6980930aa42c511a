// A learner of tables with named columns, for classes or for a number: training, prediction and
// model files.

import {
  type LabelledTable,
  type ModelKind,
  modelMetadata,
  readModelFile,
  type TableLike,
  tableOf,
  type ValuedTable,
  withLabels,
  writeModelFile,
} from '../../data/index.js';
import type { MLP } from '../../nn/index.js';
import { Random, type Tensor } from '../../tensor/index.js';
import { Perceptron } from './baselines.js';
import { type ClassifierOptions, classesOf, type TableLearner } from './classifier.js';
import { encodeTable, fitFeatures, oversample, type TableFeatures, takeRows, widthOf } from './features.js';
import { createLearner, type MethodOptions, type TableMethod } from './methods.js';

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
export const TABLE_MODEL: ModelKind = { system: 'table-classifier', version: '2', madeBy: 'gossamer fit' };

interface Description {
  readonly method: TableMethod;
  readonly features: TableFeatures;
  readonly classes: readonly string[];
  readonly target: string;
  /** Options of the method. */
  readonly options: object;
  /** Mean and deviation of a numeric target in training. */
  readonly scale?: TargetScale;
  /** What the model was trained on, where that was said. */
  readonly trained?: TrainedTable;
}

/** What a saved model of tables was trained on. */
export interface TrainedTable {
  /** Name of the data. */
  readonly data: string;
  /** Rows of the training. */
  readonly rows: number;
  /** Scores of the method on rows that were held out, by name, as they are shown. */
  readonly scores: Readonly<Record<string, string>>;
}

/** Standardisation of a numeric target by the training rows. */
export interface TargetScale {
  /** Mean of the target. */
  readonly mean: number;
  /** Its standard deviation. */
  readonly deviation: number;
}

/** A trained classifier with its feature encoding and class names, or one of numbers. */
export class TableModel {
  private constructor(
    readonly method: TableMethod,
    readonly features: TableFeatures,
    /** Names of the classes; none where a number is predicted. */
    readonly classes: readonly string[],
    readonly target: string,
    readonly learner: TableLearner,
    readonly options: object,
    readonly scale?: TargetScale,
    /** What the model was trained on, where that was said. */
    readonly trained?: TrainedTable,
  ) {}

  /** The model with a note of its training, which its file keeps. */
  trainedOn(trained: TrainedTable): TableModel {
    const { method, features, classes, target, learner, options, scale } = this;
    return new TableModel(method, features, classes, target, learner, options, scale, trained);
  }

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
   * Trains a method on a table with classes, or with a number for each row, which is standardised.
   *
   * @param target name of the target column, kept in the model file
   * @throws Error when the table has no rows or no usable column; AbortError when the signal fires
   */
  static async train(
    method: TableMethod,
    data: LabelledTable | ValuedTable,
    target: string,
    random: Random,
    { options = {}, balance = true, ...rest }: TrainingOptions = {},
  ): Promise<TableModel> {
    const features = fitFeatures(data.table);
    const learner = createLearner(method, options);
    const encoded = encodeTable(features, data.table);
    const own = options[method] ?? {};
    if ('values' in data) {
      const scale = targetScale(data.values);
      const values = data.values.map((value) => (value - scale.mean) / scale.deviation);
      await learner.fitValues(encoded, values, random.split('fit'), rest);
      return new TableModel(method, features, [], target, learner, own, scale);
    }
    const { labels, classes } = data;
    const draws = random.split('balance');
    const rows = balance ? oversample(labels, classes.length, (n) => draws.integer(n)) : Int32Array.from(labels.keys());
    const seen = rows.map((row) => labels[row] as number);
    await learner.fit(takeRows(encoded, rows), seen, classes.length, random.split('fit'), rest);
    return new TableModel(method, features, classes, target, learner, own);
  }

  /**
   * A model of an MLP that was trained elsewhere on encoded rows.
   *
   * @param classes their names, or the standardisation of a number that is predicted
   */
  static ofNetwork(
    network: MLP,
    features: TableFeatures,
    target: string,
    classes: readonly string[] | TargetScale,
  ): TableModel {
    const [names, scale] = 'mean' in classes ? [[], classes] : [classes, undefined];
    const learner = Perceptron.of(network, scale ? 1 : names.length);
    return new TableModel('mlp', features, names, target, learner, learner.options, scale);
  }

  /**
   * Class probabilities [rows, classes], row-major.
   *
   * @param onUnseen called for each column with categories that did not occur in training
   * @throws Error naming columns that are missing or of another kind than in training, or when the
   * model predicts a number
   */
  predictProba(rows: TableLike, onUnseen?: (column: string, categories: readonly string[]) => void): Float64Array {
    if (this.scale) throw new Error(`the model predicts the number "${this.target}", not a class: call predictValues`);
    return this.learner.probabilities(encodeTable(this.features, tableOf(rows), onUnseen));
  }

  /**
   * The number of each row, for a numeric target.
   *
   * @param onUnseen as for `predictProba`
   * @throws Error as `predictProba`, or when the model predicts a class
   */
  predictValues(rows: TableLike, onUnseen?: (column: string, categories: readonly string[]) => void): Float64Array {
    const { scale } = this;
    if (!scale) throw new Error(`the model predicts the class "${this.target}", not a number: call predict`);
    const values = this.learner.values(encodeTable(this.features, tableOf(rows), onUnseen));
    return values.map((value) => value * scale.deviation + scale.mean);
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
    return this.learner.state();
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
    const { method, features, classes, target, options, scale, trained } = this;
    return { method, features, classes, target, options, ...(scale && { scale }), ...(trained && { trained }) };
  }

  /**
   * Reads a file written by `save`.
   *
   * @param name used in error messages
   * @throws Error when the bytes are not a saved table classifier
   */
  static load(bytes: Uint8Array, name = 'the model'): TableModel {
    const { description, tensors } = readModelFile<Description>(TABLE_MODEL, bytes, name);
    const { method, features, classes, target, options, scale, trained } = description;
    const learner = createLearner(method, { [method]: options });
    learner.restore(tensors, widthOf(features), scale ? 1 : classes.length);
    return new TableModel(method, features, classes, target, learner, options, scale, trained);
  }
}

/** Standardisation of a numeric target. */
export function targetScale(values: Float64Array): TargetScale {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / values.length) || 1 };
}
