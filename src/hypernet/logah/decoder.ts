// Decoders from the vector of a node to its parameter: low-rank factors, which are LoGAH's, and a
// full-rank block that is repeated over wide layers, which is GHN-3's.

import { Linear } from '../../nn/index.js';
import { linear, matmul, permute, type Random, relu, reshape, slice, type Tensor } from '../../tensor/index.js';
import type { Shape4d } from './sizes.js';

/** Makes parameters from vectors of nodes [g, d]. */
export interface WeightDecoder {
  /** Part of a parameter that is decoded; the rest repeats it. */
  decodedShape(shape: Shape4d): Shape4d;
  /** Part of a gain and a bias that is decoded. */
  decodedLength(length: number): number;
  /**
   * Parameters [g, out, in, kh, kw] of a shape that `decodedShape` gives.
   *
   * @param classifier whether they are the last layer's
   */
  weights(x: Tensor, shape: Shape4d, classifier: boolean): Tensor;
  /**
   * Gains and biases [g, 2, length] of a length that `decodedLength` gives.
   *
   * @param classifier whether the bias is the last layer's
   */
  vectors(x: Tensor, length: number, classifier: boolean): Tensor;
}

/** Two factors of a matrix: A [g, m, r] and B [g, n, r]. */
export interface Factors {
  /** A, a row for each output. */
  readonly a: Tensor;
  /** B, a row for each input. */
  readonly b: Tensor;
}

/** Sizes of a `LowRankDecoder`. */
export interface LowRankOptions {
  /** Width d of a node's vector. */
  readonly features: number;
  /** Rank r of the factors. */
  readonly rank: number;
  /** Widest layer that is decoded whole with kernels of 16 × 16; K = 16·maxWidth. */
  readonly maxWidth: number;
  /**
   * `own`: as many channels as K has rows for; `paper`: `maxWidth` channels, the rest repeats them,
   * as in the released code.
   */
  readonly cap: 'own' | 'paper';
}

/** Kernel size for which K has rows. */
const KERNEL = 16;

/**
 * LoGAH's low-rank decoder.
 *
 * y = MLP(x): d → 4d → 8d → 2r², read as [2r, r]; ReLU; linear r → K gives [2r, K], whose numbers
 * in row-major order are A [K, r], then B [K, r]. A parameter of shape (o, i, kh, kw) is
 * A[:o·kh]·B[:i·kw]ᵀ, read as (o, kh, i, kw). Only the rows that a parameter needs are made.
 */
export class LowRankDecoder implements WeightDecoder {
  /** [4d, d]. */
  readonly fc1: Linear;
  /** [8d, 4d]. */
  readonly fc2: Linear;
  /** [2r², 8d]. */
  readonly fc3: Linear;
  /** [K, r]. */
  readonly expand: Linear;
  readonly #rank: number;
  readonly #rows: number;
  readonly #most: number;
  readonly #maxWidth: number;

  constructor({ features, rank, maxWidth, cap }: LowRankOptions, random: Random) {
    this.#rank = rank;
    this.#rows = KERNEL * maxWidth;
    this.#maxWidth = maxWidth;
    this.#most = cap === 'paper' ? maxWidth : this.#rows;
    this.fc1 = new Linear(features, 4 * features, random.split('fc1'));
    this.fc2 = new Linear(4 * features, 8 * features, random.split('fc2'));
    this.fc3 = new Linear(8 * features, 2 * rank * rank, random.split('fc3'));
    this.expand = new Linear(rank, this.#rows, random.split('expand'));
  }

  decodedShape([out, inner, height, width]: Shape4d): Shape4d {
    const within = (channels: number, kernel: number) =>
      Math.max(1, Math.min(channels, this.#most, Math.floor(this.#rows / kernel)));
    const [kh, kw] = [Math.min(height, this.#rows), Math.min(width, this.#rows)];
    return [within(out, kh), within(inner, kw), kh, kw];
  }

  /**
   * Lengths are rounded as in the released code, so that gain and bias lie where they lay in
   * training: n → 4n/3 where 3 divides it, and to `maxWidth` from half of it on.
   */
  decodedLength(length: number): number {
    if (length > this.#maxWidth) return Math.min(length, Math.max(this.#maxWidth, Math.floor(this.#most / 2)));
    const rounded = length % 3 === 0 ? (length / 3) * 4 : length;
    return rounded >= this.#maxWidth / 2 ? this.#maxWidth : rounded;
  }

  weights(x: Tensor, [out, inner, height, width]: Shape4d): Tensor {
    const { a, b } = this.factors(x, out * height, inner * width);
    return convolutionOf(matmul(a, b, { transposeB: true }), [out, inner, height, width]);
  }

  vectors(x: Tensor, length: number): Tensor {
    const { a, b } = this.factors(x, 2 * length, 1);
    return reshape(matmul(a, b, { transposeB: true }), [x.shape[0] as number, 2, length]);
  }

  /** The first m rows of A and n rows of B for vectors [g, d]. */
  factors(x: Tensor, m: number, n: number): Factors {
    const hidden = this.fc2.forward(this.fc1.forward(x, 'relu'), 'relu');
    return { a: this.#factor(hidden, 0, m), b: this.#factor(hidden, this.#rank, n) };
  }

  /** `count` rows of the factor whose numbers begin with a row of [2r, K]. */
  #factor(hidden: Tensor, first: number, count: number): Tensor {
    const [r, g] = [this.#rank, hidden.shape[0] as number];
    const rows = Math.ceil((count * r) / this.#rows);
    const part = (layer: Linear, from: number, to: number) =>
      [slice(layer.weight, [from, to]), slice(layer.bias as Tensor, [from, to])] as const;
    const [w3, b3] = part(this.fc3, first * r, (first + rows) * r);
    const y = relu(reshape(linear(hidden, w3, b3), [g * rows, r]));
    // One row of [2r, K] is more than narrow parameters need.
    const columns = rows === 1 ? count * r : this.#rows;
    const numbers = linear(y, ...part(this.expand, 0, columns)); // [g·rows, columns]
    const flat = reshape(numbers, [g, rows * columns]);
    return reshape(rows === 1 ? flat : slice(flat, null, [0, count * r]), [g, count, r]);
  }
}

/** [g, o·kh, i·kw], read as (o, kh, i, kw), to (o, i, kh, kw). */
export function convolutionOf(product: Tensor, [out, inner, height, width]: Shape4d): Tensor {
  const g = product.shape[0] as number;
  if (height === 1 && width === 1) return reshape(product, [g, out, inner, 1, 1]);
  return permute(reshape(product, [g, out, height, inner, width]), [0, 1, 3, 2, 4]);
}
