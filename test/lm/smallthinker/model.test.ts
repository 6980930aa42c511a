import { describe, expect, test } from 'vitest';
import { readGguf } from '../../../src/data/index.js';
import {
  configOfGguf,
  configOfHuggingFace,
  decoderOf,
  LanguageModel,
  type LanguageModelConfig,
  llamaCppDiffers,
  namedWeights,
  safetensorsWeights,
} from '../../../src/lm/index.js';
import { type ExpertUsage, expertContext, parameterCount, stateOf } from '../../../src/nn/index.js';
import { Random, type Tensor, tensor } from '../../../src/tensor/index.js';
import { expectClose } from '../../oracle.js';
import { fieldsOf, ggufOf, oracle, path, readerOf, sigmoid, tiny, weightsOf } from './model.js';

const tokens = Array.from({ length: 40 }, (_, i) => (i * 11 + (i >> 2) * 5) % 48);
const all = (model: LanguageModel, ids: readonly number[]) =>
  model.forward(ids, model.cache(), { all: true }).dataSync<Float32Array>();
const flat = (rows: readonly Float64Array[]) => rows.flatMap((row) => Array.from(row));

describe('the equations', () => {
  test.each([
    ['softmax gates, tied', tiny, true],
    ['sigmoid gates, a head of its own', sigmoid, false],
    ['no window', { ...tiny, window: 0, fullLayers: undefined, nopeLayers: undefined } as LanguageModelConfig, true],
  ])('%s: logits as in loops of doubles, in one pass and token by token', (_, config, tied) => {
    const weights = weightsOf(config, 3, tied);
    const expected = flat(oracle(config, weights, tokens));
    const model = new LanguageModel(
      configOfHuggingFace(
        JSON.parse(
          JSON.stringify(config.window ? fieldsOf(config) : { ...fieldsOf(config), sliding_window_layout: null }),
        ),
      ),
      safetensorsWeights([readerOf(weights)]),
    );
    expectClose(all(model, tokens), expected, 1e-4);
    const cache = model.cache();
    const single = tokens.flatMap((token) => Array.from(model.forward([token], cache).dataSync()));
    expectClose(single, expected, 1e-4);
  });

  test('GGUF: down as llama.cpp and as PowerInfer store it', () => {
    const weights = weightsOf(sigmoid, 4, false);
    const expected = flat(oracle(sigmoid, weights, tokens));
    for (const byNeuron of [false, true]) {
      const model = LanguageModel.fromGguf(readGguf(ggufOf(sigmoid, weights, 'F32', byNeuron)));
      expect(model.config).toMatchObject({ fullLayers: [0], nopeLayers: [0], window: 16, experts: sigmoid.experts });
      expectClose(all(model, tokens), expected, 1e-4);
    }
  });

  test('the router reads the raw residual stream', () => {
    const random = () => new Random(4);
    const ids = tensor(Int32Array.from(tokens.slice(0, 20)), [1, 20]);
    const changed = (early: boolean) => {
      const config = { ...tiny, experts: { count: 8, k: 2, normalised: true, ...(early && { early }) } };
      const decoder = decoderOf(config, random());
      const logits = () => {
        const context = expertContext();
        decoder.forward(ids, context);
        return (context.usage[0] as ExpertUsage).routing.logits.dataSync();
      };
      const before = logits();
      const norm = stateOf(decoder)['model.layers.0.inputLayernorm.weight'] as Tensor;
      norm.assign(norm.dataSync().map((v: number, i: number) => v * (1 + (i % 3))));
      const after = logits();
      return Math.max(...before.map((v, i) => Math.abs(v - (after[i] as number))));
    };
    expect(changed(true)).toBe(0);
    expect(changed(false)).toBeGreaterThan(1e-4);
  });

  test('a decoder trained runs alike, and has the parameters of the formula', () => {
    const config = { ...sigmoid, tied: false };
    const decoder = decoderOf(config, new Random(5));
    const { features: d, heads, keyHeads, headDim, hidden, layers, vocabulary } = config;
    const each = d * headDim * (2 * heads + 2 * keyHeads) + 8 * d + 3 * 8 * d * hidden + 2 * d;
    expect(parameterCount(decoder)).toBe(2 * vocabulary * d + layers * each + d);
    const ids = tokens.slice(0, 36);
    const logits = decoder.forward(tensor(Int32Array.from(ids), [1, ids.length])).dataSync<Float32Array>();
    expectClose(all(new LanguageModel(config, namedWeights(stateOf(decoder))), ids), logits, 1e-4);
  });
});

describe('layers with and without a window', () => {
  const weights = weightsOf(tiny, 6);
  const one = (layer: object) => ({ ...tiny, layers: 1, fullLayers: [], nopeLayers: [], ...layer });
  const last = (config: LanguageModelConfig, ids: readonly number[]) => {
    const model = new LanguageModel(config, safetensorsWeights([readerOf(weights)]));
    return model.forward(ids, model.cache()).dataSync<Float32Array>();
  };
  const distance = (a: Float32Array, b: Float32Array) => Math.max(...a.map((v, i) => Math.abs(v - (b[i] as number))));

  test('a window ends exactly where it says', () => {
    const config = one({ window: 16 });
    const changedAt = (back: number) => tokens.map((token, i) => (i === tokens.length - 1 - back ? 47 - token : token));
    expect(distance(last(config, tokens), last(config, changedAt(16)))).toBe(0);
    expect(distance(last(config, tokens), last(config, changedAt(15)))).toBeGreaterThan(1e-5);
  });

  test('a layer without rotary embeddings sees no positions, but an order', () => {
    const nope = one({ fullLayers: [0], nopeLayers: [0] });
    const swapped = [...tokens];
    [swapped[3], swapped[30]] = [tokens[30] as number, tokens[3] as number];
    expect(distance(last(nope, tokens), last(nope, swapped))).toBeLessThan(1e-5);
    expect(distance(last(one({ fullLayers: [0] }), tokens), last(one({ fullLayers: [0] }), swapped))).toBeGreaterThan(
      1e-4,
    );
  });

  test('keys and values take the bytes of the formula, and drafts can be taken back', () => {
    const model = new LanguageModel(tiny, safetensorsWeights([readerOf(weights)]));
    const perToken = 2 * 2 * 16 * 2;
    expect(model.cacheBytes(400, 'f16')).toBe(perToken * (400 + 3 * 16));
    expect(model.cacheBytes(12, 'f16')).toBe(perToken * 4 * 12);
    const long = Array.from({ length: 390 }, (_, i) => (i * 7 + (i >> 3)) % 48);
    const cache = model.cache({ format: 'f16' });
    model.forward(long, cache);
    // 64 tokens beyond a window are for drafts.
    expect(cache.bytes).toBe(perToken * (400 + 3 * (16 + 64)));
    const next = model.forward([5], cache).dataSync();
    cache.truncate(389);
    model.forward([long[389] as number], cache);
    expectClose(model.forward([5], cache).dataSync(), next, 1e-3);
    const fork = cache.fork();
    expect([...model.forward([7], fork).dataSync()]).toEqual([...model.forward([7], cache).dataSync()]);
    expect(() => cache.truncate(100)).toThrow('cannot cut');
  });

  test('21B at 16,384 tokens in f16: 1.625 GiB of full layers become 0.711', () => {
    const full = Array.from({ length: 13 }, (_, i) => 4 * i);
    const bytes = (window: number) =>
      2 *
      2 *
      4 *
      128 *
      Array.from({ length: 52 }, (_, l) => (full.includes(l) || window === 0 ? 16384 : window)).reduce(
        (a, b) => a + b,
        0,
      );
    expect(bytes(0) / 2 ** 30).toBeCloseTo(1.625, 3);
    expect(bytes(4096) / 2 ** 30).toBeCloseTo(0.711, 3);
  });
});

describe('configurations', () => {
  test('of config.json: arrays are honoured, and what llama.cpp would do otherwise is told', () => {
    const fields = fieldsOf(tiny);
    expect(configOfHuggingFace(fields)).toMatchObject({ window: 16, fullLayers: [0], nopeLayers: [0] });
    expect(llamaCppDiffers(configOfHuggingFace(fields))).toContain('llama.cpp takes a window of 4096');
    const usual = { ...fields, sliding_window_size: 4096 };
    expect(llamaCppDiffers(configOfHuggingFace(usual))).toBeUndefined();
    const other = configOfHuggingFace({ ...fields, rope_layout: [1, 1, 1, 1], sliding_window_layout: [1, 0, 1, 1] });
    expect(other).toMatchObject({ fullLayers: [1] });
    expect(other.nopeLayers).toBeUndefined();
    expect(configOfHuggingFace({ ...fields, sliding_window_layout: [0, 0, 0, 0] }).window).toBe(0);
    expect(() => configOfHuggingFace({ ...fields, rope_layout: [1, 1] })).toThrow('"rope_layout" is no list of 4');
    expect(() => configOfHuggingFace({ ...fields, moe_ffn_hidden_size: undefined })).toThrow('moe_ffn_hidden_size');
    expect(() => configOfHuggingFace({ ...fields, moe_enable_secondary_experts: true })).toThrow('secondary experts');
  });

  test('of GGUF: gates by number, the window with its period', () => {
    const { metadata } = readGguf(ggufOf(tiny, weightsOf(tiny), 'F32'));
    expect(configOfGguf(metadata, 48).experts).toEqual({ count: 8, k: 2, normalised: true, early: true });
    const { 'smallthinker.attention.sliding_window': _, ...without } = metadata;
    expect(configOfGguf(without, 48)).toMatchObject({ window: 0 });
    expect(configOfGguf(without, 48).nopeLayers).toBeUndefined();
    expect(() => configOfGguf({ ...metadata, 'smallthinker.expert_gating_func': 3 }, 48)).toThrow('is 3; 1 (softmax)');
  });

  test('a missing matrix of an expert is named', () => {
    const { [`${path(2)}.block_sparse_moe.experts.5.up.weight`]: _, ...weights } = weightsOf(tiny);
    expect(() => new LanguageModel(tiny, safetensorsWeights([readerOf(weights)]))).toThrow(
      'the model lacks the "up" matrix of expert 5 in layer 2',
    );
  });
});
