// The weights of a decoder by role, wherever they come from and in whatever format.

import type { GgufFile } from '../../data/index.js';
import type { Weights } from '../../nn/index.js';
import type { BlockMatrix } from '../../quantized/index.js';
import { gatherRows, keep, linear, reshape, slice, type Tensor, tensor } from '../../tensor/index.js';

/** A matrix [rows, columns] for products x·Wᵀ. */
export interface WeightMatrix {
  readonly rows: number;
  readonly columns: number;
  /** Bytes that a product reads. */
  readonly bytes: number;
  /** x [m, columns] → [m, rows] */
  multiply(x: Tensor): Tensor;
  /** Some rows as floats [n, columns]. */
  rowsAt(rows: ArrayLike<number>): Tensor;
}

/** A matrix of floats. */
export class DenseMatrix implements WeightMatrix {
  readonly rows: number;
  readonly columns: number;

  constructor(readonly values: Tensor) {
    [this.rows, this.columns] = values.shape as [number, number];
  }

  get bytes(): number {
    return 4 * this.values.size;
  }

  multiply(x: Tensor): Tensor {
    return linear(x, this.values);
  }

  rowsAt(rows: ArrayLike<number>): Tensor {
    return gatherRows(this.values, tensor(Int32Array.from(rows)));
  }
}

/** Roles of a layer's weights. */
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
  | 'router';
export type GlobalRole = 'embedding' | 'norm' | 'head';

/** Where weights come from. Names that a file lacks give undefined. */
export interface WeightSource {
  matrix(role: LayerRole | GlobalRole, layer?: number): WeightMatrix | undefined;
  vector(role: LayerRole | GlobalRole, layer?: number): Tensor | undefined;
  /** The matrix of each expert. */
  experts(role: 'gate' | 'up' | 'down', layer: number, count: number): readonly WeightMatrix[] | undefined;
}

const ggufLayer: Readonly<Record<LayerRole, string>> = {
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
};
const ggufGlobal: Readonly<Record<GlobalRole, string>> = {
  embedding: 'token_embd.weight',
  norm: 'output_norm.weight',
  head: 'output.weight',
};

const nameIn =
  (layers: Readonly<Record<LayerRole, string>>, globals: Readonly<Record<GlobalRole, string>>, prefix: string) =>
  (role: LayerRole | GlobalRole, layer?: number): string =>
    role in globals ? globals[role as GlobalRole] : `${prefix}.${layer}.${layers[role as LayerRole]}`;

const plain = ['F32', 'F16', 'BF16'];

/** Weights of a GGUF file, quantised ones as they are. */
export function ggufWeights(file: GgufFile): WeightSource {
  const nameOf = nameIn(ggufLayer, ggufGlobal, 'blk');
  const load = (name: string): WeightMatrix | undefined => {
    const info = file.tensors.get(name);
    if (!info) return undefined;
    return plain.includes(info.type) ? new DenseMatrix(keep(file.tensor(name))) : file.blocks(name);
  };
  return {
    matrix: (role, layer) => load(nameOf(role, layer)),
    vector: (role, layer) => {
      const name = nameOf(role, layer);
      return file.tensors.has(name) ? keep(file.tensor(name)) : undefined;
    },
    experts: (role, layer, count) => {
      const name = `blk.${layer}.ffn_${role}_exps.weight`;
      if (!file.tensors.has(name)) return undefined;
      return Array.from({ length: count }, (_, expert) => expertMatrix(file, name, expert));
    },
  };
}

/** One matrix of a stack [experts, rows, columns]. */
function expertMatrix(file: GgufFile, name: string, expert: number): WeightMatrix {
  const type = file.tensors.get(name)?.type ?? '';
  if (!plain.includes(type)) return file.blocks(name, expert);
  const all = file.tensor(name);
  const [, rows, columns] = all.shape as [number, number, number];
  return new DenseMatrix(keep(reshape(slice(all, [expert, expert + 1]), [rows, columns]).clone()));
}

const faceLayer: Readonly<Record<LayerRole, string>> = {
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
};
const faceGlobal: Readonly<Record<GlobalRole, string>> = {
  embedding: 'model.embed_tokens.weight',
  norm: 'model.norm.weight',
  head: 'lm_head.weight',
};

/** Weights under Hugging Face's names, as safetensors files have them, or the state of a `Decoder`. `transform` may quantise matrices. */
export function namedWeights(
  weights: Weights,
  transform: (values: Tensor, name: string) => WeightMatrix | BlockMatrix = (values) => new DenseMatrix(values),
): WeightSource {
  const nameOf = nameIn(faceLayer, faceGlobal, 'model.layers');
  const find = (name: string) =>
    weights[name] ?? weights[name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())];
  const matrix = (name: string) => {
    const values = find(name);
    return values && transform(values, name);
  };
  return {
    matrix: (role, layer) => matrix(nameOf(role, layer)),
    vector: (role, layer) => find(nameOf(role, layer)),
    experts: (role, layer, count) => {
      const all = Array.from({ length: count }, (_, expert) =>
        matrix(`model.layers.${layer}.mlp.experts.${expert}.${role}_proj.weight`),
      );
      return all.every((one) => one !== undefined) ? (all as WeightMatrix[]) : undefined;
    },
  };
}
