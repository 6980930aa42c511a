// How a model is meant to be sampled, as its own files say.

import type { GgufValue } from '../../data/index.js';
import type { SamplingOptions } from './sampler.js';

type Fields = Readonly<Record<string, unknown>>;

/** What a model's files say of generation. */
export interface GenerationDefaults {
  /** Sampling options that the files give; others keep the sampler's defaults. */
  readonly sampling: SamplingOptions;
  /** Token ids that end a text or a turn. */
  readonly stops: readonly number[];
}

/** Range of an option, and its names in generation_config.json and in GGUF metadata. */
const options = {
  temperature: { low: 0, high: 100, json: 'temperature', gguf: 'temp', whole: false },
  topK: { low: 0, high: 2 ** 24, json: 'top_k', gguf: 'top_k', whole: true },
  topP: { low: 0, high: 1, json: 'top_p', gguf: 'top_p', whole: false },
  minP: { low: 0, high: 1, json: 'min_p', gguf: 'min_p', whole: false },
  repeatPenalty: { low: 0.01, high: 100, json: 'repetition_penalty', gguf: 'penalty_repeat', whole: false },
} as const;

function samplingOf(value: (names: { readonly json: string; readonly gguf: string }) => unknown, where: string) {
  const entries = Object.entries(options).flatMap(([option, { low, high, whole, ...names }]) => {
    const given = value(names);
    if (given === undefined || given === null) return [];
    if (typeof given !== 'number' || !(given >= low && given <= high) || (whole && !Number.isInteger(given)))
      throw new Error(`${where}: "${names.json}" is ${JSON.stringify(given)}, not a number from ${low} to ${high}`);
    return [[option, given] as const];
  });
  return Object.fromEntries(entries) as SamplingOptions;
}

/**
 * Defaults in Hugging Face's generation_config.json. `do_sample: false` is greedy decoding.
 *
 * @throws Error naming a field that is out of range.
 */
export function generationOfHuggingFace(config: Fields): GenerationDefaults {
  const sampling = samplingOf(({ json }) => config[json], 'generation_config.json');
  return {
    sampling: config.do_sample === false ? { ...sampling, temperature: 0 } : sampling,
    stops: stopsOf(config, 'generation_config.json'),
  };
}

/** Defaults in the metadata of a GGUF file; its tokenizer has the stop tokens. */
export function generationOfGguf(metadata: Readonly<Record<string, GgufValue>>): GenerationDefaults {
  return { sampling: samplingOf(({ gguf }) => metadata[`general.sampling.${gguf}`], 'the GGUF file'), stops: [] };
}

/**
 * `eos_token_id`: one id, or a list.
 *
 * @throws Error when it is neither.
 */
export function stopsOf({ eos_token_id: given }: Fields, file: string): number[] {
  if (given === undefined || given === null) return [];
  const ids: readonly unknown[] = Array.isArray(given) ? given : [given];
  return ids.map((id) => {
    if (typeof id === 'number' && Number.isInteger(id) && id >= 0) return id;
    throw new Error(`${file}: "eos_token_id" is ${JSON.stringify(given)}, neither an id nor a list of ids`);
  });
}
