import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { removeChannels } from '../../src/compress/index.js';
import { fromTorchName, type ImageDataset } from '../../src/data/index.js';
import { distilledMethods } from '../../src/experiments/protocols/mobile-networks.js';
import { trainOnImages } from '../../src/models/index.js';
import { crossEntropy, inference, parameterCount, parameters, stateOf, training } from '../../src/nn/index.js';
import { Random, resize, scope, type Tensor, tensor, zeros } from '../../src/tensor/index.js';
import { compile, cost, exportOnnx } from '../../src/trace/index.js';
import {
  EMOv2,
  EMOv2Block,
  type EMOv2BlockOptions,
  type EMOv2Options,
  Enlarged,
  emov2Figures,
  emov2s,
  emov2Training,
  fromPublishedName,
  imageModel,
  imageModelNote,
  loadPublished,
  pictureFeatures,
  requireImageSize,
  softDistillation,
  windowFor,
} from '../../src/vision/index.js';
import { checkModelGradient, expectClose, uniformTensor } from '../oracle.js';

const preset = (name: string) => emov2s[name] as EMOv2Options;

/** A network whose weights and statistics are nothing special. */
function seasoned<Model extends object>(model: Model, seed = 4): Model {
  const random = new Random(seed);
  for (const [name, weight] of Object.entries(stateOf(model)))
    weight.assign(
      name.endsWith('runningVariance') ? random.uniform(weight.shape, 0.5, 2) : random.normal(weight.shape, 0.05, 0.2),
    );
  return model;
}

/** Parameters and multiply-adds by arithmetic on the options alone. */
function byHand(options: EMOv2Options, size: number, window = 7) {
  const { dims, depths, expansions, channels = 3, classes = 1000, stem = 2 } = options;
  const { kernels = dims.map(() => 5), strides = dims.map(() => 2), layerScale = 1e-6 } = options;
  const attention = options.attention ?? [[], [], ['remote', 'close'], ['remote', 'close']];
  const m = (dims[0] as number) / 2;
  let side = Math.ceil(size / stem);
  let parameterSum = 9 * channels * m + m + 2 * m + 9 * m + 2 * m + m * m;
  let products = side ** 2 * (9 * channels * m + 9 * m + m * m);
  let [attended, spared] = [0, 0];
  let before = m;
  dims.forEach((own, stage) => {
    for (let index = 0; index < (depths[stage] as number); index++) {
      const hidden = Math.floor(before * (expansions[stage] as number) * (index === 0 ? 2 : 1));
      const patterns = index === 0 ? [] : (attention[stage] ?? []);
      const taps = (kernels[stage] as number) ** 2;
      const from = side;
      if (index === 0) side = Math.ceil(side / (strides[stage] as number));
      const padded = patterns.length > 0 ? Math.ceil(from / window) * window : from;
      const queries = patterns.length > 0 ? 2 * before : 0;
      parameterSum += 2 * before + (before + 1) * hidden + (before + 1) * queries;
      parameterSum += taps * hidden + 2 * hidden + hidden * own + (layerScale > 0 ? own : 0);
      products += padded ** 2 * before * (hidden + queries) + side ** 2 * hidden * (taps + own);
      const branch = padded ** 2 * window ** 2 * (before + hidden);
      attended += patterns.length * branch;
      // In one window both patterns are the same, and computed once.
      if (padded === window && patterns.length > 1) spared += branch;
      before = own;
    }
  });
  return {
    parameters: parameterSum + 2 * before + (before + 1) * classes,
    products: products + before * classes,
    attended,
    spared,
  };
}

/** Those of the authors' code; multiply-adds count convolutions, the linear layer and attention. */
const published: readonly [string, number, number | undefined][] = [
  ['emov2-1m', 1_460_844, 279_936_484],
  ['emov2-2m', 2_384_312, 480_811_600],
  ['emov2-5m', 5_126_440, 1_025_113_984],
  ['emov2-20m', 20_195_208, 3_997_004_032],
  ['emov2-50m', 49_815_560, 8_767_262_720],
  ['emo-1m', 1_454_316, undefined],
  ['emo-2m', 2_374_840, undefined],
  ['emo-5m', 5_110_312, undefined],
];

describe('published counts', () => {
  test.each(published)(
    '%s',
    (name, count, multiplyAdds) => {
      const options = preset(name);
      const hand = byHand(options, 224);
      expect(hand.parameters).toBe(count);
      expect(emov2Figures[name]?.parameters).toBe(count);
      if (multiplyAdds !== undefined) expect(hand.products + hand.attended).toBe(multiplyAdds);
      // The largest are counted by arithmetic alone, which the others confirm.
      if (/[25]0m$/.test(name)) return;
      scope(() => {
        const model = new EMOv2(options, new Random(0));
        expect(parameterCount(model)).toBe(count);
        if (!/^(emov2-1m|emov2-5m|emo-1m)$/.test(name)) return;
        const counted = cost((x) => model.forward(x, inference), [zeros([1, 3, 224, 224])], parameters(model));
        expect(counted.multiplyAdds).toBe(hand.products + hand.attended - hand.spared);
        expect(counted.uncounted).toEqual([]);
      });
    },
    60_000,
  );

  test('attention matmuls, and 512² with windows of 8, by arithmetic', () => {
    expect(byHand(preset('emov2-1m'), 224).attended).toBe(50_805_160);
    expect(byHand(preset('emov2-2m'), 224).attended).toBe(82_402_320);
    expect(byHand(preset('emov2-5m'), 224).attended).toBe(136_760_960);
    const large = byHand(preset('emov2-5m'), 512, 8);
    expect(large.products + large.attended).toBe(5_573_207_296);
  });

  test('nano: hybrid, with γ, by convolution alone', () => {
    const nano = { ...preset('emov2-nano'), channels: 1, classes: 10 };
    const count = (changes: Partial<EMOv2Options>) => {
      const options = { ...nano, ...changes };
      const model = new EMOv2(options, new Random(0));
      const { multiplyAdds } = cost((x) => model.forward(x, inference), [zeros([1, 1, 28, 28])], parameters(model));
      return [parameterCount(model), multiplyAdds + byHand(options, 28, 4).spared];
    };
    expect(count({})).toEqual([98_594, 5_046_364]);
    expect(count({ layerScale: 1e-6 })).toEqual([98_866, 5_046_364]);
    expect(count({ attention: [[], [], [], []] })).toEqual([89_666, 3_983_452]);
  });
});

/** Two stages, the second with attention. */
const tiny: EMOv2Options = {
  ...{ dims: [8, 16], depths: [2, 2], expansions: [2, 2], headChannels: [8, 8], channels: 3, classes: 5 },
  ...{ attention: [[], ['remote', 'close']], norms: ['batch', 'layer'], window: 4, layerScale: 0.1, dropPath: 0.2 },
};

const relative = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) => {
  const largest = Math.max(...Array.from(expected, Math.abs));
  const scaled = (values: ArrayLike<number>) => Array.from(values, (value) => value / largest);
  expectClose(scaled(actual), scaled(expected), tolerance);
};

test('the merged network equals the trained one, as a plan too, and has no norms of batches', () => {
  for (const norms of [
    ['batch', 'layer'],
    ['batch', 'batch'],
  ] as const) {
    const model = seasoned(new EMOv2({ ...tiny, norms }, new Random(1)));
    const x = uniformTensor(1, [2, 3, 40, 40]);
    const expected = model.forward(x, inference).dataSync();
    const merged = model.merged();
    relative(merged.forward(x, inference).dataSync(), expected, 1e-5);
    const [planned] = compile((y) => merged.forward(y, inference), [x]).run(x);
    relative((planned as Tensor).dataSync(), expected, 1e-5);
    expect(merged.merged()).toBe(merged);
    const names = Object.keys(stateOf(merged));
    expect(names.filter((name) => name.endsWith('gamma'))).toEqual([]);
    expect(names.filter((name) => name.endsWith('runningMean'))).toHaveLength(norms[1] === 'batch' ? 1 : 0);
  }
});

test('ONNX Runtime runs the exported network to the same logits', async () => {
  const model = seasoned(new EMOv2(tiny, new Random(1))).merged();
  const x = uniformTensor(1, [1, 3, 40, 40]);
  const session = await InferenceSession.create(
    exportOnnx((y) => model.forward(y, inference), [x]),
    { logSeverityLevel: 3 },
  );
  const results = await session.run({
    [session.inputNames[0] as string]: new OrtTensor('float32', x.dataSync<Float32Array>(), [1, 3, 40, 40]),
  });
  const actual = results[session.outputNames[0] as string]?.data as Float32Array;
  relative(actual, model.forward(x, inference).dataSync(), 1e-4);
});

test('a network without some of its channels still runs, and merges', () => {
  const model = seasoned(new EMOv2(tiny, new Random(1)));
  const before = parameterCount(model);
  const x = uniformTensor(1, [2, 3, 40, 40]);
  removeChannels(model, x, { ratio: 0.4, roundTo: 4 });
  expect(parameterCount(model)).toBeLessThan(0.85 * before);
  // Also those that attention reads from a padded map.
  expect(model.stages[1]?.[1]?.project.conv.weight.shape[0]).toBeLessThan(16);
  const expected = model.forward(x, inference).dataSync();
  expect(expected.every(Number.isFinite)).toBe(true);
  relative(model.merged().forward(x, inference).dataSync(), expected, 1e-5);
});

describe('blocks', () => {
  const kinds = {
    convolution: { expansion: 2 },
    'first of a stage': { expansion: 4, outChannels: 6, stride: 2, norm: 'layer' },
    hybrid: {
      expansion: 2,
      norm: 'layer',
      activation: 'gelu',
      attention: { patterns: ['remote', 'close'], headChannels: 2, window: 2 },
    },
  } as const satisfies Record<string, EMOv2BlockOptions>;

  test.each(Object.entries(kinds))('gradients of a block: %s', (_, options) => {
    const block = seasoned(new EMOv2Block(4, options, new Random(1)));
    const x = uniformTensor(2, [2, 4, 3, 4]);
    checkModelGradient(
      block,
      (live) =>
        live
          .forward(x, training(new Random(3)))
          .multiply(uniformTensor(5, [1]))
          .sum(),
      {
        step: 3e-3,
        absolute: 0.02,
      },
    );
  });

  test('there is one addition of the input, and none in the first block of a stage', () => {
    for (const [options, joined] of [
      [{ ...kinds.hybrid }, 1],
      [{ ...kinds.convolution }, 1],
      [{ ...kinds['first of a stage'] }, 0],
    ] as const) {
      const block = seasoned(new EMOv2Block(4, options, new Random(1)));
      // Without its projection a block gives its input back, where it adds it.
      block.project.conv.weight.assign(zeros(block.project.conv.weight.shape));
      const x = uniformTensor(2, [1, 4, 4, 4]);
      const y = block.forward(x, inference);
      if (joined) expect(y.dataSync()).toEqual(x.dataSync());
      else expect(y.abs().max().item()).toBe(0);
    }
  });

  test('γ has one axis, so that it is not decayed; it starts small, and so do outputs', () => {
    const model = new EMOv2({ ...tiny, layerScale: 1e-6 }, new Random(1));
    const block = model.stages[0]?.[1] as EMOv2Block;
    expect(Array.from(block.project.gamma?.dataSync() ?? [])).toEqual(new Array(8).fill(Math.fround(1e-6)));
    expect(block.project.gamma?.rank).toBe(1);
    expect((model.maps(uniformTensor(1, [1, 3, 32, 32]), inference)[0] as Tensor).abs().max().item()).toBeLessThan(
      1e-4,
    );
  });

  test('stochastic depth rises linearly over all blocks, those of later stages too', () => {
    // Rates 0, 0.3, 0.6 and 0.9; only branches with a shortcut are dropped.
    const two = { dims: [8, 8], depths: [2, 2], expansions: [2, 2], attention: [[], []], dropPath: 0.9 };
    const model = seasoned(new EMOv2({ ...tiny, ...two }, new Random(1)));
    const x = uniformTensor(1, [60, 8, 2, 2]);
    const share = (stage: number) => {
      const block = model.stages[stage]?.[1] as EMOv2Block;
      const moved = block
        .forward(x, training(new Random(5)))
        .subtract(x)
        .abs()
        .sum([1, 2, 3])
        .dataSync();
      return moved.filter((value) => value === 0).length / 60;
    };
    expect(share(0)).toBeGreaterThan(0.12);
    expect(share(0)).toBeLessThan(0.48);
    expect(share(1)).toBeGreaterThan(0.75);
  });
});

describe('maps', () => {
  test.each([224, 256, 300, 97])('of %i pixels are at strides 4, 8, 16 and 32', (size) => {
    scope(() => {
      const model = new EMOv2({ ...preset('emov2-1m'), dims: [16, 16, 20, 20], depths: [1, 1, 2, 2] }, new Random(1));
      const maps = model.maps(zeros([1, 3, size, size]), inference);
      expect(maps.map(({ shape }) => shape.slice(2))).toEqual(
        [4, 8, 16, 32].map((stride) => [Math.ceil(size / stride), Math.ceil(size / stride)]),
      );
    });
  });

  test('images smaller than the stride are refused; the classifier reads the mean of the normed last map', () => {
    const model = seasoned(new EMOv2(tiny, new Random(1)));
    expect(() => model.forward(zeros([1, 3, 7, 20]), inference)).toThrow(
      "images of 7×20 are smaller than the network's stride of 8",
    );
    expect(() => requireImageSize('emov2-5m', 31, 64)).toThrow(
      'model "emov2-5m" takes images that are at least 32 pixels a side; these are 31×64',
    );
    const x = uniformTensor(2, [2, 3, 16, 16]);
    const vectors = pictureFeatures(model, x);
    expect(vectors.shape).toEqual([2, 16]);
    expectClose(model.head.forward(vectors).dataSync(), model.forward(x, inference).dataSync());
    const other = imageModel('mobilenet-v2-nano', { channels: 3, classes: 2, size: 16 }, new Random(1));
    expect(pictureFeatures(other, x).shape).toEqual([2, 64]);
    const none = imageModel('lenet', { channels: 3, classes: 2, size: 16 }, new Random(1));
    expect(() => pictureFeatures(none, x, 'lenet')).toThrow('lenet tells no maps');
  });
});

describe('windows follow the size of images', () => {
  test.each([
    ['emov2-5m', 224, 7],
    ['emov2-5m', 256, 8],
    ['emov2-5m', 512, 8],
    ['emov2-5m', 448, 7],
    ['emov2-5m', 128, 4],
    ['emov2-nano', 28, 4],
    ['emov2-nano', 32, 4],
    ['emov2-nano', 56, 7],
    ['emov2-5m', 225, 7],
  ] as const)('%s at %i: %i', (name, size, side) => {
    expect(windowFor(preset(name), [size, size])).toBe(side);
  });

  test('a window that does not divide the maps is noted', () => {
    expect(imageModelNote('emov2-5m', 224, 224)).toBeUndefined();
    expect(imageModelNote('emov2-5m', 225, 225)).toContain(
      'windows of 7×7 do not divide the maps of images of 225×225: padded pixels take part in attention',
    );
    expect(imageModelNote('lenet', 28, 28)).toBeUndefined();
  });

  test('networks of the table have the window of their images, and whole heads at any width', () => {
    const model = imageModel('emov2-nano', { channels: 1, classes: 2, size: 56, width: 0.4 }, new Random(1)) as EMOv2;
    expect(model.options.window).toBe(7);
    expect(model.options.dims).toEqual([16, 16, 16, 16]);
  });
});

test('numbers that do not fit are refused with both of them; names that are not known with the closest', () => {
  const make = (changes: Partial<EMOv2Options>) => () => new EMOv2({ ...tiny, ...changes }, new Random(1));
  expect(make({ headChannels: [8, 7] })).toThrow('heads of 7 channels do not divide the 16 channels of a stage');
  expect(make({ expansions: [2, 2.2] })).toThrow('2 heads do not divide 35 channels of the values');
  expect(make({ depths: [2] })).toThrow('2 dims need as many depths, got 1');
  const shape = { channels: 3, classes: 2, size: 64 };
  expect(() => imageModel('emov2-5', shape, new Random(1))).toThrow(/; closest: emov2-5m, emov2-1m, emov2-2m$/);
  expect(() => imageModel('something else', shape, new Random(1))).toThrow(/there are lenet, .*emo-20m/);
});

test('soft distillation: cross-entropy, and five times the divergence from the teacher', () => {
  const student = tensor([1, 2, 0.5, -1, 0, 1], [2, 3]);
  const teacher = tensor([0, 3, 1, 1, -2, 0], [2, 3]);
  const soft = (values: ArrayLike<number>, row: number) => {
    const own = Array.from({ length: 3 }, (_, c) => Math.exp(values[3 * row + c] as number));
    const total = own.reduce((a, b) => a + b, 0);
    return own.map((value) => value / total);
  };
  let expected = 0;
  [2, 0].forEach((label, row) => {
    const [s, t] = [soft(student.dataSync(), row), soft(teacher.dataSync(), row)];
    const smoothed = s.reduce((sum, p, c) => sum - (0.1 / 3 + (c === label ? 0.9 : 0)) * Math.log(p), 0);
    const divergence = t.reduce((sum, p, c) => sum + p * Math.log(p / (s[c] as number)), 0);
    expected += (smoothed + 5 * divergence) / 2;
  });
  const loss = softDistillation(() => teacher, { labelSmoothing: 0.1 });
  const batch = { images: zeros([2, 1, 2, 2]), labels: tensor([2, 0], [2], 'i32') };
  expectClose([loss({ forward: () => student }, batch, inference).item()], [expected], 1e-5);
});

test('the distilled networks of the experiment learn from the teacher of their own data', () => {
  const asked: unknown[] = [];
  const methods = distilledMethods((_model, _setting, data) => {
    asked.push(data);
    return (images) => zeros([images.shape[0] as number, 10]);
  });
  const data = { name: 'images' } as unknown as ImageDataset;
  const shape = { channels: 1, classes: 10, size: 28 };
  const batch = { images: uniformTensor(1, [2, 1, 28, 28]), labels: tensor([1, 4], [2], 'i32') };
  const losses = methods.map(({ network, training: differences }) => {
    const model =
      typeof network === 'string' ? imageModel(network, shape, new Random(1)) : network(shape, new Random(1));
    const { loss } = differences?.(model, { learningRate: 1, weightDecay: 0 }, data) ?? {};
    return loss?.(model, batch, inference).item() ?? Number.NaN;
  });
  expect(asked).toEqual([data, data]);
  // ln 10 of near-uniform logits; those of a uniform teacher hardly differ.
  for (const loss of losses) expect(Math.abs(loss - Math.log(10))).toBeLessThan(0.3);
  expect(losses[0]).not.toBe(losses[1]);
});

test('an enlarged network reads images of twice the size', () => {
  const model = seasoned(new EMOv2(tiny, new Random(1)));
  const x = uniformTensor(1, [1, 3, 16, 16]);
  const enlarged = new Enlarged(model, 2);
  const expected = model.forward(resize(x, [32, 32]), inference).dataSync();
  relative(enlarged.forward(x, inference).dataSync(), expected, 1e-6);
  relative(enlarged.merged().forward(x, inference).dataSync(), expected, 1e-5);
});

test('the authors’ recipe runs: warm-up, clipped gradients, an average of the weights', async () => {
  const random = new Random(1);
  const pixels = Uint8Array.from({ length: 24 * 64 }, (_, at) => (Math.floor(at / 64) % 2) * 120 + random.integer(60));
  const labels = Int32Array.from({ length: 24 }, (_, at) => at % 2);
  const train = { count: 24, channels: 1, height: 8, width: 8, pixels, labels };
  const data = { name: 'two', classes: ['dark', 'light'], train, test: train, mean: [0.3], deviation: [0.3] };
  const model = new EMOv2({ ...tiny, channels: 1, classes: 2, layerScale: 1, stem: 1, strides: [1, 1] }, new Random(1));
  const loss = () =>
    crossEntropy(
      model.forward(
        tensor(
          Float32Array.from(pixels, (p) => (p / 255 - 0.3) / 0.3),
          [24, 1, 8, 8],
        ),
        inference,
      ),
      tensor(labels, [24], 'i32'),
    ).item();
  const before = loss();
  await trainOnImages(model, data, new Random(2), { ...emov2Training, epochs: 8, batchSize: 8, average: 0.5 });
  expect(loss()).toBeLessThan(0.75 * before);
});

describe('the authors’ weights', () => {
  const affine = (name: string) => [`${name}.weight`, `${name}.bias`];
  const norm = (name: string) => [
    ...affine(name),
    ...['running_mean', 'running_var', 'num_batches_tracked'].map((own) => `${name}.${own}`),
  ];
  const block = (name: string, kind: 'batch' | 'layer', attention: boolean) => [
    ...(kind === 'batch' ? norm(`${name}.norm`) : affine(`${name}.norm.norm`)),
    ...(attention
      ? [...affine(`${name}.eops.0.qk.conv`), ...affine(`${name}.eops.0.v.conv`)]
      : affine(`${name}.eops.0.net.conv`)),
    `${name}.conv_local.conv.weight`,
    ...norm(`${name}.conv_local.norm`),
    `${name}.proj.conv.weight`,
    `${name}.ls.gamma`,
  ];
  const names = [
    ...affine('stage0.0.conv'),
    ...norm('stage0.0.norm'),
    'stage0.1.conv.weight',
    ...norm('stage0.1.norm'),
    'stage0.2.conv.weight',
    ...block('stage1.0', 'batch', false),
    ...block('stage1.1', 'batch', false),
    ...block('stage2.0', 'layer', false),
    ...block('stage2.1', 'layer', true),
    ...affine('norm.norm'),
    ...affine('head'),
  ];

  test('find their places under the names of the authors, γ as [1, channels, 1, 1]', () => {
    const model = new EMOv2(tiny, new Random(1));
    const state = stateOf(model);
    const ours = (name: string) => fromTorchName(fromPublishedName(model, name) ?? '');
    const needed = names.filter((name) => !name.endsWith('num_batches_tracked'));
    expect(needed.map(ours).sort()).toEqual(Object.keys(state).sort());
    const checkpoint = Object.fromEntries(
      names.map((name, i) => {
        const shape = state[ours(name)]?.shape ?? [1];
        return [name, new Random(i).normal(name.endsWith('gamma') ? [1, ...shape, 1, 1] : shape)];
      }),
    );
    loadPublished(model, checkpoint);
    expect(model.stages[1]?.[1]?.project.gamma?.dataSync()).toEqual(checkpoint['stage2.1.ls.gamma']?.dataSync());
    expect(model.stages[1]?.[1]?.expand.attention?.qk.bias?.dataSync()).toEqual(
      checkpoint['stage2.1.eops.0.qk.conv.bias']?.dataSync(),
    );
    expect(() => loadPublished(model, { ...checkpoint, 'stage9.0.norm.weight': zeros([1]) })).toThrow(
      'no place for stage9.0.norm.weight',
    );
  });
});
