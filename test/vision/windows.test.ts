// Windows, spatial operators and the Meta Mobile Block, against enumeration and hand-written forms.

import { describe, expect, test } from 'vitest';
import { inference, type Layer, stateOf, training } from '../../src/nn/index.js';
import { Random, type Tensor, tensor, zeros } from '../../src/tensor/index.js';
import {
  fromWindowTokens,
  mobileBlock,
  type SpatialOperator,
  spatialOperator,
  spatialOperators,
  WindowAttention,
  type WindowPattern,
  windowPadding,
  windowTokens,
} from '../../src/vision/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';
import { mapOf, windowAttended } from './naive.js';

const patterns = ['close', 'remote'] as const;

describe('windows', () => {
  // Each pixel of a map holds its own number.
  const numbered = (height: number, width: number) =>
    tensor(
      Float32Array.from({ length: height * width }, (_, at) => at),
      [1, 1, height, width],
    );

  test.each([
    ['close', (r: number, c: number) => [Math.floor(r / 2), Math.floor(c / 3)]],
    ['remote', (r: number, c: number) => [r % 4, c % 2]],
  ] as const)('%s windows hold the pixels that they are said to', (pattern, windowOf) => {
    const [height, width, n1, n2] = [8, 6, 4, 2];
    const tokens = windowTokens(numbered(height, width), 1, [2, 3], pattern);
    expect(tokens.shape).toEqual([n1 * n2, 1, 6, 1]);
    const values = tokens.dataSync();
    const members = Array.from({ length: n1 * n2 }, (): number[] => []);
    for (let r = 0; r < height; r++)
      for (let c = 0; c < width; c++) {
        const [i, j] = windowOf(r, c) as [number, number];
        members[i * n2 + j]?.push(r * width + c);
      }
    expect(Array.from(values)).toEqual(members.flat());
  });

  test.each(patterns)('%s windows are put back where they came from, heads and images apart', (pattern) => {
    for (const [height, width, window] of [
      [8, 8, [4, 4]],
      [6, 12, [3, 4]],
      [7, 7, [7, 7]],
    ] as const) {
      const x = uniformTensor(1, [2, 6, height, width]);
      const tokens = windowTokens(x, 2, window, pattern);
      expect(tokens.shape.slice(1)).toEqual([2, window[0] * window[1], 3]);
      expect(fromWindowTokens(tokens, [height, width], window, pattern).dataSync()).toEqual(x.dataSync());
    }
  });

  test('a head of a token has its own channels', () => {
    const x = uniformTensor(1, [1, 6, 4, 4]);
    const tokens = windowTokens(x, 3, [2, 2], 'remote').dataSync();
    // Window (1, 0), head 2, token (r, c) = (0, 1), depth 1: channel 5 at (0·2 + 1, 1·2 + 0).
    expect(tokens[((2 * 3 + 2) * 4 + 1) * 2 + 1]).toBe(x.dataSync()[5 * 16 + 1 * 4 + 2]);
  });

  test('padding reaches the next multiple', () => {
    expect(windowPadding([7, 14], [4, 4])).toEqual([1, 2]);
    expect(windowPadding([8, 4], [4, 4])).toEqual([0, 0]);
    expect(() => windowTokens(zeros([1, 4, 7, 8]), 2, [4, 4], 'close')).toThrow('must divide the map');
  });
});

const silu = (value: number) => value / (1 + Math.exp(-value));

describe('attention within windows', () => {
  const make = (window: number, own: readonly WindowPattern[]) =>
    new WindowAttention(6, { heads: 2, outChannels: 10, window, patterns: own, activation: 'silu' }, new Random(1));

  /** The layer by plain loops. */
  const looped = (layer: WindowAttention, x: Tensor, window: number, own: readonly WindowPattern[]) => {
    const state = stateOf(layer);
    const weights = (name: string) => {
      const tensorOf = state[name.replace('own.', '')] as Tensor;
      return { data: tensorOf.dataSync(), shape: tensorOf.shape };
    };
    const map = mapOf(x.dataSync(), x.shape.slice(1) as unknown as [number, number, number]);
    return windowAttended(map, weights, 'own', { heads: 2, window, patterns: own, activate: silu }).flat(2);
  };

  test.each([[['close']], [['remote']], [['remote', 'close']]] as const)(
    'equals dense attention with a mask, padded pixels included: %j',
    ([...own]) => {
      const layer = make(4, own);
      for (const [height, width] of [
        [7, 10],
        [14, 14],
      ] as const) {
        const x = uniformTensor(2, [1, 6, height, width], -2, 2);
        expectClose(layer.forward(x).dataSync(), looped(layer, x, 4, own), 1e-5);
      }
    },
  );

  test('in one window all patterns are one: their sum is a multiple; 0 is the whole map', () => {
    const x = uniformTensor(2, [2, 6, 4, 4], -2, 2);
    const once = make(4, ['close']).forward(x).dataSync();
    expectClose(make(4, ['remote']).forward(x).dataSync(), once, 1e-6);
    expectClose(
      make(4, ['remote', 'close']).forward(x).dataSync(),
      once.map((value) => 2 * value),
      1e-6,
    );
    expectClose(make(0, ['close']).forward(x).dataSync(), once, 1e-6);
    // A window of 5 pads 3×5 to 5×5; the whole map does not.
    const wide = uniformTensor(3, [1, 6, 3, 5]);
    const [padded, whole] = [5, 0].map((window) => make(window, ['close']).forward(wide).subtract(0)) as [
      Tensor,
      Tensor,
    ];
    expect(padded.subtract(whole).abs().max().item()).toBeGreaterThan(1e-3);
  });

  test('a pixel is seen within its window alone', () => {
    const impulse = (row: number, column: number) => {
      const values = new Float32Array(6 * 64);
      for (let c = 0; c < 6; c++) values[c * 64 + row * 8 + column] = 3;
      return tensor(values, [1, 6, 8, 8]);
    };
    for (const pattern of patterns) {
      const layer = make(4, [pattern]);
      const still = layer.forward(zeros([1, 6, 8, 8])).dataSync();
      const moved = layer.forward(impulse(2, 5)).dataSync();
      const seen = Array.from({ length: 64 }, (_, at) => at).filter((at) =>
        Array.from({ length: 10 }, (_, o) => o * 64 + at).some(
          (i) => Math.abs((moved[i] as number) - (still[i] as number)) > 1e-5,
        ),
      );
      const shared = Array.from({ length: 64 }, (_, at) => [Math.floor(at / 8), at % 8] as const).flatMap(
        ([r, c], at) => {
          const same =
            pattern === 'close' ? Math.floor(r / 4) === 0 && Math.floor(c / 4) === 1 : r % 2 === 0 && c % 2 === 1;
          return same ? [at] : [];
        },
      );
      expect(seen).toEqual(shared);
    }
  });

  test('gradients, of the input through both patterns and padding', () => {
    const layer = new WindowAttention(4, { heads: 2, window: 2, patterns: ['remote', 'close'] }, new Random(1));
    checkGradient((x) => layer.forward(x), [uniformTensor(2, [1, 4, 3, 4])], { second: false, step: 3e-3 });
  });

  test('heads that do not divide the channels are refused with both numbers', () => {
    expect(() => new WindowAttention(10, { heads: 4 }, new Random(1))).toThrow('4 heads do not divide 10 channels');
    expect(() => new WindowAttention(8, { heads: 4, outChannels: 6 }, new Random(1))).toThrow(
      '4 heads do not divide 6 channels of the values',
    );
  });
});

describe('spatial operators', () => {
  const operator = (name: SpatialOperator, options = {}) => spatialOperator(name, 9, new Random(1), options);
  /** 1 at a pixel of every channel. */
  const impulse = tensor(
    Float32Array.from({ length: 9 * 25 }, (_, at) => Number(at % 25 === 2 * 5 + 3)),
    [1, 9, 5, 5],
  );
  const plane = (y: Tensor, channel: number) => Array.from(y.dataSync().subarray(25 * channel, 25 * channel + 25));

  test('answer an impulse as they should', () => {
    const around = (values: (row: number, column: number) => number) =>
      Array.from({ length: 25 }, (_, at) => {
        const [row, column] = [Math.floor(at / 5) - 2, (at % 5) - 3];
        return Math.abs(row) <= 1 && Math.abs(column) <= 1 ? values(row, column) : 0;
      });
    expect(plane(operator('none').forward(impulse, inference), 4)).toEqual(plane(impulse, 4));
    expect(plane(operator('max-pool').forward(impulse, inference), 4)).toEqual(around(() => 1));
    // Windows at the right border hold six pixels.
    expectClose(
      plane(operator('average-pool').forward(impulse, inference), 4),
      around((_, column) => (column === 1 ? 1 / 6 : 1 / 9)),
    );
    const depthwise = operator('depthwise') as unknown as Layer & { weight: Tensor };
    const kernel = depthwise.weight.dataSync().subarray(9 * 4, 9 * 5);
    expectClose(
      plane(depthwise.forward(impulse, inference), 4),
      around((row, column) => kernel[(1 - row) * 3 + (1 - column)] as number),
    );
    const shifted = operator('shift').forward(impulse, inference);
    for (let channel = 0; channel < 9; channel++)
      expect(plane(shifted, channel)).toEqual(
        around((row, column) => Number(row === 1 - Math.floor(channel / 3) && column === 1 - (channel % 3))),
      );
  });

  test('every one keeps the size, and at stride 2 halves it; an odd rest of channels shifts nowhere', () => {
    const x = uniformTensor(1, [2, 9, 6, 7]);
    for (const name of spatialOperators) {
      expect(operator(name).forward(x, inference).shape).toEqual([2, 9, 6, 7]);
      if (name === 'window-attention') expect(() => operator(name, { stride: 2 })).toThrow('has no stride, got 2');
      else expect(operator(name, { stride: 2 }).forward(x, inference).shape).toEqual([2, 9, 3, 4]);
    }
    const few = uniformTensor(1, [1, 5, 4, 4]);
    expect(spatialOperator('shift', 5, new Random(1)).forward(few, inference).dataSync()).toEqual(few.dataSync());
  });

  test('what cannot be is refused', () => {
    expect(() => operator('median' as SpatialOperator)).toThrow(
      '"median" is not known; there are none, convolution, depthwise',
    );
    expect(() => operator('max-pool', { kernel: 4 })).toThrow('the kernel must be odd, got 4');
  });
});

describe('the Meta Mobile Block', () => {
  const x = uniformTensor(3, [2, 4, 5, 6]);
  const weightsOf = (block: object) => {
    const state = stateOf(block);
    return (name: string) => (state[name] as Tensor).dataSync();
  };
  const [n, channels, height, width] = [2, 4, 5, 6];
  const input = x.dataSync();
  const at = (values: ArrayLike<number>, c: number) => (image: number, k: number, r: number, s: number) =>
    r < 0 || s < 0 || r >= height || s >= width ? 0 : (values[((image * c + k) * height + r) * width + s] as number);
  /** 1×1 convolution at a pixel. */
  const pointwise = (
    weight: ArrayLike<number>,
    bias: ArrayLike<number> | undefined,
    values: readonly number[],
    o: number,
  ) => values.reduce((sum, value, k) => sum + value * (weight[o * values.length + k] as number), bias?.[o] ?? 0);
  const everywhere = (value: (image: number, o: number, r: number, s: number) => number) =>
    Array.from({ length: n * channels * height * width }, (_, i) =>
      value(
        Math.floor(i / (channels * height * width)),
        Math.floor(i / (height * width)) % channels,
        Math.floor(i / width) % height,
        i % width,
      ),
    );
  const own = (image: number, r: number, s: number) =>
    Array.from({ length: channels }, (_, k) => at(input, channels)(image, k, r, s));

  test('with F as the identity: a feed-forward layer', () => {
    const block = mobileBlock(channels, new Random(1), {
      operator: 'none',
      norm: 'none',
      activation: 'silu',
      expansion: 3,
    });
    const w = weightsOf(block);
    const expected = everywhere((image, o, r, s) => {
      const hidden = Array.from({ length: 12 }, (_, h) =>
        silu(pointwise(w('expand.steps.0.conv.weight'), w('expand.steps.0.conv.bias'), own(image, r, s), h)),
      );
      const y = pointwise(w('project.conv.weight'), w('project.conv.bias'), hidden, o);
      return at(input, channels)(image, o, r, s) + y;
    });
    expectClose(block.forward(x, inference).dataSync(), expected, 1e-6);
  });

  test('with F as a depthwise convolution: the inverted residual of MobileNet V2', () => {
    const block = mobileBlock(channels, new Random(1), { expansion: 2 });
    const random = new Random(2);
    for (const [name, weight] of Object.entries(stateOf(block)))
      if (/running|\.1\.(weight|bias)|norm/.test(name)) weight.assign(random.uniform(weight.shape, 0.5, 2));
    const w = weightsOf(block);
    const norm = (name: string, value: number, k: number) =>
      ((value - (w(`${name}.runningMean`)[k] as number)) /
        Math.sqrt((w(`${name}.runningVariance`)[k] as number) + 1e-5)) *
        (w(`${name}.weight`)[k] as number) +
      (w(`${name}.bias`)[k] as number);
    const relu6 = (value: number) => Math.min(6, Math.max(0, value));
    const hidden = (image: number, h: number, r: number, s: number) =>
      r < 0 || s < 0 || r >= height || s >= width
        ? 0
        : relu6(
            norm('expand.steps.0.norm', pointwise(w('expand.steps.0.conv.weight'), undefined, own(image, r, s), h), h),
          );
    const mixed = (image: number, h: number, r: number, s: number) => {
      let sum = 0;
      for (let u = 0; u < 3; u++)
        for (let v = 0; v < 3; v++)
          sum += (w('operator.steps.0.weight')[h * 9 + 3 * u + v] as number) * hidden(image, h, r + u - 1, s + v - 1);
      return relu6(norm('operator.steps.1', sum, h));
    };
    const expected = everywhere((image, o, r, s) => {
      const values = Array.from({ length: 8 }, (_, h) => mixed(image, h, r, s));
      const y = norm('project.norm', pointwise(w('project.conv.weight'), undefined, values, o), o);
      return at(input, channels)(image, o, r, s) + y;
    });
    expectClose(block.forward(x, inference).dataSync(), expected, 1e-5);
  });

  test('with F as attention and λ = 1: multi-head self-attention', () => {
    const options = { operator: 'window-attention', norm: 'none', activation: 'none', expansion: 1 } as const;
    const block = mobileBlock(channels, new Random(1), { ...options, heads: 2, window: 0 });
    const w = weightsOf(block);
    const pixels = height * width;
    const expected = everywhere((image, o, r, s) => {
      const tokens = Array.from({ length: pixels }, (_, p) =>
        Array.from({ length: channels }, (_, k) =>
          pointwise(
            w('expand.steps.0.conv.weight'),
            w('expand.steps.0.conv.bias'),
            own(image, Math.floor(p / width), p % width),
            k,
          ),
        ),
      );
      const part = (which: 'qk' | 'v', p: number, k: number) =>
        pointwise(w(`operator.steps.0.${which}.weight`), w(`operator.steps.0.${which}.bias`), tokens[p] as number[], k);
      const here = r * width + s;
      const attended = Array.from({ length: channels }, (_, k) => {
        const head = Math.floor(k / 2);
        const weights = Array.from({ length: pixels }, (_, p) =>
          Math.exp(
            [0, 1].reduce(
              (dot, d) => dot + part('qk', here, 2 * head + d) * part('qk', p, channels + 2 * head + d),
              0,
            ) / Math.SQRT2,
          ),
        );
        const total = weights.reduce((a, b) => a + b, 0);
        return weights.reduce((sum, weight, p) => sum + (weight / total) * part('v', p, k), 0);
      });
      return (
        at(input, channels)(image, o, r, s) + pointwise(w('project.conv.weight'), w('project.conv.bias'), attended, o)
      );
    });
    expectClose(block.forward(x, inference).dataSync(), expected, 1e-6);
  });

  test('stochastic depth drops the branch of whole images, never the shortcut', () => {
    const block = mobileBlock(channels, new Random(1), { operator: 'none', norm: 'none', dropPath: 0.5 });
    const many = uniformTensor(3, [40, channels, 2, 2]);
    const y = block
      .forward(many, training(new Random(5)))
      .subtract(many)
      .dataSync();
    const branch = block.forward(many, inference).subtract(many).dataSync();
    const size = channels * 4;
    const kept = Array.from({ length: 40 }, (_, image) => {
      const [own, whole] = [y, branch].map((values) => Array.from(values.subarray(image * size, (image + 1) * size)));
      if ((own as number[]).every((value) => value === 0)) return 0;
      expectClose(
        own as number[],
        (whole as number[]).map((value) => 2 * value),
        1e-5,
      );
      return 1;
    });
    const share = kept.reduce((a: number, b) => a + b, 0) / 40;
    expect(share).toBeGreaterThan(0.25);
    expect(share).toBeLessThan(0.75);
  });
});
