// Recommenders: time of a training step at several densities, and of one user's list.
//
//   npm run build && node bench/recommend.mjs [users items]

import { Random, scope, setThreads } from '../dist/index.js';
import { LightGCN, MultVAE, mask, topItems } from '../dist/recommend/index.js';

setThreads(1);
const [users, items] = process.argv
  .slice(2)
  .map(Number)
  .concat([30_000, 41_000].slice(process.argv.length - 2));
const random = new Random(1);
const lists = Array.from({ length: users }, () => random.sample(items, 27));
const data = {
  name: 'random',
  users: lists.map((_, at) => `u${at}`),
  items: Array.from({ length: items }, (_, at) => `i${at}`),
  indptr: Int32Array.from({ length: users + 1 }, (_, at) => 27 * at),
  indices: Int32Array.from(lists.flatMap((list) => [...list])),
};

function best(run, rounds) {
  let minimum = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    run();
    minimum = Math.min(minimum, performance.now() - start);
  }
  return minimum;
}

const models = {
  'LightGCN, batch 2048': (density) => new LightGCN(data, new Random(2), { batch: 2048, density }),
  'Mult-VAE, batch 16': (density) => new MultVAE(data, new Random(2), { density }),
};
for (const [title, make] of Object.entries(models))
  for (const density of [1, 0.5, 0.1]) {
    const model = make(density);
    const [batch] = model.batches(new Random(3));
    const request = { random: new Random(4), step: 1, dense: false };
    const step = best(() => scope(() => model.gradients(batch, request)), 5);
    model.refresh();
    const list = best(() => topItems(mask(model.scores(0), lists[0]), 20), 20);
    console.log(
      `${title.padEnd(22)} density ${String(density).padEnd(4)} step ${step.toFixed(1).padStart(7)} ms   a list of 20 ${list.toFixed(2).padStart(6)} ms`,
    );
    model.dispose();
  }
