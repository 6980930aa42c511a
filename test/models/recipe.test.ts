// The recipe of image classifiers: its optimisers, losses and rates.

import { expect, test } from 'vitest';
import { glyphImages, type ImageDataset } from '../../src/data/index.js';
import { type ImageTrainingOptions, trainOnImages } from '../../src/models/index.js';
import {
  AdaptivelyClipped,
  type Layer,
  Linear,
  type Optimizer,
  ScaledRates,
  SGD,
  stateOf,
} from '../../src/nn/index.js';
import { Random, reshape, type Tensor, tensor } from '../../src/tensor/index.js';
import { ImageClassifier, layerDecay } from '../../src/vision/index.js';
import { expectClose } from '../oracle.js';

/** Gradients that an optimiser is given. */
class Recorded implements Optimizer {
  readonly seen: Record<string, Float32Array>[] = [];
  update(_: Record<string, Tensor>, gradients: Record<string, Tensor>): void {
    this.seen.push(Object.fromEntries(Object.entries(gradients).map(([name, own]) => [name, own.dataSync()])) as never);
  }
  state = () => ({ step: 0, tensors: {} });
  restore(): void {}
}

test('adaptive clipping limits the gradient of each row by the norm of its weights', () => {
  const inner = new Recorded();
  const weight = tensor([3, 4, 0, 0, 30, 40], [3, 2]);
  const gradient = tensor([6, 8, 0.3, 0.4, 0.6, 0.8], [3, 2]);
  new AdaptivelyClipped(inner, 0.1).update({ weight }, { weight: gradient });
  // Limits 0.5, 1e-4 and 5, of norms 10, 0.5 and 1.
  expectClose(inner.seen[0]?.weight as Float32Array, [0.3, 0.4, 0.6e-4, 0.8e-4, 0.6, 0.8], 1e-6);
  expect(inner.seen[0]?.weight?.[2]).toBeCloseTo(0.6e-4, 8);
  const vector = tensor([3, 4], [2]);
  new AdaptivelyClipped(inner, 0.1).update({ vector }, { vector: tensor([10, 0], [2]) });
  expectClose(inner.seen[1]?.vector as Float32Array, [0.5, 0]);
  expect(() => new AdaptivelyClipped(inner, 0)).toThrow('must be positive');
});

test('rates by parameter scale the change of each', () => {
  const [a, b] = [tensor([1, 2], [2]), tensor([1, 2], [2])];
  const gradient = () => tensor([1, -1], [2]);
  const optimizer = new ScaledRates(new SGD({ learningRate: 0.1 }), (name) => (name === 'a' ? 0.25 : 1));
  optimizer.update({ a, b }, { a: gradient(), b: gradient() });
  expectClose(a.dataSync(), [0.975, 2.025]);
  expectClose(b.dataSync(), [0.9, 2.1]);
});

const data = glyphImages(128, 100, new Random(0));

/** A linear classifier and its loss in each epoch. */
async function trained(options: ImageTrainingOptions, on: ImageDataset = data) {
  const weights = new Linear(784, on.classes.length, new Random(1));
  const model: Layer & { readonly weights: Linear } = {
    weights,
    forward: (x) => weights.forward(reshape(x, [x.shape[0] as number, -1])),
  };
  const initial = weights.weight.dataSync<Float32Array>();
  const { history } = await trainOnImages(model, on, new Random(2), { epochs: 6, batchSize: 32, ...options });
  const final = weights.weight.dataSync<Float32Array>();
  const change = Math.hypot(...final.map((value, i) => value - (initial[i] as number)));
  return { losses: history.map(({ loss }) => loss as number), change };
}

test('binary cross-entropy starts near ln 2 and falls; label smoothing keeps it above its floor', async () => {
  const { losses } = await trained({ objective: 'binary', learningRate: 1e-3 });
  expect(losses[0] as number).toBeLessThan(1);
  expect(losses.at(-1) as number).toBeLessThan(0.5 * (losses[0] as number));
  const smooth = await trained({ objective: 'binary', learningRate: 1e-2, labelSmoothing: 0.5, epochs: 12 });
  const classes = data.classes.length;
  const entropy = (p: number) => -p * Math.log(p) - (1 - p) * Math.log(1 - p);
  const floor = (entropy(0.5 + 0.5 / classes) + (classes - 1) * entropy(0.5 / classes)) / classes;
  expect(smooth.losses.at(-1) as number).toBeGreaterThan(floor);
  expect(smooth.losses.at(-1) as number).toBeLessThan(floor + 0.1);
  const mixed = await trained({ objective: 'binary', mixing: 'mixup', learningRate: 1e-3 });
  expect(mixed.losses[0] as number).toBeLessThan(1);
});

test('LAMB, rates by parameter and adaptive clipping reach the weights', async () => {
  const plain = await trained({});
  const lamb = await trained({ optimizer: 'lamb' });
  expect(lamb.losses.at(-1)).not.toBe(plain.losses.at(-1));
  expect(lamb.losses.at(-1) as number).toBeLessThan(lamb.losses[0] as number);
  expect((await trained({ rateOf: () => 0.01 })).change).toBeLessThan(0.05 * plain.change);
  const clipped = await trained({ adaptiveClip: 1e-6, optimizer: 'lamb' });
  expect(clipped.losses.at(-1)).not.toBe(lamb.losses.at(-1));
});

test('a loss of one’s own takes the place of the usual one', async () => {
  let calls = 0;
  const { losses } = await trained({
    epochs: 1,
    loss: (model, { images }, mode) => {
      calls += 1;
      return model.forward(images, mode).multiply(0).sum().add(7);
    },
  });
  expect([calls, losses[0]]).toEqual([4, 7]);
});

test('the recipe of VanillaNet trains it: LAMB, binary cross-entropy, averages, layer decay', async () => {
  const classifier = ImageClassifier.create('vanillanet-nano', data, new Random(1));
  const lambdas: number[] = [];
  const { history } = await classifier.train(data, new Random(2), {
    ...{ epochs: 3, batchSize: 32, learningRate: 1e-2, optimizer: 'lamb', objective: 'binary', average: 0.9 },
    rateOf: layerDecay(0.8, 2),
    onStep: () => lambdas.push((classifier.model as never as { lambda: number }).lambda),
  });
  expectClose(
    lambdas,
    Array.from({ length: 12 }, (_, step) => Math.min(1, step / 4)),
  );
  expect(history.every(({ loss }) => Number.isFinite(loss))).toBe(true);
  expect(Object.values(stateOf(classifier.deployed())).every((weight) => Number.isFinite(weight.sum().item()))).toBe(
    true,
  );
});
