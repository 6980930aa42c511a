import { describe, expect, test } from 'vitest';
import {
  Batcher,
  type GenerateOptions,
  generate,
  KeyValueCache,
  LanguageModel,
  type LanguageModelConfig,
  lookupDraft,
  modelDraft,
  namedWeights,
} from '../../src/lm/index.js';
import { BlockMatrix, floatToHalf, halfToFloat } from '../../src/quantized/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';
import { configs, prompt, weightsOf } from './models.js';

const config = configs.qwen3 as LanguageModelConfig;
const model = new LanguageModel(config, namedWeights(weightsOf(config, 3)));
const run = async (tokens: readonly number[], options: GenerateOptions = {}, own = model) => {
  const made: number[] = [];
  for await (const token of generate(own, tokens, { maxTokens: 24, seed: 3, ...options })) made.push(token);
  return made;
};

describe('passes for several sequences', () => {
  test.each(Object.keys(configs))('%s: each has the logits that it has alone', (name) => {
    const own = configs[name] as LanguageModelConfig;
    const one = new LanguageModel(own, namedWeights(weightsOf(own, 6)));
    const starts = [prompt, prompt.slice(0, 3), [7]];
    const caches = starts.map((tokens) => {
      const cache = one.cache();
      one.forward(tokens, cache);
      return cache;
    });
    const next = [[1], [2, 3, 4], [5]];
    const alone = next.map((tokens, i) => one.forward(tokens, (caches[i] as (typeof caches)[0]).fork()).dataSync());
    const together = one.forwardBatch(next.map((tokens, i) => ({ tokens, cache: caches[i] as (typeof caches)[0] })));
    expect(together.shape).toEqual([3, own.vocabulary]);
    expectClose(
      together.dataSync(),
      alone.flatMap((logits) => Array.from(logits)),
      1e-4,
    );
    expect(caches.map(({ length }) => length)).toEqual([10, 6, 2]);
    const all = one.forwardBatch([
      { tokens: [1, 2], cache: one.cache(), all: true },
      { tokens: [3, 4], cache: one.cache() },
    ]);
    expect(all.shape).toEqual([3, own.vocabulary]);
  });

  test('quantised products do not depend on how many are together, bit for bit', () => {
    for (const format of ['Q8_0', 'Q4_0'] as const) {
      const quantised = new LanguageModel(
        config,
        namedWeights(weightsOf(config, 3), (values) => BlockMatrix.quantize(values, format)),
      );
      const states = Array.from({ length: 5 }, (_, i) => {
        const cache = quantised.cache();
        quantised.forward([i], cache);
        return cache;
      });
      const alone = states.map((cache) => quantised.forward([9], cache.fork()).dataSync());
      const together = quantised.forwardBatch(states.map((cache) => ({ tokens: [9], cache }))).dataSync();
      expect(Array.from(together)).toEqual(alone.flatMap((logits) => Array.from(logits)));
    }
  });

  test('generations that share passes give what each gives alone, long prompts beside short ones', async () => {
    const prompts = [prompt, Array.from({ length: 60 }, (_, i) => (i * 11) % 40), [1, 2], [39]];
    const alone = await Promise.all(prompts.map((tokens, i) => run(tokens, { seed: i, temperature: 0 })));
    const batcher = new Batcher(model, 16);
    const together = await Promise.all(
      prompts.map((tokens, i) => run(tokens, { seed: i, temperature: 0, read: batcher.read })),
    );
    expect(together).toEqual(alone);
    await expect(run([40], { read: batcher.read })).rejects.toThrow('token 40 is not in the vocabulary');
    expect(await run(prompt, { temperature: 0, read: batcher.read })).toEqual(alone[0]);
  });
});

describe('drafts', () => {
  const small = new LanguageModel({ ...config, layers: 1 }, namedWeights(weightsOf({ ...config, layers: 1 }, 3)));
  const drafts = {
    lookup: () => lookupDraft({ n: 1, tokens: 4 }),
    'the model itself': () => modelDraft(model, { tokens: 3 }),
    'a smaller model': () => modelDraft(small),
    'wrong guesses': () => ({ propose: (_: unknown, most: number) => [0, 0, 0].slice(0, most) }),
  };
  test.each(Object.entries(drafts))('%s: texts are the same as without, greedy or drawn', async (_, make) => {
    for (const temperature of [0, 0.9]) {
      const plain = await run(prompt, { temperature });
      const cache = model.cache();
      expect(await run(prompt, { temperature, draft: make(), cache })).toEqual(plain);
      // What was guessed wrongly is gone: the conversation goes on as ever.
      const longer = [...prompt, ...plain.slice(0, 20), 7];
      expect(await run(longer, { temperature: 0, cache })).toEqual(await run(longer, { temperature: 0 }));
    }
  });

  test('guesses that come true save passes', async () => {
    let passes = 0;
    const counting: GenerateOptions = {
      temperature: 0,
      read: async (tokens, cache, all) => {
        passes += 1;
        return model.forward(tokens, cache, { all }).dataSync<Float32Array>();
      },
    };
    await run(prompt, counting);
    expect(passes).toBe(24);
    passes = 0;
    await run(prompt, { ...counting, draft: modelDraft(model, { tokens: 3 }) });
    expect(passes).toBe(1 + Math.ceil(23 / 4));
  });

  test('a lookup finds the latest place where the text went on', () => {
    const draft = lookupDraft({ n: 2, tokens: 3 });
    expect(draft.propose([1, 2, 3, 4, 1, 2, 9, 8, 1, 2], 5)).toEqual([9, 8, 1]);
    expect(draft.propose([1, 2, 3, 4, 1, 2, 9, 8, 1, 2], 2)).toEqual([9, 8]);
    expect(draft.propose([1, 2, 3], 5)).toEqual([]);
  });
});

describe('caches', () => {
  /**
   * softmax(q·Kᵀ/√depth)·V by loops; q [heads][depth], keys and values [keyHeads][tokens][depth].
   */
  function naive(q: number[][], keys: number[][][], values: number[][][], first: number, end: number): number[][] {
    return q.map((query, head) => {
      const source = Math.floor((head * keys.length) / q.length);
      const scores = (keys[source] as number[][])
        .slice(first, end)
        .map((key) => key.reduce((sum, v, i) => sum + v * (query[i] as number), 0) / Math.sqrt(query.length));
      const most = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - most));
      const total = weights.reduce((a, b) => a + b, 0);
      return query.map((_, i) =>
        weights.reduce((sum, w, j) => sum + (w / total) * (values[source]?.[first + j]?.[i] as number), 0),
      );
    });
  }

  test.each([
    { heads: 7, keyHeads: 1, headDim: 16, window: 0 },
    { heads: 6, keyHeads: 2, headDim: 8, window: 0 },
    { heads: 5, keyHeads: 5, headDim: 24, window: 9 },
    { heads: 14, keyHeads: 2, headDim: 64, window: 70 },
    { heads: 4, keyHeads: 2, headDim: 10, window: 0 },
  ])('attention of $heads heads over $keyHeads of width $headDim, window $window, equals loops', (sizes) => {
    const { heads, keyHeads, headDim, window } = sizes;
    const random = new Random(heads);
    for (const format of ['f32', 'f16'] as const) {
      const cache = new KeyValueCache({ ...config, ...sizes, layers: 1, context: 500 }, { format });
      const all: { keys: number[][][]; values: number[][][] } = {
        keys: Array.from({ length: keyHeads }, () => []),
        values: Array.from({ length: keyHeads }, () => []),
      };
      // One token, few, many (by blocks), then few again beyond the first room.
      for (const count of [1, 3, 140, 8, 120, 1, 2]) {
        const draw = (own: number) => random.normal([1, own, count, headDim]);
        const [q, k, v] = [draw(heads), draw(keyHeads), draw(keyHeads)];
        cache.reserve(count);
        const seen = cache.attend(0, q, k, v).dataSync();
        const row = (x: Tensor, head: number, token: number) =>
          Array.from(x.view().subarray((head * count + token) * headDim, (head * count + token + 1) * headDim));
        for (let head = 0; head < keyHeads; head++)
          for (let token = 0; token < count; token++) {
            all.keys[head]?.push(row(k, head, token));
            all.values[head]?.push(row(v, head, token));
          }
        for (let token = 0; token < count; token += Math.max(1, count >> 2)) {
          const end = cache.length + token + 1;
          const first = window > 0 ? Math.max(0, end - window) : 0;
          const queries = Array.from({ length: heads }, (_, head) => row(q, head, token));
          naive(queries, all.keys, all.values, first, end).forEach((expected, head) => {
            const at = (head * count + token) * headDim;
            expectClose(seen.subarray(at, at + headDim), expected, format === 'f32' ? 1e-5 : 3e-3);
          });
        }
        cache.advance(Array.from({ length: count }, (_, i) => i));
      }
      cache.dispose();
    }
  });

  test.each(['f32', 'f16'] as const)('a window drops what nobody sees any more: %s', async (format) => {
    const own = { ...(configs['llama, window of 5'] as LanguageModelConfig), context: 2000 };
    const one = new LanguageModel(own, namedWeights(weightsOf(own, 2)));
    const tokens = Array.from({ length: 900 }, (_, i) => (i * 7 + (i >> 3)) % 40);
    const cache = one.cache({ format });
    for (let at = 0; at < tokens.length; at += 30) one.forward(tokens.slice(at, at + 30), cache);
    const perToken = 2 * 2 * 2 * 16 * (format === 'f32' ? 4 : 2);
    expect([cache.length, cache.bytes]).toEqual([900, (5 + 64) * perToken]);
    // Two layers see 9 tokens back: what comes before does not matter, but for the places of the
    // tokens.
    const fresh = one.cache();
    one.forward(tokens.slice(0, 500), fresh);
    one.forward(tokens.slice(500), fresh);
    const tolerance = format === 'f32' ? 1e-4 : 1e-2;
    const next = () => [one.forward([3], cache), one.forward([3], fresh)].map((logits) => logits.dataSync());
    // A prompt in one go needs no more room than its passes.
    const whole = one.cache({ format });
    one.forward([...tokens, ...tokens], whole);
    expect(whole.bytes).toBe((5 + 64) * perToken);
    const [a, b] = next();
    expectClose(a as Float32Array, b as Float32Array, tolerance);
    const copy = cache.fork();
    expect([...one.forward([4], copy).dataSync()]).toEqual([...one.forward([4], cache).dataSync()]);
    // A few tokens can be taken back, many cannot: then all is read again.
    cache.truncate(880);
    fresh.truncate(880);
    const [c, d] = next();
    expectClose(c as Float32Array, d as Float32Array, tolerance);
    expect(() => cache.truncate(100)).toThrow('cannot cut 881 tokens down to 100');
    expect([cache.cuttable(100), cache.cuttable(880)]).toEqual([0, 880]);
    const made: number[] = [];
    for await (const token of generate(one, tokens.slice(0, 50), { cache, temperature: 0, maxTokens: 3 }))
      made.push(token);
    const expected: number[] = [];
    for await (const token of generate(one, tokens.slice(0, 50), { temperature: 0, maxTokens: 3 }))
      expected.push(token);
    expect(made).toEqual(expected);
  });

  test('halves are rounded to the nearest, subnormal and too large ones too', () => {
    const depth = 8;
    const cache = new KeyValueCache(
      { ...config, heads: 1, keyHeads: 1, headDim: depth, layers: 1, context: 4 },
      { format: 'f16' },
    );
    const values = [1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -24, 1.5 * 2 ** -24, -(2 ** -15), 65504, 1e6, -0.1];
    const ones = tensor(new Float32Array(depth), [1, 1, 1, depth]);
    cache.reserve(1);
    const seen = cache.attend(0, ones, ones, tensor(Float32Array.from(values), [1, 1, 1, depth])).dataSync();
    // What is too large becomes the largest half.
    const expected = values.map((value) => (value > 65504 ? 65504 : halfToFloat(floatToHalf(value))));
    expect([...seen]).toEqual(expected.map(Math.fround));
  });

  test.each(['llama', 'llama, window of 5', 'qwen2', 'qwen3moe'])('%s: halves are close to floats', (name) => {
    const own = configs[name] as LanguageModelConfig;
    const one = new LanguageModel(own, namedWeights(weightsOf(own, 8)));
    const tokens = Array.from({ length: 300 }, (_, i) => (i * 7) % 40);
    const [floats, halves] = [one.cache(), one.cache({ format: 'f16' })];
    expectClose(one.forward(tokens, halves).dataSync(), one.forward(tokens, floats).dataSync(), 5e-3);
    for (const token of [1, 2, 3])
      expectClose(one.forward([token], halves).dataSync(), one.forward([token], floats).dataSync(), 5e-3);
    const copy = halves.fork();
    expect([...one.forward([5], copy).dataSync()]).toEqual([...one.forward([5], halves).dataSync()]);
  });

  test('what a prompt begins with as before is not read again', async () => {
    const cache = model.cache();
    const read: number[] = [];
    const options = { temperature: 0, cache, onPrefill: (tokens: number) => read.push(tokens) };
    const first = await run(prompt, options);
    const longer = [...prompt, ...first, 4, 5, 6];
    const again = await run(longer, options);
    const other = await run([...prompt.slice(0, 4), 1, 1], options);
    expect(read).toEqual([9, 4, 2]);
    expect(again).toEqual(await run(longer, { temperature: 0 }));
    expect(other).toEqual(await run([...prompt.slice(0, 4), 1, 1], { temperature: 0 }));
  });
});
