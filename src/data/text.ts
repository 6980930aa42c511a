// Plain text for language models: character vocabularies, windows of tokens, and a generated text.

import { type Random, type Tensor, tensor } from '../tensor/index.js';

/** A character-level vocabulary; token ids follow the sorted characters. */
export class CharacterVocabulary {
  /** Characters by token id. */
  readonly characters: readonly string[];
  readonly #numbers: ReadonlyMap<string, number>;

  constructor(characters: Iterable<string>) {
    this.characters = [...new Set(characters)].sort();
    this.#numbers = new Map(this.characters.map((character, i) => [character, i]));
  }

  /** Number of tokens. */
  get size(): number {
    return this.characters.length;
  }

  /** Token ids of a text. @throws Error naming the first character outside the vocabulary. */
  encode(text: string): Int32Array {
    return Int32Array.from(text, (character) => {
      const number = this.#numbers.get(character);
      if (number === undefined)
        throw new Error(`the vocabulary has no ${JSON.stringify(character)}; it was made of ${this.size} characters`);
      return number;
    });
  }

  /** The text of token ids; ids outside the vocabulary are skipped. */
  decode(tokens: ArrayLike<number>): string {
    return Array.from(tokens, (token) => this.characters[token] ?? '').join('');
  }
}

/** A token stream split by position: the beginning for training, the end for validation. */
export interface TokenSplit {
  /** Tokens for training. */
  readonly train: Int32Array;
  /** Tokens for validation. */
  readonly validation: Int32Array;
}

/**
 * Splits a token stream; the parts share its memory.
 *
 * @param validationShare of the tokens, in (0, 1)
 */
export function splitTokens(tokens: Int32Array, validationShare = 0.1): TokenSplit {
  const cut = Math.floor(tokens.length * (1 - validationShare));
  return { train: tokens.subarray(0, cut), validation: tokens.subarray(cut) };
}

/** Input windows and their next-token targets. */
export interface TokenBatch {
  /** i32 [batch, length] */
  readonly inputs: Tensor;
  /** The next token at each position, i32 [batch·length]; `PADDING` where there is none. */
  readonly targets: Tensor;
  /** 1 for tokens, 0 for padding [batch·length]. Default: there is no padding. */
  readonly mask?: Float32Array;
}

/** The target of a position without a next token. */
export const PADDING = -100;

/** Windows of `length` tokens that begin at the given positions. */
export function windowsAt(tokens: Int32Array, starts: ArrayLike<number>, length: number): TokenBatch {
  const count = starts.length;
  const inputs = new Int32Array(count * length);
  const targets = new Int32Array(count * length);
  for (let i = 0; i < count; i++) {
    const start = starts[i] as number;
    inputs.set(tokens.subarray(start, start + length), i * length);
    targets.set(tokens.subarray(start + 1, start + 1 + length), i * length);
  }
  return { inputs: tensor(inputs, [count, length]), targets: tensor(targets) };
}

/**
 * A batch of windows at uniformly random positions.
 *
 * @throws Error when the text is shorter than a window.
 */
export function randomWindows(tokens: Int32Array, batch: number, length: number, random: Random): TokenBatch {
  const room = tokens.length - length;
  if (room < 1) throw new Error(`a text of ${tokens.length} tokens is shorter than a window of ${length + 1}`);
  return windowsAt(
    tokens,
    Array.from({ length: batch }, () => random.integer(room)),
    length,
  );
}

const words = {
  article: ['the', 'a', 'this', 'every'],
  adjective: ['old', 'green', 'quiet', 'clever', 'small', 'heavy', 'bright', 'lost'],
  noun: ['fox', 'river', 'garden', 'machine', 'captain', 'letter', 'mountain', 'child', 'window', 'storm'],
  verb: ['follows', 'finds', 'remembers', 'carries', 'breaks', 'watches', 'paints', 'forgets'],
  place: ['in the valley', 'near the sea', 'under the bridge', 'at night', 'before dawn', 'without a word'],
};

/** Sentences of a small English grammar: the embedded default for when no text is installed. */
export function generatedText(characters: number, random: Random): string {
  const pick = (list: readonly string[]) => list[random.integer(list.length)] as string;
  const thing = () =>
    [pick(words.article), ...(random.float() < 0.5 ? [pick(words.adjective)] : []), pick(words.noun)].join(' ');
  const clause = () =>
    `${thing()} ${pick(words.verb)} ${thing()}${random.float() < 0.4 ? ` ${pick(words.place)}` : ''}`;
  let text = '';
  while (text.length < characters) {
    const sentence = random.float() < 0.3 ? `${clause()}, and ${clause()}` : clause();
    text += `${sentence[0]?.toUpperCase()}${sentence.slice(1)}.${random.float() < 0.2 ? '\n' : ' '}`;
  }
  return text.slice(0, characters);
}
