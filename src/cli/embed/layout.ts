// `gossamer embed --method largevis`: points of the nodes in the plane, or a picture of them.

import { loadNodeLabels, writeFileAtomic, writeVectors } from '../../data/node.js';
import { drawingSvg, layoutGraph } from '../../embedding/index.js';
import type { Graph } from '../../structure/index.js';
import { withBar } from '../bar.js';
import type { GraphViteFlags } from './grid-options.js';

/** Edges up to which they are drawn. */
const DRAWN_EDGES = 20_000;

/** Whether the output is a picture. */
export const isPicture = (out: string): boolean => out.endsWith('.svg');

/** Lays a graph out in two dimensions and writes the points, or draws them with their labels. */
export async function embedLayout(
  { graph, names }: { readonly graph: Graph; readonly names: Parameters<typeof loadNodeLabels>[2] },
  { out, labels: path, epochs, seed, parts }: GraphViteFlags,
): Promise<void> {
  const labels = path === undefined ? undefined : loadNodeLabels(path, graph, names);
  const started = performance.now();
  await withBar(['largevis', 'pairs'], async (bar, signal) => {
    const points = await layoutGraph(graph, {
      seed,
      signal,
      ...(epochs !== undefined && { epochs }),
      ...(parts !== undefined && { parts }),
      onProgress: ({ done, pairs }) => bar.update(done, pairs),
    });
    bar.close();
    if (isPicture(out)) {
      const first = labels && Array.from({ length: graph.nodeCount }, (_, v) => firstLabel(labels, v));
      const { sources, targets } = graph.edges();
      writeFileAtomic(
        out,
        drawingSvg({
          points: points.view(),
          nameOf: names.of,
          ...(sources.length <= DRAWN_EDGES && { edges: { sources, targets } }),
          ...(first && { labels: first }),
        }),
      );
    } else
      await writeVectors(out, {
        vectors: points,
        nameOf: names.of,
        metadata: { method: 'largevis', seed: String(seed) },
      });
    process.stderr.write(
      `${out}: ${graph.nodeCount} nodes in the plane in ${((performance.now() - started) / 1000).toFixed(2)} s\n`,
    );
  });
}

function firstLabel({ indptr, labels }: ReturnType<typeof loadNodeLabels>, node: number): number {
  const [begin, end] = [indptr[node] as number, indptr[node + 1] as number];
  return end > begin ? (labels[begin] as number) : -1;
}
