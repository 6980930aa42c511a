// Pruning with a metanetwork: one forward pass of it, standard training, group-norm pruning to a
// speed-up, standard training. No gradient of the metanetwork is taken.

import { type ImageDataset, imageBatches, type LabelledImages } from '../../data/index.js';
import { accuracyOn, type ImageTrainingOptions, trainOnImages } from '../../models/index.js';
import {
  cloneWeights,
  disposeWeights,
  estimateStatistics,
  type FitResult,
  type Layer,
  loadState,
  parameters,
  replaceWeights,
  stateOf,
} from '../../nn/index.js';
import { type Random, scope } from '../../tensor/index.js';
import { exampleOf } from '../footprint.js';
import {
  type ProgressivePruning,
  type ProgressivePruningOptions,
  pruneThrough,
  pruneToSpeedup,
} from '../group-norms.js';
import { architectureOfGraph } from './graph.js';
import { type MetaEpoch, type MetaTraining, type MetaTrainingOptions, metaTrain } from './meta-training.js';
import { Metanetwork, type MetanetworkOptions } from './metanetwork.js';
import { networkGraph } from './read-graph.js';

/** Images over which statistics are estimated where no training follows. */
const STATISTICS_IMAGES = 128;

/**
 * Gives a network the weights that a metanetwork makes of its own, in place: the feedforward. The
 * running statistics stay those of the network before, so that training or `estimateStatistics`
 * must follow.
 *
 * @returns seconds that it took
 * @throws Error naming the layers of a network of another architecture
 */
export function applyMetanetwork(metanetwork: Metanetwork, model: Layer, data: Pick<ImageDataset, 'test'>): number {
  const begin = performance.now();
  scope(() => {
    const changed = metanetwork.weights(networkGraph(model, exampleOf(data)), model);
    const own = parameters(model);
    for (const [name, value] of Object.entries(changed)) own[name]?.assign(value);
  });
  return (performance.now() - begin) / 1000;
}

/** Options of `metaPrune`. */
export interface MetaPruningOptions extends Omit<ProgressivePruningOptions, 'scores'> {
  /** Epochs of training between the metanetwork and the pruning. Default: 5. */
  readonly adaptEpochs?: number;
  /** Epochs of training after the pruning. Default: 10. */
  readonly epochs?: number;
  /** Settings of both trainings. Default: those of `trainOnImages`, with a rate of 1e-3. */
  readonly training?: Omit<ImageTrainingOptions, 'epochs' | 'checkpoint'>;
}

/** What `metaPrune` did. */
export interface MetaPruning extends ProgressivePruning {
  /** Seconds of the feedforward. */
  readonly seconds: number;
  /** Whether a training was cut off; the network is pruned all the same. */
  readonly stopped: FitResult['stopped'];
}

/**
 * Prunes a trained classifier with a metanetwork, in place.
 *
 * @param data its training images train the network; no test image is read
 * @throws Error naming the layers of a network of another architecture, or what `pruneToSpeedup`
 * throws
 */
export async function metaPrune(
  model: Layer,
  metanetwork: Metanetwork,
  data: ImageDataset,
  random: Random,
  options: MetaPruningOptions,
): Promise<MetaPruning> {
  const { adaptEpochs = 5, epochs = 10, training = {}, ...pruning } = options;
  const seconds = applyMetanetwork(metanetwork, model, data);
  const adapted = await continued(model, data, random.split('adapt'), adaptEpochs, training);
  const pruned = pruneToSpeedup(model, exampleOf(data), pruning);
  const { stopped } =
    adapted === 'aborted'
      ? { stopped: adapted }
      : { stopped: await continued(model, data, random.split('tune'), epochs, training) };
  return { ...pruned, seconds, stopped };
}

/** Trains on; without an epoch the statistics of batch norms are estimated anew. */
async function continued(
  model: Layer,
  data: ImageDataset,
  random: Random,
  epochs: number,
  training: Omit<ImageTrainingOptions, 'epochs'>,
): Promise<FitResult['stopped']> {
  if (epochs === 0) {
    estimateStatistics(model, someImages(data));
    return 'completed';
  }
  const { stopped } = await trainOnImages(model, data, random, {
    learningRate: 1e-3,
    ...training,
    ...{ epochs, continues: true },
  });
  return stopped;
}

function* someImages(data: ImageDataset) {
  for (const { images } of imageBatches(data.train, data, STATISTICS_IMAGES)) yield images;
}

/** Accuracy after pruning to each speed-up, before any training that follows. */
export interface PruningCurve {
  /** The speed-ups. */
  readonly speedups: readonly number[];
  /** Accuracy at each, in [0, 1]. */
  readonly accuracies: readonly number[];
}

/**
 * Prunes a network to each speed-up, from the same weights, and takes its accuracy; the network is
 * as before in the end. Statistics are not estimated anew, so that this is what pruning alone does.
 */
export function pruningCurve(
  model: Layer,
  data: ImageDataset,
  images: LabelledImages,
  speedups: readonly number[],
  options: Omit<ProgressivePruningOptions, 'speedup'> = {},
): PruningCurve {
  return restoring(model, () => {
    const found = new Map<number, number>();
    pruneThrough(model, exampleOf(data), speedups, options, (speedup) => {
      found.set(speedup, accuracyOn(model, images, data));
    });
    return { speedups, accuracies: speedups.map((speedup) => found.get(speedup) as number) };
  });
}

/** Runs `body`, and gives a model its weights back after it. */
function restoring<T>(model: Layer, body: () => T): T {
  const saved = cloneWeights(stateOf(model));
  const end = () => {
    replaceWeights(model, saved);
    disposeWeights(saved);
  };
  let result: T;
  try {
    result = body();
  } catch (error) {
    end();
    throw error;
  }
  if (result instanceof Promise) return result.finally(end) as T;
  end();
  return result;
}

/** Options of `chooseEpoch`. */
export interface EpochChoiceOptions {
  /** Speed-ups at which accuracy is taken. Default: 2, 4, 6. */
  readonly speedups?: readonly number[];
  /** Epochs of training between the metanetwork and the pruning. Default: 5. */
  readonly adaptEpochs?: number;
  /** Settings of that training. */
  readonly training?: MetaPruningOptions['training'];
  /** Epochs from one that may be chosen to the next; the last one may, too. Default: 1. */
  readonly every?: number;
  /** Called with the curve of each epoch. */
  readonly onCurve?: (curve: EpochCurve) => void;
}

/** An epoch with its curve on the held-out network. */
export interface EpochCurve extends PruningCurve {
  /** Number of the epoch. */
  readonly epoch: number;
}

/**
 * The accuracy of a network after pruning, where a metanetwork changes its weights and training
 * follows before that; without one, training alone. The network is as before in the end.
 *
 * @param images that measure the accuracy
 */
export function adaptedCurve(
  metanetwork: Metanetwork | undefined,
  model: Layer,
  data: ImageDataset,
  images: LabelledImages,
  random: Random,
  { speedups = [2, 4, 6], adaptEpochs = 5, training = {} }: Omit<EpochChoiceOptions, 'onCurve' | 'every'> = {},
): Promise<PruningCurve> {
  return restoring(model, async () => {
    if (metanetwork) applyMetanetwork(metanetwork, model, data);
    await continued(model, data, random.split('adapt'), adaptEpochs, training);
    return pruningCurve(model, data, images, speedups);
  });
}

/**
 * Chooses the epoch of a metanetwork by the mean accuracy after pruning over some speed-ups, on a
 * network that it was not trained on, and loads it. The network is as before in the end.
 *
 * @param images that measure the accuracy: validation images, which neither train nor are reported
 * @returns the chosen epoch first, then the others by falling accuracy
 * @throws Error without an epoch
 */
export async function chooseEpoch(
  metanetwork: Metanetwork,
  epochs: readonly MetaEpoch[],
  heldOut: Layer,
  data: ImageDataset,
  images: LabelledImages,
  random: Random,
  { onCurve, every = 1, ...options }: EpochChoiceOptions = {},
): Promise<readonly [EpochCurve, ...EpochCurve[]]> {
  const curves: EpochCurve[] = [];
  for (const [at, { epoch, weights }] of epochs.entries()) {
    if ((at + 1) % every !== 0 && at + 1 < epochs.length) continue;
    loadState(metanetwork, weights);
    const curve = await adaptedCurve(metanetwork, heldOut, data, images, random, options);
    options.training?.signal?.throwIfAborted();
    curves.push({ ...curve, epoch });
    onCurve?.({ ...curve, epoch });
  }
  const area = ({ accuracies }: PruningCurve) => accuracies.reduce((a, b) => a + b, 0);
  const [best, ...others] = curves.sort((a, b) => area(b) - area(a));
  if (!best) throw new Error('chooseEpoch: expected the metanetwork of at least one epoch');
  loadState(metanetwork, epochs.find(({ epoch }) => epoch === best.epoch)?.weights ?? {});
  return [best, ...others];
}

/** Options of `trainMetanetwork`. */
export interface MetanetworkTrainingOptions extends MetaTrainingOptions, MetanetworkOptions {
  /** How the epoch is chosen. */
  readonly choice?: EpochChoiceOptions;
}

/** A trained metanetwork, and how it came about. */
export interface TrainedMetanetwork extends MetaTraining {
  /** The metanetwork of the chosen epoch. */
  readonly metanetwork: Metanetwork;
  /** The chosen epoch first. */
  readonly curves: readonly [EpochCurve, ...EpochCurve[]];
}

/**
 * Makes a metanetwork of trained networks of one architecture: it learns from all but the last,
 * which chooses its epoch.
 *
 * @param images validation images for that choice
 * @throws Error for fewer than two networks, or one given twice; the signal's reason when it aborts
 */
export async function trainMetanetwork(
  models: readonly Layer[],
  data: ImageDataset,
  images: LabelledImages,
  random: Random,
  { dimension, layers, nodeScale, edgeScale, choice, ...options }: MetanetworkTrainingOptions = {},
): Promise<TrainedMetanetwork> {
  const heldOut = models.at(-1);
  if (!heldOut || models.length < 2 || new Set(models).size < models.length)
    throw new Error(
      `trainMetanetwork: expected two or more trained networks, each once: the last chooses the epoch, so that it must not train; got ${models.length}`,
    );
  const architecture = architectureOfGraph(networkGraph(heldOut, exampleOf(data)));
  const own = Object.entries({ dimension, layers, nodeScale, edgeScale }).filter(([, value]) => value !== undefined);
  const metanetwork = new Metanetwork(architecture, random.split('metanetwork'), Object.fromEntries(own));
  const trained = await metaTrain(metanetwork, models.slice(0, -1), data, random.split('training'), options);
  options.signal?.throwIfAborted();
  const curves = await chooseEpoch(metanetwork, trained.epochs, heldOut, data, images, random.split('choice'), {
    ...choice,
    training: { signal: options.signal, ...choice?.training },
  });
  return { ...trained, metanetwork, curves };
}
