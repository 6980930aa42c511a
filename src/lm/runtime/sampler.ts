// From logits to the next token.

import { Random } from '../../tensor/index.js';

export interface SamplingOptions {
  /** 0 takes the most probable token. */
  readonly temperature?: number;
  /** Only so many of the most probable; 0 for all. */
  readonly topK?: number;
  /** Only the smallest set of the most probable whose probabilities reach this sum. */
  readonly topP?: number;
  /** Only tokens at least so many times as probable as the best. */
  readonly minP?: number;
  /** Divides the positive logits of the last `repeatWindow` tokens and multiplies their negative ones. */
  readonly repeatPenalty?: number;
  readonly repeatWindow?: number;
  readonly seed?: number;
}

const ranges: Readonly<Record<string, readonly [low: number, high: number]>> = {
  temperature: [0, 100],
  topK: [0, Number.MAX_SAFE_INTEGER],
  topP: [0, 1],
  minP: [0, 1],
  repeatPenalty: [1e-3, 100],
  repeatWindow: [0, Number.MAX_SAFE_INTEGER],
};

/** Draws tokens; the same seed and logits give the same tokens. Filters come in llama.cpp's order: penalty, top-k, top-p, min-p, temperature. */
export class Sampler {
  readonly #random: Random;
  readonly #options: Required<SamplingOptions>;

  /** @throws RangeError naming the option out of its range. */
  constructor(options: SamplingOptions = {}) {
    const defaults = {
      temperature: 0.8,
      topK: 40,
      topP: 0.95,
      minP: 0.05,
      repeatPenalty: 1,
      repeatWindow: 64,
      seed: 0,
    };
    this.#options = { ...defaults, ...options };
    for (const [name, [low, high]] of Object.entries(ranges)) {
      const value = this.#options[name as keyof SamplingOptions];
      if (!(value >= low && value <= high))
        throw new RangeError(`sampling: ${name} must be from ${low} to ${high}, got ${value}`);
    }
    this.#random = new Random(this.#options.seed);
  }

  /** @param history tokens so far, for the penalty. @throws Error when logits are not finite. */
  next(logits: Float32Array, history: readonly number[] = []): number {
    const { temperature, topK, topP, minP } = this.#options;
    const penalised = this.#penalise(logits, history);
    if (temperature === 0) return best(penalised);
    let kept = Array.from(penalised.keys()).sort((a, b) => (penalised[b] as number) - (penalised[a] as number));
    if (topK > 0) kept = kept.slice(0, topK);
    const top = penalised[kept[0] as number] as number;
    if (!Number.isFinite(top)) throw new Error('sampling: the logits are not finite');
    kept = nucleus(kept, penalised, topP);
    if (minP > 0) kept = kept.filter((token) => (penalised[token] as number) >= top + Math.log(minP));
    const weights = kept.map((token) => Math.exp(((penalised[token] as number) - top) / temperature));
    let rest = this.#random.float() * weights.reduce((a, b) => a + b, 0);
    for (const [i, weight] of weights.entries()) {
      rest -= weight;
      if (rest < 0) return kept[i] as number;
    }
    return kept.at(-1) as number;
  }

  #penalise(logits: Float32Array, history: readonly number[]): Float32Array {
    const { repeatPenalty, repeatWindow } = this.#options;
    if (repeatPenalty === 1 || repeatWindow === 0) return logits;
    const changed = logits.slice();
    for (const token of new Set(history.slice(-repeatWindow))) {
      const value = logits[token] as number;
      changed[token] = value > 0 ? value / repeatPenalty : value * repeatPenalty;
    }
    return changed;
  }
}

function best(logits: Float32Array): number {
  let at = 0;
  for (let i = 1; i < logits.length; i++) if ((logits[i] as number) > (logits[at] as number)) at = i;
  if (!Number.isFinite(logits[at])) throw new Error('sampling: the logits are not finite');
  return at;
}

/** The first of falling logits whose probabilities reach a sum. */
function nucleus(kept: number[], logits: Float32Array, topP: number): number[] {
  if (topP >= 1) return kept;
  const top = logits[kept[0] as number] as number;
  const weights = kept.map((token) => Math.exp((logits[token] as number) - top));
  const goal = topP * weights.reduce((a, b) => a + b, 0);
  let sum = 0;
  const count = weights.findIndex((weight) => {
    sum += weight;
    return sum >= goal;
  });
  return kept.slice(0, count + 1);
}
