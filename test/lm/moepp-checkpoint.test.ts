// The authors' checkpoints of MoE++: their names, their configuration, their options.

import { describe, expect, test } from 'vitest';
import { decoderOf } from '../../src/lm/decoder.js';
import { MoEPlusPlus, type MoEPlusPlusOptions } from '../../src/lm/moepp.js';
import { configOfHuggingFace, LanguageModel, namedWeights } from '../../src/lm/runtime/index.js';
import { stateOf, type Weights } from '../../src/nn/index.js';
import { Random, slice, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const fields = {
  ...{ model_type: 'MoE++', vocab_size: 20, hidden_size: 16, intermediate_size: 12, num_hidden_layers: 2 },
  ...{ num_attention_heads: 2, max_position_embeddings: 32, rms_norm_eps: 1e-6, num_experts: [7] },
  ...{ moe_use_logits_norm: true, moe_gate_norm_std: 1, moe_feature_no_mul_topk: true, moe_2layer_gate: false },
};

/** A tensor's rows [from, to), reshaped. */
const rows = (values: Tensor, [from, to]: readonly [number, number], shape: readonly number[]) =>
  slice(values, [from, to]).reshape(shape).clone();

/** The state of a decoder under the authors' names: an expert a tensor, all kinds in one list. */
function published(state: Weights): Record<string, Tensor> {
  const own = {
    'router.weight': 'gate.wg.weight',
    residual: 'gate.gate_map.weight',
    'routerHidden.weight': 'gate.wg.0.weight',
  };
  const isDeep = Object.keys(state).some((name) => name.includes('routerHidden'));
  return Object.fromEntries(
    Object.entries(state).flatMap(([name, values]): [string, Tensor][] => {
      const [, layer, role = ''] = /^model\.layers\.(\d)\.mlp\.(.*)$/.exec(name) ?? [];
      const path = `model.layers.${layer}.mlp.moe`;
      if (layer === undefined) return [[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), values]];
      if (role in own) {
        const theirs = own[role as keyof typeof own];
        return [[`${path}.${isDeep ? theirs.replace('wg.weight', 'wg.2.weight') : theirs}`, values]];
      }
      const [count, ...shape] = values.shape as [number, ...number[]];
      const names = {
        'experts.up': 'up_proj.weight',
        'experts.down': 'down_proj.weight',
        constantGate: 'wg.weight',
        constants: 'constant',
      };
      const first = role.startsWith('experts') ? 0 : 3;
      return Array.from({ length: count }, (_, e) => [
        `${path}.experts.experts.${first + e}.${names[role as keyof typeof names]}`,
        rows(values, [e, e + 1], shape),
      ]);
    }),
  );
}

describe('checkpoints of MoE++', () => {
  test.each([
    ['as the 7B model', {}],
    ['two-layer routers, Mixtral’s gates', { moe_2layer_gate: true, moe_use_mixtral_gating: true }],
    ['inputs times k, no norm of the logits', { moe_feature_no_mul_topk: false, moe_use_logits_norm: false }],
  ])('logits are those of the decoder with the same weights: %s', (_name, more) => {
    const config = configOfHuggingFace({ ...fields, ...more });
    const decoder = decoderOf({ ...config, tied: false }, new Random(1));
    const state = stateOf(decoder);
    for (const [name, values] of Object.entries(state))
      if (/residual|constants/.test(name)) values.assign(new Random(name.length).normal(values.shape));
    const model = new LanguageModel(config, namedWeights(published(state)));
    const tokens = [3, 1, 4, 1, 5, 9, 2, 6];
    const cache = model.cache();
    const logits = model.forward(tokens, cache, { all: true }).dataSync();
    expectClose(logits, decoder.forward(tensor(Int32Array.from(tokens), [1, 8])).dataSync(), 1e-4);
    expect(Math.max(...logits)).toBeGreaterThan(0.1);
  });

  test('the fields of the 7B model', () => {
    const config = configOfHuggingFace({
      ...{ ...fields, vocab_size: 65536, hidden_size: 1536, intermediate_size: 4096, num_hidden_layers: 24 },
      ...{ num_attention_heads: 16, max_position_embeddings: 2048, num_experts: [20] },
    });
    expect(config.hidden).toBe(4096);
    expect(config.experts?.zeroComputation).toEqual({
      ...{ experts: { feedForward: 16, constant: 2, copy: 1, zero: 1 }, k: 2, hidden: 4096 },
      ...{ zeroGate: 'renormalise', logitScale: 1 },
    });
    // What a file leaves out is as in the authors' code.
    const { moe_2layer_gate: _gate, moe_feature_no_mul_topk: _scale, moe_use_logits_norm: _norm, ...few } = fields;
    expect(configOfHuggingFace(few).experts?.zeroComputation).toMatchObject({ twoLayerRouter: true, inputScale: 2 });
    expect(() => configOfHuggingFace({ ...fields, num_experts: [4] })).toThrow(
      '"num_experts" is [4]; MoE++ has at least 5',
    );
    expect(() => configOfHuggingFace({ ...fields, moe_expert_interval: 2 })).toThrow('experts in every layer');
  });

  test('a missing expert is named', () => {
    const config = configOfHuggingFace(fields);
    const weights = published(stateOf(decoderOf({ ...config, tied: false }, new Random(1))));
    delete weights['model.layers.1.mlp.moe.experts.experts.2.down_proj.weight'];
    expect(() => new LanguageModel(config, namedWeights(weights))).toThrow(
      'the model lacks the "down" matrix of expert 2 in layer 1',
    );
  });
});

describe('options of the authors’ models, by loops', () => {
  const [D, options] = [4, { experts: { feedForward: 2, copy: 1, zero: 0 }, hidden: 3 }] as const;
  const values = (t: Tensor) => Array.from(t.dataSync());
  const times = (w: number[], x: readonly number[]) =>
    Array.from({ length: w.length / x.length }, (_, i) =>
      x.reduce((s, v, j) => s + v * (w[i * x.length + j] as number), 0),
    );
  const make = (more: Partial<MoEPlusPlusOptions>) => new MoEPlusPlus(D, { ...options, ...more }, new Random(5));

  test('a router of two layers', () => {
    const model = make({ twoLayerRouter: true });
    expect(model.routerHidden?.weight.shape).toEqual([24, D]);
    const x = uniformTensor(1, [1, D], -2, 2);
    const hidden = times(values((model.routerHidden as { weight: Tensor }).weight), values(x)).map(Math.tanh);
    expectClose(model.route(x).logits.dataSync(), times(values(model.router.weight), hidden), 1e-5);
  });

  test('inputs of experts times k, not those of the router', () => {
    const model = make({ inputScale: 2 });
    const x = uniformTensor(1, [6, D], -2, 2);
    const { experts, gates, logits } = model.route(x);
    expectClose(logits.dataSync(), make({}).route(x).logits.dataSync(), 1e-6);
    const [up, down, ids, shares] = [model.experts.up, model.experts.down, experts, gates].map(values) as [
      number[],
      number[],
      number[],
      number[],
    ];
    const expected = Array.from({ length: 6 }, (_, t) => {
      const token = values(x)
        .slice(t * D, (t + 1) * D)
        .map((v) => 2 * v);
      const y = new Array<number>(D).fill(0);
      for (const slot of [2 * t, 2 * t + 1]) {
        const e = ids[slot] as number;
        const both = e < 2 ? times(up.slice(e * 24, (e + 1) * 24), token) : [];
        const inner = both.slice(0, 3).map((g, i) => (g / (1 + Math.exp(-g))) * (both[3 + i] as number));
        const out = e < 2 ? times(down.slice(e * 12, (e + 1) * 12), inner) : token;
        out.forEach((v, i) => {
          y[i] = (y[i] as number) + v * (shares[slot] as number);
        });
      }
      return y;
    });
    expectClose(model.forward(x).dataSync(), expected.flat(), 1e-5);
  });
});
