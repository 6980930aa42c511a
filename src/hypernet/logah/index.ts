// LoGAH: initial weights of networks from their architectures.

export { presetNames, readArchitecture } from './description.js';
export type { EncodedGraph } from './encoded-graph.js';
export {
  type Architecture,
  type DecoderArchitecture,
  drawGPT2,
  drawViT,
  type FamilyModule,
  familyNames,
  type GPT2Architecture,
  graphOf,
  grid,
  type MLPArchitecture,
  makeNetwork,
  torchName,
  type ViTArchitecture,
} from './families.js';
export {
  type ArchitectureGraph,
  type ArchitectureNode,
  type UnpredictedParameter,
  virtualEdges,
  withShapes,
} from './graph.js';
export { LoGAH } from './hypernet.js';
export { type HypernetDescription, HypernetModel, LOGAH_MODEL } from './model.js';
export {
  type LoGAHOptions,
  logahPresets,
  type ParameterTotals,
  parameterTotals,
  type ResolvedOptions,
  resolveOptions,
} from './options.js';
export {
  assignWeights,
  type PredictedWeights,
  type PredictionReport,
  predictionReport,
  predictWeights,
  reportLines,
} from './predict.js';
export { type Primitive, primitives } from './primitives.js';
export { type PredictedTensor, predictedTensors } from './stream.js';
export {
  type HypernetTask,
  imageBatch,
  type LabelledBatch,
  meanUntrained,
  pictureTask,
  scoreOnImages,
  scoreOnText,
  textTask,
} from './tasks.js';
export { type ArchitectureOptions, architectureGraph, type TraceableModule } from './trace-graph.js';
export {
  type FamilyMember,
  familyMembers,
  type HypernetTrainingOptions,
  hypernetLoss,
  trainHypernet,
} from './train.js';
