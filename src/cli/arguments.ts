// Parsers of option values.

import { InvalidArgumentError, Option } from 'commander';

/** Parses a number of at least `minimum`, by default an integer. */
export function number(minimum: number, integer = true) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < minimum || (integer && !Number.isInteger(value)))
      throw new InvalidArgumentError(`expected ${integer ? 'an integer' : 'a number'} of at least ${minimum}.`);
    return value;
  };
}

/** A share of weights that is kept, in (0, 1]. */
export function shareKept(text: string): number {
  const value = number(0, false)(text);
  if (value === 0 || value > 1) throw new InvalidArgumentError('expected a share above 0 and at most 1.');
  return value;
}

/** Parts of a list with commas between them. */
export function list(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

/** A size as 800M, 3G or 2.5GiB: K, M and G are powers of 1024. */
export function bytes(text: string): number {
  const [, value, unit = ''] = /^([\d.]+)\s*([kmg]?)(?:i?b)?$/i.exec(text.trim()) ?? [];
  const size = Math.round(Number(value) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase()));
  if (!(size > 0)) throw new InvalidArgumentError('expected a size as 800M or 3G.');
  return size;
}

/** The limit of compressed files, for commands that read them. */
export function maxBytesOption(): Option {
  return new Option(
    '--max-bytes <size>',
    'let a compressed file inflate to this size, as 3G; unless given, what inflates as no data does is refused',
  ).argParser(bytes);
}

/** One of some words, in whatever case. */
export function choice<T extends string>(...words: readonly T[]) {
  return (text: string): T => {
    const found = words.find((word) => word.toLowerCase() === text.toLowerCase());
    if (found === undefined) throw new InvalidArgumentError(`expected ${words.join(' or ')}.`);
    return found;
  };
}
