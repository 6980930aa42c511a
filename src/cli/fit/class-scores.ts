// How well classes are predicted on test rows, beside the most frequent class.

import { accuracy, macroF1 } from '../../nn/index.js';

/** Labelled rows and their parts. */
export interface ScoredRows {
  readonly labels: Int32Array;
  readonly classes: number;
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/** Scores in % by name. */
export type ClassScores = Readonly<Record<'accuracy' | 'macroF1', number>>;

/** Accuracy and macro-F1 in % on the test rows. */
export function classScores(predicted: Int32Array, { labels, classes, test }: ScoredRows): ClassScores {
  return {
    accuracy: 100 * accuracy(predicted, labels, test),
    macroF1: 100 * macroF1(predicted, labels, classes, test),
  };
}

/** The class that most training rows have, for every row. */
export function mostFrequent({ labels, classes, train }: ScoredRows): Int32Array {
  const counts = new Int32Array(classes);
  for (const row of train) counts[labels[row] as number] = (counts[labels[row] as number] as number) + 1;
  return new Int32Array(labels.length).fill(counts.indexOf(Math.max(...counts)));
}

/**
 * @param what of the rows, such as `vertices`
 * @throws Error for fewer than two classes, or a part without labelled rows
 */
export function requireParts(
  rows: ScoredRows & { readonly validation: Int32Array },
  classNames: readonly string[],
  what: string,
): void {
  if (classNames.length < 2)
    throw new Error(
      classNames.length === 0
        ? `no label is given of any ${what}`
        : `the labels hold one class alone: "${classNames[0]}"`,
    );
  for (const part of ['train', 'validation', 'test'] as const)
    if (rows[part].length === 0)
      throw new Error(`no labelled ${what} is in the part "${part}"; label more of them, or give a column split`);
}

/** Lines of methods beside each other. */
export function scoreLines(rows: Readonly<Record<string, ClassScores>>, test: number, what: string): string[] {
  const width = Math.max(...Object.keys(rows).map((title) => title.length));
  return [
    `on ${test} test ${what}:`,
    ...Object.entries(rows).map(
      ([title, { accuracy: right, macroF1: f1 }]) =>
        `  ${title.padEnd(width)}  accuracy ${right.toFixed(1)} %  macro-F1 ${f1.toFixed(1)} %`,
    ),
  ];
}
