// Stop sequences.

import { TextStream, type TextTokenizer } from './tokenizer/index.js';

/** Passes text through until a stop sequence appears; a possible beginning of one is held back. */
export class StopFilter {
  #held = '';
  #stopped = false;

  constructor(readonly stops: readonly string[]) {}

  /** Whether a stop sequence was found: later text is discarded. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** The part of the text so far that can be emitted. It never contains a stop sequence. */
  push(text: string): string {
    if (this.#stopped) return '';
    this.#held += text;
    const found = this.stops.map((stop) => this.#held.indexOf(stop)).filter((at) => at >= 0);
    if (found.length > 0) {
      this.#stopped = true;
      return this.#take(Math.min(...found));
    }
    return this.#take(this.#held.length - this.#waiting());
  }

  /** The text still held back when generation ends. */
  end(): string {
    return this.#stopped ? '' : this.#take(this.#held.length);
  }

  #take(count: number): string {
    const text = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    return text;
  }

  /** Length of the longest tail that is a prefix of a stop sequence. */
  #waiting(): number {
    const longest = this.stops.reduce((most, { length }) => Math.max(most, length - 1), 0);
    for (let count = Math.min(longest, this.#held.length); count > 0; count--) {
      const tail = this.#held.slice(-count);
      if (this.stops.some((stop) => stop.startsWith(tail))) return count;
    }
    return 0;
  }
}

/** Incremental detokenisation up to the first stop sequence. */
export class AnswerText {
  readonly #text: TextStream;
  readonly #filter: StopFilter;

  constructor(tokenizer: Pick<TextTokenizer, 'decode'>, stops: readonly string[]) {
    this.#text = new TextStream(tokenizer);
    this.#filter = new StopFilter(stops);
  }

  /** Whether a stop sequence was found: the answer has ended. */
  get stopped(): boolean {
    return this.#filter.stopped;
  }

  /** The text that a token adds; may be empty. */
  push(token: number): string {
    return this.#filter.push(this.#text.push(token));
  }

  /** The text still held back when generation ends. */
  end(): string {
    return this.#filter.push(this.#text.end()) + this.#filter.end();
  }
}
