// The methods for tables, by name.

import { HyperTab, type HyperTabOptions } from '../hypertab/index.js';
import { Perceptron, type PerceptronOptions } from './baselines.js';
import type { TableLearner } from './classifier.js';
import { type BoostingOptions, type ForestOptions, GradientBoosting, RandomForest } from './ensembles.js';
import { LinearLearner, type LinearOptions } from './linear.js';

/** Constructors of the methods by name, with display titles. */
export const tableMethods = {
  hypertab: { title: 'HyperTab', create: (options: HyperTabOptions = {}) => new HyperTab(options) },
  forest: { title: 'random forest', create: (options: ForestOptions = {}) => new RandomForest(options) },
  boosting: { title: 'gradient boosting', create: (options: BoostingOptions = {}) => new GradientBoosting(options) },
  mlp: { title: 'MLP', create: (options: PerceptronOptions = {}) => new Perceptron(options) },
  dropout: {
    title: 'DropoutNet',
    create: (options: PerceptronOptions = {}) => new Perceptron({ inputDropout: 0.1, ...options }),
  },
  logistic: { title: 'logistic regression', create: (options: LinearOptions = {}) => new LinearLearner(options) },
} as const;

/** Name of a method in `tableMethods`. */
export type TableMethod = keyof typeof tableMethods;

/** Options of each method by its name. */
export type MethodOptions = { readonly [Name in TableMethod]?: Parameters<(typeof tableMethods)[Name]['create']>[0] };

/** An untrained learner with the options that a method has among `options`. */
export function createLearner(method: TableMethod, options: MethodOptions): TableLearner {
  return (tableMethods[method].create as (own?: object) => TableLearner)(options[method]);
}
