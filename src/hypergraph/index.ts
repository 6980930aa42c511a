// Floor 6: hypergraph learning.

export * from './agents/index.js';
export * from './ast/index.js';
export * from './conhd/index.js';
export * from './conv/index.js';
export * from './ehgnn/index.js';
export * from './hdhgn/index.js';
export * from './hyperagent/index.js';
export * from './hyperpave/index.js';
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
  receptiveField,
} from './network.js';
export * from './pool/index.js';
export { projectedIncidence, projectedNeighbours } from './projected.js';
export * from './sets/index.js';
export * from './softhgnn/index.js';
export { STUDENT_MODEL, type StudentInputs, StudentModel, type StudentTable } from './student.js';
export {
  type Labelled,
  type NetworkOptions,
  perceptronFrom,
  type TrainingOptions,
  trainMlp,
  trainNetwork,
} from './training.js';
export { inputsOf, type VertexInputs, VertexModel, type VertexTraining, vertexInputsOf } from './vertex-model.js';
