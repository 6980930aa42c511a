// Sparse and dense networks of the three families of "Fast Sparse ConvNets", small enough for
// images
// of 28×28, with other ways of pruning beside them.

import {
  channelRatioFor,
  chosenWeights,
  exampleOf,
  Frozen,
  gradualPruning,
  pruneOnce,
  removeChannels,
  type SparsityRule,
  sparsityRule,
  usedMultiplyAdds,
} from '../../compress/index.js';
import { type ImageDataset, imageTensor } from '../../data/index.js';
import type { Layer } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { imageModel } from '../../vision/index.js';
import type { Scores } from '../parts/contract.js';
import { type FrontPoint, leadOver, speedAtAccuracy } from './fronts.js';
import { oneImage, type Timing } from './image-timings.js';
import type { ImageMethod, ImageSetting } from './images.js';

/** The families and their networks for small images. */
export const sparseFamilies = {
  v1: 'mobilenet-v1-small',
  v2: 'mobilenet-v2-small',
  efficientnet: 'efficientnet-small',
} as const;

export type SparseFamily = keyof typeof sparseFamilies;

/** Width multipliers. */
export const denseWidths = [0.25, 0.5, 1] as const;
export const sparseWidths = [0.5, 1, 2] as const;
/** Width of the other ways of pruning. */
const WIDTH = 1;

export const denseTitle = (family: SparseFamily, width: number) => `${family} dense, width ${width}`;
export const sparseTitle = (family: SparseFamily, width: number) => `${family} sparse, width ${width}`;
export const oneShotTitle = (family: SparseFamily) => `${family} one-shot, width ${WIDTH}`;
export const constantTitle = (family: SparseFamily) => `${family} constant sparsity, width ${WIDTH}`;
export const filtersTitle = (family: SparseFamily) => `${family} filters removed, width ${WIDTH}`;

/** Few steps want a high rate; sparse networks underfit, and may want little decay. */
const settings: readonly ImageSetting[] = [
  { learningRate: 1e-2, weightDecay: 0.02 },
  { learningRate: 3e-3, weightDecay: 0.02 },
  { learningRate: 1e-2, weightDecay: 0.001 },
  { learningRate: 3e-3, weightDecay: 0.001 },
  { learningRate: 3e-2, weightDecay: 0.02 },
  { learningRate: 3e-2, weightDecay: 0.001 },
];

const plan = { sparse: { choose: 'measured' } } as const;
/** How filters are ranked and counted. */
const filters = { norm: 1, roundTo: 4 } as const;

/**
 * Dense networks, gradually pruned ones, and other ways of pruning one of them, tuned over the same
 * settings.
 *
 * @param sparsity share of zeros; the paper's for the family when left out
 */
export function sparseMethods(family: SparseFamily, sparsity?: number): ImageMethod[] {
  const name = sparseFamilies[family];
  const network = (width: number): ImageMethod['network'] =>
    width === 1 ? name : (shape, random) => imageModel(name, { ...shape, width }, random);
  const ruleOf = (model: Layer): SparsityRule => ({
    ...sparsityRule(model),
    ...(sparsity !== undefined && { sparsity }),
  });
  const pruned = (model: Layer) => {
    const { layers, ...rule } = ruleOf(model);
    return pruneOnce(chosenWeights(model, layers), rule);
  };
  const late = ({ learningRate }: ImageSetting) => ({ learningRate: learningRate / 3 });
  return [
    ...denseWidths.map((width) => ({ title: denseTitle(family, width), network: network(width), settings })),
    ...sparseWidths.map(
      (width): ImageMethod => ({
        title: sparseTitle(family, width),
        network: network(width),
        settings,
        training: (model) => ({ wrapOptimizer: gradualPruning(model, ruleOf(model)) }),
        plan,
      }),
    ),
    {
      title: oneShotTitle(family),
      network: network(WIDTH),
      settings,
      cut: (model, _, setting) => {
        const masks = pruned(model);
        return { ...late(setting), wrapOptimizer: (inner) => new Frozen(inner, masks) };
      },
      plan,
    },
    {
      title: constantTitle(family),
      network: network(WIDTH),
      settings,
      training: (model) => {
        const masks = pruned(model);
        return { wrapOptimizer: (inner) => new Frozen(inner, masks) };
      },
      plan,
    },
    {
      title: filtersTitle(family),
      network: network(WIDTH),
      settings,
      cut: (model, data, setting) => {
        removeChannels(model, exampleOf(data), { ...filters, ratio: filterRatio(name, data, pruned) });
        return late(setting);
      },
    },
  ];
}

/**
 * The share of channels without which a network needs no more multiply-adds than with its zeros.
 */
function filterRatio(name: string, data: ImageDataset, prune: (model: Layer) => unknown): number {
  const { channels, height: size } = data.test;
  const example = exampleOf(data);
  const fresh = () => imageModel(name, { channels, classes: data.classes.length, size }, new Random(0));
  const sparse = fresh();
  prune(sparse);
  return channelRatioFor(fresh, example, usedMultiplyAdds(sparse, example), filters);
}

/** The dense and the sparse points of a family, by the scores of each method. */
export function frontsOf(family: SparseFamily, pointOf: (title: string) => FrontPoint) {
  return {
    dense: denseWidths.map((width) => pointOf(denseTitle(family, width))),
    sparse: sparseWidths.map((width) => pointOf(sparseTitle(family, width))),
  };
}

/**
 * How a network stands against the other front: of a sparse one, `faster` at equal accuracy; of a
 * dense one, the `lead` of the best sparse network at most as slow, absent where there is none.
 */
export function frontScores(family: SparseFamily, title: string, pointOf: (title: string) => FrontPoint): Scores {
  const { dense, sparse } = frontsOf(family, pointOf);
  if (sparseWidths.some((width) => sparseTitle(family, width) === title))
    return { faster: speedAtAccuracy(pointOf(title), dense) };
  const lead = denseWidths.some((width) => denseTitle(family, width) === title)
    ? leadOver(pointOf(title), sparse)
    : undefined;
  return lead === undefined ? {} : { lead };
}

/** Training images on which int8 ranges are measured. */
const CALIBRATION = 16;

/** One image on one thread: each network's own plan, and its dense int8 plan. */
export function sparseTimings(data: ImageDataset): Readonly<Record<'latency' | 'int8', Timing>> {
  const calibration = Array.from({ length: CALIBRATION }, (_, at) => [imageTensor(data.train, [at], data)]);
  return { latency: oneImage, int8: { ...oneImage, plan: { sparse: false, int8: { calibration } } } };
}
