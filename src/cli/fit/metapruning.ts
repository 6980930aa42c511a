// Metanetworks from a person's own networks and pictures: they are trained once for an
// architecture, and gossamer compress prunes with them.

import {
  adaptedCurve,
  architectureDifference,
  architectureOfGraph,
  metaTrainingBytes,
  networkGraph,
  type PruningCurve,
  saveMetanetwork,
  searchSplit,
  type TrainedMetanetwork,
  trainMetanetwork,
} from '../../compress/index.js';
import type { ImageDataset } from '../../data/index.js';
import { readBytes } from '../../data/node.js';
import { parameterCount } from '../../nn/index.js';
import { type Tensor, zeros } from '../../tensor/index.js';
import { ImageClassifier } from '../../vision/index.js';
import type { FitRequest, Fitted } from './learner.js';
import type { metapruningOptions } from './options.js';
import { readLike, requireTeacher } from './pictures.js';

type Request = FitRequest<typeof metapruningOptions>;

/** Memory from which a training is announced, in bytes. */
const MUCH = 2 ** 30;

/** Trains a metanetwork on all networks but the last, which chooses its epoch. */
export async function fitMetanetwork(path: string, request: Request): Promise<Fitted> {
  const { values, models: files = [], pictures, random, hooks, note } = request;
  if (!pictures) throw new Error('metapruning: how pictures are read was not said');
  const speedups = speedupsOf(values.speedups);
  const classifiers = classifiersIn(files);
  const [first] = classifiers as [ImageClassifier];
  const all = await readLike(first, path, pictures);
  for (const [at, own] of classifiers.entries()) requireTeacher(own, all, files[at] as string, 'the network');
  const { train, validation } = searchSplit(all.train);
  if (train.count < 2 || validation.count === 0)
    throw new Error(`metapruning: ${all.train.count} pictures are too few to keep a fifth for the choice of the epoch`);
  const data: ImageDataset = { ...all, train, test: validation };
  noteBefore(first, data, files, request);
  const choice = {
    ...{ speedups, adaptEpochs: values.adaptEpochs },
    training: { learningRate: values.adaptRate, signal: hooks.signal },
  };
  const models = classifiers.map(({ model }) => model);
  const heldOut = models.at(-1) as (typeof models)[number];
  const { epochs, batch, batches, learningRate, dropAfter, dimension, layers, scale, strength, alpha } = values;
  let trained: TrainedMetanetwork;
  let plain: PruningCurve;
  try {
    trained = await trainMetanetwork(models, data, validation, random, {
      ...{ epochs, batchSize: batch, batches, learningRate, dropAfter, dimension, layers, ...hooks },
      ...{ nodeScale: scale, edgeScale: scale },
      // λ counts beside the sum over batches.
      shrinkage: { strength: strength * (batches === 'all' ? Math.ceil(train.count / batch) : 1), alpha },
      choice: { ...choice, every: values.every, onCurve: (curve) => note(`epoch ${curve.epoch}: ${curveText(curve)}`) },
    });
    plain = await adaptedCurve(undefined, heldOut, data, validation, random.split('plain'), choice);
    hooks.signal.throwIfAborted();
  } catch (error) {
    if (hooks.signal.aborted) return { lines: [], scores: {}, stopped: 'aborted' };
    throw error;
  }
  const [best] = trained.curves;
  const record = {
    ...{ data: all.name, network: first.description.architecture, models: files },
    ...{ epoch: best.epoch, epochs: trained.epochs.length, speedups, accuracies: best.accuracies },
  };
  return {
    file: () => saveMetanetwork(trained.metanetwork, record),
    lines: [
      `learnt from ${files.slice(0, -1).join(', ')}; epoch ${best.epoch} of ${trained.epochs.length} is the best for ${files.at(-1)}`,
      `pruned, before any training after it: ${curveText(best)}; without the metanetwork ${curveText(plain)}`,
    ],
    scores: {
      epoch: best.epoch,
      ...Object.fromEntries(
        speedups.flatMap((speedup, at) => [
          [`accuracy at ${speedup}`, 100 * (best.accuracies[at] as number)],
          [`accuracy at ${speedup} without`, 100 * (plain.accuracies[at] as number)],
        ]),
      ),
    },
    stopped: trained.stopped,
  };
}

/** @throws Error naming an option that is no list of numbers above 1 */
function speedupsOf(text: string): number[] {
  const speedups = text.split(',').map((part) => Number(part.trim()));
  if (speedups.every((value) => Number.isFinite(value) && value > 1)) return speedups;
  throw new Error(`--set speedups=${text}: expected numbers above 1 with commas between them, as 2,3,4`);
}

/** The networks in files. @throws Error unless there are two or more, of one architecture */
function classifiersIn(files: readonly string[]): ImageClassifier[] {
  if (files.length < 2)
    throw new Error(
      `metapruning learns from two or more trained networks of one architecture, got ${files.length}: name them with --models a.safetensors b.safetensors; gossamer train --seed 1, --seed 2 … makes them`,
    );
  const twice = files.find((file, at) => files.indexOf(file) !== at);
  if (twice !== undefined)
    throw new Error(
      `--models: "${twice}" is named twice; the last one must be another than those that are learnt from`,
    );
  const classifiers = files.map((file) => ImageClassifier.load(readBytes(file), file));
  const [expected, ...others] = classifiers.map(({ model, description }) => {
    return architectureOfGraph(networkGraph(model, exampleFor(description)));
  });
  for (const [at, own] of others.entries()) {
    const difference = expected && architectureDifference(expected, own);
    if (difference !== undefined)
      throw new Error(
        `--models: "${files[at + 1]}" is of another architecture than "${files[0]}": ${difference}; a metanetwork is for one`,
      );
  }
  return classifiers;
}

const exampleFor = ({ channels, height, width }: ImageClassifier['description']): Tensor =>
  zeros([1, channels, height, width]);

/** What is learnt from what, and what it needs, before it begins. */
function noteBefore(
  { model, description }: ImageClassifier,
  { train, test }: ImageDataset,
  files: readonly string[],
  { values: { epochs, batch, dimension, layers }, note }: Request,
): void {
  note(
    `${description.architecture}, ${parameterCount(model).toLocaleString('en-US')} parameters: ${epochs} epochs on ${files.length - 1} networks and ${train.count} pictures; ${test.count} others and ${files.at(-1)} choose the epoch`,
  );
  const need = metaTrainingBytes(model, exampleFor(description), { batchSize: batch, dimension, layers });
  if (need > MUCH)
    note(
      `the training needs about ${(need / 2 ** 30).toFixed(1)} GiB; a smaller --set batch, dimension or layers needs less`,
    );
}

/** Accuracies by speed-up. */
function curveText({ speedups, accuracies }: PruningCurve): string {
  return speedups.map((speedup, at) => `${speedup}×: ${(100 * (accuracies[at] as number)).toFixed(1)} %`).join(', ');
}
