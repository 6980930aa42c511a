// Training of skip-gram embeddings, block by block of a grid. No two threads ever write the same
// row, so the result does not depend on the number of threads.

import { cpu, eventTurn } from '../engine/index.js';
import type { Graph } from '../structure/index.js';
import {
  emptyTensor,
  gatherKnownRows,
  keep,
  type Random,
  scope,
  slice,
  type Tensor,
  tensor,
  zeros,
} from '../tensor/index.js';
import { Grid, gridSchedule } from './grid.js';

/** Hyperparameters of skip-gram with negative sampling. */
export interface SkipGramOptions {
  /** Embedding dimension. Default: 128. */
  readonly dim?: number;
  /** Negative samples for each pair. Default: 5. */
  readonly negatives?: number;
  /** Weight of a negative sample in the loss. Default: 1. */
  readonly negativeWeight?: number;
  /** Initial learning rate, which falls linearly to 1e-4 of it. Default: 0.025. */
  readonly learningRate?: number;
  /**
   * λ: weight decay, which multiplies the rows of a pair by 1 − rate·λ before its step. Default: 0.
   */
  readonly decay?: number;
  /** Called after every batch. */
  readonly onProgress?: (progress: SkipGramProgress) => void;
  /** Aborts training between batches. */
  readonly signal?: AbortSignal;
}

/** Progress of training. */
export interface SkipGramProgress {
  /** Completed share of the work, in [0, 1]. */
  readonly done: number;
  /** Pairs trained on so far. */
  readonly pairs: number;
  /** Mean rate since the start. */
  readonly pairsPerSecond: number;
}

/** Chunks of a batch, which are sorted into blocks in parallel. */
const CHUNKS = 32;
/** σ(x) at the midpoints of 3072 intervals of [−6, 6). */
const SIGMOID = Float32Array.from({ length: 3072 }, (_, i) => 1 / (1 + Math.exp(6 - (i + 0.5) / 256)));

/**
 * A batch of training pairs. `write` is called twice: with `pairs` null to count the pairs of each
 * block, then to store them at the offsets in `counts`.
 */
export interface PairSource {
  readonly chunks: number;
  write(grid: Grid, counts: Tensor, pairs: Tensor | null): void;
}

/**
 * Skip-gram with negative sampling: maximises log σ(v·c) + w·Σ_k log σ(−v·c_k) over pairs of a
 * vertex vector v and a context vector c, with negatives c_k ∝ degree^0.75, by stochastic gradient
 * descent.
 */
export class SkipGram {
  /** The renumbered graph. */
  readonly grid: Grid;
  /** V in the order of places: [n, dim rounded up to a multiple of 4]. */
  readonly vertices: Tensor;
  /** C, of the shape of `vertices`; the same tensor in a first-order model. */
  readonly contexts: Tensor;
  /** Pairs trained on so far. */
  pairs = 0;
  readonly #options: Required<Omit<SkipGramOptions, 'onProgress' | 'signal'>>;
  readonly #random: Random;
  readonly #sigmoid = keep(tensor(SIGMOID));
  readonly #bounds: Tensor;
  readonly #schedule: [number, number][][];
  readonly #width: number;
  #task = 0;

  /**
   * V ~ U(−½, ½)/dim, C = 0.
   *
   * @param options `shared` uses one matrix for V and C, default false
   * @throws RangeError when dim is not a positive integer
   */
  constructor(
    graph: Graph,
    random: Random,
    {
      dim = 128,
      negatives = 5,
      negativeWeight = 1,
      learningRate = 0.025,
      decay = 0,
      shared = false,
    }: SkipGramOptions & { readonly shared?: boolean } = {},
  ) {
    if (!(Number.isInteger(dim) && dim >= 1))
      throw new RangeError(`skip-gram: dim must be a positive integer, got ${dim}`);
    this.#options = { dim, negatives, negativeWeight, learningRate, decay };
    this.grid = new Grid(graph);
    this.#width = Math.ceil(dim / 4) * 4;
    const n = graph.nodeCount;
    this.vertices = keep(random.split('vertices').uniform([n, this.#width], -0.5 / dim, 0.5 / dim));
    if (this.#width > dim) clearColumns(this.vertices, dim);
    this.contexts = shared ? this.vertices : keep(zeros([n, this.#width]));
    this.#bounds = keep(tensor(this.grid.bounds));
    this.#random = random.split('negatives');
    this.#schedule = gridSchedule(this.grid.parts, shared);
  }

  /** Trains on a batch of pairs, with the learning rate at a share `done` of the work. */
  train(source: PairSource, done: number): void {
    scope(() => {
      const { grid } = this;
      const cells = grid.parts ** 2;
      const counts = zeros([source.chunks * cells], 'i32');
      source.write(grid, counts, null);
      const table = counts.view() as unknown as Int32Array;
      const starts = new Int32Array(cells + 1);
      let total = 0;
      for (let cell = 0; cell < cells; cell++) {
        starts[cell] = total;
        for (let chunk = 0; chunk < source.chunks; chunk++) {
          const count = table[chunk * cells + cell] as number;
          table[chunk * cells + cell] = total;
          total += count;
        }
      }
      starts[cells] = total;
      if (total === 0) return;
      const pairs = emptyTensor([2 * total], 'i32');
      source.write(grid, counts, pairs);
      this.#descend(pairs, starts, done);
      this.pairs += total;
    });
  }

  #descend(pairs: Tensor, starts: Int32Array, done: number): void {
    const { negatives, negativeWeight, learningRate, decay } = this.#options;
    const { grid } = this;
    const rate = learningRate * Math.max(1 - done, 1e-4);
    const { key } = this.#random;
    for (const group of this.#schedule) {
      const blocks = group.flatMap(([row, column]) => {
        const cell = row * grid.parts + column;
        return [starts[cell] as number, starts[cell + 1] as number, column];
      });
      cpu.run('skipGram', {
        pairs,
        blocks: tensor(Int32Array.from(blocks)),
        vertices: this.vertices,
        contexts: this.contexts,
        d: this.#width,
        probabilities: grid.probabilities,
        aliases: grid.aliases,
        bounds: this.#bounds,
        table: this.#sigmoid,
        negatives,
        weight: negativeWeight,
        rate,
        decay,
        key,
        first: this.#task,
        tasks: group.length,
      });
      this.#task = (this.#task + group.length) & 0x3fffffff;
    }
  }

  /** V in the order of the nodes: [n, dim]. */
  embedding(): Tensor {
    return scope(() => {
      const ordered = gatherKnownRows(this.vertices, tensor(this.grid.places));
      return this.#width === this.#options.dim ? ordered : slice(ordered, null, [0, this.#options.dim]);
    });
  }

  /** Frees all tensors; an embedding read before stays. */
  dispose(): void {
    this.grid.dispose();
    for (const held of [this.vertices, this.#sigmoid, this.#bounds]) held.dispose();
    if (this.contexts !== this.vertices) this.contexts.dispose();
  }
}

/** Zeroes the columns from `from` on, which only pad rows. */
function clearColumns(x: Tensor, from: number): void {
  const width = x.shape[1] as number;
  const values = x.view();
  for (let at = 0; at < values.length; at += width) values.fill(0, at + from, at + width);
}

/**
 * Pairs of a batch: at most 4 million, to bound memory, and a fiftieth of the total, so that the
 * learning rate falls smoothly.
 */
export function batchSize(total: number): number {
  return Math.min(4_000_000, Math.max(1, Math.ceil(total / 50)));
}

/**
 * Trains on the batches in order, each with its share of the work before and after it; between them
 * it yields to the event loop, reports progress and stops when aborted. Disposes the model.
 */
export async function trainBatches(
  model: SkipGram,
  batches: Iterable<{ readonly source: PairSource; readonly from: number; readonly to: number }>,
  { onProgress, signal }: Pick<SkipGramOptions, 'onProgress' | 'signal'>,
): Promise<Tensor> {
  const started = performance.now();
  try {
    for (const { source, from, to } of batches) {
      model.train(source, from);
      const seconds = (performance.now() - started) / 1000;
      onProgress?.({ done: to, pairs: model.pairs, pairsPerSecond: model.pairs / Math.max(seconds, 1e-9) });
      await eventTurn(signal);
    }
    return model.embedding();
  } finally {
    model.dispose();
  }
}

/** Number and size of the chunks of `total` walks or samples. */
export function chunked(total: number): { chunks: number; perChunk: number } {
  const perChunk = Math.max(1, Math.ceil(total / CHUNKS));
  return { chunks: Math.max(1, Math.ceil(total / perChunk)), perChunk };
}
