// Operators and subscripts of templates, as Python has them.

import { isMember } from './filters.js';
import { EMPTY, joinText, MarkedText } from './marked-text.js';
import type { Meter } from './meter.js';
import { keyText, methodOf } from './methods.js';
import {
  areEqual,
  compare,
  Float,
  isDictionary,
  isList,
  Namespace,
  numberOf,
  textOf,
  typeName,
  type Value,
} from './values.js';

const floored = (a: number, b: number) => {
  if (b === 0) throw new Error('division by zero');
  return Math.floor(a / b);
};

const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => {
    if (b === 0) throw new Error('division by zero');
    return a / b;
  },
  '//': floored,
  '%': (a, b) => a - b * floored(a, b),
  '**': (a, b) => a ** b,
};

const order: Readonly<Record<string, (sign: number) => boolean>> = {
  '<': (sign) => sign < 0,
  '>': (sign) => sign > 0,
  '<=': (sign) => sign <= 0,
  '>=': (sign) => sign >= 0,
};

/** The value of an operator between two values; `and` and `or` excepted. */
export function operate(operator: string, a: Value, b: Value, meter: Meter): Value {
  if (a instanceof MarkedText && b instanceof MarkedText && operator !== '+' && operator !== '~') meter.read(a, b);
  if ((isList(a) || isDictionary(a)) && operator !== '+') meter.weigh(a, b);
  else if (isList(b) && operator !== '+') meter.charge(b.length);
  if (operator === '==') return areEqual(a, b);
  if (operator === '!=') return !areEqual(a, b);
  if (operator === 'in') return isMember(a, b);
  if (operator === 'not in') return !isMember(a, b);
  if (operator === '~') return meter.grown(meter.text(a).plus(meter.text(b)));
  const ordered = Object.hasOwn(order, operator) ? order[operator] : undefined;
  if (ordered) return ordered(compare(a, b));
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined && y !== undefined) return numeric(operator, x, y, a instanceof Float || b instanceof Float);
  if (operator === '+' && a instanceof MarkedText && b instanceof MarkedText) return meter.grown(a.plus(b));
  if (operator === '+' && isList(a) && isList(b)) {
    meter.charge(a.length + b.length);
    return meter.made([...a, ...b]);
  }
  if (operator === '*' && a instanceof MarkedText && typeof b === 'number') return repeated(a, b, meter);
  throw new Error(`there is no ${typeName(a)} ${operator} ${typeName(b)}`);
}

function numeric(operator: string, x: number, y: number, float: boolean): Value {
  const compute = arithmetic[operator];
  if (!compute) throw new Error(`there is no operator ${operator}`);
  const value = compute(x, y);
  if (!Number.isFinite(value)) throw new Error(`${x} ${operator} ${y} is too large`);
  return float || operator === '/' || !Number.isInteger(value) ? new Float(value) : value;
}

function repeated(text: MarkedText, times: number, meter: Meter): MarkedText {
  const count = Math.max(0, times);
  meter.requireLength(text.length * count);
  meter.charge(count);
  return joinText(
    Array.from({ length: text.length === 0 ? 0 : count }, () => text),
    EMPTY,
  );
}

/** `value.name` or `value[key]`: an entry, an element, or a method; undefined for none. */
export function memberOf(value: Value, key: Value, meter: Meter): Value {
  const name = key instanceof MarkedText ? key.value : undefined;
  if (value === undefined) throw new Error(`what is not defined has no "${name ?? textOf(key).value}"`);
  if (value instanceof Namespace) return name === undefined ? undefined : value.fields.get(name);
  if (isDictionary(value) && value.has(keyText(key))) return value.get(keyText(key))?.value;
  if (typeof key === 'number') {
    if (isList(value)) return value.at(key);
    if (value instanceof MarkedText) return sliced(value, key, key === -1 ? undefined : key + 1, 1, meter, true);
  }
  return name === undefined ? undefined : methodOf(value, name, meter);
}

/** `value[from:to:step]` in characters or elements; an absent single element is undefined. */
export function sliced(
  value: Value,
  from: number | undefined,
  to: number | undefined,
  step: number,
  meter: Meter,
  single = false,
): Value {
  if (step === 0) throw new Error('a slice has step 0');
  if (value instanceof MarkedText) {
    meter.read(value);
    // Without surrogates, characters are code units.
    if (step === 1 && !/[\ud800-\udfff]/.test(value.value)) {
      const part = value.slice(from ?? 0, to);
      return single && part.length === 0 ? undefined : part;
    }
    const part = pick(meter.characters(value), from, to, step);
    return single && part.length === 0 ? undefined : joinText(part, EMPTY);
  }
  if (!isList(value)) throw new Error(`a ${typeName(value)} has no slices`);
  meter.charge(value.length);
  return pick(value, from, to, step);
}

function pick<T>(all: readonly T[], from: number | undefined, to: number | undefined, step: number): T[] {
  const { length } = all;
  if (step === 1) return all.slice(from, to);
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
  const place = (at: number | undefined, otherwise: number) =>
    at === undefined ? otherwise : Math.min(high, Math.max(low, at < 0 ? at + length : at));
  const [start, end] = step > 0 ? [place(from, low), place(to, high)] : [place(from, high), place(to, low)];
  const picked: T[] = [];
  for (let i = start; step > 0 ? i < end : i > end; i += step) picked.push(all[i] as T);
  return picked;
}
