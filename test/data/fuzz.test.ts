import { describe, expect, test } from 'vitest';
import {
  readGguf,
  readIdx,
  readNpz,
  readSafetensors,
  writeGguf,
  writeIdx,
  writeNpz,
  writeSafetensors,
} from '../../src/data/index.js';
import { inference, MLP } from '../../src/nn/index.js';
import { quantizeBlocks } from '../../src/quantized/index.js';
import { Random, scope } from '../../src/tensor/index.js';
import { exportOnnx, importOnnx } from '../../src/trace/index.js';
import { uniform, uniformTensor } from '../oracle.js';

/** Mutated files that each parser sees; continuous integration asks for 100,000. */
const RUNS = Number(process.env.FUZZ ?? 5000);

/** Flips, overwrites, deletes, repeats or cuts a few bytes. */
function mutated(file: Uint8Array, random: Random): Uint8Array {
  let bytes = file.slice();
  for (let i = 1 + random.integer(4); i > 0 && bytes.length > 0; i--) {
    const at = random.float() < 0.7 ? random.integer(Math.min(bytes.length, 200)) : random.integer(bytes.length);
    switch (random.integer(6)) {
      case 0:
        bytes[at] = (bytes[at] as number) ^ (1 << random.integer(8));
        break;
      case 1:
        bytes[at] = [0, 1, 127, 128, 255][random.integer(5)] as number;
        break;
      case 2:
        bytes = bytes.slice(0, at);
        break;
      case 3:
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + random.integer(8))]);
        break;
      case 4:
        bytes = Uint8Array.from([
          ...bytes.subarray(0, at),
          ...bytes.subarray(Math.max(0, at - 8)),
          ...bytes.subarray(at),
        ]);
        break;
      default:
        for (let j = at; j < Math.min(bytes.length, at + 8); j++) bytes[j] = random.integer(256);
    }
  }
  return bytes;
}

const net = new MLP([4, 5, 3], new Random(1));
const gguf = writeGguf({ 'general.name': ['string', 'x'], list: ['strings', ['a', 'b']] }, [
  { name: 'w', shape: [2, 32], type: 'Q8_0', bytes: quantizeBlocks(uniform(1, 64), 'Q8_0') },
]);
const parsers: readonly [string, Uint8Array, (bytes: Uint8Array) => unknown][] = [
  ['readIdx', writeIdx({ shape: [3, 4, 4], values: new Uint8Array(48) }), (bytes) => readIdx(bytes)],
  [
    'readNpz',
    writeNpz({ a: { shape: [2, 3], values: new Float32Array(6) }, b: { shape: [4], values: new Int32Array(4) } }),
    (bytes) => readNpz(bytes),
  ],
  [
    'readSafetensors',
    writeSafetensors({ a: uniformTensor(1, [2, 3]), b: uniformTensor(2, [4]) }, { note: 'x' }),
    (bytes) => readSafetensors(bytes),
  ],
  [
    'readGguf',
    gguf,
    (bytes) => {
      const file = readGguf(bytes);
      for (const name of file.tensors.keys()) file.tensor(name);
    },
  ],
  [
    'importOnnx',
    exportOnnx((x) => net.forward(x, inference), [uniformTensor(1, [2, 4])]),
    (bytes) => importOnnx(bytes),
  ],
];

describe('mutated files give a clear error or a result, never a crash or a hang', () => {
  test.each(parsers)(
    '%s',
    (name, file, parse) => {
      const random = new Random(7);
      const seen = { results: 0, errors: 0 };
      for (let run = 0; run < RUNS; run++) {
        const bytes = mutated(file, random);
        const start = performance.now();
        try {
          scope(() => void parse(bytes));
          seen.results += 1;
        } catch (error) {
          // Errors of our own name the reader; those of the language do not.
          expect((error as Error).message).toMatch(new RegExp(`^(${name}|readNpy|tensor|out of memory)`));
          seen.errors += 1;
        }
        expect(performance.now() - start).toBeLessThan(2000);
      }
      expect(seen.errors).toBeGreaterThan(0);
    },
    3_600_000,
  );
});
