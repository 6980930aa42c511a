// A GGUF file of random weights in Q4_0 with the sizes of a real model, which every runtime of such
// files loads.

import { closeSync, existsSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ggufParts } from '../dist/data/index.js';
import { byteCharacters } from '../dist/lm/index.js';
import { blockBytes, floatToHalf } from '../dist/quantized/index.js';

/** Sizes of Qwen2 0.5B, its embedding also the head. */
export const halfBillion = {
  ...{ vocabulary: 151_936, features: 896, layers: 24, heads: 14, keyHeads: 2, headDim: 64, hidden: 4864 },
  context: 4096,
};

/** Random nibbles; one scale for all keeps values small. */
function randomBlocks(rows, columns, seed) {
  const bytes = new Uint8Array(blockBytes('Q4_0', rows, columns));
  const scale = floatToHalf(0.004);
  let state = seed;
  for (let at = 0; at < bytes.length; at += 18) {
    bytes[at] = scale & 255;
    bytes[at + 1] = scale >> 8;
    for (let i = 2; i < 18; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      bytes[at + i] = state >>> 24;
    }
  }
  return bytes;
}

/** Writes the file unless it is there. @returns its path */
export function randomGguf(config = halfBillion) {
  const { vocabulary, features, layers, heads, keyHeads, headDim, hidden, context } = config;
  const path = join(tmpdir(), `gossamer-${features}x${layers}-${vocabulary}.gguf`);
  if (existsSync(path) && statSync(path).size > 0) return path;
  const ones = new Uint8Array(new Float32Array(features).fill(1).buffer);
  const matrix = (name, rows, columns, seed) => ({
    name,
    shape: [rows, columns],
    type: 'Q4_0',
    bytes: () => randomBlocks(rows, columns, seed),
    byteLength: blockBytes('Q4_0', rows, columns),
  });
  const norm = (name) => ({ name, shape: [features], type: 'F32', bytes: ones });
  const tensors = [matrix('token_embd.weight', vocabulary, features, 1), norm('output_norm.weight')];
  for (let layer = 0; layer < layers; layer++) {
    const at = `blk.${layer}`;
    tensors.push(
      ...[norm(`${at}.attn_norm.weight`), norm(`${at}.ffn_norm.weight`)],
      matrix(`${at}.attn_q.weight`, heads * headDim, features, layer + 100),
      matrix(`${at}.attn_k.weight`, keyHeads * headDim, features, layer + 200),
      matrix(`${at}.attn_v.weight`, keyHeads * headDim, features, layer + 300),
      matrix(`${at}.attn_output.weight`, features, heads * headDim, layer + 400),
      matrix(`${at}.ffn_gate.weight`, hidden, features, layer + 500),
      matrix(`${at}.ffn_up.weight`, hidden, features, layer + 600),
      matrix(`${at}.ffn_down.weight`, features, hidden, layer + 700),
    );
  }
  const bytes = byteCharacters();
  const tokens = Array.from({ length: vocabulary }, (_, i) => bytes[i] ?? (i === 256 ? 'ĠĠ' : `<${i}>`));
  const metadata = {
    'general.architecture': ['string', 'llama'],
    'general.name': ['string', 'random'],
    'llama.block_count': ['u32', layers],
    'llama.context_length': ['u32', context],
    'llama.embedding_length': ['u32', features],
    'llama.feed_forward_length': ['u32', hidden],
    'llama.attention.head_count': ['u32', heads],
    'llama.attention.head_count_kv': ['u32', keyHeads],
    'llama.attention.layer_norm_rms_epsilon': ['f32', 1e-6],
    'llama.rope.dimension_count': ['u32', headDim],
    'tokenizer.ggml.model': ['string', 'gpt2'],
    'tokenizer.ggml.pre': ['string', 'qwen2'],
    'tokenizer.ggml.tokens': ['strings', tokens],
    'tokenizer.ggml.token_type': ['i32s', tokens.map(() => 1)],
    'tokenizer.ggml.merges': ['strings', ['Ġ Ġ']],
    'tokenizer.ggml.bos_token_id': ['u32', vocabulary - 2],
    'tokenizer.ggml.eos_token_id': ['u32', vocabulary - 1],
    'tokenizer.ggml.add_bos_token': ['bool', false],
  };
  const file = openSync(`${path}.part`, 'w');
  for (const part of ggufParts(metadata, tensors)) writeSync(file, part);
  closeSync(file);
  renameSync(`${path}.part`, path);
  return path;
}
