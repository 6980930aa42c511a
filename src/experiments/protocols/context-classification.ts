// Classification of small images by one vision transformer, with each context after its last block.

import { type ImageDataset, imageTensor } from '../../data/index.js';
import { medianSeconds, memoryUse, withOwnPeak } from '../../engine/index.js';
import { accuracyOn, trainOnImages, VisionTransformer } from '../../models/index.js';
import { inference, parameterCount, type SoftHGNNOptions } from '../../nn/index.js';
import { scope } from '../../tensor/index.js';
import type { RunContext, Scores, SeedOutcome } from '../parts/contract.js';
import { type MethodRun, runMethods } from '../parts/methods.js';
import { onOneThread } from '../parts/threads.js';
import { tuningData } from './images.js';
import {
  armsOf,
  type ContextSetting,
  contextOf,
  contextSettings,
  contextTitles,
  NONE,
  type TrainedArm,
} from './token-contexts.js';

/** Hyperparameters of classification. */
export interface ClassificationValues {
  readonly epochs: number;
  readonly batch: number;
  readonly trials: number;
  /** Share of the images that a trial trains on. */
  readonly tuning: number;
}

/** The transformer of all arms; its class token takes part in hyperedges as patches do. */
const BACKBONE = { patchSize: 4, features: 64, depth: 2, heads: 4 } as const;
const soft: SoftHGNNOptions = { hyperedges: 16, heads: 8 };
const sparse: SoftHGNNOptions = { hyperedges: 16, heads: 8, selection: { dynamic: 32, k: 8 } };

async function trainOn(
  title: (typeof contextTitles)[number],
  data: ImageDataset,
  { learningRate, nearest }: ContextSetting,
  { epochs, batch }: ClassificationValues,
  { random, hooks }: MethodRun,
): Promise<TrainedArm<VisionTransformer>> {
  const context = contextOf(title, { heads: BACKBONE.heads, nearest, soft, sparse });
  const { channels, height } = data.train;
  const shape = { channels, classes: data.classes.length, imageSize: height };
  const model = new VisionTransformer(random.split('model'), { ...BACKBONE, ...shape, ...(context && { context }) });
  const { bestMetric } = await trainOnImages(model, data, random.split('fit'), {
    ...{ epochs, batchSize: batch, learningRate, weightDecay: 0, augmentation: { flip: true, crop: 4 } },
    ...{ chooseBy: data.test, ...hooks },
  });
  hooks.signal?.throwIfAborted();
  return { model, validation: bestMetric ?? 0 };
}

/** Images in a batch whose time and memory are measured. */
export const BATCH = 32;

/**
 * Milliseconds an image and MiB beyond the weights, for one image and for a batch, on one thread.
 */
async function costOf(model: VisionTransformer, data: ImageDataset): Promise<Scores> {
  const costs = async (batch: number) => {
    const x = imageTensor(
      data.test,
      Int32Array.from({ length: Math.min(batch, data.test.count) }, (_, i) => i),
      data,
    );
    const forward = () => scope(() => void model.forward(x, inference));
    const before = memoryUse().bytes;
    const { peakBytes } = await withOwnPeak(forward);
    const seconds = onOneThread(() => medianSeconds(forward, 5, 1));
    const count = x.shape[0] as number;
    x.dispose();
    return { ms: (1000 * seconds) / count, mebibytes: (peakBytes - before) / 2 ** 20 };
  };
  const [one, many] = [await costs(1), await costs(BATCH)];
  return { latency: one.ms, memory: one.mebibytes, batched: many.ms, batchMemory: many.mebibytes };
}

/**
 * Tunes, trains and scores all arms of a seed from the same initial weights and batches. The last
 * tenth of the training images chooses learning rate and epoch; the test images are scored once.
 */
export async function runClassification(
  data: ImageDataset,
  values: ClassificationValues,
  context: RunContext,
): Promise<SeedOutcome> {
  const [whole, fewer] = [tuningData(data, 1), tuningData(data, values.tuning)];
  const methods = armsOf(contextTitles, {
    settings: (title) => contextSettings(title, values.trials),
    ...{ once: data, whole, fewer },
    train: (title, own, setting, run) => trainOn(title, own, setting, values, run),
    score: async (model: VisionTransformer) => ({
      accuracy: 100 * accuracyOn(model, data.test, data),
      parameters: parameterCount(model),
      ...(await costOf(model, data)),
    }),
  });
  const { methods: scored } = await runMethods(methods, context, { stream: 'shared' });
  const base = scored.find(({ method }) => method === NONE)?.scores.accuracy ?? Number.NaN;
  return {
    methods: scored.map((own) => ({
      ...own,
      scores: { ...own.scores, gain: (own.scores.accuracy ?? Number.NaN) - base },
    })),
  };
}
