// How the time of an embedding grows with the graph: R-MAT graphs of rising size, undirected and
// weighted.

import { type Graph, rmat } from '../../structure/index.js';
import { Random, type Tensor } from '../../tensor/index.js';
import type { StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';

/** Edges for each node. */
const DEGREE = 8;
const SIZES = [1 / 4, 1 / 2, 1];

export interface GrowthOptions {
  /** Name of the method and its settings, for the note. */
  readonly what: string;
  readonly dim: number;
  /** Edges of the largest graph. */
  readonly edges: number;
}

/**
 * Times an embedding after one warm-up on each graph.
 *
 * @returns the study, with the numbers `largest` (seconds on the largest graph) and `growth` (its
 * time per edge over that of the smallest)
 */
export function growthStudy(embed: (graph: Graph) => Tensor, { what, dim, edges }: GrowthOptions): StudyResults {
  const rows = SIZES.map((size) => {
    const drawn = Math.round(size * edges);
    const graph = rmat(Math.round(Math.log2(drawn / DEGREE)), drawn, new Random(1)).undirected();
    embed(graph).dispose();
    const started = performance.now();
    embed(graph).dispose();
    const seconds = (performance.now() - started) / 1000;
    return { nodes: graph.nodeCount, edges: graph.edgeCount, seconds, perEdge: seconds / graph.edgeCount };
  });
  const [first, last] = [rows[0], rows.at(-1)] as [(typeof rows)[number], (typeof rows)[number]];
  const study = {
    title: 'Time by size',
    note: `${what} on R-MAT graphs, undirected and weighted.`,
    columns: ['nodes', 'edges', 'seconds', 'ns an edge and column'],
    rows: rows.map((row) => [
      row.nodes.toLocaleString('en'),
      row.edges.toLocaleString('en'),
      row.seconds.toFixed(3),
      ((1e9 * row.perEdge) / dim).toFixed(2),
    ]),
  };
  return studyOf(study, { largest: last.seconds, growth: last.perEdge / first.perEdge });
}
