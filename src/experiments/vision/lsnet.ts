// LSNet: perceiving with a large static kernel and aggregating with a small dynamic one is a better
// use of little computation.

import { SmallResNet } from '../../models/index.js';
import type { Layer } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import { LSConv, LSNet, lsNets, StaticMixer } from '../../vision/index.js';
import { above, atLeast, atMost, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { count, type OptionValues } from '../parts/options.js';
import { noStudies } from '../parts/studies.js';
import { type ImageMethod, imageOptions, imageTask, runImageMethods } from '../protocols/images.js';
import { MIXED_CHANNELS, movedContentStudy } from '../protocols/moved-content.js';

const options = {
  ...imageOptions,
  steps: count(600, 'steps of the task with marks; 0 leaves it out', { smoke: 50, minimum: 0 }),
};

type Options = OptionValues<typeof options>;

const LSNET = 'LSNet';
const STATIC = 'LSNet, static mixer';
const peers = ['ResNet-8', 'ResNet-20', 'MobileNetV2'] as const;

const residual =
  (depth: number): ImageMethod['network'] =>
  ({ channels, classes }, random) =>
    new SmallResNet(depth, random, { channels, classes, widths: [8, 16, 32] });

const methods: readonly ImageMethod[] = [
  { title: LSNET, network: 'lsnet-nano' },
  {
    title: STATIC,
    network: ({ size, ...shape }, random) =>
      new LSNet({ ...lsNets['lsnet-nano'], ...shape, mixer: 'static', attentionSize: Math.ceil(size / 16) }, random),
  },
  { title: peers[0], network: residual(8) },
  { title: peers[1], network: residual(20) },
  { title: peers[2], network: 'mobilenet-v2-nano' },
];

const DYNAMIC = 'LS convolution';
const fixed = { 'depthwise 3×3': 3, 'depthwise 7×7': 7 };

const mixers: Readonly<Record<string, (random: Random) => Layer>> = {
  [DYNAMIC]: (random) => new LSConv(MIXED_CHANNELS, random),
  ...Object.fromEntries(
    Object.entries(fixed).map(([title, kernel]) => [
      title,
      (random: Random) => new StaticMixer(MIXED_CHANNELS, random, { kernel, form: 'merged' }),
    ]),
  ),
};

const { abstract, ours } = claimsOf<Options>();

const bestStatic = (e: Evidence<Options>) => Math.min(...Object.keys(fixed).map((title) => e.study(title)));

/** The peer with the highest mean accuracy. */
const bestPeer = (e: Evidence<Options>) =>
  peers.reduce((best, peer) => (e.mean(peer, 'accuracy') > e.mean(best, 'accuracy') ? peer : best));

const claims = [
  abstract('performance', 'LSNet above the best of ResNet-8, ResNet-20 and MobileNetV2 (points)', above(0), (e) =>
    e.gain(LSNET, bestPeer(e), 'accuracy'),
  ),
  abstract('efficiency', 'Latency of the best of them over LSNet’s', above(1), (e) =>
    e.ratio(bestPeer(e), LSNET, 'latency'),
  ),
  ...where({ when: ({ steps }) => steps > 0 }, [
    abstract(
      'convolution',
      'Moved content: error of the best static mixer over the LS convolution’s',
      above(1),
      (e) => bestStatic(e) / e.study(DYNAMIC),
    ),
    ours('Moved content: error of the LS convolution', atMost(0.08), (e) => e.study(DYNAMIC)),
    ours('Moved content: error of the best static mixer', atLeast(0.6), bestStatic),
  ]),
  ...where({ data: ['fashion-mnist'] }, [ours('Accuracy of LSNet', atLeast(80), (e) => e.mean(LSNET, 'accuracy'))]),
  ours('LSNet above the same network with static mixers (points)', atLeast(-2.5), (e) =>
    e.gain(LSNET, STATIC, 'accuracy'),
  ),
  ours('LSNet above ResNet-8, of as many multiply-adds (points)', atLeast(0), (e) =>
    e.gain(LSNET, 'ResNet-8', 'accuracy'),
  ),
];

export const experiment = defineExperiment({
  options,
  ...imageTask,
  reproduction: [
    { data: 'fashion-mnist', seeds: 2 },
    { data: 'cifar10', set: { images: 10_000, epochs: 5, steps: 0 }, long: true },
  ],
  methods: () => methods.map(({ title }) => title),
  notes: ({ images, epochs, trials }) => [
    `All networks are trained alike: ${images} images, ${epochs} epochs, AdamW, no augmentation; learning rate and weight decay of each are the best of ${trials} on a tenth of the training images. Scores are those of the merged form, as a plan on one thread, timed in turns.`,
    'At this size of image and of data no gain in accuracy of LS convolutions over static ones can be measured; the task with marks shows what they can do that static ones cannot.',
  ],
  runSeed: (data, values, context) => runImageMethods(methods, data, values, context, { keep: LSNET }),
  studies: (_data, { steps }, context) => (steps === 0 ? noStudies : movedContentStudy(mixers, steps, context)),
  claims,
  unmeasured: { tasks: 'one task, classification of small images; neither detection nor segmentation is run' },
});
