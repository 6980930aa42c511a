// Language models: files of `gossamer lm train`, GGUF, and folders of Hugging Face's.

import { type LoadOptions, loadLanguageModel, type StoredBundle } from '../../lm/node.js';
import type { Predictor } from './predictor.js';

export interface LanguageModelFile extends Predictor {
  /** The model and its tokenizer. */
  load(options?: LoadOptions): StoredBundle;
}

export function open(path: string): LanguageModelFile {
  return {
    load: (options) => loadLanguageModel(path, options),
    predict: async () => {
      throw new Error(`"${path}" is a language model: gossamer lm generate continues a text with it`);
    },
  };
}
