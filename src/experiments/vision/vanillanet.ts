// VanillaNet: a few layers without shortcuts, once merged, are as accurate as deeper networks and
// faster, if series activations and deep training make them learn.

import { exampleOf } from '../../compress/index.js';
import { type ImageDataset, imageTensor } from '../../data/index.js';
import { accuracyOn, SmallResNet, VisionTransformer, visionTransformers } from '../../models/index.js';
import { inference } from '../../nn/index.js';
import { scope } from '../../tensor/index.js';
import { type ImageClassifier, VanillaNet, type VanillaNetOptions, vanillaNets } from '../../vision/index.js';
import { above, atLeast, atMost, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment, type Scores } from '../parts/contract.js';
import { relabelled } from '../parts/metrics.js';
import type { OptionValues } from '../parts/options.js';
import { architecture } from '../protocols/architecture.js';
import { speedAtAccuracy } from '../protocols/fronts.js';
import { type ImageMethod, imageMetrics, imageOptions, imageTask, runImageMethods } from '../protocols/images.js';

const nano =
  (changes: Partial<VanillaNetOptions>): ImageMethod['network'] =>
  (shape, random) =>
    new VanillaNet({ ...vanillaNets['vanillanet-nano'], ...shape, ...changes }, random);

const NEITHER = 'VanillaNet, neither';
const DEEP = 'VanillaNet, deep training';
const SERIES = 'VanillaNet, series';
const BOTH = 'VanillaNet, series and deep training';
const RESNET = 'ResNet-20';
const V1 = 'MobileNetV1';

const vit: ImageMethod['network'] = ({ size, ...shape }, random) =>
  new VisionTransformer(random, { ...visionTransformers['vit-nano'], ...shape, imageSize: size });

const peers: readonly ImageMethod[] = [
  {
    title: RESNET,
    network: ({ channels, classes }, random) => new SmallResNet(20, random, { channels, classes, widths: [8, 16, 32] }),
  },
  { title: V1, network: 'mobilenet-v1-nano' },
  { title: 'MobileNetV2', network: 'mobilenet-v2-nano' },
  { title: 'ViT', network: vit },
  { title: 'ViT, three times the epochs', network: vit, longer: 3 },
];

const methods: readonly ImageMethod[] = [
  { title: NEITHER, network: nano({ form: 'shallow', series: 0 }) },
  { title: DEEP, network: nano({ series: 0 }) },
  { title: SERIES, network: nano({ form: 'shallow' }) },
  { title: BOTH, network: 'vanillanet-nano' },
  ...peers,
];

const { abstract, paper, ours } = claimsOf<OptionValues<typeof imageOptions>>();
type Run = Evidence<OptionValues<typeof imageOptions>>;

/** A score of each peer, its mean over the seeds. */
const ofPeers = (e: Run, score: string) => peers.map(({ title }) => e.mean(title, score));
const merging = [DEEP, SERIES, BOTH];

const claims = [
  abstract('performance', 'Above the best of ResNet-20, MobileNets and ViTs (points)', atLeast(0), (e) =>
    Math.min(...ofPeers(e, 'accuracy').map((accuracy) => e.mean(BOTH, 'accuracy') - accuracy)),
  ),
  abstract('simple', 'Shortcuts and other joins in the merged graph', atMost(0), (e) => e.mean(BOTH, 'joins')),
  abstract('simple', 'Attention in the merged graph', atMost(0), (e) => e.mean(BOTH, 'attentions')),
  abstract('simple', 'Layers of the merged graph over those of the shallowest peer', below(1), (e) =>
    Math.max(...ofPeers(e, 'depth').map((depth) => e.mean(BOTH, 'depth') / depth)),
  ),
  abstract('pruned', 'Accuracy of the merged network off that of the trained one, most (points)', atMost(0), (e) =>
    e.most((score) =>
      Math.max(...merging.map((title) => Math.abs(score(title, 'accuracy') - score(title, 'unmerged')))),
    ),
  ),
  abstract('pruned', 'Outputs of the merged network off, over the largest output, most', atMost(1e-4), (e) =>
    e.most((score) => Math.max(...merging.map((title) => score(title, 'mergingError')))),
  ),
  abstract('deployment', 'Times faster than the peers at its accuracy (0: below all of them)', above(1), (e) => {
    const point = (title: string) => ({ latency: e.mean(title, 'latency'), accuracy: e.mean(title, 'accuracy') });
    return speedAtAccuracy(
      point(BOTH),
      peers.map(({ title }) => point(title)),
    );
  }),
  ours('Series activations above the same network without, least of the seeds (points)', atLeast(5), (e) =>
    e.leastGain(SERIES, NEITHER, 'accuracy'),
  ),
  ours('Series activations above MobileNetV1 of as many multiply-adds (points)', atLeast(-1), (e) =>
    e.gain(SERIES, V1, 'accuracy'),
  ),
  // Harder images want more channels than the small network has.
  ...where({ data: ['fashion-mnist'], when: ({ images }) => images >= 6000 }, [
    ours('Accuracy with both devices', atLeast(80), (e) => e.mean(BOTH, 'accuracy')),
    ours('Series activations above ResNet-20 (points)', atLeast(-2), (e) => e.gain(SERIES, RESNET, 'accuracy')),
    ours('Both devices above ResNet-20 (points)', atLeast(-4.5), (e) => e.gain(BOTH, RESNET, 'accuracy')),
  ]),
  ...where({ when: ({ epochs }) => epochs >= 30 }, [
    paper('Long training: series activations alone above deep training alone (points)', above(0), (e) =>
      e.gain(SERIES, DEEP, 'accuracy'),
    ),
    paper('Long training: both devices above neither (points)', above(0), (e) => e.gain(BOTH, NEITHER, 'accuracy')),
  ]),
  ours('Multiply-adds of ResNet-20 over the merged network’s', atLeast(15), (e) =>
    e.ratio(RESNET, SERIES, 'multiplyAdds'),
  ),
  ours('Latency of ResNet-20 over the merged network’s', atLeast(2), (e) => e.ratio(RESNET, SERIES, 'latency')),
];

/** How a classifier's deployed form compares with its trained one, and what it is made of. */
function formScores(classifier: ImageClassifier, data: ImageDataset): Scores {
  const { model } = classifier;
  const deployed = classifier.deployed();
  const some = Array.from({ length: Math.min(100, data.test.count) }, (_, at) => at);
  return {
    unmerged: 100 * accuracyOn(model, data.test, data),
    mergingError: scope(() => {
      const images = imageTensor(data.test, some, data);
      const trained = model.forward(images, inference);
      const largest = trained.abs().max().item();
      return trained.subtract(deployed.forward(images, inference)).abs().max().item() / largest;
    }),
    ...architecture(deployed, exampleOf(data)),
    ...(model instanceof VanillaNet && { lambda: model.lambda }),
  };
}

export const experiment = defineExperiment({
  options: imageOptions,
  ...imageTask,
  reproduction: [
    { data: 'fashion-mnist' },
    { data: 'fashion-mnist', seeds: 5, set: { images: 20_000, epochs: 10, trials: 6 }, long: true },
    { data: 'fashion-mnist', seeds: 1, set: { epochs: 30 }, long: true },
    { data: 'cifar10', seeds: 5, set: { images: 10_000, epochs: 10, trials: 6 }, long: true },
  ],
  metrics: {
    ...imageMetrics,
    unmerged: relabelled(imageMetrics.accuracy, { label: 'accuracy before merging' }),
    mergingError: { label: 'error of merging', digits: 7, better: 'smaller' },
    joins: { label: 'joins', digits: 0, better: 'smaller' },
    attentions: { label: 'attentions', digits: 0, better: 'smaller' },
    depth: { label: 'layers', digits: 0, better: 'smaller' },
    lambda: { label: 'last λ', digits: 2, better: 'neither' },
  },
  methods: () => methods.map(({ title }) => title),
  notes: ({ images, epochs, trials }) => [
    `All networks are trained alike: ${images} images, ${epochs} epochs, AdamW, no augmentation; learning rate and weight decay of each are the best of ${trials} on a tenth of the training images. λ reaches 1 after a third of the steps. Scores are those of the merged form, timed in turns on one thread.`,
    'Deep training costs accuracy in so short a training: its factors, which are merged away, need long ones (the paper: 300 epochs).',
    'Joins, attentions and layers are counted on the traced graph of the merged form; depthwise convolutions, the series activations among them, are no layers.',
  ],
  runSeed: (data, values, context) =>
    runImageMethods(methods, data, values, context, {
      keep: BOTH,
      score: (classifier) => formScores(classifier, data),
    }),
  claims,
});
