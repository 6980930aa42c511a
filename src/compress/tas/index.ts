// TAS (Dong & Yang, "Network Pruning via Transformable Architecture Search", NeurIPS 2019).
//
// How many channels each layer keeps and how many blocks each stage keeps are learnt by gradient
// descent: a network of sampled widths and depths, interpolated channel by channel and mixed by
// their probabilities, learns with them under a budget. The shape that is found is trained from new
// weights, with the unpruned network as its teacher.

export {
  type CostGrid,
  type CostTables,
  costOfShape,
  expectedCost,
  expectedCostOf,
  macTables,
} from './costs.js';
export { interpolateChannels, interpolationMatrix } from './interpolation.js';
export { latencyTables } from './latency.js';
export { shapeSearchBytes } from './memory.js';
export { drawWithout, gumbelNoise, perturbed, type Sample, sampleRow } from './sampling.js';
export {
  costDirection,
  type FoundShape,
  narrowest,
  type SearchedEpoch,
  type ShapeSearchOptions,
  searchShape,
  shapeSearchDefaults,
  shortSearch,
  temperatureAt,
} from './search.js';
export { fitShape, randomShape, shapesOf, uniformShape } from './shapes.js';
export {
  depthCandidates,
  type Searched,
  type SearchedGroup,
  type SearchedStage,
  type ShapeChoices,
  shapeChoicesOf,
  widthCandidates,
} from './space.js';
export {
  type ShapedTrainingOptions,
  type ShapeTransfer,
  shapeDistillation,
  shapeTransfers,
  trainShaped,
} from './transfer.js';
export { TransformableNetwork, type TransformableOptions } from './transformable.js';
