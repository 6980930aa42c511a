// The safetensors format: a JSON header of names, types, shapes and offsets, then the raw values.

import { halfToFloat } from '../../quantized/index.js';
import { type Tensor, tensor } from '../../tensor/index.js';

export interface SafetensorsFile {
  readonly tensors: Record<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const names = { f32: 'F32', i32: 'I32', u8: 'U8', i8: 'I8' } as const;

const widths: Readonly<Record<string, number>> = {
  F32: 4,
  I32: 4,
  U8: 1,
  I8: 1,
  F16: 2,
  BF16: 2,
  F64: 8,
  I64: 8,
  BOOL: 1,
};

function decode(dtype: string, raw: Uint8Array, shape: readonly number[]): Tensor {
  const { buffer } = new Uint8Array(raw);
  switch (dtype) {
    case 'F32':
      return tensor(new Float32Array(buffer), shape);
    case 'I32':
      return tensor(new Int32Array(buffer), shape);
    case 'I8':
      return tensor(new Int8Array(buffer), shape);
    case 'F16':
      return tensor(Float32Array.from(new Uint16Array(buffer), halfToFloat), shape);
    case 'BF16':
      return tensor(
        new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => (bits << 16) >>> 0).buffer),
        shape,
      );
    case 'F64':
      return tensor(Float32Array.from(new Float64Array(buffer)), shape);
    case 'I64':
      return tensor(Int32Array.from(new BigInt64Array(buffer), Number), shape);
    default:
      return tensor(new Uint8Array(buffer), shape);
  }
}

/**
 * Reads a file. F16, BF16 and F64 become f32; I64 becomes i32; BOOL becomes u8.
 *
 * @param name what errors call the file.
 * @throws Error when the file is truncated, inconsistent, or holds another element type.
 */
export function readSafetensors(bytes: Uint8Array, name = '.safetensors'): SafetensorsFile {
  const fail = (reason: string): never => {
    throw new Error(`readSafetensors: "${name}" ${reason}`);
  };
  if (bytes.length < 8) fail(`is too short (${bytes.length} bytes)`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (length > bytes.length - 8) fail(`is truncated: its header takes ${length} bytes of ${bytes.length - 8}`);
  const header = parseHeader(bytes.slice(8, 8 + length), fail);
  const data = bytes.subarray(8 + length);
  const tensors: Record<string, Tensor> = {};
  for (const [key, value] of Object.entries(header)) {
    if (key === '__metadata__') continue;
    const { dtype, shape, data_offsets: offsets } = checkEntry(key, value, data.length, fail);
    tensors[key] = decode(dtype, data.subarray(...offsets), shape);
  }
  return { tensors, metadata: (header.__metadata__ ?? {}) as Record<string, string> };
}

function parseHeader(bytes: Uint8Array, fail: (reason: string) => never): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof header === 'object' && header !== null && !Array.isArray(header))
      return header as Record<string, unknown>;
  } catch {
    // Reported below.
  }
  return fail('has an unreadable header');
}

function checkEntry(key: string, value: unknown, available: number, fail: (reason: string) => never): Entry {
  const entry = value as Partial<Entry> | null;
  const shape = entry?.shape;
  const offsets = entry?.data_offsets;
  const isSize = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
  if (
    !Array.isArray(shape) ||
    !shape.every(isSize) ||
    !Array.isArray(offsets) ||
    offsets.length !== 2 ||
    !offsets.every(isSize)
  ) {
    return fail(`describes tensor "${key}" in no way that can be read`);
  }
  const width = widths[entry?.dtype ?? ''];
  if (!width)
    return fail(`holds tensor "${key}" of type ${entry?.dtype}; supported: ${Object.keys(widths).join(', ')}`);
  const [start, end] = offsets as [number, number];
  const bytes = shape.reduce((product: number, size: number) => product * size, width);
  if (end > available || end - start !== bytes) {
    return fail(
      `declares ${bytes} bytes for tensor "${key}" [${shape.join(', ')}] but holds ${Math.max(0, Math.min(end, available) - start)}`,
    );
  }
  return entry as Entry;
}

/** Writes tensors and string metadata; values are padded to 8 bytes so that readers may map them. */
export function writeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = Object.keys(metadata).length ? { __metadata__: metadata } : {};
  let end = 0;
  for (const [name, { dtype, shape, size }] of Object.entries(tensors)) {
    const bytes = size * (dtype === 'f32' || dtype === 'i32' ? 4 : 1);
    header[name] = { dtype: names[dtype], shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + padded + end).fill(0x20, 8 + text.length, 8 + padded);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(text, 8);
  let offset = 8 + padded;
  for (const tensor of Object.values(tensors)) {
    const values = tensor.dataSync();
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  return file;
}
