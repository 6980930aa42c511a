export {
  type BaselineOptions,
  type ProgramBaseline,
  programBaseline,
  programBaselines,
  TreeConvolution,
} from './baselines.js';
export { batchOf, type EncodedProgram, encodeProgram, type ProgramBatch, parentsOf } from './batch.js';
export {
  AttentionReadOut,
  MaxReadOut,
  ProgramClassifier,
  ProgramHead,
  type ProgramLayer,
  type ProgramNetwork,
  type ProgramSizes,
  type ProgramWidths,
  type ReadOut,
  ValueEmbedding,
} from './classifier.js';
export { HDHGNLayer } from './layer.js';
export { type Explanation, HDHGN_MODEL, ProgramModel, type ProgramModelDescription } from './model.js';
export { HDHGN, type HDHGNOptions, presets as hdhgnPresets } from './network.js';
export {
  batchesOf,
  classesOf,
  type LabelledPrograms,
  type ProgramSchedule,
  type ProgramTrainingOptions,
  programProbabilities,
  trainPrograms,
} from './training.js';
export { ProgramVocabulary, UNKNOWN, type VocabularyOptions, type VocabularyState } from './vocabulary.js';
