import { describe, expect, test } from 'vitest';
import { readGguf, writeGguf } from '../../src/data/index.js';
import {
  configOfGguf,
  configOfHuggingFace,
  generate,
  LanguageModel,
  type LanguageModelConfig,
  namedWeights,
  Sampler,
} from '../../src/lm/index.js';
import { highest } from '../../src/lm/runtime/sampler.js';
import { BlockMatrix } from '../../src/quantized/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';
import { asGguf, configs, has, prompt, weightsOf } from './models.js';

/** The equations in plain loops of doubles: logits of every token. */
function oracle(config: LanguageModelConfig, weights: Record<string, Tensor>, tokens: readonly number[]): number[][] {
  const { features, heads, keyHeads, headDim, layers, epsilon, ropeBase, interleaved, window, experts } = config;
  const value = (name: string) => weights[name]?.view() as Float32Array;
  const product = (name: string, x: readonly number[], rows: number) =>
    Array.from({ length: rows }, (_, r) =>
      x.reduce((sum, v, c) => sum + v * (value(name)[r * x.length + c] as number), 0),
    );
  const norm = (x: readonly number[], name: string) => {
    const scale = 1 / Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length + epsilon);
    return x.map((v, i) => v * scale * (value(name)[i] as number));
  };
  const turn = (x: number[], position: number) => {
    const y = [...x];
    for (let i = 0; i < headDim / 2; i++) {
      const [a, b] = interleaved ? [2 * i, 2 * i + 1] : [i, i + headDim / 2];
      const angle = position * ropeBase ** ((-2 * i) / headDim);
      y[a] = (x[a] as number) * Math.cos(angle) - (x[b] as number) * Math.sin(angle);
      y[b] = (x[a] as number) * Math.sin(angle) + (x[b] as number) * Math.cos(angle);
    }
    return y;
  };
  const mlp = (prefix: string, x: readonly number[]) => {
    const gate = product(`${prefix}.gate_proj.weight`, x, config.hidden);
    const up = product(`${prefix}.up_proj.weight`, x, config.hidden);
    return product(
      `${prefix}.down_proj.weight`,
      gate.map((g, i) => (g / (1 + Math.exp(-g))) * (up[i] as number)),
      features,
    );
  };
  let h = tokens.map((token) =>
    Array.from(value('model.embed_tokens.weight').subarray(token * features, (token + 1) * features)),
  );
  for (let l = 0; l < layers; l++) {
    const at = `model.layers.${l}`;
    const project = (part: 'q' | 'k' | 'v', count: number) =>
      h.map((row, position) => {
        const y = product(
          `${at}.self_attn.${part}_proj.weight`,
          norm(row, `${at}.input_layernorm.weight`),
          count * headDim,
        );
        const biased = has(config, 'bias')
          ? y.map((v, i) => v + (value(`${at}.self_attn.${part}_proj.bias`)[i] as number))
          : y;
        return Array.from({ length: count }, (_, head) => {
          const own = biased.slice(head * headDim, (head + 1) * headDim);
          if (part === 'v') return own;
          return turn(has(config, 'norm') ? norm(own, `${at}.self_attn.${part}_norm.weight`) : own, position);
        });
      });
    const [q, k, v] = [project('q', heads), project('k', keyHeads), project('v', keyHeads)];
    h = h.map((row, i) => {
      const joined = Array.from({ length: heads }, (_, head) => {
        const source = Math.floor((head * keyHeads) / heads);
        const seen = tokens.map((_, j) => j).filter((j) => j <= i && (window === 0 || i - j < window));
        const scores = seen.map(
          (j) =>
            ((q[i] as number[][])[head] as number[]).reduce(
              (sum, x, c) => sum + x * (k[j]?.[source]?.[c] as number),
              0,
            ) / Math.sqrt(headDim),
        );
        const top = Math.max(...scores);
        const exps = scores.map((s) => Math.exp(s - top));
        const total = exps.reduce((a, b) => a + b, 0);
        return Array.from({ length: headDim }, (_, c) =>
          seen.reduce((sum, j, n) => sum + ((exps[n] as number) / total) * (v[j]?.[source]?.[c] as number), 0),
        );
      }).flat();
      return row.map((x, c) => x + (product(`${at}.self_attn.o_proj.weight`, joined, features)[c] as number));
    });
    h = h.map((row) => {
      const x = norm(row, `${at}.post_attention_layernorm.weight`);
      if (!experts) return row.map((y, c) => y + (mlp(`${at}.mlp`, x)[c] as number));
      const logits = product(`${at}.mlp.gate.weight`, x, experts.count);
      const order = logits
        .map((_, e) => e)
        .sort((a, b) => (logits[b] as number) - (logits[a] as number))
        .slice(0, experts.k);
      const exps = order.map((e) => Math.exp(logits[e] as number));
      const total = exps.reduce((a, b) => a + b, 0);
      const mixed = order.map((e) => mlp(`${at}.mlp.experts.${e}`, x));
      return row.map(
        (y, c) => y + order.reduce((sum, _, n) => sum + ((exps[n] as number) / total) * (mixed[n]?.[c] as number), 0),
      );
    });
  }
  const head = weights['lm_head.weight'] ? 'lm_head.weight' : 'model.embed_tokens.weight';
  return h.map((row) => product(head, norm(row, 'model.norm.weight'), config.vocabulary));
}

describe.each(Object.keys(configs))('%s', (name) => {
  const config = configs[name] as LanguageModelConfig;
  const weights = weightsOf(config, 2, name !== 'qwen2');
  const model = new LanguageModel(config, namedWeights(weights));

  test('logits equal plain loops of doubles', () => {
    const logits = model.forward(prompt, model.cache(), { all: true });
    expectClose(logits.dataSync(), oracle(config, weights, prompt).flat(), 1e-3);
  });

  test('with the cache token by token, in parts, and after a cut, they are the same', () => {
    const whole = model.forward(prompt, model.cache(), { all: true }).dataSync();
    const single = model.cache();
    const one = prompt.map((token) => model.forward([token], single).dataSync());
    expectClose(
      one.flatMap((row) => Array.from(row)),
      whole,
      1e-3,
    );
    const parts = model.cache();
    model.forward(prompt.slice(0, 4), parts);
    const forked = parts.fork();
    expectClose(model.forward(prompt.slice(4), parts).dataSync(), whole.subarray(-config.vocabulary), 1e-3);
    model.forward([1, 2, 3], forked);
    forked.truncate(4);
    expectClose(model.forward(prompt.slice(4), forked).dataSync(), whole.subarray(-config.vocabulary), 1e-3);
  });
});

test('prompts longer than a pass, and than the first room of the cache', () => {
  const config = configs.qwen2 as LanguageModelConfig;
  const model = new LanguageModel(config, namedWeights(weightsOf(config)));
  const tokens = Array.from({ length: 530 }, (_, i) => (i * 7) % 40);
  const [long, single] = [model.cache(), model.cache()];
  const expected = model.forward(tokens, long).dataSync();
  let last = new Float32Array();
  for (const token of tokens) last = model.forward([token], single).dataSync<Float32Array>() as never;
  expectClose(last, expected, 2e-3);
  expect(() => model.forward(tokens, long)).toThrow(
    'the context of 700 tokens is full: 530 are in it and 530 more were given',
  );
  expect(() => model.forward([40], single)).toThrow('token 40 is not in the vocabulary of 40');
  expect(() => model.forward([], single)).toThrow('at least one token');
});

describe('GGUF', () => {
  test.each(Object.keys(configs))('%s: a file of floats gives the same logits as the named weights', (name) => {
    const config = configs[name] as LanguageModelConfig;
    const weights = weightsOf(config, 4);
    const model = LanguageModel.fromGguf(readGguf(asGguf(config, weights)));
    expect(model.config).toMatchObject({ ...config, epsilon: expect.closeTo(config.epsilon, 9) });
    const named = new LanguageModel(config, namedWeights(weights));
    expectClose(model.forward(prompt, model.cache()).dataSync(), named.forward(prompt, named.cache()).dataSync(), 1e-5);
  });

  test.each([
    ['qwen3moe', 'Q8_0'],
    ['qwen2', 'Q4_0'],
    ['llama', 'Q8_0'],
  ] as const)(
    '%s in %s: logits are those of the dequantised weights, but for the rounding of activations',
    (name, format) => {
      const config = configs[name] as LanguageModelConfig;
      const weights = weightsOf(config, 5);
      const model = LanguageModel.fromGguf(readGguf(asGguf(config, weights, format)));
      const rounded = Object.fromEntries(
        Object.entries(weights).map(([key, values]) => [
          key,
          values.rank === 1 || key.endsWith('mlp.gate.weight')
            ? values
            : BlockMatrix.quantize(values, format).dequantize(),
        ]),
      );
      const expected = oracle(config, rounded, prompt).at(-1) as number[];
      const largest = Math.max(...expected.map(Math.abs));
      const logits = model.forward(prompt, model.cache()).dataSync();
      expectClose(
        Array.from(logits, (v) => v / largest),
        expected.map((v) => v / largest),
        0.03,
      );
    },
  );

  test('what is missing or wrong is named', () => {
    const config = configs.qwen2 as LanguageModelConfig;
    const weights = weightsOf(config);
    const { 'model.layers.1.self_attn.k_proj.weight': _, ...lacking } = weights;
    expect(() => new LanguageModel(config, namedWeights(lacking))).toThrow('lacks the weights "k" of layer 1');
    expect(() => new LanguageModel({ ...config, hidden: 64 }, namedWeights(weights))).toThrow(
      '"gate" of layer 0 are 96×64, expected 64×64',
    );
    expect(() => configOfGguf({ 'general.architecture': 'mamba' }, 5)).toThrow(
      'architecture "mamba" is not supported; llama, qwen2',
    );
    expect(() => configOfGguf({ 'general.architecture': 'llama' }, 5)).toThrow('lacks "llama.attention.head_count"');
    expect(() => LanguageModel.fromGguf(readGguf(writeGguf({}, [])))).toThrow('it is no language model');
    expect(
      configOfHuggingFace({
        model_type: 'qwen3',
        vocab_size: 9,
        hidden_size: 8,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        intermediate_size: 16,
        max_position_embeddings: 64,
        rms_norm_eps: 1e-6,
        head_dim: 8,
      }),
    ).toMatchObject({ keyHeads: 2, headDim: 8, ropeBase: 10000 });
  });
});

test('sizes of experts and stretched positions are read from either kind of file', () => {
  const face = {
    ...{ model_type: 'qwen3_moe', vocab_size: 9, hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2 },
    ...{
      intermediate_size: 64,
      moe_intermediate_size: 16,
      num_experts: 4,
      num_experts_per_tok: 2,
      norm_topk_prob: true,
      head_dim: 8,
    },
    ...{ max_position_embeddings: 64, rms_norm_eps: 1e-6 },
  };
  expect(configOfHuggingFace(face)).toMatchObject({ hidden: 16, experts: { count: 4, k: 2, normalised: true } });
  const scaled = configOfHuggingFace({ ...face, rope_scaling: { type: 'linear', factor: 4 } });
  expect(scaled.ropeScaling).toEqual({ divisors: [4, 4, 4, 4], magnitude: 1 });
  expect(() =>
    configOfHuggingFace({
      ...face,
      rope_scaling: { rope_type: 'dynamic', factor: 2, original_max_position_embeddings: 4 },
    }),
  ).toThrow('rope scaling of kind "dynamic" is not supported; linear, llama3 and yarn are');
  expect(configOfHuggingFace({ ...face, model_type: 'mistral', sliding_window: 5 })).toMatchObject({
    ...{ architecture: 'llama', window: 5 },
  });
  const gguf = {
    'general.architecture': 'qwen3moe',
    ...Object.fromEntries(
      Object.entries({
        ...{ block_count: 1, embedding_length: 8, context_length: 128, feed_forward_length: 64, expert_count: 4 },
        ...{ expert_used_count: 2, expert_feed_forward_length: 16, 'attention.head_count': 2 },
        ...{ 'attention.layer_norm_rms_epsilon': 1e-6, 'attention.key_length': 8, 'rope.scaling.type': 'yarn' },
        ...{ 'rope.scaling.factor': 4, 'rope.scaling.original_context_length': 32 },
      }).map(([key, value]) => [`qwen3moe.${key}`, value]),
    ),
  };
  const read = configOfGguf(gguf, 9);
  expect(read.hidden).toBe(16);
  expect(read.ropeScaling?.magnitude).toBeCloseTo(0.1 * Math.log(4) + 1);
  expect(read.ropeScaling?.divisors[0]).toBe(1);
  expect(read.ropeScaling?.divisors[3]).toBe(4);
  // Llama 3 has divisors in a tensor.
  const config = configs.llama as LanguageModelConfig;
  const weights = weightsOf(config);
  const divisors = Array.from({ length: 8 }, (_, i) => 1 + i);
  const file = readGguf(asGguf(config, { ...weights, 'rope_freqs.weight': tensor(Float32Array.from(divisors)) }));
  const stretched = new LanguageModel({ ...config, ropeScaling: { divisors, magnitude: 1 } }, namedWeights(weights));
  const model = LanguageModel.fromGguf(file);
  expectClose(
    model.forward(prompt, model.cache()).dataSync(),
    stretched.forward(prompt, stretched.cache()).dataSync(),
    1e-5,
  );
});

describe('sampling', () => {
  const logits = Float32Array.of(1, 3, 2, -1, 0);
  test('greedy, top-k, top-p and min-p keep what they should', () => {
    expect(new Sampler({ temperature: 0 }).next(logits)).toBe(1);
    const seen = (options: object) => {
      const sampler = new Sampler({ temperature: 5, topK: 0, topP: 1, minP: 0, ...options });
      return [...new Set(Array.from({ length: 300 }, () => sampler.next(logits)))].sort();
    };
    expect(seen({})).toEqual([0, 1, 2, 3, 4]);
    expect(seen({ topK: 2 })).toEqual([1, 2]);
    // Probabilities 0.64, 0.24, 0.09, 0.03, 0.01.
    expect(seen({ topP: 0.8 })).toEqual([1, 2]);
    expect(seen({ minP: 0.1 })).toEqual([0, 1, 2]);
    expect(new Sampler({ temperature: 0, repeatPenalty: 2 }).next(logits, [1])).toBe(2);
  });

  test('many tokens are ranked as few are: by logit, ties by the lower id', () => {
    const random = new Random(4);
    // Rounded, so that there are ties, zeros of both signs among them.
    const many = Float32Array.from({ length: 5000 }, () => Math.round((random.float() - 0.5) * 200) / 20);
    const ranked = [...many.keys()].sort((a, b) => (many[b] as number) - (many[a] as number) || a - b);
    for (const count of [1, 63, 64, 65, 1000, 4999, 5000]) expect(highest(many, count)).toEqual(ranked.slice(0, count));
  });

  test('frequencies are those of the softmax, and a seed repeats them', () => {
    const draw = (seed: number) => {
      const sampler = new Sampler({ temperature: 1, topK: 0, topP: 1, minP: 0, seed });
      return Array.from({ length: 4000 }, () => sampler.next(logits));
    };
    const counts = [0, 0, 0, 0, 0];
    for (const token of draw(1)) counts[token] = (counts[token] as number) + 1;
    const exps = Array.from(logits, Math.exp);
    const total = exps.reduce((a, b) => a + b, 0);
    const chi = counts.reduce(
      (sum, count, i) =>
        sum + (count - (4000 * (exps[i] as number)) / total) ** 2 / ((4000 * (exps[i] as number)) / total),
      0,
    );
    expect(chi).toBeLessThan(18.5);
    expect(draw(1)).toEqual(draw(1));
    expect(draw(2)).not.toEqual(draw(1));
    expect(() => new Sampler({ topP: 1.5 })).toThrow('topP must be from 0 to 1, got 1.5');
    expect(() => new Sampler({ temperature: 0 }).next(Float32Array.of(Number.NaN))).toThrow('not finite');
  });
});

test('generation: greedy text with the cache equals reading all again; stop, length, context and abort end it', async () => {
  const config = { ...(configs.qwen3 as LanguageModelConfig), context: 24 };
  const model = new LanguageModel(config, namedWeights(weightsOf(config, 9)));
  const run = async (options: Parameters<typeof generate>[2]) => {
    const made: number[] = [];
    const tokens = generate(model, prompt, { temperature: 0, ...options });
    for (;;) {
      const { value, done } = await tokens.next();
      if (done) return { made, reason: value };
      made.push(value);
    }
  };
  const { made, reason } = await run({ maxTokens: 8 });
  expect(reason).toBe('length');
  const again = [...prompt];
  for (let i = 0; i < 8; i++)
    again.push(new Sampler({ temperature: 0 }).next(model.forward(again, model.cache()).dataSync()));
  expect([...prompt, ...made]).toEqual(again);
  expect(await run({ maxTokens: 8, stopTokens: [made[3] as number] })).toMatchObject({
    made: made.slice(0, made.indexOf(made[3] as number)),
    reason: 'stop',
  });
  const full = await run({ maxTokens: 100 });
  expect([full.reason, full.made.length]).toEqual(['length', 24 - prompt.length + 1]);
  expect((await run({ signal: AbortSignal.abort() })).reason).toBe('aborted');
});
