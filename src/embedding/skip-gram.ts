// Training of skip-gram embeddings on a grid: nodes lie in parts, pairs (centre, context) in blocks of the grid, and blocks that share neither row nor column train side by side (Zhu et al., GraphVite, WWW 2019).
// No two threads ever touch one row, so the result does not depend on their number.

import { cpu, eventTurn } from '../engine/index.js';
import { fillAlias, type Graph } from '../structure/index.js';
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

export interface SkipGramOptions {
  readonly dim?: number;
  /** Negatives drawn for each pair, and what each counts. */
  readonly negatives?: number;
  readonly negativeWeight?: number;
  /** Learning rate, falling linearly to 1e-4 of itself. */
  readonly learningRate?: number;
  /** λ: rows shrink by rate·λ. */
  readonly decay?: number;
  readonly onProgress?: (progress: SkipGramProgress) => void;
  readonly signal?: AbortSignal;
}

export interface SkipGramProgress {
  /** Share of the work that is done. */
  readonly done: number;
  readonly pairs: number;
  readonly pairsPerSecond: number;
}

/** Parts of the grid: enough blocks side by side for as many threads. */
const PARTS = 8;
/** Nodes below which one part serves all. */
const SMALL = 64;
/** Exponent of the degree in the distribution of negatives. */
const NEGATIVE_EXPONENT = 0.75;
/** Chunks in which pairs are sorted into blocks. */
const CHUNKS = 32;
const SIGMOID = Float32Array.from({ length: 3072 }, (_, i) => 1 / (1 + Math.exp(6 - (i + 0.5) / 256)));

/** A batch of pairs: `write` is called twice, to count the pairs of each block and, with an address, to put them in place. */
export interface PairSource {
  readonly chunks: number;
  write(grid: Grid, counts: Tensor, pairs: Tensor | null): void;
}

/** Nodes renumbered so that a part is a range, with near-equal sums of degrees; embeddings lie in that order. */
export class Grid {
  readonly parts: number;
  /** The node at each place. */
  readonly nodes: Int32Array;
  readonly places: Int32Array;
  readonly partOf: Tensor;
  /** First place of each part, and the end. */
  readonly bounds: Int32Array;
  readonly indptr: Tensor;
  readonly indices: Tensor;
  /** Alias columns of each node's edges, for weighted graphs. */
  readonly edgeProbabilities: Tensor | null;
  readonly edgeAliases: Tensor | null;
  /** Alias columns of deg^0.75, part by part. */
  readonly probabilities: Tensor;
  readonly aliases: Tensor;

  constructor(readonly graph: Graph) {
    const n = graph.nodeCount;
    this.parts = n < SMALL ? 1 : PARTS;
    const degrees = graph.outDegrees;
    const byDegree = Int32Array.from({ length: n }, (_, v) => v).sort(
      (a, b) => (degrees[b] as number) - (degrees[a] as number) || a - b,
    );
    const zigzag = Array.from({ length: this.parts }, () => [] as number[]);
    byDegree.forEach((v, rank) => {
      const turn = rank % (2 * this.parts);
      zigzag[Math.min(turn, 2 * this.parts - 1 - turn)]?.push(v);
    });
    this.nodes = Int32Array.from(zigzag.flat());
    this.bounds = new Int32Array(this.parts + 1);
    zigzag.forEach((part, z) => {
      this.bounds[z + 1] = (this.bounds[z] as number) + part.length;
    });
    this.places = new Int32Array(n);
    const partOf = new Uint8Array(Math.max(1, n));
    this.nodes.forEach((v, place) => {
      this.places[v] = place;
    });
    zigzag.forEach((part, z) => {
      for (const v of part) partOf[this.places[v] as number] = z;
    });
    this.partOf = keep(tensor(partOf));
    const { indptr, indices, weights } = renumber(graph, this.nodes, this.places);
    this.indptr = keep(tensor(indptr));
    this.indices = keep(tensor(indices));
    const edges = weights && rowAliases(indptr, weights);
    this.edgeProbabilities = edges ? keep(tensor(edges.probabilities)) : null;
    this.edgeAliases = edges ? keep(tensor(edges.aliases)) : null;
    const likely = Float64Array.from(this.nodes, (v) => (degrees[v] as number) ** NEGATIVE_EXPONENT);
    const negatives = rowAliases(this.bounds, likely);
    this.probabilities = keep(tensor(negatives.probabilities));
    this.aliases = keep(tensor(negatives.aliases));
  }

  dispose(): void {
    for (const held of [
      this.partOf,
      this.indptr,
      this.indices,
      this.edgeProbabilities,
      this.edgeAliases,
      this.probabilities,
      this.aliases,
    ])
      held?.dispose();
  }
}

function renumber(graph: Graph, nodes: Int32Array, places: Int32Array) {
  const { successors } = graph;
  const indptr = new Int32Array(nodes.length + 1);
  const indices = new Int32Array(successors.nnz);
  const weights = graph.weights && new Float32Array(successors.nnz);
  let at = 0;
  nodes.forEach((v, place) => {
    const begin = successors.indptr[v] as number;
    const own = graph.neighbours(v);
    const target = indices.subarray(at, at + own.length);
    if (weights) {
      // Sorted together: neighbours must be found by bisection.
      const order = Array.from(own.keys()).sort(
        (a, b) => (places[own[a] as number] as number) - (places[own[b] as number] as number),
      );
      order.forEach((from, to) => {
        target[to] = places[own[from] as number] as number;
        weights[at + to] = graph.weights?.[begin + from] as number;
      });
    } else {
      for (let i = 0; i < own.length; i++) target[i] = places[own[i] as number] as number;
      target.sort();
    }
    at += own.length;
    indptr[place + 1] = at;
  });
  return { indptr, indices, weights };
}

/** Alias columns of each range of weights; one whose weights are all 0 gets equal ones. */
function rowAliases(bounds: Int32Array, weights: ArrayLike<number>) {
  const probabilities = new Float32Array(Math.max(1, weights.length));
  const aliases = new Int32Array(Math.max(1, weights.length));
  for (let row = 0; row + 1 < bounds.length; row++) {
    const [begin, end] = [bounds[row] as number, bounds[row + 1] as number];
    let total = 0;
    for (let i = begin; i < end; i++) total += weights[i] as number;
    if (total > 0) fillAlias(weights, begin, end, total, probabilities, aliases);
    else probabilities.fill(1, begin, end);
  }
  return { probabilities, aliases };
}

/** Groups of blocks (row, column) that may train side by side, every block once. With one matrix for both sides no part may appear twice in a group. */
export function gridSchedule(parts: number, shared = false): [row: number, column: number][][] {
  const all = Array.from({ length: parts }, (_, i) => i);
  if (!shared) return all.map((offset) => all.map((row) => [row, (row + offset) % parts]));
  const groups: [number, number][][] = [all.map((i) => [i, i])];
  // A round-robin tournament: everyone meets everyone once, both ways round.
  const ring = parts % 2 ? [...all, -1] : all;
  for (let round = 0; round < ring.length - 1; round++) {
    const turned = [
      ring[0] as number,
      ...ring.slice(1).map((_, i) => ring[1 + ((i + round) % (ring.length - 1))] as number),
    ];
    const matches = turned
      .slice(0, ring.length / 2)
      .map((a, i) => [a, turned[ring.length - 1 - i] as number] as [number, number])
      .filter(([a, b]) => a >= 0 && b >= 0);
    groups.push(
      matches,
      matches.map(([a, b]) => [b, a]),
    );
  }
  return groups.filter((group) => group.length > 0);
}

export class SkipGram {
  readonly grid: Grid;
  readonly vertices: Tensor;
  /** The same tensor as `vertices` for a first-order model. */
  readonly contexts: Tensor;
  pairs = 0;
  readonly #options: Required<Omit<SkipGramOptions, 'onProgress' | 'signal'>>;
  readonly #random: Random;
  readonly #sigmoid = keep(tensor(SIGMOID));
  readonly #bounds: Tensor;
  readonly #schedule: [number, number][][];
  readonly #width: number;
  #task = 0;

  /** V ~ U(−½, ½)/d, C = 0; with `shared` one matrix for both. */
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

  /** One pass over a batch of pairs, at the learning rate of a share `done` of the work. */
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

  dispose(): void {
    this.grid.dispose();
    for (const held of [this.vertices, this.#sigmoid, this.#bounds]) held.dispose();
    if (this.contexts !== this.vertices) this.contexts.dispose();
  }
}

function clearColumns(x: Tensor, from: number): void {
  const width = x.shape[1] as number;
  const values = x.view();
  for (let at = 0; at < values.length; at += width) values.fill(0, at + from, at + width);
}

/** Pairs of a batch when there are `total`: so many that memory stays small, and so few that the learning rate falls smoothly. */
export function batchSize(total: number): number {
  return Math.min(4_000_000, Math.max(1, Math.ceil(total / 50)));
}

/** Runs the batches, each from one share of the work to another, in order; lets the program breathe between them, reports, and stops at an abort. */
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

/** Chunks for so many walks or draws. */
export function chunked(total: number): { chunks: number; perChunk: number } {
  const perChunk = Math.max(1, Math.ceil(total / CHUNKS));
  return { chunks: Math.max(1, Math.ceil(total / perChunk)), perChunk };
}
