// The losses of BlockFFN that make neighbouring tokens use the same few blocks. Tokens of a
// document that are only padding are masked.

import {
  add,
  divide,
  exp,
  log,
  mean,
  multiply,
  reshape,
  sigmoid,
  slice,
  softplus,
  subtract,
  sum,
  type Tensor,
  tensor,
} from '../../tensor/index.js';

/** Keeps quotients and logarithms finite, as in the authors' code. */
const SMALL = 1e-5;

/**
 * Activation locality: consecutive tokens should have router logits of one sign,
 *
 * L_AL = mean over t, i of BCE(α·r_{t−1,i}, σ(α·r_{t,i})), BCE(z, y) = softplus(z) − z·y.
 *
 * Gradients flow to both sides.
 *
 * @param logits r [batch, length, E]; rows of a batch are documents of their own
 * @param mask 1 for tokens, 0 for padding [batch·length]. Default: no padding
 * @param steepness α
 */
export function activationLocality(logits: Tensor, mask?: ArrayLike<number>, steepness = 100): Tensor {
  const [batch, length, experts] = logits.shape as [number, number, number];
  if (length < 2) throw new RangeError('activationLocality: a window needs at least two tokens');
  const before = multiply(slice(logits, null, [0, length - 1]), steepness);
  const target = sigmoid(multiply(slice(logits, null, [1, length]), steepness));
  const each = subtract(softplus(before), multiply(before, target)); // [batch, length − 1, E]
  if (!mask) return mean(each);
  const pairs = new Float32Array(batch * (length - 1));
  for (let b = 0; b < batch; b++)
    for (let t = 1; t < length; t++)
      pairs[b * (length - 1) + t - 1] = (mask[b * length + t - 1] as number) * (mask[b * length + t] as number);
  const count = pairs.reduce((total, pair) => total + pair, 0);
  return multiply(sum(multiply(each, tensor(pairs, [batch, length - 1, 1]))), 1 / Math.max(1, count * experts));
}

/**
 * Chunk sparsification: the mean share of blocks that a chunk of C consecutive tokens uses, with
 * p_{t,i} = A⁰_{t,i}/(Σⱼ A⁰_{t,j} + 10⁻⁵) as the probability that token t uses block i,
 *
 * L_CS = 1 − mean over c, i of exp(Σ_{t∈c} ln(1 − p_{t,i} + 10⁻⁵)).
 *
 * Masked tokens have p = 0; chunks without a token are left out.
 *
 * @param normalised A⁰ [batch, length, E]
 * @param mask 1 for tokens, 0 for padding [batch·length]. Default: no padding
 * @param chunk C
 * @throws RangeError when the length is not a multiple of C.
 */
export function chunkSparsification(normalised: Tensor, mask?: ArrayLike<number>, chunk = 64): Tensor {
  const [batch, length, experts] = normalised.shape as [number, number, number];
  if (length % chunk !== 0)
    throw new RangeError(
      `chunkSparsification: windows of ${length} tokens are no chunks of ${chunk}; pad them, and mask the padding`,
    );
  const chunks = (batch * length) / chunk;
  const all = divide(normalised, add(sum(normalised, 2, { keepAxes: true }), SMALL));
  const p = mask ? multiply(all, tensor(Float32Array.from(mask), [batch, length, 1])) : all;
  const logs = log(add(multiply(p, -1), 1 + SMALL));
  const unused = exp(sum(reshape(logs, [chunks, chunk, experts]), 1)); // [chunks, E]
  if (!mask) return subtract(1, mean(unused));
  const used = new Float32Array(chunks);
  for (let t = 0; t < batch * length; t++) if ((mask[t] as number) > 0) used[Math.floor(t / chunk)] = 1;
  const count = used.reduce((total, one) => total + one, 0);
  const kept = multiply(sum(multiply(unused, tensor(used, [chunks, 1]))), 1 / Math.max(1, count * experts));
  return subtract(Number(count > 0), kept);
}
