import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { MIXED_CHANNELS, movedContentScore } from '../../src/experiments/protocols/moved-content.js';
import { inference, parameterCount, parameters, stateOf } from '../../src/nn/index.js';
import { Random, type Tensor, tensor, zeros } from '../../src/tensor/index.js';
import { compile, cost, exportOnnx } from '../../src/trace/index.js';
import { LSConv, LSNet, type LSNetOptions, lsNets, StaticMixer } from '../../src/vision/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

/** A network whose statistics, and branches that start at zero, are nothing special. */
function seasoned<Model extends object>(model: Model, seed = 4): Model {
  const random = new Random(seed);
  for (const [name, weight] of Object.entries(stateOf(model)))
    weight.assign(
      name.endsWith('runningVariance') ? random.uniform(weight.shape, 0.5, 2) : random.normal(weight.shape, 0.05, 0.2),
    );
  return model;
}

describe('published counts', () => {
  const published: readonly [keyof typeof lsNets, number, number, number, number][] = [
    ['lsnet-t', 11_409_832, 11_795_600, 11_370_488, 315_147_392],
    ['lsnet-s', 16_146_304, 16_596_200, 16_098_232, 537_069_632],
    ['lsnet-b', 23_313_608, 23_827_632, 23_249_320, 1_240_906_752],
  ];
  test.each(published)('%s', (name, plain, distilled, merged, multiplyAdds) => {
    const preset: LSNetOptions = lsNets[name];
    const model = new LSNet(preset, new Random(0));
    expect(parameterCount(model)).toBe(plain);
    expect(parameterCount(new LSNet({ ...preset, distilled: true }, new Random(0)))).toBe(distilled);
    expect(parameterCount(new LSNet({ ...preset, form: 'merged' }, new Random(0)))).toBe(merged);
    const counted = cost((x) => model.forward(x, inference), [zeros([1, 3, 224, 224])], parameters(model));
    const aggregation = counted.nodes.reduce(
      (sum, node) => sum + (node.operation === 'aggregation' ? node.multiplyAdds : 0),
      0,
    );
    expect(counted.multiplyAdds - aggregation).toBe(multiplyAdds);
    if (name === 'lsnet-t') expect(aggregation).toBe(677_376);
  });

  test('nano at 28²', () => {
    const model = new LSNet({ ...lsNets['lsnet-nano'], channels: 1, classes: 10 }, new Random(0));
    expect(parameterCount(model)).toBe(179_032);
    expect(cost((x) => model.forward(x, inference), [zeros([1, 1, 28, 28])], parameters(model)).multiplyAdds).toBe(
      2_536_784 + 51_552,
    );
  });
});

test('options of mixers: kernels and feed-forward layers show in the counts of parameters', () => {
  const count = (mixer: LSNetOptions['mixer']) =>
    parameterCount(new LSNet({ ...lsNets['lsnet-nano'], channels: 1, classes: 10, mixer }, new Random(0)));
  // Three mixers, of 16, 32 and 64 channels.
  const channels = 16 + 32 + 64;
  expect(count({ kernel: 7 }) - count({ kernel: 3 })).toBe((49 - 9) * channels);
  const layer = [16, 32, 64].reduce((sum, c) => sum + 4 * c ** 2 + 2 * 2 * c + 2 * c, 0);
  expect(count({ kernel: 7, feedForward: 2 }) - count({ kernel: 7 })).toBe(layer);
  const ofPerception = (kernel: number) => parameterCount(new LSConv(32, new Random(0), { kernel }));
  expect(ofPerception(7) - ofPerception(3)).toBe((49 - 9) * 16);
});

const tiny: LSNetOptions = {
  dims: [8, 16, 16, 24],
  depths: [2, 2, 1, 2],
  channels: 3,
  classes: 5,
  heads: 2,
  attentionSize: 2,
  distilled: true,
};

test('the merged network equals the trained one, as a plan too', () => {
  const model = seasoned(new LSNet(tiny, new Random(1)));
  const x = uniformTensor(1, [2, 3, 128, 128]);
  const expected = model.forward(x, inference).dataSync();
  const largest = Math.max(...expected.map(Math.abs));
  const merged = model.merged();
  expectClose(
    merged
      .forward(x, inference)
      .dataSync()
      .map((v) => v / largest),
    expected.map((v) => v / largest),
    1e-5,
  );
  const [planned] = compile((y) => merged.forward(y, inference), [x]).run(x);
  expectClose(
    planned?.dataSync().map((v) => v / largest) as Float32Array,
    expected.map((v) => v / largest),
    1e-5,
  );
});

test('ONNX Runtime, which knows no such convolution, runs the exported network to the same logits', async () => {
  const model = seasoned(new LSNet({ ...tiny, distilled: false }, new Random(1))).merged();
  const x = uniformTensor(1, [1, 3, 128, 128]);
  const session = await InferenceSession.create(
    exportOnnx((y) => model.forward(y, inference), [x]),
    { logSeverityLevel: 3 },
  );
  const results = await session.run({
    [session.inputNames[0] as string]: new OrtTensor('float32', x.dataSync<Float32Array>(), [1, 3, 128, 128]),
  });
  const expected = model.forward(x, inference).dataSync();
  const largest = Math.max(...expected.map(Math.abs));
  const actual = results[session.outputNames[0] as string]?.data as Float32Array;
  expectClose(
    actual.map((v) => v / largest),
    expected.map((v) => v / largest),
    1e-4,
  );
});

test('channels share weights in turns: channels moved by C/8 move the output alike', () => {
  const layer = seasoned(new LSConv(16, new Random(1)));
  const weights = uniformTensor(2, [1, 2, 9, 6, 6]);
  layer.weightsOf = () => weights;
  layer.norm.runningMean.assign(zeros([16]));
  for (const part of [layer.norm.weight, layer.norm.runningVariance]) part.assign(new Float32Array(16).fill(1));
  layer.norm.bias.assign(zeros([16]));
  const x = uniformTensor(3, [1, 16, 6, 6]).dataSync();
  const moved = (from: Float32Array) => Float32Array.from(from, (_, i) => from[(i + 2 * 36) % from.length] as number);
  const run = (values: Float32Array) => layer.forward(tensor(values, [1, 16, 6, 6]), inference).dataSync();
  expectClose(run(moved(x)), moved(run(x)));
});

test('gradients of an LS convolution, in its input and all its weights', () => {
  const layer = seasoned(new LSConv(8, new Random(1)));
  checkGradient((x: Tensor) => layer.forward(x, inference), [uniformTensor(2, [1, 8, 4, 5])], {
    second: false,
    step: 3e-3,
  });
});

test('an image of another size, or widths that do not fit, are errors', () => {
  const model = new LSNet(tiny, new Random(1));
  expect(() => model.forward(zeros([1, 3, 64, 64]), inference)).toThrow(
    'a last map of 2×2, got 1×1; make the network with attentionSize',
  );
  expect(() => new LSConv(12, new Random(1))).toThrow('multiple of 8, got 12');
});

test('only a large kernel that steers a small one moves content by marks at a distance', async () => {
  const dynamic = await movedContentScore(new LSConv(MIXED_CHANNELS, new Random(6)), 400, new Random(5));
  expect(dynamic.parameters).toBe(3204);
  expect(dynamic.error).toBeLessThan(0.08);
  const mixer = new StaticMixer(MIXED_CHANNELS, new Random(6), { kernel: 7, feedForward: 3 });
  const fixed = await movedContentScore(mixer, 200, new Random(5));
  expect(fixed.parameters).toBe(8840);
  expect(fixed.error).toBeGreaterThan(0.6);
}, 300_000);
