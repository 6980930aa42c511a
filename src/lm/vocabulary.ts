// How a text that a model trains on is cut: into its characters, or into byte pairs that are learnt from it.

import { CharacterVocabulary } from '../data/index.js';
import { trainBpe } from './bpe.js';
import { characterTokenizer, type TextTokenizer, tokenizerOfJson } from './tokenizer.js';

/** What a tokenizer is made of: characters, or a tokenizer.json. */
export type Vocabulary = { readonly characters: readonly string[] } | { readonly tokenizer: object };

/** The vocabulary of a text. @param size tokens to learn; the text's characters when left out */
export function vocabularyOf(text: string, size?: number): Vocabulary {
  return size === undefined
    ? { characters: new CharacterVocabulary(text).characters }
    : { tokenizer: trainBpe(text, size) };
}

export function tokenizerOf(vocabulary: Vocabulary): TextTokenizer {
  return 'characters' in vocabulary ? characterTokenizer(vocabulary.characters) : tokenizerOfJson(vocabulary.tokenizer);
}
