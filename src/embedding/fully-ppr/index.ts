// Fully personalised PageRank: the row of every node, estimated by random walks on one machine or
// over ranks (after Lin, "Distributed Algorithms for Fully Personalized PageRank on Large Graphs",
// WWW 2019, arXiv 1903.11749). `personalizedPageRank` is the entry point; `distributedPageRank`
// runs the same walks in pipelines over ranks; the other methods are the baselines of both.
//
//   π(u, v) = P(a walk from u that stops with probability α at each step ends at v)

export { doublingPageRank } from './doubling.js';
export { exactRows, ForwardPush, type PageRankOptions, type Push, powerIteration } from './exact.js';
export { type MonteCarloOptions, pageRankBatches, personalizedPageRank, walksFor } from './monte-carlo.js';
export { type NaiveWalkOptions, naivePageRank } from './naive.js';
export {
  chooseGamma,
  distributedPageRank,
  type PipelineOptions,
  type PipelineResult,
  type WalkState,
  type WalkStore,
} from './pipelines.js';
export type { BigMoves } from './rounds.js';
export { allNodes, type PageRankRows, rowsFromEnds, topTargets } from './rows.js';
