// A trained residual network made smaller at equal multiply-adds: shapes that a search finds, by
// hand and at random, trained from new weights; and its channels of least norm removed, fine-tuned.

import {
  costOfShape,
  type FoundShape,
  GroupNormShrinking,
  macTables,
  prunableNetwork,
  randomShape,
  removeChannels,
  type Searched,
  type ShapeChoices,
  searchShape,
  shapeChoicesOf,
  shapeDistillation,
  teacherOf,
  uniformShape,
  usedMultiplyAdds,
} from '../../compress/index.js';
import { firstImages, type ImageDataset } from '../../data/index.js';
import {
  accuracyOn,
  applyShape,
  type NetworkShape,
  SmallResNet,
  shapeSpaceOf,
  trainOnImages,
} from '../../models/index.js';
import { disposeWeights, type Layer, loadState, stateOf } from '../../nn/index.js';
import { Random, type Tensor, zeros } from '../../tensor/index.js';
import type { RunContext } from '../parts/contract.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { type Setting, tuned } from '../parts/tuning.js';

export const TEACHER = 'unpruned network';
export const TAS = 'TAS, distilled';
export const TAS_WEIGHTS = 'TAS, weights of the unpruned network';
export const TAS_NONE = 'TAS, no transfer';
export const UNIFORM = 'uniform width, distilled';
export const L1 = 'L1 filter pruning';
export const GROUP = 'group-norm pruning';
export const distilled = (title: string) => `${title}, distilled`;
export const randomTitle = (draw: number) => `random shape ${draw + 1}, distilled`;
/** Variants of the search, all distilled. */
export const variants = {
  'TAS, widths alone': { search: 'width' },
  'TAS, depths alone': { search: 'depth' },
  'TAS, K = 1': { samples: 1 },
  'TAS, K = all': { samples: 8 },
} as const satisfies Record<string, { readonly search?: Searched; readonly samples?: number }>;

/** What all networks share. */
export interface ShapeRun {
  readonly budget: number;
  readonly width: number;
  readonly epochs: number;
  readonly searchEpochs: number;
  readonly batch: number;
  readonly trials: number;
  readonly tuning: number;
  readonly draws: number;
}

/** Rates tried for every network alike. */
export interface RateSetting extends Setting {
  readonly learningRate: number;
}

export const rateSettings: readonly RateSetting[] = [
  { learningRate: 1e-2 },
  { learningRate: 3e-3 },
  { learningRate: 2e-2 },
];

/** ResNet-14 for small images, whose shortcuts between stages have weights, as TAS has them. */
export function unpruned({ train, classes }: ImageDataset, width: number, random: Random): Layer {
  const widths = [width, 2 * width, 4 * width] as const;
  const model = new SmallResNet(14, random, { channels: train.channels, classes: classes.length, widths });
  shapeSpaceOf(model, exampleFor({ train }), random.split('shortcuts'));
  return model;
}

export const exampleFor = ({ train: { channels, height, width } }: Pick<ImageDataset, 'train'>): Tensor =>
  zeros([1, channels, height, width]);

/** A network to train, and whether the unpruned one teaches it. */
export interface ShapeArm {
  readonly title: string;
  readonly start: (random: Random) => Layer;
  readonly teacher?: Layer;
}

/** Trains a network at a rate, with the unpruned one as teacher if there is one. */
async function trainArm(
  { start, teacher }: ShapeArm,
  data: ImageDataset,
  { epochs, batch }: ShapeRun,
  { learningRate }: RateSetting,
  { random, hooks: { signal, onEpoch } }: MethodRun,
): Promise<Layer> {
  const model = start(random.split('model'));
  await trainOnImages(model, data, random.split('fit'), {
    ...{ epochs, batchSize: batch, learningRate, warmUp: 0.1 },
    ...(teacher && { teacher: { ...shapeDistillation, logits: teacherOf(teacher, data, batch) } }),
    ...(signal && { signal }),
    ...(onEpoch && { onEpoch }),
  });
  signal?.throwIfAborted();
  return model;
}

/** An arm whose rate is the best on validation images, chosen once for all seeds. */
export function shapeMethod(arm: ShapeArm, once: object, data: ImageDataset, values: ShapeRun): Method<Layer> {
  const { train } = data;
  const trial = { ...data, train: firstImages(train, Math.max(2, Math.round(values.tuning * train.count))) };
  return tuned<RateSetting, Layer>({
    ...{ title: arm.title, once, settings: rateSettings.slice(0, values.trials) },
    train: (setting, run) => trainArm(arm, data, values, setting, run),
    trial: (setting, run) => trainArm(arm, trial, values, setting, run),
    validation: (model) => accuracyOn(model, data.test, data),
    discard: (model) => disposeWeights(stateOf(model)),
  });
}

/** Searches a shape. @throws the signal's reason when the run is aborted */
export async function foundShape(
  data: ImageDataset,
  { width, searchEpochs, batch }: ShapeRun,
  budget: number,
  options: { readonly search?: Searched; readonly samples?: number },
  random: Random,
  { signal }: Pick<RunContext, 'signal'>,
): Promise<FoundShape> {
  const found = await searchShape(unpruned(data, width, random.split('model')), data, random.split('search'), {
    ...{ budget, epochs: searchEpochs, batchSize: batch, learningRate: 0.05, architectureRate: 1e-2, ...options },
    ...(signal && { signal }),
  });
  signal?.throwIfAborted();
  return found;
}

/** The choices of the unpruned network. */
export function choicesOf(data: ImageDataset, width: number): ShapeChoices {
  return shapeChoicesOf(unpruned(data, width, new Random(0)), exampleFor(data), new Random(0));
}

/** λ of sparse learning, as in the authors' runs on CIFAR-10. */
const SHRINKAGE = 5e-4;

/**
 * A copy of the unpruned network after sparse learning, for as many epochs as a search has: the
 * channels of least group norm are shrunk the most, before they are removed.
 */
export async function sparselyLearnt(
  teacher: Layer,
  data: ImageDataset,
  { width, searchEpochs, batch }: ShapeRun,
  random: Random,
  { signal }: Pick<RunContext, 'signal'>,
): Promise<Layer> {
  const model = copyOfUnpruned(teacher, data, width);
  await trainOnImages(model, data, random, {
    ...{ epochs: searchEpochs, batchSize: batch, learningRate: (rateSettings[0] as RateSetting).learningRate },
    wrapOptimizer: (inner) =>
      new GroupNormShrinking(inner, prunableNetwork(model, exampleFor(data)), { strength: SHRINKAGE }),
    ...(signal && { signal }),
  });
  signal?.throwIfAborted();
  return model;
}

/** A network of the unpruned one's form with the weights of another of that form. */
function copyOfUnpruned(source: Layer, data: ImageDataset, width: number): Layer {
  const model = unpruned(data, width, new Random(0));
  loadState(model, stateOf(source));
  return model;
}

/**
 * Removes the channels of least norm from a network, the same share of every group and then single
 * ones, until it needs a number of multiply-adds, to 1 %.
 */
export function pruneTo(model: Layer, make: () => Layer, example: Tensor, norm: 1 | 2, target: number): void {
  const costAt = (counts: readonly number[]) => {
    const copy = make();
    removeChannels(copy, example, { ratio: 0, norm, counts });
    const own = usedMultiplyAdds(copy, example);
    disposeWeights(stateOf(copy));
    return own;
  };
  const probe = make();
  const totals = removeChannels(probe, example, { ratio: 0, norm, roundTo: 1 }).map(({ before }) => before);
  disposeWeights(stateOf(probe));
  const shared = (share: number) => totals.map((total) => Math.max(1, Math.round(share * total)));
  let [low, high] = [0, 1];
  for (let step = 0; step < 8; step++) {
    const middle = (low + high) / 2;
    if (costAt(shared(middle)) <= target) low = middle;
    else high = middle;
  }
  let counts = shared(low);
  let off = costAt(counts) - target;
  for (let isNearer = true; isNearer && Math.abs(off) > 0.005 * target; ) {
    isNearer = false;
    for (const at of counts.keys()) {
      const next = counts.map((count, i) => (i === at ? count - Math.sign(off) : count));
      if ((next[at] as number) < 1 || (next[at] as number) > (totals[at] as number)) continue;
      const other = costAt(next) - target;
      if (Math.abs(other) < Math.abs(off)) [counts, off, isNearer] = [next, other, true];
    }
  }
  removeChannels(model, example, { ratio: 0, norm, counts });
}

/**
 * The networks of a seed.
 *
 * @param sparse the unpruned network after sparse learning
 */
export function shapeArms(
  data: ImageDataset,
  values: ShapeRun,
  { teacher, sparse }: { readonly teacher: Layer; readonly sparse: Layer },
  shapes: ReadonlyMap<string, NetworkShape>,
  random: Random,
): ShapeArm[] {
  const { width, draws } = values;
  const example = exampleFor(data);
  const space = choicesOf(data, width);
  const tables = macTables(space);
  const target = costOfShape(space, tables, shapes.get(TAS) as NetworkShape);
  const copied = (source: Layer) => copyOfUnpruned(source, data, width);
  const shaped =
    (shape: NetworkShape, weights: 'new' | 'kept' = 'new') =>
    (own: Random) => {
      const model = weights === 'kept' ? copied(teacher) : unpruned(data, width, own);
      applyShape(model, shape, example, own.split('shape'), { weights });
      return model;
    };
  const pruned = (source: Layer, norm: 1 | 2) => () => {
    const model = copied(source);
    pruneTo(model, () => copied(source), example, norm, target);
    return model;
  };
  const found = shapes.get(TAS) as NetworkShape;
  return [
    { title: TAS, start: shaped(found), teacher },
    { title: TAS_WEIGHTS, start: shaped(found, 'kept') },
    { title: TAS_NONE, start: shaped(found) },
    { title: UNIFORM, start: shaped(uniformShape(space, tables, target)), teacher },
    ...Array.from({ length: draws }, (_, draw) => ({
      title: randomTitle(draw),
      start: shaped(randomShape(space, tables, target, random.split(draw))),
      teacher,
    })),
    ...(
      [
        [L1, teacher, 1],
        [GROUP, sparse, 2],
      ] as const
    ).flatMap(([title, source, norm]) => [
      { title, start: pruned(source, norm) },
      { title: distilled(title), start: pruned(source, norm), teacher },
    ]),
    ...[...shapes]
      .filter(([title]) => title !== TAS)
      .map(([title, shape]) => ({ title, start: shaped(shape), teacher })),
  ];
}
