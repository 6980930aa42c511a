import { describe, expect, test } from 'vitest';
import {
  AdamW,
  crossEntropy,
  fit,
  inference,
  parameterCount,
  parameters,
  stateOf,
  training,
} from '../../src/nn/index.js';
import { Random, scope, type Tensor, tensor, zeros } from '../../src/tensor/index.js';
import { compile, cost } from '../../src/trace/index.js';
import { fadingAt, VanillaNet, type VanillaNetOptions, vanillaNets } from '../../src/vision/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

function release(model: VanillaNet): void {
  for (const tensor of Object.values(stateOf(model))) tensor.dispose();
}

function countOf(options: VanillaNetOptions): number {
  const model = new VanillaNet(options, new Random(0));
  const count = parameterCount(model);
  release(model);
  return count;
}

const tiny: VanillaNetOptions = { dims: [8, 12, 16], strides: [2, 1], channels: 3, classes: 5 };

/** A network with running statistics that are nothing special. */
function seasoned(options: VanillaNetOptions): VanillaNet {
  const model = new VanillaNet(options, new Random(3));
  const random = new Random(4);
  for (const [name, weight] of Object.entries(stateOf(model)))
    if (name !== 'slope')
      weight.assign(
        name.endsWith('runningVariance') ? random.uniform(weight.shape, 0.5, 2) : random.normal(weight.shape, 0.1, 0.3),
      );
  return model;
}

describe('published counts, 224² and 1000 classes', () => {
  const published: readonly [keyof typeof vanillaNets, number | undefined, number, number][] = [
    ['vanillanet-5', 22_328_800, 15_523_304, 5_161_185_280],
    ['vanillanet-6', 56_116_704, 32_509_416, 5_993_103_360],
    ['vanillanet-7', 56_670_176, 32_797_672, 6_893_862_912],
    ['vanillanet-8', 65_175_520, 37_096_424, 7_735_615_488],
    ['vanillanet-9', 73_680_864, 41_395_176, 8_577_368_064],
    ['vanillanet-10', 82_186_208, 45_693_928, 9_419_120_640],
    ['vanillanet-11', 90_691_552, 49_992_680, 10_260_873_216],
    ['vanillanet-12', 99_196_896, 54_291_432, 11_102_625_792],
    ['vanillanet-13', 107_702_240, 58_590_184, 11_944_378_368],
    ['vanillanet-13-1.5x', undefined, 127_796_200, 26_548_445_184],
    ['vanillanet-13-1.5x-ada', undefined, 127_796_200, 48_982_528_512],
  ];
  test.each(published)('%s', (name, trained, merged, multiplyAdds) => {
    if (trained !== undefined) expect(countOf({ ...vanillaNets[name], form: 'deep' })).toBe(trained);
    const options: VanillaNetOptions = { ...vanillaNets[name], form: 'merged' };
    expect(countOf(options)).toBe(merged);
    expect(multiplyAddsOf(options, 224)).toBe(multiplyAdds);
  });

  test('nano at 28²', () => {
    const options = { ...vanillaNets['vanillanet-nano'], channels: 1, classes: 10 };
    expect([countOf(options), countOf({ ...options, form: 'merged' })]).toEqual([30_796, 23_466]);
    const macs = (form: 'deep' | 'merged') => {
      const model = new VanillaNet({ ...options, form }, new Random(0));
      return cost((x) => model.forward(x, inference), [zeros([1, 1, 28, 28])], parameters(model)).multiplyAdds;
    };
    expect([macs('deep'), macs('merged')]).toEqual([499_268, 361_952]);
  });
});

/**
 * By the sizes of the maps: convolutions and depthwise windows. A pass at full size would take half
 * a minute.
 */
function multiplyAddsOf(
  { dims, strides, stem, poolTo, classes = 1000, channels = 3 }: VanillaNetOptions,
  size: number,
): number {
  const { kernel, stride, padding } = stem ?? { kernel: 4, stride: 4, padding: 0 };
  const width = (at: number) => dims[at] as number;
  let side = Math.floor((size + 2 * padding - kernel) / stride) + 1;
  let total = side ** 2 * width(0) * (channels * kernel ** 2 + 49);
  strides.forEach((step, i) => {
    total += side ** 2 * width(i) * width(i + 1);
    side = poolTo?.[i] ?? Math.floor(side / step);
    total += side ** 2 * width(i + 1) * 49;
  });
  return total + width(strides.length) * classes;
}

test('the merged network equals the trained one once λ is 1, and merging before is an error', () => {
  const model = seasoned(tiny);
  const x = uniformTensor(1, [2, 3, 32, 32]);
  expect(() => model.merged()).toThrow('λ is 1, it is 0');
  model.lambda = 0.5;
  expect(() => model.merged()).toThrow('it is 0.5');
  const before = model.forward(x, inference).dataSync();
  model.lambda = 1;
  const whole = model.forward(x, inference).dataSync();
  expect(before.some((value, i) => Math.abs(value - (whole[i] as number)) > 1e-3)).toBe(true);
  const merged = model.merged();
  const largest = Math.max(...whole.map(Math.abs));
  expectClose(
    merged
      .forward(x, inference)
      .dataSync()
      .map((v) => v / largest),
    whole.map((v) => v / largest),
    1e-4,
  );
  expectClose(
    compile((y) => merged.forward(y, inference), [x])
      .run(x)[0]
      ?.dataSync() as Float32Array,
    whole,
    1e-4,
  );
  expect(() => {
    merged.lambda = 1;
  }).toThrow('the deep form alone');
});

test('a shallow network, one without windows and one that pools to given sizes merge too', () => {
  const x = uniformTensor(1, [1, 3, 40, 40]);
  for (const options of [
    { ...tiny, form: 'shallow' },
    { ...tiny, form: 'shallow', series: 0 },
    { ...tiny, form: 'shallow', poolTo: [undefined, 3], stem: { kernel: 4, stride: 3, padding: 1 } },
  ] as const) {
    const model = seasoned(options);
    expectClose(model.merged().forward(x, inference).dataSync(), model.forward(x, inference).dataSync(), 1e-4);
  }
});

test('series activation: the sum over a window of activated inputs, by its definition', () => {
  const model = new VanillaNet(
    {
      dims: [4, 4],
      strides: [1],
      channels: 2,
      classes: 3,
      form: 'merged',
      series: 2,
    },
    new Random(1),
  );
  const { stemActivation: activation } = model;
  activation.bias?.assign(Float32Array.of(0.1, 0.2, 0.3, 0.4));
  const x = uniformTensor(2, [1, 4, 5, 6]);
  const at = (c: number, h: number, w: number) =>
    h < 0 || h > 4 || w < 0 || w > 5 ? 0 : Math.max(0, x.view()[(c * 5 + h) * 6 + w] as number);
  const weight = activation.weight?.dataSync() as Float32Array;
  const expected = Float32Array.from({ length: 120 }, (_, index) => {
    const [c, h, w] = [Math.floor(index / 30), Math.floor(index / 6) % 5, index % 6];
    let sum = 0.1 * (c + 1);
    for (let i = -2; i <= 2; i++)
      for (let j = -2; j <= 2; j++) sum += (weight[(c * 5 + i + 2) * 5 + j + 2] as number) * at(c, h + i, w + j);
    return sum;
  });
  expectClose(activation.forward(x, inference).dataSync(), expected);
});

test('λ rises with the steps, the loss stays finite, gradients are right on the way', async () => {
  expect([0, 5, 10, 30].map((step) => fadingAt(step, 30))).toEqual([0, 0.5, 1, 1]);
  const model = new VanillaNet(tiny, new Random(1));
  const x = uniformTensor(1, [4, 3, 16, 16]);
  const labels = tensor([0, 1, 2, 3], [4], 'i32');
  const seen: number[] = [];
  const { history } = await fit({
    model,
    loss: (live, _: undefined, mode) => crossEntropy(live.forward(x, mode), labels),
    optimizer: new AdamW({ learningRate: 1e-2 }),
    epochs: 30,
    random: new Random(2),
    onStep: (step) => {
      model.lambda = fadingAt(step, 30);
      seen.push(model.lambda);
    },
  });
  expect([seen[0], seen[5], seen.at(-1)]).toEqual([0, 0.5, 1]);
  expect(history.every(({ loss }) => Number.isFinite(loss))).toBe(true);
  expect(history.at(-1)?.loss).toBeLessThan(0.5 * (history[0]?.loss as number));
  const deep = seasoned({ ...tiny, strides: [1, 1] });
  deep.lambda = 0.3;
  checkGradient((input: Tensor) => deep.forward(input, inference), [uniformTensor(5, [1, 3, 4, 4])], {
    second: false,
    step: 1e-3,
    tolerance: 2e-2,
  });
  scope(() => expect(deep.forward(x, training(new Random(1))).shape).toEqual([4, 5]));
});

test('dims and strides that do not fit are an error', () => {
  expect(() => new VanillaNet({ dims: [8, 8], strides: [1, 1] }, new Random(1))).toThrow(
    '2 strides need 3 dims, got 2',
  );
});
