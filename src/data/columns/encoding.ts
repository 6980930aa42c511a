// Feature encoding: missing numbers are imputed by the median with an indicator column, numbers are
// standardised by the training rows, categories are one-hot.

import { type Tensor, tensor } from '../../tensor/index.js';
import type { Column, ColumnTable } from './reading.js';

/** A numeric feature matrix [count, width], row-major. */
export interface Rows {
  /** Number of rows. */
  readonly count: number;
  /** Number of features in a row. */
  readonly width: number;
  /** Elements, row by row; count · width. */
  readonly values: Float32Array;
  /** The table's column of each feature, 0 … columns − 1. Default: features are columns. */
  readonly columns?: Int32Array;
}

/** Encoding of one column, fitted on the training rows. */
type Encoder =
  | {
      readonly kind: 'number';
      readonly name: string;
      readonly median: number;
      readonly mean: number;
      readonly deviation: number;
      /** Share of missing values in training; if positive, an indicator column is added. */
      readonly gaps: number;
    }
  | { readonly kind: 'category'; readonly name: string; readonly categories: readonly string[] };

/** The fitted encoding of a table: plain data, saved with a model. */
export interface TableFeatures {
  /** Encoders by column; columns without any value have none. */
  readonly encoders: readonly Encoder[];
}

/**
 * Fits the encoding on the training rows.
 *
 * @throws Error when the table has no rows, or no column with values
 */
export function fitFeatures({ columns, rows }: ColumnTable): TableFeatures {
  if (rows === 0) throw new Error('the table has no rows');
  const encoders = columns.filter((column) => !isEmpty(column)).map(encoderOf);
  if (encoders.length === 0) throw new Error('the table has no column with values to learn from');
  return { encoders };
}

function isEmpty(column: Column): boolean {
  return column.kind === 'number' ? column.values.every(Number.isNaN) : column.values.every((v) => v === undefined);
}

function encoderOf(column: Column): Encoder {
  const { name } = column;
  if (column.kind === 'category') {
    const present = column.values.filter((value) => value !== undefined);
    return { kind: 'category', name, categories: [...new Set(present)].sort() };
  }
  // Loops: methods of arrays take most of the time of a linear model of a long table.
  const filled = column.values.slice();
  const rows = filled.length;
  const present = new Float64Array(rows);
  let count = 0;
  for (const value of filled) if (!Number.isNaN(value)) present[count++] = value;
  const middle = medianOf(present.subarray(0, count));
  let mean = 0;
  for (let row = 0; row < rows; row++) {
    if (Number.isNaN(filled[row])) filled[row] = middle;
    mean += filled[row] as number;
  }
  mean /= rows;
  let squares = 0;
  for (const value of filled) squares += (value - mean) ** 2;
  const deviation = Math.sqrt(squares / rows);
  const gaps = 1 - count / rows;
  // A constant column is encoded as zeros.
  return { kind: 'number', name, median: middle, mean, deviation: deviation > 0 ? deviation : 1, gaps };
}

/** The median, halfway between the two in the middle of an even number; reorders the values. */
function medianOf(values: Float64Array): number {
  const upper = smallest(values, values.length >> 1);
  if (values.length % 2 === 1) return upper;
  let lower = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length >> 1; i++) lower = Math.max(lower, values[i] as number);
  return lower / 2 + upper / 2;
}

/** The value at `k` of the sorted values, which smaller ones come before (Hoare's selection). */
function smallest(values: Float64Array, k: number): number {
  let [from, to] = [0, values.length - 1];
  while (from < to) {
    const pivot = values[(from + to) >> 1] as number;
    let [left, right] = [from, to];
    while (left <= right) {
      while ((values[left] as number) < pivot) left += 1;
      while ((values[right] as number) > pivot) right -= 1;
      if (left > right) break;
      const value = values[left] as number;
      values[left++] = values[right] as number;
      values[right--] = value;
    }
    if (k <= right) to = right;
    else if (k >= left) from = left;
    else break;
  }
  return values[k] as number;
}

/** Whether a column holds categories, to read a table by. */
export function isCategory({ encoders }: TableFeatures, column: string): boolean {
  return encoders.some(({ kind, name }) => kind === 'category' && name === column);
}

/** What to say of categories that did not occur in training. */
export function unseenNote(column: string, categories: readonly string[]): string {
  const some = `${categories.slice(0, 5).join(', ')}${categories.length > 5 ? ', …' : ''}`;
  return `column "${column}" holds ${some}, which training did not know`;
}

/** The rows as a tensor [count, width]. */
export function tensorOf({ count, width, values }: Rows): Tensor {
  return tensor(values, [count, width]);
}

/** Number of features of an encoded row. */
export function widthOf({ encoders }: TableFeatures): number {
  return encoders.reduce(
    (width, encoder) => width + (encoder.kind === 'category' ? encoder.categories.length : encoder.gaps > 0 ? 2 : 1),
    0,
  );
}

/** The table's column of each feature, counted over the columns that have features. */
export function columnsOfFeatures({ encoders }: TableFeatures): Int32Array {
  return Int32Array.from(
    encoders.flatMap((encoder, column) => new Array<number>(widthOf({ encoders: [encoder] })).fill(column)),
  );
}

/**
 * Encodes a table as features: [rows, widthOf(features)].
 *
 * @param onUnseen called for each column with categories that did not occur in training, which are
 * encoded as zeros
 * @throws Error naming columns that are missing, or of another kind than in training
 */
export function encodeTable(
  features: TableFeatures,
  table: ColumnTable,
  onUnseen?: (column: string, categories: readonly string[]) => void,
): Rows {
  const byName = new Map(table.columns.map((column) => [column.name, column]));
  const missing = features.encoders.filter(({ name }) => !byName.has(name)).map(({ name }) => name);
  if (missing.length > 0)
    throw new Error(
      `the table lacks ${missing.map((name) => `"${name}"`).join(', ')}; it has ${[...byName.keys()].join(', ')}`,
    );
  const width = widthOf(features);
  const values = new Float32Array(table.rows * width);
  let at = 0;
  for (const encoder of features.encoders) {
    const column = byName.get(encoder.name) as Column;
    if (encoder.kind === 'number') {
      if (column.kind !== 'number' && !isEmpty(column))
        throw new Error(
          `column "${encoder.name}" must hold numbers; it has "${column.values.find((v) => v !== undefined)}"`,
        );
      for (let row = 0; row < table.rows; row++) {
        const value = column.kind === 'number' ? (column.values[row] as number) : Number.NaN;
        const gap = Number.isNaN(value);
        values[row * width + at] = ((gap ? encoder.median : value) - encoder.mean) / encoder.deviation;
        if (encoder.gaps > 0) values[row * width + at + 1] = gap ? 1 : 0;
      }
      at += encoder.gaps > 0 ? 2 : 1;
      continue;
    }
    const codes = new Map(encoder.categories.map((name, code) => [name, code]));
    const unseen = new Set<string>();
    for (let row = 0; row < table.rows; row++) {
      const value = column.values[row];
      if (value === undefined || Number.isNaN(value)) continue;
      const code = codes.get(String(value));
      if (code === undefined) unseen.add(String(value));
      else values[row * width + at + code] = 1;
    }
    if (unseen.size > 0) onUnseen?.(encoder.name, [...unseen].sort());
    at += encoder.categories.length;
  }
  return { count: table.rows, width, values, columns: columnsOfFeatures(features) };
}

/** The selected rows, in the given order. */
export function takeRows({ width, values, ...rest }: Rows, rows: Int32Array): Rows {
  const taken = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    taken.set(values.subarray(row * width, (row + 1) * width), i * width);
  });
  return { ...rest, count: rows.length, width, values: taken };
}
