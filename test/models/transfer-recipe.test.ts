// What the recipe of image classifiers does for classes of different sizes, and for frozen weights.

import { describe, expect, test } from 'vitest';
import { glyphImages } from '../../src/data/index.js';
import { balancedWeights, trainOnImages } from '../../src/models/index.js';
import {
  BatchNorm2d,
  Conv2d,
  confusionMatrix,
  crossEntropy,
  freeze,
  inference,
  type Layer,
  Linear,
  type Mode,
  parameters,
  softCrossEntropy,
  stateOf,
  training,
} from '../../src/nn/index.js';
import { globalAveragePool, Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

/** A convolution with a norm, and a linear head. */
class Small implements Layer {
  readonly conv: Conv2d;
  readonly norm = new BatchNorm2d(4);
  readonly head: Linear;

  constructor(classes: number, random: Random) {
    this.conv = new Conv2d(1, 4, 3, random.split('conv'), { padding: 1 });
    this.head = new Linear(4, classes, random.split('head'));
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return this.head.forward(globalAveragePool(this.norm.forward(this.conv.forward(x), mode, 'relu')));
  }
}

const contents = (model: object) =>
  Object.fromEntries(Object.entries(stateOf(model)).map(([name, weight]) => [name, weight.dataSync()]));

describe('class weights', () => {
  test('balanced: n / (classes · n of the class), 0 for a class without an image', () => {
    expect([...balancedWeights([0, 0, 0, 1], 2)]).toEqual([4 / 6, 2]);
    expect([...balancedWeights([0, 2, 2, 2], 3)]).toEqual([2, 0, 4 / 6]);
  });

  test('the loss of mixed labels is the weighted sum over classes, by plain loops', () => {
    const [logits, targets, weights] = [
      [
        [1, -2, 0.5],
        [0, 3, -1],
      ],
      [
        [0.2, 0.8, 0],
        [0, 0.5, 0.5],
      ],
      [2, 0.5, 3],
    ] as const;
    let [sum, total] = [0, 0];
    for (let i = 0; i < 2; i++) {
      const row = logits[i] as readonly number[];
      const norm = Math.log(row.reduce((all, value) => all + Math.exp(value), 0));
      for (let c = 0; c < 3; c++) {
        const own = (weights[c] as number) * (targets[i]?.[c] as number);
        sum -= own * ((row[c] as number) - norm);
        total += own;
      }
    }
    const given = [tensor(logits as never), tensor(targets as never)] as const;
    expect(softCrossEntropy(...given, tensor([...weights])).item()).toBeCloseTo(sum / total, 5);
    const labels = tensor(Int32Array.of(2, 0));
    const hot = tensor([0, 0, 1, 1, 0, 0], [2, 3]);
    const weight = tensor([...weights]);
    expect(softCrossEntropy(given[0], hot, weight).item()).toBeCloseTo(
      crossEntropy(given[0], labels, { weight }).item(),
      6,
    );
  });

  test('a step follows the weighted loss: its gradient is that of the weighted cross-entropy', async () => {
    const data = glyphImages(12, 10, new Random(1));
    const classWeights = data.classes.map((_, at) => 1 + at);
    const model = new Small(data.classes.length, new Random(2));
    const twin = new Small(data.classes.length, new Random(2));
    const options = { epochs: 1, batchSize: 12, weightDecay: 0, optimizer: 'adadelta', learningRate: 0.1 } as const;
    await trainOnImages(model, data, new Random(3), { ...options, classWeights });
    await trainOnImages(twin, data, new Random(3), {
      ...options,
      loss: (live, { images, labels }, mode) =>
        crossEntropy(live.forward(images, mode), labels, { weight: tensor(classWeights) }),
    });
    expect(contents(model)).toEqual(contents(twin));
    const plain = new Small(data.classes.length, new Random(2));
    await trainOnImages(plain, data, new Random(3), options);
    expect(contents(plain)).not.toEqual(contents(twin));
  });

  test('those that do not fit are refused', async () => {
    const data = glyphImages(20, 10, new Random(1));
    const model = new Small(data.classes.length, new Random(2));
    const run = (options: object) => trainOnImages(model, data, new Random(3), { epochs: 1, ...options });
    await expect(run({ classWeights: [1, 2] })).rejects.toThrow('expected 10 class weights');
    await expect(run({ classWeights: data.classes.map((_, i) => i - 1) })).rejects.toThrow('of at least 0');
    const weights = data.classes.map(() => 1);
    await expect(run({ classWeights: weights, objective: 'binary' })).rejects.toThrow('for the softmax loss');
  });
});

describe('frozen weights', () => {
  test('a frozen norm takes its running statistics and leaves them alone, until it is freed', () => {
    const model = new Small(2, new Random(1));
    model.norm.runningMean.assign(Float32Array.of(1, 2, 3, 4));
    const x = new Random(2).normal([3, 1, 5, 5]);
    const own = (mode: Mode) => model.norm.forward(model.conv.forward(x), mode).dataSync();
    const before = contents(model);
    const release = freeze(model, (name) => !name.startsWith('head.'));
    expect(Object.keys(parameters(model))).toEqual(['head.weight', 'head.bias']);
    expect(Object.keys(stateOf(model)).sort()).toEqual(Object.keys(before).sort());
    expect(own(training(new Random(0)))).toEqual(own(inference));
    expect(contents(model)).toEqual(before);
    release();
    expect(Object.keys(parameters(model)).length).toBe(6);
    expect(own(training(new Random(0)))).not.toEqual(own(inference));
    expect(model.norm.runningMean.dataSync()).not.toEqual(before['norm.runningMean']);
  });

  test('training leaves frozen weights bit for bit, and trains the others', async () => {
    const data = glyphImages(64, 20, new Random(1));
    const model = new Small(data.classes.length, new Random(2));
    const before = contents(model);
    const options = { epochs: 2, batchSize: 16, average: 0.5, frozen: (name: string) => !name.startsWith('head.') };
    await trainOnImages(model, data, new Random(3), options);
    const after = contents(model);
    for (const name of Object.keys(before))
      if (name.startsWith('head.')) expect(after[name]).not.toEqual(before[name]);
      else expect(after[name]).toEqual(before[name]);
    expect(Object.keys(parameters(model)).length).toBe(6);
    await expect(trainOnImages(model, data, new Random(3), { epochs: 1, frozen: () => true })).rejects.toThrow(
      'every weight is frozen',
    );
    expect(Object.keys(parameters(model)).length).toBe(6);
  });

  test('the head learns the same as logistic regression on the fixed features', async () => {
    const data = glyphImages(64, 20, new Random(1));
    const model = new Small(data.classes.length, new Random(2));
    const head = new Linear(4, data.classes.length, new Random(2).split('head'));
    const features: Layer = {
      forward: (x) => head.forward(globalAveragePool(model.norm.forward(model.conv.forward(x), inference, 'relu'))),
    };
    const alone = Object.assign(features, { head });
    const options = { epochs: 2, batchSize: 16, weightDecay: 0.1 };
    await trainOnImages(alone, data, new Random(3), options);
    await trainOnImages(model, data, new Random(3), { ...options, frozen: (name) => !name.startsWith('head.') });
    expectClose(model.head.weight.dataSync(), head.weight.dataSync(), 1e-6);
  });
});

test('a confusion matrix counts rows by class, columns by prediction', () => {
  expect([...confusionMatrix([0, 1, 1, 2, 0], [0, 1, 2, 2, 1], 3)]).toEqual([1, 0, 0, 1, 1, 0, 0, 1, 1]);
});
