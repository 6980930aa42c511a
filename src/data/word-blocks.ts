// The embedded graph: blocks of nodes that share words.

import { SparseMatrix } from '../sparse/index.js';
import { blockModel } from '../structure/index.js';
import type { Random } from '../tensor/index.js';
import type { GraphDataset } from './graphs.js';

const WORDS = 300;
const WORDS_OF_A_CLASS = 40;
/** Draws of a node. */
const DRAWS = 10;
const OWN_SHARE = 0.3;

/**
 * A sparse block model of 1,500 nodes and 5 classes, called `blocks`. A node has up to 10 of 300
 * words, of which about a third are drawn from a vocabulary of its class.
 *
 * @returns features are 0 or 1 [1500, 300]
 */
export function wordBlocks(random: Random): GraphDataset & { readonly features: SparseMatrix } {
  const classes = 5;
  const { graph, labels } = blockModel(random, { nodes: 1500, classes, meanDegree: 4, noise: 0.3 });
  const rows: number[] = [];
  const columns: number[] = [];
  labels.forEach((label, v) => {
    const draw = () =>
      random.float() < OWN_SHARE ? label * WORDS_OF_A_CLASS + random.integer(WORDS_OF_A_CLASS) : random.integer(WORDS);
    for (const word of new Set(Array.from({ length: DRAWS }, draw))) {
      rows.push(v);
      columns.push(word);
    }
  });
  const features = SparseMatrix.fromCoordinates(labels.length, WORDS, rows, columns);
  return { name: 'blocks', graph, labels, classes, features, split: undefined };
}
