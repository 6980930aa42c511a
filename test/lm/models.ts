// Small models with random weights that tests of the runtime share.

import { type GgufEntry, writeGguf } from '../../src/data/index.js';
import type { LanguageModelConfig } from '../../src/lm/index.js';
import { quantizeBlocks } from '../../src/quantized/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';

export const base: LanguageModelConfig = {
  architecture: 'qwen2',
  vocabulary: 40,
  features: 64,
  layers: 2,
  heads: 4,
  keyHeads: 2,
  headDim: 16,
  hidden: 96,
  context: 700,
  ropeBase: 10000,
  interleaved: false,
  epsilon: 1e-6,
  window: 0,
};

export const configs: Readonly<Record<string, LanguageModelConfig>> = {
  llama: { ...base, architecture: 'llama', interleaved: true },
  'llama, window of 5': { ...base, architecture: 'llama', interleaved: true, window: 5 },
  qwen2: base,
  qwen3: { ...base, architecture: 'qwen3', headDim: 32 },
  qwen3moe: {
    ...base,
    architecture: 'qwen3moe',
    headDim: 32,
    hidden: 32,
    experts: { count: 5, k: 2, normalised: true },
  },
};

export const has = (config: LanguageModelConfig, what: 'bias' | 'norm') =>
  what === 'bias' ? config.architecture === 'qwen2' : config.architecture.startsWith('qwen3');

/** Weights under Hugging Face's names, each made by its name and size; vectors around a mean. */
export function namedTensors(
  config: LanguageModelConfig,
  make: {
    readonly matrix: (name: string, rows: number, columns: number) => Tensor;
    readonly vector: (name: string, size: number, mean: number) => Tensor;
  },
  tied: boolean,
): Record<string, Tensor> {
  const { features, heads, keyHeads, headDim, hidden, vocabulary, layers, experts } = config;
  const weights: Record<string, Tensor> = {};
  const matrix = (name: string, rows: number, columns: number) => {
    weights[name] = make.matrix(name, rows, columns);
  };
  const vector = (name: string, size: number, mean = 1) => {
    weights[name] = make.vector(name, size, mean);
  };
  matrix('model.embed_tokens.weight', vocabulary, features);
  if (!tied) matrix('lm_head.weight', vocabulary, features);
  vector('model.norm.weight', features);
  for (let l = 0; l < layers; l++) {
    const at = `model.layers.${l}`;
    vector(`${at}.input_layernorm.weight`, features);
    vector(`${at}.post_attention_layernorm.weight`, features);
    for (const [part, count] of [
      ['q', heads],
      ['k', keyHeads],
      ['v', keyHeads],
    ] as const) {
      matrix(`${at}.self_attn.${part}_proj.weight`, count * headDim, features);
      if (has(config, 'bias')) vector(`${at}.self_attn.${part}_proj.bias`, count * headDim, 0);
      if (has(config, 'norm') && part !== 'v') vector(`${at}.self_attn.${part}_norm.weight`, headDim);
    }
    matrix(`${at}.self_attn.o_proj.weight`, features, heads * headDim);
    const mlp = (prefix: string) => {
      matrix(`${prefix}.gate_proj.weight`, hidden, features);
      matrix(`${prefix}.up_proj.weight`, hidden, features);
      matrix(`${prefix}.down_proj.weight`, features, hidden);
    };
    if (experts) {
      matrix(`${at}.mlp.gate.weight`, experts.count, features);
      for (let e = 0; e < experts.count; e++) mlp(`${at}.mlp.experts.${e}`);
    } else mlp(`${at}.mlp`);
  }
  return weights;
}

/** Random ones. */
export function weightsOf(config: LanguageModelConfig, seed = 1, tied = true): Record<string, Tensor> {
  const random = new Random(seed);
  const make = {
    matrix: (_: string, rows: number, columns: number) => random.normal([rows, columns], 0, 0.15),
    vector: (_: string, size: number, mean: number) => random.normal([size], mean, 0.1),
  };
  return namedTensors(config, make, tied);
}

/** A prompt for them. */
export const prompt = [3, 17, 39, 0, 22, 8, 8, 31, 5];

/** The weights as a GGUF file, matrices in a format. */
export function asGguf(config: LanguageModelConfig, weights: Record<string, Tensor>, format?: 'Q8_0' | 'Q4_0') {
  const names: Record<string, string> = {
    input_layernorm: 'attn_norm',
    'self_attn.q_proj': 'attn_q',
    'self_attn.k_proj': 'attn_k',
    'self_attn.v_proj': 'attn_v',
    'self_attn.o_proj': 'attn_output',
    'self_attn.q_norm': 'attn_q_norm',
    'self_attn.k_norm': 'attn_k_norm',
    post_attention_layernorm: 'ffn_norm',
    'mlp.gate_proj': 'ffn_gate',
    'mlp.up_proj': 'ffn_up',
    'mlp.down_proj': 'ffn_down',
    'mlp.gate': 'ffn_gate_inp',
  };
  const one = (name: string, values: Tensor) => {
    const plain = values.rank === 1 || !format || name.includes('gate_inp');
    const bytes = plain
      ? new Uint8Array(values.dataSync<Float32Array>().buffer)
      : quantizeBlocks(values.dataSync<Float32Array>(), format);
    return { name, shape: values.shape, type: plain ? ('F32' as const) : format, bytes };
  };
  const tensors = Object.entries(weights).flatMap(([name, values]) => {
    const layer = /^model\.layers\.(\d+)\.(.*)\.(weight|bias)$/.exec(name);
    if (layer?.[2]?.includes('experts')) return [];
    const global: Record<string, string> = {
      'model.embed_tokens.weight': 'token_embd.weight',
      'model.norm.weight': 'output_norm.weight',
      'lm_head.weight': 'output.weight',
    };
    if (name.startsWith('rope_freqs')) return [one(name, values)];
    return [one(layer ? `blk.${layer[1]}.${names[layer[2] as string]}.${layer[3]}` : (global[name] as string), values)];
  });
  for (let l = 0; l < config.layers && config.experts; l++)
    for (const role of ['gate', 'up', 'down'] as const) {
      const all = Array.from(
        { length: config.experts.count },
        (_, e) => weights[`model.layers.${l}.mlp.experts.${e}.${role}_proj.weight`] as Tensor,
      );
      const [rows, columns] = (all[0] as Tensor).shape as [number, number];
      const values = tensor(Float32Array.from(all.flatMap((t) => Array.from(t.view()))), [all.length, rows, columns]);
      tensors.push(one(`blk.${l}.ffn_${role}_exps.weight`, values));
    }
  const { architecture: a, experts } = config;
  const metadata: Record<string, string | number> = {
    'general.architecture': a,
    [`${a}.block_count`]: config.layers,
    [`${a}.embedding_length`]: config.features,
    [`${a}.context_length`]: config.context,
    [`${a}.attention.head_count`]: config.heads,
    [`${a}.attention.head_count_kv`]: config.keyHeads,
    [`${a}.attention.key_length`]: config.headDim,
    [`${a}.feed_forward_length`]: config.hidden,
    [`${a}.attention.layer_norm_rms_epsilon`]: config.epsilon,
    [`${a}.rope.freq_base`]: config.ropeBase,
    ...(config.window > 0 && { [`${a}.attention.sliding_window`]: config.window }),
    ...(experts && { [`${a}.expert_count`]: experts.count, [`${a}.expert_used_count`]: experts.k }),
  };
  const entries = Object.entries(metadata).map(([key, value]): [string, GgufEntry] => [
    key,
    typeof value === 'string'
      ? ['string', value]
      : [Number.isInteger(value) && !key.endsWith('freq_base') ? 'u32' : 'f32', value],
  ]);
  return writeGguf(Object.fromEntries(entries), tensors);
}
