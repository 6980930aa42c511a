// Continual learning: tasks one after another, without the rows of those before.

export {
  type Descent,
  GeneratedLearner,
  type GeneratedOptions,
  type GeneratedTasks,
  HypernetLearner,
  type HypernetLearnerOptions,
  type TaskHypernet,
} from './hypernet-learner.js';
export { InterContiNet, type InterContiNetOptions } from './intercontinet.js';
export {
  ContinualLearner,
  type LearnerOptions,
  likeliest,
  type Predicted,
  type StoredNumbers,
  shareRight,
} from './learner.js';
export { AccuracyMatrix } from './metrics.js';
export { JointLearner, NetworkLearner, SeparateLearner } from './network-learner.js';
export {
  type ElasticOptions,
  ElasticWeights,
  fisher,
  NoPenalty,
  PathIntegrals,
  type PathOptions,
  type Penalty,
} from './penalties.js';
export { SharedNetwork } from './shared-network.js';
export { type ClassifiedRows, permutedTasks, splitTasks } from './streams.js';
export { TargetBody, TargetNetwork, type TargetOptions } from './target.js';
export {
  type ContinualTask,
  drawRows,
  type LearnedTask,
  requireTask,
  type Scenario,
  scenarios,
  type TaskRows,
  withValidation,
} from './task.js';
