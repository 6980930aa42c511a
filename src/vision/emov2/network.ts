// The network: a stem, four stages of blocks that each halve the map, and a linear classifier.

import {
  type ActivationName,
  Conv2d,
  LayerNorm2d,
  Linear,
  type MapSize,
  type Mergeable,
  type Mode,
  replaceWeights,
  stateOf,
  truncatedNormal,
  type Weights,
  type WindowPattern,
  windowPadding,
} from '../../nn/index.js';
import { globalAveragePool, Random, scope, silu, type Tensor, zeros } from '../../tensor/index.js';
import { ConvNorm } from '../blocks/conv-norm.js';
import { EMOv2Block, type EMOv2Form, EPSILON, prefixed } from './block.js';

/** Configuration of `EMOv2`; lists have an entry for each stage. */
export interface EMOv2Options extends EMOv2Form {
  /** Channels. The stem has half of the first. */
  readonly dims: readonly number[];
  /** Number of blocks. */
  readonly depths: readonly number[];
  /** Hidden channels over channels, twice that in the first block of a stage. */
  readonly expansions: readonly number[];
  /** Channels of a head's queries and keys; read where there is attention. */
  readonly headChannels: readonly number[];
  /**
   * Patterns of attention, none for 1×1 convolutions. First blocks never have attention. Default:
   * none, none, then `remote` and `close`.
   */
  readonly attention?: readonly (readonly WindowPattern[])[];
  /** Kernels of the depthwise convolutions. Default: 5. */
  readonly kernels?: readonly number[];
  /** Norms of the blocks' inputs. Default: `batch`, `batch`, then `layer`. */
  readonly norms?: readonly ('batch' | 'layer')[];
  /** Activations of the expansions. Default: `silu`, `silu`, then `gelu`. */
  readonly activations?: readonly ActivationName[];
  /** Strides of the first blocks. Default: 2. */
  readonly strides?: readonly number[];
  /** Stride of the stem. Default: 2. */
  readonly stem?: number;
  /** Side of the windows of attention; 0 for whole maps. Default: 7. */
  readonly window?: number;
  /** Initial γ of the blocks; 0 leaves it out. Default: 1e-6. */
  readonly layerScale?: number;
  /** Stochastic depth of the last block; it rises linearly over all blocks. Default: 0. */
  readonly dropPath?: number;
  /** Channels of the images. Default: 3. */
  readonly channels?: number;
  /** Number of classes. Default: 1000. */
  readonly classes?: number;
}

const HYBRID = ['remote', 'close'] as const;

/**
 * The setting of a stage: that of a list, or one for the first two stages and one for the others.
 */
function ofStage<Value>(list: readonly Value[] | undefined, stage: number, early: Value, late: Value): Value {
  return list?.[stage] ?? (stage < 2 ? early : late);
}

const patternsOf = ({ attention }: EMOv2Options, stage: number): readonly WindowPattern[] =>
  ofStage<readonly WindowPattern[]>(attention, stage, [], HYBRID);

const strideOf = ({ strides }: EMOv2Options, stage: number): number => ofStage(strides, stage, 2, 2);

/** Pixels of an image for each pixel of the last map, one way. */
export function strideOfAll(options: EMOv2Options): number {
  return options.dims.reduce((all, _, stage) => all * strideOf(options, stage), options.stem ?? 2);
}

/**
 * EMOv2, and by its options EMO: images [n, channels, h, w] → logits [n, classes]. Zhang et al.,
 * "EMOv2: Pushing 5M Vision Model Frontier", 2024.
 */
export class EMOv2 implements Mergeable {
  /** 3×3 convolution with the stride, depthwise 3×3, both with batch norm and SiLU, and 1×1. */
  readonly stem: readonly [ConvNorm, ConvNorm, Conv2d];
  /** Blocks of each stage. */
  readonly stages: readonly (readonly EMOv2Block[])[];
  /** Of the last map. */
  readonly norm: LayerNorm2d;
  /** Linear layer over the mean of the last map. */
  readonly head: Linear;

  /**
   * @throws Error for lists of unequal lengths; RangeError when heads do not divide the channels,
   * naming both numbers
   */
  constructor(
    readonly options: EMOv2Options,
    random: Random,
  ) {
    const { dims, depths, expansions, channels = 3, classes = 1000, dropPath = 0, form = 'training' } = options;
    for (const name of ['depths', 'expansions', 'headChannels'] as const)
      if (options[name].length !== dims.length)
        throw new Error(`EMOv2: ${dims.length} dims need as many ${name}, got ${options[name].length}`);
    const [first = 0] = dims;
    if (first % 2 !== 0) throw new RangeError(`EMOv2: the stem has half of the ${first} channels of the first stage`);
    const stem = first / 2;
    const norm = form === 'merged' ? 'none' : 'batch';
    this.stem = [
      new ConvNorm(channels, stem, random, {
        ...{ kernel: 3, stride: options.stem ?? 2, padding: 1, bias: true, epsilon: EPSILON, norm },
      }),
      new ConvNorm(stem, stem, random, { kernel: 3, groups: stem, epsilon: EPSILON, norm }),
      new Conv2d(stem, stem, 1, random, { bias: false }),
    ];
    const blocks = depths.reduce((a, b) => a + b, 0);
    let at = 0;
    this.stages = dims.map((own, stage) =>
      Array.from({ length: depths[stage] as number }, (_, index) => {
        const drop = blocks > 1 ? (dropPath * at++) / (blocks - 1) : 0;
        const before = stage === 0 ? stem : (dims[stage - 1] as number);
        const block = {
          ...this.#blockOptions(stage, index),
          expansion: (expansions[stage] as number) * (index === 0 ? 2 : 1),
          outChannels: own,
          dropPath: drop,
        };
        return new EMOv2Block(index === 0 ? before : own, block, random);
      }),
    );
    const last = dims.at(-1) as number;
    this.norm = new LayerNorm2d(last, { epsilon: EPSILON });
    this.head = new Linear(last, classes, random);
    this.head.weight.assign(truncatedNormal(random, [classes, last], 0.02));
    this.head.bias?.assign(zeros([classes]));
  }

  /** What blocks of a stage share; the first one has the stride, and no attention or shortcut. */
  #blockOptions(stage: number, index: number) {
    const { options } = this;
    const { headChannels, window = 7, layerScale, form } = options;
    const patterns = patternsOf(options, stage);
    return {
      kernel: ofStage(options.kernels, stage, 5, 5),
      norm: ofStage<'batch' | 'layer'>(options.norms, stage, 'batch', 'layer'),
      activation: ofStage<ActivationName>(options.activations, stage, 'silu', 'gelu'),
      ...(layerScale !== undefined && { layerScale }),
      ...(form && { form }),
      ...(index === 0
        ? { stride: strideOf(options, stage), residual: false }
        : patterns.length > 0 && {
            attention: { patterns, window, headChannels: headChannels[stage] as number },
          }),
    };
  }

  /**
   * The map after each stage, the finest first: of the published networks at strides 4, 8, 16 and
   * 32.
   *
   * @throws RangeError for images smaller than the stride of the network
   */
  maps(x: Tensor, mode: Mode): Tensor[] {
    const [height, width] = x.shape.slice(2) as [number, number];
    const least = strideOfAll(this.options);
    if (Math.min(height, width) < least)
      throw new RangeError(
        `EMOv2: images of ${height}×${width} are smaller than the network's stride of ${least} pixels`,
      );
    const [first, local, pointwise] = this.stem;
    let y = pointwise.forward(silu(local.forward(silu(first.forward(x, mode)), mode)));
    return this.stages.map((blocks) => {
      for (const block of blocks) y = block.forward(y, mode);
      return y;
    });
  }

  /** Images → the mean of the normed last map, which the classifier reads: [n, channels]. */
  embed(x: Tensor, mode: Mode): Tensor {
    return globalAveragePool(this.norm.forward(this.maps(x, mode).at(-1) as Tensor));
  }

  /** Images [n, channels, h, w] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    return this.head.forward(this.embed(x, mode));
  }

  /**
   * The inference form, the same function: batch norms and γ folded into convolutions. Layer norms
   * stay, and with them the zeros that pad their results for attention.
   */
  merged(): EMOv2 {
    if (this.options.form === 'merged') return this;
    const target = new EMOv2({ ...this.options, form: 'merged' }, new Random(0));
    scope(() => {
      const folded = this.#mergedWeights();
      const own = stateOf(this);
      const names = Object.keys(stateOf(target));
      replaceWeights(target, Object.fromEntries(names.map((name) => [name, (folded[name] ?? own[name]) as Tensor])));
    });
    return target;
  }

  #mergedWeights(): Weights {
    const [first, local] = this.stem;
    const stem = [first, local].map((layer) => {
      const { weight, bias } = layer.folded();
      return { 'conv.weight': weight, 'conv.bias': bias as Tensor };
    });
    return {
      ...prefixed({ 'stem.0': stem[0] as Weights, 'stem.1': stem[1] as Weights }),
      ...Object.assign(
        {},
        ...this.stages.flatMap((blocks, stage) =>
          blocks.map((block, at) => prefixed({ [`stages.${stage}.${at}`]: block.mergedWeights() })),
        ),
      ),
    };
  }
}

/** Sides of the maps that attention reads, for images of a size. */
function attendedMaps(options: EMOv2Options, size: MapSize): MapSize[] {
  const halved = ([height, width]: MapSize, stride: number): MapSize => [
    Math.ceil(height / stride),
    Math.ceil(width / stride),
  ];
  let map = halved(size, options.stem ?? 2);
  return options.dims.flatMap((_, stage) => {
    map = halved(map, strideOf(options, stage));
    return patternsOf(options, stage).length > 0 && (options.depths[stage] as number) > 1 ? [map] : [];
  });
}

/** Whether windows of a side divide every map that attention reads. */
export function windowsFit(options: EMOv2Options, size: MapSize, side: number): boolean {
  return attendedMaps(options, size).every((map) => windowPadding(map, [side, side]).every((rest) => rest === 0));
}

/** Sides that are tried where the network's own window does not divide its maps. */
const SIDES = [7, 8, 6, 5, 4, 3, 2];

/**
 * The side of windows for images of a size: the network's own, else one from 8 down to 2 that
 * divides every map that attention reads, else its own, with padded pixels in the windows.
 */
export function windowFor(options: EMOv2Options, size: MapSize): number {
  const { window = 7 } = options;
  return [window, ...SIDES].find((side) => side > 0 && windowsFit(options, size, side)) ?? window;
}
