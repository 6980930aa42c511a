// The multilayer perceptron.

import type { SparseMatrix } from '../sparse/index.js';
import type { Random, Tensor } from '../tensor/index.js';
import { Dropout } from './dropout.js';
import { Linear } from './linear.js';
import type { Mode } from './module.js';
import { BatchNorm1d } from './normalization.js';

/** Options of the hidden blocks. */
export interface MLPOptions {
  /** Normalisation after each hidden activation. Default: `none`. */
  readonly norm?: 'none' | 'batch';
  /** Dropout probability after each hidden block. Default: 0. */
  readonly dropout?: number;
}

/** One hidden block: linear → ReLU → norm → dropout. */
class Block {
  readonly linear: Linear;
  readonly norm: BatchNorm1d | undefined;
  readonly #dropout: Dropout;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { norm = 'none', dropout = 0 }: MLPOptions = {},
  ) {
    this.linear = new Linear(inFeatures, outFeatures, random);
    this.norm = norm === 'batch' ? new BatchNorm1d(outFeatures) : undefined;
    this.#dropout = new Dropout(dropout);
  }

  forward(x: Tensor | SparseMatrix, mode: Mode): Tensor {
    const hidden = this.linear.forward(x, 'relu');
    return this.#dropout.forward(this.norm ? this.norm.forward(hidden, mode) : hidden, mode);
  }
}

/**
 * Multilayer perceptron of sizes `[in, hidden…, out]`: hidden blocks
 * linear → ReLU → norm → dropout, then a linear layer.
 *
 * @throws Error when `sizes` has fewer than two entries.
 * @example new MLP([784, 256, 256, 10], random).forward(x, inference)
 */
export class MLP {
  /** Hidden blocks. */
  readonly blocks: readonly Block[];
  /** Output layer. */
  readonly head: Linear;

  constructor(sizes: readonly number[], random: Random, options: MLPOptions = {}) {
    const [first, last] = [sizes[0], sizes.at(-1)];
    if (sizes.length < 2 || first === undefined || last === undefined)
      throw new Error(`MLP: expected at least [in, out], got [${sizes.join(', ')}]`);
    this.blocks = sizes.slice(1, -1).map((size, index) => new Block(sizes[index] as number, size, random, options));
    this.head = new Linear(sizes.at(-2) as number, last, random);
  }

  /** x [n, in] → [n, out]. */
  forward(x: Tensor | SparseMatrix, mode: Mode): Tensor {
    return this.head.forward(this.hidden(x, mode), 'none');
  }

  /** Last hidden representation [n, hidden]; x itself without hidden blocks. */
  hidden(x: Tensor | SparseMatrix, mode: Mode): Tensor | SparseMatrix {
    return this.blocks.reduce((features, block) => block.forward(features, mode), x);
  }
}
