// Regular expressions of JSON Schema, as grammars of the content of JSON strings: quotation marks,
// backslashes and control characters are escaped there.

import {
  type CodeRange,
  choice,
  complement,
  type Expression,
  GrammarError,
  literal,
  normalised,
  repeat,
  sequence,
} from './expression.js';
import { character, PLAIN } from './json.js';
import { ExpressionReader } from './reader.js';

const CONTROLS: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f', v: '\v', 0: '\0' };
const SETS: Readonly<Record<string, readonly CodeRange[]>> = {
  d: [[0x30, 0x39]],
  w: [
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x5f, 0x5f],
    [0x61, 0x7a],
  ],
  s: [
    [0x09, 0x0d],
    [0x20, 0x20],
    [0xa0, 0xa0],
    [0x2028, 0x2029],
    [0x3000, 0x3000],
  ],
};

/** Strings of the control characters that JSON has letters for, and of the two marks. */
const ESCAPED = ['"', '\\', '\b', '\t', '\n', '\f', '\r'];

/** Characters of a class as they stand in JSON; of other control characters none. */
function written(ranges: readonly CodeRange[]): Expression {
  const plain = complement([...complement(ranges), ...complement(PLAIN)]);
  const has = (point: number) => ranges.some(([low, high]) => point >= low && point <= high);
  const escaped = ESCAPED.filter((one) => has(one.charCodeAt(0))).map((one) =>
    literal(JSON.stringify(one).slice(1, -1)),
  );
  return choice({ kind: 'class', ranges: plain }, ...escaped);
}

/**
 * Reads a pattern. As in JSON Schema it may match anywhere, unless ^ and $ hold it at the ends.
 *
 * @param place where it stands, for errors
 * @throws GrammarError for what is not a regular language, or cannot be read.
 */
export function readPattern(source: string, place: string): Expression {
  return new PatternReader(source, place).pattern();
}

class PatternReader extends ExpressionReader {
  constructor(
    source: string,
    readonly place: string,
  ) {
    super(source, 50);
  }

  pattern(): Expression {
    // Anchors of each alternative, as in ^a|b$, are those of its ends.
    const options: Expression[] = [];
    do {
      const begins = this.take('^');
      const inner = this.sequence();
      const ends = this.take('$');
      const any = repeat(character, 0);
      options.push(sequence(...(begins ? [] : [any]), inner, ...(ends ? [] : [any])));
    } while (this.take('|'));
    if (this.at < this.source.length) this.fail(`"${this.source[this.at]}" is not supported here`);
    return choice(...options);
  }

  protected fail(reason: string): never {
    throw new GrammarError(`${this.place}: ${reason} (character ${this.at + 1} of ${JSON.stringify(this.source)})`);
  }

  protected repeated(): Expression | undefined {
    const part = this.#single();
    if (!part) return undefined;
    const found = this.match(/(\*)|(\+)|(\?)|\{(\d+)(,(\d*))?\}/y);
    if (!found) return part;
    // Whether it takes as much or as little as it can changes no language.
    this.take('?');
    const [, star, plus, , low, comma, high] = found;
    if (star) return repeat(part, 0);
    if (plus) return repeat(part, 1);
    return low === undefined ? repeat(part, 0, 1) : this.counted(part, low, comma, high);
  }

  #single(): Expression | undefined {
    const next = this.source[this.at];
    if (next === undefined || '|)$^'.includes(next)) return undefined;
    if ('*+?{'.includes(next)) this.fail(`"${next}" repeats nothing`);
    if (this.take('(')) return this.#group();
    if (this.take('[')) return written(this.#class());
    if (this.take('.'))
      return written(
        complement([
          [0x0a, 0x0a],
          [0x0d, 0x0d],
          [0x2028, 0x2029],
        ]),
      );
    if (this.take('\\')) return written(this.#escape());
    const point = this.point() as number;
    return written([[point, point]]);
  }

  #group(): Expression {
    if (this.source[this.at] === '?' && !this.take('?:')) this.fail('of groups (…) and (?:…) are supported');
    const missing = 'expected ); ^ and $ are supported at the ends of the pattern alone';
    return this.group(() => {
      const options = [this.sequence()];
      while (this.take('|')) options.push(this.sequence());
      return choice(...options);
    }, missing);
  }

  #class(): CodeRange[] {
    const isOutside = this.take('^');
    const ranges: CodeRange[] = [];
    while (!this.take(']')) {
      const low = this.#inClass();
      const isRange = this.source[this.at] === '-' && this.source[this.at + 1] !== ']';
      if (!isRange || low.length !== 1 || low[0]?.[0] !== low[0]?.[1]) {
        ranges.push(...low);
        continue;
      }
      this.at += 1;
      const high = this.#inClass();
      const [from, to] = [low[0]?.[0] as number, high[0]?.[1] as number];
      if (high.length !== 1 || to < from) this.fail('a range begins behind its end');
      ranges.push([from, to]);
    }
    return isOutside ? complement(ranges) : normalised(ranges);
  }

  #inClass(): readonly CodeRange[] {
    if (this.take('\\')) return this.source[this.at] === 'b' && this.take('b') ? [[8, 8]] : this.#escape();
    const point = this.point() ?? this.fail('expected ]');
    return [[point, point]];
  }

  /** What stands behind a backslash. */
  #escape(): readonly CodeRange[] {
    const kind = this.source[this.at] ?? this.fail('expected an escape');
    const [all, ...digits] = this.match(/x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}/y) ?? [];
    if (all === undefined) this.at += 1;
    else {
      const point = Number.parseInt(digits.find((one) => one !== undefined) as string, 16);
      return [[point, point]];
    }
    if (SETS[kind]) return SETS[kind];
    const lower = SETS[kind.toLowerCase()];
    if (lower) return complement(lower);
    const control = CONTROLS[kind];
    if (control !== undefined) return [[control.charCodeAt(0), control.charCodeAt(0)]];
    if (/[A-Za-z0-9]/.test(kind)) this.fail(`\\${kind} is not supported`);
    return [[kind.charCodeAt(0), kind.charCodeAt(0)]];
  }
}
