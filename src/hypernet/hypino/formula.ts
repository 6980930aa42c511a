// Formulas in x and y as text: numbers, + − * / ^, parentheses, functions of one argument, pi, e.

/** A function of position. */
export type Field = (x: number, y: number) => number;

const functions: Readonly<Record<string, (value: number) => number>> = {
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  tanh: Math.tanh,
  sinh: Math.sinh,
  cosh: Math.cosh,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  abs: Math.abs,
  atan: Math.atan,
  sigmoid: (value) => 1 / (1 + Math.exp(-value)),
  step: (value) => (value >= 0 ? 1 : 0),
};

const constants: Readonly<Record<string, number>> = { pi: Math.PI, e: Math.E };

/** What `formula` understands, for messages and help. */
export const FORMULA_WORDS = `x, y, ${Object.keys(constants).join(', ')}, ${Object.keys(functions).join(', ')}`;

/**
 * Reads a formula such as `sin(pi*x)*exp(-y^2)`; `t` is another name of y.
 *
 * @param what the place that it stands in, for messages
 * @throws Error naming the word or the sign that is not understood
 */
export function formula(text: string | number, what = 'formula'): Field {
  const parser = new Parser(String(text), what);
  return parser.whole();
}

class Parser {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(
    readonly text: string,
    readonly what: string,
  ) {
    const pattern = /\s*(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|[A-Za-z]+|\*\*|[-+*/^()])/gy;
    const tokens: string[] = [];
    let end = 0;
    for (const match of text.matchAll(pattern)) {
      tokens.push(match[1] as string);
      end = match.index + match[0].length;
    }
    if (text.slice(end).trim() !== '') this.#refuse(`"${text.slice(end).trim()[0]}" is not understood`);
    this.#tokens = tokens;
  }

  whole(): Field {
    if (this.#tokens.length === 0) this.#refuse('it is empty');
    const field = this.#sum();
    if (this.#at < this.#tokens.length) this.#refuse(`"${this.#tokens[this.#at]}" follows what is complete`);
    return field;
  }

  #sum(): Field {
    let left = this.#product();
    for (;;) {
      const [a, sign] = [left, this.#take('+', '-')];
      if (sign === undefined) return left;
      const b = this.#product();
      left = sign === '+' ? (x, y) => a(x, y) + b(x, y) : (x, y) => a(x, y) - b(x, y);
    }
  }

  #product(): Field {
    let left = this.#signed();
    for (;;) {
      const [a, sign] = [left, this.#take('*', '/')];
      if (sign === undefined) return left;
      const b = this.#signed();
      left = sign === '*' ? (x, y) => a(x, y) * b(x, y) : (x, y) => a(x, y) / b(x, y);
    }
  }

  /** A sign binds less than a power: −x² is −(x²). */
  #signed(): Field {
    const sign = this.#take('-', '+');
    if (sign === undefined) return this.#power();
    const inner = this.#signed();
    return sign === '-' ? (x, y) => -inner(x, y) : inner;
  }

  #power(): Field {
    const base = this.#atom();
    if (this.#take('^', '**') === undefined) return base;
    const exponent = this.#signed();
    return (x, y) => base(x, y) ** exponent(x, y);
  }

  #atom(): Field {
    const token = this.#tokens[this.#at++];
    if (token === undefined) this.#refuse('it ends too early');
    if (token === '(') return this.#closed();
    if (/^[\d.]/.test(token)) {
      const value = Number(token);
      return () => value;
    }
    if (token === 'x') return (x) => x;
    if (token === 'y' || token === 't') return (_, y) => y;
    const constant = Object.hasOwn(constants, token) ? constants[token] : undefined;
    if (constant !== undefined) return () => constant;
    const apply = Object.hasOwn(functions, token) ? functions[token] : undefined;
    if (!apply) this.#refuse(`"${token}" is unknown; known are ${FORMULA_WORDS}`);
    if (this.#take('(') === undefined) this.#refuse(`"${token}" needs an argument in parentheses`);
    const inner = this.#closed();
    return (x, y) => apply(inner(x, y));
  }

  #closed(): Field {
    const inner = this.#sum();
    if (this.#take(')') === undefined) this.#refuse('a parenthesis is not closed');
    return inner;
  }

  #take(...signs: readonly string[]): string | undefined {
    const token = this.#tokens[this.#at];
    if (token === undefined || !signs.includes(token)) return undefined;
    this.#at += 1;
    return token;
  }

  #refuse(why: string): never {
    throw new Error(`${this.what}: "${this.text}" is no formula: ${why}`);
  }
}
