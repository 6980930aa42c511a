// Memory of training on sets of molecules of QM9, one after the other in a process of its own each:
// SSWL⁺ of two layers of width 8, or of the width and layers that are given.
//
//   npm run build && GOSSAMER_DATA=… node bench/molecules.mjs [--molecules 10000] [--hidden 8] [--layers 2]

import { parseArgs } from 'node:util';
import { loadWholeGraphs } from '../dist/data/node.js';
import {
  attributeEncoding,
  attributeSizes,
  encodeAttributes,
  GraphBatches,
  graphTask,
  SubgraphNetwork,
  targetsOf,
  trainWholeGraphs,
} from '../dist/graph/index.js';
import { Random, setThreads } from '../dist/index.js';

const { values: flags } = parseArgs({
  options: {
    molecules: { type: 'string', default: '10000' },
    hidden: { type: 'string', default: '8' },
    layers: { type: 'string', default: '2' },
    epochs: { type: 'string', default: '2' },
  },
});

await setThreads(1);
const set = loadWholeGraphs('qm9-12k');
const train = Int32Array.from({ length: Number(flags.molecules) }, (_, g) => g);
const validation = Int32Array.from({ length: 200 }, (_, g) => set.graphs.count - 200 + g);
const task = graphTask(set, ['y0'], train);
const encoding = attributeEncoding(set, train);
const layout = { scheme: 'sswl-plus', layers: Number(flags.layers), hidden: Number(flags.hidden) };
const network = new SubgraphNetwork({ ...attributeSizes(encoding), outputs: 1 }, new Random(1), layout);
const mebibytes = () => Math.round(process.memoryUsage().rss / 2 ** 20);
console.log(`node ${process.version}, ${train.length} molecules; ${mebibytes()} MiB before training`);
const batches = new GraphBatches(encodeAttributes(set, encoding));
await trainWholeGraphs(network, batches, targetsOf(set, task), { train, validation }, new Random(2), {
  epochs: Number(flags.epochs),
  onEpoch: ({ epoch, seconds }) => console.log(`epoch ${epoch}: ${mebibytes()} MiB, ${seconds.toFixed(1)} s`),
});
process.exit(0);
