// MagNet (Zhang, He, Brugnone, Perlmutter, Hirn, "MagNet: A Neural Network for Directed Graphs",
// NeurIPS 2021): Chebyshev filters of the magnetic Laplacian on complex features.
//
//   Z' = Σ_{k ≤ K} T_k(L̃)·Z·W_k + b·(1 + i),  L̃ = 2/λ_max·L − I = −H with λ_max = 2
//   T₀ = I,  T₁ = L̃,  T_k = 2·L̃·T_{k−1} − T_{k−2}

import { Dropout, type Features, Linear, type Mode, parameter } from '../../nn/index.js';
import { SparseMatrix, spmm } from '../../sparse/index.js';
import { type Graph, magneticOperator } from '../../structure/index.js';
import {
  add,
  concatenate,
  greaterEqual,
  matmul,
  multiply,
  type Random,
  slice,
  subtract,
  type Tensor,
  zeros,
} from '../../tensor/index.js';
import type { GraphModule } from './propagate.js';

/** Complex features of n nodes: n rows of real parts, then n rows of imaginary parts [2n, d]. */
export type ComplexFeatures = Tensor;

/** x as real and as imaginary part: [n, d] → [2n, d]. */
export function bothParts(x: Tensor): ComplexFeatures {
  return concatenate([x, x], 0);
}

/** [Re ‖ Im]: [2n, d] → [n, 2d]. */
export function partsSideBySide(z: ComplexFeatures): Tensor {
  const n = (z.shape[0] as number) / 2;
  return concatenate([slice(z, [0, n]), slice(z, [n, 2 * n])], 1);
}

/** z where its real part is at least 0, else 0. */
export function complexRelu(z: ComplexFeatures): ComplexFeatures {
  const n = (z.shape[0] as number) / 2;
  return multiply(z, bothParts(greaterEqual(slice(z, [0, n]), 0)));
}

/** MagNet's layer, see above: real weights W_k that real and imaginary parts share. */
export class MagNetConv {
  /** W_k, k = 0 … K, each [in, out], from U(±1/√out). */
  readonly weights: Tensor[];
  /** b [out]. */
  bias: Tensor;

  /** @param order K */
  constructor(inFeatures: number, outFeatures: number, order: number, random: Random) {
    const bound = 1 / Math.sqrt(outFeatures);
    this.weights = Array.from({ length: order + 1 }, (_, k) =>
      parameter(random.split(k).uniform([inFeatures, outFeatures], -bound, bound)),
    );
    this.bias = parameter(zeros([outFeatures]));
  }

  /**
   * @param z complex features [2n, in], or real ones [n, in] that stand for both parts
   * @param hermitian H as a real matrix [2n, 2n], see `ComplexMatrix.embedding`
   * @returns [2n, out]
   */
  forward(z: ComplexFeatures | Features, hermitian: SparseMatrix): ComplexFeatures {
    const isReal = (z instanceof SparseMatrix ? z.rows : z.shape[0]) !== hermitian.rows;
    const transformed = this.weights.map((weight) => {
      const y = z instanceof SparseMatrix ? spmm(z, weight) : matmul(z, weight);
      return isReal ? bothParts(y) : y;
    });
    return add(
      chebyshevSum(transformed, (y) => multiply(spmm(hermitian, y), -1)),
      this.bias,
    );
  }
}

/**
 * Σ_k T_k(L)·y_k by Clenshaw's recurrence, b_k = y_k + 2·L·b_{k+1} − b_{k+2}: as many products with
 * L as the largest k.
 */
export function chebyshevSum(terms: readonly Tensor[], product: (y: Tensor) => Tensor): Tensor {
  let [first, second] = [undefined as Tensor | undefined, undefined as Tensor | undefined];
  for (let k = terms.length - 1; k >= 1; k--) {
    let next = terms[k] as Tensor;
    if (first) next = add(next, multiply(product(first), 2));
    if (second) next = subtract(next, second);
    [first, second] = [next, first];
  }
  const [constant] = terms as [Tensor, ...Tensor[]];
  const sum = first ? add(constant, product(first)) : constant;
  return second ? subtract(sum, second) : sum;
}

/** The convolutions of MagNet. */
export interface MagNetEncoderOptions {
  /** Number of layers. Default: 2. */
  readonly layers?: number;
  /** K, the order of the filters. Default: 1. */
  readonly order?: number;
  /** q of the magnetic Laplacian; 0 ignores directions. Default: 0.25. */
  readonly q?: number;
  /** Whether `complexRelu` follows each layer. Default: true. */
  readonly activation?: boolean;
}

/** Layout of MagNet. */
export interface MagNetOptions extends MagNetEncoderOptions {
  /** Hidden width, of real and of imaginary parts. Default: 16. */
  readonly hidden?: number;
  /** Dropout probability before the classifier. Default: 0.5. */
  readonly dropout?: number;
}

/**
 * Complex convolutions alone, whose input is both parts: what heads on pairs of nodes read. A
 * linear layer between would let both parts and their phases be found again by the head alone,
 * which takes training a long time.
 *
 * **Shapes**: x [n, inFeatures] → [Re ‖ Im] [n, outFeatures].
 *
 * @throws RangeError for an odd number of outputs
 */
export class MagNetEncoder implements GraphModule {
  /** The convolutions. */
  readonly layers: readonly MagNetConv[];
  readonly #q: number;
  readonly #activation: boolean;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { layers = 2, order = 1, q = 0.25, activation = true }: MagNetEncoderOptions = {},
  ) {
    if (outFeatures % 2 !== 0)
      throw new RangeError(`MagNetEncoder: real and imaginary parts are as wide, so ${outFeatures} outputs cannot be`);
    const hidden = outFeatures / 2;
    this.layers = Array.from(
      { length: layers },
      (_, l) => new MagNetConv(l === 0 ? inFeatures : hidden, hidden, order, random.split(l)),
    );
    this.#q = q;
    this.#activation = activation;
  }

  forward(x: Features, graph: Graph, _mode: Mode): Tensor {
    const hermitian = magneticOperator(graph, this.#q).embedding;
    const z = this.layers.reduce<Features>((features, layer) => {
      const y = layer.forward(features, hermitian);
      return this.#activation ? complexRelu(y) : y;
    }, x);
    return partsSideBySide(z as Tensor);
  }
}

/**
 * Complex convolutions and a linear classifier of real and imaginary parts.
 *
 * **Shapes**: x [n, inFeatures] → logits [n, outFeatures].
 */
export class MagNet extends MagNetEncoder {
  /** Classifier of [Re ‖ Im]. */
  readonly head: Linear;
  readonly #dropout: Dropout;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { hidden = 16, dropout = 0.5, ...options }: MagNetOptions = {},
  ) {
    super(inFeatures, 2 * hidden, random, options);
    this.head = new Linear(2 * hidden, outFeatures, random.split('head'));
    this.#dropout = new Dropout(dropout);
  }

  override forward(x: Features, graph: Graph, mode: Mode): Tensor {
    return this.head.forward(this.#dropout.forward(super.forward(x, graph, mode), mode));
  }
}
