// Built-in operators in the place of trainable ones, in networks with weights.

import { describe, expect, test } from 'vitest';
import { compress, parseRecipe, spatialRules } from '../../src/compress/index.js';
import { glyphImages } from '../../src/data/index.js';
import {
  Bottleneck,
  EffLayer,
  MobileNetV1,
  MobileNetV2,
  projection,
  replaceSpatial,
  replaceSpatialOps,
  SmallResNet,
  type SpatialRule,
  VisionTransformer,
  visionTransformers,
} from '../../src/models/index.js';
import {
  type BatchNorm2d,
  type Conv2d,
  inference,
  type Layer,
  parameterCount,
  runSequence,
  stateOf,
} from '../../src/nn/index.js';
import { averagePool2d, maxPool2d, Random, type Tensor, zeros } from '../../src/tensor/index.js';
import { trace } from '../../src/trace/index.js';
import { ImageClassifier } from '../../src/vision/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

/** A network whose weights and statistics are nothing special. */
function seasoned<Model extends object>(model: Model): Model {
  const random = new Random(4);
  for (const [name, weight] of Object.entries(stateOf(model)))
    weight.assign(
      name.endsWith('runningVariance') ? random.uniform(weight.shape, 0.5, 2) : random.normal(weight.shape, 0.05, 0.3),
    );
  return model;
}

const operations = (model: Layer, x: Tensor) =>
  trace(
    (y) => model.forward(y, inference),
    [x],
    stateOf(model),
    ({ nodes }) => nodes.map(({ op }) => op.name),
  );

describe('a bottleneck', () => {
  const make = (stride: number) => seasoned(new Bottleneck(8, 4, stride, projection, new Random(1)));
  const x = uniformTensor(1, [2, 8, 6, 6]);
  /** The block with something else between its 1×1 convolutions. */
  const by = ({ conv1, bn1, conv3, bn3, downsample }: Bottleneck, mix: (narrow: Tensor) => Tensor) => {
    const residual = bn3.forward(conv3.forward(mix(bn1.forward(conv1.forward(x), inference).relu())), inference);
    return residual
      .add(downsample ? runSequence(downsample, x, inference) : x)
      .relu()
      .dataSync();
  };

  test.each([1, 2])('with stride %i: 1×1 convolutions stay, the pool has neither norm nor ReLU', (stride) => {
    for (const [rule, mix] of [
      ['max', (y: Tensor) => maxPool2d(y, 3, { stride, padding: 1 })],
      ['average', (y: Tensor) => averagePool2d(y, 3, { stride, padding: 1 })],
      ['none', (y: Tensor) => y.slice(null, null, [0, 6, stride], [0, 6, stride])],
    ] as const) {
      const block = make(stride);
      const expected = by(block, mix);
      const { replaced, kept } = replaceSpatial(block, { with: rule });
      expect(replaced.map(({ layer, was }) => [layer, was])).toEqual([['conv2', '3×3 convolution']]);
      expect(kept).toEqual([]);
      expectClose(block.forward(x, inference).dataSync(), expected, 1e-6);
      expect(Object.keys(stateOf(block)).filter((name) => /conv2|bn2/.test(name))).toEqual([]);
    }
  });

  test('hybrid keeps a convolution that halves the map, with its weights, on means of 2×2 pixels', () => {
    const block = make(2);
    const { conv2, bn2 } = block as { conv2: Conv2d; bn2: BatchNorm2d };
    const weight = conv2.weight.dataSync();
    const expected = by(block, (y) => {
      const plain = { weight: conv2.weight, stride: conv2.options.stride };
      expect(plain.stride).toBe(2);
      const dense = conv2.forward.call(
        { ...conv2, weight: conv2.weight, options: { padding: 1 } } as Conv2d,
        averagePool2d(y, 2),
      );
      return bn2.forward(dense, inference).relu();
    });
    expect(replaceSpatial(block, { with: 'hybrid' }).replaced[0]?.now).toBe('mean of 2×2 pixels, then the convolution');
    expectClose(block.forward(x, inference).dataSync(), expected, 1e-6);
    expect(stateOf(block)['spatial.1.weight']?.dataSync()).toEqual(weight);
    expect(operations(block, x)).not.toContain('maxPool');
    const other = make(1);
    replaceSpatial(other, { with: 'hybrid' });
    expect(operations(other, x)).toContain('maxPool');
  });

  test('a rule of another name, or an even kernel, is refused', () => {
    expect(() => replaceSpatial(make(1), { with: 'median' } as unknown as SpatialRule)).toThrow(
      '"median" is none of max',
    );
    expect(() => replaceSpatial(make(1), { with: 'max', kernel: 4 })).toThrow('the kernel must be odd, got 4');
  });
});

describe('whole networks', () => {
  const x = uniformTensor(2, [1, 3, 32, 32]);
  const shape = { channels: 3, classes: 4, width: 0.25 };

  test.each([
    ['MobileNetV1', () => new MobileNetV1(new Random(1), shape), 13],
    ['MobileNetV2', () => new MobileNetV2(new Random(1), shape), 17],
  ] as const)('%s: every depthwise convolution, and its norm and activation', (_, make, count) => {
    const model = seasoned(make());
    const names = Object.keys(stateOf(model));
    const report = replaceSpatialOps(model, { with: 'max' }, x);
    expect(report.replaced).toHaveLength(count);
    expect(new Set(report.replaced.map(({ was }) => was))).toEqual(new Set(['3×3 depthwise convolution']));
    expect(report.kept).toEqual([
      {
        layer: expect.stringContaining('features.0.0'),
        was: '3×3 convolution',
        now: 'it changes the number of channels',
      },
    ]);
    // Weights that stay keep their names.
    expect(names).toEqual(expect.arrayContaining(Object.keys(stateOf(model))));
    expect(report.after.parameters).toBe(parameterCount(model));
    expect(report.before.parameters).toBeGreaterThan(report.after.parameters);
    expect(report.before.multiplyAdds).toBeGreaterThan(report.after.multiplyAdds);
    expect(report.after.milliseconds).toBeGreaterThan(0);
    const ops = operations(model, x);
    expect(ops.filter((op) => op === 'maxPool')).toHaveLength(count);
    expect(model.forward(x, inference).dataSync().every(Number.isFinite)).toBe(true);
  });

  test('a vision transformer: attention of odd blocks, whose projections stay', () => {
    const make = (pooling: 'mean' | 'class') =>
      new VisionTransformer(new Random(1), { ...visionTransformers['vit-nano'], imageSize: 32, classes: 4, pooling });
    const model = make('mean');
    const before = stateOf(model);
    const [queries, output] = ['qkv', 'proj'].map((name) => before[`blocks.1.attn.${name}.weight`]?.dataSync());
    const report = replaceSpatialOps(model, { with: 'max' }, x);
    expect(report.replaced.map(({ layer }) => layer)).toEqual(['blocks.1.attn', 'blocks.3.attn']);
    expect(report.kept.filter(({ was }) => was === 'attention').map(({ layer, now }) => [layer, now])).toEqual([
      ['blocks.0.attn', 'every other block keeps its attention'],
      ['blocks.2.attn', 'every other block keeps its attention'],
    ]);
    const layer = model.blocks[1]?.attn as EffLayer;
    expect(layer).toBeInstanceOf(EffLayer);
    expect(layer.fc1.weight.dataSync()).toEqual(queries);
    const [width, kept] = [48, layer.fc2.weight.dataSync()];
    for (let o = 0; o < width; o++) {
      expect(kept.subarray(o * 3 * width, o * 3 * width + 2 * width).every((value) => value === 0)).toBe(true);
      expect(kept.subarray(o * 3 * width + 2 * width, (o + 1) * 3 * width)).toEqual(
        output?.subarray(o * width, (o + 1) * width),
      );
    }
    expect(() => replaceSpatialOps(make('class'), { with: 'max' }, x)).toThrow('a class token has no place on a map');
  });

  test('where nothing can be replaced the reasons are told', () => {
    const model = new SmallResNet(8, new Random(1), { channels: 3 });
    expect(() => replaceSpatialOps(model, { with: 'max' }, zeros([1, 3, 16, 16]))).toThrow(
      'layer1.0.conv1 (3×3 convolution: it mixes channels too, and its block has no 1×1 convolution that would)',
    );
  });
});

describe('the step of a recipe', () => {
  const data = glyphImages(60, 20, new Random(0));
  const steps = (...own: object[]) => parseRecipe({ training: { batchSize: 20 }, steps: own });
  const input = uniformTensor(1, [1, data.train.channels, data.train.height, data.train.width]);

  test.each([
    ['pf-nano-conv', { with: 'hybrid' }],
    ['mobilenet-v2-nano', { with: 'average', kernel: 5 }],
  ] as const)('%s: replaces, trains, reports; the file reads back by its rules', async (name, rule) => {
    const classifier = ImageClassifier.create(name, data, new Random(1));
    const recipe = steps({ do: 'replace-spatial', ...rule, epochs: 1 });
    const { report, plan } = await compress(classifier.model, data, recipe, { random: new Random(2) });
    expect(report.done[0]).toMatch(/^replaced \d+ spatial operations: [\d,]+ parameters became [\d,]+, /);
    expect(report.done[1]).toMatch(/^kept .*\(3×3 convolution: it changes the number of channels\)$/);
    expect(report.after.parameters).toBeLessThan(report.before.parameters);
    expect(report.after.multiplyAdds).toBeLessThan(report.before.multiplyAdds);
    const again = ImageClassifier.load(classifier.withReplaced(spatialRules(recipe)).save());
    expect(again.description.replaced).toEqual([rule]);
    const expected = classifier.model.forward(input, inference).dataSync();
    expect(again.model.forward(input, inference).dataSync()).toEqual(expected);
    expectClose((plan.run(input)[0] as Tensor).dataSync(), expected, 1e-4);
    plan.dispose();
  });

  test('wrong steps are refused', async () => {
    expect(() => steps({ do: 'replace-spatial' })).toThrow('lacks "with"');
    expect(() => steps({ do: 'replace-spatial', with: 'median' })).toThrow('"with" must be one of max, average');
    expect(() => steps({ do: 'replace-spatial', with: 'max', kernel: 2 })).toThrow('"kernel" must be an odd integer');
    const late = steps({ do: 'prune', sparsity: 0.5 }, { do: 'replace-spatial', with: 'max' });
    const { model } = ImageClassifier.create('mobilenet-v1-nano', data, new Random(1));
    await expect(compress(model, data, late, { random: new Random(1) })).rejects.toThrow(
      'replace spatial operations before weights are pruned',
    );
  });
});
