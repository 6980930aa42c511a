// The rows that a client holds, and their standardisation by its own statistics.

import { joinedArrays } from '../../tensor/index.js';

/** Rows of numbers with the class of each, as a client holds them. */
export interface PrivateRows {
  /** Number of rows. */
  readonly count: number;
  /** Numbers of a row. */
  readonly width: number;
  /** Row-major, count · width; NaN where a value is missing. */
  readonly values: Float32Array;
  /** Class of each row, −1 where it has none. */
  readonly labels: Int32Array;
}

/** Mean and deviation of each column over the values that are there. */
export interface Standardization {
  /** Mean of each column; 0 where all is missing. */
  readonly means: Float32Array;
  /** Deviation of each column; 1 for constants. */
  readonly deviations: Float32Array;
}

/**
 * Checks rows that a client is made from.
 *
 * @throws Error naming what is wrong: no rows, other sizes, infinities, labels that are no classes
 */
export function requireRows({ count, width, values, labels }: PrivateRows, classes: number): void {
  if (!(count > 0)) throw new Error('the client has no rows');
  if (values.length !== count * width || labels.length !== count)
    throw new Error(`${count} rows of ${width} numbers have ${values.length} values and ${labels.length} labels`);
  const wrong = values.findIndex((value) => value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY);
  if (wrong >= 0)
    throw new Error(`row ${Math.floor(wrong / width) + 1}, column ${(wrong % width) + 1} holds ${values[wrong]}`);
  const label = labels.findIndex((own) => own < -1 || own >= classes);
  if (label >= 0)
    throw new Error(`row ${label + 1} has the class ${labels[label]}; there are ${classes}, and −1 stands for none`);
}

/** The statistics of rows, of one party or of several of the same width. */
export function standardizationOf(...parts: readonly Omit<PrivateRows, 'labels'>[]): Standardization {
  const width = parts[0]?.width ?? 0;
  const count = parts.reduce((sum, own) => sum + own.count, 0);
  const values = joinedArrays(
    Float32Array,
    parts.map((own) => own.values),
  );
  const [means, deviations] = [new Float32Array(width), new Float32Array(width).fill(1)];
  for (let column = 0; column < width; column++) {
    let [present, sum, squares] = [0, 0, 0];
    for (let row = 0; row < count; row++) {
      const value = values[row * width + column] as number;
      if (Number.isNaN(value)) continue;
      present += 1;
      sum += value;
    }
    const mean = present > 0 ? sum / present : 0;
    for (let row = 0; row < count; row++) {
      const value = values[row * width + column] as number;
      if (!Number.isNaN(value)) squares += (value - mean) ** 2;
    }
    means[column] = mean;
    const deviation = present > 0 ? Math.sqrt(squares / present) : 0;
    if (deviation > 1e-6 * Math.max(1, Math.abs(mean))) deviations[column] = deviation;
  }
  return { means, deviations };
}

/** (x − mean) / deviation of each value; 0, the mean, where one is missing. */
export function standardized(values: Float32Array, { means, deviations }: Standardization): Float32Array {
  const width = means.length;
  return values.map((value, i) => {
    const column = i % width;
    return Number.isNaN(value) ? 0 : (value - (means[column] as number)) / (deviations[column] as number);
  });
}

/** Some of the rows, in the given order. */
export function pickRows({ width, values, labels }: PrivateRows, rows: ArrayLike<number>): PrivateRows {
  const picked = new Float32Array(rows.length * width);
  const own = new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    picked.set(values.subarray(row * width, (row + 1) * width), i * width);
    own[i] = labels[row] as number;
  }
  return { count: rows.length, width, values: picked, labels: own };
}

/** Parts of a user's rows. */
export interface TimeSplit {
  /** Earlier rows of each class. */
  readonly train: Int32Array;
  /** Later rows of each class. */
  readonly test: Int32Array;
}

/**
 * Divides rows by time: of each class the first share trains and the rest tests, in the order in
 * which rows stand; rows without a class train. Neighbouring windows then meet at one place only.
 *
 * @param share from 0 to 1. Default: 0.7
 */
export function splitByTime(labels: Int32Array, classes: number, share = 0.7): TimeSplit {
  const [train, test]: [number[], number[]] = [[], []];
  for (let c = -1; c < classes; c++) {
    const rows = Array.from(labels.keys()).filter((row) => labels[row] === c);
    const first = c < 0 ? rows.length : Math.ceil(share * rows.length);
    train.push(...rows.slice(0, first));
    test.push(...rows.slice(first));
  }
  const ascending = (rows: number[]) => Int32Array.from(rows).sort();
  return { train: ascending(train), test: ascending(test) };
}
