// Mixtures of experts: routing, dispatch, banks of experts, losses.

export { activated, type ExpertActivation, ExpertBank, type ExpertBankOptions, type ExpertSet } from './bank.js';
export { type DispatchOptions, DispatchPlan } from './dispatch.js';
export { LowRankBank, type LowRankBankOptions } from './low-rank.js';
export { groupCount, MergedMixture, type MergedMixtureOptions, openLogits, PRUNED, regrouped } from './merged.js';
export {
  type BlockGates,
  type ExpertContext,
  type ExpertLayer,
  type ExpertUsage,
  expertContext,
  type FeedForward,
  MixtureOfExperts,
  type MixtureOptions,
  usageOf,
} from './mixture.js';
export {
  type GateMode,
  groupedBalanceLoss,
  loadBalanceLoss,
  type Routing,
  renormalised,
  routerZLoss,
  routeTopK,
  slotCounts,
  totalLoss,
} from './routing.js';
export { runSharded, ShardedExperts, type ShardedJob, type ShardedResult } from './sharded.js';
