// The claim of LSNet: perceiving with a large static kernel and aggregating with a small dynamic one is a better use of little computation.

import type { ImageDataset } from '../data/index.js';
import { SmallResNet } from '../models/index.js';
import { type Layer, parameterCount } from '../nn/index.js';
import { Random } from '../tensor/index.js';
import { imageModel, LSNet, type LSNetOptions, lsNets } from '../vision/index.js';
import { atLeast, atMost, meanScore } from './claims.js';
import type { Claim, Experiment, MethodScores, RunContext, SeedResult, Study } from './contract.js';
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
import { errorOfMixer, mixers } from './lsnet-mechanism.js';
import type { OptionValues } from './options.js';

const options = {
  ...imageOptions,
  steps: {
    kind: 'number',
    default: 600,
    smoke: 50,
    minimum: 0,
    integer: true,
    about: 'steps of the task with marks; 0 leaves it out',
  },
} as const;

type Options = OptionValues<typeof options>;

const nano = (title: string, changes: Partial<LSNetOptions>): ImageArm => ({
  title,
  make: ({ size, ...shape }, random) =>
    new LSNet({ ...lsNets['lsnet-nano'], ...shape, ...changes, attentionSize: Math.ceil(size / 16) }, random),
});

const residual = (depth: number): ImageArm => ({
  title: `ResNet-${depth}`,
  make: ({ channels, classes }, random) => new SmallResNet(depth, random, { channels, classes, widths: [8, 16, 32] }),
});

const arms: readonly ImageArm[] = [
  nano('LSNet', {}),
  nano('LSNet, static mixer', { mixer: 'static' }),
  residual(8),
  residual(20),
  { title: 'MobileNetV2', make: (shape, random) => imageModel('mobilenet-v2-nano', shape, random) },
];

async function runSeed(data: ImageDataset, run: Options, context: RunContext) {
  const methods: MethodScores[] = [];
  let kept: Layer | undefined;
  for (const arm of arms) {
    const { scores, model } = await trainArm(arm, data, run, context);
    methods.push({ method: arm.title, scores });
    kept ??= model;
  }
  return { methods, artifacts: () => imageArtifacts('lsnet', kept as Layer, data) };
}

async function studies(
  _: ImageDataset,
  { steps }: Options,
  seed: number,
): Promise<{ studies: Study[]; scores: Record<string, number> }> {
  if (steps === 0) return { studies: [], scores: {} };
  const rows: [string, number, number][] = [];
  for (const [name, make] of Object.entries(mixers)) {
    const mixer = make(new Random(seed).split(name));
    rows.push([name, parameterCount(mixer), await errorOfMixer(mixer, steps, seed)]);
  }
  const errors = rows.map(([, , error]) => error);
  return {
    studies: [
      {
        title: 'Content that moves as marks at a distance say',
        note: `Mean squared error after ${steps} steps; the content has variance 1. Every pixel sees one mark within 7 × 7 pixels; the direction that it names moves eight channels by one pixel.`,
        columns: ['mixer', 'parameters', 'error'],
        rows: rows.map(([name, count, error]) => [name, count, error.toFixed(3)]),
      },
    ],
    scores: { dynamic: errors[0] as number, fixed: Math.min(...errors.slice(1)) },
  };
}

function claims(results: readonly SeedResult[], study: Readonly<Record<string, number>>, data: ImageDataset): Claim[] {
  const mean = (method: string, metric: string) => meanScore(results, method, metric);
  return [
    ...(data.name === 'fashion-mnist' ? [atLeast('Accuracy of LSNet', mean('LSNet', 'accuracy'), 80)] : []),
    atLeast(
      'LSNet against the same net with static mixers (points)',
      mean('LSNet', 'accuracy') - mean('LSNet, static mixer', 'accuracy'),
      -2.5,
    ),
    atLeast(
      'LSNet against ResNet-8, of as many multiply-adds (points)',
      mean('LSNet', 'accuracy') - mean('ResNet-8', 'accuracy'),
      0,
    ),
    ...(study.dynamic === undefined
      ? []
      : [
          atMost('Moved content: error of the LS convolution', study.dynamic, 0.08),
          atLeast('Moved content: error of the best static mixer', study.fixed ?? Number.NaN, 0.6),
        ]),
  ];
}

export const lsnet: Experiment<typeof options, ImageDataset> = {
  system: 'lsnet',
  title: 'LSNet: see large, focus small',
  family: 'vision',
  paper: 'Wang, Chen, Lin, Han, Ding, "LSNet: See Large, Focus Small", CVPR 2025 (arXiv 2503.23135)',
  abstract:
    'LS convolution perceives with a large kernel and aggregates with a small one, so that it captures a wide range and processes precisely; networks of it are more accurate and faster than other lightweight ones.',
  options,
  datasets: imageSets,
  ownData: 'none: use gossamer train',
  metrics: imageMetrics,
  methods: arms.map(({ title }) => title),
  notes: ({ images, epochs }) => [
    `All nets are trained alike: ${images} images, ${epochs} epochs, AdamW at 3e-3, no augmentation. The figures are of the merged form, as a plan on one thread.`,
    'At this size of image and of data no gain in accuracy of LS convolutions can be measured against static ones; the task with marks shows what they can do that static ones cannot.',
  ],
  load: (source, run) => loadImageSet('lsnet', source, run),
  describe: describeImages,
  runSeed,
  studies,
  claims: (results, study, _options, data) => claims(results, study, data),
};
