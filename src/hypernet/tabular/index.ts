export { Perceptron, type PerceptronOptions } from './baselines.js';
export { type BinnedRows, binRows } from './bins.js';
export {
  type ClassifierOptions,
  classesOf,
  type TableClassifier,
  type TableLearner,
  type TableRegressor,
} from './classifier.js';
export {
  type CrossValidationOptions,
  crossValidate,
  crossValidateValues,
  type FoldScore,
  innerFolds,
  rowsOf,
  testScores,
  type ValueFoldScore,
  valueScores,
  withoutRows,
} from './cross-validation.js';
export {
  type BoostingOptions,
  type ForestOptions,
  GradientBoosting,
  growShare,
  RandomForest,
  softmaxRows,
} from './ensembles.js';
export {
  encodeTable,
  fitFeatures,
  isCategory,
  oversample,
  type Rows,
  type TableFeatures,
  takeRows,
  tensorOf,
  unseenNote,
  widthOf,
} from './features.js';
export { LinearLearner, type LinearOptions } from './linear.js';
export { type MethodOptions, type TableMethod, tableMethods } from './methods.js';
export {
  TABLE_MODEL,
  TableModel,
  type TargetScale,
  type TrainedTable,
  type TrainingOptions,
  targetScale,
} from './model.js';
export type { Objective } from './objectives.js';
export { addTree, growTree, type Tree } from './trees.js';
