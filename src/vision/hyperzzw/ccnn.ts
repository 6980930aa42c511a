// CCNN: residual blocks of continuous convolutions, whose kernels are as large as the maps and
// independent of the input (Knigge, Romero et al.: Modelling long range dependencies in N-D: from
// task-specific to a general purpose CNN, ICLR 2023), in a small form.

import { BatchNorm2d, Conv2d, Linear, type Mode } from '../../nn/index.js';
import {
  add,
  gatherRows,
  globalAveragePool,
  keep,
  matmul,
  permute,
  type Random,
  reshape,
  type Tensor,
  tensor,
  transpose,
} from '../../tensor/index.js';
import { type Grid, MAGNet } from './magnet.js';

/** Configuration of `CCNN`. */
export interface CCNNOptions {
  /** Width of all maps. */
  readonly width: number;
  /** Side in pixels of the square images, or [1, length] of sequences. */
  readonly size: number | Grid;
  /** Channels of the images. Default: 1. */
  readonly channels?: number;
  /** Number of classes. Default: 10. */
  readonly classes?: number;
  /** Number of blocks. Default: 3. */
  readonly depth?: number;
  /** Hidden features of the slow networks. Default: 16. */
  readonly hidden?: number;
  /** ω₀ of the slow networks. Default: 10. */
  readonly frequency?: number;
}

/**
 * For each input and output position of a grid, inputs first, the position in a kernel of twice the
 * size less one: a convolution with zeros beyond the border as a matrix.
 */
function toeplitz([height, width]: Grid): Tensor {
  const points = height * width;
  const at = new Int32Array(points * points);
  for (let s = 0; s < points; s++)
    for (let t = 0; t < points; t++) {
      const row = Math.floor(s / width) - Math.floor(t / width) + height - 1;
      at[s * points + t] = row * (2 * width - 1) + (s % width) - (t % width) + width - 1;
    }
  return tensor(at, [points * points], 'i32');
}

/** x + W₂·GELU(BN(W₁·GELU(BN(k ∗ x)))) with a depthwise kernel k of a slow network. */
class ContinuousBlock {
  readonly slow: MAGNet;
  readonly norm1: BatchNorm2d;
  readonly conv1: Conv2d;
  readonly norm2: BatchNorm2d;
  readonly conv2: Conv2d;

  constructor(
    width: number,
    [height, length]: Grid,
    options: { hidden: number; layers: number; frequency: number },
    random: Random,
  ) {
    this.slow = new MAGNet([2 * height - 1, 2 * length - 1], width, options, random.split('slow'));
    this.norm1 = new BatchNorm2d(width);
    this.conv1 = new Conv2d(width, width, 1, random.split('conv1'));
    this.norm2 = new BatchNorm2d(width);
    this.conv2 = new Conv2d(width, width, 1, random.split('conv2'));
  }

  forward(x: Tensor, positions: Tensor, mode: Mode): Tensor {
    const y = this.norm1.forward(this.convolved(x, positions), mode).gelu();
    return add(x, this.conv2.forward(this.norm2.forward(this.conv1.forward(y), mode).gelu()));
  }

  /** k ∗ x with zeros beyond the border, as one matrix product for each channel. */
  convolved(x: Tensor, positions: Tensor): Tensor {
    const [n, channels, height, width] = x.shape as [number, number, number, number];
    const points = height * width;
    const kernel = transpose(reshape(this.slow.kernel(), [channels, -1]));
    const matrix = reshape(transpose(gatherRows(kernel, positions)), [channels, points, points]);
    const rows = permute(reshape(x, [n, channels, points]), [1, 0, 2]);
    return reshape(permute(matmul(rows, matrix), [1, 0, 2]), [n, channels, height, width]);
  }
}

/** CCNN with 1×1 stem, blocks at full size and mean pooling: images → logits [n, classes]. */
export class CCNN {
  /** The 1×1 convolution before the blocks. */
  readonly stem: Conv2d;
  /** The residual blocks. */
  readonly blocks: readonly ContinuousBlock[];
  /** The classifier over mean maps. */
  readonly head: Linear;
  readonly #positions: Tensor;

  constructor(options: CCNNOptions, random: Random) {
    const { width, size, channels = 1, classes = 10, depth = 3, hidden = 16, frequency = 10 } = options;
    const grid: Grid = typeof size === 'number' ? [size, size] : size;
    this.stem = new Conv2d(channels, width, 1, random.split('stem'));
    this.blocks = Array.from({ length: depth }, (_, i) => {
      return new ContinuousBlock(width, grid, { hidden, layers: 2, frequency }, random.split(`block ${i}`));
    });
    this.head = new Linear(width, classes, random.split('head'));
    this.#positions = keep(toeplitz(grid));
  }

  /** x [n, width, h, w] convolved with the kernel of a block, without its norm. */
  convolved(block: number, x: Tensor): Tensor {
    return (this.blocks[block] as ContinuousBlock).convolved(x, this.#positions);
  }

  /** Images [n, channels, h, w] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    const maps = this.blocks.reduce((y, block) => block.forward(y, this.#positions, mode), this.stem.forward(x));
    return this.head.forward(globalAveragePool(maps));
  }
}
