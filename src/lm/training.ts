// Training of decoders on next-token prediction.

import { randomWindows, type TokenBatch, type TokenSplit, windowsAt } from '../data/index.js';
import type { Decoder } from '../models/index.js';
import {
  AdamW,
  Clipped,
  crossEntropy,
  type ExpertContext,
  expertContext,
  type FitResult,
  fit,
  stateOf,
  type TrainingHooks,
  totalLoss,
  warmUpCosine,
} from '../nn/index.js';
import { add, multiply, type Random, reshape, scope, type Tensor } from '../tensor/index.js';

/** Hyperparameters of `trainLanguageModel`. */
export interface LanguageTrainingOptions extends TrainingHooks {
  /** Optimizer steps. Default: 400. */
  readonly steps?: number;
  /** Windows per step. Default: 16. */
  readonly batch?: number;
  /** Tokens per window. Default: 64. */
  readonly length?: number;
  /** Peak learning rate after warm-up. Default: 3e-3. */
  readonly learningRate?: number;
  /** Decoupled weight decay of matrices; vectors have none. Default: 0.01. */
  readonly weightDecay?: number;
  /** β: weight of the load-balance losses of mixture-of-experts layers. Default: 0.01. */
  readonly balance?: number;
  /**
   * Parts of a step's windows over each of which load balance is measured (`ExpertContext`).
   * Default: 1, all of them.
   */
  readonly balanceGroups?: number | undefined;
  /** Steps of an epoch, after which `onEpoch` is called. Default: 50. */
  readonly reportEvery?: number;
}

/** Mean next-token cross-entropy of `model` on a batch, in nats. */
export function nextTokenLoss(model: Decoder, { inputs, targets }: TokenBatch, context?: ExpertContext): Tensor {
  const logits = model.forward(inputs, context);
  return crossEntropy(reshape(logits, [targets.size, -1]), targets);
}

/**
 * Trains a decoder in place: AdamW (β₂ = 0.95, weight decay on matrices), gradients clipped to norm
 * 1, 5 % linear warm-up, then cosine decay. An epoch is `reportEvery` steps.
 */
export async function trainLanguageModel(
  model: Decoder,
  { train }: Pick<TokenSplit, 'train'>,
  random: Random,
  options: LanguageTrainingOptions = {},
): Promise<FitResult> {
  const { steps = 400, batch = 16, length = 64, learningRate = 3e-3, weightDecay = 0.01, balance = 0.01 } = options;
  const { balanceGroups } = options;
  const every = Math.min(steps, options.reportEvery ?? 50);
  const matrices = new Set(Object.entries(stateOf(model)).flatMap(([name, { rank }]) => (rank > 1 ? [name] : [])));
  const decay = (name: string) => (matrices.has(name) ? weightDecay : 0);
  return fit<Decoder, TokenBatch>({
    model,
    epochs: Math.ceil(steps / every),
    random,
    optimizer: new Clipped(new AdamW({ learningRate, beta2: 0.95, weightDecay: decay }), 1),
    schedule: warmUpCosine(steps),
    *batches(order) {
      for (let i = 0; i < every; i++) yield scope(() => randomWindows(train, batch, length, order.split(i)));
    },
    loss: (live, tokens, mode) => {
      const context = expertContext({ ...mode, balanceGroups });
      const loss = nextTokenLoss(live, tokens, context);
      const balanceLoss = totalLoss(context.losses);
      return balanceLoss ? add(loss, multiply(balanceLoss, balance)) : loss;
    },
    signal: options.signal,
    checkpoint: options.checkpoint,
    onEpoch: options.onEpoch,
  });
}

/**
 * Mean cross-entropy in nats over the first `windows` adjacent windows.
 *
 * @throws Error when the text is shorter than a window.
 */
export function validationLoss(
  model: Decoder,
  { validation }: Pick<TokenSplit, 'validation'>,
  { length = 64, windows = 512, batch = 32 } = {},
): number {
  const count = Math.min(windows, Math.floor((validation.length - 1) / length));
  if (count < 1)
    throw new Error(`a validation text of ${validation.length} tokens is shorter than a window of ${length + 1}`);
  let total = 0;
  for (let first = 0; first < count; first += batch) {
    const starts = Array.from({ length: Math.min(batch, count - first) }, (_, i) => (first + i) * length);
    total += starts.length * scope(() => nextTokenLoss(model, windowsAt(validation, starts, length)).item());
  }
  return total / count;
}
