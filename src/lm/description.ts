// What a file of a language model says beside its weights.

import { type ModelKind, modelDescription } from '../data/index.js';
import type { LanguageModelConfig } from './runtime/config.js';
import type { SamplingOptions } from './runtime/sampler.js';
import type { TokenizerConfig } from './tokenizer/index.js';
import type { Vocabulary } from './vocabulary.js';

/** What a saved language model was trained on. */
export interface TrainedText {
  /** Name of the text. */
  readonly data: string;
  /** Tokens of the training. */
  readonly tokens: number;
  /** Mean negative log-likelihood of a validation token, in nats. */
  readonly loss: number;
}

/** Kind of the model files that `gossamer lm train` writes. */
export const LANGUAGE_MODEL: ModelKind = { system: 'language-model', version: '1', madeBy: 'gossamer lm train' };

/** What such a file says beside its weights. */
export type Description = {
  readonly config: LanguageModelConfig;
  readonly trained?: TrainedText;
  /** Of a vocabulary that is a tokenizer.json: the file beside it. */
  readonly tokenizerConfig?: TokenizerConfig;
  /** Tokens that end a text beside those of the tokenizer. */
  readonly stops?: readonly number[];
  /** How the model's files say that it is sampled. */
  readonly sampling?: SamplingOptions;
} & Vocabulary;

/**
 * The description in the metadata of a file.
 *
 * @throws Error as `modelDescription` does, or when it lacks the configuration or the vocabulary.
 */
export function languageDescription(metadata: Readonly<Record<string, string>>, name: string): Description {
  const description = modelDescription<Description>(LANGUAGE_MODEL, metadata, name);
  const isObject = (value: unknown) => typeof value === 'object' && value !== null;
  const vocabulary = 'characters' in description ? description.characters : description.tokenizer;
  for (const [part, value] of Object.entries({ configuration: description.config, vocabulary }))
    if (!isObject(value)) throw new Error(`file "${name}" is damaged: its description has no ${part}`);
  return description;
}
