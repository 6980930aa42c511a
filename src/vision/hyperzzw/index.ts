// HyperZZW: slow-fast networks for full context interaction.

export { type BlockChanges, type BlockOptions, type BlockOutput, SlowFastBlock, type SlowWidths } from './block.js';
export { CCNN, type CCNNOptions } from './ccnn.js';
export {
  ContextMAGNet,
  type ContextSlowNetOptions,
  coordinates,
  frequencyFactors,
  type Grid,
  MAGNet,
  renormalize,
  type SlowNetOptions,
} from './magnet.js';
export {
  feedbackError,
  isSlow,
  Terminator,
  type TerminatorOptions,
  type TerminatorPreset,
  terminators,
  terminatorTraining,
} from './network.js';
export {
  circularConvolution,
  type GlobalOperator,
  globalProduct,
  HyperChannelInteraction,
  HyperInteraction,
  LocalHyperZZW,
  RecurrentGatedUnit,
  squaredProduct,
} from './operators.js';
export {
  BatchAverage,
  BatchStandardize,
  type BottleneckNorm,
  GroupedStandardize,
  instanceStandardize,
  type StatisticsSource,
} from './statistics.js';
