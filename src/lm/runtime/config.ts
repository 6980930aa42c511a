// Hyperparameters of a decoder, read from the metadata of a GGUF file or from Hugging Face's
// config.json.

import type { GgufValue } from '../../data/index.js';
import type { ExpertActivation } from '../../nn/experts/index.js';
import type { MoEPlusPlusOptions } from '../moepp.js';
import { linearScaling, type RopeScaling, ropeScalingOf, yarnMagnitude, yarnScaling } from './rope.js';

/** Hyperparameters of a decoder. */
export interface LanguageModelConfig {
  /** One of `architectures`. */
  readonly architecture: string;
  /** Number of token ids. */
  readonly vocabulary: number;
  /** Embedding dimension. */
  readonly features: number;
  /** Decoder layers. */
  readonly layers: number;
  /** Query heads. */
  readonly heads: number;
  /** Key and value heads; a divisor of `heads` (grouped-query attention). */
  readonly keyHeads: number;
  /** Dimension of a head. */
  readonly headDim: number;
  /** Hidden dimension of the feed-forward layer, or of one expert. */
  readonly hidden: number;
  /** Context length in tokens. */
  readonly context: number;
  /** Base θ of the rotary frequencies θ^(−2i/d). */
  readonly ropeBase: number;
  /** Dimensions of a head that rotate. Default: `headDim`. */
  readonly ropeDims?: number;
  /** Scaling for long contexts. Default: none. */
  readonly ropeScaling?: RopeScaling;
  /** Rotary pairs (2i, 2i + 1), as GGUF files of Llama have them, instead of (i, i + d/2). */
  readonly interleaved: boolean;
  /** ε of RMSNorm. */
  readonly epsilon: number;
  /** Sliding attention window in tokens; 0 for full attention. */
  readonly window: number;
  /** Default: 'swiglu'. */
  readonly activation?: ExpertActivation;
  /**
   * Whether a trained decoder ties input and output embeddings; for loaded files the presence of a
   * head decides. Default: true.
   */
  readonly tied?: boolean;
  /** Indices of layers without rotary embeddings (NoPE). Default: none. */
  readonly nopeLayers?: readonly number[];
  /** Mixture of experts in place of each feed-forward layer; dense when left out. */
  readonly experts?: {
    readonly count: number;
    readonly k: number;
    /** Whether the gates of the chosen experts are renormalised to sum 1. */
    readonly normalised: boolean;
    /** MoE++: zero-computation experts in addition. */
    readonly zeroComputation?: MoEPlusPlusOptions;
  };
}

/** Hugging Face's `model_type` to our architecture, where they differ. */
const otherNames: Readonly<Record<string, string>> = { qwen3_moe: 'qwen3moe', mistral: 'llama' };

const interleavedArchitectures = ['llama'];
/** Architectures that the runtime supports, by their name in GGUF. */
export const architectures = ['llama', 'qwen2', 'qwen3', 'qwen3moe'] as const;

/**
 * The configuration in GGUF metadata.
 *
 * @throws Error naming a missing key or an unsupported architecture.
 */
export function configOfGguf(metadata: Readonly<Record<string, GgufValue>>, vocabulary: number): LanguageModelConfig {
  const architecture = String(metadata['general.architecture'] ?? 'none');
  requireArchitecture(architecture);
  const optional = (key: string): number | undefined => {
    const value = metadata[`${architecture}.${key}`];
    return value === undefined ? undefined : Number(value);
  };
  const number = (key: string): number => {
    const value = optional(key);
    if (value === undefined || !Number.isFinite(value)) throw new Error(`the file lacks "${architecture}.${key}"`);
    return value;
  };
  const heads = number('attention.head_count');
  const features = number('embedding_length');
  const count = optional('expert_count') ?? 0;
  const headDim = optional('attention.key_length') ?? features / heads;
  const ropeDims = optional('rope.dimension_count') ?? headDim;
  const ropeBase = optional('rope.freq_base') ?? 10000;
  const ropeScaling = scalingOfGguf(metadata, architecture, { dims: ropeDims, base: ropeBase });
  return checked({
    architecture,
    vocabulary,
    features,
    layers: number('block_count'),
    heads,
    keyHeads: optional('attention.head_count_kv') ?? heads,
    headDim,
    hidden: (count > 0 ? optional('expert_feed_forward_length') : undefined) ?? optional('feed_forward_length') ?? 0,
    context: number('context_length'),
    ropeBase,
    ...(ropeDims !== headDim && { ropeDims }),
    ...(ropeScaling && { ropeScaling }),
    interleaved: interleavedArchitectures.includes(architecture),
    epsilon: number('attention.layer_norm_rms_epsilon'),
    window: optional('attention.sliding_window') ?? 0,
    ...(count > 0 && { experts: { count, k: number('expert_used_count'), normalised: true } }),
  });
}

/** Llama 3's divisors are not here but in the tensor `rope_freqs.weight`. */
function scalingOfGguf(
  metadata: Readonly<Record<string, GgufValue>>,
  architecture: string,
  sizes: { readonly dims: number; readonly base: number },
): RopeScaling | undefined {
  const value = (key: string) => metadata[`${architecture}.rope.scaling.${key}`];
  const kind = value('type') ?? 'none';
  if (kind === 'none') return undefined;
  const factor = Number(value('factor') ?? 1);
  if (kind === 'linear') return linearScaling(sizes, factor);
  if (kind !== 'yarn') throw new Error(`rope scaling of kind "${String(kind)}" is not supported; linear and yarn are`);
  const context = Number(value('original_context_length') ?? metadata[`${architecture}.context_length`]);
  const attention = Number(value('attn_factor') ?? 1);
  return yarnScaling(sizes, factor, { context, magnitude: attention * yarnMagnitude(factor) });
}

/**
 * The configuration in Hugging Face's config.json.
 *
 * @throws Error naming a missing key or an unsupported architecture.
 */
export function configOfHuggingFace(config: Readonly<Record<string, unknown>>): LanguageModelConfig {
  const type = String(config.model_type ?? 'none');
  const architecture = otherNames[type] ?? type;
  requireArchitecture(architecture);
  const optional = (key: string): number | undefined => (typeof config[key] === 'number' ? config[key] : undefined);
  const number = (key: string): number => {
    const value = optional(key);
    if (value === undefined) throw new Error(`config.json lacks "${key}"`);
    return value;
  };
  const heads = number('num_attention_heads');
  const features = number('hidden_size');
  const count = optional('num_experts') ?? 0;
  const normalised = config.norm_topk_prob !== false;
  const headDim = optional('head_dim') ?? features / heads;
  const ropeBase = optional('rope_theta') ?? 10000;
  const ropeScaling = ropeScalingOf(config.rope_scaling, { dims: headDim, base: ropeBase });
  return checked({
    architecture,
    vocabulary: number('vocab_size'),
    features,
    layers: number('num_hidden_layers'),
    heads,
    keyHeads: optional('num_key_value_heads') ?? heads,
    headDim,
    hidden: (count > 0 ? optional('moe_intermediate_size') : undefined) ?? number('intermediate_size'),
    context: number('max_position_embeddings'),
    ropeBase,
    ...(ropeScaling && { ropeScaling }),
    interleaved: false,
    epsilon: number('rms_norm_eps'),
    window: type === 'mistral' || config.use_sliding_window === true ? (optional('sliding_window') ?? 0) : 0,
    ...(count > 0 && { experts: { count, k: number('num_experts_per_tok'), normalised } }),
  });
}

function requireArchitecture(architecture: string): void {
  if (!architectures.includes(architecture as (typeof architectures)[number]))
    throw new Error(`architecture "${architecture}" is not supported; ${architectures.join(', ')} are`);
}

function checked(config: LanguageModelConfig): LanguageModelConfig {
  const { features, heads, keyHeads, headDim, layers } = config;
  const whole = [features, heads, keyHeads, headDim, layers].every((value) => Number.isInteger(value) && value > 0);
  if (!whole || heads % keyHeads !== 0 || headDim % 2 !== 0)
    throw new Error(
      `${features} features, ${heads} heads of ${headDim}, ${keyHeads} key heads and ${layers} layers make no decoder`,
    );
  return config;
}
