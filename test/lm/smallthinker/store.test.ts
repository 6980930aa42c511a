import { mkdtempSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readGguf, SafetensorsReader, writeSafetensors } from '../../../src/data/index.js';
import { openBytes } from '../../../src/data/node.js';
import {
  Batcher,
  DenseMatrix,
  generate,
  ggufWeights,
  LanguageModel,
  type LanguageModelConfig,
  type StoreOptions,
  safetensorsWeights,
  WeightStore,
} from '../../../src/lm/index.js';
import type { StoredMatrix } from '../../../src/lm/runtime/store.js';
import { emptyTensor, keep, type Tensor, zeros } from '../../../src/tensor/index.js';
import { expectClose } from '../../oracle.js';
import { ggufOf, oracle, tiny, weightsOf } from './model.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-smallthinker-'));
const weights = weightsOf(tiny, 8, false);
const write = (name: string, bytes: Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const paths = {
  Q4_0: write('q4.gguf', ggufOf(tiny, weights, 'Q4_0')),
  'Q4_0 by neuron': write('q4n.gguf', ggufOf(tiny, weights, 'Q4_0', true)),
  Q8_0: write('q8.gguf', ggufOf(tiny, weights, 'Q8_0')),
  F32: write('f32.gguf', ggufOf(tiny, weights, 'F32')),
};

/** Bytes of the three matrices of an expert in Q4_0, by neuron. */
const EXPERT = 3 * 96 * 64 * (18 / 32);

function open(path: string, budget?: number, options?: StoreOptions) {
  const store = new WeightStore(budget, options);
  const file = openBytes(path);
  const model = LanguageModel.fromGguf(readGguf(file), store);
  const close = () => {
    store.dispose();
    file.close();
  };
  return { model, store, close };
}

async function idsOf(model: LanguageModel, tokens = 12): Promise<number[]> {
  const ids: number[] = [];
  for await (const id of generate(model, [3, 17, 40, 8, 8, 31, 5], { maxTokens: tokens, temperature: 0 })) ids.push(id);
  return ids;
}

describe('experts in a file', () => {
  const modes: readonly (readonly [string, StoreOptions])[] = [
    ['read ahead before attention', {}],
    ['read after attention', { readAhead: 'late' }],
    ['read one by one', { readAhead: 'never' }],
    ['kept nowhere', { keep: false, readAhead: 'late' }],
  ];
  test.each(Object.entries(paths))(
    '%s: the same text in all ways to read, and with two experts in memory',
    async (name, path) => {
      const resident = open(path);
      resident.model.load();
      const expected = await idsOf(resident.model);
      expect(resident.store.statistics.misses).toBe(0);
      resident.close();
      const least = 9 * 96 * 64 * 4;
      // One format in all modes, the others as usual.
      for (const [, options] of name === 'F32' ? modes : modes.slice(0, 1)) {
        const { model, store, close } = open(path, least, options);
        expect(await idsOf(model)).toEqual(expected);
        expect(store.used).toBeLessThanOrEqual(store.budget);
        expect(store.statistics.misses).toBeGreaterThan(0);
        expect(store.statistics.bytesRead).toBeGreaterThan(0);
        close();
      }
    },
  );

  test('what one token needs is the least: less is refused, and there each matrix is read once a layer', async () => {
    const path = paths['Q4_0 by neuron'];
    expect(() => open(path, 2 * EXPERT - 1)).toThrow(
      `each token uses 2 experts of ${EXPERT} bytes, together ${2 * EXPERT}: more than the ${2 * EXPERT - 1} bytes`,
    );
    // Half of the experts beside what every pass uses.
    const always = 2 ** 16;
    const { model, store, close } = open(paths['Q4_0 by neuron'], 16 * EXPERT + always);
    const cache = model.cache();
    for (let i = 0; i < 4; i++) model.forward([i], cache);
    const before = store.statistics;
    for (let i = 0; i < 10; i++) model.forward([i], cache);
    const { hits, misses, bytesRead } = store.statistics;
    expect(hits - before.hits + misses - before.misses).toBe(10 * tiny.layers * 2 * 3);
    expect(hits).toBeGreaterThan(before.hits);
    expect(bytesRead - before.bytesRead).toBe(((misses - before.misses) / 3) * EXPERT);
    close();
  });

  test('the optimised path within 1e-4 of loops of doubles, with two experts in memory', () => {
    const path = write('tiny.safetensors', writeSafetensors(weights));
    const file = openBytes(path);
    const store = new WeightStore(2 * 3 * 96 * 64 * 4 + 64 * 64 * 4);
    const model = new LanguageModel(tiny, safetensorsWeights([new SafetensorsReader(file)], store));
    const tokens = Array.from({ length: 24 }, (_, i) => (i * 13) % 48);
    const cache = model.cache();
    const logits = tokens.flatMap((token) => Array.from(model.forward([token], cache).dataSync()));
    expectClose(
      logits,
      oracle(tiny, weights, tokens).flatMap((row) => Array.from(row)),
      1e-4,
    );
    store.dispose();
    file.close();
  });

  test('prompts leave the statistics alone', () => {
    const { model, store, close } = open(paths.Q4_0);
    model.forward(
      Array.from({ length: 30 }, (_, i) => i),
      model.cache(),
    );
    expect(store.statistics).toMatchObject({ hits: 0, misses: 0 });
    close();
  });

  test('quantised: within the bound of int8 activations of the values in the file', () => {
    for (const name of ['Q4_0', 'Q4_0 by neuron', 'Q8_0'] as const) {
      const { model, close } = open(paths[name]);
      const file = readGguf(openBytes(paths[name]));
      const source = ggufWeights([file]);
      expect(source.experts('down', 0, 8)?.[0]?.rows).toBe(64);
      const tokens = [3, 9, 27, 33];
      const cache = model.cache();
      const single = tokens.map((token) => model.forward([token], cache).dataSync());
      const whole = model.forward(tokens, model.cache(), { all: true }).dataSync();
      const largest = Math.max(...whole.map(Math.abs));
      expectClose(
        single.flatMap((row) => Array.from(row, (v) => v / largest)),
        whole.map((v) => v / largest),
        0.05,
      );
      close();
    }
  });
});

describe('the store', () => {
  const numbers = Float32Array.from({ length: 8 * 16 }, (_, i) => i);
  const path = write('numbers', new Uint8Array(numbers.buffer));

  /** Eight experts' matrices of 64 bytes, and a store with room for some. */
  function matrices(room: number, options?: StoreOptions) {
    const file = openBytes(path);
    const store = new WeightStore(64 * room, options);
    const all = Array.from({ length: 8 }, (_, i) => {
      const range = { descriptor: file.descriptor as number, position: 64 * i, name: path };
      const stage = () => keep(emptyTensor([1, 16], 'f32'));
      const finish = (values: Tensor) => new DenseMatrix(values);
      const read = () => {
        throw new Error('reads on the thread were expected');
      };
      return store.add({ rows: 1, columns: 16, bytes: 64, use: 'chosen', range, stage, finish, read });
    }) as readonly StoredMatrix[];
    const at = (...which: readonly number[]) => which.map((i) => all[i] as StoredMatrix);
    const first = (i: number) =>
      store
        .get(all[i] as StoredMatrix)
        .rowsAt([0])
        .dataSync()[0];
    return { store, at, first, file };
  }

  test('what a layer was promised is not evicted for what it was promised too', () => {
    const { store, at, first, file } = matrices(2);
    store.get(at(0)[0] as StoredMatrix);
    store.get(at(1)[0] as StoredMatrix);
    // Matrix 0 was used least recently, but is wanted: 1 makes room for 2.
    store.want(at(2, 0), true);
    expect(store.statistics).toMatchObject({ hits: 1, misses: 1, bytesRead: 3 * 64 });
    expect([first(2), first(0)]).toEqual([32, 0]);
    expect(store.bytesRead).toBe(3 * 64);
    store.release(at(2, 0));
    expect([first(5), store.used]).toEqual([80, 128]);
    store.dispose();
    file.close();
  });

  test('promises beyond the room are read when they are needed', () => {
    const { store, at, first, file } = matrices(2);
    store.want(at(0, 1, 2, 3), true);
    expect(store.used).toBe(128);
    for (const i of [0, 1, 2, 3]) {
      expect(first(i)).toBe(16 * i);
      store.release(at(i));
    }
    store.dispose();
    file.close();
  });

  test('memory that is being read into is not given to others', async () => {
    const { store, at, first, file } = matrices(1, { disk: { latency: 0.05, bandwidth: 1e9 } });
    store.want(at(1), true);
    store.release(at(1));
    expect(first(2)).toBe(32);
    const others = Array.from({ length: 8 }, () => keep(zeros([1, 16])));
    await new Promise((resolve) => setTimeout(resolve, 120));
    for (const other of others) expect(other.dataSync().every((v) => v === 0)).toBe(true);
    expect(store.statistics.waitSeconds).toBeGreaterThan(0.04);
    store.dispose();
    file.close();
  });

  test('nor is memory whose read has not begun when its matrix is given up', async () => {
    const { store, at, file } = matrices(2, { keep: false, disk: { latency: 0.1, bandwidth: 1e9 } });
    // The thread is busy with 0 for a while.
    store.want(at(0, 1), true);
    store.release(at(1));
    const others = Array.from({ length: 8 }, () => keep(zeros([1, 16])));
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (const other of others) expect(other.dataSync().every((v) => v === 0)).toBe(true);
    store.dispose();
    file.close();
  });
});

describe('files that cannot be read', () => {
  const late: LanguageModelConfig = { ...tiny, experts: { count: 8, k: 2, normalised: true } };

  test.each([
    ['early', tiny],
    ['late', late],
  ])('one cut within an expert: %s routers say so, other texts go on', async (_, config) => {
    const path = write('cut.safetensors', writeSafetensors(weightsOf(config, 8, true)));
    const file = openBytes(path);
    const reader = new SafetensorsReader(file);
    const store = new WeightStore();
    const model = new LanguageModel(config, safetensorsWeights([reader], store));
    model.load();
    const batcher = new Batcher(model);
    const ids = () => {
      const cache = model.cache();
      return batcher.read([3, 1], cache, false);
    };
    const before = await ids();
    store.dispose();
    // The last expert of the last layer is gone.
    const last = reader.place('model.layers.3.block_sparse_moe.experts.7.down.weight');
    truncateSync(path, last.position + last.bytes / 2);
    const results = await Promise.allSettled(
      Array.from({ length: 40 }, (_, token) => batcher.read([token], model.cache(), false)),
    );
    const failed = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.length).toBeLessThan(40);
    for (const { reason } of failed) expect(String(reason)).toMatch(/cut\.safetensors" ends before byte \d+/);
    expect(store.used).toBeLessThanOrEqual(store.budget);
    expect(before.length).toBe(tiny.vocabulary);
    store.dispose();
    file.close();
  });
});
