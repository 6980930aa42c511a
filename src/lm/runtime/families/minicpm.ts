// The configuration of MiniCPM's checkpoints, BlockFFN's among them: μP scales, multi-head latent
// attention or that of Llama, blocks or gated feed-forward layers.

import { configOfHuggingFace, type LanguageModelConfig, requireConfig } from '../config.js';
import { ropeFieldsOf, ropeScalingOf } from '../rope.js';

/** ε of the norms of latent vectors: the default of MiniCPM's RMSNorm, whatever the others have. */
const LATENT_EPSILON = 1e-6;

type Fields = Readonly<Record<string, unknown>>;

/** Whether config.json describes a model of this family. */
export const isMiniCpm = ({ model_type: type, architectures }: Fields): boolean =>
  type === 'minicpm' ||
  (type === undefined && Array.isArray(architectures) && architectures[0] === 'MiniCPMForCausalLM');

/** The configuration in config.json, of any family. @throws Error naming what is not supported. */
export function configOfFields(fields: Fields): LanguageModelConfig {
  return isMiniCpm(fields) ? configOfMiniCpm(fields) : configOfHuggingFace(fields);
}

/**
 * The configuration of a MiniCPM.
 *
 * @throws Error naming a missing key, or one that asks for what the runtime does not compute.
 */
export function configOfMiniCpm(fields: Fields): LanguageModelConfig {
  const optional = (key: string): number | undefined => (typeof fields[key] === 'number' ? fields[key] : undefined);
  const number = (key: string): number => {
    const value = optional(key);
    if (value === undefined) throw new Error(`config.json lacks "${key}"`);
    return value;
  };
  const only = (key: string, supported: unknown, usual: unknown = supported) => {
    const value = fields[key] ?? usual;
    if (value !== supported)
      throw new Error(`"${key}" is ${JSON.stringify(value)}; ${JSON.stringify(supported)} is supported`);
  };
  only('hidden_act', 'silu');
  only('attention_bias', false);
  const [features, heads, layers] = [number('hidden_size'), number('num_attention_heads'), number('num_hidden_layers')];
  const kind = fields.ffn_type ?? 'vanilla';
  const hasBlocks = kind === 'block' || kind === 'block_linear';
  if (!hasBlocks) only('ffn_type', 'vanilla');
  if (hasBlocks) {
    only('router_act', 'relu');
    only('norm_after_router', 'rms', 'sum');
  }
  const epsilon = number('rms_norm_eps');
  const isLatent = fields.attention_type === 'mla' || fields.attn_type === 'mla';
  const ropeDim = optional('qk_rope_head_dim') ?? 32;
  const nopeDim = optional('qk_nope_head_dim') ?? 64;
  const latent = {
    queryRank: optional('q_lora_rank') ?? 768,
    ...{ nopeDim, ropeDim, valueDim: optional('v_head_dim') ?? nopeDim, epsilon: LATENT_EPSILON },
  };
  const headDim = isLatent ? (optional('kv_lora_rank') ?? 256) + ropeDim : features / heads;
  const context = number('max_position_embeddings');
  const rope = ropeFieldsOf(fields);
  const ropeDims = isLatent ? ropeDim : headDim;
  const ropeScaling = ropeScalingOf(rope.scaling, { dims: ropeDims, base: rope.base }, context);
  return requireConfig({
    ...{ architecture: 'minicpm', vocabulary: number('vocab_size'), features, layers, heads },
    keyHeads: isLatent ? 1 : (optional('num_key_value_heads') ?? heads),
    headDim,
    hidden: hasBlocks ? number('expert_size') : number('intermediate_size'),
    ...{ context, ropeBase: rope.base, interleaved: false, epsilon, window: 0 },
    ...(isLatent && { latent, ropeDims }),
    ...(ropeScaling && { ropeScaling }),
    ...(hasBlocks && { blocks: { count: number('num_experts'), epsilon } }),
    scales: {
      embedding: optional('scale_emb') ?? 1,
      residual: (optional('scale_depth') ?? 1) / Math.sqrt(layers),
      logits: (optional('dim_model_base') ?? 1) / features,
    },
  });
}
