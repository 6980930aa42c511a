// RpHGNN's pre-computation on ACM, DBLP and IMDB, K = 3; `hetero-scipy.py` does the same in SciPy.
//
//   npm run build && GOSSAMER_DATA=… node bench/hetero.mjs [--threads 1,2] [--json out.json]

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadHeteroGraph } from '../dist/data/node.js';
import { fitTypedInputs, propagateAndUpdate, typedFeatures } from '../dist/graph/index.js';
import { Random, setThreads } from '../dist/index.js';

const { values: flags } = parseArgs({
  options: {
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});
const K = 3;
const records = [];
console.log(`node ${process.version}`);
for (const [set, name, target] of [
  ['acm', 'acm-60', 'paper'],
  ['dblp', 'dblp-60', 'author'],
  ['imdb', 'imdb', 'movie'],
]) {
  const data = await loadHeteroGraph(name);
  const { inputs } = fitTypedInputs(data, { [target]: ['label', 'split'] }, { randomWidth: 256 });
  const features = typedFeatures(inputs, data, new Random(1));
  for (const threads of flags.threads.split(',').map(Number)) {
    setThreads(threads);
    let minimum = Number.POSITIVE_INFINITY;
    for (let round = 0; round < Number(flags.rounds); round++) {
      const start = performance.now();
      propagateAndUpdate(data.graph, features, target, new Random(2), { iterations: K }, () => {});
      minimum = Math.min(minimum, performance.now() - start);
    }
    const task = `RpHGNN's pre-computation, K = ${K}, ${set}`;
    records.push({ task, engine: 'gossamer', threads, node: process.version, minimumMs: minimum });
    console.log(`${set}: gossamer, ${threads} thread${threads > 1 ? 's' : ''}: ${(minimum / 1000).toFixed(3)} s`);
  }
}
if (flags.json) writeFileSync(flags.json, JSON.stringify(records, null, 2));
process.exit(0);
