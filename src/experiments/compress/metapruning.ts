// Metapruning: trained residual networks that were not learnt from, pruned to 2×, 3× and 4× with a
// metanetwork, with changes of weights that nothing taught, and by norms.

import type { ImageDataset } from '../../data/index.js';
import { above, atLeast, atMost, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { choice, count, type OptionValues, rate, share } from '../parts/options.js';
import { noStudies } from '../parts/studies.js';
import { splitImages } from '../protocols/binary-networks.js';
import { deployedScores, imageMetrics, imageTask, loadImageSet, shrunkImages } from '../protocols/images.js';
import {
  baseNetwork,
  controls,
  GROUP,
  type MadeMetanetwork,
  META,
  madeMetanetwork,
  normSpread,
  prunedScores,
  pruningArms,
  pruningMethod,
  rivals,
  speedups,
  UNPRUNED,
} from '../protocols/meta-pruning.js';
import { FORWARD, metaStudies, WIDER } from '../protocols/meta-studies.js';

const options = {
  images: count(2000, 'training images, the first ones', { smoke: 64, minimum: 64 }),
  validation: count(500, 'images after them that choose rates and the epoch', { smoke: 40, minimum: 20 }),
  tests: count(2000, 'test images, the first ones', { smoke: 100, minimum: 100 }),
  shrink: count(1, 'blocks of so many pixels a side are averaged; 2 makes 16×16 of 32×32', { smoke: 2 }),
  width: count(8, 'channels of the first of three stages of ResNet-8', { smoke: 4, minimum: 4 }),
  baseEpochs: count(10, 'epochs of the networks before pruning', { smoke: 1 }),
  metaEpochs: count(50, 'steps of meta-training on each of two networks', { smoke: 1 }),
  every: count(5, 'of these from one that may be chosen to the next'),
  adaptEpochs: count(3, 'epochs between the change of weights and pruning', { smoke: 1 }),
  epochs: count(3, 'epochs after pruning', { smoke: 1 }),
  batch: count(32, 'images per step', { minimum: 2 }),
  metaBatch: count(100, 'images of a step of meta-training', { minimum: 2 }),
  metaRate: rate(3e-3, 'learning rate of meta-training'),
  scale: rate(0.05, 'r: factor of the change of weights'),
  strength: rate(0.1, 'λ: weight of the group norm beside the loss of a batch'),
  trials: count(2, 'learning rates tried for each way to prune', { smoke: 1, maximum: 3 }),
  tuning: share(0.5, 'share of the training images that a trial trains on', { minimum: 0.01 }),
  studies: choice(['yes', 'no'], 'whether the bijection and a wider network are measured', { smoke: 'no' }),
};

type Values = OptionValues<typeof options>;
type Run = Evidence<Values>;

const arms = [META, ...controls, ...rivals];
const LAST = speedups.at(-1) as number;
const gaps = (e: Run, others: readonly string[], metric: string) =>
  e.mean(META, metric) - Math.max(...others.map((title) => e.mean(title, metric)));
const perNetwork = (e: Run, value: (metric: string, title: string, at: number) => number, metric: string) =>
  e.scores(META, metric).map((own, at) => own - value(metric, GROUP, at));
const { abstract, ours } = claimsOf<Values>();

const claims = [
  ...where<Values>({ when: ({ studies }) => studies === 'yes' }, [
    abstract('bijection', 'Weights that come back from the graph otherwise', atMost(0), (e) => e.study(FORWARD.lost)),
    abstract('feedforward', 'The feedforward of a network of 20,000 weights (s)', below(1), (e) =>
      e.study(FORWARD.seconds),
    ),
    ours('A network 1.5 times as wide, right after pruning to 4×: above group L2 (points)', above(0), (e) =>
      e.study(WIDER),
    ),
  ]),
  abstract('easier', 'Right after pruning to 4×: metanetwork above group L2 (points)', above(0), (e) =>
    gaps(e, [GROUP], `before${LAST}`),
  ),
  abstract(
    'easier',
    'Right after pruning to 4×: metanetwork above changes that are not learnt (points)',
    above(0),
    (e) => gaps(e, controls, `before${LAST}`),
  ),
  ...where<Values>({ data: ['cifar10'] }, [
    abstract('outstanding', 'After training, mean of 2×, 3×, 4×: above the best rival (points)', atLeast(0), (e) =>
      gaps(e, rivals, 'accuracy'),
    ),
  ]),
  abstract('stateOfTheArt', 'After training, mean of 2×, 3×, 4×: above the best rival (points)', atLeast(0), (e) =>
    gaps(e, rivals, 'accuracy'),
  ),
  ours('Right after pruning to 4×: metanetwork above group L2 (points)', atLeast(5), (e) =>
    gaps(e, [GROUP], `before${LAST}`),
  ),
  ours('After training, worst of 2×, 3×, 4×: above group L2 (points)', atLeast(-0.2), (e) =>
    Math.min(...speedups.map((speedup) => e.gain(META, GROUP, `after${speedup}`))),
  ),
  ours('After training, mean of 2×, 3×, 4×: above changes that are not learnt (points)', above(0), (e) =>
    gaps(e, controls, 'accuracy'),
  ),
  ours('Mean accuracy over 2×, 3×, 4× above group L2, worst of the networks (points)', above(0), (e) =>
    Math.min(...perNetwork(e, (metric, title, at) => e.scores(title, metric)[at] as number, 'accuracy')),
  ),
  ours('Norm spread after the feedforward over that before, least of the networks', atLeast(1.5), (e) =>
    Math.min(...e.scores(META, 'spread').map((own, at) => own / (e.scores(UNPRUNED, 'spread')[at] as number))),
  ),
];

const made = new WeakMap<ImageDataset, Promise<MadeMetanetwork>>();
const accuracyAt = (when: string, speedup: number) => ({ ...imageMetrics.accuracy, label: `${when} ${speedup}×` });

export const experiment = defineExperiment({
  options,
  ...imageTask,
  ownData: 'none: use gossamer fit --model metapruning and gossamer compress',
  async load(source, { images, validation, tests, shrink }, onDownload) {
    const data = await loadImageSet(source, { images: images + validation, tests }, onDownload);
    return { ...data, train: shrunkImages(data.train, shrink), test: shrunkImages(data.test, shrink) };
  },
  reproduction: [
    { data: 'fashion-mnist', set: { shrink: 2 }, seeds: 3 },
    { data: 'cifar10', set: { shrink: 2 }, seeds: 3 },
    { data: 'fashion-mnist', set: { images: 4000, validation: 2000, tests: 10_000 }, seeds: 3, long: true },
    { data: 'cifar10', set: { images: 8000, validation: 2000, width: 16, baseEpochs: 20 }, seeds: 3, long: true },
  ],
  metrics: {
    accuracy: imageMetrics.accuracy,
    ...Object.fromEntries(speedups.map((own) => [`before${own}`, accuracyAt('right after pruning', own)])),
    ...Object.fromEntries(speedups.map((own) => [`after${own}`, accuracyAt('after training', own)])),
    spread: { label: 'norm spread', better: 'larger' },
    multiplyAdds: imageMetrics.multiplyAdds,
    bytes: imageMetrics.bytes,
    seconds: imageMetrics.seconds,
  },
  methods: () => [UNPRUNED, ...arms],
  notes: ({ images, validation, adaptEpochs, epochs, trials }) => [
    `Each seed is another ResNet-8, trained on ${images} images, of which the metanetwork saw none of the like: it learnt from two others, and a third chose its epoch on ${validation} validation images.`,
    `All ways train ${adaptEpochs} epochs before pruning and ${epochs} after it, at the better of ${trials} rates on the third network and validation images. Accuracy is the mean over 2×, 3× and 4× after training; multiply-adds and plan are of 4×. Test images are read once.`,
    "Random changes have the norm of the metanetwork's change in each weight; shrinking follows the group norm's gradient as far as the metanetwork goes, in as many steps as meta-training has. Norm spread: mean group norm of the better half of the channels over that of the worse, before any training.",
  ],
  async runSeed(loaded, values, context) {
    const { data, test } = splitImages(loaded, values.validation);
    const final = { ...data, test };
    const metanetwork = made.get(loaded) ?? madeMetanetwork(data, values, context);
    made.set(loaded, metanetwork);
    const own = await metanetwork;
    const base = {
      title: UNPRUNED,
      train: ({ random }: { readonly random: Parameters<typeof baseNetwork>[2] }) =>
        baseNetwork(data, values, random, context),
    };
    const before = await runMethods([base], context, {
      keep: UNPRUNED,
      score: (model) => ({ ...deployedScores(model, final), spread: normSpread(model, data) }),
    });
    if (!before.kept) return { methods: before.methods };
    const { kept } = before;
    const pruned = pruningArms(own, data, values).map((arm) =>
      pruningMethod(arm, kept, own, loaded, { data, final }, values),
    );
    const after = await runMethods(pruned, context, { score: (result) => prunedScores(result, final) });
    return { methods: [...before.methods, ...after.methods] };
  },
  async studies(loaded, values, context) {
    if (values.studies === 'no') return noStudies;
    const { data, test } = splitImages(loaded, values.validation);
    const metanetwork = await (made.get(loaded) ?? madeMetanetwork(data, values, context));
    return metaStudies(metanetwork, { data, final: { ...data, test } }, values, context);
  },
  claims,
  unmeasured: { elsewhere: 'the images are not at hand' },
});
