// Floor 6: node embeddings.

export {
  type LinkScores,
  linkPrediction,
  type MultiLabels,
  multiLabelScores,
  type NodeScores,
  type Pairs,
} from './evaluate.js';
export {
  type FastRPOptions,
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
export { Grid, gridSchedule } from './grid.js';
export { type LINEOptions, line, lineDefaults } from './line.js';
export { type ProjectionOptions, sparseProjection } from './random-projection.js';
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
