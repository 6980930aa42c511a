// SoftHGNN: soft hypergraphs among the tokens of pictures.
//
// The layer stands where attention does, in networks of several families, and therefore lies with
// the layers (nn/soft-hypergraph.ts); `gossamer train --model vit-softhgnn` classifies by a vision
// transformer with it. Here are its other places: over the map of a counter of things
// (`DensityCounter`), and between the three scales of a detector (`HypergraphNeck`); and the layers
// that it is compared with in the same place.
//
// Lei, Li and others: SoftHGNN: Soft Hypergraph Neural Networks for General Visual Recognition,
// 2025 (arXiv 2505.15325).

export { AttentionContext, NearestContext, nearestTokens, PerceptronContext } from './contexts.js';
export { COUNT_MODEL, type Count, type CountDescription, CountModel } from './count-model.js';
export { CELL, type CounterOptions, type CounterSizes, DensityCounter } from './counter.js';
export {
  type CountErrors,
  type CounterTrainingOptions,
  countErrors,
  countLoss,
  countOf,
  densitiesOf,
  requireTile,
  trainCounter,
} from './counting.js';
export {
  type BoxedPictures,
  type DetectorSizes,
  type DetectorTrainingOptions,
  detect,
  detectionLoss,
  GridDetector,
  trainDetector,
} from './detector.js';
export { HypergraphNeck, type NeckOptions, type ThreeScales } from './neck.js';
export { cellCounts, type DensityMap, joinedDensity, type Tile, tilesOf, tileTensor } from './tiles.js';
