// Grammars as pushdown automata over bytes, made deterministic as far as texts go: a state is the
// set of all stacks that a text may have led to, and its transitions are computed once.

import { type Expression, GrammarError, normalised, type Rules } from './expression.js';
import { type ByteRange, utf8Sequences } from './utf8.js';

/** Elements of the program, each of which may be a position. */
const Op = {
  /** The alternative has ended. */
  End: 0,
  /** A byte of a set. */
  Bytes: 1,
  /** A rule. */
  Call: 2,
} as const;
type Op = (typeof Op)[keyof typeof Op];

/** Most elements of a grammar. */
const MOST_ELEMENTS = 500_000;

/** A grammar as rules over bytes. */
export interface Program {
  readonly ops: readonly Op[];
  /** Of bytes the set, of calls the rule. */
  readonly values: readonly number[];
  /** 256 flags each. */
  readonly sets: readonly Uint8Array[];
  /** Positions where the alternatives of each rule begin; rule 0 is the root. */
  readonly rules: readonly (readonly number[])[];
  /** Fewest bytes from a position to the end of its alternative. */
  readonly rest: Float64Array;
}

/**
 * Compiles a grammar.
 *
 * @throws GrammarError when no text matches it, when a rule begins with itself, or it is too large.
 */
export function compileGrammar(rules: Rules): Program {
  return new Compiler(rules).program();
}

class Compiler {
  readonly #ops: Op[] = [];
  readonly #values: number[] = [];
  readonly #sets: Uint8Array[] = [];
  readonly #setIds = new Map<string, number>();
  /** Alternatives of each rule, as positions. */
  readonly #rules: number[][] = [];
  readonly #names = new Map<string, number>();
  readonly #texts: string[] = [];
  /** Rules that stand for parts of expressions. */
  readonly #parts = new Map<Expression, number>();

  constructor(readonly source: Rules) {}

  program(): Program {
    for (const name of ['root', ...[...this.source.keys()].filter((one) => one !== 'root')]) {
      this.#names.set(name, this.#rules.push([]) - 1);
      this.#texts.push(name);
    }
    for (const [name, id] of this.#names) this.#define(id, this.source.get(name) as Expression);
    const rest = this.#fewestBytes();
    if (!Number.isFinite(this.#shortest(0, rest))) throw new GrammarError('the grammar matches no text');
    // What matches nothing is never begun.
    const rules = this.#rules.map((starts) => starts.filter((start) => Number.isFinite(rest[start] as number)));
    this.#requireNoLeftRecursion(rules, rest);
    return { ops: this.#ops, values: this.#values, sets: this.#sets, rules, rest };
  }

  /** Writes the alternatives of a rule behind the program. */
  #define(id: number, expression: Expression): void {
    const options = expression.kind === 'choice' ? expression.options : [expression];
    for (const option of options) {
      const code: [Op, number][] = [];
      this.#append(option, code);
      code.push([Op.End, 0]);
      this.#rules[id]?.push(this.#ops.length);
      for (const [op, value] of code) {
        this.#ops.push(op);
        this.#values.push(value);
      }
      if (this.#ops.length > MOST_ELEMENTS) throw new GrammarError('the grammar is too large');
    }
  }

  #append(expression: Expression, code: [Op, number][]): void {
    switch (expression.kind) {
      case 'literal':
        for (const byte of new TextEncoder().encode(expression.text)) code.push([Op.Bytes, this.#set([[byte, byte]])]);
        return;
      case 'sequence':
        for (const part of expression.parts) this.#append(part, code);
        return;
      case 'rule':
        code.push([Op.Call, this.#names.get(expression.name) as number]);
        return;
      case 'class': {
        const ranges = normalised(expression.ranges);
        if (ranges.length > 0 && ranges.every(([, high]) => high < 0x80)) code.push([Op.Bytes, this.#set(ranges)]);
        else code.push([Op.Call, this.#partRule(expression)]);
        return;
      }
      case 'repeat': {
        const { part, min, max } = expression;
        const one = (): void => {
          if (part.kind === 'literal' || part.kind === 'rule' || part.kind === 'class') this.#append(part, code);
          else code.push([Op.Call, this.#partRule(part)]);
        };
        for (let i = 0; i < min; i++) one();
        if (max > min) code.push([Op.Call, this.#partRule(expression)]);
        return;
      }
      case 'choice':
        code.push([Op.Call, this.#partRule(expression)]);
    }
  }

  /** A rule of its own for a part; the same part has one. */
  #partRule(expression: Expression): number {
    const known = this.#parts.get(expression);
    if (known !== undefined) return known;
    const id = this.#rules.push([]) - 1;
    this.#texts.push('');
    this.#parts.set(expression, id);
    if (expression.kind === 'class') this.#defineClass(id, expression.ranges);
    else if (expression.kind === 'repeat') this.#defineTail(id, expression);
    else this.#define(id, expression);
    return id;
  }

  /** One alternative for each shape of UTF-8; those of the same last bytes share one. */
  #defineClass(id: number, ranges: Parameters<typeof normalised>[0]): void {
    const byTail = new Map<string, { readonly first: ByteRange[]; readonly tail: readonly ByteRange[] }>();
    for (const range of normalised(ranges))
      for (const [first, ...tail] of utf8Sequences(range)) {
        const key = tail.join(';');
        const known = byTail.get(key);
        if (known) known.first.push(first as ByteRange);
        else byTail.set(key, { first: [first as ByteRange], tail });
      }
    for (const { first, tail } of byTail.values()) {
      this.#rules[id]?.push(this.#ops.length);
      for (const bytes of [first, ...tail.map((range) => [range])]) {
        this.#ops.push(Op.Bytes);
        this.#values.push(this.#set(bytes));
      }
      this.#ops.push(Op.End);
      this.#values.push(0);
    }
  }

  /** What follows the parts that must be there: r ::= part r | ε, or part (part (…)?)? | ε. */
  #defineTail(id: number, { part, min, max }: Extract<Expression, { kind: 'repeat' }>): void {
    let current = id;
    for (let left = max - min; left > 0; left--) {
      const next = Number.isFinite(left) && left > 1 ? this.#rules.push([]) - 1 : current;
      if (next !== current) this.#texts.push('');
      const code: [Op, number][] = [];
      this.#append(part, code);
      if (!Number.isFinite(left) || left > 1) code.push([Op.Call, next]);
      code.push([Op.End, 0]);
      this.#rules[current]?.push(this.#ops.length);
      for (const [op, value] of code) {
        this.#ops.push(op);
        this.#values.push(value);
      }
      this.#rules[current]?.push(this.#ops.length);
      this.#ops.push(Op.End);
      this.#values.push(0);
      if (!Number.isFinite(left)) return;
      current = next;
    }
  }

  #set(ranges: readonly ByteRange[]): number {
    const key = ranges.join(';');
    const known = this.#setIds.get(key);
    if (known !== undefined) return known;
    const flags = new Uint8Array(256);
    for (const [low, high] of ranges) flags.fill(1, low, high + 1);
    this.#setIds.set(key, this.#sets.length);
    return this.#sets.push(flags) - 1;
  }

  #shortest(id: number, rest: Float64Array): number {
    const starts = this.#rules[id] ?? [];
    return starts.reduce((least, start) => Math.min(least, rest[start] as number), Number.POSITIVE_INFINITY);
  }

  /** Fewest bytes behind each position, by repeated relaxation. */
  #fewestBytes(): Float64Array {
    const rest = new Float64Array(this.#ops.length).fill(Number.POSITIVE_INFINITY);
    const shortest = new Float64Array(this.#rules.length).fill(Number.POSITIVE_INFINITY);
    for (let changed = true; changed; ) {
      changed = false;
      for (let at = rest.length - 1; at >= 0; at--) {
        const op = this.#ops[at];
        const own = op === Op.Bytes ? 1 : op === Op.Call ? (shortest[this.#values[at] as number] as number) : 0;
        rest[at] = op === Op.End ? 0 : own + (rest[at + 1] as number);
      }
      this.#rules.forEach((_, id) => {
        const value = this.#shortest(id, rest);
        if (value === shortest[id]) return;
        shortest[id] = value;
        changed = true;
      });
    }
    return rest;
  }

  /** @throws GrammarError naming a rule that calls itself before any byte. */
  #requireNoLeftRecursion(rules: readonly (readonly number[])[], rest: Float64Array): void {
    const isEmpty = rules.map((starts) => starts.some((start) => rest[start] === 0));
    const first = rules.map((starts) => {
      const called = new Set<number>();
      for (const start of starts)
        for (let at = start; this.#ops[at] === Op.Call; at++) {
          called.add(this.#values[at] as number);
          if (!isEmpty[this.#values[at] as number]) break;
        }
      return [...called];
    });
    const done = new Set<number>();
    for (let root = 0; root < rules.length; root++) {
      // Depth first without recursion: grammars may be deep.
      const path: { readonly id: number; next: number }[] = done.has(root) ? [] : [{ id: root, next: 0 }];
      const open = new Set([root]);
      for (let top = path.at(-1); top; top = path.at(-1)) {
        const called = first[top.id]?.[top.next];
        top.next += 1;
        if (called === undefined) {
          path.pop();
          open.delete(top.id);
          done.add(top.id);
        } else if (open.has(called)) {
          const name = [called, ...path.map(({ id }) => id)].map((id) => this.#texts[id]).find(Boolean) ?? 'root';
          throw new GrammarError(
            `rule "${name}" begins with itself, or repeats what may be empty; write the recursion behind something`,
          );
        } else if (!done.has(called)) {
          path.push({ id: called, next: 0 });
          open.add(called);
        }
      }
    }
  }
}

/** A position with what follows its alternative. */
interface Stack {
  readonly id: number;
  readonly at: number;
  readonly parent: Stack | undefined;
  /** Fewest bytes to the end of the text. */
  readonly need: number;
}

/** All stacks that a text may have led to. */
export interface State {
  readonly stacks: readonly Stack[];
  /** Whether the text may end here. */
  readonly isEnd: boolean;
  /** Fewest bytes to an end. */
  readonly need: number;
  /** The state behind each byte: null where none is allowed, undefined while it is not known. */
  readonly next: (State | null | undefined)[];
  /** What was computed for the state, such as which tokens it allows. */
  memo: unknown;
}

/** States of a grammar, each of them once. They grow with the texts that were followed. */
export class Automaton {
  readonly #stacks = new Map<number, Map<number, Stack>>();
  readonly #states = new Map<string, State>();
  #count = 0;
  readonly start: State;

  constructor(readonly program: Program) {
    const found = new Set<Stack | null>();
    for (const at of program.rules[0] ?? []) this.#close(at, undefined, found, new Set());
    this.start = this.#stateOf(found) as State;
  }

  /** How many states there are. */
  get size(): number {
    return this.#states.size;
  }

  /** The state behind a byte; null where it is not allowed. */
  step(state: State, byte: number): State | null {
    const known = state.next[byte];
    if (known !== undefined) return known;
    const { sets, values } = this.program;
    const found = new Set<Stack | null>();
    const seen = new Set<number>();
    for (const { at, parent } of state.stacks)
      if (sets[values[at] as number]?.[byte]) this.#close(at + 1, parent, found, seen);
    const next = this.#stateOf(found);
    state.next[byte] = next;
    return next;
  }

  /** Follows calls and ends from a position to bytes; null stands for the end of the text. */
  #close(at: number, parent: Stack | undefined, found: Set<Stack | null>, seen: Set<number>): void {
    const { ops, values, rules } = this.program;
    const key = at + ((parent?.id ?? -1) + 1) * ops.length;
    if (seen.has(key)) return;
    seen.add(key);
    const op = ops[at];
    if (op === Op.End) {
      if (parent) this.#close(parent.at, parent.parent, found, seen);
      else found.add(null);
      return;
    }
    if (op === Op.Bytes) {
      found.add(this.#stack(at, parent));
      return;
    }
    // Behind a last call nothing is left to return to.
    const behind = ops[at + 1] === Op.End ? parent : this.#stack(at + 1, parent);
    for (const start of rules[values[at] as number] ?? []) this.#close(start, behind, found, seen);
  }

  #stack(at: number, parent: Stack | undefined): Stack {
    const key = parent?.id ?? -1;
    let children = this.#stacks.get(key);
    if (!children) {
      children = new Map();
      this.#stacks.set(key, children);
    }
    let stack = children.get(at);
    if (!stack) {
      stack = { id: this.#count++, at, parent, need: (this.program.rest[at] as number) + (parent?.need ?? 0) };
      children.set(at, stack);
    }
    return stack;
  }

  #stateOf(found: ReadonlySet<Stack | null>): State | null {
    if (found.size === 0) return null;
    const isEnd = found.has(null);
    const stacks = [...found].filter((stack) => stack !== null).sort((a, b) => a.id - b.id);
    const key = `${isEnd}${stacks.map(({ id }) => id).join()}`;
    let state = this.#states.get(key);
    if (!state) {
      const need = isEnd ? 0 : stacks.reduce((least, stack) => Math.min(least, stack.need), Number.POSITIVE_INFINITY);
      state = { stacks, isEnd, need, next: new Array(256), memo: undefined };
      this.#states.set(key, state);
    }
    return state;
  }
}
