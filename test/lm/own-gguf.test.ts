import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readGguf, writeGguf } from '../../src/data/index.js';
import {
  compactState,
  compressExperts,
  decoderConfig,
  decoderOf,
  LanguageModel,
  namedWeights,
} from '../../src/lm/index.js';
import { loadLanguageModel, loadTrainable, saveLanguageModel } from '../../src/lm/node.js';
import { Random } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-own-gguf-'));
const at = (name: string) => join(folder, name);
const config = decoderConfig({
  ...{ vocabulary: 16, features: 32, layers: 2, heads: 2, hidden: 32, context: 64 },
  experts: { count: 4, k: 2, normalised: true },
});
const characters = Array.from({ length: 16 }, (_, i) => String.fromCodePoint(97 + i));
writeFileSync(
  at('whole.safetensors'),
  saveLanguageModel(
    decoderOf(config, new Random(3)),
    config,
    { characters },
    { data: 'text', tokens: 4000, loss: 2.5 },
  ),
);
const tokens = Int32Array.from({ length: 4000 }, (_, i) => (i * i) % 16);
const read = [3, 1, 15, 7, 7, 12, 5, 0];

async function small(rank?: number) {
  const original = loadTrainable(at('whole.safetensors'));
  const { model, config } = await compressExperts(original.model, original.config, tokens, new Random(1), {
    ...{ experts: 2, batch: 4, windows: 16, recovery: false, ...(rank && { rank, rows: 0.2 }) },
  });
  return { original, config, state: compactState(model) };
}

function logitsOf(path: string, memory?: number) {
  const { model, tokenizer, trained, store, close } = loadLanguageModel(path, { memory });
  const logits = [...model.forward(read, model.cache(), { all: true }).dataSync()];
  close();
  return { logits, trained, text: tokenizer.decode(read), bytes: store.bytesRead };
}

describe('merged mixtures in GGUF', () => {
  test.each([[undefined], [8]])('of rank %s: the logits are those of the weights in memory', async (rank) => {
    const { original, config, state } = await small(rank);
    original.save(at('small.gguf'), config, state, 1.75);
    const expected = new LanguageModel(config, namedWeights(state));
    const { logits, trained, text } = logitsOf(at('small.gguf'));
    expectClose(logits, expected.forward(read, expected.cache(), { all: true }).dataSync(), 1e-6);
    expect(trained).toEqual({ data: 'text', tokens: 4000, loss: 1.75 });
    expect(text).toBe('dbphhmfa');
    expect(logitsOf(at('small.gguf'), 30_000).logits).toEqual(logits);
  });

  test('in Q8_0: a third of the bytes, and nearly the same logits', async () => {
    const { original, config, state } = await small();
    original.save(at('f32.gguf'), config, state, 2);
    original.save(at('q8.gguf'), config, state, 2, 'Q8_0');
    const [whole, quantised] = [logitsOf(at('f32.gguf')).logits, logitsOf(at('q8.gguf')).logits];
    const largest = Math.max(...whole.map(Math.abs));
    expectClose(
      quantised.map((v) => v / largest),
      whole.map((v) => v / largest),
      0.05,
    );
    expect(statSync(at('q8.gguf')).size).toBeLessThan(0.4 * statSync(at('f32.gguf')).size);
    // Routing depends on small differences.
    const { tensors } = readGguf(readFileSync(at('q8.gguf')));
    const types = new Map([...tensors].map(([name, { type }]) => [name.replace(/.*layers\.\d+\./, ''), type]));
    expect([types.get('mlp.router.weight'), types.get('mlp.experts.up')]).toEqual(['F32', 'Q8_0']);
  });

  test('a description that is damaged, or of another version, is named', () => {
    const file = (values: Readonly<Record<string, string>>) => {
      const entries = Object.entries({ 'general.architecture': 'gossamer', ...values });
      writeFileSync(at('bad.gguf'), writeGguf(Object.fromEntries(entries.map(([k, v]) => [k, ['string', v]])), []));
      return () => loadLanguageModel(at('bad.gguf'));
    };
    const own = { 'gossamer.format': 'gossamer-model', 'gossamer.system': 'language-model' };
    expect(file({})).toThrow('is no model file');
    expect(file({ ...own, 'gossamer.version': '9' })).toThrow('has version 9 of "language-model"');
    expect(file({ ...own, 'gossamer.version': '1', 'gossamer.description': '[' })).toThrow('is damaged');
    expect(file({ ...own, 'gossamer.version': '1', 'gossamer.description': '{}' })).toThrow(
      'bad.gguf" is damaged: its description has no configuration',
    );
  });
});
