// Rows of tables by node or event, where some are missing.

import { gatherKnownRows, multiply, type Tensor, tensor } from '../../tensor/index.js';

/** Rows of a table [rows, d], with zeros where the index is −1. */
export function rowsOrZeros(table: Tensor, rows: Int32Array): Tensor {
  if (!rows.includes(-1)) return gatherKnownRows(table, tensor(rows));
  const gathered = gatherKnownRows(table, tensor(rows.map((row) => Math.max(0, row))));
  const known = Float32Array.from(rows, (row) => Number(row >= 0));
  return multiply(gathered, tensor(known, [rows.length, 1]));
}
