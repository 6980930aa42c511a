// VanillaNet against its formulas in plain loops, and against finite differences.

import { expect, test } from 'vitest';
import { inference, stateOf, training, withWeights } from '../../src/nn/index.js';
import { Random, type Tensor } from '../../src/tensor/index.js';
import { fadingAt, layerDecay, VanillaNet, type VanillaNetOptions } from '../../src/vision/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';
import { convolved, each, type Map3, mapOf, maxPooled, normed, pooled, rectified, type Weights } from './naive.js';

const options: VanillaNetOptions = { dims: [4, 6, 8], strides: [2, 1], channels: 2, classes: 5, series: 1 };
const EPSILON = 1e-6;

/**
 * A network whose weights and statistics are nothing special, and whose units are alive. Variances
 * as small as the default show ε.
 */
function seasoned(own: VanillaNetOptions = options, [low, high]: readonly [number, number] = [1e-5, 1e-2]): VanillaNet {
  const model = new VanillaNet(own, new Random(1));
  const random = new Random(2);
  const drawn = (name: string, shape: readonly number[]) => {
    if (name.endsWith('runningVariance')) return random.uniform(shape, low, high);
    if (name.endsWith('norm.weight')) return random.uniform(shape, 0.5, 1.5);
    return random.normal(shape, name.endsWith('norm.bias') ? 0.5 : 0, 0.3);
  };
  for (const [name, weight] of Object.entries(stateOf(model)))
    if (name !== 'slope') weight.assign(drawn(name, weight.shape));
  return model;
}

const weightsOf = (model: object): Weights => {
  const state = stateOf(model);
  return (name) => {
    const { shape } = state[name] as Tensor;
    return { data: (state[name] as Tensor).dataSync(), shape };
  };
};

/** The training graph of the deep form, by its formulas. */
function outputs(x: Map3, w: Weights, { strides, series = 3 }: VanillaNetOptions, lambda: number): number[] {
  const leaky = (y: Map3) => each(y, (own) => Math.max(own, 0) + lambda * Math.min(own, 0));
  const layer = (y: Map3, name: string, shape = {}) =>
    convolved(y, w(`${name}.conv.weight`), { bias: w(`${name}.conv.bias`), ...shape });
  const norm = (y: Map3, name: string) => normed(y, w, name, EPSILON);
  const pair = (y: Map3, name: string, shape = {}) =>
    layer(leaky(norm(layer(y, `${name}.first`, shape), `${name}.first.norm`)), `${name}.second`);
  const active = (y: Map3, name: string) =>
    norm(convolved(rectified(y), w(`${name}.weight`), { padding: series }), `${name}.norm`);
  let y = active(norm(pair(x, 'stem', { stride: 4 }), 'stem.second.norm'), 'stemActivation');
  for (const [i, stride] of strides.entries()) {
    const deep = norm(pair(y, `stages.${i}.conv`), `stages.${i}.conv.second.norm`);
    y = active(maxPooled(deep, stride), `stages.${i}.activation`);
  }
  return pair(pooled(y), 'head').flat(2);
}

test.each([0, 0.3, 1])('the training graph equals its formulas at λ = %f', (lambda) => {
  const model = seasoned();
  model.lambda = lambda;
  const x = uniformTensor(3, [1, 2, 20, 20]);
  const expected = outputs(mapOf(x.dataSync(), [2, 20, 20]), weightsOf(model), options, lambda);
  const largest = Math.max(...expected.map(Math.abs));
  expectClose(
    model
      .forward(x, inference)
      .dataSync()
      .map((own) => own / largest),
    expected.map((own) => own / largest),
    1e-4,
  );
});

test('the outputs depend on the input, not on biases alone', () => {
  const model = seasoned();
  const [a, b] = [3, 4].map((seed) => model.forward(uniformTensor(seed, [1, 2, 20, 20]), inference));
  const largest = (a as Tensor).abs().max().item();
  expect(
    (a as Tensor)
      .subtract(b as Tensor)
      .abs()
      .max()
      .item(),
  ).toBeGreaterThan(0.1 * largest);
});

test('gradients in both weights of a fading pair, against differences', () => {
  const model = seasoned(options, [0.5, 2]);
  model.lambda = 0.3;
  const x = uniformTensor(3, [2, 2, 8, 8]);
  const names = ['stages.1.conv.first.conv.weight', 'stages.1.conv.second.conv.weight'];
  const weights = names.map((name) => (stateOf(model)[name] as Tensor).clone());
  const forward = (...own: Tensor[]) =>
    withWeights(model, Object.fromEntries(names.map((name, i) => [name, own[i] as Tensor])), (live) =>
      live.forward(x, inference),
    );
  checkGradient(forward, weights, { second: false, step: 1e-3, tolerance: 3e-2 });
});

test('λ over the steps: linear, by a cosine, held for an epoch', () => {
  const steps = 60;
  const at = (fading = {}) => [0, 10, 20, 60].map((step) => fadingAt(step, steps, fading));
  expectClose(at(), [0, 0.5, 1, 1]);
  expectClose(at({ shape: 'cosine' }), [0, 0.5, 1, 1]);
  expect(fadingAt(5, steps, { shape: 'cosine' })).toBeCloseTo(0.5 * (1 - Math.cos(Math.PI / 4)), 6);
  expectClose(at({ share: 1 }), [0, 1 / 6, 1 / 3, 1]);
  expect([14, 15, 29, 30].map((step) => fadingAt(step, steps, { share: 0.5, hold: 15 }))).toEqual([0, 0.5, 0.5, 1]);
  const model = seasoned({ ...options, fading: { share: 1 } });
  model.followStep(30, 60);
  expect(model.lambda).toBe(0.5);
  const shallow = seasoned({ ...options, form: 'shallow' });
  shallow.followStep(0, 60);
  expect(shallow.lambda).toBe(1);
});

test('layer decay: the head learns at the full rate, the stem at the least', () => {
  const rate = layerDecay(0.8, 4);
  const names = ['stem.first.conv.weight', 'stemActivation.weight', 'stages.0.conv.first.conv.weight'];
  expectClose(
    [...names.map(rate), rate('stages.3.activation.weight'), rate('stages.5.conv.x'), rate('head.first.x')],
    [0.8 ** 5, 0.8 ** 5, 0.8 ** 4, 0.8, 0.8, 1],
  );
});

test('dropout of the pooled features acts in training alone', () => {
  const model = seasoned({ ...options, form: 'shallow', dropout: 0.5 });
  const x = uniformTensor(3, [1, 2, 20, 20]);
  const features: number[][] = [];
  const { forward } = model.head;
  model.head.forward = function (y, slope, mode) {
    features.push([...y.dataSync()]);
    return forward.call(this, y, slope, mode);
  };
  model.forward(x, training(new Random(1)));
  model.forward(x, inference);
  expect(features[0]?.filter((value) => value === 0).length).toBeGreaterThan(0);
  expect(features[1]?.filter((value) => value === 0)).toEqual([]);
});
