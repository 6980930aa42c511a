// Byte ranges of files that need not fit in memory.

/** A file or buffer that is read by ranges. */
export interface ByteSource {
  /** Name used in error messages. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Of an open file, for reads on other threads of the process. */
  readonly descriptor?: number | undefined;
  /**
   * Fills `target` with the bytes that start at `position`.
   *
   * @throws Error when the file ends before.
   */
  read(target: Uint8Array, position: number): void;
}

/** A `ByteSource` of a buffer. */
export function bytesInMemory(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    size: bytes.length,
    read(target, position) {
      // An empty range is valid at any position.
      if (target.length === 0) return;
      if (position + target.length > bytes.length)
        throw new Error(`"${name}" ends before byte ${position + target.length}`);
      target.set(bytes.subarray(position, position + target.length));
    },
  };
}

/** Which part of a stored tensor to read. */
export interface TensorPart {
  /** Index into the leading axis of a stack [parts, …]; the whole stack when left out. */
  readonly part?: number | undefined;
  /** Rows [from, to) of that part; all when left out. */
  readonly rows?: readonly [from: number, to: number] | undefined;
}

/** Shape and byte range of a stored tensor. */
export interface TensorPlace {
  readonly shape: readonly number[];
  readonly position: number;
  readonly bytes: number;
}

/** Shape and byte range of a part of a stored tensor. */
export function partOf({ shape, position, bytes }: TensorPlace, { part, rows }: TensorPart): TensorPlace {
  if (part !== undefined) {
    const each = bytes / (shape[0] ?? 1);
    return partOf({ shape: shape.slice(1), position: position + part * each, bytes: each }, { rows });
  }
  if (!rows) return { shape, position, bytes };
  const [from, to] = rows;
  const each = bytes / (shape[0] ?? 1);
  return { shape: [to - from, ...shape.slice(1)], position: position + from * each, bytes: (to - from) * each };
}
