// H4G: zero-shot classes of nodes in hyperbolic space, at a radius that is learnt.

export { type FittedTextGraphs, fitTextGraphs, pairsOf, retrievalOf, type TextGraphFitOptions } from './fit.js';
export { GPSEncoder, type GPSOptions, nearestNodes, subgraphsOf } from './gps.js';
export { type GraphTextEncoder, type HopGateOptions, HopGates, type PreparedGraph } from './hop-gates.js';
export {
  type GivenEncoder,
  H4G_MODEL,
  type H4GDescription,
  H4GModel,
  type KnownProbability,
  type ZeroShotPredictions,
} from './model.js';
export { H4G, type H4GOptions, scalingParameters } from './network.js';
export {
  nearestAgreement,
  type RadiusReport,
  radiusReport,
  SWEEP,
  smallestOf,
  sweepPredictions,
} from './radius-report.js';
export { type AlignmentOptions, type AlignmentTask, alignmentLoss, trainH4G } from './training.js';
