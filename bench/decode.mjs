// A decoder of 0.5 billion random weights in Q4_0 (the sizes of Qwen2 0.5B): tokens a second, as a
// share of what memory gives in the same run, prompts as a share of our dense products, and several
// answers at once.
//
//   node bench/decode.mjs [--threads 1,2] [--tokens 48]

import { parseArgs } from 'node:util';
import { matmul, ones, Random, scope, setThreads, sum } from '../dist/index.js';
import { loadLanguageModel, shapeFile } from '../dist/lm/node.js';
import { columns } from './in-turns.mjs';

const { values: flags } = parseArgs({
  options: { threads: { type: 'string', default: '1,2' }, tokens: { type: 'string', default: '48' } },
});
const tokens = Number(flags.tokens);
const path = shapeFile('qwen2-0.5b');
const opened = performance.now();
const { model } = loadLanguageModel(path, { onProgress: () => {} });
const loading = performance.now() - opened;

/** Seconds of each of some runs, sorted. */
const seconds = (repeats, body) =>
  Array.from({ length: repeats }, () => {
    const start = performance.now();
    scope(body);
    return (performance.now() - start) / 1000;
  }).sort((a, b) => a - b);
const best = (repeats, body) => seconds(repeats, body)[0];
const median = (repeats, body) => seconds(repeats, body)[repeats >> 1];

const large = ones([100 * 2 ** 20]);
const square = new Random(1).normal([1024, 1024]);
const { vocabulary, layers, heads, headDim, keyHeads, features, hidden } = model.config;
const prompt = Array.from({ length: 256 }, (_, i) => (i * 37) % vocabulary);
const perToken = 2 * layers * features * (2 * heads * headDim + 2 * keyHeads * headDim + 3 * hidden);
const rows = [];
for (const threads of flags.threads.split(',').map(Number)) {
  setThreads(threads);
  const bandwidth = (large.size * 4) / best(5, () => sum(large)) / 1e9;
  const gemm = (2 * 1024 ** 3) / best(5, () => matmul(square, square)) / 1e9;
  const cache = model.cache({ limit: 1024 });
  const prefill = best(1, () => model.forward(prompt, cache));
  const decode = median(tokens, () => model.forward([7], cache));
  const answers = Array.from({ length: 4 }, () => ({ tokens: [7], cache: model.cache({ limit: 1024 }) }));
  for (const { cache: own } of answers) scope(() => model.forward(prompt.slice(0, 64), own));
  const together = median(tokens >> 1, () => model.forwardBatch(answers));
  const read = model.bytesPerToken / decode / 1e9;
  rows.push([
    String(threads),
    (1 / decode).toFixed(1),
    read.toFixed(2),
    bandwidth.toFixed(2),
    `${((100 * read) / bandwidth).toFixed(0)} %`,
    (4 / together).toFixed(1),
    (prompt.length / prefill).toFixed(1),
    ((perToken * prompt.length) / prefill / 1e9).toFixed(1),
    gemm.toFixed(1),
    `${((100 * perToken * prompt.length) / prefill / 1e9 / gemm).toFixed(0)} %`,
  ]);
  for (const each of [cache, ...answers.map((answer) => answer.cache)]) each.dispose();
}
console.log(
  `Node ${process.versions.node}, ${(model.bytesPerToken / 2 ** 20).toFixed(0)} MiB read a token, loaded in ${(loading / 1000).toFixed(2)} s\n${columns(
    [
      [
        'threads',
        'tokens/s',
        'weights (GB/s)',
        'memory (GB/s)',
        'share',
        'four answers (tokens/s)',
        'prompt tokens/s',
        'prompt (GFLOP/s)',
        'dense (GFLOP/s)',
        'share',
      ],
      ...rows,
    ],
  )}`,
);
process.exit(0);
