// Floor 6: graph learning.

export * from './conv/index.js';
export {
  DepthNetwork,
  type DepthOptions,
  type DepthPoint,
  type DepthResult,
  depthSweep,
  gradientProfile,
  nodeDepthPreference,
  type SparsityOptions,
  sparsify,
} from './depth.js';
export {
  DGMLP,
  type DGMLPOptions,
  hopWeights,
  nodeAdaptiveFeatures,
  presets as dgmlpPresets,
  ResidualMLP,
  type ResidualMLPOptions,
  type SmoothingOptions,
  type Smoothness,
  smoothness,
  stationaryState,
} from './dgmlp.js';
export {
  type CorrectAndSmoothOptions,
  correctAndSmooth,
  type LabelPropagationOptions,
  labelPropagation,
} from './label-propagation.js';
export * from './nat/index.js';
export * from './temporal/index.js';
export {
  type LabelledGraph,
  NodeMLP,
  type Recipe,
  type RecipeName,
  recipes,
  trainNodes,
  trainRecipe,
} from './training.js';
