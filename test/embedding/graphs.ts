// Random graphs and dense products for the tests of embeddings.

import { Graph } from '../../src/structure/index.js';
import { Random, type Tensor } from '../../src/tensor/index.js';

export function randomGraph(seed: number, n: number, edges: number, weighted = false, directed = false): Graph {
  const random = new Random(seed);
  const ends = () => Int32Array.from({ length: edges }, () => random.integer(n));
  const weights = weighted ? Float32Array.from({ length: edges }, () => 1 + random.integer(4)) : undefined;
  return Graph.fromEdges(n, ends(), ends(), { weights, directed, duplicates: weighted ? 'sum' : 'first' });
}

/** Dense product of matrices in 64 bits. */
export function product(a: number[][], b: number[][]): number[][] {
  return a.map((row) =>
    (b[0] as number[]).map((_, j) => row.reduce((total, value, k) => total + value * (b[k]?.[j] as number), 0)),
  );
}

export function rowsOf(x: Tensor): number[][] {
  const [n, d] = x.shape as [number, number];
  const values = x.view();
  return Array.from({ length: n }, (_, v) => Array.from(values.subarray(v * d, (v + 1) * d)));
}
