// LSNet: perceiving with a large static kernel and aggregating with a small dynamic one is a better
// use of little computation.

import { MobileNetV2, SmallResNet, VisionTransformer } from '../../models/index.js';
import type { Random } from '../../tensor/index.js';
import { type ImageShape, LSNet, lsNets, type MapBackbone } from '../../vision/index.js';
import { above, atLeast, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { relabelled } from '../parts/metrics.js';
import { count, type OptionValues } from '../parts/options.js';
import { noStudies } from '../parts/studies.js';
import type { Timing } from '../protocols/image-timings.js';
import { type ImageMethod, imageMetrics, imageOptions, imageTask, runImageMethods } from '../protocols/images.js';
import { DYNAMIC, mixers, NARROW, staticMixers } from '../protocols/mixers.js';
import { errorScores, movedContentStudy } from '../protocols/moved-content.js';
import { type DenseMethod, denseScores } from '../protocols/pasted-images.js';

const options = {
  ...imageOptions,
  steps: count(600, 'steps of the task with marks; 0 leaves it out', { smoke: 0, minimum: 0 }),
  markSeeds: count(3, 'seeds of the task with marks', { smoke: 1 }),
  canvases: count(400, 'canvases of pasted images to segment; 0 leaves them out', { smoke: 4, minimum: 0 }),
};

type Options = OptionValues<typeof options>;
type Backbone = (shape: ImageShape, random: Random) => MapBackbone;

const LSNET = 'LSNet';
const STATIC = 'LSNet, depthwise 3×3';
const LONGER = 'ViT, three times the epochs';

const nano =
  (mixer: LSNet['options']['mixer']): Backbone =>
  ({ size, ...shape }, random) =>
    new LSNet({ ...lsNets['lsnet-nano'], ...shape, mixer, attentionSize: Math.ceil(size / 16) }, random);

const vit: Backbone = ({ size, ...shape }, random) =>
  new VisionTransformer(random, { ...shape, imageSize: size, patchSize: 4, features: 30, depth: 4, pooling: 'mean' });

/** Widths are set so that all have LSNet's multiply-adds within a quarter at 28². */
const peerBackbones: Readonly<Record<string, Backbone>> = {
  [STATIC]: nano({ kernel: 3 }),
  'LSNet, depthwise 7×7': nano({ kernel: 7 }),
  'LSNet, depthwise 7×7 + FFN': nano({ kernel: 7, feedForward: 2 }),
  MobileNetV2: ({ channels, classes }, random) =>
    new MobileNetV2(random, {
      channels,
      classes,
      stem: [16, 2],
      groups: [
        [1, 8, 1, 1],
        [6, 16, 2, 1],
        [6, 16, 2, 2],
        [6, 32, 2, 2],
      ],
      final: 64,
    }),
  'ResNet-8': ({ channels, classes }, random) => new SmallResNet(8, random, { channels, classes, widths: [8, 16, 32] }),
  ViT: vit,
};

const methods: readonly ImageMethod[] = [
  { title: LSNET, network: 'lsnet-nano' },
  ...Object.entries(peerBackbones).map(([title, network]) => ({ title, network })),
  { title: LONGER, network: vit, longer: 3 },
];

const denseMethods: readonly DenseMethod[] = [
  { title: LSNET, backbone: nano('ls') },
  ...Object.entries(peerBackbones).map(([title, backbone]) => ({ title, backbone })),
];

/** Images in a batch by which throughput is measured. */
const BATCH = 32;
const timings = {
  latency: { batch: 1, threads: 1 },
  latency2: { batch: 1, threads: 2 },
  batched: { batch: BATCH, threads: 1, repeats: 9 },
  batched2: { batch: BATCH, threads: 2, repeats: 9 },
} as const satisfies Record<string, Timing>;

const { abstract, ours } = claimsOf<Options>();
type Run = Evidence<Options>;

const peers = methods.map(({ title }) => title).filter((title) => title !== LSNET);
const densePeers = Object.keys(peerBackbones);

const bestOf = (e: Run, titles: readonly string[], score: string) =>
  titles.reduce((best, title) => (e.mean(title, score) > e.mean(best, score) ? title : best));

/**
 * The least ratio, over some times, of the best peer's to LSNet's; 0 where LSNet's score is not
 * above that peer's.
 */
function ratioIfBetter(e: Run, titles: readonly string[], score: string, times: readonly string[]): number {
  const best = bestOf(e, titles, score);
  const ratio = Math.min(...times.map((time) => e.ratio(best, LSNET, time)));
  return e.gain(LSNET, best, score) > 0 ? ratio : 0;
}

const mostError = (title: string) => (e: Run) => e.study(errorScores(title)[0]);
const leastError = (title: string) => (e: Run) => e.study(errorScores(title)[1]);
const bestStatic = (e: Run) => Math.min(...staticMixers.map((title) => leastError(title)(e)));

const claims = [
  abstract('performance', 'LSNet above the best peer (points)', above(0), (e) =>
    e.gain(LSNET, bestOf(e, peers, 'accuracy'), 'accuracy'),
  ),
  abstract(
    'efficiency',
    'LSNet above the best peer, and that peer’s time over LSNet’s: one image and a batch, one and two threads, least (0: not above)',
    atLeast(1),
    (e) => ratioIfBetter(e, peers, 'accuracy', Object.keys(timings)),
  ),
  ...where({ when: ({ canvases }) => canvases > 0 }, [
    abstract('tasks', 'Segmentation: LSNet’s mean IoU above the best peer’s (points)', above(0), (e) =>
      e.gain(LSNET, bestOf(e, densePeers, 'iou'), 'iou'),
    ),
    abstract('tasks', 'Segmentation: above, and that peer’s time over LSNet’s (0: not above)', atLeast(1), (e) =>
      ratioIfBetter(e, densePeers, 'iou', ['denseLatency']),
    ),
  ]),
  ...where({ when: ({ steps }) => steps >= 600 }, [
    abstract(
      'convolution',
      'Moved content: least error of a static mixer over the largest of LS convolution',
      atLeast(7.5),
      (e) => bestStatic(e) / mostError(DYNAMIC)(e),
    ),
    ours('Moved content: error of the LS convolution, largest of the seeds', below(0.08), mostError(DYNAMIC)),
    ours('Moved content: least error of a static mixer and seed, FFN included', above(0.6), bestStatic),
    ours('Moved content: least error with 3×3 perception', above(0.3), leastError(NARROW)),
  ]),
  ...where({ data: ['fashion-mnist'], when: ({ images }) => images >= 6000 }, [
    ours('Accuracy of LSNet', atLeast(80), (e) => e.mean(LSNET, 'accuracy')),
  ]),
  ours('LSNet above the same network with depthwise 3×3 mixers (points)', atLeast(-2.5), (e) =>
    e.gain(LSNET, STATIC, 'accuracy'),
  ),
];

export const experiment = defineExperiment({
  options,
  ...imageTask,
  reproduction: [
    { data: 'fashion-mnist' },
    { data: 'fashion-mnist', seeds: 5, set: { epochs: 10, trials: 6, canvases: 2000 }, long: true },
    { data: 'cifar10', seeds: 5, set: { images: 10_000, epochs: 10, steps: 0, canvases: 2000 }, long: true },
  ],
  metrics: {
    ...imageMetrics,
    latency2: relabelled(imageMetrics.latency, { label: 'one image, 2 threads' }),
    batched: relabelled(imageMetrics.latency, { label: `an image of ${BATCH}` }),
    batched2: relabelled(imageMetrics.latency, { label: `an image of ${BATCH}, 2 threads` }),
    iou: { label: 'mean IoU', unit: '%', digits: 1, better: 'larger' },
    denseLatency: relabelled(imageMetrics.latency, { label: 'one canvas' }),
  },
  methods: () => methods.map(({ title }) => title),
  notes: ({ images, epochs, trials }) => [
    `All networks are trained alike: ${images} images, ${epochs} epochs, AdamW, no augmentation; learning rate and weight decay of each are the best of ${trials} on a tenth of the training images. Scores are those of the merged form, timed in turns.`,
    'At this size of image and of data no gain in accuracy of LS convolutions over static ones can be measured; the task with marks shows what they can do that static ones cannot.',
  ],
  async runSeed(data, values, context) {
    const { methods: scored, artifacts } = await runImageMethods(methods, data, values, context, {
      keep: LSNET,
      timings,
    });
    const dense = values.canvases > 0 ? await denseScores(denseMethods, data, values, context) : [];
    return {
      methods: scored.map((own) => ({
        ...own,
        scores: { ...own.scores, ...dense.find(({ method }) => method === own.method)?.scores },
      })),
      artifacts,
    };
  },
  studies: (_data, { steps, markSeeds: seeds }, context) =>
    steps === 0 ? noStudies : movedContentStudy(mixers, { steps, seeds }, context),
  claims,
});
