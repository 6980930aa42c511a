import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../src/data/index.js';
import {
  configOfMiniCpm,
  generate,
  KeyValueCache,
  LanguageModel,
  lookupDraft,
  namedWeights,
} from '../../src/lm/index.js';
import { loadLanguageModel, loadTrainable } from '../../src/lm/node.js';
import { Random, scope, type Tensor } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

/** A checkpoint of the authors in small: their keys of config.json, their names of weights. */
const fields = {
  ...{ architectures: ['MiniCPMForCausalLM'], model_type: 'minicpm', hidden_act: 'silu', hidden_size: 48 },
  ...{ num_attention_heads: 3, num_hidden_layers: 2, num_key_value_heads: 3, vocab_size: 22, rms_norm_eps: 1e-5 },
  ...{ max_position_embeddings: 300, scale_emb: 12, dim_model_base: 16, scale_depth: 1.4, tie_word_embeddings: false },
  ...{ attention_type: 'mla', q_lora_rank: 20, kv_lora_rank: 24, qk_nope_head_dim: 16, qk_rope_head_dim: 8 },
  ...{ v_head_dim: 16, ffn_type: 'block', router_act: 'relu', norm_after_router: 'rms', norm_scale: 1 },
  ...{ expert_size: 8, num_experts: 6, rope_scaling: null, attention_bias: false },
};
const [D, H, NOPE, ROPE, V, RANK, QRANK, E, W, VOCABULARY] = [48, 3, 16, 8, 16, 24, 20, 6, 8, 22] as const;

function weightsOf(isStacked: boolean): Record<string, Tensor> {
  const random = new Random(5);
  const normal = (shape: readonly number[], deviation: number, mean = 0) => random.normal(shape, mean, deviation);
  const weights: Record<string, Tensor> = {
    'model.embed_tokens.weight': normal([VOCABULARY, D], 0.1),
    'lm_head.weight': normal([VOCABULARY, D], 0.5),
    'model.norm.weight': normal([D], 0.1, 1),
  };
  for (let layer = 0; layer < 2; layer++) {
    const put = (name: string, shape: readonly number[], deviation: number, mean = 0) => {
      weights[`model.layers.${layer}.${name}`] = normal(shape, deviation, mean);
    };
    put('input_layernorm.weight', [D], 0.1, 1);
    put('post_attention_layernorm.weight', [D], 0.1, 1);
    put('self_attn.q_a_proj.weight', [QRANK, D], 0.2);
    put('self_attn.q_a_layernorm.weight', [QRANK], 0.1, 1);
    put('self_attn.q_b_proj.weight', [H * (NOPE + ROPE), QRANK], 0.3);
    put('self_attn.kv_a_proj_with_mqa.weight', [RANK + ROPE, D], 0.2);
    put('self_attn.kv_a_layernorm.weight', [RANK], 0.1, 1);
    put('self_attn.kv_b_proj.weight', [H * (NOPE + V), RANK], 0.3);
    put('self_attn.o_proj.weight', [D, H * V], 0.2);
    put('mlp.router_proj.weight', [E, D], 0.2);
    put('mlp.router_norm.weight', [E], 0.2, 1);
    put('mlp.up_proj', isStacked ? [E, W, D] : [E * W, D], 0.2);
    put('mlp.down_proj', isStacked ? [E, D, W] : [D, E * W], 0.2);
  }
  return weights;
}

type Row = number[];
interface Head {
  readonly query: Row;
  readonly key: Row;
  readonly value: Row;
}
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
};

/** Logits of every token, in f64 loops over the equations: no cache, no absorbed products. */
function logitsByLoops(weights: Record<string, Tensor>, tokens: readonly number[], isStacked: boolean): Row {
  const flat = (name: string) => Array.from((weights[name] as Tensor).dataSync());
  const times = (name: string, x: Row, rows: number, from = 0): Row => {
    const matrix = flat(name);
    const columns = x.length;
    return Array.from({ length: rows }, (_, r) => dot(matrix.slice((from + r) * columns, (from + r + 1) * columns), x));
  };
  const norm = (name: string, x: Row, epsilon: number): Row => {
    const rms = Math.sqrt(dot(x, x) / x.length + epsilon);
    const weight = flat(name);
    return x.map((value, i) => (value / rms) * (weight[i] as number));
  };
  const rotated = (x: Row, position: number): Row =>
    x.map((_, i) => {
      const pair = i % (ROPE / 2);
      const angle = position * 10000 ** (-pair / (ROPE / 2));
      const [a, b] = [x[pair] as number, x[pair + ROPE / 2] as number];
      return i < ROPE / 2 ? a * Math.cos(angle) - b * Math.sin(angle) : b * Math.cos(angle) + a * Math.sin(angle);
    });
  const branch = 1.4 / Math.sqrt(2);
  let states = tokens.map((token) =>
    flat('model.embed_tokens.weight')
      .slice(token * D, (token + 1) * D)
      .map((x) => 12 * x),
  );
  for (let layer = 0; layer < 2; layer++) {
    const at = `model.layers.${layer}`;
    const parts = states.map((state, position) => {
      const x = norm(`${at}.input_layernorm.weight`, state, 1e-5);
      const q = times(
        `${at}.self_attn.q_b_proj.weight`,
        norm(`${at}.self_attn.q_a_layernorm.weight`, times(`${at}.self_attn.q_a_proj.weight`, x, QRANK), 1e-6),
        H * (NOPE + ROPE),
      );
      const down = times(`${at}.self_attn.kv_a_proj_with_mqa.weight`, x, RANK + ROPE);
      const c = norm(`${at}.self_attn.kv_a_layernorm.weight`, down.slice(0, RANK), 1e-6);
      const kv = times(`${at}.self_attn.kv_b_proj.weight`, c, H * (NOPE + V));
      const keyRope = rotated(down.slice(RANK), position);
      return Array.from({ length: H }, (_, h): Head => {
        const own = q.slice(h * (NOPE + ROPE), (h + 1) * (NOPE + ROPE));
        const both = kv.slice(h * (NOPE + V), (h + 1) * (NOPE + V));
        return {
          query: [...own.slice(0, NOPE), ...rotated(own.slice(NOPE), position)],
          key: [...both.slice(0, NOPE), ...keyRope],
          value: both.slice(NOPE),
        };
      });
    });
    states = states.map((state, t) => {
      const heads = Array.from({ length: H }, (_, h) => {
        const of = (part: readonly Head[] | undefined) => part?.[h] as Head;
        const { query } = of(parts[t]);
        const scores = parts.slice(0, t + 1).map((part) => dot(query, of(part).key) / Math.sqrt(NOPE + ROPE));
        const top = Math.max(...scores);
        const weightsOfKeys = scores.map((score) => Math.exp(score - top));
        const total = weightsOfKeys.reduce((a, b) => a + b, 0);
        return Array.from({ length: V }, (_, i) =>
          weightsOfKeys.reduce((sum, weight, s) => sum + (weight / total) * (of(parts[s]).value[i] as number), 0),
        );
      });
      const out = times(`${at}.self_attn.o_proj.weight`, heads.flat(), D);
      return state.map((value, i) => value + branch * (out[i] as number));
    });
    const [up, down] = [flat(`${at}.mlp.up_proj`), flat(`${at}.mlp.down_proj`)];
    states = states.map((state) => {
      const x = norm(`${at}.post_attention_layernorm.weight`, state, 1e-5);
      const a = times(`${at}.mlp.router_proj.weight`, x, E).map((value) => Math.max(0, value));
      const gates = norm(`${at}.mlp.router_norm.weight`, a, 1e-5);
      const y = new Array<number>(D).fill(0);
      for (let unit = 0; unit < E * W; unit++) {
        const inner = dot(up.slice(unit * D, (unit + 1) * D), x);
        const hidden = ((gates[Math.floor(unit / W)] as number) * inner) / (1 + Math.exp(-inner));
        for (let i = 0; i < D; i++) {
          const at = isStacked ? Math.floor(unit / W) * D * W + i * W + (unit % W) : i * E * W + unit;
          y[i] = (y[i] as number) + hidden * (down[at] as number);
        }
      }
      return state.map((value, i) => value + branch * (y[i] as number));
    });
  }
  return states.flatMap((state) =>
    times(
      'lm_head.weight',
      norm('model.norm.weight', state, 1e-5).map((value) => (value * 16) / D),
      VOCABULARY,
    ),
  );
}

const tokens = [3, 17, 21, 0, 9, 9, 14, 2, 11, 6, 20, 1];
const config = configOfMiniCpm(fields);

describe('checkpoints of the authors: blocks, latent attention, μP scales', () => {
  test('the configuration', () => {
    expect(config).toMatchObject({
      ...{ architecture: 'minicpm', keyHeads: 1, headDim: 32, ropeDims: 8, hidden: 8, epsilon: 1e-5 },
      blocks: { count: 6, epsilon: 1e-5 },
      latent: { queryRank: 20, nopeDim: 16, ropeDim: 8, valueDim: 16, epsilon: 1e-6 },
    });
    expect(config.scales?.residual).toBeCloseTo(1.4 / Math.sqrt(2), 12);
    expect(config.scales?.logits).toBeCloseTo(16 / 48, 12);
  });

  test.each([true, false])(
    'logits are those of plain loops (stacked blocks: %s), in one pass and token by token',
    (isStacked) => {
      const weights = weightsOf(isStacked);
      const expected = logitsByLoops(weights, tokens, isStacked);
      const model = new LanguageModel(config, namedWeights(weights));
      const whole = scope(() => model.forward(tokens, model.cache(), { all: true }).dataSync().slice());
      expectClose(whole, expected, 1e-4);
      const cache = model.cache();
      const single = tokens.flatMap((token) => [
        ...scope(() => model.forward([token], cache, { all: true }).dataSync()),
      ]);
      expectClose(single, expected, 1e-4);
      const halves = new LanguageModel(config, namedWeights(weights));
      const half = halves.cache({ format: 'f16' });
      expectClose(
        scope(() => halves.forward(tokens, half, { all: true }).dataSync().slice()),
        expected,
        2e-2,
      );
    },
  );

  test('the cache holds one vector a token, grows, forks and is cut', () => {
    const model = new LanguageModel(config, namedWeights(weightsOf(true)));
    const cache = model.cache();
    expect(cache.bytes).toBe(2 * 256 * 32 * 4);
    expect(model.cacheBytes(10)).toBe(2 * 10 * 32 * 4);
    const long = Array.from({ length: 280 }, (_, i) => (7 * i) % 22);
    const first = scope(() => model.forward(long, cache).dataSync().slice());
    const fork = cache.fork();
    cache.truncate(250);
    expectClose(
      scope(() => model.forward(long.slice(250), cache).dataSync().slice()),
      first,
      1e-4,
    );
    const [a, b] = [cache, fork].map((own) => scope(() => model.forward([5], own).dataSync().slice()));
    expectClose(b as Float32Array, a as Float32Array, 1e-4);
    for (const one of [cache, fork]) one.dispose();
    expect(() => new KeyValueCache({ ...config, layers: 1 }).truncate(1)).toThrow(RangeError);
  });

  test('speculative tokens are the greedy ones', async () => {
    const model = new LanguageModel(config, namedWeights(weightsOf(true)));
    const run = async (draft?: ReturnType<typeof lookupDraft>) => {
      const ids: number[] = [];
      for await (const id of generate(model, tokens, { temperature: 0, maxTokens: 30, draft })) ids.push(id);
      return ids;
    };
    expect(await run(lookupDraft({ n: 1, tokens: 5 }))).toEqual(await run());
  });

  test('a folder is opened, quantised or not; compression says what it is', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gossamer-minicpm-'));
    writeFileSync(join(folder, 'config.json'), JSON.stringify(fields));
    writeFileSync(join(folder, 'model.safetensors'), writeSafetensors(weightsOf(true)));
    const vocab = Object.fromEntries(Array.from({ length: 22 }, (_, i) => [String.fromCharCode(97 + i), i]));
    const tokenizer = { model: { type: 'BPE', vocab, merges: [] } };
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
    const bundle = loadLanguageModel(folder);
    const logits = scope(() => bundle.model.forward(tokens, bundle.model.cache(), { all: true }).dataSync().slice());
    expectClose(logits, logitsByLoops(weightsOf(true), tokens, true), 1e-4);
    expect(() => loadTrainable(folder)).toThrow('the model has blocks that tokens choose freely');
    bundle.close();
  });

  test.each([
    [{ ffn_type: 'moe' }, '"ffn_type" is "moe"; "vanilla" is supported'],
    [{ norm_after_router: 'sum' }, '"norm_after_router" is "sum"; "rms" is supported'],
    [{ hidden_act: 'gelu' }, '"hidden_act" is "gelu"'],
    [{ num_experts: 0 }, 'a layer has 0 blocks'],
    [{ qk_rope_head_dim: 7 }, 'make no decoder'],
    [{ kv_lora_rank: 0 }, 'latent attention keeps one vector a token'],
  ])('%j is refused', (changes, message) => {
    expect(() => configOfMiniCpm({ ...fields, ...changes })).toThrow(message);
  });
});
