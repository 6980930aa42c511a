// Hyperparameters of GraphVite, their defaults, and what they must satisfy.

import type { Graph } from '../../structure/index.js';
import type { SkipGramProgress } from '../skip-gram.js';

/** How pairs are sampled; training is the same for all. */
export type PairForm = 'line' | 'deepwalk' | 'node2vec';

/** Hyperparameters of the model and of its pairs. */
export interface GraphViteOptions {
  /**
   * `line`: edges, and from a step of 2 on walks whose pairs are shuffled; `deepwalk`: walks;
   * `node2vec`: walks of second order. Default: 'line'.
   */
  readonly form?: PairForm;
  /** Embedding dimension d. Default: 128. */
  readonly dim?: number;
  /** Pairs trained on, as a multiple of the number of edges. Default: 2000. */
  readonly epochs?: number;
  /**
   * s: farthest distance of a pair on its walk; 1 draws edges. Default: 'auto', see
   * `automaticStep`.
   */
  readonly step?: number | 'auto';
  /** Edges of a walk. Default: 40. */
  readonly walkLength?: number;
  /** node2vec: return parameter. Default: 1. */
  readonly p?: number;
  /** node2vec: in-out parameter. Default: 1. */
  readonly q?: number;
  /** m: negatives of a pair. Default: 1. */
  readonly negatives?: number;
  /** Weight of a negative. Default: 5. */
  readonly negativeWeight?: number;
  /** Initial learning rate, which falls linearly with the batches to 1e-4 of it. Default: 0.025. */
  readonly learningRate?: number;
  /** λ of the weight decay in every sample's step. Default: 0.005. */
  readonly decay?: number;
  /**
   * Pairs of a batch, after which the learning rate falls. Default: 1000; the paper's 100,000 are
   * what one of its devices trains at once.
   */
  readonly batch?: number;
  /**
   * Batches of a block in an episode, that is, in one filling of the pool. Default: 175 pairs for
   * each node of a part, and at most so many that both pools take 128 MiB.
   */
  readonly episode?: number;
  /**
   * P: parts of the nodes, up to 256. Default: the most of 8, 4, 2, 1 for which no block has more
   * than 1.5 times the edges of another.
   */
  readonly parts?: number;
  /** W: blocks that train at the same time; P is a multiple of it. Default: P. */
  readonly workers?: number;
  /** Whether the next pool is filled while one is trained. Default: true. */
  readonly doubleBuffer?: boolean;
  /** Seed of all random draws. Default: 42. */
  readonly seed?: number;
}

/** What a training reports and listens to. */
export interface GraphViteHooks {
  /** Called after every group of blocks. */
  readonly onProgress?: (progress: GraphViteProgress) => void;
  /** Aborts training between groups. */
  readonly signal?: AbortSignal | undefined;
}

/** Progress of training. */
export interface GraphViteProgress extends SkipGramProgress {
  /** Mean loss of a sample in the last group, from every 64th pair. */
  readonly loss: number;
}

/** Defaults of `GraphViteOptions`. */
export const graphViteDefaults = {
  form: 'line',
  dim: 128,
  epochs: 2000,
  step: 'auto',
  walkLength: 40,
  p: 1,
  q: 1,
  negatives: 1,
  negativeWeight: 5,
  learningRate: 0.025,
  decay: 0.005,
  batch: 1000,
  doubleBuffer: true,
  seed: 42,
} as const satisfies GraphViteOptions;

/** Options with their defaults; the numbers of parts and batches follow from the graph. */
export type GraphViteSettings = Required<Omit<GraphViteOptions, 'episode' | 'parts' | 'workers' | 'step'>> &
  Pick<GraphViteOptions, 'episode' | 'parts' | 'workers'> & { readonly step: number };

/** ln 1600, from which the automatic step is computed. */
const REACH = Math.log(1600);

/**
 * s = ⌊log 1600 / log(|E|/n)⌋, at least 1 and at most the length of the walks: the distance within
 * which walks of a graph of this density meet about 1600 nodes.
 */
export function automaticStep(edges: number, nodes: number, walkLength: number = graphViteDefaults.walkLength): number {
  const density = edges / nodes;
  return density <= 1 ? walkLength : Math.min(walkLength, Math.max(1, Math.floor(REACH / Math.log(density))));
}

/**
 * Options with their defaults.
 *
 * @throws RangeError naming the option that is out of range; for a graph without edges
 */
export function graphViteSettings(graph: Graph, options: GraphViteOptions = {}): GraphViteSettings {
  const given = { ...graphViteDefaults, ...options };
  if (graph.edgeCount === 0) throw new RangeError('graphvite: the graph has no edges to train on');
  const { walkLength, p, q, form } = given;
  for (const name of ['dim', 'walkLength', 'batch'] as const) requireInteger(name, given[name], 1);
  for (const name of ['episode', 'parts', 'workers'] as const)
    if (given[name] !== undefined) requireInteger(name, given[name], 1);
  requireInteger('negatives', given.negatives, 0);
  for (const name of ['epochs', 'p', 'q', 'learningRate'] as const)
    if (!(given[name] > 0 && Number.isFinite(given[name])))
      throw new RangeError(`graphvite: ${name} must be positive, got ${given[name]}`);
  for (const name of ['negativeWeight', 'decay'] as const)
    if (!(given[name] >= 0 && Number.isFinite(given[name])))
      throw new RangeError(`graphvite: ${name} must be at least 0, got ${given[name]}`);
  if (form !== 'node2vec' && (p !== 1 || q !== 1))
    throw new RangeError(`graphvite: p and q bias the walks of node2vec, not those of "${form}"`);
  const step = given.step === 'auto' ? automaticStep(graph.edgeCount, graph.nodeCount, walkLength) : given.step;
  requireInteger('step', step, 1);
  if (step > walkLength)
    throw new RangeError(`graphvite: step ${step} is longer than a walk of ${walkLength} edges; raise walkLength`);
  return { ...given, step };
}

function requireInteger(name: string, value: number, minimum: number): void {
  if (!(Number.isInteger(value) && value >= minimum))
    throw new RangeError(`graphvite: ${name} must be an integer of at least ${minimum}, got ${value}`);
}
