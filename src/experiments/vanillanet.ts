// The claim of VanillaNet: a few layers without shortcuts, once merged, are as accurate as deeper networks and faster, if series activations and deep training make them learn.

import type { ImageDataset } from '../data/index.js';
import { MobileNetV2, SmallResNet } from '../models/index.js';
import type { Layer } from '../nn/index.js';
import { imageModel, VanillaNet, type VanillaNetOptions, vanillaNets } from '../vision/index.js';
import { atLeast, atMost, meanScore } from './claims.js';
import type { Claim, Experiment, MethodScores, RunContext, SeedResult } from './contract.js';
import {
  describeImages,
  type ImageArm,
  imageArtifacts,
  imageMetrics,
  imageOptions,
  imageSets,
  loadImageSet,
  trainArm,
} from './image-arms.js';
import type { OptionValues } from './options.js';

type Options = OptionValues<typeof imageOptions>;

const nano = (title: string, options: Partial<VanillaNetOptions>): ImageArm => ({
  title,
  make: (shape, random) => new VanillaNet({ ...vanillaNets['vanillanet-nano'], ...shape, ...options }, random),
});

const MAIN = 'VanillaNet, series';
const DEEP = 'VanillaNet, series and deep training';

const arms: readonly ImageArm[] = [
  nano('VanillaNet, neither', { form: 'shallow', series: 0 }),
  nano('VanillaNet, deep training', { form: 'deep', series: 0 }),
  nano(MAIN, { form: 'shallow' }),
  nano(DEEP, { form: 'deep' }),
  {
    title: 'ResNet-20',
    make: ({ channels, classes }, random) => new SmallResNet(20, random, { channels, classes, widths: [8, 16, 32] }),
  },
  { title: 'MobileNetV1', make: (shape, random) => imageModel('mobilenet-v1-nano', shape, random) },
  {
    title: 'MobileNetV2',
    make: ({ channels, classes }, random) =>
      new MobileNetV2(random, {
        channels,
        classes,
        stem: [16, 2],
        groups: [
          [1, 8, 1, 1],
          [3, 12, 1, 1],
          [3, 16, 1, 2],
          [3, 32, 1, 2],
        ],
        final: 64,
      }),
  },
];

async function runSeed(data: ImageDataset, options: Options, context: RunContext) {
  const methods: MethodScores[] = [];
  let kept: Layer | undefined;
  for (const arm of arms) {
    const { scores, model, trainedAccuracy } = await trainArm(arm, data, options, context);
    methods.push({
      method: arm.title,
      scores: { ...scores, difference: Math.abs((scores.accuracy as number) - trainedAccuracy) },
    });
    if (arm.title === MAIN) kept = model;
  }
  return { methods, artifacts: () => imageArtifacts('vanillanet', kept as Layer, data) };
}

function claims(results: readonly SeedResult[], data: ImageDataset): Claim[] {
  const mean = (method: string, metric: string) => meanScore(results, method, metric);
  const most = Math.max(...[MAIN, DEEP].map((title) => mean(title, 'difference')));
  return [
    atLeast(
      'Series activations: points above the same net without',
      mean(MAIN, 'accuracy') - mean('VanillaNet, neither', 'accuracy'),
      5,
    ),
    atLeast(
      'Series against MobileNetV1 of as many multiply-adds (points)',
      mean(MAIN, 'accuracy') - mean('MobileNetV1', 'accuracy'),
      -1,
    ),
    // Harder images want more channels than the small network has.
    ...(data.name === 'fashion-mnist'
      ? [
          atLeast('Accuracy with both devices', mean(DEEP, 'accuracy'), 80),
          atLeast('Series against ResNet-20 (points)', mean(MAIN, 'accuracy') - mean('ResNet-20', 'accuracy'), -2),
          atLeast(
            'Both devices against ResNet-20 (points)',
            mean(DEEP, 'accuracy') - mean('ResNet-20', 'accuracy'),
            -4.5,
          ),
        ]
      : []),
    atLeast(
      'Multiply-adds, ResNet-20 against the merged net',
      mean('ResNet-20', 'multiplyAdds') / mean(MAIN, 'multiplyAdds'),
      15,
    ),
    atLeast(
      'Time of an image, ResNet-20 against the merged net',
      mean('ResNet-20', 'latency') / mean(MAIN, 'latency'),
      2,
    ),
    atMost('Accuracy of the merged net off that of the trained one (points)', most, 0.1),
  ];
}

export const vanillanet: Experiment<typeof imageOptions, ImageDataset> = {
  system: 'vanillanet',
  title: 'VanillaNet: the power of minimalism',
  family: 'vision',
  paper:
    'Chen, Wang, Guo, Tao, "VanillaNet: the Power of Minimalism in Deep Learning", NeurIPS 2023 (arXiv 2305.12972)',
  abstract:
    'A network without high depth, shortcuts and self-attention, whose non-linear activations are pruned after training to restore the original architecture, performs on par with deep networks and vision transformers.',
  options: imageOptions,
  datasets: imageSets,
  ownData: 'none: use gossamer train',
  metrics: imageMetrics,
  methods: arms.map(({ title }) => title),
  notes: ({ images, epochs }) => [
    `All nets are trained alike: ${images} images, ${epochs} epochs, AdamW at 3e-3, no augmentation. λ reaches 1 after a third of the steps. The figures are of the merged form, as a plan on one thread.`,
    'Deep training costs accuracy in so short a training: its factors, which are merged away, need long ones (the paper: 300 epochs).',
  ],
  load: (source, options) => loadImageSet('vanillanet', source, options),
  describe: describeImages,
  runSeed,
  studies: async () => ({ studies: [], scores: {} }),
  claims: (results, _study, _options, data) => claims(results, data),
};
