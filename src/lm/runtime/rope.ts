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

/** Most dimensions of a head that rotate. */
const MOST_DIMS = 2 ** 16;

function perPair({ dims }: RopeSizes, divisor: (pair: number) => number): number[] {
  if (!(Number.isInteger(dims / 2) && dims > 0 && dims <= MOST_DIMS))
    throw new Error(`${dims} dimensions of a head rotate; rope scaling takes an even number up to ${MOST_DIMS}`);
  return Array.from({ length: dims / 2 }, (_, pair) => divisor(pair));
}

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

/** YaRN's magnitude where a file gives two weights of the logarithm, as DeepSeek's do. */
const weightedMagnitude = (factor: number, weight: number) => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);

/**
 * The scaling in Hugging Face's `rope_parameters` or `rope_scaling`; undefined for none.
 *
 * @param context context length of the model, where the fields do not give that of training
 * @throws Error naming an unsupported kind, or a field that is missing or out of range.
 */
export function ropeScalingOf(given: unknown, sizes: RopeSizes, context?: number): RopeScaling | undefined {
  if (given === undefined || given === null) return undefined;
  const fields = given as Fields;
  const named = fields.rope_type ?? fields.type ?? 'default';
  const kind = typeof named === 'string' ? named : JSON.stringify(named);
  if (kind === 'none' || kind === 'default') return undefined;
  const number = (key: string, fallback?: number): number => {
    const value = fields[key] ?? fallback;
    if (typeof value !== 'number') throw new Error(`rope scaling of kind "${kind}" lacks "${key}"`);
    if (!(value > 0 && value < Infinity)) throw new Error(`rope scaling: "${key}" is ${value}, not a positive number`);
    return value;
  };
  if (!['linear', 'llama3', 'yarn'].includes(kind))
    throw new Error(`rope scaling of kind "${kind}" is not supported; linear, llama3 and yarn are`);
  const factor = number('factor');
  if (kind === 'linear') return linearScaling(sizes, factor);
  const trained = number('original_max_position_embeddings', kind === 'yarn' ? context : undefined);
  if (kind === 'llama3') {
    const [low, high] = [number('low_freq_factor'), number('high_freq_factor')];
    if (!(low < high))
      throw new Error(`rope scaling: "low_freq_factor" ${low} is not below "high_freq_factor" ${high}`);
    return llama3Scaling(sizes, factor, { low, high, context: trained });
  }
  if (fields.truncate === false) throw new Error('rope scaling of kind "yarn" without truncation is not supported');
  const weighted = Boolean(fields.mscale) && Boolean(fields.mscale_all_dim);
  const usual = weighted
    ? weightedMagnitude(factor, number('mscale')) / weightedMagnitude(factor, number('mscale_all_dim'))
    : weightedMagnitude(factor, 1);
  return yarnScaling(sizes, factor, {
    ...{ context: trained, fast: number('beta_fast', 32), slow: number('beta_slow', 1) },
    magnitude: number('attention_factor', usual),
  });
}

/** What Hugging Face's config.json says of rotary embeddings. */
export interface RopeFields {
  /** Base θ of the frequencies. */
  readonly base: number;
  /** Share of a head's dimensions that rotate. */
  readonly share: number;
  /** Fields of the scaling, for `ropeScalingOf`. */
  readonly scaling: unknown;
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads `rope_parameters`, or `rope_theta` and `rope_scaling` of older files.
 *
 * @throws Error when layers differ in their rotary embeddings, or a field is no number.
 */
export function ropeFieldsOf(config: Fields): RopeFields {
  const given = config.rope_parameters;
  if (given !== undefined && given !== null && !isFields(given)) throw new Error('"rope_parameters" is no object');
  const parameters = isFields(given) ? commonParameters(given, config.layer_types) : {};
  const number = (key: string, fallback: number) => {
    const value = parameters[key] ?? config[key] ?? fallback;
    if (typeof value !== 'number' || !(value > 0 && value < Infinity))
      throw new Error(`"${key}" is ${JSON.stringify(value)}, not a positive number`);
    return value;
  };
  return {
    base: number('rope_theta', 10000),
    share: number('partial_rotary_factor', 1),
    scaling: isFields(given) ? parameters : config.rope_scaling,
  };
}

/** Parameters by type of layer are one set if all layers that there are agree. */
function commonParameters(given: Fields, layerTypes: unknown): Fields {
  const types = Object.entries(given).filter(([, value]) => isFields(value));
  if (types.length === 0) return given;
  const used = Array.isArray(layerTypes) ? types.filter(([type]) => layerTypes.includes(type)) : types;
  const [first, ...others] = used.map(([, fields]) => fields as Fields);
  const sorted = (fields: Fields | undefined) => JSON.stringify(Object.entries(fields ?? {}).sort());
  if (!first || others.some((other) => sorted(other) !== sorted(first)))
    throw new Error(
      `"rope_parameters" differ between ${types.map(([type]) => type).join(' and ')}; one set for all layers is supported`,
    );
  return first;
}
