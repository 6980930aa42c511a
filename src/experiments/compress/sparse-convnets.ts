// Fast Sparse ConvNets: at equal accuracy, networks with sparse pointwise convolutions are faster
// than dense ones.

import {
  channelRatioFor,
  chosenWeights,
  exampleOf,
  Frozen,
  gradualPruning,
  pruneOnce,
  removeChannels,
  usedMultiplyAdds,
} from '../../compress/index.js';
import type { ImageDataset } from '../../data/index.js';
import { Random } from '../../tensor/index.js';
import { imageModel } from '../../vision/index.js';
import { above, atLeast, atMost, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { choice, count, type OptionValues, share } from '../parts/options.js';
import { noStudies } from '../parts/studies.js';
import { bestGain, type FrontPoint, speedAtAccuracy, worstDeficit } from '../protocols/fronts.js';
import { type ImageMethod, type ImageSetting, imageOptions, imageTask, runImageMethods } from '../protocols/images.js';
import { sparseSpeedStudies } from '../protocols/sparse-speed.js';

const options = {
  ...imageOptions,
  images: count(8000, 'training images, the first ones', { smoke: 160, minimum: 100 }),
  tests: count(10_000, 'test images, the first ones', { smoke: 100, minimum: 100 }),
  epochs: count(4, 'epochs of training', { smoke: 1 }),
  sparsity: share(0.9, 'share of zeros in pointwise convolutions', { maximum: 0.99 }),
  speed: choice(['yes', 'no'], 'whether kernels and a network at 224² are timed', { smoke: 'no' }),
};

type Options = OptionValues<typeof options>;

const NETWORK = 'mobilenet-v1-small';
/** Few steps want a high rate. */
const settings: ImageMethod['settings'] = [1e-2, 3e-3, 3e-2, 1e-3].flatMap((learningRate) =>
  [0.02, 0.01].map((weightDecay) => ({ learningRate, weightDecay })),
);
const denseWidths = [0.25, 0.5, 1];
const sparseWidths = [0.5, 1, 2];
const denseTitle = (width: number) => `dense, width ${width}`;
const sparseTitle = (width: number) => `sparse, width ${width}`;
const SPARSE = sparseTitle(1);
const ONE_SHOT = 'one-shot, width 1';
const FILTERS = 'filters removed, width 1';

const network = (width: number): ImageMethod['network'] =>
  width === 1 ? NETWORK : (shape, random) => imageModel(NETWORK, { ...shape, width }, random);

const plan = { sparse: { choose: 'measured' } } as const;
/** How filters are ranked and counted. */
const filters = { norm: 1, roundTo: 4 } as const;

function methodsOf({ sparsity }: Options): ImageMethod[] {
  const late = ({ learningRate }: ImageSetting) => ({ learningRate: learningRate / 3 });
  return [
    ...denseWidths.map((width) => ({ title: denseTitle(width), network: network(width), settings })),
    ...sparseWidths.map(
      (width): ImageMethod => ({
        title: sparseTitle(width),
        network: network(width),
        settings,
        training: (model) => ({ wrapOptimizer: gradualPruning(model, { sparsity }) }),
        plan,
      }),
    ),
    {
      title: ONE_SHOT,
      network: NETWORK,
      settings,
      cut: (model, _, setting) => {
        const masks = pruneOnce(chosenWeights(model, 'pointwise'), { sparsity });
        return { ...late(setting), wrapOptimizer: (inner) => new Frozen(inner, masks) };
      },
      plan,
    },
    {
      title: FILTERS,
      network: NETWORK,
      settings,
      cut: (model, data, setting) => {
        removeChannels(model, exampleOf(data), { ...filters, ratio: filterRatio(sparsity, data) });
        return late(setting);
      },
    },
  ];
}

/**
 * The share of channels without which the network needs no more multiply-adds than with so many
 * zeros.
 */
function filterRatio(sparsity: number, data: ImageDataset): number {
  const { channels, height: size } = data.test;
  const example = exampleOf(data);
  const fresh = () => imageModel(NETWORK, { channels, classes: data.classes.length, size }, new Random(0));
  const pruned = fresh();
  pruneOnce(chosenWeights(pruned, 'pointwise'), { sparsity });
  return channelRatioFor(fresh, example, usedMultiplyAdds(pruned, example), filters);
}

const points = (e: Evidence<Options>, titles: readonly string[]): FrontPoint[] =>
  titles.map((title) => ({ latency: e.mean(title, 'latency'), accuracy: e.mean(title, 'accuracy') }));
const dense = (e: Evidence<Options>) => points(e, denseWidths.map(denseTitle));
const sparse = (e: Evidence<Options>) => points(e, sparseWidths.map(sparseTitle));

const { abstract, ours } = claimsOf<Options>();

const claims = [
  ours('Most that a dense network at most as slow is ahead of a sparse one (points)', atMost(0.3), (e) =>
    worstDeficit(sparse(e), dense(e)),
  ),
  ours('Most that a sparse network is ahead of a dense one at least as slow (points)', atLeast(0.5), (e) =>
    bestGain(sparse(e), dense(e)),
  ),
  ours('Times faster than dense networks of equal accuracy, the best width', atLeast(1.3), (e) =>
    Math.max(...sparse(e).map((point) => speedAtAccuracy(point, dense(e)))),
  ),
  ours('Gradual pruning above filters removed, at equal multiply-adds (points)', atLeast(0), (e) =>
    e.gain(SPARSE, FILTERS, 'accuracy'),
  ),
  ours('Gradual pruning above one-shot (points)', atLeast(0), (e) => e.gain(SPARSE, ONE_SHOT, 'accuracy')),
  ...where({ when: ({ speed }) => speed === 'yes' }, [
    abstract('kernels', 'Kernels, unstructured, 90 % zeros: times faster than dense, slowest shape', above(1), (e) =>
      e.study('unstructured 0.9'),
    ),
    ours('Kernels, unstructured, 80 % zeros: times faster than dense, slowest shape', atLeast(1.8), (e) =>
      e.study('unstructured 0.8'),
    ),
    ours('Kernels, unstructured, 90 % zeros: times faster, slowest shape', atLeast(3.5), (e) =>
      e.study('unstructured 0.9'),
    ),
    ours('Kernels, 4×1 blocks, 80 % zeros: times faster, slowest shape', atLeast(2.5), (e) => e.study('block4 0.8')),
    ours('Kernels, 4×1 blocks, 90 % zeros: times faster, slowest shape', atLeast(5), (e) => e.study('block4 0.9')),
    ours('Zeros from which the unstructured kernel is faster, mean of the shapes', atMost(0.6), (e) =>
      e.study('unstructured even'),
    ),
    ours('Zeros from which the 4×1 kernel is faster, mean of the shapes', atMost(0.35), (e) => e.study('block4 even')),
    ours('MobileNetV1 at 224²: times faster than its dense plan', atLeast(2), (e) => e.study('network')),
  ]),
];

export const experiment = defineExperiment({
  options,
  ...imageTask,
  reproduction: [
    { data: 'fashion-mnist', seeds: 1, set: { images: 2000 } },
    { data: 'fashion-mnist', seeds: 2, long: true },
  ],
  methods: (values) => methodsOf(values).map(({ title }) => title),
  notes: ({ images, epochs, trials, sparsity }) => [
    `MobileNetV1 for small images, ${images} images, ${epochs} epochs for all, learning rate and weight decay of each the best of ${trials} on a tenth of the training images; ${(100 * sparsity).toFixed(0)} % zeros in the pointwise convolutions of the sparse ones. Plans on one thread; sparse kernels where they were measured to be faster.`,
    'One-shot and filters removed: three quarters of the epochs dense, then cut, then trained on. Filters go by their L1 norm, down to as many multiply-adds as the sparse network uses.',
  ],
  runSeed: (data, values, context) => runImageMethods(methodsOf(values), data, values, context, { keep: SPARSE }),
  studies: (_data, { sparsity, speed }) => (speed === 'yes' ? sparseSpeedStudies(sparsity) : noStudies),
  claims,
  unmeasured: {
    arm: 'the kernels are measured in WebAssembly on x86-64; no ARM machine is at hand',
    curve: 'networks of MobileNet v1 alone are trained',
    speed: 'networks of MobileNet v1 alone are trained, and not on a Snapdragon 835',
  },
});
