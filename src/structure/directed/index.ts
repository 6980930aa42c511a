export {
  type ArcExamples,
  type ArcQuestion,
  type ArcShares,
  type ArcTask,
  arcQuestions,
  arcTask,
} from './arc-tasks.js';
export { type CyclicBlockOptions, cyclicBlocks, randomDigraph } from './generators.js';
export {
  ComplexMatrix,
  type MagneticOptions,
  magneticOperator,
} from './magnetic.js';
export {
  type DirectedOperatorOptions,
  directedOperator,
  type SecondOrder,
  secondOrder,
} from './operators.js';
export {
  meetingOperator,
  pageRankOperator,
  type Stationary,
  type StationaryOptions,
  stationaryDistribution,
} from './page-rank.js';
export {
  type ArcPattern,
  arcPatterns,
  forEachReached,
  type PatternOperatorOptions,
  pathsFrom,
  patternOperator,
  stepsOf,
  unionWithReverse,
} from './patterns.js';
export {
  directedPageRank,
  type HubsAndAuthorities,
  hubsAndAuthorities,
  landingProbabilities,
  type PageRankOptions,
} from './ranking.js';
export { reversed } from './reverse.js';
export { type MagneticSpectrum, magneticCoordinates, magneticSpectrum } from './spectrum.js';
export {
  type BowTiePart,
  bowTie,
  bowTieParts,
  condensation,
  type StrongComponents,
  strongComponents,
  topologicalRanks,
} from './strong-components.js';
export { type TrophicLevels, trophicLevels } from './trophic.js';
export { type DirectedWalkOptions, type DirectedWalks, directedWalks } from './walks.js';
