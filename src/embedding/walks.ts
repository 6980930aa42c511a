// DeepWalk (Perozzi, Al-Rfou, Skiena, "DeepWalk: Online Learning of Social Representations", KDD
// 2014) and node2vec (Grover & Leskovec, "node2vec: Scalable Feature Learning for Networks", KDD
// 2016): skip-gram on the nodes of random walks.

import { cpu } from '../engine/index.js';
import type { Graph } from '../structure/index.js';
import { emptyTensor, Random, type Tensor, tensor } from '../tensor/index.js';
import type { Grid } from './grid.js';
import { batchSize, chunked, type PairSource, SkipGram, type SkipGramOptions, trainBatches } from './skip-gram.js';

/** Random walks and skip-gram hyperparameters. */
export interface WalkOptions extends SkipGramOptions {
  /** Walks from every node. Default: 80 for DeepWalk, 10 for node2vec. */
  readonly walks?: number;
  /** Nodes of a walk. Default: 40 for DeepWalk, 80 for node2vec. */
  readonly length?: number;
  /** Context window: the farthest distance of a context from its centre. Default: 10. */
  readonly window?: number;
  /**
   * Use the whole window for every centre instead of a uniformly drawn part of it. Default: false.
   */
  readonly fixedWindow?: boolean;
  /** Seed of all random draws. Default: 42. */
  readonly seed?: number;
}

/** Bias of the walks of node2vec. */
export interface Node2VecOptions extends WalkOptions {
  /** Return parameter: steps back to the previous node have weight 1/p. Default: 1. */
  readonly p?: number;
  /**
   * In-out parameter: steps to nodes that are not neighbours of the previous node have weight 1/q.
   * Default: 1.
   */
  readonly q?: number;
}

/** Defaults of `deepWalk`; those of `SkipGramOptions` apply to the rest. */
export const deepWalkDefaults = { walks: 80, length: 40, window: 10, seed: 42 } as const;
/** Defaults of `node2vec`; those of `SkipGramOptions` apply to the rest. */
export const node2vecDefaults = { walks: 10, length: 80, window: 10, p: 1, q: 1, seed: 42 } as const;

/**
 * Uniform walks (proportional to edge weights, where the graph has them) and skip-gram with
 * negative sampling.
 *
 * @returns [n, dim]; nodes without edges keep their random initialisation
 * @throws RangeError when walks, length, window or dim is not a positive integer
 */
export function deepWalk(graph: Graph, options: WalkOptions = {}): Promise<Tensor> {
  return embedByWalks(graph, { ...deepWalkDefaults, ...options, p: 1, q: 1 });
}

/**
 * Second-order walks that prefer returning (1/p) or moving outwards (1/q), sampled exactly by
 * rejection, without an alias table for every edge; then skip-gram with negative sampling.
 *
 * @returns [n, dim]; nodes without edges keep their random initialisation
 * @throws RangeError when walks, length, window or dim is not a positive integer, or p or q is not
 * positive
 */
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

/** Walks of a batch, from places of the grid, and their (centre, context) pairs. */
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

/**
 * Walks of one batch: `first` is the index of its first walk in the random stream given by `key`.
 */
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
