// Floor 6: networks that make the weights of networks.

export { WeightCache } from './cache.js';
export {
  type Condition,
  DataCondition,
  type Encoding,
  encodeCondition,
  JoinedConditions,
  NoiseCondition,
  TaskCondition,
  VectorCondition,
} from './condition.js';
export * from './continual/index.js';
export {
  CONTINUAL_MODEL,
  type ContinualAnswers,
  ContinualClassifier,
  type ContinualClassifierOptions,
  type ContinualMethodName,
  type ContinualMethodOptions,
  continualMethodNames,
} from './continual-classifier.js';
export {
  DependencyHypernet,
  type DependencyHypernetOptions,
  RecurrentHypernet,
  type RecurrentHypernetOptions,
} from './dp-hypernet/index.js';
export * from './federated/index.js';
export { FiLM } from './film.js';
export { type Generator, type Grouping, heads, mixed, once, type Rule, type Strategy } from './generator.js';
export { HyperRNN, type HyperRNNOptions, type HyperState } from './hyper-cell.js';
export { HyperInterval, type HyperIntervalOptions } from './hyperinterval/index.js';
export { Hypernet, type HypernetOptions, weightsOf } from './hypernet.js';
export {
  allDesigns,
  criteria,
  type DesignOptions,
  designHypernet,
  type HypernetDesign,
  whyNot,
} from './hypernet-review.js';
export { columnDrops } from './hypertab/explain.js';
export {
  HyperTab,
  type HyperTabOptions,
  hyperTabDefaults,
  type MaskDesign,
  type MaskInput,
} from './hypertab/index.js';
export * from './hypino/index.js';
export type { HypernetInit } from './init.js';
export * from './interval/index.js';
export { Layout, type LayoutEntry, type Selection, selectParameters } from './layout.js';
export * from './logah/index.js';
export * from './mip/index.js';
export { NamedCondition, type NamedConditionOptions, type NamedInput, type NamedValues } from './named-condition.js';
export { chunks, components, described } from './part-generators.js';
export * from './semipfl/index.js';
export * from './tabular/index.js';
export {
  classLoss,
  classProbabilities,
  logitsFor,
  type NewTaskOptions,
  splitTaskColumn,
  TASK_MODEL,
  type TaskDescription,
  TaskModel,
  type TaskTable,
  taskTable,
} from './task-model.js';
export { TaskNetwork, type TaskNetworkOptions } from './task-network.js';
export {
  attentionTrunk,
  type ConvolutionTrunkOptions,
  convolutionTrunk,
  gainOf,
  type MLPTrunkOptions,
  mlpTrunk,
  recurrentTrunk,
  type Trunk,
  type TrunkActivation,
  type TrunkFactory,
} from './trunk.js';
export {
  type PredictiveClasses,
  type PredictiveValues,
  predictiveClasses,
  predictiveValues,
} from './uncertainty.js';
