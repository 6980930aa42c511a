// HyperPAVE: attribute values of products by link prediction in a heterogeneous hypergraph.

export { type Evidence, type EvidenceNames, EvidenceReader } from './evidence.js';
export { type FittedProducts, fitProducts, type ProductFitOptions, tunedThreshold } from './fit.js';
export {
  type HyperedgeKind,
  type NodeCounts,
  nodeCounts,
  ProductGraph,
  type ProductGraphOptions,
  type ProductLinks,
} from './graph.js';
export type { KnownCatalogue } from './known.js';
export {
  bestThreshold,
  macroF1Of,
  meanAveragePrecision,
  type ProductScores,
  recallAt,
  scoresOf,
  topValues,
  type ValueF1,
  valueF1,
} from './metrics.js';
export {
  HYPERPAVE_MODEL,
  type PredictedValue,
  ProductModel,
  type ProductModelDescription,
  type ProductPredictOptions,
} from './model.js';
export { type Embedded, type FusionWeights, fusions, HyperPAVE, type HyperPAVEOptions } from './network.js';
export { type NodeTensors, ProductSage, type SageOptions } from './sage.js';
export {
  drawEpisode,
  drawLabels,
  type Episode,
  type EpisodeOptions,
  encodeCatalogue,
  type ProductTask,
  type ProductTrainingOptions,
  type ProductValidation,
  productTask,
  restrictedTo,
  scoreProducts,
  textsOfCatalogue,
  trainHyperPAVE,
  type ZeroShotShares,
  type ZeroShotSplit,
  zeroShotSplit,
} from './training.js';
