import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BufferStore, type HeapBuffer } from '../../src/engine/buffers.js';
import { memoryUse, withOwnPeak } from '../../src/engine/index.js';
import { Heap, RESERVED_BYTES, sizeClass } from '../../src/engine/memory.js';
import { Adam, crossEntropy, MLP, parameters, training, withWeights } from '../../src/nn/index.js';
import { Random, scope, type Tensor, tensor, valueAndGrad, zeros } from '../../src/tensor/index.js';
import { uniformTensor } from '../oracle.js';

function smallHeap(pages: number): Heap {
  return new Heap(new WebAssembly.Memory({ initial: 2, maximum: pages, shared: true }), pages * 65536);
}

describe('Heap', () => {
  test('blocks are aligned, apart, and inside memory, whatever is asked and given back', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 40_000 }), fc.nat(20)), { maxLength: 120 }),
        (requests) => {
          const heap = smallHeap(64);
          const live: { address: number; bytes: number }[] = [];
          for (const [bytes, release] of requests) {
            const freed = live[release];
            if (freed) {
              live.splice(release, 1);
              heap.release(freed.address, freed.bytes);
            }
            const address = heap.allocate(bytes);
            expect(address % 64).toBe(0);
            expect(address).toBeGreaterThanOrEqual(RESERVED_BYTES);
            expect(address + bytes).toBeLessThanOrEqual(heap.memory.buffer.byteLength);
            for (const other of live)
              expect(address + bytes <= other.address || other.address + other.bytes <= address).toBe(true);
            live.push({ address, bytes });
          }
          expect(heap.buffersInUse).toBe(live.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('size classes waste at most a quarter', () => {
    for (let bytes = 1; bytes < 100_000; bytes += 37) {
      expect(sizeClass(bytes)).toBeGreaterThanOrEqual(bytes);
      if (bytes > 256) expect(sizeClass(bytes)).toBeLessThanOrEqual(bytes * 1.25);
      expect(sizeClass(sizeClass(bytes))).toBe(sizeClass(bytes));
    }
  });

  test('freed neighbours are merged when memory runs out', () => {
    const heap = smallHeap(16);
    const small = Array.from({ length: 14 }, () => heap.allocate(65536));
    for (const address of small) heap.release(address, 65536);
    expect(heap.allocate(14 * 65536)).toBe(RESERVED_BYTES);
  });

  test('steps of varying sizes reuse what earlier ones freed before memory grows', () => {
    const heap = smallHeap(16_384);
    // Steps of 8 blocks, all of one size: 1 MiB to 32 MiB in all, of 24 classes.
    for (let step = 0; step < 200; step++) {
      const size = Math.round(2 ** (17 + (step % 24) / 4.8));
      const blocks = Array.from({ length: 8 }, () => heap.allocate(size));
      for (const address of blocks) heap.release(address, size);
    }
    expect(heap.memory.buffer.byteLength).toBeLessThan(2.5 * heap.peakBytes);
  });

  test('running out names the size asked for and what is in use', () => {
    const heap = smallHeap(16);
    heap.allocate(65536);
    expect(() => heap.allocate(2 ** 21)).toThrow(
      'out of memory: 2 MiB asked for, 0.063 MiB in use in 1 buffers, limit 1 MiB; run each step of a loop in scope(() => …)',
    );
  });

  test('what is no whole number of bytes is refused and changes nothing', () => {
    const heap = smallHeap(16);
    for (const bytes of [Number.NaN, -1, 1.5, undefined, '64'])
      expect(() => heap.allocate(bytes as number)).toThrow(`allocate: expected a whole number of bytes, got ${bytes}`);
    for (const bytes of [Number.POSITIVE_INFINITY, 2 ** 60])
      expect(() => heap.allocate(bytes)).toThrow('out of memory');
    expect([heap.bytesInUse, heap.buffersInUse]).toEqual([0, 0]);
    expect(heap.allocate(64)).toBe(RESERVED_BYTES);
  });
});

describe('BufferStore', () => {
  const bytes = 16384;
  const write = (store: BufferStore, buffer: HeapBuffer, value: number) =>
    new Uint8Array(store.heap.memory.buffer, buffer.address, bytes).fill(value);
  const read = (store: BufferStore, buffer: HeapBuffer) =>
    new Uint8Array(store.heap.memory.buffer, buffer.address, bytes);

  test('a loop that never lets the event loop turn can allocate without end, and loses nothing', () => {
    const store = new BufferStore(smallHeap(64));
    const living: HeapBuffer[] = [];
    for (let step = 0; step < 10_000; step++) {
      const buffer = store.allocate(bytes);
      store.watch(buffer);
      write(store, buffer, step % 251);
      if (step % 97 === 0) living.push(buffer);
    }
    for (const [i, buffer] of living.entries()) {
      const contents = read(store, buffer);
      expect([contents[0], contents[bytes - 1]]).toEqual([(i * 97) % 251, (i * 97) % 251]);
    }
    expect(store.heap.bytesInUse).toBeLessThanOrEqual(64 * 65536);
  });

  test('a block of which a live view was given out stays where it is', () => {
    const store = new BufferStore(smallHeap(64));
    const fillers = Array.from({ length: 150 }, () => store.allocate(bytes));
    const viewed = store.allocate(bytes);
    store.watch(viewed);
    viewed.viewed = true;
    const { address } = viewed;
    for (let step = 0; step < 500; step++) store.watch(store.allocate(bytes));
    expect(viewed.address).toBe(address);
    expect(fillers.length).toBe(150);
  });

  test('what scopes own does not move out: then memory runs out', () => {
    const store = new BufferStore(smallHeap(16));
    expect(() => {
      for (let step = 0; step < 1000; step++) store.allocate(bytes);
    }).toThrow('scope(() => …)');
  });

  test('a buffer that was freed has no address', () => {
    const store = new BufferStore(smallHeap(16));
    const buffer = store.allocate(bytes);
    store.watch(buffer);
    store.free(buffer);
    expect(() => buffer.address).toThrow('used after it was freed');
    expect(store.heap.bytesInUse).toBe(0);
  });
});

test('asking for more than there is leaves everything usable', () => {
  expect(() => zeros([70_000, 70_000])).toThrow(/^out of memory: 18692 MiB asked for/);
  expect(zeros([2]).add(1).view()).toEqual(Float32Array.of(1, 1));
});

test('10,000 training steps leave memory flat', () => {
  const random = new Random(1);
  const model = new MLP([6, 8, 3], random, { norm: 'batch', dropout: 0.2 });
  const x = uniformTensor(1, [10, 6]);
  const labels = tensor(Int32Array.from({ length: 10 }, (_, i) => i % 3));
  const optimizer = new Adam();
  const step = (number: number) =>
    scope(() => {
      const weights = parameters(model);
      const mode = training(random.split(number));
      const { gradient } = valueAndGrad((w: Record<string, Tensor>) =>
        withWeights(model, w, (m) => crossEntropy(m.forward(x, mode), labels)),
      )(weights);
      optimizer.update(weights, gradient);
    });
  for (let i = 0; i < 10; i++) step(i);
  const before = memoryUse();
  for (let i = 10; i < 10_010; i++) step(i);
  expect(memoryUse().buffers).toBe(before.buffers);
  expect(memoryUse().bytes).toBe(before.bytes);
  expect(memoryUse().peakBytes).toBe(before.peakBytes);
});

test('the peak of a piece of work is its own; the peak so far stays', async () => {
  scope(() => zeros([4 << 20]).view());
  const { peakBytes: sofar, bytes } = memoryUse();
  const { result, peakBytes } = await withOwnPeak(() =>
    scope(() =>
      zeros([1 << 18])
        .add(1)
        .sum()
        .item(),
    ),
  );
  expect(result).toBe(1 << 18);
  expect(peakBytes - bytes).toBeGreaterThanOrEqual(2 ** 20);
  expect(peakBytes - bytes).toBeLessThan(4 * 2 ** 20);
  expect(memoryUse().peakBytes).toBe(sofar);
});

test.each([
  ['shared memory', ''],
  ['a runtime that hides SharedArrayBuffer', 'delete globalThis.SharedArrayBuffer;'],
  [
    'a runtime without shared memory',
    `const { Memory } = WebAssembly;
     WebAssembly.Memory = function (options) { if (options.shared) throw new TypeError('shared'); return new Memory(options); };
     delete globalThis.SharedArrayBuffer;`,
  ],
])('a view stays valid while memory grows, with %s', (_, setting) => {
  const dist = pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href;
  const code = `${setting} const g = await import('${dist}');
    const t = g.keep(g.tensor([1, 2, 3])), view = t.view();
    const more = g.zeros([20_000_000]).add(1);
    view[1] = 7;
    console.log([...view].join(), [...t.dataSync()].join(), more.dataSync()[5]);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  expect(stdout.trim(), stderr).toBe('1,7,3 1,7,3 1');
});

test.each(['', 'await null;', 'await y.data();', 'await new Promise(setImmediate);'])(
  'a loop without a scope makes more tensors than fit, with "%s" in each step',
  (wait) => {
    const dist = pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href;
    const code = `const g = await import('${dist}'); g.setThreads(1);
    const a = g.ones([1 << 18]); let y;
    for (let i = 0; i < 1000; i++) { y = a.add(i); ${wait} }
    console.log(y.dataSync()[9], a.dataSync()[9]);`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      encoding: 'utf8',
      env: { ...process.env, GOSSAMER_MEMORY_MIB: '64' },
    });
    expect(stdout.trim(), stderr).toBe('1000 1');
  },
);
