// Steps of Hugging Face's tokenizer.json: normalisers, which change text; pre-tokenisers, which cut
// it into words; decoders, which turn tokens into text. A kind that is not here is refused by name.

import { byteCharacters } from '../bpe.js';
import { compilePattern } from './pattern.js';

/** Changes a section of text. */
export type Normalize = (text: string) => string;
/** Cuts a section of text into words; `first` for the section that begins the text. */
export type Cut = (words: readonly string[], first: boolean) => string[];
/** A token to decode: added tokens are text as they are. */
export interface Piece {
  readonly text: string;
  readonly added: boolean;
}
/** Turns tokens into pieces of text. */
export type Decode = (pieces: readonly Piece[]) => readonly Piece[];

type Fields = Readonly<Record<string, unknown>>;
/** What a step's type makes of its fields; `depth` counts sequences within sequences. */
type Makers<Step> = Readonly<Record<string, (fields: Fields, depth: number) => Step>>;

/** Longest text in UTF-16 code units that a step may make. */
const LONGEST = 2 ** 26;
/** Most steps of a sequence, and deepest nesting. */
const [MOST_STEPS, DEEPEST] = [64, 8];

/** A name in a file, for errors. */
export const nameOf = (given: unknown): string => (typeof given === 'string' ? given : 'none');

function stepOf<Step>(makers: Makers<Step>, what: string, given: unknown, depth: number): Step {
  const fields = (given ?? {}) as Fields;
  const type = nameOf(fields.type);
  const make = Object.hasOwn(makers, type) ? makers[type] : undefined;
  if (!make) throw new Error(`${what} of type "${type}" is not supported; ${Object.keys(makers).join(', ')} are`);
  return make(fields, depth);
}

function stepsOf<Step>(makers: Makers<Step>, what: string, given: unknown, depth: number): Step[] {
  if (!Array.isArray(given)) throw new Error(`a sequence of ${what}s has no list of them`);
  if (given.length > MOST_STEPS || depth >= DEEPEST)
    throw new Error(`a sequence of ${what}s is longer than ${MOST_STEPS} or nests deeper than ${DEEPEST}`);
  return given.map((one) => stepOf(makers, what, one, depth + 1));
}

function text(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value !== 'string') throw new Error(`a step of type "${nameOf(fields.type)}" lacks the text "${key}"`);
  return value;
}

function count(fields: Fields, key: string): number {
  const value = fields[key] ?? 0;
  if (typeof value !== 'number' || !(value >= 0 && value <= 1024))
    throw new Error(`"${key}" of a step of type "${nameOf(fields.type)}" must be a number from 0 to 1024`);
  return value;
}

/** The pattern of a step, `{ String }` or `{ Regex }`. */
function patternOf(fields: Fields): RegExp {
  const { String: plain, Regex: regex } = (fields.pattern ?? {}) as { String?: unknown; Regex?: unknown };
  if (typeof plain === 'string' && plain !== '') return new RegExp(plain.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'gu');
  if (typeof regex === 'string') return compilePattern(regex);
  throw new Error(`a step of type "${nameOf(fields.type)}" has no pattern`);
}

function replacer(fields: Fields): (text: string) => string {
  const [pattern, content] = [patternOf(fields), text(fields, 'content')];
  return (given) => {
    if (content.length > 1 && given.length * content.length > LONGEST)
      throw new Error(`a replacement makes the text longer than ${LONGEST} characters`);
    return given.replace(pattern, () => content);
  };
}

const unicode = (form: 'NFC' | 'NFD' | 'NFKC' | 'NFKD') => () => (given: string) => given.normalize(form);

const normalizers: Makers<Normalize> = {
  Sequence: ({ normalizers: given }, depth) => {
    const steps = stepsOf(normalizers, 'normalizer', given, depth);
    return (given) => steps.reduce((result, step) => step(result), given);
  },
  ...{ NFC: unicode('NFC'), NFD: unicode('NFD'), NFKC: unicode('NFKC'), NFKD: unicode('NFKD') },
  Lowercase: () => (given) => given.toLowerCase(),
  Prepend: (fields) => {
    const prefix = text(fields, 'prepend');
    return (given) => (given === '' ? given : prefix + given);
  },
  Replace: replacer,
  Strip:
    ({ strip_left: left, strip_right: right }) =>
    (given) => {
      const cut = left === true ? given.trimStart() : given;
      return right === true ? cut.trimEnd() : cut;
    },
};

const behaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const;
type Behavior = (typeof behaviors)[number];

function behaviorOf({ behavior = 'Isolated' }: Fields): Behavior {
  const found = behaviors.find((one) => one.toLowerCase() === nameOf(behavior).toLowerCase());
  if (!found) throw new Error(`behavior "${nameOf(behavior)}" is not supported; ${behaviors.join(', ')} are`);
  return found;
}

/** Matches and what lies between them, in order. */
function spans(given: string, pattern: RegExp, invert: boolean): { text: string; match: boolean }[] {
  const all: { text: string; match: boolean }[] = [];
  const push = (part: string, match: boolean) => {
    if (part !== '') all.push({ text: part, match: match !== invert });
  };
  let from = 0;
  for (const { 0: found, index } of given.matchAll(pattern)) {
    push(given.slice(from, index), false);
    push(found, true);
    from = index + found.length;
  }
  push(given.slice(from), false);
  return all;
}

/** Cuts words at the matches of a pattern. */
function cutter(pattern: RegExp, behavior: Behavior, invert = false): Cut {
  const one = (word: string): string[] => {
    const all = spans(word, pattern, invert);
    if (behavior === 'Isolated') return all.map((span) => span.text);
    if (behavior === 'Removed') return all.filter(({ match }) => !match).map((span) => span.text);
    const joins = (left: boolean, right: boolean) =>
      behavior === 'Contiguous' ? left === right : behavior === 'MergedWithPrevious' ? right && !left : left && !right;
    const words: string[] = [];
    all.forEach((span, i) => {
      const before = all[i - 1];
      if (before && joins(before.match, span.match)) words.push((words.pop() as string) + span.text);
      else words.push(span.text);
    });
    return words;
  };
  return (words) => words.flatMap(one);
}

/** GPT-2's pattern. */
export const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

const characters = byteCharacters();
const bytesOfCharacters = new Map(characters.map((character, byte) => [character, byte]));
const encoder = new TextEncoder();

/** The bytes of a word, one character each. */
export const byteText = (word: string): string =>
  Array.from(encoder.encode(word), (byte) => characters[byte] as string).join('');

const scheme = (fields: Fields): string => {
  const given = fields.prepend_scheme ?? (fields.add_prefix_space === false ? 'never' : 'always');
  if (given !== 'always' && given !== 'never' && given !== 'first')
    throw new Error(`prepend_scheme "${nameOf(given)}" is not supported; always, never and first are`);
  return given;
};

const preTokenizers: Makers<Cut> = {
  Sequence: ({ pretokenizers: given }, depth) => {
    const steps = stepsOf(preTokenizers, 'pre_tokenizer', given, depth);
    return (words, first) => steps.reduce<string[]>((result, step) => step(result, first), [...words]);
  },
  ByteLevel: ({ add_prefix_space: prefix = true, use_regex: regex = true }) => {
    const cut = regex === false ? undefined : cutter(compilePattern(GPT2), 'Isolated');
    const spaced = (word: string) => (prefix === true && !word.startsWith(' ') ? ` ${word}` : word);
    return (words, first) => {
      const own = words.map(spaced);
      return (cut ? cut(own, first) : own).map(byteText);
    };
  },
  Split: (fields) => cutter(patternOf(fields), behaviorOf(fields), fields.invert === true),
  Digits: ({ individual_digits: individual }) => cutter(/\p{N}/gu, individual === true ? 'Isolated' : 'Contiguous'),
  Punctuation: (fields) => cutter(/[\p{P}!-/:-@[-`{-~]/gu, behaviorOf(fields)),
  Whitespace: () => cutter(compilePattern('\\w+|[^\\w\\s]+'), 'Removed', true),
  WhitespaceSplit: () => cutter(compilePattern('\\s'), 'Removed'),
  Metaspace: (fields) => {
    const [mark, prepend] = [text({ replacement: '▁', ...fields }, 'replacement'), scheme(fields)];
    const cut = fields.split === false ? undefined : cutter(patternOf({ pattern: { String: mark } }), 'MergedWithNext');
    return (words, first) => {
      const own = words.map((word) => {
        const marked = word.replaceAll(' ', () => mark);
        const needed = prepend === 'always' || (prepend === 'first' && first);
        return needed && !marked.startsWith(mark) ? mark + marked : marked;
      });
      return cut ? cut(own, first) : own;
    };
  },
};

const plain = (given: string): Piece => ({ text: given, added: true });

/** Runs of bytes as text; `bytesOf` is undefined for pieces that are none. */
function decodeBytes(pieces: readonly Piece[], bytesOf: (piece: Piece) => readonly number[] | undefined): Piece[] {
  const decoded: Piece[] = [];
  let run: number[] = [];
  const flush = () => {
    if (run.length > 0) decoded.push(plain(new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(run))));
    run = [];
  };
  for (const piece of pieces) {
    const bytes = bytesOf(piece);
    if (bytes) {
      for (const byte of bytes) run.push(byte);
      continue;
    }
    flush();
    decoded.push(piece);
  }
  flush();
  return decoded;
}

/** Bytes of a token of byte-level BPE; one with other characters is UTF-8. */
function byteLevelBytes({ text: token, added }: Piece): readonly number[] {
  const bytes = added ? [] : Array.from(token, (character) => bytesOfCharacters.get(character));
  return added || bytes.includes(undefined) ? Array.from(encoder.encode(token)) : (bytes as number[]);
}

/** The byte of a token that stands for one. */
function fallbackByte({ text: token, added }: Piece): readonly number[] | undefined {
  const [, byte] = (added ? undefined : /^<0x([0-9A-Fa-f]{2})>$/.exec(token)) ?? [];
  return byte === undefined ? undefined : [Number.parseInt(byte, 16)];
}

const each =
  (change: (given: string, at: number) => string): Decode =>
  (pieces) =>
    pieces.map((piece, at) => ({ ...piece, text: change(piece.text, at) }));

const decoders: Makers<Decode> = {
  Sequence: ({ decoders: given }, depth) => {
    const steps = stepsOf(decoders, 'decoder', given, depth);
    return (pieces) => steps.reduce((result, step) => step(result), pieces);
  },
  ByteLevel: () => (pieces) => decodeBytes(pieces, byteLevelBytes),
  ByteFallback: () => (pieces) => decodeBytes(pieces, fallbackByte),
  Fuse: () => (pieces) => [plain(pieces.map((piece) => piece.text).join(''))],
  Replace: (fields) => each(replacer(fields)),
  Strip: (fields) => {
    const [content, start, stop] = [text(fields, 'content'), count(fields, 'start'), count(fields, 'stop')];
    return each((given) => {
      let [from, to] = [0, given.length];
      while (from < Math.min(start, to) && given[from] === content) from++;
      while (given.length - to < stop && to > from && given[to - 1] === content) to--;
      return given.slice(from, to);
    });
  },
  Metaspace: (fields) => {
    const [mark, prepend] = [text({ replacement: '▁', ...fields }, 'replacement'), scheme(fields)];
    return each((given, at) => {
      const own = at === 0 && prepend !== 'never' && given.startsWith(mark) ? given.slice(mark.length) : given;
      return own.replaceAll(mark, ' ');
    });
  },
};

/** The normaliser of tokenizer.json. @throws Error naming what is not supported. */
export const normalizerOf = (given: unknown): Normalize =>
  given === null || given === undefined ? (same) => same : stepOf(normalizers, 'normalizer', given, 0);

/** The pre-tokeniser of tokenizer.json. @throws Error naming what is not supported. */
export const preTokenizerOf = (given: unknown): Cut =>
  given === null || given === undefined ? (words) => [...words] : stepOf(preTokenizers, 'pre_tokenizer', given, 0);

/**
 * The bytes of a token for a decoder of tokenizer.json: byte-level BPE has a character for each
 * byte, SentencePiece writes "▁" for a space and "<0xF0>" for a byte.
 */
export function pieceBytesOf(decoder: unknown): (piece: Piece) => readonly number[] {
  const kinds = JSON.stringify(decoder ?? null);
  const utf8 = (given: string) => Array.from(encoder.encode(given));
  if (kinds.includes('"ByteLevel"')) return byteLevelBytes;
  if (!kinds.includes('"ByteFallback"')) return (piece) => utf8(piece.text);
  return (piece) => fallbackByte(piece) ?? utf8(piece.added ? piece.text : piece.text.replaceAll('▁', ' '));
}

/** The decoder of tokenizer.json. @throws Error naming what is not supported. */
export function decoderOf(given: unknown): (pieces: readonly Piece[]) => string {
  const decode: Decode =
    given === null || given === undefined ? (pieces) => pieces : stepOf(decoders, 'decoder', given, 0);
  const between = given === null || given === undefined ? ' ' : '';
  return (pieces) =>
    decode(pieces)
      .map((piece) => piece.text)
      .join(between);
}
