// PfLayer: pooling in the place of trainable spatial operations, in networks that differ in nothing
// else; what single layers gain, what a search chooses, and what it costs in time.

import { defineExperiment } from '../parts/contract.js';
import { relabelled } from '../parts/metrics.js';
import { count } from '../parts/options.js';
import { joinStudies } from '../parts/studies.js';
import { imageMetrics, imageOptions, imageTask, runImageMethods } from '../protocols/images.js';
import { pfClaims } from '../protocols/pf-claims.js';
import { layerStudy } from '../protocols/pf-layers.js';
import { attentionBytes, countStudy, loadPadded, MAX, pfMethods } from '../protocols/pf-networks.js';
import { searchStudy } from '../protocols/pf-search.js';
import { speedStudies } from '../protocols/pf-speed.js';
import { stepScores } from '../protocols/plain-networks.js';

const options = {
  ...imageOptions,
  layerImages: count(10_000, 'images of the study of layers; 0 leaves it out', { smoke: 0, minimum: 0 }),
  layerEpochs: count(5, 'its epochs', { smoke: 1 }),
  searchImages: count(8000, 'images of the study of searches; 0 leaves it out', { smoke: 0, minimum: 0 }),
  searchEpochs: count(10, 'epochs of a search', { smoke: 1 }),
  searches: count(5, 'searches, each with a seed of its own', { smoke: 1 }),
  draws: count(5, 'networks of random operations', { smoke: 1 }),
  side: count(224, 'side of the images on which ResNet-50 is timed; 0 times neither it nor layers', {
    ...{ smoke: 0, minimum: 0 },
  }),
};

/** The short run: every arm and study, with fewer images and epochs. */
const short = { images: 1000, epochs: 4, layerImages: 1000, layerEpochs: 2, searchImages: 1000, searchEpochs: 4 };

export const experiment = defineExperiment({
  options,
  ...imageTask,
  load: loadPadded,
  presets: { cifar10: { images: 10_000, epochs: 12 }, 'fashion-mnist': { layerImages: 0, searchImages: 0 } },
  reproduction: [
    { data: 'cifar10', set: short },
    { data: 'fashion-mnist', set: { images: 1000, side: 0 } },
    { data: 'cifar10', long: true },
    { data: 'fashion-mnist', long: true },
  ],
  metrics: {
    ...imageMetrics,
    step: { label: 'training step', unit: 'ms', digits: 1, better: 'smaller' },
    stepMemory: { label: 'most memory of a step', unit: 'MiB', digits: 1, better: 'smaller' },
    attention: { label: 'attention maps of an image', unit: 'KiB', digits: 0, better: 'smaller' },
    seconds: relabelled(imageMetrics.seconds, { label: 'training' }),
  },
  methods: () => pfMethods.map(({ title }) => title),
  notes: ({ images, epochs, trials, batch }) => [
    `All networks are trained alike: ${images} images of at least 32 pixels a side, ${epochs} epochs (transformers three times that), AdamW, no augmentation; the learning rate of each is the best of ${trials} on a tenth of the training images. Scores are those of the last epoch, timed in turns on one thread. A training step is the gradient of ${batch} images.`,
    'ImageNet is not run: its networks are counted and timed.',
  ],
  async runSeed(data, values, context) {
    const maps = (model: object) => ({ attention: attentionBytes(model, data.train) / 1024 });
    const result = await runImageMethods(pfMethods, data, values, context, {
      keep: MAX,
      score: ({ model }) => maps(model),
    });
    const costs = await stepScores(pfMethods, data, values.batch);
    return {
      ...result,
      methods: result.methods.map((own) => ({ ...own, scores: { ...own.scores, ...costs.get(own.method) } })),
    };
  },
  studies: async (data, values, context) =>
    joinStudies(
      countStudy(),
      await layerStudy(data, values, context),
      await searchStudy(data, values, context),
      await speedStudies(values.side),
    ),
  claims: pfClaims,
  unmeasured: { imagenet: 'the images are not at hand: its networks are counted and timed, not trained' },
});
