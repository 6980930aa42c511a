// Small files that would become large: each is refused before it does.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { unpacked } from '../../src/data/files.js';
import { gunzip, unzip } from '../../src/data/formats/inflate.js';
import { readParquet } from '../../src/data/formats/parquet.js';
import { decodePicture, readIdx, readNpz, readPickle, writeNpz } from '../../src/data/index.js';
import { loadEdges, loadTable } from '../../src/data/node.js';

const MIB = 2 ** 20;
const folder = mkdtempSync(join(tmpdir(), 'gossamer-bombs-'));
const file = (name: string, content: Uint8Array) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

/** A gzip file of so many members of 32 MiB of one byte each. */
function zipped(members: number, byte = 0): Uint8Array {
  const member = gzipSync(new Uint8Array(32 * MIB).fill(byte));
  return Buffer.concat(new Array<Uint8Array>(members).fill(member));
}

interface Entry {
  readonly name: string;
  readonly size: number;
  readonly stored: Uint8Array;
  /** Where the file is said to begin. */
  readonly position: number;
}

/** A zip archive of deflated files whose directory says what it is told to. */
function archive(entries: readonly Entry[]): Uint8Array {
  const local = (content: Uint8Array) => {
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    return Buffer.concat([header, content]);
  };
  const stored = Buffer.concat([...new Set(entries.map((entry) => entry.stored))].map(local));
  const directory = Buffer.concat(
    entries.map((entry) => {
      const record = Buffer.alloc(46);
      record.writeUInt32LE(0x02014b50, 0);
      record.writeUInt16LE(8, 10);
      record.writeUInt32LE(entry.stored.length, 20);
      record.writeUInt32LE(entry.size, 24);
      record.writeUInt16LE(entry.name.length, 28);
      record.writeUInt32LE(entry.position, 42);
      return Buffer.concat([record, Buffer.from(entry.name)]);
    }),
  );
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(stored.length, 16);
  return Buffer.concat([stored, directory, end]);
}

describe('gzip', () => {
  test('what inflates a thousandfold is refused, unless asked for', () => {
    const bomb = zipped(20);
    expect(() => unpacked(bomb, 'b.gz')).toThrow(
      /"b.gz" cannot be decompressed: it would inflate to more than \d+ bytes/,
    );
    expect(() => readIdx(bomb, 'b.gz')).toThrow('maxBytes allows more');
    expect(gunzip(zipped(1), { maxBytes: 40 * MIB })).toHaveLength(32 * MIB);
    expect(() => gunzip(zipped(1), { maxBytes: 20 * MIB })).toThrow('more than 20971520 bytes');
  });

  test('tables and edge lists too, which are read in pieces', async () => {
    const bomb = file('bomb.csv.gz', zipped(10, 10));
    await expect(loadTable(bomb)).rejects.toThrow('maxBytes allows more');
    await expect(loadEdges(bomb)).rejects.toThrow('maxBytes allows more');
    const edges = file('edges.csv.gz', gzipSync(`1,2\n${'\n'.repeat(20 * MIB)}`));
    await expect(loadEdges(edges)).rejects.toThrow('maxBytes allows more');
    expect((await loadEdges(edges, { maxBytes: 50 * MIB })).sources).toHaveLength(1);
  });

  test('damage and missing ends are found by the checksum, in every member', () => {
    const whole = Buffer.concat([gzipSync('first,'), gzipSync('second')]);
    expect(new TextDecoder().decode(gunzip(whole))).toBe('first,second');
    for (let at = 0; at < whole.length; at++) {
      const damaged = Uint8Array.from(whole);
      damaged[at] = (damaged[at] as number) ^ 16;
      let text: string | undefined;
      try {
        text = new TextDecoder().decode(gunzip(damaged));
      } catch {
        continue;
      }
      expect(text).toBe('first,second');
    }
    expect(() => gunzip(whole.subarray(0, whole.length - 3))).toThrow();
  });
});

describe('zip', () => {
  const zeros = deflateRawSync(new Uint8Array(32 * MIB));

  test('all files of an archive count together, also where they are the same bytes', () => {
    const overlapping = Array.from({ length: 50 }, (_, i) => ({
      ...{ name: `${i}.npy`, size: 32 * MIB, stored: zeros, position: 0 },
    }));
    expect(() => readNpz(archive(overlapping), 'b.npz')).toThrow(/"b.npz".*would inflate to more than/);
  });

  test('a file that holds more or less than the directory says is refused', () => {
    for (const size of [1000, 33 * MIB])
      expect(() => unzip(archive([{ name: 'a', size, stored: zeros, position: 0 }]))).toThrow(`declares ${size} bytes`);
    expect(() => unzip(archive([{ name: 'a', size: 1, stored: zeros, position: 7 }]))).toThrow('does not begin at');
  });

  test('damage is found by the checksum', () => {
    const good = writeNpz({ a: { shape: [3], values: Float32Array.of(1, 2, 3) } });
    const damaged = good.slice();
    const at = 30 + 'a.npy'.length + 20;
    damaged[at] = (damaged[at] as number) ^ 1;
    expect(() => readNpz(damaged)).toThrow();
  });
});

test('pictures of too many pixels', async () => {
  const header = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
  // Width and height 60,000, 8-bit grey, with its checksum, then an empty block of data.
  const size = Buffer.from('0000ea600000ea600800000000a5b92a9e', 'hex');
  const { default: sharp } = await import('sharp');
  const large = await sharp({ create: { width: 9000, height: 9000, channels: 3, background: 'red' } })
    .png({ compressionLevel: 1 })
    .toBuffer();
  await expect(decodePicture(large)).rejects.toThrow('more than 67108864 pixels; maxPixels allows more');
  await expect(decodePicture(Buffer.concat([header, size]))).rejects.toThrow('decodePicture');
  const small = await sharp({ create: { width: 30, height: 30, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  await expect(decodePicture(small, { maxPixels: 899 })).rejects.toThrow('more than 899 pixels');
  expect((await decodePicture(small, { maxPixels: 900 })).width).toBe(30);
});

describe('pickles', () => {
  const pickle = (...parts: readonly string[]) => Uint8Array.from(parts.join(''), (c) => c.charCodeAt(0));
  test('lists of lists that the memo repeats stay shared', () => {
    // l0 = []; l(i + 1) = [l(i), l(i), …ten times]: 10³⁰ leaves.
    const levels = Array.from(
      { length: 30 },
      (_, i) => `](${`h${String.fromCharCode(i)}`.repeat(10)}eq${String.fromCharCode(i + 1)}`,
    );
    const value = readPickle(pickle('\x80\x02', ']q\x00', ...levels, '.')) as unknown[][];
    expect(value[0]).toBe(value[9]);
    expect(() => readPickle(pickle('\x80\x02]q\x00h\x00a.'))).toThrow('contains itself');
    expect(() => readPickle(pickle('\x80\x02', ']'.repeat(900), 'a'.repeat(899), '.'))).toThrow('more than 500 deep');
  });

  test('copies of remembered values are counted', () => {
    const text = 'x'.repeat(2 ** 16);
    const copy = 'h\x00h\x01\x85R0';
    const bomb = pickle(
      '\x80\x02',
      'c_codecs\nencode\nq\x00',
      'X\x00\x00\x01\x00',
      text,
      'q\x01',
      copy.repeat(5000),
      'N.',
    );
    expect(() => readPickle(bomb, 'b.pickle')).toThrow('"b.pickle" would copy its values to more than');
  });

  test('integers that do not fit, and arrays of another size than their shape, are refused', () => {
    expect(readPickle(pickle('\x80\x02\x8a\x07\xff\xff\xff\xff\xff\xff\x1f.'))).toBe(2 ** 53 - 1);
    expect(() => readPickle(pickle('\x80\x02\x8a\x07\x00\x00\x00\x00\x00\x00\x20.'))).toThrow('exceeds 53 bits');
    expect(() => readPickle(pickle('L9007199254740993L\n.'))).toThrow('no integer of at most 53 bits');
    const array = (type: string, data: string, length: string) =>
      pickle(
        '\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R',
        `(K\x01K${length}\x85cnumpy\ndtype\nU\x02${type}K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89`,
        `U${String.fromCharCode(data.length)}${data}c_codecs\nencode\nq\x010`,
        'tb.',
      );
    expect(() => readPickle(array('i2', 'abcd', '\x03'))).toThrow();
  });
});

describe('Parquet', () => {
  /** Structures of Thrift's compact protocol: fields of integers, bytes, structures or lists. */
  type Field = number | string | Fields | readonly Field[];
  interface Fields {
    readonly [field: number]: Field;
  }
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
  const struct = (fields: Fields, integer = 6): number[] => {
    let before = 0;
    const bytes = Object.entries(fields).flatMap(([key, value]) => {
      const delta = (Number(key) - before) * 16;
      before = Number(key);
      return [delta + kindOf(value, integer), ...element(value, integer)];
    });
    return [...bytes, 0];
  };
  const kindOf = (value: Field, integer: number) =>
    typeof value === 'number' ? integer : typeof value === 'string' ? 8 : Array.isArray(value) ? 9 : 12;
  const element = (value: Field, integer: number): number[] => {
    if (typeof value === 'number') return varint(2 * value);
    if (typeof value === 'string') return [value.length, ...Buffer.from(value)];
    if (Array.isArray(value))
      return [value.length * 16 + kindOf(value[0], integer), ...value.flatMap((item) => element(item, integer))];
    return struct(value as Fields, integer);
  };
  /** A file of one column of integers with one page, whose header says what it is told to. */
  function parquet(
    rows: number,
    page: { values: number; encoding: number; size?: number; codec?: number },
    content: readonly number[],
  ) {
    const { values, encoding, size = content.length, codec = 0 } = page;
    const header = struct({ 1: 0, 2: size, 3: content.length, 5: { 1: values, 2: encoding, 3: 3, 4: 3 } }, 5);
    const length = header.length + content.length;
    const meta = { 1: 1, 2: [0], 3: ['x'], 4: codec, 5: values, 6: length, 7: length, 9: 4 };
    const footer = struct({
      1: 1,
      2: [
        { 4: 'root', 5: 1 },
        { 1: 1, 3: 0, 4: 'x' },
      ],
      3: rows,
      4: [{ 1: [{ 2: 4, 3: meta }], 2: length, 3: rows }],
    });
    const magic = Buffer.from('PAR1');
    const size32 = Buffer.alloc(4);
    size32.writeUInt32LE(footer.length);
    return new Uint8Array(Buffer.concat([magic, Buffer.from([...header, ...content, ...footer]), size32, magic]));
  }
  const dictionary = 8;

  test('rows, runs and pages beyond the file are refused', async () => {
    await expect(
      readParquet(
        parquet(2 ** 31 - 1, { values: 2 ** 31 - 1, encoding: dictionary }, [1, 254, 255, 255, 255, 15, 0]),
        'b',
      ),
    ).rejects.toThrow('"b" cannot be read as Parquet: it declares 2147483647 rows of 1 columns');
    await expect(
      readParquet(parquet(10, { values: 10, encoding: dictionary }, [1, 254, 255, 255, 255, 7, 0]), 'b'),
    ).rejects.toThrow('has a run of 1073741823 values in a page of 10');
    await expect(readParquet(parquet(10, { values: 2 ** 31 - 1, encoding: 0 }, [0]), 'b')).rejects.toThrow(
      'more values',
    );
    await expect(
      readParquet(parquet(10, { values: 10, encoding: 0, size: 2 ** 30, codec: 1 }, [0]), 'b'),
    ).rejects.toThrow('would inflate to more than');
    await expect(readParquet(parquet(10, { values: 10, encoding: dictionary }, [1, 20, 0]), 'b')).rejects.toThrow(
      'refers to entry 0 of a dictionary of 0',
    );
  });

  test('the files that are built here are such as hyparquet reads', async () => {
    const plain = parquet(2, { values: 2, encoding: 0 }, [7, 0, 0, 0, 8, 0, 0, 0]);
    expect(await readParquet(plain, 'a')).toEqual({ columns: ['x'], rows: [['7'], ['8']] });
    await expect(readParquet(plain, 'a', { maxBytes: 16 })).rejects.toThrow('maxBytes allows more');
  });
});
