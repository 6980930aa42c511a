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
import {
  add,
  affine,
  argmax,
  averagePool2d,
  batchNormInference,
  concatenate,
  conv2d,
  globalAveragePool,
  maxPool2d,
  multiply,
  oneHot,
  ones,
  Random,
  relu,
  reshape,
  scope,
  sigmoid,
  silu,
  softmax,
  type Tensor,
  tanh,
  tensor,
  unique,
} from '../../src/tensor/index.js';
import { compile, exportOnnx, loadPlan, savePlan, trace } from '../../src/trace/index.js';
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

test('a plan runs again on what was fed, although temporaries share the memory of its inputs', () => {
  const model = new Decoder({ vocabulary: 20, features: 32, layers: 2, heads: 4, keyHeads: 2 }, random());
  const tokens = tensor(Int32Array.from([3, 19, 0, 7]), [1, 4]);
  const plan = compile((x) => model.forward(x), [tokens]);
  expect(() => plan.execute()).toThrow('feed inputs before it runs');
  plan.feed([tokens]);
  for (let pass = 0; pass < 5; pass++) plan.execute();
  const [again] = plan.run(tokens);
  expectClose((again as Tensor).view(), model.forward(tokens).view<Float32Array>());
  tokens.dispose();
  expect(() => plan.execute()).toThrow(/dispose/);
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
  const made = plan.run(x)[0]?.dataSync() as Float32Array;
  expectClose(made, model.forward(x, inference).view(), 2e-4);
  // As a file is read in Node: a Buffer, whose parts share its bytes.
  expect(
    loadPlan(Buffer.from(savePlan(plan)))
      .run(x)[0]
      ?.dataSync(),
  ).toEqual(made);
  const dense = compile((input) => model.forward(input, inference), [x], { sparse: false });
  expect(dense.data.program.steps.some(({ kernel }) => kernel.startsWith('sparseChannels'))).toBe(false);
});

describe('plans on bytes', () => {
  const relativeError = (got: Tensor, wanted: Tensor): number => {
    const difference = got.subtract(wanted).view();
    const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    return norm(difference) / norm(wanted.view());
  };

  test.each(models.slice(0, 5))('%s stays within a few per cent of the floats', (_, make, shape) => {
    const model = make();
    unsettle(model);
    const forward = (x: Tensor) => model.forward(x, inference);
    const calibration = [4, 5, 6].map((seed) => [uniformTensor(seed, shape)]);
    const x = uniformTensor(7, shape);
    for (const [bits, bound] of [
      [8, 0.06],
      [7, 0.12],
    ] as const) {
      const plan = compile(forward, [x], { int8: { calibration, bits } });
      expect(relativeError(plan.run(x)[0] as Tensor, forward(x))).toBeLessThan(bound);
      expect(loadPlan(savePlan(plan)).run(x)[0]?.dataSync()).toEqual(plan.run(x)[0]?.dataSync());
      plan.dispose();
    }
  });

  test('every layer of a MobileNetV2 runs on bytes, in a quarter of the memory', () => {
    const model = new MobileNetV2(random(), { classes: 10 });
    const x = uniformTensor(1, [1, 3, 96, 96]);
    const forward = (input: Tensor) => model.forward(input, inference);
    const [floats, bytes] = [compile(forward, [x]), compile(forward, [x], { int8: { calibration: [[x]] } })];
    const count = (kernel: string) => bytes.data.program.steps.filter((step) => step.kernel === kernel).length;
    expect([count('convolveInt8'), count('depthwiseInt8'), count('gemmInt8')]).toEqual([35, 17, 1]);
    expect([count('windowsInt8'), count('dequantizeInt8'), count('convolve')]).toEqual([1, 0, 0]);
    expect(bytes.constantBytes).toBeLessThan(0.3 * floats.constantBytes);
    expect(bytes.arenaBytes).toBeLessThan(0.3 * floats.arenaBytes);
  });

  test('nothing between convolutions goes back to floats but one number a channel', () => {
    const [stem, across, gate, split, apart, depthwise] = [
      [24, 3, 3, 3],
      [16, 24, 1, 1],
      [40, 40, 1, 1],
      [40, 10, 3, 3],
      [20, 40, 3, 3],
      [20, 1, 3, 3],
    ].map((shape, seed) => uniformTensor(20 + seed, shape, -0.3, 0.3)) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const [factor, shift, mean] = [uniformTensor(30, [40], 0.5, 1.5), uniformTensor(31, [40]), uniformTensor(32, [40])];
    const fn = (x: Tensor) => {
      const a = silu(conv2d(x, stem, undefined, { padding: 1, stride: 2 }));
      const pooled = averagePool2d(maxPool2d(a, 3, { stride: 1, padding: 1 }), 3, { stride: 1, padding: 1 });
      const b = batchNormInference(concatenate([a, conv2d(pooled, across)], 1), factor, shift, mean, ones([40]));
      const squeezed = sigmoid(conv2d(reshape(globalAveragePool(b), [-1, 40, 1, 1]), gate));
      const c = conv2d(multiply(b, squeezed), split, undefined, { groups: 4, padding: 1 });
      const d = relu(conv2d(tanh(c), apart, undefined, { dilation: 2, padding: 2 }));
      const e = conv2d(d, depthwise, undefined, { groups: 20, dilation: [2, 1], padding: [2, 1] });
      return globalAveragePool(affine(add(e, d), 0.5, 1));
    };
    const x = uniformTensor(4, [2, 3, 16, 20], -1, 1);
    for (const [bits, bound] of [
      [8, 0.02],
      [7, 0.04],
    ] as const) {
      const plan = compile(fn, [x], { int8: { calibration: [[x]], bits } });
      const kernels = plan.data.recorded.calls.map(({ kernel }) => kernel);
      expect(kernels.filter((kernel) => !/Int8|^quantizeRows$/.test(kernel))).toEqual([]);
      expect(kernels).not.toContain('dequantizeInt8');
      expect(kernels.filter((kernel) => kernel === 'convolveInt8')).toHaveLength(3 + 4);
      expect(relativeError(plan.run(x)[0] as Tensor, fn(x))).toBeLessThan(bound);
      expect(loadPlan(savePlan(plan)).run(x)[0]?.dataSync()).toEqual(plan.run(x)[0]?.dataSync());
    }
  });

  test('a percentile leaves out what stands far out, and the rest gets its steps', () => {
    const w = uniformTensor(1, [8, 8, 1, 1], -0.5, 0.5);
    const fn = (x: Tensor) => conv2d(relu(conv2d(x, w)), w);
    const x = uniformTensor(2, [1, 8, 40, 40]);
    const far = uniformTensor(2, [1, 8, 40, 40]);
    far.view()[5] = 500;
    const errorOf = (percentile: number) => {
      const plan = compile(fn, [x], { int8: { calibration: [[far]], percentile } });
      return relativeError(plan.run(x)[0] as Tensor, fn(x));
    };
    expect(errorOf(100)).toBeGreaterThan(0.3);
    expect(errorOf(99.9)).toBeLessThan(0.03);
    expect(() => errorOf(40)).toThrow('above 50 and at most at 100, got 40');
  });

  test('shortcuts, pools and outputs along the way find their floats', () => {
    const w = [1, 2, 3].map((seed) => uniformTensor(seed, [16, 16, 3, 3], -0.2, 0.2)) as [Tensor, Tensor, Tensor];
    const fn = (x: Tensor) => {
      const a = conv2d(x, w[0], undefined, { padding: 1 }).relu();
      const b = conv2d(a, w[1], undefined, { padding: 1 }).add(a).relu();
      return [conv2d(maxPool2d(b, 2), w[2], undefined, { padding: [1, 0], stride: 2 }), a];
    };
    const x = uniformTensor(4, [2, 16, 10, 12]);
    const plan = compile(fn, [x], { int8: { calibration: [[x]] } });
    const made = plan.run(x);
    fn(x).forEach((wanted, i) => {
      expect(made[i]?.shape).toEqual(wanted.shape);
      expect(relativeError(made[i] as Tensor, wanted)).toBeLessThan(0.03);
    });
  });

  test('calibration without examples or with other shapes is refused', () => {
    const model = new LeNet(random());
    const x = uniformTensor(2, [3, 1, 28, 28]);
    const forward = (input: Tensor) => model.forward(input, inference);
    expect(() => compile(forward, [x], { int8: { calibration: [] } })).toThrow('at least one example');
    expect(() => compile(forward, [x], { int8: { calibration: [[uniformTensor(1, [3, 1, 32, 32])]] } })).toThrow(
      'calibration input 0 is Tensor(f32[3, 1, 32, 32])',
    );
    expect(() => compile(forward, [x], { int8: { calibration: [[x.multiply(Number.NaN)]] } })).toThrow('not finite');
  });
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

describe('a function that reads values', () => {
  const x = uniformTensor(1, [3, 2]);

  test.each<[string, (x: Tensor) => unknown]>([
    ['item', (x) => x.multiply(x.sum().item())],
    ['dataSync', (x) => x.add(x.add(1).dataSync()[0] as number)],
    ['view', (x) => ((x.view()[0] as number) > 0 ? x : x.negate())],
    ['data', (x) => [x.add(1), x.data()][0]],
    ['view', (x) => x.add(oneHot(argmax(x, 1), 2))],
    ['dataSync', (x) => x.add(unique(x).values.sum())],
  ])('by %s() is refused where its inputs decide them', (name, fn) => {
    expect(() => compile(fn, [x])).toThrow(`compile: the function reads values that depend on its inputs (${name}()`);
    expect(() => exportOnnx(fn, [x])).toThrow(`exportOnnx: the function reads values that depend on its inputs`);
  });

  test('of constants is compiled, also through what follows from them', () => {
    const weight = tensor([2, 3]);
    const plan = compile((x) => x.multiply(weight.sum().item()).add(weight.view()[0] as number), [x]);
    expect(plan.run(x)[0]?.dataSync()).toEqual(x.multiply(5).add(2).dataSync());
  });

  test('gets tensors', () => {
    const plan = compile((x) => x.add(1), [x]);
    expect(() => plan.run([[1, 2]] as never)).toThrow('plan: expected a tensor, got 1,2');
  });

  test('may be traced for its cost', () => {
    expect(
      trace(
        (x) => x.multiply(x.sum().item()),
        [x],
        {},
        ({ reads }) => reads,
      ),
    ).toEqual(['item() of Tensor(f32[])']);
  });
});
