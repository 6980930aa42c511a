// Epochs of networks on pairs of nodes: SSWL⁺ (width 32, 4 layers) and PPGN++ (width 24, 3 blocks) on
// 240 graphs of 10 to 16 nodes, forward, gradients and Adam in batches of 40, with all that making a
// batch takes. The same arithmetic in PyTorch is in cells-torch.py, on the graphs that this one
// writes.
//
//   npm run build && node bench/cells.mjs [--threads 1,2] [--epochs 8] [--write graphs.json]
//   python3 bench/cells-torch.py graphs.json

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { GraphBatches, PPGN, SubgraphNetwork, trainWholeGraphs } from '../dist/graph/index.js';
import { Random, setThreads } from '../dist/index.js';
import { connectedGraph, GraphCollection } from '../dist/structure/index.js';

const { values: flags } = parseArgs({
  options: {
    threads: { type: 'string', default: '1,2' },
    epochs: { type: 'string', default: '8' },
    write: { type: 'string' },
  },
});

const random = new Random(0);
const graphs = Array.from({ length: 244 }, (_, g) => {
  const own = random.split(g);
  const n = 10 + own.integer(7);
  const least = Math.floor(1.3 * n);
  return connectedGraph(own, n, least + own.integer(2 * n - least));
});
const values = Float32Array.from(graphs, () => random.gaussian());
if (flags.write) {
  const plain = graphs.map((graph) => {
    const { sources, targets } = graph.edges();
    return { nodes: graph.nodeCount, edges: Array.from(sources, (u, e) => [u, targets[e]]) };
  });
  writeFileSync(
    flags.write,
    JSON.stringify({ graphs: plain.slice(0, 240), targets: Array.from(values.slice(0, 240)) }),
  );
}

const split = {
  train: Int32Array.from({ length: 240 }, (_, g) => g),
  validation: Int32Array.from({ length: 4 }, (_, g) => 240 + g),
};
const networks = {
  'SSWL⁺, width 32, 4 layers': () =>
    new SubgraphNetwork({ nodes: 0, edges: 0, outputs: 1 }, new Random(1), { layers: 4, hidden: 32 }),
  'PPGN++, width 24, 3 blocks': () =>
    new PPGN({ nodes: 0, edges: 0, pairs: 0, outputs: 1 }, new Random(1), { depth: 3, hidden: 24 }),
};
const input = { graphs: GraphCollection.of(graphs), nodes: undefined, edges: undefined };

console.log(`node ${process.version}`);
for (const threads of flags.threads.split(',').map(Number)) {
  setThreads(threads);
  for (const [name, make] of Object.entries(networks)) {
    let best = Number.POSITIVE_INFINITY;
    await trainWholeGraphs(make(), new GraphBatches(input), { values, width: 1 }, split, new Random(2), {
      epochs: Number(flags.epochs),
      onEpoch: ({ seconds }) => {
        best = Math.min(best, seconds);
      },
    });
    console.log(`${name.padEnd(34)} ${threads} thr. ${(1000 * best).toFixed(1).padStart(8)} ms an epoch`);
  }
}
process.exit(0);
