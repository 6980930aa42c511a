import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
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

  test('running out names the size asked for and what is in use', () => {
    const heap = smallHeap(16);
    heap.allocate(65536);
    expect(() => heap.allocate(2 ** 21)).toThrow(
      'out of memory: 2 MiB asked for, 0.063 MiB in use in 1 buffers, limit 1 MiB',
    );
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
