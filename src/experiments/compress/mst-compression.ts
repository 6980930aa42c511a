// MST-compression: binary networks whose channels are computed from each other along spanning
// trees, and are trained to be near to each other.

import { spearman } from '../../nn/index.js';
import { above, atLeast, atMost, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { accuracy, relabelled } from '../parts/metrics.js';
import { choice, count, type OptionValues, share } from '../parts/options.js';
import { splitImages } from '../protocols/binary-networks.js';
import { TIMES, treeStudies } from '../protocols/binary-tree-studies.js';
import {
  CHOSEN,
  FLAT,
  NARROW,
  PLAIN,
  runTrees,
  STAR,
  strengths,
  swept,
  treeMethods,
} from '../protocols/binary-trees.js';
import { imageSets, imageTask, loadImageSet } from '../protocols/images.js';

const options = {
  images: count(3000, 'training images, the first ones', { smoke: 60, minimum: 40 }),
  validation: count(2000, 'images after them that choose λ and rates', { smoke: 40, minimum: 20 }),
  tests: count(10_000, 'test images, the first ones', { smoke: 40, minimum: 20 }),
  epochs: count(14, 'epochs of training, six tenths of them before λ', { smoke: 2, minimum: 2 }),
  batch: count(32, 'images per step', { smoke: 20, minimum: 2 }),
  width: share(0.5, 'width multiplier of the network', { smoke: 0.25, minimum: 0.25, maximum: 2 }),
  trials: count(2, 'learning rates tried for each network', { smoke: 1, maximum: 3 }),
  samples: count(5, 'samples of random signs', { smoke: 1 }),
  speed: choice(['yes', 'no'], 'whether layers are timed', { smoke: 'no' }),
};

type Options = OptionValues<typeof options>;
type Run = Evidence<Options>;

const { abstract, ours } = claimsOf<Options>();
const chosen = (metric: string) => (e: Run) => e.mean(CHOSEN, metric);

const claims = [
  abstract('reuse', 'Largest difference of a logit between trees and direct evaluation', atMost(0), (e: Run) =>
    e.most((score) => score(CHOSEN, 'exact')),
  ),
  abstract('ratio', 'R_op of the chosen λ over that of random signs of its shapes', atLeast(1.5), chosen('overRandom')),
  abstract('ratio', 'Accuracy lost to the plain binary network (points)', atMost(0.5), (e) =>
    e.gain(PLAIN, CHOSEN, 'accuracy'),
  ),
  abstract('learning', 'Rank correlation of λ and Σd, the plain network among them', atMost(-1), (e) =>
    spearman(
      [0, ...strengths],
      [PLAIN, ...strengths.map(swept)].map((title) => e.mean(title, 'distance')),
    ),
  ),
  abstract('learning', 'Σd of the chosen λ over that of the plain network', atMost(0.65), (e) =>
    e.ratio(CHOSEN, PLAIN, 'distance'),
  ),
  abstract(
    'depth',
    'Depth from channel 0 above that from the chosen root, mean of layers',
    above(0),
    (e) => e.mean(CHOSEN, 'firstDepth') - e.mean(CHOSEN, 'depth'),
  ),
  ours('Accuracy above a narrow binary network of as many operations (points)', atLeast(0.5), (e) =>
    e.gain(CHOSEN, NARROW, 'accuracy'),
  ),
  ours('R_op over that of the nearest-neighbour chain, least layer of all seeds', atLeast(1), (e) =>
    e.least((score) => score(CHOSEN, 'overChain')),
  ),
  ours('Accuracy above the network pulled to a star, the nearer in R_op of two (points)', atLeast(0), (e) =>
    e.gain(CHOSEN, STAR, 'accuracy'),
  ),
  ours('R_op of that network pulled to a star over that of the chosen λ', atLeast(0.95), (e) =>
    e.ratio(STAR, CHOSEN, 'ratio'),
  ),
  ours(
    'Depth over that of networks with μ = 0, at equal R_op',
    below(1),
    (e) => e.mean(CHOSEN, 'depth') / e.mean(FLAT, 'depthThere'),
  ),
  ...where<Options>({ when: ({ speed }) => speed === 'yes' }, [
    abstract('depth', `On two threads, ${TIMES.levels}`, atMost(1), (e) => e.study(TIMES.levels)),
    ours('Layers along trees: speed-up over R_op, slowest layer', atLeast(0.7), (e) => e.study(TIMES.share)),
    ours('Layers along trees: times faster than packed rows, slowest layer', atLeast(1.5), (e) => e.study(TIMES.rows)),
  ]),
];

export const experiment = defineExperiment({
  options,
  datasets: imageSets,
  ownData: imageTask.ownData,
  metrics: {
    accuracy: relabelled(accuracy, { digits: 2 }),
    validation: relabelled(accuracy, { label: 'validation', digits: 2 }),
    ratio: { label: 'R_op, binary layers', better: 'larger' },
    network: { label: 'R_op, network', better: 'larger' },
    overRandom: { label: 'R_op over random', better: 'larger' },
    chain: { label: 'R_op, chain', better: 'larger' },
    majority: { label: 'R_op, star', better: 'larger' },
    share: { label: 'Σd', unit: '% of weights', digits: 1, better: 'smaller' },
    bits: { label: 'R_bits', better: 'larger' },
    depth: { label: 'depth', digits: 1, better: 'smaller' },
    firstDepth: { label: 'depth from channel 0', digits: 1, better: 'smaller' },
    strength: { label: 'chosen λ', better: 'neither' },
    withinPoint: { label: 'largest R_op within a point', better: 'larger' },
  },
  reproduction: [
    { data: 'fashion-mnist', seeds: 5 },
    { data: 'fashion-mnist', seeds: 5, set: { images: 10_000, validation: 5000, width: 1, epochs: 20 }, long: true },
    { data: 'cifar10', seeds: 5, set: { images: 8000, validation: 2000, width: 1, epochs: 20 }, long: true },
  ],
  methods: () => treeMethods,
  notes: ({ images, validation, epochs, width, trials }) => [
    `${images} images, ${epochs} epochs, width ${width}; the learning rates of the plain and the narrow network are each the best of ${trials} on ${validation} further training images. All networks with trees go on from the plain one after six tenths of its epochs. λ is the one with the largest R_op that loses at most half a point to the plain network there; test images are scored once for each network that is reported on them.`,
    'R_op: XNORs in full over those along the trees, weighted by pixels; of the network with real multiply-adds counted as one each. Chain and star: of the same weights. R_bits: stored bits, places of differences coded. Random signs give about 2.2.',
    'The network pulled to a star is of the nearer R_op of two strengths; the depth at μ = 0 is interpolated between two. The narrow network is scaled in all binary layers to as many operations in full.',
  ],
  load: async (source, { images, validation, tests }, onDownload) =>
    splitImages(await loadImageSet(source, { images: images + validation, tests }, onDownload), validation),
  describe: ({ data, test }) =>
    `${data.name}: ${data.train.count} images to train on, ${data.test.count} to choose by, ${test.count} test images`,
  runSeed: (data, values, context) => runTrees(data, values, context),
  studies: (_data, { samples, speed }) => treeStudies(samples, speed === 'yes'),
  claims,
});
