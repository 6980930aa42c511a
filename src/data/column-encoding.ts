// Columns of attributes as features: numbers standardised, categories one-hot. What training saw is
// kept with the model, so that new data are encoded alike or refused. The columns are those of
// hypergraphs and sets of graphs, whose readers fill or refuse gaps; columns that keep theirs, and
// may bring unseen categories, are encoded by columns/encoding.ts.

import { keep, type Tensor, tensor } from '../tensor/index.js';
import type { Column } from './tables.js';

/** How a column becomes features. */
export type EncodedColumn =
  | {
      readonly name: string;
      readonly kind: 'number';
      /** Of the rows that the encoding was made from. */
      readonly mean: number;
      /** Of the same rows; 1 for a constant column. */
      readonly deviation: number;
    }
  | { readonly name: string; readonly kind: 'category'; readonly categories: readonly string[] };

/**
 * The encoding of columns.
 *
 * @param rows those whose mean and deviation count, the training ones. Default: all. The
 * categories are those of all rows.
 */
export function encodingOf(columns: readonly Column[], rows?: Int32Array): EncodedColumn[] {
  return columns.map((column): EncodedColumn => {
    const { name } = column;
    if (column.kind === 'category')
      return { name, kind: 'category', categories: [...new Set(column.values.map(String))].sort(byNumber) };
    const own = rows ? Float64Array.from(rows, (row) => column.values[row] as number) : column.values;
    const mean = own.reduce((sum, value) => sum + value, 0) / Math.max(1, own.length);
    const square = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, own.length);
    return { name, kind: 'number', mean, deviation: Math.sqrt(square) || 1 };
  });
}

function byNumber(a: string, b: string): number {
  return Number(a) - Number(b) || (a < b ? -1 : Number(a > b));
}

/** Number of features of an encoding. */
export function encodedWidth(encoding: readonly EncodedColumn[]): number {
  return encoding.reduce((width, own) => width + (own.kind === 'number' ? 1 : own.categories.length), 0);
}

/**
 * Features [rows, width] of columns, found by their names.
 *
 * @param what the table, for messages: `edges of "new"`
 * @param onUnknown called with column and category where the encoding does not know one, whose
 * features are then all 0. Default: an error
 * @throws Error naming a column that is missing or of another kind, or a category that the encoding
 * does not know
 */
export function encodeColumns(
  columns: readonly Column[],
  encoding: readonly EncodedColumn[],
  rows: number,
  what: string,
  onUnknown?: (column: string, category: string) => void,
): Tensor {
  const width = encodedWidth(encoding);
  const features = new Float32Array(rows * width);
  let at = 0;
  for (const own of encoding) {
    const column = columns.find(({ name }) => name === own.name);
    if (!column && rows > 0)
      throw new Error(
        `${what} have no column "${own.name}", which the model reads; there are ${columns.map(({ name }) => name).join(', ') || 'none'}`,
      );
    if (column) fill(features, width, at, column, own, what, onUnknown);
    at += own.kind === 'number' ? 1 : own.categories.length;
  }
  return keep(tensor(features, [rows, width]));
}

function fill(
  features: Float32Array,
  width: number,
  at: number,
  column: Column,
  own: EncodedColumn,
  what: string,
  onUnknown: ((column: string, category: string) => void) | undefined,
): void {
  if (own.kind === 'number') {
    if (column.kind !== 'number')
      throw new Error(`${what}: column "${own.name}" held numbers in training, and holds "${column.values[0]}"`);
    column.values.forEach((value, row) => {
      features[row * width + at] = (value - own.mean) / own.deviation;
    });
    return;
  }
  const codes = new Map(own.categories.map((category, code) => [category, code]));
  Array.from<string | number | undefined>(column.values).forEach((value, row) => {
    const code = codes.get(String(value));
    if (code === undefined && onUnknown) {
      onUnknown(column.name, String(value));
      return;
    }
    if (code === undefined)
      throw new Error(
        `${what}: column "${own.name}" holds "${value}" in row ${row + 1}, which training did not know (it knew ${own.categories.join(', ')})`,
      );
    features[row * width + at + code] = 1;
  });
}
