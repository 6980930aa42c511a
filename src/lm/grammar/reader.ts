// What readers of notations for expressions share: the place in the text, repetitions in sequence,
// and groups.

import { type Expression, repeat, sequence } from './expression.js';

/** Most times of a counted repetition. */
const MOST_REPEATS = 10_000;

/** Reads a text from its beginning. */
export abstract class ExpressionReader {
  /** Place of the next character. */
  protected at = 0;
  /** Groups that are open. */
  protected depth = 0;

  /** @param deepest nesting of groups, so that a text cannot exhaust the stack */
  constructor(
    readonly source: string,
    readonly deepest: number,
  ) {}

  /** @throws GrammarError with the place and the reason */
  protected abstract fail(reason: string): never;

  /** The next part with what repeats it; undefined where a sequence ends. */
  protected abstract repeated(): Expression | undefined;

  /** The next character; empty at the end. */
  protected peek(): string {
    return this.source[this.at] ?? '';
  }

  /** Passes a text where it stands next. */
  protected take(text: string): boolean {
    if (!this.source.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  /** Passes what a sticky pattern matches next. */
  protected match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.source) ?? undefined;
    this.at += found?.[0].length ?? 0;
    return found;
  }

  /** Passes the next code point; undefined at the end. */
  protected point(): number | undefined {
    const point = this.source.codePointAt(this.at);
    if (point !== undefined) this.at += point > 0xffff ? 2 : 1;
    return point;
  }

  protected sequence(): Expression {
    const parts: Expression[] = [];
    for (let part = this.repeated(); part; part = this.repeated()) parts.push(part);
    return sequence(...parts);
  }

  /** What `read` reads of a group, up to its ). @param missing the error where that is not next */
  protected group(read: () => Expression, missing: string): Expression {
    this.depth += 1;
    if (this.depth > this.deepest) this.fail(`groups nest more than ${this.deepest} deep`);
    const inner = read();
    if (!this.take(')')) this.fail(missing);
    this.depth -= 1;
    return inner;
  }

  /** A counted repetition; without `comma` exactly `low` times, without `high` any number above. */
  protected counted(part: Expression, low: string, comma: string | undefined, high: string | undefined): Expression {
    const min = Number(low);
    const max = comma === undefined ? min : high ? Number(high) : Number.POSITIVE_INFINITY;
    if (max < min || Math.max(min, Number.isFinite(max) ? max : 0) > MOST_REPEATS)
      this.fail(`a repetition has 0 to ${MOST_REPEATS} times, the second number not below the first`);
    return repeat(part, min, max);
  }
}
