import { expect, test } from 'vitest';
import { fit, GraphNorm, parameter, SGD } from '../../src/nn/index.js';
import { Segments } from '../../src/sparse/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

test('GraphNorm equals loops over the nodes of each graph, with a share of the mean', () => {
  const norm = new GraphNorm(2);
  norm.meanScale.assign(tensor([0.5, 1.5]));
  norm.weight.assign(tensor([2, 0.7]));
  norm.bias.assign(tensor([0.1, -1]));
  const x = uniformTensor(1, [5, 2]);
  const values = x.view();
  const expected = new Float64Array(10);
  for (const nodes of [
    [0, 1],
    [2, 3, 4],
  ])
    for (const c of [0, 1]) {
      const column = nodes.map((v) => values[2 * v + c] as number);
      const mean = column.reduce((a, b) => a + b, 0) / nodes.length;
      const shifted = column.map((value) => value - ([0.5, 1.5][c] as number) * mean);
      const variance = shifted.reduce((sum, value) => sum + value * value, 0) / nodes.length;
      nodes.forEach((v, i) => {
        expected[2 * v + c] =
          ((shifted[i] as number) * ([2, 0.7][c] as number)) / Math.sqrt(variance + 1e-5) + ([0.1, -1][c] as number);
      });
    }
  const segments = Segments.fromSizes([2, 3]);
  expectClose(norm.forward(x, segments).view(), expected, 1e-5);
  checkGradient((own) => norm.forward(own, segments), [x], { second: false, step: 1e-3, tolerance: 5e-2 });
});

test('training goes back to the best weights every `reloadAfter` epochs without a better metric', async () => {
  // The gradient of the weight is 1 at a rate of 1: it falls by 1 an epoch, and the metric with it.
  const model = { weight: parameter(tensor([10])) };
  const seen: number[] = [];
  await fit({
    model,
    loss: (live) => live.weight.sum(),
    optimizer: new SGD({ learningRate: 1 }),
    epochs: 6,
    random: new Random(0),
    reloadAfter: 2,
    validate: (live) => {
      seen.push(live.weight.item());
      return live.weight.item();
    },
  });
  expect(seen).toEqual([9, 8, 7, 8, 7, 8]);
  expect(model.weight.item()).toBe(9);
});
