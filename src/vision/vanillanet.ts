// VanillaNet: a classifier of five to thirteen layers, without shortcuts, attention or branches
// (Chen, Wang, Guo, Tao: VanillaNet: the Power of Minimalism in Deep Learning, 2023).
//
// Two techniques make so few layers expressive. Deep training: each layer is two convolutions with
// A′(x) = (1 − λ)·A(x) + λ·x between them; λ rises from 0 to 1 during training, until the pair is
// linear and can be merged into one convolution. Series activation: A_s(x)[h, w, c] = Σᵢⱼ
// aᵢⱼ꜀·A(x[h + i, w + j, c] + b꜀) over a window of 2n + 1 pixels, a sum of shifted activations.

import { BatchNorm2d, buffer, Dropout, type FollowsSteps, type Mergeable, type Mode, parameter } from '../nn/index.js';
import {
  adaptiveMaxPool2d,
  add,
  conv2d,
  globalAveragePool,
  leakyRelu,
  matmul,
  maxPool2d,
  multiply,
  Random,
  relu,
  reshape,
  scope,
  type Tensor,
  zeros,
} from '../tensor/index.js';
import { affineOf, ConvNorm, type ConvNormShape } from './blocks/conv-norm.js';

/** Configuration of `VanillaNet`. */
export interface VanillaNetOptions {
  /** Channels after the stem, then after each stage; one more than `strides`. */
  readonly dims: readonly number[];
  /** Stride of the max pooling of each stage; 1 does not pool. */
  readonly strides: readonly number[];
  /** Channels of the images. Default: 3. */
  readonly channels?: number;
  /** Number of classes. Default: 1000. */
  readonly classes?: number;
  /**
   * n: the series activation has a window of 2n + 1 pixels each way; 0 is a plain ReLU. Default: 3.
   */
  readonly series?: number;
  /** Kernel size, stride and padding of the first convolution. Default: 4, 4, 0. */
  readonly stem?: { readonly kernel: number; readonly stride: number; readonly padding: number };
  /**
   * For each stage, the height and width of its adaptive max pooling, which replaces the strided
   * pooling.
   */
  readonly poolTo?: readonly (number | undefined)[];
  /** Dropout probability before the classifier. Default: 0. */
  readonly dropout?: number;
  /**
   * `deep`: two convolutions in each layer, for training. `shallow`: one, with batch norm.
   * `merged`: one without, for inference. Default: `deep`.
   */
  readonly form?: 'deep' | 'shallow' | 'merged';
  /** How λ rises during training. Default: linearly, over a third of the steps. */
  readonly fading?: Fading;
}

/** How λ rises from 0 to 1. */
export interface Fading {
  /** Share of the steps after which λ is 1. Default: 1/3; the paper: 100 of 300 epochs. */
  readonly share?: number;
  /** `linear`: x; `cosine`: ½(1 − cos πx). Default: `linear`. */
  readonly shape?: 'linear' | 'cosine';
  /** Steps for which λ stays the same, such as those of an epoch. Default: 1. */
  readonly hold?: number;
}

/** ε of the batch norms. */
const EPSILON = 1e-6;
/** Standard deviation of the initial weights. */
const DEVIATION = 0.02;

type FormOptions = Pick<VanillaNetOptions, 'form'>;

/** A convolution with the paper's initialisation: weights from N(0, 0.02²), biases 0. */
function conv(inChannels: number, outChannels: number, random: Random, shape: ConvNormShape): ConvNorm {
  const layer = new ConvNorm(inChannels, outChannels, random, { bias: true, epsilon: EPSILON, ...shape });
  const { weight, bias } = layer.conv;
  scope(() => weight.assign(random.normal(weight.shape, 0, DEVIATION)));
  bias?.assign(zeros(bias.shape));
  return layer;
}

/**
 * Σ aᵢⱼ꜀·ReLU(x[h + i, w + j, c]): a depthwise convolution of the rectified input, followed by
 * batch norm or, in the merged form, with a bias. `reach` n = 0 is a plain ReLU.
 */
class SeriesActivation {
  weight: Tensor | undefined;
  bias: Tensor | undefined;
  readonly norm: BatchNorm2d | undefined;

  constructor(
    channels: number,
    readonly reach: number,
    random: Random,
    { form = 'deep' }: FormOptions = {},
  ) {
    if (reach === 0) return;
    const width = 2 * reach + 1;
    this.weight = parameter(random.normal([channels, 1, width, width], 0, DEVIATION));
    if (form === 'merged') this.bias = parameter(zeros([channels]));
    else this.norm = new BatchNorm2d(channels, { epsilon: EPSILON });
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const active = relu(x);
    if (!this.weight) return active;
    const y = conv2d(active, this.weight, this.bias, { padding: this.reach, groups: this.weight.shape[0] as number });
    return this.norm?.forward(y, mode) ?? y;
  }

  mergeInto(target: SeriesActivation): void {
    if (!this.weight) return;
    const { scale, shift } = affineOf(this.norm as BatchNorm2d);
    target.weight?.assign(multiply(this.weight, reshape(scale, [-1, 1, 1, 1])));
    target.bias?.assign(shift);
  }
}

/**
 * One layer of the merged network: one 1×1 or stem convolution, or in the deep form two, with the
 * fading activation between them. The last layer of the network has no norm at its end.
 */
class MergingConv {
  readonly first: ConvNorm;
  readonly second: ConvNorm | undefined;

  constructor(
    [inChannels, middle, outChannels]: readonly [number, number, number],
    random: Random,
    { form = 'deep', last = false, ...shape }: FormOptions & { last?: boolean } & ConvNormShape = {},
  ) {
    const ending = last || form === 'merged' ? 'none' : 'batch';
    if (form === 'deep') {
      this.first = conv(inChannels, middle, random, shape);
      this.second = conv(middle, outChannels, random, { norm: ending });
    } else this.first = conv(inChannels, outChannels, random, { ...shape, norm: ending });
  }

  forward(x: Tensor, slope: number, mode: Mode): Tensor {
    const y = this.first.forward(x, mode);
    return this.second?.forward(slope === 1 ? y : leakyRelu(y, slope), mode) ?? y;
  }

  /** Merges both convolutions, norms folded in: W = W₂·W₁ and b = W₂·b₁ + b₂. */
  mergeInto(target: MergingConv): void {
    if (!this.second) {
      this.first.mergeInto(target.first);
      return;
    }
    const [inner, outer] = [this.first.folded(), this.second.folded()];
    const rows = reshape(outer.weight, [outer.weight.shape[0] as number, -1]);
    const { weight, bias } = target.first.conv;
    weight.assign(matmul(rows, reshape(inner.weight, [inner.weight.shape[0] as number, -1])));
    const innerBias = matmul(rows, reshape(inner.bias as Tensor, [-1, 1]));
    bias?.assign(add(reshape(innerBias, [-1]), outer.bias as Tensor));
  }
}

/** [n, in, h, w] → layer, max pooling, series activation → [n, out, h/stride, w/stride]. */
class Stage {
  readonly conv: MergingConv;
  readonly activation: SeriesActivation;

  constructor(
    inChannels: number,
    outChannels: number,
    readonly stride: number,
    readonly poolTo: number | undefined,
    reach: number,
    random: Random,
    options: FormOptions = {},
  ) {
    this.conv = new MergingConv([inChannels, inChannels, outChannels], random, options);
    this.activation = new SeriesActivation(outChannels, reach, random, options);
  }

  forward(x: Tensor, slope: number, mode: Mode): Tensor {
    return this.activation.forward(this.#pool(this.conv.forward(x, slope, mode)), mode);
  }

  #pool(x: Tensor): Tensor {
    if (this.poolTo !== undefined) return adaptiveMaxPool2d(x, this.poolTo);
    return this.stride === 1 ? x : maxPool2d(x, this.stride);
  }
}

/**
 * VanillaNet: images [n, channels, h, w] → logits [n, classes]. Chen et al., "VanillaNet: the Power
 * of Minimalism in Deep Learning", 2023.
 */
export class VanillaNet implements Mergeable, FollowsSteps {
  /** Patch convolution: [n, channels, h, w] → [n, dims₀, h/4, w/4] with the default stem. */
  readonly stem: MergingConv;
  /** Series activation of the stem. */
  readonly stemActivation: SeriesActivation;
  /** Convolution, pooling and series activation of each stage. */
  readonly stages: readonly Stage[];
  /** Dropout of the pooled features. */
  readonly dropout: Dropout;
  /** Classifier over pooled features, as 1×1 convolutions. */
  readonly head: MergingConv;
  /** λ as a buffer [1], so that checkpoints include it; only in the deep form. */
  readonly slope: Tensor | undefined;

  constructor(
    readonly options: VanillaNetOptions,
    random: Random,
  ) {
    const { dims, strides, channels = 3, classes = 1000, series = 3, form = 'deep', dropout = 0 } = options;
    const { kernel, ...placing } = options.stem ?? { kernel: 4, stride: 4, padding: 0 };
    if (dims.length !== strides.length + 1)
      throw new Error(`VanillaNet: ${strides.length} strides need ${strides.length + 1} dims, got ${dims.length}`);
    const width = (at: number) => dims[at] as number;
    this.stem = new MergingConv([channels, width(0), width(0)], random, { form, kernel, ...placing });
    this.stemActivation = new SeriesActivation(width(0), series, random, { form });
    this.stages = strides.map(
      (stride, i) => new Stage(width(i), width(i + 1), stride, options.poolTo?.[i], series, random, { form }),
    );
    this.dropout = new Dropout(dropout);
    this.head = new MergingConv([width(strides.length), classes, classes], random, { form, last: true });
    if (form === 'deep') this.slope = buffer(zeros([1]));
  }

  /**
   * λ ∈ [0, 1]: slope of the negative half of the activations between paired convolutions; 1 makes
   * them linear.
   */
  get lambda(): number {
    return this.slope?.item() ?? 1;
  }

  /** @throws RangeError outside [0, 1]; Error in another form than the deep one */
  set lambda(value: number) {
    if (!(value >= 0 && value <= 1)) throw new RangeError(`VanillaNet: λ must be in [0, 1], got ${value}`);
    if (!this.slope) throw new Error('VanillaNet: the deep form alone has a λ');
    this.slope.assign(Float32Array.of(value));
  }

  /** Sets λ to `fadingAt(step, steps)` in the deep form. */
  followStep(step: number, steps: number): void {
    if (this.slope) this.lambda = fadingAt(step, steps, this.options.fading);
  }

  /** Images [n, channels, h, w] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    const slope = this.lambda;
    let y = this.stemActivation.forward(this.stem.forward(x, slope, mode), mode);
    for (const stage of this.stages) y = stage.forward(y, slope, mode);
    const [n, c] = y.shape as [number, number];
    const pooled = this.dropout.forward(reshape(globalAveragePool(y), [n, c, 1, 1]), mode);
    return reshape(this.head.forward(pooled, slope, mode), [n, -1]);
  }

  /**
   * The inference form, the same function: one convolution in each layer and no norms.
   *
   * @throws Error while λ < 1, when the pairs are not yet linear
   */
  merged(): VanillaNet {
    if (this.options.form === 'merged') return this;
    if (this.lambda !== 1)
      throw new Error(
        `VanillaNet: layers can be merged once λ is 1, it is ${this.lambda}; train on, or set lambda = 1`,
      );
    const target = new VanillaNet({ ...this.options, form: 'merged' }, new Random(0));
    scope(() => {
      this.stem.mergeInto(target.stem);
      this.stemActivation.mergeInto(target.stemActivation);
      this.stages.forEach((stage, i) => {
        stage.conv.mergeInto((target.stages[i] as Stage).conv);
        stage.activation.mergeInto((target.stages[i] as Stage).activation);
      });
      this.head.mergeInto(target.head);
    });
    return target;
  }
}

/**
 * λ at a training step: rises from 0 to 1 over the first `share` of the steps, so that the merged
 * weights can be trained for the rest.
 */
export function fadingAt(step: number, steps: number, options: Fading = {}): number {
  const { share = 1 / 3, shape = 'linear', hold = 1 } = options;
  const held = Math.floor(step / hold) * hold;
  const risen = Math.min(1, held / Math.max(1, share * steps));
  return shape === 'linear' ? risen : 0.5 * (1 - Math.cos(Math.PI * risen));
}

/**
 * Layer decay: a factor of the learning rate by parameter, decay^(L + 1 − i), for `rateOf` of
 * `trainOnImages`. The stem has i = 0, stage s (from 0) i = min(s + 1, L), the head i = L + 1. The
 * paper trains VanillaNet-6 with 0.8 over L = 4 and VanillaNet-7 with 0.8 over 5.
 */
export function layerDecay(decay: number, layers: number): (name: string) => number {
  return (name) => {
    const stage = /^stages\.(\d+)\./.exec(name)?.[1];
    const last = layers + 1;
    const at = stage !== undefined ? Math.min(Number(stage) + 1, layers) : name.startsWith('head.') ? last : 0;
    return decay ** (last - at);
  };
}

/** The networks of 7 to 13 layers: `repeats` additional stages of 2048 channels. */
const middle = (repeats: number) => ({
  dims: [512, 512, 1024, 2048, ...new Array<number>(repeats).fill(2048), 4096, 4096],
  strides: [1, 2, 2, ...new Array<number>(repeats).fill(1), 2, 1],
});
const wide = ({ dims, strides }: ReturnType<typeof middle>) => ({ dims: dims.map((d) => 1.5 * d), strides });

/**
 * Presets of the paper, with ImageNet top-1 and latency on an A100: 5 layers 72.49 % and 1.61 ms, 6
 * layers 76.36 % and 2.01 ms, 8 layers 79.13 % and 2.56 ms, 10 layers 80.57 % and 3.24 ms, 13
 * layers 82.05 % and 4.26 ms, `13-1.5x-ada` 83.11 % and 9.72 ms at 384×384; and `vanillanet-nano`
 * for 28×28 images.
 */
export const vanillaNets = {
  'vanillanet-5': { dims: [512, 1024, 2048, 4096], strides: [2, 2, 2] },
  'vanillanet-6': { dims: [512, 1024, 2048, 4096, 4096], strides: [2, 2, 2, 1] },
  'vanillanet-7': middle(0),
  'vanillanet-8': middle(1),
  'vanillanet-9': middle(2),
  'vanillanet-10': middle(3),
  'vanillanet-11': middle(4),
  'vanillanet-12': middle(5),
  'vanillanet-13': middle(6),
  'vanillanet-13-1.5x': wide(middle(6)),
  'vanillanet-13-1.5x-ada': {
    ...wide(middle(6)),
    stem: { kernel: 4, stride: 3, padding: 1 },
    poolTo: [undefined, 38, 19, ...new Array<undefined>(6).fill(undefined), 10, undefined],
  },
  'vanillanet-nano': { dims: [32, 64, 128], strides: [2, 1] },
} as const satisfies Record<string, VanillaNetOptions>;
