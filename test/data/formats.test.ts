import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type NamedArray,
  readCsv,
  readNpy,
  readNpz,
  readSafetensors,
  toInts,
  writeCsv,
  writeNpy,
  writeNpz,
  writeSafetensors,
} from '../../src/data/index.js';
import { readBytes, readJson, writeFileAtomic } from '../../src/data/node.js';
import { scope, tensor } from '../../src/tensor/index.js';

const folder = mkdtempSync(join(tmpdir(), 'gossamer-data-'));
const arrays: Record<string, NamedArray> = {
  floats: { shape: [2, 3], values: Float32Array.of(1, -2.5, 3, 4, 5, 6) },
  doubles: { shape: [2], values: Float64Array.of(1e300, -1) },
  ints: { shape: [3], values: Int32Array.of(-7, 0, 2 ** 31 - 1) },
  bytes: { shape: [2, 2], values: Uint8Array.of(0, 1, 254, 255) },
  signed: { shape: [1], values: Int8Array.of(-128) },
  scalar: { shape: [], values: Float32Array.of(4) },
};

/** The system's Python with NumPy, where there is one. */
const python = ['/usr/bin/python3', 'python3'].find(
  (command) => spawnSync(command, ['-c', 'import numpy']).status === 0,
);

describe('npy and npz', () => {
  test('arrays survive a round trip', () => {
    for (const array of Object.values(arrays)) expect(readNpy(writeNpy(array))).toEqual(array);
    expect(readNpz(writeNpz(arrays))).toEqual(arrays);
  });

  test.skipIf(!python)('NumPy reads what we write and we read what NumPy writes (needs Python with NumPy)', () => {
    const file = join(folder, 'ours.npz');
    writeFileSync(file, writeNpz(arrays));
    const code = `import numpy as np, sys
a = np.load(sys.argv[1])
assert a['floats'].tolist() == [[1,-2.5,3],[4,5,6]] and a['ints'].dtype == np.int32 and a['scalar'].shape == () and a['signed'][0] == -128
np.savez(sys.argv[2], long=np.array([[1,-2]]), half=np.arange(3, dtype='u2'), flag=np.array([True, False]))`;
    const result = spawnSync(python as string, ['-c', code, file, join(folder, 'theirs.npz')], { encoding: 'utf8' });
    expect(result.stderr).toBe('');
    const theirs = readNpz(readBytes(join(folder, 'theirs.npz')));
    expect(theirs.long).toEqual({ shape: [1, 2], values: Int32Array.of(1, -2) });
    expect(theirs.half?.values).toEqual(Uint16Array.of(0, 1, 2));
    expect(theirs.flag?.values).toEqual(Uint8Array.of(1, 0));
  });

  test('broken files are refused with a reason', () => {
    const good = writeNpy(arrays.floats as NamedArray);
    expect(() => readNpy(good.subarray(0, good.length - 4), 'x.npy')).toThrow(
      'readNpy: "x.npy" declares shape [2, 3] (24 bytes) but holds 20',
    );
    expect(() => readNpy(new Uint8Array(20), 'x.npy')).toThrow('is not a .npy file');
    expect(() => readNpy(good.subarray(0, 30))).toThrow('truncated in its header');
    expect(() => readNpz(new Uint8Array(50), 'x.npz')).toThrow('readNpz: "x.npz" is not a readable zip archive');
    expect(() => toInts({ shape: [2], values: Float32Array.of(1, 1.5) }, 'labels')).toThrow(
      'labels: expected integers, element 1 is 1.5',
    );
  });
});

describe('safetensors', () => {
  const tensors = {
    'layers.0.weight': tensor([
      [1, 2],
      [3, 4],
    ]),
    ids: tensor(Int32Array.of(5, -6)),
    raw: tensor(Uint8Array.of(7, 8, 9)),
  };

  test('tensors and metadata survive a round trip', () => {
    const { tensors: read, metadata } = readSafetensors(writeSafetensors(tensors, { note: 'ü' }));
    expect(metadata).toEqual({ note: 'ü' });
    for (const [name, original] of Object.entries(tensors)) {
      expect(read[name]?.shape).toEqual(original.shape);
      expect(read[name]?.dataSync()).toEqual(original.dataSync());
    }
  });

  test('half and bfloat16 values become f32', () => {
    const header = JSON.stringify({
      h: { dtype: 'F16', shape: [4], data_offsets: [0, 8] },
      b: { dtype: 'BF16', shape: [2], data_offsets: [8, 12] },
    });
    const file = new Uint8Array(8 + header.length + 12);
    new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
    file.set(new TextEncoder().encode(header), 8);
    file.set(new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00, 0x3f80, 0xc049).buffer), 8 + header.length);
    const { tensors: read } = readSafetensors(file);
    expect([...(read.h?.view() ?? [])]).toEqual([1, -2, 2 ** -24, Infinity]);
    expect([...(read.b?.view() ?? [])]).toEqual([1, -3.140625]);
  });

  test('damaged files give a clear error or a correct result, never anything else', () => {
    const good = writeSafetensors(tensors);
    expect(() => readSafetensors(good.subarray(0, good.length - 1), 'm')).toThrow(
      /"m" declares 3 bytes for tensor "raw" \[3\] but holds 2/,
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.nat(good.length),
        (edits, cut) => {
          const bad = good.slice(0, good.length - (cut % 7));
          for (const [at, value] of edits) bad[at % bad.length] = value;
          scope(() => {
            try {
              readSafetensors(bad);
            } catch (error) {
              expect((error as Error).message).toMatch(/^readSafetensors: /);
            }
          });
        },
      ),
      { numRuns: 3000 },
    );
  });
});

test('tables: separators, quotes, ragged lines', () => {
  expect(readCsv('a,b\n1,"x, y"\n')).toEqual({ columns: ['a', 'b'], rows: [['1', 'x, y']] });
  expect(readCsv('a\tb\n1\t2')).toEqual({ columns: ['a', 'b'], rows: [['1', '2']] });
  expect(() => readCsv('a,b\n1,2\n3\n', 'f.csv')).toThrow('readCsv: "f.csv" line 3 has 1 fields, the header 2');
  expect(() => readCsv('', 'f.csv')).toThrow('readCsv: "f.csv" is empty');
  expect(
    readCsv(
      writeCsv(
        ['n', 't'],
        [
          [1, 'a,b'],
          [2, 'c'],
        ],
      ),
    ).rows,
  ).toEqual([
    ['1', 'a,b'],
    ['2', 'c'],
  ]);
});

test('files are written whole or not at all', () => {
  const path = join(folder, 'sub', 'file.txt');
  writeFileAtomic(path, 'one');
  writeFileAtomic(path, 'two');
  expect(new TextDecoder().decode(readBytes(path))).toBe('two');
  expect(readdirSync(join(folder, 'sub'))).toEqual(['file.txt']);
  expect(() => readBytes(join(folder, 'nope'))).toThrow(/^file ".*nope" does not exist$/);
  expect(() => readJson(path)).toThrow(/is not JSON/);
});
