export { commonNeighbours, destinationDegree, edgeBank } from './baselines.js';
export {
  EMPTY,
  hashUnit,
  NCache,
  oddMultiplier,
  type StateOptions,
  type StateSnapshot,
  slotOf,
  TemporalState,
} from './cache.js';
export { type Fetched, fetchPlaces, type JointRows, joinPairs } from './joint.js';
export { NAT, type NATOptions, natDefaults } from './nat.js';
export {
  chronologicalSplit,
  evaluateStream,
  inductiveSplit,
  natScorer,
  SeenTargets,
  type StreamScores,
  type TemporalScorer,
  type TemporalSplit,
  type TemporalTrainingOptions,
  trainTemporal,
} from './training.js';
