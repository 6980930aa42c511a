// DeepWalk (Perozzi, Al-Rfou, Skiena, KDD 2014) and node2vec (Grover & Leskovec, KDD 2016): skip-gram on the nodes of random walks.

import { cpu } from '../engine/index.js';
import type { Graph } from '../structure/index.js';
import { emptyTensor, Random, type Tensor, tensor } from '../tensor/index.js';
import {
  batchSize,
  chunked,
  type Grid,
  type PairSource,
  SkipGram,
  type SkipGramOptions,
  trainBatches,
} from './skip-gram.js';

export interface WalkOptions extends SkipGramOptions {
  /** Walks from every node. */
  readonly walks?: number;
  /** Nodes of a walk. */
  readonly length?: number;
  readonly window?: number;
  /** Every centre takes its whole window, in place of a uniform part of it. */
  readonly fixedWindow?: boolean;
  readonly seed?: number;
}

export interface Node2VecOptions extends WalkOptions {
  /** Return parameter: steps back count 1/p. */
  readonly p?: number;
  /** In-out parameter: steps away from the last node's neighbourhood count 1/q. */
  readonly q?: number;
}

export const deepWalkDefaults = { walks: 80, length: 40, window: 10, seed: 42 } as const;
export const node2vecDefaults = { walks: 10, length: 80, window: 10, p: 1, q: 1, seed: 42 } as const;

/**
 * Uniform walks (by weight, where edges have one) and skip-gram with negative sampling.
 *
 * @returns [n, dim]; nodes without edges keep their random start.
 */
export function deepWalk(graph: Graph, options: WalkOptions = {}): Promise<Tensor> {
  return embedByWalks(graph, { ...deepWalkDefaults, ...options, p: 1, q: 1 });
}

/** Walks that prefer returning (1/p) or leaving (1/q), drawn by rejection: exact, without a table for every edge. */
export function node2vec(graph: Graph, options: Node2VecOptions = {}): Promise<Tensor> {
  return embedByWalks(graph, { ...node2vecDefaults, ...options });
}

type Settings = Required<Pick<Node2VecOptions, 'walks' | 'length' | 'window' | 'p' | 'q' | 'seed'>> & Node2VecOptions;

async function embedByWalks(graph: Graph, settings: Settings): Promise<Tensor> {
  for (const name of ['walks', 'length', 'window'] as const)
    if (!(Number.isInteger(settings[name]) && settings[name] >= 1))
      throw new RangeError(`${name} must be a positive integer, got ${settings[name]}`);
  for (const name of ['p', 'q'] as const)
    if (!(settings[name] > 0 && Number.isFinite(settings[name])))
      throw new RangeError(`${name} must be positive, got ${settings[name]}`);
  const random = new Random(settings.seed).split('walks');
  const model = new SkipGram(graph, random.split('model'), settings);
  return trainBatches(model, walkBatches(model.grid, settings, random), settings);
}

function* walkBatches(grid: Grid, settings: Settings, random: Random) {
  const { walks, length, window, fixedWindow = false } = settings;
  const starts = grid.nodes.length;
  const perWalk = length * Math.min(length - 1, fixedWindow ? 2 * window : window + 1);
  const batch = Math.max(1, Math.min(starts, Math.floor(batchSize(walks * starts * perWalk) / Math.max(1, perWalk))));
  for (let pass = 0; pass < walks; pass++) {
    const order = random.split('order').split(pass).permutation(starts);
    for (let at = 0; at < starts; at += batch) {
      const chosen = order.subarray(at, Math.min(starts, at + batch));
      const share = (count: number) => (pass + count / starts) / walks;
      yield {
        source: walkSource(chosen, at, settings, random.split(pass)),
        from: share(at),
        to: share(at + chosen.length),
      };
    }
  }
}

/** Walks of a batch (from places of the grid) and their pairs. */
function walkSource(starts: Int32Array, first: number, settings: Settings, random: Random): PairSource {
  const { length, window, p, q, fixedWindow = false } = settings;
  const { chunks, perChunk } = chunked(starts.length);
  const key = (label: string) => random.split(label).key;
  let nodes: Tensor | undefined;
  return {
    chunks,
    write(grid, counts, pairs) {
      nodes ??= sampleWalks(grid, starts, { length, p, q, first, key: key('steps') });
      cpu.run('walkPairs', {
        walks: nodes,
        total: starts.length,
        length,
        perChunk,
        window,
        fixed: Number(fixedWindow),
        partOf: grid.partOf,
        parts: grid.parts,
        counts,
        pairs,
        key: key('windows'),
        first,
      });
    },
  };
}

export interface SampleOptions {
  readonly length: number;
  readonly p: number;
  readonly q: number;
  readonly first: number;
  readonly key: readonly [number, number];
}

/** Walks from places of the grid: i32 [starts, length], −1 after a dead end. */
export function sampleWalks(grid: Grid, starts: Int32Array, { length, p, q, first, key }: SampleOptions): Tensor {
  const nodes = emptyTensor([starts.length, length], 'i32');
  cpu.run('randomWalks', {
    indptr: grid.indptr,
    indices: grid.indices,
    probabilities: grid.edgeProbabilities,
    aliases: grid.edgeAliases,
    starts: tensor(starts),
    walks: nodes,
    length,
    back: 1 / p,
    away: 1 / q,
    key,
    first,
    count: starts.length,
  });
  return nodes;
}
