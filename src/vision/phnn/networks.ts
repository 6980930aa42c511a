// Classifiers of images with hypercomplex convolutions in place of all real ones: ResNets with a
// 3×3 stem, and VGGs whose hidden linear layers are hypercomplex, too.

import { convNorm } from '../../models/index.js';
import {
  BasicBlock,
  Bottleneck,
  type ConvolutionMaker,
  projectionBy,
  type ResidualBlock,
  residualGroup,
} from '../../models/resnet.js';
import {
  Activation,
  BatchNorm2d,
  Conv2d,
  Dropout,
  type Layer,
  Linear,
  type Mode,
  PHLinear,
  runSequence,
  type Sequence,
} from '../../nn/index.js';
import { globalAveragePool, maxPool2d, type Random, type Tensor } from '../../tensor/index.js';
import { convolutionIn, type DomainOptions, stemChannels, withFrontChannels } from './convolution.js';

/** What all networks are told. */
interface NetworkOptions extends DomainOptions {
  /** Channels of the images. Default: 3. */
  readonly channels?: number;
  /** Number of classes. Default: 10. */
  readonly classes?: number;
}

/** Configuration of `PHResNet`. */
export interface PHResNetOptions extends NetworkOptions {
  /** Blocks of each group; groups after the first halve the sides of the maps. */
  readonly blocks: readonly number[];
  /** Channels of each group, multiples of n; bottlenecks put out four times as many. */
  readonly widths: readonly number[];
  /** Two 3×3 convolutions, or 1×1, 3×3 and 1×1. Default: `basic`. */
  readonly block?: 'basic' | 'bottleneck';
  /** Makes the convolutions, in place of the domain's. */
  readonly conv?: ConvolutionMaker;
}

/**
 * ResNet for small images: images [n, channels, h, w] → logits [n, classes]. Stem, blocks and the
 * 1×1 convolutions of shortcuts are hypercomplex, the classifier is real. Channels of zeros go in
 * front of images whose channels n does not divide; the stem of grey ones is real.
 */
export class PHResNet {
  /** 3×3 convolution of stride 1. */
  readonly stem: Conv2d;
  /** Norm of the stem. */
  readonly norm: BatchNorm2d;
  /** Groups of residual blocks. */
  readonly groups: readonly (readonly ResidualBlock[])[];
  /** Real linear layer over the mean of each map. */
  readonly classifier: Linear;

  /** @throws RangeError when n does not divide a width, naming the nearest that it does */
  constructor(
    readonly options: PHResNetOptions,
    random: Random,
  ) {
    const { blocks, widths, block = 'basic', channels = 3, classes = 10, n = 3 } = options;
    const conv = options.conv ?? convolutionIn(options);
    const kind = block === 'basic' ? BasicBlock : Bottleneck;
    const [first = 0] = widths;
    const inputs = stemChannels(channels, n);
    this.stem = stemBy(conv, inputs, first, random);
    this.norm = new BatchNorm2d(first);
    let last = first;
    this.groups = widths.map((width, i) => {
      const own = random.split(`group ${i}`);
      const group = residualGroup(kind, last, width, blocks[i] ?? 1, i > 0 ? 2 : 1, projectionBy(conv), own, { conv });
      last = width * kind.expansion;
      return group;
    });
    this.classifier = new Linear(last, classes, random.split('classifier'));
  }

  /** Images [n, channels, h, w] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    const y = this.norm.forward(this.stem.forward(withFrontChannels(x, this.stem.inChannels)), mode).relu();
    return this.classifier.forward(globalAveragePool(runSequence(this.groups, y, mode)));
  }
}

/** The first convolution, which is real for grey pictures. */
function stemBy(conv: ConvolutionMaker, inputs: number, outputs: number, random: Random): Conv2d {
  const own = random.split('stem');
  if (inputs > 1) return conv(inputs, outputs, 3, own, { padding: 1 });
  return new Conv2d(inputs, outputs, 3, own, { padding: 1, bias: false });
}

/** Configuration of `PHVGG`. */
export interface PHVGGOptions extends NetworkOptions {
  /** Convolutions of each group, of which each ends in a max pooling. */
  readonly layers: readonly number[];
  /** Channels of each group, multiples of n. */
  readonly widths: readonly number[];
  /** Width of the two hidden linear layers, a multiple of n. */
  readonly hidden: number;
  /** Probability of dropping a feature before each of them. Default: 0.5. */
  readonly dropout?: number;
}

/** Max pooling that leaves maps of one pixel as they are. */
const pool: Layer = { forward: (x) => (Math.min(...x.shape.slice(2)) < 2 ? x : maxPool2d(x, 2)) };

/**
 * VGG with batch norm: images [n, channels, h, w] → logits [n, classes]. Convolutions have biases,
 * as the authors', and the two hidden linear layers behind them are hypercomplex. Maps of more than
 * a pixel are averaged before.
 */
export class PHVGG {
  /** Convolutions with batch norm and ReLU, and poolings. */
  readonly features: Sequence;
  /** The two hidden linear layers, with ReLU, each behind a dropout. */
  readonly hidden: readonly (Linear | PHLinear)[];
  /** Real linear layer to the classes. */
  readonly classifier: Linear;
  readonly #inputs: number;
  readonly #dropout: Dropout;

  /** @throws RangeError when n does not divide a width, naming the nearest that it does */
  constructor(
    readonly options: PHVGGOptions,
    random: Random,
  ) {
    const { layers, widths, hidden, dropout = 0.5, channels = 3, classes = 10 } = options;
    const { n = 3, algebra = 'learned', init = 'xavier' } = options;
    const conv = convolutionIn(options);
    let last = stemChannels(channels, n);
    this.#inputs = last;
    this.#dropout = new Dropout(dropout);
    this.features = widths.map((width, group) => {
      const convs = Array.from({ length: layers[group] ?? 1 }, (_, i) => {
        const made = normed(conv, last, width, random.split(`${group}.${i}`));
        last = width;
        return made;
      });
      return [...convs, pool];
    });
    this.hidden = [last, hidden].map((inputs, at) => {
      const own = random.split(`hidden ${at}`);
      return n === 1 ? new Linear(inputs, hidden, own) : new PHLinear(inputs, hidden, n, own, { algebra, init });
    });
    this.classifier = new Linear(hidden, classes, random.split('classifier'));
  }

  /** Images [n, channels, h, w] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    const maps = runSequence(this.features, withFrontChannels(x, this.#inputs), mode);
    const features = this.hidden.reduce(
      (y, layer) => layer.forward(this.#dropout.forward(y, mode), 'relu'),
      globalAveragePool(maps),
    );
    return this.classifier.forward(features);
  }
}

/** A 3×3 convolution with bias, its norm and ReLU; real for grey pictures. */
function normed(conv: ConvolutionMaker, inputs: number, outputs: number, random: Random): Sequence {
  if (inputs === 1) return convNorm(1, outputs, 3, random, { bias: true });
  const made = conv(inputs, outputs, 3, random, { padding: 1, bias: true });
  return [made, new BatchNorm2d(outputs), new Activation('relu')];
}

const LARGE = [60, 120, 240, 516];
const SMALL = [24, 48, 96];
const small = (blocks: number): PHResNetOptions => ({ blocks: [blocks, blocks, blocks], widths: SMALL });

/**
 * ResNets by name: those of the paper with its "large" widths, which 2, 3 and 4 divide, and small
 * ones of three groups, whose widths of 24, 48 and 96 are ours. Parameters with ten classes, real
 * and for n = 2, 3, 4: 18 layers 10,877,062, 5,446,226, 3,635,914, 2,731,578; 50 layers 22,538,086,
 * 11,305,754, 7,562,149, 5,692,074; 152 layers 52,985,446, 26,576,330, 17,775,463, 13,379,562. The
 * authors' accuracies are not quoted, as their tables could not be had.
 */
export const phResNets: Readonly<Record<string, PHResNetOptions>> = {
  'phc-resnet8': small(1),
  'phc-resnet20': small(3),
  'phc-resnet56': small(9),
  'phc-resnet110': small(18),
  'phc-resnet18': { blocks: [2, 2, 2, 2], widths: LARGE },
  'phc-resnet50': { blocks: [3, 4, 6, 3], widths: LARGE, block: 'bottleneck' },
  'phc-resnet152': { blocks: [3, 8, 36, 3], widths: LARGE, block: 'bottleneck' },
};

/**
 * VGGs of the paper by name, with batch norm. Parameters with ten classes, real and for n = 2, 3,
 * 4: 19 layers 29,806,930, 14,916,178, 9,952,744, 7,471,630.
 */
export const phVGGs: Readonly<Record<string, PHVGGOptions>> = {
  'phc-vgg16': { layers: [2, 2, 3, 3, 3], widths: [24, 72, 216, 648, 648], hidden: 516 },
  'phc-vgg19': { layers: [2, 2, 4, 4, 4], widths: [24, 72, 216, 648, 648], hidden: 516 },
};

/** What networks are told by settings, see `phNetwork`. */
export const domainSettings = {
  n: 'size of the domain, which has about 1/n of the parameters; 1: real; by default 3',
  preset: '1 fixes the algebra to that of complex numbers (n = 2) or quaternions (n = 4); by default it is learnt',
} as const;

/** Images, classes and settings of a network. */
export interface PHNetworkShape {
  /** Channels of the images. */
  readonly channels: number;
  /** Number of classes. */
  readonly classes: number;
  /** Factor of all widths, which stay multiples of n. */
  readonly multiplier: number;
  /** See `domainSettings`. */
  readonly settings: Readonly<Record<string, number>>;
}

/**
 * A network by its name in `phResNets` or `phVGGs`.
 *
 * @throws Error for another name; RangeError when n does not divide its widths
 */
export function phNetwork(name: string, shape: PHNetworkShape, random: Random): PHResNet | PHVGG {
  const { channels, classes, multiplier, settings } = shape;
  const { n = 3, preset = 0 } = settings;
  const [resNet, vgg] = [phResNets[name], phVGGs[name]];
  const found = resNet ?? vgg;
  if (!found) throw new Error(`phNetwork: "${name}" is not known`);
  const scaled = (width: number) => (multiplier === 1 ? width : Math.max(n, n * Math.round((multiplier * width) / n)));
  const own = {
    widths: found.widths.map(scaled),
    channels,
    classes,
    n,
    algebra: preset > 0 ? 'preset' : 'learned',
  } as const;
  return resNet ? new PHResNet({ ...resNet, ...own }, random) : new PHVGG({ ...(vgg as PHVGGOptions), ...own }, random);
}
