// What is measured of Terminators beside their accuracy, and the claims.

import { type ImageDataset, imageTensor } from '../../data/index.js';
import { gradientsOf, inference, parameters, predictedClasses } from '../../nn/index.js';
import { Random, scope, type Tensor } from '../../tensor/index.js';
import { trace } from '../../trace/index.js';
import { isSlow, Terminator, type TerminatorPreset, terminators } from '../../vision/index.js';
import { above, atLeast, atMost, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import type { Scores } from '../parts/contract.js';
import {
  ADAMW,
  CCNN_NANO,
  changed,
  ELEMENTWISE,
  GRU_TITLE,
  KAR,
  LONG_VIT,
  NARROW,
  RESNET,
  VIT,
} from './slow-fast-networks.js';

/** Images of a batch that tests are classified in, with the statistics of the batch. */
const BATCH = 32;

/**
 * Accuracy in percent on test images, shuffled once, with statistics and contexts of each batch.
 */
export function batchAccuracy(model: Terminator, data: ImageDataset): number {
  const order = new Random(0).split('test order').permutation(data.test.count);
  let right = 0;
  for (let first = 0; first < order.length; first += BATCH) {
    const some = order.subarray(first, first + BATCH);
    scope(() => {
      const images = imageTensor(data.test, some, data);
      const classes = model.withBatchStatistics(() => predictedClasses(model.forward(images, inference)));
      right += some.reduce((sum, image, at) => sum + Number(classes[at] === data.test.labels[image]), 0);
    });
  }
  return (100 * right) / order.length;
}

/** Mean and deviation of every part of some rows of numbers. */
function rowStatistics(rows: readonly Float32Array[]): { mean: number; deviation: number } {
  let [mean, deviation] = [0, 0];
  for (const row of rows) {
    const own = row.reduce((sum, value) => sum + value, 0) / row.length;
    const variance = row.reduce((sum, value) => sum + (value - own) ** 2, 0) / row.length;
    mean = Math.max(mean, Math.abs(own));
    deviation = Math.max(deviation, Math.abs(Math.sqrt(variance) - 1));
  }
  return { mean, deviation };
}

/**
 * Largest mean of features before GELU, and largest difference of their deviation from 1, over all
 * blocks, in a batch of training images: over batch and pixels for channels in even groups of G-IBS
 * or under batch norm, over the pixels of each image for those in odd groups.
 */
export function featureStatistics(model: Terminator, data: ImageDataset): Scores {
  const some = Int32Array.from({ length: Math.min(BATCH, data.train.count) }, (_, at) => at);
  return scope(() => {
    const passed = model.withBatchStatistics(() => model.passed(imageTensor(data.train, some, data), inference));
    const { norm = 'grouped', groups = 12 } = model.options;
    const rows = passed.flatMap(({ features }) => channelRows(features, norm === 'grouped' ? groups : 1));
    const { mean, deviation } = rowStatistics(rows);
    return { zeroMean: mean, deviation };
  });
}

function channelRows(features: Tensor, groups: number): Float32Array[] {
  const [n, channels, height, width] = features.shape as [number, number, number, number];
  const values = features.view<Float32Array>();
  const map = (image: number, channel: number) => {
    const first = (image * channels + channel) * height * width;
    return values.subarray(first, first + height * width);
  };
  const images = Array.from({ length: n }, (_, image) => image);
  return Array.from({ length: channels }, (_, channel) => channel).flatMap((channel) => {
    const own = images.map((image) => map(image, channel));
    const isEven = Math.floor((channel * groups) / channels) % 2 === 0;
    return isEven ? [Float32Array.from(own.flatMap((row) => [...row]))] : own;
  });
}

/** Facts of an untrained network: what the feedback error reaches, shortcuts, slow parameters. */
export function structureScores(): Scores {
  const preset = terminators['terminator-nano'] as TerminatorPreset;
  const model = new Terminator({ ...preset, channels: 1, size: 8 }, new Random(0));
  return scope(() => {
    const { gradients } = gradientsOf(model, (live) => live.slowLoss());
    const reached = Object.entries(gradients)
      .filter(([, gradient]) => gradient.view().some((value) => value !== 0))
      .map(([name]) => name);
    const blocks = model.blocks.map((_, i) => reached.some((name) => name.startsWith(`blocks.${i}.slow.`)));
    const own = Object.entries(parameters(model));
    const sizeOf = (some: typeof own) => some.reduce((sum, [, { size }]) => sum + size, 0);
    const shortcuts = model.blocks.map((block, i) => {
      const channels = block.options.channels;
      const x = new Random(i).normal([1, channels, 8, 8]);
      const earlier = (preset.links?.[i] ?? []).map(() => x);
      return trace(
        (input) => block.forward(input, earlier, inference).output,
        [x],
        {},
        ({ nodes, inputs }) => {
          const added = nodes.filter(({ op, inputs: operands }) => {
            return op.name === 'add' && operands.some(({ id }) => id === inputs[0]?.id);
          });
          return added.length;
        },
      );
    });
    return {
      reached: blocks.filter(Boolean).length / blocks.length,
      fast: reached.filter((name) => !isSlow(name)).length,
      shortcuts: shortcuts.reduce((a, b) => a + b, 0),
      slowShare: (100 * sizeOf(own.filter(([name]) => isSlow(name)))) / sizeOf(own),
    };
  });
}

interface Options {
  readonly view: string;
  readonly arms: string;
  readonly images: number;
}

type Run = Evidence<Options>;
const { abstract, ours } = claimsOf<Options>();

/** Networks that are no Terminators, by the view. */
const peersOf = ({ options }: Run) =>
  options.view === 'image' ? [CCNN_NANO, RESNET, NARROW, VIT, LONG_VIT] : [CCNN_NANO, GRU_TITLE, RESNET];

/** Parameters over those of the smallest peer that is not more accurate; ∞ where all are. */
function parametersOver(e: Run): number {
  const level = peersOf(e).filter((title) => e.gain(KAR, title, 'accuracy') >= 0);
  return Math.max(
    ...(level.length > 0 ? level.map((title) => e.ratio(KAR, title, 'parameters')) : [Number.POSITIVE_INFINITY]),
  );
}

const performance = abstract('performance', 'Above each peer beyond two standard errors (points)', above(0), (e) =>
  Math.min(...peersOf(e).map((title) => e.clearGain(KAR, title, 'accuracy'))),
);

export const slowFastClaims = [
  ...where<Options>({ when: ({ arms, view }) => arms === 'peers' && view === 'image' }, [
    performance,
    abstract('context', 'Above CCNN, whose kernels do not follow the image (points)', above(0), (e) =>
      e.gain(KAR, CCNN_NANO, 'accuracy'),
    ),
    abstract('convergence', 'Accuracy after one epoch above the best peer’s (points)', above(0), (e) =>
      Math.min(...peersOf(e).map((title) => e.gain(KAR, title, 'first'))),
    ),
    abstract('convergence', 'Epochs to 95 % of ResNet-8’s last accuracy over the quickest peer’s', below(1), (e) =>
      Math.max(...peersOf(e).map((title) => e.ratio(KAR, title, 'reached'))),
    ),
    abstract('parameters', 'Parameters over those of peers that are not more accurate, most', below(1), parametersOver),
    abstract('zeroMean', 'Mean of features before GELU, most over epochs, blocks and seeds', below(1e-5), (e) =>
      e.most((score) => score(KAR, 'zeroMean')),
    ),
    abstract('zeroMean', 'Their deviation off 1, most over epochs, blocks and seeds', atMost(0.05), (e) =>
      e.most((score) => score(KAR, 'deviation')),
    ),
    abstract('feedback', 'Global slow networks that the feedback error alone reaches, share', atLeast(1), (e) =>
      e.study('reached'),
    ),
    abstract('feedback', 'Fast weights that the feedback error reaches', atMost(0), (e) => e.study('fast')),
    abstract('feedback', 'Feedback error after training over that before, most', below(1), (e) =>
      e.most((score) => score(KAR, 'slowLoss')),
    ),
    abstract('residual', 'Additions of a block’s input', atMost(0), (e) => e.study('shortcuts')),
    ours('Kar3 above AdamW (points)', atLeast(-1), (e) => e.gain(KAR, ADAMW, 'accuracy')),
    ours('Above ResNet-8 (points)', atLeast(-5), (e) => e.gain(KAR, RESNET, 'accuracy')),
    ours('Parameters over ResNet-8’s', atMost(0.6), (e) => e.ratio(KAR, RESNET, 'parameters')),
    ours('Above the narrow ResNet-8 of as many parameters (points)', above(0), (e) => e.gain(KAR, NARROW, 'accuracy')),
    ours('Frozen statistics above those of the batch, least of the seeds (points)', atLeast(-2), (e) =>
      e.least((score) => score(KAR, 'accuracy') - score(KAR, 'batchAccuracy')),
    ),
  ]),
  ...where<Options>(
    {
      data: ['fashion-mnist'],
      when: ({ arms, view, images }) => arms === 'peers' && view === 'image' && images >= 6000,
    },
    [ours('Accuracy with the statistics of batches', atLeast(79), (e) => e.mean(KAR, 'batchAccuracy'))],
  ),
  ...where<Options>({ when: ({ arms, view }) => arms === 'peers' && view !== 'image' }, [
    performance,
    abstract('context', 'Above CCNN, whose kernels do not follow the sequence (points)', above(0), (e) =>
      e.gain(KAR, CCNN_NANO, 'accuracy'),
    ),
    ours('Circular convolution above elementwise products (points)', above(0), (e) =>
      e.gain(KAR, ELEMENTWISE, 'accuracy'),
    ),
  ]),
  ...where<Options>({ when: ({ arms }) => arms === 'ablations' }, [
    abstract('residual', 'Above the same with residual blocks (points)', atLeast(-1), (e) =>
      e.gain(KAR, changed('residual blocks'), 'accuracy'),
    ),
    abstract('context', 'Above kernels alone (points)', above(0), (e) =>
      e.gain(KAR, changed('kernels alone'), 'accuracy'),
    ),
    abstract('sizes', 'Above the same without local branches (points)', above(0), (e) =>
      e.gain(KAR, changed('without local branches'), 'accuracy'),
    ),
    abstract('sizes', 'Above the same without global branches (points)', above(0), (e) =>
      e.gain(KAR, changed('without global branches'), 'accuracy'),
    ),
    abstract('bottleneck', 'Above the sum of branches (points)', above(0), (e) =>
      e.gain(KAR, changed('sum of branches'), 'accuracy'),
    ),
    abstract('feedback', 'Above the same without feedback error (points)', atLeast(0), (e) =>
      e.gain(KAR, changed('without feedback error'), 'accuracy'),
    ),
    ours('Above the same with random global kernels (points)', above(0), (e) =>
      e.gain(KAR, changed('random kernels'), 'accuracy'),
    ),
    ours('Mean of features under affine batch norm, least over seeds', above(1e-5), (e) =>
      e.least((score) => score(changed('affine batch norm'), 'zeroMean')),
    ),
  ]),
];
