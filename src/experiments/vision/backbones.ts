// The backbones of the family side by side, and the usual small networks: one table, one recipe.

import { above, atLeast, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { relabelled } from '../parts/metrics.js';
import type { OptionValues } from '../parts/options.js';
import {
  backboneMethods,
  backbones,
  EMOV2,
  LSNET,
  NARROW20,
  PFLAYER,
  SIMPLENET,
  TERMINATOR,
  usualNetworks,
  VANILLANET,
} from '../protocols/backbone-networks.js';
import { type ImageMethod, imageMetrics, imageOptions, imageTask, runImageMethods } from '../protocols/images.js';

type Run = Evidence<OptionValues<typeof imageOptions>>;

const { ours } = claimsOf<OptionValues<typeof imageOptions>>();

const means = (e: Run, methods: readonly ImageMethod[], score: string) =>
  methods.map(({ title }) => e.mean(title, score));

/** Whether a network is faster and more accurate than another. */
const isAhead = (e: Run, title: string, other: string) =>
  e.gain(title, other, 'accuracy') > 0 && e.ratio(title, other, 'latency') < 1;

/** Usual networks that some backbone is ahead of. */
const outdone = (e: Run) =>
  usualNetworks.filter((other) => backbones.some(({ title }) => isAhead(e, title, other.title))).length;

/** What each backbone's own specification asks of it at this size. */
const gates: Readonly<Record<string, number>> = {
  [SIMPLENET]: 81,
  [VANILLANET]: 80,
  [LSNET]: 80,
  [EMOV2]: 80,
  [PFLAYER]: 80,
  [TERMINATOR]: 79,
};

const claims = [
  ours('Usual networks that some backbone is both faster and more accurate than', above(0), outdone),
  ours('The most accurate backbone above the most accurate usual network (points)', atLeast(-1.5), (e) => {
    return Math.max(...means(e, backbones, 'accuracy')) - Math.max(...means(e, usualNetworks, 'accuracy'));
  }),
  ours(`Multiply-adds of ${NARROW20}, over those of VanillaNet`, atLeast(15), (e) =>
    e.ratio(NARROW20, VANILLANET, 'multiplyAdds'),
  ),
  ours(`Latency of ${NARROW20}, over that of VanillaNet`, atLeast(2), (e) => e.ratio(NARROW20, VANILLANET, 'latency')),
  ours(`SimpleNet above ${NARROW20} (points)`, atLeast(-3), (e) => e.gain(SIMPLENET, NARROW20, 'accuracy')),
  ...where({ data: ['fashion-mnist'], when: ({ images, epochs }) => images >= 6000 && epochs >= 3 }, [
    ...Object.entries(gates).map(([title, bound]) =>
      ours(`Accuracy of ${title}`, atLeast(bound), (e) => e.mean(title, 'accuracy')),
    ),
  ]),
];

export const experiment = defineExperiment({
  options: imageOptions,
  ...imageTask,
  presets: { cifar10: { images: 10_000, epochs: 10 } },
  reproduction: [
    { data: 'fashion-mnist', set: { images: 1500 } },
    { data: 'fashion-mnist', seeds: 5, long: true },
    { data: 'cifar10', long: true },
  ],
  metrics: { ...imageMetrics, seconds: relabelled(imageMetrics.seconds, { label: 'training' }) },
  methods: () => backboneMethods.map(({ title }) => title),
  notes: ({ images, epochs, trials }) => [
    `All networks are trained alike: ${images} images, ${epochs} epochs, no augmentation, AdamW, and Kar3 for the Terminator; the learning rate of each is the best of ${trials} on a tenth of the training images, from those that its own experiment tries.`,
    'Scores are those of the last epoch; parameters, multiply-adds and plans those of the merged form, timed in turns on one thread.',
    'The Terminator reads images whose blocks of 2×2 pixels are averaged, for which it is made; the hybrid of PfLayer, which wants even maps, images with a frame of the mean up to multiples of 8 pixels.',
  ],
  runSeed: (data, values, context) => runImageMethods(backboneMethods, data, values, context, { keep: SIMPLENET }),
  claims,
});
