import { describe, expect, test } from 'vitest';
import { memoryUse } from '../../src/engine/index.js';
import {
  Decoder,
  EfficientNet,
  LeNet,
  MobileNetV2,
  ResNet,
  SmallResNet,
  VisionTransformer,
} from '../../src/models/index.js';
import { buffers, inference, type Layer, parameters } from '../../src/nn/index.js';
import { concatenate, Random, scope, softmax, type Tensor, tensor } from '../../src/tensor/index.js';
import { compile, loadPlan, savePlan } from '../../src/trace/index.js';
import { expectClose, uniform, uniformTensor } from '../oracle.js';

/** Running statistics that differ from their start, so that folding them shows. */
function unsettle(model: object): void {
  Object.entries(buffers(model)).forEach(([name, buffer], i) => {
    const [low, high] = name.endsWith('Variance') ? [0.5, 2] : [-0.3, 0.3];
    buffer.assign(uniformTensor(i, buffer.shape, low, high));
  });
}

const random = () => new Random(3);
const models: readonly [string, () => Layer, readonly number[]][] = [
  ['LeNet', () => new LeNet(random()), [2, 1, 28, 28]],
  ['ResNet-20', () => new SmallResNet(20, random()), [2, 3, 32, 32]],
  ['ResNet-18', () => new ResNet(18, random(), { classes: 10 }), [1, 3, 64, 64]],
  ['MobileNetV2', () => new MobileNetV2(random(), { classes: 10 }), [1, 3, 64, 64]],
  ['EfficientNet-B0', () => new EfficientNet('b0', random(), { classes: 10 }), [1, 3, 64, 64]],
  [
    'ViT',
    () =>
      new VisionTransformer(random(), { imageSize: 32, patchSize: 8, features: 48, depth: 2, heads: 3, classes: 10 }),
    [2, 3, 32, 32],
  ],
];

describe('a plan computes what the model does', () => {
  test.each(models)('%s', (_, make, shape) => {
    const model = make();
    unsettle(model);
    const plan = compile((x) => model.forward(x, inference), [uniformTensor(1, shape)]);
    for (const seed of [2, 3]) {
      const x = uniformTensor(seed, shape);
      const [y] = plan.run(x);
      expectClose(y?.view() as Float32Array, model.forward(x, inference).view(), 2e-4);
    }
    plan.dispose();
  });

  test('a decoder, from tokens', () => {
    const model = new Decoder({ vocabulary: 50, features: 32, layers: 2, heads: 4, keyHeads: 2 }, random());
    const tokens = (seed: number) =>
      tensor(
        Int32Array.from({ length: 24 }, (_, i) => (i * seed) % 50),
        [2, 12],
      );
    const plan = compile((x) => model.forward(x), [tokens(1)]);
    expectClose(plan.run(tokens(7))[0]?.view() as Float32Array, model.forward(tokens(7)).view(), 1e-5);
    plan.dispose();
  });
});

test('several inputs and outputs, views among them', () => {
  const fn = (a: Tensor, b: Tensor) => [concatenate([a, b]).reshape([2, 6]), softmax(a.add(b)).slice([1, 2])];
  const plan = compile(fn, [uniformTensor(1, [2, 3]), uniformTensor(2, [2, 3])]);
  const inputs = [uniformTensor(3, [2, 3]), uniformTensor(4, [2, 3])] as [Tensor, Tensor];
  const results = plan.run(...inputs);
  fn(...inputs).forEach((expected, i) => {
    expect(results[i]?.shape).toEqual(expected.shape);
    expectClose(results[i]?.view() as Float32Array, expected.view());
  });
  expect(() => plan.run(inputs[0])).toThrow('expected 2 inputs');
  expect(() => plan.run(inputs[0], uniformTensor(1, [3, 2]))).toThrow('input 1 is Tensor(f32[3, 2])');
});

test('norms, activations and shortcuts are folded, temporaries share memory, disposing gives all back', () => {
  const model = new MobileNetV2(random(), { classes: 10 });
  const x = uniformTensor(1, [1, 3, 96, 96]);
  scope(() => model.forward(x, inference));
  const before = memoryUse().bytes;
  const plan = compile((input) => model.forward(input, inference), [x]);
  // 52 convolutions, the mean over pixels, the last layer.
  expect(plan.stepCount).toBeLessThanOrEqual(55);
  expect(plan.arenaBytes).toBeLessThan(4e6);
  plan.dispose();
  expect(memoryUse().bytes).toBe(before);
});

test('pruned pointwise convolutions run on sparse kernels, shortcuts included', () => {
  const model = new MobileNetV2(random(), { classes: 10 });
  unsettle(model);
  const weights = Object.values(parameters(model)).filter(({ shape }) => shape.length === 4 && shape[2] === 1);
  weights.forEach((weight, seed) => {
    const draws = uniform(seed, weight.size, 0, 1);
    weight.assign(weight.dataSync().map((value, i) => ((draws[i] as number) < 0.8 ? 0 : value)));
  });
  const shape = [2, 3, 64, 64];
  const plan = compile((x) => model.forward(x, inference), [uniformTensor(1, shape)]);
  expect(plan.data.program.steps.filter(({ kernel }) => kernel.startsWith('sparseChannels')).length).toBe(
    2 * weights.length,
  );
  const x = uniformTensor(2, shape);
  expectClose(plan.run(x)[0]?.view() as Float32Array, model.forward(x, inference).view(), 2e-4);
  const dense = compile((input) => model.forward(input, inference), [x], { sparse: false });
  expect(dense.data.program.steps.some(({ kernel }) => kernel.startsWith('sparseChannels'))).toBe(false);
});

test('saved and loaded, a plan gives the same bits', () => {
  const model = new LeNet(random());
  const x = uniformTensor(2, [3, 1, 28, 28]);
  const plan = compile((input) => model.forward(input, inference), [uniformTensor(1, [3, 1, 28, 28])]);
  const file = savePlan(plan);
  const again = loadPlan(file);
  expect(again.run(x)[0]?.dataSync()).toEqual(plan.run(x)[0]?.dataSync());
  expect(() => loadPlan(file.subarray(0, file.length - 9))).toThrow('cut short');
  expect(() => loadPlan(new Uint8Array(40))).toThrow('no plan');
});
