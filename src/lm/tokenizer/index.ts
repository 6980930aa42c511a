// Text to tokens and back: characters, Hugging Face's tokenizer.json, or the vocabulary in a GGUF
// file.

export { characterTokenizer, type PromptPart, type TextTokenizer } from './contract.js';
export { preTokenizations } from './cuts.js';
export { tokenizerOfGguf } from './gguf.js';
export { type TokenizerConfig, tokenizerOfJson } from './json.js';
export { TextStream } from './stream.js';
