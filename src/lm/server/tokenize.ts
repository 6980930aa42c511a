// Tokenising in slices. Encoding takes microseconds a character, so that a text of a megabyte would
// hold the event loop for seconds.
//
// A text is cut where pre-tokenisation cuts it too: between a letter and a space or mark that
// begins the next word. No rule holds for every tokenizer, so each cut is checked on the characters
// around it: their tokens must be the same with the cut and without. SentencePiece writes the space
// before a word itself; there the cut takes a space away.

import { RequestError } from '../../distributed/http/errors.js';
import type { TextTokenizer } from '../tokenizer/index.js';

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

/** What is encoded: a text, or parts of a prompt with what the tokenizer should know of them. */
type Given = string | readonly { readonly text: string }[];

const textOf = (given: Given): string => (typeof given === 'string' ? given : given.map(({ text }) => text).join(''));

/** The characters [from, to) of a text or of parts, which stay parts. */
function rangeOf(given: Given, from: number, to: number): Given {
  if (typeof given === 'string') return given.slice(from, to);
  let end = 0;
  return given.flatMap((part) => {
    const start = end;
    end += part.text.length;
    const text = part.text.slice(Math.max(0, from - start), Math.max(0, to - start));
    return text === '' ? [] : [{ ...part, text }];
  });
}

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
        room -= textOf(call[0]).length;
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
  async encode(...[given, special = true, ...rest]: Parameters<Encode>): Promise<number[]> {
    const text = textOf(given);
    const range = (from: number, to: number) => rangeOf(given, from, to) as Parameters<Encode>[0];
    const bare = (from: number, to: number) => this.tokenizer.encode(range(from, to), false, ...rest);
    const parts: number[][] = [];
    let added: readonly [before: number[], after: number[]] = [[], []];
    for (let at = 0; at < text.length; ) {
      await this.turn();
      const { end, next } = text.length - at <= SLICE ? { end: text.length, next: text.length } : cutOf(text, at, bare);
      if (at === 0 && end === text.length) return this.tokenizer.encode(given, special, ...rest);
      const tokens = bare(at, end);
      parts.push(tokens);
      if (at === 0 && special) added = addedTo(this.tokenizer.encode(range(0, end), true, ...rest), tokens);
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
function cutOf(text: string, at: number, bare: (from: number, to: number) => number[]): Cut {
  for (let from = at; from < Math.min(text.length, at + LONGEST); from += SLICE) {
    const candidates = [...text.slice(from, from + SLICE).matchAll(WORD_BEGINS)].slice(-TRIED);
    for (const { index } of candidates.reverse()) {
      const end = from + index;
      const [left, right] = [Math.max(at, whole(text, end - AROUND)), whole(text, end + AROUND)];
      const uncut = bare(left, right);
      const before = bare(left, end);
      for (const dropped of text[end] === ' ' ? [0, 1] : [0])
        if (same(uncut, [...before, ...bare(end + dropped, right)])) return { end, next: end + dropped };
    }
    if (text.length - from <= SLICE && text.length - at <= LONGEST) return { end: text.length, next: text.length };
  }
  throw new RequestError(400, `the text has ${LONGEST} characters from position ${at} on without a word boundary`);
}

/** A position that does not cut a surrogate pair. */
const whole = (text: string, at: number) => (/[\udc00-\udfff]/.test(text[at] ?? '') ? at - 1 : at);

const same = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((one, i) => one === b[i]);
