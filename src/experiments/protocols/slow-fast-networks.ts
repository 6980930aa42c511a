// Terminator beside its peers: small images or their pixels in a row, networks of about as many
// parameters, and Terminators that lack a part each.

import { type ImageDataset, imageStatistics, type LabelledImages } from '../../data/index.js';
import { type ImageTrainingOptions, SmallResNet, VisionTransformer } from '../../models/index.js';
import { BatchNorm2d, Conv2d, GRU, type Layer, Linear, type Mode } from '../../nn/index.js';
import { add, globalAveragePool, type Random, reshape, type Tensor, transpose } from '../../tensor/index.js';
import { CCNN, Terminator, type TerminatorOptions, type TerminatorPreset, terminators } from '../../vision/index.js';
import { type ImageMethod, type ImageSetting, type SlowFastSetting, shrunkImages } from './images.js';

/** How images are seen: whole, or their pixels in row order or under one permutation. */
export type View = 'image' | 'row' | 'permuted';

export const KAR = 'Terminator';
export const ADAMW = 'Terminator, AdamW';
export const ELEMENTWISE = 'Terminator, elementwise';
export const CCNN_NANO = 'CCNN';
export const RESNET = 'ResNet-8';
export const NARROW = 'ResNet-8, narrow';
export const VIT = 'ViT';
export const LONG_VIT = 'ViT, three times the epochs';
export const GRU_TITLE = 'GRU';

type Images = Pick<LabelledImages, 'channels' | 'height' | 'width'>;

/** Pixels of grey images in a row, in the given order. */
function sequences(images: LabelledImages, order: Int32Array): LabelledImages {
  const { count, channels, height, width } = images;
  const length = height * width;
  const pixels = new Uint8Array(count * length);
  pixels.forEach((_, at) => {
    const [image, pixel] = [Math.floor(at / length), order[at % length] as number];
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += images.pixels[(image * channels + c) * length + pixel] as number;
    pixels[at] = Math.round(sum / channels);
  });
  return { ...images, channels: 1, height: 1, width: length, pixels };
}

/** The images of a data set at half their size, as a view shows them. */
export function seenAs(view: View, data: ImageDataset, random: Random): ImageDataset {
  const { height, width } = data.train;
  const identity = Int32Array.from({ length: (height >> 1) * (width >> 1) }, (_, i) => i);
  const order = view === 'permuted' ? random.permutation(identity.length) : identity;
  const seen = (images: LabelledImages) => {
    const small = shrunkImages(images, 2);
    return view === 'image' ? small : sequences(small, order);
  };
  const train = seen(data.train);
  return { ...data, train, test: seen(data.test), ...imageStatistics(train) };
}

const nano = terminators['terminator-nano'] as TerminatorPreset;
const sizeOf = ({ height, width }: Images) => (height === 1 ? ([1, width] as const) : height);

/** Label smoothing of all networks, as the authors have it. */
const training = (own: ImageTrainingOptions = {}) => ({ labelSmoothing: 0.09, ...own });

const rates = <Others extends object>(learningRates: readonly number[], others: Others) =>
  learningRates.map((learningRate) => ({ learningRate, weightDecay: 0.02, ...others }));

/** ω₀ of a setting. */
const frequencyOf = (setting: ImageSetting | undefined) => (setting as SlowFastSetting | undefined)?.frequency ?? 10;

/** What Terminators try with Kar3: learning rates, and two factors of frequencies. */
const karSettings = [
  ...rates([1e-3], { frequency: 10 }),
  ...rates([1e-3], { frequency: 1 }),
  ...rates([2e-3, 5e-4], { frequency: 10 }),
];
const slowSettings = [
  ...rates([3e-3], { frequency: 10 }),
  ...rates([3e-3], { frequency: 1 }),
  ...rates([1e-3, 1e-2], { frequency: 10 }),
];
const settings = rates([3e-3, 1e-3, 1e-2, 6e-3], {});

function terminator(title: string, images: Images, changes: Partial<TerminatorOptions> = {}): ImageMethod {
  return {
    title,
    settings: karSettings,
    training: () => training({ optimizer: 'kar3' }),
    network: ({ channels, classes }, random, setting) =>
      new Terminator(
        { ...nano, ...changes, channels, classes, size: sizeOf(images), frequency: frequencyOf(setting) },
        random,
      ),
  };
}

/** Parameters of a CCNN of 3 blocks with 16 hidden features by its width. */
function ccnnParameters(width: number, { channels, height, width: columns }: Images, classes: number): number {
  const axes = height === 1 ? 1 : 2;
  const points = (2 * height - 1) * (2 * columns - 1);
  const slow = 3 * 16 * (axes + 1) + 2 * 16 * 17 + points + 17 * width;
  return 3 * (slow + 2 * width * (width + 1) + 4 * width) + width * (channels + 1) + classes * (width + 1);
}

/** Width of a CCNN with about as many parameters as `terminator-nano`. */
export function ccnnWidth(images: Images, classes: number, parameters = 43_710): number {
  let width = 1;
  while (ccnnParameters(width + 1, images, classes) <= parameters) width += 1;
  return width;
}

/** ResNet-8 of sequences [n, channels, 1, length], with kernels of 9. */
class SequenceResNet {
  readonly stem: Conv2d;
  readonly norm: BatchNorm2d;
  readonly blocks: readonly {
    readonly convs: readonly [Conv2d, Conv2d];
    readonly norms: readonly [BatchNorm2d, BatchNorm2d];
    readonly shortcut: Conv2d | undefined;
  }[];
  readonly head: Linear;

  constructor(channels: number, classes: number, widths: readonly number[], random: Random) {
    const conv = (from: number, to: number, kernel: number, stride: number, name: string) =>
      new Conv2d(from, to, [1, kernel], random.split(name), {
        ...{ stride: [1, stride], padding: [0, kernel >> 1], bias: false },
      });
    const [first = 16] = widths;
    this.stem = conv(channels, first, 9, 1, 'stem');
    this.norm = new BatchNorm2d(first);
    this.blocks = widths.map((width, i) => {
      const [from, stride] = i === 0 ? [first, 1] : [widths[i - 1] as number, 2];
      return {
        convs: [conv(from, width, 9, stride, `a${i}`), conv(width, width, 9, 1, `b${i}`)],
        norms: [new BatchNorm2d(width), new BatchNorm2d(width)],
        shortcut: i === 0 ? undefined : conv(from, width, 1, stride, `c${i}`),
      };
    });
    this.head = new Linear(widths.at(-1) ?? first, classes, random.split('head'));
  }

  forward(x: Tensor, mode: Mode): Tensor {
    let y = this.norm.forward(this.stem.forward(x), mode, 'relu');
    for (const { convs, norms, shortcut } of this.blocks) {
      const hidden = norms[0].forward(convs[0].forward(y), mode, 'relu');
      y = add(norms[1].forward(convs[1].forward(hidden), mode), shortcut?.forward(y) ?? y).relu();
    }
    return this.head.forward(globalAveragePool(y));
  }
}

/** GRU over the pixels, whose last state is classified. */
class PixelGRU implements Layer {
  readonly gru: GRU;
  readonly head: Linear;

  constructor(channels: number, classes: number, hidden: number, random: Random) {
    this.gru = new GRU(channels, hidden, random.split('gru'));
    this.head = new Linear(hidden, classes, random.split('head'));
  }

  forward(x: Tensor): Tensor {
    const [n, channels, , length] = x.shape as [number, number, number, number];
    const steps = transpose(reshape(x, [n, channels, length]));
    return this.head.forward(this.gru.forward(steps).state);
  }
}

function ccnn(images: Images): ImageMethod {
  return {
    title: CCNN_NANO,
    settings: slowSettings,
    training: () => training(),
    network: ({ channels, classes }, random, setting) =>
      new CCNN(
        { channels, classes, width: ccnnWidth(images, classes), size: sizeOf(images), frequency: frequencyOf(setting) },
        random,
      ),
  };
}

/** Networks of the comparison on whole images. */
export function imagePeers(images: Images): readonly ImageMethod[] {
  const peer = (title: string, network: ImageMethod['network'], longer = 1): ImageMethod => ({
    ...{ title, network, settings, longer },
    training: () => training(),
  });
  const resNet =
    (first: number): ImageMethod['network'] =>
    ({ channels, classes }, random) =>
      new SmallResNet(8, random, { channels, classes, widths: [first, 2 * first, 4 * first] });
  const transformer: ImageMethod['network'] = ({ channels, classes, size }, random) =>
    new VisionTransformer(random, {
      ...{ channels, classes, imageSize: size, patchSize: 2, features: 48, depth: 4, heads: 3, pooling: 'mean' },
    });
  return [
    terminator(KAR, images),
    { ...terminator(ADAMW, images), settings: slowSettings, training: () => training() },
    ccnn(images),
    peer(RESNET, resNet(16)),
    peer(NARROW, resNet(12)),
    peer(VIT, transformer),
    peer(LONG_VIT, transformer, 3),
  ];
}

/** Networks of the comparison on pixels in a row. */
export function sequencePeers(images: Images): readonly ImageMethod[] {
  const peer = (title: string, make: (channels: number, classes: number, random: Random) => Layer): ImageMethod => ({
    ...{ title, settings, training: () => training() },
    network: ({ channels, classes }, random) => make(channels, classes, random),
  });
  return [
    terminator(KAR, images),
    terminator(ELEMENTWISE, images, { operator: 'elementwise' }),
    ccnn(images),
    peer(GRU_TITLE, (channels, classes, random) => new PixelGRU(channels, classes, 64, random)),
    peer(RESNET, (channels, classes, random) => new SequenceResNet(channels, classes, [12, 24, 48], random)),
  ];
}

/** What each ablation changes, by its title. */
export const changes = {
  'without feedback error': { slowLoss: false },
  'random kernels': { fixedKernel: true },
  'kernels alone': { weights: 'alone' },
  'without local branches': { without: 'local' },
  'without global branches': { without: 'global' },
  'sum of branches': { joining: 'sum' },
  'residual blocks': { residual: true },
  'affine batch norm': { norm: 'batch' },
} as const satisfies Record<string, Partial<TerminatorOptions>>;

/** Title of an ablation. */
export const changed = (name: keyof typeof changes) => `${KAR}, ${name}`;

/** Terminators that lack a part each. */
export function ablations(images: Images): readonly ImageMethod[] {
  const names = Object.keys(changes) as (keyof typeof changes)[];
  return [terminator(KAR, images), ...names.map((name) => terminator(changed(name), images, changes[name]))];
}
