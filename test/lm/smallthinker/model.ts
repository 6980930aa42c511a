// A tiny model of SmallThinker's form, its equations in plain loops of doubles, and its files.

import {
  bytesInMemory,
  type GgufEntry,
  SafetensorsReader,
  writeGguf,
  writeSafetensors,
} from '../../../src/data/index.js';
import type { LanguageModelConfig } from '../../../src/lm/index.js';
import { quantizeBlocks } from '../../../src/quantized/index.js';
import { Random, type Tensor, transpose } from '../../../src/tensor/index.js';

export const tiny: LanguageModelConfig = {
  ...{ architecture: 'smallthinker', vocabulary: 48, features: 64, layers: 4, heads: 4, keyHeads: 2, headDim: 16 },
  ...{ hidden: 96, context: 400, ropeBase: 10000, interleaved: false, epsilon: 1e-6, window: 16 },
  ...{ activation: 'reglu', nopeLayers: [0], fullLayers: [0] },
  experts: { count: 8, k: 2, normalised: true, early: true },
};

export const sigmoid: LanguageModelConfig = {
  ...tiny,
  experts: { count: 8, k: 2, normalised: true, early: true, gates: 'sigmoid' },
};

/** config.json of a configuration. */
export const fieldsOf = (config: LanguageModelConfig) => ({
  ...{ model_type: 'smallthinker', vocab_size: config.vocabulary, hidden_size: config.features },
  ...{ num_hidden_layers: config.layers, num_attention_heads: config.heads, num_key_value_heads: config.keyHeads },
  ...{ head_dim: config.headDim, moe_ffn_hidden_size: config.hidden, max_position_embeddings: config.context },
  ...{ rms_norm_eps: config.epsilon, rope_theta: config.ropeBase, sliding_window_size: config.window },
  rope_layout: Array.from({ length: config.layers }, (_, l) => Number(!config.nopeLayers?.includes(l))),
  sliding_window_layout: Array.from({ length: config.layers }, (_, l) => Number(!config.fullLayers?.includes(l))),
  ...{ moe_num_primary_experts: config.experts?.count, moe_num_active_primary_experts: config.experts?.k },
  moe_primary_router_apply_softmax: config.experts?.gates !== 'sigmoid',
});

export const path = (layer: number) => `model.layers.${layer}`;
export const expertPath = (layer: number, expert: number) => `${path(layer)}.block_sparse_moe.experts.${expert}`;

/** Random weights under Hugging Face's names. */
export function weightsOf(config: LanguageModelConfig, seed = 1, tied = true): Record<string, Tensor> {
  const random = new Random(seed);
  const { vocabulary, features, heads, keyHeads, headDim, hidden, layers, experts } = config;
  const matrix = (rows: number, columns: number) => random.normal([rows, columns], 0, 0.15);
  const norm = () => random.normal([features], 1, 0.1);
  const weights: Record<string, Tensor> = {
    'model.embed_tokens.weight': random.normal([vocabulary, features], 0, 1),
    'model.norm.weight': norm(),
    ...(!tied && { 'lm_head.weight': matrix(vocabulary, features) }),
  };
  for (let l = 0; l < layers; l++) {
    const at = path(l);
    Object.assign(weights, {
      [`${at}.input_layernorm.weight`]: norm(),
      [`${at}.post_attention_layernorm.weight`]: norm(),
      [`${at}.self_attn.q_proj.weight`]: matrix(heads * headDim, features),
      [`${at}.self_attn.k_proj.weight`]: matrix(keyHeads * headDim, features),
      [`${at}.self_attn.v_proj.weight`]: matrix(keyHeads * headDim, features),
      [`${at}.self_attn.o_proj.weight`]: matrix(features, heads * headDim),
      [`${at}.block_sparse_moe.primary_router.weight`]: matrix(experts?.count ?? 0, features),
    });
    for (let e = 0; e < (experts?.count ?? 0); e++)
      Object.assign(weights, {
        [`${expertPath(l, e)}.gate.weight`]: matrix(hidden, features),
        [`${expertPath(l, e)}.up.weight`]: matrix(hidden, features),
        [`${expertPath(l, e)}.down.weight`]: matrix(features, hidden),
      });
  }
  return weights;
}

/** A safetensors file of weights, as a reader. */
export const readerOf = (weights: Record<string, Tensor>) =>
  new SafetensorsReader(bytesInMemory(writeSafetensors(weights), 'tiny.safetensors'));

type Format = 'F32' | 'Q8_0' | 'Q4_0';

/** Bytes of a matrix in a format of GGUF. */
function bytesOf(values: Float32Array, format: Format): Uint8Array {
  return format === 'F32' ? new Uint8Array(Float32Array.from(values).buffer) : quantizeBlocks(values, format);
}

/** A GGUF file; `byNeuron` stores down matrices transposed, as PowerInfer's files do. */
export function ggufOf(
  config: LanguageModelConfig,
  weights: Record<string, Tensor>,
  format: Format,
  byNeuron = false,
): Uint8Array {
  const names: Readonly<Record<string, string>> = {
    ...{ input_layernorm: 'attn_norm', post_attention_layernorm: 'ffn_norm', 'self_attn.q_proj': 'attn_q' },
    ...{ 'self_attn.k_proj': 'attn_k', 'self_attn.v_proj': 'attn_v', 'self_attn.o_proj': 'attn_output' },
    ...{ 'block_sparse_moe.primary_router': 'ffn_gate_inp' },
  };
  const globals: Readonly<Record<string, string>> = {
    'model.embed_tokens.weight': 'token_embd.weight',
    'model.norm.weight': 'output_norm.weight',
    'lm_head.weight': 'output.weight',
  };
  const one = (name: string, shape: readonly number[], values: Float32Array) => {
    const type = shape.length < 2 || name.includes('ffn_gate_inp') ? 'F32' : format;
    return { name, shape, type, bytes: bytesOf(values, type) } as const;
  };
  const tensors = Object.entries(weights).flatMap(([name, values]) => {
    const [, layer, part] = /^model\.layers\.(\d+)\.(.*)\.weight$/.exec(name) ?? [];
    if (part?.includes('experts')) return [];
    const own = part === undefined ? globals[name] : `blk.${layer}.${names[part]}.weight`;
    return [one(own as string, values.shape, values.view())];
  });
  const { layers, experts } = config;
  for (let l = 0; l < layers; l++)
    for (const role of ['gate', 'up', 'down'] as const) {
      const all = Array.from({ length: experts?.count ?? 0 }, (_, e) => {
        const values = weights[`${expertPath(l, e)}.${role}.weight`] as Tensor;
        return role === 'down' && byNeuron ? transpose(values) : values;
      });
      const flat = Float32Array.from(all.flatMap((values) => Array.from(values.view())));
      tensors.push(one(`blk.${l}.ffn_${role}_exps.weight`, [all.length, ...(all[0] as Tensor).shape], flat));
    }
  const own = (key: string) => `smallthinker.${key}`;
  const metadata: Record<string, GgufEntry> = {
    'general.architecture': ['string', 'smallthinker'],
    [own('block_count')]: ['u32', layers],
    [own('embedding_length')]: ['u32', config.features],
    [own('context_length')]: ['u32', config.context],
    [own('attention.head_count')]: ['u32', config.heads],
    [own('attention.head_count_kv')]: ['u32', config.keyHeads],
    [own('attention.key_length')]: ['u32', config.headDim],
    [own('expert_feed_forward_length')]: ['u32', config.hidden],
    [own('attention.layer_norm_rms_epsilon')]: ['f32', config.epsilon],
    [own('rope.freq_base')]: ['f32', config.ropeBase],
    [own('expert_count')]: ['u32', experts?.count ?? 0],
    [own('expert_used_count')]: ['u32', experts?.k ?? 0],
    [own('expert_gating_func')]: ['u32', experts?.gates === 'sigmoid' ? 2 : 1],
    ...(config.window > 0 && { [own('attention.sliding_window')]: ['u32', config.window] }),
  };
  return writeGguf(metadata, tensors);
}

/** The equations in loops of doubles: logits of every token [tokens][vocabulary]. */
export function oracle(
  config: LanguageModelConfig,
  weights: Record<string, Tensor>,
  tokens: readonly number[],
): Float64Array[] {
  const { features, heads, keyHeads, headDim, hidden, epsilon, ropeBase, window } = config;
  const { count = 0, k = 0, gates } = config.experts ?? {};
  const value = (name: string) => Float64Array.from((weights[`${name}.weight`] as Tensor).view<Float32Array>());
  const times = (w: Float64Array, x: Float64Array) =>
    Float64Array.from({ length: w.length / x.length }, (_, r) => {
      let sum = 0;
      for (let c = 0; c < x.length; c++) sum += (w[r * x.length + c] as number) * (x[c] as number);
      return sum;
    });
  const norm = (x: Float64Array, w: Float64Array) => {
    const scale = 1 / Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length + epsilon);
    return x.map((v, i) => v * scale * (w[i] as number));
  };
  const turned = (x: Float64Array, position: number) => {
    const y = Float64Array.from(x);
    const half = headDim / 2;
    for (let from = 0; from < x.length; from += headDim)
      for (let i = 0; i < half; i++) {
        const angle = position * ropeBase ** ((-2 * i) / headDim);
        const [a, b] = [x[from + i] as number, x[from + i + half] as number];
        y[from + i] = a * Math.cos(angle) - b * Math.sin(angle);
        y[from + i + half] = a * Math.sin(angle) + b * Math.cos(angle);
      }
    return y;
  };
  const table = value('model.embed_tokens');
  let h = tokens.map((token) => table.slice(token * features, (token + 1) * features));
  for (let l = 0; l < config.layers; l++) {
    const own = (name: string) => value(`${path(l)}.${name}`);
    const router = own('block_sparse_moe.primary_router');
    const routed = h.map((row) => times(router, row));
    const inputs = h.map((row) => norm(row, own('input_layernorm')));
    const [wq, wk, wv, wo] = (['q', 'k', 'v', 'o'] as const).map((part) => own(`self_attn.${part}_proj`)) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const rope = !config.nopeLayers?.includes(l);
    const place = (x: Float64Array, at: number) => (rope ? turned(x, at) : x);
    const q = inputs.map((x, at) => place(times(wq, x), at));
    const keys = inputs.map((x, at) => place(times(wk, x), at));
    const values = inputs.map((x) => times(wv, x));
    const reach = config.fullLayers?.includes(l) || window === 0 ? Number.POSITIVE_INFINITY : window;
    const after = own('post_attention_layernorm');
    const experts = Array.from({ length: count }, (_, e) =>
      (['gate', 'up', 'down'] as const).map((role) => value(`${expertPath(l, e)}.${role}`)),
    );
    h = h.map((row, i) => {
      const seen = new Float64Array(heads * headDim);
      for (let head = 0; head < heads; head++) {
        const at = Math.floor((head * keyHeads) / heads) * headDim;
        const scores = tokens.map((_, j) => {
          if (j > i || i - j >= reach) return Number.NEGATIVE_INFINITY;
          let dot = 0;
          for (let c = 0; c < headDim; c++)
            dot += (q[i]?.[head * headDim + c] as number) * (keys[j]?.[at + c] as number);
          return dot / Math.sqrt(headDim);
        });
        const top = Math.max(...scores);
        const total = scores.reduce((sum, s) => sum + Math.exp(s - top), 0);
        for (let c = 0; c < headDim; c++)
          seen[head * headDim + c] = scores.reduce(
            (sum, s, j) => sum + (Math.exp(s - top) / total) * (values[j]?.[at + c] as number),
            0,
          );
      }
      const projected = times(wo, seen);
      const a = row.map((v, c) => v + (projected[c] as number));
      const n = norm(a, after);
      const logits = routed[i] as Float64Array;
      const chosen = Array.from(logits.keys())
        .sort((x, y) => (logits[y] as number) - (logits[x] as number))
        .slice(0, k);
      const force = (e: number) =>
        gates === 'sigmoid' ? 1 / (1 + Math.exp(-(logits[e] as number))) : Math.exp(logits[e] as number);
      const sum = chosen.reduce((all, e) => all + force(e), 0);
      const y = Float64Array.from(a);
      for (const e of chosen) {
        const [gate, up, down] = experts[e] as [Float64Array, Float64Array, Float64Array];
        const [g, u] = [times(gate, n), times(up, n)];
        const out = times(
          down,
          Float64Array.from({ length: hidden }, (_, j) => Math.max(0, g[j] as number) * (u[j] as number)),
        );
        for (let c = 0; c < features; c++) y[c] = (y[c] as number) + (force(e) / sum) * (out[c] as number);
      }
      return y;
    });
  }
  const head = weights['lm_head.weight'] ? value('lm_head') : table;
  return h.map((row) => times(head, norm(row, value('model.norm'))));
}
