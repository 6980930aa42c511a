// Scaling of rotary embeddings to contexts longer than those of training: each pair's frequency is
// divided by its own divisor.

/** Rescaling of the rotary frequencies for long contexts. */
export interface RopeScaling {
  /** Divisor of the frequency of each pair [dims / 2]. */
  readonly divisors: readonly number[];
  /** Factor of rotated queries and keys (YaRN); 1 otherwise. */
  readonly magnitude: number;
}

/** Dimensions of a head that rotate, and the base of the frequencies. */
export interface RopeSizes {
  readonly dims: number;
  readonly base: number;
}

const perPair = ({ dims }: RopeSizes, divisor: (pair: number) => number) =>
  Array.from({ length: dims / 2 }, (_, pair) => divisor(pair));

/** Position interpolation: all positions divided by a factor (Chen et al. 2023). */
export function linearScaling(sizes: RopeSizes, factor: number): RopeScaling {
  return { divisors: perPair(sizes, () => factor), magnitude: 1 };
}

/** Llama 3.1: low frequencies are divided, high ones kept, those between interpolated. */
export function llama3Scaling(
  sizes: RopeSizes,
  factor: number,
  { low, high, context }: { readonly low: number; readonly high: number; readonly context: number },
): RopeScaling {
  const divisors = perPair(sizes, (pair) => {
    const wave = 2 * Math.PI * sizes.base ** ((2 * pair) / sizes.dims);
    const kept = Math.min(1, Math.max(0, (context / wave - low) / (high - low)));
    return 1 / ((1 - kept) / factor + kept);
  });
  return { divisors, magnitude: 1 };
}

/** YaRN's factor of rotated queries and keys: 0.1·ln s + 1. */
export const yarnMagnitude = (factor: number) => 0.1 * Math.log(factor) + 1;

/**
 * YaRN (Peng et al. 2023): pairs with fewer than `slow` rotations within the training context are
 * divided, those with more than `fast` kept; attention scores grow by (0.1·ln s + 1)².
 */
export function yarnScaling(
  sizes: RopeSizes,
  factor: number,
  {
    context,
    fast = 32,
    slow = 1,
    magnitude = yarnMagnitude(factor),
  }: { readonly context: number; readonly fast?: number; readonly slow?: number; readonly magnitude?: number },
): RopeScaling {
  const { dims, base } = sizes;
  const pairTurning = (times: number) => (dims * Math.log(context / (times * 2 * Math.PI))) / (2 * Math.log(base));
  const low = Math.max(0, Math.floor(pairTurning(fast)));
  const high = Math.min(dims - 1, Math.ceil(pairTurning(slow)));
  const divisors = perPair(sizes, (pair) => {
    const divided = Math.min(1, Math.max(0, (pair - low) / Math.max(1e-3, high - low)));
    return 1 / (divided / factor + 1 - divided);
  });
  return { divisors, magnitude };
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * The scaling of Hugging Face's `rope_scaling`; undefined for none.
 *
 * @throws Error naming an unsupported kind or a missing field.
 */
export function ropeScalingOf(given: unknown, sizes: RopeSizes): RopeScaling | undefined {
  if (given === undefined || given === null) return undefined;
  const fields = given as Fields;
  const kind = String(fields.rope_type ?? fields.type ?? 'none');
  if (kind === 'none' || kind === 'default') return undefined;
  const number = (key: string, fallback?: number): number => {
    const value = fields[key] ?? fallback;
    if (typeof value !== 'number') throw new Error(`rope_scaling lacks "${key}"`);
    return value;
  };
  const factor = number('factor');
  if (kind === 'linear') return linearScaling(sizes, factor);
  const context = number('original_max_position_embeddings');
  if (kind === 'llama3')
    return llama3Scaling(sizes, factor, { low: number('low_freq_factor'), high: number('high_freq_factor'), context });
  if (kind === 'yarn')
    return yarnScaling(sizes, factor, {
      ...{ context, fast: number('beta_fast', 32), slow: number('beta_slow', 1) },
      magnitude: number('attention_factor', yarnMagnitude(factor)),
    });
  throw new Error(`rope scaling of kind "${kind}" is not supported; linear, llama3 and yarn are`);
}
