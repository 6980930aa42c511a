// A decoder of 0.5 billion random weights in Q4_0 (the sizes of Qwen2 0.5B): tokens a second, as a share of what memory gives in the same run, and prompts as a share of our dense products.
//
//   node bench/decode.mjs [--threads 1,2] [--tokens 24]

import { parseArgs } from 'node:util';
import { matmul, ones, Random, scope, setThreads, sum } from '../dist/index.js';
import { LanguageModel } from '../dist/lm/index.js';
import { BlockMatrix } from '../dist/quantized/index.js';
import { columns } from './in-turns.mjs';

const { values: flags } = parseArgs({
  options: { threads: { type: 'string', default: '1,2' }, tokens: { type: 'string', default: '24' } },
});
const config = {
  ...{
    architecture: 'qwen2',
    vocabulary: 151_936,
    features: 896,
    layers: 24,
    heads: 14,
    keyHeads: 2,
    headDim: 64,
    hidden: 4864,
  },
  ...{ context: 4096, ropeBase: 1e6, interleaved: false, epsilon: 1e-6, window: 0 },
};

const random = new Random(1);
/** Random nibbles; one scale for all keeps values small. */
function blocks(rows, width) {
  const quanta = new Uint8Array((rows * width) / 2);
  const words = new Uint32Array(quanta.buffer);
  let state = 12345 + rows;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    words[i] = state;
  }
  return new BlockMatrix({
    kind: 'nibbles',
    rows,
    columns: width,
    quanta,
    scales: new Float32Array((rows * width) / 32).fill(0.004),
  });
}
const { features, heads, keyHeads, headDim, hidden, vocabulary } = config;
const shapes = {
  embedding: [vocabulary, features],
  q: [heads * headDim, features],
  k: [keyHeads * headDim, features],
  v: [keyHeads * headDim, features],
  o: [features, heads * headDim],
  gate: [hidden, features],
  up: [hidden, features],
  down: [features, hidden],
};
const model = new LanguageModel(config, {
  matrix: (role) => (shapes[role] ? blocks(...shapes[role]) : undefined),
  vector: (role) => (/[nN]orm$/.test(role) && !/^[qk]/.test(role) ? ones([features]) : undefined),
  experts: () => undefined,
});

const best = (repeats, body) => {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    scope(body);
    least = Math.min(least, performance.now() - start);
  }
  return least / 1000;
};

const large = ones([100 * 2 ** 20]);
const square = random.normal([1024, 1024]);
const prompt = Array.from({ length: 256 }, (_, i) => (i * 37) % vocabulary);
const perToken =
  Object.entries(shapes).reduce(
    (total, [role, [r, c]]) => total + r * c * (role === 'embedding' ? 0 : config.layers),
    0,
  ) * 2;
const rows = [];
for (const threads of flags.threads.split(',').map(Number)) {
  setThreads(threads);
  const bandwidth = (large.size * 4) / best(5, () => sum(large)) / 1e9;
  const gemm = (2 * 1024 ** 3) / best(5, () => matmul(square, square)) / 1e9;
  const cache = model.cache(1024);
  const prefill = best(1, () => model.forward(prompt, cache));
  const decode = best(Number(flags.tokens), () => model.forward([7], cache));
  const read = model.bytesPerToken / decode / 1e9;
  rows.push([
    String(threads),
    (1 / decode).toFixed(1),
    read.toFixed(2),
    bandwidth.toFixed(2),
    `${((100 * read) / bandwidth).toFixed(0)} %`,
    (prompt.length / prefill).toFixed(1),
    ((perToken * prompt.length) / prefill / 1e9).toFixed(1),
    gemm.toFixed(1),
    `${((100 * perToken * prompt.length) / prefill / 1e9 / gemm).toFixed(0)} %`,
  ]);
  cache.dispose();
}
console.log(
  `Node ${process.versions.node}, ${(model.bytesPerToken / 2 ** 20).toFixed(0)} MiB read a token\n${columns([
    [
      'threads',
      'tokens/s',
      'weights (GB/s)',
      'memory (GB/s)',
      'share',
      'prompt tokens/s',
      'prompt (GFLOP/s)',
      'dense (GFLOP/s)',
      'share',
    ],
    ...rows,
  ])}`,
);
process.exit(0);
