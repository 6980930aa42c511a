// Binary networks trained towards short trees of channels, and what stands beside them: arms share
// the first part of their training, from which each goes on by its own term of the loss.

import { orderChannels, TreePull, type TreePullOptions } from '../../compress/index.js';
import type { ImageDataset, LabelledImages } from '../../data/index.js';
import { accuracyOn, BinaryNet, type BinaryNetOptions, roundChannels, trainOnImages } from '../../models/index.js';
import { disposeWeights, type EpochReport, loadState, stateOf, warmUpCosine } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { bestSetting } from '../parts/tuning.js';
import { imagesFrom } from './images.js';

/** What all arms share. */
export interface BinaryTraining {
  readonly epochs: number;
  readonly batch: number;
  /** Width multiplier of the network. */
  readonly width: number;
  /** Learning rates that are tried. */
  readonly trials: number;
}

/** Images to train on, to choose by, and to report on. */
export interface BinaryData {
  /** Its test images are those that choose. */
  readonly data: ImageDataset;
  readonly test: LabelledImages;
}

/** The training images with the last ones set apart to choose by. */
export function splitImages(data: ImageDataset, validation: number): BinaryData {
  const kept = data.train.count - validation;
  if (kept < 2) throw new Error(`${data.train.count} training images leave ${kept} beside ${validation} that validate`);
  const train = { ...data.train, count: kept };
  return { data: { ...data, train, test: imagesFrom(data.train, kept) }, test: data.test };
}

/** Share of the epochs before arms part, and of the others at which λ is reached. */
const [SHARED, RAMP] = [0.6, 0.75];
/** Epochs before arms part. */
export const sharedEpochs = (epochs: number): number => Math.max(1, Math.round(SHARED * epochs));
/** Layers of binary networks: channels and stride. */
const LAYERS = [
  [64, 1],
  [64, 2],
  [128, 1],
] as const;
/** What colour pictures of 32×32 have more. */
const DEEPER = [128, 1] as const;
const STEM = 32;
const rates = [3e-3, 1e-3, 1e-2] as const;

/** The network for a data set, the outputs of its binary layers scaled. */
export function networkOptions({ train, classes }: ImageDataset, width: number, scale = 1): BinaryNetOptions {
  const layers = train.height >= 32 ? [...LAYERS, DEEPER] : LAYERS;
  return {
    channels: train.channels,
    classes: classes.length,
    stem: roundChannels(width * STEM),
    layers: layers.map(([count, stride]) => [Math.max(2, Math.round(scale * roundChannels(width * count))), stride]),
  };
}

/** XNORs of an image in full, layer by layer. */
export function directOperations({ train }: ImageDataset, { stem = 0, layers = [] }: BinaryNetOptions): number[] {
  let [inputs, side] = [stem, Math.ceil(train.height / 2)];
  return layers.map(([channels, stride]) => {
    side = Math.ceil(side / stride);
    const operations = side ** 2 * channels * 9 * inputs;
    inputs = channels;
    return operations;
  });
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** The narrow network whose direct operations are nearest to a number. */
export function narrowOptions(data: ImageDataset, width: number, operations: number): BinaryNetOptions {
  const scales = Array.from({ length: 400 }, (_, at) => 0.05 + at / 420);
  const made = scales.map((scale) => networkOptions(data, width, scale));
  const off = (options: BinaryNetOptions) => Math.abs(sum(directOperations(data, options)) / operations - 1);
  return made.reduce((best, options) => (off(options) < off(best) ? options : best));
}

/** What a part of the training is told. */
export interface PartRun {
  readonly random: Random;
  readonly signal?: AbortSignal | undefined;
  readonly onEpoch?: (report: EpochReport) => void;
}

/**
 * Trains from one share of the epochs to another, at the rates that the whole training would have.
 */
async function trainPart(
  model: BinaryNet,
  data: ImageDataset,
  { epochs, batch }: BinaryTraining,
  learningRate: number,
  part: 'first' | 'second' | 'whole',
  { random, signal, onEpoch }: PartRun,
  pull?: TreePullOptions,
): Promise<void> {
  const shared = sharedEpochs(epochs);
  const own = { first: shared, second: Math.max(1, epochs - shared), whole: epochs }[part];
  const perEpoch = Math.ceil(data.train.count / batch);
  const rate = warmUpCosine(perEpoch * epochs, 0.05);
  const offset = part === 'second' ? perEpoch * shared : 0;
  const pulling = new TreePull(model, perEpoch, { strength: 0, start: 0, end: RAMP, ...pull });
  try {
    await trainOnImages(model, data, random, {
      ...{ epochs: own, batchSize: batch, learningRate, weightDecay: 0, signal },
      schedule: () => (step) => rate(step + offset),
      onStep: (step, steps) => pulling.followStep(step, steps),
      ...(onEpoch && { onEpoch }),
    });
  } finally {
    pulling.release();
  }
  signal?.throwIfAborted();
}

/** The training that all arms of a network share. */
export async function trainShared(
  { data }: BinaryData,
  values: BinaryTraining,
  learningRate: number,
  run: PartRun,
): Promise<BinaryNet> {
  const model = new BinaryNet(run.random.split('model'), networkOptions(data, values.width));
  await trainPart(model, data, values, learningRate, 'first', run);
  return model;
}

/** A copy of the shared network, trained to the end with a pull, its channels ordered. */
export async function trainArm(
  base: BinaryNet,
  { data }: BinaryData,
  values: BinaryTraining,
  learningRate: number,
  pull: TreePullOptions,
  run: PartRun,
): Promise<BinaryNet> {
  const model = new BinaryNet(new Random(0), networkOptions(data, values.width));
  loadState(model, stateOf(base));
  await trainPart(model, data, values, learningRate, 'second', run, pull);
  orderChannels(model);
  return model;
}

/** A network of its own, trained from start to end. */
export async function trainWhole(
  options: BinaryNetOptions,
  { data }: BinaryData,
  values: BinaryTraining,
  learningRate: number,
  run: PartRun,
): Promise<BinaryNet> {
  const model = new BinaryNet(run.random.split('model'), options);
  await trainPart(model, data, values, learningRate, 'whole', run);
  orderChannels(model);
  return model;
}

const choices = new WeakMap<ImageDataset, Map<string, number>>();

/**
 * The learning rate of a network that does best on the images that choose, once for all seeds and
 * on a stream of its own.
 */
export async function chosenRate(
  name: string,
  options: BinaryNetOptions,
  own: BinaryData,
  values: BinaryTraining,
  signal: AbortSignal | undefined,
): Promise<number> {
  const known = choices.get(own.data) ?? new Map<string, number>();
  choices.set(own.data, known);
  const found = known.get(name);
  if (found !== undefined) return found;
  const tried = rates.slice(0, values.trials).map((learningRate) => ({ learningRate }));
  const { learningRate } =
    tried.length === 1
      ? (tried[0] as (typeof tried)[number])
      : await bestSetting(tried, async (setting) => {
          const random = new Random(0).split(name);
          const model = await trainWhole(options, own, values, setting.learningRate, { random, signal });
          const score = validationAccuracy(model, own);
          disposeWeights(stateOf(model));
          return score;
        });
  known.set(name, learningRate);
  return learningRate;
}

/** Percent right of the images that choose. */
export const validationAccuracy = (model: BinaryNet, { data }: BinaryData) => 100 * accuracyOn(model, data.test, data);

/** Percent right of the test images. */
export const testAccuracy = (model: BinaryNet, { data, test }: BinaryData) => 100 * accuracyOn(model, test, data);
