export { commonNeighbours, destinationDegree, edgeBank } from './baselines.js';
export {
  chronologicalSplit,
  evaluateStream,
  inductiveSplit,
  SeenTargets,
  type StreamBatch,
  type StreamScores,
  streamBatches,
  type TemporalScorer,
  type TemporalSplit,
} from './evaluation.js';
export { MemoryNetwork, type MemoryNetworkOptions } from './memory.js';
export { WalkHistory, WalkNetwork, type WalkNetworkOptions } from './walks.js';
