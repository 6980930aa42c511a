export { IncidenceHGNN, IncidenceMLP } from './baselines.js';
export {
  cliqueGradient,
  InducedAttentionBlock,
  type InducedAttentionOptions,
  MeanBlock,
  meanOfSet,
  type SetFunction,
} from './blocks.js';
export { centralities, rankPositions, structuralFeatures } from './inputs.js';
export { CoNHD, type CoNHDInput, type CoNHDOptions } from './network.js';
export { type IncidenceNetwork, type LabelledIncidences, trainIncidences } from './training.js';
