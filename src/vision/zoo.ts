// Image classifiers by name.

import {
  EfficientNet,
  type EfficientNetOptions,
  type Genotype,
  LENET_LEAST,
  LeNet,
  MobileNetV1,
  type MobileNetV1Options,
  MobileNetV2,
  type MobileNetV2Options,
  ResNet,
  roundChannels,
  SmallGoogLeNet,
  SmallResNet,
  SmallVGG,
  VisionTransformer,
  type VisionTransformerOptions,
  visionTransformers,
} from '../models/index.js';
import { type BlockOperator, type Layer, SoftHGNN, type SoftHGNNOptions, suggestedHyperedges } from '../nn/index.js';
import type { Random } from '../tensor/index.js';
import { binaryArchitectures } from './binary-presets.js';
import { cellNetworks } from './cell-networks.js';
import { closestNames } from './closest-names.js';
import { elasticArchitectures } from './elastic-presets.js';
import { EMOv2, type EMOv2Options, emov2s, strideOfAll, windowFor, windowsFit } from './emov2/index.js';
import { Terminator, type TerminatorPreset, terminators } from './hyperzzw/index.js';
import { LSNet, type LSNetOptions, lsNets } from './lsnet/index.js';
import { mobileNetsV2, smallEfficientNets, smallMobileNets } from './mobile-presets.js';
import {
  operatorSettings,
  operatorsOf,
  PfNano,
  PoolingTransformer,
  type PoolingTransformerOptions,
  pfNanos,
  pfResNets,
  pfTransformers,
  pits,
} from './pflayer/index.js';
import { domainSettings, phNetwork, phResNets, phVGGs } from './phnn/index.js';
import { leastSize, SimpleNet, type SimpleNetOptions, simpleNets } from './simplenet.js';
import { VanillaNet, type VanillaNetOptions, vanillaNets } from './vanillanet.js';

/** Image size, classes and width of the classifier to create. */
export interface ImageShape {
  /** 1 for greyscale, 3 for RGB. */
  readonly channels: number;
  /** Number of classes, the width of the logits. */
  readonly classes: number;
  /** Height and width of the images in pixels. */
  readonly size: number;
  /** Width of images that are not square, in pixels; `size` is then their height. */
  readonly imageWidth?: number;
  /** Width multiplier of all networks but LeNet and Terminators. Default: 1. */
  readonly width?: number;
  /** Hyperparameters of its own that a network has, see `imageModelSettings`. Default: none. */
  readonly settings?: Readonly<Record<string, number>>;
  /** Cells of `dass`. Default: those published for 99 % zeros. */
  readonly genotype?: Genotype | undefined;
}

/** An image shape with the sides apart. */
interface Shape extends Pick<ImageShape, 'channels' | 'classes' | 'genotype'> {
  readonly height: number;
  readonly width: number;
  /** Width multiplier. */
  readonly multiplier: number;
  readonly settings: Readonly<Record<string, number>>;
}

/** Which images a network takes; those of every size where it says nothing. */
interface Sizes {
  readonly fits: (height: number, width: number) => boolean;
  /** In words. */
  readonly text: string;
}

/** How an architecture is made with random weights, and for which sizes. */
interface Architecture {
  readonly make: (shape: Shape, random: Random) => Layer;
  readonly sizes?: Sizes;
  /** What to know of images of a size that it takes; undefined where there is nothing. */
  readonly note?: (height: number, width: number) => string | undefined;
  /** Names of the hyperparameters that it takes, each with what it is. Default: none. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Architectures of presets by name. */
const named = <Options>(
  presets: Readonly<Record<string, Options>>,
  make: (options: Options, shape: Shape, random: Random) => Layer,
  sizesOf: (options: Options) => Sizes | undefined = () => undefined,
): Record<string, Architecture> =>
  Object.fromEntries(
    Object.entries(presets).map(([name, options]) => {
      const sizes = sizesOf(options);
      return [name, { make: (shape, random) => make(options, shape, random), ...(sizes && { sizes }) }];
    }),
  );

/** The options that MobileNets and EfficientNets take. */
const scaledBy = ({ channels, classes, multiplier }: Shape) => ({ channels, classes, width: multiplier });

/** Side of the last feature map of an LSNet, whose stages after the first halve it. */
function lastMap(size: number, { stem = [2, 2, 2], depths }: LSNetOptions): number {
  const strides = [...stem, ...depths.slice(1).map(() => 2)];
  return strides.reduce((side, stride) => Math.ceil(side / stride), size);
}

/** Images of at least so many pixels a side. */
const atLeast = (least: number): Sizes => ({
  fits: (height, width) => Math.min(height, width) >= least,
  text: `at least ${least} pixels a side`,
});

/** Most pixels a side of a Terminator, all of whose maps have the size of the image. */
const TERMINATOR_MOST = 96;

/** Side of the patches that the stem of a VanillaNet reads. */
const STEM = 4;

/**
 * The default stem and pooling of a VanillaNet divide images; adaptive pooling takes any. Pixels
 * beyond the last whole patch would not be seen.
 */
function vanillaNetSizes({ strides, stem, poolTo }: VanillaNetOptions): Sizes | undefined {
  if (poolTo || stem) return undefined;
  const { fits, text } = atLeast(STEM * 2 ** strides.filter((stride) => stride === 2).length);
  return {
    fits: (height, width) => fits(height, width) && height % STEM === 0 && width % STEM === 0,
    text: `${text}, which are multiples of ${STEM}`,
  };
}

/** Position embeddings are for one size of square images, cut in patches. */
const squaresOf = (patch: number): Sizes => ({
  fits: (height, width) => height === width && height % patch === 0,
  text: `square, their side a multiple of ${patch} pixels`,
});

const { patchSize: NANO_PATCH, ...nano } = visionTransformers['vit-nano'];

/** Options of a soft hypergraph layer from settings, the others from the tokens. */
function softOptions(base: SoftHGNNOptions, tokens: number, features: number, settings: Shape['settings']) {
  const { hyperedges, heads } = suggestedHyperedges(tokens, features);
  const { dynamic, k, ...own } = settings;
  const selection = { ...base.selection, ...(dynamic !== undefined && { dynamic }), ...(k !== undefined && { k }) };
  return { hyperedges, heads, ...base, ...own, ...(base.selection && { selection }) };
}

/** A nano ViT with a soft hypergraph layer (SoftHGNN) after its last block. */
const softTransformer = (base: SoftHGNNOptions): Architecture => ({
  make: ({ channels, classes, height, multiplier, settings }, random) =>
    new VisionTransformer(random, {
      ...{ ...nano, patchSize: NANO_PATCH, channels, classes, imageSize: height },
      features: nano.heads * roundChannels((multiplier * nano.features) / nano.heads),
      context: (features, own) =>
        new SoftHGNN(features, own, softOptions(base, (height / NANO_PATCH) ** 2, features, settings)),
    }),
  sizes: squaresOf(NANO_PATCH),
  settings: {
    hyperedges: `soft hyperedges that every image uses; by default ${base.hyperedges ?? 'as many as suit its size'}`,
    heads: 'heads, a divisor of the width, which set the temperature; by default 8 where they divide it',
    ...(base.selection && {
      dynamic: `hyperedges of which each image uses some; by default ${base.selection.dynamic}`,
      k: `how many of them; by default ${base.selection.k}`,
    }),
  },
});

/** EMOv2: windows follow the size of images. */
const emov2 = (options: EMOv2Options): Architecture => ({
  make: ({ channels, classes, height, width, multiplier }, random) =>
    new EMOv2(
      {
        ...{ ...options, channels, classes, window: windowFor(options, [height, width]) },
        dims: options.dims.map((count, stage) =>
          headMultiple(count, multiplier, options.headChannels[stage] as number),
        ),
      },
      random,
    ),
  sizes: atLeast(strideOfAll(options)),
  note: (height, width) => {
    const side = windowFor(options, [height, width]);
    return windowsFit(options, [height, width], side)
      ? undefined
      : `windows of ${side}×${side} do not divide the maps of images of ${height}×${width}: padded pixels take part in attention, which may cost accuracy`;
  },
});

/** Channels by a width multiplier, whole heads. */
const headMultiple = (count: number, multiplier: number, head: number): number =>
  multiplier === 1 ? count : head * Math.max(1, Math.round((multiplier * count) / head));

const architectures: Readonly<Record<string, Architecture>> = {
  lenet: {
    make: ({ channels, classes, height, width, multiplier }, random) => {
      if (multiplier !== 1) throw new RangeError(`lenet has no width multiplier, got ${multiplier}`);
      return new LeNet(random, { channels, classes, size: [height, width] });
    },
    sizes: atLeast(LENET_LEAST),
  },
  ...named(
    Object.fromEntries([8, 20, 32, 44, 56, 110].map((depth) => [`resnet${depth}`, depth])),
    (depth, { channels, classes, multiplier }, random) => {
      const widths = [16, 32, 64].map((count) => roundChannels(multiplier * count)) as [number, number, number];
      return new SmallResNet(depth, random, { channels, classes, widths });
    },
  ),
  ...named(
    { 'vgg11-small': 11, 'vgg13-small': 13, 'vgg16-small': 16, 'vgg19-small': 19 } as const,
    (depth, shape, random) => {
      return new SmallVGG(depth, random, scaledBy(shape));
    },
  ),
  'googlenet-small': { make: (shape, random) => new SmallGoogLeNet(random, scaledBy(shape)) },
  ...named({ resnet18: 18, resnet34: 34, resnet50: 50 } as const, (depth, shape, random) => {
    return new ResNet(depth, random, scaledBy(shape));
  }),
  ...named<MobileNetV1Options>(
    { 'mobilenet-v1': {}, ...smallMobileNets },
    (options, shape, random) => new MobileNetV1(random, { ...options, ...scaledBy(shape) }),
  ),
  ...named<MobileNetV2Options>(
    { 'mobilenet-v2': {}, ...mobileNetsV2 },
    (options, shape, random) => new MobileNetV2(random, { ...options, ...scaledBy(shape) }),
  ),
  ...named<EfficientNetOptions>(
    smallEfficientNets,
    (options, shape, random) => new EfficientNet('b0', random, { ...options, ...scaledBy(shape) }),
  ),
  ...named({ 'efficientnet-b0': 'b0', 'efficientnet-b1': 'b1' } as const, (variant, shape, random) => {
    return new EfficientNet(variant, random, scaledBy(shape));
  }),
  ...named(pfResNets, (operator, shape, random) => new ResNet(50, random, { ...scaledBy(shape), operator })),
  ...named<VisionTransformerOptions>(
    { ...visionTransformers, ...pfTransformers },
    ({ features = 192, heads = 3, ...options }, { channels, classes, height, multiplier }, random) =>
      new VisionTransformer(random, {
        ...{ ...options, channels, classes, heads, imageSize: height },
        features: heads * roundChannels((multiplier * features) / heads),
      }),
    ({ patchSize = 16 }) => squaresOf(patchSize),
  ),
  ...named<PoolingTransformerOptions>(
    pits,
    ({ headFeatures, ...options }, { channels, classes, height, multiplier }, random) =>
      new PoolingTransformer(
        { ...options, channels, classes, imageSize: height, headFeatures: roundChannels(multiplier * headFeatures) },
        random,
      ),
    ({ patch: [side] }) => ({
      fits: (height, width) => height === width && height >= side,
      text: `square, of at least ${side} pixels a side`,
    }),
  ),
  ...Object.fromEntries(Object.entries(pfNanos).map(([name, usual]) => [name, pfNano(usual)])),
  'vit-softhgnn': softTransformer({}),
  'vit-softhgnn-ses': softTransformer({ hyperedges: 16, selection: { dynamic: 32, k: 16 } }),
  ...named<VanillaNetOptions>(
    vanillaNets,
    (options, { channels, classes, multiplier }, random) =>
      new VanillaNet({ ...options, channels, classes, dims: scaledDims(options.dims, multiplier) }, random),
    vanillaNetSizes,
  ),
  ...named<SimpleNetOptions>(
    simpleNets,
    (options, { channels, classes, multiplier }, random) =>
      new SimpleNet({ ...options, channels, classes, width: (options.width ?? 1) * multiplier }, random),
    (options) => atLeast(leastSize(options)),
  ),
  ...Object.fromEntries(Object.entries(terminators).map(([name, preset]) => [name, terminator(preset)])),
  ...Object.fromEntries(
    [...Object.keys(phResNets), ...Object.keys(phVGGs)].map((name): [string, Architecture] => [
      name,
      { make: (shape, random) => phNetwork(name, shape, random), settings: domainSettings },
    ]),
  ),
  ...named<LSNetOptions>(
    lsNets,
    (options, { channels, classes, height, multiplier }, random) =>
      new LSNet(
        {
          ...{ ...options, channels, classes, dims: scaledDims(options.dims, multiplier) },
          attentionSize: lastMap(height, options),
        },
        random,
      ),
    (options) => ({
      fits: (height, width) => lastMap(height, options) === lastMap(width, options),
      text: 'square, since its position biases are for one last map',
    }),
  ),
  ...elasticArchitectures(atLeast),
  ...binaryArchitectures(atLeast),
  ...Object.fromEntries(Object.entries(emov2s).map(([name, options]) => [name, emov2(options)])),
  ...cellNetworks,
};

function terminator(preset: TerminatorPreset): Architecture {
  return {
    make({ channels, classes, height, multiplier, settings: { frequency } }, random) {
      if (multiplier !== 1) throw new RangeError(`terminators have no width multiplier, got ${multiplier}`);
      const own = { ...preset, channels, classes, size: height };
      return new Terminator(frequency === undefined ? own : { ...own, frequency }, random);
    },
    sizes: {
      fits: (height, width) => height === width && height <= TERMINATOR_MOST,
      text: `square, of at most ${TERMINATOR_MOST} pixels a side`,
    },
    settings: { frequency: 'ω₀, the factor of the frequencies of slow networks (10 unless given)' },
  };
}

/** A nano network of one operator, or of another in each block that its hyperparameters name. */
function pfNano(usual: BlockOperator): Architecture {
  return {
    make({ channels, classes, multiplier, settings }, random) {
      const widths = [8, 16, 32].map((width) => roundChannels(multiplier * width)) as [number, number, number];
      return new PfNano(random, { channels, classes, widths, operator: operatorsOf(settings, usual) });
    },
    sizes: atLeast(2),
    settings: operatorSettings,
  };
}

function scaledDims(dims: readonly number[], multiplier: number): number[] {
  return dims.map((count) => roundChannels(multiplier * count));
}

/** Names accepted by `imageModel`. */
export const imageModelNames: readonly string[] = Object.keys(architectures);

/** The error for an unknown name: the known ones, those that are most like it last. */
export function unknownImageModel(name: string): string {
  const closest = closestNames(name, imageModelNames);
  const like = closest.length > 0 ? `; closest: ${closest.join(', ')}` : '';
  return `model "${name}" is not known; there are ${imageModelNames.join(', ')}${like}`;
}

/** @throws Error for an unknown name, listing the known ones */
function architectureOf(name: string): Architecture {
  const found = Object.hasOwn(architectures, name) ? architectures[name] : undefined;
  if (!found) throw new Error(unknownImageModel(name));
  return found;
}

/**
 * Checks that a network takes images of a size, in pixels.
 *
 * @throws Error for an unknown name, RangeError for a size that does not fit, naming those that do
 */
export function requireImageSize(name: string, height: number, width: number): void {
  const { sizes } = architectureOf(name);
  if (sizes && !sizes.fits(height, width))
    throw new RangeError(`model "${name}" takes images that are ${sizes.text}; these are ${height}×${width}`);
}

/**
 * What to know of a network for images of a size that it takes; undefined where there is nothing.
 *
 * @throws Error for an unknown name
 */
export function imageModelNote(name: string, height: number, width: number): string | undefined {
  return architectureOf(name).note?.(height, width);
}

/**
 * Names of the hyperparameters that a network takes as `settings`, each with what it is.
 *
 * @throws Error for an unknown name
 */
export function imageModelSettings(name: string): Readonly<Record<string, string>> {
  return architectureOf(name).settings ?? {};
}

/**
 * Creates an image classifier with random weights: [n, channels, height, width] → logits
 * [n, classes].
 *
 * @throws Error for an unknown name or setting, listing the known ones; RangeError for a size that
 * does not fit, naming those that do, or a setting out of range
 */
export function imageModel(name: string, shape: ImageShape, random: Random): Layer {
  const { channels, classes, size: height, imageWidth: width = height, width: multiplier = 1, settings = {} } = shape;
  const { genotype } = shape;
  requireImageSize(name, height, width);
  const known = Object.keys(imageModelSettings(name));
  const unknown = Object.keys(settings).find((own) => !known.includes(own));
  if (unknown !== undefined)
    throw new Error(
      `model "${name}" has no setting "${unknown}"; it has ${known.length > 0 ? known.join(', ') : 'none'}`,
    );
  return architectureOf(name).make({ channels, classes, height, width, multiplier, settings, genotype }, random);
}
