// Meta Pruning via Graph Metanetworks: a graph network changes the weights of a trained network so
// that it is easy to prune.
//
// What is notable: the network is a graph of its channels, read from the trace and written back bit
// for bit; the metanetwork is trained once for an architecture, by gradients that are injected at
// the weights it answers with; pruning another network is one forward pass and standard training.
// Differences from the published code: one reader in the place of a converter for each model; the
// classifier's edges are not scrambled; kernels of each size have an embedding of their own; the
// epoch is chosen on validation images and a network of its own.
//
// Liu, Wang, Zhang: Meta Pruning via Graph Metanetworks: A Meta Learning Framework for Network
// Pruning, 2025, arXiv 2506.12041.

export {
  type Architecture,
  architectureDifference,
  architectureOfGraph,
  type EdgeSet,
  type NetworkGraph,
  type NodeFeature,
  type NodeSet,
  type NodeValues,
  requireArchitecture,
} from './graph.js';
export { type GraphFeatures, graphFeatures, weightsOfFeatures } from './graph-features.js';
export { metaTrainingBytes } from './memory.js';
export {
  type DataModel,
  dataModel,
  type InjectedGradients,
  injectedGradients,
  type MetaEpoch,
  type MetaTraining,
  type MetaTrainingOptions,
  metaGradients,
  metaTrain,
  publishedShrinkage,
} from './meta-training.js';
export { MetaLayer, Metanetwork, type MetanetworkOptions } from './metanetwork.js';
export {
  loadMetanetwork,
  METANETWORK,
  type MetanetworkFile,
  type MetanetworkRecord,
  readMetanetwork,
  saveMetanetwork,
} from './metanetwork-file.js';
export {
  adaptedCurve,
  applyMetanetwork,
  chooseEpoch,
  type EpochChoiceOptions,
  type EpochCurve,
  type MetanetworkTrainingOptions,
  type MetaPruning,
  type MetaPruningOptions,
  metaPrune,
  type PruningCurve,
  pruningCurve,
  type TrainedMetanetwork,
  trainMetanetwork,
} from './prune.js';
export { networkGraph } from './read-graph.js';
