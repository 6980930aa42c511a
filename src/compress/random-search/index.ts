// Random search over the node space of a network (Farahani, "Random Search as a Baseline for Sparse
// Neural Network Architecture Search", 2024): the yardstick of every way to a sparse network.
//
//   z ∈ {0, 1}^H        hidden nodes that are on, k = max(1, round((1 − p)·h)) of the h of a layer
//   ℓ(z) = loss of the untrained sub-network (z, θ₀) on a search set S
//   z* = the z of the smallest ℓ among N random ones; then (z*, θ₀) is trained
//
// The abstract is all that is known of the paper's protocol: sizes, data, N and fitness are ours.

export {
  type ArmResult,
  armOf,
  type Margin,
  type SparseArm,
  type SparseBaselineOptions,
  type SparseBaselines,
  type SparseData,
  type SparseMethod,
  scoreMargin,
  sparseArms,
  sparseBaselines,
} from './baselines.js';
export {
  type ArmTraining,
  type Examples,
  imageExamples,
  rowExamples,
  scoresOn,
  someExamples,
  trainOnExamples,
} from './examples.js';
export { type FitnessOptions, InitialFitness } from './fitness.js';
export { informedNodes } from './informed.js';
export { type KeptNodes, type NodeLayer, type NodeSampling, NodeSpace, weightSparsity } from './nodes.js';
export { type RecipeBaselineOptions, recipeBaselines, recipeEpochs } from './recipe-baselines.js';
export {
  exampleInput,
  type FoundSubNetwork,
  type SubNetworkSearchOptions,
  searchSetOf,
  searchSubNetwork,
} from './search.js';
