// Classification of series of several axes, such as those of an accelerometer, by hypercomplex 1-D
// convolutions whose components are the axes.

import { BatchNorm1d, Conv1d, Linear, type Mode, PHConv1d } from '../../nn/index.js';
import { mean, type Random, type Tensor } from '../../tensor/index.js';
import { type DomainOptions, stemChannels, withFrontChannels } from './convolution.js';

/** Configuration of `PHSeriesNet`. */
export interface PHSeriesOptions extends DomainOptions {
  /** Axes of the series. */
  readonly axes: number;
  /** Number of classes. */
  readonly classes: number;
  /** Channels of the convolutions, multiples of n. */
  readonly widths: readonly number[];
  /** Samples that a convolution reads, an odd number. Default: 3. */
  readonly kernel?: number;
}

/**
 * Series [n, axes, length] → logits [n, classes]: convolutions with batch norm and ReLU, the mean
 * over time, a real linear layer. Axes of zeros go in front where n does not divide their number.
 */
export class PHSeriesNet {
  /** Convolutions over time. */
  readonly convs: readonly (Conv1d | PHConv1d)[];
  /** Their norms. */
  readonly norms: readonly BatchNorm1d[];
  /** Linear layer over the mean of each channel. */
  readonly classifier: Linear;
  readonly #inputs: number;

  /** @throws RangeError when n does not divide a width, naming the nearest that it does */
  constructor(
    readonly options: PHSeriesOptions,
    random: Random,
  ) {
    const { axes, classes, widths, kernel = 3, n = 3, algebra = 'learned', init = 'xavier' } = options;
    this.#inputs = stemChannels(axes, n);
    this.convs = widths.map((width, i) => {
      const inputs = i === 0 ? this.#inputs : (widths[i - 1] as number);
      const shape = { padding: (kernel - 1) >> 1, bias: false };
      const own = random.split(`conv ${i}`);
      return n === 1 || inputs === 1
        ? new Conv1d(inputs, width, kernel, own, shape)
        : new PHConv1d(inputs, width, kernel, n, own, { ...shape, algebra, init });
    });
    this.norms = widths.map((width) => new BatchNorm1d(width));
    this.classifier = new Linear(widths.at(-1) as number, classes, random.split('classifier'));
  }

  /** Series [n, axes, length] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    const y = this.convs.reduce(
      (own, conv, i) => this.norms[i]?.forward(conv.forward(own), mode, 'relu') as Tensor,
      withFrontChannels(x, this.#inputs),
    );
    return this.classifier.forward(mean(y, 2));
  }
}
