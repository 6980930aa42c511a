// Graphs: epochs of GCN, embeddings by walks and by projection, personalised PageRank; beside plain
// JavaScript where there is no rival. `graphs-python.py` does the same arithmetic in PyTorch and
// SciPy.
//
//   npm run build && GOSSAMER_DATA=… node bench/graphs.mjs [--threads 1,2] [--json out.json]

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadGraph } from '../dist/data/node.js';
import { deepWalk, fastRP, node2vec, personalizedPageRank } from '../dist/embedding/index.js';
import { GCN } from '../dist/graph/index.js';
import { Random, scope, setThreads, valueAndGrad } from '../dist/index.js';
import { Adam, featureCount, labelledLoss, parameters, training, withWeights } from '../dist/nn/index.js';
import { Graph, rmat } from '../dist/structure/index.js';

const { values: flags } = parseArgs({
  options: {
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '20' },
    json: { type: 'string' },
  },
});
const records = [];

function record(task, engine, threads, ms, note = '') {
  records.push({ task, engine, detail: note, threads, node: process.version, minimumMs: ms, medianMs: ms, gflops: 0 });
  console.log(`${task.padEnd(58)} ${engine.padEnd(12)} ${threads} thr. ${ms.toFixed(2).padStart(10)} ms  ${note}`);
}

async function best(rounds, run) {
  let minimum = Number.POSITIVE_INFINITY;
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    await run();
    minimum = Math.min(minimum, performance.now() - start);
  }
  return minimum;
}

console.log(`node ${process.version}`);
for (const threads of flags.threads.split(',').map(Number)) {
  setThreads(threads);

  // 1. A full-batch GCN epoch, hidden 64: forward, gradients, Adam.
  for (const name of ['coauthor-cs', 'amazon-computers']) {
    const data = loadGraph(name);
    const model = new GCN(featureCount(data.features), data.classes, new Random(1), { hidden: 64 });
    const train = Int32Array.from({ length: 20 * data.classes }, (_, i) => i);
    const loss = labelledLoss(data.labels, train);
    const optimizer = new Adam({ learningRate: 0.01 });
    let step = 0;
    const epoch = () =>
      scope(() => {
        const mode = training(new Random(step++));
        const weights = parameters(model);
        const run = valueAndGrad((w) =>
          withWeights(model, w, (live) => loss(live.forward(data.features, data.graph, mode))),
        );
        const { value, gradient } = run(weights);
        optimizer.update(weights, gradient);
        return value.item();
      });
    for (let i = 0; i < 3; i++) epoch();
    record(`GCN epoch, hidden 64, ${name}`, 'gossamer', threads, await best(Number(flags.rounds), epoch));
  }

  // 2. Embeddings of co-authors: 18,333 nodes, 81,894 edges.
  const { graph } = loadGraph('coauthor-cs');
  for (let i = 0; i < 3; i++) fastRP(graph).dispose();
  record(
    'FastRP, 128 columns, four orders, coauthor-cs',
    'gossamer',
    threads,
    await best(10, () => fastRP(graph).dispose()),
  );
  let pairs = 0;
  const count = (progress) => {
    pairs = progress.pairs;
  };
  for (const [name, run] of [
    ['DeepWalk, 1 walk of 40 a node', () => deepWalk(graph, { walks: 1, onProgress: count })],
    ['node2vec, 1 walk of 80 a node (p = q = 1)', () => node2vec(graph, { walks: 1, onProgress: count })],
  ]) {
    const ms = await best(1, run);
    record(`${name}, coauthor-cs`, 'gossamer', threads, ms, `${(pairs / ms / 1000).toFixed(2)} million pairs/s`);
  }
  if (threads === 1) {
    const { ms, rate } = plainSkipGram(graph);
    record('skip-gram, the same loop, coauthor-cs', 'plain JS', 1, ms, `${rate.toFixed(2)} million pairs/s`);
  }

  // 3. Personalised PageRank: 65,536 nodes, a million weighted edges.
  const web = rmat(16, 1_000_000, new Random(1));
  await personalizedPageRank(web, { walks: 4 });
  const ms = await best(3, () => personalizedPageRank(web, { walks: 64 }));
  record(
    'PageRank from every node, 64 walks, R-MAT 2^16',
    'gossamer',
    threads,
    ms,
    `${((web.nodeCount * 64) / ms / 1000).toFixed(2)} million walks/s`,
  );
}

// 4. Memory: what a large graph costs.
{
  const edges = 5_000_000;
  const random = new Random(2);
  const n = 1_000_000;
  const ends = () => Int32Array.from({ length: edges }, () => random.integer(n));
  const [sources, targets] = [ends(), ends()];
  const start = performance.now();
  const graph = Graph.fromEdges(n, sources, targets);
  const bytes = 4 * (graph.successors.indices.length + graph.successors.indptr.length);
  record(
    'building an undirected graph of 5 million edges',
    'gossamer',
    1,
    performance.now() - start,
    `${(bytes / graph.edgeCount).toFixed(1)} bytes an edge, ${(8 + (2 * bytes) / graph.edgeCount).toFixed(1)} while building`,
  );
}
if (flags.json) writeFileSync(flags.json, `${JSON.stringify(records, null, 2)}\n`);
process.exit(0);

/** Skip-gram with five negatives as one would write it: a pair at a time, one thread. */
function plainSkipGram(graph) {
  const d = 128;
  const n = graph.nodeCount;
  const vertices = Float32Array.from({ length: n * d }, () => (Math.random() - 0.5) / d);
  const contexts = new Float32Array(n * d);
  const gradient = new Float32Array(d);
  const { indptr, indices } = graph.successors;
  const walk = new Int32Array(40);
  let count = 0;
  const start = performance.now();
  for (let first = 0; performance.now() - start < 4000; first = (first + 1) % n) {
    let node = first;
    for (let i = 0; i < 40; i++) {
      walk[i] = node;
      const degree = indptr[node + 1] - indptr[node];
      node = degree === 0 ? node : indices[indptr[node] + Math.floor(Math.random() * degree)];
    }
    for (let i = 0; i < 40; i++) {
      const reach = 1 + Math.floor(Math.random() * 10);
      for (let j = Math.max(0, i - reach); j <= Math.min(39, i + reach); j++) {
        if (i === j) continue;
        const u = walk[i] * d;
        gradient.fill(0);
        for (let m = 0; m <= 5; m++) {
          const c = (m === 5 ? walk[j] : Math.floor(Math.random() * n)) * d;
          let logit = 0;
          for (let k = 0; k < d; k++) logit += vertices[u + k] * contexts[c + k];
          const step = 0.025 * (Number(m === 5) - 1 / (1 + Math.exp(-logit)));
          for (let k = 0; k < d; k++) {
            gradient[k] += step * contexts[c + k];
            contexts[c + k] += step * vertices[u + k];
          }
        }
        for (let k = 0; k < d; k++) vertices[u + k] += gradient[k];
        count += 1;
      }
    }
  }
  const ms = performance.now() - start;
  return { ms, rate: count / ms / 1000 };
}
