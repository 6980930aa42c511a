// Sampling of the next token from logits.

import { Random } from '../../tensor/index.js';

/** Options of `Sampler`. */
export interface SamplingOptions {
  /** Divides logits; 0 decodes greedily. Default: 0.8. */
  readonly temperature?: number;
  /** Keeps the `topK` most probable tokens; 0 for all. Default: 40. */
  readonly topK?: number;
  /**
   * Nucleus sampling: keeps the smallest set of most probable tokens with at least this total
   * probability. Default: 0.95.
   */
  readonly topP?: number;
  /** Keeps tokens with at least this fraction of the highest probability. Default: 0.05. */
  readonly minP?: number;
  /**
   * Divides positive and multiplies negative logits of tokens within the last `repeatWindow`.
   * Default: 1.
   */
  readonly repeatPenalty?: number;
  /**
   * Subtracted from a logit for each occurrence of its token within the last `repeatWindow`.
   * Default: 0.
   */
  readonly frequencyPenalty?: number;
  /** Subtracted from the logit of each token within the last `repeatWindow`. Default: 0. */
  readonly presencePenalty?: number;
  /** Latest tokens that penalties look at. Default: 64. */
  readonly repeatWindow?: number;
  /** Added to logits, by token id. Default: none. */
  readonly logitBias?: Readonly<Record<number, number>>;
  /** Seed of the random stream. Default: 0. */
  readonly seed?: number;
}

const defaults = {
  temperature: 0.8,
  topK: 40,
  topP: 0.95,
  minP: 0.05,
  repeatPenalty: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
  repeatWindow: 64,
  logitBias: {} as Readonly<Record<number, number>>,
  seed: 0,
};

const ranges: Readonly<Record<string, readonly [low: number, high: number]>> = {
  temperature: [0, 100],
  topK: [0, Number.MAX_SAFE_INTEGER],
  topP: [0, 1],
  minP: [0, 1],
  repeatPenalty: [1e-3, 100],
  frequencyPenalty: [-100, 100],
  presencePenalty: [-100, 100],
  repeatWindow: [0, Number.MAX_SAFE_INTEGER],
};

/**
 * Without top-k, tokens below e⁻⁴⁰ of the highest probability are dropped: random numbers never
 * reach them.
 */
const OUT_OF_REACH = 40;

/**
 * Samples tokens; equal seeds and logits give equal tokens. Steps in llama.cpp's order: bias,
 * penalties, top-k, top-p, min-p, temperature.
 */
export class Sampler {
  readonly #random: Random;
  readonly #options: Required<SamplingOptions>;

  /** @throws RangeError naming the option out of its range. */
  constructor(options: SamplingOptions = {}) {
    this.#options = { ...defaults, ...options };
    for (const [name, [low, high]] of Object.entries(ranges)) {
      const value = this.#options[name as keyof SamplingOptions] as number;
      if (!(value >= low && value <= high))
        throw new RangeError(`sampling: ${name} must be from ${low} to ${high}, got ${value}`);
    }
    this.#random = new Random(this.#options.seed);
  }

  /**
   * Samples a token from logits [vocabulary].
   *
   * @param history tokens so far, for the penalties
   * @throws Error when logits are not finite
   */
  next(logits: Float32Array, history: readonly number[] = []): number {
    const { temperature, topK, topP, minP } = this.#options;
    const adjusted = this.#adjust(logits, history);
    // Tokens that may not follow have −∞.
    const first = highest(adjusted, temperature === 0 ? 1 : Math.max(1, topK)).filter(
      (token) => adjusted[token] !== Number.NEGATIVE_INFINITY,
    );
    const best = first[0] as number;
    const top = adjusted[best] ?? Number.NaN;
    if (!Number.isFinite(top)) throw new Error('sampling: the logits are not finite');
    if (temperature === 0) return best;
    let kept = nucleus(topK > 0 ? first : sorted(adjusted, adjusted.length, top - OUT_OF_REACH), adjusted, topP);
    if (minP > 0) kept = kept.filter((token) => (adjusted[token] as number) >= top + Math.log(minP));
    const { weights, total } = weightsOf(kept, adjusted, temperature);
    let rest = this.#random.float() * total;
    const at = weights.findIndex((weight) => {
      rest -= weight;
      return rest < 0;
    });
    return kept.at(at) as number;
  }

  #adjust(logits: Float32Array, history: readonly number[]): Float32Array {
    const { repeatPenalty, frequencyPenalty, presencePenalty, repeatWindow, logitBias } = this.#options;
    const biases = Object.entries(logitBias);
    const penalised = repeatWindow > 0 && (repeatPenalty !== 1 || frequencyPenalty !== 0 || presencePenalty !== 0);
    if (biases.length === 0 && !penalised) return logits;
    const changed = logits.slice();
    for (const [token, bias] of biases) changed[Number(token)] = (changed[Number(token)] as number) + bias;
    if (!penalised) return changed;
    const counts = new Map<number, number>();
    for (const token of history.slice(-repeatWindow)) counts.set(token, (counts.get(token) ?? 0) + 1);
    for (const [token, count] of counts) {
      const value = changed[token] as number;
      const repeated = value > 0 ? value / repeatPenalty : value * repeatPenalty;
      changed[token] = repeated - count * frequencyPenalty - presencePenalty;
    }
    return changed;
  }
}

/** From this count on, sorting is faster than keeping a sorted list. */
const MANY = 64;

/** The tokens of the `count` highest logits, highest first; ties go to the lower token id. */
export function highest(logits: Float32Array, count: number): number[] {
  if (count >= MANY) return sorted(logits, count, Number.NEGATIVE_INFINITY);
  const kept: number[] = [];
  let least = Number.NEGATIVE_INFINITY;
  for (let token = 0; token < logits.length; token++) {
    const value = logits[token] as number;
    if (kept.length === count && !(value > least)) continue;
    let at = kept.length < count ? kept.length : count - 1;
    for (; at > 0 && (logits[kept[at - 1] as number] as number) < value; at--) kept[at] = kept[at - 1] as number;
    kept[at] = token;
    least = logits[kept.at(-1) as number] as number;
  }
  return kept;
}

/**
 * The tokens of the `count` highest logits of at least `least`, highest first; ties go to the lower
 * token id. Numbers without a comparison function sort several times faster: a key is the logit's
 * bits, made monotone, times the number n of tokens, plus the token from the end; it is exact up to
 * n = 2²¹.
 */
function sorted(logits: Float32Array, count: number, least: number): number[] {
  // Adding 0 makes -0 a 0.
  const orders = new Int32Array(logits.map((value) => value + 0).buffer);
  for (let token = 0; token < orders.length; token++) {
    const bits = orders[token] as number;
    if (bits < 0) orders[token] = bits ^ 0x7fffffff;
  }
  const n = orders.length;
  const from = highBitsOf(orders, count);
  const keys = new Float64Array(n);
  let kept = 0;
  for (let token = 0; token < n; token++) {
    const order = orders[token] as number;
    if (order >> 16 < from || (logits[token] as number) < least) continue;
    keys[kept] = order * n + (n - 1 - token);
    kept += 1;
  }
  const order = keys.subarray(0, kept).sort();
  const tokens: number[] = [];
  for (let i = kept - 1; i >= 0 && tokens.length < count; i--) {
    const key = order[i] as number;
    tokens.push(n - 1 - (key - Math.floor(key / n) * n));
  }
  return tokens;
}

/** The highest upper half that is in `count` numbers or more, or greater in them. */
function highBitsOf(orders: Int32Array, count: number): number {
  const half = 2 ** 15;
  if (count >= orders.length) return -half;
  const counts = new Int32Array(2 * half);
  for (let i = 0; i < orders.length; i++) {
    const bucket = ((orders[i] as number) >> 16) + half;
    counts[bucket] = (counts[bucket] as number) + 1;
  }
  let sum = 0;
  let bucket = counts.length;
  while (bucket > 0 && sum < count) sum += counts[--bucket] as number;
  return bucket - half;
}

/**
 * The shortest prefix of `kept`, sorted by falling logits, with a probability of at least `topP`.
 */
function nucleus(kept: number[], logits: Float32Array, topP: number): number[] {
  if (topP >= 1) return kept;
  const { weights, total } = weightsOf(kept, logits, 1);
  let sum = 0;
  const last = weights.findIndex((weight) => {
    sum += weight;
    return sum >= topP * total;
  });
  return kept.slice(0, last + 1);
}

/** exp((logit − first)/temperature) of tokens, and their sum. */
function weightsOf(tokens: readonly number[], logits: Float32Array, temperature: number) {
  const top = logits[tokens[0] as number] as number;
  const weights = new Float64Array(tokens.length);
  let total = 0;
  for (let i = 0; i < tokens.length; i++) {
    const weight = Math.exp(((logits[tokens[i] as number] as number) - top) / temperature);
    weights[i] = weight;
    total += weight;
  }
  return { weights, total };
}

/** A token and its log-probability. */
export interface TokenProbability {
  /** Token id. */
  readonly token: number;
  /** Natural logarithm of the probability before penalties and truncation. */
  readonly logprob: number;
}

/** The log-probability of a token, and the `count` most probable tokens. */
export function logProbabilities(
  logits: Float32Array,
  token: number,
  count: number,
): TokenProbability & { readonly top: readonly TokenProbability[] } {
  const most = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const total = most + Math.log(logits.reduce((sum, value) => sum + Math.exp(value - most), 0));
  const logProbability = (one: number): TokenProbability => ({ token: one, logprob: (logits[one] as number) - total });
  return { ...logProbability(token), top: highest(logits, count).map(logProbability) };
}
