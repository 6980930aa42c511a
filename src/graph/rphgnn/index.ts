// RpHGNN (Hu, Hooi, He, "Efficient Heterogeneous Graph Learning via Random Projection", TKDE 2024,
// arXiv 2310.14481): node classification on heterogeneous graphs at the cost of a perceptron.
// Messages pass once, before training: relation by relation, with random projections that keep
// every width (`collect`). What is trained reads a fixed list of tensors of each node (`RpHGNN`).

export {
  type CollectionOptions,
  type CollectionVisitor,
  collect,
  collectedBytes,
  collectedGroups,
  disposeGroups,
  type RowGroup,
  type RowGroups,
  rowCount,
  takeRowGroups,
  walkCollected,
} from './collect.js';
export {
  ActivatedLayers,
  affine,
  type EncoderOptions,
  GroupEncoder,
  type GroupModule,
  RpHGNN,
} from './encoder.js';
export { type KnownLabels, propagateLabels } from './labels.js';
export {
  collectInputs,
  groupsOfInputs,
  RPHGNN_MODEL,
  type RpHGNNDescription,
  type RpHGNNInputs,
  RpHGNNModel,
  streamedLogits,
} from './model.js';
export { MeanChain, type ProjectionEntries, RandomProjection } from './projection.js';
export {
  type GroupShape,
  type LandingVisitor,
  landingGroups,
  type PropagationOptions,
  propagateAndUpdate,
} from './propagate.js';
export {
  type F1Scores,
  f1Scores,
  type GroupTrainingOptions,
  predictGroups,
  type RowTargets,
  scoreOf,
  type TargetedRows,
  trainGroups,
} from './training.js';
