// Running language models: configuration, weights, cache, sampling, generation.

export { KeyValueCache } from './cache.js';
export { architectures, configOfGguf, configOfHuggingFace, type LanguageModelConfig } from './config.js';
export { type FinishReason, type GenerateOptions, generate } from './generate.js';
export { LanguageModel } from './model.js';
export { Sampler, type SamplingOptions } from './sampler.js';
export { DenseMatrix, ggufWeights, namedWeights, type WeightMatrix, type WeightSource } from './weights.js';
