import { describe, expect, test } from 'vitest';
import { compress, parseRecipe, toHypercomplex } from '../../src/compress/index.js';
import { glyphImages } from '../../src/data/index.js';
import { svd } from '../../src/linalg/index.js';
import { SmallResNet } from '../../src/models/index.js';
import {
  Conv1d,
  Conv2d,
  hasHypercomplex,
  inference,
  kroneckerSum,
  Linear,
  PHConv1d,
  type PHConv2d,
  parameterCount,
  stateOf,
} from '../../src/nn/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { ImageClassifier } from '../../src/vision/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

/** Blocks (i, j) of a weight as rows, by loops. */
function blocks(weight: Tensor, n: number): Float32Array {
  const [out, inner] = weight.shape as [number, number];
  const [per, each, size] = [out / n, inner / n, weight.size / (out * inner)];
  const values = weight.dataSync();
  const rows = new Float32Array(weight.size);
  for (let o = 0; o < out; o++)
    for (let c = 0; c < inner; c++)
      for (let k = 0; k < size; k++) {
        const row = Math.floor(o / per) * n + Math.floor(c / each);
        rows[((row * per + (o % per)) * each + (c % each)) * size + k] = values[(o * inner + c) * size + k] as number;
      }
  return rows;
}

describe('toHypercomplex', () => {
  test('weights that are sums of n products stay what they are', () => {
    const network = { a: new Conv2d(4, 6, 3, new Random(1)), b: new Linear(6, 2, new Random(2)) };
    const weight = kroneckerSum(uniformTensor(1, [2, 2, 2]), uniformTensor(2, [2, 3, 2, 3, 3]));
    network.a.weight.assign(weight);
    const x = uniformTensor(3, [1, 4, 5, 5]);
    const before = network.a.forward(x).dataSync();
    const done = toHypercomplex(network, { n: 2 });
    expect(done).toEqual({ replaced: ['a'], kept: ['b'], parameters: [216, 8 + 108] });
    expectClose(network.a.forward(x).dataSync(), before, 1e-5);
  });

  test('other weights become the nearest such sum', () => {
    for (const [layer, n] of [
      [new Conv2d(6, 9, 3, new Random(1)), 3],
      [new Conv1d(4, 8, 5, new Random(2)), 4],
      [new Linear(8, 6, new Random(3)), 2],
    ] as const) {
      const network: { layer: { readonly weight: Tensor } } = { layer };
      const before = layer.weight.dataSync();
      const rows = blocks(layer.weight, n);
      const { s } = svd(tensor(rows, [n * n, rows.length / (n * n)]));
      const tail = s
        .dataSync()
        .slice(n)
        .reduce((sum, value) => sum + value ** 2, 0);
      toHypercomplex(network, { n, layers: ['layer'] });
      const after = network.layer.weight.dataSync();
      const error = before.reduce((sum, value, at) => sum + (value - (after[at] as number)) ** 2, 0);
      expect(tail).toBeGreaterThan(0);
      expect(Math.abs(error / tail - 1)).toBeLessThan(1e-3);
    }
  });

  test('options, bias and the kind of a layer stay', () => {
    const network = { a: new Conv1d(4, 4, 3, new Random(1), { padding: 'causal', dilation: 2 }) };
    const { bias } = network.a;
    toHypercomplex(network, { n: 2 });
    expect(network.a).toBeInstanceOf(PHConv1d);
    expect(network.a.options).toMatchObject({ padding: 'causal', dilation: 2 });
    expect(network.a.bias).toBe(bias);
    expect(network.a.forward(uniformTensor(1, [1, 4, 7])).shape).toEqual([1, 4, 7]);
  });

  test('layers that n does not divide, grouped ones and the classifier stay', () => {
    const network = {
      stem: new Conv2d(3, 4, 3, new Random(1)),
      deep: new Conv2d(4, 4, 3, new Random(2), { groups: 4 }),
      point: new Conv2d(4, 8, 1, new Random(3)),
      hidden: new Linear(8, 8, new Random(4)),
      head: new Linear(8, 4, new Random(5)),
    };
    expect(toHypercomplex(network, { n: 2 })).toMatchObject({
      replaced: ['point', 'hidden'],
      kept: ['stem', 'deep', 'head'],
    });
    expect(() => toHypercomplex(network, { n: 2, layers: ['stem'] })).toThrow(
      'toHypercomplex: stem: n = 2 does not divide 3 inputs; the nearest are 2 and 4',
    );
    expect(() => toHypercomplex(network, { n: 2, layers: ['deep'] })).toThrow('n = 2 does not divide 1 inputs');
    expect(() => toHypercomplex(network, { n: 2, layers: ['none'] })).toThrow(
      'no layer "none"; there are stem, deep, head',
    );
    expect(() => toHypercomplex(network, { n: 5 })).toThrow(
      'n = 5 divides the channels of no layer; there are stem (4×3)',
    );
  });
});

describe('the step of a recipe', () => {
  const data = glyphImages(60, 20, new Random(0));
  const steps = (...own: object[]) => parseRecipe({ training: { batchSize: 16 }, steps: own });
  const classifierOf = (seed: number) => ImageClassifier.create('resnet8', data, new Random(seed));

  test('trains what it has made, and the file reads back', async () => {
    const classifier = classifierOf(1);
    const recipe = steps({ do: 'hypercomplex', n: 4, epochs: 1 });
    const { report, plan } = await compress(classifier.model, data, recipe, { random: new Random(2) });
    expect(report.done[0]).toBe('made 6 layers hypercomplex with n = 4: 73,728 weights became 18,816');
    expect(report.before.parameters - report.after.parameters).toBe(73_728 - 18_816);
    expect(report.after.multiplyAdds).toBe(report.before.multiplyAdds);
    const again = ImageClassifier.load(classifier.save());
    expect(parameterCount(again.model)).toBe(report.after.parameters);
    const x = uniformTensor(1, [1, 1, data.train.height, data.train.width]);
    const expected = again.model.forward(x, inference).dataSync();
    expect(expected).toEqual(classifier.model.forward(x, inference).dataSync());
    expectClose((plan.run(x)[0] as Tensor).dataSync(), expected, 1e-4);
    plan.dispose();
  });

  test('pruning behind it writes the layers out, with the zeros where they are asked for', async () => {
    const classifier = classifierOf(1);
    const recipe = steps({ do: 'hypercomplex', n: 4 }, { do: 'prune', sparsity: 0.5, layers: 'convolutions' });
    const { report, plan } = await compress(classifier.model, data, recipe, { random: new Random(2) });
    plan.dispose();
    expect(report.done).toHaveLength(3);
    expect(report.done[1]).toBe('wrote 6 hypercomplex layers out as plain ones, which weights are pruned in');
    expect(hasHypercomplex(classifier.model)).toBe(false);
    const weight = stateOf(classifier.model)['layer2.0.conv2.weight'] as Tensor;
    expect(weight.view().filter((value) => value === 0)).toHaveLength(weight.size / 2);
    expect(parameterCount(ImageClassifier.load(classifier.save()).model)).toBe(report.before.parameters);
  });

  test('a network of hypercomplex layers is pruned as plain ones, and reads back', async () => {
    const classifier = ImageClassifier.create('phc-resnet8', data, new Random(1), { n: 4 });
    const { plan } = await compress(classifier.model, data, steps({ do: 'prune', sparsity: 0.5, layers: 'all' }), {
      random: new Random(2),
    });
    const again = ImageClassifier.load(classifier.save());
    const x = uniformTensor(1, [1, 1, data.train.height, data.train.width]);
    expectClose(again.model.forward(x, inference).dataSync(), (plan.run(x)[0] as Tensor).dataSync(), 1e-4);
    plan.dispose();
  });

  test('wrong steps are refused', async () => {
    expect(() => steps({ do: 'hypercomplex' })).toThrow('lacks "n"');
    expect(() => steps({ do: 'hypercomplex', n: 1 })).toThrow('"n" must be an integer of at least 2, got 1');
    const late = steps({ do: 'prune', sparsity: 0.5, layers: 'convolutions' }, { do: 'hypercomplex', n: 4 });
    await expect(compress(classifierOf(1).model, data, late, { random: new Random(1) })).rejects.toThrow(
      'make layers hypercomplex before weights are pruned',
    );
    const odd = new SmallResNet(8, new Random(1), { channels: 1, classes: 10 });
    await expect(compress(odd, data, steps({ do: 'hypercomplex', n: 5 }), { random: new Random(1) })).rejects.toThrow(
      'n = 5 divides the channels of no layer',
    );
    expect((odd.conv1 as Conv2d | PHConv2d).weight.rank).toBe(4);
  });
});
