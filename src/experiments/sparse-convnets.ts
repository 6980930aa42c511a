// The claim of Fast Sparse ConvNets: at equal accuracy, networks with sparse pointwise convolutions are faster than dense ones.

import {
  chosenWeights,
  Frozen,
  gradualPruning,
  pruneOnce,
  removeChannels,
  usedMultiplyAdds,
} from '../compress/index.js';
import type { ImageDataset } from '../data/index.js';
import { MobileNetV1, trainOnImages } from '../models/index.js';
import type { Layer } from '../nn/index.js';
import { Random, type Tensor, zeros } from '../tensor/index.js';
import { imageModel } from '../vision/index.js';
import { atLeast, atMost, meanScore } from './claims.js';
import type { Claim, Experiment, MethodScores, RunContext, SeedResult, Study } from './contract.js';
import {
  describeImages,
  type ImageArm,
  type ImageRun,
  imageArtifacts,
  imageMetrics,
  imageOptions,
  imageSets,
  loadImageSet,
  recipeOf,
  trainArm,
} from './image-arms.js';
import type { OptionValues } from './options.js';
import { kernelStudy, networkStudy } from './sparse-speed.js';

const options = {
  ...imageOptions,
  images: { ...imageOptions.images, default: 8000 },
  tests: { ...imageOptions.tests, default: 10_000 },
  epochs: { ...imageOptions.epochs, default: 4 },
  sparsity: {
    kind: 'number',
    default: 0.9,
    minimum: 0,
    maximum: 0.99,
    about: 'share of zeros in pointwise convolutions',
  },
  speed: {
    kind: 'choice',
    default: 'yes',
    smoke: 'no',
    choices: ['yes', 'no'],
    about: 'whether kernels and a network at 224² are timed',
  },
} as const;

type Options = OptionValues<typeof options>;

const network =
  (width: number): ImageArm['make'] =>
  (shape, random) =>
    imageModel('mobilenet-v1-small', { ...shape, width }, random);

/** Few steps want a high rate; sparse nets gain the most by it. */
const RATE = 1e-2;

const dense = (width: number): ImageArm => ({
  title: `dense, width ${width}`,
  make: network(width),
  training: () => ({ learningRate: RATE }),
});

/** Gradual pruning from a tenth of the steps to six tenths; the rest recovers. */
function sparse(width: number, sparsity: number): ImageArm {
  return {
    title: `sparse, width ${width}`,
    make: network(width),
    plan: { sparse: { choose: 'measured' } },
    training: (model) => ({
      learningRate: RATE,
      weightDecay: 1e-2,
      wrapOptimizer: gradualPruning(model, { sparsity }),
    }),
  };
}

/** Three quarters of the epochs dense, then what `cut` leaves for the rest. */
function cutLate(
  title: string,
  cut: (model: Layer, data: ImageDataset) => ReturnType<typeof pruneOnce>,
  plan?: ImageArm['plan'],
): ImageArm {
  const late = (run: ImageRun) => Math.max(1, Math.round(run.epochs / 4));
  return {
    title,
    make: network(1),
    ...(plan && { plan }),
    training: (_, run) => ({ learningRate: RATE, epochs: Math.max(1, run.epochs - late(run)) }),
    after: async (model, data, random, run) => {
      const masks = cut(model, data);
      await trainOnImages(model, data, random, {
        ...recipeOf(run),
        learningRate: RATE / 3,
        epochs: late(run),
        wrapOptimizer: (inner) => new Frozen(inner, masks),
      });
    },
  };
}

const ONE_SHOT = 'one-shot, width 1';
const FILTERS = 'filters removed, width 1';

function armsOf({ sparsity }: Pick<Options, 'sparsity'>): ImageArm[] {
  return [
    dense(0.25),
    dense(0.5),
    dense(1),
    sparse(0.5, sparsity),
    sparse(1, sparsity),
    sparse(2, sparsity),
    cutLate(ONE_SHOT, (model) => pruneOnce(chosenWeights(model, 'pointwise'), { sparsity }), {
      sparse: { choose: 'measured' },
    }),
    cutLate(FILTERS, (model, data) => {
      const { channels, height, width } = data.test;
      const example = zeros([1, channels, height, width]);
      removeChannels(model, example, { ratio: ratioOf(sparsity, data, example), norm: 1, roundTo: 4 });
      return {};
    }),
  ];
}

/** The share of channels without which a network of width 1 needs no more multiply-adds than with so many zeros. */
function ratioOf(sparsity: number, { classes, test }: ImageDataset, example: Tensor): number {
  const fresh = () =>
    network(1)({ channels: test.channels, classes: classes.length, size: test.height }, new Random(0));
  const pruned = fresh();
  pruneOnce(chosenWeights(pruned, 'pointwise'), { sparsity });
  const goal = usedMultiplyAdds(pruned, example);
  const fits = (ratio: number) => {
    const cut = fresh();
    removeChannels(cut, example, { ratio, roundTo: 4 });
    return usedMultiplyAdds(cut, example) <= goal;
  };
  let ratio = 0;
  while (ratio < 0.95 && !fits(ratio)) ratio += 0.02;
  return ratio;
}

async function runSeed(data: ImageDataset, run: Options, context: RunContext) {
  const methods: MethodScores[] = [];
  let kept: Layer | undefined;
  for (const arm of armsOf(run)) {
    const { scores, model } = await trainArm(arm, data, run, context);
    methods.push({ method: arm.title, scores });
    if (arm.title === 'sparse, width 1') kept = model;
  }
  return { methods, artifacts: () => imageArtifacts('sparse-convnets', kept as Layer, data) };
}

async function studies(
  _: ImageDataset,
  { sparsity, speed }: Options,
): Promise<{ studies: Study[]; scores: Record<string, number> }> {
  if (speed === 'no') return { studies: [], scores: {} };
  const kernels = kernelStudy();
  const whole = networkStudy((random) => new MobileNetV1(random), sparsity);
  return { studies: [kernels.study, ...whole.studies], scores: { ...kernels.scores, ...whole.scores } };
}

interface Mark {
  readonly latency: number;
  readonly accuracy: number;
}

/** Where the line between dense points, by the logarithm of time, reaches an accuracy; undefined beyond its ends. */
function timeOfAccuracy(points: readonly Mark[], accuracy: number): number | undefined {
  const sorted = [...points].sort((a, b) => a.latency - b.latency);
  for (let i = 1; i < sorted.length; i++) {
    const [a, b] = [sorted[i - 1] as Mark, sorted[i] as Mark];
    if ((a.accuracy - accuracy) * (b.accuracy - accuracy) > 0) continue;
    const share = (accuracy - a.accuracy) / (b.accuracy - a.accuracy || 1);
    return Math.exp(Math.log(a.latency) + share * (Math.log(b.latency) - Math.log(a.latency)));
  }
  return undefined;
}

function claims(results: readonly SeedResult[], study: Readonly<Record<string, number>>, run: Options): Claim[] {
  const mark = (title: string): Mark => ({
    latency: meanScore(results, title, 'latency'),
    accuracy: meanScore(results, title, 'accuracy'),
  });
  const marks = (kind: string) =>
    armsOf(run)
      .filter(({ title }) => title.startsWith(kind))
      .map(({ title }) => mark(title));
  const [densePoints, sparsePoints] = [marks('dense'), marks('sparse')];
  // Of dense points that are at least as slow, what each sparse point gains.
  const gains = sparsePoints.flatMap((s) =>
    densePoints.filter((d) => d.latency >= s.latency).map((d) => s.accuracy - d.accuracy),
  );
  const worst = sparsePoints.map((s) =>
    Math.max(...densePoints.filter((d) => d.latency <= 1.02 * s.latency).map((d) => d.accuracy - s.accuracy), -100),
  );
  const fastest = sparsePoints.map(
    (s) =>
      (timeOfAccuracy(densePoints, s.accuracy) ??
        (s.accuracy >= Math.max(...densePoints.map((d) => d.accuracy))
          ? Math.max(...densePoints.map((d) => d.latency))
          : 0)) / s.latency,
  );
  return [
    atMost('Most that a dense net at most as slow is ahead of a sparse one (points)', Math.max(...worst), 0.3),
    atLeast('Most that a sparse net is ahead of a dense one at least as slow (points)', Math.max(...gains, -100), 0.5),
    atLeast('Times faster than dense nets of equal accuracy, the best width', Math.max(...fastest), 1.3),
    atLeast(
      'Gradual pruning against filters removed at equal multiply-adds (points)',
      mark('sparse, width 1').accuracy - mark(FILTERS).accuracy,
      0,
    ),
    atLeast('Gradual pruning against one-shot (points)', mark('sparse, width 1').accuracy - mark(ONE_SHOT).accuracy, 0),
    ...speedClaims(study),
  ];
}

function speedClaims(study: Readonly<Record<string, number>>): Claim[] {
  const of = (name: string) => study[name] ?? Number.NaN;
  if (study.network === undefined) return [];
  return [
    atLeast('Kernels, unstructured, 80 % zeros, times faster (slowest shape)', of('unstructured80'), 1.8),
    atLeast('Kernels, unstructured, 90 %', of('unstructured90'), 3.5),
    atLeast('Kernels, 4×1 blocks, 80 %', of('blocks80'), 2.5),
    atLeast('Kernels, 4×1 blocks, 90 %', of('blocks90'), 5),
    atMost('Zeros from which the unstructured kernel is faster (mean of the shapes)', of('evenUnstructured'), 0.6),
    atMost('Zeros from which the 4×1 kernel is faster', of('evenBlocks'), 0.35),
    atLeast('MobileNetV1 at 224², times faster than its dense plan', of('network'), 2),
  ];
}

export const sparseConvnets: Experiment<typeof options, ImageDataset> = {
  system: 'sparse-convnets',
  title: 'Fast sparse convolutional networks',
  family: 'compress',
  paper: 'Elsen, Dukhan, Gale, Simonyan, "Fast Sparse ConvNets", CVPR 2020 (arXiv 1911.09723)',
  abstract:
    'With efficient kernels for sparse matrices, sparse MobileNets and EfficientNets are faster than dense ones of the same accuracy, by 1.3 to 2.4 times.',
  options,
  datasets: imageSets,
  ownData: 'none: use gossamer compress',
  metrics: imageMetrics,
  methods: armsOf({ sparsity: 0.9 }).map(({ title }) => title),
  notes: ({ images, epochs, sparsity }) => [
    `MobileNetV1 for small images, ${images} images, ${epochs} epochs for all; ${(100 * sparsity).toFixed(0)} % zeros in the pointwise convolutions of the sparse ones. Plans on one thread; sparse kernels where they were measured to be faster.`,
    'One-shot and filters removed: three quarters of the epochs dense, then cut, then trained on. Filters go by their L1 norm, down to as many multiply-adds as the sparse net uses.',
  ],
  load: (source, run) => loadImageSet('sparse-convnets', source, run),
  describe: describeImages,
  runSeed,
  studies,
  claims,
};
