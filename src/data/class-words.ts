// Words of embedded graphs: each node draws some, part of them from a vocabulary of its class.

import { SparseMatrix } from '../sparse/index.js';
import type { Random } from '../tensor/index.js';

const WORDS = 300;
const WORDS_OF_A_CLASS = 40;
/** Draws of a node. */
const DRAWS = 10;

/**
 * @param share of the draws that are from the 40 words of the node's class
 * @returns 0 or 1 [nodes, 300]
 */
export function classWords(labels: Int32Array, share: number, random: Random): SparseMatrix {
  const [rows, columns] = [[] as number[], [] as number[]];
  labels.forEach((label, v) => {
    const draw = () =>
      random.float() < share ? label * WORDS_OF_A_CLASS + random.integer(WORDS_OF_A_CLASS) : random.integer(WORDS);
    for (const word of new Set(Array.from({ length: DRAWS }, draw))) {
      rows.push(v);
      columns.push(word);
    }
  });
  return SparseMatrix.fromCoordinates(labels.length, WORDS, rows, columns);
}
