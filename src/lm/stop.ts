// Texts that end an answer.

import { TextStream, type TextTokenizer } from './tokenizer.js';

/** Lets text through until a stop text appears; what may be the beginning of one waits. */
export class StopFilter {
  #held = '';
  #stopped = false;

  constructor(readonly stops: readonly string[]) {}

  /** Whether a stop text was found: nothing after it comes through. */
  get stopped(): boolean {
    return this.#stopped;
  }

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

  /** What still waits at the end. */
  end(): string {
    return this.#stopped ? '' : this.#take(this.#held.length);
  }

  #take(count: number): string {
    const text = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    return text;
  }

  /** Characters at the end that a stop text begins with. */
  #waiting(): number {
    const longest = this.stops.reduce((most, { length }) => Math.max(most, length - 1), 0);
    for (let count = Math.min(longest, this.#held.length); count > 0; count--) {
      const tail = this.#held.slice(-count);
      if (this.stops.some((stop) => stop.startsWith(tail))) return count;
    }
    return 0;
  }
}

/** The text of tokens as they come, up to a stop text. */
export class AnswerText {
  readonly #text: TextStream;
  readonly #filter: StopFilter;

  constructor(tokenizer: Pick<TextTokenizer, 'decode'>, stops: readonly string[]) {
    this.#text = new TextStream(tokenizer);
    this.#filter = new StopFilter(stops);
  }

  get stopped(): boolean {
    return this.#filter.stopped;
  }

  /** The text that a token adds. */
  push(token: number): string {
    return this.#filter.push(this.#text.push(token));
  }

  /** What still waits at the end. */
  end(): string {
    return this.#filter.push(this.#text.end()) + this.#filter.end();
  }
}
