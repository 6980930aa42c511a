import { describe, expect, test } from 'vitest';
import {
  Accumulated,
  AdamW,
  Averaged,
  Clipped,
  clipGradients,
  crossEntropy,
  cutmix,
  focalLoss,
  GRU,
  globalNorm,
  gumbelSoftmax,
  huberLoss,
  infoNCE,
  kaimingNormal,
  LAMB,
  Linear,
  LSTM,
  MultiHeadAttention,
  Muon,
  mixup,
  type Optimizer,
  orthogonal,
  orthogonalize,
  parameters,
  perExampleGradients,
  SGD,
  softCrossEntropy,
  truncatedNormal,
  withWeights,
  xavierNormal,
} from '../../src/nn/index.js';
import { oneHot, Random, scope, type Tensor, tensor, valueAndGrad } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

const random = () => new Random(4);
const moments = (values: Float32Array) => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return [mean, Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length)] as const;
};

describe('initial weights have the promised spread', () => {
  test('normal ones', () => {
    const shape = [64, 32, 3, 3];
    expect(moments(kaimingNormal(random(), shape).view())[1]).toBeCloseTo(Math.sqrt(2 / 288), 2);
    expect(moments(kaimingNormal(random(), shape, { mode: 'fan-out' }).view())[1]).toBeCloseTo(Math.sqrt(2 / 576), 2);
    expect(moments(xavierNormal(random(), shape).view())[1]).toBeCloseTo(Math.sqrt(2 / 864), 2);
    expect(Math.max(...truncatedNormal(random(), [5000], 0.02).view().map(Math.abs))).toBeLessThanOrEqual(0.04);
  });
  test('orthogonal ones', () => {
    for (const shape of [
      [4, 9],
      [9, 4],
      [5, 5],
    ]) {
      const w = orthogonal(random(), shape, 2);
      const gram =
        (shape[0] as number) <= (shape[1] as number)
          ? w.matmul(w, { transposeB: true })
          : w.matmul(w, { transposeA: true });
      const n = Math.min(...shape);
      expectClose(
        gram.view(),
        Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 4 : 0)),
        1e-5,
      );
    }
  });
});

describe('losses', () => {
  const logits = uniformTensor(1, [4, 3], -2, 2);
  const labels = tensor([0, 2, 1, 1], [4], 'i32');
  test('label smoothing is cross-entropy against smoothed labels', () => {
    const smooth = oneHot(labels, 3)
      .multiply(0.9)
      .add(0.1 / 3);
    expectClose(
      [crossEntropy(logits, labels, { labelSmoothing: 0.1 }).item()],
      [softCrossEntropy(logits, smooth).item()],
    );
  });
  test('focal loss with γ = 0 is cross-entropy, and weighs by (1 − p)^γ', () => {
    expectClose([focalLoss(logits, labels, 0).item()], [crossEntropy(logits, labels).item()]);
    const p = logits.softmax();
    const expected = [0, 2, 1, 1].reduce((total, label, i) => {
      const q = p.view()[i * 3 + label] as number;
      return total - ((1 - q) ** 2 * Math.log(q)) / 4;
    }, 0);
    expectClose([focalLoss(logits, labels).item()], [expected]);
  });
  test('InfoNCE is least for equal pairs, and log n for rows that are all alike', () => {
    const a = uniformTensor(2, [5, 8]);
    expect(infoNCE(a, a).item()).toBeLessThan(infoNCE(a, a.flip(0)).item());
    const same = tensor(new Float32Array(40).fill(1), [5, 8]);
    expectClose([infoNCE(same, same).item()], [Math.log(5)]);
  });
  test('Huber loss: quadratic inside, linear outside', () => {
    expectClose([huberLoss(tensor([0.5, 3]), tensor([0, 0])).item()], [(0.125 + 2.5) / 2]);
  });
  test('gradients', () => {
    checkGradient((x) => focalLoss(x, labels), [logits], { tolerance: 2e-2 });
    checkGradient((x) => huberLoss(x, tensor([0, 0.2])), [tensor([0.5, 3])]);
  });
});

describe('recurrent layers equal their equations', () => {
  const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
  const dot = (w: Tensor, row: number, x: ArrayLike<number>) => {
    const n = w.shape[1] as number;
    return Array.from(x).reduce((total, v, i) => total + v * (w.view()[row * n + i] as number), 0);
  };
  const x = uniformTensor(1, [1, 5, 3]);
  test('LSTM', () => {
    const layer = new LSTM(3, 4, random());
    const { outputs, state } = layer.forward(x);
    let [h, c] = [new Array<number>(4).fill(0), new Array<number>(4).fill(0)];
    for (let t = 0; t < 5; t++) {
      const input = x.view().slice(t * 3, t * 3 + 3);
      const gate = (g: number, j: number) =>
        dot(layer.weightIh, g * 4 + j, input) +
        dot(layer.weightHh, g * 4 + j, h) +
        (layer.biasIh.view()[g * 4 + j] as number) +
        (layer.biasHh.view()[g * 4 + j] as number);
      const next = c.map((value, j) => sigmoid(gate(1, j)) * value + sigmoid(gate(0, j)) * Math.tanh(gate(2, j)));
      h = next.map((value, j) => sigmoid(gate(3, j)) * Math.tanh(value));
      c = next;
      expectClose(outputs.view().subarray(t * 4, t * 4 + 4), h);
    }
    expectClose(state.cell.view(), c);
  });
  test('GRU', () => {
    const layer = new GRU(3, 4, random());
    const { outputs } = layer.forward(x);
    let h = new Array<number>(4).fill(0);
    for (let t = 0; t < 5; t++) {
      const input = x.view().slice(t * 3, t * 3 + 3);
      const a = (g: number, j: number) =>
        dot(layer.weightIh, g * 4 + j, input) + (layer.biasIh.view()[g * 4 + j] as number);
      const b = (g: number, j: number) =>
        dot(layer.weightHh, g * 4 + j, h) + (layer.biasHh.view()[g * 4 + j] as number);
      h = h.map((value, j) => {
        const z = sigmoid(a(1, j) + b(1, j));
        return (1 - z) * Math.tanh(a(2, j) + sigmoid(a(0, j) + b(0, j)) * b(2, j)) + z * value;
      });
      expectClose(outputs.view().subarray(t * 4, t * 4 + 4), h);
    }
  });
  test('multi-head attention: a permutation of the sequence permutes the output', () => {
    const layer = new MultiHeadAttention(8, 2, random());
    const y = uniformTensor(3, [1, 5, 8]);
    expectClose(layer.forward(y.flip(1)).view(), layer.forward(y).flip(1).view());
  });
});

describe('optimisers', () => {
  /** Loss after training a small regression. */
  const train = (optimizer: Optimizer, steps = 200) => {
    const model = new Linear(6, 4, random());
    const x = uniformTensor(1, [32, 6]);
    const target = x.matmul(uniformTensor(2, [6, 4]));
    const loss = () => model.forward(x).subtract(target).square().mean();
    const step = valueAndGrad((w: Record<string, Tensor>) => withWeights(model, w, loss));
    for (let i = 0; i < steps; i++)
      scope(() => {
        const weights = parameters(model);
        optimizer.update(weights, step(weights).gradient);
      });
    return { loss: loss().item(), model };
  };
  test('LAMB and Muon fit a linear map', () => {
    expect(train(new LAMB({ learningRate: 0.05, weightDecay: 0 })).loss).toBeLessThan(1e-2);
    expect(train(new Muon({ learningRate: 0.02, adam: { learningRate: 0.02, weightDecay: 0 } })).loss).toBeLessThan(
      1e-2,
    );
  });
  test('LAMB moves each tensor by the rate times its own length', () => {
    const w = uniformTensor(1, [10, 10]);
    const before = w.clone();
    new LAMB({ learningRate: 0.01, weightDecay: 0 }).update({ w }, { w: uniformTensor(2, [10, 10]) });
    expectClose([globalNorm({ d: w.subtract(before) })], [0.01 * globalNorm({ before })], 1e-4);
  });
  test('orthogonalising brings singular values near 1', () => {
    const q = orthogonalize(uniformTensor(1, [6, 10]));
    const gram = q.matmul(q, { transposeB: true });
    gram.view().forEach((value, i) => {
      if (i % 7 === 0) expect(Math.abs(value - 1)).toBeLessThan(0.5);
      else expect(Math.abs(value)).toBeLessThan(0.35);
    });
  });
  test('clipping limits the norm and keeps the direction', () => {
    const g = { a: tensor([3, 0]), b: tensor([4]) };
    expect(clipGradients(g, 1)).toBeCloseTo(5);
    expectClose([...g.a.view(), ...g.b.view()], [0.6, 0, 0.8]);
    expect(clipGradients(g, 10)).toBeCloseTo(1);
  });
  test('accumulated half batches equal one whole batch', () => {
    const w = [tensor([1, 2]), tensor([1, 2])] as const;
    const gradient = (v: number[]) => ({ w: tensor(v) });
    new SGD({ learningRate: 0.1 }).update({ w: w[0] }, gradient([2, 3]));
    const parts = new Accumulated(new SGD({ learningRate: 0.1 }), 2);
    parts.update({ w: w[1] }, gradient([1, 4]));
    expectClose(w[1].view(), [1, 2]);
    parts.update({ w: w[1] }, gradient([3, 2]));
    expectClose(w[1].view(), w[0].view());
  });
  test('wrappers nest, and their state continues bit for bit', () => {
    const make = () => new Averaged(new Clipped(new Accumulated(new AdamW({ learningRate: 0.01 }), 2), 1), 0.9);
    const gradient = (i: number) => ({ w: uniformTensor(i, [5]) });
    const [whole, first, second] = [make(), make(), make()];
    const [a, b] = [uniformTensor(9, [5]), uniformTensor(9, [5])];
    for (let i = 0; i < 7; i++) whole.update({ w: a }, gradient(i));
    for (let i = 0; i < 3; i++) first.update({ w: b }, gradient(i));
    second.restore(first.state());
    for (let i = 3; i < 7; i++) second.update({ w: b }, gradient(i));
    expect(b.dataSync()).toEqual(a.dataSync());
    expect(second.weights.w?.dataSync()).toEqual(whole.weights.w?.dataSync());
  });
});

describe('estimators and mixing', () => {
  test('Gumbel samples follow the softmax, hard ones are one-hot with the soft gradient', () => {
    const logits = tensor([[1, 0, -1]]).broadcastTo([4000, 3]);
    const hard = gumbelSoftmax(logits, random(), { hard: true });
    const p = tensor([1, 0, -1]).softmax().view();
    const counts = hard.mean(0).view();
    for (let i = 0; i < 3; i++) expect(Math.abs((counts[i] as number) - (p[i] as number))).toBeLessThan(0.03);
    const flow = (options: object) =>
      valueAndGrad((l: Tensor) =>
        gumbelSoftmax(l, random(), options)
          .multiply(tensor([1, 2, 3]))
          .sum(),
      )(tensor([[1, 0, -1]])).gradient.view();
    expectClose(flow({ hard: true }), flow({}));
  });
  test('per-example gradients sum to the batch gradient', () => {
    const weights = { w: uniformTensor(1, [3, 2]) };
    const x = uniformTensor(2, [4, 3]);
    const loss = (w: Readonly<Record<string, Tensor>>, rows: Tensor) =>
      rows
        .matmul(w.w as Tensor)
        .square()
        .sum();
    const each = perExampleGradients(loss, weights, x).w as Tensor;
    expect(each.shape).toEqual([4, 3, 2]);
    expectClose(each.sum(0).view(), valueAndGrad(loss)(weights, x).gradient.w?.view() as Float32Array);
  });
  test('mixed labels are probabilities, mixed pixels come from the batch', () => {
    const images = tensor(
      Float32Array.from({ length: 6 * 2 * 16 }, (_, i) => Math.floor(i / 32)),
      [6, 2, 4, 4],
    );
    const labels = tensor([0, 1, 2, 0, 1, 2], [6], 'i32');
    for (const mix of [mixup, cutmix]) {
      const { images: mixed, targets } = mix(images, labels, 3, random());
      expectClose(targets.sum(-1).view(), new Float32Array(6).fill(1));
      expect(mixed.shape).toEqual(images.shape);
    }
    const { images: cut, targets } = cutmix(images, labels, 3, random());
    expect(cut.view().every((v) => Number.isInteger(v))).toBe(true);
    const kept = [...cut.view().subarray(0, 16)].filter((v) => v === 0).length / 16;
    expectClose([targets.view()[0] as number], [kept], 1e-5);
  });
});
