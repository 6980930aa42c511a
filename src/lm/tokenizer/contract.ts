// What a tokenizer does, and the simplest one: a token for each character.

import { CharacterVocabulary } from '../../data/index.js';

/** A piece of a prompt. */
export interface PromptPart {
  /** Text of the part. */
  readonly text: string;
  /**
   * Whether control tokens may be spelt in it. False for what people write: `<|im_end|>` in a
   * message is those ten characters.
   */
  readonly control: boolean;
}

/** Converts text to token ids and back. */
export interface TextTokenizer {
  /** One more than the largest token id. */
  readonly size: number;
  /** Token ids that end a text or a turn of a conversation, as the model's files name them. */
  readonly stopTokens: readonly number[];
  /**
   * The token ids of a text.
   *
   * @param text a string, in which control tokens are plain text, or parts that say where they are
   * not; a raw prompt with control tokens is `[{ text, control: true }]`
   * @param special whether to add the beginning- and end-of-sequence tokens of the model
   */
  encode(text: string | readonly PromptPart[], special?: boolean): number[];
  /** The text of token ids; control tokens give no text. */
  decode(tokens: readonly number[]): string;
  /** The bytes that a token stands for, parts of characters too. Default: those of its text. */
  bytesOf?(token: number): readonly number[];
  /** Token ids that `encode` puts before every text. Default: none. */
  readonly beginTokens?: readonly number[];
  /** Jinja chat template; ChatML is used when left out. */
  readonly chatTemplate?: string;
  /** Further chat templates by name, such as `tool_use`. */
  readonly chatTemplates?: Readonly<Record<string, string>>;
  /** Texts of the beginning- and end-of-sequence tokens, for chat templates. */
  readonly specialTexts?: { readonly bos: string; readonly eos: string };
}

/** The parts of a text, but for empty ones; a string has no control tokens. */
export const partsOf = (given: string | readonly PromptPart[]): readonly PromptPart[] =>
  (typeof given === 'string' ? [{ text: given, control: false }] : given).filter(({ text }) => text !== '');

/** A character-level tokenizer without special tokens. */
export function characterTokenizer(characters: Iterable<string>): TextTokenizer {
  const vocabulary = new CharacterVocabulary(characters);
  return {
    size: vocabulary.size,
    stopTokens: [],
    encode: (text) =>
      Array.from(
        vocabulary.encode(
          partsOf(text)
            .map((part) => part.text)
            .join(''),
        ),
      ),
    decode: (tokens) => vocabulary.decode(tokens),
  };
}
