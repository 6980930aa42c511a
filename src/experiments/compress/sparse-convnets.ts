// Fast Sparse ConvNets: at equal accuracy, networks with sparse pointwise convolutions are faster
// than dense ones.

import { median } from '../../engine/index.js';
import { above, atLeast, atMost, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { latency } from '../parts/metrics.js';
import { choice, count, type OptionValues, share } from '../parts/options.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import { awaitOnOneThread } from '../parts/threads.js';
import { frontLead, speedAtAccuracy } from '../protocols/fronts.js';
import { imageOptions, imageTask, runImageMethods } from '../protocols/images.js';
import {
  filtersTitle,
  frontScores,
  frontsOf,
  oneShotTitle,
  type SparseFamily,
  sparseFamilies,
  sparseMethods,
  sparseTimings,
  sparseTitle,
} from '../protocols/sparse-families.js';
import { networkStudy } from '../protocols/sparse-network-speed.js';
import { kernelStudy } from '../protocols/sparse-speed.js';

const options = {
  ...imageOptions,
  images: count(1200, 'training images, the first ones', { smoke: 160, minimum: 100 }),
  tests: count(10_000, 'test images, the first ones', { smoke: 100, minimum: 100 }),
  epochs: count(4, 'epochs of training', { smoke: 1 }),
  families: choice(['v1', 'all'], 'MobileNet v1 alone, or v2 and EfficientNet too'),
  sparsity: share(0, "share of zeros; 0: the paper's (v1 90 %, v2 85 %, EfficientNet 80 %)", { maximum: 0.99 }),
  speed: choice(['yes', 'no'], 'whether kernels and networks at 224² are timed', { smoke: 'no' }),
};

type Options = OptionValues<typeof options>;
type Run = Evidence<Options>;

const everyFamily = Object.keys(sparseFamilies) as SparseFamily[];
const familiesOf = ({ families }: Options): readonly SparseFamily[] => (families === 'all' ? everyFamily : ['v1']);
const methodsOf = (values: Options) =>
  familiesOf(values).flatMap((family) => sparseMethods(family, values.sparsity || undefined));

const fronts = (e: Run, family: SparseFamily) =>
  frontsOf(family, (title) => ({ latency: e.mean(title, 'latency'), accuracy: e.mean(title, 'accuracy') }));
const lead = (e: Run, family: SparseFamily) => {
  const { sparse, dense } = fronts(e, family);
  return frontLead(sparse, dense);
};
const medianSpeed = (e: Run, family: SparseFamily) => {
  const { sparse, dense } = fronts(e, family);
  return median(sparse.map((point) => speedAtAccuracy(point, dense)));
};
const { abstract, ours } = claimsOf<Options>();

const names: Readonly<Record<SparseFamily, string>> = {
  v1: 'MobileNet v1',
  v2: 'MobileNet v2',
  efficientnet: 'EfficientNet',
};

const trainedClaims = (family: SparseFamily) => [
  ours(
    `${names[family]}: dense networks, of 3, that a sparse one is as fast as`,
    atLeast(2),
    (e: Run) => lead(e, family).counted,
  ),
  ours(
    `${names[family]}: least lead of the best sparse network as fast as a dense one (points)`,
    atLeast(-0.3),
    (e) => lead(e, family).least,
  ),
  ours(
    `${names[family]}: largest lead of the best sparse network as fast as a dense one (points)`,
    atLeast(0.5),
    (e) => lead(e, family).most,
  ),
  abstract(
    'speed',
    `${names[family]}, x86-64: times faster than dense at equal accuracy, median width`,
    atLeast(1.3),
    (e) => medianSpeed(e, family),
  ),
  ours(`${names[family]}: gradual pruning above one-shot (points)`, atLeast(0), (e) =>
    e.gain(sparseTitle(family, 1), oneShotTitle(family), 'accuracy'),
  ),
  ours(`${names[family]}: gradual pruning above filters removed, at equal multiply-adds (points)`, atLeast(0), (e) =>
    e.gain(sparseTitle(family, 1), filtersTitle(family), 'accuracy'),
  ),
];

const study = (name: string) => (e: Run) => e.study(name);
const patterns = { unstructured: 'unstructured', block2: '2×1 blocks', block4: '4×1 blocks' } as const;
const bounds = { unstructured: [1.8, 3.5], block2: [2.5, 5], block4: [2.5, 5] } as const;
const kernelClaims = (['unstructured', 'block2', 'block4'] as const).flatMap((pattern) =>
  ([0.8, 0.9] as const).map((zeros, at) =>
    ours(
      `Kernels, ${patterns[pattern]}, ${100 * zeros} % zeros: times faster than dense, slowest shape`,
      atLeast(bounds[pattern][at] as number),
      study(`${pattern} ${zeros}`),
    ),
  ),
);

const claims = [
  ...everyFamily.flatMap((family) =>
    where<Options>({ when: (values) => familiesOf(values).includes(family) }, trainedClaims(family)),
  ),
  ...where<Options>({ when: ({ families }) => families === 'all' }, [
    abstract(
      'curve',
      'All families: least lead of the best sparse network as fast as a dense one (points)',
      atLeast(-0.3),
      (e) => Math.min(...everyFamily.map((family) => lead(e, family).least)),
    ),
    abstract('curve', 'All families: the least of their largest leads (points)', atLeast(0.5), (e) =>
      Math.min(...everyFamily.map((family) => lead(e, family).most)),
    ),
  ]),
  ...where<Options>({ when: ({ speed }) => speed === 'yes' }, [
    abstract(
      'kernels',
      'Kernels, unstructured, 90 % zeros: times faster than dense, slowest shape',
      above(1),
      study('unstructured 0.9'),
    ),
    ...kernelClaims,
    ours('Zeros from which the unstructured kernel is faster, latest shape', atMost(0.6), study('unstructured even')),
    ours('Zeros from which the 4×1 kernel is faster, latest shape', atMost(0.35), study('block4 even')),
    ours(
      'Dense convolution: share of the rate of the fastest dense kernel, slowest shape',
      atLeast(0.85),
      study('dense share'),
    ),
    ours(
      'Dense convolution: share of the rate of a square product, slowest shape of 196 pixels or more',
      atLeast(0.85),
      study('dense rate'),
    ),
    ours('MobileNetV1 at 224²: times faster than its dense plan', atLeast(2), study('network MobileNetV1')),
    ours('Plans at 224² over the faster of dense and sparse everywhere, slowest network', atMost(1.1), study('chosen')),
  ]),
];

export const experiment = defineExperiment({
  options,
  ...imageTask,
  metrics: {
    ...imageTask.metrics,
    int8: latency('dense int8, one image'),
    lead: { label: 'best sparse network as fast, ahead', unit: 'points', better: 'larger' },
    faster: { label: 'times faster than dense at equal accuracy', better: 'larger' },
  },
  reproduction: [
    { data: 'fashion-mnist', seeds: 3 },
    { data: 'fashion-mnist', set: { families: 'all', images: 10_000, epochs: 6 }, long: true },
  ],
  methods: (values) => methodsOf(values).map(({ title }) => title),
  notes: ({ images, epochs, trials }) => [
    `Small networks of each family: ${images} images, ${epochs} epochs for all; learning rate and weight decay of each are the best of ${trials} on a tenth of the training images. Times are of WebAssembly on this machine, not of a Snapdragon 835; plans on one thread, in turns, with sparse kernels where they were measured to be faster.`,
    'At equal accuracy: dense latency interpolated between dense networks; a sparse one above all of them is compared with the most accurate, one below all of them scores 0. The claim is on the median width; the upper end in the abstract is 2.4. A dense network without a lead is faster than all sparse ones, and does not count.',
    'Constant sparsity: masks of the random weights, kept. One-shot and filters removed: three quarters of the epochs dense, then cut, then trained on. Filters go by their L1 norm, down to as many multiply-adds as the sparse network uses.',
  ],
  runSeed: async (data, values, context) => {
    const result = await runImageMethods(methodsOf(values), data, values, context, {
      keep: sparseTitle('v1', 1),
      timings: sparseTimings(data),
    });
    const pointOf = (title: string) => {
      const { latency: time = Number.NaN, accuracy = Number.NaN } =
        result.methods.find(({ method }) => method === title)?.scores ?? {};
      return { latency: time, accuracy };
    };
    const familyOf = (title: string) => everyFamily.find((family) => title.startsWith(`${family} `)) as SparseFamily;
    return {
      ...result,
      methods: result.methods.map((own) => ({
        ...own,
        scores: { ...own.scores, ...frontScores(familyOf(own.method), own.method, pointOf) },
      })),
    };
  },
  studies: (_data, { speed }) =>
    speed === 'yes' ? awaitOnOneThread(async () => joinStudies(await kernelStudy(), await networkStudy())) : noStudies,
  claims,
  unmeasured: { arm: 'the kernels are measured in WebAssembly on x86-64; no ARM machine is at hand' },
});
