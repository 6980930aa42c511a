// The predictor of a sparse head: which rows of the vocabulary a token needs, by a product of low
// rank.

import { randomWindows } from '../../data/index.js';
import type { Decoder } from '../../models/index.js';
import { AdamW, fit, Linear, type TrainingHooks, warmUpCosine } from '../../nn/index.js';
import {
  add,
  linear,
  mean,
  multiply,
  type Random,
  reshape,
  scope,
  softplus,
  type Tensor,
  tensor,
} from '../../tensor/index.js';

/** What `trainHeadPredictor` trains on. */
export interface HeadTraining {
  /** Training tokens. */
  readonly tokens: Int32Array;
  /** Source of the windows and of the initial weights. */
  readonly random: Random;
}

/** Options of `trainHeadPredictor`. */
export interface HeadPredictorOptions extends TrainingHooks {
  /** p, the rank. Default: 128, at most the width of the model. */
  readonly rank?: number;
  /** Share of the vocabulary that counts as needed: that of the largest logits. Default: 0.01. */
  readonly share?: number;
  /** Weight of needed rows in the loss. Default: 10. */
  readonly positives?: number;
  /** Optimizer steps. Default: 300. */
  readonly steps?: number;
  /** Windows per step. Default: 8. */
  readonly batch?: number;
  /** Tokens of a window. Default: 64. */
  readonly length?: number;
  /** Peak learning rate. Default: 1e-2. */
  readonly learningRate?: number;
}

/**
 * Trains s = W₂(W₁ h), W₁ [p, d], W₂ [V, p], to tell which logits of a decoder are among the
 * largest: binary cross-entropy of σ(s), with the decoder as it is. The paper publishes such
 * predictors, and not how they were trained.
 *
 * @returns `lm_head_profiler.weight`, the rows of W₁ and then those of W₂ [p·(d + V)], as the files
 * of SmallThinker have it
 */
export async function trainHeadPredictor(
  model: Decoder,
  { tokens, random }: HeadTraining,
  options: HeadPredictorOptions = {},
): Promise<Tensor> {
  const { share = 0.01, positives = 10, steps = 300, batch = 8, length = 64, learningRate = 1e-2 } = options;
  const head = (model.lmHead ?? model.model.embedTokens).weight;
  const [vocabulary, features] = head.shape as [number, number];
  const rank = Math.min(options.rank ?? 128, features);
  const needed = Math.max(1, Math.round(share * vocabulary));
  const every = Math.min(steps, 50);
  const predictor = {
    down: new Linear(features, rank, random.split('down'), { bias: false }),
    up: new Linear(rank, vocabulary, random.split('up'), { bias: false }),
  };
  await fit<typeof predictor, { readonly states: Tensor; readonly labels: Tensor }>({
    model: predictor,
    epochs: Math.ceil(steps / every),
    random: random.split('fit'),
    optimizer: new AdamW({ learningRate, weightDecay: () => 0 }),
    schedule: warmUpCosine(steps),
    *batches(order) {
      for (let i = 0; i < every; i++)
        yield scope(() => {
          const { inputs } = randomWindows(tokens, batch, length, order.split(i));
          const states = reshape(model.hidden(inputs), [-1, features]);
          return { states, labels: largest(linear(states, head), needed) };
        });
    },
    loss: (live, { states, labels }) => {
      const s = live.up.forward(live.down.forward(states));
      // −log σ(s) of needed rows, −log(1 − σ(s)) of others.
      const missed = multiply(multiply(labels, softplus(multiply(s, -1))), positives);
      return mean(add(missed, multiply(add(multiply(labels, -1), 1), softplus(s))));
    },
    signal: options.signal,
    checkpoint: options.checkpoint,
    onEpoch: options.onEpoch,
  });
  const flat = new Float32Array(rank * (features + vocabulary));
  flat.set(predictor.down.weight.dataSync<Float32Array>());
  flat.set(predictor.up.weight.dataSync<Float32Array>(), rank * features);
  return tensor(flat);
}

/** 1 for the `count` largest logits of each row, else 0. */
function largest(logits: Tensor, count: number): Tensor {
  const [rows, vocabulary] = logits.shape as [number, number];
  const values = logits.dataSync<Float32Array>();
  const labels = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const own = values.subarray(row * vocabulary, (row + 1) * vocabulary);
    const least = Float32Array.from(own).sort()[vocabulary - count] as number;
    for (let i = 0; i < vocabulary; i++) labels[row * vocabulary + i] = Number((own[i] as number) >= least);
  }
  return tensor(labels, [rows, vocabulary]);
}
