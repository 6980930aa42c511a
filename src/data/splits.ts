// Train, validation and test splits of labelled rows.

import type { Random } from '../tensor/index.js';

/** Row indices of each part, ascending. */
export interface Split {
  /** Rows whose labels training sees. */
  readonly train: Int32Array;
  /** Rows for model selection. */
  readonly validation: Int32Array;
  /** Rows for the reported score. */
  readonly test: Int32Array;
}

/**
 * Random rows of each class: `counts.train` for training, `counts.validation` for model selection,
 * the rest for testing. Rows labelled −1 are in no part.
 *
 * @param classes their number, or their names for error messages
 * @throws Error naming the first class that is too small.
 */
export function splitPerClass(
  labels: Int32Array,
  classes: number | readonly string[],
  counts: { readonly train: number; readonly validation: number },
  random: Random,
): Split {
  const parts = { train: [] as number[], validation: [] as number[], test: [] as number[] };
  const names = typeof classes === 'number' ? Array.from({ length: classes }, (_, c) => c) : classes;
  for (const [c, name] of names.entries()) {
    const rows = Array.from(labels.keys()).filter((row) => labels[row] === c);
    if (rows.length <= counts.train + counts.validation) {
      throw new Error(
        `splitPerClass: class ${name} has ${rows.length} rows, too few for ${counts.train} to train, ${counts.validation} to validate and some to test`,
      );
    }
    const shuffled = Array.from(random.permutation(rows.length), (index) => rows[index] as number);
    parts.train.push(...shuffled.slice(0, counts.train));
    parts.validation.push(...shuffled.slice(counts.train, counts.train + counts.validation));
    parts.test.push(...shuffled.slice(counts.train + counts.validation));
  }
  const ascending = (rows: number[]) => Int32Array.from(rows).sort();
  return { train: ascending(parts.train), validation: ascending(parts.validation), test: ascending(parts.test) };
}

/**
 * Random shares of the labelled rows of each class: `train` and `validation`, the rest for testing.
 * Every class has a training row; one of two rows has a test row as well, one of three or more has
 * a row in each part. Rows labelled −1 are in no part.
 */
export function splitByShare(
  labels: Int32Array,
  classes: number,
  shares: { readonly train: number; readonly validation: number },
  random: Random,
): Split {
  const parts = { train: [] as number[], validation: [] as number[], test: [] as number[] };
  for (let c = 0; c < classes; c++) {
    const rows = Array.from(labels.keys()).filter((row) => labels[row] === c);
    const n = rows.length;
    const shuffled = Array.from(random.permutation(n), (index) => rows[index] as number);
    const test = Math.min(Math.max(1, Math.round((1 - shares.train - shares.validation) * n)), n < 3 ? n - 1 : n - 2);
    const validation = n < 3 ? 0 : Math.max(1, Math.min(n - test - 1, Math.round(shares.validation * n)));
    parts.test.push(...shuffled.slice(0, test));
    parts.validation.push(...shuffled.slice(test, test + validation));
    parts.train.push(...shuffled.slice(test + validation));
  }
  const ascending = (rows: number[]) => Int32Array.from(rows).sort();
  return { train: ascending(parts.train), validation: ascending(parts.validation), test: ascending(parts.test) };
}

/**
 * Stratified k-fold cross-validation: the test rows of each fold, ascending, with every class
 * spread evenly over the folds.
 *
 * @param classes their number, or their names for error messages
 * @throws RangeError for fewer than two folds.
 * @throws Error when there are fewer rows than folds, or a class has a single row.
 */
export function stratifiedFolds(
  labels: Int32Array,
  classes: number | readonly string[],
  folds: number,
  random: Random,
): Int32Array[] {
  if (!(Number.isInteger(folds) && folds >= 2))
    throw new RangeError(`stratifiedFolds: at least two folds, got ${folds}`);
  if (labels.length < folds) throw new Error(`stratifiedFolds: ${labels.length} rows are too few for ${folds} folds`);
  const parts = Array.from({ length: folds }, () => [] as number[]);
  let next = 0;
  const names = typeof classes === 'number' ? Array.from({ length: classes }, (_, c) => c) : classes;
  for (const [c, name] of names.entries()) {
    const rows = Array.from(labels.keys()).filter((row) => labels[row] === c);
    if (rows.length === 1)
      throw new Error(
        `stratifiedFolds: class "${name}" has a single row (row ${(rows[0] as number) + 1}), which cannot be trained on and tested`,
      );
    for (const at of random.permutation(rows.length)) parts[next++ % folds]?.push(rows[at] as number);
  }
  return parts.map((rows) => Int32Array.from(rows).sort());
}

/**
 * Rows of each part of a class: numbers, or shares of the class below 1; the rest is for testing.
 */
export interface PartSizes {
  /** Rows whose labels training sees. */
  readonly train: number;
  /** Rows for model selection. */
  readonly validation: number;
}

/**
 * Random rows of each class for training and for validation, the rest for testing. Rows of one
 * group, such as files with the same content, are in the same part, also where their classes
 * differ; a group that would exceed a part is for testing.
 *
 * @param groups the group of each row
 * @param classes names of the classes, for errors
 * @throws Error naming the first class that is too small, or has too many equal rows
 */
export function splitGroups(
  groups: readonly string[],
  labels: ArrayLike<number>,
  classes: readonly string[],
  { train, validation }: PartSizes,
  random: Random,
): Split {
  const members = new Map<string, number[]>();
  for (const [row, group] of groups.entries()) members.set(group, [...(members.get(group) ?? []), row]);
  const byClass = classes.map((): number[][] => []);
  for (const rows of members.values()) byClass[labels[rows[0] as number] as number]?.push(rows);
  const parts = { train: [] as number[], validation: [] as number[], test: [] as number[] };
  byClass.forEach((own, c) => {
    const count = own.reduce((total, rows) => total + rows.length, 0);
    const sizeOf = (part: number) => (part < 1 ? Math.max(1, Math.round(part * count)) : part);
    const room = { train: sizeOf(train), validation: sizeOf(validation) };
    const before = parts.train.length;
    if (count <= room.train + room.validation)
      throw new Error(
        `splitGroups: class "${classes[c]}" has ${count} rows, too few for ${room.train} to train, ${room.validation} to validate and some to test`,
      );
    for (const at of random.permutation(own.length)) {
      const rows = own[at] as number[];
      const part = (['train', 'validation'] as const).find((name) => rows.length <= room[name]);
      parts[part ?? 'test'].push(...rows);
      if (part) room[part] -= rows.length;
    }
    if (parts.train.length === before)
      throw new Error(
        `splitGroups: the ${count} rows of class "${classes[c]}", with equal ones of other classes, are ${own.length} different ones, of which none has at most ${room.train} copies to train on`,
      );
  });
  const empty = (['validation', 'test'] as const).find((name) => parts[name].length === 0);
  if (empty) throw new Error(`splitGroups: equal rows stay together, which leaves none for ${empty}`);
  const ascending = (rows: number[]) => Int32Array.from(rows).sort();
  return { train: ascending(parts.train), validation: ascending(parts.validation), test: ascending(parts.test) };
}
