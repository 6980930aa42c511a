// The entry points: one call for vectors, or a run that can be looked into and continued.

import type { Communicator } from '../../distributed/index.js';
import type { Graph } from '../../structure/index.js';
import { type Tensor, tensor } from '../../tensor/index.js';
import type { PartStore } from './matrices.js';
import { type GraphViteHooks, type GraphViteOptions, graphViteSettings } from './options.js';
import { planTraining } from './plan.js';
import { type GraphViteState, GridTrainer } from './trainer.js';

/** Where rows may be kept, and in how much memory they train. */
export interface GraphViteRun {
  /** Bytes that the rows of V and C may take. Default: no limit */
  readonly memory?: number | undefined;
  /** Keeps the parts that do not fit. */
  readonly store?: PartStore | undefined;
  /** Where an earlier training of the same graph and options stood. */
  readonly state?: GraphViteState | undefined;
  /** Ranks that share the work; each must have the same graph. Default: this one alone. */
  readonly ranks?: Communicator | undefined;
}

/**
 * A training that has not begun.
 *
 * @throws RangeError as `graphViteSettings` and `planTraining` do
 */
export function startGraphVite(
  graph: Graph,
  options: GraphViteOptions = {},
  { memory, store, state, ranks }: GraphViteRun = {},
): GridTrainer {
  const settings = graphViteSettings(graph, options);
  return new GridTrainer(graph, settings, planTraining(graph, settings, memory), { store, state, ranks });
}

/**
 * Vectors of all nodes; those without edges keep their random initial ones.
 *
 * @returns V [n, dim]
 * @throws RangeError for options out of range; the reason of `signal` when it aborts
 */
export async function graphVite(graph: Graph, options: GraphViteOptions & GraphViteHooks = {}): Promise<Tensor> {
  const { onProgress, signal, ...own } = options;
  const trainer = startGraphVite(graph, own);
  try {
    if ((await trainer.train({ ...(onProgress && { onProgress }), signal })) === 'aborted') signal?.throwIfAborted();
    const nodes = Int32Array.from({ length: graph.nodeCount }, (_, v) => v);
    return tensor(trainer.rows('vertices', nodes), [graph.nodeCount, trainer.settings.dim]);
  } finally {
    trainer.dispose();
  }
}
