// Thrift's compact protocol, as far as Parquet uses it.

/** A decoded value: structs are maps from field numbers. */
export type ThriftValue = boolean | number | bigint | Uint8Array | ThriftStruct | readonly ThriftValue[];
/** A struct by field number. */
export type ThriftStruct = ReadonlyMap<number, ThriftValue>;

/** Deepest nesting of structs and lists. */
const DEEPEST = 32;
/** Most bytes of a 64-bit integer. */
const LONGEST_INTEGER = 10;

/** A place in bytes from which structs are read. */
export class ThriftReader {
  readonly #view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** @throws Error when the struct is malformed or cut short. */
  struct(depth = 0): ThriftStruct {
    if (depth > DEEPEST) throw new Error('nests structures too deeply');
    const fields = new Map<number, ThriftValue>();
    let field = 0;
    for (;;) {
      const head = this.byte();
      if (head === 0) return fields;
      field = head >> 4 ? field + (head >> 4) : Number(this.#signed());
      fields.set(field, this.#value(head & 15, depth + 1));
    }
  }

  /** One byte. @throws Error at the end. */
  byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new Error('is cut short');
    return byte;
  }

  /** An unsigned integer of at most 64 bits in groups of seven. */
  integer(): bigint {
    let value = 0n;
    for (let i = 0; i < LONGEST_INTEGER; i++) {
      const byte = this.byte();
      value |= BigInt(byte & 127) << BigInt(7 * i);
      if (byte < 128) return value;
    }
    throw new Error('holds an integer of more than 64 bits');
  }

  #signed(): bigint {
    const value = this.integer();
    return (value >> 1n) ^ -(value & 1n);
  }

  #value(type: number, depth: number): ThriftValue {
    switch (type) {
      case 1:
      case 2:
        return type === 1;
      case 3:
        return (this.byte() << 24) >> 24;
      case 4:
      case 5:
        return Number(this.#signed());
      case 6:
        return this.#signed();
      case 7:
        this.#skip(8);
        return this.#view.getFloat64(this.at - 8, true);
      case 8: {
        const length = Number(this.integer());
        this.#skip(length);
        return this.bytes.subarray(this.at - length, this.at);
      }
      case 9:
        return this.#list(depth);
      case 12:
        return this.struct(depth);
      default:
        throw new Error(`holds a value of unknown type ${type}`);
    }
  }

  #list(depth: number): ThriftValue[] {
    if (depth > DEEPEST) throw new Error('nests structures too deeply');
    const head = this.byte();
    const length = head >> 4 === 15 ? Number(this.integer()) : head >> 4;
    if (length > this.bytes.length - this.at) throw new Error(`declares a list of ${length} in fewer bytes`);
    const type = head & 15;
    // In lists, booleans take a byte each.
    return Array.from({ length }, () => (type <= 2 ? this.byte() === 1 : this.#value(type, depth + 1)));
  }

  #skip(length: number): void {
    if (!(this.at + length <= this.bytes.length)) throw new Error('is cut short');
    this.at += length;
  }
}

/** A field as a number; undefined where it is missing or something else. */
export function numberOf(struct: ThriftStruct, field: number): number | undefined {
  const value = struct.get(field);
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
}

/**
 * A field as a list of structs; empty where it is missing.
 *
 * @throws Error where it is something else.
 */
export function structsOf(struct: ThriftStruct, field: number): readonly ThriftStruct[] {
  const value = struct.get(field) ?? [];
  if (!Array.isArray(value) || !value.every((item) => item instanceof Map))
    throw new Error(`holds no structures in field ${field}`);
  return value as readonly ThriftStruct[];
}
