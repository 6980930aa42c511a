// Integers between bounds, as a grammar of their digits.

import { choice, type Expression, literal, oneOf, repeat, sequence } from './expression.js';

/** Digits of the largest integers that are written where there is no bound. */
const MOST_DIGITS = 16;

const digit = (low: number, high: number): Expression => oneOf(`${low}${high}`);
const digits = (count: number): Expression => repeat(oneOf('09'), count, count);

/** The integers from `low` to `high`, either of which may be infinite. */
export function integersBetween(low: number, high: number): Expression {
  const options: Expression[] = [];
  if (low < 0) {
    const most = Math.max(1, -high);
    options.push(sequence(literal('-'), positives(most, -low)));
  }
  if (low <= 0 && high >= 0) options.push(literal('0'));
  if (high > 0) options.push(positives(Math.max(1, low), high));
  return choice(...options);
}

/** The integers from `low` ≥ 1 to `high`. */
function positives(low: number, high: number): Expression {
  const first = String(low);
  const last = Number.isFinite(high) ? String(high) : undefined;
  const most = last?.length ?? MOST_DIGITS;
  const options: Expression[] = [];
  for (let length = first.length; length <= most; length++) {
    const from = length === first.length ? first : `1${'0'.repeat(length - 1)}`;
    const to = length === last?.length ? last : '9'.repeat(length);
    options.push(sameLength(from, to));
  }
  return choice(...options);
}

/** The numbers from `low` to `high`, which have as many digits. */
function sameLength(low: string, high: string): Expression {
  if (low === '') return sequence();
  const [a, b] = [Number(low[0]), Number(high[0])];
  const [restLow, restHigh] = [low.slice(1), high.slice(1)];
  const zeros = '0'.repeat(restLow.length);
  const nines = '9'.repeat(restLow.length);
  if (a === b) return sequence(digit(a, a), sameLength(restLow, restHigh));
  const from = restLow === zeros ? a : a + 1;
  const to = restHigh === nines ? b : b - 1;
  return choice(
    ...(from > a ? [sequence(digit(a, a), sameLength(restLow, nines))] : []),
    ...(from <= to ? [sequence(digit(from, to), digits(restLow.length))] : []),
    ...(to < b ? [sequence(digit(b, b), sameLength(zeros, restHigh))] : []),
  );
}
