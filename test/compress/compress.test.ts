import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  channelRatioFor,
  chosenWeights,
  compress,
  parseRecipe,
  pruneOnce,
  removeChannels,
  trainSparseConvNet,
  usedMultiplyAdds,
} from '../../src/compress/index.js';
import { type ImageDataset, imageTensor, type LabelledImages } from '../../src/data/index.js';
import {
  accuracyOn,
  MobileNetV1,
  MobileNetV2,
  SmallResNet,
  trainOnImages,
  VisionTransformer,
} from '../../src/models/index.js';
import {
  type Conv2d,
  fakeQuantizeActivation,
  fakeQuantizeWeight,
  inference,
  type Layer,
  parameterCount,
  parameters,
  predictedClasses,
  quantizationAware,
  stateOf,
} from '../../src/nn/index.js';
import { grad, Random, scope, type Tensor, tensor, zeros } from '../../src/tensor/index.js';
import { compile, cost, savePlan } from '../../src/trace/index.js';
import { VanillaNet } from '../../src/vision/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

/** Three classes of stripes in noise. */
function stripes(): ImageDataset {
  const random = new Random(7);
  const make = (count: number): LabelledImages => {
    const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
    const pixels = Uint8Array.from({ length: count * 144 }, (_, at) => {
      const [image, row, column] = [Math.floor(at / 144), Math.floor((at % 144) / 12), at % 12];
      const phase = [row, column, row + column][labels[image] as number] as number;
      return Math.min(255, Math.max(0, 128 + 60 * Math.sin(phase * 1.6) + 90 * random.gaussian()));
    });
    return { count, channels: 1, height: 12, width: 12, pixels, labels };
  };
  return {
    name: 'stripes',
    classes: ['rows', 'columns', 'diagonals'],
    train: make(480),
    test: make(150),
    mean: [0.5],
    deviation: [0.3],
  };
}

const small = {
  channels: 1,
  classes: 3,
  stem: [16, 1],
  blocks: [
    [16, 1],
    [32, 2],
    [32, 1],
  ],
} as const;

async function trained(data: ImageDataset): Promise<MobileNetV1> {
  const model = new MobileNetV1(new Random(1), small);
  await trainOnImages(model, data, new Random(2), { epochs: 4, batchSize: 32, learningRate: 3e-3 });
  return model;
}

describe('removing channels', () => {
  const models: readonly [string, () => Layer, readonly number[]][] = [
    [
      'a residual network',
      () => new SmallResNet(8, new Random(1), { channels: 3, widths: [16, 32, 48] }),
      [1, 3, 12, 12],
    ],
    ['a depthwise network', () => new MobileNetV1(new Random(1), small), [1, 1, 12, 12]],
    [
      'inverted residuals',
      () =>
        new MobileNetV2(new Random(1), {
          classes: 5,
          groups: [
            [1, 16, 1, 1],
            [6, 24, 2, 2],
          ],
          final: 64,
        }),
      [1, 3, 16, 16],
    ],
    [
      'VanillaNet',
      () => new VanillaNet({ dims: [16, 32, 32], strides: [2, 1], classes: 4, form: 'merged' }, new Random(1)),
      [1, 3, 16, 16],
    ],
    [
      'a transformer',
      () =>
        new VisionTransformer(new Random(1), {
          imageSize: 16,
          patchSize: 8,
          features: 24,
          heads: 3,
          depth: 2,
          classes: 4,
        }),
      [1, 3, 16, 16],
    ],
  ];
  test.each(models)('%s gets smaller and still runs; its cost is that of a network built so', (_, make, shape) => {
    const model = make();
    const x = uniformTensor(1, shape);
    const before = cost((y) => model.forward(y, inference), [x], parameters(model));
    const removed = removeChannels(model, x, { ratio: 0.5, roundTo: 8 });
    const after = cost((y) => model.forward(y, inference), [x], parameters(model));
    expect(removed.every(({ after: left }) => left >= 1)).toBe(true);
    expect(after.parameters).toBe(parameterCount(model));
    expect(after.multiplyAdds).toBeLessThan(0.75 * before.multiplyAdds);
    expectClose(
      compile((y) => model.forward(y, inference), [x])
        .run(x)[0]
        ?.dataSync() as Float32Array,
      model.forward(x, inference).dataSync(),
      1e-4,
    );
  });

  test('channels whose weights are all zero leave the output as it is', () => {
    const model = new SmallResNet(8, new Random(1), { channels: 3, widths: [16, 24, 32] });
    const random = new Random(2);
    for (const [name, weight] of Object.entries(stateOf(model)))
      if (!name.includes('conv') && !name.includes('linear')) weight.assign(random.uniform(weight.shape, 0.5, 1.5));
    // The first convolution of a block makes channels that its second alone reads.
    const [block] = model.layer1 as unknown as [
      { conv1: Conv2d; bn1: { weight: Tensor; bias: Tensor; runningMean: Tensor }; conv2: Conv2d },
    ];
    const silent = [1, 4, 6, 9, 10, 11, 12, 15];
    for (const channel of silent) {
      block.conv1.weight.view().fill(0, channel * 144, (channel + 1) * 144);
      for (const part of [block.bn1.weight, block.bn1.bias, block.bn1.runningMean]) part.view()[channel] = 0;
      for (let out = 0; out < 16; out++)
        block.conv2.weight.view().fill(0, (out * 16 + channel) * 9, (out * 16 + channel + 1) * 9);
    }
    const x = uniformTensor(3, [2, 3, 12, 12]);
    const before = model.forward(x, inference).dataSync();
    const removed = removeChannels(model, x, { ratio: 0.04, roundTo: 1, scope: 'global' });
    expect(removed.reduce((sum, group) => sum + group.before - group.after, 0)).toBeLessThanOrEqual(8);
    expect(removed.some((group) => group.after < group.before)).toBe(true);
    expectClose(model.forward(x, inference).dataSync(), before, 1e-5);
  });

  test('the share found for a number of multiply-adds is the smallest that suffices', () => {
    const make = () => new MobileNetV1(new Random(1), small);
    const x = zeros([1, 1, 12, 12]);
    const used = (ratio: number) => {
      const model = make();
      removeChannels(model, x, { ratio, roundTo: 4 });
      return usedMultiplyAdds(model, x);
    };
    const goal = used(0.5);
    const ratio = channelRatioFor(make, x, goal, { roundTo: 4 });
    expect(used(ratio)).toBeLessThanOrEqual(goal);
    expect(used(ratio - 0.02)).toBeGreaterThan(goal);
    expect(channelRatioFor(make, x, used(0))).toBe(0);
  });

  test('a share outside [0, 1) is an error', () => {
    expect(() => removeChannels(new MobileNetV1(new Random(1), small), zeros([1, 1, 12, 12]), { ratio: 1 })).toThrow(
      'in [0, 1), got 1',
    );
  });
});

describe('fake quantisation', () => {
  test('weights move by at most half a step of their channel, gradients pass', () => {
    const weight = uniformTensor(1, [4, 3, 3, 3]);
    const rounded = fakeQuantizeWeight(weight, 4);
    for (let channel = 0; channel < 4; channel++) {
      const own = weight.dataSync().subarray(channel * 27, (channel + 1) * 27);
      const step = Math.max(...own.map(Math.abs)) / 7;
      const moved = rounded.dataSync().subarray(channel * 27, (channel + 1) * 27);
      expect(Math.max(...own.map((value, i) => Math.abs(value - (moved[i] as number))))).toBeLessThanOrEqual(
        step / 2 + 1e-6,
      );
      expect(new Set(moved.map((value) => Math.round(value / step))).size).toBeLessThanOrEqual(15);
    }
    expectClose(grad((w: Tensor) => fakeQuantizeWeight(w, 4).sum())(weight).dataSync(), new Float32Array(108).fill(1));
    expectClose(fakeQuantizeWeight(zeros([2, 3])).dataSync(), new Float32Array(6));
  });

  test('activations stay in their range, with no gradient outside', () => {
    const x = tensor([-2, -0.5, 0, 0.3, 0.9, 5], [6]);
    const y = fakeQuantizeActivation(x, [-1, 1], 8).dataSync();
    const errors = y.map((value, i) => Math.abs(value - Math.min(1, Math.max(-1, x.view()[i] as number))));
    expect(Math.max(...errors)).toBeLessThanOrEqual(1 / 127);
    expect(y[2]).toBe(0);
    expect([...grad((t: Tensor) => fakeQuantizeActivation(t, [-1, 1]).sum())(x).dataSync()]).toEqual([
      0, 1, 1, 1, 1, 0,
    ]);
  });
});

describe('recipes', () => {
  const wrong: readonly [unknown, string][] = [
    [[], 'expected an object with "steps"'],
    [{ steps: [] }, 'at least one step'],
    [{ steps: [{ do: 'squash' }] }, 'step 1: "do" must be one of remove-channels, prune, train, hypercomplex'],
    [{ steps: [{ do: 'prune' }] }, 'step 1 (prune) lacks "sparsity"'],
    [{ steps: [{ do: 'prune', sparsity: 1.5 }] }, '"sparsity" must be a share in [0, 1), got 1.5'],
    [
      { steps: [{ do: 'prune', sparsity: 0.5, layers: 'some' }] },
      '"layers" must be a list of names, or one of pointwise',
    ],
    [{ steps: [{ do: 'prune', sparsity: 0.5, sparsty: 1 }] }, 'has no field "sparsty"; it takes sparsity, layers'],
    [{ steps: [{ do: 'quantize', bits: 4 }] }, '"bits" must be one of 8, 7, got 4'],
    [{ steps: [{ do: 'quantize', percentile: 10 }] }, '"percentile" must be a percentile in (50, 100], got 10'],
    [
      { steps: [{ do: 'train', epochs: 1 }], training: { learningRate: 0 } },
      '"training": "learningRate" must be a positive number',
    ],
    [{ steps: [{ do: 'train', epochs: 1 }], distil: {} }, 'the recipe has no field "distil"'],
  ];
  test.each(wrong)('%j', (recipe, message) => {
    expect(() => parseRecipe(recipe, 'r.json')).toThrow(message);
  });

  test('names with * choose weights; names that fit nothing are told what there is', () => {
    const model = new MobileNetV1(new Random(1), small);
    expect(Object.keys(chosenWeights(model))).toEqual([
      'features.1.3.weight',
      'features.2.3.weight',
      'features.3.3.weight',
    ]);
    expect(Object.keys(chosenWeights(model, ['features.1.*', 'classifier']))).toEqual([
      'features.1.0.weight',
      'features.1.3.weight',
      'classifier.weight',
    ]);
    expect(() => chosenWeights(model, ['head'])).toThrow(
      'no layer fits ["head"]; the model has features.0.0 (convolution), features.1.0 (depthwise)',
    );
  });
});

describe('compress', () => {
  const data = stripes();

  test('channels, weights and bits go, accuracy stays, and the plan predicts the same in a fresh process', async () => {
    const model = await trained(data);
    const recipe = parseRecipe({
      distill: { temperature: 3 },
      training: { batchSize: 32, learningRate: 2e-3 },
      steps: [
        { do: 'remove-channels', ratio: 0.25, epochs: 2 },
        { do: 'prune', sparsity: 0.75, pattern: 'block4', epochs: 3 },
        { do: 'train', epochs: 1 },
        { do: 'quantize', epochs: 1 },
      ],
    });
    const epochs: string[] = [];
    const { plan, report } = await compress(model, data, recipe, {
      random: new Random(3),
      onEpoch: (_, step) => epochs.push(step.do),
    });
    expect(epochs.join()).toBe('remove-channels,remove-channels,prune,prune,prune,train,quantize');
    const { before, after, layers } = report;
    expect(before.accuracy).toBeGreaterThan(0.85);
    expect(after.accuracy).toBeGreaterThan(before.accuracy - 0.06);
    expect(after.parameters).toBeLessThan(0.8 * before.parameters);
    expect(after.bytes).toBeLessThan(before.bytes);
    // Masks hold through all later training.
    for (const weight of Object.values(chosenWeights(model))) {
      const values = weight.dataSync();
      expect(values.filter((value) => value === 0).length).toBe(4 * Math.floor((0.75 * values.length) / 4));
    }
    expect(layers.map(({ layer }) => layer)).toEqual([
      'features.0.0',
      'features.1.0',
      'features.1.3',
      'features.2.0',
      'features.2.3',
      'features.3.0',
      'features.3.3',
      'classifier',
    ]);
    expect(layers[1]).toMatchObject({ kernel: 'dense', reason: 'depthwise' });

    if (!existsSync('dist/trace/index.js')) return;
    const x = imageTensor(
      data.test,
      Array.from({ length: 20 }, (_, i) => i),
      data,
    );
    const own = Array.from({ length: 20 }, (_, i) =>
      scope(() => predictedClasses(plan.run(imageTensor(data.test, [i], data))[0] as Tensor)[0]),
    );
    const folder = mkdtempSync(join(tmpdir(), 'compress-'));
    writeFileSync(join(folder, 'model.plan'), savePlan(plan));
    writeFileSync(join(folder, 'x.bin'), new Uint8Array(x.dataSync<Float32Array>().buffer));
    const script = `
      import { readFileSync } from 'node:fs';
      import { tensor } from 'gossamer';
      import { predictedClasses } from 'gossamer/nn';
      import { loadPlan } from 'gossamer/trace';
      const [plan, x] = [loadPlan(readFileSync(${JSON.stringify(join(folder, 'model.plan'))})), new Float32Array(new Uint8Array(readFileSync(${JSON.stringify(join(folder, 'x.bin'))})).buffer)];
      console.log(Array.from({ length: 20 }, (_, i) => predictedClasses(plan.run(tensor(x.slice(144 * i, 144 * (i + 1)), [1, 1, 12, 12]))[0])[0]).join());
      process.exit(0);`;
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).trim()).toBe(
      own.join(),
    );
  }, 60_000);

  test('training for four bits recovers what rounding loses', async () => {
    const model = await trained(data);
    const accuracyOf = (layers: Layer) => {
      const x = imageTensor(
        data.test,
        Array.from({ length: 150 }, (_, i) => i),
        data,
      );
      const classes = scope(() => predictedClasses(layers.forward(x, inference)));
      return Array.from(classes).filter((c, i) => c === data.test.labels[i]).length / 150;
    };
    const whole = accuracyOf(model);
    const weights = chosenWeights(model, ['*']);
    const kept = Object.entries(weights).map(([name, weight]) => [name, weight.dataSync()] as const);
    for (const weight of Object.values(weights)) scope(() => weight.assign(fakeQuantizeWeight(weight, 2)));
    const rounded = accuracyOf(model);
    for (const [name, values] of kept) weights[name]?.assign(values);
    const aware = quantizationAware(model, { weightBits: 2 });
    await trainOnImages(model, data, new Random(5), { epochs: 5, batchSize: 32, learningRate: 2e-3 });
    aware.freeze();
    const seen = accuracyOf(model);
    aware.restore();
    for (const weight of Object.values(weights)) scope(() => weight.assign(fakeQuantizeWeight(weight, 2)));
    expect(rounded).toBeLessThan(whole - 0.1);
    expect(accuracyOf(model)).toBeGreaterThan(whole - 0.5 * (whole - rounded));
    expect(Math.abs(accuracyOf(model) - seen)).toBeLessThan(0.05);
  }, 60_000);

  test('the order of steps, an abort, and one-shot pruning', async () => {
    const model = new MobileNetV1(new Random(1), small);
    const random = new Random(1);
    await expect(
      compress(model, data, { steps: [{ do: 'quantize' }, { do: 'train', epochs: 1 }] }, { random }),
    ).rejects.toThrow('quantize must be the last step, it is step 1 of 2');
    await expect(
      compress(
        model,
        data,
        {
          steps: [
            { do: 'prune', sparsity: 0.5 },
            { do: 'remove-channels', ratio: 0.5 },
          ],
        },
        { random },
      ),
    ).rejects.toThrow('remove channels before weights are pruned');
    const stopped = new AbortController();
    stopped.abort();
    await expect(
      compress(model, data, { steps: [{ do: 'train', epochs: 1 }] }, { random, signal: stopped.signal }),
    ).rejects.toThrow('stopped');
    const weights = chosenWeights(model);
    pruneOnce(weights, { sparsity: 0.9 });
    for (const weight of Object.values(weights))
      expect(weight.dataSync().filter((value) => value === 0).length).toBe(Math.floor(0.9 * weight.size));
  });
});

describe('sparse convolutional networks', () => {
  const data = stripes();

  test('pointwise layers end with the zeros asked for, the plan equals the model, others stay dense', async () => {
    const model = new MobileNetV1(new Random(1), small);
    const { plan, layers, training } = await trainSparseConvNet(model, data, new Random(2), {
      ...{ sparsity: 0.75, epochs: 6, batchSize: 32, learningRate: 3e-3 },
    });
    expect(training.stopped).toBe('completed');
    const chosen = Object.keys(chosenWeights(model, 'pointwise'));
    for (const [name, weight] of Object.entries(parameters(model))) {
      const zeros = weight.view().reduce((count, value) => count + Number(value === 0), 0) / weight.size;
      if (chosen.includes(name)) expect(zeros).toBeCloseTo(0.75, 2);
      else if (name.endsWith('0.weight')) expect(zeros).toBeLessThan(0.05);
    }
    expect(layers.filter(({ zeros }) => zeros > 0.7).length).toBe(chosen.length);
    const image = imageTensor(data.test, [0], data);
    expectClose((plan.run(image)[0] as Tensor).dataSync(), model.forward(image, inference).dataSync(), 1e-4);
    expect(accuracyOn(model, data.test, data)).toBeGreaterThan(0.8);
  });

  test('a model without pointwise convolutions and an abort are errors', async () => {
    const plain = new SmallResNet(8, new Random(1), { channels: 1, classes: 3 });
    await expect(trainSparseConvNet(plain, data, new Random(2), { epochs: 1 })).rejects.toThrow(
      'no layer fits "pointwise"',
    );
    const model = new MobileNetV1(new Random(1), small);
    const signal = AbortSignal.abort();
    await expect(trainSparseConvNet(model, data, new Random(2), { epochs: 1, signal })).rejects.toThrow('stopped');
  });
});
