// Floor 6: language models.

export { MoEPlusPlus, type MoEPlusPlusOptions } from './moepp.js';
export * from './runtime/index.js';
export { type LanguageTrainingOptions, nextTokenLoss, trainLanguageModel, validationLoss } from './training.js';
