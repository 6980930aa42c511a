// EMOv2: one kind of block, for convolution and attention alike, makes small backbones for
// classification and dense prediction.

import type { ImageDataset } from '../../data/index.js';
import { inference } from '../../nn/index.js';
import { AtStrides, type ImageClassifier } from '../../vision/index.js';
import { defineExperiment, type MethodScores, type RunContext } from '../parts/contract.js';
import { quietContext, runMethods } from '../parts/methods.js';
import { relabelled } from '../parts/metrics.js';
import { choice, count, type OptionValues } from '../parts/options.js';
import {
  imageMethod,
  imageMetrics,
  imageOptions,
  imageSettings,
  imageTask,
  runImageMethods,
  tuningData,
} from '../protocols/images.js';
import { itemCanvases } from '../protocols/item-canvases.js';
import { detectionScores } from '../protocols/item-detection.js';
import { mobileClaims } from '../protocols/mobile-claims.js';
import {
  DISTILLED,
  denseNetworks,
  distilledMethods,
  ENLARGED,
  mobileMethods,
  NANO,
  TEACHER,
  teacherMethod,
} from '../protocols/mobile-networks.js';
import { mobileStudies } from '../protocols/mobile-studies.js';
import { denseScores } from '../protocols/pasted-images.js';

const options = {
  ...imageOptions,
  distil: choice(['yes', 'no'], 'whether EMOv2 is trained with a teacher too', { smoke: 'no' }),
  canvases: count(300, 'canvases to find items on and to segment; 0 leaves them out', { smoke: 6, minimum: 0 }),
  canvasEpochs: count(10, 'epochs on canvases', { smoke: 1 }),
  sizes: count(3, 'published sizes that are timed, the smallest ones; 0 times none', {
    ...{ smoke: 0, minimum: 0, maximum: 5 },
  }),
};

type Values = OptionValues<typeof options>;

/** Teachers of trials, by the data of the run: choices are made once for all seeds. */
const trialTeachers = new WeakMap<ImageDataset, ImageClassifier>();

/** Trains one network, on a stream of its own. */
async function trained(data: ImageDataset, values: Values, context: RunContext) {
  const { methods, kept } = await runMethods([imageMethod(teacherMethod, data, values)], context, { keep: TEACHER });
  return { scored: methods, classifier: kept as ImageClassifier };
}

/** The teacher, and EMOv2 with what it says; trials have a teacher of their own images. */
async function distilled(data: ImageDataset, values: Values, context: RunContext) {
  const quiet = quietContext(context);
  const { scored, classifier } = await trained(data, values, context);
  if (!trialTeachers.has(data) && values.trials > 1) {
    const own = await trained(tuningData(data, values.tuning), { ...values, trials: 1 }, quiet);
    trialTeachers.set(data, own.classifier);
  }
  const methods = distilledMethods((_model, _setting, own) => {
    const { model } = own === data ? classifier : (trialTeachers.get(data) as ImageClassifier);
    return (images) => model.forward(images, inference);
  });
  return { scored, methods };
}

/** Detection and segmentation of items on canvases. */
async function onCanvases(data: ImageDataset, values: Values, context: RunContext): Promise<readonly MethodScores[]> {
  const { canvases, canvasEpochs: epochs, trials, tuning } = values;
  if (canvases === 0) return [];
  const own = { canvases, epochs, trials, tuning };
  const networks = Object.entries(denseNetworks).map(([title, backbone]) => ({ title, backbone }));
  const atStrides = networks.map(({ title, backbone }) => ({
    title,
    backbone: (...about: Parameters<typeof backbone>) => new AtStrides(backbone(...about), [4, 8]),
  }));
  const found = await detectionScores(networks, imageSettings, data, own, context);
  const segmented = await denseScores(atStrides, data, { ...own, draw: itemCanvases }, context);
  return [...found, ...segmented];
}

/** Records the losses of a method's epochs. */
function watching(context: RunContext, title: string, losses: number[]): RunContext {
  return {
    ...context,
    hooks: (method) => {
      const hooks = context.hooks(method);
      if (method !== title) return hooks;
      return {
        ...hooks,
        onEpoch: (report) => {
          losses.push(report.loss);
          hooks.onEpoch?.(report);
        },
      };
    },
  };
}

/** Share of the values that are below the one before. */
const fallingShare = (values: readonly number[]) =>
  values.slice(1).filter((value, i) => value < (values[i] as number)).length / Math.max(1, values.length - 1);

export const experiment = defineExperiment({
  options,
  ...imageTask,
  presets: { cifar10: { canvases: 0 } },
  reproduction: [
    { data: 'fashion-mnist', set: { images: 1000, canvases: 60, canvasEpochs: 6 } },
    { data: 'fashion-mnist', long: true },
    { data: 'fashion-mnist', set: { canvases: 2000, canvasEpochs: 20 }, long: true },
    { data: 'cifar10', set: { images: 10_000, epochs: 10 }, long: true },
  ],
  metrics: {
    ...imageMetrics,
    precision: { label: 'detection mAP', unit: '%', digits: 1, better: 'larger' },
    iou: { label: 'segmentation mean IoU', unit: '%', digits: 1, better: 'larger' },
    untrained: { label: 'mAP untrained', unit: '%', digits: 2, better: 'neither' },
    denseLatency: relabelled(imageMetrics.latency, { label: 'segmenting one canvas' }),
    falling: { label: 'epochs with a lower loss', digits: 2, better: 'larger' },
  },
  methods: ({ distil }) => [
    ...mobileMethods.map(({ title }) => title),
    ...(distil === 'yes' ? [TEACHER, DISTILLED, ENLARGED] : []),
  ],
  notes: ({ images, epochs, trials, canvases, canvasEpochs }) => [
    `All networks are trained alike: ${images} images, ${epochs} epochs, AdamW, no augmentation; the learning rate of each is the best of ${trials} on a tenth of the training images. Scores are those of the last epoch's merged form, timed in turns on one thread.`,
    ...(canvases > 0
      ? [
          `Detection and segmentation: ${canvases} canvases of twice the side with two to four images each, ${canvasEpochs} epochs, ${Math.ceil(canvases / 3)} canvases of test images.`,
        ]
      : []),
    'ImageNet, COCO, ADE20K, video and the generation of images are not run; the 5 M network is counted and timed, not trained.',
  ],
  async runSeed(data, values, context) {
    const losses: number[] = [];
    const taught = values.distil === 'yes' ? await distilled(data, values, context) : { scored: [], methods: [] };
    const methods = [...mobileMethods, ...taught.methods];
    const { methods: scored, artifacts } = await runImageMethods(
      methods,
      data,
      values,
      watching(context, NANO, losses),
      { keep: NANO },
    );
    const dense = await onCanvases(data, values, context);
    return {
      methods: scored.toSpliced(mobileMethods.length, 0, ...taught.scored).map((own) => ({
        ...own,
        scores: Object.assign(
          { ...own.scores },
          ...dense.filter(({ method }) => method === own.method).map(({ scores }) => scores),
          own.method === NANO && losses.length > 1 ? { falling: fallingShare(losses) } : {},
        ),
      })),
      artifacts,
    };
  },
  studies: (_data, { sizes }) => mobileStudies(sizes),
  claims: mobileClaims,
  unmeasured: {
    tasks:
      'the images, COCO, ADE20K and Kinetics are not at hand, and what is public does not make its generator of images',
  },
});
