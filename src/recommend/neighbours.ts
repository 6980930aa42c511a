// Recommenders without training: popularity, and the nearest items by cosine.

import { type Interactions, itemsOf } from '../data/index.js';
import { SparseMatrix, SparsePattern, sparseProduct } from '../sparse/index.js';
import { scope } from '../tensor/index.js';
import type { HistoryScorer, Scorer } from './metrics.js';

/** Number of users of each item. */
export function popularity({ indices, items }: Interactions): Float32Array {
  const counts = new Float32Array(items.length);
  for (const item of indices) counts[item] = (counts[item] as number) + 1;
  return counts;
}

/** Ranks items by the number of their users, alike for everyone. */
export class Popularity implements Scorer, HistoryScorer {
  readonly #counts: Float32Array;

  constructor(data: Interactions) {
    this.#counts = popularity(data);
  }

  scores(): Float32Array {
    return this.#counts.slice();
  }

  scoresOf(): Float32Array {
    return this.#counts.slice();
  }
}

/** Options of `ItemKNN`. */
export interface ItemKNNOptions {
  /** Neighbours that an item keeps. Default: 100. */
  readonly neighbours?: number;
  /** Added to the product of the norms, against chance among rare items. Default: 10. */
  readonly shrink?: number;
}

/**
 * Item-based nearest neighbours (Sarwar et al. 2001): score(u, i) = Σ_{j of u} s(i, j) over the
 * neighbours j of i, s(i, j) = |users of both| / (√(|users of i|·|users of j|) + shrink).
 */
export class ItemKNN implements Scorer, HistoryScorer {
  readonly #data: Interactions;
  /** Row j: items that count j among their neighbours. */
  readonly similarities: SparseMatrix;

  constructor(data: Interactions, { neighbours = 100, shrink = 10 }: ItemKNNOptions = {}) {
    this.#data = data;
    this.similarities = similaritiesOf(data, neighbours, shrink);
  }

  scores(user: number): Float32Array {
    return this.scoresOf(itemsOf(this.#data, user));
  }

  scoresOf(history: Int32Array): Float32Array {
    const { indptr, indices } = this.similarities.pattern;
    const values = this.similarities.values?.view() ?? new Float32Array(indices.length).fill(1);
    const scores = new Float32Array(this.#data.items.length);
    for (const item of history)
      for (let e = indptr[item] as number; e < (indptr[item + 1] as number); e++) {
        const other = indices[e] as number;
        scores[other] = (scores[other] as number) + (values[e] as number);
      }
    return scores;
  }
}

function similaritiesOf(data: Interactions, neighbours: number, shrink: number): SparseMatrix {
  return scope(() => {
    const counts = popularity(data);
    const users = new SparseMatrix(new SparsePattern(data.users.length, data.items.length, data.indptr, data.indices));
    const both = sparseProduct(users.transpose(), users);
    const { indptr, indices } = both.pattern;
    const shared = both.values?.view() ?? new Float32Array(indices.length).fill(1);
    const [rowOf, columnOf, values]: [number[], number[], number[]] = [[], [], []];
    for (let item = 0; item < data.items.length; item++) {
      const own = [...indices.subarray(indptr[item], indptr[item + 1]).keys()].flatMap((at) => {
        const e = (indptr[item] as number) + at;
        const other = indices[e] as number;
        if (other === item) return [];
        const norm = Math.sqrt((counts[item] as number) * (counts[other] as number)) + shrink;
        return [{ other, similarity: (shared[e] as number) / norm }];
      });
      own.sort((a, b) => b.similarity - a.similarity || a.other - b.other);
      for (const { other, similarity } of own.slice(0, neighbours)) {
        rowOf.push(other);
        columnOf.push(item);
        values.push(similarity);
      }
    }
    both.values?.dispose();
    return SparseMatrix.fromCoordinates(data.items.length, data.items.length, rowOf, columnOf, values);
  });
}
