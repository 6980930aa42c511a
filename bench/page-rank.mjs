// Personalised PageRank from every node by walks, on one thread, against a plain loop over single
// walks in JavaScript: the same graphs, numbers of walks and rows, in turns.
//
//   npm run build && GOSSAMER_DATA=… node bench/page-rank.mjs [--walks 1,16,64] [--rounds 5] [--ends 2000000] [--json out.json]

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadEdgeGraph } from '../dist/data/node.js';
import { naivePageRank, personalizedPageRank } from '../dist/embedding/index.js';
import { Random, setThreads } from '../dist/index.js';
import { Graph, rmat } from '../dist/structure/index.js';
import { columns, fastest } from './in-turns.mjs';

const { values: flags } = parseArgs({
  options: {
    walks: { type: 'string', default: '1,16,64' },
    rounds: { type: 'string', default: '5' },
    ends: { type: 'string', default: '2000000' },
    json: { type: 'string' },
  },
});

const weighted = rmat(16, 1_000_000, new Random(1));
const graphs = [
  ['rmat, weighted', weighted],
  ['rmat, unweighted', unweighted(weighted)],
];
for (const name of ['wiki-vote', 'ca-grqc', 'gnutella', 'cnr-2000'])
  graphs.push([name, (await loadEdgeGraph(name)).graph]);

setThreads(1);
const lines = [['graph', 'walks', 'plain loop (M walks/s)', 'kernel (M walks/s)', 'times faster']];
const records = [];
console.log(`node ${process.version}, one thread`);
for (const [name, graph] of graphs)
  for (const walks of flags.walks.split(',').map(Number)) {
    // Sources spread over the graph, as many as keep a turn short.
    const count = Math.min(graph.nodeCount, Math.ceil(Number(flags.ends) / walks));
    const sources = Int32Array.from({ length: count }, (_, i) => Math.floor((i * graph.nodeCount) / count));
    const { plain, kernel } = await fastest(
      [
        ['plain', () => naivePageRank(graph, { walks, sources })],
        ['kernel', () => personalizedPageRank(graph, { walks, sources })],
      ],
      Number(flags.rounds) + 1,
    );
    const rate = (ms) => (count * walks) / ms / 1000;
    records.push({ graph: name, walks, plain: rate(plain), kernel: rate(kernel), ratio: plain / kernel });
    lines.push([name, walks, rate(plain).toFixed(2), rate(kernel).toFixed(2), (plain / kernel).toFixed(2)].map(String));
  }
console.log(columns(lines));
if (flags.json) writeFileSync(flags.json, `${JSON.stringify({ node: process.version, records }, null, 2)}\n`);

/** The same edges, each of weight 1. */
function unweighted({ nodeCount, successors: { indptr, indices } }) {
  const sources = new Int32Array(indices.length);
  for (let u = 0; u < nodeCount; u++) sources.fill(u, indptr[u], indptr[u + 1]);
  return Graph.fromEdges(nodeCount, sources, indices, { directed: true });
}
