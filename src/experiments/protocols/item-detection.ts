// Detection of items on canvases: RetinaNets on backbones that are tuned and trained alike.

import type { ImageDataset } from '../../data/index.js';
import { cocoPrecision } from '../../models/index.js';
import { disposeWeights, stateOf } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import { type BoxedImages, detectBoxes, RetinaNet, trainRetinaNet } from '../../vision/index.js';
import type { MethodScores, RunContext } from '../parts/contract.js';
import { type Method, type MethodRun, quietContext, runMethods } from '../parts/methods.js';
import { tuned } from '../parts/tuning.js';
import { type ImageSetting, tuningData } from './images.js';
import { itemCanvases } from './item-canvases.js';
import { canvasesOf, type DenseMethod, type DenseOptions } from './pasted-images.js';

/** Strides of the maps that are read, and sides of the anchors. */
const [STRIDES, SIDES] = [
  [4, 8],
  [16, 22, 28],
];
const BATCH = 16;

/** Canvases of the training and the scored images of a data set, to be found items on. */
function boxedCanvases(data: ImageDataset, count: number): Readonly<Record<'train' | 'test', BoxedImages>> {
  const { mean, deviation } = data;
  return canvasesOf(data, count, (...about) => ({ ...itemCanvases(...about), mean, deviation }));
}

/** A detector with fresh weights. */
function detector({ backbone }: DenseMethod, { images }: BoxedImages, classes: number, random: Random): RetinaNet {
  const shape = { channels: images.channels, classes, size: images.height };
  const options = { classes, strides: STRIDES, sides: SIDES };
  return new RetinaNet(backbone(shape, random.split('backbone')), shape, options, random.split('head'));
}

const precision = (model: RetinaNet, canvases: BoxedImages) =>
  100 * cocoPrecision(detectBoxes(model, canvases), canvases.boxes, model.options.classes);

/**
 * Scores of each backbone on the test canvases: `precision`, COCO's mAP in %, and `untrained`, that
 * of fresh weights. Settings are chosen on canvases of the images that validate.
 */
export async function detectionScores(
  methods: readonly DenseMethod[],
  settings: readonly ImageSetting[],
  data: ImageDataset,
  { canvases, epochs, trials, tuning }: Omit<DenseOptions, 'draw'>,
  context: RunContext,
): Promise<readonly MethodScores[]> {
  const classes = data.classes.length;
  const last = boxedCanvases(data, canvases);
  const trial = boxedCanvases(tuningData(data, 1), Math.ceil(tuning * canvases));
  const train = async (method: DenseMethod, own: BoxedImages, setting: ImageSetting, { random, hooks }: MethodRun) => {
    const model = detector(method, own, classes, random.split('model'));
    await trainRetinaNet(model, own, random.split('fit'), { epochs, batchSize: BATCH, ...setting, ...hooks });
    hooks.signal?.throwIfAborted();
    return model;
  };
  const tunedMethods = methods.map(
    (method): Method<RetinaNet> =>
      tuned<ImageSetting, RetinaNet>({
        title: `${method.title}, detection`,
        settings: settings.slice(0, trials),
        once: data,
        train: (setting, run) => train(method, last.train, setting, run),
        trial: (setting, run) => train(method, trial.train, setting, run),
        validation: (model) => precision(model, trial.test),
        discard: (model) => disposeWeights(stateOf(model)),
        score: (model, { random }) => ({
          precision: precision(model.merged(), last.test),
          untrained: precision(detector(method, last.train, classes, random.split('model')), last.test),
        }),
      }),
  );
  const { methods: scored } = await runMethods(tunedMethods, quietContext(context));
  return methods.map(({ title }, i) => {
    const { precision: found = Number.NaN, untrained = Number.NaN } = scored[i]?.scores ?? {};
    return { method: title, scores: { precision: found, untrained } };
  });
}
