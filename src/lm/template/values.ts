// Values of chat templates, as Python has them: truth, equality, order, and how they are written.

import { MarkedText } from './marked-text.js';

/** A number with a decimal point: Python keeps 1.0 and 1 apart. */
export class Float {
  constructor(readonly value: number) {}
}

/** Named arguments of a call. */
export type NamedValues = ReadonlyMap<string, Value>;

/** A function or macro. */
export class Callable {
  constructor(readonly call: (values: readonly Value[], named: NamedValues, caller?: Callable) => Value) {}
}

/** A dictionary: values with their keys, which have an origin too. */
export type Dictionary = ReadonlyMap<string | number, { readonly key: Key; readonly value: Value }>;

/** Keys are texts or integers. */
export type Key = MarkedText | number;

/** What `namespace()` makes: attributes that templates may assign. */
export class Namespace {
  constructor(readonly fields: Map<string, Value>) {}
}

/** A value; null is Python's None, undefined Jinja's undefined. */
export type Value =
  | MarkedText
  | number
  | Float
  | boolean
  | null
  | undefined
  | readonly Value[]
  | Dictionary
  | Namespace
  | Callable;

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
export const isDictionary = (value: Value): value is Dictionary => value instanceof Map;

/** The Python name of a value's type, for errors. */
export function typeName(value: Value): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (value instanceof MarkedText) return 'str';
  if (value instanceof Float) return 'float';
  if (typeof value === 'number') return 'int';
  if (typeof value === 'boolean') return 'bool';
  if (isList(value)) return 'list';
  if (isDictionary(value)) return 'dict';
  return value instanceof Namespace ? 'namespace' : 'function';
}

/** The number that a value is in arithmetic; undefined for none. */
export function numberOf(value: Value): number | undefined {
  if (value instanceof Float) return value.value;
  return typeof value === 'number' || typeof value === 'boolean' ? Number(value) : undefined;
}

export function isTrue(value: Value): boolean {
  if (value instanceof MarkedText || isList(value)) return value.length > 0;
  if (isDictionary(value)) return value.size > 0;
  if (value instanceof Float) return value.value !== 0;
  return Boolean(value);
}

export function areEqual(a: Value, b: Value): boolean {
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined || y !== undefined) return x === y;
  if (a instanceof MarkedText && b instanceof MarkedText) return a.value === b.value;
  if (isList(a) && isList(b)) return a.length === b.length && a.every((one, i) => areEqual(one, b[i]));
  if (isDictionary(a) && isDictionary(b))
    return a.size === b.size && [...a].every(([key, { value }]) => b.has(key) && areEqual(value, b.get(key)?.value));
  return a === b;
}

/** Negative, zero or positive. @throws Error when the two have no order. */
export function compare(a: Value, b: Value, ignoreCase = false): number {
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined && y !== undefined) return x - y;
  if (!(a instanceof MarkedText && b instanceof MarkedText))
    throw new Error(`${typeName(a)} and ${typeName(b)} have no order`);
  const [left, right] = ignoreCase ? [a.value.toLowerCase(), b.value.toLowerCase()] : [a.value, b.value];
  return left < right ? -1 : left > right ? 1 : 0;
}

const tuples = new WeakSet<object>();

/** A list that is written as a tuple. */
export function tuple(values: readonly Value[]): readonly Value[] {
  tuples.add(values);
  return values;
}

const floatText = (value: number) =>
  Number.isInteger(value) && Math.abs(value) < 1e16 ? value.toFixed(1) : String(value).replace('Infinity', 'inf');

/** Whether any text in a value came from a message. */
function hasMessage(value: Value): boolean {
  if (value instanceof MarkedText) return value.hasMessage;
  if (isList(value)) return value.some(hasMessage);
  return isDictionary(value) && [...value.values()].some((entry) => hasMessage(entry.key) || hasMessage(entry.value));
}

const marked = (text: string, origin: Value) =>
  hasMessage(origin) ? MarkedText.ofMessage(text) : MarkedText.ofTemplate(text);

const weights = new WeakMap<object, number>();

/** Nodes of a value as a tree, and every 16 characters of its texts: the cost of reading it. */
export function weightOf(value: Value): number {
  if (value instanceof MarkedText) return 1 + value.length / 16;
  if (!isList(value) && !isDictionary(value)) return 1;
  const known = weights.get(value);
  if (known !== undefined) return known;
  const inner = isList(value) ? value : [...value.values()].flatMap((entry) => [entry.key, entry.value]);
  const weight = inner.reduce<number>((sum, one) => sum + weightOf(one), 1);
  weights.set(value, weight);
  return weight;
}

/** A value as `str()` writes it. Lists and dictionaries with text of a message are a message's. */
export function textOf(value: Value): MarkedText {
  if (value instanceof MarkedText) return value;
  if (value === undefined) return MarkedText.ofTemplate('');
  return marked(written(value), value);
}

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escapes: Record<string, string> = {
    '\\': '\\\\',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    [quote]: `\\${quote}`,
  };
  return `${quote}${text.replace(/[\\\n\r\t'"]/g, (character) => escapes[character] ?? character)}${quote}`;
}

/** Python's `repr`. */
function written(value: Value): string {
  if (value instanceof MarkedText) return quoted(value.value);
  if (value instanceof Float) return floatText(value.value);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (value === null) return 'None';
  if (value === undefined) return 'Undefined';
  if (isList(value) && tuples.has(value)) return `(${value.map(written).join(', ')}${value.length === 1 ? ',' : ''})`;
  if (isList(value)) return `[${value.map(written).join(', ')}]`;
  if (isDictionary(value))
    return `{${[...value.values()].map((entry) => `${written(entry.key)}: ${written(entry.value)}`).join(', ')}}`;
  if (typeof value === 'number') return String(value);
  throw new Error(`a ${typeName(value)} cannot be written`);
}

/** Options of `jsonOf`, as Python's `json.dumps` names them. */
export interface JsonOptions {
  readonly indent: number | undefined;
  readonly ensureAscii: boolean;
  readonly separators: readonly [item: string, key: string] | undefined;
  readonly sortKeys: boolean;
}

/** A value as JSON as `json.dumps` writes it. With text of a message, all of it is a message's. */
export function jsonOf(value: Value, options: JsonOptions): MarkedText {
  return marked(json(value, options, 0), value);
}

function json(value: Value, options: JsonOptions, depth: number): string {
  const { indent, ensureAscii, separators, sortKeys } = options;
  const string = (text: string) => {
    const plain = JSON.stringify(text);
    const escape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
    return ensureAscii ? plain.replace(/[\x7f-\uffff]/g, escape) : plain;
  };
  const [between, colon] = separators ?? [indent === undefined ? ', ' : ',', ': '];
  const wrapped = (open: string, items: readonly string[], close: string) => {
    if (indent === undefined || items.length === 0) return `${open}${items.join(between)}${close}`;
    const [outer, inner] = [depth, depth + 1].map((level) => `\n${' '.repeat(indent * level)}`);
    return `${open}${inner}${items.join(`${between}${inner}`)}${outer}${close}`;
  };
  if (value instanceof MarkedText) return string(value.value);
  if (value instanceof Float) return floatText(value.value);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  if (isList(value))
    return wrapped(
      '[',
      value.map((one) => json(one, options, depth + 1)),
      ']',
    );
  if (!isDictionary(value)) throw new Error(`tojson: a value of type ${typeName(value)} is no JSON`);
  const entries = [...value];
  if (sortKeys) entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return wrapped(
    '{',
    entries.map(([key, entry]) => `${string(String(key))}${colon}${json(entry.value, options, depth + 1)}`),
    '}',
  );
}

/**
 * A JavaScript value as a template's; its strings are a message's unless `origin` says otherwise.
 *
 * @throws Error for values nested deeper than 64.
 */
export function valueOf(given: unknown, origin: (text: string) => MarkedText = MarkedText.ofMessage, depth = 0): Value {
  if (depth > 64) throw new Error('a variable nests deeper than 64 levels');
  if (typeof given === 'string') return origin(given);
  if (typeof given === 'number') return Number.isInteger(given) ? given : new Float(given);
  if (typeof given === 'boolean' || given === null || given === undefined) return given;
  if (given instanceof Callable) return given;
  if (Array.isArray(given)) return given.map((one) => valueOf(one, origin, depth + 1));
  if (typeof given !== 'object') throw new Error(`a variable is a ${typeof given}`);
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return dictionary(entries.map(([key, value]) => [origin(key), valueOf(value, origin, depth + 1)]));
}

export function dictionary(entries: readonly (readonly [Key, Value])[]): Dictionary {
  return new Map(entries.map(([key, value]) => [typeof key === 'number' ? key : key.value, { key, value }]));
}
