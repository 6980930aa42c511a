export {
  IncidenceMLP,
  VertexIncidenceNetwork,
  type VertexIncidenceOptions,
  type VertexLayersName,
  WhatsNet,
} from './baselines.js';
export { blockNames, type Diffusion, type DiffusionOptions } from './diffusion.js';
export type { IncidenceInput, IncidenceNetwork } from './incidence-network.js';
export { centralities, positionsOf, rankPositions, standardizedFeatures, structuralFeatures } from './inputs.js';
export { CONHD_MODEL, IncidenceModel, type IncidenceModelDescription } from './model.js';
export { CoNHD, type CoNHDOptions, type ScoredUnit } from './network.js';
export {
  IncidenceBatches,
  type IncidenceTrainingOptions,
  type LabelledBatch,
  type LabelledIncidences,
  trainIncidences,
  validationScore,
} from './training.js';
