// Personalised PageRank from every node over MPI ranks, one thread each, and the same walks on the
// threads of one process.
//
//   npm run build && node bench/ranks.mjs && mpirun -n 2 node bench/ranks.mjs

import { alone, mpiCommunicator, underMpi } from '../dist/distributed/index.js';
import { distributedPageRank, personalizedPageRank } from '../dist/embedding/index.js';
import { Random, setThreads } from '../dist/index.js';
import { rmat } from '../dist/structure/index.js';

const WALKS = 64;
const ranks = underMpi() ? await mpiCommunicator() : alone();
const graph = rmat(16, 1_000_000, new Random(1));
const report = (title, ms) => {
  const rate = (graph.nodeCount * WALKS) / ms / 1000;
  if (ranks.rank === 0)
    console.log(`${title.padEnd(40)} ${ms.toFixed(0).padStart(6)} ms  ${rate.toFixed(2)} M walks/s`);
};

async function best(run) {
  let minimum = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    ranks.barrier();
    const start = performance.now();
    await run();
    ranks.barrier();
    minimum = Math.min(minimum, performance.now() - start);
  }
  return minimum;
}

if (ranks.size === 1)
  for (const threads of [1, 2]) {
    setThreads(threads);
    report(`${threads} threads, block by block`, await best(() => personalizedPageRank(graph, { walks: WALKS })));
  }
setThreads(1);
report(`${ranks.size} ranks, pipelines`, await best(() => distributedPageRank(graph, ranks, { walks: WALKS })));
ranks.close();
process.exit(0);
