import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bytesInMemory, readGguf, SafetensorsReader, writeGguf, writeSafetensors } from '../../src/data/index.js';
import { openBytes } from '../../src/data/node.js';
import {
  byteCharacters,
  chatTokens,
  decoderConfig,
  decoderOf,
  LanguageModel,
  type LanguageModelConfig,
  namedWeights,
  type ReadAhead,
  safetensorsWeights,
  trainBpe,
  WeightStore,
} from '../../src/lm/index.js';
import { loadLanguageModel, saveLanguageModel } from '../../src/lm/node.js';
import { parameterCount, stateOf } from '../../src/nn/index.js';
import { floatToHalf, halfToFloat } from '../../src/quantized/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';
import { asGguf, configs, prompt, weightsOf } from './models.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-store-'));
const moe = configs.qwen3moe as LanguageModelConfig;
const dense = configs.qwen2 as LanguageModelConfig;

/** Counts the bytes that are read from a file. */
function counted(bytes: Uint8Array) {
  const source = bytesInMemory(bytes, 'counted.gguf');
  const seen = { bytes: 0 };
  return {
    seen,
    source: {
      ...source,
      read: (target: Uint8Array, position: number) => {
        seen.bytes += target.length;
        source.read(target, position);
      },
    },
  };
}

/**
 * A safetensors file of 16-bit numbers, F16 and BF16 in turns; the tensors are rounded likewise.
 */
function halfSafetensors(names: readonly string[], tensors: Record<string, Tensor>): Uint8Array {
  const header: Record<string, object> = {};
  const parts: Uint16Array[] = [];
  let at = 0;
  names.forEach((name, i) => {
    const { shape, size } = tensors[name] as Tensor;
    const values = (tensors[name] as Tensor).dataSync<Float32Array>();
    const bits = new Uint32Array(values.buffer);
    parts.push(i % 2 ? Uint16Array.from(bits, (word) => word >>> 16) : Uint16Array.from(values, floatToHalf));
    const rounded =
      i % 2
        ? new Float32Array(bits.map((word) => word & 0xffff0000).buffer)
        : values.map((v) => halfToFloat(floatToHalf(v)));
    (tensors[name] as Tensor).assign(rounded);
    header[name] = { dtype: i % 2 ? 'BF16' : 'F16', shape, data_offsets: [at, at + 2 * size] };
    at += 2 * size;
  });
  const text = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + at);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  let to = 8 + text.length;
  for (const part of parts) {
    file.set(new Uint8Array(part.buffer), to);
    to += part.byteLength;
  }
  return file;
}

describe('weights within a budget', () => {
  test.each([
    ['qwen2', dense],
    ['qwen3moe', moe],
  ])('%s: logits do not depend on it, and memory stays below it', (_, config) => {
    const file = asGguf(config, weightsOf(config, 5), 'Q8_0');
    const whole = LanguageModel.fromGguf(readGguf(file));
    const expected = whole.forward(prompt, whole.cache()).dataSync();
    for (const share of [0.9, 0.5, 0.2]) {
      const store = new WeightStore(Math.max(30_000, Math.floor(share * whole.bytes)));
      const model = LanguageModel.fromGguf(readGguf(file), store);
      const shares: number[] = [];
      model.load((done) => shares.push(done));
      expect(shares.at(-1)).toBe(1);
      const cache = model.cache();
      expect([...model.forward(prompt, cache).dataSync()]).toEqual([...expected]);
      model.forward([1], cache);
      expect(store.used).toBeLessThanOrEqual(store.budget);
      expect(store.bytesRead).toBeGreaterThan(store.used);
      store.dispose();
      expect(store.used).toBe(0);
    }
  });

  test('a pass over a dense model reads what does not fit, not all', () => {
    const file = asGguf(dense, weightsOf(dense, 5), 'Q8_0');
    const store = new WeightStore(Math.floor(0.7 * LanguageModel.fromGguf(readGguf(file)).bytes));
    const model = LanguageModel.fromGguf(readGguf(file), store);
    const cache = model.cache();
    model.forward([1], cache);
    const before = store.bytesRead;
    for (let i = 0; i < 5; i++) model.forward([2], cache);
    const perPass = (store.bytesRead - before) / 5 / model.bytes;
    // Least possible is 0.3, plus the one matrix that comes and goes.
    expect(perPass).toBeGreaterThan(0.25);
    expect(perPass).toBeLessThan(0.55);
  });

  test.each([
    ['GGUF', 0.6],
    ['GGUF', 0.2],
    ['safetensors', 0.6],
  ] as const)('%s, %f of it in memory: read half a layer ahead, logits and reads are those without', (kind, share) => {
    const config = { ...dense, layers: 12 };
    const own = weightsOf(config, 5, false);
    const path = join(folder, `ahead.${kind}`);
    writeFileSync(path, kind === 'GGUF' ? asGguf(config, own, 'Q8_0') : writeSafetensors(own));
    const run = (readAhead: ReadAhead | undefined) => {
      const file = openBytes(path);
      const budget = (bytes: number) => Math.floor(share * bytes);
      const modelOf = (store: WeightStore) =>
        kind === 'GGUF'
          ? LanguageModel.fromGguf(readGguf(file), store)
          : new LanguageModel(config, safetensorsWeights([new SafetensorsReader(file)], store));
      const store = new WeightStore(budget(modelOf(new WeightStore()).bytes), readAhead && { readAhead });
      const begun: number[] = [];
      const { ahead } = store;
      store.ahead = (matrices) => {
        const before = store.bytesRead;
        ahead.call(store, matrices);
        if (store.bytesRead > before) begun.push(store.bytesRead - before);
        expect(store.used).toBeLessThanOrEqual(store.budget);
      };
      const model = modelOf(store);
      const cache = model.cache();
      model.forward(prompt, cache);
      const before = store.bytesRead;
      const logits = Array.from({ length: 4 }, (_, i) => [...model.forward([i], cache).dataSync()]);
      const read = store.bytesRead - before;
      store.dispose();
      file.close();
      return { logits, read, begun: begun.reduce((a, b) => a + b, 0) };
    };
    const [ahead, never] = [run(undefined), run('never')];
    expect(ahead.logits).toEqual(never.logits);
    expect(never.begun).toBe(0);
    // Nearly all that is read was begun before it was needed, and little is read twice.
    expect(ahead.begun).toBeGreaterThan(0.8 * ahead.read);
    expect(ahead.read).toBeLessThan(1.3 * never.read);
  });

  test('experts are read when they are chosen', () => {
    const { seen, source } = counted(asGguf(moe, weightsOf(moe, 5), 'Q8_0'));
    const model = LanguageModel.fromGguf(readGguf(source));
    const before = seen.bytes;
    model.forward([1], model.cache());
    const one = seen.bytes - before;
    model.load();
    expect(seen.bytes - before).toBeGreaterThan(1.3 * one);
    const after = seen.bytes;
    model.forward(prompt, model.cache());
    expect(seen.bytes).toBe(after);
  });

  test('a matrix that is larger than the budget is refused before anything runs', () => {
    const model = LanguageModel.fromGguf(readGguf(asGguf(dense, weightsOf(dense), 'Q8_0')), new WeightStore(1000));
    expect(() => model.load()).toThrow('a matrix of 64×64 takes 4608 bytes, more than all the 1000 bytes for weights');
  });
});

describe('files', () => {
  const weights = weightsOf(dense, 4, false);
  const expected = () => {
    const model = new LanguageModel(dense, namedWeights(weights));
    return model.forward(prompt, model.cache()).dataSync();
  };

  test('safetensors, in parts, of floats and halves', () => {
    const names = Object.keys(weights);
    const part = (own: readonly string[]) =>
      new SafetensorsReader(
        bytesInMemory(
          writeSafetensors(Object.fromEntries(own.map((name) => [name, weights[name] as never]))),
          'x.safetensors',
        ),
      );
    const model = new LanguageModel(dense, safetensorsWeights([part(names.slice(0, 9)), part(names.slice(9))]));
    expectClose(model.forward(prompt, model.cache()).dataSync(), expected(), 1e-5);
    const quantised = new LanguageModel(dense, safetensorsWeights([part(names)], new WeightStore(), 'Q8_0'));
    expect(quantised.bytes).toBeLessThan(0.3 * model.bytes);
    const largest = Math.max(...expected().map(Math.abs));
    expectClose(
      quantised
        .forward(prompt, quantised.cache())
        .dataSync()
        .map((v) => v / largest),
      expected().map((v) => v / largest),
      0.08,
    );
  });

  test('a folder as Hugging Face has it: shards, halves among them, a tokenizer and its template', () => {
    const own = join(folder, 'face');
    mkdirSync(own);
    const json = trainBpe('the sea the sea the ship', 260);
    const config = { ...dense, vocabulary: 260, ropeBase: 500 };
    const all = weightsOf(config, 4, false);
    const names = Object.keys(all);
    const write = (file: string, value: object) => writeFileSync(join(own, file), JSON.stringify(value));
    write('config.json', {
      ...{ model_type: 'qwen2', vocab_size: 260, hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 4 },
      ...{ num_key_value_heads: 2, intermediate_size: 96, max_position_embeddings: 700, rms_norm_eps: 1e-6 },
      rope_theta: 500,
    });
    write('tokenizer.json', json);
    write('tokenizer_config.json', { chat_template: '{% for m in messages %}{{ m.content }}{% endfor %}' });
    const shards = [names.slice(0, 8), names.slice(8)];
    write('model.safetensors.index.json', { weight_map: {} });
    shards.forEach((shard, i) => {
      writeFileSync(
        join(own, `model-0000${i + 1}-of-00002.safetensors`),
        i === 0
          ? halfSafetensors(shard, all)
          : writeSafetensors(Object.fromEntries(shard.map((n) => [n, all[n] as Tensor]))),
      );
    });
    const { model, tokenizer, close } = loadLanguageModel(own);
    const named = new LanguageModel(config, namedWeights(all));
    expectClose(model.forward(prompt, model.cache()).dataSync(), named.forward(prompt, named.cache()).dataSync(), 1e-5);
    expect(tokenizer.decode(chatTokens(tokenizer, [{ role: 'user', content: 'the ship' }]))).toBe('the ship');
    close();
    rmSync(join(own, 'tokenizer.json'));
    expect(() => loadLanguageModel(own)).toThrow('has no tokenizer.json');
    write('tokenizer.json', trainBpe('the sea the sea the ship the ship and more of the same', 270));
    expect(() => loadLanguageModel(own)).toThrow('the model 260: they do not belong together');
  });

  test('a GGUF file that is split, with a part missing', () => {
    const tokens = [...byteCharacters()];
    const config = { ...dense, vocabulary: 256 };
    const own = weightsOf(config, 4);
    const whole = readGguf(asGguf(config, own));
    const tokenizer = {
      'tokenizer.ggml.model': ['string', 'gpt2'],
      'tokenizer.ggml.pre': ['string', 'gpt-2'],
      'tokenizer.ggml.tokens': ['strings', tokens],
      'tokenizer.ggml.merges': ['strings', []],
    } as const;
    const metadata = Object.fromEntries(
      Object.entries(whole.metadata).map(([key, value]) => [
        key,
        typeof value === 'string'
          ? (['string', value] as const)
          : ([Number.isInteger(value) ? 'u32' : 'f32', value as number] as const),
      ]),
    );
    const outputs = [...whole.tensors.values()].map(({ name, shape }) => ({
      ...{ name, shape, type: 'F32' as const },
      bytes: new Uint8Array(whole.tensor(name).dataSync<Float32Array>().buffer),
    }));
    const at = (i: number) => join(folder, `m-0000${i}-of-00002.gguf`);
    writeFileSync(at(1), writeGguf({ ...metadata, ...tokenizer }, outputs.slice(0, 7)));
    expect(() => loadLanguageModel(at(1))).toThrow('the model is split into 2 files, and');
    writeFileSync(at(2), writeGguf({}, outputs.slice(7)));
    const { model, tokenizer: found, close } = loadLanguageModel(at(1), { onProgress: () => {} });
    const named = new LanguageModel(config, namedWeights(own));
    expectClose(model.forward(prompt, model.cache()).dataSync(), named.forward(prompt, named.cache()).dataSync(), 1e-5);
    expect(found.decode(found.encode('Hi'))).toBe('Hi');
    close();
    expect(() => loadLanguageModel(join(folder, 'none.gguf'))).toThrow('none.gguf" does not exist');
  });

  const size = { vocabulary: 30, features: 32, layers: 2, heads: 4, keyHeads: 2, hidden: 40, context: 64 };
  const plus = { experts: { feedForward: 4, constant: 2 }, k: 2, hidden: 40, tau: 0.5 };
  const trained: Readonly<Record<string, LanguageModelConfig>> = {
    dense: decoderConfig(size),
    'a head of its own, as Qwen2': decoderConfig({ ...size, architecture: 'qwen2', tied: false }),
    'norms of queries and keys, as Qwen3': decoderConfig({ ...size, architecture: 'qwen3', headDim: 16 }),
    'squared ReLU, layers without rotary embeddings': decoderConfig({ ...size, activation: 'relu2', nopeLayers: [1] }),
    'gated ReLU and a window': decoderConfig({ ...size, activation: 'reglu', window: 4 }),
    'a mixture': decoderConfig({ ...size, experts: { count: 5, k: 2, normalised: true } }),
    'a mixture of squared ReLUs': decoderConfig({
      ...{ ...size, activation: 'relu2' },
      experts: { count: 5, k: 1, normalised: false },
    }),
    'MoE++': decoderConfig({ ...size, experts: { count: 4, k: 2, normalised: true, zeroComputation: plus } }),
  };
  test.each(Object.entries(trained))('a decoder of %s runs as it was trained', (_, config) => {
    const decoder = decoderOf(config, new Random(4));
    const state = stateOf(decoder);
    for (const [name, values] of Object.entries(state))
      if (name.endsWith('.residual')) values.assign(new Random(5).normal(values.shape, 0, 0.3));
    const tokens = [3, 1, 29, 7, 7, 12, 5, 0];
    const logits = decoder.forward(tensor(Int32Array.from(tokens), [1, tokens.length])).dataSync();
    const path = join(folder, 'own.safetensors');
    writeFileSync(
      path,
      saveLanguageModel(decoder, config, {
        characters: Array.from({ length: 30 }, (_, i) => `${String.fromCodePoint(65 + i)}`),
      }),
    );
    const { model, close } = loadLanguageModel(path);
    expectClose(model.forward(tokens, model.cache(), { all: true }).dataSync(), logits, 1e-4);
    const one = new LanguageModel(config, namedWeights(state));
    const cache = one.cache();
    const single = tokens.flatMap((token) => Array.from(one.forward([token], cache).dataSync()));
    expectClose(single, logits, 1e-4);
    const quantised = loadLanguageModel(path, { quantize: 'Q8_0', memory: 60_000 });
    expect(quantised.model.bytes).toBeLessThan(4 * parameterCount(decoder));
    quantised.model.forward(tokens, quantised.model.cache());
    quantised.close();
    close();
  });
});
