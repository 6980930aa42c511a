// Sub-networks of one untrained parent, trained alike: the arms that a random search is compared
// with, how fast they learn, and how well they do at the end.

import {
  armOf,
  type Examples,
  type FoundSubNetwork,
  imageExamples,
  informedNodes,
  NodeSpace,
  rowExamples,
  scoresOn,
  searchSetOf,
  someExamples,
  trainOnExamples,
} from '../../compress/index.js';
import { type ImageDataset, imageTensor, type LabelledImages } from '../../data/index.js';
import {
  Conv2d,
  cloneWeights,
  disposeWeights,
  gradientsOf,
  heInitialize,
  inference,
  type Layer,
  Linear,
  MLP,
  parameterCount,
  replaceWeights,
  stateOf,
  type Weights,
} from '../../nn/index.js';
import { maxPool2d, Random, reshape, scope, type Tensor } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import type { MethodRun } from '../parts/methods.js';
import { summarize } from '../parts/statistics.js';
import { bestSetting } from '../parts/tuning.js';

/** What all arms share. */
export interface SubNetworkTraining {
  readonly network: 'mlp' | 'cnn';
  /** Hidden units of both layers of the MLP, or channels of the second and third convolution. */
  readonly width: number;
  readonly epochs: number;
  readonly batch: number;
  readonly candidates: number;
  readonly searchSet: number;
  /** Learning rates that are tried. */
  readonly trials: number;
  /** Validation images of the curve, and steps from one point to the next. */
  readonly curve: number;
  readonly every: number;
}

/** Examples to train on, to choose by, and to report on. */
export interface SubNetworkData {
  readonly train: Examples;
  readonly validation: Examples;
  readonly test: Examples;
  readonly classes: number;
  /** [channels, height, width]. */
  readonly shape: readonly [number, number, number];
}

/** The examples of a network: rows of normalised pixels for the MLP, pictures for convolutions. */
export function subNetworkData(
  { data, test }: { readonly data: ImageDataset; readonly test: LabelledImages },
  network: SubNetworkTraining['network'],
): SubNetworkData {
  const { channels, height, width } = data.train;
  const examples = (images: LabelledImages): Examples => {
    if (network === 'cnn') return imageExamples(images, data);
    const all = Int32Array.from({ length: images.count }, (_, at) => at);
    const values = scope(() => imageTensor(images, all, data).dataSync<Float32Array>());
    return rowExamples({ count: images.count, width: channels * height * width, values }, { labels: images.labels });
  };
  return {
    train: examples(data.train),
    validation: examples(data.test),
    test: examples(test),
    classes: data.classes.length,
    shape: [channels, height, width],
  };
}

/** Three 3×3 convolutions, each followed by a pooling, and a linear layer. */
class ThreeConvolutions implements Layer {
  readonly convolutions: readonly Conv2d[];
  readonly head: Linear;

  constructor([channels, height, width]: SubNetworkData['shape'], wide: number, classes: number, random: Random) {
    const counts = [channels, Math.ceil(wide / 2), wide, wide];
    this.convolutions = [0, 1, 2].map(
      (at) => new Conv2d(counts[at] as number, counts[at + 1] as number, 3, random.split(at), { padding: 1 }),
    );
    this.head = new Linear(wide * Math.floor(height / 8) * Math.floor(width / 8), classes, random.split('head'));
  }

  /** Images [n, channels, height, width] → logits [n, classes]. */
  forward(x: Tensor): Tensor {
    const maps = this.convolutions.reduce((value, own) => maxPool2d(own.forward(value).relu(), 2), x);
    return this.head.forward(reshape(maps, [x.shape[0] as number, -1]));
  }
}

/** An untrained parent: He-normal weights, biases 0. */
export function parentOf(
  { classes, shape }: SubNetworkData,
  { network, width }: Pick<SubNetworkTraining, 'network' | 'width'>,
  random: Random,
): Layer {
  const model: Layer =
    network === 'mlp'
      ? new MLP([shape[0] * shape[1] * shape[2], width, width, classes], random)
      : new ThreeConvolutions(shape, width, classes, random);
  heInitialize(model, random);
  return model;
}

/** What an arm begins its training with. */
export type SubNetworkArm = 'dense' | 'random' | 'random-search' | 'fresh' | 'informed' | 'zeroed';

/** A trained arm. */
export interface TrainedArm {
  readonly model: Layer;
  readonly found: FoundSubNetwork | undefined;
  /** Share of the validation images that are right, from before training on. */
  readonly curve: readonly number[];
}

/** Cuts an arm out of the parent. @param trained weights of the trained parent, for `informed` */
async function cutArm(
  arm: SubNetworkArm,
  model: Layer,
  sparsity: number,
  data: SubNetworkData,
  values: SubNetworkTraining,
  random: Random,
  trained?: Weights,
): Promise<FoundSubNetwork | undefined> {
  const options = { sparsity, candidates: values.candidates, searchSet: values.searchSet };
  if (arm === 'dense') return undefined;
  if (arm === 'informed') {
    cutInformed(model, sparsity, searchSetOf(data.train, random, values.searchSet), trained as Weights);
    return undefined;
  }
  const found = await armOf(arm === 'zeroed' ? 'random' : arm, model, data.train, random, options);
  if (arm === 'zeroed') zeroHalf(model, found);
  return found;
}

/** The nodes that matter in the trained parent, with the values that they began with. */
function cutInformed(model: Layer, sparsity: number, set: Examples, trained: Weights): void {
  scope(() => {
    const initial = Object.fromEntries(Object.entries(stateOf(model)).map(([name, own]) => [name, own.clone()]));
    const nodes = new NodeSpace(model, set.inputs(Int32Array.of(0)));
    replaceWeights(model, trained);
    const all = Int32Array.from({ length: set.count }, (_, at) => at);
    const { gradients } = gradientsOf(model, (live) => set.loss(live.forward(set.inputs(all), inference), all));
    const kept = informedNodes(nodes, stateOf(model), gradients, sparsity);
    replaceWeights(model, { ...initial, ...nodes.cut(initial, kept) });
  });
}

/** Zeroes what half of the nodes of the first layer read. */
function zeroHalf(model: Layer, { nodes }: FoundSubNetwork): void {
  const [weight, bias] = ['weight', 'bias'].map((part) => stateOf(model)[`${nodes.layers[0]?.name}.${part}`] as Tensor);
  const count = weight?.shape[0] as number;
  const half = Math.ceil(count / 2);
  weight?.view().fill(0, 0, (half * weight.size) / count);
  bias?.view().fill(0, 0, half);
}

/** Trains an arm from a parent of the seed; all arms of a seed see the same batches. */
export async function trainArm(
  arm: SubNetworkArm,
  sparsity: number,
  learningRate: number,
  data: SubNetworkData,
  values: SubNetworkTraining,
  { random, hooks }: Pick<MethodRun, 'random' | 'hooks'>,
  trained?: Weights,
): Promise<TrainedArm> {
  const model = parentOf(data, values, random.split('parent'));
  const found = await cutArm(arm, model, sparsity, data, values, random.split('sub-networks'), trained);
  const watched = Math.min(values.curve, data.validation.count);
  const seen = someExamples(
    data.validation,
    Int32Array.from({ length: watched }, (_, at) => at),
  );
  const curve: number[] = [];
  const point = () => curve.push(scoresOn(model, seen).reduce((sum, own) => sum + own, 0) / watched);
  await trainOnExamples(model, data.train, random.split('order'), {
    ...{ epochs: values.epochs, batchSize: values.batch, learningRate, ...hooks },
    onStep: (step) => step % values.every === 0 && point(),
  });
  hooks.signal?.throwIfAborted();
  point();
  return { model, found, curve };
}

/** Steps until a curve first reaches a share of its last value. */
export function stepsTo(share: number, curve: readonly number[], every: number): number {
  const goal = share * (curve.at(-1) as number);
  return every * curve.findIndex((value) => value >= goal);
}

/** Scores of a trained arm; the test images are read here alone. */
export function armScores(
  { model, found, curve }: TrainedArm,
  { test }: SubNetworkData,
  { every, candidates }: SubNetworkTraining,
): Scores {
  const right = scoresOn(model, test);
  const drawn = found && found.trials.length > 1 ? summarize(found.trials.map(({ fitness }) => fitness)) : undefined;
  return {
    accuracy: (100 * right.reduce((sum, own) => sum + own, 0)) / test.count,
    steps: stepsTo(0.95, curve, every),
    area: (100 * curve.reduce((sum, own) => sum + own, 0)) / curve.length,
    parameters: parameterCount(model),
    ...(drawn && candidates > 1 && { ahead: (drawn.mean - (found as FoundSubNetwork).best.fitness) / drawn.sd }),
  };
}

/** Copies of the weights of a model that outlive it. */
export const keptWeights = (model: Layer): Weights => cloneWeights(stateOf(model));

const rates = [1e-3, 3e-3, 3e-4] as const;
const choices = new WeakMap<object, Map<string, number>>();

/**
 * The learning rate of a sparsity: that with which its random arm does best on the images that
 * choose, once for all seeds and arms.
 */
export async function rateOf(
  arm: 'dense' | 'random',
  sparsity: number,
  data: SubNetworkData,
  values: SubNetworkTraining,
  signal: AbortSignal | undefined,
): Promise<number> {
  const known = choices.get(data) ?? new Map<string, number>();
  choices.set(data, known);
  const name = `${arm} ${sparsity}`;
  const found = known.get(name);
  if (found !== undefined) return found;
  const tried = rates.slice(0, values.trials).map((learningRate) => ({ learningRate }));
  const { learningRate } = await bestSetting(tried, async (setting) => {
    if (tried.length === 1) return 0;
    const run = { random: new Random(0).split('rates'), hooks: { signal } };
    const { model } = await trainArm(arm, sparsity, setting.learningRate, data, { ...values, every: 1e9 }, run);
    const right = scoresOn(model, data.validation);
    disposeWeights(stateOf(model));
    return right.reduce((sum, own) => sum + own, 0);
  });
  known.set(name, learningRate);
  return learningRate;
}
