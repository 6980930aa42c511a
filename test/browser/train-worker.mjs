// Runs in a browser's worker: trains LeNet for 100 steps on images made from seeds, and reports
// what happened.

import { cpu, Random, scope, tensor, threads, valueAndGrad } from '/dist/index.js';
import { LeNet } from '/dist/models/index.js';
import { AdamW, crossEntropy, parameters, training, withWeights } from '/dist/nn/index.js';

const random = new Random(1);
const model = new LeNet(random);
const optimizer = new AdamW({ learningRate: 2e-3 });
const patterns = random.normal([10, 784]).dataSync();
const losses = [];
const started = performance.now();
for (let step = 0; step < 100; step++) {
  scope(() => {
    const labels = Int32Array.from({ length: 32 }, () => random.integer(10));
    const noise = random.normal([32, 784]).dataSync();
    const pixels = noise.map((value, i) => value + patterns[labels[Math.floor(i / 784)] * 784 + (i % 784)]);
    const x = tensor(pixels, [32, 1, 28, 28]);
    const loss = valueAndGrad((weights) =>
      withWeights(model, weights, (live) => crossEntropy(live.forward(x, training(random)), tensor(labels))),
    );
    const weights = parameters(model);
    const { value, gradient } = loss(weights);
    optimizer.update(weights, gradient);
    losses.push(value.item());
  });
}
postMessage({
  first: losses[0],
  last: losses.at(-1),
  threads: threads(),
  isolated: self.crossOriginIsolated,
  level: cpu.featureLevel,
  seconds: (performance.now() - started) / 1000,
});
