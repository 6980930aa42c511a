// Dense prediction: images pasted on larger canvases, of which the class of each pixel is asked.
// Backbones carry the same pyramid and are tuned and trained alike.

import { type ImageDataset, imageTensor, type LabelledImages } from '../../data/index.js';
import { AdamW, crossEntropy, disposeWeights, fit, inference, stateOf, warmUpCosine } from '../../nn/index.js';
import { permute, Random, reshape, scope, type Tensor, tensor } from '../../tensor/index.js';
import { type ImageShape, type MapBackbone, Segmenter } from '../../vision/index.js';
import type { MethodScores, RunContext } from '../parts/contract.js';
import { type Method, type MethodRun, quietContext, runMethods } from '../parts/methods.js';
import { tuned } from '../parts/tuning.js';
import { oneImage, timesInTurns } from './image-timings.js';
import { type ImageSetting, imageSettings, tuningData } from './images.js';

/** Images on a canvas, whose side is twice theirs. */
const PASTED = 3;
/** Brighter pixels are of the image's class, the others background. */
const INK = 64;
const BATCH = 16;

/** Canvases, with the class of each pixel; the background is the class after the last. */
export interface Canvases {
  /** [count, channels, 2·height, 2·width]; their own labels are not used. */
  readonly images: LabelledImages;
  /** [count, 2·height, 2·width] */
  readonly pixelLabels: Int32Array;
}

/** Draws images and places; a later image covers earlier ones where it has ink. */
export function pasted(from: LabelledImages, count: number, classes: number, random: Random): Canvases {
  const [height, width] = [2 * from.height, 2 * from.width];
  const [size, own] = [height * width, from.height * from.width];
  const pixels = new Uint8Array(count * from.channels * size);
  const pixelLabels = new Int32Array(count * size).fill(classes);
  for (let canvas = 0; canvas < count; canvas++)
    for (let i = 0; i < PASTED; i++) {
      const image = random.integer(from.count);
      const [top, left] = [random.integer(from.height + 1), random.integer(from.width + 1)];
      for (let at = 0; at < own; at++) {
        const ink = (channel: number) => from.pixels[(image * from.channels + channel) * own + at] as number;
        const channels = Array.from({ length: from.channels }, (_, channel) => ink(channel));
        if (Math.max(...channels) <= INK) continue;
        const place = (top + Math.floor(at / from.width)) * width + left + (at % from.width);
        pixelLabels[canvas * size + place] = from.labels[image] as number;
        for (const [channel, value] of channels.entries())
          pixels[(canvas * from.channels + channel) * size + place] = value;
      }
    }
  const images = { count, channels: from.channels, height, width, pixels, labels: new Int32Array(count) };
  return { images, pixelLabels };
}

/** Mean over occurring classes of |both| / |either|, of predicted and true classes of pixels. */
export function meanIoU(predicted: ArrayLike<number>, actual: ArrayLike<number>, classes: number): number {
  const [both, either] = [new Float64Array(classes), new Float64Array(classes)];
  for (let i = 0; i < actual.length; i++) {
    const [p, a] = [predicted[i] as number, actual[i] as number];
    either[a] = (either[a] as number) + 1;
    if (p === a) both[a] = (both[a] as number) + 1;
    else either[p] = (either[p] as number) + 1;
  }
  const shares = Array.from(either, (all, c) => (both[c] as number) / all).filter((share) => !Number.isNaN(share));
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/** [n, classes, h, w] → [n·h·w, classes] */
function byPixel(logits: Tensor): Tensor {
  return reshape(permute(logits, [0, 2, 3, 1]), [-1, logits.shape[1] as number]);
}

type Statistics = Pick<ImageDataset, 'mean' | 'deviation'>;

/** Mean IoU of a segmenter on canvases. */
function scoreOn(model: Segmenter, { images, pixelLabels }: Canvases, statistics: Statistics, classes: number) {
  const predicted = new Int32Array(pixelLabels.length);
  for (let start = 0; start < images.count; start += BATCH)
    scope(() => {
      const indices = Array.from({ length: Math.min(BATCH, images.count - start) }, (_, i) => start + i);
      const logits = byPixel(model.forward(imageTensor(images, indices, statistics), inference));
      predicted.set(logits.argmax(1).dataSync<Int32Array>(), (start * pixelLabels.length) / images.count);
    });
  return meanIoU(predicted, pixelLabels, classes + 1);
}

/** A backbone by its title. */
export interface DenseMethod {
  readonly title: string;
  readonly backbone: (shape: ImageShape, random: Random) => MapBackbone;
}

/** Options of the dense task. */
export interface DenseOptions {
  /** How canvases are drawn from images. Default: `pasted`. */
  readonly draw?: Draw<Canvases>;
  /** Canvases trained on; a third as many are tested. */
  readonly canvases: number;
  readonly epochs: number;
  readonly trials: number;
  readonly tuning: number;
}

/** How canvases are drawn from images. */
type Draw<Drawn> = (from: LabelledImages, count: number, classes: number, random: Random) => Drawn;

/** Canvases of the training and the scored images of a data set. */
export function canvasesOf<Drawn>({ train, test, classes }: ImageDataset, count: number, draw: Draw<Drawn>) {
  const random = new Random(0).split('canvases');
  return {
    train: draw(train, count, classes.length, random.split('train')),
    test: draw(test, Math.ceil(count / 3), classes.length, random.split('test')),
  };
}

async function trainDense(
  { backbone }: DenseMethod,
  data: ImageDataset,
  { images, pixelLabels }: Canvases,
  { learningRate, weightDecay }: ImageSetting,
  epochs: number,
  { random, hooks }: MethodRun,
): Promise<Segmenter> {
  const shape = { channels: images.channels, classes: data.classes.length, size: images.height };
  const own = random.split('model');
  const model = Segmenter.on(backbone(shape, own), shape.classes + 1, shape, own);
  const size = images.height * images.width;
  const steps = epochs * Math.ceil(images.count / BATCH);
  const decayed = Object.fromEntries(Object.entries(stateOf(model)).map(([name, { rank }]) => [name, rank > 1]));
  await fit({
    ...hooks,
    model,
    epochs,
    random: random.split('fit'),
    optimizer: new AdamW({ learningRate, weightDecay: (name) => (decayed[name] ? weightDecay : 0) }),
    schedule: warmUpCosine(steps, 0.1),
    *batches(order) {
      const indices = order.permutation(images.count);
      for (let start = 0; start < images.count; start += BATCH) yield indices.subarray(start, start + BATCH);
    },
    loss: (live, batch: Int32Array, mode) => {
      const labels = new Int32Array(batch.length * size);
      batch.forEach((image, i) => {
        labels.set(pixelLabels.subarray(image * size, (image + 1) * size), i * size);
      });
      const logits = byPixel(live.forward(imageTensor(images, batch, data), mode));
      return crossEntropy(logits, tensor(labels, [labels.length], 'i32'));
    },
  });
  hooks.signal?.throwIfAborted();
  return model;
}

/**
 * Scores `iou` (in %) of each backbone on the test canvases, and `denseLatency`, milliseconds a
 * canvas on one thread, in turns. Settings are chosen on canvases of the images that validate.
 */
export async function denseScores(
  methods: readonly DenseMethod[],
  data: ImageDataset,
  { canvases, epochs, trials, tuning, draw = pasted }: DenseOptions,
  context: RunContext,
): Promise<readonly MethodScores[]> {
  const classes = data.classes.length;
  const last = canvasesOf(data, canvases, draw);
  const trial = canvasesOf(tuningData(data, 1), Math.ceil(tuning * canvases), draw);
  const models = new Map<string, Segmenter>();
  const tunedMethods = methods.map(
    (method): Method<Segmenter> =>
      tuned<ImageSetting, Segmenter>({
        title: `${method.title}, dense`,
        settings: imageSettings.slice(0, trials),
        once: data,
        train: (setting, run) => trainDense(method, data, last.train, setting, epochs, run),
        trial: (setting, run) => trainDense(method, data, trial.train, setting, epochs, run),
        validation: (model) => scoreOn(model, trial.test, data, classes),
        discard: (model) => disposeWeights(stateOf(model)),
        score: (model) => {
          models.set(method.title, model.merged());
          return { iou: 100 * scoreOn(model, last.test, data, classes) };
        },
      }),
  );
  const { methods: scored } = await runMethods(tunedMethods, quietContext(context));
  const arms = methods.map(({ title }) => ({ title, model: models.get(title) as Segmenter }));
  const times = await timesInTurns(arms, { test: last.test.images }, { denseLatency: oneImage });
  return methods.map(({ title }, i) => {
    const { iou = Number.NaN } = scored[i]?.scores ?? {};
    return { method: title, scores: { iou, ...times.get(title) } };
  });
}
