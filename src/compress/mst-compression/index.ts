// MST-compression: binary networks whose output channels are computed from each other (Vo, Tran,
// Bae, Kim, Hong, "MST-compression: Compressing and Accelerating Binary Neural Networks with
// Minimum Spanning Tree", ICCV 2023, arXiv 2308.13735).
//
// Two output channels whose weights of −1 and 1 differ in d places give outputs that differ through
// those places alone. On the complete graph of the channels, with d as the distance, a minimum
// spanning tree of least depth computes a layer of N channels of L weights with L + Σd operations
// in place of N·L, every integer the same:
//
//   y_j = y_p + 2·Σ_{q: b_j[q] ≠ b_p[q]} b_j[q]·x[q]
//
// Training with the trees' distances in the loss makes them shorter. The method's text is not
// public beyond its abstract: the form of the loss, the schedule and the kernels are our design.

export {
  type AnalysisOptions,
  analyseBinary,
  binaryWeightsIn,
  type FoundLayers,
  type LayerAnalysis,
  type LayerWeights,
  type NamedWeights,
  type NetworkOperations,
  networkOperations,
  operationRatios,
} from './analysis.js';
export { type LayerTree, type OrderOptions, orderChannels } from './order.js';
export {
  filtersOf,
  type LayerTimes,
  type LayerTimesOptions,
  layerTimes,
  orderTimes,
  type TimedOrder,
} from './times.js';
export {
  rowsOfLayer,
  TreePull,
  type TreePullOptions,
  type TreeTraining,
  type TreeTrainingOptions,
  trainWithTrees,
} from './training.js';
export { type Pull, treeDistance } from './tree-loss.js';
