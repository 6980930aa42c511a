// Tokenising in slices. Encoding takes microseconds a character, so that a text of a megabyte would
// hold the event loop for seconds.
//
// A text is cut where pre-tokenisation cuts it too: between a letter and a space or mark that begins
// the next word. No rule holds for every tokenizer, so each cut is checked on the characters around
// it: their tokens must be the same with the cut and without. SentencePiece writes the space before
// a word itself; there the cut takes a space away.

import type { TextTokenizer } from '../tokenizer.js';
import { RequestError } from './errors.js';

/** Characters of a slice: 10 to 20 ms. */
const SLICE = 4096;
/** Longest stretch without a cut. */
const LONGEST = 4 * SLICE;
/** Characters on each side of a cut that check it. */
const AROUND = 64;
/** Cuts of a slice that are tried. */
const TRIED = 8;
const WORD_BEGINS = /(?<=\p{L})[^\p{L}\p{N}\r\n](?=\p{L})/gu;

type Encode = TextTokenizer['encode'];

interface Cut {
  /** Where the slice ends. */
  readonly end: number;
  /** Where the next one begins. */
  readonly next: number;
}

/** Tokenises beside other work: `turn` is awaited before each slice. */
export class SlicedTokenizer {
  constructor(
    readonly tokenizer: TextTokenizer,
    readonly turn: () => Promise<void>,
  ) {}

  /**
   * Calls a function that encodes texts, as one that formats a conversation does. Short texts are
   * encoded at once; where there are longer ones the function is called again when their tokens are
   * known, so it must do the same each time.
   */
  async run<T>(body: (tokenizer: TextTokenizer) => T): Promise<T> {
    const known = new Map<string, number[]>();
    for (;;) {
      await this.turn();
      const unknown = new Map<string, Parameters<Encode>>();
      let room = SLICE;
      const encode: Encode = (...call) => {
        const key = JSON.stringify(call);
        const tokens = known.get(key);
        if (tokens) return tokens;
        room -= call[0].length;
        if (room >= 0) return this.tokenizer.encode(...call);
        unknown.set(key, call);
        return [];
      };
      const result = body(Object.create(this.tokenizer, { encode: { value: encode } }) as TextTokenizer);
      if (unknown.size === 0) return result;
      for (const [key, call] of unknown) known.set(key, await this.encode(...call));
    }
  }

  /**
   * The tokens of a text.
   *
   * @throws RequestError 400 when a stretch of 16384 characters has no word boundary, or what the
   * tokenizer throws.
   */
  async encode(...[text, special = true, ...rest]: Parameters<Encode>): Promise<number[]> {
    const parts: number[][] = [];
    const bare = (part: string) => this.tokenizer.encode(part, false, ...rest);
    let added: readonly [before: number[], after: number[]] = [[], []];
    for (let at = 0; at < text.length; ) {
      await this.turn();
      const { end, next } = text.length - at <= SLICE ? { end: text.length, next: text.length } : cutOf(text, at, bare);
      const slice = text.slice(at, end);
      if (at === 0 && end === text.length) return this.tokenizer.encode(text, special, ...rest);
      const tokens = bare(slice);
      parts.push(tokens);
      if (at === 0 && special) added = addedTo(this.tokenizer.encode(slice, true, ...rest), tokens);
      at = next;
    }
    return [added[0], ...parts, added[1]].flat();
  }
}

/** The special tokens around `tokens`. */
function addedTo(whole: number[], tokens: readonly number[]): [before: number[], after: number[]] {
  const count = whole.length - tokens.length;
  for (let before = 0; before <= count; before++)
    if (tokens.every((token, i) => token === whole[before + i]))
      return [whole.slice(0, before), whole.slice(before + tokens.length)];
  throw new Error('the tokenizer gives other tokens with its special tokens than without');
}

/** The last checked cut of the slice from `at`, or the first one after it. */
function cutOf(text: string, at: number, bare: (part: string) => number[]): Cut {
  for (let from = at; from < Math.min(text.length, at + LONGEST); from += SLICE) {
    const candidates = [...text.slice(from, from + SLICE).matchAll(WORD_BEGINS)].slice(-TRIED);
    for (const { index } of candidates.reverse()) {
      const end = from + index;
      const [left, right] = [text.slice(Math.max(at, end - AROUND), end), text.slice(end, end + AROUND)];
      const whole = bare(left + right);
      const before = bare(left);
      for (const dropped of right.startsWith(' ') ? [0, 1] : [0])
        if (same(whole, [...before, ...bare(right.slice(dropped))])) return { end, next: end + dropped };
    }
    if (text.length - from <= SLICE && text.length - at <= LONGEST) return { end: text.length, next: text.length };
  }
  throw new RequestError(400, `the text has ${LONGEST} characters from position ${at} on without a word boundary`);
}

const same = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((one, i) => one === b[i]);
