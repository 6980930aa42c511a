// Parsers of option values.

import { InvalidArgumentError } from 'commander';

/** A number of at least `minimum`, whole unless told otherwise. */
export function number(minimum: number, integer = true) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < minimum || (integer && !Number.isInteger(value)))
      throw new InvalidArgumentError(`expected ${integer ? 'an integer' : 'a number'} of at least ${minimum}.`);
    return value;
  };
}

/** Parts of a list with commas between them. */
export function list(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}
