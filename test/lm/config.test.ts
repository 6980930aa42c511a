import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../src/data/index.js';
import {
  byteCharacters,
  chatText,
  configOfGguf,
  configOfHuggingFace,
  generationOfGguf,
  generationOfHuggingFace,
  LanguageModel,
  namedWeights,
  requireConfig,
} from '../../src/lm/index.js';
import { loadLanguageModel } from '../../src/lm/node.js';
import { base, weightsOf } from './models.js';

const llama = {
  ...{ model_type: 'llama', vocab_size: 300, hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 4 },
  ...{ num_key_value_heads: 2, intermediate_size: 96, max_position_embeddings: 64, rms_norm_eps: 1e-6 },
};
const of = (more: object) => configOfHuggingFace({ ...llama, ...more });

test('gates are renormalised where config.json says so, as in Transformers', () => {
  const moe = { model_type: 'qwen3_moe', num_experts_per_tok: 2, moe_intermediate_size: 8 };
  for (const [more, normalised] of [
    [{}, false],
    [{ norm_topk_prob: false }, false],
    [{ norm_topk_prob: true }, true],
  ] as const)
    expect(of({ ...moe, num_experts: 4, ...more }).experts).toEqual({ count: 4, k: 2, normalised });
  expect(of({ ...moe, num_local_experts: 4 }).experts?.count).toBe(4);
});

describe('rotary embeddings of config.json', () => {
  const linear = { rope_type: 'linear', factor: 4 };
  test('rope_parameters say what rope_theta and rope_scaling said', () => {
    const old = of({ rope_theta: 5e5, rope_scaling: { type: 'linear', factor: 4 } });
    expect(old.ropeBase).toBe(5e5);
    expect(old.ropeScaling?.divisors).toEqual(Array(8).fill(4));
    expect(of({ rope_parameters: { rope_theta: 5e5, ...linear } })).toEqual(old);
    expect(of({ rope_parameters: { rope_theta: 5e5, rope_type: 'default' } })).toEqual(of({ rope_theta: 5e5 }));
    expect(of({}).ropeBase).toBe(10000);
  });
  test('parameters by type of layer, where the layers agree', () => {
    const full = { rope_theta: 5e5, ...linear };
    expect(of({ rope_parameters: { full_attention: full } }).ropeBase).toBe(5e5);
    const both = { full_attention: full, sliding_attention: { rope_theta: 1e4, rope_type: 'default' } };
    expect(() => of({ rope_parameters: both })).toThrow('differ between full_attention and sliding_attention');
    const types = ['full_attention', 'full_attention'];
    expect(of({ rope_parameters: both, layer_types: types }).ropeBase).toBe(5e5);
  });
  test('part of a head rotates', () => {
    expect(of({ rope_parameters: { rope_theta: 1e4, partial_rotary_factor: 0.5 } }).ropeDims).toBe(8);
    expect(of({ partial_rotary_factor: 0.5 }).ropeDims).toBe(8);
  });
  test('YaRN: the context of training, and weights of the magnitude', () => {
    const yarn = (more: object) => of({ rope_parameters: { rope_type: 'yarn', factor: 4, ...more } }).ropeScaling;
    expect(yarn({})).toEqual(yarn({ original_max_position_embeddings: 64 }));
    expect(yarn({})?.magnitude).toBeCloseTo(0.1 * Math.log(4) + 1, 12);
    expect(yarn({ mscale: 1, mscale_all_dim: 1 })?.magnitude).toBe(1);
    expect(yarn({ mscale: 0.5, mscale_all_dim: 1 })?.magnitude).toBeCloseTo(
      (0.05 * Math.log(4) + 1) / (0.1 * Math.log(4) + 1),
      12,
    );
  });
  test('other kinds and values are refused by name', () => {
    for (const kind of ['dynamic', 'longrope', 'proportional', 'new'])
      for (const fields of [
        { rope_parameters: { rope_type: kind, factor: 2 } },
        { rope_scaling: { type: kind, factor: 2 } },
      ])
        expect(() => of(fields)).toThrow(`rope scaling of kind "${kind}" is not supported`);
    expect(() => of({ rope_scaling: { type: 'linear' } })).toThrow('lacks "factor"');
    expect(() => of({ rope_scaling: { type: 'linear', factor: 0 } })).toThrow('"factor" is 0, not a positive number');
    expect(() => of({ rope_theta: -1 })).toThrow('"rope_theta" is -1');
    expect(() => of({ rope_parameters: 'yarn' })).toThrow('"rope_parameters" is no object');
    const low = { rope_type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 4 };
    expect(() => of({ rope_scaling: { ...low, original_max_position_embeddings: 8 } })).toThrow('is not below');
  });
});

describe('what the runtime does not compute is refused', () => {
  test.each([
    [{ hidden_act: 'gelu' }, '"hidden_act" is "gelu"'],
    [{ attention_bias: true }, '"attention_bias" is true'],
    [{ mlp_bias: true }, '"mlp_bias" is true'],
    [{ model_type: 'qwen3_moe', mlp_only_layers: [1] }, '"mlp_only_layers"'],
    [{ model_type: 'qwen3_moe', decoder_sparse_step: 2 }, '"decoder_sparse_step"'],
    [{ model_type: 'gemma3' }, 'architecture "gemma3" is not supported'],
  ])('%o', (fields, reason) => {
    expect(() => of(fields)).toThrow(reason);
  });
  test('windows of all layers, of some or of none', () => {
    const qwen = { model_type: 'qwen2', use_sliding_window: true, sliding_window: 8 };
    expect(of({ ...qwen, max_window_layers: 0 }).window).toBe(8);
    expect(of({ ...qwen, max_window_layers: 2 }).window).toBe(0);
    expect(of({ ...qwen, layer_types: ['full_attention', 'full_attention'] }).window).toBe(0);
    expect(of({ model_type: 'mistral', sliding_window: null }).window).toBe(0);
    expect(of({ model_type: 'mistral' }).window).toBe(4096);
    expect(of(qwen).window).toBe(0);
    expect(of({ ...qwen, num_hidden_layers: 40, max_window_layers: 0, sliding_window: undefined }).window).toBe(4096);
    // The first 28 of 40 layers have full attention where a file does not say.
    const first = Array.from({ length: 28 }, (_, layer) => layer);
    expect(of({ ...qwen, num_hidden_layers: 40 })).toMatchObject({ window: 8, fullLayers: first });
    expect(of({ ...qwen, max_window_layers: 1 })).toMatchObject({ window: 8, fullLayers: [0] });
    const types = ['full_attention', 'sliding_attention'];
    const mixed = of({ model_type: 'mistral', sliding_window: 8, layer_types: types });
    expect(mixed).toMatchObject({ window: 8, fullLayers: [0] });
    expect(of({ model_type: 'mistral', sliding_window: 8 }).window).toBe(8);
  });
});

describe('sizes that make no decoder', () => {
  test.each([
    ['num_attention_heads', -4, 'heads is -4'],
    ['num_attention_heads', 3, 'headDim is 21.33'],
    ['num_attention_heads', 0, 'heads is 0'],
    ['num_key_value_heads', 3, '3 key heads do not divide the heads'],
    ['num_hidden_layers', 1e9, 'layers is 1000000000'],
    ['num_hidden_layers', 1.5, 'layers is 1.5'],
    ['vocab_size', 1e12, 'vocabulary is 1000000000000'],
    ['hidden_size', 1e15, 'features is 1000000000000000'],
    ['intermediate_size', -1, 'hidden is -1'],
    ['max_position_embeddings', 1e300, 'context is 1e+300'],
    ['rms_norm_eps', 0, 'epsilon is 0'],
    ['head_dim', 15, 'the dimension of a head is odd'],
    ['partial_rotary_factor', 0.3, '4.8 dimensions rotate'],
  ])('%s of %d', (key, value, reason) => {
    expect(() => of({ [key]: value })).toThrow(reason);
  });
  test('experts, and configurations that no file gave', () => {
    const experts = { count: 4, k: 5, normalised: true };
    expect(() => requireConfig({ ...base, experts })).toThrow('each token uses 5 of 4 experts');
    expect(() => new LanguageModel({ ...base, window: -1 }, namedWeights(weightsOf(base)))).toThrow('the window is -1');
    expect(() => new LanguageModel({ ...base, layers: 2 ** 30 }, namedWeights({}))).toThrow('layers is 1073741824');
  });
  test('GGUF', () => {
    const metadata = {
      ...{ 'general.architecture': 'llama', 'llama.block_count': 2, 'llama.embedding_length': 64 },
      ...{ 'llama.attention.head_count': 4, 'llama.feed_forward_length': 96, 'llama.context_length': 64 },
      'llama.attention.layer_norm_rms_epsilon': 1e-5,
    };
    expect(configOfGguf(metadata, 300).headDim).toBe(16);
    expect(() => configOfGguf({ ...metadata, 'llama.block_count': 2n ** 40n }, 300)).toThrow('layers is 1099511627776');
    expect(() => configOfGguf({ ...metadata, 'llama.block_count': 'two' }, 300)).toThrow(
      '"llama.block_count" is no number',
    );
    expect(() => configOfGguf({ ...metadata, 'llama.rope.scaling.type': 'longrope' }, 300)).toThrow('kind "longrope"');
    const divisorOf = (more: object) => configOfGguf({ ...metadata, ...more }, 300).ropeScaling?.divisors[0];
    expect(divisorOf({ 'llama.rope.scaling.factor': 4 })).toBe(4);
    expect(divisorOf({ 'llama.rope.scale_linear': 2 })).toBe(2);
    for (const factor of [0, 1]) expect(divisorOf({ 'llama.rope.scaling.factor': factor })).toBeUndefined();
    expect(divisorOf({ 'llama.rope.scaling.type': 'none', 'llama.rope.scaling.factor': 4 })).toBeUndefined();
    expect(() => configOfGguf({ ...metadata, 'llama.rope.dimension_count': 18 }, 300)).toThrow('18 dimensions rotate');
  });
});

describe('generation_config.json', () => {
  test('sampling and stop tokens', () => {
    const given = { do_sample: true, temperature: 0.6, top_k: 20, top_p: 0.9, min_p: 0, repetition_penalty: 1.1 };
    expect(generationOfHuggingFace({ ...given, eos_token_id: [5, 7] })).toEqual({
      sampling: { temperature: 0.6, topK: 20, topP: 0.9, minP: 0, repeatPenalty: 1.1 },
      stops: [5, 7],
    });
    expect(generationOfHuggingFace({ eos_token_id: 5, temperature: null })).toEqual({ sampling: {}, stops: [5] });
    expect(generationOfHuggingFace({ do_sample: false, temperature: 0.6 }).sampling).toEqual({ temperature: 0 });
    expect(generationOfGguf({ 'general.sampling.temp': 0.5, 'general.sampling.top_k': 3 }).sampling).toEqual({
      temperature: 0.5,
      topK: 3,
    });
    expect(() => generationOfHuggingFace({ top_p: 2 })).toThrow('"top_p" is 2, not a number from 0 to 1');
    expect(() => generationOfHuggingFace({ top_k: 0.5 })).toThrow('"top_k" is 0.5');
    expect(() => generationOfHuggingFace({ eos_token_id: '</s>' })).toThrow('"eos_token_id" is "</s>"');
  });

  test('a folder: templates beside the configuration, stop tokens of all files, sampling', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gossamer-config-'));
    const write = (file: string, value: object | string) =>
      writeFileSync(join(folder, file), typeof value === 'string' ? value : JSON.stringify(value));
    const vocab = Object.fromEntries(byteCharacters().map((text, id) => [text, id]));
    const added = ['<s>', '</s>', '<end>'].map((content, i) => ({ id: 256 + i, content, special: true }));
    const step = { type: 'ByteLevel', add_prefix_space: false, use_regex: true };
    write('tokenizer.json', {
      ...{ added_tokens: added, normalizer: null, pre_tokenizer: step, decoder: step, post_processor: null },
      model: { type: 'BPE', vocab, merges: [] },
    });
    write('config.json', { ...llama, eos_token_id: 257 });
    const config = of({});
    writeFileSync(join(folder, 'model.safetensors'), writeSafetensors(weightsOf(config)));
    const plain = loadLanguageModel(folder);
    expect(plain.tokenizer.stopTokens).toEqual([257]);
    expect(plain.sampling).toEqual({});
    plain.close();

    write('generation_config.json', { eos_token_id: [258], temperature: 0.3 });
    const named = [
      { name: 'default', template: 'inside' },
      { name: 'tool_use', template: 'tools inside' },
    ];
    write('tokenizer_config.json', { bos_token: { content: '<s>' }, eos_token: null, chat_template: named });
    write('chat_template.jinja', '{{ bos_token }}beside\n');
    mkdirSync(join(folder, 'additional_chat_templates'));
    write('additional_chat_templates/rag.jinja', 'texts');
    const { tokenizer, sampling, close } = loadLanguageModel(folder);
    expect(sampling).toEqual({ temperature: 0.3 });
    expect([...tokenizer.stopTokens].sort()).toEqual([257, 258]);
    expect(chatText(tokenizer, [])).toBe('<s>beside');
    expect(chatText(tokenizer, [], { tools: [{}] })).toBe('tools inside');
    expect(chatText(tokenizer, [], { template: 'rag' })).toBe('texts');
    close();

    write('generation_config.json', { eos_token_id: [9999] });
    expect(() => loadLanguageModel(folder)).toThrow('9999 is named as a special token');
  });
});
