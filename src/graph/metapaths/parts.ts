// Rows of parts of the nodes, such as training and validation nodes.

import { gatherKnownRows, keep, type Tensor, tensor } from '../../tensor/index.js';

/** The rows of each part as a group of one tensor [1, rows, d], kept. */
export function gatherParts(values: Tensor, parts: readonly Int32Array[]): Tensor[] {
  return parts.map((rows) => {
    const own = gatherKnownRows(values, tensor(rows));
    return keep(own.reshape([1, rows.length, values.shape[1] as number]));
  });
}
