import { describe, expect, test } from 'vitest';
import {
  chosenWeights,
  Frozen,
  gradualPruning,
  pruneOnce,
  sparsityRule,
  trainSparseConvNet,
} from '../../src/compress/index.js';
import { glyphImages, type ImageDataset, imageTensor } from '../../src/data/index.js';
import { EfficientNet, MobileNetV1, MobileNetV2, SmallResNet, trainOnImages } from '../../src/models/index.js';
import { AdamW, inference, type Layer, type Optimizer, parameters, type Weights } from '../../src/nn/index.js';
import { Random, type Tensor, zeros } from '../../src/tensor/index.js';
import { compile, exportOnnx, importOnnx, loadPlan, savePlan } from '../../src/trace/index.js';
import { imageModel } from '../../src/vision/index.js';
import { expectClose } from '../oracle.js';

const data: ImageDataset = glyphImages(160, 40, new Random(0));
const shape = { channels: 1, classes: data.classes.length, size: 28 };
const nano = (name = 'mobilenet-v1-nano') => imageModel(name, shape, new Random(1));

const heights = { unstructured: 1, block2: 2, block4: 4, '2:4': 1 } as const;

/** Zero blocks of a weight [rows, columns], and their number. */
function blocksOf(values: Float32Array, rows: number, height: number) {
  const columns = values.length / rows;
  return Array.from({ length: Math.ceil(rows / height) * columns }, (_, block) => {
    const [first, column] = [Math.floor(block / columns) * height, block % columns];
    const places = Array.from({ length: Math.min(height, rows - first) }, (_, r) => (first + r) * columns + column);
    return {
      places,
      score: Math.fround(places.reduce((sum, at) => sum + Math.abs(values[at] as number), 0) / places.length),
    };
  });
}

/** What the masks must keep: the blocks of largest mean magnitude, by sorting them all. */
function topBlocks(values: Float32Array, rows: number, height: number, sparsity: number): Set<number> {
  const blocks = blocksOf(values, rows, height);
  const pruned = Math.floor(sparsity * blocks.length + 1e-9);
  const sorted = blocks.map((block, at) => ({ ...block, at })).sort((a, b) => a.score - b.score || a.at - b.at);
  return new Set(sorted.slice(pruned).flatMap(({ places }) => places));
}

interface Watched {
  /** After the inner optimiser and before masks. */
  moved: Record<string, Float32Array>;
  readonly steps: { readonly before: Record<string, Float32Array>; readonly after: Record<string, Float32Array> }[];
}

const copies = (weights: Weights, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, (weights[name] as Tensor).dataSync<Float32Array>()]));

/** Trains with gradual pruning, and notes the chosen weights around the masks of every step. */
async function watchedTraining(model: Layer, options: Parameters<typeof gradualPruning>[1], epochs = 4) {
  const names = Object.keys(chosenWeights(model, options?.layers));
  const watched: Watched = { moved: {}, steps: [] };
  let total = 0;
  const wrap = gradualPruning(model, options);
  await trainOnImages(model, data, new Random(2), {
    ...{ epochs, batchSize: 16, learningRate: 3e-3, weightDecay: 0.01 },
    wrapOptimizer: (inner, steps) => {
      total = steps;
      const noting: Optimizer = {
        update: (weights, gradients, rate) => {
          inner.update(weights, gradients, rate);
          watched.moved = copies(weights, names);
        },
        state: () => inner.state(),
        restore: (state) => inner.restore(state),
      };
      const pruning = wrap(noting, steps);
      return {
        update: (weights, gradients, rate) => {
          pruning.update(weights, gradients, rate);
          watched.steps.push({ before: watched.moved, after: copies(weights, names) });
        },
        state: () => pruning.state(),
        restore: (state) => pruning.restore(state),
      };
    },
  });
  return { names, steps: watched.steps, total };
}

describe.each(['unstructured', 'block2', 'block4'] as const)('training with %s masks', (pattern) => {
  test('follows the schedule, keeps the largest blocks of the weights as they are, and holds the rest at zero', async () => {
    const model = nano();
    const [sparsity, start, end] = [0.85, 0.1, 0.7];
    const { names, steps, total } = await watchedTraining(model, { sparsity, start, end, masks: 20, pattern });
    expect(steps.length).toBe(total);
    const [first, last, every] = [Math.round(start * total), Math.round(end * total), Math.round(total / 20)];
    for (const name of names) {
      const rows = (parameters(model)[name] as Tensor).shape[0] as number;
      let kept: Set<number> | undefined;
      let renewals = 0;
      for (const [t, { before, after }] of steps.entries()) {
        const due = t >= first && (t === last || (t <= last && (t - first) % every === 0));
        const moved = before[name] as Float32Array;
        const weights = after[name] as Float32Array;
        if (due) {
          const now = 1 - (1 - (t - first) / (last - first)) ** 3;
          const own = kept;
          // A weight that was pruned never returns.
          const alive = moved.map((value, at) => (own === undefined || own.has(at) ? value : 0));
          kept = topBlocks(alive, rows, heights[pattern], sparsity * now);
          renewals += 1;
          const blocks = blocksOf(weights, rows, heights[pattern]);
          const measured = blocks.filter(({ score }) => score === 0).length / blocks.length;
          expect(Math.abs(measured - sparsity * now)).toBeLessThanOrEqual(1 / blocks.length);
        }
        weights.forEach((value, at) => {
          const expected = kept === undefined || kept.has(at) ? moved[at] : 0;
          if (value !== expected && !(value === 0 && expected === 0))
            throw new Error(`step ${t}, ${name}[${at}]: ${value}, expected ${expected}`);
        });
      }
      expect(renewals).toBeGreaterThan(10);
    }
  });
});

test('the default schedule prunes from a twentieth to three quarters of the steps, to nine tenths', async () => {
  const model = nano();
  const { names, steps, total } = await watchedTraining(model, undefined);
  const zerosAt = (t: number) => {
    const weights = steps[t]?.after[names[0] as string] as Float32Array;
    return weights.filter((value) => value === 0).length / weights.length;
  };
  const [first, last] = [Math.round(0.05 * total), Math.round(0.75 * total)];
  expect(zerosAt(first)).toBe(0);
  expect(zerosAt(first + 1)).toBeGreaterThan(0);
  expect(zerosAt(last - 2)).toBeLessThan(0.9 - 1e-6);
  for (const t of [last, total - 1]) expect(Math.abs(zerosAt(t) - 0.9)).toBeLessThan(1 / 512);
});

test('a fixed mask holds weights and their moments at zero', async () => {
  const model = nano();
  const weights = chosenWeights(model);
  const masks = pruneOnce(weights, { sparsity: 0.8, pattern: 'block2' });
  const inner = new AdamW({ learningRate: 1e-2 });
  await trainOnImages(model, data, new Random(2), {
    epochs: 1,
    batchSize: 16,
    wrapOptimizer: () => new Frozen(inner, masks),
  });
  const moments = Object.entries(inner.state().tensors);
  for (const [name, mask] of Object.entries(masks)) {
    const held = moments.filter(([key]) => key.endsWith(`.${name}`)).map(([, moment]) => moment);
    expect(held.length).toBe(2);
    for (const target of [weights[name] as Tensor, ...held])
      expect(target.dataSync().some((value, at) => mask.view()[at] === 0 && value !== 0)).toBe(false);
    expect((weights[name] as Tensor).dataSync().filter((value) => value !== 0).length).toBe(
      mask.view().filter((value) => value === 1).length,
    );
  }
});

test('what is not pruned stays dense: the first layer, depthwise filters, the classifier, norms', async () => {
  for (const name of ['mobilenet-v1-nano', 'mobilenet-v2-nano']) {
    const model = nano(name);
    const chosen = Object.keys(chosenWeights(model));
    const { plan } = await trainSparseConvNet(model, data, new Random(2), { sparsity: 0.9, epochs: 1, batchSize: 32 });
    plan.dispose();
    const weights = Object.entries(parameters(model));
    const wide = weights.filter(([, { shape }]) => shape.length === 4 && shape[2] === 1 && (shape[1] as number) > 1);
    expect(chosen).toEqual(wide.map(([own]) => own));
    for (const [own, weight] of weights) {
      const share = weight.dataSync().filter((value) => value === 0).length / weight.size;
      if (chosen.includes(own)) expect(share).toBeCloseTo(0.9, 1);
      else if (weight.rank > 1) expect(share).toBe(0);
    }
  }
});

test('of all convolutions the first is left out, and depthwise ones', () => {
  const model = new SmallResNet(8, new Random(1), { channels: 1, classes: 3 });
  const names = Object.keys(chosenWeights(model, 'convolutions'));
  expect(names).not.toContain('conv1.weight');
  expect(names).toContain('layer1.0.conv1.weight');
  const separable = Object.values(chosenWeights(nano(), 'convolutions'));
  expect(separable.every(({ shape: own }) => own[2] === 1)).toBe(true);
});

test('blocks of the last separable block are pruned as wholes', async () => {
  const model = nano();
  const { plan } = await trainSparseConvNet(model, data, new Random(2), {
    ...sparsityRule(model),
    epochs: 1,
    batchSize: 16,
  });
  plan.dispose();
  const zeroBlocks = (name: string) => {
    const weight = parameters(model)[name] as Tensor;
    const blocks = blocksOf(weight.dataSync(), weight.shape[0] as number, 4);
    return blocks.filter(({ score }) => score === 0).length / blocks.length;
  };
  expect(zeroBlocks('features.5.3.weight')).toBeCloseTo(0.9, 2);
  expect(zeroBlocks('features.4.3.weight')).toBeLessThan(0.75);
});

describe.each([
  ['mobilenet-v1-nano', 0.9],
  ['mobilenet-v2-nano', 0.85],
  ['efficientnet-small', 0.8],
] as const)('a trained sparse %s', (name, sparsity) => {
  test('gives the same logits as a plan, from its file, and as ONNX', async () => {
    const model = nano(name);
    const rule = sparsityRule(model);
    expect(rule.sparsity).toBe(sparsity);
    const few = { ...data, train: { ...data.train, count: 64 } };
    const { plan, layers } = await trainSparseConvNet(model, few, new Random(2), { ...rule, epochs: 2, batchSize: 16 });
    const chosen = Object.keys(chosenWeights(model, rule.layers));
    const pruned = layers.filter(({ zeros: share }) => share > 0.5);
    expect(pruned.map(({ layer }) => `${layer}.weight`).sort()).toEqual(chosen.sort());
    const kernels: string[] = [];
    const always = compile((x) => model.forward(x, inference), [zeros([1, 1, 28, 28])], {
      sparse: { choose: 'rule', threshold: 0.2, onChoice: ({ kernel }) => kernels.push(kernel) },
    });
    expect(kernels.filter((kernel) => kernel === 'sparse').length).toBe(chosen.length);
    const onnx = importOnnx(exportOnnx((x) => model.forward(x, inference), [zeros([1, 1, 28, 28])]));
    const loaded = [plan, always].map((own) => loadPlan(savePlan(own)));
    for (const at of [0, 7, 21]) {
      const image = imageTensor(data.test, [at], data);
      const logits = model.forward(image, inference).dataSync();
      for (const own of [plan, always, ...loaded]) expectClose((own.run(image)[0] as Tensor).dataSync(), logits, 1e-4);
      expect(loaded.map((own) => own.run(image)[0]?.dataSync())).toEqual(
        [plan, always].map((own) => own.run(image)[0]?.dataSync()),
      );
      expectClose((onnx.forward(image)[0] as Tensor).dataSync(), logits, 1e-4);
    }
  });
});

describe("the paper's rule", () => {
  const patternsOf = (model: Layer) => {
    const { layers, pattern } = sparsityRule(model);
    const names = Object.keys(chosenWeights(model, layers));
    return names.map((name) => [name, typeof pattern === 'function' ? pattern(name) : pattern] as const);
  };
  const among = (patterns: ReturnType<typeof patternsOf>, wanted: string) =>
    patterns.filter(([, pattern]) => pattern === wanted).map(([name]) => name);

  test('MobileNetV1: 4×1 blocks in the last separable block alone', () => {
    const patterns = patternsOf(new MobileNetV1(new Random(1)));
    expect(patterns.length).toBe(13);
    expect(among(patterns, 'block4')).toEqual(['features.13.3.weight']);
    expect(among(patterns, 'unstructured').length).toBe(12);
  });

  test('MobileNetV2: 2×1 blocks from the eleventh inverted residual on', () => {
    const patterns = patternsOf(new MobileNetV2(new Random(1)));
    expect(patterns.length).toBe(34);
    const pairs = among(patterns, 'block2').map((name) => Number(name.split('.')[1]));
    expect(Math.min(...pairs)).toBe(11);
    expect(pairs.length).toBe(2 * 7 + 1);
  });

  test('EfficientNet: single weights, the last layer too, squeeze-and-excitation not', () => {
    const patterns = patternsOf(new EfficientNet('b0', new Random(1)));
    expect(patterns.every(([, pattern]) => pattern === 'unstructured')).toBe(true);
    const names = patterns.map(([name]) => name);
    expect(names).toContain('classifier.1.weight');
    expect(names.length).toBe(1 + 15 + 16 + 1);
    expect(names.some((name) => name.includes('fc'))).toBe(false);
  });

  test('another network has none', () => {
    expect(() => sparsityRule(imageModel('lenet', shape, new Random(1)))).toThrow(
      'MobileNetV1, MobileNetV2 and EfficientNet',
    );
  });
});
