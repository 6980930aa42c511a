// Weights of edges as files write them.

/** What is wrong with a text that is no weight. */
export function wrongWeight(text: string): string {
  return `the weight is "${text}"; weights must be positive and finite in single precision`;
}

/** A weight in single precision, undefined where it is none. */
export function weightOf(text: string): number | undefined {
  const value = text === '' ? Number.NaN : Math.fround(Number(text));
  return value > 0 && value < Number.POSITIVE_INFINITY ? value : undefined;
}

/** 12,5 and 0,125; but not 1,234. */
const DECIMAL = /^(\d+,(\d{1,2}|\d{4,})|0?,\d+)$/;
/** 1,234 may be either. */
const EITHER = /^\d+,\d{3}$/;

/**
 * Weights of a list whose separator is no comma: a comma is a decimal mark where another weight of
 * the list proves it, and none has a point.
 */
export class Weights {
  #proof = false;
  #doubtful: string | undefined;
  #point: string | undefined;

  /** The weight that a text holds. @returns undefined where it is none */
  read(text: string): number | undefined {
    if (text.includes('.')) this.#point = text;
    const isDecimal = DECIMAL.test(text);
    if (!isDecimal && !EITHER.test(text)) return weightOf(text);
    this.#proof ||= isDecimal;
    this.#doubtful ??= text;
    return weightOf(text.replace(',', '.'));
  }

  /** Why the commas of the weights cannot be told to be decimal marks, if so. */
  get doubt(): string | undefined {
    const text = this.#doubtful;
    if (text === undefined) return undefined;
    if (this.#point !== undefined)
      return `the weights "${text}" and "${this.#point}" have different decimal marks; write all with a point`;
    return this.#proof ? undefined : `the weight "${text}" may hold thousands or decimals; write decimals with a point`;
  }
}
