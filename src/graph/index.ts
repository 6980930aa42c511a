// Floor 6: graph learning.

export { AdaptiveAPPNP, AdaptiveGCN, type AdaptiveHopOptions, AdaptiveSGC } from './adaptive-residual.js';
export { ARC_CLASSIFIER, type ArcDescription, ArcModel, arcClassifier } from './arc-model.js';
export * from './conv/index.js';
export * from './decoupled/index.js';
export * from './dense/index.js';
export {
  DepthNetwork,
  type DepthOptions,
  type DepthPoint,
  type DepthResult,
  depthSweep,
  gradientProfile,
  nodeDepthPreference,
} from './depth.js';
export { DGMLP, type DGMLPOptions, nodeAdaptive, presets as dgmlpPresets } from './dgmlp.js';
export { DGMLP_MODEL, type DGMLPDescription, DGMLPModel, featuresOfGraph } from './dgmlp-model.js';
export * from './diagnose/index.js';
export {
  type DirectedNetwork,
  type DirectedNetworkName,
  directedNetworks,
  frameworks,
} from './directed-graphs.js';
export * from './equivariant-polynomials/index.js';
export { EventModel, type EventTraining, scaledEvents, usualInterval } from './event-model.js';
export * from './expressivity/index.js';
export * from './h4g/index.js';
export * from './heads/index.js';
export {
  type HopBlock,
  type HopOptions,
  type HopRows,
  type HopVisitor,
  type HopWeights,
  hopRows,
  projectedHops,
  walkHops,
  weightedHopRows,
  weightedHops,
  weightedRows,
} from './hops.js';
export * from './improve/index.js';
export {
  type CorrectAndSmoothOptions,
  correctAndSmooth,
  type LabelPropagationOptions,
  labelPropagation,
} from './label-propagation.js';
export type { LabelledGraph } from './labelled-graph.js';
export * from './metapaths/index.js';
export * from './nat/index.js';
export type { NetworkDescription } from './network-description.js';
export type { NetworkLayout, NodeNetwork } from './network-layout.js';
export {
  NODE_CLASSIFIER,
  NodeClassifier,
  type NodeClassifierDescription,
  type NodeTrainingOptions,
  nodeLogits,
  nodeNetwork,
  trainNodeNetwork,
} from './node-classifier.js';
export {
  attributeFeatures,
  type FittedInputs,
  featuresOf,
  fitInputs,
  inputNames,
  inputWidth,
  isTextInput,
  type NodeInputs,
} from './node-inputs.js';
export { type NetworkName, nodeNetworks, requireReadable } from './node-networks.js';
export { projectedAdjacency } from './projected.js';
export {
  READOUT_MODEL,
  type ReadoutDescription,
  ReadoutModel,
  type ReadoutName,
  ReadoutNetwork,
  readoutNetworks,
} from './readout-model.js';
export { ResidualMLP, type ResidualMLPOptions } from './residual-mlp.js';
export * from './rphgnn/index.js';
export * from './sequence/index.js';
export {
  hopWeights,
  nodeAdaptiveFeatures,
  nodeAdaptiveRows,
  type SmoothingOptions,
  type Smoothness,
  smoothness,
} from './smoothing.js';
export { stationaryState } from './stationary-state.js';
export * from './subgraph-gnn/index.js';
export * from './temporal/index.js';
export {
  NodeMLP,
  type Recipe,
  type RecipeName,
  recipes,
  trainNodes,
  trainRecipe,
} from './training.js';
export {
  type FittedTypedInputs,
  fitTypedInputs,
  narrowed,
  type TypedInputs,
  type TypeInputs,
  typedFeatures,
} from './typed-inputs.js';
export { NODE_VALUES, type NodeValueDescription, NodeValueModel } from './value-model.js';
export { type DeepResult, type Sparsity, sparsify, testAccuracy, whenDeep } from './when-deep.js';
