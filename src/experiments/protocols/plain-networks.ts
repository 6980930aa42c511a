// Networks beside SimpleNet: deeper and more complex ones, a light one, and SimpleNets that break
// one of its principles each; and what a step of training costs each.

import { type ImageDataset, imageTensor } from '../../data/index.js';
import { MobileNetV2, SmallResNet } from '../../models/index.js';
import { crossEntropy, disposeWeights, gradientsOf, type Layer, stateOf, training } from '../../nn/index.js';
import { Random, scope, tensor } from '../../tensor/index.js';
import {
  type ImageShape,
  imageModel,
  SimpleNet,
  type SimpleNetLayer,
  type SimpleNetOptions,
} from '../../vision/index.js';
import type { Scores } from '../parts/contract.js';
import { costsInTurns } from '../parts/costs.js';
import type { ImageMethod, ImageSetting } from './images.js';

export const NANO = 'SimpleNet';
export const VGG = 'VGG-16, a quarter as wide';
export const RESNET = 'ResNet-20';
export const GOOGLENET = 'GoogLeNet, a quarter as wide';
export const LIGHT = 'MobileNetV2';
export const HALF = 'ResNet-20, half as wide';

/** The learning rates that every network chooses from. */
const settings: readonly ImageSetting[] = [3e-3, 1e-3, 6e-3].map((learningRate) => ({
  learningRate,
  weightDecay: 0.02,
}));

const small =
  (name: string): ImageMethod['network'] =>
  (shape, random) =>
    imageModel(name, { ...shape, width: 0.25 }, random);

const resNet =
  (first: number): ImageMethod['network'] =>
  ({ channels, classes }, random) =>
    new SmallResNet(20, random, { channels, classes, widths: [first, 2 * first, 4 * first] });

/**
 * A MobileNetV2 1.75 times as wide as the nano one: 97,410 parameters and 4,566,016 multiply-adds
 * at 28×28 pixels.
 */
export const wideMobileNet = ({ channels, classes }: Pick<ImageShape, 'channels' | 'classes'>, random: Random) =>
  new MobileNetV2(random, {
    ...{ channels, classes, stem: [28, 2], final: 112 },
    groups: [
      [1, 16, 1, 1],
      [6, 20, 2, 1],
      [6, 28, 2, 2],
      [6, 56, 2, 2],
    ],
  });

const networks: Readonly<Record<string, ImageMethod['network']>> = {
  [NANO]: 'simplenet-nano',
  [VGG]: small('vgg16-small'),
  [RESNET]: resNet(16),
  [GOOGLENET]: small('googlenet-small'),
  [LIGHT]: wideMobileNet,
  [HALF]: resNet(8),
};

const end = [
  [256, 1],
  [32, 1],
] as const;
const P = 'pool';
const narrow = [8, 10, 10, 10, 10, 10, P, 20, 20, 20, 40, P, ...end, 20] as const;

/** SimpleNets of about as many parameters that break a principle each. */
export const brokenNets: Readonly<Record<string, SimpleNetOptions>> = {
  'pooled early': { layers: [8, 16, P, 16, 16, 16, P, 16, 32, 32, 32, 64, ...end, 32], strides: [2] },
  'strides, not poolings': {
    layers: [8, 16, 16, 16, 16, 16, 32, 32, 32, 64, ...end, 32],
    strides: [2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 2],
  },
  'equal widths': { layers: [26, 26, 26, 26, 26, 26, P, 26, 26, 26, 26, P, ...end, 32], strides: [2] },
  '5×5 kernels': {
    layers: (narrow as readonly SimpleNetLayer[]).map((layer) => (typeof layer === 'number' ? [layer, 5] : layer)),
    strides: [2],
  },
  '1×1 kernels early': {
    layers: [8, [64, 1], [16, 1], 16, 16, 16, P, 32, 32, 32, 64, P, [192, 1], [32, 1], 32],
    strides: [2],
  },
  'eight layers': { layers: [12, 24, 24, P, 40, 56, P, ...end, 32], strides: [2] },
};

const brokenTitle = (name: string) => `SimpleNet, ${name}`;

/** Titles of the SimpleNets that break a principle. */
export const brokenTitles: readonly string[] = Object.keys(brokenNets).map(brokenTitle);
/** Those of them with no fewer multiply-adds than SimpleNet. */
export const heavierBroken: readonly string[] = ['strides, not poolings', 'equal widths', '5×5 kernels'].map(
  brokenTitle,
);

/** All networks of the comparison. */
export const plainMethods: readonly ImageMethod[] = [
  ...Object.entries(networks),
  ...Object.entries(brokenNets).map(([name, options]): [string, ImageMethod['network']] => [
    brokenTitle(name),
    ({ channels, classes }, random) => new SimpleNet({ ...options, channels, classes }, random),
  ]),
].map(([title, network]) => ({ title, network, settings }));

/**
 * Milliseconds and most MiB of a step of each network: the gradient of a batch, without the
 * optimiser.
 */
export async function stepScores(
  methods: readonly ImageMethod[],
  data: ImageDataset,
  batch: number,
): Promise<ReadonlyMap<string, Scores>> {
  const { channels, height } = data.train;
  const shape = { channels, classes: data.classes.length, size: height };
  const some = Int32Array.from({ length: Math.min(batch, data.train.count) }, (_, at) => at);
  const images = imageTensor(data.train, some, data);
  const labels = tensor(some.map((at) => data.train.labels[at] as number));
  const models = methods.map(({ title, network }): [string, Layer] => [
    title,
    typeof network === 'string' ? imageModel(network, shape, new Random(0)) : network(shape, new Random(0)),
  ]);
  const steps = models.map(([title, model]): [string, () => void] => [
    title,
    () =>
      scope(
        () => void gradientsOf(model, (live) => crossEntropy(live.forward(images, training(new Random(1))), labels)),
      ),
  ]);
  const { seconds, bytes } = await costsInTurns(Object.fromEntries(steps), { repeats: 5 });
  for (const [, model] of models) disposeWeights(stateOf(model));
  for (const one of [images, labels]) one.dispose();
  return new Map(
    models.map(([title]) => [
      title,
      { step: 1000 * (seconds[title] as number), stepMemory: (bytes[title] as number) / 2 ** 20 },
    ]),
  );
}
