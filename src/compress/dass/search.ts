// The search of DASS: α of mixed sparse operations minimises the validation loss of the network
// that is pruned and fine-tuned,
//
//   min over α of L_val(w*, m*, α),
//
// with w* and the masks m* from three phases on the same α: training at k = 1, of scores at the
// target k, of weights under the masks. Every step is one of α on a batch of the one half of the
// training images, then one of the phase's parameters on a batch of the other.

import {
  type ImageBatch,
  type ImageDataset,
  imageBatches,
  imageHalves,
  imageTensor,
  type LabelledImages,
} from '../../data/index.js';
import {
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
  type Layer,
  type Mode,
  SGD,
  stateOf,
  type TrainingHooks,
} from '../../nn/index.js';
import { type Random, tensor } from '../../tensor/index.js';
import { type ByPhase, runPhases, type SparsePhase } from './phases.js';
import { learningNames, requireKeep, Selected, type SparseNetwork, toSparse } from './sparse-layers.js';
import { unrolledStep } from './unrolled.js';

/** Options of a search with sparse operations. */
export interface SparseSearchOptions extends TrainingHooks {
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

/** Options of `searchCells`: the space, the network, and the search. */
export interface CellSearchOptions
  extends SparseSearchOptions,
    Partial<CellSpace>,
    Pick<CellNetworkOptions, 'width' | 'cells'> {}

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

/** k of the paper. */
const KEEP = 0.01;
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
  const { nodes, operations = cellOperations, skipDropout, width, cells } = options;
  const { train, classes } = data;
  const mixed = mixedNetwork(
    given({ nodes, operations, skipDropout }),
    given({ channels: train.channels, classes: classes.length, width, cells }),
    random.split('model'),
  );
  try {
    const { history, stopped } = await searchSparsely(mixed.network, data, random, options);
    return { ...decoded(mixed), history, stopped };
  } finally {
    disposeWeights(stateOf(mixed.network));
  }
}

/** The fields that have a value. */
const given = <T extends object>(all: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as never;

function decoded({ edges }: MixedNetwork): Pick<FoundCells, 'genotype' | 'shares'> {
  const shares = {
    normal: edges.normal.map((edge) => edge.shares()),
    reduce: edges.reduce.map((edge) => edge.shares()),
  };
  return { shares, genotype: { normal: decodeCell(shares.normal), reduce: decodeCell(shares.reduce) } };
}

/**
 * Trains a classifier with `MixedOperator` layers and their α in three phases of sparse layers, one
 * random half of the training images for the weights, the other for α. Its layers are plain and
 * dense again in the end; what was found is in α.
 *
 * @throws RangeError for fewer than four training images, or a k outside (0, 1]; Error for a model
 * without mixed operators
 */
export async function searchSparsely(
  model: Layer,
  data: ImageDataset,
  random: Random,
  options: SparseSearchOptions = {},
): Promise<Pick<FitResult, 'history' | 'stopped'>> {
  requireKeep(options.keep ?? KEEP);
  const { count } = data.train;
  if (count < 4) throw new RangeError(`a search needs at least 4 training images, two in each half; got ${count}`);
  const halves = imageHalves(data.train, random.split('halves'));
  const sparse = toSparse(model, random.split('scores'));
  try {
    return await searchPhases(model, sparse, halves, data, random, options);
  } finally {
    sparse.restore();
  }
}

function searchPhases(
  model: Layer,
  sparse: SparseNetwork,
  [own, other]: readonly [LabelledImages, LabelledImages],
  data: ImageDataset,
  random: Random,
  options: SparseSearchOptions,
): Promise<Pick<FitResult, 'history' | 'stopped'>> {
  const { keep = KEEP, batchSize = 32, architectureRate = 3e-4, order = 'first', searchWhilePruning = true } = options;
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
        const schedule = cosine(
          epochs[phase] * Math.ceil(own.count / batchSize),
          Math.min(1, LEAST_RATE / learningRate),
        );
        const names = learningNames(model, phase === 'prune' ? 'scores' : 'weights');
        const sgd = new Clipped(new SGD({ learningRate, weightDecay: options.weightDecay ?? 1e-3 }), CLIP);
        const optimizer = new AlternatingOptimizer(alphas, new Selected(sgd, names), architecture);
        let rate = learningRate;
        const second = (validation: ImageBatch, trained: ImageBatch, mode: Mode) =>
          unrolledStep(model, optimizer, {
            ...{ names, learningRate: rate },
            validationLoss: (live) => lossOf(live, validation, mode),
            trainingLoss: (live) => lossOf(live, trained, mode),
          });
        const isSearched = phase !== 'prune' || searchWhilePruning;
        const stepArchitecture = isSearched ? (order === 'second' ? second : undefined) : () => undefined;
        return fitBilevel<Layer, ImageBatch>({
          ...{ model, epochs: epochs[phase], random: random.split(phase), optimizer, loss: lossOf },
          schedule: (step) => {
            // The unrolled step has the rate of the step before it, all but the same.
            rate = learningRate * schedule(step);
            return schedule(step);
          },
          batches: (shuffle) => imageBatches(own, data, batchSize, shuffle),
          architectureBatches: (draws) => drawnBatches(other, data, batchSize, draws),
          ...(stepArchitecture && { stepArchitecture }),
          ...hooks,
        });
      },
    },
  );
}

const lossOf = (live: Layer, { images, labels }: ImageBatch, mode: Mode) =>
  crossEntropy(live.forward(images, mode), labels);

/** Batches without end, each drawn at random with replacement. */
function* drawnBatches(
  images: LabelledImages,
  data: ImageDataset,
  batchSize: number,
  random: Random,
): Generator<ImageBatch> {
  for (;;) {
    const drawn = Int32Array.from({ length: Math.min(batchSize, images.count) }, () => random.integer(images.count));
    const labels = tensor(
      drawn.map((at) => images.labels[at] as number),
      [drawn.length],
    );
    const batch = { images: imageTensor(images, drawn, data), labels };
    try {
      yield batch;
    } finally {
      batch.images.dispose();
      labels.dispose();
    }
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
    if (at === Math.floor(cells / 3) || at === Math.floor((2 * cells) / 3))
      [pixels, channels] = [pixels / 4, channels * 2];
    total += edges * maps * pixels * channels;
  }
  return HELD * Float32Array.BYTES_PER_ELEMENT * batchSize * total;
}

/** Measured: maps of a step, their gradients and what operations keep, over `MAPS`. */
const HELD = 3.5;

/** Maps that an operation makes, its share of the mixture among them. */
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
