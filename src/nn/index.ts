// Floor 4: modules, layers, losses, optimisers, training.

export { Activation, type ActivationName, activate } from './activation.js';
export { joinHeads, MultiHeadAttention, splitHeads } from './attention.js';
export { batchedAffine, batchedConv2d, batchedLinear } from './batched.js';
export {
  AlternatingOptimizer,
  architectureStep,
  type BilevelOptions,
  fitBilevel,
} from './bilevel.js';
export { BinaryConv2d, binaryLayers, binaryNames, clipBinaryWeights, signThresholds } from './binary.js';
export { type BootstrapOptions, bootstrapInterval, bootstrapRows, type Interval } from './bootstrap.js';
export { Conv1d, Conv2d, ConvTranspose2d } from './convolution.js';
export { Dropout, Dropout2d, StochasticDepth } from './dropout.js';
export {
  configurationWith,
  type Elastic,
  elasticLoss,
  extractSubNetwork,
  isElastic,
  sharedWeights,
} from './elastic.js';
export { Embedding } from './embedding.js';
export { gumbelSoftmax, perExampleGradients } from './estimators.js';
export * from './experts/index.js';
export {
  FakeQuantized,
  type FakeQuantizeOptions,
  fakeQuantizeActivation,
  fakeQuantizeWeight,
  type QuantizationAware,
  quantizationAware,
} from './fake-quantize.js';
export { dropFeatures, type Features, featureCount, rowsOf } from './features.js';
export {
  type CheckpointStore,
  type EpochReport,
  type FitOptions,
  type FitResult,
  fit,
  type MinibatchOptions,
  minibatches,
  type TrainingHooks,
  type TrainingState,
} from './fit.js';
export { type FixableStatistics, freeze } from './freezing.js';
export type { Configuration, GeneGroup, Genes } from './genes.js';
export { gradientsOf, type LossGradients } from './gradients.js';
export { GraphNorm } from './graph-norm.js';
export { heInitialize, isHeInitializable } from './he-initialize.js';
export * from './hyperbolic/index.js';
export * from './hypercomplex/index.js';
export {
  fans,
  kaimingNormal,
  kaimingUniform,
  orthogonal,
  truncatedNormal,
  xavierNormal,
  xavierUniform,
} from './initializers.js';
export {
  type Jet,
  type JetOrder,
  jetAdd,
  jetLength,
  jetLinear,
  jetMultiply,
  jetSubtract,
  jetTanh,
} from './jets.js';
export { Kar2, Kar3, type KarOptions } from './kar.js';
export { LAMB, Muon, type MuonOptions, orthogonalize } from './large-batch.js';
export {
  type FollowsSteps,
  type FreezesStatistics,
  followsSteps,
  freezesStatistics,
  isMergeable,
  type Layer,
  type Mergeable,
  runSequence,
  type Sequence,
} from './layer.js';
export { type LBFGSOptions, type LBFGSResult, lbfgs } from './lbfgs.js';
export { Linear, type LinearOptions } from './linear.js';
export {
  type LogisticModel,
  type LogisticRegressionOptions,
  logisticRegression,
  logisticScores,
} from './logistic-regression.js';
export {
  binaryCrossEntropy,
  type CrossEntropyOptions,
  crossEntropy,
  distillation,
  focalLoss,
  huberLoss,
  infoNCE,
  klDivergence,
  logKlDivergence,
  meanAbsoluteError,
  meanSquaredError,
  softCrossEntropy,
} from './losses.js';
export {
  fromWindowTokens,
  type MapSize,
  WindowAttention,
  type WindowAttentionOptions,
  type WindowPattern,
  windowPadding,
  windowTokens,
} from './map-windows.js';
export {
  accuracy,
  areaUnderCurve,
  averagePrecision,
  balancedAccuracy,
  confusionMatrix,
  hitsAtRank,
  macroF1,
  predictedClasses,
  weightedF1,
} from './metrics.js';
export { type MinimizeOptions, minimize, type Step } from './minimize.js';
export { architectureOf, MixedOperator } from './mixed-operator.js';
export { cutmix, type MixedBatch, mixup } from './mixing.js';
export { MLP, type MLPOptions } from './mlp.js';
export {
  buffer,
  buffers,
  cloneWeights,
  disposeWeights,
  inference,
  loadState,
  lossWithTerms,
  type Mode,
  parameter,
  parameterCount,
  parameterOwners,
  parameters,
  randomOf,
  type Slot,
  stateOf,
  training,
  type Weights,
  weightSlots,
  withWeights,
} from './module.js';
export { multinomialRegression } from './multinomial-regression.js';
export {
  BatchNorm,
  BatchNorm1d,
  BatchNorm2d,
  type BatchNormOptions,
  GroupNorm,
  InstanceNorm2d,
  LayerNorm,
  LayerNorm2d,
  type NormOptions,
  RMSNorm,
} from './normalization.js';
export {
  AdaDelta,
  type AdaDeltaOptions,
  Adam,
  type AdamOptions,
  AdamW,
  type Optimizer,
  type OptimizerState,
  SGD,
  type SGDOptions,
} from './optimizers.js';
export { consecutive, meanOverParts } from './parts.js';
export { phaseCheckpoints } from './phases.js';
export { type LayerPlace, placesOf } from './places.js';
export { PReLU } from './prelu.js';
export { type ProgressStream, progressLine } from './progress.js';
export { midRanks, spearman } from './rank-correlation.js';
export { GRU, LSTM, type LSTMState } from './recurrent.js';
export { replaceWeights } from './resize.js';
export {
  constant,
  cosine,
  milestones,
  type PlateauOptions,
  ReduceOnPlateau,
  type Schedule,
  stepDecay,
  warmUp,
  warmUpCosine,
  warmUpLinear,
} from './schedules.js';
export { type HyperedgeUsage, hyperedgeUsage } from './selection-balance.js';
export {
  type LabelledRows,
  labelledLoss,
  type SemiSupervisedOptions,
  stoppingOf,
  trainByValidation,
} from './semi-supervised.js';
export {
  MANY_CONTEXT_WEIGHTS,
  type Participation,
  type SelectionOptions,
  SoftHGNN,
  type SoftHGNNOptions,
  type SoftHGNNPass,
  suggestedHyperedges,
} from './soft-hypergraph.js';
export {
  type BlockOperator,
  type BlockOperatorOptions,
  blockOperator,
  blockOperators,
  halved,
  type SpatialOperator,
  type SpatialOptions,
  spatialOperator,
  spatialOperators,
} from './spatial.js';
export { estimateStatistics } from './statistics.js';
export { fromWindows, PatchMerging, SwinBlock, type SwinBlockOptions, windowsOf } from './window-attention.js';
export {
  Accumulated,
  AdaptivelyClipped,
  Averaged,
  Clipped,
  clipGradients,
  globalNorm,
  ScaledRates,
} from './wrappers.js';
