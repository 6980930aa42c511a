// The search of DASS: α of mixed sparse operations minimises the validation loss of the network
// that is pruned and fine-tuned,
//
//   min over α of L_val(w*, m*, α),
//
// with w* and the masks m* from three phases on the same α: training at k = 1, of scores at the
// target k, of weights under the masks. Every step is one of α on a batch of the one half of the
// training images, then one of the phase's parameters on a batch of the other.

import { type ImageBatch, type ImageDataset, imageBatches, type LabelledImages } from '../../data/index.js';
import {
  type CellNetwork,
  type CellNetworkOptions,
  type CellOperation,
  type CellSpace,
  cellOperations,
  decodeCell,
  type Genotype,
  type MixedNetwork,
  mixedNetwork,
} from '../../models/index.js';
import {
  Adam,
  AlternatingOptimizer,
  architectureOf,
  Clipped,
  cosine,
  crossEntropy,
  disposeWeights,
  type FitResult,
  fitBilevel,
  SGD,
  stateOf,
  type TrainingHooks,
} from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import { type ByPhase, runPhases, type SparsePhase } from './phases.js';
import { learningNames, requireKeep, Selected, type SparseNetwork, toSparse } from './sparse-layers.js';
import { unrolledStep } from './unrolled.js';

/** Options of `searchCells`: the space, the network, and the training. */
export interface CellSearchOptions
  extends TrainingHooks,
    Partial<CellSpace>,
    Pick<CellNetworkOptions, 'width' | 'cells'> {
  /** k: share of the weights that is kept; 1 searches as DARTS does. Default: 0.01. */
  readonly keep?: number;
  /** Epochs of each phase over the half of the weights. Default: 100, 50, 100. */
  readonly epochs?: Partial<ByPhase>;
  /**
   * Rates of SGD in each phase, each with a cosine to 1e-3. Default: 0.025, 0.1, 0.025.
   */
  readonly learningRates?: Partial<ByPhase>;
  /** Rate of α's Adam (β 0.5 and 0.999, L2 decay 1e-3). Default: 3e-4. */
  readonly architectureRate?: number;
  /** Images per step. Default: 32. */
  readonly batchSize?: number;
  /**
   * `first`: α follows the loss at the present weights. `second`: at those after an unrolled step,
   * for about four times the cost. Default: `first`.
   */
  readonly order?: 'first' | 'second';
  /** Whether α takes steps while scores are trained, too. Default: true. */
  readonly searchWhilePruning?: boolean;
  /** Weight decay of SGD. Default: 1e-3. */
  readonly weightDecay?: number;
}

/** What a search found. */
export interface FoundCells extends Pick<FitResult, 'history' | 'stopped'> {
  /** The cells. */
  readonly genotype: Genotype;
  /** softmax(α) of each edge by operation. */
  readonly shares: Readonly<Record<'normal' | 'reduce', readonly Readonly<Record<string, number>>[]>>;
}

/** Published settings, but for first order. */
export const searchDefaults = {
  epochs: { pretrain: 100, prune: 50, finetune: 100 },
  learningRates: { pretrain: 0.025, prune: 0.1, finetune: 0.025 },
} as const satisfies Record<string, ByPhase>;

/** Rate at which the cosines end, and the norm at which gradients are clipped. */
const [LEAST_RATE, CLIP] = [1e-3, 5];

/**
 * Searches cells on the training images; no test image is read. Train what was found from new
 * weights: `genotypeNetwork` and `trainSparsely`.
 *
 * @throws RangeError for fewer than four training images, or a k outside (0, 1]
 */
export async function searchCells(
  data: ImageDataset,
  random: Random,
  options: CellSearchOptions = {},
): Promise<FoundCells> {
  const { keep = 0.01, nodes, operations = cellOperations, skipDropout, width, cells, batchSize = 32 } = options;
  requireKeep(keep);
  const { train, classes } = data;
  if (train.count < 4) throw new RangeError(`searchCells: two halves need at least 4 training images, got ${train.count}`);
  const halves = halvesOf(train, random.split('halves'));
  const mixed = mixedNetwork(
    { operations, ...(nodes !== undefined && { nodes }), ...(skipDropout !== undefined && { skipDropout }) },
    {
      ...{ channels: train.channels, classes: classes.length },
      ...(width !== undefined && { width }),
      ...(cells !== undefined && { cells }),
    },
    random.split('model'),
  );
  const sparse = toSparse(mixed.network, random.split('scores'));
  try {
    const { history, stopped } = await searchPhases(mixed.network, sparse, halves, data, random, {
      ...options,
      ...{ keep, batchSize },
    });
    return { ...decoded(mixed), history, stopped };
  } finally {
    disposeWeights(stateOf(mixed.network));
  }
}

function decoded({ edges }: MixedNetwork): Pick<FoundCells, 'genotype' | 'shares'> {
  const shares = {
    normal: edges.normal.map((edge) => edge.shares()),
    reduce: edges.reduce.map((edge) => edge.shares()),
  };
  return { shares, genotype: { normal: decodeCell(shares.normal), reduce: decodeCell(shares.reduce) } };
}

function searchPhases(
  model: CellNetwork,
  sparse: SparseNetwork,
  { own, other }: Halves,
  data: ImageDataset,
  random: Random,
  options: CellSearchOptions & { readonly keep: number; readonly batchSize: number },
): Promise<Pick<FitResult, 'history' | 'stopped'>> {
  const { keep, batchSize, architectureRate = 3e-4, order = 'first', searchWhilePruning = true } = options;
  const { weightDecay = 1e-3 } = options;
  const epochs = { ...searchDefaults.epochs, ...options.epochs };
  const learningRates = { ...searchDefaults.learningRates, ...options.learningRates };
  // One Adam for all phases: α goes on where the phase before ended.
  const architecture = new Adam({ learningRate: architectureRate, beta1: 0.5, beta2: 0.999, weightDecay: 1e-3 });
  const alphas = Object.keys(architectureOf(model));
  return runPhases<SparsePhase>(
    { pretrain: epochs.pretrain, prune: epochs.prune, finetune: epochs.finetune },
    options,
    {
      prepare(phase) {
        if (phase === 'prune') sparse.scoreByMagnitude();
        sparse.set(phase === 'pretrain' ? 1 : keep, phase === 'prune' ? 'scores' : 'weights');
      },
      train(phase, hooks) {
        const learningRate = learningRates[phase];
        const steps = epochs[phase] * Math.ceil(own.count / batchSize);
        const names = learningNames(model, phase === 'prune' ? 'scores' : 'weights');
        const sgd = new Clipped(new SGD({ learningRate, weightDecay }), CLIP);
        const optimizer = new AlternatingOptimizer(alphas, new Selected(sgd, names), architecture);
        const lossOf = (live: CellNetwork, { images, labels }: ImageBatch, mode: Parameters<CellNetwork['forward']>[1]) =>
          crossEntropy(live.forward(images, mode), labels);
        const rate = cosine(steps, Math.min(1, LEAST_RATE / learningRate));
        let step = 0;
        const isSearched = phase !== 'prune' || searchWhilePruning;
        return fitBilevel<CellNetwork, ImageBatch>({
          ...{ model, epochs: epochs[phase], random: random.split(phase), optimizer, loss: lossOf, schedule: rate },
          onStep: (at) => {
            step = at + 1;
          },
          batches: (shuffle) => imageBatches(own, data, batchSize, shuffle),
          architectureBatches: (draws) => drawnBatches(other, data, batchSize, draws),
          ...(!isSearched && { stepArchitecture: () => undefined }),
          ...(isSearched &&
            order === 'second' && {
              stepArchitecture: (valid, trained, mode) =>
                unrolledStep(model, optimizer, {
                  ...{ names, learningRate: learningRate * rate(step) },
                  validationLoss: (live) => lossOf(live, valid, mode),
                  trainingLoss: (live) => lossOf(live, trained, mode),
                }),
            }),
          ...hooks,
        });
      },
    },
  );
}

/** The halves of the training images. */
interface Halves {
  /** For the weights. */
  readonly own: LabelledImages;
  /** For α. */
  readonly other: LabelledImages;
}

function halvesOf(images: LabelledImages, random: Random): Halves {
  const order = random.permutation(images.count);
  const half = images.count >> 1;
  return { own: selectedImages(images, order.subarray(0, half)), other: selectedImages(images, order.subarray(half)) };
}

/** The images of the given numbers, which may repeat. */
function selectedImages(images: LabelledImages, indices: Int32Array): LabelledImages {
  const size = images.channels * images.height * images.width;
  const pixels = new Uint8Array(indices.length * size);
  for (const [at, index] of indices.entries())
    pixels.set(images.pixels.subarray(index * size, (index + 1) * size), at * size);
  return { ...images, count: indices.length, pixels, labels: indices.map((index) => images.labels[index] as number) };
}

/** Batches without end, each drawn at random with replacement. */
function* drawnBatches(
  images: LabelledImages,
  data: ImageDataset,
  batchSize: number,
  random: Random,
): Generator<ImageBatch> {
  for (;;) {
    const drawn = Int32Array.from({ length: Math.min(batchSize, images.count) }, () => random.integer(images.count));
    yield* imageBatches(selectedImages(images, drawn), data, drawn.length);
  }
}

/**
 * Bytes that the maps of a search's training step take, about: each operation of each edge keeps
 * some, all of them live at once.
 */
export function searchBytes(
  { height, width: columns }: Pick<LabelledImages, 'height' | 'width'>,
  { nodes = 4, operations = cellOperations, width = 16, cells = 8, batchSize = 32 }: CellSearchOptions = {},
): number {
  const edges = (nodes * (nodes + 3)) / 2;
  const maps = operations.reduce((sum, name) => sum + MAPS[name], 0);
  let [pixels, channels, total] = [height * columns, width, 0];
  for (let at = 0; at < cells; at++) {
    if (at === Math.floor(cells / 3) || at === Math.floor((2 * cells) / 3)) [pixels, channels] = [pixels / 4, channels * 2];
    total += edges * maps * pixels * channels;
  }
  return Float32Array.BYTES_PER_ELEMENT * batchSize * total;
}

/** Maps that the tape keeps for an operation, its share of the mixture among them. */
const MAPS: Readonly<Record<CellOperation, number>> = {
  none: 2,
  max_pool_3x3: 3,
  avg_pool_3x3: 3,
  skip_connect: 1,
  sep_conv_3x3: 9,
  sep_conv_5x5: 9,
  dil_conv_3x3: 5,
  dil_conv_5x5: 5,
};
