// EMOv2 against its formulas in plain loops: every kind of block, in a network of three stages.

import { expect, test } from 'vitest';
import { inference, stateOf } from '../../src/nn/index.js';
import { Random, type Tensor } from '../../src/tensor/index.js';
import { EMOv2, type EMOv2Options } from '../../src/vision/index.js';
import { expectClose, uniformTensor } from '../oracle.js';
import { convolved, each, type Map3, mapOf, normed, plus, pooled, type Weights, windowAttended } from './naive.js';

/** Maps of 6×5, 3×3 and 3×3: windows of 2 need padding. */
const options: EMOv2Options = {
  dims: [4, 6, 6],
  depths: [2, 2, 2],
  expansions: [1.6, 2, 3],
  headChannels: [2, 3, 2],
  attention: [[], ['remote', 'close'], ['remote']],
  kernels: [3, 5, 5],
  norms: ['batch', 'layer', 'batch'],
  activations: ['silu', 'gelu', 'gelu'],
  strides: [1, 2, 1],
  window: 2,
  layerScale: 0.5,
  channels: 2,
  classes: 3,
};

/** Weights and statistics that are nothing special; gains keep what an image says audible. */
function seasoned<Model extends object>(model: Model): Model {
  const random = new Random(2);
  for (const [name, weight] of Object.entries(stateOf(model)))
    weight.assign(
      /runningVariance|norm\.weight|gamma/.test(name)
        ? random.uniform(weight.shape, 0.7, 1.6)
        : random.normal(weight.shape, 0, weight.rank > 1 ? 0.45 : 0.3),
    );
  return model;
}

const weightsOf = (model: object): Weights => {
  const state = stateOf(model);
  return (name) => ({ data: (state[name] as Tensor).dataSync(), shape: (state[name] as Tensor).shape });
};

const silu = (value: number) => value / (1 + Math.exp(-value));

/** Error function by its series: exact to double precision for the arguments that occur here. */
function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const gelu = (value: number) => 0.5 * value * (1 + erf(value / Math.SQRT2));

/** Normed over the channels of each pixel. */
function layerNormed(x: Map3, weights: Weights, name: string): Map3 {
  const [gain, shift] = ['weight', 'bias'].map((part) => weights(`${name}.${part}`).data) as [
    ArrayLike<number>,
    ArrayLike<number>,
  ];
  return each(x, (own, k, i, j) => {
    const values = x.map((plane) => (plane[i] as number[])[j] as number);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    return ((own - mean) / Math.sqrt(variance + 1e-6)) * (gain[k] as number) + (shift[k] as number);
  });
}

/** One block by its formulas. */
function block(x: Map3, w: Weights, stage: number, index: number): Map3 {
  const name = `stages.${stage}.${index}`;
  const activate = stage === 0 ? silu : gelu;
  const stride = index === 0 ? ([1, 2, 1][stage] as number) : 1;
  const padding = Math.ceil(((options.kernels?.[stage] as number) - stride) / 2);
  const normal = stage === 1 ? layerNormed(x, w, `${name}.expand.norm`) : normed(x, w, `${name}.expand.norm`, 1e-6);
  const patterns = options.attention?.[stage] ?? [];
  const u =
    index > 0 && patterns.length > 0
      ? windowAttended(normal, w, `${name}.expand.attention`, {
          ...{ heads: x.length / (options.headChannels[stage] as number), window: 2, patterns, activate },
        })
      : each(convolved(normal, w(`${name}.expand.conv.weight`), { bias: w(`${name}.expand.conv.bias`) }), activate);
  const local = each(
    normed(
      convolved(u, w(`${name}.operator.conv.conv.weight`), { stride, padding }),
      w,
      `${name}.operator.conv.norm`,
      1e-6,
    ),
    silu,
  );
  const gamma = w(`${name}.project.gamma`).data;
  const projected = convolved(index > 0 ? plus(u, local) : local, w(`${name}.project.conv.weight`));
  const y = each(projected, (own, k) => own * (gamma[k] as number));
  return index > 0 ? plus(x, y) : y;
}

/** Maps after each stage, and logits. */
function network(image: Map3, w: Weights): { maps: Map3[]; logits: number[] } {
  const stem = (x: Map3, name: string, stride: number) => {
    const bias = name === 'stem.0' ? { bias: w('stem.0.conv.bias') } : {};
    return each(
      normed(convolved(x, w(`${name}.conv.weight`), { ...bias, stride, padding: 1 }), w, `${name}.norm`, 1e-6),
      silu,
    );
  };
  let y = convolved(stem(stem(image, 'stem.0', 2), 'stem.1', 1), w('stem.2.weight'));
  const maps = options.depths.map((depth, stage) => {
    for (let index = 0; index < depth; index++) y = block(y, w, stage, index);
    return y;
  });
  const features = pooled(layerNormed(y, w, 'norm')).flat(2);
  const { data, shape } = w('head.weight');
  const logits = Array.from({ length: shape[0] as number }, (_, o) =>
    features.reduce(
      (sum, own, c) => sum + own * (data[o * features.length + c] as number),
      w('head.bias').data[o] as number,
    ),
  );
  return { maps, logits };
}

test('the network equals its formulas, map by map, on a map that windows do not divide', () => {
  const model = seasoned(new EMOv2(options, new Random(1)));
  const x = uniformTensor(3, [1, 2, 12, 10], -3, 3);
  const expected = network(mapOf(x.dataSync(), [2, 12, 10]), weightsOf(model));
  const maps = model.maps(x, inference);
  expect(maps.map(({ shape }) => shape)).toEqual([
    [1, 4, 6, 5],
    [1, 6, 3, 3],
    [1, 6, 3, 3],
  ]);
  maps.forEach((map, stage) => {
    expectClose(map.dataSync(), (expected.maps[stage] as Map3).flat(2), 1e-4);
  });
  expectClose(model.forward(x, inference).dataSync(), expected.logits, 1e-4);
  // Not what biases alone would give.
  const other = model.maps(uniformTensor(4, [1, 2, 12, 10], -3, 3), inference);
  maps.forEach((map, stage) => {
    const [moved, size] = [map.subtract(other[stage] as Tensor), map].map((values) => values.abs().mean().item()) as [
      number,
      number,
    ];
    expect(moved).toBeGreaterThan(0.03 * size);
  });
});
