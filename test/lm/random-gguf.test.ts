import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  decodeSpeed,
  type LanguageModelConfig,
  randomGguf,
  randomGgufBytes,
  smallThinker4B,
} from '../../src/lm/index.js';
import { loadLanguageModel } from '../../src/lm/node.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-random-gguf-'));

const shape = {
  ...{ ...smallThinker4B, vocabulary: 512, features: 128, layers: 4, heads: 4, keyHeads: 2, headDim: 32 },
  ...{ hidden: 64, context: 64 },
  experts: { count: 16, k: 2, normalised: true, early: true, gates: 'sigmoid' as const },
} satisfies LanguageModelConfig;
const dense = {
  ...{ architecture: 'llama', vocabulary: 300, features: 64, layers: 2, heads: 2, keyHeads: 1, headDim: 32 },
  ...{ hidden: 96, context: 64, window: 0, interleaved: false, epsilon: 1e-6, ropeBase: 1e4, tied: true },
} satisfies LanguageModelConfig;

function opened(name: string, config: LanguageModelConfig, memory?: number) {
  const path = join(folder, `${name}.gguf`);
  writeFileSync(
    path,
    [...randomGguf(config)].reduce((all, part) => Buffer.concat([all, part]), Buffer.alloc(0)),
  );
  return { path, ...loadLanguageModel(path, { memory }) };
}

describe('random weights of a shape', () => {
  test('a file has the sizes of its shape, and of its announcement', () => {
    for (const [name, config] of Object.entries({ shape, dense })) {
      const { path, model, close } = opened(name, config);
      const { heads, keyHeads, hidden, layers, features, vocabulary } = model.config;
      expect({ heads, keyHeads, hidden, layers, features, vocabulary }).toEqual({
        ...{ heads: config.heads, keyHeads: config.keyHeads, hidden: config.hidden, layers: config.layers },
        ...{ features: config.features, vocabulary: config.vocabulary },
      });
      expect(model.config.experts?.early).toBe('experts' in config ? true : undefined);
      const rest = statSync(path).size - randomGgufBytes(config);
      expect(rest).toBeGreaterThan(0);
      expect(rest).toBeLessThan(16_384);
      close();
    }
  });

  test('experts are chosen alike often, so that a cache of half of them hits about half of the time', () => {
    const { model, close } = opened('half', shape);
    const half = model.bytes / 2;
    close();
    const part = opened('half', shape, half);
    part.model.load();
    const speed = decodeSpeed(part.model, { prompt: 8, tokens: 40, store: part.store });
    expect(speed.hitShare).toBeGreaterThan(0.2);
    expect(speed.hitShare).toBeLessThan(0.8);
    expect(speed.bytesRead).toBeGreaterThan(0);
    expect(Math.min(speed.rate, speed.promptRate, speed.median)).toBeGreaterThan(0);
    expect(() => decodeSpeed(part.model, { prompt: 60 })).toThrow('do not fit a context of 64');
    part.close();
  });

  test('what every pass uses is read first, and stays', () => {
    const { model, store, close } = opened('first', shape, 220_000);
    model.load();
    const before = store.bytesRead;
    const cache = model.cache();
    model.forward([1], cache).dispose();
    const { hits, misses } = store.statistics;
    // Nothing but chosen experts is read: at most three matrices of each miss.
    expect(store.bytesRead - before).toBeLessThanOrEqual((misses * 64 * 128 * 20) / 32);
    expect(hits + misses).toBe(4 * 2 * 3);
    close();
  });
});
