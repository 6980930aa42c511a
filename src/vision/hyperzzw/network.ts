// Terminator: slow networks of coordinates write the kernels of a fast convolutional network, whose
// layers mix the full context without residual learning, attention or affine norms (Zhang:
// HyperZ⋅Z⋅W Operator Connects Slow-Fast Networks for Full Context Interaction, 2024).

import type { ImageTrainingOptions } from '../../models/index.js';
import {
  type FreezesStatistics,
  inference,
  kaimingNormal,
  Linear,
  type Mode,
  parameter,
  parameters,
} from '../../nn/index.js';
import {
  add,
  globalAveragePool,
  mean,
  multiply,
  type Random,
  scope,
  sqrt,
  square,
  subtract,
  sum,
  type Tensor,
  zeros,
} from '../../tensor/index.js';
import { type BlockChanges, type BlockOutput, repeatChannels, SlowFastBlock, type SlowWidths } from './block.js';
import type { Grid } from './magnet.js';
import type { GlobalOperator } from './operators.js';
import type { StatisticsSource } from './statistics.js';

/** Configuration of `Terminator`. */
export interface TerminatorOptions extends BlockChanges {
  /** Output over input channels of each block. */
  readonly factors: readonly number[];
  /** Layers of each block's global slow network. */
  readonly layers: readonly number[];
  /** Earlier blocks, from 0, whose outputs each block takes, at most two. Default: none. */
  readonly links?: readonly (readonly number[])[];
  /** Probability of dropping an output channel of each block. Default: 0. */
  readonly dropout?: readonly number[];
  /** Hidden features of the slow networks. */
  readonly widths: SlowWidths;
  /** Side in pixels of the square images, or [1, length] of sequences. */
  readonly size: number | Grid;
  /** Channels of the images, 1 or `inner`; a single one is repeated. Default: 3. */
  readonly channels?: number;
  /** Channels of the first block's input. Default: 3. */
  readonly inner?: number;
  /** Number of classes. Default: 10. */
  readonly classes?: number;
  /** ω₀, the factor of the frequencies of slow networks. Default: 10. */
  readonly frequency?: number;
  /**
   * The product of context weights and activations. Default: `matrix` for images, `circular` for
   * sequences.
   */
  readonly operator?: GlobalOperator;
  /** Groups of channels of G-IBS. Default: 12. */
  readonly groups?: number;
  /** Whether the local feedback error of slow networks is a term of the loss. Default: true. */
  readonly slowLoss?: boolean;
  /**
   * λ of the term λ·(Σ‖w‖ of fast parameters + 1e-6·Σ‖w‖ of slow weights) of the loss. Default: 0.
   */
  readonly normPenalty?: number;
  /**
   * Whether trained numbers are added between blocks and before the classifier; the authors' code
   * does not train them. Default: false.
   */
  readonly shifts?: boolean;
  /** Whether the factors of S-renormalisation are trained. Default: false. */
  readonly learnRenorm?: boolean;
}

/** A number that is added, [1]. */
interface ShiftLayer {
  readonly shift: Tensor;
}

/** Factor of slow weights in the penalty of norms. */
const SLOW_SHARE = 1e-6;

/** Whether a parameter of a network belongs to a slow network. */
export function isSlow(name: string): boolean {
  return /\.(slow|channel|spatial)\./.test(name);
}

/**
 * Images [n, channels, h, w] → logits [n, classes]. All maps keep the size of the image, for which
 * slow networks write kernels.
 *
 * At inference statistics and contexts of local kernels are stored averages, so that an answer
 * depends on no other image; `withBatchStatistics` takes those of the batch, as the paper does.
 */
export class Terminator implements FreezesStatistics {
  /** The blocks, the first one first. */
  readonly blocks: readonly SlowFastBlock[];
  /** Numbers [1] that are added to the input of each block but the first, and of the classifier. */
  readonly shifts: readonly ShiftLayer[];
  /** The classifier over mean maps. */
  readonly head: Linear;
  readonly #source: StatisticsSource = { from: 'stored' };
  readonly #grid: Grid;

  /**
   * @throws RangeError for images that are not square under the matrix product, channels that
   * `inner` does not fit, or groups that do not divide the channels of a block
   */
  constructor(
    readonly options: TerminatorOptions,
    random: Random,
  ) {
    const { factors, size, channels = 3, inner = 3, classes = 10, groups = 12, frequency = 10 } = options;
    const { links = [], dropout = [], learnRenorm = false } = options;
    this.#grid = typeof size === 'number' ? [size, size] : size;
    const [height, width] = this.#grid;
    const { operator = height === 1 ? 'circular' : 'matrix' } = options;
    if (operator === 'matrix' && height !== width)
      throw new RangeError(`Terminator: the matrix product needs square images, got ${height}×${width}`);
    if (channels !== 1 && channels !== inner)
      throw new RangeError(`Terminator: images have 1 or ${inner} channels, got ${channels}`);
    let last = inner;
    this.blocks = factors.map((factor, at) => {
      const block = new SlowFastBlock(
        {
          ...{ ...options, channels: last, factor, grid: this.#grid, groups, frequency, learnRenorm, operator },
          ...{ layers: options.layers[at] ?? 2, links: links[at]?.length ?? 0, dropout: dropout[at] ?? 0 },
        },
        this.#source,
        random.split(`block ${at}`),
      );
      last *= factor;
      return block;
    });
    this.shifts = options.shifts ? factors.map(() => ({ shift: parameter(zeros([1])) })) : [];
    this.head = new Linear(last, classes, random.split('head'));
    scope(() => {
      const { weight, bias } = this.head;
      weight.assign(kaimingNormal(random.split('head weight'), weight.shape));
      bias?.assign(zeros([classes]));
    });
  }

  /**
   * Images [n, channels, h, w] → logits [n, classes].
   *
   * @throws Error for images of another size
   */
  forward(x: Tensor, mode: Mode): Tensor {
    const passed = this.passed(x, mode);
    if (mode.training && mode.addLoss) {
      if (this.options.slowLoss ?? true) mode.addLoss(feedbackError(passed.map(({ kernel }) => kernel)));
      if (this.options.normPenalty) mode.addLoss(multiply(this.#norms(), this.options.normPenalty));
    }
    const pooled = globalAveragePool(passed.at(-1)?.output ?? x);
    return this.head.forward(this.#shifted(pooled, this.blocks.length - 1));
  }

  #shifted(y: Tensor, at: number): Tensor {
    const own = this.shifts[at];
    return own ? add(y, own.shift) : y;
  }

  /** What each block makes of images. */
  passed(x: Tensor, mode: Mode): BlockOutput[] {
    const { inner = 3, links = [] } = this.options;
    const [height, width] = this.#grid;
    if (x.rank !== 4 || x.shape[2] !== height || x.shape[3] !== width)
      throw new Error(`Terminator: its kernels are for images [n, channels, ${height}, ${width}], got ${x}`);
    const passed: BlockOutput[] = [];
    let y = repeatChannels(x, inner);
    this.blocks.forEach((block, at) => {
      const earlier = (links[at] ?? []).map((from) => (passed[from] as BlockOutput).output);
      const own = block.forward(y, earlier, mode);
      passed.push(own);
      y = this.#shifted(own.output, at);
    });
    return passed;
  }

  /** The local feedback error of the global slow networks, a scalar. */
  slowLoss(): Tensor {
    return feedbackError(this.blocks.map(({ slow }) => slow.kernel()));
  }

  /** Σ‖w‖ of fast parameters + 1e-6·Σ‖w‖ of slow weights; the gradient at 0 is 0. */
  #norms(): Tensor {
    const terms = Object.entries(parameters(this)).flatMap(([name, weight]) => {
      if (isSlow(name) && !name.endsWith('weight')) return [];
      return [multiply(sqrt(add(sum(square(weight)), 1e-12)), isSlow(name) ? SLOW_SHARE : 1)];
    });
    return terms.reduce(add);
  }

  /** Runs `fn` with statistics and contexts from each batch at inference too, as the paper does. */
  withBatchStatistics<T>(fn: () => T): T {
    const { from } = this.#source;
    this.#source.from = 'batch';
    try {
      return fn();
    } finally {
      this.#source.from = from;
    }
  }

  /** Replaces stored statistics and contexts by their means over batches, without dropout. */
  freezeStatistics(batches: Iterable<Tensor>): void {
    let count = 0;
    try {
      for (const batch of batches) {
        this.#source.frozen = count++;
        this.withBatchStatistics(() => scope(() => void this.forward(batch, inference)));
      }
    } finally {
      this.#source.frozen = undefined;
    }
    if (count === 0) throw new Error('Terminator: statistics are averages over at least one batch');
  }
}

/**
 * The local feedback error of slow networks: Σ over i > j of mean (tile(K_j) − K_i)², where the
 * channels of K_j are repeated to those of K_i. Kernels [1, C, h, w] of the blocks in order.
 */
export function feedbackError(kernels: readonly Tensor[]): Tensor {
  const terms = kernels.flatMap((kernel, i) =>
    kernels.slice(0, i).map((before) => {
      return mean(square(subtract(repeatChannels(before, kernel.shape[1] as number), kernel)));
    }),
  );
  return terms.length === 0 ? zeros([]) : terms.reduce(add);
}

const published = {
  ...{ factors: [4, 3, 2, 2, 2], layers: [3, 2, 2, 2, 2], links: [[], [], [0], [1], [2, 1]] },
  dropout: [0, 0.05, 0.05, 0.05, 0.05],
  widths: { global: 64, local: 32, channel: 32, interaction: [16, 64] },
} as const;

/** Configuration of a network without what the images decide. */
export type TerminatorPreset = Omit<TerminatorOptions, 'size' | 'channels' | 'classes'>;

/**
 * Presets. `terminator` is the paper's for 32×32 images: 1,336,855 parameters and 95.32 % on
 * CIFAR-10, 1,362,865 and 75.68 % on CIFAR-100, by a log of its training, on test images in
 * batches. `terminator-nano`, ours, is for about 14×14, with 43,710 parameters; it is also that of
 * sequences.
 */
export const terminators: Readonly<Record<string, TerminatorPreset>> = {
  terminator: { ...published, normPenalty: 5e-5 },
  'terminator-nano': {
    ...{ factors: [4, 2, 2], layers: [3, 2, 2], links: [[], [], [0]], dropout: [0, 0.05, 0.05] },
    widths: { global: 16, local: 8, channel: 8, interaction: [8, 16] },
    ...{ normPenalty: 5e-5, shifts: true },
  },
};

/** The paper's training on CIFAR-10, for `trainOnImages`. */
export const terminatorTraining = {
  ...{ epochs: 100, batchSize: 64, optimizer: 'kar3', learningRate: 0.001215, warmUp: 0.08, labelSmoothing: 0.09 },
  augmentation: { crop: 4, flip: true },
} as const satisfies ImageTrainingOptions;
