// Networks that are pruned alike: cells found by DASS, by dense search and at random, and the forms
// of MobileNetV2 and ResNet for small images, each as wide as gives it as many weights.

import { type ByPhase, searchCells, trainSparsely } from '../../compress/index.js';
import type { ImageDataset } from '../../data/index.js';
import {
  accuracyOn,
  type CellOperation,
  type Gene,
  type Genotype,
  genotypeNetwork,
  MobileNetV2,
  SmallResNet,
} from '../../models/index.js';
import { disposeWeights, type Layer, plainPlaces, stateOf, type TrainingHooks } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import type { RunContext } from '../parts/contract.js';
import type { Setting } from '../parts/tuning.js';

export const DASS = 'DASS cells';
export const ONE_SHOT = 'DASS cells, one-shot magnitude';
export const DENSE = 'cells of dense search';
export const MOBILE = 'MobileNetV2';
export const RESIDUAL = 'ResNet-20';
export const randomTitle = (draw: number) => `random cells, draw ${draw + 1}`;

/** What cells choose from, the fewer the shorter a search. */
const OPERATIONS = [
  'none',
  'skip_connect',
  'avg_pool_3x3',
  'max_pool_3x3',
  'sep_conv_3x3',
  'dil_conv_3x3',
] as const satisfies readonly CellOperation[];

/** What all networks share. */
export interface CellRun {
  readonly keep: number;
  readonly epochs: number;
  readonly searchEpochs: number;
  readonly batch: number;
  readonly width: number;
  readonly cells: number;
  readonly nodes: number;
}

/** Rates of weights and of scores, tried for every network alike. */
export interface RateSetting extends Setting {
  readonly learningRate: number;
  readonly scoreRate: number;
}

/** What is tried, in order. */
export const rateSettings: readonly RateSetting[] = [
  { learningRate: 1e-2, scoreRate: 1e-2 },
  { learningRate: 3e-3, scoreRate: 1e-2 },
  { learningRate: 1e-2, scoreRate: 1e-1 },
];

/** Epochs of three phases, the middle one half as long. */
const phasesOf = (epochs: number): ByPhase => ({ pretrain: epochs, prune: Math.ceil(epochs / 2), finetune: epochs });

/**
 * Searches cells, sparse or dense: both with as many steps of α.
 *
 * @throws the signal's reason when the run is aborted
 */
export async function foundCells(
  data: ImageDataset,
  values: CellRun,
  keep: number,
  random: Random,
  { signal }: RunContext,
) {
  const { pretrain, prune, finetune } = phasesOf(values.searchEpochs);
  const epochs =
    keep === 1 ? { pretrain: pretrain + prune + finetune, prune: 0, finetune: 0 } : { pretrain, prune, finetune };
  const { width, cells, nodes, batch: batchSize } = values;
  const found = await searchCells(data, random, {
    ...{ keep, epochs, width, cells, nodes, batchSize, operations: OPERATIONS, architectureRate: 1e-2 },
    learningRates: { pretrain: 0.1, prune: 0.1, finetune: 0.1 },
    ...(signal && { signal }),
  });
  signal?.throwIfAborted();
  return found;
}

/** Cells of uniformly drawn operations (but none) and inputs, two different ones a node. */
export function randomCells(nodes: number, random: Random): Genotype {
  const own = OPERATIONS.filter((name) => name !== 'none');
  const cell = (): Gene[] =>
    Array.from({ length: nodes }, (_, node) =>
      [...random.permutation(node + 2).subarray(0, 2)].map(
        (input): Gene => [own[random.integer(own.length)] as CellOperation, input],
      ),
    ).flat();
  return { normal: cell(), reduce: cell() };
}

/** A network by its width. */
type Make = (width: number, random: Random) => Layer;

interface Shape {
  readonly channels: number;
  readonly classes: number;
}

const shapeOf = ({ train, classes }: ImageDataset): Shape => ({ channels: train.channels, classes: classes.length });

/** The network of cells. */
export const cellsOf =
  (genotype: Genotype, data: ImageDataset, cells: number): Make =>
  (width, random) =>
    genotypeNetwork(genotype, { ...shapeOf(data), width: Math.round(width), cells }, random);

/**
 * MobileNetV2 for small images, strides 1 in the stem and the second stage; 64 is the published
 * width.
 */
export const mobileOf =
  (data: ImageDataset): Make =>
  (width, random) => {
    const scaled = (count: number) => Math.max(2, Math.round((count * width) / 64));
    const groups = [
      [1, 16, 1, 1],
      [6, 24, 2, 1],
      [6, 32, 3, 2],
      [6, 64, 4, 2],
      [6, 96, 3, 1],
      [6, 160, 3, 2],
      [6, 320, 1, 1],
    ] as const;
    return new MobileNetV2(random, {
      ...{ ...shapeOf(data), stem: [scaled(32), 1], final: scaled(1280) },
      groups: groups.map(([expansion, count, repeats, stride]) => [expansion, scaled(count), repeats, stride]),
    });
  };

/** ResNet-20, the form of ResNets for small images; 16 is the published width. */
export const residualOf =
  (data: ImageDataset): Make =>
  (width, random) => {
    const first = Math.max(2, Math.round(width));
    return new SmallResNet(20, random, { ...shapeOf(data), widths: [first, 2 * first, 4 * first] });
  };

/** Weights of convolutions and linear layers, those that are pruned. */
export const prunable = (model: Layer): number =>
  plainPlaces(model).reduce((sum, { layer }) => sum + layer.weight.size, 0);

/** The width, of 2 to 64, whose network has a number of weights most nearly. */
export function widthFor(make: Make, weights: number): number {
  let best = { width: 2, off: Number.POSITIVE_INFINITY };
  for (let width = 2; width <= 64; width++) {
    const model = make(width, new Random(0));
    const own = prunable(model);
    disposeWeights(stateOf(model));
    const off = Math.abs(Math.log(own / weights));
    if (off < best.off) best = { width, off };
    if (own > 2 * weights) break;
  }
  return best.width;
}

/** A trained network, and its accuracy before it was pruned. */
export interface PrunedNetwork {
  readonly model: Layer;
  /** Points, on the test images. */
  readonly dense: number;
}

/** What a network's training is told. */
export interface PruningRun {
  readonly random: Random;
  readonly hooks: Pick<TrainingHooks, 'signal' | 'onEpoch'>;
}

/**
 * Trains a network in the three phases; one-shot, the epochs of scores are added to those of the
 * kept weights.
 */
export async function trainPruned(
  make: (random: Random) => Layer,
  data: ImageDataset,
  { keep, epochs, batch }: CellRun,
  { learningRate, scoreRate }: RateSetting,
  { random, hooks: { signal, onEpoch } }: PruningRun,
  isOneShot = false,
): Promise<PrunedNetwork> {
  const model = make(random.split('model'));
  const { pretrain, prune, finetune } = phasesOf(epochs);
  const later = isOneShot ? { prune: 0, finetune: finetune + prune } : { prune, finetune };
  const shared = {
    ...{ batchSize: batch, weightDecay: 0.02, warmUp: 0.1, signal },
    learningRates: { pretrain: learningRate, prune: scoreRate, finetune: learningRate },
  };
  const total = pretrain + prune + finetune;
  const part = async (own: number, ownEpochs: ByPhase, first: number, label: string) => {
    await trainSparsely(model, data, random.split(label), {
      ...{ ...shared, keep: own, epochs: ownEpochs },
      onEpoch: (report) => onEpoch?.({ ...report, epoch: first + report.epoch, epochs: total }),
    });
    signal?.throwIfAborted();
  };
  await part(1, { pretrain, prune: 0, finetune: 0 }, 0, 'dense');
  const dense = 100 * accuracyOn(model, data.test, data);
  await part(keep, { pretrain: 0, ...later }, pretrain, 'sparse');
  return { model, dense };
}
