// Hyperparameters of a decoder, read from the metadata of a GGUF file or from Hugging Face's
// config.json.

import type { GgufValue } from '../../data/index.js';
import { type ExpertActivation, type GateMode, PRUNED } from '../../nn/experts/index.js';
import type { MoEPlusPlusOptions } from '../moepp.js';
import { moePlusPlusOfHuggingFace } from './families/moepp.js';
import { smallThinkerOfGguf, smallThinkerOfHuggingFace } from './families/smallthinker.js';
import { linearScaling, type RopeScaling, ropeFieldsOf, ropeScalingOf, yarnMagnitude, yarnScaling } from './rope.js';

/** Blocks of a feed-forward layer (BlockFFN). */
export interface BlockConfig {
  /** Blocks E of a layer. */
  readonly count: number;
  /** ε of the router's norm. Default: 1e-5. */
  readonly epsilon?: number;
  /** Products with the blocks that are used alone, or with all. Default: `sparse`. */
  readonly execution?: 'sparse' | 'dense';
}

/** Sizes of multi-head latent attention. */
export interface LatentConfig {
  /** Rank of the queries' projection. */
  readonly queryRank: number;
  /** Dimensions of a head's queries and keys without rotary embeddings. */
  readonly nopeDim: number;
  /** Dimensions of a head that rotate. */
  readonly ropeDim: number;
  /** Dimensions of a head's values. */
  readonly valueDim: number;
  /** ε of the norms of the two latent vectors. */
  readonly epsilon: number;
}

/** Factors of embeddings, of each residual branch, and of the states that the head reads. */
export interface ScaleConfig {
  readonly embedding: number;
  readonly residual: number;
  readonly logits: number;
}

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
  /** Indices of layers whose attention is full, though others have the window. Default: none. */
  readonly fullLayers?: readonly number[];
  /** Default: 'swiglu'. */
  readonly activation?: ExpertActivation;
  /**
   * Whether a trained decoder ties input and output embeddings; for loaded files the presence of a
   * head decides. Default: true.
   */
  readonly tied?: boolean;
  /** Indices of layers without rotary embeddings (NoPE). Default: none. */
  readonly nopeLayers?: readonly number[];
  /**
   * BlockFFN in place of each feed-forward layer: `count` blocks of width `hidden`, of which a
   * token uses as many as its router leaves above 0.
   */
  readonly blocks?: BlockConfig;
  /**
   * Multi-head latent attention: keys and values of all heads are projections of one vector a
   * token, which alone is cached. Then `keyHeads` is 1 and `headDim` the size of that vector with
   * its rotary part.
   */
  readonly latent?: LatentConfig;
  /** Constant factors of μP. Default: all 1. */
  readonly scales?: ScaleConfig;
  /** Mixture of experts in place of each feed-forward layer; dense when left out. */
  readonly experts?: {
    readonly count: number;
    readonly k: number;
    /** Whether the gates of the chosen experts are renormalised to sum 1. */
    readonly normalised: boolean;
    /** Gates that are σ of the chosen logits over their sum, instead of softmax. */
    readonly gates?: 'sigmoid';
    /**
     * Whether routers read a layer's input as it is, before its first norm and its attention
     * (SmallThinker), so that experts are known while attention runs. Default: false.
     */
    readonly early?: boolean;
    /** MoE++: zero-computation experts in addition. */
    readonly zeroComputation?: MoEPlusPlusOptions;
    /**
     * Merged experts: for each layer the group of each router output, whose expert it shares; −1
     * for an output that was pruned. Default: each output has an expert of its own.
     */
    readonly groups?: readonly (readonly number[])[];
    /**
     * Rank of merged experts whose matrices are low-rank and row-sparse. Default: full matrices.
     */
    readonly rank?: number;
  };
}

type Experts = NonNullable<LanguageModelConfig['experts']>;

/** Hugging Face's `model_type` to our architecture, where they differ. */
const otherNames: Readonly<Record<string, string>> = {
  qwen3_moe: 'qwen3moe',
  mistral: 'llama',
  mixtral: 'llama',
  'MoE++': 'llama',
};

const interleavedArchitectures = ['llama'];
/** Architectures that the runtime supports, by their name in GGUF. */
export const architectures = ['llama', 'qwen2', 'qwen3', 'qwen3moe', 'smallthinker'] as const;

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
    if (value === undefined) return undefined;
    if (typeof value !== 'number' && typeof value !== 'bigint')
      throw new Error(`"${architecture}.${key}" is no number`);
    return Number(value);
  };
  const number = (key: string): number => {
    const value = optional(key);
    if (value === undefined || !Number.isFinite(value)) throw new Error(`the file lacks "${architecture}.${key}"`);
    return value;
  };
  const heads = number('attention.head_count');
  const features = number('embedding_length');
  const layers = requireSize('layers', number('block_count'));
  const count = optional('expert_count') ?? 0;
  const headDim = optional('attention.key_length') ?? features / heads;
  const ropeDims = optional('rope.dimension_count') ?? headDim;
  const ropeBase = optional('rope.freq_base') ?? 10000;
  const ropeScaling = scalingOfGguf(metadata, architecture, { dims: ropeDims, base: ropeBase });
  return requireConfig({
    architecture,
    vocabulary,
    features,
    layers,
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
    ...(architecture === 'smallthinker' && smallThinkerOfGguf(metadata, layers, count)),
  });
}

/** Llama 3's divisors are not here but in the tensor `rope_freqs.weight`. */
function scalingOfGguf(
  metadata: Readonly<Record<string, GgufValue>>,
  architecture: string,
  sizes: { readonly dims: number; readonly base: number },
): RopeScaling | undefined {
  const value = (key: string) => metadata[`${architecture}.rope.scaling.${key}`];
  // Files from before the kinds had a name scale linearly.
  const kind = value('type') ?? 'linear';
  const factor = Number(value('factor') ?? metadata[`${architecture}.rope.scale_linear`] ?? 1) || 1;
  if (kind === 'none' || (kind === 'linear' && factor === 1)) return undefined;
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
  const type = typeof config.model_type === 'string' ? config.model_type : 'none';
  const architecture = (Object.hasOwn(otherNames, type) ? otherNames[type] : undefined) ?? type;
  requireArchitecture(architecture);
  const optional = (key: string): number | undefined => (typeof config[key] === 'number' ? config[key] : undefined);
  const number = (key: string): number => {
    const value = optional(key);
    if (value === undefined) throw new Error(`config.json lacks "${key}"`);
    return value;
  };
  const layers = requireSize('layers', number('num_hidden_layers'));
  const own = ownOfHuggingFace(type, config, layers);
  if (type !== 'smallthinker') requireKnown(config);
  const heads = number('num_attention_heads');
  const features = number('hidden_size');
  const count = optional('num_experts') ?? optional('num_local_experts') ?? 0;
  // Files may leave out what is usual: here and below that of Transformers.
  const normalised = type === 'mixtral' || config.norm_topk_prob === true;
  const headDim = optional('head_dim') ?? features / heads;
  const context = number('max_position_embeddings');
  const rope = ropeFieldsOf(config);
  const ropeDims = headDim * rope.share;
  const ropeScaling = ropeScalingOf(rope.scaling, { dims: ropeDims, base: rope.base }, context);
  return requireConfig({
    architecture,
    vocabulary: number('vocab_size'),
    features,
    layers,
    heads,
    keyHeads: optional('num_key_value_heads') ?? heads,
    headDim,
    hidden: own?.hidden ?? (count > 0 ? optional('moe_intermediate_size') : undefined) ?? number('intermediate_size'),
    context,
    ropeBase: rope.base,
    ...(ropeDims !== headDim && { ropeDims }),
    ...(ropeScaling && { ropeScaling }),
    interleaved: false,
    epsilon: number('rms_norm_eps'),
    ...windowsOf(config, type, layers),
    ...(count > 0 && { experts: { count, k: number('num_experts_per_tok'), normalised, ...mergedOf(config) } }),
    ...own,
  });
}

/** What a family says under names of its own; undefined for the others. */
function ownOfHuggingFace(type: string, config: Readonly<Record<string, unknown>>, layers: number) {
  if (type === 'smallthinker') return smallThinkerOfHuggingFace(config, layers);
  return type === 'MoE++' ? moePlusPlusOfHuggingFace(config) : undefined;
}

/** Groups and rank of experts that `gossamer lm compress` merged. */
function mergedOf({ merged_experts: merged }: Readonly<Record<string, unknown>>): Pick<Experts, 'groups' | 'rank'> {
  const { groups, rank } = (merged ?? {}) as { readonly groups?: unknown; readonly rank?: unknown };
  const isLayer = (layer: unknown) => Array.isArray(layer) && layer.every((group) => Number.isInteger(group));
  if (groups === undefined) return {};
  if (!(Array.isArray(groups) && groups.every(isLayer)) || !(rank === undefined || Number.isInteger(rank)))
    throw new Error('"merged_experts" has no groups of integers by layer, or a rank that is no integer');
  return { groups, ...(rank !== undefined && { rank: rank as number }) };
}

/** @throws Error naming a field that asks for what the runtime does not compute. */
function requireKnown(config: Readonly<Record<string, unknown>>): void {
  const { hidden_act: activation = 'silu', mlp_only_layers: dense = [], decoder_sparse_step: step = 1 } = config;
  if (activation !== 'silu') throw new Error(`"hidden_act" is ${JSON.stringify(activation)}; "silu" is supported`);
  for (const key of ['attention_bias', 'mlp_bias'])
    if (config[key] === true && !(key === 'attention_bias' && config.model_type === 'qwen2'))
      throw new Error(`"${key}" is true; biases of outputs and feed-forward layers are not supported`);
  if (step !== 1 || !Array.isArray(dense) || dense.length > 0)
    throw new Error(
      '"mlp_only_layers" and "decoder_sparse_step" mix dense layers with experts, which is not supported',
    );
}

/** The sliding window, and the layers without it. */
function windowsOf(
  config: Readonly<Record<string, unknown>>,
  type: string,
  layers: number,
): Pick<LanguageModelConfig, 'window' | 'fullLayers'> {
  const usualFirst = type === 'qwen3_moe' ? 0 : 28;
  const { layer_types: types, max_window_layers: first = usualFirst } = config;
  const { sliding_window: window = type === 'mixtral' ? null : 4096 } = config;
  const isAlways = type === 'mistral' || type === 'mixtral';
  const isUsed = isAlways || config.use_sliding_window === true;
  if (!isUsed || typeof window !== 'number') return { window: 0 };
  const slides = (layer: number) =>
    Array.isArray(types) ? types[layer] === 'sliding_attention' : isAlways || layer >= Number(first);
  const full = Array.from({ length: layers }, (_, layer) => layer).filter((layer) => !slides(layer));
  if (full.length === layers) return { window: 0 };
  return { window, ...(full.length > 0 && { fullLayers: full }) };
}

function requireArchitecture(architecture: string): void {
  if (!architectures.includes(architecture as (typeof architectures)[number]))
    throw new Error(`architecture "${architecture}" is not supported; ${architectures.join(', ')} are`);
}

/** Largest values: far above those of any model, far below what would not fit memory. */
const most = {
  ...{ vocabulary: 2 ** 24, features: 2 ** 20, layers: 2 ** 14, heads: 2 ** 16, keyHeads: 2 ** 16, headDim: 2 ** 16 },
  ...{ hidden: 2 ** 24, context: 2 ** 31 },
} as const;

/** A size that a decoder can have; that of the layers before lists of them are made. */
function requireSize(key: keyof typeof most, value: number): number {
  if (!(Number.isInteger(value) && value > 0 && value <= most[key]))
    throw new Error(`${key} is ${value}; a decoder has an integer from 1 to ${most[key]}`);
  return value;
}

/**
 * A configuration that makes a decoder.
 *
 * @throws Error naming what is out of range or does not fit together.
 */
export function requireConfig(config: LanguageModelConfig): LanguageModelConfig {
  const { features, heads, keyHeads, headDim, ropeDims = headDim, ropeScaling, experts } = config;
  for (const key of Object.keys(most) as (keyof typeof most)[]) requireSize(key, config[key]);
  const fail = (reason: string): never => {
    throw new Error(`${features} features and ${heads} heads of ${headDim} make no decoder: ${reason}`);
  };
  if (heads % keyHeads !== 0) fail(`${keyHeads} key heads do not divide the heads`);
  if (headDim % 2 !== 0) fail('the dimension of a head is odd');
  if (!(Number.isInteger(ropeDims / 2) && ropeDims > 0 && ropeDims <= headDim)) fail(`${ropeDims} dimensions rotate`);
  for (const key of ['ropeBase', 'epsilon'] as const)
    if (!(config[key] > 0 && config[key] < Infinity)) fail(`${key} is ${config[key]}`);
  if (!(Number.isInteger(config.window) && config.window >= 0)) fail(`the window is ${config.window}`);
  if (config.blocks && !(Number.isInteger(config.blocks.count) && config.blocks.count > 0))
    fail(`a layer has ${config.blocks.count} blocks`);
  if (config.blocks && experts) fail('its layers have both blocks and experts');
  if (config.latent) requireLatent(config, config.latent, fail);
  for (const key of ['nopeLayers', 'fullLayers'] as const)
    if (config[key]?.some((layer) => !(Number.isInteger(layer) && layer >= 0 && layer < config.layers)))
      fail(`${key} are not layers from 0 to ${config.layers - 1}`);
  const { divisors = [], magnitude = 1 } = ropeScaling ?? {};
  if (
    ropeScaling &&
    (divisors.length !== ropeDims / 2 || ![...divisors, magnitude].every((one) => one > 0 && one < Infinity))
  )
    fail(`the scaling of ${ropeDims / 2} rotary pairs has ${divisors.length} divisors, or one that is not positive`);
  if (
    experts &&
    !(experts.count <= 2 ** 16 && Number.isInteger(experts.k) && experts.k > 0 && experts.k <= experts.count)
  )
    fail(`each token uses ${experts.k} of ${experts.count} experts`);
  if (experts?.early && (experts.groups || experts.zeroComputation))
    fail('routers before attention go with plain experts: neither merged ones nor those that cost nothing');
  if (experts?.groups && !(experts.groups.length === config.layers && experts.groups.every(isGrouping, experts)))
    fail(`the groups of experts are not those of ${config.layers} layers with ${experts.count} router outputs`);
  return config;
}

function requireLatent(config: LanguageModelConfig, latent: LatentConfig, fail: (reason: string) => never): void {
  const { queryRank, nopeDim, ropeDim, valueDim } = latent;
  const sizes = [queryRank, nopeDim, ropeDim, valueDim];
  if (!sizes.every((size) => Number.isInteger(size) && size > 0 && size <= most.hidden))
    fail(`latent attention has sizes ${sizes.join(', ')}`);
  if (config.keyHeads !== 1 || config.ropeDims !== ropeDim || ropeDim >= config.headDim)
    fail(`latent attention keeps one vector a token, of which ${config.ropeDims} dimensions rotate`);
  if (config.window > 0) fail('latent attention with a window is not supported');
}

/** Whether each router output has a group from 0 to m − 1, or −1, and enough are left. */
function isGrouping(this: { readonly count: number; readonly k: number }, groups: readonly number[]): boolean {
  const used = new Set(groups.filter((group) => group !== PRUNED));
  const left = groups.length - groups.filter((group) => group === PRUNED).length;
  return groups.length === this.count && left >= this.k && [...used].every((group) => group >= 0 && group < used.size);
}

/** The attention window of a layer in tokens; 0 for full attention. */
export function windowAt({ window, fullLayers }: LanguageModelConfig, layer: number): number {
  return fullLayers?.includes(layer) ? 0 : window;
}

/** How the gates of chosen experts are normalised. */
export function gateModeOf({ normalised, gates }: Pick<Experts, 'normalised' | 'gates'>): GateMode {
  return gates ?? (normalised ? 'renormalised' : 'softmax');
}
