// Methods of texts and dictionaries, as Python has them.

import { Arguments } from './arguments.js';
import { joinText, MarkedText } from './marked-text.js';
import type { Meter } from './meter.js';
import { Callable, type Dictionary, isDictionary, isList, tuple, type Value } from './values.js';

type Method = (text: MarkedText, given: Arguments, meter: Meter) => Value;

const titled = (text: string) =>
  text.replace(/\p{L}+/gu, (word) => {
    const [first = '', ...rest] = word;
    return first.toUpperCase() + rest.join('').toLowerCase();
  });
const capitalized = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase();

const strip =
  (sides: 'both' | 'left' | 'right'): Method =>
  (text, given) =>
    text.stripped(sides, given.only('chars').optionalText(0, 'chars')?.value);

const edge =
  (isAt: (value: string, edge: string) => boolean): Method =>
  (text, given) => {
    const wanted = given.only('prefix').value(0, 'prefix');
    const all = isList(wanted) ? wanted : [wanted];
    return all.some((one) => {
      if (!(one instanceof MarkedText)) throw new Error(`${given.owner} takes a text or a tuple of texts`);
      return isAt(text.value, one.value);
    });
  };

const mapped =
  (change: (value: string) => string): Method =>
  (text, given) => {
    given.only();
    return text.mapped(change);
  };

/** Pieces counted from the right. */
function splitRight(text: MarkedText, separator: string, most: number): MarkedText[] {
  const pieces: MarkedText[] = [];
  let to = text.length;
  while (most < 0 || pieces.length < most) {
    const at = to < separator.length ? -1 : text.value.lastIndexOf(separator, to - separator.length);
    if (at < 0) break;
    pieces.unshift(text.slice(at + separator.length, to));
    to = at;
  }
  return [text.slice(0, to), ...pieces];
}

const split: Method = (text, given, meter) => {
  const separator = given.only('sep', 'maxsplit').optionalText(0, 'sep');
  const most = given.integer(1, 'maxsplit', -1);
  if (separator?.length === 0) throw new Error('split: the separator is empty');
  const pieces = separator ? text.split(separator.value, most) : text.words(most);
  meter.charge(pieces.length);
  return pieces;
};

const methods: Readonly<Record<string, Method>> = {
  upper: mapped((value) => value.toUpperCase()),
  lower: mapped((value) => value.toLowerCase()),
  title: mapped(titled),
  capitalize: mapped(capitalized),
  strip: strip('both'),
  lstrip: strip('left'),
  rstrip: strip('right'),
  startswith: edge((value, prefix) => value.startsWith(prefix)),
  endswith: edge((value, suffix) => value.endsWith(suffix)),
  split,
  rsplit: (text, given) => {
    const separator = given.only('sep', 'maxsplit').text(0, 'sep');
    const most = given.integer(1, 'maxsplit', -1);
    if (separator.length === 0) throw new Error('rsplit: the separator is empty');
    return most < 0 || most > 1000 ? text.split(separator.value) : splitRight(text, separator.value, most);
  },
  splitlines: (text, given, meter) => {
    given.only();
    const lines = text.replaced('\r\n', MarkedText.ofTemplate('\n')).split('\n');
    meter.charge(lines.length);
    return lines.at(-1)?.length === 0 ? lines.slice(0, -1) : lines;
  },
  replace: (text, given, meter) => replaceText(text, given, meter),
  removeprefix: (text, given) => {
    const prefix = given.only('prefix').text(0, 'prefix').value;
    return text.value.startsWith(prefix) ? text.slice(prefix.length) : text;
  },
  removesuffix: (text, given) => {
    const suffix = given.only('suffix').text(0, 'suffix').value;
    return suffix !== '' && text.value.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text;
  },
  find: (text, given) => text.value.indexOf(given.only('sub').text(0, 'sub').value),
  rfind: (text, given) => text.value.lastIndexOf(given.only('sub').text(0, 'sub').value),
  count: (text, given) => {
    const part = given.only('sub').text(0, 'sub').value;
    return part === '' ? text.length + 1 : text.split(part).length - 1;
  },
  join: (text, given, meter) => joinList(given.only('iterable').value(0, 'iterable'), text, meter),
};

/** `replace(old, new, count)`. */
export function replaceText(text: MarkedText, given: Arguments, meter: Meter): MarkedText {
  const [old, by] = [given.only('old', 'new', 'count').text(0, 'old'), given.text(1, 'new')];
  const most = given.integer(2, 'count', -1);
  const found = old.length === 0 ? text.length + 1 : Math.floor(text.length / old.length);
  if (by.length * found > 2 ** 20) {
    const real = old.length === 0 ? found : text.split(old.value, most).length - 1;
    meter.requireLength(text.length + real * by.length);
  }
  return text.replaced(old.value, by, most);
}

/** Texts of a list with a separator between them. */
export function joinList(list: Value, separator: MarkedText, meter: Meter): MarkedText {
  if (!isList(list)) throw new Error('join takes a list');
  const texts = list.map((one) => {
    if (one instanceof MarkedText) return one;
    throw new Error('join takes a list of texts');
  });
  meter.charge(texts.length);
  meter.requireLength(texts.reduce((sum, { length }) => sum + length + separator.length, 0));
  return joinText(texts, separator);
}

const dictionaryMethods: Readonly<Record<string, (all: Dictionary, given: Arguments) => Value>> = {
  get: (all, given) => {
    const key = given.only('key', 'default').value(0, 'key');
    const fallback = given.values[1] ?? given.named.get('default') ?? null;
    const found = all.get(keyText(key));
    return found ? found.value : fallback;
  },
  items: (all, given) => itemsOf(given.only() && all),
  keys: (all, given) => keysOf(given.only() && all),
  values: (all, given) => [...(given.only() && all).values()].map(({ value }) => value),
};

export const itemsOf = (all: Dictionary): Value[] => [...all.values()].map(({ key, value }) => tuple([key, value]));
/** What a value is as the key of a map; no key is NaN. */
export const keyText = (key: Value): string | number =>
  key instanceof MarkedText ? key.value : typeof key === 'number' ? key : Number.NaN;

export const keysOf = (all: Dictionary): Value[] => [...all.values()].map(({ key }) => key);

/** The method of a value by name; undefined for none. */
export function methodOf(value: Value, name: string, meter: Meter): Callable | undefined {
  if (value instanceof MarkedText && Object.hasOwn(methods, name))
    return new Callable((values, named) => {
      meter.read(value);
      return (methods[name] as Method)(value, new Arguments(name, values, named), meter);
    });
  if (isDictionary(value) && Object.hasOwn(dictionaryMethods, name))
    return new Callable((values, named) => {
      meter.charge(value.size);
      return dictionaryMethods[name]?.(value, new Arguments(name, values, named));
    });
  return undefined;
}
