// Data-centric tools: better arcs and better features of a directed graph.

export {
  type Acyclic,
  arcAgreement,
  arcsWhere,
  type CommonNeighbourOptions,
  type Condensed,
  condensed,
  pruneByAgreement,
  RandomViews,
  randomView,
  reoriented,
  withCommonNeighbours,
  withoutDescent,
  withReverseArcs,
} from './arcs.js';
export { type DiffusionOptions, diffused } from './diffusion.js';
export {
  type DirectionOptions,
  type EstimatedDirections,
  estimatedDirections,
  withKnownClasses,
} from './directions.js';
export {
  augmentedFeatures,
  type DenoiseOptions,
  denoisedFeatures,
  type StructuralKind,
  type StructuralOptions,
  structuralFeatures,
  structuralKinds,
} from './features.js';
export { arcsByType, countedArcs, type ParallelArcs, typedMeans } from './multigraph.js';
