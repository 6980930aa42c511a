// Running language models: configuration, weights, cache, sampling, generation.

export { Batcher, prefillSlice } from './batcher.js';
export { type CacheFormat, type CacheOptions, KeyValueCache } from './cache.js';
export {
  architectures,
  configOfGguf,
  configOfHuggingFace,
  type LanguageModelConfig,
  requireConfig,
  windowAt,
} from './config.js';
export { type Draft, lookupDraft, modelDraft } from './draft.js';
export { configOfMiniCpm } from './families/minicpm.js';
export { everyLayer, llamaCppDiffers } from './families/smallthinker.js';
export { type FinishReason, type GenerateOptions, generate, type Reader, type TokenConstraint } from './generate.js';
export { type GenerationDefaults, generationOfGguf, generationOfHuggingFace } from './generation-config.js';
export { DenseMatrix, type WeightMatrix } from './matrix.js';
export { LanguageModel, type Sequence } from './model.js';
export type { Disk } from './reader.js';
export { type RopeScaling, ropeScalingOf } from './rope.js';
export { logProbabilities, Sampler, type SamplingOptions, type TokenProbability } from './sampler.js';
export { type ReadAhead, type StoreOptions, type StoreStatistics, WeightStore } from './store.js';
export { ggufWeights, namedWeights, safetensorsWeights, type WeightSource } from './weights.js';
