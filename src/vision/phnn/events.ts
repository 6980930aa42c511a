// Detection of sound events (Adavanne et al., "Sound Event Localization and Detection of
// Overlapping Sources Using Convolutional Recurrent Neural Networks", 2019, without localisation),
// with hypercomplex convolutions: the channels of several microphones are the components of a
// domain.

import { BatchNorm2d, Conv2d, Dropout, GRU, Linear, type Mode } from '../../nn/index.js';
import { concatenate, flip, maxPool2d, permute, type Random, reshape, type Tensor } from '../../tensor/index.js';
import { convolutionIn, type DomainOptions, stemChannels, withFrontChannels } from './convolution.js';

/** Configuration of `EventNet`. */
export interface EventNetOptions extends DomainOptions {
  /** Channels of the spectrograms, one or more a microphone. */
  readonly channels: number;
  /** Bins of frequency of the spectrograms. */
  readonly bins: number;
  /** Kinds of events. */
  readonly classes: number;
  /** Channels of the convolutions, multiples of n. */
  readonly widths: readonly number[];
  /** Factors by which frequency and time are pooled after each convolution. */
  readonly pools: readonly (readonly [frequency: number, time: number])[];
  /** Units of a recurrent layer, each way. */
  readonly recurrent: number;
  /** Recurrent layers. Default: 1. */
  readonly recurrentLayers?: number;
  /** Width of a linear layer before the classifier. Default: none. */
  readonly hidden?: number;
  /** Probability of dropping values after the convolutions. Default: 0. */
  readonly dropout?: number;
}

/**
 * Spectrograms [n, channels, bins, time] → logits [n, time′, classes], of each kind of event
 * whether it sounds: convolutions with batch norm, ReLU and max pooling, recurrent layers both
 * ways, linear layers. time′ is time divided by the poolings.
 */
export class EventNet {
  /** 3×3 convolutions. */
  readonly convs: readonly Conv2d[];
  /** Their norms. */
  readonly norms: readonly BatchNorm2d[];
  /** Recurrent layers, forwards and backwards. */
  readonly recurrent: readonly (readonly [GRU, GRU])[];
  /** Linear layer before the classifier. */
  readonly hidden: Linear | undefined;
  /** Linear layer to the kinds of events. */
  readonly classifier: Linear;
  readonly #dropout: Dropout;

  /**
   * @throws RangeError when n does not divide a width, or poolings leave no frequency; Error unless
   * there is a pooling for each convolution
   */
  constructor(
    readonly options: EventNetOptions,
    random: Random,
  ) {
    const { channels, bins, classes, widths, pools, recurrent, recurrentLayers = 1, hidden, n = 3 } = options;
    if (pools.length !== widths.length)
      throw new Error(`EventNet: ${widths.length} convolutions need as many poolings, got ${pools.length}`);
    const rows = pools.reduce((left, [frequency]) => Math.floor(left / frequency), bins);
    if (rows < 1)
      throw new RangeError(`EventNet: poolings by ${pools.map(([f]) => f).join('·')} leave none of ${bins} bins`);
    const conv = convolutionIn(options);
    const inputs = [stemChannels(channels, n), ...widths];
    this.convs = widths.map((width, i) => {
      const own = random.split(`conv ${i}`);
      const before = inputs[i] as number;
      return before === 1
        ? new Conv2d(1, width, 3, own, { padding: 1, bias: false })
        : conv(before, width, 3, own, { padding: 1 });
    });
    this.norms = widths.map((width) => new BatchNorm2d(width));
    const features = rows * (widths.at(-1) as number);
    this.recurrent = Array.from({ length: recurrentLayers }, (_, i) => {
      const width = i === 0 ? features : 2 * recurrent;
      const gru = (way: string) => new GRU(width, recurrent, random.split(`recurrent ${i} ${way}`));
      return [gru('forwards'), gru('backwards')] as const;
    });
    if (hidden !== undefined) this.hidden = new Linear(2 * recurrent, hidden, random.split('hidden'));
    this.classifier = new Linear(hidden ?? 2 * recurrent, classes, random.split('classifier'));
    this.#dropout = new Dropout(options.dropout ?? 0);
  }

  /** Spectrograms [n, channels, bins, time] → logits [n, time′, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    const [first] = this.convs as readonly [Conv2d];
    let y = withFrontChannels(x, first.inChannels);
    this.convs.forEach((conv, i) => {
      const pool = this.options.pools[i] as readonly [number, number];
      const maps = this.norms[i]?.forward(conv.forward(y), mode, 'relu') as Tensor;
      const pooled = pool.every((factor) => factor === 1) ? maps : maxPool2d(maps, pool, { stride: pool });
      y = this.#dropout.forward(pooled, mode);
    });
    const [images = 0, channels = 0, rows = 0, time = 0] = y.shape;
    // [n, c, rows, time] → a row of c·rows features a step.
    let states = reshape(permute(y, [0, 3, 1, 2]), [images, time, channels * rows]);
    for (const [forwards, backwards] of this.recurrent)
      states = concatenate([forwards.forward(states).outputs, flip(backwards.forward(flip(states, 1)).outputs, 1)], 2);
    return this.classifier.forward(this.hidden ? this.hidden.forward(states) : states);
  }
}

/**
 * Networks for sound events by name, without what the data decide: that of the paper, a small one
 * for clips of seconds, and one that has as few parameters without sharing as that one has with n =
 * 4.
 */
export const eventNets = {
  'phc-seld': {
    widths: [64, 128, 256, 512],
    pools: [
      [8, 2],
      [8, 2],
      [2, 2],
      [1, 1],
    ],
    ...{ recurrent: 256, recurrentLayers: 3, hidden: 1024, dropout: 0.3 },
  },
  'phc-seld-nano': {
    widths: [16, 32, 64],
    pools: [
      [8, 1],
      [4, 1],
      [2, 1],
    ],
    recurrent: 32,
  },
  'phc-seld-budget': {
    widths: [12, 23, 46],
    pools: [
      [8, 1],
      [4, 1],
      [2, 1],
    ],
    recurrent: 32,
  },
} as const satisfies Readonly<Record<string, Omit<EventNetOptions, 'channels' | 'bins' | 'classes'>>>;
