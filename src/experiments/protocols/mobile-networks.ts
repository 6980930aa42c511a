// EMOv2 with other expansions, and networks of about as many parameters, for images of 28 pixels
// and for canvases of twice that.

import { SmallResNet, VisionTransformer, visionTransformers } from '../../models/index.js';
import type { Layer } from '../../nn/index.js';
import type { Random, Tensor } from '../../tensor/index.js';
import {
  EMOv2,
  type EMOv2Options,
  Enlarged,
  emov2s,
  firstVersion,
  type ImageShape,
  type MapBackbone,
  softDistillation,
  windowFor,
} from '../../vision/index.js';
import type { ImageMethod, ImageSetting } from './images.js';
import { wideMobileNet } from './plain-networks.js';

export const NANO = 'EMOv2';
export const CONVOLUTION = 'EMOv2, convolution alone';
export const FIRST = 'EMO';
export const REMOTE = 'EMOv2, remote windows';
export const CLOSE = 'EMOv2, close windows';
export const MOBILE = 'MobileNetV2';
export const VIT = 'ViT';
export const LONGER = 'ViT, three times the epochs';
export const TEACHER = 'ResNet-20, the teacher';
export const DISTILLED = 'EMOv2, distilled';
export const ENLARGED = 'EMOv2, distilled, images of twice the size';

const decayed = (rates: readonly number[]): readonly ImageSetting[] =>
  rates.map((learningRate) => ({ learningRate, weightDecay: 0.02 }));

/** The learning rates that every network chooses from, and the lower ones that a ViT needs. */
const [settings, lower] = [decayed([3e-3, 1e-3, 6e-3]), decayed([1e-3, 5e-4, 3e-4])];

type Network = (shape: ImageShape, random: Random) => Layer & MapBackbone;

const nano =
  (changes: Partial<EMOv2Options>): Network =>
  ({ channels, classes, size }, random) => {
    const options = { ...(emov2s['emov2-nano'] as EMOv2Options), ...changes, channels, classes };
    return new EMOv2({ ...options, window: windowFor(options, [size, size]) }, random);
  };

const vit: Network = ({ channels, classes, size }, random) =>
  new VisionTransformer(random, { ...visionTransformers['vit-nano'], channels, classes, imageSize: size });

const late = (...patterns: readonly ('remote' | 'close')[]) => ({ attention: [[], [], patterns, patterns] });

/** Networks whose maps are read for dense prediction. */
export const denseNetworks: Readonly<Record<string, Network>> = {
  [NANO]: nano({}),
  [CONVOLUTION]: nano(late()),
  [FIRST]: nano(firstVersion),
  [MOBILE]: wideMobileNet,
};

/** All networks of the classification. */
export const mobileMethods: readonly ImageMethod[] = [
  { title: NANO, network: 'emov2-nano', settings },
  { title: CONVOLUTION, network: nano(late()), settings },
  { title: FIRST, network: 'emo-nano', settings },
  { title: REMOTE, network: nano(late('remote')), settings },
  { title: CLOSE, network: nano(late('close')), settings },
  { title: MOBILE, network: wideMobileNet, settings },
  { title: VIT, network: vit, settings: lower },
  { title: LONGER, network: vit, settings: lower, longer: 3 },
];

/** The network that teaches. */
export const teacherMethod: ImageMethod = {
  title: TEACHER,
  network: ({ channels, classes }, random) => new SmallResNet(20, random, { channels, classes, widths: [16, 32, 64] }),
  settings,
};

/** What a teacher says of images that a student sees. */
export type Teacher = (images: Tensor) => Tensor;

/**
 * EMOv2 with distillation, at the size of the images and at twice that.
 *
 * @param teacherOf the teacher that was trained on the images of a run or of its trials
 */
export function distilledMethods(
  teacherOf: (...about: Parameters<NonNullable<ImageMethod['training']>>) => Teacher,
): readonly ImageMethod[] {
  const training: ImageMethod['training'] = (...about) => ({ loss: softDistillation(teacherOf(...about)) });
  const twice: ImageMethod['network'] = ({ size, ...shape }, random) =>
    new Enlarged(nano({})({ ...shape, size: 2 * size }, random), 2);
  return [
    { title: DISTILLED, network: 'emov2-nano', settings, training },
    { title: ENLARGED, network: twice, settings, training },
  ];
}
