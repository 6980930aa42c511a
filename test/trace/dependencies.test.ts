import { expect, test } from 'vitest';
import { EfficientNet, MobileNetV2, SmallResNet, VisionTransformer } from '../../src/models/index.js';
import { BatchNorm2d, Conv2d, inference, Linear, parameters, stateOf } from '../../src/nn/index.js';
import { concatenate, globalAveragePool, Random, reshape, type Tensor } from '../../src/tensor/index.js';
import { dependencyGroups, type PruningGroup } from '../../src/trace/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const random = new Random(1);
const membersOf = (groups: readonly PruningGroup[]) =>
  groups.map(({ members, channels }) => [members.join(' '), channels.length]);

test('a chain: filters, norm and the next layer’s inputs go together; the last layer stays', () => {
  const model = {
    a: new Conv2d(3, 4, 3, random),
    norm: new BatchNorm2d(4),
    b: new Conv2d(4, 5, 1, random),
    head: new Linear(5, 2, random),
  };
  const forward = (x: Tensor) =>
    model.head.forward(globalAveragePool(model.b.forward(model.norm.forward(model.a.forward(x), inference).relu())));
  const groups = dependencyGroups(forward, [uniformTensor(1, [1, 3, 6, 6])], stateOf(model));
  expect(membersOf(groups)).toEqual([
    ['a.bias:0 a.weight:0 b.weight:1 norm.bias:0 norm.runningMean:0 norm.runningVariance:0 norm.weight:0', 4],
    ['b.bias:0 b.weight:0 head.weight:1', 5],
  ]);
});

test('flattening repeats a channel over its pixels', () => {
  const model = { a: new Conv2d(1, 2, 3, random, { bias: false }), head: new Linear(8, 3, random) };
  const groups = dependencyGroups(
    (x) => model.head.forward(reshape(model.a.forward(x), [1, 8])),
    [uniformTensor(1, [1, 1, 4, 4])],
    parameters(model),
  );
  expect(groups[0]?.channels[1]).toEqual([
    { weight: 'a.weight', axis: 0, index: 1 },
    ...[4, 5, 6, 7].map((index) => ({ weight: 'head.weight', axis: 1, index })),
  ]);
});

test('concatenation shifts indices, addition ties, depthwise carries', () => {
  const conv = (i: number, o: number, groups = 1) => new Conv2d(i, o, 1, random, { bias: false, groups });
  const model = { a: conv(1, 2), b: conv(1, 3), c: conv(5, 4), d: conv(4, 4, 4), e: conv(1, 4), f: conv(4, 1) };
  const forward = (x: Tensor) => {
    const joined = model.c.forward(concatenate([model.a.forward(x), model.b.forward(x)], 1));
    return model.f.forward(model.d.forward(joined).add(model.e.forward(x)));
  };
  const groups = dependencyGroups(forward, [uniformTensor(1, [1, 1, 2, 2])], parameters(model));
  expect(membersOf(groups)).toEqual([
    ['a.weight:0 c.weight:1', 2],
    ['b.weight:0 c.weight:1', 3],
    ['c.weight:0 d.weight:0 e.weight:0 f.weight:1', 4],
  ]);
  expect(groups[1]?.channels[0]).toEqual([
    { weight: 'b.weight', axis: 0, index: 0 },
    { weight: 'c.weight', axis: 1, index: 2 },
  ]);
});

test('attention heads go as a whole', () => {
  const model = new VisionTransformer(random, {
    imageSize: 8,
    patchSize: 4,
    features: 12,
    depth: 1,
    heads: 3,
    classes: 2,
  });
  const groups = dependencyGroups(
    (x) => model.forward(x, inference),
    [uniformTensor(1, [1, 3, 8, 8])],
    parameters(model),
  );
  const heads = groups.find(({ members }) => members.includes('blocks.0.attn.qkv.weight:0'));
  expect(heads?.members).toEqual([
    'blocks.0.attn.proj.weight:1',
    'blocks.0.attn.qkv.bias:0',
    'blocks.0.attn.qkv.weight:0',
  ]);
  expect(heads?.channels.length).toBe(3);
  const rows = heads?.channels[1]
    ?.filter(({ weight }) => weight === 'blocks.0.attn.qkv.weight')
    .map(({ index }) => index);
  expect(rows?.sort((a, b) => a - b)).toEqual([4, 5, 6, 7, 16, 17, 18, 19, 28, 29, 30, 31]);
  const residual = groups.find(({ members }) => members.includes('posEmbed:2'));
  expect(residual?.members).toEqual(
    expect.arrayContaining([
      'clsToken:2',
      'head.weight:1',
      'patchEmbed.proj.weight:0',
      'blocks.0.mlp.fc2.weight:0',
      'norm.weight:0',
    ]),
  );
});

const models = [
  ['ResNet-8', new SmallResNet(8, random, { widths: [4, 8, 8] }), 16],
  ['MobileNetV2', new MobileNetV2(random, { width: 0.35, classes: 3 }), 32],
  ['EfficientNet-B0', new EfficientNet('b0', random, { classes: 3 }), 32],
] as const;

test.each(models)('%s: silencing a whole channel equals zeroing all its slices', (_, model, size) => {
  const x = uniformTensor(2, [1, 3, size, size]);
  const weights = parameters(model);
  const groups = dependencyGroups((input) => model.forward(input, inference), [x], weights);
  expect(groups.length).toBeGreaterThan(2);
  for (const { channels } of groups.slice(0, 6)) {
    const slices = channels[0] ?? [];
    const saved = new Map(Object.entries(weights).map(([name, weight]) => [name, weight.dataSync()]));
    const zero = (wanted: (axis: number) => boolean) => {
      for (const { weight, axis, index } of slices) {
        if (!wanted(axis) || !weights[weight]) continue;
        const target = weights[weight] as Tensor;
        const inner = target.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
        const length = target.shape[axis] as number;
        const values = target.view();
        for (let i = 0; i < values.length; i++) if (Math.floor(i / inner) % length === index) values[i] = 0;
      }
    };
    // With its producers and norms at zero a channel is silent, so its readers may go as well.
    zero((axis) => axis === 0);
    const silent = model.forward(x, inference).dataSync();
    zero(() => true);
    expectClose(model.forward(x, inference).view(), silent, 1e-6);
    for (const [name, values] of saved) weights[name]?.assign(values);
  }
});
