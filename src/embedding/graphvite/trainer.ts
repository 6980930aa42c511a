// The training loop: episodes of groups of orthogonal blocks, while samplers fill the next pool.

import { alone, type Communicator } from '../../distributed/index.js';
import { cpu, eventTurn } from '../../engine/index.js';
import type { Graph } from '../../structure/index.js';
import { keep, Random, scope, type Tensor, tensor, zeros } from '../../tensor/index.js';
import { Grid, gridSchedule } from '../grid.js';
import { initialPart, LocalMatrices, type Matrices, type PartStore, StoredMatrices } from './matrices.js';
import type { GraphViteHooks, GraphViteSettings } from './options.js';
import type { GraphVitePlan } from './plan.js';
import { boundsTensor, cellsOf, episodeAt, PairPool, Sampling } from './pools.js';
import { exchangePairs, RankMatrices, samplersOf } from './ranks.js';
import { type Block, orthogonalSchedule } from './schedule.js';

/** Words of a task of the kernel. */
const TASK = 8;

/** What a trainer is given beside graph, settings and plan. */
export interface TrainerOptions {
  /**
   * `product`: probability σ(v·c) of a pair; `distance`: 1/(1 + |v − c|²), V and C being one
   * matrix. Default: 'product'.
   */
  readonly kind?: 'product' | 'distance';
  /** Keeps parts when the plan says so. */
  readonly store?: PartStore | undefined;
  /** Goes on from a state of the same graph, settings and plan. */
  readonly state?: GraphViteState | undefined;
  /** Ranks that share parts and samplers; each has the graph. Default: this one alone. */
  readonly ranks?: Communicator | undefined;
}

/** Where a training stands: it goes on with this group of this episode. */
export interface GraphViteState {
  /** The episode that trains next, or is under way. */
  readonly episode: number;
  /** Groups of it that have trained. */
  readonly group: number;
  /** V and C in the order of places; absent where a store keeps them. */
  readonly vertices?: Float32Array;
  /** C, as V. */
  readonly contexts?: Float32Array;
}

/** What a training has counted. */
export interface GraphViteCounts {
  /** Pairs trained on. */
  pairs: number;
  /** Groups, after each of which all workers have met. */
  barriers: number;
  /** Bytes of parts that were read, written or sent. */
  movedBytes: number;
  /** Most pairs drawn for a block over the fewest, in the last pool. */
  imbalance: number;
  /** Seconds in which pools were filled and nothing trained. */
  samplingSeconds: number;
  /** Seconds in which blocks were trained, alone or beside samplers. */
  trainingSeconds: number;
}

/** Trains the vectors of a graph. `dispose` frees all tensors. */
export class GridTrainer {
  /** Parts of the nodes. */
  readonly grid: Grid;
  /** Rows of V and C. */
  readonly matrices: Matrices;
  /** Groups of blocks in the order of an episode. */
  readonly schedule: readonly (readonly Block[])[];
  /** What was counted so far. */
  readonly counts: GraphViteCounts = {
    pairs: 0,
    barriers: 0,
    movedBytes: 0,
    imbalance: 1,
    samplingSeconds: 0,
    trainingSeconds: 0,
  };
  readonly #cells: Int32Array;
  readonly #sampling: Sampling;
  readonly #bounds: Tensor;
  readonly #losses: Tensor;
  readonly #pools: [PairPool, PairPool];
  readonly #key: readonly [number, number];
  readonly #ranks: Communicator;
  #episode = 0;
  #group = 0;

  /** @throws Error when the plan keeps parts in a store and there is none */
  constructor(
    graph: Graph,
    readonly settings: GraphViteSettings,
    readonly plan: GraphVitePlan,
    { store, state, kind = 'product', ranks = alone() }: TrainerOptions = {},
  ) {
    const { parts, workers, width, inFiles } = plan;
    const shared = kind === 'distance';
    this.grid = new Grid(graph, parts);
    this.schedule = shared ? gridSchedule(parts, true) : orthogonalSchedule(parts, workers);
    this.#cells = cellsOf(this.schedule, parts);
    if (inFiles && !store) throw new Error('graphvite: a training within a budget needs a store of parts');
    this.#ranks = ranks;
    if (ranks.size > 1 && (workers !== parts || inFiles || shared))
      throw new Error('graphvite: over ranks all parts train at once, in memory; leave workers and memory out');
    if (ranks.size > 1) this.matrices = new RankMatrices(this.grid, width, ranks);
    else if (inFiles && store) this.matrices = new StoredMatrices(this.grid, width, workers, store);
    else this.matrices = new LocalMatrices(this.grid, width, shared);
    const random = new Random(settings.seed).split('graphvite');
    for (let part = 0; part < parts && !state; part++) {
      const values = initialPart(this.grid, part, settings.dim, width, random);
      this.matrices.restore('vertices', part, values);
      if (!shared) this.matrices.restore('contexts', part, values.fill(0));
    }
    this.#key = random.split('draws').key;
    this.#sampling = new Sampling(this.grid, settings);
    this.#bounds = boundsTensor(this.grid);
    this.#losses = keep(zeros([4 * Math.max(...this.schedule.map(({ length }) => length))]));
    this.#pools = [new PairPool(plan, settings.batch), new PairPool(plan, settings.batch)];
    if (state) this.#resume(state);
  }

  /** Trains to the end, or until it is aborted: then `state` tells where it stands. */
  async train({ onProgress, signal }: GraphViteHooks = {}): Promise<'finished' | 'aborted'> {
    const { plan, schedule, counts } = this;
    const started = performance.now();
    const before = counts.pairs;
    while (this.#episode < plan.episodes) {
      const pool = this.#filled(this.#episode);
      const next =
        this.settings.doubleBuffer && this.#episode + 1 < plan.episodes ? this.#opened(this.#episode + 1) : undefined;
      // Of a training that goes on, shares that an earlier run filled.
      if (next && this.#group > 0) this.#run([], pool, next, [this.#sharesBefore(0), this.#sharesBefore(this.#group)]);
      for (; this.#group < schedule.length; this.#group++) {
        const loss = this.#trainGroup(pool, next);
        const seconds = (performance.now() - started) / 1000;
        onProgress?.({
          done: counts.pairs / (plan.batches * this.settings.batch),
          pairs: counts.pairs,
          pairsPerSecond: (counts.pairs - before) / Math.max(seconds, 1e-9),
          loss,
        });
        await eventTurn();
        if (this.#anyAborted(signal) && (this.#group + 1 < schedule.length || this.#episode + 1 < plan.episodes)) {
          this.#group += 1;
          return 'aborted';
        }
      }
      pool.episode = undefined;
      if (next) this.#complete(next);
      this.#episode += 1;
      this.#group = 0;
    }
    return 'finished';
  }

  /** Where the training stands. */
  get state(): GraphViteState {
    const { matrices } = this;
    const at = { episode: this.#episode, group: this.#group };
    if (matrices instanceof StoredMatrices) {
      matrices.flush();
      return at;
    }
    return { ...at, vertices: matrices.vertices.view().slice(), contexts: matrices.contexts.view().slice() };
  }

  #resume({ episode, group, vertices, contexts }: GraphViteState): void {
    if (vertices && contexts) {
      this.matrices.vertices.assign(vertices);
      this.matrices.contexts.assign(contexts);
    }
    if (this.matrices instanceof RankMatrices) this.matrices.resumeAt(group);
    this.#episode = episode;
    this.#group = group;
    const { batch } = this.settings;
    const own = episodeAt(Math.min(episode, this.plan.episodes - 1), this.plan);
    const blocks = this.schedule.slice(0, group).flat().length;
    const behind = own.batches.subarray(0, blocks).reduce((a, b) => a + b, 0);
    this.counts.pairs = episode === this.plan.episodes ? this.plan.batches * batch : (own.firstBatch + behind) * batch;
  }

  /** The pool of an episode, filled now unless it has been while the one before trained. */
  #filled(number: number): PairPool {
    const pool = this.#pools[number % 2] as PairPool;
    if (pool.episode?.number === number) return pool;
    const started = performance.now();
    this.#opened(number);
    this.#run([], pool, pool, [this.#sharesBefore(0), this.#sharesBefore(this.schedule.length)]);
    this.#complete(pool);
    this.counts.samplingSeconds += (performance.now() - started) / 1000;
    return pool;
  }

  /** Checks what was drawn, and exchanges it between ranks. */
  #complete(pool: PairPool): void {
    const { size } = this.#ranks;
    const [first, last] = this.#ownSamplers();
    this.counts.imbalance = pool.requireFull(Array.from({ length: last - first }, (_, i) => first + i));
    if (size > 1) exchangePairs(pool, this.#ranks);
  }

  /** Whether a rank is asked to stop: all stop at the same group. */
  #anyAborted(signal: AbortSignal | undefined): boolean {
    const flag = Int32Array.of(Number(signal?.aborted ?? false));
    this.#ranks.allReduce(flag, 'max');
    return flag[0] === 1;
  }

  #ownSamplers(): readonly [number, number] {
    return samplersOf(this.plan.samplers, this.#ranks.rank, this.#ranks.size);
  }

  #opened(number: number): PairPool {
    const pool = this.#pools[number % 2] as PairPool;
    pool.open(episodeAt(number, this.plan), this.#cells);
    return pool;
  }

  /** End of the samplers of this rank whose shares are filled beside the groups before this one. */
  #sharesBefore(group: number): number {
    const [first, last] = this.#ownSamplers();
    return first + Math.floor((group * (last - first)) / this.schedule.length);
  }

  /** Trains the group at which the training stands. @returns the mean loss */
  #trainGroup(pool: PairPool, next: PairPool | undefined): number {
    const group = this.schedule[this.#group] as readonly Block[];
    const started = performance.now();
    const shares = [this.#sharesBefore(this.#group), this.#sharesBefore(this.#group + 1)] as const;
    this.#run(this.#tasks(group, pool), pool, next, next ? shares : [0, 0]);
    this.matrices.trained(group);
    const { counts } = this;
    counts.trainingSeconds += (performance.now() - started) / 1000;
    counts.barriers += 1;
    counts.movedBytes = this.matrices.moved;
    const starts = pool.starts.view() as unknown as Int32Array;
    for (const [row, column] of group) {
      const cell = row * this.grid.parts + column;
      counts.pairs += (starts[cell + 1] as number) - (starts[cell] as number);
    }
    const sums = new Float64Array(this.#losses.view().slice(0, 4 * this.#own(group).length).buffer);
    const total = (at: 0 | 1) => sums.reduce((sum, value, i) => (i % 2 === at ? sum + value : sum), 0);
    return total(0) / Math.max(1, total(1));
  }

  /** Blocks of a group that train here. */
  #own(group: readonly Block[]): readonly Block[] {
    const { matrices } = this;
    return matrices instanceof RankMatrices ? group.filter((block) => matrices.owns(block)) : group;
  }

  /** Tasks of a group. Batch j of worker i has number (batches before the group) + j·W + i. */
  #tasks(group: readonly Block[], pool: PairPool): number[] {
    const { parts } = this.grid;
    const episode = pool.episode as NonNullable<PairPool['episode']>;
    const starts = pool.starts.view() as unknown as Int32Array;
    const blocks = this.schedule.slice(0, this.#group).flat().length;
    const before = episode.batches.subarray(0, blocks).reduce((a, b) => a + b, 0);
    const own = this.#own(group);
    const rows = this.matrices.place(own);
    return own.flatMap((block, at) => {
      const [row, column] = block;
      const i = group.indexOf(block);
      const cell = row * parts + column;
      const { heads, tails } = rows[at] as { heads: number; tails: number };
      const stream = (episode.number * parts ** 2 + cell) & 0x7fffffff;
      const first = episode.firstBatch + before + i;
      return [starts[cell] as number, starts[cell + 1] as number, heads, tails, column, first, group.length, stream];
    });
  }

  /** Runs tasks, and beside them samplers that fill their shares of `next`. */
  #run(
    tasks: readonly number[],
    pool: PairPool,
    next: PairPool | undefined,
    [from, to]: readonly [number, number],
  ): void {
    const { settings, plan, grid } = this;
    scope(() =>
      cpu.run('trainWhileSampling', {
        ...this.#sampling.arguments,
        tasks: tensor(Int32Array.from(tasks.length > 0 ? tasks : [0])),
        blocks: tasks.length / TASK,
        pairs: pool.pairs,
        vertices: this.matrices.vertices,
        contexts: this.matrices.contexts,
        d: plan.width,
        probabilities: grid.probabilities,
        aliases: grid.aliases,
        bounds: this.#bounds,
        byDistance: Number(this.matrices.vertices === this.matrices.contexts),
        negatives: settings.negatives,
        weight: settings.negativeWeight,
        rate: settings.learningRate,
        decay: settings.decay,
        batch: settings.batch,
        batches: plan.batches,
        losses: this.#losses,
        firstSampler: from,
        shares: to - from,
        samplers: plan.samplers,
        pool: next?.pairs ?? null,
        starts: next?.starts ?? null,
        parts: grid.parts,
        partOf: grid.partOf,
        episode: next?.episode?.number ?? 0,
        counts: next?.drawn ?? null,
        key: this.#key,
      }),
    );
  }

  /** The pairs of an episode, block by block in the order of cells: row · P + column. */
  samplePairs(episode: number): { readonly heads: Int32Array; readonly tails: Int32Array }[] {
    const pool = this.#filled(episode);
    const [starts, pairs] = [pool.starts, pool.pairs].map((x) => x.view() as unknown as Int32Array) as [
      Int32Array,
      Int32Array,
    ];
    const { nodes, bounds, parts } = this.grid;
    return Array.from({ length: parts ** 2 }, (_, cell) => {
      const [begin, end] = [starts[cell] as number, starts[cell + 1] as number];
      const ends = (part: number, side: 0 | 1) =>
        Int32Array.from(
          { length: end - begin },
          (_, i) => nodes[(bounds[part] as number) + (pairs[2 * (begin + i) + side] as number)] as number,
        );
      return { heads: ends(Math.floor(cell / parts), 0), tails: ends(cell % parts, 1) };
    });
  }

  /** Rows of V, or of C, of some nodes: [nodes, dim]. */
  rows(side: 'vertices' | 'contexts', nodes: ArrayLike<number>): Float32Array {
    const { dim } = this.settings;
    const { places, bounds } = this.grid;
    const partOf = this.grid.partOf.view() as unknown as Uint8Array;
    const values = new Float32Array(nodes.length * dim);
    for (let i = 0; i < nodes.length; i++) {
      const place = places[nodes[i] as number] as number;
      const part = partOf[place] as number;
      const from = (place - (bounds[part] as number)) * this.plan.width;
      this.matrices.copy(side, part, values.subarray(i * dim, (i + 1) * dim), from);
    }
    return values;
  }

  /** Frees all tensors. */
  dispose(): void {
    this.grid.dispose();
    this.matrices.dispose();
    this.#sampling.dispose();
    for (const held of [this.#bounds, this.#losses, ...this.#pools]) held.dispose();
  }
}
