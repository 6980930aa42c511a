// Vocabularies for training: the characters of the text, or byte-pair encoding learnt from it.

import { CharacterVocabulary } from '../data/index.js';
import { trainBpe } from './bpe.js';
import { characterTokenizer, type TextTokenizer, tokenizerOfJson } from './tokenizer/index.js';

/** A serialisable tokenizer: characters, or the contents of tokenizer.json. */
export type Vocabulary = { readonly characters: readonly string[] } | { readonly tokenizer: object };

/**
 * The vocabulary of a text.
 *
 * @param size vocabulary size of byte-pair encoding; character-level when left out
 */
export function vocabularyOf(text: string, size?: number): Vocabulary {
  return size === undefined
    ? { characters: new CharacterVocabulary(text).characters }
    : { tokenizer: trainBpe(text, size) };
}

/** The tokenizer that a vocabulary describes. */
export function tokenizerOf(vocabulary: Vocabulary): TextTokenizer {
  return 'characters' in vocabulary ? characterTokenizer(vocabulary.characters) : tokenizerOfJson(vocabulary.tokenizer);
}
