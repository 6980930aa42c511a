// Baselines of node embeddings: LINE, DeepWalk and node2vec, trained by skip-gram with negative
// sampling.

import { deepWalk, line, node2vec, type SkipGramOptions } from '../../embedding/index.js';
import type { Graph } from '../../structure/index.js';
import { Random, type Tensor } from '../../tensor/index.js';
import type { MethodRun } from '../parts/methods.js';
import { choice, count, type OptionValues } from '../parts/options.js';
import { type Grid, type Setting, settingsOf } from '../parts/tuning.js';
import type { EmbeddingMethod } from './embeddings.js';

export const skipGramOptions = {
  walkers: choice(['all', 'none'], 'baselines trained by skip-gram', { smoke: 'none' }),
  walks: count(10, 'walks a node of DeepWalk and node2vec (80 in the paper)', { smoke: 2 }),
  walkDim: count(128, 'embedding dimension of these baselines', { smoke: 32 }),
};

type Options = OptionValues<typeof skipGramOptions>;

export const LINE = 'LINE';
export const DEEPWALK = 'DeepWalk';
export const NODE2VEC = 'node2vec';

/** Trials train so many columns, on at most so many walks a node and samples an edge. */
const TRIAL = { dim: 64, walks: 3, samplesPerEdge: 20 };
/** Nodes of a walk. */
const LENGTH = 40;

interface WalkSetting extends Setting {
  readonly window: number;
  readonly negatives: number;
}

interface BiasedSetting extends WalkSetting {
  readonly p: number;
  readonly q: number;
}

interface EdgeSetting extends Setting {
  readonly order: 'both' | 1 | 2;
  readonly negatives: number;
}

// The learning rate is not tried: trials are shorter than training, so that they favour high ones.
const negatives = [5, 1, 10, 2, 3];
const walkGrid: Grid<WalkSetting> = { window: [10, 5, 2, 15], negatives };
const biasedGrid: Grid<BiasedSetting> = { p: [1, 0.25, 4], q: [1, 0.25, 4], window: [10, 5], negatives };
const edgeGrid: Grid<EdgeSetting> = { order: ['both', 1, 2], negatives: [...negatives, 7, 15] };

/** DeepWalk with its usual setting, as it is timed. */
export function usualDeepWalk(graph: Graph, { walks, walkDim: dim }: Options, seed: number): Promise<Tensor> {
  return deepWalk(graph, { dim, walks, length: LENGTH, seed });
}

/** node2vec with its usual setting and the walks of DeepWalk, as it is timed. */
export function usualNode2vec(graph: Graph, { walks, walkDim: dim }: Options, seed: number): Promise<Tensor> {
  return node2vec(graph, { dim, walks, length: LENGTH, seed });
}

/**
 * The baselines that the options ask for, each with as many settings to try. LINE's dimension is
 * even, since both of its orders share the columns.
 */
export function skipGramBaselines({
  walkers,
  walks,
  walkDim,
  trials,
}: Options & { readonly trials: number }): EmbeddingMethod[] {
  if (walkers === 'none') return [];
  type Embed<S> = (
    graph: Graph,
    options: S & SkipGramOptions & { readonly seed: number },
    trial: boolean,
  ) => Promise<Tensor>;
  function baseline<S extends Setting>(title: string, grid: Grid<S>, embed: Embed<S>): EmbeddingMethod {
    const training = ({ seed, hooks: { signal }, progress }: MethodRun, trial: boolean) => ({
      dim: trial ? Math.min(TRIAL.dim, walkDim) : walkDim,
      seed,
      signal,
      ...(!trial && { onProgress: ({ done }: { done: number }) => progress(done) }),
    });
    const method: EmbeddingMethod<S> = {
      title,
      settings: settingsOf(grid, trials, new Random(0).split(title)),
      embed: (graph, setting, run, trial) => embed(graph, { ...setting, ...training(run, trial) }, trial),
    };
    return method as unknown as EmbeddingMethod;
  }
  const walked = (trial: boolean) => ({ length: LENGTH, walks: trial ? Math.min(TRIAL.walks, walks) : walks });
  return [
    baseline(LINE, edgeGrid, (graph, own, trial) =>
      line(graph, {
        ...own,
        dim: 2 * Math.ceil((own.dim as number) / 2),
        ...(trial && { samplesPerEdge: TRIAL.samplesPerEdge }),
      }),
    ),
    baseline(DEEPWALK, walkGrid, (graph, own, trial) => deepWalk(graph, { ...own, ...walked(trial) })),
    baseline(NODE2VEC, biasedGrid, (graph, own, trial) => node2vec(graph, { ...own, ...walked(trial) })),
  ];
}

/** Note on the baselines for the report. */
export function skipGramNote({ walkers, walks, walkDim }: Options): string {
  if (walkers === 'none') return 'Baselines trained by skip-gram are left out.';
  return (
    `DeepWalk and node2vec make ${walks} walks of ${LENGTH} nodes from each node; with LINE they train ${walkDim} columns ` +
    `on all threads. Their trials train ${Math.min(TRIAL.dim, walkDim)} columns on at most ${TRIAL.walks} walks a node, or ` +
    `${TRIAL.samplesPerEdge} samples an edge in place of 100.`
  );
}
