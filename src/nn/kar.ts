// Kar2 and Kar3: optimisers that step by signs alone, from HyperZZW (Zhang 2024).

import { add, multiply, scope, sign, type Tensor } from '../tensor/index.js';
import { blend, requireRate, Stateful } from './optimizers.js';

/** Hyperparameters of Kar2 and Kar3. */
export interface KarOptions {
  /**
   * Learning rate η. A step is at most 3η long in each weight (2η in Kar2) whatever the gradient,
   * so that η has to fall to 0 by a schedule. Default: 1e-3.
   */
  readonly learningRate?: number;
  /** Decays β of the averages of gradients. Default: [0.5, 0.95] in `Kar3`, [0.95] in `Kar2`. */
  readonly betas?: readonly number[];
}

/**
 * Kar3: w ← w − η·(sign(g) + sign(m₁) + sign(m₂)) with the averages of the steps before, then
 * mᵢ ← βᵢ·mᵢ + (1 − βᵢ)·g. The sign of 0 is 0. There is no weight decay.
 *
 * @throws RangeError when the learning rate is not positive, or a β is not in [0, 1)
 * @see Zhang: HyperZ⋅Z⋅W Operator Connects Slow-Fast Networks for Full Context Interaction, 2024
 */
export class Kar3 extends Stateful {
  protected readonly betas: readonly number[];

  constructor(readonly options: KarOptions = {}) {
    super();
    requireRate(options.learningRate);
    this.betas = options.betas ?? [0.5, 0.95];
    for (const beta of this.betas)
      if (!(beta >= 0 && beta < 1)) throw new RangeError(`Kar: β must be in [0, 1), got ${beta}`);
  }

  protected updateOne(name: string, parameter: Tensor, gradient: Tensor, rateFactor: number): void {
    const { learningRate = 1e-3 } = this.options;
    const averages = this.betas.map((_, i) => this.moment(`average${i + 1}`, name, parameter));
    scope(() => {
      // A gradient that is not finite would have a sign; times 0 it is NaN, and shows.
      const own = add(sign(gradient), multiply(gradient, 0));
      const step = averages.reduce((total, average) => add(total, sign(average)), own);
      blend(parameter, 1, step, -learningRate * rateFactor);
    });
    this.betas.forEach((beta, i) => {
      blend(averages[i] as Tensor, beta, gradient, 1 - beta);
    });
  }
}

/** Kar2: `Kar3` with one average, of β 0.95. */
export class Kar2 extends Kar3 {
  constructor(options: KarOptions = {}) {
    super({ betas: [0.95], ...options });
  }
}
