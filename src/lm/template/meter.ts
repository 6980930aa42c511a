// Limits of a rendering: templates come with models, and may loop, recurse or grow without end.

import type { MarkedText } from './marked-text.js';
import { isDictionary, isList, textOf, type Value, weightOf } from './values.js';

/** Most steps: one for each evaluated node and list element, and for every 64 characters read. */
const STEPS = 2_000_000;
/** Longest text in characters. */
const LONGEST = 2 ** 22;
/** Most nodes of a list or dictionary as a tree: what one names twice is written twice. */
const WEIGHT = 2 ** 18;
/** Deepest nesting of expressions, blocks and macro calls. */
const DEPTH = 256;

/** Counts steps, depth and lengths of a rendering; every method throws an Error past its limit. */
export class Meter {
  #steps = 0;
  #depth = 0;

  charge(steps: number): void {
    this.#steps += steps;
    if (!(this.#steps <= STEPS)) throw new Error(`it takes more than ${STEPS} steps`);
  }

  /** Charges reading texts. */
  read(...texts: readonly MarkedText[]): void {
    for (const { length } of texts) this.charge(length / 64);
  }

  /** The characters of a text. */
  characters(text: MarkedText): MarkedText[] {
    this.charge(4 * text.length);
    return text.characters();
  }

  /** Charges reading all of a list or dictionary. */
  weigh(...values: readonly Value[]): void {
    for (const value of values) if (isList(value) || isDictionary(value)) this.charge(weightOf(value));
  }

  /** A value as text. */
  text(value: Value): MarkedText {
    this.weigh(value);
    return this.grown(textOf(value));
  }

  /** A list or dictionary that the template made, of allowed size. */
  made<T extends Value>(value: T): T {
    if (weightOf(value) > WEIGHT)
      throw new Error(`it makes a ${isList(value) ? 'list' : 'dictionary'} of more than ${WEIGHT} parts`);
    return value;
  }

  requireLength(length: number): void {
    if (!(length <= LONGEST)) throw new Error(`it makes a text of more than ${LONGEST} characters`);
  }

  /** The text, of allowed length. */
  grown(text: MarkedText): MarkedText {
    this.requireLength(text.length);
    return text;
  }

  within<T>(body: () => T): T {
    this.charge(1);
    if (++this.#depth > DEPTH) throw new Error(`it nests deeper than ${DEPTH} levels`);
    try {
      return body();
    } finally {
      this.#depth--;
    }
  }
}
