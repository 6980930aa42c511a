// Features of tables for estimators: the encoding of tables, and rows drawn so that classes weigh
// the same.

export {
  encodeTable,
  fitFeatures,
  isCategory,
  type Rows,
  type TableFeatures,
  takeRows,
  tensorOf,
  unseenNote,
  widthOf,
} from '../../data/index.js';

/**
 * Random oversampling: row indices in which rows of smaller classes are repeated until all classes
 * are as large as the largest.
 *
 * @param integer draws a uniform integer in [0, n)
 */
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
