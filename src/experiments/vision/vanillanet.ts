// VanillaNet: a few layers without shortcuts, once merged, are as accurate as deeper networks and
// faster, if series activations and deep training make them learn.

import { accuracyOn, MobileNetV2, SmallResNet } from '../../models/index.js';
import { VanillaNet, type VanillaNetOptions, vanillaNets } from '../../vision/index.js';
import { above, atLeast, atMost, claimsOf, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { relabelled } from '../parts/metrics.js';
import type { OptionValues } from '../parts/options.js';
import { type ImageMethod, imageMetrics, imageOptions, imageTask, runImageMethods } from '../protocols/images.js';

const nano =
  (changes: Partial<VanillaNetOptions>): ImageMethod['network'] =>
  (shape, random) =>
    new VanillaNet({ ...vanillaNets['vanillanet-nano'], ...shape, ...changes }, random);

const NEITHER = 'VanillaNet, neither';
const SERIES = 'VanillaNet, series';
const BOTH = 'VanillaNet, series and deep training';
const RESNET = 'ResNet-20';
const V1 = 'MobileNetV1';
const V2 = 'MobileNetV2';

const methods: readonly ImageMethod[] = [
  { title: NEITHER, network: nano({ form: 'shallow', series: 0 }) },
  { title: 'VanillaNet, deep training', network: nano({ series: 0 }) },
  { title: SERIES, network: nano({ form: 'shallow' }) },
  { title: BOTH, network: 'vanillanet-nano' },
  {
    title: RESNET,
    network: ({ channels, classes }, random) => new SmallResNet(20, random, { channels, classes, widths: [8, 16, 32] }),
  },
  { title: V1, network: 'mobilenet-v1-nano' },
  {
    title: V2,
    network: ({ channels, classes }, random) =>
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

const { abstract, ours } = claimsOf<OptionValues<typeof imageOptions>>();

const claims = [
  abstract(
    'pruned',
    'Accuracy of the merged network off that of the trained one, most of the seeds (points)',
    atMost(0.1),
    (e) =>
      e.most((score) =>
        Math.max(...[SERIES, BOTH].map((title) => Math.abs(score(title, 'accuracy') - score(title, 'unmerged')))),
      ),
  ),
  abstract('deployment', 'Latency of a deeper network over the merged one’s, least of three', above(1), (e) =>
    Math.min(...[RESNET, V1, V2].map((deeper) => e.ratio(deeper, BOTH, 'latency'))),
  ),
  ours('Series activations above the same network without, least of the seeds (points)', atLeast(5), (e) =>
    e.leastGain(SERIES, NEITHER, 'accuracy'),
  ),
  ours('Series activations above MobileNetV1 of as many multiply-adds (points)', atLeast(-1), (e) =>
    e.gain(SERIES, V1, 'accuracy'),
  ),
  // Harder images want more channels than the small network has.
  ...where({ data: ['fashion-mnist'] }, [
    ours('Accuracy with both devices', atLeast(80), (e) => e.mean(BOTH, 'accuracy')),
    ours('Series activations above ResNet-20 (points)', atLeast(-2), (e) => e.gain(SERIES, RESNET, 'accuracy')),
    ours('Both devices above ResNet-20 (points)', atLeast(-4.5), (e) => e.gain(BOTH, RESNET, 'accuracy')),
  ]),
  ours('Multiply-adds of ResNet-20 over the merged network’s', atLeast(15), (e) =>
    e.ratio(RESNET, SERIES, 'multiplyAdds'),
  ),
  ours('Latency of ResNet-20 over the merged network’s', atLeast(2), (e) => e.ratio(RESNET, SERIES, 'latency')),
];

export const experiment = defineExperiment({
  options: imageOptions,
  ...imageTask,
  reproduction: [{ data: 'fashion-mnist' }, { data: 'cifar10', set: { images: 10_000, epochs: 10 }, long: true }],
  metrics: {
    ...imageMetrics,
    unmerged: relabelled(imageMetrics.accuracy, { label: 'accuracy before merging' }),
  },
  methods: () => methods.map(({ title }) => title),
  notes: ({ images, epochs, trials }) => [
    `All networks are trained alike: ${images} images, ${epochs} epochs, AdamW, no augmentation; learning rate and weight decay of each are the best of ${trials} on a tenth of the training images. λ reaches 1 after a third of the steps. Scores are those of the merged form, as a plan on one thread, timed in turns.`,
    'Deep training costs accuracy in so short a training: its factors, which are merged away, need long ones (the paper: 300 epochs).',
  ],
  runSeed: (data, values, context) =>
    runImageMethods(methods, data, values, context, {
      keep: BOTH,
      score: ({ model }) => ({ unmerged: 100 * accuracyOn(model, data.test, data) }),
    }),
  claims,
  unmeasured: {
    performance: 'no vision transformer is trained beside it, nor any network at the size of ImageNet',
    simple: 'a property of the architecture, which no run counts on the merged graph',
  },
});
