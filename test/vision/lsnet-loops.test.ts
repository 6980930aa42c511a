// LSNet against its formulas in plain loops.

import { expect, test } from 'vitest';
import { inference, stateOf } from '../../src/nn/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { hardDistillation, LSConv, LSNet, type LSNetOptions } from '../../src/vision/index.js';
import { expectClose, uniformTensor } from '../oracle.js';
import { convolved, each, type Map3, mapOf, normed, pixel, plus, pooled, rectified, type Weights } from './naive.js';

/** All kinds of blocks: maps of 4×4, then of 2×2 with attention. */
const options: LSNetOptions = {
  dims: [16, 24],
  depths: [2, 2],
  channels: 2,
  classes: 5,
  stem: [2, 1, 1],
  heads: 2,
  attentionSize: 2,
  distilled: true,
};

/** Weights and statistics that are nothing special; no branch is silent. */
function seasoned<Model extends object>(model: Model): Model {
  const random = new Random(2);
  for (const [name, weight] of Object.entries(stateOf(model)))
    weight.assign(
      name.endsWith('runningVariance') ? random.uniform(weight.shape, 1e-4, 1) : random.normal(weight.shape, 0.1, 0.3),
    );
  return model;
}

const weightsOf = (model: object): Weights => {
  const state = stateOf(model);
  return (name) => ({ data: (state[name] as Tensor).dataSync(), shape: (state[name] as Tensor).shape });
};

/** The formulas of LSNet on one image. */
class Loops {
  constructor(readonly w: Weights) {}

  convNorm(x: Map3, name: string, { stride = 1 } = {}): Map3 {
    const weight = this.w(`${name}.conv.weight`);
    const padding = ((weight.shape[2] as number) - 1) / 2;
    return normed(convolved(x, weight, { stride, padding }), this.w, `${name}.norm`, 1e-5);
  }

  feedForward(x: Map3, name: string): Map3 {
    return plus(x, this.convNorm(rectified(this.convNorm(x, `${name}.expand`)), `${name}.contract`));
  }

  squeezed(x: Map3, name: string): Map3 {
    const layer = (y: Map3, part: string) =>
      convolved(y, this.w(`${name}.${part}.weight`), { bias: this.w(`${name}.${part}.bias`) });
    const gates = layer(rectified(layer(pooled(x), 'fc1')), 'fc2').flat(2);
    return each(x, (own, k) => own / (1 + Math.exp(-(gates[k] as number))));
  }

  /** ω: channel ci·9 + 3u + v holds the weight of the pixel (u − 1, v − 1) away, of group ci. */
  perceived(x: Map3, name: string): Map3 {
    const p = this.convNorm(rectified(this.convNorm(x, `${name}.reduce`)), `${name}.perceive`);
    const omega = convolved(rectified(this.convNorm(p, `${name}.mix`)), this.w(`${name}.weights.weight`), {
      bias: this.w(`${name}.weights.bias`),
    });
    const [gain, shift] = ['weight', 'bias'].map((part) => this.w(`${name}.weightNorm.${part}`).data);
    const normal = Array.from({ length: omega.length / 9 }, (_, ci) => {
      const group = omega.slice(9 * ci, 9 * ci + 9).flat(2);
      const mean = group.reduce((sum, value) => sum + value, 0) / group.length;
      const variance = group.reduce((sum, value) => sum + (value - mean) ** 2, 0) / group.length;
      return (value: number) => (value - mean) / Math.sqrt(variance + 1e-5);
    });
    return each(omega, (own, k) => {
      const value = (normal[Math.floor(k / 9)] as (value: number) => number)(own);
      return value * (gain?.[k] as number) + (shift?.[k] as number);
    });
  }

  lsConv(x: Map3, name: string): Map3 {
    const omega = this.perceived(x, name);
    const groups = x.length / 8;
    const aggregated = each(x, (_, c, i, j) => {
      let sum = 0;
      for (let u = 0; u < 3; u++)
        for (let v = 0; v < 3; v++)
          sum += pixel(omega, (c % groups) * 9 + 3 * u + v, i, j) * pixel(x, c, i + u - 1, j + v - 1);
      return sum;
    });
    return plus(normed(aggregated, this.w, `${name}.norm`, 1e-5), x);
  }

  attention(x: Map3, name: string): Map3 {
    const heads = 2;
    const side = (x[0] as number[][]).length;
    const [keys, values] = [16, x.length / heads];
    const all = this.convNorm(x, `${name}.qkv`);
    const q = this.convNorm(all.slice(0, heads * keys), `${name}.queryConv`);
    const [k, v] = [all.slice(heads * keys, 2 * heads * keys), all.slice(2 * heads * keys)];
    const { data: biases, shape } = this.w(`${name}.biases`);
    // Distances in the order in which they first occur: (0, 0), (0, 1), (1, 0), (1, 1) at 2×2.
    const biasOf = (head: number, rows: number, columns: number) =>
      biases[head * (shape[1] as number) + Math.abs(rows) * side + Math.abs(columns)] as number;
    const pixels = Array.from({ length: side * side }, (_, at) => [Math.floor(at / side), at % side] as const);
    const attended = each(x, (_, c, i, j) => {
      const head = Math.floor(c / values);
      const logits = pixels.map(([a, b]) => {
        let dot = 0;
        for (let d = 0; d < keys; d++) dot += pixel(q, head * keys + d, i, j) * pixel(k, head * keys + d, a, b);
        return dot / Math.sqrt(keys) + biasOf(head, i - a, j - b);
      });
      const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
      return pixels.reduce((sum, [a, b], at) => sum + (Math.exp(logits[at] as number) / total) * pixel(v, c, a, b), 0);
    });
    return plus(x, this.convNorm(rectified(attended), `${name}.project`));
  }

  even(x: Map3, name: string): Map3 {
    const mixed = plus(plus(this.convNorm(x, `${name}.mixer.conv`), this.convNorm(x, `${name}.mixer.pointwise`)), x);
    return this.feedForward(this.squeezed(mixed, `${name}.squeeze`), `${name}.feedForward`);
  }

  /** Logits of both classifiers. */
  logits(image: Map3): number[][] {
    let y = image;
    for (const [i, stride] of [2, 1, 1].entries()) {
      const next = this.convNorm(y, `stem.${i}`, { stride });
      y = i < 2 ? rectified(next) : next;
    }
    y = this.even(y, 'stages.0.0');
    y = this.feedForward(this.lsConv(y, 'stages.0.1.mixer'), 'stages.0.1.feedForward');
    y = this.convNorm(this.convNorm(y, 'stages.1.0.spatial', { stride: 2 }), 'stages.1.0.widen');
    y = this.even(y, 'stages.1.1');
    y = this.feedForward(this.attention(y, 'stages.1.2.mixer'), 'stages.1.2.feedForward');
    return [0, 1].map((head) => {
      const features = normed(pooled(y), this.w, `heads.${head}.norm`, 1e-5).flat(2);
      const { data, shape } = this.w(`heads.${head}.linear.weight`);
      const bias = this.w(`heads.${head}.linear.bias`).data;
      return Array.from({ length: shape[0] as number }, (_, o) =>
        features.reduce((sum, own, c) => sum + own * (data[o * features.length + c] as number), bias[o] as number),
      );
    });
  }
}

const relative = (actual: ArrayLike<number>, expected: ArrayLike<number>) => {
  const largest = Math.max(...Array.from(expected, Math.abs));
  const scaled = (values: ArrayLike<number>) => Array.from(values, (value) => value / largest);
  expectClose(scaled(actual), scaled(expected), 1e-4);
};

test('the network equals its formulas: every kind of block, both classifiers averaged', () => {
  const model = seasoned(new LSNet(options, new Random(1)));
  const x = uniformTensor(3, [1, 2, 8, 8]);
  const [first, second] = new Loops(weightsOf(model)).logits(mapOf(x.dataSync(), [2, 8, 8])) as [number[], number[]];
  const [own, taught] = model.logits(x, inference) as [Tensor, Tensor];
  relative(own.dataSync(), first);
  const [other] = model.logits(uniformTensor(4, [1, 2, 8, 8]), inference) as [Tensor];
  expect(own.subtract(other).abs().max().item()).toBeGreaterThan(0.03 * own.abs().max().item());
  relative(taught.dataSync(), second);
  relative(
    model.forward(x, inference).dataSync(),
    first.map((value, i) => (value + (second[i] as number)) / 2),
  );
});

test('an LS convolution equals its formulas; its weights are normed by group over the map, not softmaxed', () => {
  const layer = seasoned(new LSConv(16, new Random(1)));
  const x = uniformTensor(3, [1, 16, 7, 6]);
  const loops = new Loops((name) => weightsOf(layer)(name.replace('mixer.', '')));
  const image = mapOf(x.dataSync(), [16, 7, 6]);
  relative(layer.weightsOf(x, inference).dataSync(), loops.perceived(image, 'mixer').flat(2));
  relative(layer.forward(x, inference).dataSync(), loops.lsConv(image, 'mixer').flat(2));
  expect(new LSConv(16, new Random(1)).perceive.conv.weight.shape).toEqual([8, 1, 7, 7]);
});

test('hard distillation: labels teach the first head, the teacher’s classes the second', () => {
  const model = seasoned(new LSNet(options, new Random(1)));
  const images = uniformTensor(3, [2, 2, 8, 8]);
  const batch = { images, labels: tensor([1, 4], [2], 'i32') };
  const teacher = () => tensor([0, 9, 0, 1, 0, 2, 0, 0, 0, 1], [2, 5]);
  const heads = model.logits(images, inference).map((logits) => logits.dataSync());
  const crossEntropyOf = (logits: ArrayLike<number>, row: number, label: number) => {
    const own = Array.from({ length: 5 }, (_, c) => logits[row * 5 + c] as number);
    return Math.log(own.reduce((sum, value) => sum + Math.exp(value), 0)) - (own[label] as number);
  };
  const [first = [], second = []] = heads as ArrayLike<number>[];
  const expected =
    (crossEntropyOf(first, 0, 1) +
      crossEntropyOf(first, 1, 4) +
      crossEntropyOf(second, 0, 1) +
      crossEntropyOf(second, 1, 0)) /
    4;
  expectClose([hardDistillation(teacher)(model, batch, inference).item()], [expected], 1e-4);
  const single = new LSNet({ ...options, distilled: false }, new Random(1));
  expect(() => hardDistillation(teacher)(single, batch, inference)).toThrow('needs two heads');
});
