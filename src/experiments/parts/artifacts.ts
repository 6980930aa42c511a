// Artifacts of a run: tables of predictions.

import type { Table } from './contract.js';

/** Class probabilities with the names of rows, classes and true labels. */
export interface ClassPredictions {
  /** Heading of the column of row names: `vertex`, `image`. */
  readonly row: string;
  readonly rowNames: ArrayLike<string | number>;
  readonly classNames: readonly string[];
  /** [rows, classes], row-major. */
  readonly probabilities: ArrayLike<number>;
  /** True class by row, −1 where unknown; no column when left out. */
  readonly labels?: ArrayLike<number>;
}

/** The most probable class of each row, its probability and, where known, the true class. */
export function predictionTable({ row, rowNames, classNames, probabilities, labels }: ClassPredictions): Table {
  const classes = classNames.length;
  const rows = Array.from({ length: rowNames.length }, (_, i) => {
    let best = 0;
    for (let c = 1; c < classes; c++)
      if ((probabilities[i * classes + c] as number) > (probabilities[i * classes + best] as number)) best = c;
    return [
      rowNames[i] as string | number,
      classNames[best] as string,
      (probabilities[i * classes + best] as number).toFixed(4),
      ...(labels ? [classNames[labels[i] as number] ?? ''] : []),
    ];
  });
  return { columns: [row, 'prediction', 'probability', ...(labels ? ['label'] : [])], rows };
}

/** Names 0, 1, … of rows or classes that have none. */
export function numbered(length: number): string[] {
  return Array.from({ length }, (_, i) => String(i));
}
