// PHNN: hypercomplex convolutions with 1/n of the parameters outperform real and quaternion ones,
// in the natural domain of their inputs, with rules that are learnt from data.

import { firstImages, type ImageDataset } from '../../data/index.js';
import { accuracyOn } from '../../models/index.js';
import { defineExperiment } from '../parts/contract.js';
import { macroF1, relabelled } from '../parts/metrics.js';
import { choice, count } from '../parts/options.js';
import { joinStudies } from '../parts/studies.js';
import { imageArms, imagesOfSide, parameterStudy, ph } from '../protocols/hypercomplex-arms.js';
import { hypercomplexClaims } from '../protocols/hypercomplex-claims.js';
import { recoveryStudy } from '../protocols/hypercomplex-recovery.js';
import { loadSeries, type SeriesParts, seriesArms, seriesSeed } from '../protocols/hypercomplex-series.js';
import { generatedSounds, type SoundParts, soundArms, soundSeed } from '../protocols/hypercomplex-sounds.js';
import {
  imageMetrics,
  imageOptions,
  imagesFrom,
  loadImageSet,
  runImageMethods,
  shrunkImages,
} from '../protocols/images.js';

const options = {
  ...imageOptions,
  images: count(8000, 'training images, the first ones', { smoke: 128, minimum: 100 }),
  held: count(2000, 'images behind them, which validate', { smoke: 100, minimum: 100 }),
  epochs: count(4, 'epochs of training', { smoke: 1 }),
  side: count(16, 'side of the images in pixels, to which blocks of pixels are averaged', { minimum: 8 }),
  width: count(12, 'channels of the first group of the ResNets, a multiple of 12', { minimum: 12 }),
  clips: count(160, 'generated sounds to train on; a quarter as many validate, half as many test', {
    smoke: 8,
    minimum: 4,
  }),
  kind: choice(['sounds', 'images', 'series'], 'which networks are compared; each data set has its own'),
  samples: count(4000, 'samples from which an algebra is learnt', { smoke: 20 }),
};

/** One of three kinds of data. */
interface Data {
  readonly images?: { readonly set: ImageDataset; readonly held: ImageDataset['train'] };
  readonly sounds?: SoundParts;
  readonly series?: SeriesParts;
}

/** Titles of the networks on a kind of data. */
function titlesOf(kind: string, width: number): readonly string[] {
  if (kind === 'sounds') return soundArms.map(({ title }) => title);
  return kind === 'series' ? Object.keys(seriesArms) : imageArms(width).map(({ title }) => title);
}

export const experiment = defineExperiment<typeof options, Data>({
  options,
  datasets: ['ambisonics', 'cifar10', 'wisdm'],
  ownData: 'none: use gossamer train, gossamer fit and gossamer compress',
  presets: {
    ambisonics: { epochs: 12, batch: 16, trials: 2 },
    cifar10: { kind: 'images' },
    wisdm: { epochs: 20, batch: 64, kind: 'series' },
  },
  reproduction: [
    { data: 'cifar10' },
    { data: 'ambisonics' },
    { data: 'wisdm', seeds: 5 },
    { data: 'cifar10', set: { width: 24, epochs: 30, side: 16 }, long: true },
    { data: 'cifar10', set: { width: 24, epochs: 30, side: 32 }, long: true },
    { data: 'ambisonics', seeds: 5, set: { clips: 400, epochs: 30, trials: 3 }, long: true },
  ],
  metrics: {
    score: relabelled(macroF1, { label: 'accuracy of images, F1 of sounds and series' }),
    validation: relabelled(macroF1, { label: 'on validation data' }),
    precision: relabelled(macroF1, { label: 'precision' }),
    recall: relabelled(macroF1, { label: 'recall' }),
    parameters: relabelled(imageMetrics.parameters, { label: 'parameters' }),
    multiplyAdds: relabelled(imageMetrics.multiplyAdds, { label: 'multiply-adds' }),
    latency: imageMetrics.latency,
    bytes: imageMetrics.bytes,
    seconds: imageMetrics.seconds,
  },
  methods: ({ kind, width }) => titlesOf(kind, width),
  notes: ({ images, held, epochs, trials }) => [
    `Images: ResNets of eight layers, ${images} images for ${epochs} epochs by AdamW, the learning rate of each network the best of ${trials} on a tenth of them; ${held} further images choose the domain. The 10,000 images of CIFAR-10 at hand are lossy copies, their blocks of pixels averaged.`,
    'Sounds are generated, as L3DAS21 is not at hand; F1 is frame-wise and micro-averaged. Series are histograms of acceleration, people apart, scored by macro-F1. Learning rates are chosen alike on sounds and people for validation.',
    'Parameters are those that are trained and stored; multiply-adds are those of an image once H is built.',
  ],
  async load(source, { images, held, tests, side, clips }, onDownload) {
    if (source === 'ambisonics') return { sounds: generatedSounds(clips) };
    if (source === 'wisdm') return { series: await loadSeries() };
    if (source !== 'cifar10') throw new Error(`data "${source}" is not known; there are ambisonics, cifar10, wisdm`);
    const set = await loadImageSet(source, { images: images + held, tests }, onDownload);
    const train = firstImages(set.train, images);
    const factor = set.train.height / side;
    return {
      images: {
        set: imagesOfSide({ ...set, train }, side),
        held: shrunkImages(imagesFrom(set.train, train.count), factor),
      },
    };
  },
  describe({ images, sounds, series }) {
    if (sounds)
      return `ambisonics: ${sounds.train.sounds.length}, ${sounds.validation.sounds.length} and ${sounds.test.sounds.length} generated sounds of 2 s`;
    if (series) return `wisdm: ${series.train.count}, ${series.validation.count} and ${series.test.count} windows`;
    const { train, test } = (images as NonNullable<Data['images']>).set;
    return `cifar10: ${train.count} training and ${test.count} test images of 3×${train.height}×${train.width}`;
  },
  async runSeed({ images, sounds, series }, values, context) {
    if (sounds) return soundSeed(sounds, values, context);
    if (series) return seriesSeed(series, values, context);
    const { set, held } = images as NonNullable<Data['images']>;
    const { methods } = await runImageMethods(imageArms(values.width), set, values, context, {
      keep: ph(3),
      score: ({ model }) => ({ validation: 100 * accuracyOn(model, held, set) }),
    });
    return {
      methods: methods.map(({ scores, ...own }) => ({
        ...own,
        scores: { ...scores, score: scores.accuracy ?? Number.NaN },
      })),
    };
  },
  studies: (_, { samples }, context) => joinStudies(parameterStudy(), recoveryStudy(samples, context)),
  claims: hypercomplexClaims,
});
