// GGUF files of random weights in Q4_0 with the sizes of real models, which every runtime of such
// files loads: speed and memory depend on sizes, not on values. Only routing does: it is near
// uniform here, the worst case of a cache of experts.

import { type GgufEntry, type GgufOutput, ggufParts } from '../data/index.js';
import { blockBytes, floatToHalf } from '../quantized/index.js';
import { Random } from '../tensor/index.js';
import { byteCharacters } from './bpe.js';
import type { LanguageModelConfig } from './runtime/config.js';
import { smallThinker4B, smallThinker21B } from './smallthinker/index.js';

const llama = { architecture: 'llama', headDim: 64, context: 4096, window: 0, interleaved: false, epsilon: 1e-6 };

/** Sizes by name. */
export const modelShapes = {
  /** Qwen2 0.5B; its embedding is also the head. */
  'qwen2-0.5b': {
    ...{ ...llama, vocabulary: 151_936, features: 896, layers: 24, heads: 14, keyHeads: 2, hidden: 4864 },
    ...{ ropeBase: 1e6, tied: true },
  },
  /** Llama 3.2 1B; its embedding is also the head. */
  'llama3-1b': {
    ...{ ...llama, vocabulary: 128_256, features: 2048, layers: 16, heads: 32, keyHeads: 8, hidden: 8192 },
    ...{ ropeBase: 5e5, tied: true },
  },
  'smallthinker-4b': smallThinker4B,
  'smallthinker-21b': smallThinker21B,
} as const satisfies Readonly<Record<string, LanguageModelConfig>>;

/** Name of a shape. */
export type ModelShape = keyof typeof modelShapes;

const BLOCK_BYTES = 18;

/**
 * Scale of the quanta of a matrix. Embeddings are large and what layers add to them small, so that
 * routers see tokens that differ; else all would choose what their common context does.
 */
const scaleOf = (name: string) => (name.startsWith('token') ? 0.25 : /output|down/.test(name) ? 0.0004 : 0.004);

/** Blocks of random nibbles with one scale. */
function randomBlocks(rows: number, columns: number, seed: number, factor: number): Uint8Array {
  const bytes = new Uint8Array(blockBytes('Q4_0', rows, columns));
  const scale = floatToHalf(factor);
  let counter = Math.imul(seed, 0x9e3779b9);
  // A counter that is mixed (Mulberry32): rows of a congruential generator would be alike, and
  // route all tokens to the same experts.
  const bits = () => {
    counter = (counter + 0x6d2b79f5) | 0;
    let mixed = Math.imul(counter ^ (counter >>> 15), counter | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return mixed ^ (mixed >>> 14);
  };
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    bytes[at] = scale & 255;
    bytes[at + 1] = scale >> 8;
    for (let i = 2; i < BLOCK_BYTES; i += 4) {
      const drawn = bits();
      for (let j = 0; j < 4; j++) bytes[at + i + j] = balanced((drawn >>> (8 * j)) & 255);
    }
  }
  return bytes;
}

/** Quanta from −7 to 7: with −8 their mean would be below 0, and the same in all rows. */
const balanced = (pair: number) => pair | ((pair & 15) === 0 ? 8 : 0) | (pair >> 4 === 0 ? 128 : 0);

function floats(name: string, shape: readonly number[], value: () => number): GgufOutput {
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, value);
  return { name, shape, type: 'F32', bytes: new Uint8Array(values.buffer) };
}

/** The tensors of a model; blocks are made as they are written. */
function randomTensors(config: LanguageModelConfig): GgufOutput[] {
  const { vocabulary, features, layers, heads, keyHeads, headDim, hidden, experts, tied } = config;
  const random = new Random(1);
  let seed = 0;
  const matrix = (name: string, ...shape: number[]): GgufOutput => {
    const [rows, columns] = [shape.slice(0, -1).reduce((a, b) => a * b, 1), shape.at(-1) as number];
    const own = ++seed;
    const byteLength = blockBytes('Q4_0', rows, columns);
    return { name, shape, type: 'Q4_0', bytes: () => randomBlocks(rows, columns, own, scaleOf(name)), byteLength };
  };
  const norm = (name: string) => floats(name, [features], () => 1);
  const feedForward = (at: string) => {
    if (!experts)
      return [
        matrix(`${at}.ffn_gate.weight`, hidden, features),
        matrix(`${at}.ffn_up.weight`, hidden, features),
        matrix(`${at}.ffn_down.weight`, features, hidden),
      ];
    // Down projections by neuron, as PowerInfer's files have them.
    const stacks = ['gate', 'up', 'down'].map((role) =>
      matrix(`${at}.ffn_${role}_exps.weight`, experts.count, hidden, features),
    );
    const router = random.uniform([experts.count * features], -0.5, 0.5).view();
    return [floats(`${at}.ffn_gate_inp.weight`, [experts.count, features], arrayOf(router)), ...stacks];
  };
  return [
    matrix('token_embd.weight', vocabulary, features),
    ...(tied ? [] : [matrix('output.weight', vocabulary, features)]),
    norm('output_norm.weight'),
    ...Array.from({ length: layers }, (_, layer) => `blk.${layer}`).flatMap((at) => [
      ...[norm(`${at}.attn_norm.weight`), norm(`${at}.ffn_norm.weight`)],
      matrix(`${at}.attn_q.weight`, heads * headDim, features),
      matrix(`${at}.attn_k.weight`, keyHeads * headDim, features),
      matrix(`${at}.attn_v.weight`, keyHeads * headDim, features),
      matrix(`${at}.attn_output.weight`, features, heads * headDim),
      ...feedForward(at),
    ]),
  ];
}

/** Gives the values of an array one after the other. */
function arrayOf(values: ArrayLike<number>): () => number {
  let at = 0;
  return () => values[at++] as number;
}

function randomMetadata(config: LanguageModelConfig): Record<string, GgufEntry> {
  const { architecture, vocabulary, features, layers, heads, keyHeads, headDim, hidden, context, experts } = config;
  const own = (key: string) => `${architecture}.${key}`;
  const characters = byteCharacters();
  const tokens = Array.from({ length: vocabulary }, (_, i) => characters[i] ?? (i === 256 ? 'ĠĠ' : `<${i}>`));
  return {
    'general.architecture': ['string', architecture],
    'general.name': ['string', 'random weights'],
    [own('block_count')]: ['u32', layers],
    [own('context_length')]: ['u32', context],
    [own('embedding_length')]: ['u32', features],
    [own('attention.head_count')]: ['u32', heads],
    [own('attention.head_count_kv')]: ['u32', keyHeads],
    [own('attention.key_length')]: ['u32', headDim],
    [own('attention.layer_norm_rms_epsilon')]: ['f32', config.epsilon],
    [own('rope.freq_base')]: ['f32', config.ropeBase],
    ...(experts
      ? {
          [own('expert_feed_forward_length')]: ['u32', hidden],
          [own('expert_count')]: ['u32', experts.count],
          [own('expert_used_count')]: ['u32', experts.k],
          [own('expert_gating_func')]: ['u32', experts.gates === 'sigmoid' ? 2 : 1],
        }
      : { [own('feed_forward_length')]: ['u32', hidden], [own('rope.dimension_count')]: ['u32', headDim] }),
    ...(config.window > 0 && { [own('attention.sliding_window')]: ['u32', config.window] }),
    'tokenizer.ggml.model': ['string', 'gpt2'],
    'tokenizer.ggml.pre': ['string', 'qwen2'],
    'tokenizer.ggml.tokens': ['strings', tokens],
    'tokenizer.ggml.token_type': ['i32s', tokens.map(() => 1)],
    'tokenizer.ggml.merges': ['strings', ['Ġ Ġ']],
    'tokenizer.ggml.bos_token_id': ['u32', vocabulary - 2],
    'tokenizer.ggml.eos_token_id': ['u32', vocabulary - 1],
    'tokenizer.ggml.add_bos_token': ['bool', false],
  };
}

/** The parts of a GGUF file of random weights, in order; tensors are made one at a time. */
export function randomGguf(config: LanguageModelConfig): Iterable<Uint8Array> {
  return ggufParts(randomMetadata(config), randomTensors(config));
}

/** Bytes of the tensors of `randomGguf`. */
export function randomGgufBytes(config: LanguageModelConfig): number {
  return randomTensors(config).reduce(
    (total, { byteLength, bytes }) => total + (byteLength ?? (typeof bytes === 'function' ? 0 : bytes.length)),
    0,
  );
}
