// NAT (Luo & Li, "Neighborhood-aware Scalable Temporal Network Representation Learning", LoG 2022,
// arXiv 2209.01084): temporal link prediction from the joint neighbourhood of the two nodes, read
// from caches of a fixed size, so that the cost of an event does not grow with the history.

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
export { NAT, type NATOptions, natDefaults } from './network.js';
export { natScorer, type TemporalTrainingOptions, trainTemporal } from './training.js';
