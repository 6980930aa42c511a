// NAT (Luo & Li, "Neighborhood-aware Scalable Temporal Network Representation Learning", LoG 2022, arXiv 2209.01084): links of a temporal graph from the neighbours that the two nodes share, kept in caches of a fixed size so that an event
// costs the same however many came before.

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
