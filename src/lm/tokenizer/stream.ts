// Incremental detokenisation.

import type { TextTokenizer } from './contract.js';

/**
 * Incremental detokenisation: bytes of an incomplete character are held back. Only the latest
 * tokens are decoded again, together with the last emitted ones, since leading spaces depend on the
 * tokens before.
 */
export class TextStream {
  #tokens: number[] = [];
  /** How many of `#tokens` were emitted already. */
  #given = 0;

  constructor(readonly tokenizer: Pick<TextTokenizer, 'decode'>) {}

  #added(): string {
    const before = this.tokenizer.decode(this.#tokens.slice(0, this.#given));
    return this.tokenizer.decode(this.#tokens).slice(before.length);
  }

  /** The text that a token adds; may be empty. */
  push(token: number): string {
    this.#tokens.push(token);
    const text = this.#added();
    // Bytes of an unfinished character decode to the replacement character.
    if (text === '' || text.endsWith('\uFFFD')) return '';
    this.#tokens = this.#tokens.slice(this.#given);
    this.#given = this.#tokens.length;
    return text;
  }

  /** The text still held back when generation ends. */
  end(): string {
    const text = this.#added();
    this.#given = this.#tokens.length;
    return text;
  }
}
