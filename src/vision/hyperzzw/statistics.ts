// Standardisation without affine parameters: statistics of a batch in training, averages over
// training batches for answers.

import { type BatchNorm2d, buffer, type Mode } from '../../nn/index.js';
import {
  batchNorm,
  batchNormInference,
  concatenate,
  groupNorm,
  keep,
  ones,
  reshape,
  type Shape,
  slice,
  type Tensor,
  zeros,
} from '../../tensor/index.js';

/** ε, added to variances. */
export const EPSILON = 1e-5;
/** Weight of a batch in the averages that training follows. */
const MOMENTUM = 0.1;

/** Where the layers of a network take statistics from; one object that they share. */
export interface StatisticsSource {
  /**
   * At inference: `stored` averages, the default, or those of the `batch`, as the paper evaluates.
   */
  from: 'stored' | 'batch';
  /** Batches averaged so far while averages are frozen; undefined at other times. */
  frozen?: number | undefined;
  /** Whether training takes stored averages, and leaves them alone. Default: false. */
  fixed?: boolean;
}

/** An average over batches of what a layer takes from its batch. */
export class BatchAverage {
  /** The average, of the given shape. */
  value: Tensor;

  constructor(
    shape: Shape,
    readonly source: StatisticsSource,
    initial: 0 | 1 = 0,
  ) {
    this.value = buffer(initial === 0 ? zeros(shape) : ones(shape));
  }

  /** Whether the averages of the network, all of which share a source, stay as they are. */
  get fixed(): boolean {
    return this.source.fixed === true;
  }

  set fixed(value: boolean) {
    this.source.fixed = value;
  }

  /** Whether a pass takes stored averages. */
  static isStored({ from, fixed }: StatisticsSource, mode: Mode): boolean {
    return from === 'stored' && (!mode.training || fixed === true);
  }

  /**
   * Follows the value of a batch: in training by momentum, and exactly while averages are frozen.
   */
  follow(batch: Tensor, mode: Mode): void {
    const { frozen } = this.source;
    const share = mode.training ? MOMENTUM : frozen === undefined ? 0 : 1 / (frozen + 1);
    if (share === 0) return;
    const { value } = this;
    const { device, size: n } = value;
    device.run('affine', { x: value, y: value, scale: 1 - share, shift: 0, n });
    device.run('accumulate', { target: value, source: batch, scale: share, n });
  }
}

/**
 * BS: y = (x − mean)/√(var + ε) per channel over batch and pixels, with the biased variance and no
 * affine parameters.
 */
export class BatchStandardize {
  /** Mean of each channel [channels]. */
  readonly mean: BatchAverage;
  /** Variance of each channel [channels]. */
  readonly variance: BatchAverage;
  readonly #one: Tensor;
  readonly #zero: Tensor;

  constructor(
    channels: number,
    readonly source: StatisticsSource,
  ) {
    this.mean = new BatchAverage([channels], source);
    this.variance = new BatchAverage([channels], source, 1);
    this.#one = keep(ones([channels]));
    this.#zero = keep(zeros([channels]));
  }

  /** x [n, channels, h, w] → the same shape. */
  forward(x: Tensor, mode: Mode): Tensor {
    const [one, zero] = [this.#one, this.#zero];
    if (BatchAverage.isStored(this.source, mode))
      return batchNormInference(x, one, zero, this.mean.value, this.variance.value, EPSILON);
    const [y, mean, variance] = batchNorm(x, one, zero, EPSILON);
    this.mean.follow(mean, mode);
    this.variance.follow(variance, mode);
    return y;
  }
}

/** IS: the same per image and channel over the pixels. x [n, channels, h, w] → the same shape. */
export function instanceStandardize(x: Tensor): Tensor {
  return groupNorm(x, x.shape[1] as number, undefined, undefined, EPSILON);
}

/**
 * G-IBS: channels in equal groups, the even ones (from 0) standardised by `BatchStandardize`, the
 * odd ones by `instanceStandardize`.
 *
 * @throws RangeError unless `groups` is even and divides the channels
 */
export class GroupedStandardize {
  /** Of the even groups. */
  readonly batch: BatchStandardize;

  constructor(
    readonly channels: number,
    readonly groups: number,
    source: StatisticsSource,
  ) {
    if (groups % 2 !== 0 || channels % groups !== 0)
      throw new RangeError(`G-IBS: ${channels} channels do not form ${groups} groups, an even number of them`);
    this.batch = new BatchStandardize(channels / 2, source);
  }

  /** x [n, channels, h, w] → the same shape. */
  forward(x: Tensor, mode: Mode): Tensor {
    const [n, channels, height, width] = x.shape as [number, number, number, number];
    const pairs = this.groups / 2;
    const each = channels / this.groups;
    const grouped = reshape(x, [n, pairs, 2, each * height * width]);
    const half = (at: number) => reshape(slice(grouped, null, null, [at, at + 1]), [n, pairs * each, height, width]);
    const apart = (y: Tensor) => reshape(y, [n, pairs, 1, each * height * width]);
    const even = this.batch.forward(half(0), mode);
    const odd = instanceStandardize(half(1));
    return reshape(concatenate([apart(even), apart(odd)], 2), x.shape);
  }
}

/** What stands between the bottleneck and GELU: G-IBS, or batch norm with affine parameters. */
export type BottleneckNorm = GroupedStandardize | BatchNorm2d;
