// SoftHGNN beside what stands in its place: milliseconds of a forward pass and of a pass with
// gradients over N tokens of 64 features, all arms in turns, and peak bytes beyond the input.
//
//   node bench/soft-hypergraph.mjs [--threads 1] [--gradients]

import { parseArgs } from 'node:util';
import { AttentionContext, NearestContext, PerceptronContext } from '../dist/hypergraph/index.js';
import { cpu, memoryUse, Random, scope, setThreads, valueAndGrad } from '../dist/index.js';
import { inference, parameters, SoftHGNN, withWeights } from '../dist/nn/index.js';
import { columns, fastest } from './in-turns.mjs';

const { values: flags } = parseArgs({
  options: { threads: { type: 'string', default: '1' }, gradients: { type: 'boolean', default: false } },
});
setThreads(Number(flags.threads));

const D = 64;
const random = new Random(0);
const arms = {
  attention: new AttentionContext(D, random.split('a'), { heads: 4 }),
  'HGNN, 8 nearest': new NearestContext(D, random.split('b')),
  perceptron: PerceptronContext.like(D, random.split('c')),
  'SoftHGNN, 16': new SoftHGNN(D, random.split('d')),
  'SoftHGNN, 256': new SoftHGNN(D, random.split('e'), { hyperedges: 256 }),
  'SeS, 16 of 256': new SoftHGNN(D, random.split('f'), { hyperedges: 0, selection: { dynamic: 256, k: 16 } }),
};
const rows = [];
for (const [batch, tokens] of [
  [1, 256],
  [1, 1024],
  [1, 4096],
  [32, 65],
  [32, 144],
]) {
  const x = random.split(tokens).normal([batch, tokens, D]);
  const run = (layer) => {
    if (!flags.gradients) return () => scope(() => void layer.forward(x, inference));
    const gradient = valueAndGrad((weights) =>
      withWeights(layer, weights, (live) => live.forward(x, inference).square().sum()),
    );
    return () => scope(() => void gradient(parameters(layer)));
  };
  const best = await fastest(
    Object.entries(arms).map(([name, layer]) => [name, run(layer)]),
    7,
  );
  const bytes = {};
  for (const [name, layer] of Object.entries(arms)) {
    const before = memoryUse().bytes;
    bytes[name] = (await cpu.withOwnPeak(run(layer))).peakBytes - before;
  }
  rows.push([
    `${batch}×${tokens}`,
    ...Object.keys(arms).map((name) => `${best[name].toFixed(2)} (${(bytes[name] / 2 ** 20).toFixed(1)} MiB)`),
  ]);
}
console.log(columns([['tokens', ...Object.keys(arms)], ...rows]));
