// FastRP looking further, beside LINE, on a labelled graph: micro-F1 of a tenth of the labels.
//
//   npm run build
//   GOSSAMER_DATA=… node bench/sparse-embeddings.mjs [coauthor-cs] [--splits 3] [--threads 2]
//
// 128 columns each; C of the classifier is chosen on halves of the training nodes, for all alike.

import { parseArgs } from 'node:util';
import { loadMultiLabelGraph } from '../dist/data/node.js';
import { fastRP, labelledNodes, line, multiLabelScores, splitNodes } from '../dist/embedding/index.js';
import { Random, setThreads } from '../dist/index.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { splits: { type: 'string', default: '3' }, threads: { type: 'string', default: '2' } },
});
setThreads(Number(values.threads));
const { graph, labels } = await loadMultiLabelGraph(positionals[0] ?? 'coauthor-cs');
const far = [0, 0, 0, 1, 1, 1, 1, 1];
const methods = {
  'FastRP, as it is': () => fastRP(graph, { dim: 128, seed: 1 }),
  'FastRP, β = 0, orders 4 to 8': () => fastRP(graph, { dim: 128, seed: 1, weights: far, degreeExponent: 0 }),
  LINE: () => line(graph, { dim: 128, seed: 1 }),
};
const nodes = labelledNodes(labels);
for (const [name, embed] of Object.entries(methods)) {
  const started = performance.now();
  const vectors = await embed();
  const seconds = (performance.now() - started) / 1000;
  const scores = Array.from({ length: Number(values.splits) }, (_, seed) => {
    const random = new Random(seed);
    const split = splitNodes(nodes, 0.1, random.split('split'));
    const inner = splitNodes(split.train, 0.5, random.split('inner'));
    const validated = [0.01, 0.1, 1, 10, 100].map((c) => [multiLabelScores(vectors, labels, inner, { c }).microF1, c]);
    const [, c] = validated.reduce((best, own) => (own[0] > best[0] ? own : best));
    return multiLabelScores(vectors, labels, split, { c });
  });
  const mean = (key) => (100 * scores.reduce((sum, own) => sum + own[key], 0)) / scores.length;
  const each = scores.map(({ microF1 }) => (100 * microF1).toFixed(1)).join(', ');
  console.log(
    `${name}: micro-F1 ${mean('microF1').toFixed(1)} % (${each}), macro-F1 ${mean('macroF1').toFixed(1)} %, ${seconds.toFixed(2)} s`,
  );
}
process.exit(0);
