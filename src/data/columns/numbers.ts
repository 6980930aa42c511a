// Fields of one column as numbers, in the notation that they prove.

import { type DecimalMark, NotationScan, numberOf } from './notation.js';

/**
 * The number of each field, NaN where it is none: written as JavaScript reads it or, where fields
 * have decimal commas or separators of thousands, in the notation of the column.
 *
 * @param decimal the decimal mark where fields such as 1,234 leave it open
 * @param what the column, for messages
 * @throws Error where fields may be read in two ways
 */
export function numbersOf(fields: readonly string[], decimal: DecimalMark | undefined, what: string): number[] {
  const scan = new NotationScan();
  for (const field of fields) scan.add(field.trim());
  const notation = scan.notation(decimal);
  if (typeof notation !== 'string' && !notation.plain) return fields.map((field) => numberOf(field.trim(), notation));
  if (typeof notation === 'string' && scan.proven === undefined) throw new Error(`${what} ${notation}`);
  return fields.map((field) => (field.trim() === '' ? Number.NaN : Number(field)));
}
