import { describe, expect, test } from 'vitest';
import { brokenNets } from '../../src/experiments/protocols/plain-networks.js';
import {
  AdaDelta,
  type BatchNorm2d,
  buffers,
  Dropout2d,
  gradientsOf,
  inference,
  milestones,
  parameter,
  parameterCount,
  parameters,
  stateOf,
  training,
} from '../../src/nn/index.js';
import { ones, Random, scope, type Tensor, tensor, zeros } from '../../src/tensor/index.js';
import { cost } from '../../src/trace/index.js';
import {
  checkPrinciples,
  imageModel,
  loadPublished,
  SimpleNet,
  type SimpleNetOptions,
  simpleNetExtraPool,
  simpleNets,
  simpleNetTraining,
} from '../../src/vision/index.js';
import { expectClose, uniformTensor } from '../oracle.js';
import { convolved, type Map3, mapOf, maxPooled, normed, rectified, type Weights } from './naive.js';

const tiny: SimpleNetOptions = { layers: [4, 'pool', [6, 1], 5], strides: [2], channels: 2, classes: 3 };

/** A network whose statistics, scales and biases are nothing special. */
function seasoned(options: SimpleNetOptions): SimpleNet {
  const model = new SimpleNet(options, new Random(3));
  const random = new Random(4);
  for (const [name, weight] of Object.entries(stateOf(model))) {
    if (name.endsWith('runningVariance')) weight.assign(random.uniform(weight.shape, 0.5, 2));
    else if (name.endsWith('norm.weight')) weight.assign(random.uniform(weight.shape, 0.5, 1.5));
    else if (weight.rank === 1) weight.assign(random.normal(weight.shape, 0.1, 0.3));
  }
  return model;
}

/** Multiply-adds by the sizes of the maps; a pass at 224² would take seconds. */
function multiplyAddsOf(
  { layers, strides = [], width = 1, channels = 3, classes = 1000 }: SimpleNetOptions,
  size: number,
) {
  let [side, last, total] = [size, channels, 0];
  layers.forEach((layer, at) => {
    if (layer === 'pool') {
      side = Math.floor(side / 2);
      return;
    }
    const [wanted, kernel] = typeof layer === 'number' ? [layer, 3] : layer;
    side = Math.ceil(side / (strides[at] ?? 1));
    total += side ** 2 * kernel ** 2 * last * wanted * width;
    last = wanted * width;
  });
  return total + last * classes;
}

describe('published counts', () => {
  const counted = (options: SimpleNetOptions, size: number) => {
    const model = new SimpleNet(options, new Random(0));
    const count = parameterCount(model);
    const { channels = 3 } = options;
    const macs = cost((x) => model.forward(x, inference), [zeros([1, channels, size, size])], parameters(model));
    for (const weight of Object.values(stateOf(model))) weight.dispose();
    expect(macs.multiplyAdds).toBe(multiplyAddsOf(options, size));
    return [count, macs.multiplyAdds];
  };
  const of = (name: string) => simpleNets[name] as SimpleNetOptions;

  test.each([
    ['simplenet-310k', 3, 10, 32, 312_362, 55_788_160],
    ['simplenet-310k', 1, 10, 28, 311_210, 41_334_400],
    ['simplenet-460k', 3, 10, 32, 385_790, 73_189_864],
    ['simplenet-5m', 3, 10, 32, 5_498_378, 652_151_296],
    ['simplenet-5m', 3, 100, 32, 5_521_508, 652_174_336],
    ['simplenet-5m', 1, 10, 28, 5_497_226, 488_238_592],
    ['simplenet-nano', 1, 10, 28, 87_738, 4_382_816],
    ['simplenet-in1.5m-m1', 3, 1000, 224, 1_506_792, 340_923_392],
  ])('%s, %d channels, %d classes, %d²', (name, channels, classes, size, count, macs) => {
    expect(counted({ ...of(name), channels, classes }, size)).toEqual([count, macs]);
  });

  test.each([
    ['simplenet-in1.5m-m2', 1_506_792, 427_627_520],
    ['simplenet-in3m-m1', 3_287_272, 758_853_120],
    ['simplenet-in3m-m2', 3_287_272, 953_937_408],
    ['simplenet-in5m-m1', 5_752_808, 1_341_761_536],
    ['simplenet-in5m-m2', 5_752_808, 1_688_578_048],
    ['simplenet-in9m-m1', 9_508_968, 2_774_249_984],
    ['simplenet-in9m-m2', 9_508_968, 3_554_587_136],
  ])('%s at 224²', (name, count, macs) => {
    const model = new SimpleNet(of(name), new Random(0));
    expect(parameterCount(model)).toBe(count);
    for (const weight of Object.values(stateOf(model))) weight.dispose();
    expect(multiplyAddsOf(of(name), 224)).toBe(macs);
  });

  test('every preset has thirteen convolutions; the modes shrink maps ever later', () => {
    for (const { layers } of [...Object.values(simpleNets), simpleNetExtraPool])
      expect(layers.filter((layer) => layer !== 'pool')).toHaveLength(13);
    const macs = [1, 2, 3, 4, 0].map((mode) => multiplyAddsOf(of(`simplenet-in5m-m${mode}`), 224));
    expect(macs).toEqual([...macs].sort((a, b) => a - b));
    expect(new Set(macs).size).toBe(5);
  });

  test('channels are rounded, halves to even', () => {
    const widths = [3, 5, 7].map((channels) => new SimpleNet({ layers: [channels], width: 0.5 }, new Random(0)));
    expect(widths.map(({ convs }) => convs[0]?.conv.outChannels)).toEqual([2, 2, 4]);
  });
});

/** The network at inference by plain loops. */
function outputs(x: Map3, w: Weights, { layers, strides = [], tailNorm = true }: SimpleNetOptions): number[] {
  const count = layers.filter((layer) => layer !== 'pool').length;
  let [y, at] = [x, 0];
  layers.forEach((layer, i) => {
    if (layer === 'pool') {
      y = maxPooled(y, 2);
      return;
    }
    const name = `convs.${at}`;
    const padding = typeof layer === 'number' ? 1 : 0;
    y = convolved(y, w(`${name}.conv.weight`), { bias: w(`${name}.conv.bias`), stride: strides[i] ?? 1, padding });
    if (tailNorm || at < count - 3) y = normed(y, w, `${name}.norm`, 1e-5);
    y = rectified(y);
    at += 1;
  });
  const [{ data, shape }, bias] = [w('classifier.weight'), w('classifier.bias').data];
  const largest = y.map((plane) => Math.max(...plane.flat()));
  return Array.from({ length: shape[0] as number }, (_, c) =>
    largest.reduce((sum, value, k) => sum + value * (data[c * largest.length + k] as number), bias[c] as number),
  );
}

const weightsOf = (model: object): Weights => {
  const state = stateOf(model);
  return (name) => ({ data: (state[name] as Tensor).dataSync(), shape: (state[name] as Tensor).shape });
};

test.each([
  ['tiny', tiny, 12],
  [
    'without norms at its end',
    { ...tiny, layers: [4, 'pool', 5, [6, 1], 5, 4], tailNorm: false } as SimpleNetOptions,
    12,
  ],
  ['nano', { ...simpleNets['simplenet-nano'], channels: 1, classes: 10 } as SimpleNetOptions, 28],
])('inference equals plain loops, and the merged network equals it: %s', (_name, options, size) => {
  const model = seasoned(options);
  const { channels = 3 } = options;
  const x = uniformTensor(1, [1, channels, size, size]);
  const expected = outputs(mapOf(x.dataSync(), [channels, size, size]), weightsOf(model), options);
  const scale = Math.max(...expected.map(Math.abs));
  const relative = (y: Tensor) => y.dataSync().map((value) => value / scale);
  expectClose(
    relative(model.forward(x, inference)),
    expected.map((value) => value / scale),
    1e-4,
  );
  const merged = model.merged();
  expect(Object.keys(buffers(merged))).toEqual([]);
  expect(merged.merged()).toBe(merged);
  expectClose(
    relative(merged.forward(x, inference)),
    expected.map((value) => value / scale),
    1e-4,
  );
});

test('gradients in training are those of central differences, through norms and the largest values', () => {
  const model = seasoned({ ...tiny, layers: [4, 5, 'pool', [6, 1], 4] });
  const x = uniformTensor(1, [2, 2, 8, 8]);
  const probe = uniformTensor(2, [2, 3], 0.5, 1.5);
  const loss = (live: SimpleNet) =>
    live
      .forward(x, training(new Random(1)))
      .multiply(probe)
      .sum();
  const { gradients } = gradientsOf(model, loss);
  for (const [name, weight] of Object.entries(parameters(model))) {
    const [values, gradient] = [weight.view(), (gradients[name] as Tensor).view()];
    for (const at of [0, weight.size - 1]) {
      const [before, h] = [values[at] as number, 2e-3];
      const [above, below] = [h, -h].map((by) => {
        values[at] = before + by;
        return scope(() => loss(model).item());
      }) as [number, number];
      values[at] = before;
      const expected = (above - below) / (2 * h);
      expect(Math.abs((gradient[at] as number) - expected), `${name}[${at}]`).toBeLessThan(
        0.03 * Math.abs(expected) + 0.02,
      );
    }
  }
});

test('the head takes the largest value of a map, and no other', () => {
  const model = new SimpleNet({ layers: [2], channels: 1, classes: 2, form: 'merged' }, new Random(1));
  const [conv] = model.convs;
  // A convolution that passes the image to both channels.
  conv?.conv.weight.assign(Float32Array.from({ length: 18 }, (_, i) => Number(i % 9 === 4)));
  conv?.conv.bias?.assign(zeros([2]));
  const image = Float32Array.from({ length: 16 }, (_, i) => 1 + ((i * 7) % 16));
  const logits = model.forward(tensor(image, [1, 1, 4, 4]), inference).dataSync();
  const largest = Math.max(...image);
  const lower = image.map((value) => (value === largest ? value : value - 0.5));
  expect(model.forward(tensor(lower, [1, 1, 4, 4]), inference).dataSync()).toEqual(logits);
  const { gradients } = gradientsOf({ x: parameter(tensor(image, [1, 1, 4, 4])) }, ({ x }) =>
    model.forward(x, inference).sum(),
  );
  expect((gradients.x as Tensor).view().filter((g) => g !== 0)).toHaveLength(1);
});

test('a batch moves the running statistics by 0.05', () => {
  const model = new SimpleNet(tiny, new Random(1));
  const { conv, norm } = model.convs[0] as unknown as { conv: { forward(x: Tensor): Tensor }; norm: BatchNorm2d };
  const x = uniformTensor(5, [3, 2, 12, 12]);
  model.forward(x, training(new Random(2)));
  const y = conv.forward(x).dataSync();
  const plane = y.length / (3 * 4);
  const first = Float64Array.from(
    { length: 3 * plane },
    (_, i) => y[Math.floor(i / plane) * 4 * plane + (i % plane)] as number,
  );
  const mean = first.reduce((a, b) => a + b) / first.length;
  const variance = first.reduce((a, b) => a + (b - mean) ** 2, 0) / first.length;
  expect(norm.runningMean.view()[0]).toBeCloseTo(0.05 * mean, 6);
  expect(norm.runningVariance.view()[0]).toBeCloseTo(0.95 + (0.05 * variance * first.length) / (first.length - 1), 5);
});

test('initial weights are uniform with variance 4/(fan-in + fan-out)', () => {
  const { weight } = (
    new SimpleNet(simpleNets['simplenet-310k'] as SimpleNetOptions, new Random(1)).convs[9] as never as {
      conv: { weight: Tensor };
    }
  ).conv;
  const [out, inner] = weight.shape as [number, number];
  const total = 9 * (out + inner);
  const values = weight.view();
  expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(Math.sqrt(12 / total));
  const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
  expect(Math.abs(variance * (total / 4) - 1)).toBeLessThan(0.05);
});

describe('Dropout2d', () => {
  test('zeroes whole maps and keeps the mean', () => {
    const x = ones([40, 50, 3, 2]);
    const y = new Dropout2d(0.25).forward(x, training(new Random(1))).dataSync();
    const maps = Array.from({ length: 2000 }, (_, k) => [...y.slice(6 * k, 6 * k + 6)]);
    for (const map of maps) expect(new Set(map).size).toBe(1);
    const dropped = maps.filter(([first]) => first === 0).length;
    expect(Math.abs(dropped / 2000 - 0.25)).toBeLessThan(0.04);
    expect(maps.find(([first]) => first !== 0)?.[0]).toBeCloseTo(1 / 0.75, 6);
    expect(new Dropout2d(0.25).forward(x, inference)).toBe(x);
  });

  test('follows the layers that it is asked for, the global pooling too', () => {
    const x = uniformTensor(1, [1, 2, 12, 12]);
    const logits = (dropout: Record<number, number>, mode = training(new Random(1))) => [
      ...new SimpleNet({ ...tiny, dropout, form: 'merged' }, new Random(1)).forward(x, mode).dataSync(),
    ];
    const plain = logits({});
    for (const at of [0, 1, 4]) {
      expect(logits({ [at]: 0.9 })).not.toEqual(plain);
      expect(logits({ [at]: 0.9 }, inference)).toEqual(logits({}, inference));
    }
  });
});

test('AdaDelta by its formulas', () => {
  const w = parameter(zeros([5]));
  const optimizer = new AdaDelta({ learningRate: 0.1, rho: 0.9, epsilon: 1e-3 });
  const expected = [-0.00995037, -0.01649942, -0.00293684];
  [1, 0.5, -2].forEach((g, step) => {
    optimizer.update({ w }, { w: tensor(new Float32Array(5).fill(g)) });
    expectClose(w.view(), new Array(5).fill(expected[step]), 1e-7);
  });
  const decayed = parameter(tensor(new Float32Array(5).fill(2)));
  new AdaDelta({ learningRate: 1, epsilon: 1e-3, weightDecay: 0.5 }).update({ w: decayed }, { w: zeros([5]) });
  // g = λw = 1: Δ = √(ε/(0.1 + ε))·1.
  expectClose(decayed.view(), new Array(5).fill(2 - Math.sqrt(1e-3 / 0.101)), 1e-6);
  expect(() => new AdaDelta({ rho: 1 })).toThrow('ρ must be in [0, 1)');
});

test('the recipe drops the rate after 100, 190, 306, 390 and 440 of 540 epochs', () => {
  const rate = simpleNetTraining.schedule(540 * 7);
  [0, 699, 700, 1329, 1330, 2142, 2730, 3080, 3779].forEach((step, i) => {
    expect(rate(step)).toBeCloseTo([1, 1, 0.1, 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-5][i] as number, 9);
  });
  expect(milestones([2], 0.5)(2)).toBe(0.5);
});

test('principles that can be read off the layers', () => {
  for (const name of ['simplenet-nano', 'simplenet-310k', 'simplenet-460k', 'simplenet-5m', 'simplenet-in5m-m2'])
    expect(checkPrinciples(simpleNets[name] as SimpleNetOptions)).toEqual([]);
  const broken = (layers: SimpleNetOptions['layers']) => checkPrinciples({ layers }).map(({ text }) => text);
  expect(broken([8, 8, 40, 8])).toEqual([
    'layer 2 has 40 channels, the spatial convolution before it 8',
    'layer 3 has 8 channels, the spatial convolution before it 40',
  ]);
  expect(broken([[8, 1], 8, 8])).toEqual(['layer 0, in the first third, is a 1×1 convolution']);
  expect(broken([8, 'pool', 8, 8])).toEqual(['layer 1 pools before the third convolution']);
  expect(broken([8, 8, 'pool', 8, 'pool', 'pool', 8, 'pool', 'pool', 8])).toEqual([
    'there are 5 poolings, more than 4',
  ]);
});

test('heavy rivals have the parameters and multiply-adds of the comparison', () => {
  const rivals = {
    'vgg16-small': [923_898, 12_905_984],
    'googlenet-small': [389_898, 18_841_408],
  };
  for (const [name, expected] of Object.entries(rivals)) {
    const model = imageModel(name, { channels: 1, classes: 10, size: 28, width: 0.25 }, new Random(1));
    const { multiplyAdds } = cost((x) => model.forward(x, inference), [zeros([1, 1, 28, 28])], parameters(model));
    expect([parameterCount(model), multiplyAdds], name).toEqual(expected);
  }
});

test('networks that break a principle have the counts of the comparison, and none pools a map away', () => {
  const expected = [
    ['pooled early', 87_738, 1_277_024],
    ['strides, not poolings', 87_738, 4_619_360],
    ['equal widths', 81_124, 7_417_544],
    ['5×5 kernels', 93_240, 4_906_288],
    ['1×1 kernels early', 79_626, 3_951_200],
    ['eight layers', 70_186, 3_242_480],
  ];
  const counts = Object.entries(brokenNets).map(([name, options]) => {
    const own = { ...options, channels: 1, classes: 10 };
    const model = new SimpleNet(own, new Random(0));
    const { multiplyAdds } = cost((x) => model.forward(x, inference), [zeros([1, 1, 28, 28])], parameters(model));
    return [name, parameterCount(model), multiplyAdds];
  });
  expect(counts).toEqual(expected);
});

describe('what is refused', () => {
  test('images that the poolings leave nothing of, naming the layer and the size', () => {
    const model = new SimpleNet(
      { ...simpleNets['simplenet-310k'], width: 0.1, classes: 2 } as SimpleNetOptions,
      new Random(1),
    );
    expect(() => model.forward(zeros([1, 3, 15, 15]), inference)).toThrow(
      'SimpleNet: layer 15 pools maps of 1×1; images of at least 16 pixels a side are needed',
    );
    expect(model.forward(zeros([1, 3, 16, 16]), inference).shape).toEqual([1, 2]);
    expect(() => imageModel('simplenet-310k', { channels: 1, classes: 2, size: 12 }, new Random(1))).toThrow(
      'takes images that are at least 16 pixels a side; these are 12×12',
    );
  });

  test('layers and widths that make no network', () => {
    expect(() => new SimpleNet({ layers: [4, 'pool'] }, new Random(1))).toThrow('the last layer must be a convolution');
    expect(() => new SimpleNet({ layers: [4], width: 0 }, new Random(1))).toThrow('must be positive, got 0');
  });
});

describe('the authors’ weights', () => {
  /** A checkpoint as PyTorch writes it: dropout takes a place in the sequence, where there is any. */
  const published = (model: SimpleNet, dropoutBeforePools: boolean) => {
    const { layers } = model.options;
    const state = stateOf(model);
    const entries: [string, Tensor][] = [];
    let [place, conv] = [0, 0];
    layers.forEach((layer, at) => {
      if (layer === 'pool') {
        place += 2;
        return;
      }
      const put = (part: string, to: number, names: Record<string, string>) => {
        for (const [ours, theirs] of Object.entries(names)) {
          const { shape } = state[`convs.${conv}.${part}.${ours}`] as Tensor;
          entries.push([`features.${place + to}.${theirs}`, new Random(entries.length).normal(shape)]);
        }
      };
      put('conv', 0, { weight: 'weight', bias: 'bias' });
      const statistics = { runningMean: 'running_mean', runningVariance: 'running_var' };
      put('norm', 1, { weight: 'weight', bias: 'bias', ...statistics });
      entries.push([`features.${place + 1}.num_batches_tracked`, zeros([1])]);
      const isBare = (layers[at + 1] === 'pool' && !dropoutBeforePools) || at === layers.length - 1;
      place += isBare ? 3 : 4;
      conv += 1;
    });
    for (const field of ['weight', 'bias'])
      entries.push([
        `classifier.${field}`,
        new Random(entries.length).normal((state[`classifier.${field}`] as Tensor).shape),
      ]);
    return Object.fromEntries(entries);
  };
  const slim = (options: SimpleNetOptions) => new SimpleNet({ ...options, width: 1 / 16, classes: 4 }, new Random(1));

  test.each([
    ['simplenet-310k', false],
    ['simplenet-5m', true],
    ['simplenet-in5m-m1', true],
  ])('%s', (name, dropout) => {
    const model = slim(simpleNets[name] as SimpleNetOptions);
    const checkpoint = published(model, dropout);
    loadPublished(model, checkpoint);
    const convs = Object.entries(checkpoint).filter(([, { rank }]) => rank === 4);
    convs.forEach(([place, weight], i) => {
      expect(model.convs[i]?.conv.weight.view()).toEqual(weight.view());
      const norm = place.replace(/\d+\.weight$/, (rest) => `${Number.parseInt(rest, 10) + 1}.running_var`);
      expect(model.convs[i]?.norm?.runningVariance.view()).toEqual((checkpoint[norm] as Tensor).view());
    });
    expect(model.classifier.weight.view()).toEqual((checkpoint['classifier.weight'] as Tensor).view());
  });

  test('the network with a fifth pooling is told by its places, though its weights would fit', () => {
    const checkpoint = published(slim(simpleNetExtraPool), true);
    const model = slim(simpleNets['simplenet-5m'] as SimpleNetOptions);
    expect(() => loadPublished(model, checkpoint)).toThrow('pools after convolution 10, unlike the network');
    loadPublished(slim(simpleNetExtraPool), checkpoint);
    const few = Object.fromEntries(Object.entries(checkpoint).slice(7));
    expect(() => loadPublished(model, few)).toThrow('12 convolutions, the network 13');
  });
});
