// Token mixers of 32 channels for the task with marks: the LS convolution, static ones, and others
// whose weights depend on the input.

import { Conv2d, type Layer } from '../../nn/index.js';
import { add, attention, permute, type Random, reshape, slice, type Tensor } from '../../tensor/index.js';
import { LSConv, StaticMixer } from '../../vision/index.js';
import { MIXED_CHANNELS } from './moved-content.js';

export const DYNAMIC = 'LS convolution';
/** Its 3×3 window does not reach every mark. */
export const NARROW = 'LS convolution, 3×3 perception';

const fixed = {
  'depthwise 3×3': { kernel: 3 },
  'depthwise 7×7': { kernel: 7 },
  'depthwise 7×7 + FFN': { kernel: 7, feedForward: 3 },
};

/** Titles of the mixers whose weights do not depend on the input. */
export const staticMixers = Object.keys(fixed);

/** Side of the windows of `WindowAttention`. */
const WINDOW = 7;
const HEADS = 2;

/** Self-attention within windows of 7×7 pixels that do not overlap, added to the input. */
export class WindowAttention implements Layer {
  readonly qkv: Conv2d;
  readonly project: Conv2d;

  constructor(
    readonly channels: number,
    random: Random,
  ) {
    this.qkv = new Conv2d(channels, 3 * channels, 1, random);
    this.project = new Conv2d(channels, channels, 1, random);
  }

  /** x [n, channels, h, w] with h and w divisible by 7. */
  forward(x: Tensor): Tensor {
    const [n, , h, w] = x.shape as [number, number, number, number];
    const [rows, columns] = [h / WINDOW, w / WINDOW];
    const all = this.qkv.forward(x);
    // [n, heads·d, rows·7, columns·7] → [n·rows·columns, heads, 49, d]
    const windows = (part: number) => {
      const own = slice(all, null, [part * this.channels, (part + 1) * this.channels]);
      const split = reshape(own, [n, HEADS, this.channels / HEADS, rows, WINDOW, columns, WINDOW]);
      const shape = [n * rows * columns, HEADS, WINDOW ** 2, this.channels / HEADS];
      return reshape(permute(split, [0, 3, 5, 1, 4, 6, 2]), shape);
    };
    const attended = attention(windows(0), windows(1), windows(2));
    const split = reshape(attended, [n, rows, columns, HEADS, WINDOW, WINDOW, this.channels / HEADS]);
    return add(x, this.project.forward(reshape(permute(split, [0, 3, 6, 1, 4, 2, 5]), x.shape)));
  }
}

/** All mixers by title. */
export const mixers: Readonly<Record<string, (random: Random) => Layer>> = {
  [DYNAMIC]: (random) => new LSConv(MIXED_CHANNELS, random),
  ...Object.fromEntries(
    Object.entries(fixed).map(([title, shape]) => [
      title,
      (random: Random) => new StaticMixer(MIXED_CHANNELS, random, shape),
    ]),
  ),
  [NARROW]: (random) => new LSConv(MIXED_CHANNELS, random, { kernel: 3 }),
  'window attention 7×7': (random) => new WindowAttention(MIXED_CHANNELS, random),
};
