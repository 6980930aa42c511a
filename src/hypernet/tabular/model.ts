// A classifier of tables as people use it: from named columns to named classes, compared with others, saved to one file.

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

/** Classifiers by name, with titles for people. */
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

export type TableMethod = keyof typeof tableMethods;
export type MethodOptions = { readonly [Name in TableMethod]?: Parameters<(typeof tableMethods)[Name]['create']>[0] };

function create(method: TableMethod, options: MethodOptions): TableClassifier {
  return (tableMethods[method].create as (own?: object) => TableClassifier)(options[method]);
}

export interface TrainingOptions extends ClassifierOptions {
  readonly options?: MethodOptions;
  /** Rows of small classes are repeated until classes are equally large (the default), or not. */
  readonly balance?: boolean;
}

export const TABLE_MODEL: ModelKind = { system: 'table-classifier', version: '1', madeBy: 'gossamer fit' };

interface Description {
  readonly method: TableMethod;
  readonly features: TableFeatures;
  readonly classes: readonly string[];
  readonly target: string;
  /** Of the method. */
  readonly options: object;
}

/** A trained classifier with all that it needs to read a table. */
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
   * Learns from rows of fields and their classes.
   *
   * @example const model = await TableModel.fit('hypertab', [[5.1, 'red'], [4.9, 'blue']], ['a', 'b']); model.predict([[5, 'red']]);
   */
  static fit(
    method: TableMethod,
    rows: TableLike,
    labels: readonly (string | number)[],
    { seed = 0, ...training }: TrainingOptions & { readonly seed?: number } = {},
  ): Promise<TableModel> {
    return TableModel.train(method, withLabels(tableOf(rows), labels), 'label', new Random(seed), training);
  }

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

  /** [rows, classes], row after row. @param onUnseen told of categories that training did not know */
  predictProba(rows: TableLike, onUnseen?: (column: string, categories: readonly string[]) => void): Float64Array {
    return this.classifier.probabilities(encodeTable(this.features, tableOf(rows), onUnseen));
  }

  predict(rows: TableLike): string[] {
    const codes = classesOf(this.predictProba(rows), this.classes.length);
    return Array.from(codes, (code) => this.classes[code] as string);
  }

  /** What a file of the model holds. */
  tensors(): Record<string, Tensor> {
    return this.classifier.state();
  }

  metadata(): Record<string, string> {
    return modelMetadata(TABLE_MODEL, this.#description);
  }

  /** The model as one safetensors file. */
  save(): Uint8Array {
    return writeModelFile(TABLE_MODEL, this.#description, this.tensors());
  }

  get #description(): Description {
    const { method, features, classes, target, options } = this;
    return { method, features, classes, target, options };
  }

  /** @throws Error when the bytes are no saved model of tables */
  static load(bytes: Uint8Array, name = 'the model'): TableModel {
    const { description, tensors } = readModelFile<Description>(TABLE_MODEL, bytes, name);
    const { method, features, classes, target, options } = description;
    const classifier = create(method, { [method]: options });
    classifier.restore(tensors, widthOf(features), classes.length);
    return new TableModel(method, features, classes, target, classifier, options);
  }
}

export interface FoldScore {
  readonly method: TableMethod;
  readonly fold: number;
  readonly balanced: number;
  readonly accuracy: number;
  readonly seconds: number;
}

export interface CrossValidationOptions extends TrainingOptions {
  readonly folds?: number;
  readonly onScore?: (score: FoldScore, done: number) => void;
}

/** Scores of methods on stratified folds, the same for all; features are fitted on the training rows of each fold. */
export async function crossValidate(
  data: LabelledTable,
  methods: readonly TableMethod[],
  random: Random,
  { folds = 4, onScore, onProgress, ...training }: CrossValidationOptions = {},
): Promise<FoldScore[]> {
  const { table, labels, classes } = data;
  const parts = stratifiedFolds(labels, classes.length, folds, random.split('folds'));
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
