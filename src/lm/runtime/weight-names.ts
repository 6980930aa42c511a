// The weights of a decoder by role, and their names in GGUF, in Hugging Face's files and in a
// `Decoder`.

/** Roles of the weights of one layer. */
export type LayerRole =
  | 'attentionNorm'
  | 'q'
  | 'k'
  | 'v'
  | 'o'
  | 'qBias'
  | 'kBias'
  | 'vBias'
  | 'qNorm'
  | 'kNorm'
  | 'feedForwardNorm'
  | 'gate'
  | 'up'
  | 'down'
  | 'router'
  | 'routerHidden'
  | 'residual'
  | 'constantGate'
  | 'constants'
  | 'blockRouter'
  | 'routerNorm'
  | 'qA'
  | 'qANorm'
  | 'qB'
  | 'kvA'
  | 'kvANorm'
  | 'kvB';
/** Roles of the weights outside layers. */
export type GlobalRole = 'embedding' | 'norm' | 'head';

/** Names in GGUF, behind `blk.<layer>.`. */
export const ggufLayer: Readonly<Record<LayerRole, string>> = {
  attentionNorm: 'attn_norm.weight',
  q: 'attn_q.weight',
  k: 'attn_k.weight',
  v: 'attn_v.weight',
  o: 'attn_output.weight',
  qBias: 'attn_q.bias',
  kBias: 'attn_k.bias',
  vBias: 'attn_v.bias',
  qNorm: 'attn_q_norm.weight',
  kNorm: 'attn_k_norm.weight',
  feedForwardNorm: 'ffn_norm.weight',
  gate: 'ffn_gate.weight',
  up: 'ffn_up.weight',
  down: 'ffn_down.weight',
  router: 'ffn_gate_inp.weight',
  routerHidden: 'ffn_gate_inp_hidden.weight',
  residual: 'ffn_gate_residual.weight',
  constantGate: 'ffn_constant_gate.weight',
  constants: 'ffn_constants.weight',
  blockRouter: 'ffn_block_inp.weight',
  routerNorm: 'ffn_block_inp_norm.weight',
  qA: 'attn_q_a.weight',
  qANorm: 'attn_q_a_norm.weight',
  qB: 'attn_q_b.weight',
  kvA: 'attn_kv_a_mqa.weight',
  kvANorm: 'attn_kv_a_norm.weight',
  kvB: 'attn_kv_b.weight',
};
/** Names in GGUF outside layers. */
export const ggufGlobal: Readonly<Record<GlobalRole, string>> = {
  embedding: 'token_embd.weight',
  norm: 'output_norm.weight',
  head: 'output.weight',
};

/** Gives the name of a role, with the number of the layer for roles of layers. */
export const nameIn =
  (layers: Readonly<Record<LayerRole, string>>, globals: Readonly<Record<GlobalRole, string>>, prefix: string) =>
  (role: LayerRole | GlobalRole, layer?: number): string =>
    role in globals ? globals[role as GlobalRole] : `${prefix}.${layer}.${layers[role as LayerRole]}`;

/** Names in Hugging Face's files, behind `model.layers.<layer>.`. */
export const huggingFaceLayer: Readonly<Record<LayerRole, string>> = {
  attentionNorm: 'input_layernorm.weight',
  q: 'self_attn.q_proj.weight',
  k: 'self_attn.k_proj.weight',
  v: 'self_attn.v_proj.weight',
  o: 'self_attn.o_proj.weight',
  qBias: 'self_attn.q_proj.bias',
  kBias: 'self_attn.k_proj.bias',
  vBias: 'self_attn.v_proj.bias',
  qNorm: 'self_attn.q_norm.weight',
  kNorm: 'self_attn.k_norm.weight',
  feedForwardNorm: 'post_attention_layernorm.weight',
  gate: 'mlp.gate_proj.weight',
  up: 'mlp.up_proj.weight',
  down: 'mlp.down_proj.weight',
  router: 'mlp.gate.weight',
  routerHidden: 'mlp.router_hidden.weight',
  residual: 'mlp.residual',
  constantGate: 'mlp.constant_gate',
  constants: 'mlp.constants',
  blockRouter: 'mlp.router_proj.weight',
  routerNorm: 'mlp.router_norm.weight',
  qA: 'self_attn.q_a_proj.weight',
  qANorm: 'self_attn.q_a_layernorm.weight',
  qB: 'self_attn.q_b_proj.weight',
  kvA: 'self_attn.kv_a_proj_with_mqa.weight',
  kvANorm: 'self_attn.kv_a_layernorm.weight',
  kvB: 'self_attn.kv_b_proj.weight',
};
/** Names in Hugging Face's files outside layers. */
export const huggingFaceGlobal: Readonly<Record<GlobalRole, string>> = {
  embedding: 'model.embed_tokens.weight',
  norm: 'model.norm.weight',
  head: 'lm_head.weight',
};

/** The name in the state of a `Decoder` for a Hugging Face name. */
export const decoderName = (name: string) =>
  name
    .replace('mlp.gate.weight', 'mlp.router.weight')
    .replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
