// Networks of parameter-free layers: counts of the authors' code, the layers against loops, and
// which block has which operator, read from traces.

import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { removeChannels } from '../../src/compress/index.js';
import { glyphImages, imageHalves } from '../../src/data/index.js';
import {
  Bottleneck,
  EffLayer,
  projection,
  ResNet,
  VisionTransformer,
  visionTransformerShapes,
} from '../../src/models/index.js';
import {
  type BatchNorm2d,
  blockOperator,
  type Conv2d,
  inference,
  type Layer,
  MixedOperator,
  parameterCount,
  parameters,
  spatialOperator,
  stateOf,
  training,
} from '../../src/nn/index.js';
import { Random, type Shape, scope, type Tensor, tensor, valueAndGrad, zeros } from '../../src/tensor/index.js';
import { compile, cost, exportOnnx, trace } from '../../src/trace/index.js';
import {
  ImageClassifier,
  imageModel,
  operatorsOf,
  PfNano,
  PoolingTransformer,
  pfFigures,
  pfTransformers,
  pits,
  searchOperators,
  searchSpace,
} from '../../src/vision/index.js';
import { chosenOperator } from '../../src/vision/pflayer/search.js';
import { checkModelGradient, expectClose, uniformTensor } from '../oracle.js';

/** Draws nothing: large networks are counted, not used. */
class Still extends Random {
  override gaussian(): number {
    return 0;
  }
  override uniform(shape: Shape): Tensor {
    return zeros(shape);
  }
  override normal(shape: Shape): Tensor {
    return zeros(shape);
  }
  override split(): Random {
    return this;
  }
}

/** A network whose weights and statistics are nothing special. */
function seasoned<Model extends object>(model: Model, seed = 4): Model {
  const random = new Random(seed);
  for (const [name, weight] of Object.entries(stateOf(model)))
    weight.assign(
      name.endsWith('runningVariance') ? random.uniform(weight.shape, 0.5, 2) : random.normal(weight.shape, 0.05, 0.3),
    );
  return model;
}

const counted = (model: Layer, size: number, channels = 3) =>
  scope(() => {
    const found = cost((x) => model.forward(x, inference), [zeros([1, channels, size, size])], parameters(model));
    return { parameters: parameterCount(model), multiplyAdds: found.multiplyAdds, uncounted: found.uncounted };
  });

describe('counts', () => {
  test.each(['resnet50-max', 'resnet50-hybrid', 'vit-ti-max', 'pit-ti-max'])(
    '%s: those of the authors’ code',
    (name) => {
      scope(() => {
        const model = imageModel(name, { channels: 3, classes: 1000, size: 224 }, new Still(0));
        const { parameters: count = 0, multiplyAdds = 0 } = pfFigures[name] ?? {};
        expect(counted(model, 224)).toEqual({ parameters: count, multiplyAdds, uncounted: [] });
      });
    },
    60_000,
  );

  /** Parameters and multiply-adds of a transformer's blocks by arithmetic. */
  const blocks = (d: number, depth: number, tokens: number, effs = Math.floor(depth / 2)) => {
    const attentions = depth - effs;
    return {
      parameters: depth * (8 * d * d + 5 * d + 4 * d) + effs * (6 * d * d + 4 * d) + attentions * (4 * d * d + 4 * d),
      products:
        tokens * (depth * 8 * d * d + effs * 6 * d * d + attentions * 4 * d * d) + attentions * 2 * d * tokens ** 2,
    };
  };

  test('the largest ones by arithmetic, which the smaller ones confirm', () => {
    const vit = (d: number, effs = 6) => {
      const inner = blocks(d, 12, 196, effs);
      return {
        parameters: inner.parameters + 769 * d + 196 * d + 2 * d + 1000 * (d + 1),
        multiplyAdds: inner.products + 196 * 768 * d + 1000 * d,
      };
    };
    const pit = ({ patch: [side, stride], headFeatures, heads, depths }: (typeof pits)[keyof typeof pits]) => {
      const widths = heads.map((count) => count * headFeatures) as [number, number, number];
      let map = Math.floor((224 - side) / stride) + 1;
      const found = {
        parameters: widths[0] * (3 * side ** 2 + 1 + map ** 2) + 2 * widths[2] + 1000 * (widths[2] + 1),
        multiplyAdds: map ** 2 * widths[0] * 3 * side ** 2 + 1000 * widths[2],
      };
      widths.forEach((width, stage) => {
        if (stage > 0) {
          map = Math.ceil(map / 2);
          found.parameters += 10 * width;
          found.multiplyAdds += map ** 2 * 9 * width;
        }
        const inner = blocks(width, depths[stage] as number, map ** 2);
        found.parameters += inner.parameters;
        found.multiplyAdds += inner.products;
      });
      return found;
    };
    for (const [name, found] of [
      ['vit-ti-max', vit(192)],
      ['vit-s-max', vit(384)],
      ['vit-b-max', vit(768)],
      ['pit-ti-max', pit(pits['pit-ti-max'])],
      ['pit-s-max', pit(pits['pit-s-max'])],
      ['pit-b-max', pit(pits['pit-b-max'])],
    ] as const) {
      const { parameters: count, multiplyAdds } = pfFigures[name] as (typeof pfFigures)[string];
      expect(found).toEqual({ parameters: count, multiplyAdds });
    }
    expect(vit(384, 0)).toEqual({ parameters: 22_049_896, multiplyAdds: 4_574_026_752 });
    const shapes = visionTransformerShapes(pfTransformers['vit-b-max']);
    const sizes = Object.values(shapes).map((shape) => shape.reduce((a, b) => a * b, 1));
    expect(sizes.reduce((a, b) => a + b)).toBe(93_644_008);
  });

  test('weights of a transformer have the shapes that are told', () => {
    const options = { ...pfTransformers['vit-nano-max'], imageSize: 16, classes: 3 };
    const model = new VisionTransformer(new Random(0), options);
    const found = Object.fromEntries(Object.entries(parameters(model)).map(([name, { shape }]) => [name, shape]));
    expect(visionTransformerShapes(options)).toEqual(found);
  });

  test('nano, at 28 and at 32 pixels', () => {
    const nano = (name: string, size: number) => {
      const { parameters: own, multiplyAdds } = counted(
        imageModel(name, { channels: 1, classes: 10, size }, new Random(0)),
        size,
        1,
      );
      return [own, multiplyAdds];
    };
    expect(nano('pf-nano-conv', 28)).toEqual([57_018, 1_915_904]);
    expect(nano('pf-nano-depthwise', 28)).toEqual([33_834, 1_220_960]);
    expect(nano('pf-nano', 28)).toEqual([32_602, 1_169_408]);
    expect(nano('pf-nano', 32)).toEqual([32_602, 1_426_688]);
    expect(nano('pf-nano-hybrid', 32)).toEqual([44_218, 1_721_600]);
    expect(nano('pf-nano-conv', 32)).toEqual([57_018, 2_311_424]);
  });
});

/** The operations of a network, in order, by name. */
const operations = (model: Layer, x: Tensor) =>
  trace(
    (y) => model.forward(y, inference),
    [x],
    stateOf(model),
    ({ nodes }) => nodes.map(({ op }) => op.name),
  );

describe('structure', () => {
  test('max: no norm and no ReLU between the pool and the expansion; conv and depthwise have both', () => {
    const block = (operator: 'max-pool' | 'depthwise') =>
      new Bottleneck(8, 4, 1, projection, new Random(1), { operator });
    const x = uniformTensor(1, [1, 8, 6, 6]);
    const kinds = (layer: Layer) => operations(layer, x).filter((name) => /conv|pool|relu|norm|affine/i.test(name));
    const pool = kinds(block('max-pool'));
    expect(pool[pool.indexOf('maxPool') + 1]).toBe(pool[0]);
    expect(pool[0]).toMatch(/conv/i);
    expect(Object.keys(stateOf(block('max-pool'))).filter((name) => /spatial|conv2|bn2/.test(name))).toEqual([]);
    expect(Object.keys(parameters(block('depthwise'))).filter((name) => name.startsWith('spatial'))).toEqual([
      'spatial.0.weight',
      'spatial.1.weight',
      'spatial.1.bias',
    ]);
  });

  test.each(['vit-nano-max', 'pit'])('%s: attention in even blocks, pools in odd ones', (name) => {
    const x = uniformTensor(1, [1, 3, 32, 32]);
    const model =
      name === 'pit'
        ? new PoolingTransformer(
            { ...pits['pit-ti-max'], patch: [8, 4], depths: [3, 2, 1], imageSize: 32 },
            new Random(1),
          )
        : imageModel(name, { channels: 3, classes: 4, size: 32 }, new Random(1));
    const mixers = operations(model, x).filter((op) => op === 'maxPool' || op === 'attention' || op === 'softmax');
    const even = mixers[0] as string;
    expect(even).not.toBe('maxPool');
    expect(mixers).toEqual(
      name === 'pit' ? [even, 'maxPool', even, even, 'maxPool', even] : [even, 'maxPool', even, 'maxPool'],
    );
  });

  test('drop-path rises linearly: to the rate in ViT, below it in PiT', () => {
    const x = uniformTensor(1, [64, 4, 8]);
    const dropped = (block: { forward: Layer['forward'] }) => {
      const y = block
        .forward(x, training(new Random(5)))
        .subtract(x)
        .abs()
        .sum([1, 2])
        .dataSync();
      return y.filter((value) => value === 0).length / 64;
    };
    const vit = new VisionTransformer(new Random(1), {
      ...{
        features: 8,
        heads: 2,
        depth: 3,
        imageSize: 8,
        patchSize: 4,
        pooling: 'mean',
        operator: 'max-pool',
        dropPath: 0.9,
      },
    });
    // Both branches of a block are dropped together with probability p².
    expect(vit.blocks.map(dropped)).toEqual([0, expect.closeTo(0.2, 0), expect.closeTo(0.81, 0)]);
    expect(dropped(vit.blocks[1] as Layer)).toBeGreaterThan(0.05);
    expect(dropped(vit.blocks[2] as Layer)).toBeGreaterThan(0.6);
    const pit = new PoolingTransformer(
      { patch: [4, 4], headFeatures: 4, heads: [2, 4], depths: [1, 1], dropPath: 0.9, imageSize: 8 },
      new Random(1),
    );
    expect(dropped(pit.stages[0]?.blocks[0] as Layer)).toBe(0);
  });

  test('ViT-max begins with truncated normal weights and biases of 0', () => {
    const model = imageModel('vit-nano-max', { channels: 1, classes: 3, size: 16 }, new Random(1));
    const state = parameters(model);
    expect(state['blocks.1.attn.fc1.bias']?.abs().max().item()).toBe(0);
    const weight = state['blocks.1.attn.fc1.weight'] as Tensor;
    expect(weight.square().mean().sqrt().item()).toBeCloseTo(0.0176, 2);
    expect(weight.abs().max().item()).toBeLessThanOrEqual(0.0401);
  });

  test('sizes that do not fit are refused', () => {
    const shape = { channels: 3, classes: 2, size: 20, imageWidth: 24 };
    expect(() => imageModel('pit-s-max', shape, new Random(1))).toThrow('square, of at least 16 pixels a side');
    expect(() => new EffLayer(4, new Random(1)).forward(zeros([1, 5, 4]))).toThrow('5 tokens are no square map');
    expect(() => new ResNet(18, new Random(1), { operator: 'max-pool' })).toThrow('ResNet-50 has');
    expect(() => new VisionTransformer(new Random(1), { operator: 'max-pool' })).toThrow('take mean pooling');
    expect(() => operatorsOf({ block2: 9 }, 'max-pool')).toThrow('block2 is a number from 1 to 6, got 9');
    expect(() => new PfNano(new Random(1), { operator: ['none'] })).toThrow('6 blocks need as many operators, got 1');
  });
});

/** Values of the window of a pixel, row by row, with their places; border pixels have fewer. */
const windowAt = (plane: ArrayLike<number>, [height, width]: readonly [number, number], row: number, column: number) =>
  Array.from({ length: 9 }, (_, at) => [row + Math.floor(at / 3) - 1, column + (at % 3) - 1] as const)
    .filter(([r, c]) => r >= 0 && c >= 0 && r < height && c < width)
    .map(([r, c]) => ({ at: r * width + c, value: plane[r * width + c] as number }));

describe('pools against enumeration', () => {
  const [height, width] = [5, 7];
  // Few distinct values, all negative: ties everywhere, and 0 beyond the border would win.
  const values = uniformTensor(3, [height * width])
    .dataSync()
    .map((value) => Math.round(2 * value) - 3);
  const x = tensor(values, [1, 1, height, width]);

  test.each([1, 2])('max, stride %i: ties go to the first in row-major order, nothing beyond the border', (stride) => {
    const pool = spatialOperator('max-pool', 1, new Random(1), { stride });
    const expected: number[] = [];
    const gradient = new Float32Array(values.length);
    const weights = uniformTensor(5, [Math.ceil(height / stride) * Math.ceil(width / stride)]).dataSync();
    for (let row = 0; row < height; row += stride)
      for (let column = 0; column < width; column += stride) {
        const window = windowAt(values, [height, width], row, column);
        const best = window.reduce((a, b) => (b.value > a.value ? b : a));
        gradient[best.at] = (gradient[best.at] as number) + (weights[expected.length] as number);
        expected.push(best.value);
      }
    const loss = (y: Tensor) => pool.forward(y, inference).reshape([-1]).multiply(tensor(weights)).sum();
    expect(Array.from(pool.forward(x, inference).dataSync())).toEqual(expected);
    expectClose(valueAndGrad(loss)(x).gradient.dataSync(), gradient, 1e-6);
  });

  test.each([3, 4, 5, 8, 11])('max as a plan, which keeps no places, at width %i; NaN is largest', (columns) => {
    const own = uniformTensor(columns, [2, 3, 4, columns], -2, -1);
    own.view()[4 * columns + 1] = Number.NaN;
    const pool = spatialOperator('max-pool', 3, new Random(1));
    const plan = compile((y) => pool.forward(y, inference), [own]);
    const given = own.dataSync();
    const expected = Array.from(given, (_, at) => {
      const plane = given.subarray(Math.floor(at / (4 * columns)) * 4 * columns);
      const [row, column] = [Math.floor(at / columns) % 4, at % columns];
      return Math.max(...windowAt(plane, [4, columns], row, column).map(({ value }) => value));
    });
    expect(Array.from((plan.run(own)[0] as Tensor).dataSync())).toEqual(expected);
    expect(Array.from(pool.forward(own, inference).dataSync())).toEqual(expected);
    plan.dispose();
  });

  test('average of a block: the divisor is 9 at the border too', () => {
    const pool = blockOperator('average-pool', 1, new Random(1))[0] as Layer;
    const expected = Array.from({ length: height * width }, (_, at) =>
      windowAt(values, [height, width], Math.floor(at / width), at % width).reduce(
        (sum, { value }) => sum + value / 9,
        0,
      ),
    );
    expectClose(pool.forward(x, inference).dataSync(), expected, 1e-6);
  });

  test('deformable: max pooling at first; offsets move where it looks', () => {
    const pool = spatialOperator('deformable-pool', 2, new Random(1)) as Layer & { offsets: Conv2d };
    const y = uniformTensor(1, [2, 2, 5, 6]);
    const max = spatialOperator('max-pool', 2, new Random(1)).forward(y, inference);
    expectClose(pool.forward(y, inference).dataSync(), max.dataSync(), 1e-6);
    // All offsets half a pixel down: the means of neighbours in a column.
    pool.offsets.bias?.assign(tensor(Array.from({ length: 18 }, (_, at) => (at < 9 ? Math.atanh(0.5) : 0))));
    const v = y.dataSync();
    const at = (r: number, c: number) => v[Math.min(4, Math.max(0, r)) * 6 + Math.min(5, Math.max(0, c))] as number;
    const expected = Array.from({ length: 30 }, (_, p) =>
      Math.max(
        ...[-1, 0, 1].flatMap((r) =>
          [-1, 0, 1].map(
            (c) => (at(Math.floor(p / 6) + r, (p % 6) + c) + at(Math.floor(p / 6) + r + 1, (p % 6) + c)) / 2,
          ),
        ),
      ),
    );
    expectClose(pool.forward(y, inference).dataSync().subarray(0, 30), expected, 1e-5);
    pool.offsets.weight.assign(new Random(2).normal(pool.offsets.weight.shape, 0, 0.2));
    const inner = (live: Layer) => live.forward(y, inference).slice([0, 1], [0, 2], [2, 3], [2, 4]).sum();
    checkModelGradient(pool, inner, { step: 3e-3, absolute: 0.02 });
  });
});

describe('EffLayer', () => {
  const [n, side, d] = [2, 4, 3];
  const layer = seasoned(new EffLayer(d, new Random(1)));
  const x = uniformTensor(2, [n, side * side, d], -2, 2);

  test('equals a loop over tokens: GELU, pool, GELU', () => {
    // Both GELUs and a pool of negative values matter here.
    const w = (name: string) => (stateOf(layer)[name] as Tensor).dataSync();
    const erf = (t: number) => {
      let [sum, term] = [t, t];
      for (let k = 1; k < 60; k++) {
        term *= -(t * t) / k;
        sum += term / (2 * k + 1);
      }
      return (2 / Math.sqrt(Math.PI)) * sum;
    };
    const gelu = (value: number) => 0.5 * value * (1 + erf(value / Math.SQRT2));
    const input = x.dataSync();
    const hidden = (image: number, token: number, h: number) => {
      let sum = w('fc1.bias')[h] as number;
      for (let k = 0; k < d; k++)
        sum += (w('fc1.weight')[h * d + k] as number) * (input[(image * side * side + token) * d + k] as number);
      return gelu(sum);
    };
    const expected: number[] = [];
    for (let image = 0; image < n; image++)
      for (let token = 0; token < side * side; token++) {
        const mixed = Array.from({ length: 3 * d }, (_, h) => {
          const plane = Array.from({ length: side * side }, (_, other) => hidden(image, other, h));
          const window = windowAt(plane, [side, side], Math.floor(token / side), token % side);
          return gelu(Math.max(...window.map(({ value }) => value)));
        });
        for (let o = 0; o < d; o++)
          expected.push(
            mixed.reduce(
              (sum, value, h) => sum + value * (w('fc2.weight')[o * 3 * d + h] as number),
              w('fc2.bias')[o] as number,
            ),
          );
      }
    expectClose(layer.forward(x).dataSync(), expected, 1e-5);
  });

  test('commutes with a horizontal flip; gradients', () => {
    const flip = (y: Tensor) => {
      const values = y.dataSync();
      return Float32Array.from({ length: y.size }, (_, i) => {
        const [feature, token, image] = [i % d, Math.floor(i / d) % (side * side), Math.floor(i / (d * side * side))];
        const mirrored = Math.floor(token / side) * side + (side - 1 - (token % side));
        return values[(image * side * side + mirrored) * d + feature] as number;
      });
    };
    expectClose(layer.forward(tensor(flip(x), x.shape)).dataSync(), flip(layer.forward(x)), 1e-6);
    checkModelGradient(layer, (live) => live.forward(x).square().sum(), { step: 3e-3, absolute: 0.05 });
  });
});

describe('hybrid', () => {
  test.each([
    [6, 8],
    [7, 5],
  ])('a block with stride 2 equals one put together by hand, at %i×%i', (height, width) => {
    const block = seasoned(new Bottleneck(6, 3, 2, projection, new Random(1), { operator: 'hybrid' }));
    const x = uniformTensor(2, [2, 6, height, width]);
    const narrow = block.bn1.forward(block.conv1.forward(x), inference).relu();
    const v = narrow.dataSync();
    const [rows, columns] = [Math.ceil(height / 2), Math.ceil(width / 2)];
    const means = Float32Array.from({ length: 2 * 3 * rows * columns }, (_, i) => {
      const [column, row, plane] = [i % columns, Math.floor(i / columns) % rows, Math.floor(i / (rows * columns))];
      const own = [0, 1, 2, 3]
        .map((at) => [2 * row + (at >> 1), 2 * column + (at & 1)] as const)
        .filter(([r, c]) => r < height && c < width)
        .map(([r, c]) => v[(plane * height + r) * width + c] as number);
      return own.reduce((a, b) => a + b) / own.length;
    });
    const [, conv, norm] = block.spatial as unknown as [Layer, Conv2d, BatchNorm2d];
    const mixed = norm.forward(conv.forward(tensor(means, [2, 3, rows, columns])), inference).relu();
    const [down, downNorm] = block.downsample as unknown as [Conv2d, BatchNorm2d];
    const residual = block.bn3.forward(block.conv3.forward(mixed), inference);
    const expected = residual.add(downNorm.forward(down.forward(x), inference)).relu();
    expectClose(block.forward(x, inference).dataSync(), expected.dataSync(), 1e-5);
    expect(conv.options.stride ?? 1).toBe(1);
  });

  test('a block with stride 1 has max pooling', () => {
    const block = new Bottleneck(8, 2, 1, projection, new Random(1), { operator: 'hybrid' });
    expect(operations(block, uniformTensor(1, [1, 8, 4, 4]))).toContain('maxPool');
    expect(block.conv2).toBeUndefined();
  });
});

test.each(['pf-nano', 'pf-nano-hybrid', 'vit-nano-max', 'pit'])(
  'ONNX Runtime runs %s to the same logits',
  async (name) => {
    const model = seasoned(
      name === 'pit'
        ? new PoolingTransformer(
            {
              patch: [4, 4],
              headFeatures: 4,
              heads: [2, 4],
              depths: [2, 2],
              operator: 'max-pool',
              imageSize: 20,
              classes: 5,
            },
            new Random(1),
          )
        : imageModel(name, { channels: 3, classes: 5, size: 20 }, new Random(1)),
    );
    const x = uniformTensor(1, [1, 3, 20, 20]);
    const file = exportOnnx((y) => model.forward(y, inference), [x]);
    const session = await InferenceSession.create(file, { logSeverityLevel: 3 });
    const results = await session.run({
      [session.inputNames[0] as string]: new OrtTensor('float32', x.dataSync<Float32Array>(), [1, 3, 20, 20]),
    });
    const expected = model.forward(x, inference).dataSync();
    const largest = Math.max(...expected.map(Math.abs));
    const scaled = (values: ArrayLike<number>) => Array.from(values, (value) => value / largest);
    expectClose(scaled(results[session.outputNames[0] as string]?.data as Float32Array), scaled(expected), 1e-4);
  },
);

test('channels of a nano network are removed through its pools', () => {
  const model = seasoned(imageModel('pf-nano', { channels: 3, classes: 4, size: 32 }, new Random(1)));
  const before = parameterCount(model);
  const x = uniformTensor(1, [2, 3, 32, 32]);
  removeChannels(model, x, { ratio: 0.4, roundTo: 4 });
  expect(parameterCount(model)).toBeLessThan(0.8 * before);
  expect(model.forward(x, inference).shape).toEqual([2, 4]);
});

describe('the search', () => {
  const data = glyphImages(60, 20, new Random(0));

  test('finds an operator for each block of stride 1, and the settings that make the network again', async () => {
    const options = { epochs: 1, batchSize: 20, widths: [4, 4, 4] as const };
    const found = await searchOperators(data, new Random(1), options);
    expect(found.searched.map(({ block }) => block)).toEqual([0, 1, 3, 5]);
    expect(found.operators).toHaveLength(6);
    expect([found.operators[2], found.operators[4]]).toEqual(['max-pool', 'max-pool']);
    for (const { operator, shares } of found.searched) {
      expect(Object.keys(shares)).toEqual([...searchSpace]);
      expect(Object.values(shares).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      expect(shares[operator]).toBe(Math.max(...Object.values(shares)));
    }
    expect(operatorsOf(found.settings, 'convolution')).toEqual(found.operators);
    const again = await searchOperators(data, new Random(1), options);
    expect(again.searched).toEqual(found.searched);
    const classifier = ImageClassifier.create('pf-nano', data, new Random(1), found.settings);
    expect(parameterCount(ImageClassifier.load(classifier.save()).model)).toBe(parameterCount(classifier.model));
  });

  test('the identity may win where the stride is 1, and at 2 as every other pixel alone', () => {
    const random = new Random(1);
    const layer = new MixedOperator(
      Object.fromEntries(searchSpace.map((name) => [name, blockOperator(name, 2, random)])),
      random,
    );
    layer.alpha.assign(tensor([0, 0.1, 1, 0, 2]));
    expect([chosenOperator(layer, 1), chosenOperator(layer, 2), chosenOperator(layer, 2, true)]).toEqual([
      'none',
      'max-pool',
      'none',
    ]);
  });

  test('the halves share no image', () => {
    const images = { ...data.train, labels: Int32Array.from({ length: 60 }, (_, at) => at) };
    const [own, other] = imageHalves(images, new Random(1));
    expect([own.count, other.count]).toEqual([30, 30]);
    expect([...own.labels, ...other.labels].sort((a, b) => a - b)).toEqual([...images.labels]);
    const size = images.channels * images.height * images.width;
    const first = own.labels[0] as number;
    expect(own.pixels.subarray(0, size)).toEqual(images.pixels.subarray(first * size, (first + 1) * size));
  });

  test('never reads a test image', async () => {
    const { test: held } = data;
    const forbidden = Object.defineProperty({ ...data }, 'test', {
      get: () => {
        throw new Error('test images were read');
      },
    });
    const found = await searchOperators(forbidden as typeof data, new Random(1), {
      epochs: 1,
      batchSize: 60,
      widths: [4, 4, 4],
    });
    expect(found.stopped).toBe('completed');
    expect(held.count).toBe(20);
  });
});

test('a nano network learns', async () => {
  const data = glyphImages(100, 20, new Random(0));
  const classifier = ImageClassifier.create('pf-nano', data, new Random(1));
  const { history } = await classifier.train(data, new Random(2), { epochs: 6, batchSize: 10 });
  expect(history.at(-1)?.loss).toBeLessThan(0.6 * (history[0]?.loss as number));
});
