// Tool calls: how models write them, the grammar that holds them to it, and what they called.

import {
  choice,
  complement,
  type Expression,
  literal,
  optional,
  type Rules,
  repeat,
  rule,
  sequence,
} from './grammar/expression.js';
import { SchemaReader } from './grammar/schema.js';

/** A function that a model may call. */
export interface Tool {
  /** Letters, digits, _ and -. */
  readonly name: string;
  /** JSON Schema of its arguments, an object. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** How a chat template has calls written: each in marks of its own, or as the whole answer. */
export interface CallForm {
  /** What a call begins with; empty when the answer is a call or a text. */
  readonly begin: string;
  /** What it ends with. */
  readonly end: string;
  /** Name of the field with the arguments. */
  readonly field: 'arguments' | 'parameters';
}

const MARKED: CallForm = { begin: '<tool_call>\n', end: '\n</tool_call>', field: 'arguments' };
const BARE: CallForm = { begin: '', end: '', field: 'parameters' };

/** The form that a chat template asks for; undefined when it is none that is known. */
export function callFormOf(template: string): CallForm | undefined {
  if (template.includes('<tool_call>')) return MARKED;
  return template.includes('"parameters"') && template.includes('tools') ? BARE : undefined;
}

/** Which calls an answer has: some or none, one or more, or those of one function. */
export type CallChoice = 'auto' | 'required' | { readonly name: string };

/** Options of `toolRules`. */
export interface ToolOptions {
  readonly choice: CallChoice;
  /** Whether an answer may have several calls. */
  readonly parallel: boolean;
}

/**
 * The grammar of answers with calls: texts between them are free.
 *
 * @param onSchema called with the number of each tool before its schema is read
 * @throws GrammarError when a schema cannot be kept.
 */
export function toolRules(
  tools: readonly Tool[],
  form: CallForm,
  { choice: wanted, parallel }: ToolOptions,
  onSchema: (i: number) => void = () => {},
): Rules {
  const rules = new Map<string, Expression>();
  const calls = tools.flatMap(({ name, parameters }, i) => {
    if (typeof wanted === 'object' && wanted.name !== name) return [];
    onSchema(i);
    // A schema that says nothing of further properties has none.
    const isPlain = ['$ref', 'anyOf', 'oneOf', 'allOf'].every((key) => !(key in parameters));
    const closed = isPlain ? { additionalProperties: false, ...parameters, type: 'object' } : parameters;
    const reader = new SchemaReader(closed, `tool-${i}`);
    for (const [key, expression] of reader.rules()) rules.set(key, expression);
    return [sequence(literal(`{"name": "${name}", "${form.field}": `), rule(`tool-${i}`), literal('}'))];
  });
  const call = sequence(literal(form.begin), choice(...calls), literal(form.end));
  const mayRepeat = parallel && form.begin !== '' && typeof wanted !== 'object';
  const some = mayRepeat ? sequence(call, repeat(sequence(literal('\n'), call), 0)) : call;
  if (wanted !== 'auto') rules.set('root', some);
  else if (form.begin === '') rules.set('root', choice(call, bareText));
  else {
    const begin = form.begin.trimEnd();
    for (const [name, expression] of textRules(begin)) rules.set(name, expression);
    const rest = literal(form.begin.slice(begin.length));
    const one = sequence(rest, choice(...calls), literal(form.end));
    rules.set('called', sequence(one, mayRepeat ? rule('text-0') : repeat(literal('\n'), 0, 1)));
    rules.set('root', rule('text-0'));
  }
  return rules;
}

const any: Expression = { kind: 'class', ranges: complement([]) };
/** A text that does not begin as a call does. */
const bareText = optional(sequence({ kind: 'class', ranges: complement([[0x7b, 0x7b]]) }, repeat(any, 0)));

/**
 * Texts up to a mark, behind which the rule `called` goes on: rule `text-i` when the last i
 * characters are the first of the mark (Knuth–Morris–Pratt).
 */
function textRules(mark: string): [string, Expression][] {
  return Array.from(mark, (_, i) => {
    const seen = mark.slice(0, i);
    const next = new Map<string, number>();
    for (const character of new Set(mark)) {
      const text = seen + character;
      let length = Math.min(text.length, mark.length);
      while (!mark.startsWith(text.slice(text.length - length))) length -= 1;
      if (length > 0) next.set(character, length);
    }
    const others = complement([...next.keys()].map((one) => [one.charCodeAt(0), one.charCodeAt(0)] as const));
    const options = [...next].map(([character, length]) =>
      sequence(literal(character), rule(length === mark.length ? 'called' : `text-${length}`)),
    );
    return [`text-${i}`, choice(sequence(), sequence({ kind: 'class', ranges: others }, rule('text-0')), ...options)];
  });
}

/** What an answer adds: text, a call that begins, or more of its arguments. */
export type AnswerDelta =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'call'; readonly index: number; readonly name: string }
  | { readonly kind: 'arguments'; readonly index: number; readonly text: string };

const HEAD = /^\s*\{"name": "([\w-]+)", "(?:arguments|parameters)": /;

/** Takes answers apart as they come. */
export class CallStream {
  #held = '';
  /** Whether the text is within a call, and behind its head. */
  #place: 'text' | 'head' | 'arguments' | 'tail' = 'text';
  #index = -1;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #begun = false;

  constructor(readonly form: CallForm) {}

  /** Calls so far. */
  get calls(): number {
    return this.#index + 1;
  }

  /** Takes the next piece of the answer. @returns what it adds */
  push(text: string): AnswerDelta[] {
    this.#held += text;
    const deltas: AnswerDelta[] = [];
    for (let before = ''; before !== `${this.#place} ${this.#held.length}` && this.#held !== ''; ) {
      before = `${this.#place} ${this.#held.length}`;
      const delta = this.#next();
      if (delta && (delta.kind === 'call' || delta.text !== '')) deltas.push(delta);
    }
    return deltas;
  }

  /** What is held back when the answer ends. */
  end(): AnswerDelta[] {
    const text = this.#place === 'tail' ? '' : this.#held;
    this.#held = '';
    return text === '' ? [] : [{ kind: 'text', text }];
  }

  #next(): AnswerDelta | undefined {
    switch (this.#place) {
      case 'text':
        return this.#text();
      case 'head': {
        const head = HEAD.exec(this.#held);
        if (!head) return undefined;
        this.#take(head[0].length);
        this.#place = 'arguments';
        this.#depth = 0;
        this.#index += 1;
        return { kind: 'call', index: this.#index, name: head[1] as string };
      }
      case 'arguments':
        return { kind: 'arguments', index: this.#index, text: this.#take(this.#argumentsEnd()) };
      case 'tail': {
        const tail = `}${this.form.end}`;
        if (this.#held.startsWith(tail)) {
          this.#take(tail.length);
          this.#place = 'text';
        }
        return undefined;
      }
    }
  }

  #take(count: number): string {
    const text = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    return text;
  }

  #text(): AnswerDelta | undefined {
    const mark = this.form.begin.trimEnd();
    if (mark === '') {
      // The whole answer is a call or a text.
      if (!this.#begun && this.#held.startsWith('{')) this.#place = 'head';
      this.#begun = true;
      return this.#place === 'head' ? undefined : { kind: 'text', text: this.#take(this.#held.length) };
    }
    const at = this.#held.indexOf(mark);
    if (at >= 0) {
      const text = this.#take(at);
      this.#take(mark.length);
      this.#place = 'head';
      // White space between calls is theirs.
      return this.#index >= 0 && text.trim() === '' ? undefined : { kind: 'text', text };
    }
    let kept = Math.min(mark.length - 1, this.#held.length);
    while (!mark.startsWith(this.#held.slice(this.#held.length - kept))) kept -= 1;
    const free = this.#held.length - kept;
    if (this.#index >= 0 && this.#held.slice(0, free).trim() === '') {
      this.#take(free);
      return undefined;
    }
    return { kind: 'text', text: this.#take(free) };
  }

  /** How many held characters belong to the arguments; moves on where they end. */
  #argumentsEnd(): number {
    for (let i = 0; i < this.#held.length; i++) {
      const character = this.#held[i] as string;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (character === '\\') this.#escaped = true;
        else if (character === '"') this.#inString = false;
      } else if (character === '"') this.#inString = true;
      else if (character === '{' || character === '[') this.#depth += 1;
      else if (character === '}' || character === ']') {
        this.#depth -= 1;
        if (this.#depth === 0) {
          this.#place = 'tail';
          return i + 1;
        }
      }
    }
    return this.#held.length;
  }
}
