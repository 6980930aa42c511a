// The search of a spatial operator for each block of a small network: candidates with weights and
// without, mixed by architecture weights that learn from one half of the images while the network
// learns from the other.

import { type ImageBatch, type ImageDataset, imageBatches, imageHalves } from '../../data/index.js';
import type { OperatorMaker } from '../../models/index.js';
import {
  type BlockOperator,
  blockOperator,
  crossEntropy,
  disposeWeights,
  type FitResult,
  fitBilevel,
  type Layer,
  MixedOperator,
  type SpatialOperator,
  stateOf,
  type TrainingHooks,
  warmUpCosine,
} from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import { nanoStrides, PfNano, type PfNanoOptions } from './nano.js';

/** The candidates: O = {3×3 convolution, depthwise 3×3, max and average pooling, identity}. */
export const searchSpace = [
  'convolution',
  'depthwise',
  'max-pool',
  'average-pool',
  'none',
] as const satisfies readonly SpatialOperator[];

/** Operators that the hyperparameters of `pf-nano` name by number, from 1. */
const numbered: readonly BlockOperator[] = [...searchSpace, 'hybrid'];

/** Names of the hyperparameters of `pf-nano`, each with what it is. */
export const operatorSettings: Readonly<Record<string, string>> = Object.fromEntries(
  nanoStrides.map((_, at) => [
    `block${at + 1}`,
    `operator of block ${at + 1}: ${numbered.map((name, number) => `${number + 1} ${name}`).join(', ')}`,
  ]),
);

/**
 * The operators of the blocks by the hyperparameters of a network.
 *
 * @param usual where a block has none
 * @throws RangeError for a number without an operator
 */
export function operatorsOf(settings: Readonly<Record<string, number>>, usual: BlockOperator): BlockOperator[] {
  return Object.keys(operatorSettings).map((name) => {
    const number = settings[name];
    if (number === undefined) return usual;
    const found = numbered[number - 1];
    if (!found) throw new RangeError(`${name} is a number from 1 to ${numbered.length}, got ${number}`);
    return found;
  });
}

/** The hyperparameters that make `pf-nano` of these operators, the inverse of `operatorsOf`. */
const settingsOf = (operators: readonly BlockOperator[]): Record<string, number> =>
  Object.fromEntries(operators.map((name, at) => [`block${at + 1}`, numbered.indexOf(name) + 1]));

/** Options of `searchOperators`. */
export interface OperatorSearchOptions extends TrainingHooks, Pick<PfNanoOptions, 'widths'> {
  /** Epochs over the half of the weights. Default: 10. */
  readonly epochs?: number;
  /** Images per step. Default: 32. */
  readonly batchSize?: number;
  /**
   * Which blocks are searched: `normal`, those of stride 1, as in the paper, or `all`. The others
   * have max pooling. Default: `normal`.
   */
  readonly blocks?: 'normal' | 'all';
  /**
   * Whether the identity may be chosen where the stride is 2, as every other pixel.
   * Default: false.
   */
  readonly subsampling?: boolean;
}

/** What a search found for a block. */
export interface SearchedBlock {
  /** Number of the block, from 0. */
  readonly block: number;
  /** Its stride. */
  readonly stride: number;
  /** The operator of the largest share. */
  readonly operator: SpatialOperator;
  /** softmax(α) by operator. */
  readonly shares: Readonly<Record<string, number>>;
}

/** What a search found. */
export interface FoundOperators extends Pick<FitResult, 'history' | 'stopped'> {
  /** Operators of all blocks, those that were not searched among them. */
  readonly operators: readonly BlockOperator[];
  /** The blocks that were searched. */
  readonly searched: readonly SearchedBlock[];
  /** The hyperparameters of `pf-nano` with these operators. */
  readonly settings: Readonly<Record<string, number>>;
}

/**
 * Searches the operators of a `PfNano` by first-order bilevel training on the training images:
 * weights learn from one random half by SGD (0.025, momentum 0.9, cosine), architecture weights
 * from the other by Adam (3e-4). No test image is read. Train the found network from new weights.
 *
 * @throws RangeError for fewer than four training images
 */
export async function searchOperators(
  data: ImageDataset,
  random: Random,
  options: OperatorSearchOptions = {},
): Promise<FoundOperators> {
  const { epochs = 10, batchSize = 32, blocks = 'normal', subsampling = false, widths, ...hooks } = options;
  const { train, classes } = data;
  if (train.count < 4)
    throw new RangeError(`searchOperators: two halves need at least 4 training images, got ${train.count}`);
  const [own, other] = imageHalves(train, random.split('halves'));
  const mixed = new Map<number, MixedOperator>();
  const model = mixedNano({ channels: train.channels, classes: classes.length, widths, blocks }, random, mixed);
  const steps = epochs * Math.ceil(own.count / batchSize);
  try {
    const { history, stopped } = await fitBilevel<Layer, ImageBatch>({
      ...{ model, epochs, random: random.split('search'), schedule: warmUpCosine(steps) },
      batches: (order) => imageBatches(own, data, batchSize, order),
      architectureBatches: (order) => imageBatches(other, data, batchSize, order),
      loss: (live, { images, labels }, mode) => crossEntropy(live.forward(images, mode), labels),
      ...hooks,
    });
    const searched = [...mixed].map(([block, layer]) => foundOf(block, layer, subsampling));
    const operators = nanoStrides.map(
      (_, at): BlockOperator => searched.find(({ block }) => block === at)?.operator ?? 'max-pool',
    );
    return { operators, searched, settings: settingsOf(operators), history, stopped };
  } finally {
    disposeWeights(stateOf(model));
  }
}

function foundOf(block: number, layer: MixedOperator, subsampling: boolean): SearchedBlock {
  const stride = nanoStrides[block] as number;
  return { block, stride, operator: chosenOperator(layer, stride, subsampling), shares: layer.shares() };
}

/**
 * The operator of the largest share. Where the stride is 2 the identity counts only as
 * `subsampling`, every other pixel.
 */
export function chosenOperator(layer: MixedOperator, stride: number, subsampling = false): SpatialOperator {
  return layer.chosen(stride > 1 && !subsampling ? ['none'] : []) as SpatialOperator;
}

/** A nano network whose searched blocks mix the candidates; `mixed` takes their layers by block. */
function mixedNano(
  { channels, classes, widths, blocks }: Pick<PfNanoOptions, 'channels' | 'classes' | 'widths'> & SearchedBlocks,
  random: Random,
  mixed: Map<number, MixedOperator>,
): PfNano {
  const mixture =
    (block: number): OperatorMaker =>
    (width, stride, own) => {
      const candidates = searchSpace.map((name) => [name, blockOperator(name, width, own, { stride })] as const);
      const layer = new MixedOperator(Object.fromEntries(candidates), own);
      mixed.set(block, layer);
      return [layer];
    };
  const operator = nanoStrides.map((stride, block) =>
    blocks === 'all' || stride === 1 ? mixture(block) : ('max-pool' as const),
  );
  return new PfNano(random.split('model'), { channels, classes, ...(widths && { widths }), operator });
}

type SearchedBlocks = Required<Pick<OperatorSearchOptions, 'blocks'>>;
