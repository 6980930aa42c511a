// How a user aggregates base models with its own labels: p(y|x) = Σ_k α_k p_k(y|z), α = softmax(a).
//
// Without labels α_k ∝ exp(−e_k / τ), where e_k is the mean reconstruction error of donor k under
// the user's autoencoder, and τ the median of them. With labels a is learnt by NLL from there and
// pulled back to it, and a step is kept only where it predicts labels better that it has not seen.

/**
 * α without labels: exp(−e_k / τ) / Σ exp(−e_j / τ), τ the median error (1 where it is 0).
 *
 * @param errors of K base models
 * @throws Error when an error is not finite
 */
export function priorLogits(errors: readonly number[]): Float64Array {
  if (errors.length === 0 || !errors.every(Number.isFinite))
    throw new Error(`the errors of the base models must be finite, got ${errors.join(', ')}`);
  const sorted = [...errors].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1
      ? (sorted[middle] as number)
      : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
  const tau = median > 0 ? median : 1;
  return Float64Array.from(errors, (error) => -error / tau);
}

/** softmax(a). */
export function mixtureWeights(logits: Float64Array): Float64Array {
  const most = Math.max(...logits);
  const powers = logits.map((value) => Math.exp(value - most));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((value) => value / total);
}

/** Options of `fitMixture`. */
export interface MixtureOptions {
  /** Steps of Adam. Default: 50. */
  readonly steps?: number;
  /** Learning rate of Adam. Default: 0.05. */
  readonly learningRate?: number;
}

/**
 * Learns a by Adam on −mean_j log Σ_k α_k p_k(y_j) + (2/n)·mean_k (a_k − a_prior,k)².
 *
 * @param truth p_k(y_j|z_j), the probabilities of the true classes [n, K], row-major
 * @param rows of `truth` that are learnt from. Default: all
 */
export function fitMixture(
  truth: Float64Array,
  prior: Float64Array,
  { steps = 50, learningRate = 0.05 }: MixtureOptions = {},
  rows?: readonly number[],
): Float64Array {
  const models = prior.length;
  const own = rows ?? Array.from({ length: truth.length / models }, (_, row) => row);
  const a = prior.slice();
  if (own.length === 0) return a;
  const [first, second] = [new Float64Array(models), new Float64Array(models)];
  for (let step = 1; step <= steps; step++) {
    const alpha = mixtureWeights(a);
    const gradient = a.map((value, k) => ((4 / own.length) * (value - (prior[k] as number))) / models);
    for (const row of own) {
      const total = mixed(truth, alpha, row);
      for (let k = 0; k < models; k++) {
        // ∂(−log Σ α p)/∂a_k = α_k − α_k p_k / Σ α p.
        const share = ((alpha[k] as number) * (truth[row * models + k] as number)) / total;
        gradient[k] = (gradient[k] as number) + ((alpha[k] as number) - share) / own.length;
      }
    }
    for (let k = 0; k < models; k++) {
      const g = gradient[k] as number;
      first[k] = 0.9 * (first[k] as number) + 0.1 * g;
      second[k] = 0.999 * (second[k] as number) + 0.001 * g * g;
      const rate = (learningRate * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step);
      a[k] = (a[k] as number) - (rate * (first[k] as number)) / (Math.sqrt(second[k] as number) + 1e-8);
    }
  }
  return a;
}

/** Σ_k α_k p_k(y) of a row, at least 10⁻¹². */
function mixed(truth: Float64Array, alpha: Float64Array, row: number): number {
  return alpha.reduce((total, share, k) => total + share * (truth[row * alpha.length + k] as number), 1e-12);
}

/** Mean log-likelihood of rows under a mixture. */
export function meanLogLikelihood(truth: Float64Array, logits: Float64Array, rows: readonly number[]): number {
  const alpha = mixtureWeights(logits);
  return rows.reduce((total, row) => total + Math.log(mixed(truth, alpha, row)), 0) / Math.max(1, rows.length);
}

/**
 * Parts in which each label is left out once: single labels up to `most` of them, else `most` parts
 * of about equal size.
 */
export function leftOutParts(count: number, most: number): number[][] {
  const parts = Math.min(count, most);
  return Array.from({ length: parts }, (_, part) =>
    Array.from({ length: count }, (_row, row) => row).filter((row) => row % parts === part),
  );
}

/**
 * Mean log-likelihood of labels that are left out, less that of the prior on them: above 0 where
 * learning α from the other labels pays.
 */
export function mixtureGain(truth: Float64Array, prior: Float64Array, options: MixtureOptions = {}): number {
  const count = truth.length / prior.length;
  const all = Array.from({ length: count }, (_, row) => row);
  if (count < 2) return Number.NEGATIVE_INFINITY;
  const gains = leftOutParts(count, 20).map((part) => {
    const rest = all.filter((row) => !part.includes(row));
    const learnt = fitMixture(truth, prior, options, rest);
    return part.length * (meanLogLikelihood(truth, learnt, part) - meanLogLikelihood(truth, prior, part));
  });
  return gains.reduce((a, b) => a + b, 0) / count;
}
