// The edges of a grid as one table, from which skip-gram without walks draws its pairs.

import { cpu } from '../engine/index.js';
import { fillAlias } from '../structure/index.js';
import { keep, type Random, type Tensor, tensor } from '../tensor/index.js';
import type { Grid } from './grid.js';
import { chunked, type PairSource } from './skip-gram.js';

/** Source of training pairs: stored edges, sampled by weight with an alias table. */
export class EdgeTable {
  /** Place at which each stored edge begins, i32 [nnz]; `grid.indices` has its other end. */
  readonly sources: Tensor;
  /** Acceptance probabilities of the alias table of all edges, [nnz]; null without weights. */
  readonly probabilities: Tensor | null;
  /** Aliases of that table. */
  readonly aliases: Tensor | null;

  constructor(readonly grid: Grid) {
    const { nodes, places, graph } = grid;
    const indptr = grid.indptr.view() as unknown as Int32Array;
    const sources = new Int32Array(Math.max(1, graph.successors.nnz));
    for (let place = 0; place < nodes.length; place++) sources.fill(place, indptr[place], indptr[place + 1]);
    this.sources = keep(tensor(sources));
    const weights = graph.weights && weightsByPlace(grid, places);
    if (!weights) {
      this.probabilities = null;
      this.aliases = null;
      return;
    }
    const [probabilities, aliases] = [new Float32Array(weights.length), new Int32Array(weights.length)];
    fillAlias(
      weights,
      0,
      weights.length,
      weights.reduce((total, weight) => total + weight, 0),
      probabilities,
      aliases,
    );
    this.probabilities = keep(tensor(probabilities));
    this.aliases = keep(tensor(aliases));
  }

  /** Pairs of a batch of so many edges. */
  source(count: number, random: Random): PairSource {
    const { chunks, perChunk } = chunked(count);
    const { key } = random;
    return {
      chunks,
      write: (grid, counts, pairs) =>
        cpu.run('edgePairs', {
          sources: this.sources,
          indices: grid.indices,
          probabilities: this.probabilities,
          aliases: this.aliases,
          entries: grid.graph.successors.nnz,
          total: count,
          perChunk,
          partOf: grid.partOf,
          parts: grid.parts,
          counts,
          pairs,
          key,
          first: 0,
        }),
    };
  }

  /** Frees the tables. */
  dispose(): void {
    for (const held of [this.sources, this.probabilities, this.aliases]) held?.dispose();
  }
}

/** Weights of the stored edges in the order of the grid. */
function weightsByPlace({ graph, nodes, indptr, indices }: Grid, places: Int32Array): Float64Array {
  const starts = indptr.view() as unknown as Int32Array;
  const targets = indices.view() as unknown as Int32Array;
  const weights = new Float64Array(targets.length);
  nodes.forEach((v, place) => {
    const begin = graph.successors.indptr[v] as number;
    const weightOf = new Map(
      Array.from(graph.neighbours(v), (u, i) => [places[u] as number, graph.weights?.[begin + i] as number]),
    );
    for (let e = starts[place] as number; e < (starts[place + 1] as number); e++)
      weights[e] = weightOf.get(targets[e] as number) as number;
  });
  return weights;
}
