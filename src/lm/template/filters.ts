// Filters and tests of templates, as Jinja has them.

import { Arguments } from './arguments.js';
import { MarkedText } from './marked-text.js';
import type { Meter } from './meter.js';
import { itemsOf, joinList, keysOf, keyText, methodOf, replaceText } from './methods.js';
import {
  areEqual,
  Callable,
  compare,
  type Dictionary,
  Float,
  isDictionary,
  isList,
  isTrue,
  jsonOf,
  Namespace,
  numberOf,
  textOf,
  typeName,
  type Value,
} from './values.js';

type Filter = (value: Value, given: Arguments, meter: Meter) => Value;
type Test = (value: Value, other?: Value) => boolean;

const integerOf = (value: Value, test: string): number => {
  if (typeof value === 'number') return value;
  throw new Error(`test "${test}" takes an integer, got ${typeName(value)}`);
};

export const tests: Readonly<Record<string, Test>> = {
  defined: (value) => value !== undefined,
  undefined: (value) => value === undefined,
  none: (value) => value === null,
  true: (value) => value === true,
  false: (value) => value === false,
  boolean: (value) => typeof value === 'boolean',
  string: (value) => value instanceof MarkedText,
  integer: (value) => typeof value === 'number',
  float: (value) => value instanceof Float,
  number: (value) => numberOf(value) !== undefined,
  mapping: (value) => isDictionary(value),
  iterable: (value) => value === undefined || isList(value) || isDictionary(value) || value instanceof MarkedText,
  sequence: (value) => isList(value) || isDictionary(value) || value instanceof MarkedText,
  callable: (value) => value instanceof Callable,
  odd: (value) => integerOf(value, 'odd') % 2 !== 0,
  even: (value) => integerOf(value, 'even') % 2 === 0,
  lower: (value) => textOf(value).value === textOf(value).value.toLowerCase(),
  upper: (value) => textOf(value).value === textOf(value).value.toUpperCase(),
  eq: (value, other) => areEqual(value, other),
  equalto: (value, other) => areEqual(value, other),
  ne: (value, other) => !areEqual(value, other),
  in: (value, other) => isMember(value, other),
};

export function testOf(name: string): Test {
  const test = Object.hasOwn(tests, name) ? tests[name] : undefined;
  if (!test) throw new Error(`there is no test "${name}"`);
  return test;
}

/** Python's `in`. */
export function isMember(value: Value, all: Value): boolean {
  if (all === undefined) return false;
  if (isList(all)) return all.some((one) => areEqual(one, value));
  if (isDictionary(all)) return all.has(keyText(value));
  if (all instanceof MarkedText && value instanceof MarkedText) return all.value.includes(value.value);
  throw new Error(`"in" takes a list, a dictionary or a text, got ${typeName(value)} in ${typeName(all)}`);
}

/** The elements that a loop or filter goes through. */
export function elementsOf(value: Value, what: string, meter: Meter): readonly Value[] {
  if (value === undefined) return [];
  const all = isList(value) ? value : isDictionary(value) ? keysOf(value) : undefined;
  if (!all && !(value instanceof MarkedText)) throw new Error(`${what} takes a list, got ${typeName(value)}`);
  if (value instanceof MarkedText) return meter.characters(value);
  meter.charge(all?.length ?? 0);
  return all ?? [];
}

/** The value at a path such as `function.name` or `0`. */
function attribute(value: Value, path: string): Value {
  return path.split('.').reduce<Value>((at, name) => {
    if (isDictionary(at)) return at.get(name)?.value;
    if (at instanceof Namespace) return at.fields.get(name);
    return isList(at) && /^\d+$/.test(name) ? at[Number(name)] : undefined;
  }, value);
}

const method =
  (name: string): Filter =>
  (value, given, meter) =>
    methodOf(meter.text(value), name, meter)?.call(given.values, given.named);

function lengthOf(value: Value): number {
  if (value === undefined) return 0;
  if (value instanceof MarkedText) return Array.from(value.value).length;
  if (isList(value)) return value.length;
  if (isDictionary(value)) return value.size;
  throw new Error(`length: ${typeName(value)} has none`);
}

function fallback(value: Value, given: Arguments): Value {
  const useful = given.only('default_value', 'boolean').flag(1, 'boolean') ? isTrue(value) : value !== undefined;
  return useful ? value : (given.value(0, 'default_value') ?? MarkedText.ofTemplate(''));
}

function tojson(value: Value, given: Arguments, meter: Meter): Value {
  meter.weigh(value);
  const names = ['indent', 'ensure_ascii', 'separators', 'sort_keys'];
  const indent = given.only(...names).integer(0, 'indent', -1);
  if (indent > 16) throw new Error(`tojson: an indent of ${indent} is more than 16`);
  const separators = given.value(2, 'separators');
  if (separators !== undefined && separators !== null && !(isList(separators) && separators.length === 2))
    throw new Error('tojson: "separators" must be a tuple of two texts');
  const text = jsonOf(value, {
    indent: indent < 0 ? undefined : indent,
    ensureAscii: given.flag(1, 'ensure_ascii'),
    separators: separators ? [textOf(separators[0]).value, textOf(separators[1]).value] : undefined,
    sortKeys: given.flag(3, 'sort_keys'),
  });
  return meter.grown(text);
}

function indented(value: Value, given: Arguments, meter: Meter): Value {
  const text = meter.text(value);
  const width = given.only('width', 'first', 'blank').value(0, 'width') ?? 4;
  if (typeof width === 'number') meter.requireLength(width);
  const by = width instanceof MarkedText ? width : MarkedText.ofTemplate(' '.repeat(numberOf(width) ?? 0));
  const lines = text.split('\n');
  meter.requireLength(text.length + lines.length * by.length);
  const [first, blank] = [given.flag(1, 'first'), given.flag(2, 'blank')];
  const shifted = lines.map((line, i) => ((i === 0 && !first) || (line.length === 0 && !blank) ? line : by.plus(line)));
  return joinList(shifted, MarkedText.ofTemplate('\n'), meter);
}

function sorted(value: Value, given: Arguments, meter: Meter): Value {
  const path = given.only('reverse', 'case_sensitive', 'attribute').optionalText(2, 'attribute')?.value;
  const of = (one: Value) => (path === undefined ? one : attribute(one, path));
  const all = [...elementsOf(value, 'sort', meter)];
  meter.charge(16 * all.length);
  all.sort((a, b) => compare(of(a), of(b), !given.flag(1, 'case_sensitive')));
  return given.flag(0, 'reverse') ? all.reverse() : all;
}

function dictsort(value: Value, given: Arguments): Value {
  const by = given.only('case_sensitive', 'by', 'reverse').optionalText(1, 'by')?.value ?? 'key';
  const at = ['key', 'value'].indexOf(by);
  if (at < 0) throw new Error(`dictsort: "by" must be key or value, got "${by}"`);
  const pairs = itemsOf(requireDictionary(value, 'dictsort')) as Value[][];
  pairs.sort((a, b) => compare(a[at], b[at], !given.flag(0, 'case_sensitive')));
  return given.flag(2, 'reverse') ? pairs.reverse() : pairs;
}

function requireDictionary(value: Value, what: string): Dictionary {
  if (isDictionary(value)) return value;
  throw new Error(`${what} takes a dictionary, got ${typeName(value)}`);
}

/** `select`, `reject`, and the same by an attribute. */
const choose =
  (keeps: boolean, byAttribute: boolean): Filter =>
  (value, given, meter) => {
    const path = byAttribute ? given.text(0, 'attribute').value : '';
    const [name, other] = given.values.slice(byAttribute ? 1 : 0);
    const test = name === undefined ? isTrue : testOf(textOf(name).value);
    // Jinja's are lazy: of None there is an error only when someone looks.
    return elementsOf(value ?? undefined, given.owner, meter).filter(
      (one) => test(byAttribute ? attribute(one, path) : one, other) === keeps,
    );
  };

function map(value: Value, given: Arguments, meter: Meter): Value {
  const all = elementsOf(value, 'map', meter);
  const path = given.named.get('attribute');
  if (path !== undefined) {
    const found = all.map((one) => attribute(one, textOf(path).value));
    const other = given.named.get('default');
    return found.map((one) => one ?? other);
  }
  const inner = filterOf(given.text(0, 'filter').value);
  return all.map((one) => inner(one, new Arguments(given.owner, given.values.slice(1), given.named), meter));
}

function unique(value: Value, _: Arguments, meter: Meter): Value {
  const seen: Value[] = [];
  for (const one of elementsOf(value, 'unique', meter)) {
    meter.charge(seen.length);
    meter.weigh(one, seen);
    if (!seen.some((other) => areEqual(one, other))) seen.push(one);
  }
  return seen;
}

const parsed =
  (read: (text: string) => number | undefined, made: (value: number) => Value): Filter =>
  (value, given) => {
    const number = value instanceof MarkedText ? read(value.value.trim()) : numberOf(value);
    return number === undefined ? (given.only('default').value(0, 'default') ?? made(0)) : made(number);
  };

const filters: Readonly<Record<string, Filter>> = {
  safe: (value) => value,
  string: (value, _, meter) => meter.text(value),
  ...Object.fromEntries(['upper', 'lower', 'title', 'capitalize'].map((name) => [name, method(name)])),
  trim: method('strip'),
  replace: (value, given, meter) => replaceText(meter.text(value), given, meter),
  indent: indented,
  length: lengthOf,
  count: lengthOf,
  default: fallback,
  d: fallback,
  tojson,
  join: (value, given, meter) => {
    const path = given.only('d', 'attribute').optionalText(1, 'attribute')?.value;
    const all = elementsOf(value, 'join', meter).map((one) =>
      meter.text(path === undefined ? one : attribute(one, path)),
    );
    return joinList(all, given.optionalText(0, 'd') ?? MarkedText.ofTemplate(''), meter);
  },
  int: parsed(
    (text) =>
      /^[+-]?\d+$/.test(text) ? Number(text) : /^[+-]?\d*\.\d+$/.test(text) ? Math.trunc(Number(text)) : undefined,
    (value) => Math.trunc(value),
  ),
  float: parsed(
    (text) => (text !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined),
    (value) => new Float(value),
  ),
  abs: (value) => (value instanceof Float ? new Float(Math.abs(value.value)) : Math.abs(integerOf(value, 'abs'))),
  list: (value, _, meter) => elementsOf(value, 'list', meter),
  first: (value, _, meter) => elementsOf(value, 'first', meter)[0],
  last: (value, _, meter) => elementsOf(value, 'last', meter).at(-1),
  reverse: (value, _, meter) => {
    const all = [...elementsOf(value, 'reverse', meter)].reverse();
    return value instanceof MarkedText ? joinList(all, MarkedText.ofTemplate(''), meter) : all;
  },
  items: (value) => (value === undefined ? [] : itemsOf(requireDictionary(value, 'items'))),
  sort: sorted,
  dictsort,
  unique,
  map,
  select: choose(true, false),
  reject: choose(false, false),
  selectattr: choose(true, true),
  rejectattr: choose(false, true),
};

/** The filter of a name. @throws Error for none. */
export function filterOf(name: string): Filter {
  const filter = Object.hasOwn(filters, name) ? filters[name] : undefined;
  if (!filter) throw new Error(`there is no filter "${name}"`);
  return filter;
}
