// NAT (Luo & Li, "Neighborhood-aware Scalable Temporal Network Representation Learning", LoG 2022,
// arXiv 2209.01084): temporal link prediction from the joint neighbourhood of the two nodes, read
// from caches of a fixed size, so that the cost of an event does not grow with the history.

export { type CacheEntry, type CacheSnapshot, EMPTY, hashUnit, NCache, oddMultiplier, slotOf } from './cache.js';
export { type JointRows, joinPairs } from './joint.js';
export { NAT_MODEL, type NATDescription, NATModel, type NamedEvents } from './model.js';
export { NAT, type NATOptions, natDefaults, type ResolvedNATOptions } from './network.js';
export {
  type EventBatch,
  type Fetched,
  fetchPlaces,
  type Reading,
  type StateOptions,
  type StateSnapshot,
  TemporalState,
} from './state.js';
