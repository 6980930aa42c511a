import { describe, expect, test } from 'vitest';
import { MultVAE } from '../../src/recommend/index.js';
import { Random, scope } from '../../src/tensor/index.js';
import { interactionsOf } from './planted.js';

/** A Mult-VAE of one unit in each layer, whose numbers are given. */
function small(data = interactionsOf([[0, 1]], 3), beta = 0.2) {
  const model = new MultVAE(data, new Random(1), { hidden: 1, latent: 1, inputDropout: 0, beta, annealing: 10 });
  const numbers: Record<string, number[]> = {
    ...{ 'encoder.weight': [1, 2, 3], 'encoder.bias': [0.1], 'posterior.weight': [0.5, 0], 'posterior.bias': [0, -40] },
    ...{ 'decoder.weight': [2], 'decoder.bias': [0.2], 'output.weight': [1, -1, 0.5], 'output.bias': [0, 0.3, 0] },
  };
  for (const [name, values] of Object.entries(numbers)) model.weights[name]?.values.assign(Float32Array.from(values));
  return model;
}

/** μ and the logits of a user with items 0 and 1, by hand. */
function byHand() {
  const hidden = Math.tanh((1 + 2) / Math.sqrt(2) + 0.1);
  const mu = 0.5 * hidden;
  const own = Math.tanh(2 * mu + 0.2);
  return { mu, logits: [own, -own + 0.3, 0.5 * own] };
}

describe('Mult-VAE by hand', () => {
  test('answers from the unit input, through tanh, without noise', () => {
    const { logits } = byHand();
    const scores = small().scores(0);
    logits.forEach((logit, item) => {
      expect(scores[item]).toBeCloseTo(logit, 5);
    });
  });

  test('has the loss −Σ x·log softmax + β·KL, β growing to its bound', () => {
    const { mu, logits } = byHand();
    const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
    const likelihood = (logits[0] as number) - total + ((logits[1] as number) - total);
    // The variance e^−40 is next to none, so that z is μ.
    const kl = -0.5 * (1 - 40 - mu * mu - Math.exp(-40));
    const lossAt = (step: number) =>
      scope(() => small().gradients(Int32Array.of(0), { random: new Random(2), step, dense: false }).loss);
    expect(lossAt(1)).toBeCloseTo(-likelihood + 0.1 * kl, 4);
    expect(lossAt(9)).toBeCloseTo(-likelihood + 0.2 * kl, 4);
  });
});
