export {
  commonNeighbours,
  destinationDegree,
  destinationRecency,
  edgeBank,
  edgeBankByDegree,
} from './baselines.js';
export {
  chronologicalSplit,
  EVALUATION_BATCH,
  evaluateStream,
  inductiveSplit,
  type Negatives,
  negativePool,
  type StreamBatch,
  type StreamScores,
  streamBatches,
  TargetPool,
  type TemporalScorer,
  type TemporalSplit,
} from './evaluation.js';
export { type MemorySnapshot, TGN, type TGNOptions } from './memory.js';
export { TimeEncoding } from './time-encoding.js';
export {
  replay,
  streamLoss,
  type TemporalNetwork,
  type TemporalTrainingOptions,
  temporalScorer,
  trainTemporal,
} from './training.js';
export { type PairWalks, WalkSampler, type WalkSnapshot } from './walk-sampler.js';
export { WalkNetwork, type WalkNetworkOptions } from './walks.js';
