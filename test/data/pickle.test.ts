import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PickledObject, readPickle } from '../../src/data/index.js';
import pickles from '../fixtures/pickles.json' with { type: 'json' };

const bytesOf = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** The same dictionary written by Python with each protocol: see the keys below. */
test.each(Object.entries(pickles))('protocol %s: values, arrays and objects', (_protocol, text) => {
  const read = readPickle(bytesOf(text)) as ReadonlyMap<string, unknown>;
  expect(read.get('list')).toEqual([1, -2, 300, 70000, -5_000_000_000, 1.5, true, null, 'ü']);
  expect(read.get('tuple')).toEqual([1, [2, 3]]);
  expect(read.get('set')).toEqual(new Set([4, 5]));
  expect(read.get('array')).toEqual({ shape: [2, 3], values: Float32Array.of(0, 1, 2, 3, 4, 5) });
  expect(read.get('long')).toEqual({ shape: [2], values: Int32Array.of(7, -8) });
  expect(read.get('scalar')).toBe(2.5);
  expect(read.get('bytes')).toEqual(Uint8Array.of(0, 255));
  const { className, fields } = read.get('csr') as PickledObject;
  expect(className).toMatch(/csr_matrix$/);
  expect(fields.get('_shape')).toEqual([2, 3]);
  expect(fields.get('indices')).toEqual({ shape: [3], values: Int32Array.of(1, 0, 2) });
  expect(fields.get('data')).toEqual({ shape: [3], values: Float32Array.of(1, 2, 3) });
});

test('functions are refused, never called', () => {
  const command = new TextEncoder().encode("cos\nsystem\n(S'true'\ntR.");
  expect(() => readPickle(command, 'evil')).toThrow('readPickle: "evil" calls os.system, which is not allowed');
});

test('damaged pickles give a clear error or some value, never anything else', () => {
  const good = bytesOf(pickles['4']);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }),
      fc.nat(good.length - 1),
      (edits, cut) => {
        const bad = good.slice(0, good.length - (cut % 40));
        for (const [at, value] of edits) bad[at % bad.length] = value;
        try {
          readPickle(bad);
        } catch (error) {
          expect((error as Error).message).toMatch(/^readPickle: /);
        }
      },
    ),
    { numRuns: 3000 },
  );
});
