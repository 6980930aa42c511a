export { Perceptron, type PerceptronOptions } from './baselines.js';
export { type ClassifierOptions, classesOf, type TableClassifier } from './classifier.js';
export {
  type BoostingOptions,
  type ForestOptions,
  GradientBoosting,
  growShare,
  RandomForest,
  softmaxRows,
} from './ensembles.js';
export { encodeTable, fitFeatures, oversample, type Rows, type TableFeatures, takeRows, widthOf } from './features.js';
export {
  type CrossValidationOptions,
  crossValidate,
  type FoldScore,
  type MethodOptions,
  TABLE_MODEL,
  type TableMethod,
  TableModel,
  type TrainingOptions,
  tableMethods,
} from './model.js';
export { addTree, type BinnedRows, binRows, growTree, type Objective, type Tree } from './trees.js';
