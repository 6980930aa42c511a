// GGUF files (version 3), written in parts, so that large ones need not fit in memory.

import { type BlockFormat, blockFormats } from '../../quantized/index.js';

/** A metadata value with its GGUF type. */
export type GgufEntry =
  | readonly ['u32' | 'i32' | 'f32', number]
  | readonly ['u64', number | bigint]
  | readonly ['bool', boolean]
  | readonly ['string', string]
  | readonly ['strings', readonly string[]]
  | readonly ['i32s' | 'f32s', readonly number[]];

/** A tensor to write. */
export interface GgufOutput {
  /** Name in the file. */
  readonly name: string;
  /** Row-major; the file stores the fastest axis first. */
  readonly shape: readonly number[];
  /** A known format, or the GGML type number of another one. */
  readonly type: BlockFormat | 'F32' | 'F16' | 'BF16' | number;
  /** The stored bytes; a function is called when they are written. */
  readonly bytes: Uint8Array | (() => Uint8Array);
  /** Number of bytes, required where `bytes` is a function. */
  readonly byteLength?: number;
}

const ALIGNMENT = 32;

const valueTypes = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, u64: 10 } as const;
const elementTypes = { strings: 'string', i32s: 'i32', f32s: 'f32' } as const;
const floatTypes = { F32: 0, F16: 1, BF16: 30 } as const;

const typeNumber = (type: GgufOutput['type']): number => {
  if (typeof type === 'number') return type;
  return type in floatTypes ? floatTypes[type as keyof typeof floatTypes] : blockFormats[type as BlockFormat].code;
};

const aligned = (length: number) => Math.ceil(length / ALIGNMENT) * ALIGNMENT;

const lengthOf = ({ bytes, byteLength, name }: GgufOutput): number => {
  const length = typeof bytes === 'function' ? byteLength : bytes.length;
  if (length === undefined) throw new Error(`ggufParts: tensor "${name}" needs a byteLength`);
  return length;
};

/** A growing buffer of the header. */
class Header {
  #bytes = new Uint8Array(4096);
  #length = 0;
  readonly #text = new TextEncoder();

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, aligned(this.#length));
  }

  #room(size: number): DataView {
    const needed = aligned(this.#length + size);
    if (needed > this.#bytes.length) {
      const more = new Uint8Array(2 * needed);
      more.set(this.#bytes);
      this.#bytes = more;
    }
    const view = new DataView(this.#bytes.buffer, this.#length, size);
    this.#length += size;
    return view;
  }

  scalar(type: keyof typeof valueTypes, value: number | bigint | boolean | string): void {
    if (type === 'string') {
      const text = this.#text.encode(value as string);
      this.scalar('u64', text.length);
      const { byteOffset } = this.#room(text.length);
      this.#bytes.set(text, byteOffset);
    } else if (type === 'bool') this.#room(1).setUint8(0, Number(value));
    else if (type === 'u64') this.#room(8).setBigUint64(0, BigInt(value as number | bigint), true);
    else if (type === 'f32') this.#room(4).setFloat32(0, value as number, true);
    else if (type === 'i32') this.#room(4).setInt32(0, value as number, true);
    else this.#room(4).setUint32(0, value as number, true);
  }

  entry([type, value]: GgufEntry): void {
    if (type in valueTypes) {
      this.scalar('u32', valueTypes[type as keyof typeof valueTypes]);
      this.scalar(type as keyof typeof valueTypes, value as number | bigint | boolean | string);
      return;
    }
    const element = elementTypes[type as keyof typeof elementTypes];
    const values = value as readonly (number | string)[];
    this.scalar('u32', 9);
    this.scalar('u32', valueTypes[element]);
    this.scalar('u64', values.length);
    for (const one of values) this.scalar(element, one);
  }
}

/** The parts of a GGUF file in order: the header, then each tensor with its padding. */
export function* ggufParts(
  metadata: Readonly<Record<string, GgufEntry>>,
  tensors: readonly GgufOutput[],
): Generator<Uint8Array> {
  const header = new Header();
  header.scalar('u32', 0x46554747);
  header.scalar('u32', 3);
  header.scalar('u64', tensors.length);
  header.scalar('u64', Object.keys(metadata).length);
  for (const [key, entry] of Object.entries(metadata)) {
    header.scalar('string', key);
    header.entry(entry);
  }
  let offset = 0;
  for (const output of tensors) {
    header.scalar('string', output.name);
    header.scalar('u32', output.shape.length);
    for (const length of output.shape.toReversed()) header.scalar('u64', length);
    header.scalar('u32', typeNumber(output.type));
    header.scalar('u64', offset);
    offset += aligned(lengthOf(output));
  }
  yield header.bytes;
  for (const output of tensors) {
    const bytes = typeof output.bytes === 'function' ? output.bytes() : output.bytes;
    if (bytes.length !== lengthOf(output))
      throw new Error(
        `ggufParts: tensor "${output.name}" has ${bytes.length} bytes, announced were ${lengthOf(output)}`,
      );
    yield bytes;
    yield new Uint8Array(aligned(bytes.length) - bytes.length);
  }
}

/** A GGUF file in one buffer; see `ggufParts`. */
export function writeGguf(
  metadata: Readonly<Record<string, GgufEntry>>,
  tensors: readonly GgufOutput[],
): Uint8Array<ArrayBuffer> {
  const parts = [...ggufParts(metadata, tensors)];
  const file = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}
