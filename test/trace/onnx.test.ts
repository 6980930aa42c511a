import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import {
  Decoder,
  EfficientNet,
  LeNet,
  MobileNetV1,
  MobileNetV2,
  ResNet,
  SmallResNet,
  VisionTransformer,
} from '../../src/models/index.js';
import { buffers, inference, type Layer, MLP, parameters } from '../../src/nn/index.js';
import * as g from '../../src/tensor/index.js';
import { Random, type Tensor, tensor, valueAndGrad } from '../../src/tensor/index.js';
import { exportOnnx, importOnnx } from '../../src/trace/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

async function runtimeOutputs(file: Uint8Array, inputs: readonly Tensor[]): Promise<Float32Array[]> {
  const session = await InferenceSession.create(file, { logSeverityLevel: 3 });
  const feeds = Object.fromEntries(
    session.inputNames.map((name, i) => {
      const input = inputs[i] as Tensor;
      const type = input.dtype === 'f32' ? 'float32' : 'int32';
      return [name, new OrtTensor(type, input.dataSync<Float32Array>(), [...input.shape])];
    }),
  );
  const results = await session.run(feeds);
  return session.outputNames.map((name) => Float32Array.from(results[name]?.data as Float32Array));
}

/** Largest difference, relative to the largest expected magnitude. */
function largestError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const scale = Math.max(1, ...Array.from(expected, Math.abs));
  return Math.max(...Array.from(expected, (value, i) => Math.abs(value - (actual[i] as number)))) / scale;
}

/** Exported, run by ONNX Runtime and by our importer: all must agree. */
async function checkRoundTrip(
  fn: (...inputs: Tensor[]) => Tensor | Tensor[],
  inputs: readonly Tensor[],
  tolerance = 1e-4,
): Promise<void> {
  const file = exportOnnx(fn, inputs);
  const expected = [fn(...inputs)].flat();
  const outside = await runtimeOutputs(file, inputs);
  const back = importOnnx(file).forward(...inputs);
  expected.forEach((value, i) => {
    expect(largestError(outside[i] as Float32Array, value.view())).toBeLessThan(tolerance);
    expect(back[i]?.shape).toEqual(value.shape);
    expect(largestError(back[i]?.view() as Float32Array, value.view())).toBeLessThan(tolerance);
  });
}

const random = () => new Random(5);

describe('standard models run in ONNX Runtime and come back equal', () => {
  const image = (size: number, channels = 3) => uniformTensor(1, [1, channels, size, size]);
  const models: readonly [string, () => Layer, Tensor][] = [
    ['MLP', () => new MLP([20, 30, 5], random(), { norm: 'batch' }), uniformTensor(1, [4, 20])],
    ['LeNet', () => new LeNet(random()), image(28, 1)],
    ['ResNet-20', () => new SmallResNet(20, random()), image(32)],
    ['ResNet-56', () => new SmallResNet(56, random()), image(32)],
    ['ResNet-18', () => new ResNet(18, random()), image(96)],
    ['ResNet-50', () => new ResNet(50, random()), image(64)],
    ['MobileNetV1', () => new MobileNetV1(random()), image(96)],
    ['MobileNetV2', () => new MobileNetV2(random()), image(224)],
    ['EfficientNet-B0', () => new EfficientNet('b0', random()), image(64)],
    ['EfficientNet-B1', () => new EfficientNet('b1', random()), image(64)],
    ['ViT', () => new VisionTransformer(random(), { imageSize: 64, depth: 3 }), image(64)],
  ];
  test.each(models)('%s', async (_, make, x) => {
    const model = make();
    Object.entries(buffers(model)).forEach(([name, buffer], i) => {
      buffer.assign(
        uniformTensor(i, buffer.shape, name.endsWith('Variance') ? 0.5 : -0.2, name.endsWith('Variance') ? 1.5 : 0.2),
      );
    });
    await checkRoundTrip((input) => model.forward(input, inference), [x]);
  });

  test('decoder', async () => {
    const model = new Decoder({ vocabulary: 40, features: 32, layers: 2, heads: 4, keyHeads: 2, window: 6 }, random());
    await checkRoundTrip(
      (x) => model.forward(x),
      [
        tensor(
          Int32Array.from({ length: 20 }, (_, i) => (i * 7) % 40),
          [2, 10],
        ),
      ],
    );
  });
});

describe('single operations', () => {
  const x = uniformTensor(1, [2, 4, 6, 5], -2, 2);
  const [a, b] = [uniformTensor(2, [3, 4], 0.2, 2), uniformTensor(3, [3, 4], 0.2, 2)];
  const cases: readonly [string, (...inputs: Tensor[]) => Tensor | Tensor[], readonly Tensor[]][] = [
    [
      'elementwise',
      (p, q) =>
        [
          p.add(q),
          p.subtract(q),
          p.multiply(q),
          p.divide(q),
          p.power(q),
          p.maximum(q),
          p.minimum(q),
          p.less(q),
          p.lessEqual(q),
          p.equal(q),
          p.notEqual(q),
        ].map((y) => y.reshape([12])),
      [a as Tensor, b as Tensor],
    ],
    [
      'functions',
      (p) => [
        p.abs(),
        p.sqrt(),
        p.exp(),
        p.log(),
        p.tanh(),
        p.sigmoid(),
        p.erf(),
        p.gelu(),
        p.sin(),
        p.cos(),
        p.sign(),
        p.floor(),
        p.reciprocal(),
        p.rsqrt(),
        p.square(),
        p.leakyRelu(0.1),
        p.elu(0.5),
        p.softplus(),
        p.silu(),
        p.relu6(),
        g.hardSwish(p),
        p.clip(0.5, 1),
      ],
      [a as Tensor],
    ],
    [
      'reductions',
      (v) => [
        v.sum([1, 3]),
        v.mean([2, 3]),
        v.max(1),
        v.min([0, 2]),
        v.logSumExp(-1),
        v.softmax(1),
        v.logSoftmax(-1),
        v.argmax(2),
        v.variance(-1),
      ],
      [x],
    ],
    [
      'layout',
      (v) => [
        v.permute([2, 0, 3, 1]),
        v.transpose(),
        v.slice([0, 1], [3, 0, -1], null, [1, 5, 2]),
        v.flip(2),
        v.pad(
          [
            [0, 0],
            [1, 2],
            [0, 0],
            [3, 0],
          ],
          0.5,
        ),
        v.slice([1, 2]),
        g.concatenate([v, v], 2),
        g.broadcastTo(v.reshape([2, 4, 6, 1, 5]), [2, 4, 6, 3, 5]),
      ],
      [x],
    ],
    [
      'images',
      (v) => [
        g.maxPool2d(v, 3, { stride: 2, padding: 1 }),
        g.averagePool2d(v, [2, 3]),
        g.averagePool2d(v, 3, { padding: 1, countPadding: false }),
        g.adaptiveAveragePool2d(v, 1),
        g.resize(v, [9, 8]),
        g.resize(v, [9, 8], { alignCorners: true }),
        g.resize(v, 12, { mode: 'nearest' }),
        g.groupNorm(v, 2),
        g.conv2d(v, uniformTensor(4, [6, 2, 3, 2]), uniformTensor(5, [6]), {
          groups: 2,
          stride: 2,
          padding: [1, 0],
          dilation: [2, 1],
        }),
        g.convTranspose2d(v, uniformTensor(6, [4, 3, 3, 3]), undefined, { stride: 2, padding: 1, outputPadding: 1 }),
        g.conv2d(v, uniformTensor(7, [3, 4, 2, 2]), undefined, { stride: 2, padding: 'same' }),
      ],
      [x],
    ],
    [
      'products',
      (p, q) => [
        p.matmul(q, { transposeB: true }),
        p.matmul(q, { transposeA: true }),
        g.rmsNorm(p, uniformTensor(8, [4])),
        g.layerNorm(p, uniformTensor(8, [4])),
      ],
      [a as Tensor, b as Tensor],
    ],
    [
      'attention',
      (v) => [
        g.attention(v, v, v, { causal: true }),
        g.attention(v, v.slice(null, [0, 2]), v.slice(null, [2, 4]), { window: 3 }),
        g.rotary(v.slice(null, null, null, [0, 4]), g.rotaryTables(6, 4), true),
        g.rotary(v, g.rotaryTables(6, 4)),
      ],
      [x],
    ],
  ];
  test.each(cases)('%s', async (_, fn, inputs) => {
    await checkRoundTrip(fn, inputs, 1e-5);
  });
});

test('an imported model can be trained', () => {
  const mlp = new MLP([4, 8, 2], random());
  const model = importOnnx(exportOnnx((x) => mlp.forward(x, inference), [uniformTensor(1, [3, 4])]));
  const loss = () => (model.forward(uniformTensor(2, [3, 4]))[0] as Tensor).square().sum();
  const { gradient } = valueAndGrad(() => loss())(parameters(model));
  expect(Object.keys(gradient as object).length).toBe(4);
});

test('weights keep their names', () => {
  const model = new LeNet(random());
  const file = exportOnnx((x) => model.forward(x, inference), [uniformTensor(1, [1, 1, 28, 28])], {
    weights: parameters(model),
  });
  const names = Object.keys(importOnnx(file).weights);
  expect(names).toContain('conv1.weight');
  expectClose(importOnnx(file).weights['fc3.bias']?.view() as Float32Array, model.fc3.bias?.view() as Float32Array);
});

test('errors name what is wrong', () => {
  expect(() =>
    exportOnnx((x) => g.scatterAddRows(x, tensor([0, 1], [2], 'i32'), 3), [uniformTensor(1, [2, 2])]),
  ).toThrow('"scatterAddRows" has no ONNX form');
  expect(() => importOnnx(new Uint8Array([1, 2, 3]))).toThrow('no readable ONNX model');
});
