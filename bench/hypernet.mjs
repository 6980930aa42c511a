// B networks on their own rows against the same rows through shared weights.
//
//   npm run build && node bench/hypernet.mjs [threads]

import { Hypernet, VectorCondition } from '../dist/hypernet/index.js';
import { Random, scope, setThreads } from '../dist/index.js';
import { inference, MLP } from '../dist/nn/index.js';

setThreads(Number(process.argv[2] ?? 1));
const random = new Random(1);
const forward = (live, x) => live.forward(x, inference);
for (const sizes of [
  [64, 64, 64, 10],
  [256, 256, 256, 10],
])
  for (const networks of [8, 32]) {
    const rows = 64;
    const target = new MLP(sizes, random);
    const hypernet = new Hypernet(target, new VectorCondition(4), random);
    const weights = hypernet.generate(random.normal([networks, 4]));
    const x = random.normal([networks * rows, sizes[0]]);
    const runs = { batched: () => hypernet.apply(weights, x, forward), shared: () => forward(target, x) };
    const best = {};
    for (let i = 0; i < 40; i++)
      for (const [name, run] of Object.entries(runs)) {
        const started = performance.now();
        scope(run);
        const ms = performance.now() - started;
        if (i > 3) best[name] = Math.min(best[name] ?? Number.POSITIVE_INFINITY, ms);
      }
    console.log(
      `${sizes.join('-')}, ${networks} networks of ${rows} rows: ${best.batched.toFixed(3)} ms, shared weights ${best.shared.toFixed(3)} ms: ${(best.shared / best.batched).toFixed(2)} of the rate`,
    );
  }
process.exit(0);
