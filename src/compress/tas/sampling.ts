// Samples of a row of architecture logits a, by Gumbel noise g = −log(Exp(1)):
//
//   ã = (log softmax(a) + g)/τ,  p = softmax(ã)
//
// K different candidates I are drawn by p without replacement, and weigh softmax over I of ã. The
// weights pass gradients to a, the choice does not.

import {
  add,
  concatenate,
  logSoftmax,
  multiply,
  type Random,
  slice,
  softmax,
  type Tensor,
  tensor,
} from '../../tensor/index.js';

/** Candidates of a row, and what each weighs. */
export interface Sample {
  /** Numbers of the candidates, all different. */
  readonly chosen: readonly number[];
  /** Their weights [K], which sum to 1. */
  readonly weights: Tensor;
}

/** What is added to every probability before candidates are drawn. */
const LEAST = 1e-7;
/** Draws of noise that are tried before a row is refused. */
const TRIES = 100;

/** g = −log(Exp(1)), one value a candidate. */
export function gumbelNoise(count: number, random: Random): Float32Array {
  return Float32Array.from({ length: count }, () => -Math.log(-Math.log(1 - random.float())));
}

/**
 * ã of a row a [m], with finite values: noise is drawn again otherwise.
 *
 * @throws Error for logits that are not finite
 */
export function perturbed(logits: Tensor, temperature: number, random: Random): Tensor {
  if (!(temperature > 0)) throw new RangeError(`the temperature must be positive, got ${temperature}`);
  const normal = logSoftmax(logits);
  for (let trial = 0; trial < TRIES; trial++) {
    const noise = gumbelNoise(logits.size, random);
    if (!noise.every(Number.isFinite)) continue;
    const noisy = multiply(add(normal, tensor(noise)), 1 / temperature);
    if (noisy.dataSync().every(Number.isFinite)) return noisy;
  }
  throw new Error('architecture logits are not finite; try a smaller learning rate');
}

/** Draws k different numbers by weights that need not sum to 1. */
export function drawWithout(weights: ArrayLike<number>, k: number, random: Random): number[] {
  const left = Array.from(weights);
  return Array.from({ length: Math.min(k, left.length) }, () => {
    let at = random.float() * left.reduce((sum, own) => sum + own, 0);
    let last = 0;
    for (const [number, own] of left.entries()) {
      if (own <= 0) continue;
      last = number;
      at -= own;
      if (at < 0) break;
    }
    left[last] = 0;
    return last;
  });
}

/**
 * K candidates of a row, see above; all of them where K is at least their number.
 *
 * @param logits a [m]
 * @param k K
 */
export function sampleRow(logits: Tensor, temperature: number, k: number, random: Random): Sample {
  const noisy = perturbed(logits, temperature, random);
  if (k >= logits.size) return { chosen: Array.from({ length: logits.size }, (_, at) => at), weights: softmax(noisy) };
  const probabilities = Array.from(softmax(noisy).dataSync<Float32Array>(), (own) => own + LEAST);
  const chosen = drawWithout(probabilities, k, random);
  return { chosen, weights: softmax(concatenate(chosen.map((at) => slice(noisy, [at, at + 1])))) };
}

/** The candidate of the largest logit; the first of equals. */
export function argmaxOf(logits: Tensor): number {
  const values = logits.dataSync<Float32Array>();
  return values.reduce((best, own, at) => (own > (values[best] as number) ? at : best), 0);
}
