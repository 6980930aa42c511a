// SimpleNet: thirteen plain convolutions, made by a few principles, are as accurate as deeper and
// more complex networks with several times the parameters and operations.

import { exampleOf } from '../../compress/index.js';
import { inference } from '../../nn/index.js';
import { compile } from '../../trace/index.js';
import { above, atLeast, atMost, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { relabelled } from '../parts/metrics.js';
import type { OptionValues } from '../parts/options.js';
import { imageMetrics, imageOptions, imageTask, runImageMethods } from '../protocols/images.js';
import {
  brokenTitles,
  GOOGLENET,
  HALF,
  heavierBroken,
  LIGHT,
  NANO,
  plainMethods,
  RESNET,
  stepScores,
  VGG,
} from '../protocols/plain-networks.js';

type Run = Evidence<OptionValues<typeof imageOptions>>;

const { abstract, paper, ours } = claimsOf<OptionValues<typeof imageOptions>>();
const heavy = [VGG, RESNET, GOOGLENET];

/** Points of accuracy of SimpleNet above others, by the means over the seeds. */
const leads = (e: Run, others: readonly string[]) => others.map((title) => e.gain(NANO, title, 'accuracy'));
/** Parameters and multiply-adds of the heavy networks over SimpleNet's. */
const ratios = (e: Run) =>
  heavy.flatMap((title) => [e.ratio(title, NANO, 'parameters'), e.ratio(title, NANO, 'multiplyAdds')]);
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

const claims = [
  abstract(
    'outperforms',
    'Of VGG, ResNet and GoogLeNet, those less accurate than SimpleNet',
    atLeast(2),
    (e) => leads(e, heavy).filter((lead) => lead > 0).length,
  ),
  abstract('outperforms', 'Their parameters and operations over SimpleNet’s, least', atLeast(2), (e) =>
    Math.min(...ratios(e)),
  ),
  abstract('outperforms', 'Their parameters and operations over SimpleNet’s, most', atMost(25), (e) =>
    Math.max(...ratios(e)),
  ),
  abstract('par', 'Above the best of VGG, ResNet and GoogLeNet (points; two deviations are 1.5)', atLeast(-1.5), (e) =>
    Math.min(...leads(e, heavy)),
  ),
  abstract('light', 'Above a MobileNetV2 of as many parameters and operations (points)', above(0), (e) =>
    e.gain(NANO, LIGHT, 'accuracy'),
  ),
  paper('Above each network that breaks a principle with no fewer operations (points)', above(0), (e) =>
    Math.min(...leads(e, heavierBroken)),
  ),
  paper('Above the mean of the networks that break a principle (points)', above(0), (e) =>
    mean(leads(e, brokenTitles)),
  ),
  ours('Above ResNet-20 of half the width (points)', atLeast(-3), (e) => e.gain(NANO, HALF, 'accuracy')),
  ours('Multiply-adds over those of that ResNet-20', atMost(0.6), (e) => e.ratio(NANO, HALF, 'multiplyAdds')),
  ours('Time of a training step over that of that ResNet-20', below(1), (e) => e.ratio(NANO, HALF, 'step')),
  ...where({ data: ['fashion-mnist'], when: ({ images }) => images >= 6000 }, [
    ours('Accuracy', atLeast(81), (e) => e.mean(NANO, 'accuracy')),
  ]),
];

export const experiment = defineExperiment({
  options: imageOptions,
  ...imageTask,
  reproduction: [
    { data: 'fashion-mnist' },
    { data: 'mnist', seeds: 3, long: true },
    { data: 'fashion-mnist', seeds: 3, set: { images: 60_000, epochs: 20 }, long: true },
    { data: 'cifar10', seeds: 3, set: { images: 10_000, epochs: 12 }, long: true },
  ],
  metrics: {
    ...imageMetrics,
    arena: { label: 'activations of the plan', unit: 'KiB', digits: 0, better: 'smaller' },
    step: { label: 'training step', unit: 'ms', digits: 1, better: 'smaller' },
    stepMemory: { label: 'most memory of a step', unit: 'MiB', digits: 1, better: 'smaller' },
    seconds: relabelled(imageMetrics.seconds, { label: 'training' }),
  },
  methods: () => plainMethods.map(({ title }) => title),
  notes: ({ images, epochs, trials, batch }) => [
    `All networks are trained alike: ${images} images, ${epochs} epochs, AdamW, no augmentation; the learning rate of each is the best of ${trials} on a tenth of the training images. Scores are those of the last epoch's merged form, timed in turns on one thread. A training step is the gradient of ${batch} images, networks taking turns.`,
    'The networks that break a principle have about as many parameters as SimpleNet. Published accuracies of SimpleNet are the best epoch on test images, by a network with a fifth pooling.',
  ],
  async runSeed(data, values, context) {
    const result = await runImageMethods(plainMethods, data, values, context, {
      keep: NANO,
      score: (classifier) => {
        const deployed = classifier.deployed();
        const plan = compile((x) => deployed.forward(x, inference), [exampleOf(data)]);
        const arena = plan.arenaBytes / 1024;
        plan.dispose();
        return { arena };
      },
    });
    const costs = await stepScores(plainMethods, data, values.batch);
    return {
      ...result,
      methods: result.methods.map((own) => ({ ...own, scores: { ...own.scores, ...costs.get(own.method) } })),
    };
  },
  claims,
  unmeasured: {
    datasets: 'ImageNet, CIFAR-100 and SVHN are not at hand, and 10,000 images of CIFAR-10 are no match for its 60,000',
  },
});
