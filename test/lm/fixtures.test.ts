import { describe, expect, test } from 'vitest';
import { readGguf, writeGguf } from '../../src/data/index.js';
import {
  DenseMatrix,
  generate,
  LanguageModel,
  type LanguageModelConfig,
  namedWeights,
  ropeScalingOf,
} from '../../src/lm/index.js';
import {
  type BlockFormat,
  type BlockMatrix,
  blockBytes,
  blockFormats,
  floatToHalf,
} from '../../src/quantized/index.js';
import { type Tensor, tensor } from '../../src/tensor/index.js';
import fixtures from '../fixtures/language-models.json' with { type: 'json' };
import { expectClose, uniform } from '../oracle.js';
import { asGguf, namedTensors } from './models.js';

/** The weights that language-models.py makes, number by number. */
function numbers(name: string, size: number): Float32Array {
  const seed = Array.from(new TextEncoder().encode(name)).reduce(
    (hash, byte) => Math.imul(hash ^ byte, 16777619),
    2166136261 | 0,
  );
  return Float32Array.from({ length: size }, (_, i) => {
    let h = (seed + Math.imul(i, 0x9e3779b9)) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1;
  });
}

const made = {
  matrix: (name: string, rows: number, columns: number) =>
    tensor(
      numbers(name, rows * columns).map((value) => 0.25 * value),
      [rows, columns],
    ),
  vector: (name: string, size: number, mean: number) =>
    tensor(
      numbers(name, size).map((value) => mean + 0.2 * value),
      [size],
    ),
};
const weightsOf = (config: LanguageModelConfig) => namedTensors(config, made, false);

const { tokens } = fixtures;

describe('PyTorch', () => {
  test.each(fixtures.models.map(({ name }) => name))(
    '%s: logits equal those of test/fixtures/language-models.py',
    (name) => {
      const {
        config: given,
        scaling,
        logits,
      } = fixtures.models.find((one) => one.name === name) as (typeof fixtures.models)[0];
      const ropeScaling = ropeScalingOf(scaling, { dims: given.headDim, base: given.ropeBase });
      const config = { ...given, ...(ropeScaling && { ropeScaling }) } as LanguageModelConfig;
      const weights = weightsOf(config);
      const model = new LanguageModel(config, namedWeights(weights));
      expectClose(model.forward(tokens, model.cache(), { all: true }).dataSync(), logits.flat(), 1e-4);
      const file = readGguf(asGguf(config, weights));
      const stored = LanguageModel.fromGguf(file);
      // GGUF says nothing of gates: llama.cpp makes them add up to 1.
      if (config.experts?.normalised === false || scaling) return;
      expectClose(stored.forward(tokens, stored.cache(), { all: true }).dataSync(), logits.flat(), 1e-4);
    },
  );

  test('greedy text is the same with and without the cache, together and alone, from GGUF and from named weights', async () => {
    for (const { config: given } of fixtures.models) {
      const config = given as LanguageModelConfig;
      if (config.experts?.normalised === false) continue;
      const weights = weightsOf(config);
      const named = new LanguageModel(config, namedWeights(weights));
      const stored = LanguageModel.fromGguf(readGguf(asGguf(config, weights)));
      const best = (logits: Float32Array) => logits.indexOf(logits.reduce((a, b) => Math.max(a, b)));
      const expected = [...tokens];
      for (let i = 0; i < 8; i++) expected.push(best(named.forward(expected, named.cache()).dataSync<Float32Array>()));
      for (const model of [named, stored]) {
        const made = [...tokens];
        for await (const token of generate(model, tokens, { temperature: 0, maxTokens: 8 })) made.push(token);
        expect(made).toEqual(expected);
        const sequences = [tokens, tokens.slice(2)].map((own) => ({ own: [...own], cache: model.cache() }));
        let next = sequences.map(({ own }) => own);
        for (let i = 0; i < 8; i++) {
          const logits = model
            .forwardBatch(sequences.map(({ cache }, s) => ({ cache, tokens: next[s] as number[] })))
            .dataSync<Float32Array>();
          next = sequences.map(({ own }, s) => {
            const token = best(logits.subarray(s * config.vocabulary, (s + 1) * config.vocabulary));
            own.push(token);
            return [token];
          });
        }
        expect(sequences[0]?.own).toEqual(expected);
      }
    }
  });
});

/** The nearest integer, an even one where two are as near. */
function toEven(value: number): number {
  const nearest = Math.round(value);
  return nearest - value === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

/** Products with activations rounded as the kernels round them, everything else in floats. */
class RoundedMatrix extends DenseMatrix {
  override multiply(x: Tensor): Tensor {
    const values = x.dataSync<Float32Array>();
    for (let at = 0; at < values.length; at += 32) {
      const block = values.subarray(at, at + 32);
      const peak = block.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const [factor, scale] = [Math.fround(127 / peak), Math.fround(peak / 127)];
      block.forEach((value, i) => {
        block[i] = peak === 0 ? 0 : toEven(Math.fround(value * factor)) * scale;
      });
    }
    return super.multiply(tensor(values, x.shape));
  }
}

/** Compares each product of a pass with that of the quantised matrix on the same activations. */
class ComparedMatrix extends RoundedMatrix {
  constructor(
    values: Tensor,
    readonly blocks: BlockMatrix,
    readonly report: (error: number) => void,
  ) {
    super(values);
  }

  override multiply(x: Tensor): Tensor {
    const expected = super.multiply(x);
    const largest = expected.abs().max().item();
    this.report(this.blocks.multiply(x).subtract(expected).abs().max().item() / largest);
    return expected;
  }
}

describe('every quantised format', () => {
  const config: LanguageModelConfig = {
    ...{ architecture: 'qwen2', vocabulary: 40, features: 256, layers: 2, heads: 4, keyHeads: 2, headDim: 64 },
    ...{ hidden: 256, context: 64, ropeBase: 10000, interleaved: false, epsilon: 1e-6, window: 0 },
  };
  const names = {
    ...{ q_proj: 'attn_q', k_proj: 'attn_k', v_proj: 'attn_v', o_proj: 'attn_output' },
    ...{ gate_proj: 'ffn_gate', up_proj: 'ffn_up', down_proj: 'ffn_down' },
  } as const;

  /** Random blocks with scales and minima of ordinary size. */
  function randomBlocks(format: BlockFormat, rows: number, columns: number, seed: number): Uint8Array {
    const { bytes: size } = blockFormats[format];
    const bytes = Uint8Array.from(uniform(seed, blockBytes(format, rows, columns), 0, 256));
    const isK = format.endsWith('_K');
    const small = floatToHalf({ Q8_0: 0.0004, Q4_0: 0.006, Q4_1: 0.006 }[format as string] ?? (isK ? 0.0001 : 0.003));
    const minimum = floatToHalf(isK ? 0.0006 : -0.05);
    for (let at = 0; at < bytes.length; at += size) {
      const places: [number, number][] = format === 'Q6_K' ? [[208, small]] : [[0, small]];
      if (!format.endsWith('_0') && format !== 'Q6_K') places.push([2, minimum]);
      for (const [place, half] of places) {
        bytes[at + place] = half & 255;
        bytes[at + place + 1] = half >> 8;
      }
      if (format === 'Q6_K')
        // Scales of either sign, none of them large.
        for (let i = 192; i < 208; i++) bytes[at + i] = ((bytes[at + i] as number) % 32) - 16;
    }
    return bytes;
  }

  test.each(Object.keys(blockFormats) as BlockFormat[])(
    '%s: logits equal those of the dequantised weights',
    (format) => {
      const shapes = Object.entries(weightsOf(config)).filter(([name]) => name !== 'lm_head.weight');
      const outputs = shapes.map(([name, values], seed) => {
        const [, layer, part] = /layers\.(\d+)\.(?:self_attn|mlp)\.(\w+)\.weight/.exec(name) ?? [];
        const own =
          part === undefined
            ? name
                .replace('model.embed_tokens', 'token_embd')
                .replace('model.norm', 'output_norm')
                .replace(/model\.layers\.(\d+)\.input_layernorm/, 'blk.$1.attn_norm')
                .replace(/model\.layers\.(\d+)\.post_attention_layernorm/, 'blk.$1.ffn_norm')
                .replace(/model\.layers\.(\d+)\.self_attn\.(\w)_proj/, 'blk.$1.attn_$2')
            : `blk.${layer}.${names[part as keyof typeof names]}.weight`;
        const [rows = 1, columns = 1] = values.shape;
        if (values.rank === 1)
          return {
            name: own,
            shape: values.shape,
            type: 'F32' as const,
            bytes: new Uint8Array(values.dataSync().buffer),
          };
        return { name: own, shape: values.shape, type: format, bytes: randomBlocks(format, rows, columns, seed + 1) };
      });
      const metadata = {
        'general.architecture': ['string', 'qwen2'],
        'qwen2.block_count': ['u32', config.layers],
        'qwen2.embedding_length': ['u32', config.features],
        'qwen2.context_length': ['u32', config.context],
        'qwen2.attention.head_count': ['u32', config.heads],
        'qwen2.attention.head_count_kv': ['u32', config.keyHeads],
        'qwen2.feed_forward_length': ['u32', config.hidden],
        'qwen2.attention.layer_norm_rms_epsilon': ['f32', config.epsilon],
      } as const;
      const file = readGguf(writeGguf(metadata, outputs));
      const model = LanguageModel.fromGguf(file);
      const dequantised = Object.fromEntries(
        shapes.map(([name], i) => [name, file.tensor((outputs[i] as { name: string }).name)]),
      );
      const errors: number[] = [];
      const fileName = (name: string) => outputs[shapes.findIndex(([own]) => own === name)]?.name ?? name;
      const plain = new LanguageModel(
        config,
        namedWeights(
          dequantised,
          (values, name) => new ComparedMatrix(values, file.blocks(fileName(name)), (error) => errors.push(error)),
        ),
      );
      const expected = plain.forward(tokens, plain.cache(), { all: true }).dataSync();
      const logits = model.forward(tokens, model.cache(), { all: true }).dataSync();
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect(largest).toBeGreaterThan(0.1);
      expect(errors.length).toBe(7 * config.layers + 1);
      expect(Math.max(...errors)).toBeLessThan(1e-4);
      // Through all layers it is less: where a sum ends in another last bit, an activation on the border between two steps is rounded the other way.
      const squares = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);
      const rest = squares(logits.map((value, i) => value - (expected[i] as number))) / squares(expected);
      expect(Math.sqrt(rest)).toBeLessThan(0.02);
    },
  );
});
