// Ranks of merges from the list in a file.

import type { Rank } from './merges.js';

/** Two texts as one key. */
const keyOf = (left: string, right: string) => `${left.length} ${left}${right}`;

/**
 * The rank of each merge, its place in the list.
 *
 * @param given pairs, or texts with a space between the two
 * @throws Error naming a merge that is none, or of texts that are no tokens.
 */
export function mergeRanks(given: unknown, vocabulary: ReadonlyMap<string, number>): Rank {
  if (!Array.isArray(given)) throw new Error('it has no list of merges');
  const ranks = new Map<string, number>();
  given.forEach((merge: unknown, at) => {
    const [left, right, more] = typeof merge === 'string' ? merge.split(' ') : Array.isArray(merge) ? merge : [];
    if (typeof left !== 'string' || typeof right !== 'string' || more !== undefined || left === '' || right === '')
      throw new Error(`merge ${at}, ${JSON.stringify(merge)}, is not two texts`);
    for (const text of [left, right, left + right])
      if (!vocabulary.has(text)) throw new Error(`merge ${at}, ${JSON.stringify(merge)}: "${text}" is no token`);
    const key = keyOf(left, right);
    if (!ranks.has(key)) ranks.set(key, at);
  });
  return (left, right) => ranks.get(keyOf(left, right));
}
