// Baselines of node embeddings: LINE, DeepWalk and node2vec, trained by skip-gram with negative
// sampling.

import { deepWalk, line, node2vec, type SkipGramOptions } from '../../embedding/index.js';
import type { Graph } from '../../structure/index.js';
import type { Tensor } from '../../tensor/index.js';
import { choice, count, type OptionValues } from '../parts/options.js';
import type { EmbeddingMethod } from './embeddings.js';

export const skipGramOptions = {
  walkers: choice(['all', 'node2vec', 'none'], 'baselines trained by skip-gram', { smoke: 'none' }),
  walks: count(10, 'walks a node of DeepWalk (80 in its paper)'),
};

type Options = OptionValues<typeof skipGramOptions>;

export const LINE = 'LINE';
export const DEEPWALK = 'DeepWalk';
export const NODE2VEC = 'node2vec';

/**
 * The baselines that the options ask for. LINE's dimension is even, since both of its orders share
 * the columns.
 */
export function skipGramBaselines(dim: number, { walkers, walks }: Options): EmbeddingMethod[] {
  type Embed = (graph: Graph, options: SkipGramOptions & { readonly seed: number }) => Promise<Tensor>;
  const baseline = (title: string, embed: Embed): EmbeddingMethod => ({
    title,
    c: 1,
    links: false,
    embed: (graph, { seed, hooks: { signal }, progress }) =>
      embed(graph, { dim, seed, signal, onProgress: ({ done }) => progress(done) }),
  });
  const all = [
    baseline(LINE, (graph, own) => line(graph, { ...own, dim: 2 * Math.ceil(dim / 2) })),
    baseline(DEEPWALK, (graph, own) => deepWalk(graph, { ...own, walks })),
    baseline(NODE2VEC, node2vec),
  ];
  return all.filter(({ title }) => trains(title, { walkers }));
}

/** Whether the options ask for a baseline. */
export function trains(title: string, { walkers }: Pick<Options, 'walkers'>): boolean {
  return walkers === 'all' || (walkers === 'node2vec' && title === NODE2VEC);
}

/** Note on the baselines for the report. */
export function skipGramNote({ walks }: Options): string {
  return (
    `DeepWalk makes ${walks} walks of 40 nodes from each node, node2vec its default 10 of 80; both with windows of 10 ` +
    'and five negatives, on all threads.'
  );
}
