// BlockFFN's training objective: activation locality and chunk sparsification beside the loss of
// the next token.

import type { TokenBatch } from '../../data/index.js';
import type { BlockGates } from '../../nn/experts/index.js';
import { add, multiply, pad, type Tensor } from '../../tensor/index.js';
import type { TrainingObjective } from '../training.js';
import { AdaptiveFactor, type AdaptiveFactorOptions } from './factor.js';
import { activationLocality, chunkSparsification } from './losses.js';

/** Weights of BlockFFN's losses. */
export interface BlockSparsityOptions {
  /** λ of the activation locality. Default: 2e-3. */
  readonly locality?: number;
  /** κ₀ of the chunk sparsification. Default: 0.05. */
  readonly chunkSparsity?: number;
  /** C, tokens of a chunk. Default: 64. */
  readonly chunk?: number;
  /** α, steepness of the activation locality. Default: 100. */
  readonly steepness?: number;
  /** How κ adapts; constant κ₀ when false. Default: as `AdaptiveFactor`. */
  readonly schedule?: Omit<AdaptiveFactorOptions, 'initial'> | false;
}

/** The schedule of κ for a training of some steps: the paper's, shortened for few. */
export function scheduleFor(steps: number): { readonly start: number; readonly window: number } {
  return { start: Math.min(1000, Math.floor(steps / 4)), window: Math.min(100, Math.max(1, Math.floor(steps / 12))) };
}

/**
 * λ·L_AL + κ·L_CS, both means over layers, with κ adapting to L_CS. Windows that are no multiple of
 * C are padded, and the padding masked.
 */
export class BlockSparsity implements TrainingObjective {
  /** κ. */
  readonly factor: AdaptiveFactor;
  readonly #options: Required<BlockSparsityOptions>;
  #chunkLoss = Number.NaN;

  /** @throws RangeError for a negative weight, or a chunk of less than a token. */
  constructor({
    locality = 2e-3,
    chunkSparsity = 0.05,
    chunk = 64,
    steepness = 100,
    schedule = {},
  }: BlockSparsityOptions = {}) {
    if (!(locality >= 0 && chunkSparsity >= 0))
      throw new RangeError(`BlockSparsity: weights of ${locality} and ${chunkSparsity}; they must not be negative`);
    if (!(Number.isInteger(chunk) && chunk > 0)) throw new RangeError(`BlockSparsity: chunks of ${chunk} tokens`);
    this.#options = { locality, chunkSparsity, chunk, steepness, schedule };
    this.factor = new AdaptiveFactor({ ...(schedule || {}), initial: chunkSparsity });
  }

  /** κ of the next step. */
  get kappa(): number {
    return this.#options.schedule === false ? this.#options.chunkSparsity : this.factor.value;
  }

  terms(gates: readonly BlockGates[], { mask }: Pick<TokenBatch, 'mask'>): Tensor {
    const { locality, chunk, steepness } = this.#options;
    if (gates.length === 0) throw new Error('BlockSparsity: the model has no layer of blocks');
    const meanOf = (loss: (layer: BlockGates) => Tensor) =>
      multiply(
        gates.map(loss).reduce((a, b) => add(a, b)),
        1 / gates.length,
      );
    const chunkLoss = meanOf(({ normalised }) => {
      const [batch, length] = normalised.shape as [number, number];
      const missing = (chunk - (length % chunk)) % chunk;
      if (missing === 0) return chunkSparsification(normalised, mask, chunk);
      const padded = pad(normalised, [
        [0, 0],
        [0, missing],
        [0, 0],
      ]);
      return chunkSparsification(padded, paddedMask(mask, batch, length, missing), chunk);
    });
    this.#chunkLoss = chunkLoss.item();
    const chunkTerm = multiply(chunkLoss, this.kappa);
    if (locality === 0) return chunkTerm;
    return add(
      chunkTerm,
      multiply(
        meanOf(({ logits }) => activationLocality(logits, mask, steepness)),
        locality,
      ),
    );
  }

  advance(): void {
    this.factor.update(this.#chunkLoss);
  }

  state(): Float64Array {
    return this.factor.state();
  }

  restore(state: Float64Array): void {
    this.factor.restore(state);
  }
}

/** A mask of windows with zeros behind each. */
function paddedMask(mask: Float32Array | undefined, batch: number, length: number, missing: number): Float32Array {
  const padded = new Float32Array(batch * (length + missing));
  for (let b = 0; b < batch; b++)
    for (let t = 0; t < length; t++) padded[b * (length + missing) + t] = mask?.[b * length + t] ?? 1;
  return padded;
}
