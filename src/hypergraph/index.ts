// Floor 6: hypergraph learning.

export * from './conhd/index.js';
export * from './conv/index.js';
export {
  type DistillOptions,
  distill,
  highOrderConstraint,
  hyperedgeEntropy,
  reliability,
  type Teacher,
  topologyScore,
} from './lighthgnn.js';
export {
  classifyVertices,
  HypergraphNetwork,
  type HypergraphNetworkOptions,
  type NetworkKind,
  networkKinds,
} from './network.js';
export * from './sets/index.js';
export { STUDENT_MODEL, StudentModel } from './student.js';
export {
  type Labelled,
  type NetworkOptions,
  perceptronFrom,
  type TrainingOptions,
  trainMlp,
  trainNetwork,
} from './training.js';
