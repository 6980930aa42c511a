// Random walks, their pairs, and the training of vectors on pairs.

import type { KernelArguments } from '../../generated/arguments.js';
import type { Execution, Keyed } from '../execution.js';

/**
 * Nanoseconds of a task that is long enough to be shared whatever its size: thousands of walks, or
 * of pairs.
 */
const LONG = 1e6;

/** Bytes of the table of one digit of the radix sort in `walkEnds`. */
const WALK_DIGITS = 4096;

/** Ends of walks by blocks of sources: see kernels/page-rank.ts. */
export type WalkEndsArguments = Omit<Keyed<KernelArguments['walkEnds']>, 'scratch'>;

function walkEnds(run: Execution, args: WalkEndsArguments): void {
  const { indptr, indices, columns, sources, ends, nodes, count, walks, perBlock, threshold, key } = args;
  const [key0, key1] = key;
  run.withScratchEach(perBlock * walks * 16 + WALK_DIGITS, (scratch) =>
    run.over(
      'walkEnds',
      { indptr, indices, columns, sources, ends, nodes, count, walks, perBlock, threshold, key0, key1, scratch },
      Math.ceil(count / perBlock),
      perBlock * walks * 60,
    ),
  );
}

/** Gradient steps over `tasks` blocks of pairs: see kernels/skip-gram.ts. */
export type SkipGramArguments = Omit<Keyed<KernelArguments['skipGram']>, 'scratch'> & { readonly tasks: number };

function skipGram(run: Execution, args: SkipGramArguments): void {
  const { pairs, blocks, vertices, contexts, d, probabilities, aliases, bounds, table } = args;
  const { negatives, weight, rate, decay, key, first, tasks } = args;
  const [key0, key1] = key;
  run.withScratchEach(d * 4 + (negatives + 1) * 8, (scratch) =>
    run.over(
      'skipGram',
      {
        pairs,
        blocks,
        vertices,
        contexts,
        d,
        probabilities,
        aliases,
        bounds,
        table,
        scratch,
        negatives,
        weight,
        rate,
        decay,
        key0,
        key1,
        first,
      },
      tasks,
      LONG,
    ),
  );
}

/** Blocks of a pool to train, and samplers that fill the next: see kernels/pair-pools.ts. */
export type TrainWhileSamplingArguments = Omit<Keyed<KernelArguments['trainWhileSampling']>, 'scratch'> & {
  /** Samplers that take part. */
  readonly shares: number;
};

function trainWhileSampling(run: Execution, { key, shares, ...args }: TrainWhileSamplingArguments): void {
  const [key0, key1] = key;
  run.withScratchEach((args.length + 1 + args.parts ** 2) * 4, (scratch) =>
    run.over('trainWhileSampling', { ...args, key0, key1, scratch }, args.blocks + shares, LONG),
  );
}

/** `count` walks of `length` nodes. */
export type RandomWalksArguments = Keyed<KernelArguments['randomWalks']> & { readonly count: number };

function randomWalks(run: Execution, { key, count, ...args }: RandomWalksArguments): void {
  const [key0, key1] = key;
  run.over('randomWalks', { ...args, key0, key1 }, count, args.length * 20);
}

/** Pairs of walks, counted or written by chunks. */
export type WalkPairsArguments = Keyed<KernelArguments['walkPairs']>;

function walkPairs(run: Execution, { key, ...args }: WalkPairsArguments): void {
  const [key0, key1] = key;
  run.over('walkPairs', { ...args, key0, key1 }, Math.ceil(args.total / args.perChunk), LONG);
}

/** Edges drawn by weight, counted or written by chunks. */
export type EdgePairsArguments = Keyed<KernelArguments['edgePairs']>;

function edgePairs(run: Execution, { key, ...args }: EdgePairsArguments): void {
  const [key0, key1] = key;
  run.over('edgePairs', { ...args, key0, key1 }, Math.ceil(args.total / args.perChunk), LONG);
}

/** One move of `count` walkers. */
export type AdvanceWalkersArguments = Keyed<KernelArguments['advanceWalkers']> & { readonly count: number };

function advanceWalkers(run: Execution, args: AdvanceWalkersArguments): void {
  const { walkers, indptr, indices, columns, nodes, first, unitRow, ranks, threshold, key, count } = args;
  const [key0, key1] = key;
  run.over(
    'advanceWalkers',
    { walkers, indptr, indices, columns, nodes, first, unitRow, ranks, threshold, key0, key1 },
    count,
    12,
  );
}

export const walkRoutines = {
  randomWalks,
  walkPairs,
  edgePairs,
  walkEnds,
  advanceWalkers,
  skipGram,
  trainWhileSampling,
};
