import { describe, expect, test } from 'vitest';
import { SafetensorsReader, writeSafetensors } from '../../src/data/index.js';
import {
  type BlockUsage,
  decoderConfig,
  decoderOf,
  generate,
  LanguageModel,
  type LanguageModelConfig,
  lookupDraft,
  namedWeights,
  safetensorsWeights,
  textUsage,
  WeightStore,
} from '../../src/lm/index.js';
import { stateOf, type Weights } from '../../src/nn/index.js';
import { Random, scope, tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const config = decoderConfig({
  ...{
    vocabulary: 20,
    features: 32,
    layers: 2,
    heads: 2,
    hidden: 32,
    context: 400,
    epsilon: 1e-5,
    blocks: { count: 6 },
  },
});
const trained = decoderOf(config, new Random(3));
const state: Weights = stateOf(trained);
// Routers that leave some blocks at 0, and scales that are not 1.
for (let layer = 0; layer < 2; layer++)
  state[`model.layers.${layer}.mlp.routerNorm.weight`]?.assign(uniformTensor(layer, [6], 0.5, 3));
const tokens = Array.from({ length: 90 }, (_, i) => (i * i + 3 * i) % 20);

const withExecution = (execution: 'sparse' | 'dense'): LanguageModelConfig => ({
  ...config,
  blocks: { count: 6, execution },
});
const logitsOf = (model: LanguageModel, ids = tokens) =>
  scope(() => model.forward(ids, model.cache(), { all: true }).dataSync<Float32Array>().slice());
const file = (format?: 'Q8_0' | 'Q4_0', execution: 'sparse' | 'dense' = 'sparse', budget?: number) => {
  const bytes = writeSafetensors(state);
  const source = {
    name: 'm',
    size: bytes.length,
    read: (to: Uint8Array, at: number) => to.set(bytes.subarray(at, at + to.length)),
    close() {},
  };
  const store = new WeightStore(budget);
  return new LanguageModel(
    withExecution(execution),
    safetensorsWeights([new SafetensorsReader(source)], store, format),
  );
};

describe('blocks at inference', () => {
  test('logits are those of the trained decoder, for one token, chunks and long prompts', () => {
    const model = new LanguageModel(config, namedWeights(state));
    const expected = trained.forward(tensor(Int32Array.from(tokens), [1, tokens.length])).dataSync();
    expectClose(logitsOf(model), expected, 1e-4);
    expectClose(logitsOf(new LanguageModel(withExecution('dense'), namedWeights(state))), expected, 1e-4);
    const cache = model.cache();
    const parts = [1, 5, 64, 20].map((count, i, all) => {
      const from = all.slice(0, i).reduce((sum, n) => sum + n, 0);
      return scope(() =>
        model
          .forward(tokens.slice(from, from + count), cache, { all: true })
          .dataSync()
          .slice(),
      );
    });
    expectClose(
      parts.flatMap((part) => [...part]),
      expected,
      1e-4,
    );
  });

  test.each([undefined, 'Q8_0', 'Q4_0'] as const)('from a file, %s: sparse and dense products agree', (format) => {
    const [sparse, dense] = [file(format), file(format, 'dense')].map((model) => logitsOf(model));
    expectClose(sparse as Float32Array, dense as Float32Array, 1e-4);
    // A budget in which one matrix at a time fits.
    const tight = logitsOf(file(format, 'sparse', 33_000));
    expect(tight).toEqual(sparse);
  });

  test('guessed ahead or not, greedy tokens are the same', async () => {
    const run = async (execution: 'sparse' | 'dense', draft?: ReturnType<typeof lookupDraft>) => {
      const model = new LanguageModel(withExecution(execution), namedWeights(state));
      const ids: number[] = [];
      let passes = 0;
      const read = async (own: readonly number[], cache: ReturnType<typeof model.cache>, all: boolean) => {
        passes += 1;
        return scope(() => model.forward(own, cache, { all }).dataSync<Float32Array>().slice());
      };
      for await (const id of generate(model, tokens.slice(0, 20), { temperature: 0, maxTokens: 40, draft, read }))
        ids.push(id);
      return { ids, passes };
    };
    const plain = await run('dense');
    const drafted = await run('sparse', lookupDraft({ n: 1, tokens: 6 }));
    expect(drafted.ids).toEqual(plain.ids);
    expect(drafted.passes).toBeLessThan(plain.passes);
  });

  test('gates of a text give its sparsity', () => {
    const model = new LanguageModel(config, namedWeights(state));
    const gates = model.blockGates(tokens);
    expect(gates.map(({ length }) => length)).toEqual([540, 540]);
    const usage = textUsage(model, tokens) as BlockUsage;
    const zeros = gates.flatMap((layer) => [...layer]).filter((gate) => gate === 0).length;
    expect(usage.tls).toBeCloseTo(zeros / 1080, 6);
    expect(usage.tls).toBeGreaterThan(0.1);
    expect(usage.tls).toBeLessThan(0.9);
    const { blocks: _, ...plain } = config;
    const dense = new LanguageModel(plain, namedWeights(stateOf(decoderOf(plain, new Random(1)))));
    expect(textUsage(dense, tokens)).toBeUndefined();
    expect(dense.blockGates(tokens)).toEqual([]);
  });

  test('weights of other sizes are refused by name', () => {
    const { ['model.layers.1.mlp.upProj.weight']: _, ...missing } = state;
    expect(() => new LanguageModel(config, namedWeights(missing))).toThrow(
      'lacks the blocks "up" and "down" of layer 1',
    );
    const other = { ...config, blocks: { count: 5 } };
    expect(() => new LanguageModel(other, namedWeights(state))).toThrow('"blockRouter" of layer 0');
    const narrow = { ...config, hidden: 31 };
    expect(() => new LanguageModel(narrow, namedWeights(state))).toThrow('W_up of 6 blocks 31×32');
  });
});
