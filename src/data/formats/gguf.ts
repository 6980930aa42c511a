// GGUF, the file format of llama.cpp (versions 2 and 3): metadata, then tensors in whole or in quantised blocks.

import {
  BLOCK,
  type BlockFormat,
  BlockMatrix,
  halfToFloat,
  scaleAndMinimum,
  type UnpackedFormat,
  unpackBlocks,
  unpackedFormats,
} from '../../quantized/index.js';
import { type Tensor, tensor } from '../../tensor/index.js';

export type GgufValue = number | bigint | boolean | string | readonly GgufValue[];

export interface GgufTensorInfo {
  readonly name: string;
  /** Row-major as here: GGUF lists the fastest axis first. */
  readonly shape: readonly number[];
  readonly type: string;
  /** From the start of the data. */
  readonly offset: number;
  readonly bytes: number;
}

interface GgmlType {
  readonly name: string;
  /** Values and bytes of a block. */
  readonly values: number;
  readonly bytes: number;
  readonly decode: (view: DataView, at: number, out: Float32Array, to: number) => void;
}

const half = (view: DataView, at: number) => halfToFloat(view.getUint16(at, true));

/** Q4_K and Q5_K: eight sub-blocks of 32 with 6-bit scales and minima; the fifth bits lie in 32 bytes before the nibbles. */
function decodeK(fifth: boolean) {
  return (view: DataView, at: number, out: Float32Array, to: number) => {
    const [d, dmin] = [half(view, at), half(view, at + 2)];
    const high = at + 16;
    const low = high + (fifth ? 32 : 0);
    for (let j = 0; j < 8; j++) {
      const [scale, minimum] = scaleAndMinimum((i) => view.getUint8(at + 4 + i), j);
      for (let i = 0; i < 32; i++) {
        const byte = view.getUint8(low + (j >> 1) * 32 + i);
        const bit = fifth ? ((view.getUint8(high + i) >> j) & 1) << 4 : 0;
        out[to + j * 32 + i] = d * scale * ((j & 1 ? byte >> 4 : byte & 15) + bit) - dmin * minimum;
      }
    }
  };
}

/** Q4_0, Q4_1, Q5_0, Q5_1: 32 nibbles, maybe fifth bits, maybe a minimum. */
function decodeNibbles(fifth: boolean, minimum: boolean) {
  return (view: DataView, at: number, out: Float32Array, to: number) => {
    const d = half(view, at);
    const m = minimum ? half(view, at + 2) : 0;
    const bits = at + (minimum ? 4 : 2);
    const high = fifth ? view.getUint32(bits, true) : 0;
    const low = bits + (fifth ? 4 : 0);
    const middle = minimum ? 0 : fifth ? 16 : 8;
    for (let j = 0; j < 32; j++) {
      const byte = view.getUint8(low + (j & 15));
      const q = (j < 16 ? byte & 15 : byte >> 4) + (((high >>> j) & 1) << 4);
      out[to + j] = (q - middle) * d + m;
    }
  };
}

const plain = (bytes: number, read: (view: DataView, at: number) => number) => ({
  values: 1,
  bytes,
  decode: (view: DataView, at: number, out: Float32Array, to: number) => {
    out[to] = read(view, at);
  },
});

const bfloat = new Float32Array(1);
const bfloatBits = new Uint32Array(bfloat.buffer);

const types: Readonly<Record<number, GgmlType>> = {
  0: { name: 'F32', ...plain(4, (view, at) => view.getFloat32(at, true)) },
  1: { name: 'F16', ...plain(2, half) },
  2: { name: 'Q4_0', values: 32, bytes: 18, decode: decodeNibbles(false, false) },
  3: { name: 'Q4_1', values: 32, bytes: 20, decode: decodeNibbles(false, true) },
  6: { name: 'Q5_0', values: 32, bytes: 22, decode: decodeNibbles(true, false) },
  7: { name: 'Q5_1', values: 32, bytes: 24, decode: decodeNibbles(true, true) },
  8: {
    name: 'Q8_0',
    values: 32,
    bytes: 34,
    decode: (view, at, out, to) => {
      const d = half(view, at);
      for (let j = 0; j < 32; j++) out[to + j] = d * view.getInt8(at + 2 + j);
    },
  },
  12: { name: 'Q4_K', values: 256, bytes: 144, decode: decodeK(false) },
  13: { name: 'Q5_K', values: 256, bytes: 176, decode: decodeK(true) },
  14: {
    name: 'Q6_K',
    values: 256,
    bytes: 210,
    decode: (view, at, out, to) => {
      const d = half(view, at + 208);
      for (let i = 0; i < 256; i++) {
        const [part, l] = [i >> 7, i & 31];
        const quarter = (i & 127) >> 5;
        const low = view.getUint8(at + part * 64 + l + (quarter & 1 ? 32 : 0));
        const high = view.getUint8(at + 128 + part * 32 + l);
        const q = ((quarter < 2 ? low & 15 : low >> 4) | (((high >> (2 * quarter)) & 3) << 4)) - 32;
        out[to + i] = d * view.getInt8(at + 192 + part * 8 + (l >> 4) + 2 * quarter) * q;
      }
    },
  },
  24: { name: 'I8', ...plain(1, (view, at) => view.getInt8(at)) },
  26: { name: 'I32', ...plain(4, (view, at) => view.getInt32(at, true)) },
  30: {
    name: 'BF16',
    ...plain(2, (view, at) => {
      bfloatBits[0] = view.getUint16(at, true) << 16;
      return bfloat[0] as number;
    }),
  },
};

/** Names of types that can only be named. */
const otherTypes: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  25: 'I16',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
};

/** Reads the header's numbers one after another, never past the end. */
class Cursor {
  readonly #view: DataView;
  at = 0;

  constructor(
    readonly bytes: Uint8Array,
    readonly fail: (reason: string) => never,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #take(size: number): number {
    const at = this.at;
    if (!(at + size <= this.bytes.length)) this.fail(`ends within its header, at byte ${at}`);
    this.at += size;
    return at;
  }

  scalar(type: number): GgufValue {
    const view = this.#view;
    switch (type) {
      case 0:
        return view.getUint8(this.#take(1));
      case 1:
        return view.getInt8(this.#take(1));
      case 2:
        return view.getUint16(this.#take(2), true);
      case 3:
        return view.getInt16(this.#take(2), true);
      case 4:
        return view.getUint32(this.#take(4), true);
      case 5:
        return view.getInt32(this.#take(4), true);
      case 6:
        return view.getFloat32(this.#take(4), true);
      case 7:
        return view.getUint8(this.#take(1)) !== 0;
      case 8:
        return this.string();
      case 10:
        return view.getBigUint64(this.#take(8), true);
      case 11:
        return view.getBigInt64(this.#take(8), true);
      case 12:
        return view.getFloat64(this.#take(8), true);
      default:
        return this.fail(`holds a value of unknown type ${type}`);
    }
  }

  /** A 64-bit count that the rest of the file can hold at `least` bytes each. */
  count(least: number, what: string): number {
    const value = Number(this.#view.getBigUint64(this.#take(8), true));
    if (!(value * least <= this.bytes.length - this.at)) this.fail(`declares ${value} ${what}, more than it holds`);
    return value;
  }

  string(): string {
    const length = this.count(1, 'characters');
    const at = this.#take(length);
    return new TextDecoder().decode(this.bytes.slice(at, at + length));
  }

  value(type: number, depth = 0): GgufValue {
    if (type !== 9) return this.scalar(type);
    if (depth > 8) this.fail('nests arrays too deeply');
    const element = this.scalar(5) as number;
    const count = this.count(element === 9 ? 12 : element === 8 ? 8 : 1, 'elements');
    return Array.from({ length: count }, () => this.value(element, depth + 1));
  }
}

/** A GGUF file in memory: its metadata, and its tensors, each decoded when asked for. */
export class GgufFile {
  readonly version: number;
  readonly metadata: Readonly<Record<string, GgufValue>>;
  readonly tensors: ReadonlyMap<string, GgufTensorInfo>;
  readonly #data: Uint8Array;
  readonly #fail: (reason: string) => never;

  constructor(bytes: Uint8Array, name: string) {
    this.#fail = (reason) => {
      throw new Error(`readGguf: "${name}" ${reason}`);
    };
    if (bytes.length < 24 || new TextDecoder().decode(bytes.slice(0, 4)) !== 'GGUF') this.#fail('is not a GGUF file');
    const cursor = new Cursor(bytes, this.#fail);
    cursor.at = 4;
    this.version = cursor.scalar(4) as number;
    if (this.version !== 2 && this.version !== 3) this.#fail(`has version ${this.version}; 2 and 3 are supported`);
    const tensorCount = cursor.count(24, 'tensors');
    const entries = cursor.count(12, 'metadata entries');
    const metadata: [string, GgufValue][] = [];
    for (let i = 0; i < entries; i++) metadata.push([cursor.string(), cursor.value(cursor.scalar(5) as number)]);
    this.metadata = Object.fromEntries(metadata);
    const infos = Array.from({ length: tensorCount }, () => this.#info(cursor));
    const alignment = Number(this.metadata['general.alignment'] ?? 32);
    if (!(Number.isInteger(alignment) && alignment > 0 && alignment % 8 === 0))
      this.#fail(`declares an alignment of ${alignment} bytes`);
    this.#data = bytes.subarray(Math.ceil(cursor.at / alignment) * alignment);
    for (const { name: tensorName, offset, bytes: size } of infos)
      if (!(offset + size <= this.#data.length))
        this.#fail(
          `declares ${size} bytes for tensor "${tensorName}" at ${offset} but holds ${this.#data.length} bytes of data`,
        );
    this.tensors = new Map(infos.map((info) => [info.name, info]));
  }

  #info(cursor: Cursor): GgufTensorInfo {
    const name = cursor.string();
    const rank = cursor.scalar(4) as number;
    if (rank > 8) this.#fail(`declares ${rank} axes for tensor "${name}"`);
    const shape = Array.from({ length: rank }, () => Number(cursor.scalar(10))).reverse();
    const type = cursor.scalar(5) as number;
    const offset = Number(cursor.scalar(10));
    const known = types[type];
    if (!known) return { name, shape, type: otherTypes[type] ?? `type ${type}`, offset, bytes: 0 };
    const size = shape.reduce((product, length) => product * length, 1);
    const row = shape.at(-1) ?? 1;
    if (!Number.isSafeInteger(size) || row % known.values !== 0)
      this.#fail(`declares tensor "${name}" [${shape.join(', ')}], whose rows are no whole blocks of ${known.name}`);
    return { name, shape, type: known.name, offset, bytes: (size / known.values) * known.bytes };
  }

  #bytesOf(name: string): { info: GgufTensorInfo; bytes: Uint8Array } {
    const info = this.tensors.get(name) ?? this.#fail(`has no tensor "${name}"`);
    return { info, bytes: this.#data.subarray(info.offset, info.offset + info.bytes) };
  }

  /** A tensor's values as f32. @throws Error naming tensor and type when the type cannot be decoded. */
  tensor(name: string): Tensor {
    const { info, bytes } = this.#bytesOf(name);
    const type = Object.values(types).find((candidate) => candidate.name === info.type);
    if (!type) return this.#fail(`holds tensor "${name}" of type ${info.type}, which is not supported`);
    const values = new Float32Array(info.shape.reduce((product, length) => product * length, 1));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let block = 0; block * type.values < values.length; block++)
      type.decode(view, block * type.bytes, values, block * type.values);
    return tensor(values, info.shape);
  }

  /**
   * A quantised matrix as it is, for products without decoding.
   *
   * @param part of a stack of matrices [parts, rows, columns], which one; left out, all as one
   */
  blocks(name: string, part?: number): BlockMatrix {
    const { info, bytes: all } = this.#bytesOf(name);
    const columns = info.shape.at(-1) ?? 1;
    const parts = part === undefined ? 1 : (info.shape[0] as number);
    const rows = info.shape.slice(0, -1).reduce((product, length) => product * length, 1) / parts;
    const size = all.length / parts;
    const bytes = all.subarray((part ?? 0) * size, ((part ?? 0) + 1) * size);
    if (info.type === 'Q8_0' || info.type === 'Q4_0')
      return BlockMatrix.fromBytes(bytes, info.type as BlockFormat, rows, columns);
    if (!unpackedFormats.includes(info.type))
      return this.#fail(`holds tensor "${name}" as ${info.type}, not in blocks of ${BLOCK}`);
    return unpackBlocks(bytes, info.type as UnpackedFormat, rows, columns);
  }
}

/**
 * Reads a GGUF file.
 *
 * @param name what errors call the file.
 * @throws Error when the file is cut short, inconsistent or of another version.
 */
export function readGguf(bytes: Uint8Array, name = '.gguf'): GgufFile {
  return new GgufFile(bytes, name);
}
