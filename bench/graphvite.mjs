// GraphVite: pairs a second against a plain loop and DeepWalk's training, on one and two workers; and
// the resident memory of a training within a budget, in a process of its own.
//
//   npm run build
//   node bench/graphvite.mjs [--edges 1000000] [--pairs 4000000] [--dim 128]
//   node bench/graphvite.mjs --budget 64M --edges 4000000 --dim 128      resident memory alone

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { filePartStore } from '../dist/data/node.js';
import { deepWalk, startGraphVite } from '../dist/embedding/index.js';
import { Random, setThreads } from '../dist/index.js';
import { rmat } from '../dist/structure/index.js';

const { values } = parseArgs({
  options: {
    edges: { type: 'string', default: '1000000' },
    pairs: { type: 'string', default: '4000000' },
    dim: { type: 'string', default: '128' },
    budget: { type: 'string' },
  },
});
const [edges, pairs, dim] = [values.edges, values.pairs, values.dim].map(Number);
const MIB = 2 ** 20;
const graph = rmat(Math.round(Math.log2(edges / 8)), edges, new Random(3)).undirected();
const options = { dim, parts: 8, step: 2, batch: 1000, epochs: pairs / graph.edgeCount };
console.log(`${graph.nodeCount} nodes, ${graph.edgeCount} edges, ${dim} columns, ${pairs} pairs`);

/** Seconds and counts of a training. */
async function train(own, run) {
  const trainer = startGraphVite(graph, { ...options, ...own }, run);
  const started = performance.now();
  await trainer.train();
  const seconds = (performance.now() - started) / 1000;
  const { counts, plan } = trainer;
  trainer.dispose();
  return { seconds, counts, plan };
}

/** Pairs a second of a plain loop: a negative of weight 5, then the pair. */
function plain() {
  const [n, count] = [graph.nodeCount, Math.ceil(pairs / 8)];
  const v = Float32Array.from({ length: n * dim }, () => (Math.random() - 0.5) / dim);
  const c = new Float32Array(n * dim);
  const sample = (a, b, label, step) => {
    let logit = 0;
    for (let k = 0; k < dim; k++) logit += v[a + k] * c[b + k];
    const g = step * (label - 1 / (1 + Math.exp(-logit)));
    for (let k = 0; k < dim; k++) {
      const own = v[a + k];
      v[a + k] = own * (1 - step * 0.005) + g * c[b + k];
      c[b + k] = c[b + k] * (1 - step * 0.005) + g * own;
    }
  };
  const node = () => Math.floor(Math.random() * n) * dim;
  const started = performance.now();
  for (let i = 0; i < count; i++) {
    const head = node();
    sample(head, node(), 0, 0.125);
    sample(head, node(), 1, 0.025);
  }
  return count / ((performance.now() - started) / 1000);
}

if (values.budget) {
  const memory = Number.parseFloat(values.budget) * (/g/i.test(values.budget) ? 1024 : 1) * MIB;
  const folder = mkdtempSync(join(tmpdir(), 'graphvite-'));
  const store = filePartStore(folder);
  const before = process.memoryUsage().rss;
  let peak = 0;
  const { parts: _, ...open } = options;
  const trainer = startGraphVite(graph, open, { memory, store });
  await trainer.train({ onProgress: () => (peak = Math.max(peak, process.memoryUsage().rss)) });
  const { plan } = trainer;
  const vectors = 8 * graph.nodeCount * plan.width;
  console.log(
    `vectors ${(vectors / MIB).toFixed(0)} MiB in ${(memory / MIB).toFixed(0)} MiB: ${plan.parts} parts; ` +
      `resident ${((peak - before) / MIB).toFixed(0)} MiB more than before, of ${(plan.matrixBytes / MIB).toFixed(0)} of vectors, ` +
      `${(plan.poolBytes / MIB).toFixed(0)} of pairs, ${(plan.graphBytes / MIB).toFixed(0)} of the graph`,
  );
  trainer.dispose();
  store.close();
  rmSync(folder, { recursive: true });
  process.exit(0);
}

const million = (rate) => `${(rate / 1e6).toFixed(2)} million pairs/s`;
const loop = plain();
console.log(`plain loop: ${million(loop)}`);
for (const threads of [1, 2]) {
  setThreads(threads);
  const { seconds, counts } = await train({});
  const apart = (await train({ doubleBuffer: false })).counts;
  console.log(
    `${threads} thread${threads > 1 ? 's' : ''}: ${million(counts.pairs / seconds)} in all; training alone ${million(apart.pairs / apart.trainingSeconds)}, sampling alone ${million(apart.pairs / apart.samplingSeconds)}`,
  );
}
const started = performance.now();
let walked = 0;
(await deepWalk(graph, { dim, walks: 1, length: 40, window: 2, onProgress: (at) => (walked = at.pairs) })).dispose();
console.log(`DeepWalk, 5 negatives, 2 threads: ${million(walked / ((performance.now() - started) / 1000))}`);
process.exit(0);
