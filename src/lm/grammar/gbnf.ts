// GBNF, llama.cpp's notation of grammars.

import {
  type CodeRange,
  choice,
  complement,
  type Expression,
  GrammarError,
  literal,
  normalised,
  type Rules,
  repeat,
  rule,
} from './expression.js';
import { ExpressionReader } from './reader.js';

/** Escapes of one character. */
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };
/** Digits of escapes by code point. */
const DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
const NAME = /[A-Za-z0-9_-]+/y;

/**
 * Reads a grammar: rules `name ::= …`, of which `root` is the whole text; literals, classes `[a-z]`
 * and `[^"]`, `.`, groups, alternatives, `*`, `+`, `?`, `{m}`, `{m,}`, `{m,n}`, and comments with
 * #.
 *
 * @throws GrammarError with the line of what cannot be read.
 */
export function readGbnf(source: string): Rules {
  return new GbnfReader(source).rules();
}

class GbnfReader extends ExpressionReader {
  constructor(source: string) {
    super(source, 100);
  }

  rules(): Rules {
    const rules = new Map<string, Expression>();
    for (this.#space(true); this.at < this.source.length; this.#space(true)) {
      const name = this.#name();
      if (name === undefined) this.fail('expected the name of a rule');
      this.#space(false);
      if (!this.take('::=')) this.fail(`expected ::= behind "${name}"`);
      this.#space(true);
      const body = this.#alternatives();
      const known = rules.get(name);
      rules.set(name, known ? choice(known, body) : body);
      if (this.at < this.source.length && !/[\r\n]/.test(this.peek())) this.fail('expected the end of the rule');
    }
    for (const expression of rules.values()) this.#requireKnown(expression, rules);
    if (!rules.has('root')) throw new GrammarError('the grammar has no rule "root"');
    return rules;
  }

  #requireKnown(expression: Expression, rules: Rules): void {
    if (expression.kind === 'rule' && !rules.has(expression.name))
      throw new GrammarError(`the grammar has no rule "${expression.name}"`);
    if (expression.kind === 'repeat') this.#requireKnown(expression.part, rules);
    if (expression.kind === 'sequence') for (const part of expression.parts) this.#requireKnown(part, rules);
    if (expression.kind === 'choice') for (const option of expression.options) this.#requireKnown(option, rules);
  }

  protected fail(reason: string): never {
    const before = this.source.slice(0, this.at).split('\n');
    throw new GrammarError(`grammar, line ${before.length}, column ${(before.at(-1) ?? '').length + 1}: ${reason}`);
  }

  #space(lines: boolean): void {
    this.match(lines ? /(?:[ \t\r\n]|#[^\n]*)*/y : /(?:[ \t]|#[^\n]*)*/y);
  }

  #name(): string | undefined {
    return this.match(NAME)?.[0];
  }

  #alternatives(): Expression {
    const options = [this.sequence()];
    while (this.take('|')) {
      this.#space(true);
      options.push(this.sequence());
    }
    return choice(...options);
  }

  protected repeated(): Expression | undefined {
    let part = this.#single();
    if (!part) return undefined;
    for (;;) {
      this.#space(this.depth > 0);
      if (this.take('*')) part = repeat(part, 0);
      else if (this.take('+')) part = repeat(part, 1);
      else if (this.take('?')) part = repeat(part, 0, 1);
      else if (this.peek() === '{') part = this.#times(part);
      else return part;
    }
  }

  #times(part: Expression): Expression {
    const pattern = /\{\s*(\d+)\s*(,\s*(\d*)\s*)?\}/y;
    pattern.lastIndex = this.at;
    const [all, low = '', comma, high] = pattern.exec(this.source) ?? [];
    if (all === undefined) this.fail('expected {m}, {m,} or {m,n}');
    const counted = this.counted(part, low, comma, high);
    this.at += all.length;
    return counted;
  }

  #single(): Expression | undefined {
    if (this.take('"')) return this.#literal();
    if (this.take('[')) return this.#class();
    if (this.take('.')) return { kind: 'class', ranges: complement([]) };
    if (this.take('(')) return this.group(() => this.#inner(), 'expected )');
    if (this.peek() === '<') this.fail('tokens as <…> are not supported; write their text');
    const name = this.#name();
    return name === undefined ? undefined : rule(name);
  }

  #inner(): Expression {
    this.#space(true);
    const inner = this.#alternatives();
    this.#space(true);
    return inner;
  }

  #literal(): Expression {
    let text = '';
    while (!this.take('"')) text += String.fromCodePoint(this.#character('"'));
    return literal(text);
  }

  #class(): Expression {
    const isOutside = this.take('^');
    const ranges: CodeRange[] = [];
    while (!this.take(']')) {
      const low = this.#character(']');
      const isRange = this.peek() === '-' && this.source[this.at + 1] !== ']';
      if (isRange) this.at += 1;
      const high = isRange ? this.#character(']') : low;
      if (high < low) this.fail('a range begins behind its end');
      ranges.push([low, high]);
    }
    return { kind: 'class', ranges: isOutside ? complement(ranges) : normalised(ranges) };
  }

  /** A code point, or an escape; `end` closes what it stands in. */
  #character(end: string): number {
    const point = this.source.codePointAt(this.at);
    if (point === undefined || point === 0x0a) this.fail(`expected ${end} before the end of the line`);
    this.at += point > 0xffff ? 2 : 1;
    if (point !== 0x5c) return point;
    const kind = this.peek();
    this.at += 1;
    const digits = DIGITS[kind];
    if (digits === undefined) return (ESCAPES[kind] ?? kind).codePointAt(0) ?? this.fail('expected an escape');
    const hex = this.source.slice(this.at, this.at + digits);
    const value = Number.parseInt(hex, 16);
    if (!/^[0-9a-fA-F]+$/.test(hex) || hex.length < digits || value > 0x10ffff)
      this.fail(`expected ${digits} hexadecimal digits of a character`);
    this.at += digits;
    return value;
  }
}
