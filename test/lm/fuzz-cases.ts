// The readers of language models' files that are fuzzed. What is read is used: texts are encoded and
// decoded, templates rendered, models run.

import { type GgufEntry, readGguf, writeGguf } from '../../src/data/index.js';
import {
  byteCharacters,
  type ChatMessage,
  chatText,
  chatTokens,
  configOfHuggingFace,
  generationOfHuggingFace,
  LanguageModel,
  type LanguageModelConfig,
  namedWeights,
  type TextTokenizer,
  tokenizerOfGguf,
  tokenizerOfJson,
  WeightStore,
} from '../../src/lm/index.js';
import { asGguf, base, weightsOf } from './models.js';

/** See test/fuzz/cases.ts. */
interface FuzzCase {
  readonly name: string;
  readonly seeds: () => Uint8Array[] | Promise<Uint8Array[]>;
  readonly read: (bytes: Uint8Array) => unknown;
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const jsonBytes = (value: unknown) => bytesOf(JSON.stringify(value));

function parsed(bytes: Uint8Array): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new Error('not JSON');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Error('no JSON object');
  return json as Record<string, unknown>;
}

const messages: readonly ChatMessage[] = [
  { role: 'system', content: 'Be <|im_end|> brief. ' },
  { role: 'user', content: 'hello\n</s> 12' },
  { role: 'assistant', content: '<think>x</think>4' },
  { role: 'user', content: 'é日😀' },
];

/** Encodes and decodes texts; ids must be those of tokens, and text must come back as text. */
function used(tokenizer: TextTokenizer): void {
  for (const text of ['hello world', "It's 12345\r\n\n  é日😀\u0000", '<|im_end|></s><0x0A>', '']) {
    const ids = tokenizer.encode(text);
    if (!ids.every((id) => Number.isInteger(id) && id >= 0 && id < tokenizer.size))
      throw new TypeError('an id is none');
    if (typeof tokenizer.decode(ids) !== 'string') throw new TypeError('decoding gives no text');
  }
  tokenizer.decode([0, 1, 5, tokenizer.size, 2 ** 31]);
  chatTokens(tokenizer, messages);
}

const bytes = byteCharacters();
const merges = ['h e', 'l l', 'he ll', 'hell o', 'Ġ w', 'o r', 'Ġw or', 'l d', 'Ġwor ld'];
const tokens = [...bytes, ...merges.map((pair) => pair.replace(' ', '')), '<|im_start|>', '<|im_end|>', '<think>'];
const numbered = (all: readonly string[]) => Object.fromEntries(all.map((token, id) => [token, id]));
const added = tokens
  .slice(-3)
  .map((content, i) => ({ id: tokens.length - 3 + i, content, special: i < 2, lstrip: i === 0, rstrip: i === 1 }));
const template = '{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}<|im_end|>\n{% endfor %}';

const bytePieces = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
const pieces = ['<unk>', '<s>', '</s>', ...bytePieces, '▁', 'h', 'i', 't', '▁h', 'hi', '▁hi', '▁t'];

const llama3 =
  "(?i:'s|'t|'re)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const byteLevel = { type: 'ByteLevel', add_prefix_space: false, use_regex: false };

function tokenizerSeeds(): object[] {
  const rest = { added_tokens: added, normalizer: { type: 'NFC' }, decoder: { type: 'ByteLevel' } };
  const special = { SpecialToken: { id: '<|im_start|>', type_id: 0 } };
  const split = { type: 'Split', pattern: { Regex: llama3 }, behavior: 'Isolated', invert: false };
  const spm = { pattern: { String: ' ' }, content: '▁' };
  return [
    {
      ...rest,
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [split, { type: 'Digits', individual_digits: true }, byteLevel],
      },
      post_processor: { type: 'TemplateProcessing', single: [special, { Sequence: { id: 'A' } }] },
      model: { type: 'BPE', ignore_merges: true, vocab: numbered(tokens.slice(0, -3)), merges },
    },
    {
      added_tokens: pieces.slice(0, 3).map((content, id) => ({ id, content, special: true })),
      normalizer: {
        type: 'Sequence',
        normalizers: [
          { type: 'Prepend', prepend: '▁' },
          { type: 'Replace', ...spm },
        ],
      },
      pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false },
      post_processor: null,
      decoder: {
        type: 'Sequence',
        decoders: [
          { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
          { type: 'ByteFallback' },
          { type: 'Fuse' },
          { type: 'Strip', content: ' ', start: 1, stop: 0 },
        ],
      },
      model: {
        ...{ type: 'BPE', byte_fallback: true, unk_token: '<unk>', fuse_unk: true, vocab: numbered(pieces) },
        merges: [
          ['▁', 'h'],
          ['h', 'i'],
          ['▁', 'hi'],
          ['▁', 't'],
        ],
      },
    },
  ];
}

function ggufTokenizerSeeds(): Uint8Array[] {
  const kinds = tokens.map((_, id) => (id < tokens.length - 3 ? 1 : id < tokens.length - 1 ? 3 : 4));
  const spmKinds = pieces.map((_, id) => (id === 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1));
  const file = (entries: Record<string, GgufEntry>) =>
    writeGguf(Object.fromEntries(Object.entries(entries).map(([key, entry]) => [`tokenizer.${key}`, entry])), []);
  return [
    file({
      'ggml.model': ['string', 'gpt2'],
      'ggml.pre': ['string', 'llama-bpe'],
      'ggml.tokens': ['strings', tokens],
      'ggml.merges': ['strings', merges],
      'ggml.token_type': ['i32s', kinds],
      'ggml.eos_token_id': ['u32', tokens.length - 2],
      'ggml.bos_token_id': ['u32', tokens.length - 3],
      chat_template: ['string', template],
    }),
    file({
      'ggml.model': ['string', 'llama'],
      'ggml.tokens': ['strings', pieces],
      'ggml.token_type': ['i32s', spmKinds],
      'ggml.scores': ['f32s', pieces.map((_, id) => -id)],
      'ggml.bos_token_id': ['u32', 1],
      'ggml.eos_token_id': ['u32', 2],
    }),
  ];
}

const llama = {
  ...{ model_type: 'llama', vocab_size: 40, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4 },
  ...{ num_key_value_heads: 2, intermediate_size: 48, max_position_embeddings: 64, rms_norm_eps: 1e-6 },
  ...{ hidden_act: 'silu', eos_token_id: [1, 2] },
};
const llama3Rope = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
const configs = [
  { ...llama, rope_theta: 10000, rope_scaling: { ...llama3Rope, original_max_position_embeddings: 32 } },
  {
    ...llama,
    rope_parameters: { rope_theta: 1e6, rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32 },
  },
  {
    ...{
      ...llama,
      model_type: 'qwen3',
      head_dim: 16,
      use_sliding_window: true,
      sliding_window: 8,
      max_window_layers: 0,
    },
    layer_types: ['full_attention', 'full_attention'],
    rope_parameters: {
      full_attention: { rope_theta: 1e4, rope_type: 'linear', factor: 2, partial_rotary_factor: 0.5 },
    },
  },
  { ...llama, model_type: 'mistral', sliding_window: 16, temperature: 0.7, top_p: 0.9, top_k: 20, do_sample: true },
];

/** Whether a model of a configuration is small enough to be made for every damaged file. */
const isSmall = ({ vocabulary, features, layers, heads, headDim, hidden }: LanguageModelConfig) =>
  layers * Math.max(vocabulary, hidden, heads * headDim) * features < 20_000 && features < 500;

const templates = [
  template,
  "{%- for m in messages %}{% if m.role == 'assistant' and '</think>' in m.content %}{{ m.content.split('</think>')[-1].lstrip('\\n') }}{% else %}{{ '<|im_start|>' + m['role'] + '\\n' + m.content | trim }}{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant{% endif %}",
  '{% macro show(m, end="x") %}[{{ m.content[1:3] }}{{ end }}]{% endmacro %}{% set ns = namespace(n=0) %}{% for m in messages if m.role != "tool" %}{% set ns.n = ns.n + 2 * loop.index0 %}{{ show(m, end=ns.n) }}{% endfor %}{{ ns.n ** 2 // 3 }}',
  '{{ bos_token }}{% for m in messages[1:] %}{{ m | tojson(indent=2) }}{{ m.content | replace("e", "ee") | indent(2) }}{{ range(3) | join("-") }}{{ loop.last }}{% endfor %}{{ messages | map(attribute="role") | list | unique | sort | reverse | list }}',
];

export const languageModelCases: readonly FuzzCase[] = [
  {
    name: 'tokenizer-json',
    seeds: () => tokenizerSeeds().map(jsonBytes),
    read: (file) => used(tokenizerOfJson(parsed(file))),
  },
  {
    name: 'tokenizer-gguf',
    seeds: ggufTokenizerSeeds,
    read: (file) => used(tokenizerOfGguf(readGguf(file).metadata)),
  },
  {
    name: 'model-gguf',
    seeds: () => {
      const small = { ...base, vocabulary: 12, features: 32, layers: 1, heads: 2, keyHeads: 1, hidden: 32 };
      const experts = { count: 2, k: 1, normalised: true };
      const moe = { ...small, architecture: 'qwen3moe', experts };
      return [small, moe].flatMap((config) => [
        asGguf(config, weightsOf(config)),
        asGguf(config, weightsOf(config), 'Q8_0'),
      ]);
    },
    read: (file) => {
      const store = new WeightStore();
      try {
        const model = LanguageModel.fromGguf(readGguf(file), store);
        const cache = model.cache();
        model.forward([1, 3, 2], cache).dataSync();
        cache.dispose();
      } finally {
        store.dispose();
      }
    },
  },
  {
    name: 'config-json',
    seeds: () => configs.map(jsonBytes),
    read: (file) => {
      const json = parsed(file);
      generationOfHuggingFace(json);
      const config = configOfHuggingFace(json);
      if (!isSmall(config)) return;
      const model = new LanguageModel(config, namedWeights(weightsOf(config)));
      const cache = model.cache();
      const logits = model.forward([0, 0, 0], cache).dataSync<Float32Array>();
      cache.dispose();
      if (!logits.every(Number.isFinite)) throw new TypeError('logits are not finite');
    },
  },
  {
    name: 'chat-template',
    seeds: () => templates.map(bytesOf),
    read: (file) => chatText({ chatTemplate: new TextDecoder().decode(file) }, messages),
  },
];
