// `gossamer embed --method polynomials`: counts of patterns at the nodes or pairs of a graph, of
// those that networks cannot make.

import { csvField } from '../../data/index.js';
import { writeFileAtomic, writeVectors } from '../../data/node.js';
import { missingPatterns, type PolynomialFeature, patternText, polynomialFeatures } from '../../graph/index.js';
import type { Graph } from '../../structure/index.js';

/** What `embed` asks for. */
export interface PolynomialEmbedding {
  /** Most edges of a pattern. */
  readonly degree: number;
  /** Whether pairs of nodes get the numbers, in place of nodes. */
  readonly pairs: boolean;
  readonly out: string;
}

/**
 * Writes the values of nodes as vectors, or those of pairs as a table without the pairs that have
 * none.
 *
 * @throws Error when no pattern is missing up to the degree, or the form of the file does not fit
 */
export async function embedPolynomials(
  graph: Graph,
  nameOf: (node: number) => string,
  { degree, pairs, out }: PolynomialEmbedding,
): Promise<void> {
  const started = performance.now();
  const options = pairs
    ? ({ degree, redNodes: 2, model: 'ppgn' } as const)
    : ({ degree, redNodes: 1, model: 'mpnn' } as const);
  if (missingPatterns(options).length === 0)
    throw new Error(
      `embed: there is no polynomial of ${pairs ? 'pairs up to degree 4 that PPGN' : 'nodes up to degree 2 that message passing'} cannot compute; raise --degree`,
    );
  if (pairs && !out.endsWith('.csv'))
    throw new Error(`embed: "${out}": polynomials of pairs, of which most are 0, are written as .csv`);
  const features = polynomialFeatures(graph, options);
  if (pairs) writeFileAtomic(out, pairRows(features, graph.nodeCount, nameOf));
  else {
    const shape = [graph.nodeCount, features.length];
    const values = new Float32Array(graph.nodeCount * features.length);
    features.forEach(({ positions, values: own }, column) => {
      positions.forEach((node, i) => {
        values[node * features.length + column] = own[i] as number;
      });
    });
    const metadata = {
      method: 'polynomials',
      patterns: JSON.stringify(features.map(({ pattern }) => patternText(pattern))),
    };
    await writeVectors(out, { vectors: { shape, view: () => values }, nameOf, metadata });
  }
  features.forEach(({ pattern }, column) => {
    process.stderr.write(`v${column}: ${patternText(pattern)}\n`);
  });
  process.stderr.write(
    `${out}: ${features.length} polynomials of ${pairs ? 'pairs' : 'nodes'} in ${((performance.now() - started) / 1000).toFixed(2)} s\n`,
  );
}

function* pairRows(
  features: readonly PolynomialFeature[],
  n: number,
  nameOf: (node: number) => string,
): Generator<string> {
  yield `source,target,${features.map((_, column) => `v${column}`).join(',')}\n`;
  const rows = new Map<number, number[]>();
  features.forEach(({ positions, values }, column) => {
    positions.forEach((position, i) => {
      const row = rows.get(position) ?? new Array<number>(features.length).fill(0);
      row[column] = values[i] as number;
      rows.set(position, row);
    });
  });
  for (const position of [...rows.keys()].sort((a, b) => a - b)) {
    const ends = [Math.floor(position / n), position % n].map((node) => csvField(nameOf(node)));
    yield `${ends.join(',')},${(rows.get(position) as number[]).join(',')}\n`;
  }
}
