// The pool of an episode: the pairs of every block, drawn from walks by samplers that share it out.

import { emptyTensor, keep, type Tensor, tensor, zeros } from '../../tensor/index.js';
import { EdgeTable } from '../edge-table.js';
import type { Grid } from '../grid.js';
import type { GraphViteSettings } from './options.js';
import type { GraphVitePlan } from './plan.js';

/** Draws for each place after which a block that stays open is given up. */
const PATIENCE = 64;

/** Batches of each block of an episode, and the number of its first batch. */
export interface Episode {
  /** Counts from 0. */
  readonly number: number;
  /** Batches before this episode. */
  readonly firstBatch: number;
  /** Of each block, in the order of training. */
  readonly batches: Int32Array;
}

/** The share of an episode in all batches, block by block as evenly as whole batches allow. */
export function episodeAt(
  number: number,
  { batches, episodes, parts }: Pick<GraphVitePlan, 'batches' | 'episodes' | 'parts'>,
): Episode {
  const firstBatch = Math.floor((number * batches) / episodes);
  const own = Math.floor(((number + 1) * batches) / episodes) - firstBatch;
  const blocks = parts ** 2;
  const before = (block: number) => Math.floor((block * own) / blocks);
  return { number, firstBatch, batches: Int32Array.from({ length: blocks }, (_, k) => before(k + 1) - before(k)) };
}

/** Pairs of one episode, by blocks. */
export class PairPool {
  /** (head, tail) of every pair, counted from the first row of their parts: i32 [pairs, 2]. */
  readonly pairs: Tensor;
  /** First pair of each block (row · P + column), then the end: i32 [P² + 1]. */
  readonly starts: Tensor;
  /** Pairs drawn by each sampler for each block, those dropped included: i32 [samplers, P²]. */
  readonly drawn: Tensor;
  episode: Episode | undefined;

  constructor(
    readonly plan: GraphVitePlan,
    readonly batch: number,
  ) {
    const { batches, episodes, parts, samplers } = plan;
    this.pairs = keep(emptyTensor([2 * Math.ceil(batches / episodes) * batch], 'i32'));
    this.starts = keep(zeros([parts ** 2 + 1], 'i32'));
    this.drawn = keep(zeros([samplers, parts ** 2], 'i32'));
  }

  /** Makes room for an episode. @param cells block numbers in the order of training */
  open(episode: Episode, cells: Int32Array): void {
    const sizes = new Int32Array(cells.length);
    cells.forEach((cell, k) => {
      sizes[cell] = (episode.batches[k] as number) * this.batch;
    });
    const starts = ints(this.starts);
    sizes.forEach((size, cell) => {
      starts[cell + 1] = (starts[cell] as number) + size;
    });
    this.episode = episode;
  }

  /** Places of sampler `sampler` in a block: [begin, end). */
  share(cell: number, sampler: number): [begin: number, end: number] {
    const starts = ints(this.starts);
    const start = starts[cell] as number;
    const size = (starts[cell + 1] as number) - start;
    const before = (s: number) => start + Math.floor((size * s) / this.plan.samplers);
    return [before(sampler), before(sampler + 1)];
  }

  /**
   * Most pairs drawn for a block over the fewest.
   *
   * @param samplers those that filled the pool here. Default: all
   * @throws Error naming a block that could not be filled
   */
  requireFull(samplers: Iterable<number> = Array(this.plan.samplers).keys()): number {
    const { parts } = this.plan;
    const drawn = ints(this.drawn);
    const totals = new Float64Array(parts ** 2);
    for (const sampler of samplers)
      for (let cell = 0; cell < totals.length; cell++) {
        const own = drawn[sampler * totals.length + cell] as number;
        const [begin, end] = this.share(cell, sampler);
        if (own < end - begin)
          throw new Error(
            `graphvite: hardly any pair leads from part ${Math.floor(cell / parts)} to part ${cell % parts} of ${parts}; use fewer parts (1 always works) or a larger step`,
          );
        totals[cell] = (totals[cell] as number) + own;
      }
    return Math.max(...totals) / Math.min(...totals);
  }

  dispose(): void {
    for (const held of [this.pairs, this.starts, this.drawn]) held.dispose();
  }
}

/** The elements of an i32 tensor in place. */
export function ints(values: Tensor): Int32Array {
  return values.view() as unknown as Int32Array;
}

/** What samplers read: the graph, and how walks and their pairs are made. */
export class Sampling {
  readonly #edges: EdgeTable;

  constructor(
    readonly grid: Grid,
    readonly settings: Pick<GraphViteSettings, 'form' | 'step' | 'walkLength' | 'p' | 'q'>,
  ) {
    this.#edges = new EdgeTable(grid);
  }

  /** Arguments of the kernel. */
  get arguments() {
    const { grid } = this;
    const { form, step, walkLength, p, q } = this.settings;
    return {
      sources: this.#edges.sources,
      indptr: grid.indptr,
      indices: grid.indices,
      edgeProbabilities: this.#edges.probabilities,
      edgeAliases: this.#edges.aliases,
      rowProbabilities: grid.edgeProbabilities,
      rowAliases: grid.edgeAliases,
      entries: grid.graph.successors.nnz,
      length: walkLength,
      reach: step,
      shuffle: form === 'line' ? step : 1,
      back: 1 / p,
      away: 1 / q,
      patience: PATIENCE,
    };
  }

  dispose(): void {
    this.#edges.dispose();
  }
}

/** Blocks of a schedule as row · P + column, in the order of training. */
export function cellsOf(schedule: readonly (readonly (readonly [number, number])[])[], parts: number): Int32Array {
  return Int32Array.from(schedule.flat(), ([row, column]) => row * parts + column);
}

/** First row of each part as a tensor. */
export const boundsTensor = (grid: Grid): Tensor => keep(tensor(grid.bounds));
