// How rotary angles change for contexts longer than those of training: each pair's frequency is divided by a number of its own.

export interface RopeScaling {
  /** Of the frequency of each pair, [dims / 2]. */
  readonly divisors: readonly number[];
  /** Factor of turned queries and keys (YaRN). */
  readonly magnitude: number;
}

export interface RopeSizes {
  readonly dims: number;
  readonly base: number;
}

const perPair = ({ dims }: RopeSizes, divisor: (pair: number) => number) =>
  Array.from({ length: dims / 2 }, (_, pair) => divisor(pair));

/** All positions divided by a factor (Chen et al. 2023). */
export function linearScaling(sizes: RopeSizes, factor: number): RopeScaling {
  return { divisors: perPair(sizes, () => factor), magnitude: 1 };
}

/** Llama 3.1's: long waves are divided, short ones stay, those between are mixed. */
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

/** YaRN's factor of turned queries and keys. */
export const yarnMagnitude = (factor: number) => 0.1 * Math.log(factor) + 1;

/** YaRN (Peng et al. 2023): pairs that turn less than `slow` times in the context of training are divided, those that turn more than `fast` times stay; scores grow by (0.1·ln s + 1)². */
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

/** From Hugging Face's `rope_scaling`; undefined for none. @throws Error naming a kind that is not supported, or what it lacks. */
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
