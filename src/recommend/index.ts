// Floor 6: recommendation.

export {
  type Backbone,
  type StepRequest,
  type StepResult,
  servedBytes,
  storedWeights,
  type TrainingCost,
  trainingBytes,
} from './backbone.js';
export * from './dsl/index.js';
export { LightGCN, type LightGCNOptions } from './lightgcn.js';
export {
  candidateScores,
  type HistoryScorer,
  historyScores,
  listScores,
  mask,
  meanScores,
  type RankingOptions,
  type RankingScores,
  rankingScores,
  type Scorer,
  topItems,
} from './metrics.js';
export { MultVAE, type MultVAEOptions } from './multvae.js';
export { ItemKNN, type ItemKNNOptions, Popularity, popularity } from './neighbours.js';
export { NeuMF, type NeuMFOptions } from './neumf.js';
export {
  type AnsweredBy,
  makeBackbone,
  RECOMMENDER,
  type Recommendations,
  Recommender,
  type RecommenderDescription,
  type RecommenderKind,
  type RecommenderOptions,
  recommenderKinds,
  recommenderOf,
  type TrainedKind,
  trainedKinds,
} from './recommender.js';
export { Membership, type Triples, triples } from './sampling.js';
export {
  type HeldOut,
  holdOut,
  joined,
  type LastOutSplit,
  lastOut,
  type NewUsers,
  type StrongSplit,
  strongSplit,
} from './splits.js';
export { type RecommenderResult, type RecommenderTraining, trainRecommender } from './training.js';
export {
  type Distribution,
  makeWeights,
  type SparseInit,
  Weight,
  type WeightOptions,
  type WeightSpec,
  type WeightTable,
} from './weights.js';
