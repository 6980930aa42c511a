import { describe, expect, test } from 'vitest';
import { glyphImages, type ImageDataset, imageBatches, imageTensor } from '../../src/data/index.js';
import { accuracyOn } from '../../src/models/index.js';
import {
  crossEntropy,
  gradientsOf,
  inference,
  lossWithTerms,
  parameterCount,
  parameters,
  stateOf,
  training,
} from '../../src/nn/index.js';
import { Random, scope, type Tensor, tensor, valueAndGrad } from '../../src/tensor/index.js';
import { compile, cost, countMultiplyAdds, exportOnnx, loadPlan, savePlan, trace } from '../../src/trace/index.js';
import {
  CCNN,
  ImageClassifier,
  imageModel,
  isSlow,
  Terminator,
  type TerminatorOptions,
} from '../../src/vision/index.js';
import { expectClose, uniform, uniformTensor } from '../oracle.js';
import { type Batch, loopsOf } from './hyperzzw-loops.js';
import { mapOf } from './naive.js';

/** A test whose tensors are freed at its end. */
const scoped = (name: string, body: () => void) => test(name, () => scope(body));

/** Two blocks, the second of which takes the output of the first, and a third that takes two. */
const tiny: Omit<TerminatorOptions, 'size'> = {
  ...{ factors: [4, 1, 1], layers: [3, 2, 1], links: [[], [0], [1, 0]], channels: 3, classes: 4, frequency: 0.2 },
  widths: { global: 4, local: 3, channel: 3, interaction: [2, 3] },
};

/** A network whose biases and maps of positions are nothing special. */
function seasoned(options: TerminatorOptions, seed = 3): Terminator {
  const model = new Terminator(options, new Random(seed));
  const random = new Random(seed + 1);
  scope(() => {
    for (const [name, weight] of Object.entries(parameters(model)))
      if (/bias|positions|shift/.test(name)) weight.assign(random.normal(weight.shape, 0.2, 0.3));
  });
  return model;
}

const batchOf = (x: Tensor): Batch => {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const values = x.view();
  return Array.from({ length: n }, (_, i) => mapOf(values.subarray(i * c * h * w, (i + 1) * c * h * w), [c, h, w]));
};

/** Norm of the difference over the norm of what is expected. */
function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const difference = Array.from(actual, (value, i) => value - (expected[i] as number));
  return Math.hypot(...difference) / Math.hypot(...Array.from(expected));
}

test.each([
  ['terminator', 10, 32, 1_336_855, [53_377, 57_824, 105_188, 253_580, 863_996]],
  ['terminator', 100, 32, 1_362_865, [53_377, 57_824, 105_188, 253_580, 863_996]],
  ['terminator-nano', 10, 14, 43_710, undefined],
] as const)('%s with %d classes has its published count of parameters', (name, classes, size, count, blocks) => {
  const model = imageModel(name, { channels: 3, classes, size }, new Random(0)) as Terminator;
  expect(parameterCount(model)).toBe(count);
  if (blocks) expect(model.blocks.map((block) => parameterCount(block))).toEqual(blocks);
  for (const weight of Object.values(stateOf(model))) weight.dispose();
});

scoped(
  'multiply-adds of terminator-nano: 7,750,428, and those of the fast network alone once kernels are written',
  () => {
    const model = imageModel('terminator-nano', { channels: 3, classes: 10, size: 14 }, new Random(0)) as Terminator;
    const x = uniformTensor(4, [1, 3, 14, 14]);
    const run = () => model.withBatchStatistics(() => model.forward(x, inference));
    expect(scope(() => countMultiplyAdds(run).multiplyAdds)).toBe(7_750_428);
    expect(cost((own) => model.forward(own, inference), [x], parameters(model)).multiplyAdds).toBe(6_551_388);
  },
);

scoped('is what loops of doubles compute, block by block', () => {
  const model = seasoned({ ...tiny, size: 4 });
  const state = stateOf(model);
  const { block, linear, repeated } = loopsOf((name) => {
    const weight = state[name] as Tensor;
    return { data: weight.view(), shape: weight.shape };
  });
  const x = uniformTensor(5, [2, 3, 4, 4], -1, 2);
  const passed = model.withBatchStatistics(() => model.passed(x, inference));
  const links = tiny.links as number[][];
  const outputs = passed.map(({ output }) => batchOf(output));
  // Each block on the input that it had, so that rounding does not add up.
  outputs.forEach((own, i) => {
    const before = i === 0 ? repeated(batchOf(x), 3) : (outputs[i - 1] as Batch);
    const earlier = (links[i] as number[]).map((from) => outputs[from] as Batch);
    const expected = block(`blocks.${i}`, before, earlier, tiny.layers[i] as number);
    expect(relativeError(own.flat(3), expected.flat(3))).toBeLessThan(2e-3);
  });
  const last = outputs.at(-1) as Batch;
  const pooled = last.map((image) => image.map((plane) => plane.flat().reduce((a, b) => a + b) / 16));
  const logits = model.withBatchStatistics(() => model.forward(x, inference));
  expectClose(logits.view(), linear(pooled, 'head').flat(), 1e-3);
});

/** Noise with a brighter pair of rows, which are the class. */
function stripes(count: number): ImageDataset {
  const side = 6;
  const noise = uniform(20, count * side ** 2, 0, 120);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  const pixels = Uint8Array.from(noise, (value, at) => {
    const [image, row] = [Math.floor(at / side ** 2), Math.floor((at % side ** 2) / side)];
    return value + (row >> 1 === labels[image] ? 100 : 0);
  });
  const train = { count, channels: 1, height: side, width: side, pixels, labels };
  return { name: 'stripes', classes: ['top', 'middle', 'bottom'], train, test: train, mean: [0.4], deviation: [0.2] };
}

describe('statistics', () => {
  const data = stripes(48);
  const images = imageTensor(data.train, [0, 1, 2, 3, 4, 5, 6, 7], data);
  const side = data.train.height;
  const nano = () =>
    seasoned({
      ...tiny,
      ...{ factors: [4, 1], layers: [1, 1], links: [[], [0]], classes: 3, channels: 1 },
      size: side,
    });

  scoped('answers depend on no other image unless the batch is asked for; frozen on one batch they equal it', () => {
    const model = nano();
    const of = (x: Tensor) => [...model.forward(x, inference).view()];
    const alone = () => of(images.slice([0, 1]));
    const first = alone();
    expectClose(of(images).slice(0, 3), first, 1e-4);
    const inBatch = model.withBatchStatistics(() => of(images));
    expect(relativeError(inBatch.slice(0, 3), first)).toBeGreaterThan(1e-2);
    model.freezeStatistics([images]);
    expectClose(of(images), inBatch, 1e-3);
    expectClose(alone(), inBatch.slice(0, 3), 1e-3);
    expect(() => model.freezeStatistics([])).toThrow('at least one batch');
  });

  test('training ends with frozen statistics, and a file answers alike', async () => {
    const model = nano();
    const description = {
      architecture: 'terminator-nano',
      classes: data.classes,
      channels: 1,
      height: side,
      width: side,
    };
    const classifier = new ImageClassifier({ ...description, mean: data.mean, deviation: data.deviation }, model);
    const before = accuracyOn(model, data.train, data);
    const { history } = await classifier.train(data, new Random(1), {
      ...{ epochs: 5, batchSize: 8, optimizer: 'kar3', learningRate: 3e-3, labelSmoothing: 0.1 },
    });
    expect((history.at(-1) as { loss: number }).loss).toBeLessThan(0.9 * (history[0] as { loss: number }).loss);
    expect(accuracyOn(model, data.train, data)).toBeGreaterThan(before + 0.2);
    // Statistics of the final weights, not those that training followed.
    const mean = stateOf(model)['blocks.0.locals.0.norm.mean.value'] as Tensor;
    const stored = [...mean.view()];
    const batches = imageBatches(data.train, data, 8, new Random(1).split('statistics'));
    model.freezeStatistics(
      (function* () {
        for (const batch of batches) yield batch.images;
      })(),
    );
    expect([...mean.view()]).toEqual(stored);
  });
});

scoped('a saved network answers as before, for a picture alone as among others', () => {
  const data = glyphImages(12, 4, new Random(0));
  const classifier = ImageClassifier.create('terminator-nano', data, new Random(1));
  const images = imageTensor(data.train, [0, 1, 2, 3], data);
  (classifier.model as Terminator).freezeStatistics([images]);
  const loaded = ImageClassifier.load(classifier.save());
  const logits = [...classifier.model.forward(images, inference).view()];
  expect([...loaded.model.forward(images, inference).view()]).toEqual(logits);
  expectClose(loaded.model.forward(images.slice([2, 3]), inference).view(), logits.slice(20, 30), 1e-3);
  const onnx = exportOnnx((x) => loaded.model.forward(x, inference), [images.slice([0, 1])]);
  expect(onnx.length).toBeGreaterThan(10_000);
});

scoped('the local feedback error reaches every global slow network and no fast weight', () => {
  const model = seasoned({ ...tiny, size: 4 });
  const { gradients } = gradientsOf(model, (live) => live.slowLoss());
  for (const [name, gradient] of Object.entries(gradients)) {
    const size = Math.hypot(...gradient.view());
    const isGlobal = /^blocks\.\d\.slow\./.test(name);
    if (isGlobal && name.endsWith('output.weight')) expect(size).toBeGreaterThan(0);
    if (!isGlobal) expect(size).toBe(0);
  }
});

scoped('the loss gains the feedback error and the penalty of norms, in training alone', () => {
  const term = (options: Partial<TerminatorOptions>) => {
    const model = seasoned({ ...tiny, ...options, size: 4 });
    const x = uniformTensor(6, [2, 3, 4, 4]);
    const total = lossWithTerms(training(new Random(1)), (mode) => {
      model.forward(x, mode);
      return tensor(0);
    });
    return { total: total.item(), model };
  };
  expect(term({ slowLoss: false }).total).toBe(0);
  const { total, model } = term({});
  expect(total).toBeCloseTo(model.slowLoss().item(), 5);
  const norms = Object.entries(parameters(model)).reduce((sum, [name, weight]) => {
    const norm = Math.hypot(...weight.view());
    if (!isSlow(name)) return sum + norm;
    return name.endsWith('weight') ? sum + 1e-6 * norm : sum;
  }, 0);
  expect(term({ slowLoss: false, normPenalty: 0.5 }).total / (0.5 * norms)).toBeCloseTo(1, 4);
});

scoped('nothing is added to a block’s input', () => {
  const additions = (residual: boolean) => {
    const model = seasoned({ ...tiny, residual, size: 4 });
    const [, block] = model.blocks;
    const x = uniformTensor(7, [2, 12, 4, 4]);
    return trace(
      (input) => block?.forward(input, [input.multiply(2)], inference).output,
      [x],
      {},
      ({ nodes, inputs }) =>
        nodes.filter(({ op, inputs: own }) => op.name === 'add' && own.some(({ id }) => id === inputs[0]?.id)).length,
    );
  };
  expect(additions(false)).toBe(0);
  expect(additions(true)).toBe(1);
});

scoped('changes of an ablation', () => {
  const count = (options: Partial<TerminatorOptions>) => {
    const model = new Terminator({ ...tiny, ...options, size: 4 }, new Random(1));
    const x = uniformTensor(8, [2, 3, 4, 4]);
    const logits = model.forward(x, training(new Random(2)));
    expect(logits.view().every(Number.isFinite)).toBe(true);
    return parameterCount(model);
  };
  const full = count({});
  for (const options of [
    { without: 'local' },
    { without: 'global' },
    { joining: 'sum' },
    { fixedKernel: true },
  ] as const)
    expect(count(options)).toBeLessThan(full);
  for (const options of [{ weights: 'alone' }, { residual: true }] as const) expect(count(options)).toBe(full);
  expect(count({ norm: 'batch' })).toBe(full + 2 * (12 + 12 + 12));
});

scoped('sequences: kernels of one dimension, both readings of the operator', () => {
  for (const operator of ['circular', 'elementwise'] as const) {
    const model = new Terminator({ ...tiny, channels: 1, operator, size: [1, 10] }, new Random(1));
    const x = uniformTensor(9, [2, 1, 1, 10]);
    const gradient = valueAndGrad((own: Tensor) =>
      model
        .forward(own, training(new Random(2)))
        .square()
        .sum(),
    )(x).gradient;
    expect(gradient.view().every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
    const plan = loadPlan(savePlan(compile((own) => model.forward(own, inference), [x])));
    expectClose((plan.run(x)[0] as Tensor).view(), model.forward(x, inference).view(), 1e-3);
  }
});

scoped('what does not fit is refused', () => {
  const make = (options: Partial<TerminatorOptions>) => new Terminator({ ...tiny, size: 4, ...options }, new Random(0));
  expect(() => make({ size: [4, 6] })).toThrow('the matrix product needs square images, got 4×6');
  expect(() => make({ channels: 2 })).toThrow('images have 1 or 3 channels, got 2');
  expect(() => make({}).forward(uniformTensor(1, [1, 3, 5, 5]), inference)).toThrow('[n, channels, 4, 4]');
  expect(() => imageModel('terminator-nano', { channels: 1, classes: 2, size: 16, width: 2 }, new Random(0))).toThrow(
    'no width multiplier',
  );
});

scoped('CCNN convolves with zeros beyond the border', () => {
  const model = new CCNN({ width: 3, size: [2, 3], channels: 3, classes: 2, depth: 1, hidden: 4 }, new Random(1));
  const [block] = model.blocks;
  const kernel = block?.slow.kernel() as Tensor;
  expect(kernel.shape).toEqual([1, 3, 3, 5]);
  const x = tensor(uniform(10, 18), [1, 3, 2, 3]);
  const [k, v] = [kernel.view(), x.view()];
  const expected = Float64Array.from({ length: 18 }, (_, p) => {
    const [c, i, j] = [Math.floor(p / 6), Math.floor((p % 6) / 3), p % 3];
    let sum = 0;
    for (let u = 0; u < 2; u++)
      for (let w = 0; w < 3; w++)
        sum += (k[c * 15 + (u - i + 1) * 5 + (w - j + 2)] as number) * (v[c * 6 + u * 3 + w] as number);
    return sum;
  });
  expectClose(model.convolved(0, x).view(), expected, 1e-4);
  const labels = tensor(Int32Array.of(1), [1], 'i32');
  const { gradients } = gradientsOf(model, (live) => crossEntropy(live.forward(x, training(new Random(1))), labels));
  expect(Math.hypot(...(gradients['blocks.0.slow.output.weight'] as Tensor).view())).toBeGreaterThan(0);
});
