// `gossamer embed` of sets of graphs: one vector a graph, by HyperCluster.

import { loadWholeGraphs, writeVectors } from '../../data/node.js';
import { resolveOptions } from '../../experiments/parts/options.js';
import { progressLine } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { fitHyperCluster } from '../fit/graphs.js';
import { hyperClusterOptions } from '../fit/options.js';
import { openModelOf } from '../models.js';
import { writeNote } from '../output.js';

/** What `embed` asks for. */
export interface GraphEmbedding {
  /**
   * A model of `gossamer fit --model hypercluster`; without one, the graphs themselves are learnt
   * from.
   */
  readonly model: string | undefined;
  readonly out: string;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** Writes the vectors of a set of graphs. */
export async function embedGraphs(path: string, { model, out, seed, signal }: GraphEmbedding): Promise<void> {
  const started = performance.now();
  const data = loadWholeGraphs(path);
  const learnt =
    model === undefined ? await learn(path, seed, signal) : (await openModelOf(model, 'hypercluster')).model;
  const values = learnt.embed(data);
  const shape = [data.graphs.count, learnt.dimension];
  await writeVectors(out, {
    vectors: { shape, view: () => values },
    nameOf: (graph) => data.graphNames[graph] as string,
    metadata: { method: 'hypercluster', dim: String(learnt.dimension), seed: String(seed) },
  });
  process.stderr.write(
    `${out}: ${shape.join(' × ')} by hypercluster in ${((performance.now() - started) / 1000).toFixed(2)} s\n`,
  );
}

async function learn(path: string, seed: number, signal: AbortSignal) {
  const fitted = await fitHyperCluster(path, {
    values: resolveOptions(hyperClusterOptions),
    random: new Random(seed),
    seed,
    reading: {},
    hooks: {
      signal,
      checkpoint: { load: () => undefined, save: () => undefined },
      onEpoch: progressLine(process.stderr),
    },
    note: writeNote,
  });
  signal.throwIfAborted();
  return fitted.model;
}
