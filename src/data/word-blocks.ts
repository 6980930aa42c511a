// The embedded graph: blocks of nodes that share words.

import type { SparseMatrix } from '../sparse/index.js';
import { blockModel } from '../structure/index.js';
import type { Random } from '../tensor/index.js';
import { classWords } from './class-words.js';
import type { GraphDataset } from './graphs.js';

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
  const features = classWords(labels, OWN_SHARE, random);
  return { name: 'blocks', graph, labels, classes, features, split: undefined };
}
