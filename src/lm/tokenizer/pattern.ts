// Regular expressions of tokenizer files. They are Oniguruma's, and they come with the file: one
// that would backtrack without end is refused.

import { Tokenizer } from '@huggingface/tokenizers';

type Part =
  | { readonly kind: 'one' | 'place' }
  | { readonly kind: 'look'; readonly body: Part }
  | { readonly kind: 'sequence' | 'either'; readonly parts: readonly Part[] }
  | { readonly kind: 'repeat'; readonly body: Part; readonly least: number; readonly most: number };

/** Longest expression, largest count in braces, and deepest nesting of groups. */
const [LONGEST, LARGEST, DEEPEST] = [16_384, 1000, 32];
/** Most ways to match the choices before something that may fail. */
const WAYS = 4096;

/** Parses as far as needed to see repetitions: classes and escapes are one character each. */
class Parser {
  #at = 0;

  constructor(
    readonly source: string,
    readonly fail: (reason: string) => never,
  ) {}

  parse(): Part {
    const part = this.#either(0);
    return this.#at < this.source.length ? this.fail('has a ")" too many') : part;
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    const sticky = new RegExp(pattern.source, 'suy');
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.source) ?? undefined;
    if (found) this.#at += found[0].length;
    return found;
  }

  #either(depth: number): Part {
    if (depth > DEEPEST) this.fail(`nests deeper than ${DEEPEST} groups`);
    const options = [this.#sequence(depth)];
    while (this.#take(/\|/)) options.push(this.#sequence(depth));
    return options.length === 1 ? (options[0] as Part) : { kind: 'either', parts: options };
  }

  #sequence(depth: number): Part {
    const parts: Part[] = [];
    while (this.#at < this.source.length && !/[|)]/.test(this.source[this.#at] as string))
      parts.push(this.#repeated(this.#atom(depth)));
    return { kind: 'sequence', parts };
  }

  #atom(depth: number): Part {
    if (this.#take(/\((?:\?:|\?i:|\?<[A-Za-z_]\w*>|(?!\?))/)) return this.#group(depth);
    if (this.#take(/\(\?<?[=!]/)) return { kind: 'look', body: this.#group(depth) };
    if (this.#take(/\(/)) this.fail('has a kind of group that is not supported');
    if (this.#take(/\[/)) return this.#class();
    if (this.#take(/\\[1-9kgGRX]/)) this.fail('has a reference or an escape that is not supported');
    if (this.#take(/\\[bBAzZ]|[\^$]/)) return { kind: 'place' };
    if (this.#take(/\\[pPxu]\{[^}]*\}|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\?./)) return { kind: 'one' };
    return this.fail('ends within an escape');
  }

  #group(depth: number): Part {
    const body = this.#either(depth + 1);
    if (!this.#take(/\)/)) this.fail('lacks a ")"');
    return body;
  }

  #class(): Part {
    this.#take(/\^?\]?/);
    for (let depth = 1; depth > 0; ) {
      const found = this.#take(/\\.|\[:\^?[a-z]+:\]|./)?.[0] ?? this.fail('lacks a "]"');
      if (found === '[') depth += 1;
      else if (found === ']') depth -= 1;
      if (depth > DEEPEST) this.fail(`nests deeper than ${DEEPEST} classes`);
    }
    return { kind: 'one' };
  }

  #repeated(body: Part): Part {
    for (let part = body; ; ) {
      const sign = this.#take(/([*+?])[?+]?/)?.[1];
      const braces = sign ? undefined : this.#take(/\{(\d+)\}\??|\{(\d*),(\d*)\}\??/);
      if (!sign && !braces) return part;
      const [, exact, from, to] = braces ?? [];
      const least = sign ? Number(sign === '+') : Number(exact ?? from ?? 0);
      const most = sign ? (sign === '?' ? 1 : Infinity) : Number(exact ?? (to === '' ? Infinity : to));
      for (const count of [least, most])
        if (count > LARGEST && count !== Infinity) this.fail(`repeats ${count} times, more than ${LARGEST}`);
      part = { kind: 'repeat', body: part, least, most };
    }
  }
}

function mayFail(part: Part): boolean {
  if (part.kind === 'repeat') return part.least > 0 && mayFail(part.body);
  if (part.kind === 'either') return part.parts.every(mayFail);
  return part.kind === 'sequence' ? part.parts.some(mayFail) : true;
}

/** Whether a part matches in one way and one length only; looking around is one way. */
function isFixed(part: Part): boolean {
  if (part.kind === 'repeat') return part.least === part.most && isFixed(part.body);
  if (part.kind === 'sequence') return part.parts.every(isFixed);
  return part.kind === 'look' ? isFixed(part.body) : part.kind !== 'either';
}

/** Cost of backtracking: the power of the text's length, and a factor. */
interface Cost {
  readonly power: number;
  readonly ways: number;
}

function costOf(part: Part, failsAfter: boolean, fail: (reason: string) => never): Cost {
  switch (part.kind) {
    case 'look':
      return costOf(part.body, false, fail);
    case 'either': {
      const costs = part.parts.map((one) => costOf(one, failsAfter, fail));
      const ways = costs.reduce((sum, cost) => sum + cost.ways, 0);
      return { power: Math.max(...costs.map(({ power }) => power)), ways: failsAfter ? ways : 1 };
    }
    case 'sequence': {
      let [power, ways, fails] = [0, 1, failsAfter];
      for (const one of [...part.parts].reverse()) {
        const cost = costOf(one, fails, fail);
        power += cost.power;
        ways *= cost.ways;
        fails ||= mayFail(one);
      }
      return { power, ways };
    }
    case 'repeat': {
      const { body, least, most } = part;
      if (most > 1 && !isFixed(body)) fail('repeats what itself matches in several ways');
      const inner = costOf(body, failsAfter, fail);
      if (!failsAfter || least === most) return inner;
      return most === Infinity
        ? { power: inner.power + 1, ways: inner.ways }
        : { power: inner.power, ways: inner.ways * (most - least + 1) };
    }
    default:
      return { power: 0, ways: 1 };
  }
}

/** JavaScript's expression for one of Oniguruma. @throws Error when it may backtrack too much. */
export function compilePattern(source: string): RegExp {
  const short = source.length > 80 ? `${source.slice(0, 80)}…` : source;
  const fail = (reason: string): never => {
    throw new Error(`the regular expression /${short}/ ${reason}`);
  };
  if (source.length > LONGEST) fail(`has ${source.length} characters, more than ${LONGEST}`);
  const { power, ways } = costOf(new Parser(source, fail).parse(), false, fail);
  if (power > 1 || ways > WAYS) fail('may backtrack without end');
  try {
    return translated(source);
  } catch (error) {
    return fail(`is not supported: ${(error as Error).message}`);
  }
}

/** @huggingface/tokenizers translates Oniguruma's syntax, inside a pre-tokenizer. */
function translated(source: string): RegExp {
  const split = { type: 'Split', pattern: { Regex: source }, behavior: 'Isolated', invert: false };
  const model = { type: 'BPE', vocab: {}, merges: [] };
  const rest = { added_tokens: [], normalizer: null, post_processor: null, decoder: null };
  const { pre_tokenizer: made } = new Tokenizer({ ...rest, model, pre_tokenizer: split }, {});
  return (made as unknown as { readonly pattern: RegExp }).pattern;
}
