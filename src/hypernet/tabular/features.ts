// Columns as numbers: medians for gaps with a column that says where they were, one-hot categories, everything standardised by the training rows.

import type { Column, ColumnTable } from '../../data/index.js';

/** Rows of numbers, row-major. */
export interface Rows {
  readonly count: number;
  readonly width: number;
  readonly values: Float32Array;
}

type Encoder =
  | {
      readonly kind: 'number';
      readonly name: string;
      readonly median: number;
      readonly mean: number;
      readonly deviation: number;
      /** Share of gaps in training, if any: a column of its own. */
      readonly gaps: number;
    }
  | { readonly kind: 'category'; readonly name: string; readonly categories: readonly string[] };

/** What is kept of the training table: plain data, saved with a model. */
export interface TableFeatures {
  /** Columns without a single value have none. */
  readonly encoders: readonly Encoder[];
}

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
  const present = column.values.filter((value) => !Number.isNaN(value)).sort();
  const middle = (present[(present.length - 1) >> 1] as number) / 2 + (present[present.length >> 1] as number) / 2;
  const filled = column.values.map((value) => (Number.isNaN(value) ? middle : value));
  const mean = filled.reduce((a, b) => a + b, 0) / filled.length;
  const deviation = Math.sqrt(filled.reduce((sum, value) => sum + (value - mean) ** 2, 0) / filled.length);
  const gaps = 1 - present.length / column.values.length;
  // A constant column becomes zeros.
  return { kind: 'number', name, median: middle, mean, deviation: deviation > 0 ? deviation : 1, gaps };
}

export function widthOf({ encoders }: TableFeatures): number {
  return encoders.reduce(
    (width, encoder) => width + (encoder.kind === 'category' ? encoder.categories.length : encoder.gaps > 0 ? 2 : 1),
    0,
  );
}

/**
 * @param onUnseen told of categories that training did not know; their columns are all zero
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
  return { count: table.rows, width, values };
}

/** Some rows. */
export function takeRows({ width, values }: Rows, rows: Int32Array): Rows {
  const taken = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    taken.set(values.subarray(row * width, (row + 1) * width), i * width);
  });
  return { count: rows.length, width, values: taken };
}

/** Rows of small classes repeated at random until all classes are as large as the largest. */
export function oversample(labels: Int32Array, classes: number, integer: (n: number) => number): Int32Array {
  const members = Array.from({ length: classes }, (_, c) =>
    Array.from(labels.keys()).filter((row) => labels[row] === c),
  );
  const most = Math.max(...members.map(({ length }) => length));
  const rows = Array.from(labels.keys());
  for (const own of members)
    for (let extra = own.length; own.length > 0 && extra < most; extra++) rows.push(own[integer(own.length)] as number);
  return Int32Array.from(rows);
}
