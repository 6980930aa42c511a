// Floor 4: modules, layers, losses, optimisers, training.

export { Dropout } from './dropout.js';
export { Embedding } from './embedding.js';
export {
  type CheckpointStore,
  type EpochReport,
  type FitOptions,
  type FitResult,
  fit,
  minibatches,
  type TrainingState,
} from './fit.js';
export { fans, kaimingUniform, xavierUniform } from './initializers.js';
export { Linear, type LinearOptions } from './linear.js';
export { binaryCrossEntropy, crossEntropy, klDivergence, logKlDivergence, meanSquaredError } from './losses.js';
export { accuracy, macroF1, predictedClasses } from './metrics.js';
export { MLP, type MLPOptions } from './mlp.js';
export {
  buffer,
  buffers,
  inference,
  loadState,
  type Mode,
  parameter,
  parameterCount,
  parameters,
  randomOf,
  stateOf,
  training,
  type Weights,
  withWeights,
} from './module.js';
export { BatchNorm1d, LayerNorm, RMSNorm } from './normalization.js';
export {
  Adam,
  type AdamOptions,
  AdamW,
  type Optimizer,
  type OptimizerState,
  SGD,
  type SGDOptions,
} from './optimizers.js';
export { type ProgressStream, progressLine } from './progress.js';
export { constant, cosine, type Schedule, stepDecay, warmUp } from './schedules.js';
