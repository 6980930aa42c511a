export {
  chanceAgreement,
  type Guidance,
  type GuidanceOptions,
  type GuidancePattern,
  guidance,
  guidancePatterns,
  type PatternAgreement,
} from './guidance.js';
export {
  compatibilityMatrix,
  type EffectiveHomophily,
  edgeHomophily,
  effectiveHomophily,
  nodeHomophily,
  type WorkOptions,
} from './homophily.js';
export {
  type DiagnosedGraph,
  type DirectednessReport,
  directednessReport,
  type HomophilyView,
  type ReportOptions,
} from './report.js';
export { type SequenceOptions, type SequenceView, sequenceView, type WalkView, walkKinds } from './sequence.js';
export { type ChargeView, type SpectralOptions, type SpectralView, spectralView } from './spectral.js';
export {
  type DegreeLaw,
  degreeLaw,
  type PowerLaw,
  powerLaw,
  type TopologicalView,
  topologicalView,
} from './topology.js';
