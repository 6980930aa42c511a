// Detection of digits on canvases, with soft hypergraphs in the neck and with bottlenecks in their
// place.

import { type BoxedPictures, detect, GridDetector, trainDetector } from '../../hypergraph/index.js';
import { meanBoxPrecision } from '../../models/index.js';
import { inference, parameterCount, parameters } from '../../nn/index.js';
import { scope, zeros } from '../../tensor/index.js';
import { cost } from '../../trace/index.js';
import type { RunContext, SeedOutcome } from '../parts/contract.js';
import { type MethodRun, runMethods } from '../parts/methods.js';
import { CANVAS, type Canvas, type CanvasData } from './digit-canvases.js';
import { armsOf, type ContextSetting, contextSettings, type TrainedArm } from './token-contexts.js';

/** Digits. */
const CLASSES = 10;

/** Titles of the two necks. */
export const [SOFT_NECK, PLAIN_NECK] = ['neck with soft hypergraphs', 'neck with bottlenecks'] as const;
export const neckTitles = [SOFT_NECK, PLAIN_NECK] as const;

/** Hyperparameters of detection. */
export interface DetectionValues {
  readonly epochs: number;
  readonly batch: number;
  readonly trials: number;
  /** Share of the canvases that a trial trains on. */
  readonly tuning: number;
}

function boxed(canvases: readonly Canvas[], { mean, deviation }: CanvasData): BoxedPictures {
  const size = CANVAS * CANVAS;
  const pixels = new Float32Array(canvases.length * size);
  canvases.forEach(({ planes }, i) => {
    for (let at = 0; at < size; at++)
      pixels[i * size + at] = ((planes[at] as number) / 255 - (mean[0] as number)) / (deviation[0] as number);
  });
  return { pixels, channels: 1, side: CANVAS, boxes: canvases.map(({ boxes }) => boxes) };
}

const precision = (network: GridDetector, data: BoxedPictures) =>
  100 * meanBoxPrecision(detect(network, data), data.boxes, CLASSES);

async function trainOn(
  title: (typeof neckTitles)[number],
  train: BoxedPictures,
  validation: BoxedPictures,
  { learningRate }: ContextSetting,
  { epochs, batch }: DetectionValues,
  { random, hooks }: MethodRun,
): Promise<TrainedArm<GridDetector>> {
  const branches = title === SOFT_NECK ? 'soft' : 'bottleneck';
  const model = new GridDetector({ classes: CLASSES }, random.split('model'), { branches });
  const { bestMetric } = await trainDetector(model, train, random.split('fit'), {
    ...{ epochs, batch, learningRate, validate: (live) => precision(live, validation) },
    ...hooks,
  });
  hooks.signal?.throwIfAborted();
  return { model, validation: bestMetric ?? 0 };
}

/** Multiply-adds of one canvas, in millions of floating-point operations. */
function megaflops(network: GridDetector): number {
  return scope(() => {
    const x = zeros([1, 1, CANVAS, CANVAS]);
    return (2 * cost((input) => network.forward(input, inference), [x], parameters(network)).multiplyAdds) / 1e6;
  });
}

/** Tunes, trains and scores both necks of a seed from the same initial weights and batches. */
export function runDetection(data: CanvasData, values: DetectionValues, context: RunContext): Promise<SeedOutcome> {
  const [train, validation, test] = [data.train, data.validation, data.test].map((canvases) =>
    boxed(canvases, data),
  ) as [BoxedPictures, BoxedPictures, BoxedPictures];
  const few = Math.max(1, Math.round(values.tuning * train.boxes.length));
  const fewer = { ...train, boxes: train.boxes.slice(0, few) };
  const methods = armsOf(neckTitles, {
    settings: (title) => contextSettings(title, values.trials),
    ...{ once: data, whole: train, fewer },
    train: (title, own, setting, run) => trainOn(title, own, validation, setting, values, run),
    score: (model: GridDetector) => ({
      ap50: precision(model, test),
      megaflops: megaflops(model),
      parameters: parameterCount(model),
    }),
  });
  return runMethods(methods, context, { stream: 'shared' });
}
