// Small networks that differ in their spatial operations alone, and the images that they learn.

import type { ImageDataset, LabelledImages } from '../../data/index.js';
import { VisionTransformer } from '../../models/index.js';
import { disposeWeights, inference, type Layer, parameters, stateOf } from '../../nn/index.js';
import { Random, scope, type Tensor, zeros } from '../../tensor/index.js';
import { cost } from '../../trace/index.js';
import { imageModel, PfNano, pfTransformers } from '../../vision/index.js';
import type { StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { type ImageMethod, type ImageSetting, loadImageSet } from './images.js';

export const CONV = 'convolution 3×3';
export const DEPTHWISE = 'depthwise 3×3';
export const MAX = 'max pooling';
export const AVERAGE = 'average pooling';
export const HYBRID = 'hybrid';
export const NONE = 'no spatial operation';
export const VIT = 'ViT';
export const VIT_MAX = 'ViT, max pooling in odd blocks';

const decayed = (rates: readonly number[]): readonly ImageSetting[] =>
  rates.map((learningRate) => ({ learningRate, weightDecay: 0.02 }));

/** The learning rates that every network chooses from, and the lower ones of transformers. */
const [settings, lower] = [decayed([3e-3, 1e-3, 6e-3]), decayed([1e-3, 5e-4, 3e-4])];

const nano =
  (operator: 'average-pool' | 'none'): ImageMethod['network'] =>
  ({ channels, classes }, random) =>
    new PfNano(random, { channels, classes, operator });

const { operator: pooled, ...attending } = pfTransformers['vit-nano-max'];
const PATCH = attending.patchSize;

const transformer =
  (changes: { readonly operator?: typeof pooled }): ImageMethod['network'] =>
  ({ channels, classes, size }, random) =>
    new VisionTransformer(random, { ...attending, ...changes, channels, classes, imageSize: size });

/** All networks of the comparison: one body with six operations, and two transformers. */
export const pfMethods: readonly ImageMethod[] = [
  { title: CONV, network: 'pf-nano-conv', settings },
  { title: DEPTHWISE, network: 'pf-nano-depthwise', settings },
  { title: MAX, network: 'pf-nano', settings },
  { title: AVERAGE, network: nano('average-pool'), settings },
  { title: HYBRID, network: 'pf-nano-hybrid', settings },
  { title: NONE, network: nano('none'), settings },
  { title: VIT, network: transformer({}), settings: lower, longer: 3 },
  { title: VIT_MAX, network: transformer({ operator: pooled }), settings: lower, longer: 3 },
];

/** Side of the images: hybrid halves the map three times. */
const SIDE = 32;

/** Images with zeros around them, so that each side has at least so many pixels. */
export function paddedImages(images: LabelledImages, side: number): LabelledImages {
  const { count, channels, height, width, pixels } = images;
  const [rows, columns] = [Math.max(height, side), Math.max(width, side)];
  if (rows === height && columns === width) return images;
  const [top, left] = [(rows - height) >> 1, (columns - width) >> 1];
  const padded = new Uint8Array(count * channels * rows * columns);
  for (let plane = 0; plane < count * channels; plane++)
    for (let row = 0; row < height; row++) {
      const from = (plane * height + row) * width;
      padded.set(pixels.subarray(from, from + width), (plane * rows + top + row) * columns + left);
    }
  return { ...images, height: rows, width: columns, pixels: padded };
}

/** A set of images, with zeros around those of fewer than 32 pixels. */
export async function loadPadded(...about: Parameters<typeof loadImageSet>): Promise<ImageDataset> {
  const data = await loadImageSet(...about);
  return { ...data, train: paddedImages(data.train, SIDE), test: paddedImages(data.test, SIDE) };
}

/** Bytes of the attention maps that a forward pass of an image makes: heads·N² in each layer. */
export function attentionBytes(model: object, { height, width }: Pick<LabelledImages, 'height' | 'width'>): number {
  if (!(model instanceof VisionTransformer)) return 0;
  const tokens = (height / PATCH) * (width / PATCH);
  const heads = model.blocks.map(({ attn }) => ('heads' in attn ? attn.heads : 0));
  return 4 * tokens ** 2 * heads.reduce((a, b) => a + b, 0);
}

/** Scores of `countStudy`. */
export const COUNTS = {
  parameters: 'nano, parameters over convolution',
  products: 'nano, multiply-adds over convolution',
};

/** Parameters and multiply-adds of the networks on grey images of 28 pixels. */
export function countStudy(): StudyResults {
  const x = zeros([1, 1, 28, 28]);
  const rows = Object.entries({ [CONV]: 'pf-nano-conv', [DEPTHWISE]: 'pf-nano-depthwise', [MAX]: 'pf-nano' }).map(
    ([title, name]) => {
      const model = imageModel(name, { channels: 1, classes: 10, size: 28 }, new Random(0));
      const counted = countsOf(model, x);
      disposeWeights(stateOf(model));
      return { title, ...counted };
    },
  );
  x.dispose();
  const [conv, , max] = rows as [(typeof rows)[number], unknown, (typeof rows)[number]];
  return studyOf(
    {
      title: 'Nano networks on grey images of 28 pixels',
      columns: ['network', 'parameters', 'multiply-adds'],
      rows: rows.map(({ title, parameters, multiplyAdds }) => [title, parameters, multiplyAdds]),
      note: 'Counted, not trained.',
    },
    {
      [COUNTS.parameters]: max.parameters / conv.parameters,
      [COUNTS.products]: max.multiplyAdds / conv.multiplyAdds,
    },
  );
}

/** Parameters and multiply-adds of a network on an example. */
export function countsOf(model: Layer, x: Tensor): { parameters: number; multiplyAdds: number } {
  return scope(() => cost((y) => model.forward(y, inference), [x], parameters(model)));
}
