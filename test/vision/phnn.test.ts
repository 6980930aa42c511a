import { describe, expect, test } from 'vitest';
import { glyphImages, type ImageDataset, readSafetensors } from '../../src/data/index.js';
import { imageArms, imagesOfSide, parameterStudy } from '../../src/experiments/protocols/hypercomplex-arms.js';
import { recoverAlgebra, recoveredRules } from '../../src/experiments/protocols/hypercomplex-recovery.js';
import { shrunkImages } from '../../src/experiments/protocols/images.js';
import { findSystem } from '../../src/experiments/systems.js';
import { accuracyOn } from '../../src/models/index.js';
import { gradientsOf, inference, parameterCount, parameters, stateOf, toPlain, training } from '../../src/nn/index.js';
import { permuteOp, Random, scope, type Tensor, tensor, zeros } from '../../src/tensor/index.js';
import { compile, cost, exportOnnx, importOnnx, trace } from '../../src/trace/index.js';
import {
  EventNet,
  eventNets,
  ImageClassifier,
  imageModel,
  PHResNet,
  PHSeriesNet,
  PHVGG,
  phResNets,
  phVGGs,
  stemChannels,
  withFrontChannels,
} from '../../src/vision/index.js';
import { testClaims } from '../experiments/claim-tests.js';
import { checkModelGradient, expectClose, uniformTensor } from '../oracle.js';
import { convolved, type Map3, mapOf, normed, plus, pooled, rectified, type Values, type Weights } from './naive.js';

const dispose = (model: object) => {
  for (const weight of Object.values(stateOf(model))) weight.dispose();
};

describe('parameters, as counted from the authors’ code', () => {
  const count = (make: () => object) => {
    const model = make();
    const total = parameterCount(model);
    dispose(model);
    return total;
  };
  const resNet = (name: string, n: number, bias = false, widths?: readonly number[]) =>
    count(() => {
      const options = { ...phResNets[name], ...(widths && { widths }), n, channels: n % 2 === 0 ? 4 : 3 };
      const model = new PHResNet(options as never, new Random(0));
      if (bias) return model;
      return model;
    });
  /** Outputs of all convolutions: the biases that the authors' layers hold and never add. */
  const biases = { 'phc-resnet18': 4680, 'phc-resnet50': 25_692 } as Readonly<Record<string, number>>;

  test.each([
    ['phc-resnet18', [10_877_062, 5_450_906, 3_640_594, 2_736_258]],
    ['phc-resnet50', [22_538_086, 11_331_446, 7_587_841, 5_717_766]],
  ])('%s', (name, [real, ...shared]) => {
    expect(resNet(name, 1)).toBe(real);
    shared.forEach((expected, i) => {
      expect(resNet(name, i + 2), `n = ${i + 2}`).toBe(expected - (biases[name] as number));
    });
  });

  test('ResNet-152', () => {
    // 71,772 biases.
    expect(resNet('phc-resnet152', 4)).toBe(13_451_334 - 71_772);
  });

  test('ResNet-50 with the usual widths', () => {
    const widths = [64, 128, 256, 512];
    expect(resNet('phc-resnet50', 1, false, widths)).toBe(23_520_842);
    expect(resNet('phc-resnet50', 4, false, widths)).toBe(5_965_514 - 26_560);
    expect(() => resNet('phc-resnet50', 3, false, widths)).toThrow(
      'n = 3 does not divide 64 outputs; the nearest are 63 and 66',
    );
  });

  test('quaternion ResNets', () => {
    for (const [name, expected] of [
      ['phc-resnet18', 2_730_298],
      ['phc-resnet50', 5_688_682],
    ] as const)
      expect(
        count(() =>
          imageModel(name, { channels: 3, classes: 10, size: 32, settings: { n: 4, preset: 1 } }, new Random(0)),
        ),
      ).toBe(expected);
  });

  test.each([
    [1, 29_806_930],
    [2, 14_916_178],
    [3, 9_952_744],
    [4, 7_471_630],
  ])('VGG-19, n = %i', (n, expected) => {
    const channels = n % 2 === 0 ? 4 : 3;
    expect(count(() => new PHVGG({ ...phVGGs['phc-vgg19'], n, channels } as never, new Random(0)))).toBe(expected);
  });

  test('the study finds 1/n and n³ a layer, and nothing beyond', () => {
    const { scores, studies } = scope(() => parameterStudy());
    expect(Object.values(scores)).toEqual([0]);
    expect(studies[0]?.rows).toHaveLength(6);
  });
});

/** A network whose statistics and scales are nothing special. */
function seasoned<M extends object>(model: M): M {
  const random = new Random(4);
  for (const [name, weight] of Object.entries(stateOf(model))) {
    if (name.endsWith('runningVariance')) weight.assign(random.uniform(weight.shape, 0.5, 2));
    else if (/(norm|bn\d|downsample\.1)\.weight$/.test(name)) weight.assign(random.uniform(weight.shape, 0.5, 1.5));
    else if (weight.rank === 1) weight.assign(random.normal(weight.shape, 0.1, 0.3));
  }
  return model;
}

/** Weights by name; of hypercomplex layers H, by loops. */
function weightsOf(model: object): Weights {
  const state = stateOf(model);
  return (name) => {
    const own = state[name];
    if (own) return { data: own.dataSync(), shape: own.shape };
    const [algebra, filters] = ['algebra', 'filters'].map((part) => state[name.replace('weight', part)] as Tensor) as [
      Tensor,
      Tensor,
    ];
    const [n, outer, inner, height, width] = filters.shape as [number, number, number, number, number];
    const [a, f] = [algebra.dataSync(), filters.dataSync()];
    const data = new Float64Array(n * outer * n * inner * height * width);
    data.forEach((_, at) => {
      const k = at % (height * width);
      const c = Math.floor(at / (height * width)) % (n * inner);
      const o = Math.floor(at / (height * width * n * inner));
      const [i, p, j, q] = [Math.floor(o / outer), o % outer, Math.floor(c / inner), c % inner];
      for (let m = 0; m < n; m++)
        data[at] =
          (data[at] as number) +
          (a[(m * n + i) * n + j] as number) * (f[((m * outer + p) * inner + q) * height * width + k] as number);
    });
    return { data, shape: [n * outer, n * inner, height, width] };
  };
}

function linearOf(x: Map3, { data, shape }: Values, bias: Values): number[] {
  const flat = x.flat(2);
  return Array.from({ length: shape[0] as number }, (_, o) =>
    flat.reduce((sum, value, c) => sum + value * (data[o * flat.length + c] as number), bias.data[o] as number),
  );
}

describe('inference by plain loops', () => {
  test.each([
    ['n = 3 on RGB', 3, 3],
    ['n = 4 with a channel of zeros in front', 4, 3],
    ['n = 2 on grey pictures', 2, 1],
  ])('ResNet, %s', (_, n, channels) => {
    const model = seasoned(new PHResNet({ blocks: [1, 1], widths: [12, 24], n, channels, classes: 3 }, new Random(1)));
    const x = uniformTensor(2, [1, channels, 6, 6]);
    const w = weightsOf(model);
    const missing = stemChannels(channels, n) - channels;
    expect(missing).toBe(n === 4 ? 1 : 0);
    const zero = Array.from({ length: missing }, () => Array.from({ length: 6 }, () => new Array<number>(6).fill(0)));
    let y: Map3 = [...zero, ...mapOf(x.dataSync(), [channels, 6, 6])];
    y = rectified(normed(convolved(y, w('stem.weight'), { padding: 1 }), w, 'norm', 1e-5));
    for (const [group, stride] of [
      [0, 1],
      [1, 2],
    ] as const) {
      const name = `groups.${group}.0`;
      const inner = rectified(
        normed(convolved(y, w(`${name}.conv1.weight`), { stride, padding: 1 }), w, `${name}.bn1`, 1e-5),
      );
      const residual = normed(convolved(inner, w(`${name}.conv2.weight`), { padding: 1 }), w, `${name}.bn2`, 1e-5);
      const shortcut =
        group === 0
          ? y
          : normed(convolved(y, w(`${name}.downsample.0.weight`), { stride }), w, `${name}.downsample.1`, 1e-5);
      y = rectified(plus(residual, shortcut));
    }
    const expected = linearOf(pooled(y), w('classifier.weight'), w('classifier.bias'));
    expectClose(model.forward(x, inference).dataSync(), expected, 1e-4);
  });

  test('zeros stand in front of normalised channels, and their column of the algebra has no gradient', () => {
    const x = uniformTensor(1, [2, 3, 2, 2]);
    const y = withFrontChannels(x, 4);
    expect(y.shape).toEqual([2, 4, 2, 2]);
    for (const image of [0, 1]) {
      expect([...y.dataSync().slice(16 * image, 16 * image + 4)]).toEqual([0, 0, 0, 0]);
      expect(y.dataSync().slice(16 * image + 4, 16 * image + 16)).toEqual(
        x.dataSync().slice(12 * image, 12 * image + 12),
      );
    }
    const model = new PHResNet({ blocks: [1], widths: [8], n: 4, classes: 2 }, new Random(1));
    const { gradients } = gradientsOf(model, (live) =>
      live
        .forward(uniformTensor(3, [2, 3, 6, 6]), training(new Random(1)))
        .square()
        .sum(),
    );
    const values = (gradients['stem.algebra'] as Tensor).dataSync();
    values.forEach((value, at) => {
      if (at % 4 === 0) expect(value).toBe(0);
    });
    expect(values.some((value) => value !== 0)).toBe(true);
  });

  test('gradients in training are those of differences', () => {
    const model = seasoned(new PHResNet({ blocks: [1], widths: [6], n: 3, classes: 2 }, new Random(1)));
    const x = uniformTensor(1, [3, 3, 5, 5]);
    const probe = uniformTensor(2, [3, 2], 0.5, 1.5);
    checkModelGradient(
      model,
      (live) =>
        live
          .forward(x, training(new Random(1)))
          .multiply(probe)
          .sum(),
      { step: 2e-3, relative: 0.05, absolute: 0.03 },
    );
  });

  test('VGG has hypercomplex hidden layers behind pooled maps', () => {
    const model = seasoned(
      new PHVGG({ layers: [1], widths: [6], hidden: 4, n: 2, channels: 2, classes: 3 }, new Random(1)),
    );
    const x = uniformTensor(2, [1, 2, 4, 4]);
    const w = weightsOf(model);
    const [conv, bias] = [w('features.0.0.0.weight'), w('features.0.0.0.bias')];
    const maps = rectified(
      normed(convolved(mapOf(x.dataSync(), [2, 4, 4]), conv, { bias, padding: 1 }), w, 'features.0.0.1', 1e-5),
    );
    const halves = maps.map((plane) =>
      [0, 2].map((i) =>
        [0, 2].map((j) =>
          Math.max(...[0, 1].flatMap((a) => [0, 1].map((b) => (plane[i + a] as number[])[j + b] as number))),
        ),
      ),
    );
    const flat = (values: readonly number[]): Map3 => values.map((value) => [[value]]);
    const linear = (values: Map3, at: number) => {
      const { algebra, filters } = model.hidden[at] as unknown as { algebra: Tensor; filters: Tensor };
      const [, outer, inner] = filters.shape as [number, number, number];
      const [a, f] = [algebra.dataSync(), filters.dataSync()];
      const data = Float64Array.from({ length: 4 * outer * inner }, (_, place) => {
        const [o, c] = [Math.floor(place / (2 * inner)), place % (2 * inner)];
        const block = Math.floor(o / outer) * 2 + Math.floor(c / inner);
        return [0, 1].reduce(
          (sum, m) =>
            sum + (a[m * 4 + block] as number) * (f[(m * outer + (o % outer)) * inner + (c % inner)] as number),
          0,
        );
      });
      return flat(
        linearOf(values, { data, shape: [2 * outer, 2 * inner] }, w(`hidden.${at}.bias`)).map((value) =>
          Math.max(0, value),
        ),
      );
    };
    const hidden = linear(linear(pooled(halves), 0), 1);
    expectClose(
      model.forward(x, inference).dataSync(),
      linearOf(hidden, w('classifier.weight'), w('classifier.bias')),
      1e-4,
    );
  });
});

describe('deployed', () => {
  const model = () => seasoned(new PHResNet({ blocks: [1, 1], widths: [6, 12], n: 3, classes: 3 }, new Random(5)));

  test('the plan and the ONNX file hold H, and compute the same as plain layers of it', () => {
    const own = model();
    const x = uniformTensor(3, [1, 3, 8, 8]);
    const expected = own.forward(x, inference).dataSync();
    const run = (y: Tensor) => own.forward(y, inference);
    const ops = trace(run, [x], stateOf(own), ({ nodes }) => nodes.map(({ op }) => op.name));
    expect(ops).not.toContain('matmul');
    expect(ops).not.toContain(permuteOp.name);
    const plan = compile(run, [x]);
    expectClose((plan.run(x)[0] as Tensor).dataSync(), expected, 1e-5);
    plan.dispose();
    const file = exportOnnx(run, [x]);
    expectClose((importOnnx(file).forward(x)[0] as Tensor).dataSync(), expected, 1e-4);
    const { multiplyAdds } = cost(run, [x], parameters(own));
    toPlain(own);
    expectClose(own.forward(x, inference).dataSync(), expected, 1e-5);
    expect(cost((y) => own.forward(y, inference), [x], parameters(own)).multiplyAdds).toBe(multiplyAdds);
  });

  test('a file holds algebras and filters alone, and reads back', () => {
    const data = glyphImages(20, 10, new Random(0));
    const classifier = ImageClassifier.create('phc-resnet8', data, new Random(1), { n: 4, preset: 1 });
    const bytes = classifier.save();
    const names = Object.keys(readSafetensors(bytes).tensors);
    expect(names.filter((name) => /^groups.*\.(conv\d|downsample\.0)\.weight$/.test(name))).toEqual([]);
    expect(names.filter((name) => name.endsWith('.filters'))).toHaveLength(8);
    const again = ImageClassifier.load(bytes);
    const x = uniformTensor(1, [2, 1, data.train.height, data.train.width]);
    expect(again.model.forward(x, inference).dataSync()).toEqual(classifier.model.forward(x, inference).dataSync());
    toPlain(classifier.model);
    const plain = ImageClassifier.load(classifier.save());
    expectClose(plain.model.forward(x, inference).dataSync(), again.model.forward(x, inference).dataSync(), 1e-5);
  });
});

test('a small network learns', async () => {
  const pixels = (count: number, random: Random) =>
    Uint8Array.from({ length: count * 3 * 64 }, (_, at) => {
      const [image, channel] = [Math.floor(at / 192), Math.floor((at % 192) / 64)];
      return Math.max(0, Math.min(255, (image % 3 === channel ? 170 : 90) + 40 * random.gaussian()));
    });
  const part = (count: number, random: Random) => ({
    count,
    channels: 3,
    height: 8,
    width: 8,
    pixels: pixels(count, random),
    labels: Int32Array.from({ length: count }, (_, i) => i % 3),
  });
  const data: ImageDataset = {
    name: 'colours',
    classes: ['red', 'green', 'blue'],
    train: part(96, new Random(1)),
    test: part(60, new Random(2)),
    mean: [0.45, 0.45, 0.45],
    deviation: [0.2, 0.2, 0.2],
  };
  const model = new PHResNet({ blocks: [1], widths: [6], n: 3, classes: 3 }, new Random(3));
  const description = {
    architecture: 'own',
    classes: data.classes,
    channels: 3,
    height: 8,
    width: 8,
    mean: data.mean,
    deviation: data.deviation,
  };
  const classifier = new ImageClassifier(description, model);
  const before = model.stem as unknown as { algebra: Tensor };
  const algebra = before.algebra.dataSync();
  await classifier.train(data, new Random(4), { epochs: 6, batchSize: 8, learningRate: 1e-2 });
  expect(accuracyOn(model, data.test, data)).toBeGreaterThan(0.9);
  expect(before.algebra.dataSync()).not.toEqual(algebra);
});

describe('sound events', () => {
  const options = {
    ...eventNets['phc-seld-nano'],
    widths: [4, 4, 8],
    recurrent: 3,
    channels: 4,
    bins: 64,
    classes: 2,
    n: 4,
  } as const;

  test('frames in, steps out; each way of time reaches each step', () => {
    const model = new EventNet(options, new Random(1));
    const x = uniformTensor(1, [2, 4, 64, 7]);
    const y = model.forward(x, inference);
    expect(y.shape).toEqual([2, 7, 2]);
    for (const [frame, step] of [
      [0, 6],
      [6, 0],
    ] as const) {
      const changed = x
        .dataSync<Float32Array>()
        .map((value, at) => (at % 7 === frame && at < 4 * 64 * 7 ? value + 5 : value));
      const after = model.forward(tensor(changed, x.shape), inference).dataSync();
      expect(after[step * 2]).not.toBe(y.dataSync()[step * 2]);
      // The other sound of the batch is as it was.
      expect(after.slice(14)).toEqual(y.dataSync().slice(14));
    }
  });

  test('the network of the paper pools time by eight', () => {
    const model = new EventNet(
      {
        ...eventNets['phc-seld'],
        widths: [8, 8, 8, 8],
        recurrent: 4,
        hidden: 6,
        channels: 8,
        bins: 128,
        classes: 3,
        n: 8,
      },
      new Random(1),
    );
    expect(model.recurrent).toHaveLength(3);
    expect(model.forward(zeros([1, 8, 128, 32]), inference).shape).toEqual([1, 4, 3]);
    expect(() => new EventNet({ ...options, pools: [[8, 1]] }, new Random(1))).toThrow(
      '3 convolutions need as many poolings, got 1',
    );
    expect(() => new EventNet({ ...options, bins: 32 }, new Random(1))).toThrow('leave none of 32 bins');
    expect(() => new EventNet({ ...options, n: 3 }, new Random(1))).toThrow('n = 3 does not divide');
  });

  test('arms of the comparison have as many parameters as they say', () => {
    const count = (name: 'phc-seld-nano' | 'phc-seld-budget', n: number) =>
      parameterCount(new EventNet({ ...eventNets[name], channels: 4, bins: 128, classes: 8, n }, new Random(0)));
    expect(count('phc-seld-nano', 4)).toBe(37_944);
    expect(Math.abs(count('phc-seld-budget', 1) / count('phc-seld-nano', 4) - 1)).toBeLessThan(0.05);
  });
});

test('series of three axes by loops', () => {
  const model = seasoned(new PHSeriesNet({ axes: 3, classes: 2, widths: [6], n: 3 }, new Random(1)));
  const x = uniformTensor(1, [1, 3, 5]);
  const [algebra, filters] = ['algebra', 'filters'].map((part) =>
    (stateOf(model)[`convs.0.${part}`] as Tensor).dataSync(),
  ) as [Float32Array, Float32Array];
  const w = weightsOf(model);
  const maps = Array.from({ length: 6 }, (_, o) => [
    Array.from({ length: 5 }, (_, t) => {
      let sum = 0;
      for (let c = 0; c < 3; c++)
        for (let k = 0; k < 3; k++)
          for (let m = 0; m < 3; m++)
            sum +=
              (algebra[(m * 3 + Math.floor(o / 2)) * 3 + c] as number) *
              (filters[(m * 2 + (o % 2)) * 3 + k] as number) *
              (t + k < 1 || t + k > 5 ? 0 : (x.dataSync()[c * 5 + t + k - 1] as number));
      return sum;
    }),
  ]);
  const expected = linearOf(
    pooled(rectified(normed(maps, w, 'norms.0', 1e-5))),
    w('classifier.weight'),
    w('classifier.bias'),
  );
  expectClose(model.forward(x, inference).dataSync(), expected, 1e-4);
});

describe('the experiment', () => {
  test('arms have the parameters that they are compared by', () => {
    const count = (title: string) => {
      const { network } = imageArms(24).find((arm) => arm.title === title) as {
        network: (shape: object, random: Random) => object;
      };
      return parameterCount(network({ channels: 3, classes: 10, size: 16 }, new Random(0)));
    };
    expect(count('real')).toBe(174_274);
    expect(count('PHC, n = 2')).toBe(88_306);
    expect(count('PHC, n = 3')).toBe(59_653);
    expect(count('PHC, n = 4')).toBe(45_682);
    expect(count('real, of as few parameters')).toBe(59_944);
    expect(count('quaternions')).toBe(45_682 - 9 * 64);
    expect(count('PHC, n = 3, algebra frozen')).toBe(59_653 - 9 * 27);
    expect(Math.abs(count('real, in 3 groups') / count('PHC, n = 3') - 1)).toBeLessThan(0.01);
  });

  test('pictures are shrunk by the mean of their blocks', () => {
    const images = {
      count: 1,
      channels: 2,
      height: 2,
      width: 4,
      pixels: Uint8Array.from([0, 2, 10, 20, 4, 6, 30, 41, ...new Array(8).fill(7)]),
      labels: Int32Array.of(3),
    };
    const small = shrunkImages(images, 2);
    expect([small.height, small.width, ...small.pixels]).toEqual([1, 2, 3, 25, 7, 7]);
    expect(() => shrunkImages(images, 3)).toThrow('images of 2×4 pixels are not shrunk by 3');
    const data = { name: 'd', classes: ['a', 'b'], train: images, test: images, mean: [0, 0], deviation: [1, 1] };
    expect(imagesOfSide({ ...data, train: { ...images, height: 4, width: 2 }, test: images }, 2).train.height).toBe(2);
  });

  test('algebras are recovered from examples: complex numbers, and a random one of n = 3', () => {
    const rules = Object.entries(recoveredRules(new Random(3))).slice(1);
    expect(rules.map(([, rule]) => rule.length)).toEqual([2, 3]);
    for (const [name, rule] of rules) {
      const { error, distance, same } = recoverAlgebra(rule, 1500, new Random(1).split(name));
      expect(same, name).toBe(true);
      expect(distance, name).toBeLessThan(rule.length === 2 ? 1e-3 : 0.3);
      if (rule.length === 2) expect(error).toBeLessThan(1e-4);
    }
  });
});

/**
 * @param lead points of learnt domains above the others
 *
 * @param time of hypercomplex networks over the real one's
 */
const phnnScores = (titles: readonly string[], lead: number, time: number) =>
  Object.fromEntries(
    titles.map((title) => {
      const learnt = /^PHC, n = \d$/.test(title);
      const score = 46 + (learnt ? lead : 0) + (title === 'PHC, n = 3' ? Math.sign(lead) : 0);
      return [title, { score, validation: score, latency: learnt ? time : 1 }];
    }),
  );
const phnnStudies = (excess: number, error: number, wrong: number) => ({
  'parameters beyond 1/n': excess,
  'recovery error': error,
  'recovery distance': error,
  'algebras not recovered': wrong,
});
const phnnImages = [
  ...['real', 'quaternions', 'PHC, n = 2', 'PHC, n = 3', 'PHC, n = 4'],
  ...['PHC, n = 3, algebra frozen', 'real, of as few parameters', 'real, in 3 groups'],
];
const phnnSounds = ['real', 'quaternions', 'PHC, n = 2', 'PHC, n = 4', 'real, of as few parameters'];

testClaims(findSystem('phnn'), [
  ...[
    ['cifar10', phnnImages],
    ['ambisonics', phnnSounds],
    ['wisdm', ['real', 'quaternions', 'PHC, n = 3']],
  ].map(([data, titles]) => ({
    data: data as string,
    holding: { methods: phnnScores(titles as string[], 3, 1), studies: phnnStudies(0, 1e-7, 0) },
    failing: { methods: phnnScores(titles as string[], -3, 2), studies: phnnStudies(27, 0.1, 1) },
  })),
  {
    data: 'cifar10',
    options: { width: 24, epochs: 30 },
    holding: { methods: phnnScores(phnnImages, 8, 1), studies: phnnStudies(0, 1e-7, 0) },
    failing: { methods: phnnScores(phnnImages, -3, 2), studies: phnnStudies(27, 0.1, 1) },
  },
]);
