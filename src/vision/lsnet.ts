// LSNet: a backbone whose convolution sees large and focuses small (Wang, Chen, Lin, Han, Ding: LSNet: See Large, Focus Small, CVPR 2025).
//
// LS convolution. A large static kernel perceives: ω = GroupNorm(W₄·ReLU(W₃·(D₇ₓ₇ ∗ ReLU(W₁·x)))) gives each pixel 3×3 weights for each of C/8 groups of channels. A small dynamic kernel aggregates with them:
//   y[c, h, w] = Σ_uv ω[c mod C/8, 3u + v, h, w]·x[c, h + u − 1, w + v − 1], then norm, plus x.
// Blocks alternate: re-parametrised depthwise convolution with squeeze-and-excitation, then LS convolution, or in the last stage attention; each followed by a feed-forward layer.

import { SqueezeExcitation } from '../models/index.js';
import {
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  GroupNorm,
  Linear,
  type Mode,
  parameter,
  truncatedNormal,
} from '../nn/index.js';
import {
  add,
  aggregate,
  attention,
  gatherRows,
  globalAveragePool,
  matmul,
  multiply,
  pad,
  permute,
  Random,
  relu,
  reshape,
  rsqrt,
  scope,
  slice,
  subtract,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from '../tensor/index.js';
import { ConvNorm, type ConvNormShape } from './blocks/conv-norm.js';

export interface LSNetOptions {
  /** Channels of the four stages: multiples of 8, the first also of 4. */
  readonly dims: readonly number[];
  /** Blocks of each stage. */
  readonly depths: readonly number[];
  readonly channels?: number;
  readonly classes?: number;
  /** Strides of the three convolutions of the stem. */
  readonly stem?: readonly [number, number, number];
  /** Heads of the last stage's attention. */
  readonly heads?: number;
  /** Height and width of the last stage's map, which its position biases are made for: 4 for images of 224². */
  readonly attentionSize?: number;
  /** `static` puts a plain depthwise 3×3 convolution in the place of LS convolutions, for comparison. */
  readonly mixer?: 'ls' | 'static';
  /** Two classifiers, one to learn from labels and one from a teacher; their mean answers. */
  readonly distilled?: boolean;
  /** `merged`: norms folded into convolutions, for inference. */
  readonly form?: 'training' | 'merged';
}

const GROUP = 8;
const KEY_DEPTH = 16;

type Form = NonNullable<LSNetOptions['form']>;

/** A layer that a network for inference has in another form. */
interface Merging<Self> {
  forward(x: Tensor, mode: Mode): Tensor;
  mergeInto(target: Self): void;
}

function convNorm(inChannels: number, outChannels: number, form: Form, random: Random, shape: ConvNormShape = {}) {
  return new ConvNorm(inChannels, outChannels, random, { ...shape, norm: form === 'merged' ? 'none' : 'batch' });
}

function depthwise(channels: number, kernel: number, form: Form, random: Random, stride = 1): ConvNorm {
  return convNorm(channels, channels, form, random, { kernel, stride, groups: channels });
}

/** Large-kernel perception and small-kernel aggregation. */
export class LSConv implements Merging<LSConv> {
  readonly reduce: ConvNorm;
  readonly perceive: ConvNorm;
  readonly mix: ConvNorm;
  readonly weights: Conv2d;
  readonly weightNorm: GroupNorm;
  readonly norm: BatchNorm2d;

  constructor(
    readonly channels: number,
    random: Random,
    form: Form = 'training',
  ) {
    if (channels % GROUP !== 0) throw new Error(`LSConv: channels must be a multiple of ${GROUP}, got ${channels}`);
    const [half, groups] = [channels / 2, channels / GROUP];
    this.reduce = convNorm(channels, half, form, random);
    this.perceive = depthwise(half, 7, form, random);
    this.mix = convNorm(half, half, form, random);
    this.weights = new Conv2d(half, 9 * groups, 1, random);
    this.weightNorm = new GroupNorm(groups, 9 * groups);
    this.norm = new BatchNorm2d(channels);
  }

  /** ω [n, C/8, 9, h, w]. */
  weightsOf(x: Tensor, mode: Mode): Tensor {
    const seen = this.perceive.forward(relu(this.reduce.forward(x, mode)), mode);
    const weights = this.weightNorm.forward(this.weights.forward(relu(this.mix.forward(seen, mode))));
    const [n, , height, width] = x.shape as [number, number, number, number];
    return reshape(weights, [n, this.channels / GROUP, 9, height, width]);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return add(this.norm.forward(aggregate(x, this.weightsOf(x, mode)), mode), x);
  }

  mergeInto(target: LSConv): void {
    this.reduce.mergeInto(target.reduce);
    this.perceive.mergeInto(target.perceive);
    this.mix.mergeInto(target.mix);
    copy(this.weights, target.weights);
    copy(this.weightNorm, target.weightNorm);
    copy(this.norm, target.norm);
  }
}

/** Copies all weights of a layer into one of the same kind. */
function copy(from: object, to: object): void {
  const target = to as Record<string, Tensor | undefined>;
  for (const key of ['weight', 'bias', 'runningMean', 'runningVariance'])
    if (target[key]) target[key].assign((from as Record<string, Tensor>)[key] as Tensor);
}

/** The mixer to compare with: weights that do not depend on what is seen. */
class StaticMixer implements Merging<StaticMixer> {
  readonly conv: ConvNorm;

  constructor(channels: number, random: Random, form: Form) {
    this.conv = depthwise(channels, 3, form, random);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return add(this.conv.forward(x, mode), x);
  }

  mergeInto(target: StaticMixer): void {
    this.conv.mergeInto(target.conv);
  }
}

/** Depthwise 3×3, depthwise 1×1 and the input, added up (after RepVGG); one depthwise 3×3 for inference. */
class ReparametrizedDepthwise implements Merging<ReparametrizedDepthwise> {
  readonly conv: ConvNorm;
  readonly pointwise: ConvNorm | undefined;

  constructor(channels: number, random: Random, form: Form) {
    this.conv = depthwise(channels, 3, form, random);
    if (form === 'training') this.pointwise = depthwise(channels, 1, form, random);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const y = this.conv.forward(x, mode);
    return this.pointwise ? add(add(y, this.pointwise.forward(x, mode)), x) : y;
  }

  mergeInto(target: ReparametrizedDepthwise): void {
    const [large, small] = [this.conv.folded(), (this.pointwise as ConvNorm).folded()];
    const centre = pad(add(small.weight, 1), [
      [0, 0],
      [0, 0],
      [1, 1],
      [1, 1],
    ]);
    target.conv.conv.weight.assign(add(large.weight, centre));
    target.conv.conv.bias?.assign(add(large.bias as Tensor, small.bias as Tensor));
  }
}

/** Attention over all pixels with a bias for each pair of distances, and a depthwise convolution of the queries. */
class SpatialAttention implements Merging<SpatialAttention> {
  readonly qkv: ConvNorm;
  readonly queryConv: ConvNorm;
  readonly project: ConvNorm;
  /** [heads, distances]. */
  biases: Tensor;
  readonly #pairs: Int32Array;

  constructor(
    readonly channels: number,
    readonly heads: number,
    readonly size: number,
    random: Random,
    form: Form,
  ) {
    const keys = KEY_DEPTH * heads;
    this.qkv = convNorm(channels, 2 * keys + channels, form, random);
    this.queryConv = depthwise(keys, 3, form, random);
    this.project = convNorm(channels, channels, form, random);
    silence(this.project);
    const { pairs, count } = distances(size);
    this.#pairs = pairs;
    this.biases = parameter(zeros([heads, count]));
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const [n, , height, width] = x.shape as [number, number, number, number];
    if (height !== this.size || width !== this.size)
      throw new Error(
        `LSNet: position biases are for a last map of ${this.size}×${this.size}, got ${height}×${width}; make the network with attentionSize for this size of image`,
      );
    const keys = KEY_DEPTH * this.heads;
    const all = this.qkv.forward(x, mode);
    const part = (from: number, to: number) => slice(all, null, [from, to]);
    const q = this.queryConv.forward(part(0, keys), mode);
    const pixels = height * width;
    // (n, heads·d, h, w) → (n, heads, pixels, d)
    const split = (y: Tensor) => permute(reshape(y, [n, this.heads, -1, pixels]), [0, 1, 3, 2]);
    const mask = reshape(transpose(gatherRows(transpose(this.biases), tensor(this.#pairs))), [
      1,
      this.heads,
      pixels,
      pixels,
    ]);
    const seen = attention(split(q), split(part(keys, 2 * keys)), split(part(2 * keys, 2 * keys + this.channels)), {
      mask,
    });
    const joined = reshape(permute(seen, [0, 1, 3, 2]), [n, this.channels, height, width]);
    return add(x, this.project.forward(relu(joined), mode));
  }

  mergeInto(target: SpatialAttention): void {
    this.qkv.mergeInto(target.qkv);
    this.queryConv.mergeInto(target.queryConv);
    this.project.mergeInto(target.project);
    target.biases.assign(this.biases);
  }
}

/** For each pair of pixels the number of their distance (|Δrow|, |Δcolumn|). */
function distances(size: number): { pairs: Int32Array; count: number } {
  const numbers = new Map<number, number>();
  const pairs = new Int32Array(size ** 4);
  for (let a = 0, at = 0; a < size ** 2; a++)
    for (let b = 0; b < size ** 2; b++, at++) {
      const rows = Math.abs(Math.floor(a / size) - Math.floor(b / size));
      const key = rows * size + Math.abs((a % size) - (b % size));
      if (!numbers.has(key)) numbers.set(key, numbers.size);
      pairs[at] = numbers.get(key) as number;
    }
  return { pairs, count: numbers.size };
}

/** Starts a residual branch at zero. */
function silence({ norm }: ConvNorm): void {
  norm?.weight.assign(zeros(norm.weight.shape));
}

/** x + W₂·ReLU(W₁·x). */
class FeedForward implements Merging<FeedForward> {
  readonly expand: ConvNorm;
  readonly contract: ConvNorm;

  constructor(channels: number, random: Random, form: Form) {
    this.expand = convNorm(channels, 2 * channels, form, random);
    this.contract = convNorm(2 * channels, channels, form, random);
    silence(this.contract);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return add(x, this.contract.forward(relu(this.expand.forward(x, mode)), mode));
  }

  mergeInto(target: FeedForward): void {
    this.expand.mergeInto(target.expand);
    this.contract.mergeInto(target.contract);
  }
}

class Block implements Merging<Block> {
  readonly squeeze: SqueezeExcitation | undefined;
  readonly feedForward: FeedForward;

  constructor(
    readonly mixer: ReparametrizedDepthwise | LSConv | StaticMixer | SpatialAttention,
    channels: number,
    random: Random,
    form: Form,
  ) {
    if (mixer instanceof ReparametrizedDepthwise) {
      const squeezed = Math.max(8, Math.floor((channels / 4 + 4) / 8) * 8);
      this.squeeze = new SqueezeExcitation(channels, squeezed, random);
    }
    this.feedForward = new FeedForward(channels, random, form);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const mixed = this.mixer.forward(x, mode);
    return this.feedForward.forward(this.squeeze?.forward(mixed) ?? mixed, mode);
  }

  mergeInto(target: Block): void {
    this.mixer.mergeInto(target.mixer as never);
    if (this.squeeze && target.squeeze) {
      copy(this.squeeze.fc1, target.squeeze.fc1);
      copy(this.squeeze.fc2, target.squeeze.fc2);
    }
    this.feedForward.mergeInto(target.feedForward);
  }
}

/** Between stages: half the size, then the next width. */
class Downsample implements Merging<Downsample> {
  readonly spatial: ConvNorm;
  readonly widen: ConvNorm;

  constructor(inChannels: number, outChannels: number, random: Random, form: Form) {
    this.spatial = depthwise(inChannels, 3, form, random, 2);
    this.widen = convNorm(inChannels, outChannels, form, random);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return this.widen.forward(this.spatial.forward(x, mode), mode);
  }

  mergeInto(target: Downsample): void {
    this.spatial.mergeInto(target.spatial);
    this.widen.mergeInto(target.widen);
  }
}

/** Norm and linear layer of the pooled features. */
class Classifier implements Merging<Classifier> {
  readonly norm: BatchNorm1d | undefined;
  readonly linear: Linear;

  constructor(features: number, classes: number, random: Random, form: Form) {
    if (form === 'training') this.norm = new BatchNorm1d(features);
    this.linear = new Linear(features, classes, random);
    this.linear.weight.assign(truncatedNormal(random, [classes, features]));
    this.linear.bias?.assign(zeros([classes]));
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return this.linear.forward(this.norm?.forward(x, mode) ?? x);
  }

  mergeInto(target: Classifier): void {
    const { weight, bias, runningMean, runningVariance, epsilon } = this.norm as BatchNorm1d;
    const scale = multiply(weight, rsqrt(add(runningVariance, epsilon)));
    const shift = subtract(bias, multiply(runningMean, scale));
    target.linear.weight.assign(multiply(this.linear.weight, scale));
    const moved = reshape(matmul(this.linear.weight, reshape(shift, [-1, 1])), [-1]);
    target.linear.bias?.assign(add(moved, this.linear.bias as Tensor));
  }
}

/** Images [n, channels, h, w] → logits [n, classes]. */
export class LSNet {
  readonly stem: readonly ConvNorm[];
  readonly stages: readonly (readonly (Downsample | Block)[])[];
  readonly heads: readonly Classifier[];

  constructor(
    random: Random,
    readonly options: LSNetOptions,
  ) {
    const { dims, depths, channels = 3, classes = 1000, distilled = false, form = 'training' } = options;
    const { stem = [2, 2, 2], heads = 4, attentionSize = 4, mixer = 'ls' } = options;
    if (dims.length !== depths.length)
      throw new Error(`LSNet: ${dims.length} dims need as many depths, got ${depths.length}`);
    const width = (stage: number) => dims[stage] as number;
    const widths = [channels, width(0) / 4, width(0) / 2, width(0)];
    this.stem = stem.map((stride, i) =>
      convNorm(widths[i] as number, widths[i + 1] as number, form, random, { kernel: 3, stride }),
    );
    const mixerAt = (stage: number, index: number) => {
      if (index % 2 === 0) return new ReparametrizedDepthwise(width(stage), random, form);
      if (stage === dims.length - 1) return new SpatialAttention(width(stage), heads, attentionSize, random, form);
      return mixer === 'ls' ? new LSConv(width(stage), random, form) : new StaticMixer(width(stage), random, form);
    };
    this.stages = depths.map((depth, stage) => [
      ...(stage > 0 ? [new Downsample(width(stage - 1), width(stage), random, form)] : []),
      ...Array.from({ length: depth }, (_, index) => new Block(mixerAt(stage, index), width(stage), random, form)),
    ]);
    const last = width(dims.length - 1);
    this.heads = Array.from({ length: distilled ? 2 : 1 }, () => new Classifier(last, classes, random, form));
  }

  /** Logits of each classifier: of the labels, then, in distilled networks, of the teacher. */
  logits(x: Tensor, mode: Mode): Tensor[] {
    const stem = this.stem.reduce((y, layer, i) => {
      const next = layer.forward(y, mode);
      return i < this.stem.length - 1 ? relu(next) : next;
    }, x);
    const features = globalAveragePool(this.stages.flat().reduce<Tensor>((y, layer) => layer.forward(y, mode), stem));
    return this.heads.map((head) => head.forward(features, mode));
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const [first, second] = this.logits(x, mode) as [Tensor, Tensor | undefined];
    return second ? multiply(add(first, second), 0.5) : first;
  }

  /** The same function with norms folded into convolutions and parallel branches made one; LS convolutions stay dynamic. */
  merged(): LSNet {
    const target = new LSNet(new Random(0), { ...this.options, form: 'merged' });
    scope(() => {
      const pairs = (from: readonly Merging<never>[], to: readonly Merging<never>[]) => {
        for (const [i, layer] of from.entries()) layer.mergeInto(to[i] as never);
      };
      pairs(this.stem, target.stem);
      pairs(this.stages.flat(), target.stages.flat());
      pairs(this.heads, target.heads);
    });
    return target;
  }
}

/** Published networks: ImageNet top-1 74.9, 77.8 and 80.3 (distilled 76.1, 79.0, 81.6); and a small one for 28² images. */
export const lsNets = {
  'lsnet-t': { dims: [64, 128, 256, 384], depths: [0, 2, 8, 10] },
  'lsnet-s': { dims: [96, 192, 320, 448], depths: [1, 2, 8, 10] },
  'lsnet-b': { dims: [128, 256, 384, 512], depths: [4, 6, 8, 10] },
  'lsnet-nano': { dims: [16, 32, 64, 96], depths: [2, 2, 2, 2], stem: [2, 1, 1], heads: 2, attentionSize: 2 },
} as const satisfies Record<string, LSNetOptions>;
