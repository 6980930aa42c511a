// Floor 6: smaller and faster networks from trained ones.

export * from './binary/index.js';
export {
  type ChannelPruningOptions,
  channelImportance,
  channelRatioFor,
  type RemovedChannels,
  removeChannels,
} from './channels.js';
export { type Compressed, type CompressionReport, type CompressOptions, compress } from './compress.js';
export * from './dass/index.js';
export { type Distribution, erkSparsities, type PrunableLayer } from './densities.js';
export { type EstimateOptions, estimatePruning, type PruningEstimate } from './estimate.js';
export { exampleOf, type Footprint, footprint, latency, usedMultiplyAdds } from './footprint.js';
export {
  GroupNormShrinking,
  type GroupScoreOptions,
  type GroupShrinkage,
  groupScores,
  type ProgressivePruning,
  type ProgressivePruningOptions,
  type PrunableNetwork,
  prunableNetwork,
  pruneThrough,
  pruneToSpeedup,
  type ScoreNormalizer,
  shrinkageGradients,
  shrinkFactors,
} from './group-norms.js';
export {
  bestOrder,
  type ChannelOrder,
  type GroupedRows,
  normOrder,
  plainOrder,
  retainedScore,
} from './grouping.js';
export * from './hw-nas/index.js';
export { type Conversion, type ConversionOptions, toHypercomplex } from './hypercomplex.js';
export { chosenWeights, type LayerChoice } from './layers.js';
export {
  type BlockPattern,
  blockScores,
  keepLargest,
  keptUnits,
  magnitudeMask,
  maskOfBlocks,
  type Pattern,
  patternHeights,
  patterns,
  type UnitShape,
  unitShape,
} from './masks.js';
export * from './metapruning/index.js';
export * from './mst-compression/index.js';
export { cubicSparsity, Frozen, masksOf, Pruning, type PruningOptions, pruneOnce } from './pruning.js';
export * from './random-search/index.js';
export {
  type ChannelClass,
  type ChannelClasses,
  channelClasses,
  groupedRows,
  type PrunedWeight,
  permuteChannels,
  type RearrangedClass,
  type Rearrangement,
  rearrange,
} from './rearrange.js';
export {
  type HypercomplexStep,
  type LearnMasksStep,
  type MetaPruningStep,
  type PruneStep,
  parseRecipe,
  type QuantizeStep,
  type Recipe,
  type RecipeStep,
  type RecipeTraining,
  type RemoveChannelsStep,
  type ReplaceSpatialStep,
  type ShapeStep,
  spatialRules,
  type TrainStep,
  type TreeStep,
} from './recipe.js';
export * from './search/index.js';
export {
  type GradualPruningOptions,
  gradualPruning,
  type SparseConvNet,
  type SparseConvNetOptions,
  type SparsePlan,
  type SparsityRule,
  sparsePlan,
  sparsityRule,
  trainSparseConvNet,
} from './sparse-convnets.js';
export {
  type GroupLayers,
  type GroupPruning,
  type GroupPruningOptions,
  groupLayers,
  type PatternChoice,
  patternsOf,
  prunedLayers,
  pruneGroups,
  rearrangeFor,
  type ZeroShares,
  zeroShares,
} from './sparsebytenn.js';
export * from './tas/index.js';
export { teacherOf } from './teacher.js';
