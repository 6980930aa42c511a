// Floor 6: node embeddings.

export { type ProjectionOptions, sparseProjection } from '../sparse/index.js';
export {
  type LinkExamples,
  type LinkScores,
  labelledNodes,
  linkClassification,
  type MultiLabels,
  multiLabelScores,
  type NodeScores,
  type NodeSplit,
  type Pairs,
  splitNodes,
} from './evaluate.js';
export {
  drawFastRPSettings,
  type FastRPOptions,
  type FastRPSetting,
  type FastRPTrial,
  fastRP,
  fastRPBytes,
  fastRPOutside,
  fastrpDefaults,
  standardizeColumns,
  type TuneOptions,
  tuneFastRP,
} from './fastrp.js';
export * from './fully-ppr/index.js';
export * from './grank/index.js';
export * from './graphvite/index.js';
export { Grid, gridSchedule, zigzagParts } from './grid.js';
export { type LINEOptions, line, lineDefaults } from './line.js';
export {
  type ColumnScale,
  columnScale,
  type NamedEmbeddingOptions,
  namedEmbedding,
  namedOrders,
  standardizedBy,
  weightedOrders,
} from './named-embedding.js';
export {
  EMBEDDING_MODEL,
  EmbeddingModel,
  type EmbeddingModelDescription,
  type EmbeddingTrial,
  type EmbeddingTuning,
  fitLabels,
  fitLinks,
  labelScore,
  tuneNamedEmbedding,
} from './node-model.js';
export { type RandNEOptions, randNE, randneDefaults } from './randne.js';
export {
  bestRows,
  type ChangedGraph,
  classShares,
  mixedRanking,
  RANK_MODEL,
  type RankedNode,
  RankModel,
  type RankModelDescription,
  type RankRows,
} from './rank-model.js';
export { type SimilarityOptions, similaritySvd, transitionMatrix } from './similarity.js';
export { SkipGram, type SkipGramOptions, type SkipGramProgress } from './skip-gram.js';
export {
  deepWalk,
  deepWalkDefaults,
  type Node2VecOptions,
  node2vec,
  node2vecDefaults,
  sampleWalks,
  type WalkOptions,
} from './walks.js';
