import { expect, test } from 'vitest';
import { glyphImages } from '../../src/data/index.js';
import { heldOut } from '../../src/experiments/protocols/initial-weight-problems.js';
import {
  drawnStarts,
  halved,
  pictureProblem,
  type Start,
  startScores,
  trainedHypernet,
} from '../../src/experiments/protocols/initial-weights.js';
import type { Architecture } from '../../src/hypernet/index.js';
import { makeNetwork } from '../../src/hypernet/index.js';
import { parameters } from '../../src/nn/index.js';
import { Random, type Tensor } from '../../src/tensor/index.js';

const base: Architecture = { family: 'mlp', inFeatures: 784, classes: 10, features: 8, layers: 1 };
const data = glyphImages(80, 40, new Random(1));
const problem = pictureProblem(data, base, { rows: 80, batch: 16 });

test('pictures are halved by the means of 2 × 2 pixels', () => {
  const pixels = Uint8Array.of(0, 4, 8, 8, 4, 8, 8, 8);
  const small = halved({ count: 1, channels: 1, height: 2, width: 4, pixels, labels: Int32Array.of(0) });
  expect([small.height, small.width, [...small.pixels]]).toEqual([1, 2, [4, 8]]);
});

test('each start chooses its rate by validation; the smallest rate is told apart', async () => {
  const start = drawnStarts.default as Start;
  const context = { signal: undefined, random: new Random(2) };
  const scores = (rates: readonly number[]) => startScores(problem, base, start, { epochs: 2, rates }, context);
  const both = await scores([1e-9, 1e-2]);
  const [still, moved] = [await scores([1e-9]), await scores([1e-2])];
  expect(both.firstLoss).toBe(moved.firstLoss);
  expect(both.final).toBe(moved.final);
  expect(both.low).toBe(still.low);
  // Validation prefers the rate whose loss on the test pictures happens to be the larger.
  expect(moved.firstLoss).toBeGreaterThan(still.firstLoss);
  expect(both.untrained).toBe(still.untrained);
});

test('drawn starts have the deviations that they are named for', () => {
  const network = makeNetwork({ ...base, features: 64 }, new Random(3));
  const deviation = (start: string) => {
    const weights = (drawnStarts[start] as Start)(network, base, new Random(4));
    const values = Array.from((weights['blocks.0.linear.weight'] as Tensor).dataSync<Float32Array>());
    return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  };
  expect(deviation('truncated normal')).toBeCloseTo(0.0176, 3);
  expect(deviation('orthogonal')).toBeCloseTo(1 / 28, 4);
  expect(deviation('default')).toBeCloseTo(1 / 28 / Math.sqrt(3), 3);
});

test('hypernetworks do not see the networks that are held out', async () => {
  const seen: string[] = [];
  const watched = {
    ...problem,
    task: {
      ...problem.task,
      loss: (...[live, batch, mode]: Parameters<typeof problem.task.loss>) => {
        seen.push(
          Object.values(parameters(live))
            .map(({ shape }) => `[${shape.join()}]`)
            .join(),
        );
        return problem.task.loss(live, batch, mode);
      },
    },
  };
  const [within] = heldOut(base);
  const sizes = { steps: 12, learningRate: 1e-3, layers: [3], widths: [8, 24] };
  const options = { features: 8, rank: 2, layers: 1, heads: 2, maxWidth: 64 };
  await trainedHypernet(watched, [within], options, sizes, { random: new Random(5) });
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.filter((shapes) => shapes.includes('[24,24]'))).toEqual([]);
});
