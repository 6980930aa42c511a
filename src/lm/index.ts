// Floor 6: language models.

export { type LanguageBundle, type ModelFiles, readLanguageModel } from './assemble.js';
export * from './blockffn/index.js';
export { byteCharacters, trainBpe } from './bpe.js';
export { type ChatMessage, type ChatOptions, chatParts, chatText, chatTokens } from './chat.js';
export { type ChosenModel, chooseModel, type ModelFile } from './choose-file.js';
export { type DecodeSpeed, type DecodeSpeedOptions, decodeSpeed } from './decode-speed.js';
export { type DecoderConfig, decoderConfig, decoderOf } from './decoder.js';
export type { TrainedText } from './description.js';
export * from './grammar/index.js';
export * from './mc-smoe/index.js';
export { MoEPlusPlus, type MoEPlusPlusOptions } from './moepp.js';
export { type HubModelOptions, openHubModel, type PageBundle } from './page.js';
export { type ModelShape, modelShapes, randomGguf, randomGgufBytes } from './random-gguf.js';
export * from './runtime/index.js';
export * from './smallthinker/index.js';
export { AnswerText, StopFilter } from './stop.js';
export * from './tokenizer/index.js';
export {
  type AnswerDelta,
  type CallChoice,
  type CallForm,
  CallStream,
  callFormOf,
  type Tool,
  toolRules,
} from './tools.js';
export {
  type LanguageTrainingOptions,
  nextTokenLoss,
  type TrainingObjective,
  trainLanguageModel,
  validationLoss,
} from './training.js';
export { tokenizerOf, type Vocabulary, vocabularyOf } from './vocabulary.js';
export { addZeroComputation, type ZeroComputation } from './warm-start.js';
