// Text that remembers which of its characters a template wrote and which came from a conversation.
// Only what a template wrote may become control tokens.

/** Python's white space (`str.strip`), which differs from JavaScript's. */
const SPACE = new Set(
  '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
);

/** Most pieces that a text is cut into. */
const PIECES = 500_000;

function requirePieces(count: number): void {
  if (count > PIECES) throw new Error(`a text is cut into more than ${PIECES} pieces`);
}

const [TEMPLATE, MESSAGE] = ['t', 'm'] as const;

/** A string with one mark per code unit: 't' for the template's, 'm' for a message's. */
export class MarkedText {
  private constructor(
    readonly value: string,
    readonly marks: string,
  ) {}

  /** Text that the template wrote. */
  static ofTemplate(value: string): MarkedText {
    return new MarkedText(value, TEMPLATE.repeat(value.length));
  }

  /** Text that came from a message, a tool or another variable. */
  static ofMessage(value: string): MarkedText {
    return new MarkedText(value, MESSAGE.repeat(value.length));
  }

  get length(): number {
    return this.value.length;
  }

  /** Whether a message wrote any of it. */
  get hasMessage(): boolean {
    return this.marks.includes(MESSAGE);
  }

  plus(other: MarkedText): MarkedText {
    return new MarkedText(this.value + other.value, this.marks + other.marks);
  }

  /** Code units [from, to). */
  slice(from: number, to?: number): MarkedText {
    return new MarkedText(this.value.slice(from, to), this.marks.slice(from, to));
  }

  /**
   * The text with other letters, such as capitals. Marks stay in place; where the length changes,
   * everything counts as a message's if any of it was.
   */
  mapped(change: (value: string) => string): MarkedText {
    const value = change(this.value);
    if (value.length === this.length) return new MarkedText(value, this.marks);
    return this.hasMessage ? MarkedText.ofMessage(value) : MarkedText.ofTemplate(value);
  }

  /** The characters (code points). */
  characters(): MarkedText[] {
    requirePieces(this.length / 2);
    let at = 0;
    return Array.from(this.value, (character) => {
      at += character.length;
      return this.slice(at - character.length, at);
    });
  }

  /** Without white space, or without the characters given, at the sides given. */
  stripped(sides: 'both' | 'left' | 'right', characters?: string): MarkedText {
    const set = characters === undefined ? SPACE : new Set(characters);
    const goes = (at: number) => set.has(this.value[at] as string);
    let [from, to] = [0, this.length];
    if (sides !== 'right') while (from < to && goes(from)) from++;
    if (sides !== 'left') while (to > from && goes(to - 1)) to--;
    return this.slice(from, to);
  }

  /** Pieces between separators: at most `most` cuts; all for −1. */
  split(separator: string, most = -1): MarkedText[] {
    const pieces: MarkedText[] = [];
    let from = 0;
    while (most < 0 || pieces.length < most) {
      const at = this.value.indexOf(separator, from);
      if (at < 0) break;
      requirePieces(pieces.length);
      pieces.push(this.slice(from, at));
      from = at + separator.length;
    }
    return [...pieces, this.slice(from)];
  }

  /** Runs of characters other than white space: at most `most` cuts; all for −1. */
  words(most = -1): MarkedText[] {
    const text = this.stripped('left');
    const pieces: MarkedText[] = [];
    let from = 0;
    while (from < text.length) {
      if (most >= 0 && pieces.length === most) {
        pieces.push(text.slice(from));
        break;
      }
      requirePieces(pieces.length);
      let to = from;
      while (to < text.length && !SPACE.has(text.value[to] as string)) to++;
      pieces.push(text.slice(from, to));
      from = to;
      while (from < text.length && SPACE.has(text.value[from] as string)) from++;
    }
    return pieces;
  }

  /** With another text in the place of `old`: at most `most` times; always for −1. */
  replaced(old: string, by: MarkedText, most = -1): MarkedText {
    if (old !== '') return joinText(this.split(old, most), by);
    const characters = this.characters();
    const count = most < 0 ? characters.length + 1 : Math.min(most, characters.length + 1);
    const pieces = characters.map((character, i) => (i < count ? by.plus(character) : character));
    return joinText(count > characters.length ? [...pieces, by] : pieces, EMPTY);
  }

  /** Maximal pieces of one origin each. */
  parts(): { text: string; control: boolean }[] {
    const parts: { text: string; control: boolean }[] = [];
    for (const { 0: run, index } of this.marks.matchAll(/t+|m+/g))
      parts.push({ text: this.value.slice(index, index + run.length), control: run[0] === TEMPLATE });
    return parts;
  }
}

/** The empty text. */
export const EMPTY = MarkedText.ofTemplate('');

/** Texts with a separator between them. */
export function joinText(pieces: readonly MarkedText[], separator: MarkedText): MarkedText {
  return pieces.reduce((all, piece, i) => (i === 0 ? piece : all.plus(separator).plus(piece)), EMPTY);
}
