export { doublingPageRank } from './doubling.js';
export { forwardPush, type PageRankOptions, type Push, powerIteration } from './exact.js';
export { type MonteCarloOptions, pageRankBatches, personalizedPageRank, walksFor } from './monte-carlo.js';
export {
  chooseGamma,
  distributedPageRank,
  type PipelineOptions,
  type PipelineResult,
  type WalkState,
  type WalkStore,
} from './pipelines.js';
export { type PageRankRows, rowsFromEnds, topTargets } from './rows.js';
